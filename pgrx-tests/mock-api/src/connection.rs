//! How one connection is served: requests in, responses out, until either side ends it.

use crate::answer::{Answer, Incoming, respond};
use crate::control;
use crate::delivery::{After, Delivery};
use crate::request::{Request, RequestHead, RequestReader};
use crate::response::Response;
use crate::server::Shared;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// A connection's bytes, plain or through TLS.
pub(crate) enum Transport {
    Plain(SharedSocket),
    Tls(Box<StreamOwned<ServerConnection, SharedSocket>>),
}

/// A socket that a stopping server can reach too. Only the connection's thread holds it strongly, so that
/// dropping it closes the connection.
#[derive(Debug, Clone)]
pub(crate) struct SharedSocket(pub(crate) Arc<TcpStream>);

impl Transport {
    pub(crate) fn new(
        socket: Arc<TcpStream>,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Transport> {
        let socket = SharedSocket(socket);
        let Some(config) = tls else {
            return Ok(Transport::Plain(socket));
        };
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Transport::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Transport::Plain(socket) => &socket.0,
            Transport::Tls(stream) => &stream.sock.0,
        }
    }

    fn scheme(&self) -> &'static str {
        match self {
            Transport::Plain(_) => "http",
            Transport::Tls(_) => "https",
        }
    }
}

impl Read for SharedSocket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(into)
    }
}

impl Write for SharedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Transport {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(socket) => socket.read(into),
            Transport::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(socket) => socket.write(bytes),
            Transport::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Transport::Plain(socket) => socket.flush(),
            Transport::Tls(stream) => stream.flush(),
        }
    }
}

/// Serves a connection to its end. An error means that the client left in the middle, as tests make it do.
pub(crate) fn serve(shared: &Shared, id: u64, mut transport: Transport) -> io::Result<()> {
    let mut reader = RequestReader::default();
    loop {
        let on_continue =
            |stream: &mut Transport| stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        let after = match reader.next(&mut transport, on_continue) {
            Ok(None) => After::Close,
            Ok(Some(request)) => exchange(shared, id, &mut transport, request)?,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let wire = Response::message(400, &error.to_string()).into_wire("GET", false)?;
                transport.write_all(&wire.bytes)?;
                After::Close
            }
            Err(error) => return Err(error),
        };
        if after == After::Close {
            return Ok(());
        }
    }
}

fn exchange(
    shared: &Shared,
    id: u64,
    transport: &mut Transport,
    mut request: Request,
) -> io::Result<After> {
    let host = request.head.header("host").unwrap_or("127.0.0.1");
    let origin = format!("{}://{host}", transport.scheme());
    let mut delivery = Delivery {
        transport,
        in_flight: None,
        stopping: &shared.stopping,
    };
    let answer = if request.path().starts_with(control::PREFIX) {
        Answer::plain(control::respond(shared, &request), &request)?
    } else if let Some((name, prefix)) = space_of(request.path()) {
        let space = shared.spaces.get(&name);
        request.head.target.drain(..prefix.len());
        let recorded = RequestHead {
            body: String::from_utf8_lossy(&request.body).into_owned(),
            ..request.head.clone()
        };
        delivery.in_flight = Some(space.arrive(id, recorded));
        respond(
            &space.routes(),
            Incoming {
                request,
                prefix,
                origin,
            },
        )?
    } else {
        let outside = Incoming {
            request,
            prefix: String::new(),
            origin,
        };
        respond(&Default::default(), outside)?
    };
    let delay = Duration::from_millis(answer.delay_ms);
    let after = delivery.deliver(&answer.wire, answer.fault.as_ref(), delay)?;
    Ok(if answer.keep_alive {
        after
    } else {
        After::Close
    })
}

/// The space that a path begins with, and the length of path that names it: `/s/a/items` is `/items` in `a`.
fn space_of(path: &str) -> Option<(String, String)> {
    let rest = path.strip_prefix("/s/")?;
    let (name, _) = rest.split_once('/')?;
    Some((
        crate::query::percent_decode(name),
        path[..3 + name.len()].to_owned(),
    ))
}

//! A port in front of a server: each connection passes, is refused, or fails in the TLS handshake.

use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// What a connection meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing listens: the system refuses the connection.
    Refuse,
    /// The server says something that is no TLS, and closes.
    BreakHandshake,
}

/// A port of 127.0.0.1 that leads to another one. Its connections are counted from 0, those refused left out.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Never listens, and keeps the port from everybody else while the gate is closed.
    _reserved: OwnedFd,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    obstacle: Obstacle,
    /// The first connection that meets the obstacle, and how many do.
    met_by: std::ops::Range<usize>,
    accepted: AtomicUsize,
    stopped: AtomicBool,
    listener: Mutex<Option<Arc<TcpListener>>>,
}

impl Gate {
    /// A gate to `upstream`; from the connection `first` on, `times` of them meet `obstacle`. A gate that refuses stays closed from
    /// there until [`Gate::open`].
    ///
    /// # Errors
    /// The system gives no more sockets.
    pub fn start(
        upstream: SocketAddr,
        obstacle: Obstacle,
        first: usize,
        times: usize,
    ) -> io::Result<Gate> {
        let reserved = reusable(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(rustix::net::getsockname(&reserved)?)?;
        let gate = Gate {
            address,
            shared: Arc::new(Shared {
                upstream,
                obstacle,
                met_by: first..first.saturating_add(times),
                accepted: AtomicUsize::new(0),
                stopped: AtomicBool::new(false),
                listener: Mutex::default(),
            }),
            _reserved: reserved,
        };
        if obstacle != Obstacle::Refuse || first > 0 {
            gate.open()?;
        }
        Ok(gate)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections again.
    ///
    /// # Errors
    /// The system gives no more sockets or threads.
    pub fn open(&self) -> io::Result<()> {
        let mut open = self.shared.listener();
        if open.is_some() {
            return Ok(());
        }
        let SocketAddr::V4(address) = self.address else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let socket = reusable(address)?;
        rustix::net::listen(&socket, BACKLOG)?;
        let listener = Arc::new(TcpListener::from(socket));
        *open = Some(Arc::clone(&listener));
        let shared = Arc::clone(&self.shared);
        spawn(move || shared.accept(&listener))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.shared.close();
    }
}

impl Shared {
    fn listener(&self) -> std::sync::MutexGuard<'_, Option<Arc<TcpListener>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the port: what connects from here on is refused.
    fn close(&self) {
        if let Some(listener) = self.listener().take() {
            // On Linux this ends a waiting accept(2), and the socket no longer listens.
            let _ = rustix::net::shutdown(&*listener, rustix::net::Shutdown::Both);
        }
    }

    fn accept(self: &Arc<Shared>, listener: &TcpListener) {
        while let Ok((socket, _)) = listener.accept() {
            let number = self.accepted.fetch_add(1, Ordering::Relaxed);
            let is_met = self.met_by.contains(&number);
            // Before this one is served: its client may connect again as soon as it has its answer.
            if self.obstacle == Obstacle::Refuse && self.met_by.start == number + 1 {
                self.close();
            }
            let shared = Arc::clone(self);
            // A connection that cannot be served is closed; its client sees that.
            let _ = spawn(move || {
                let _ = match shared.obstacle {
                    Obstacle::BreakHandshake if is_met => break_handshake(socket),
                    _ => forward(socket, shared.upstream),
                };
            });
        }
    }
}

/// Answers the client's hello as a server that knows no TLS does.
fn break_handshake(mut socket: TcpStream) -> io::Result<()> {
    let _ = socket.read(&mut [0; 4096])?;
    socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
    // What the client still has to say is read, so that the close is no reset.
    socket.shutdown(Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    io::copy(&mut socket, &mut io::sink()).map(drop)
}

fn forward(client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    spawn(move || pass(from_client, to_server))?;
    pass(server, client);
    Ok(())
}

/// Passes bytes on until either side ends.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

fn reusable(address: SocketAddrV4) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    Ok(socket)
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .name("mock-api-gate".to_owned())
        .spawn(run)
        .map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// Says `hello` to each connection that says something.
    fn greeter() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                if socket.read(&mut [0]).is_ok_and(|read| read > 0) {
                    socket.write_all(b"hello").unwrap();
                }
            }
        });
        address
    }

    fn visit(gate: &Gate) -> Result<String, io::ErrorKind> {
        let mut socket = TcpStream::connect(gate.address()).map_err(|error| error.kind())?;
        socket.write_all(b"?").unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).unwrap();
        Ok(said)
    }

    #[test]
    fn a_gate_closes_behind_a_connection_until_it_is_opened() {
        let gate = Gate::start(greeter(), Obstacle::Refuse, 2, 1).unwrap();
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
        assert_eq!(visit(&gate), Err(io::ErrorKind::ConnectionRefused));
        assert_eq!(visit(&gate), Err(io::ErrorKind::ConnectionRefused));
        gate.open().unwrap();
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
    }

    #[test]
    fn a_gate_may_be_closed_from_the_beginning() {
        let gate = Gate::start(greeter(), Obstacle::Refuse, 0, 1).unwrap();
        assert_eq!(visit(&gate), Err(io::ErrorKind::ConnectionRefused));
        gate.open().unwrap();
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
    }

    #[test]
    fn only_the_handshakes_that_it_shall_break_are_broken() {
        let gate = Gate::start(greeter(), Obstacle::BreakHandshake, 1, 1).unwrap();
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
        assert!(visit(&gate).unwrap().starts_with("HTTP/1.1 400"));
        assert_eq!(visit(&gate).as_deref(), Ok("hello"));
    }
}

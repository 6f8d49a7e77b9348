//! TCP under ureq: a non-blocking socket whose every wait ends with the attempt that it serves.

use super::attempt::{self, Phase};
use super::egress::Egress;
use super::resolve::{self, Resolve, SystemResolver};
use super::route::{self, Route};
use crate::error::Exchange;
use crate::{Error, Result};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};
use std::fmt::{Debug, Display};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Begins a TCP connection without waiting for it.
pub trait Dial: Debug + Send + Sync {
    /// A non-blocking, close-on-exec socket that is connecting (or already connected) to `address`.
    fn dial(&self, address: SocketAddr) -> io::Result<OwnedFd>;
}

/// The operating system's sockets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDialler;

impl Dial for SystemDialler {
    fn dial(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        let family = if address.is_ipv4() {
            AddressFamily::Inet
        } else {
            AddressFamily::Inet6
        };
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(family, SockType::Stream, flags, None)?;
        match connect(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
            Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(socket),
            Err(error) => Err(error.into()),
        }
    }
}

/// How names become addresses and addresses connections: the seam at which a test stands in for the network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Finds addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Makes connections.
    pub dialler: Arc<dyn Dial>,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            resolver: Arc::new(SystemResolver),
            dialler: Arc::new(SystemDialler),
        }
    }
}

/// Tells ureq nothing: a name is looked up only where a connection must be made, by [`TcpConnector`].
#[derive(Debug)]
pub(super) struct LaterResolver;

impl Resolver for LaterResolver {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Looks up, checks and dials. The first link of the chain, before TLS.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) network: Network,
    pub(super) egress: Egress,
    pub(super) route: Arc<Route>,
}

impl Connector for TcpConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> std::result::Result<Option<TcpTransport>, ureq::Error> {
        let scheme = details.uri.scheme_str().unwrap_or_default();
        let host = details.uri.host().unwrap_or_default();
        let port = details
            .uri
            .port_u16()
            .unwrap_or(if details.needs_tls() { 443 } else { 80 });
        let mut stream = self.open(scheme, host, port).map_err(carry)?;
        let mut proxied = None;
        if let Route::Proxy { .. } = &*self.route {
            match details.needs_tls() {
                true => route::tunnel(&mut stream, host, port).map_err(carry)?,
                false => proxied = Some(format!("{scheme}://{host}:{port}")),
            }
        }
        if details.needs_tls() {
            attempt::enter(Phase::Handshake).map_err(carry)?;
        }
        Ok(Some(TcpTransport {
            stream,
            proxied,
            begins: true,
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
        }))
    }
}

impl TcpConnector {
    fn open(&self, scheme: &str, host: &str, port: u16) -> Result<TcpStream> {
        self.route.check(&self.egress)?;
        match &*self.route {
            Route::Socket { path, .. } if self.route.stands_for(host, port) => {
                attempt::enter(Phase::Connecting)?;
                let dialled = route::dial(path);
                self.finish(dialled, &path.display(), attempt::connect_deadline()?)
            }
            // The proxy looks the API's name up; who may use one may go anywhere.
            Route::Proxy { host, port } => self.open_tcp("http", host, *port),
            _ => self.open_tcp(scheme, host, port),
        }
    }

    fn open_tcp(&self, scheme: &str, host: &str, port: u16) -> Result<TcpStream> {
        attempt::enter(Phase::Resolving)?;
        self.egress.check_host(scheme, host)?;
        let found = resolve::addresses(&self.network.resolver, host, port)?;
        attempt::enter(Phase::Connecting)?;
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let mut allowed = Vec::with_capacity(found.len());
        let mut refusal = None;
        for address in found {
            match self.egress.check_address(name, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(refusal) if allowed.is_empty() => Err(refusal),
            _ => self.first_reachable(&allowed),
        }
    }

    /// Tries the addresses in turn; each gets its share of the time that is left, so that one which
    /// swallows packets does not keep the next from being tried.
    fn first_reachable(&self, addresses: &[SocketAddr]) -> Result<TcpStream> {
        let mut failure = None;
        for (index, address) in addresses.iter().enumerate() {
            let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            let deadline = attempt::connect_deadline()?;
            let now = Instant::now();
            let share =
                deadline.map(|deadline| now + deadline.saturating_duration_since(now) / others);
            match self.reach(*address, share) {
                Ok(stream) => return Ok(stream),
                Err(error @ Error::Connect { .. }) => failure = Some(error),
                Err(other) => return Err(other),
            }
        }
        Err(failure.unwrap_or_else(|| unreachable("there is no address to connect to".to_owned())))
    }

    fn reach(&self, address: SocketAddr, until: Option<Instant>) -> Result<TcpStream> {
        let stream = self.finish(self.network.dialler.dial(address), &address, until)?;
        match stream.set_nodelay(true) {
            Ok(()) => Ok(stream),
            Err(error) => Err(failed_at(&address, &error)),
        }
    }

    /// Waits until a connection that was begun stands.
    fn finish(
        &self,
        dialled: io::Result<OwnedFd>,
        address: &dyn Display,
        until: Option<Instant>,
    ) -> Result<TcpStream> {
        let failed = |error: io::Error| failed_at(address, &error);
        let socket = dialled.map_err(failed)?;
        if !attempt::ready_before(socket.as_fd(), PollFlags::POLLOUT, until)? {
            return Err(unreachable(format!("no answer from {address}")));
        }
        match getsockopt(&socket, sockopt::SocketError) {
            Ok(0) => Ok(TcpStream::from(socket)),
            Ok(code) => Err(failed(io::Error::from_raw_os_error(code))),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn failed_at(address: &dyn Display, error: &io::Error) -> Error {
    match attempt::broken(error) {
        Error::Connect { reason, .. } => unreachable(format!("{reason} ({address})")),
        other => other,
    }
}

pub(super) fn unreachable(reason: String) -> Error {
    Error::Connect {
        exchange: Exchange::default(),
        reason,
    }
}

/// The last link of the chain, after TLS: the connection stands, so the clock of `connect_timeout` stops.
#[derive(Debug)]
pub(super) struct Established;

impl<In: Transport> Connector<In> for Established {
    type Out = In;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> std::result::Result<Option<In>, ureq::Error> {
        attempt::enter(Phase::Response).map_err(carry)?;
        Ok(chained)
    }
}

/// A connection. ureq's own timeouts are off, so its `NextTimeout` is ignored: the attempt has the bounds.
#[derive(Debug)]
pub(super) struct TcpTransport {
    stream: TcpStream,
    /// The API's origin, where a proxy is told it in each request (RFC 9112, section 3.2.2).
    proxied: Option<String>,
    /// What goes out next begins a request.
    begins: bool,
    buffers: LazyBuffers,
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        _: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        let output = &self.buffers.output()[..amount];
        let begins = std::mem::replace(&mut self.begins, false);
        let method = output.iter().position(|byte| *byte == b' ');
        match (&self.proxied, method) {
            (Some(origin), Some(method)) if begins => {
                let (method, rest) = output.split_at(method + 1);
                let absolute = [method, origin.as_bytes(), rest].concat();
                write_all(&self.stream, &absolute).map_err(carry)
            }
            _ => write_all(&self.stream, output).map_err(carry),
        }
    }

    fn await_input(&mut self, _: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.begins = true;
        loop {
            attempt::check().map_err(carry)?;
            match (&self.stream).read(self.buffers.input_append_buf()) {
                Ok(read) => {
                    self.buffers.input_appended(read);
                    return Ok(read > 0);
                }
                Err(error) => recover(&self.stream, PollFlags::POLLIN, &error).map_err(carry)?,
            }
        }
    }

    /// A kept connection is of use only while the server neither closed it nor sent what nobody asked for.
    fn is_open(&mut self) -> bool {
        let peeked = self.stream.peek(&mut [0]);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

pub(super) fn write_all(mut stream: &TcpStream, mut left: &[u8]) -> Result<()> {
    while !left.is_empty() {
        attempt::check()?;
        match stream.write(left) {
            Ok(written) => left = &left[written..],
            // The server reads no further. It may have answered before (RFC 9112 section 9.5), a certificate that it
            // does not take, say; reading finds the answer, or the connection's end.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => recover(stream, PollFlags::POLLOUT, &error)?,
        }
    }
    Ok(())
}

/// Waits where the socket would have blocked; everything else is the connection's end.
pub(super) fn recover(stream: &TcpStream, flags: PollFlags, error: &io::Error) -> Result<()> {
    match error.kind() {
        io::ErrorKind::WouldBlock => attempt::ready(stream.as_fd(), flags),
        io::ErrorKind::Interrupted => Ok(()),
        _ => Err(attempt::broken(error)),
    }
}

/// Through ureq and back: see `failure::from_ureq`.
fn carry(error: Error) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

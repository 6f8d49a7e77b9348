//! Ports that never give a connection: one where connecting hangs, one that refuses.

use rustix::net::{AddressFamily, SocketAddrV4, SocketType};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// On loopback a handshake ends inside `connect` itself, so that one which takes this long hangs.
const HANGS_AFTER: Duration = Duration::from_millis(20);
/// Linux lets a queue hold one more than its backlog; the rest is room for doubt.
const MOST_FILLERS: usize = 16;

/// A listening socket whose queue is full: Linux drops every further SYN (listen(2); `tcp_conn_request` in
/// net/ipv4/tcp_input.c), so that connecting hangs until the client's own timeout.
#[derive(Debug)]
pub(crate) struct StalledPort {
    listener: TcpListener,
    _fillers: Vec<TcpStream>,
}

impl StalledPort {
    pub(crate) fn open() -> io::Result<StalledPort> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // A second listen(2) sets the backlog anew.
        rustix::net::listen(&listener, 0)?;
        let address = listener.local_addr()?;
        let mut fillers = Vec::new();
        while fillers.len() < MOST_FILLERS {
            match TcpStream::connect_timeout(&address, HANGS_AFTER) {
                Ok(filler) => fillers.push(filler),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Ok(StalledPort {
                        listener,
                        _fillers: fillers,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(
            "the queue of the stalled port never fills",
        ))
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }
}

/// A port that is taken but does not listen: connecting is refused, and nobody else can get it.
#[derive(Debug)]
pub(crate) struct RefusedPort {
    port: u16,
    _socket: OwnedFd,
}

impl RefusedPort {
    pub(crate) fn open() -> io::Result<RefusedPort> {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
        Ok(RefusedPort {
            port: address.port(),
            _socket: socket,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn connect(port: u16) -> io::ErrorKind {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect_timeout(&address, Duration::from_millis(300))
            .unwrap_err()
            .kind()
    }

    #[test]
    fn connecting_hangs_again_and_again() {
        let stalled = StalledPort::open().unwrap();
        for _ in 0..3 {
            assert_eq!(connect(stalled.port().unwrap()), io::ErrorKind::TimedOut);
        }
    }

    #[test]
    fn connecting_is_refused() {
        let refused = RefusedPort::open().unwrap();
        assert_eq!(connect(refused.port()), io::ErrorKind::ConnectionRefused);
    }
}

//! Which way connections take: straight to the API, by a proxy, or over a Unix socket.

use super::attempt;
use super::egress::Egress;
use super::transport::{recover, unreachable, write_all};
use crate::error::Exchange;
use crate::model::Connecting;
use crate::{Error, Result};
use iri_string::types::UriStr;
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The largest head of a proxy's answer.
const MOST_HEAD: usize = 16 * 1024;

/// The way of a client's connections.
#[derive(Debug)]
pub(super) enum Route {
    Direct,
    Proxy {
        host: String,
        port: u16,
    },
    /// The socket stands for one host and port; others are reached as usual.
    Socket {
        path: PathBuf,
        host: String,
        port: u16,
    },
}

impl Route {
    /// The way that the options say.
    pub(super) fn new(options: &Connecting, base_url: &str) -> Result<Route> {
        if let Some(proxy) = &options.proxy_url {
            let (host, port) = place("proxy_url", proxy)?;
            return Ok(Route::Proxy { host, port });
        }
        let Some(path) = &options.unix_socket else {
            return Ok(Route::Direct);
        };
        let (host, port) = place("base_url", base_url)?;
        Ok(Route::Socket {
            path: path.into(),
            host,
            port,
        })
    }

    /// Neither a proxy's connections nor a socket are checked by address, so they are for servers of superusers.
    pub(super) fn check(&self, egress: &Egress) -> Result<()> {
        let target = match self {
            Route::Proxy { host, .. } => format!("proxy {host}"),
            Route::Socket { path, .. } => path.display().to_string(),
            Route::Direct => return Ok(()),
        };
        match egress.unrestricted {
            true => Ok(()),
            false => Err(Error::Forbidden {
                exchange: Exchange::default(),
                target,
                reason:
                    "only a server that belongs to a superuser may use a proxy or a Unix socket"
                        .to_owned(),
            }),
        }
    }

    /// Whether the socket is the way to `host` and `port`.
    pub(super) fn stands_for(&self, to: &str, at: u16) -> bool {
        matches!(self, Route::Socket { host, port, .. } if host.eq_ignore_ascii_case(to) && *port == at)
    }
}

/// Host and port of a URL that the options' check has accepted.
fn place(option: &str, url: &str) -> Result<(String, u16)> {
    let invalid = || Error::option(option, "not an absolute URL");
    let url = UriStr::new(url).map_err(|_| invalid())?;
    let authority = url.authority_components().ok_or_else(invalid)?;
    let default = match url.scheme_str().eq_ignore_ascii_case("https") {
        true => 443,
        false => 80,
    };
    let port = authority.port().filter(|port| !port.is_empty());
    let port = port
        .map_or(Ok(default), str::parse)
        .map_err(|_| invalid())?;
    Ok((authority.host().to_owned(), port))
}

/// Begins a connection to a Unix socket: non-blocking, closed in children.
pub(super) fn dial(path: &Path) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &UnixAddr::new(path)?) {
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// Has the proxy at the other end of `stream` connect to the API (RFC 9110, section 9.3.6).
pub(super) fn tunnel(stream: &mut TcpStream, host: &str, port: u16) -> Result<()> {
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    write_all(stream, request.as_bytes())?;
    let head = head(stream)?;
    let line = head.lines().next().unwrap_or_default();
    let status = line
        .strip_prefix("HTTP/1.")
        .and_then(|line| line.split(' ').nth(1));
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(status) => Err(unreachable(format!(
            "the proxy answered with status {status} where it was to connect to {host}:{port}"
        ))),
        None => Err(unreachable("the proxy does not speak HTTP".to_owned())),
    }
}

/// Byte by byte: what follows the head is not the proxy's any more.
fn head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        attempt::check()?;
        match stream.read(&mut byte) {
            Ok(1) if head.len() < MOST_HEAD => head.push(byte[0]),
            Ok(_) => return Err(unreachable("the proxy closed the connection".to_owned())),
            Err(error) => recover(stream, PollFlags::POLLIN, &error)?,
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

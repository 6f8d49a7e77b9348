//! Which addresses a host name has, found without ever blocking a fetch thread beyond its bounds.
//!
//! The system's resolver cannot be interrupted. So it runs in a thread of its own, which the fetch thread waits for
//! together with its cancel token and `connect_timeout`. Where the wait ends first, that thread outlives its query by at
//! most the resolver's own timeout (`resolv.conf(5)`: 5 s a try by default). It holds no descriptor, no lock and nothing of the scan.

use super::attempt;
use super::cancel::eventfd;
use super::thread;
use crate::error::Exchange;
use crate::{Error, Result};
use nix::poll::PollFlags;
use nix::sys::eventfd::EventFd;
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

/// Finds a host name's addresses. It may block: it is called in a thread of its own.
pub trait Resolve: Debug + Send + Sync {
    /// The addresses of `host`, with `port`, in the order in which to try them.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver: `getaddrinfo(3)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }
}

#[derive(Debug)]
struct Answer {
    ready: EventFd,
    found: Mutex<Option<io::Result<Vec<SocketAddr>>>>,
}

/// The addresses of `host`: at once for literal addresses and loopback names, else from `resolver`.
pub(super) fn addresses(
    resolver: &Arc<dyn Resolve>,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>> {
    if let Some(known) = without_lookup(host) {
        return Ok(known
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect());
    }
    let answer = Arc::new(Answer {
        ready: eventfd()?,
        found: Mutex::new(None),
    });
    ask(resolver, host, port, &answer)?;
    attempt::ready(answer.ready.as_fd(), PollFlags::POLLIN)?;
    let found = answer
        .found
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match found {
        Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Some(Err(error)) => Err(unresolved(host, &error.to_string())),
        _ => Err(unresolved(host, "it has no address")),
    }
}

/// Starts the look-up. The thread has only a weak hold of `answer`, so a wait that was given up closes its descriptor at once.
fn ask(resolver: &Arc<dyn Resolve>, host: &str, port: u16, answer: &Arc<Answer>) -> Result<()> {
    let (resolver, host, answer) = (
        Arc::clone(resolver),
        host.to_owned(),
        Arc::downgrade(answer),
    );
    let body = move || {
        let found = resolver.resolve(&host, port);
        if let Some(answer) = answer.upgrade() {
            *answer.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            let _ = answer.ready.write(1);
        }
    };
    thread::spawn("rest_fdw dns", body).map(drop)
}

/// RFC 6761 section 6.3: `localhost` and names below it are loopback, whatever a name server says.
fn without_lookup(host: &str) -> Option<Vec<IpAddr>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse() {
        return Some(vec![address]);
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let loopback = name == "localhost" || name.ends_with(".localhost");
    loopback.then(|| vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
}

fn unresolved(host: &str, reason: &str) -> Error {
    // std puts this before the resolver's own words; the error's text says it already.
    let reason = reason.trim_start_matches("failed to lookup address information: ");
    Error::Resolve {
        exchange: Exchange::default(),
        host: host.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn literal_addresses_and_loopback_names_need_no_lookup() {
        for (host, first) in [
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("localhost", "127.0.0.1"),
            ("LOCALHOST.", "127.0.0.1"),
            ("api.localhost", "127.0.0.1"),
        ] {
            let found = without_lookup(host).expect(host);
            assert_eq!(found[0], first.parse::<IpAddr>().unwrap(), "{host}");
        }
        for host in ["api.test", "localhost.test", "mylocalhost", "1.2.3.4.test"] {
            assert_eq!(without_lookup(host), None, "{host}");
        }
    }
}

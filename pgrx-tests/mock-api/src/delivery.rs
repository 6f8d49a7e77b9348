//! How a response is sent: as it should be, or as a fault wants it.

use crate::connection::Transport;
use crate::response::Wire;
use crate::scenario::Fault;
use crate::spaces::InFlight;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Written after the request has stopped counting as in flight: fits into a socket's buffer, so that a client that sends its next
/// request as soon as it has this answer never counts as two, and one that reads slowly still counts.
const TAIL_BYTES: usize = 16 * 1024;
/// How soon a release, a hang-up or a stop is noticed.
const TICK: Duration = Duration::from_millis(5);

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    KeepOpen,
    Close,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Elapsed,
    Released,
    /// The client closed its side, or this server stops.
    Gone,
}

/// A connection that is owed a response.
pub(crate) struct Delivery<'a> {
    pub(crate) transport: &'a mut Transport,
    /// `None` for requests outside of spaces, and after the answer is as good as sent.
    pub(crate) in_flight: Option<InFlight>,
    pub(crate) stopping: &'a AtomicBool,
}

impl Delivery<'_> {
    /// Sends a response after a delay, with a fault if there is one.
    pub(crate) fn deliver(
        mut self,
        wire: &Wire,
        fault: Option<&Fault>,
        delay: Duration,
    ) -> io::Result<After> {
        if !delay.is_zero() && self.wait(Some(delay)) == Woken::Gone {
            return Ok(After::Close);
        }
        let bytes = wire.bytes.as_slice();
        let body_part =
            |after: usize| bytes.split_at(wire.body_at.saturating_add(after).min(bytes.len()));
        match fault {
            None | Some(Fault::Status { .. }) => self.send_all(wire),
            Some(Fault::Reset {}) => {
                // A close with a linger time of zero sends RST (tcp(7), SO_LINGER).
                rustix::net::sockopt::set_socket_linger(
                    self.transport.socket(),
                    Some(Duration::ZERO),
                )?;
                Ok(After::Close)
            }
            Some(Fault::Close {}) => Ok(After::Close),
            Some(Fault::StallBeforeHeaders {}) => self.stall_then_send(bytes),
            Some(Fault::StallInBody { after }) => {
                let (first, rest) = body_part(*after);
                self.transport.send(first)?;
                self.stall_then_send(rest)
            }
            Some(Fault::Truncate { after, pause_ms }) => {
                let (sent, _) = body_part(*after);
                let (first, second) = sent.split_at(sent.len() / 2);
                self.transport.send(first)?;
                if self.wait(Some(Duration::from_millis(*pause_ms))) == Woken::Elapsed {
                    self.transport.send(second)?;
                }
                Ok(After::Close)
            }
            Some(Fault::WrongLength { by }) => {
                self.transport.send(&with_length_off(wire, *by))?;
                Ok(After::Close)
            }
            Some(Fault::Change { from, to }) => self.send_rest(&replaced(bytes, from, to)),
            Some(Fault::Drip {
                bytes_per_write,
                interval_ms,
            }) => self.drip(bytes, *bytes_per_write, Duration::from_millis(*interval_ms)),
            Some(Fault::Delay { ms }) => match self.wait(Some(Duration::from_millis(*ms))) {
                Woken::Gone => Ok(After::Close),
                Woken::Elapsed | Woken::Released => self.send_rest(bytes),
            },
        }
    }

    fn send_all(&mut self, wire: &Wire) -> io::Result<After> {
        let Some(stream) = &wire.stream else {
            return self.send_rest(&wire.bytes);
        };
        self.transport.send(&wire.bytes)?;
        stream.send(self.transport, self.stopping)?;
        Ok(After::KeepOpen)
    }

    fn send_rest(&mut self, bytes: &[u8]) -> io::Result<After> {
        let (most, tail) = bytes.split_at(bytes.len().saturating_sub(TAIL_BYTES));
        if !most.is_empty() {
            self.transport.send(most)?;
        }
        self.in_flight = None;
        self.transport.send(tail)?;
        Ok(After::KeepOpen)
    }

    fn stall_then_send(&mut self, bytes: &[u8]) -> io::Result<After> {
        match self.wait(None) {
            Woken::Gone => Ok(After::Close),
            Woken::Elapsed | Woken::Released => self.send_rest(bytes),
        }
    }

    fn drip(
        &mut self,
        bytes: &[u8],
        bytes_per_write: usize,
        interval: Duration,
    ) -> io::Result<After> {
        let last = bytes.len().saturating_sub(bytes_per_write);
        for part in bytes[..last].chunks(bytes_per_write) {
            self.transport.send(part)?;
            if self.wait(Some(interval)) == Woken::Gone {
                return Ok(After::Close);
            }
        }
        self.send_rest(&bytes[last..])
    }

    /// Waits for a time, or without one until released.
    fn wait(&self, limit: Option<Duration>) -> Woken {
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Woken::Elapsed;
            }
            if limit.is_none() && self.in_flight.as_ref().is_some_and(InFlight::is_released) {
                return Woken::Released;
            }
            if self.stopping.load(Ordering::Relaxed)
                || self.hung_up_within(left.map_or(TICK, |left| left.min(TICK)))
            {
                return Woken::Gone;
            }
        }
    }

    /// Whether the client hangs up before the time is over. Polling sees it behind bytes that nobody has read, such as a
    /// TLS close_notify.
    fn hung_up_within(&self, time: Duration) -> bool {
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: time.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(self.transport.socket(), PollFlags::RDHUP)];
        poll(&mut fds, Some(&time)).is_ok_and(|ready| ready > 0)
    }
}

/// The response with a Content-Length that is that many bytes too large.
fn with_length_off(wire: &Wire, by: i64) -> Vec<u8> {
    let (head, body) = wire.bytes.split_at(wire.body_at);
    let head = String::from_utf8_lossy(head);
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let claimed = length.saturating_add(by).max(0);
    let wrong = head.replace(
        &format!("Content-Length: {length}\r\n"),
        &format!("Content-Length: {claimed}\r\n"),
    );
    [wrong.as_bytes(), body].concat()
}

/// The same bytes with another text of the same length in each place of `from`.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let mut at = 0;
    while let Some(window) = changed.get_mut(at..at + from.len()) {
        if window == from.as_bytes() {
            window.copy_from_slice(to.as_bytes());
        }
        at += 1;
    }
    changed
}

impl Transport {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.flush()
    }
}

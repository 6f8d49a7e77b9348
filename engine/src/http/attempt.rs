//! What one attempt at a request waits for, how long it may, and who may interrupt it.
//!
//! ureq's `Transport` and `Connector` have no argument for this, and a pooled connection serves many attempts of many
//! scans, so the attempt stands in a thread-local slot while ureq runs on its behalf, and only then.

use super::CancelToken;
use crate::error::Exchange;
use crate::{Error, Result};
use nix::poll::PollFlags;
use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

thread_local! {
    static CURRENT: RefCell<Option<Attempt>> = const { RefCell::new(None) };
}

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Resolving,
    Connecting,
    Handshake,
    Response,
    Body,
}

impl Phase {
    fn describe(self) -> &'static str {
        match self {
            Phase::Resolving => "looking up the host name",
            Phase::Connecting => "connecting",
            Phase::Handshake => "negotiating TLS",
            Phase::Response => "waiting for the response",
            Phase::Body => "reading the response",
        }
    }
}

/// The bounds of one attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// On name look-up, TCP and TLS together.
    pub(super) connect: Duration,
    /// On everything, body included.
    pub(super) total: Duration,
}

/// One attempt at a request. Only time spent inside [`Attempt::during`] counts: a consumer that takes its time over
/// the rows cannot make the API time out.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    cancel: CancelToken,
    bounds: Bounds,
    spent: Duration,
    phase: Phase,
    /// When the time inside [`Attempt::during`] ends.
    deadline: Option<Instant>,
    /// While a connection is being made.
    connect_deadline: Option<Instant>,
    /// Whether it had to make a connection, rather than use a kept one.
    connected: bool,
}

impl Attempt {
    pub(super) fn new(cancel: CancelToken, bounds: Bounds) -> Self {
        Attempt {
            cancel,
            bounds,
            spent: Duration::ZERO,
            phase: Phase::Response,
            deadline: None,
            connect_deadline: None,
            connected: false,
        }
    }

    /// Runs `work` with this attempt as the one that the transport waits for.
    pub(super) fn during<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let mut current = self.clone();
        current.deadline = started.checked_add(self.bounds.total.saturating_sub(self.spent));
        let slot = Slot(CURRENT.replace(Some(current)));
        let result = work();
        if let Some(current) = CURRENT.take() {
            self.phase = current.phase;
            self.connected = current.connected;
        }
        drop(slot);
        self.spent += started.elapsed();
        result
    }

    pub(super) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    pub(super) fn reused_connection(&self) -> bool {
        !self.connected
    }

    /// Begins the next exchange of the same attempt (a redirect, or a kept connection that was closed).
    pub(super) fn again(&mut self) {
        self.phase = Phase::Response;
        self.connected = false;
    }

    /// The head has arrived.
    pub(super) fn head_arrived(&mut self) {
        self.phase = Phase::Body;
    }

    fn until(&self) -> (Option<Instant>, Duration) {
        match (self.connect_deadline, self.deadline) {
            (Some(connect), Some(total)) if connect < total => (Some(connect), self.bounds.connect),
            _ => (self.deadline, self.bounds.total),
        }
    }

    fn wait(
        &self,
        event: Option<(BorrowedFd<'_>, PollFlags)>,
        sooner: Option<Instant>,
    ) -> Result<bool> {
        let (bound, after) = self.until();
        let deadline = [bound, sooner].into_iter().flatten().min();
        if self.cancel.wait(event, deadline)? {
            return Ok(true);
        }
        if bound.is_some_and(|bound| bound <= Instant::now()) {
            return Err(self.timed_out(after));
        }
        Ok(false)
    }

    fn timed_out(&self, after: Duration) -> Error {
        Error::Timeout {
            exchange: Exchange::default(),
            phase: self.phase.describe().to_owned(),
            after,
        }
    }
}

/// Puts back what stood in the slot before, also when the work panics.
struct Slot(Option<Attempt>);

impl Drop for Slot {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

fn with_current<R>(read: impl FnOnce(&mut Attempt) -> R) -> Result<R> {
    CURRENT.with_borrow_mut(|slot| match slot {
        Some(attempt) => Ok(read(attempt)),
        None => Err(Error::System(
            "a connection was used outside of a request".to_owned(),
        )),
    })
}

/// The attempt goes on to `phase`. The first of the connecting phases starts the clock of `connect_timeout`.
pub(super) fn enter(phase: Phase) -> Result<()> {
    with_current(|attempt| {
        attempt.phase = phase;
        attempt.connected |= phase != Phase::Response;
        attempt.connect_deadline = match phase {
            Phase::Response | Phase::Body => None,
            _ => attempt
                .connect_deadline
                .or_else(|| Instant::now().checked_add(attempt.bounds.connect)),
        };
    })
}

/// Ends the attempt where it was cancelled or has used up its time, though there would be no need to wait.
pub(super) fn check() -> Result<()> {
    with_current(|attempt| {
        let (bound, after) = attempt.until();
        match bound {
            _ if attempt.cancel.is_cancelled() => Err(Error::Cancelled),
            Some(bound) if bound <= Instant::now() => Err(attempt.timed_out(after)),
            _ => Ok(()),
        }
    })?
}

/// Waits until `descriptor` is ready for `flags`.
pub(super) fn ready(descriptor: BorrowedFd<'_>, flags: PollFlags) -> Result<()> {
    with_current(|attempt| attempt.wait(Some((descriptor, flags)), None))?.map(|_| ())
}

/// Waits until `descriptor` is ready for `flags`: true; or, earlier than the attempt's own bound, until `sooner`: false.
pub(super) fn ready_before(
    descriptor: BorrowedFd<'_>,
    flags: PollFlags,
    sooner: Option<Instant>,
) -> Result<bool> {
    with_current(|attempt| attempt.wait(Some((descriptor, flags)), sooner))?
}

/// When the connection being made must stand.
pub(super) fn connect_deadline() -> Result<Option<Instant>> {
    with_current(|attempt| attempt.until().0)
}

/// What a failure of the connection means for the attempt: before the head it was not reached, after it it was cut off.
pub(super) fn broken(error: &io::Error) -> Error {
    let phase = with_current(|attempt| attempt.phase).unwrap_or(Phase::Response);
    broken_in(phase, error)
}

/// The same, where the phase is known.
pub(super) fn broken_in(phase: Phase, error: &io::Error) -> Error {
    let exchange = Exchange::default();
    let reason = match (error.kind(), phase) {
        (io::ErrorKind::UnexpectedEof, Phase::Handshake) => {
            "the server closed the connection during the TLS handshake".to_owned()
        }
        (io::ErrorKind::UnexpectedEof, Phase::Body) => {
            "the server closed the connection in the middle of the body".to_owned()
        }
        (io::ErrorKind::UnexpectedEof, _) => {
            "the server closed the connection without a response".to_owned()
        }
        _ => system_message(error),
    };
    match phase {
        Phase::Body => Error::Truncated { exchange, reason },
        _ => Error::Connect { exchange, reason },
    }
}

/// The operating system's words, in this project's form: `connection refused`.
fn system_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => error.kind().to_string(),
    }
}

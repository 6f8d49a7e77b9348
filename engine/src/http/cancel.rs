//! Who may interrupt a wait: a token that is cancelled once and can be polled on.

use crate::{Error, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A request to stop that every wait of a fetch thread listens to.
///
/// Clones share one state. A token is cancelled once and stays so. It owns an eventfd, closed with the last clone.
#[derive(Debug, Clone)]
pub struct CancelToken {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    cancelled: AtomicBool,
    event: EventFd,
    parent: Option<CancelToken>,
}

impl CancelToken {
    /// A token of its own. [`Error::System`] where no descriptor can be had.
    pub fn new() -> Result<Self> {
        Self::under(None)
    }

    /// A token that is also cancelled when `self` is, but not the other way round.
    pub fn child(&self) -> Result<Self> {
        Self::under(Some(self.clone()))
    }

    fn under(parent: Option<CancelToken>) -> Result<Self> {
        let event = eventfd()?;
        let state = State {
            cancelled: AtomicBool::new(false),
            event,
            parent,
        };
        Ok(CancelToken {
            state: Arc::new(state),
        })
    }

    /// Cancels: every wait on this token or a child of it ends at once.
    pub fn cancel(&self) {
        self.state.cancelled.store(true, Ordering::Release);
        // An eventfd that is full already is readable, which is all that is wanted.
        let _ = self.state.event.write(1);
    }

    /// Whether it was cancelled, or its parent.
    pub fn is_cancelled(&self) -> bool {
        self.state.cancelled.load(Ordering::Acquire)
            || self
                .state
                .parent
                .as_ref()
                .is_some_and(CancelToken::is_cancelled)
    }

    /// The descriptor that becomes readable when this token (not a parent) is cancelled.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.state.event.as_fd()
    }

    /// Waits until `event` (a descriptor and what to wait for) is ready: true; or until `deadline`: false.
    ///
    /// Without an event it is a sleep, without a deadline it has no bound. [`Error::Cancelled`] as soon as the
    /// token is cancelled.
    pub fn wait(
        &self,
        event: Option<(BorrowedFd<'_>, PollFlags)>,
        deadline: Option<Instant>,
    ) -> Result<bool> {
        let mut descriptors = Vec::with_capacity(3);
        descriptors.extend(event.map(|(descriptor, flags)| PollFd::new(descriptor, flags)));
        let mut token = Some(self);
        while let Some(some) = token {
            descriptors.push(PollFd::new(some.descriptor(), PollFlags::POLLIN));
            token = some.state.parent.as_ref();
        }
        loop {
            if self.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match poll(&mut descriptors, timeout(left)) {
                Err(Errno::EINTR) => {}
                Err(error) => {
                    return Err(Error::System(format!(
                        "could not wait for a descriptor: {error}"
                    )));
                }
                Ok(0) if left.is_some_and(|left| left.is_zero()) => return Ok(false),
                Ok(_) if event.is_some() && descriptors[0].any().unwrap_or(true) => {
                    return Ok(true);
                }
                Ok(_) => {}
            }
        }
    }

    /// Sleeps for `duration`, or until cancelled.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        self.wait(None, Some(Instant::now() + duration)).map(|_| ())
    }
}

/// A non-blocking eventfd that children of the process do not inherit.
pub(crate) fn eventfd() -> Result<EventFd> {
    EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
        .map_err(|error| Error::System(format!("could not create an event descriptor: {error}")))
}

/// Rounded up to a millisecond, so that a wait does not spin through its last one.
fn timeout(left: Option<Duration>) -> PollTimeout {
    let Some(left) = left else {
        return PollTimeout::NONE;
    };
    let milliseconds = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_cancelled_parent_ends_the_sleep_of_its_child() {
        let parent = CancelToken::new().unwrap();
        let child = parent.child().unwrap();
        let sleeper = std::thread::spawn(move || {
            let started = Instant::now();
            (child.sleep(Duration::from_secs(30)), started.elapsed())
        });
        std::thread::sleep(Duration::from_millis(20));
        parent.cancel();
        let (result, took) = sleeper.join().unwrap();
        assert_eq!(result, Err(Error::Cancelled));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }

    #[test]
    fn a_cancelled_child_leaves_its_parent_alone() {
        let parent = CancelToken::new().unwrap();
        let child = parent.child().unwrap();
        child.cancel();
        assert!(child.is_cancelled());
        assert!(!parent.is_cancelled());
        assert_eq!(parent.sleep(Duration::from_millis(1)), Ok(()));
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_not_before() {
        let token = CancelToken::new().unwrap();
        let silent = eventfd().unwrap();
        let started = Instant::now();
        let deadline = started + Duration::from_millis(30);
        let ready = token
            .wait(Some((silent.as_fd(), PollFlags::POLLIN)), Some(deadline))
            .unwrap();
        assert!(!ready);
        assert!(started.elapsed() >= Duration::from_millis(30));
        silent.write(1).unwrap();
        assert!(
            token
                .wait(Some((silent.as_fd(), PollFlags::POLLIN)), Some(deadline))
                .unwrap()
        );
    }
}

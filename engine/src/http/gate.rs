//! When the next request to a server may go out: its rate limit, and what waiting for it came to.

use super::CancelToken;
use super::window::{Pace, Window, monotonic};
use crate::Result;
use crate::model::RateLimit;
use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

/// A server's rate limit. It is asked from fetch threads, so it must not block.
pub trait Gate: Send + Sync + fmt::Debug {
    /// Lets one request through, or says how long to wait before asking again; nothing is reserved then.
    fn pass(&self) -> std::result::Result<(), Duration>;
}

/// A rate limit that this process keeps for itself.
#[derive(Debug)]
pub struct LocalGate {
    pace: Pace,
    window: Window,
}

impl LocalGate {
    /// Nothing has passed yet.
    pub fn new(limit: RateLimit) -> Self {
        LocalGate {
            pace: Pace::of(limit),
            window: Window::default(),
        }
    }
}

impl Gate for LocalGate {
    fn pass(&self) -> std::result::Result<(), Duration> {
        self.window.take(self.pace, 0, monotonic())
    }
}

/// What went out, and how long it waited for the rate limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that went out: redirects too, and those that were repeated because a kept connection was closed.
    pub sent: u64,
    /// Requests that had to wait.
    pub waits: u64,
    /// How long they waited, all of them together.
    pub waited: Duration,
}

impl Traffic {
    fn add(&mut self, more: Traffic) {
        self.sent += more.sent;
        self.waits += more.waits;
        self.waited += more.waited;
    }
}

thread_local! {
    /// What went out by this thread.
    static TRAFFIC: Cell<Traffic> = const {
        Cell::new(Traffic {
            sent: 0,
            waits: 0,
            waited: Duration::ZERO,
        })
    };
}

/// Runs `work`, and tells what went out by this thread meanwhile, also where the work failed.
pub(crate) fn metered<R>(work: impl FnOnce() -> R) -> (R, Traffic) {
    let outside = TRAFFIC.take();
    let result = work();
    let inside = TRAFFIC.replace(outside);
    count(|traffic| traffic.add(inside));
    (result, inside)
}

/// Waits until a request may go out. [`Error::Cancelled`](crate::Error::Cancelled) as soon as `cancel` is.
pub(super) fn pass(gate: Option<&dyn Gate>, cancel: &CancelToken) -> Result<()> {
    let first = gate.map_or(Ok(()), Gate::pass);
    count(|traffic| traffic.waits += u64::from(first.is_err()));
    let mut turn = first;
    while let Err(wait) = turn {
        let began = Instant::now();
        let slept = cancel.sleep(wait);
        count(|traffic| traffic.waited += began.elapsed());
        slept?;
        turn = gate.map_or(Ok(()), Gate::pass);
    }
    count(|traffic| traffic.sent += 1);
    Ok(())
}

fn count(change: impl FnOnce(&mut Traffic)) {
    let mut traffic = TRAFFIC.get();
    change(&mut traffic);
    TRAFFIC.set(traffic);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Error;
    use crate::model::RatePeriod;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Lets a request through at every third time that it is asked.
    #[derive(Debug, Default)]
    struct EveryThird(AtomicU32);

    impl Gate for EveryThird {
        fn pass(&self) -> std::result::Result<(), Duration> {
            match self.0.fetch_add(1, Ordering::Relaxed) % 3 {
                2 => Ok(()),
                _ => Err(Duration::from_millis(3)),
            }
        }
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let cancel = CancelToken::new().unwrap();
        let (passed, traffic) = metered(|| (0..1000).try_for_each(|_| pass(None, &cancel)));
        assert_eq!(passed, Ok(()));
        assert_eq!((traffic.sent, traffic.waits), (1000, 0));
    }

    #[test]
    fn a_request_waits_until_it_may_pass_and_counts_once() {
        let gate = EveryThird::default();
        let cancel = CancelToken::new().unwrap();
        let (_, total) = metered(|| {
            for _ in 0..4 {
                let (_, one) = metered(|| pass(Some(&gate), &cancel).unwrap());
                assert_eq!((one.sent, one.waits), (1, 1));
            }
        });
        assert_eq!((total.sent, total.waits), (4, 4));
        assert!(
            total.waited >= Duration::from_millis(4 * 2 * 3),
            "{total:?}"
        );
    }

    #[test]
    fn a_wait_of_an_hour_ends_when_it_is_cancelled() {
        let limit = RateLimit {
            requests: 1,
            per: RatePeriod::Hour,
        };
        let gate = LocalGate::new(limit);
        let cancel = CancelToken::new().unwrap();
        pass(Some(&gate), &cancel).unwrap();
        let canceller = cancel.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            canceller.cancel();
        });
        let began = Instant::now();
        let (passed, traffic) = metered(|| pass(Some(&gate), &cancel));
        assert_eq!(passed, Err(Error::Cancelled));
        assert!(began.elapsed() < Duration::from_secs(5));
        thread.join().unwrap();
        assert_eq!((traffic.sent, traffic.waits), (0, 1));
    }
}

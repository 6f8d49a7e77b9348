//! When an API wants the next request: told by one response, kept by all who send the next.

use super::CancelToken;
use crate::Result;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A pause that an API asked for. All scans of a client keep it.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// The longest pause that is kept: after a longer one the API is asked all the same, and says itself what is wrong.
    most: Duration,
    until: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(super) fn new(most: Duration) -> Self {
        Throttle {
            most,
            until: Mutex::default(),
        }
    }

    /// Nothing is sent for so long from now on, or longer where that was asked for before.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let until = until.filter(|_| wait <= self.most);
        let mut latest = self.until();
        *latest = (*latest).max(until);
    }

    /// Waits until the next request is welcome.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled) as soon as `cancel` is cancelled.
    pub(crate) fn wait(&self, cancel: &CancelToken) -> Result<()> {
        loop {
            let until = *self.until();
            match until.filter(|until| *until > Instant::now()) {
                None => return Ok(()),
                // It may have been prolonged meanwhile.
                Some(until) => cancel.wait(None, Some(until))?,
            };
        }
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Error;

    #[test]
    fn the_longest_pause_counts_and_one_that_is_too_long_does_not() {
        let throttle = Throttle::new(Duration::from_secs(300));
        let cancel = CancelToken::new().unwrap();
        throttle.pause(Duration::from_secs(301));
        assert_eq!(throttle.wait(&cancel), Ok(()));
        throttle.pause(Duration::from_millis(60));
        throttle.pause(Duration::from_millis(1));
        let started = Instant::now();
        assert_eq!(throttle.wait(&cancel), Ok(()));
        assert!(started.elapsed() >= Duration::from_millis(55));
    }

    #[test]
    fn a_pause_ends_when_it_is_cancelled() {
        let throttle = Throttle::new(Duration::from_secs(300));
        let cancel = CancelToken::new().unwrap();
        throttle.pause(Duration::from_secs(200));
        cancel.cancel();
        assert_eq!(throttle.wait(&cancel), Err(Error::Cancelled));
    }
}

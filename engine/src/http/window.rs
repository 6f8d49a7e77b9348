//! How many requests went out in the last second, minute or hour: lock-free, and fit for memory that processes share.

use crate::model::{RateLimit, RatePeriod};
use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Parts of a span that are told apart, the current one included: a request is forgotten one span after it, or up
/// to a 63rd of a span later.
const PARTS: u64 = 64;

/// Steps that a rate a second is spread over, where it has as many requests.
const STEPS: u32 = 50;

/// A note of a part that is ahead by less than this is taken for the newer one (part numbers wrap around).
const NEWER: u32 = 1 << 16;

/// At most so many requests in any span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    most: u32,
    span: Duration,
}

impl Pace {
    /// What keeps a limit. A limit a second is spread evenly over it: an API that sees them a little later than they
    /// were sent still never sees many more. A limit a minute or an hour may be used up at once.
    pub fn of(limit: RateLimit) -> Pace {
        let requests = limit.requests.max(1);
        match limit.per {
            RatePeriod::Second => {
                let most = (requests / STEPS).max(1);
                Pace {
                    most,
                    span: Duration::from_secs(1) / (requests / most),
                }
            }
            RatePeriod::Minute | RatePeriod::Hour => Pace {
                most: requests,
                span: limit.per.duration(),
            },
        }
    }

    /// When no request before this time counts any more.
    pub fn forgotten(self, now: Duration) -> Duration {
        now + self.span + self.part()
    }

    /// The length of a part.
    fn part(self) -> Duration {
        Duration::from_nanos((self.span.as_nanos() as u64).div_ceil(PARTS - 1))
    }
}

/// The time since the machine started, the same in all of its processes.
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// The requests of the last span.
///
/// It is valid when all of its bytes are 0. Each step is one atomic operation, so a process may end at any point.
#[derive(Debug)]
#[repr(C)]
pub struct Window {
    /// Requests so far, wrapping around.
    granted: AtomicU32,
    /// For the last parts in which there was a request: the part (high half), and the requests before it (low half).
    notes: [AtomicU64; PARTS as usize],
}

impl Default for Window {
    fn default() -> Self {
        Window {
            granted: AtomicU32::new(0),
            notes: [const { AtomicU64::new(0) }; PARTS as usize],
        }
    }
}

impl Window {
    /// Takes one request at the time `now`, or says how long to wait before trying again.
    ///
    /// `owner`: tells users of the same window apart that follow each other; what another one did is not counted.
    pub fn take(&self, pace: Pace, owner: u32, now: Duration) -> Result<(), Duration> {
        let part = (now.as_nanos() / pace.part().as_nanos()) as u64;
        loop {
            // Before the note: what is granted meanwhile belongs to the part that is noted.
            let granted = self.granted.load(Ordering::Acquire);
            self.note(part, owner, granted);
            if granted.wrapping_sub(self.before(part, owner, granted)) >= pace.most {
                let until = pace.part() * self.parts_to_wait(part, owner, granted, pace.most);
                let into = Duration::from_nanos((now.as_nanos() % pace.part().as_nanos()) as u64);
                return Err(until.saturating_sub(into));
            }
            let next = granted.wrapping_add(1);
            let order = (Ordering::AcqRel, Ordering::Acquire);
            if self
                .granted
                .compare_exchange(granted, next, order.0, order.1)
                .is_ok()
            {
                return Ok(());
            }
        }
    }

    /// Notes how many requests there were before `part`, if that is not noted yet. A note that comes late says too
    /// little, which only counts more.
    fn note(&self, part: u64, owner: u32, granted: u32) {
        let note = &self.notes[(part % PARTS) as usize];
        let tag = part as u32 ^ owner;
        let current = note.load(Ordering::Acquire);
        let noted = (current >> 32) as u32 ^ owner;
        let is_empty = current == 0;
        if is_empty || noted.wrapping_sub(part as u32) >= NEWER {
            let new = u64::from(tag) << 32 | u64::from(granted);
            // Where it fails, somebody else has noted it.
            let _ = note.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// The requests before `part`, where there is a note of it.
    fn noted(&self, part: u64, owner: u32) -> Option<u32> {
        let note = self.notes[(part % PARTS) as usize].load(Ordering::Acquire);
        ((note >> 32) as u32 == part as u32 ^ owner).then_some(note as u32)
    }

    /// The requests before the span that ends in `part`.
    fn before(&self, part: u64, owner: u32, granted: u32) -> u32 {
        let parts = (0..PARTS).rev().filter_map(|back| part.checked_sub(back));
        parts
            .filter_map(|part| self.noted(part, owner))
            .next()
            .unwrap_or(granted)
    }

    /// The parts from the beginning of the current one on after which there will be room for a request: when all is
    /// forgotten up to the latest part whose requests are still too many together with those after it.
    fn parts_to_wait(&self, part: u64, owner: u32, granted: u32, most: u32) -> u32 {
        let is_full = |back: &u64| {
            let noted = part
                .checked_sub(*back)
                .and_then(|part| self.noted(part, owner));
            noted.is_some_and(|before| granted.wrapping_sub(before) >= most)
        };
        let back = (0..PARTS).find(is_full).unwrap_or(PARTS - 1);
        (PARTS - back) as u32
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn pace(requests: u32, per: RatePeriod) -> Pace {
        Pace::of(RateLimit { requests, per })
    }

    #[test]
    fn a_limit_a_second_is_spread_over_it_and_never_more() {
        for requests in [1, 2, 7, 49, 50, 75, 99, 100, 149, 1000, 999_999] {
            let pace = pace(requests, RatePeriod::Second);
            let spans = Duration::from_secs(1)
                .as_nanos()
                .div_ceil(pace.span.as_nanos() + 1);
            assert!(
                u128::from(pace.most) * spans <= u128::from(requests),
                "{requests}: {pace:?}"
            );
            assert!(
                pace.span >= Duration::from_millis(9),
                "{requests}: {pace:?}"
            );
        }
    }

    #[test]
    fn a_limit_an_hour_may_be_used_up_at_once_and_is_back_after_the_hour() {
        let (window, pace) = (Window::default(), pace(5000, RatePeriod::Hour));
        let start = Duration::from_secs(12_345);
        for _ in 0..5000 {
            assert_eq!(window.take(pace, 0, start), Ok(()));
        }
        let wait = window.take(pace, 0, start).unwrap_err();
        assert!(
            wait > Duration::from_secs(3540) && wait < Duration::from_secs(3700),
            "{wait:?}"
        );
        assert_eq!(window.take(pace, 0, start + wait), Ok(()));
    }

    #[test]
    fn who_comes_after_another_owner_starts_anew() {
        let (window, pace) = (Window::default(), pace(3, RatePeriod::Minute));
        let now = Duration::from_secs(1_000);
        for owner in [7, 8, 9] {
            for _ in 0..3 {
                assert_eq!(window.take(pace, owner, now), Ok(()));
            }
            assert!(window.take(pace, owner, now).is_err());
        }
    }

    #[test]
    fn threads_together_get_no_more_than_one_would() {
        let (window, pace) = (Window::default(), pace(1000, RatePeriod::Minute));
        for round in 1..20 {
            let now = Duration::from_secs(round * 70);
            let taken: usize = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            (0..500)
                                .filter(|_| window.take(pace, 1, now).is_ok())
                                .count()
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum()
            });
            assert_eq!(taken, 1000, "round {round}");
        }
    }

    fn limits() -> impl Strategy<Value = Pace> {
        let per = prop_oneof![
            Just(RatePeriod::Second),
            Just(RatePeriod::Minute),
            Just(RatePeriod::Hour)
        ];
        (1..300u32, per).prop_map(|(requests, per)| pace(requests, per))
    }

    proptest! {
        /// Tries come at random times: no span sees more than its most, and whoever waits as told gets through.
        #[test]
        fn no_span_sees_more_than_its_most(
            pace in limits(),
            start in 0..u64::from(u32::MAX),
            pauses in proptest::collection::vec(0.0..0.3f64, 1..600),
            patient in any::<bool>(),
        ) {
            let window = Window::default();
            let mut now = Duration::from_millis(start);
            let mut passed: VecDeque<Duration> = VecDeque::new();
            for pause in pauses {
                now += pace.span.mul_f64(pause / f64::from(pace.most).sqrt());
                match window.take(pace, 3, now) {
                    Ok(()) => passed.push_back(now),
                    Err(wait) => {
                        prop_assert!(wait > Duration::ZERO && wait <= pace.span + pace.part());
                        if patient {
                            now += wait;
                            prop_assert_eq!(window.take(pace, 3, now), Ok(()));
                            passed.push_back(now);
                        }
                    }
                }
                while passed.front().is_some_and(|first| now - *first >= pace.span) {
                    passed.pop_front();
                }
                prop_assert!(passed.len() <= pace.most as usize, "{} in {:?}", passed.len(), pace);
            }
        }
    }
}

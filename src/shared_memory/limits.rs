//! The windows of rate limits that all backends keep together. No lock: fetch threads use them.

use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, pg_shmem_init};
use rest_engine::http::{Gate, LocalGate, Pace, Window, monotonic};
use rest_engine::model::RateLimit;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Limits that can be in use at once. One more is kept by each backend for itself.
const SLOTS: usize = 256;

/// How long a slot that was taken is kept for the first request.
const FIRST_USE: Duration = Duration::from_secs(1);

static LIMITS: PgAtomic<Limits> =
    // SAFETY: the name is used nowhere else.
    unsafe { PgAtomic::new(c"rest_fdw rate limits") };

/// A fixed number of windows.
#[derive(Debug)]
pub struct Limits([Slot; SLOTS]);

// SAFETY: atomic numbers, without any pointer.
unsafe impl PGRXSharedMemory for Limits {}

impl Default for Limits {
    fn default() -> Self {
        Limits(std::array::from_fn(|_| Slot::default()))
    }
}

/// A window and whose it is.
#[derive(Debug, Default)]
struct Slot {
    /// The limit's key; 0 if it was never used.
    key: AtomicU64,
    /// When its requests are forgotten, in nanoseconds of the monotonic clock: from then on another limit may have it.
    forgotten: AtomicU64,
    window: Window,
}

impl Slot {
    fn is_free(&self, key: u64, now: Duration) -> bool {
        key == 0 || self.forgotten.load(Ordering::Acquire) < nanoseconds(now)
    }
}

pub(super) fn register() {
    pg_shmem_init!(LIMITS);
}

/// The windows, where the library was preloaded.
pub fn limits() -> Option<&'static Limits> {
    super::is_preloaded().then(|| LIMITS.get())
}

impl Limits {
    /// The gate of a server of this database: all backends that ask for the same limit share its window.
    pub fn gate(
        &'static self,
        database: pg_sys::Oid,
        server: pg_sys::Oid,
        limit: RateLimit,
    ) -> SharedGate {
        let mut hasher = DefaultHasher::new();
        (database.to_u32(), server.to_u32(), limit).hash(&mut hasher);
        SharedGate {
            limits: self,
            key: hasher.finish().max(1),
            pace: Pace::of(limit),
            without_slot: LocalGate::new(limit),
        }
    }

    /// The slot of `key`, or a free one that is taken for it; none where all are in use.
    ///
    /// Everybody looks in the same order, so that two who take one at once agree.
    fn slot(&self, key: u64, now: Duration) -> Option<&Slot> {
        let first = key as usize % SLOTS;
        let in_order = || (first..SLOTS).chain(0..first).map(|index| &self.0[index]);
        loop {
            let of_key = in_order().find(|slot| slot.key.load(Ordering::Acquire) == key);
            if of_key.is_some() {
                return of_key;
            }
            let keys = in_order().map(|slot| (slot, slot.key.load(Ordering::Acquire)));
            let (free, other) = keys
                .into_iter()
                .find(|(slot, other)| slot.is_free(*other, now))?;
            let (order, otherwise) = (Ordering::AcqRel, Ordering::Acquire);
            let taken = free.key.compare_exchange(other, key, order, otherwise);
            // Where it fails, somebody else has taken it, perhaps for this very key.
            if taken.is_ok() {
                let until = nanoseconds(now + FIRST_USE);
                free.forgotten.fetch_max(until, Ordering::AcqRel);
            }
        }
    }
}

/// The rate limit of a server, kept by all backends together.
#[derive(Debug)]
pub struct SharedGate {
    limits: &'static Limits,
    key: u64,
    pace: Pace,
    /// Used where all slots are taken.
    without_slot: LocalGate,
}

impl Gate for SharedGate {
    fn pass(&self) -> Result<(), Duration> {
        let now = monotonic();
        let Some(slot) = self.limits.slot(self.key, now) else {
            return self.without_slot.pass();
        };
        let passed = slot.window.take(self.pace, self.key as u32, now);
        if passed.is_ok() {
            let forgotten = nanoseconds(self.pace.forgotten(now));
            slot.forgotten.fetch_max(forgotten, Ordering::AcqRel);
        }
        passed
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn a_key_keeps_its_slot_and_others_get_theirs() {
        let limits = Limits::default();
        let slot = |key: u64| std::ptr::from_ref(limits.slot(key, NOW).unwrap());
        let first = slot(7);
        assert_ne!(first, slot(7 + SLOTS as u64), "the same place in the order");
        assert_eq!(first, slot(7));
    }

    #[test]
    fn a_slot_is_taken_over_once_its_requests_are_forgotten() {
        let limits = Limits::default();
        for key in 1..=SLOTS as u64 {
            let slot = limits.slot(key, NOW).unwrap();
            slot.forgotten
                .store(nanoseconds(NOW) + key, Ordering::Release);
        }
        assert!(limits.slot(1000, NOW).is_none());
        let later = NOW + Duration::from_nanos(2);
        let slot = limits.slot(1000, later).unwrap();
        assert_eq!(slot.key.load(Ordering::Acquire), 1000);
        assert!(limits.slot(2, later).is_some());
        assert!(
            limits.slot(1, later).is_none(),
            "its slot is the other's now"
        );
    }
}

//! Which misbehaviour a request meets.

use crate::scenario::{Fault, FaultSpec};
use std::sync::atomic::{AtomicU64, Ordering};

/// The faults of a route, and how often each has happened.
#[derive(Debug)]
pub(crate) struct FaultSchedule {
    entries: Vec<(FaultSpec, AtomicU64)>,
    requests: AtomicU64,
}

impl FaultSchedule {
    pub(crate) fn new(specs: Vec<FaultSpec>) -> FaultSchedule {
        let entries = specs
            .into_iter()
            .map(|spec| (spec, AtomicU64::new(0)))
            .collect();
        FaultSchedule {
            entries,
            requests: AtomicU64::new(0),
        }
    }

    /// Counts a request; its number, from 0.
    pub(crate) fn arrived(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// The first fault that applies to a request for a page, used up once.
    pub(crate) fn pick(&self, request: u64, page: usize) -> Option<Fault> {
        let applies = |spec: &FaultSpec| {
            spec.on.is_none_or(|first| request >= first)
                && spec.on_page.is_none_or(|only| page == only)
        };
        let found = self.entries.iter().find(|(spec, used)| {
            let use_up = |count: u64| (spec.times == 0 || count < spec.times).then_some(count + 1);
            applies(spec)
                && used
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, use_up)
                    .is_ok()
        });
        found.map(|(spec, _)| spec.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::{Value, json};

    fn schedule(faults: Value) -> FaultSchedule {
        FaultSchedule::new(serde_json::from_value(faults).unwrap())
    }

    fn hits(schedule: &FaultSchedule, pages: &[usize]) -> Vec<bool> {
        pages
            .iter()
            .map(|page| schedule.pick(schedule.arrived(), *page).is_some())
            .collect()
    }

    #[test]
    fn a_fault_happens_once_from_its_request_on() {
        assert_eq!(
            hits(&schedule(json!([{"kind": "reset"}])), &[1, 1, 1]),
            [true, false, false]
        );
        assert_eq!(
            hits(&schedule(json!([{"kind": "reset", "on": 1}])), &[1, 1, 1]),
            [false, true, false]
        );
        let twice = schedule(json!([{"kind": "reset", "on": 1, "times": 2}]));
        assert_eq!(hits(&twice, &[1, 1, 1, 1]), [false, true, true, false]);
        assert_eq!(
            hits(
                &schedule(json!([{"kind": "reset", "times": 0}])),
                &[1, 1, 1]
            ),
            [true; 3]
        );
    }

    #[test]
    fn a_fault_of_a_page_waits_for_it() {
        let paged = schedule(json!([{"kind": "reset", "on_page": 2}]));
        assert_eq!(hits(&paged, &[1, 2, 2, 3]), [false, true, false, false]);
    }

    #[test]
    fn the_first_fault_that_is_left_wins() {
        let both = schedule(json!([{"kind": "reset"}, {"kind": "close"}]));
        assert_eq!(both.pick(0, 1), Some(Fault::Reset {}));
        assert_eq!(both.pick(1, 1), Some(Fault::Close {}));
        assert_eq!(both.pick(2, 1), None);
    }
}

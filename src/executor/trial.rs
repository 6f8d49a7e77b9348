//! A scan that is on trial: what the API returned is looked at, not only what passed the checks.
//!
//! `rest_fdw_verify` runs queries of its own; a scan that runs meanwhile reads a bounded number of pages, checks every
//! condition whatever the table trusts the API with, and notes what it saw.

use super::scan::Totals;
use std::cell::RefCell;

/// What the scans of a trial saw.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Requests that were made.
    pub requests: u64,
    /// Rows that the API returned.
    pub fetched: u64,
    /// Those of them that a condition of the query left out.
    pub removed: u64,
    /// More pages followed than were read.
    pub partial: bool,
    /// A condition on a column that is no parameter was sent.
    pub is_filtered: bool,
    /// An order was asked for.
    pub is_ordered: bool,
    /// Why a condition was not sent.
    pub local: Option<String>,
}

struct Trial {
    most_pages: u32,
    observed: Observed,
}

thread_local! {
    /// The backend is one thread, and trials do not nest.
    static TRIAL: RefCell<Option<Trial>> = const { RefCell::new(None) };
}

/// Runs `query` with its scans on trial: at most `most_pages` pages of each request are read.
pub fn on_trial<R>(most_pages: u32, query: impl FnOnce() -> R) -> (R, Observed) {
    /// An error unwinds through it.
    struct Over;
    impl Drop for Over {
        fn drop(&mut self) {
            TRIAL.take();
        }
    }
    let over = Over;
    TRIAL.set(Some(Trial {
        most_pages,
        observed: Observed::default(),
    }));
    let result = query();
    let observed = TRIAL.with_borrow_mut(Option::take);
    drop(over);
    let observed = observed.map(|trial| trial.observed);
    (result, observed.unwrap_or_default())
}

/// The most pages of a request that may be read, if that is bounded.
pub(super) fn most_pages() -> Option<u32> {
    TRIAL.with_borrow(|trial| trial.as_ref().map(|trial| trial.most_pages))
}

/// Whether every condition is checked here.
pub(super) fn is_on() -> bool {
    TRIAL.with_borrow(Option::is_some)
}

/// Notes what is asked of the API.
pub(super) fn note_asked(is_filtered: bool, is_ordered: bool, local: Option<&String>) {
    note(|observed| {
        observed.is_filtered |= is_filtered;
        observed.is_ordered |= is_ordered;
        observed.local = observed.local.take().or_else(|| local.cloned());
    });
}

/// Notes what a scan saw in the end.
pub(super) fn note_totals(totals: &Totals) {
    note(|observed| {
        observed.requests += totals.statistics.requests;
        observed.fetched += totals.statistics.rows;
        observed.removed += totals.removed;
        observed.partial |= totals.statistics.partial;
    });
}

fn note(write: impl FnOnce(&mut Observed)) {
    TRIAL.with_borrow_mut(|trial| {
        if let Some(trial) = trial {
            write(&mut trial.observed);
        }
    });
}

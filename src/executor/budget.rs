//! How many requests the current statement may still make (`rest_fdw.max_requests`).

use crate::settings;
use pgrx::pg_sys;
use rest_engine::scan::StatementBudget;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The statement (its start time) and its budget. The backend is one thread.
    static CURRENT: RefCell<Option<(i64, Arc<StatementBudget>)>> = const { RefCell::new(None) };
}

/// The requests that the statement has left, shared by all its scans; `None` without a bound.
/// All that runs inside of one statement of the client, functions too, counts together.
pub fn of_statement() -> Option<Arc<StatementBudget>> {
    let bound = settings::max_requests()?;
    // SAFETY: reads a variable of the backend, on its main thread.
    let statement = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    CURRENT.with_borrow_mut(|current| match current {
        Some((started, budget)) if *started == statement && budget.limit() == bound => {
            Some(Arc::clone(budget))
        }
        _ => {
            let budget = Arc::new(StatementBudget::new(bound));
            *current = Some((statement, Arc::clone(&budget)));
            Some(budget)
        }
    })
}

//! One question to the API: a query that is on trial, whose failure ends neither the function nor the transaction.

use crate::error::FdwError;
use crate::executor::{Observed, on_trial};
use pgrx::pg_sys::panic::{CaughtError, ErrorReport};
use pgrx::prelude::*;
use pgrx::{PgLogLevel, PgSqlErrorCode, PgTryBuilder, pg_sys};
use std::panic::AssertUnwindSafe;

/// How a question ended: its answer, or what the API or PostgreSQL said instead.
pub type Outcome<R> = Result<R, String>;

/// Runs `query` in a subtransaction, at most `most_pages` pages of each request.
///
/// # Errors
/// An error of the API or of a value becomes the outcome. Others (cancelled, out of a bound, no right) are raised.
pub fn ask<R>(
    most_pages: u32,
    query: impl FnOnce() -> Result<R, spi::Error>,
) -> (Outcome<R>, Observed) {
    on_trial(most_pages, || in_subtransaction(query))
}

fn in_subtransaction<R>(query: impl FnOnce() -> Result<R, spi::Error>) -> Outcome<R> {
    // SAFETY: on the backend's main thread, in a transaction; context and owner are put back below, as
    // src/pl/plpgsql/src/pl_exec.c does for a block with exceptions.
    let (context, owner) = unsafe {
        let before = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(before.0);
        before
    };
    let query = AssertUnwindSafe(move || Ok::<_, Box<CaughtError>>(query()));
    let caught = PgTryBuilder::new(query)
        .catch_others(|error| Err(Box::new(error)))
        .execute();
    // SAFETY: as above; the subtransaction was begun here, and nothing of its memory is used afterwards.
    unsafe {
        pg_sys::MemoryContextSwitchTo(context);
        match &caught {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
    }
    match caught {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => FdwError::Internal(error.to_string()).raise(),
        Err(error) => match refusal(&error) {
            Some(refusal) => Err(refusal),
            None => raise_again(*error),
        },
    }
}

/// Raises an error after its subtransaction was rolled back. PostgreSQL has forgotten its own errors by then.
fn raise_again(error: CaughtError) -> ! {
    let CaughtError::PostgresError(report) = error else {
        error.rethrow()
    };
    let code = report.sql_error_code();
    let mut again = ErrorReport::new(code, report.message(), "rest_fdw");
    if let Some(detail) = report.detail() {
        again = again.set_detail(detail);
    }
    if let Some(hint) = report.hint() {
        again = again.set_hint(hint);
    }
    again.report(PgLogLevel::ERROR);
    unreachable!("an ERROR never returns")
}

/// What an error says, if it is one of the API or of a value.
fn refusal(error: &CaughtError) -> Option<String> {
    let report = match error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    use PgSqlErrorCode::{
        ERRCODE_FDW_INVALID_DATA_TYPE, ERRCODE_FDW_REPLY_HANDLE,
        ERRCODE_FDW_UNABLE_TO_CREATE_REPLY, ERRCODE_INVALID_TEXT_REPRESENTATION,
        ERRCODE_UNDEFINED_FUNCTION,
    };
    let is_refusal = matches!(
        report.sql_error_code(),
        ERRCODE_FDW_UNABLE_TO_CREATE_REPLY
            | ERRCODE_FDW_REPLY_HANDLE
            | ERRCODE_FDW_INVALID_DATA_TYPE
            | ERRCODE_INVALID_TEXT_REPRESENTATION
            | ERRCODE_UNDEFINED_FUNCTION
    );
    let says = report
        .detail()
        .and_then(|detail| detail.split_once("the API says: "));
    is_refusal.then(|| match says {
        Some((_, says)) => format!("{} ({says})", report.message()),
        None => report.message().to_owned(),
    })
}

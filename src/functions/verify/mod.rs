//! `rest_fdw_verify`: asks the API whether it filters and orders as a table says. PostgreSQL judges: what an answer must hold is
//! what the same condition makes of a sample, and values come in the order of their type.

mod advice;
mod condition;
mod order;
mod question;
mod sample;
mod verifier;

use super::text::{DatabaseJson, DatabaseText};
use crate::settings;
use pgrx::PgRelation;
use pgrx::prelude::*;
use rest_engine::verify::Finding;
use verifier::Verifier;

/// Whether the API filters and orders as the columns of a foreign table declare, and as its dialect does by itself.
///
/// `parameters`: values of parameter columns. `max_requests`: the most requests that are made.
#[pg_extern(volatile, parallel_unsafe)]
fn rest_fdw_verify(
    foreign_table: Option<PgRelation>,
    parameters: default!(Option<DatabaseJson>, "NULL"),
    max_requests: default!(Option<i32>, 100),
) -> TableIterator<
    'static,
    (
        name!(column_name, DatabaseText),
        name!(operator, DatabaseText),
        name!(verdict, DatabaseText),
        name!(detail, DatabaseText),
        name!(requests, i64),
        name!(advice, Option<DatabaseText>),
    ),
> {
    let asked = max_requests.map(|most| u64::try_from(most).unwrap_or(0));
    let bounds = [asked, settings::max_requests()];
    let left = bounds.into_iter().flatten().min().unwrap_or(u64::MAX);
    let reports = foreign_table.map(|table| {
        let verifier = Verifier::new(&table, parameters.as_ref(), left);
        verifier.unwrap_or_else(|error| error.raise()).reports()
    });
    let rows = reports.unwrap_or_default().into_iter().map(|report| {
        (
            DatabaseText(report.column),
            DatabaseText(report.operator.to_owned()),
            DatabaseText(report.finding.verdict.to_string()),
            DatabaseText(report.finding.detail),
            i64::try_from(report.requests).unwrap_or(i64::MAX),
            report.advice.map(DatabaseText),
        )
    });
    TableIterator::new(rows.collect::<Vec<_>>())
}

/// What is said of one filter, or of a column's order.
struct Report {
    column: String,
    /// As the option `filter` names it; `sort`.
    operator: &'static str,
    finding: Finding,
    requests: u64,
    advice: Option<String>,
}

extension_sql!(
    // Where PostgreSQL can sort, it might not leave that to the API.
    "ALTER FUNCTION rest_fdw_verify(regclass, jsonb, integer) SET rest_fdw.pushdown = on SET enable_sort = off;",
    name = "verify_with_pushdown",
    requires = [rest_fdw_verify]
);

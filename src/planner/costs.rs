//! What a scan costs, in PostgreSQL's cost units (about 10 µs each).

use pgrx::pg_sys;
use rest_engine::model::Table;

/// Rows that are expected where nothing is known.
const DEFAULT_ROWS: f64 = 1000.0;
/// Rows that a page is expected to have where nothing is declared.
const DEFAULT_PAGE: f64 = 100.0;
const UNITS_PER_MILLISECOND: f64 = 100.0;
/// Added for each parameter that the path leaves without its value: it must lose to every path that
/// gives it (rule R8), and among those that cannot run the nearest tells best what is missing.
const CANNOT_RUN: f64 = 1.0e10;

/// Start-up and total cost of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Until the first row.
    pub startup: f64,
    /// Until the last.
    pub total: f64,
}

/// Rows of a table: what ANALYZE stored, else the last total that the API reported, else the option
/// `rows_estimate`, else 1000.
pub fn remote_rows(table: &Table, analyzed: Option<f64>, reported: Option<u64>) -> f64 {
    analyzed
        .or(reported.map(|total| total as f64))
        .or(table.rows_estimate)
        .unwrap_or(DEFAULT_ROWS)
}

/// The costs of fetching `fetched` rows by `requests` requests with their pages (more than one where a
/// list is split), of which `returned` rows are left after the local checks. `missing` parameters have
/// no value. Requests are made at once, as many as the server may have in flight; the pages of one
/// follow each other.
pub fn scan(table: &Table, fetched: f64, returned: f64, missing: usize, requests: f64) -> Costs {
    let requests = requests.max(1.0);
    let at_once = f64::from(table.source.max_concurrency.max(1));
    let rounds = (requests / at_once).ceil();
    let latency = table.latency.as_secs_f64() * 1000.0 * UNITS_PER_MILLISECOND;
    let page = table
        .page_size
        .map_or(DEFAULT_PAGE, |rows| rows.max(1) as f64);
    let pages = (fetched / requests / page).ceil().max(1.0);
    let penalty = missing as f64 * CANNOT_RUN;
    // SAFETY: settings of the planner, read on the backend's main thread.
    let (tuple, operator) = unsafe { (pg_sys::cpu_tuple_cost, pg_sys::cpu_operator_cost) };
    let startup = latency + penalty;
    Costs {
        startup,
        total: startup
            + (rounds * pages - 1.0) * latency
            + fetched * (tuple + operator)
            + returned * tuple,
    }
}

/// The cost of the same scan where the API orders its rows: nothing for an order that the query asks for.
/// For one that only a merge join could use, more than the planner's tolerance (one per cent): without
/// such a join the API would else be bothered for nothing.
pub fn ordered(total: f64, is_of_query: bool) -> f64 {
    const FOR_A_JOIN: f64 = 1.02;
    if is_of_query {
        total
    } else {
        total * FOR_A_JOIN
    }
}

//! The `#[pg_test]` suites: each asserts on rows and on the requests that the mock API saw.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod aggregates;
mod cache;
mod entities;
mod errors;
mod executor;
mod explain;
mod formats;
mod functions_infer;
mod functions_verify;
mod lookups;
mod monitoring;
mod oauth2;
mod options;
mod orders;
mod paging;
mod parameters;
mod predicates;
mod pushdown;
mod read_ahead;
mod request_counts;
mod scans;
mod shapes;
mod signin;
mod statistics;
mod support;
mod types;

#[cfg(test)]
pub use support::cluster_settings;

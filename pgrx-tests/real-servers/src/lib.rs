//! Servers that nobody here wrote, started on loopback for a test: json-server and Prometheus.
//!
//! `scripts/setup.sh test` installs them. Each server ends when its value is dropped.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod json_server;
pub mod open_metrics;
pub mod prometheus;

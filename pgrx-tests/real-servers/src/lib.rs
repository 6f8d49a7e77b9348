//! Servers that nobody here wrote, started on loopback for a test: json-server, Prometheus, nginx and tinyproxy.
//!
//! `scripts/setup.sh test` installs them. Each server ends when its value is dropped.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod authority;
pub mod json_server;
pub mod nginx;
pub mod open_metrics;
pub mod prometheus;
pub mod tinyproxy;

//! Servers that nobody here wrote, started on loopback for a test: etcd, json-server, Prometheus, nginx and
//! tinyproxy.
//!
//! `scripts/setup.sh test` installs them. Each server ends when its value is dropped.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod authority;
pub mod etcd;
mod http;
pub mod json_server;
pub mod nginx;
pub mod open_metrics;
mod process;
pub mod prometheus;
pub mod tinyproxy;

//! Scans over HTTP against servers on loopback that do everything that APIs do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ahead;
mod bodies;
mod bounds;
mod cache;
mod cache_ahead;
mod cancel;
mod chains;
mod connections;
mod egress;
mod expiry;
mod hostile;
mod oauth2;
mod parallel;
mod posts;
mod rate_limit;
mod redirects;
mod retries;
mod samples;
mod secrets;
mod server;
mod stage;
mod statuses;

//! What the cluster tests share: databases and sessions of a throwaway cluster, the mock API, processes under /proc.
//!
//! The cluster is named by the environment variable `REST_FDW_TEST_DSN`: a libpq connection string of a superuser of a
//! throwaway cluster in whose folders rest_fdw is installed, on this machine, started with its log in a file.
//! `scripts/test.sh` makes one. Tests fail without it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod api;
mod cluster;
mod process;
mod session;

pub use api::{Api, items, mock_api};
pub use cluster::Database;
pub use process::{MIB, Process, Resources};
pub use session::{Outcome, Session, SqlError};

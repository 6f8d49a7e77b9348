//! The PostgreSQL side of rest_fdw: registration of the wrapper, its settings and its callbacks.
//!
//! What an API can answer is decided in `rest_engine`; this crate translates between it and
//! PostgreSQL's planner and executor.

use pgrx::prelude::*;

mod analyze;
mod cache;
mod clients;
mod compat;
mod encoding;
mod error;
mod executor;
mod explain;
mod fdw;
mod functions;
mod monitoring;
mod options;
mod plan;
mod planner;
mod rate_limit;
mod reported;
mod settings;
mod shared_memory;

::pgrx::pg_module_magic!(name, version);

/// Called once by PostgreSQL when the library is loaded.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::register();
    shared_memory::register();
    executor::register();
    planner::register();
}

extension_sql!(
    r#"
CREATE FOREIGN DATA WRAPPER rest_fdw HANDLER rest_fdw_handler VALIDATOR rest_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER rest_fdw IS 'query any HTTP/REST API with SQL';
"#,
    name = "create_foreign_data_wrapper",
    finalize
);

#[cfg(any(test, feature = "pg_test"))]
#[path = "../pgrx-tests/suites/mod.rs"]
mod suites;

/// What `cargo pgrx test` asks of the crate: how the test cluster is configured.
#[cfg(test)]
pub mod pg_test {
    /// Called before each test, in the test runner's process.
    pub fn setup(_options: Vec<&str>) {}

    /// Lines for the test cluster's postgresql.conf: they start the mock API and say where it is.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        crate::suites::cluster_settings()
    }
}

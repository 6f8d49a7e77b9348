//! `rest_fdw_stat`: what all backends together did with each server.

use super::requests::interval;
use crate::compat::ROLE_PG_READ_ALL_STATS;
use crate::encoding::ServerText;
use crate::shared_memory::{self, Counts, Entry};
use pgrx::datum::{Interval, IntoDatum};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use rest_engine::scan::Statistics;

/// What a scan did between two looks at its statistics.
pub(super) fn difference(before: &Statistics, now: &Statistics) -> Counts {
    Counts {
        requests: now.requests - before.requests,
        errors: now.errors - before.errors,
        retries: now.retries - before.retries,
        bytes: now.bytes - before.bytes,
        transferred: now.transferred - before.transferred,
        cache_hits: now.cache_hits - before.cache_hits,
        waits: now.waits - before.waits,
        waited: now.waited.saturating_sub(before.waited),
    }
}

/// The counts of each server that the current user may see: servers of this database that it has USAGE on; members of
/// `pg_read_all_stats` see those of all databases.
#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn rest_fdw_stat() -> TableIterator<
    'static,
    (
        name!(dbid, pg_sys::Oid),
        name!(serverid, pg_sys::Oid),
        name!(server, ServerText),
        name!(requests, i64),
        name!(errors, i64),
        name!(retries, i64),
        name!(bytes, i64),
        name!(transferred, i64),
        name!(cache_hits, i64),
        name!(waits, i64),
        name!(waited, Interval),
        name!(last_error, Option<ServerText>),
        name!(last_error_at, Option<TimestampWithTimeZone>),
    ),
> {
    require_preloading();
    let entries = shared_memory::entries();
    let visible: Vec<Entry> = entries.into_iter().filter(is_visible).collect();
    TableIterator::new(visible.into_iter().map(|entry| {
        let counts = entry.counts;
        (
            entry.database,
            entry.server,
            ServerText::new(entry.name.as_str()),
            counts.requests as i64,
            counts.errors as i64,
            counts.retries as i64,
            counts.bytes as i64,
            counts.transferred as i64,
            counts.cache_hits as i64,
            counts.waits as i64,
            interval(counts.waited),
            entry
                .last_error
                .map(|(text, _)| ServerText::new(text.as_str())),
            entry.last_error.map(|(_, time)| time),
        )
    }))
}

/// Sets all counts back, of all databases.
#[pg_extern(volatile, parallel_unsafe)]
fn rest_fdw_stat_reset() {
    require_preloading();
    shared_memory::reset();
}

fn require_preloading() {
    if !shared_memory::is_preloaded() {
        ErrorReport::new(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "rest_fdw must be loaded via \"shared_preload_libraries\"",
            "rest_fdw",
        )
        .set_hint(
            "Add rest_fdw to the setting \"shared_preload_libraries\" and restart the server.",
        )
        .report(PgLogLevel::ERROR);
    }
}

fn is_visible(entry: &Entry) -> bool {
    // SAFETY: reads variables of the backend, and a catalog look-up by OID in a transaction.
    let (reads_all, is_here) = unsafe {
        let user = pg_sys::GetUserId();
        (
            pg_sys::has_privs_of_role(user, ROLE_PG_READ_ALL_STATS),
            entry.database == pg_sys::MyDatabaseId,
        )
    };
    reads_all || (is_here && has_usage(entry.server))
}

/// Whether the current user has USAGE on a server of this database; not where it was dropped.
fn has_usage(server: pg_sys::Oid) -> bool {
    let arguments = [server.into_datum(), "USAGE".into_datum()];
    // SAFETY: a function of PostgreSQL with these arguments; NULL where there is no such server.
    let has =
        unsafe { pgrx::direct_function_call::<bool>(pg_sys::has_server_privilege_id, &arguments) };
    has.unwrap_or(false)
}

extension_sql!(
    r#"
CREATE VIEW rest_fdw_stat AS
  SELECT d.datname AS database, s.server, s.requests, s.errors, s.retries, s.bytes, s.transferred, s.cache_hits, s.waits, s.waited,
         s.last_error, s.last_error_at
  FROM rest_fdw_stat() s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
  WHERE d.datname <> pg_catalog.current_database()
     OR EXISTS (SELECT FROM pg_catalog.pg_foreign_server f WHERE f.oid = s.serverid);
GRANT SELECT ON rest_fdw_stat TO PUBLIC;
COMMENT ON VIEW rest_fdw_stat IS 'requests of each server since the last reset; needs shared_preload_libraries';
REVOKE ALL ON FUNCTION rest_fdw_stat_reset() FROM PUBLIC;
"#,
    name = "create_view_rest_fdw_stat",
    requires = [rest_fdw_stat, rest_fdw_stat_reset]
);

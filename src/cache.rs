//! The cache of this cluster: where it is, which stored responses a scan may use, who may clear it.

use crate::encoding::from_server;
use crate::error::FdwError;
use crate::{options, settings};
use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use pgrx::{check_for_interrupts, pg_sys};
use rest_engine::http::Client;
use rest_engine::http::cache::{Cache, Cleared, Store};
use rest_engine::model::{Caching, Method, Table};
use std::cell::OnceCell;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// Below the data directory. Base backups leave out what is named so (`PG_TEMP_FILE_PREFIX`, storage/fd.h).
const DIRECTORY: &str = "pgsql_tmp_rest_fdw_cache";

thread_local! {
    /// The backend is one thread.
    static STORE: OnceCell<Arc<Store>> = const { OnceCell::new() };
}

fn store() -> Arc<Store> {
    STORE.with(|store| Arc::clone(store.get_or_init(|| Arc::new(Store::new(directory())))))
}

fn directory() -> std::path::PathBuf {
    // SAFETY: set when the server started, and never changed.
    let data = unsafe { CStr::from_ptr(pg_sys::DataDir) };
    Path::new(OsStr::from_bytes(data.to_bytes())).join(DIRECTORY)
}

/// The stored responses that a scan of `table` as `user` may use; `None` where it has no cache.
///
/// Two roles never share one, even where the mapping of PUBLIC serves both.
pub fn of_scan(
    table: &Table,
    user: pg_sys::Oid,
    server: pg_sys::Oid,
    client: &Client,
) -> Result<Option<Cache>, FdwError> {
    let bound = settings::cache_size();
    if table.caching == Caching::Off || table.method != Method::Get || bound == 0 {
        return Ok(None);
    }
    let mapping = options::mapping_oid(user, server);
    // SAFETY: a variable of the backend.
    let database = unsafe { pg_sys::MyDatabaseId };
    let owner = [database, server, user, mapping].map(|oid| oid.to_u32().to_string());
    let owner = owner.each_ref().map(String::as_str);
    let folder = folder(server);
    let cache = Cache::new(store(), table.caching, bound, &folder, &owner, client);
    Ok(Some(cache))
}

/// What stands for a server of this database.
fn folder(server: pg_sys::Oid) -> String {
    // SAFETY: a variable of the backend.
    let database = unsafe { pg_sys::MyDatabaseId };
    format!("{}-{}", database.to_u32(), server.to_u32())
}

/// Removes stored responses: those of one server, for its owner; without a server, those of all servers of this database
/// that the user owns, and for superusers everything, also of dropped servers and of other databases.
///
/// Returns how many there were, and the bytes of their files.
#[pg_extern(sql = r#"
CREATE FUNCTION rest_fdw_cache_clear(server name DEFAULT NULL) RETURNS TABLE (responses bigint, bytes bigint)
LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
COMMENT ON FUNCTION rest_fdw_cache_clear(name) IS 'remove stored responses of a server, or of all that one owns';
"#)]
fn rest_fdw_cache_clear(
    // A `name` is a C string. Rust's texts are UTF-8, which the database may not be.
    server: Option<&CStr>,
) -> TableIterator<'static, (name!(responses, i64), name!(bytes, i64))> {
    // SAFETY: called in a transaction, which has a user.
    let is_superuser = unsafe { pg_sys::superuser() };
    let cleared = match server {
        Some(name) => owned(name).and_then(|server| clear(&[server])),
        None if is_superuser => clear_all(),
        None => servers_owned().and_then(|servers| clear(&servers)),
    };
    let Cleared { responses, bytes } = cleared.unwrap_or_else(|error| error.raise());
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    TableIterator::once((number(responses), number(bytes)))
}

/// The server of this name, which the user must own.
fn owned(name: &CStr) -> Result<pg_sys::Oid, FdwError> {
    // SAFETY: it raises an error where there is no such server. A superuser has every role's privileges.
    let (server, is_owner) = unsafe {
        let found = pg_sys::GetForeignServerByName(name.as_ptr(), false);
        let is_owner = pg_sys::has_privs_of_role(pg_sys::GetUserId(), (*found).owner);
        ((*found).serverid, is_owner)
    };
    if is_owner {
        Ok(server)
    } else {
        // SAFETY: a text of PostgreSQL.
        Err(FdwError::NotOwner(unsafe { from_server(name.as_ptr()) }))
    }
}

fn servers_owned() -> Result<Vec<pg_sys::Oid>, FdwError> {
    let failed = |error: pgrx::spi::SpiError| FdwError::Internal(error.to_string());
    Spi::connect(|client| {
        let query = "SELECT oid FROM pg_catalog.pg_foreign_server WHERE pg_catalog.pg_has_role(srvowner, 'USAGE')";
        let rows = client.select(query, None, &[])?;
        let servers: Result<Vec<Option<pg_sys::Oid>>, _> =
            rows.map(|row| row.get::<pg_sys::Oid>(1)).collect();
        Ok(servers?.into_iter().flatten().collect())
    })
    .map_err(failed)
}

fn clear(servers: &[pg_sys::Oid]) -> Result<Cleared, FdwError> {
    servers.iter().try_fold(Cleared::default(), |all, server| {
        let one = remove(Some(&folder(*server)))?;
        Ok(Cleared {
            responses: all.responses + one.responses,
            bytes: all.bytes + one.bytes,
        })
    })
}

fn clear_all() -> Result<Cleared, FdwError> {
    remove(None)
}

fn remove(folder: Option<&str>) -> Result<Cleared, FdwError> {
    let cleared = store().clear(folder, || {
        check_for_interrupts!();
    });
    cleared.map_err(FdwError::Cache)
}

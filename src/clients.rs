//! The clients of this backend: which one serves a scan, and when do its kept connections close?
//!
//! A client belongs to a server, a role and a user mapping. All scans of the backend that agree in these share it,
//! with its kept connections, from one statement to the next. What it was made from is read from the catalog (that
//! is, from PostgreSQL's own caches) whenever a scan asks for it: a change counts from the next statement. The
//! callbacks below only see to it that what is out of date does not stay open.

use crate::error::FdwError;
use crate::options;
use crate::rate_limit;
use pgrx::pg_sys::SysCacheIdentifier::{FOREIGNDATAWRAPPEROID, FOREIGNSERVEROID, USERMAPPINGOID};
use pgrx::{pg_guard, pg_sys};
use rest_engine::http::{Client, Egress};
use rest_engine::model::{Credentials, Source, Table};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Clients of one backend; one more takes the place of the one that was not used for the longest time.
const MOST_CLIENTS: usize = 16;

/// Connections that no scan used for so long are closed when a transaction ends, whatever it did.
const MOST_IDLE: Duration = Duration::from_secs(60);

/// Whose a client is. Two roles never share one, even where the mapping of PUBLIC serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    server: pg_sys::Oid,
    user: pg_sys::Oid,
    /// `InvalidOid` where there is none.
    mapping: pg_sys::Oid,
}

/// What a client is made from.
#[derive(PartialEq)]
struct Making {
    source: Source,
    credentials: Credentials,
    egress: Egress,
}

struct Entry {
    key: Key,
    making: Making,
    client: Arc<Client>,
    /// How the catalog's caches call its server and its mapping.
    hashes: [u32; 2],
    used: Instant,
    /// Its server or mapping was altered or dropped, or may have been.
    is_suspect: bool,
    /// It keeps no connection: nobody has used it since they were closed for their age.
    is_closed: bool,
}

thread_local! {
    /// In the order of their last use. The backend is one thread. Never borrowed across a call into PostgreSQL,
    /// which may call back.
    static CLIENTS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static IS_LISTENING: Cell<bool> = const { Cell::new(false) };
}

/// The client for scans of `table`, which is of `server`, as `user`. It stays valid for whoever has it, also when the
/// next one gets another.
pub fn client(
    table: &Table,
    user: pg_sys::Oid,
    server: pg_sys::Oid,
) -> Result<Arc<Client>, FdwError> {
    listen();
    forget_dropped();
    let mapping = options::mapping(user, server, table.source.auth.as_ref())?;
    let key = Key {
        server,
        user,
        mapping: mapping
            .as_ref()
            .map_or(pg_sys::InvalidOid, |mapping| mapping.oid),
    };
    let making = Making {
        source: table.source.clone(),
        credentials: mapping
            .map(|mapping| mapping.credentials)
            .unwrap_or_default(),
        egress: options::egress(server)?,
    };
    match kept(key, &making) {
        Some(client) => Ok(client),
        None => add(key, making).map_err(|error| FdwError::Remote {
            table: table.name.clone(),
            error: Box::new(error),
        }),
    }
}

fn kept(key: Key, making: &Making) -> Option<Arc<Client>> {
    CLIENTS.with_borrow_mut(|clients| {
        let found = clients
            .iter()
            .position(|entry| entry.key == key && entry.making == *making)?;
        let mut entry = clients.remove(found);
        entry.used = Instant::now();
        entry.is_closed = false;
        let client = Arc::clone(&entry.client);
        clients.push(entry);
        Some(client)
    })
}

fn add(key: Key, making: Making) -> rest_engine::Result<Arc<Client>> {
    let (credentials, egress) = (making.credentials.clone(), making.egress.clone());
    let client = Client::new(&making.source, credentials, egress)?;
    let mut client = client.limited_by(rate_limit::gate(key.server, making.source.rate_limit));
    if let Some(previous) = previous(key, &making) {
        client.continue_sign_in(&previous);
    }
    let client = Arc::new(client);
    let entry = Entry {
        key,
        making,
        client: Arc::clone(&client),
        hashes: hashes(key),
        used: Instant::now(),
        is_suspect: false,
        is_closed: false,
    };
    CLIENTS.with_borrow_mut(|clients| {
        clients.retain(|other| other.key != key);
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
        }
        clients.push(entry);
    });
    Ok(client)
}

/// The client that the new one takes the place of, where it signs in as the same user.
fn previous(key: Key, making: &Making) -> Option<Arc<Client>> {
    CLIENTS.with_borrow(|clients| {
        let same =
            |entry: &&Entry| entry.key == key && entry.making.credentials == making.credentials;
        clients
            .iter()
            .find(same)
            .map(|entry| Arc::clone(&entry.client))
    })
}

/// Drops the clients whose server or mapping is gone. Their scans, where some still run, go on with them.
fn forget_dropped() {
    let suspects: Vec<Key> = CLIENTS.with_borrow(|clients| {
        let suspects = clients.iter().filter(|entry| entry.is_suspect);
        suspects.map(|entry| entry.key).collect()
    });
    if suspects.is_empty() {
        return;
    }
    let gone: Vec<Key> = suspects.into_iter().filter(|key| !exists(*key)).collect();
    CLIENTS.with_borrow_mut(|clients| {
        clients.retain(|entry| !gone.contains(&entry.key));
        for entry in clients {
            entry.is_suspect = false;
        }
    });
}

/// Closes the kept connections that nobody has used for long.
fn close_idle() {
    CLIENTS.with_borrow_mut(|clients| {
        for entry in clients.iter_mut().filter(|entry| !entry.is_closed) {
            let is_unused = Arc::strong_count(&entry.client) == 1;
            if is_unused && entry.used.elapsed() > MOST_IDLE {
                entry.client.close_idle_connections();
                entry.is_closed = true;
            }
        }
    });
}

fn exists(key: Key) -> bool {
    let has_mapping = key.mapping != pg_sys::InvalidOid;
    options::exists(FOREIGNSERVEROID, key.server)
        && (!has_mapping || options::exists(USERMAPPINGOID, key.mapping))
}

fn hashes(key: Key) -> [u32; 2] {
    let hash = |cache: u32, oid: pg_sys::Oid| {
        let none = pg_sys::Datum::from(0);
        // SAFETY: the cache has one key, which is an OID.
        unsafe { pg_sys::GetSysCacheHashValue(cache as i32, oid.into(), none, none, none) }
    };
    [
        hash(FOREIGNSERVEROID, key.server),
        hash(USERMAPPINGOID, key.mapping),
    ]
}

// utils/inval.h, which pgrx has no bindings for. It raises no error, except one that ends the backend.
unsafe extern "C-unwind" {
    fn CacheRegisterSyscacheCallback(
        cacheid: i32,
        func: Option<unsafe extern "C-unwind" fn(pg_sys::Datum, i32, u32)>,
        arg: pg_sys::Datum,
    );
}

/// From now on changes of the catalog and ends of transactions are heard of.
fn listen() {
    if IS_LISTENING.replace(true) {
        return;
    }
    let nothing = pg_sys::Datum::from(0);
    for cache in [FOREIGNSERVEROID, USERMAPPINGOID, FOREIGNDATAWRAPPEROID] {
        // SAFETY: the callback stays valid: libraries are never unloaded.
        unsafe { CacheRegisterSyscacheCallback(cache as i32, Some(changed), nothing) };
    }
    // SAFETY: as above.
    unsafe { pg_sys::RegisterXactCallback(Some(end_of_transaction), std::ptr::null_mut()) };
}

/// A server, mapping or wrapper has changed; the hash 0 stands for all of them. Catalogs cannot be read here, so whether
/// it is still there is looked at later.
#[pg_guard]
unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, cache: i32, hash: u32) {
    let index = match cache as u32 {
        FOREIGNSERVEROID => Some(0),
        USERMAPPINGOID => Some(1),
        _ => None,
    };
    CLIENTS.with_borrow_mut(|clients| {
        for entry in clients {
            let is_it = |index: usize| hash == 0 || entry.hashes[index] == hash;
            if index.is_none_or(is_it) {
                entry.is_suspect = true;
                entry.client.close_idle_connections();
            }
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn end_of_transaction(
    event: pg_sys::XactEvent::Type,
    _argument: *mut std::ffi::c_void,
) {
    use pg_sys::XactEvent::{XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PREPARE};
    if matches!(
        event,
        XACT_EVENT_COMMIT | XACT_EVENT_ABORT | XACT_EVENT_PREPARE
    ) {
        close_idle();
    }
}

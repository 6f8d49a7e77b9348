//! A disk that is full costs a response its place in the cache, and a query nothing. Alone in its process, whose files it
//! keeps small: that fails in the middle of a file, as a full disk does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "scan_over_http/server.rs"]
#[expect(dead_code, reason = "the other tests of scans use the rest of it")]
mod server;
#[path = "scan_over_http/stage.rs"]
#[expect(dead_code, reason = "the other tests of scans use the rest of it")]
mod stage;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rest_engine::http::cache::{Cache, Store};
use rest_engine::model::{Caching, Table};
use rest_engine::scan::{Scan, Statistics};
use server::{Server, json, rows};
use stage::{client, range, read, spec, table};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const ROWS: usize = 10_000;
/// Bytes of a file on the full disk: less than the response takes.
const FULL: u64 = 64 << 10;
/// Bytes of the cache.
const BOUND: u64 = 4 << 20;

fn read_cached(store: &Arc<Store>, table: &Table) -> Statistics {
    let client = client(table);
    let mode = Caching::Ttl(Duration::from_secs(600));
    let cache = Cache::new(Arc::clone(store), mode, BOUND, "1-1", &["test"], &client);
    let mut spec = spec(table);
    spec.cache = Some(cache);
    let mut scan = Scan::start(client, spec).unwrap();
    assert_eq!(read(&mut scan), (range(0, ROWS as i64), None));
    scan.statistics()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_full_disk_costs_a_query_nothing() {
    let server = Server::start(|_| json(rows(0, ROWS)));
    let table = table(&server.url());
    assert!(rows(0, ROWS).len() as u64 > 2 * FULL);
    let directory = std::env::temp_dir().join(format!("rest_fdw-full-{}", std::process::id()));
    let store = Arc::new(Store::new(&directory));
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, FULL, hard).unwrap();
    for _ in 0..10 {
        let statistics = read_cached(&store, &table);
        assert_eq!((statistics.requests, statistics.cache_hits), (1, 0));
    }
    let left = (
        entries(&directory.join("servers").join("1-1")),
        entries(&directory.join("unfinished")),
    );
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    assert_eq!(left, (0, 0));
    // With room again it is stored.
    assert_eq!(read_cached(&store, &table).cache_hits, 0);
    assert_eq!(read_cached(&store, &table).cache_hits, 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

//! Does the cache keep within its bound? Beside no other test, whose responses would have to make room.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    listed
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn responses_that_were_not_used_for_longest_make_room() {
    let api = Api::new(
        "cache_bound",
        // Pages of about 57 kB.
        &json!({"routes": {"/items": {
            "generate": {"kind": "items", "count": 8000},
            "paging": {"style": "page", "page_size": 200, "size_param": "limit"},
        }}}),
    );
    let database = Database::create("cache_bound");
    let mut session = database.connect();
    session.run("SET rest_fdw.cache_size = '1MB'; SELECT rest_fdw_cache_clear()");
    api.create_server(&mut session, "api", ", cache 'ttl', cache_ttl '1h'");
    session.run(
        "CREATE FOREIGN TABLE items (id int, page int OPTIONS (param 'page')) SERVER api OPTIONS (endpoint '/items', pagination 'none')",
    );
    let cache = PathBuf::from(session.row("SHOW data_directory")).join("pgsql_tmp_rest_fdw_cache");
    let page = |page: usize| format!("SELECT count(id) FROM items WHERE page = {page}");
    for number in 1..=40 {
        assert_eq!(session.row(&page(number)), "200");
        assert!(size(&cache) <= 1 << 20, "after page {number}");
    }
    api.take_requests();
    session.run(&page(40));
    assert!(api.take_requests().is_empty(), "the latest is there");
    session.run(&page(1));
    assert_eq!(api.take_requests().len(), 1, "the first had to go");
    assert!(size(&cache) > 1 << 18, "no more goes than is necessary");
}

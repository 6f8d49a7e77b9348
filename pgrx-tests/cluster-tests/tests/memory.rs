//! Does a scan's memory stay small however much it reads?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, MIB, Process, Session, items};
use serde_json::json;
use std::sync::{Mutex, PoisonError};

/// How much a backend may grow while it scans.
const BOUND: u64 = 64 * MIB;

/// A scan of hundreds of megabytes takes the whole machine: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const TABLE: &str =
    "CREATE FOREIGN TABLE items (id bigint, title text, state text, score numeric, comments int,
    created_at timestamptz, labels jsonb, body text) SERVER api OPTIONS (endpoint '/items')";
/// Reads every column of every row.
const READ: &str =
    "SELECT count(*), sum(id), count(title), count(state), count(score), count(comments),
    count(created_at), count(labels), count(body) FROM items";

/// What `READ` returns for items 1 to `count`.
fn read_of(count: u64) -> String {
    let counts = vec![count.to_string(); 7].join("|");
    format!("{count}|{}|{counts}", count * (count + 1) / 2)
}

/// The most bytes that the backend grew by while it ran a query.
fn growth(session: &mut Session, sql: &str, expected: &str) -> u64 {
    let backend = Process::new(session.pid());
    backend.reset_peak();
    let before = backend.resident();
    assert_eq!(session.row(sql), expected);
    backend.peak().saturating_sub(before)
}

/// A session that has read a few of these rows before, and a table of `scenario`'s items.
fn session_with(name: &str, scenario: &serde_json::Value) -> (Api, Database, Session) {
    let api = Api::new(name, &items(1_000, 1_000));
    let database = Database::create(name);
    let mut session = database.connect();
    api.create_server(&mut session, "api", "");
    session.run(TABLE);
    // Aggregates in parallel or compiled would be measured too, though no scan does either.
    session.run("SET jit = off");
    assert_eq!(session.row(READ), read_of(1_000));
    api.define(scenario);
    (api, database, session)
}

#[test]
fn two_million_rows_in_pages_stay_within_the_bound() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (api, _database, mut session) = session_with("memory_pages", &items(2_000_000, 1_000));
    let growth = growth(&mut session, READ, &read_of(2_000_000));
    println!("2,000,000 rows in pages: {} KiB of growth", growth / 1024);
    assert!(growth <= BOUND, "the backend grew by {growth} bytes");
    assert_eq!(api.request_count(), 2_000);
}

#[test]
fn one_response_of_200_megabytes_stays_within_the_bound() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    const ROWS: u64 = 700_000;
    let scenario = json!({"routes": {"/items": {"generate": {"kind": "items", "count": ROWS}}}});
    let (api, _database, mut session) = session_with("memory_response", &scenario);
    let growth = growth(&mut session, READ, &read_of(ROWS));
    println!("one response: {} KiB of growth", growth / 1024);
    assert!(growth <= BOUND, "the backend grew by {growth} bytes");
    assert_eq!(api.take_requests(), ["GET /items"]);
    let lines = session.rows(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {READ}"));
    let received = lines
        .iter()
        .find_map(|line| line.trim().strip_prefix("Bytes Received: "));
    let received: u64 = received
        .expect("EXPLAIN says how much was received")
        .parse()
        .unwrap();
    assert!(received >= 200_000_000, "{received} bytes are not 200 MB");
}

/// One response of more than 200 MB, made while it is sent.
fn one_stream(name: &str, format: &str, stream: &serde_json::Value, encoding: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let route = |times: u64| {
        let mut stream = stream.clone();
        stream["times"] = json!(times);
        json!({"routes": {"/items": {"stream": stream, "encoding": encoding}}})
    };
    let api = Api::new(name, &route(1_000));
    let database = Database::create(name);
    let mut session = database.connect();
    api.create_server(&mut session, "api", &format!(", format '{format}'"));
    session.run(TABLE);
    session.run("SET jit = off");
    assert_eq!(session.row(READ), read_of(1_000));
    const ROWS: u64 = 750_000;
    api.define(&route(ROWS));
    let growth = growth(&mut session, READ, &read_of(ROWS));
    println!("{name}: {} KiB of growth", growth / 1024);
    assert!(growth <= BOUND, "the backend grew by {growth} bytes");
}

/// Rows of about 290 bytes.
fn json_row() -> String {
    format!(
        r#"{{"id": {{n}}, "title": "Item {{n}}", "state": "open", "score": 1.5, "comments": 7, "created_at": "2024-02-29T12:00:00Z", "labels": ["a", "b"], "body": "{}"}}"#,
        "the quick brown fox ".repeat(8)
    )
}

#[test]
fn json_lines_of_200_megabytes_stay_within_the_bound() {
    let stream = json!({"part": format!("{}\n", json_row())});
    one_stream("memory_lines", "jsonl", &stream, "");
    one_stream("memory_lines_zstd", "jsonl", &stream, "zstd");
}

#[test]
fn csv_of_200_megabytes_stays_within_the_bound() {
    let body = "the quick brown fox ".repeat(10);
    let stream = json!({
        "head": "id,title,state,score,comments,created_at,labels,body\r\n",
        "part": format!("{{n}},\"Item \"\"{{n}}\"\"\",open,1.5,7,2024-02-29T12:00:00Z,\"[\"\"a\"\",\"\"b\"\"]\",{body}\r\n"),
    });
    one_stream("memory_csv", "csv", &stream, "");
    one_stream("memory_csv_br", "csv", &stream, "br");
}

#[test]
fn compressed_json_of_200_megabytes_stays_within_the_bound() {
    let stream =
        json!({"head": "{\"items\": [", "part": json_row(), "separator": ",", "tail": "]}"});
    for encoding in ["gzip", "deflate", "gzip, zstd"] {
        let name = format!("memory_json_{}", encoding.replace(", ", "_"));
        one_stream(&name, "json", &stream, encoding);
    }
}

#[test]
fn a_query_that_keeps_200_megabytes_is_seen() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_api, _database, mut session) = session_with("memory_control", &items(200_000, 1_000));
    let sql = "SELECT length(string_agg(rpad(title, 1000), '')) FROM items";
    let growth = growth(&mut session, sql, "200000000");
    println!(
        "a query that keeps its rows: {} KiB of growth",
        growth / 1024
    );
    assert!(
        growth > 190 * MIB,
        "the backend grew by {growth} bytes only"
    );
}

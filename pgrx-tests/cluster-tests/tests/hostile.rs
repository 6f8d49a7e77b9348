//! What bodies made to do harm come to: an error, in bounded memory, after which the session goes on.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, MIB, Process, Session};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much a backend may grow while it reads such a body.
const BOUND: u64 = 128 * MIB;

/// Longer than anything here takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Memory is measured: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const CODINGS: [&str; 6] = ["gzip", "deflate", "br", "zstd", "gzip, gzip", "zstd, br"];

struct Stage {
    api: Api,
    session: Session,
    _database: Database,
}

impl Stage {
    fn new(name: &str, options: &str) -> Stage {
        let api = Api::new(name, &scenario(&json!({"rows": []})));
        let database = Database::create(name);
        let mut session = database.connect();
        api.create_server(&mut session, "api", options);
        session.run("CREATE FOREIGN TABLE good (id int) SERVER api OPTIONS (endpoint '/good')");
        let stage = Stage {
            api,
            session,
            _database: database,
        };
        stage.with_table("id int, data jsonb", "")
    }

    fn with_table(mut self, columns: &str, options: &str) -> Stage {
        self.table(columns, options);
        self
    }

    fn table(&mut self, columns: &str, options: &str) {
        self.session.run(&format!(
            "DROP FOREIGN TABLE IF EXISTS bad;
             CREATE FOREIGN TABLE bad ({columns}) SERVER api OPTIONS (endpoint '/bad'{options})"
        ));
    }

    fn answer(&self, route: &Value) {
        self.api.define(&scenario(route));
    }

    /// `SQLSTATE message` of a query that must fail, without growing, and after which the session works.
    fn failure(&mut self, sql: &str) -> String {
        let backend = Process::new(self.session.pid());
        backend.reset_peak();
        let before = backend.resident();
        let error = self.session.error(sql);
        let growth = backend.peak().saturating_sub(before);
        println!(
            "{} {}: {} KiB of growth",
            error.code,
            error.message,
            growth / 1024
        );
        assert!(
            growth <= BOUND,
            "the backend grew by {growth} bytes: {error:?}"
        );
        self.goes_on();
        format!("{} {}", error.code, error.message)
    }

    fn goes_on(&mut self) {
        assert_eq!(self.session.row("SELECT id FROM good"), "1");
        let begun = Instant::now();
        while self.api.in_flight() > 0 {
            assert!(begun.elapsed() < PATIENCE, "the connection was left open");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn scenario(route: &Value) -> Value {
    json!({"routes": {"/good": {"rows": [{"id": 1}]}, "/bad": route}})
}

const READ: &str = "SELECT count(*), count(id), count(data) FROM bad";
const TOO_LARGE: &str = "53400 the response is larger than 20971520 bytes";

#[test]
fn ten_gigabytes_are_cut_at_the_bound_whatever_they_are() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_large", ", max_response_bytes '20MB'");
    let kilobyte = "x".repeat(1000);
    let ten_gigabytes = 10_000_000;
    let part = |part: String| json!({"part": part, "times": ten_gigabytes});
    let mut rows = part(format!("{{\"id\": {{n}}, \"data\": \"{kilobyte}\"}},"));
    rows["head"] = json!("[");
    let mut one_text = part(kilobyte.clone());
    one_text["head"] = json!("[{\"id\": 1, \"data\": \"");
    let mut around = part(kilobyte.clone());
    around["head"] = json!("{\"note\": \"");
    let mut members = part("\"k{n}\": {\"a\": {n}},".to_owned());
    members["head"] = json!("{");
    let mut spaces = part(" ".repeat(1000));
    spaces["head"] = json!("[");
    for stream in [rows, one_text, around, members, spaces] {
        stage.answer(&json!({"stream": stream}));
        assert_eq!(stage.failure(READ), TOO_LARGE);
    }
    // Where the length is known, and a lie or not.
    let stream = part(kilobyte.clone());
    stage.answer(&json!({"stream": stream, "content_length": 10_000_000_000_u64}));
    stage.failure(READ);

    stage.table("id int, data text", ", format 'jsonl'");
    let mut one_line = part(kilobyte.clone());
    one_line["head"] = json!("{\"id\": 1, \"data\": \"");
    for stream in [
        part("{\"id\": {n}}\n".to_owned()),
        one_line,
        part("\n".repeat(1000)),
    ] {
        stage.answer(&json!({"stream": stream}));
        assert_eq!(stage.failure(READ), TOO_LARGE);
    }
    stage.table("id int, data text", ", format 'csv'");
    let too_wide =
        "HV00K could not read the response: the record on line 1 has more than 65536 fields";
    for (head, record, expected) in [
        ("id,data\n", "{n},x\n", TOO_LARGE),
        ("id,data\n1,\"", "x\n", TOO_LARGE),
        ("", "x,y", too_wide),
    ] {
        stage.answer(&json!({"stream": {"head": head, "part": record.repeat(100)}}));
        assert_eq!(stage.failure(READ), expected);
    }
}

#[test]
fn bombs_end_at_the_bound_in_every_coding() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_bombs", ", max_response_bytes '20MB'");
    let spaces = json!({"head": "[", "part": " ".repeat(1000), "times": 10_000_000});
    for encoding in CODINGS {
        stage.answer(&json!({"stream": spaces, "encoding": encoding}));
        assert_eq!(stage.failure(READ), TOO_LARGE, "{encoding}");
    }
    // The bomb in the body of an error is not read to its end either.
    stage.answer(&json!({"stream": spaces, "encoding": "gzip", "status": 400}));
    assert!(
        stage
            .failure(READ)
            .ends_with("the API answered with status 400")
    );
}

#[test]
fn data_that_becomes_nothing_ends_at_the_bound_of_what_comes() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_nothing", ", max_response_bytes '1MB'");
    // Frames of zstd that are to be skipped (RFC 8878, section 3.1.2) may follow each other for ever.
    let skipped = "P*M\u{18}\u{4}\0\0\0xxxx";
    stage.answer(&json!({
        "stream": {"part": skipped.repeat(1000)}, "headers": {"Content-Encoding": "zstd"},
    }));
    assert_eq!(
        stage.failure(READ),
        "53400 the response is larger than 1048576 bytes"
    );
}

#[test]
fn deep_nesting_is_an_error_wherever_it_is() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_depth", "");
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let too_deep = "HV00K could not read the response: it is nested deeper than 512 levels at ";
    for body in [
        deep(100_000),
        format!("[{{\"id\": 1, \"data\": {}}}]", deep(100_000)),
        format!("[{{\"id\": 1, \"other\": {}}}]", deep(100_000)),
        format!(
            "{{\"other\": {}, \"items\": []}}",
            "{\"a\":".repeat(100_000)
        ),
        "[".repeat(100_000),
    ] {
        stage.answer(&json!({"body": body}));
        let found = stage.failure(READ);
        assert!(found.starts_with(too_deep), "{found}");
    }
    // As deep as the decoder goes, PostgreSQL goes too.
    stage.answer(&json!({"body": format!("[{{\"id\": 1, \"data\": {}}}]", deep(510))}));
    assert_eq!(stage.session.row(READ), "1|1|1");

    stage.table("id int, data jsonb", ", format 'jsonl'");
    stage.answer(&json!({"body": format!("{{\"id\": 1, \"data\": {}}}\n", deep(100_000))}));
    let found = stage.failure(READ);
    assert!(
        found.starts_with(too_deep) && found.contains("line 1, byte "),
        "{found}"
    );

    stage.table("id int, data jsonb", ", format 'csv'");
    stage.answer(&json!({"body": format!("id,data\n1,\"{}\"\n", deep(100_000))}));
    assert_eq!(
        stage.failure(READ),
        "HV004 value for column \"data\" does not fit: it is not valid JSON"
    );
    // A text that PostgreSQL itself parses: it has its own bound.
    stage.table("id int, data int[]", ", format 'csv'");
    let braces = "{".repeat(100_000);
    stage.answer(&json!({"body": format!("id,data\n1,\"{braces}\"\n")}));
    stage.failure(READ);
}

#[test]
fn a_million_keys_are_read_in_bounded_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_keys", "");
    let keys: String = (0..1_000_000)
        .map(|key| format!("\"k{key}\": {key}, "))
        .collect();
    let backend = Process::new(stage.session.pid());
    for (columns, options, body, expected) in [
        (
            "id int, data jsonb",
            "",
            format!("[{{{keys}\"id\": 7}}]"),
            "1|1|0",
        ),
        (
            "id int, data jsonb",
            "",
            format!("{{{keys}\"items\": [{{\"id\": 7}}]}}"),
            "1|1|0",
        ),
        (
            "id int, data jsonb",
            "",
            format!("[{{\"id\": 7, \"data\": {{{keys}\"z\": 1}}}}]"),
            "1|1|1",
        ),
        (
            "id text OPTIONS (field '@key'), data jsonb OPTIONS (field '$')",
            ", rows_shape 'map'",
            format!("{{{keys}\"z\": 1}}"),
            "1000001|1000001|1000001",
        ),
    ] {
        stage.table(columns, options);
        stage.answer(&json!({"body": body}));
        backend.reset_peak();
        let before = backend.resident();
        assert_eq!(stage.session.row(READ), expected);
        let growth = backend.peak().saturating_sub(before);
        println!(
            "{expected}: {} KiB of growth for {} KiB",
            growth / 1024,
            body.len() / 1024
        );
        // PostgreSQL makes a jsonb of all keys at once where a column takes them.
        let most = if expected == "1|1|1" {
            5 * BOUND
        } else {
            BOUND
        };
        assert!(growth <= most, "the backend grew by {growth} bytes");
        stage.goes_on();
    }
}

#[test]
fn a_content_length_that_lies_loses_no_rows_in_silence() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_length", ", timeout '1s'");
    let json = "[{\"id\": 1}, {\"id\": 2}]";
    for (format, body) in [
        ("json", json),
        ("jsonl", "{\"id\": 1}\n{\"id\": 2}\n"),
        ("csv", "id,data\n1,\n2,\n"),
    ] {
        stage.table("id int, data jsonb", &format!(", format '{format}'"));
        // More is promised than comes: the connection stays open, and then it is closed.
        let longer = body.len() + 1;
        stage.answer(&json!({"body": body, "content_length": longer}));
        let found = stage.failure(READ);
        assert_eq!(
            found, "08006 request timed out after 1s while reading the response",
            "{format}"
        );
        let cut = json!({"kind": "truncate", "after": body.len(), "times": 0});
        stage.answer(&json!({"body": body, "content_length": longer, "faults": [cut]}));
        let expected = format!(
            "08006 the response was cut off: the server closed the connection in the middle of the body, after {} of {longer} bytes",
            body.len()
        );
        assert_eq!(stage.failure(READ), expected);
        // Less is promised than comes: what follows belongs to no response, and the next one is read from another connection.
        stage.answer(&json!({"body": body, "content_length": body.len() - 3}));
        if format != "csv" {
            let found = stage.failure(READ);
            assert!(
                found.starts_with("08006 the response was cut off: the body ended within"),
                "{found}"
            );
        }
        stage.goes_on();
    }
}

#[test]
fn a_slow_drip_ends_with_the_time_that_a_request_has() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_drip", ", timeout '1s'");
    for encoding in ["", "gzip", "br", "zstd"] {
        let drip = json!({"head": "[", "part": " ", "pause_ms": 20});
        stage.answer(&json!({"stream": drip, "encoding": encoding}));
        let begun = Instant::now();
        let found = stage.failure(READ);
        assert_eq!(
            found, "08006 request timed out after 1s while reading the response",
            "{encoding}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_stream_without_end_gives_what_is_asked_for_and_is_left() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::new("hostile_endless", "");
    for (format, head, part, separator) in [
        ("json", "[", "{\"id\": {n}}", ","),
        ("jsonl", "", "{\"id\": {n}}\n", ""),
        ("csv", "id,data\n", "{n},\n", ""),
    ] {
        stage.table("id int, data jsonb", &format!(", format '{format}'"));
        for encoding in ["", "gzip", "br", "zstd"] {
            let stream = json!({"head": head, "part": part, "separator": separator});
            stage.answer(&json!({"stream": stream, "encoding": encoding}));
            let rows = stage.session.rows("SELECT id FROM bad LIMIT 10");
            assert_eq!(rows, (1..=10).map(|id| id.to_string()).collect::<Vec<_>>());
            stage.goes_on();
            // Nor are rows that come slowly kept back until a batch is full: it would take 20 times as long as this test may.
            let slow =
                json!({"head": head, "part": part, "separator": separator, "pause_ms": 1000});
            stage.answer(&json!({"stream": slow, "encoding": encoding}));
            let begun = Instant::now();
            assert_eq!(stage.session.rows("SELECT id FROM bad LIMIT 1"), ["1"]);
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{:?}",
                begun.elapsed()
            );
            stage.goes_on();
        }
    }
}

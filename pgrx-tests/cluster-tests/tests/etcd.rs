//! Does rest_fdw ask etcd, which nobody here wrote, for the ranges and pages that it should, and get the keys that were put?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session};
use real_servers::etcd::Etcd;

/// Keys of a page. There are 307 keys.
const PAGE: usize = 100;

/// As in docs/dialects.md, with smaller pages, and the numbers that etcd keeps of each key.
const TABLES: &str = r#"
    CREATE FOREIGN TABLE keys (
      key     text OPTIONS (format 'base64', filter '= exact, >= exact, < exact, <=, like exact', collation 'C') COLLATE "C",
      value   text OPTIONS (format 'base64'),
      version bigint,
      mod_revision bigint
    ) SERVER etcd OPTIONS (
      endpoint '/v3/kv/range', method 'POST', rows 'kvs', empty_on 'missing', key 'key',
      pagination 'keyset', cursor_param 'cursor', cursor_column 'key', page_size_param 'limit', page_size '100', end_on_short_page 'on',
      dialect 'json operators', operators '{"and": "merge",
        "=":  {"key": "{value:base64}", "range_end": null},
        ">=": {"key": "{value:base64}"},
        "<":  {"range_end": "{value:base64}"},
        "<=": {"range_end": "{next:base64}"},
        "starts_with": {"key": "{value:base64}", "range_end": "{next:base64}"}}',
      body '{%- macro after(key) -%}
          {{ key|replace("==", "A!")|replace("=", "A")|replace("!", "=") if "=" in key else key ~ "AA==" }}
        {%- endmacro -%}
        {%- set asked = filter or {} -%}
        {"limit": {{ size }},
         "key": {% if cursor %}{{ after(cursor) }}{% else %}{{ asked.key or "AA==" }}{% endif %},
         "range_end": {% if asked.range_end is none %}{{ after(asked.key) }}{% else %}{{ asked.range_end or "AA==" }}{% endif %}}');

    CREATE FOREIGN TABLE binary_keys (
      key   bytea OPTIONS (format 'base64'),
      value bytea OPTIONS (format 'base64')
    ) SERVER etcd OPTIONS (
      endpoint '/v3/kv/range', method 'POST', rows 'kvs', empty_on 'missing',
      body '{"key": "AA==", "range_end": "AA==", "limit": 1000}', pagination 'none');

    CREATE FOREIGN TABLE strict (key text OPTIONS (format 'base64')) SERVER etcd OPTIONS (
      endpoint '/v3/kv/range', method 'POST', rows 'kvs', body '{"key": "bm9uZQ=="}', pagination 'none');

    CREATE TABLE put (key text COLLATE "C", value text)"#;

/// Keys with their values. etcd orders them byte by byte.
fn keys() -> Vec<(String, String)> {
    let numbered = (0..300).map(|number| (format!("app/{number:04}"), format!("value {number}")));
    let others = [
        ("app", "its prefixes are keys, too"),
        ("app/0007/x", ""),
        ("apq", "ends the range of app"),
        ("größe/ü", "Größe \u{1f600}"),
        ("größf", "\"quoted\"\\ %_"),
        (" 'o\"x\\ %_\n\t", "a"),
        ("\u{7f}", "ab"),
    ];
    let others = others
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    numbered.chain(others).collect()
}

/// Conditions, how many keys fulfil each, and how many requests they take: a full page is followed by another.
const ASKED: &[(&str, usize, usize)] = &[
    ("true", 307, 4),
    ("key = 'app'", 1, 1),
    ("key = 'app/0007'", 1, 1),
    (r#"key = E' \'o"x\\ %_\n\t'"#, 1, 1),
    ("key = 'ap'", 0, 1),
    ("key = 'no such key'", 0, 1),
    ("key IN ('app', 'größe/ü', 'none', 'app')", 2, 3),
    ("key LIKE 'app/%'", 301, 4),
    ("key LIKE 'app/00%'", 101, 2),
    ("key LIKE 'app/01%'", 100, 2),
    ("key LIKE 'größ%'", 2, 1),
    (r"key LIKE 'app/0007\%%'", 0, 1),
    ("starts_with(key, 'app/029')", 10, 1),
    ("key LIKE 'no such%'", 0, 1),
    // More than asked for, and the rest is filtered here.
    ("key LIKE 'app/00_7'", 10, 2),
    ("key LIKE 'app/%7'", 30, 4),
    ("key >= 'app/0290'", 14, 1),
    ("key > 'app/0290'", 13, 1),
    ("key < 'app/0003'", 5, 1),
    ("key <= 'app/0003'", 6, 1),
    ("key >= 'app/0100' AND key < 'app/0110'", 10, 1),
    ("key BETWEEN 'app/0100' AND 'app/0110'", 11, 1),
    ("key > 'app' AND key <= 'app/0007'", 8, 1),
    ("key >= 'b' AND key < 'c'", 0, 1),
    // Both would write the same member: one is asked for, and both are looked at here.
    ("key LIKE 'app/00%' AND key >= 'app/0095'", 5, 2),
    ("key = 'app/0042' AND key < 'b'", 1, 1),
    ("key < 'app/0005' AND key = 'app/0042'", 0, 1),
    ("value = 'value 7'", 1, 4),
    ("value IS NULL", 1, 4),
    ("key <> 'app'", 306, 4),
    ("key IS NULL", 0, 4),
];

struct Place {
    // Ends with the test.
    _etcd: Etcd,
    _database: Database,
    session: Session,
}

fn place() -> Place {
    let etcd = Etcd::start().unwrap();
    let database = Database::create("etcd");
    let mut session = database.connect();
    session.run(&format!(
        "CREATE SERVER etcd FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '0')",
        etcd.url()
    ));
    session.run(TABLES);
    nothing_was_put(&mut session);
    for (key, value) in keys() {
        etcd.put(key.as_bytes(), value.as_bytes()).unwrap();
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        session.run(&format!(
            "INSERT INTO put VALUES ({}, NULLIF({}, ''))",
            quoted(&key),
            quoted(&value)
        ));
    }
    Place {
        _etcd: etcd,
        _database: database,
        session,
    }
}

fn nothing_was_put(session: &mut Session) {
    assert_eq!(session.row("SELECT count(*) FROM keys"), "0");
    // Without `empty_on` a response without rows is not told from any other.
    let error = session.error("SELECT key FROM strict");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (
            "HV00K",
            "could not find the rows in the response: there is no \"kvs\": the document is an object with members \"header\""
        )
    );
}

#[test]
fn keys_ranges_and_prefixes_of_etcd_are_rows() {
    let mut place = place();
    let session = &mut place.session;
    session.run("SET rest_fdw.log_requests = on; SET client_min_messages = log");
    for (condition, count, requests) in ASKED {
        let of = |table: &str| {
            format!("SELECT key, value FROM {table} WHERE {condition} ORDER BY key COLLATE \"C\"")
        };
        let expected = session.rows(&of("put"));
        session.notices();
        let found = session.rows(&of("keys"));
        let notices = session.notices();
        let made = notices.iter().filter(|line| line.contains("/v3/kv/range"));
        assert_eq!(found, expected, "{condition}");
        assert_eq!(
            (found.len(), made.count()),
            (*count, *requests),
            "{condition}: {notices:?}"
        );
    }
    numbers(session);
    limits(session);
    joins(session);
    bytes(session);
}

/// gRPC's gateway writes 64-bit integers as texts.
fn numbers(session: &mut Session) {
    let sql = "SELECT min(version), max(version), count(DISTINCT mod_revision), max(mod_revision) - min(mod_revision) FROM keys";
    assert_eq!(session.row(sql), "1|1|307|306");
}

fn limits(session: &mut Session) {
    session.notices();
    let sql = "SELECT key FROM keys WHERE key >= 'app/' LIMIT 3";
    assert_eq!(session.rows(sql), ["app/0000", "app/0001", "app/0002"]);
    assert_eq!(session.notices().len(), 1);
    // More than a page is asked for, so there is another page.
    let sql = format!("SELECT key FROM keys LIMIT {}", PAGE + 1);
    assert_eq!(session.rows(&sql).len(), PAGE + 1);
    assert_eq!(session.notices().len(), 2);
}

/// The keys of a look-up go out one by one.
fn joins(session: &mut Session) {
    let sql =
        "SELECT wanted.key, value FROM (VALUES ('app'), ('none'), ('app/0299')) AS wanted (key)
               JOIN keys ON keys.key = wanted.key COLLATE \"C\" ORDER BY 1";
    assert_eq!(
        session.rows(sql),
        ["app|its prefixes are keys, too", "app/0299|value 299"]
    );
}

/// What is no text is read as bytes.
fn bytes(session: &mut Session) {
    let sql = "SELECT count(*), string_agg(encode(key, 'hex'), '' ORDER BY key) = (SELECT encode(convert_to(string_agg(key, '' ORDER BY key), 'UTF8'), 'hex') FROM put)
               FROM binary_keys";
    assert_eq!(session.row(sql), "307|t");
}

#[test]
fn bytes_that_are_no_text_come_as_they_were_put() {
    let etcd = Etcd::start().unwrap();
    let database = Database::create("etcd_bytes");
    let mut session = database.connect();
    session.run(&format!(
        "CREATE SERVER etcd FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}')",
        etcd.url()
    ));
    session.run(TABLES);
    let all: Vec<u8> = (0..=255).collect();
    for length in 1..=4 {
        etcd.put(&all[256 - length..], &all[..length]).unwrap();
    }
    etcd.put(b"all", &all).unwrap();
    assert_eq!(
        session.rows("SELECT key, length(value) FROM binary_keys ORDER BY key"),
        [
            r"\x616c6c|256",
            r"\xfcfdfeff|4",
            r"\xfdfeff|3",
            r"\xfeff|2",
            r"\xff|1"
        ]
    );
    let whole = session.row("SELECT encode(value, 'hex') FROM binary_keys WHERE key = 'all'");
    let expected: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(whole, expected);
    // A text cannot hold them, and says so.
    let error = session.error("SELECT key FROM keys");
    assert_eq!(error.code, "HV004", "{error:?}");
}

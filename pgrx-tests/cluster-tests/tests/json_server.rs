//! Does rest_fdw ask json-server, which nobody here wrote, what it should, and get the rows that it should?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session};
use real_servers::json_server::JsonServer;

const TABLE: &str = "
    CREATE FOREIGN TABLE things (
      id    int OPTIONS (filter '= exact, in exact, <> exact, not_in exact, <= exact, >= exact', sort 'id') NOT NULL,
      score double precision OPTIONS (filter '= exact, <> exact, <= exact, >= exact', sort 'score', sort_nulls 'high'),
      ok    boolean OPTIONS (filter '= exact, <> exact'),
      name  text OPTIONS (filter '= exact, in exact, <> exact, like, is_not_null'),
      login text OPTIONS (field 'user.login', filter '= exact')
    ) SERVER json_server OPTIONS (
      endpoint '/things', dialect 'suffix json-server',
      sort_param '_sort', sort_style 'order_param', order_param '_order', max_sort_keys '2',
      pagination 'page', page_param '_page', page_size_param '_limit', page_size '10', total_header 'X-Total-Count')";

/// Thirty things with ids from 1 to 30; the sixth is the odd one.
fn rows() -> String {
    let row = |id: u32| match id {
        6 => r#"{"id": 6, "score": null, "name": "a+b&c=\"ß\" (x)\n", "user": {"login": "o'x"}}"#
            .to_owned(),
        _ => format!(
            r#"{{"id": {id}, "score": {}, "ok": {}, "name": "n{id}", "user": {{}}}}"#,
            f64::from(id) * 1e20,
            id.is_multiple_of(2)
        ),
    };
    let rows: Vec<String> = (1..=30).map(row).collect();
    format!("{{\"things\": [{}]}}", rows.join(","))
}

/// A statement's rows and the requests that it takes, without the parameters of pages.
fn asked(server: &mut JsonServer, session: &mut Session, sql: &str) -> (Vec<String>, Vec<String>) {
    server.take_requests().unwrap();
    let rows = session.rows(sql);
    let requests = server.take_requests().unwrap();
    (rows, requests)
}

/// Its condition, the ids that it must return, and what json-server must be asked.
const ASKED: &[(&str, &[u32], &[&str])] = &[
    ("id = 7", &[7], &["id=7"]),
    ("id IN (7, 9, 7, 99)", &[7, 9], &["id=7&id=9&id=99"]),
    ("id >= 28 AND id <> 29", &[28, 30], &["id_gte=28&id_ne=29"]),
    (
        "id <= 3 AND id NOT IN (1, 2)",
        &[3],
        &["id_lte=3&id_ne=1&id_ne=2"],
    ),
    // Numbers as JavaScript writes them.
    ("score = 1e21", &[10], &["score=1e%2B21"]),
    ("score >= 2.95e21", &[30], &["score_gte=2.95e%2B21"]),
    ("NOT ok AND id <= 6", &[1, 3, 5], &["id_lte=6&ok=false"]),
    ("ok <> true AND id <= 6", &[1, 3, 5], &["id_lte=6&ok=false"]),
    (
        "name = E'a+b&c=\"ß\" (x)\\n'",
        &[6],
        &["name=a%2Bb%26c%3D%22%C3%9F%22%20(x)%0A"],
    ),
    (
        "name LIKE '%(x)%'",
        &[6],
        &["name_like=%5E%5B%5Cs%5CS%5D*%5C(x%5C)%5B%5Cs%5CS%5D*%24"],
    ),
    ("login = 'o''x'", &[6], &["user.login=o%27x"]),
    // No row has a value there, so that json-server ignores the filter; the rows are filtered here.
    ("login = 'n'", &[], &["user.login=n"]),
];

#[test]
fn conditions_become_json_servers_parameters() {
    let mut server = JsonServer::start().unwrap();
    server.serve(&rows()).unwrap();
    let database = Database::create("json_server");
    let mut session = database.connect();
    session.run(&format!(
        "CREATE SERVER json_server FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}')",
        server.url()
    ));
    session.run(TABLE);
    for (condition, ids, expected) in ASKED {
        let sql = format!("SELECT id FROM things WHERE {condition} ORDER BY id");
        let (rows, requests) = asked(&mut server, &mut session, &sql);
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        assert_eq!(rows, ids, "{condition}");
        println!("{condition}: {requests:?} {expected:?}");
    }
}

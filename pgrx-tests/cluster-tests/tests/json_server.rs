//! Does rest_fdw ask json-server, which nobody here wrote, what it should, and get the rows that it should?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session};
use real_servers::json_server::JsonServer;

const TABLE: &str = "
    CREATE FOREIGN TABLE things (
      id    int OPTIONS (filter '= exact, in exact, <> exact, not_in exact, <= exact, >= exact', sort 'id') NOT NULL,
      score double precision OPTIONS (filter '= exact, <> exact, <= exact, >= exact', sort 'score', sort_nulls 'high'),
      ok    boolean OPTIONS (filter '= exact, <> exact', sort 'ok', sort_nulls 'high'),
      name  text OPTIONS (filter '= exact, in exact, <> exact, like, is_not_null'),
      login text OPTIONS (field 'user.login', filter '= exact'),
      ghost text OPTIONS (filter '=')
    ) SERVER json_server OPTIONS (endpoint '/things', dialect 'suffix json-server', pagination 'none')";

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

/// A condition, the ids that it must return, and what json-server must be asked.
const ASKED: &[(&str, &[u32], &str)] = &[
    ("id = 7", &[7], "id=7"),
    ("id IN (7, 9, 7, 99)", &[7, 9], "id=7&id=9&id=99"),
    ("id >= 28 AND id <> 29", &[28, 30], "id_gte=28&id_ne=29"),
    (
        "id <= 3 AND id NOT IN (1, 2)",
        &[3],
        "id_lte=3&id_ne=1&id_ne=2",
    ),
    // Numbers as JavaScript writes them.
    ("score = 1e21", &[10], "score=1e%2B21"),
    ("score >= 2.95e21", &[30], "score_gte=2.95e%2B21"),
    (
        "score <> 1e20 AND id <= 7",
        &[2, 3, 4, 5, 7],
        "score_ne=100000000000000000000&id_lte=7",
    ),
    // The sixth has none: no filter of json-server's keeps it, as in SQL.
    ("NOT ok AND id <= 7", &[1, 3, 5, 7], "ok=false&id_lte=7"),
    (
        "name = E'a+b&c=\"ß\" (x)\\n'",
        &[6],
        "name=a%2Bb%26c%3D%22%C3%9F%22%20(x)%0A",
    ),
    (
        "name LIKE '%(X)%'",
        &[],
        "name_like=%5E%5B%5Cs%5CS%5D*%5C(X%5C)%5B%5Cs%5CS%5D*$",
    ),
    ("login = 'o''x'", &[6], "user.login=o'x"),
    // No row has the key, so that json-server drops the filter and returns all rows.
    ("ghost = 'x'", &[], "ghost=x"),
];

/// A statement's rows and the requests that it takes.
fn asked(server: &mut JsonServer, session: &mut Session, sql: &str) -> (Vec<String>, Vec<String>) {
    server.take_requests().unwrap();
    let rows = session.rows(sql);
    (rows, server.take_requests().unwrap())
}

fn served() -> (JsonServer, Database) {
    let mut server = JsonServer::start().unwrap();
    server.serve(&rows()).unwrap();
    (server, Database::create("json_server"))
}

fn tables(server: &JsonServer, session: &mut Session) {
    session.run(&format!(
        "CREATE SERVER json_server FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}')",
        server.url()
    ));
    session.run(TABLE);
}

#[test]
fn queries_become_json_servers_parameters() {
    let (mut server, database) = served();
    let mut session = database.connect();
    tables(&server, &mut session);
    for (condition, ids, parameters) in ASKED {
        let sql = format!("SELECT id FROM things WHERE {condition} ORDER BY id + 0");
        let (rows, requests) = asked(&mut server, &mut session, &sql);
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        assert_eq!(rows, ids, "{condition}");
        assert_eq!(
            requests,
            [format!("GET /things?{parameters}")],
            "{condition}"
        );
    }
    long_lists(&mut server, &mut session);
    orders(&mut server, &mut session);
    pages(&mut server, &mut session);
}

/// More than 20 values of one parameter filter nothing there, or everything.
fn long_lists(server: &mut JsonServer, session: &mut Session) {
    let all: Vec<String> = (1..=30).map(|id: u32| id.to_string()).collect();
    let list = all.join(", ");
    let (rows, requests) = asked(
        server,
        session,
        &format!("SELECT id FROM things WHERE id IN ({list}) ORDER BY id + 0"),
    );
    assert_eq!(rows, all);
    let values: Vec<usize> = requests
        .iter()
        .map(|request| request.matches("id=").count())
        .collect();
    assert_eq!(values.iter().sum::<usize>(), 30, "{requests:?}");
    assert!(values.iter().all(|count| *count <= 20), "{requests:?}");
    let others = &all[..29].join(", ");
    let (rows, requests) = asked(
        server,
        session,
        &format!("SELECT id FROM things WHERE id NOT IN ({others})"),
    );
    assert_eq!(rows, ["30"]);
    assert_eq!(requests, ["GET /things"]);
}

fn orders(server: &mut JsonServer, session: &mut Session) {
    let mut sorted = |sql: &str| asked(server, session, sql);
    let (rows, requests) = sorted("SELECT id FROM things ORDER BY score DESC LIMIT 3");
    assert_eq!(rows, ["6", "30", "29"]);
    assert_eq!(requests, ["GET /things?_sort=score&_order=desc"]);
    // json-server would put all rows without `ok` before any of them is ordered by `id`: null is not nothing there.
    let (rows, requests) = sorted("SELECT id FROM things ORDER BY ok DESC, id LIMIT 3");
    assert_eq!(rows, ["6", "2", "4"]);
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(!requests[0].contains("ok,id"), "{requests:?}");
    let (rows, requests) = sorted("SELECT id FROM things ORDER BY id DESC, ok LIMIT 2");
    assert_eq!(rows, ["30", "29"]);
    assert_eq!(requests, ["GET /things?_sort=id,ok&_order=desc,asc"]);
}

fn pages(server: &mut JsonServer, session: &mut Session) {
    let ways = [
        (
            "pagination 'link', query '{\"_page\": \"1\"}', page_size_param '_limit', page_size '5'",
            [1, 2, 3].map(|page| format!("GET /things?_page={page}&ok=true&_limit=5")),
        ),
        (
            "pagination 'page', page_param '_page', page_size_param '_limit', page_size '5', total_header 'X-Total-Count'",
            [1, 2, 3].map(|page| format!("GET /things?ok=true&_limit=5&_page={page}")),
        ),
        (
            "pagination 'offset', offset_param '_start', page_size_param '_limit', page_size '5', total_header 'X-Total-Count'",
            [0, 5, 10].map(|start| format!("GET /things?ok=true&_limit=5&_start={start}")),
        ),
    ];
    // The sixth has no `ok`.
    let even: Vec<String> = (1..=15)
        .filter(|half| *half != 3)
        .map(|half: u32| (2 * half).to_string())
        .collect();
    for (way, expected) in ways {
        session.run("DROP FOREIGN TABLE things");
        session.run(&TABLE.replace("pagination 'none'", way));
        let (mut rows, mut requests) = asked(server, session, "SELECT id FROM things WHERE ok");
        // Pages may be under way at once.
        rows.sort_by_key(|id| id.parse::<u32>().unwrap());
        requests.sort_by_key(|request| (request.len(), request.clone()));
        assert_eq!(rows, even, "{way}");
        assert_eq!(requests, expected, "{way}");
    }
}

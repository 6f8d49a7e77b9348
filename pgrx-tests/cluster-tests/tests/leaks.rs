//! Is anything left behind by ten thousand scans that fail or are given up?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, MIB, Process, Session, mock_api};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// How much a backend may grow during all scans.
const GROWTH: u64 = 16 * MIB;
/// Scans of all kinds, and further ones of the kinds that are quick.
const SCANS: usize = 1_000;
const QUICK_SCANS: usize = 9_000;
const WARM_UP: usize = 10;

/// What is measured is one backend's, but a busy machine would stretch the time bounds in here.
static ALONE: Mutex<()> = Mutex::new(());

/// A scan and how it ends.
struct Kind {
    sql: &'static str,
    /// The rows, or the SQLSTATE of the error.
    ends_with: Result<&'static str, &'static str>,
}

/// One that is given up.
const GIVEN_UP: Kind = Kind {
    sql: "SELECT id FROM items LIMIT 1",
    ends_with: Ok("1"),
};

/// The first of them are quick.
const QUICK: usize = 6;
const KINDS: [Kind; 11] = [
    Kind {
        sql: "SELECT count(id) FROM unsigned",
        ends_with: Err("28000"),
    },
    Kind {
        sql: "SELECT count(id) FROM unaccepted",
        ends_with: Err("28000"),
    },
    Kind {
        sql: "SELECT count(id) FROM refused",
        ends_with: Err("08001"),
    },
    Kind {
        sql: "SELECT count(id) FROM status_500",
        ends_with: Err("HV00M"),
    },
    Kind {
        sql: "SELECT count(id) FROM status_404",
        ends_with: Err("HV00M"),
    },
    Kind {
        sql: "SELECT count(id) FROM no_json",
        ends_with: Err("HV00K"),
    },
    Kind {
        sql: "SELECT count(id) FROM truncated",
        ends_with: Err("08006"),
    },
    Kind {
        sql: "SELECT count(id) FROM misfit",
        ends_with: Err("HV004"),
    },
    Kind {
        sql: "SELECT id / (id - 3) FROM items ORDER BY 1",
        ends_with: Err("22012"),
    },
    GIVEN_UP,
    Kind {
        sql: "SELECT count(id) FROM stalled",
        ends_with: Err("57014"),
    },
];

fn scenario() -> Value {
    let generate = json!({"kind": "items", "count": 1_000});
    let paging = json!({"style": "link", "page_size": 20});
    json!({"routes": {
        "/items": {"generate": generate, "paging": paging},
        "/status_500": {"status": 500, "body": "{\"message\": \"it is broken\"}"},
        "/status_404": {"status": 404, "body": "{\"message\": \"there is none\"}"},
        "/truncated": {"generate": generate, "faults": [{"kind": "truncate", "after": 5_000, "times": 0}]},
        "/no_json": {"body": "<html><body>not JSON</body></html>"},
        "/token": {"tokens": {"client_id": "app", "client_secret": "the secret"}},
        "/no_token": {"status": 400, "body": "{\"error\": \"invalid_client\"}"},
        "/unaccepted": {"status": 401, "body": "{\"message\": \"who are you\"}"},
        "/misfit": {"rows": [{"id": 1}, {"id": "not a number"}]},
        "/stalled": {"generate": generate, "faults": [{"kind": "stall_in_body", "after": 5_000, "times": 0}]},
    }})
}

fn create_tables(api: &Api, session: &mut Session) {
    api.create_server(session, "api", ", pagination 'link'");
    session.run(&format!(
        "CREATE SERVER refusing FOREIGN DATA WRAPPER rest_fdw
         OPTIONS (base_url 'http://127.0.0.1:{}', max_retries '0');
         CREATE FOREIGN TABLE refused (id int) SERVER refusing OPTIONS (endpoint '/items')",
        mock_api().closed_port()
    ));
    for (name, endpoint) in [("unsigned", "no_token"), ("unaccepted", "token")] {
        let options = format!(
            ", auth 'oauth2_client_credentials', token_url '{}/{endpoint}'",
            api.url()
        );
        let server = format!("{name}_api");
        api.create_server(session, &server, &options);
        session.run(&format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER {server} OPTIONS (client_id 'app', client_secret 'the secret');
             CREATE FOREIGN TABLE {name} (id int, title text) SERVER {server} OPTIONS (endpoint '/{name}')"
        ));
    }
    for name in [
        "items",
        "status_500",
        "status_404",
        "truncated",
        "no_json",
        "misfit",
        "stalled",
    ] {
        session.run(&format!(
            "CREATE FOREIGN TABLE {name} (id int, title text) SERVER api OPTIONS (endpoint '/{name}')"
        ));
    }
    // Only the scan that stalls takes this long.
    session.run("SET statement_timeout = '2s'");
}

fn run(session: &mut Session, kind: &Kind) {
    let stalls = kind.ends_with == Err("57014");
    if stalls {
        session.run("SET statement_timeout = '20ms'");
    }
    let outcome = session.outcome(kind.sql);
    let ended: Result<String, String> = outcome
        .clone()
        .map(|rows| rows.join(","))
        .map_err(|error| error.code);
    let expected = kind.ends_with.map(str::to_owned).map_err(str::to_owned);
    assert_eq!(ended, expected, "{}: {outcome:?}", kind.sql);
    if stalls {
        session.run("SET statement_timeout = '2s'");
    }
}

#[test]
fn ten_thousand_failed_scans_leave_no_thread_no_descriptor_and_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let api = Api::new("leaks_statements", &scenario());
    let database = Database::create("leaks_statements");
    let mut session = database.connect();
    create_tables(&api, &mut session);
    let backend = Process::new(session.pid());
    run(&mut session, &GIVEN_UP);
    session.close_kept_connections();
    let resources = backend.resources();
    for kind in KINDS.iter().cycle().take(KINDS.len() * WARM_UP) {
        run(&mut session, kind);
    }
    let resident = backend.resident();
    for kind in KINDS.iter().cycle().take(SCANS) {
        run(&mut session, kind);
    }
    for kind in KINDS[..QUICK].iter().cycle().take(QUICK_SCANS) {
        run(&mut session, kind);
    }
    session.close_kept_connections();
    backend.assert_holds(&resources, "after ten thousand scans");
    let growth = backend.resident().saturating_sub(resident);
    println!(
        "{} scans: {} KiB of growth",
        SCANS + QUICK_SCANS,
        growth / 1024
    );
    assert!(growth <= GROWTH, "the backend grew by {growth} bytes");
}

/// Within one statement nothing of the session's end helps: each subtransaction has to clean up after itself.
#[test]
fn scans_that_fail_in_one_statement_leave_nothing_even_before_it_ends() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let api = Api::new("leaks_block", &scenario());
    let database = Database::create("leaks_block");
    let mut session = database.connect();
    create_tables(&api, &mut session);
    session.run("SET statement_timeout = '120s'");
    session.run(
        "CREATE FUNCTION held() RETURNS text LANGUAGE sql AS $$
           SELECT (SELECT count(*) FROM pg_ls_dir('/proc/self/task')) || ' threads, ' ||
                  (SELECT count(*) FROM pg_ls_dir('/proc/self/fd')) || ' descriptors' $$;
         CREATE FUNCTION fail(times int) RETURNS text LANGUAGE plpgsql AS $$
         DECLARE sql text; failures int := 0;
         BEGIN
           FOR i IN 1..times LOOP
             FOREACH sql IN ARRAY ARRAY['refused', 'unsigned', 'unaccepted', 'status_500', 'truncated', 'no_json', 'misfit'] LOOP
               BEGIN
                 EXECUTE 'SELECT count(id) FROM ' || sql;
               EXCEPTION WHEN OTHERS THEN
                 failures := failures + 1;
               END;
             END LOOP;
             BEGIN
               FOR sql IN SELECT title FROM items LOOP
                 RAISE division_by_zero;
               END LOOP;
             EXCEPTION WHEN division_by_zero THEN
               failures := failures + 1;
             END;
           END LOOP;
           -- What is kept for later is no leak.
           ALTER SERVER api VERSION 'the same';
           ALTER SERVER refusing VERSION 'the same';
           ALTER SERVER unsigned_api VERSION 'the same';
           ALTER SERVER unaccepted_api VERSION 'the same';
           RETURN failures || ' failures, ' || held();
         END $$",
    );
    // The first round opens files of the catalog that stay open.
    session.run("SELECT fail(2)");
    let few = session.row("SELECT fail(2)");
    let many = session.row("SELECT fail(40)");
    let held = |row: &str| row.split_once(", ").unwrap().1.to_owned();
    assert!(
        few.starts_with("16 failures, ") && many.starts_with("320 failures, "),
        "{few}; {many}"
    );
    assert_eq!(held(&many), held(&few));
    assert!(few.contains("1 threads"), "{few}");
}

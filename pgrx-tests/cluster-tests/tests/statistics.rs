//! Does ANALYZE say what it did, act as the table's owner, and give everything back when it is interrupted?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Process, Session};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

fn items(faults: &Value) -> Value {
    json!({"routes": {"/items": {
        "generate": {"kind": "items", "count": 1_000},
        "shape": {"path": "data"},
        "paging": {"style": "page", "page_size": 10, "total_field": "total"},
        "faults": faults,
    }}})
}

fn place(test: &str, faults: &Value) -> (Api, Database, Session) {
    let name = format!("statistics_{test}");
    let api = Api::new(&name, &items(faults));
    let database = Database::create(&name);
    let mut session = database.connect();
    api.create_server(&mut session, "api", ", rows 'data'");
    session.run(
        "CREATE FOREIGN TABLE items (id int, title text) SERVER api
         OPTIONS (endpoint '/items', pagination 'page', total_field 'total')",
    );
    (api, database, session)
}

fn wait_for_requests(api: &Api, count: usize) {
    let began = Instant::now();
    while api.request_count() < count {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "nothing is requested"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_table_that_cannot_be_read_as_a_whole_is_skipped_with_a_warning_that_names_the_columns() {
    let (api, _database, mut session) = place("required", &json!([]));
    session.run(
        "CREATE FOREIGN TABLE issues (
           id int, owner text, repo text, state text OPTIONS (param 'state', required 'true')
         ) SERVER api OPTIONS (endpoint '/{owner}/{repo}/issues')",
    );
    session.notices();
    session.run("ANALYZE issues");
    assert_eq!(
        session.notices(),
        [
            "foreign table \"issues\" cannot be read as a whole: it needs values for owner, repo, state\n\
             Set its option \"rows_estimate\" to the rows that one set of values returns.",
            "skipping \"issues\" --- cannot analyze this foreign table",
        ]
    );
    assert_eq!(api.request_count(), 0);
}

#[test]
fn verbose_says_what_was_read() {
    let (_api, _database, mut session) = place("verbose", &json!([]));
    session.notices();
    session.run("ANALYZE VERBOSE items");
    let notices = session.notices();
    let told =
        "\"items\": 30 requests returned 300 rows, 300 rows in sample, 1000 estimated total rows";
    assert!(notices.iter().any(|notice| notice == told), "{notices:#?}");
}

#[test]
fn it_signs_in_as_the_owner_of_the_table_whoever_runs_it() {
    let (api, database, mut session) = place("owner", &json!([]));
    let owner = database.create_role("owner");
    session.run(&format!(
        "CREATE USER MAPPING FOR {owner} SERVER api OPTIONS (token 'of-the-owner');
         CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (token 'of-the-superuser');
         ALTER FOREIGN TABLE items OWNER TO {owner};
         ANALYZE items"
    ));
    let heads = api.take_heads();
    assert_eq!(heads.len(), 30);
    for head in heads {
        assert_eq!(head.header("authorization"), Some("Bearer of-the-owner"));
    }
}

#[test]
fn a_cancel_while_the_api_stalls_ends_it_and_leaves_nothing_behind() {
    let stall = json!([{"kind": "stall_before_headers", "on": 31, "times": 0}]);
    let (api, database, mut session) = place("cancel", &stall);
    session.run("ANALYZE items");
    session.close_kept_connections();
    let process = Process::new(session.pid());
    let before = process.resources();
    let pid = session.pid();
    api.take_requests();
    let (mut session, outcome) = thread::scope(|scope| {
        let running = scope.spawn(move || {
            let outcome = session.outcome("ANALYZE items");
            (session, outcome)
        });
        wait_for_requests(&api, 2);
        database
            .connect()
            .run(&format!("SELECT pg_cancel_backend({pid})"));
        running.join().unwrap()
    });
    assert_eq!(outcome.unwrap_err().code, "57014");
    session.close_kept_connections();
    process.assert_holds(&before, "a cancelled ANALYZE");
    assert_eq!(
        session.row("SELECT reltuples FROM pg_class WHERE relname = 'items'"),
        "1000"
    );
}

#[test]
fn termination_while_the_api_stalls_ends_the_backend() {
    let stall = json!([{"kind": "stall_in_body", "after": 100, "times": 0}]);
    let (api, database, mut session) = place("terminate", &stall);
    let process = Process::new(session.pid());
    let pid = session.pid();
    let outcome = thread::scope(|scope| {
        let running = scope.spawn(move || session.outcome("ANALYZE items"));
        wait_for_requests(&api, 1);
        database
            .connect()
            .run(&format!("SELECT pg_terminate_backend({pid})"));
        running.join().unwrap()
    });
    let error = outcome.unwrap_err();
    assert!(error.is_termination(), "{error:?}");
    assert!(process.ends_within(Duration::from_secs(5)));
    assert_eq!(
        database.connect().row("SELECT 1"),
        "1",
        "the server goes on"
    );
}

//! What backends share where the library is in `shared_preload_libraries`: rate limits and statistics.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session, items};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One test brings all backends down, and another resets all counts.
static ALONE: Mutex<()> = Mutex::new(());

/// A database whose superuser made a server `api` and a table `items`, which every role may read.
struct Place {
    api: Api,
    database: Database,
    admin: Session,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    fn new(test: &str, scenario: &Value, options: &str) -> Place {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("preloaded_{test}");
        let api = Api::new(&name, scenario);
        let database = Database::create(&name);
        let mut admin = database.connect();
        api.create_server(&mut admin, "api", options);
        admin.run(
            "CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items');
             GRANT SELECT ON items TO PUBLIC",
        );
        Place {
            api,
            database,
            admin,
            _alone: alone,
        }
    }
}

const READ: &str = "SELECT count(*) FROM items";

/// The most that arrived in one second.
fn most_in_a_second(arrivals: &[Duration]) -> usize {
    let second = Duration::from_secs(1);
    let within = |first: &Duration| {
        arrivals
            .iter()
            .filter(|other| **other >= *first && **other - *first < second)
            .count()
    };
    arrivals.iter().map(within).max().unwrap_or(0)
}

#[test]
fn two_clients_together_never_send_more_than_the_limit_in_a_second() {
    let place = Place::new("rate_limit", &items(1, 10), ", rate_limit '50/s'");
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut session = place.database.connect();
            scope.spawn(move || {
                for _ in 0..100 {
                    assert_eq!(session.row(READ), "1");
                }
            });
        }
    });
    let arrivals = place.api.arrivals();
    assert_eq!(arrivals.len(), 200);
    let most = most_in_a_second(&arrivals);
    println!("{most} requests in the busiest second");
    assert!(most <= 55, "{most} requests in a second");
}

#[test]
fn an_altered_limit_holds_for_all_sessions_and_a_new_server_begins_anew() {
    let mut place = Place::new("altered", &items(1, 10), ", rate_limit '2/h'");
    let mut others = [place.database.connect(), place.database.connect()];
    for session in &mut others {
        session.run(READ);
    }
    let in_time = |session: &mut Session| {
        session.run("SET statement_timeout = '300ms'");
        let outcome = session.outcome(READ);
        session.run("RESET statement_timeout");
        outcome.map_err(|error| error.code)
    };
    for session in &mut others {
        assert_eq!(
            in_time(session),
            Err("57014".to_owned()),
            "the hour is used up"
        );
    }
    assert_eq!(place.api.take_requests().len(), 2);
    place
        .admin
        .run("ALTER SERVER api OPTIONS (SET rate_limit '3/h')");
    assert_eq!(others[0].row(READ), "1");
    assert_eq!(others[1].row(READ), "1");
    assert_eq!(place.admin.row(READ), "1");
    assert_eq!(in_time(&mut others[0]), Err("57014".to_owned()));
    place.admin.run("DROP SERVER api CASCADE");
    place
        .api
        .create_server(&mut place.admin, "api", ", rate_limit '2/h'");
    place.admin.run(
        "CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items')",
    );
    assert_eq!(others[1].row(READ), "1");
}

/// Requests, errors, retries, cache hits, waits of the server `api`, as a session sees them.
fn counts(session: &mut Session) -> Vec<String> {
    session.rows(
        "SELECT requests, errors, retries, bytes > 0, cache_hits, waits, waited > interval '0' FROM rest_fdw_stat
         WHERE database = current_database() AND server = 'api'",
    )
}

#[test]
fn each_server_is_counted_over_all_backends() {
    let mut scenario = items(20, 10);
    scenario["routes"]["/items"]["faults"] =
        json!([{"kind": "status", "status": 503, "headers": {"Retry-After": "0"}}]);
    let mut place = Place::new("counts", &scenario, "");
    place
        .admin
        .run("ALTER SERVER api OPTIONS (SET max_retries '1')");
    assert!(counts(&mut place.admin).is_empty());
    place.database.connect().run(READ);
    assert_eq!(counts(&mut place.admin), ["3|1|1|t|0|0|f"]);
    assert_eq!(
        place.admin.row("SELECT last_error, last_error_at > now() - interval '5 min' FROM rest_fdw_stat WHERE server = 'api'"),
        "the API answered with status 503|t"
    );
    // One that fails, one that stops early, one that is cancelled while it waits for its turn.
    let mut session = place.database.connect();
    session.run("CREATE FOREIGN TABLE missing (id int) SERVER api OPTIONS (endpoint '/missing')");
    assert_eq!(session.error("SELECT * FROM missing").code, "HV00M");
    assert_eq!(counts(&mut place.admin), ["4|2|1|t|0|0|f"]);
    session.run("SELECT id FROM items LIMIT 1");
    assert_eq!(counts(&mut place.admin), ["5|2|1|t|0|0|f"]);
    place
        .admin
        .run("ALTER SERVER api OPTIONS (ADD rate_limit '1/h')");
    session.run("SET statement_timeout = '300ms'");
    assert_eq!(session.error(READ).code, "57014");
    let counted = counts(&mut place.admin);
    assert_eq!(counted, ["6|2|1|t|0|1|t"], "what waits is not sent");
    place.admin.run("SELECT rest_fdw_stat_reset()");
    assert!(counts(&mut place.admin).is_empty());
}

#[test]
fn who_has_no_right_to_a_server_sees_nothing_of_it() {
    let mut scenario = items(1, 10);
    scenario["routes"]["/items"]["faults"] = json!([{"kind": "status", "status": 500}]);
    let mut place = Place::new("rights", &scenario, "");
    let stranger = place.database.create_role("stranger");
    let user = place.database.create_role("user");
    let monitor = place.database.create_role("monitor");
    place.admin.run(&format!(
        "GRANT USAGE ON FOREIGN SERVER api TO {user}; GRANT pg_read_all_stats TO {monitor}"
    ));
    let mut stranger = place.database.connect_as(&stranger);
    assert_eq!(stranger.error(READ).code, "HV00M");
    assert!(counts(&mut stranger).is_empty());
    assert!(stranger.rows("SELECT * FROM rest_fdw_stat()").is_empty());
    assert_eq!(stranger.error("SELECT rest_fdw_stat_reset()").code, "42501");
    let mut user = place.database.connect_as(&user);
    assert_eq!(counts(&mut user), ["1|1|0|f|0|0|f"]);
    let mut monitor = place.database.connect_as(&monitor);
    assert_eq!(counts(&mut monitor), ["1|1|0|f|0|0|f"]);
    // Another database: its servers are nobody's here, and all of them the monitor's.
    let other = Database::create("preloaded_rights_elsewhere");
    let elsewhere =
        "SELECT count(*) FROM rest_fdw_stat WHERE database = 'rest_fdw_test_preloaded_rights'";
    let seen = |role: &str| {
        let mut session = other.connect();
        session.run(&format!("SET ROLE {role}"));
        session.row(elsewhere)
    };
    assert_eq!(seen("rest_fdw_test_preloaded_rights_user"), "0");
    assert_eq!(seen("rest_fdw_test_preloaded_rights_monitor"), "1");
    place.admin.run("DROP SERVER api CASCADE");
    assert!(counts(&mut monitor).is_empty());
}

#[test]
fn after_a_crash_everybody_begins_anew() {
    let mut place = Place::new("crash", &items(1, 10), ", rate_limit '2/h'");
    place.admin.run(READ);
    place.admin.run(READ);
    assert_eq!(counts(&mut place.admin), ["2|0|0|t|0|0|f"]);
    let mut victim = place.database.connect();
    // A signal that PostgreSQL takes for a crash of that backend: it restarts all of them.
    let pid = victim.pid();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(victim.outcome("SELECT 1").is_err());
    let began = Instant::now();
    let mut session = loop {
        thread::sleep(Duration::from_millis(200));
        if let Some(session) = place.database.try_connect() {
            break session;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the server does not come back"
        );
    };
    assert!(counts(&mut session).is_empty());
    assert_eq!(session.row(READ), "1");
    assert_eq!(session.row(READ), "1");
    assert_eq!(counts(&mut session), ["2|0|0|t|0|0|f"]);
}

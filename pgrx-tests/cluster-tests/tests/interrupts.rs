//! Do cancel, `statement_timeout` and termination end a statement at once, wherever the API stalls?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Outcome, Process, Session, items, mock_api};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How soon a statement has to end.
const BOUND: Duration = Duration::from_millis(200);
/// The statement's own time bound where that is the interrupt.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(700);
/// From when the stall is reached: what comes first is over, and the statement does nothing but wait.
const INTO_THE_STALL: Duration = Duration::from_millis(250);

/// Times are measured: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Where the API stalls.
struct Stall {
    name: &'static str,
    base_url: String,
    scenario: Value,
    /// Further options of the server.
    options: &'static str,
    /// Further options of the table.
    table_options: &'static str,
    /// Whether the server wants a token of `/token`.
    signs_in: bool,
    /// The requests that the API has received when it stalls.
    requests: usize,
    /// What is run.
    statement: &'static str,
}

/// A scan.
const READ: &str = "SELECT count(*), sum(length(title)) FROM stalled";

impl Stall {
    /// While a connection is made: the API's scenario does not matter.
    fn while_connecting(name: &'static str, base_url: String) -> Stall {
        Stall {
            name,
            base_url,
            scenario: items(1, 1),
            options: "",
            table_options: "",
            signs_in: false,
            requests: 0,
            statement: READ,
        }
    }

    /// Each answer to `/stalled` has a fault.
    fn while_answering(name: &'static str, fault: Value) -> Stall {
        let scenario = json!({"routes": {"/stalled": {
            "generate": {"kind": "items", "count": 2_000},
            "faults": [fault],
        }}});
        Stall {
            name,
            base_url: String::new(),
            scenario,
            options: "",
            table_options: "",
            signs_in: false,
            requests: 1,
            statement: READ,
        }
    }

    /// Each answer to a request for a token has a fault; no page is asked for.
    fn while_signing_in(name: &'static str, fault: Value) -> Stall {
        let mut stall = Stall::while_answering(name, json!({"kind": "reset"}));
        stall.scenario["routes"]["/token"] = json!({
            "tokens": {"client_id": "app", "client_secret": "the secret"},
            "faults": [fault],
        });
        Stall {
            signs_in: true,
            ..stall
        }
    }

    /// The first page tells how many there are, and of those that are read at once none comes to its end.
    fn while_pages_are_read_at_once(name: &'static str, fault: Value) -> Stall {
        let mut stall = Stall::while_answering(name, json!({"kind": "reset"}));
        let route = &mut stall.scenario["routes"]["/stalled"];
        let of_page = |page: usize| {
            let mut fault = fault.clone();
            fault["on_page"] = json!(page);
            fault
        };
        route["faults"] = (2..=20).map(of_page).collect();
        route["paging"] = json!({"style": "page", "page_size": 100, "total_header": "X-Total"});
        Stall {
            options: ", max_concurrency '8'",
            table_options: ", pagination 'page', total_header 'X-Total'",
            requests: 9,
            ..stall
        }
    }

    /// Between two pages, or before the first where somebody else was let through.
    fn while_it_is_not_its_turn() -> Stall {
        let mut scenario = items(200, 100);
        scenario["routes"]["/stalled"] = scenario["routes"]["/items"].clone();
        Stall {
            name: "rate_limit",
            base_url: String::new(),
            scenario,
            options: ", rate_limit '1/h'",
            table_options: "",
            signs_in: false,
            requests: 0,
            statement: READ,
        }
    }

    /// The same of another statement.
    fn of(self, statement: &'static str) -> Stall {
        Stall { statement, ..self }
    }
}

#[test]
fn while_connecting() {
    let url = format!("http://127.0.0.1:{}", mock_api().stalled_port());
    every_interrupt_ends(&Stall::while_connecting("connect", url));
}

#[test]
fn in_the_tls_handshake() {
    let url = format!("https://127.0.0.1:{}", mock_api().silent_tls_port());
    every_interrupt_ends(&Stall::while_connecting("handshake", url));
}

#[test]
fn before_the_headers() {
    let fault = json!({"kind": "stall_before_headers", "times": 0});
    every_interrupt_ends(&Stall::while_answering("headers", fault));
}

#[test]
fn in_the_middle_of_a_body() {
    let fault = json!({"kind": "stall_in_body", "after": 100_000, "times": 0});
    every_interrupt_ends(&Stall::while_answering("body", fault));
}

#[test]
fn in_a_back_off() {
    let fault =
        json!({"kind": "status", "status": 503, "headers": {"Retry-After": "60"}, "times": 0});
    every_interrupt_ends(&Stall::while_answering("back_off", fault));
}

#[test]
fn before_a_token_is_issued() {
    let fault = json!({"kind": "stall_before_headers", "times": 0});
    every_interrupt_ends(&Stall::while_signing_in("token", fault));
}

#[test]
fn in_the_middle_of_a_tokens_answer() {
    let fault = json!({"kind": "stall_in_body", "after": 10, "times": 0});
    every_interrupt_ends(&Stall::while_signing_in("token_body", fault));
}

#[test]
fn in_a_back_off_of_the_token_endpoint() {
    let fault =
        json!({"kind": "status", "status": 429, "headers": {"Retry-After": "60"}, "times": 0});
    every_interrupt_ends(&Stall::while_signing_in("token_back_off", fault));
}

#[test]
fn while_pages_that_are_read_at_once_stall() {
    for (name, fault) in [
        ("pages", json!({"kind": "stall_before_headers", "times": 0})),
        (
            "pages_bodies",
            json!({"kind": "stall_in_body", "after": 10_000, "times": 0}),
        ),
    ] {
        every_interrupt_ends(&Stall::while_pages_are_read_at_once(name, fault));
    }
}

#[test]
fn in_back_offs_of_pages_that_are_read_at_once() {
    let fault =
        json!({"kind": "status", "status": 503, "headers": {"Retry-After": "60"}, "times": 0});
    // One that asks to wait holds the others back, too.
    every_interrupt_ends(&Stall {
        requests: 2,
        ..Stall::while_pages_are_read_at_once("pages_back_off", fault)
    });
}

#[test]
fn in_a_wait_for_the_rate_limit() {
    every_interrupt_ends(&Stall::while_it_is_not_its_turn());
}

#[test]
fn in_a_slow_drip() {
    let fault = json!({"kind": "drip", "bytes_per_write": 1, "interval_ms": 10, "times": 0});
    every_interrupt_ends(&Stall::while_answering("drip", fault));
}

#[test]
fn while_a_table_is_inferred() {
    let fault = json!({"kind": "stall_in_body", "after": 100_000, "times": 0});
    let stall = Stall::while_answering("infer", fault);
    every_interrupt_ends(&stall.of("SELECT rest_fdw_infer('stalling', '/stalled')"));
}

#[test]
fn while_filters_are_verified() {
    let fault = json!({"kind": "stall_before_headers", "times": 0});
    let stall = Stall::while_answering("verify", fault);
    every_interrupt_ends(&stall.of("SELECT * FROM rest_fdw_verify('stalled')"));
}

/// A place where a statement stalls, and one where it does not.
struct Place<'a> {
    stall: &'a Stall,
    api: Api,
    database: Database,
    observer: Session,
}

/// What became of a statement, and how long after its interrupt.
struct Ended {
    session: Session,
    outcome: Outcome,
    after: Duration,
}

fn every_interrupt_ends(stall: &Stall) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut place = prepare(stall);
    statement_timeout(&place);
    cancel(&mut place);
    terminate(&mut place);
}

fn prepare(stall: &Stall) -> Place<'_> {
    let mut scenario = stall.scenario.clone();
    scenario["routes"]["/items"] = items(500, 100)["routes"]["/items"].clone();
    let name = format!("interrupts_{}", stall.name);
    let api = Api::new(&name, &scenario);
    let database = Database::create(&name);
    let mut observer = database.connect();
    let stalling = if stall.base_url.is_empty() {
        api.url()
    } else {
        stall.base_url.clone()
    };
    api.create_server(&mut observer, "healthy", "");
    let auth = match stall.signs_in {
        true => format!(", auth 'oauth2_client_credentials', token_url '{stalling}/token'"),
        false => String::new(),
    };
    observer.run(&format!(
        "CREATE SERVER stalling FOREIGN DATA WRAPPER rest_fdw
         OPTIONS (base_url '{stalling}', connect_timeout '60s', timeout '120s'{}{auth});
         CREATE FOREIGN TABLE stalled (id int OPTIONS (filter '='), title text) SERVER stalling OPTIONS (endpoint '/stalled'{});
         CREATE FOREIGN TABLE items (id int, title text) SERVER healthy OPTIONS (endpoint '/items')",
        stall.options, stall.table_options
    ));
    if stall.signs_in {
        observer.run(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER stalling OPTIONS (client_id 'app', client_secret 'the secret')",
        );
    }
    Place {
        stall,
        api,
        database,
        observer,
    }
}

impl Place<'_> {
    /// A session that has used the extension once, so that what a backend sets up for good is there.
    fn session(&self) -> Session {
        let mut session = self.database.connect();
        read_items(&mut session);
        session.close_kept_connections();
        self.api.take_requests();
        session
    }

    /// Runs the statement that stalls, interrupts it in the stall, and waits for its end.
    fn interrupted(&mut self, mut session: Session, interrupt: &str) -> Ended {
        let pid = session.pid();
        let statement = self.stall.statement;
        thread::scope(|scope| {
            let running = scope.spawn(move || {
                let outcome = session.outcome(statement);
                (session, outcome, Instant::now())
            });
            self.wait_for_the_stall(pid);
            let interrupted = Instant::now();
            assert_eq!(
                self.observer.row(&format!("SELECT {interrupt}({pid})")),
                "t"
            );
            let (session, outcome, ended) = running.join().unwrap();
            Ended {
                session,
                outcome,
                after: ended.saturating_duration_since(interrupted),
            }
        })
    }

    fn wait_for_the_stall(&mut self, pid: u32) {
        let waits = format!(
            "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = {pid} AND state = 'active'"
        );
        let began = Instant::now();
        while self.observer.rows(&waits) != ["t"] || self.api.request_count() < self.stall.requests
        {
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{}: the statement never waits",
                self.stall.name
            );
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(INTO_THE_STALL);
    }

    /// The backend holds what it held before, and its session goes on.
    fn assert_recovered(
        &self,
        session: &mut Session,
        before: &cluster_tests::Resources,
        interrupt: &str,
    ) {
        let when = format!("{}, {interrupt}", self.stall.name);
        session.close_kept_connections();
        Process::new(session.pid()).assert_holds(before, &when);
        read_items(session);
        session.close_kept_connections();
        Process::new(session.pid()).assert_holds(before, &format!("{when} and one more query"));
    }
}

fn read_items(session: &mut Session) {
    assert_eq!(
        session.row("SELECT count(*), sum(id) FROM items"),
        "500|125250"
    );
}

fn assert_in_time(stall: &Stall, interrupt: &str, after: Duration) {
    assert!(
        after <= BOUND,
        "{}: the statement ended {after:?} after {interrupt}, not within {BOUND:?}",
        stall.name
    );
    println!(
        "{}: {interrupt} ended the statement after {after:?}",
        stall.name
    );
}

fn statement_timeout(place: &Place<'_>) {
    let mut session = place.session();
    let before = Process::new(session.pid()).resources();
    session.run(&format!(
        "SET statement_timeout = {}",
        STATEMENT_TIMEOUT.as_millis()
    ));
    let began = Instant::now();
    let outcome = session.outcome(place.stall.statement);
    let took = began.elapsed();
    let error = outcome.expect_err("the statement stalls");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("57014", "canceling statement due to statement timeout"),
        "{}",
        place.stall.name
    );
    assert!(
        took >= STATEMENT_TIMEOUT,
        "{}: ended after {took:?}",
        place.stall.name
    );
    assert_in_time(place.stall, "statement_timeout", took - STATEMENT_TIMEOUT);
    session.run("RESET statement_timeout");
    place.assert_recovered(&mut session, &before, "statement_timeout");
}

fn cancel(place: &mut Place<'_>) {
    let session = place.session();
    let before = Process::new(session.pid()).resources();
    let mut ended = place.interrupted(session, "pg_cancel_backend");
    let error = ended.outcome.expect_err("the statement was cancelled");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("57014", "canceling statement due to user request"),
        "{}",
        place.stall.name
    );
    assert_in_time(place.stall, "pg_cancel_backend", ended.after);
    place.assert_recovered(&mut ended.session, &before, "pg_cancel_backend");
}

fn terminate(place: &mut Place<'_>) {
    let session = place.session();
    let backend = Process::new(session.pid());
    let ended = place.interrupted(session, "pg_terminate_backend");
    let left = BOUND.saturating_sub(ended.after);
    let error = ended.outcome.expect_err("the backend was terminated");
    assert!(error.is_termination(), "{}: {error:?}", place.stall.name);
    assert_in_time(place.stall, "pg_terminate_backend", ended.after);
    assert!(
        backend.ends_within(left),
        "{}: the backend outlives its statement",
        place.stall.name
    );
    // A backend that died of a signal would have taken all sessions with it.
    read_items(&mut place.observer);
}

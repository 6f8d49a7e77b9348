//! Every fault, at every point of a scan, in every style of paging: the rows are right, or an error names the cause, and the
//! backend goes on with its next query.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod gates;
mod paging;
mod table;
mod tokens;

use cluster_tests::{Api, Database, Outcome, Session};
use gates::Entrance;
use paging::{Point, STYLES, Style};
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use table::{Expected, Fault, Strike, faults};

/// Sessions that work at once: most of the time they wait.
const SESSIONS: usize = 16;
/// What stalls is found by a time bound of one second, which a busy machine would stretch: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());
/// How long a port refuses where it does so once.
const REFUSES_FOR: Duration = Duration::from_millis(30);
/// How often it is tried until the client came while the port refused.
const TRIES: usize = 20;

/// A fault, where it strikes, and in which style of paging.
struct Cell {
    number: usize,
    /// Whether responses are stored.
    cached: bool,
    style: Style,
    point: Point,
    fault: Fault,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cached = if self.cached { ", cached" } else { "" };
        write!(
            f,
            "{:?}, {:?} page{cached}: {}",
            self.style, self.point, self.fault.name
        )
    }
}

#[test]
fn every_fault_at_every_point_in_every_style() {
    play_all("faults", &cells(false), check);
}

/// What is stored is no part of a response, and nothing that a fault was in.
#[test]
fn every_fault_where_responses_are_stored() {
    play_all("faults_cached", &cells(true), check);
}

#[test]
fn every_fault_of_a_request_for_a_token() {
    play_all("faults_tokens", &tokens::cells(), tokens::check);
}

#[test]
fn a_token_that_ends_in_the_middle_is_replaced_in_every_style() {
    play_all("faults_ended", &tokens::endings(), tokens::check_ending);
}

/// Plays all cells in several sessions; an error of `check` says what is wrong with one.
fn play_all<Cell: Sync>(
    name: &str,
    cells: &[Cell],
    check: impl Fn(&Cell, &mut Session) -> Result<(), String> + Sync,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let database = Database::create(name);
    println!("{} cells", cells.len());
    let left = Mutex::new(cells.iter());
    let problems = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..SESSIONS {
            let mut session = database.connect();
            let (left, problems, check) = (&left, &problems, &check);
            scope.spawn(move || {
                session.run("SET rest_fdw.log_requests = on; SET client_min_messages = log");
                loop {
                    let next = left.lock().unwrap().next();
                    let Some(cell) = next else { break };
                    let found = check(cell, &mut session).err();
                    problems.lock().unwrap().extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(
        problems.is_empty(),
        "{} of {} cells:\n{}",
        problems.len(),
        cells.len(),
        problems.join("\n")
    );
}

fn cells(cached: bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for style in STYLES {
        for point in style.points() {
            for fault in faults(style, style.page(*point)) {
                cells.push(Cell {
                    number: cells.len(),
                    cached,
                    style,
                    point: *point,
                    fault,
                });
            }
        }
    }
    cells
}

/// Runs a cell; an error says what is wrong with it.
fn check(cell: &Cell, session: &mut Session) -> Result<(), String> {
    for _ in 1..TRIES {
        let ended = play(cell, session);
        if !matches!(cell.fault.strike, Strike::Refusal) || ended.was_refused {
            return ended
                .problem
                .map_or(Ok(()), |problem| Err(format!("{cell}: {problem}")));
        }
    }
    Err(format!("{cell}: it never came while the port refused"))
}

/// Sets a cell up, runs its scan and the next query, and takes it down.
fn play(cell: &Cell, session: &mut Session) -> Ended {
    let stage = Stage::set_up(cell, session);
    let ran = stage.read(session);
    let again = cell.cached.then(|| stage.read_mended(session));
    let next = session.outcome(&format!(
        "SELECT count(*), sum(id) FROM healthy_{}",
        cell.number
    ));
    session.run(&format!(
        "DROP SERVER api_{0} CASCADE; DROP SERVER direct_{0} CASCADE",
        cell.number
    ));
    session.notices();
    let problem = stage
        .problem(&ran)
        .or_else(|| again.and_then(|again| stage.problem_again(&ran, &again)))
        .or_else(|| match next {
            Ok(rows) if rows == ["7|28"] => None,
            other => Some(format!("the next query: {other:?}")),
        });
    let refused = |line: &String| line.contains("connection refused");
    Ended {
        problem,
        was_refused: ran.attempts.iter().any(refused),
    }
}

/// How a cell ended.
struct Ended {
    /// What is wrong with it.
    problem: Option<String>,
    /// Whether the backend came while the port refused.
    was_refused: bool,
}

/// Where a cell is played.
struct Stage<'a> {
    cell: &'a Cell,
    api: Api,
    entrance: Option<Entrance>,
}

/// What came of a scan.
struct Ran {
    outcome: Outcome,
    /// Requests that the API received.
    requests: usize,
    /// What the log says of each attempt.
    attempts: Vec<String>,
}

impl Stage<'_> {
    fn set_up<'a>(cell: &'a Cell, session: &mut Session) -> Stage<'a> {
        let kind = if cell.cached { "cached_" } else { "" };
        let space = format!("faults_{kind}{}", cell.number);
        let api = Api::new(&space, &scenario(cell, true));
        let before = cell.style.page(cell.point) - 1;
        let entrance = Entrance::new(&cell.fault.strike, before);
        let stage = Stage {
            cell,
            api,
            entrance,
        };
        stage.create_tables(session);
        stage
    }

    fn create_tables(&self, session: &mut Session) {
        let Cell {
            number,
            cached,
            style,
            fault,
            ..
        } = self.cell;
        let cache = if *cached { ", cache 'http'" } else { "" };
        let direct = self.api.url();
        let (through, ca_file) = match &self.entrance {
            Some(entrance) => (entrance.url(&direct), entrance.ca_file()),
            None => (direct.clone(), String::new()),
        };
        // What is healthy shares the server, and with it its connections, where that can be reached.
        let beside = match fault.strike {
            Strike::Refusal => "direct",
            _ => "api",
        };
        session.run(&format!(
            "CREATE SERVER api_{number} FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{through}'{ca_file}{});
             CREATE SERVER direct_{number} FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{direct}');
             CREATE FOREIGN TABLE faulty_{number} (id int, title text, state text) SERVER api_{number}
               OPTIONS (endpoint '/items', key 'id'{cache}{});
             CREATE FOREIGN TABLE healthy_{number} (id int) SERVER {beside}_{number} OPTIONS (endpoint '/healthy')",
            fault.options,
            style.options(),
        ));
        session.notices();
    }

    fn read(&self, session: &mut Session) -> Ran {
        thread::scope(|scope| {
            scope.spawn(|| self.open_the_gate());
            self.read_once(session)
        })
    }

    /// When the fault is over, and what has been asked for so far is forgotten by the API.
    fn read_mended(&self, session: &mut Session) -> Ran {
        self.api.define(&scenario(self.cell, false));
        if let Some(entrance) = &self.entrance {
            entrance.open();
        }
        self.api.take_requests();
        self.read_once(session)
    }

    fn read_once(&self, session: &mut Session) -> Ran {
        let sql = format!(
            "SELECT count(*), count(DISTINCT id), sum(id), count(title), count(state) FROM faulty_{}",
            self.cell.number
        );
        let outcome = session.outcome(&sql);
        let attempts = session
            .notices()
            .into_iter()
            .filter(|line| line.starts_with("rest_fdw: "));
        Ran {
            outcome,
            requests: self.api.request_count(),
            attempts: attempts.collect(),
        }
    }

    /// Some time after the page before was asked for.
    fn open_the_gate(&self) {
        let Some(entrance) = self.entrance.as_ref().filter(|_| self.cell.fault.times > 0) else {
            return;
        };
        let page = self.cell.style.page(self.cell.point);
        while self.api.request_count() + 1 < page {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(REFUSES_FOR);
        entrance.open();
    }

    /// The row that a scan without faults gives.
    fn right(&self) -> String {
        let count = self.cell.style.rows();
        let sum = count * (count + 1) / 2;
        format!("{count}|{count}|{sum}|{count}|{count}")
    }

    /// What is wrong with a scan after the fault, where the API's responses are stored: if the one before has read them
    /// all, nothing is asked for.
    fn problem_again(&self, before: &Ran, again: &Ran) -> Option<String> {
        let right = self.right();
        if again.outcome.as_deref() != Ok(std::slice::from_ref(&right)) {
            return Some(format!(
                "afterwards {:?} instead of {right}: {:?}",
                again.outcome, again.attempts
            ));
        }
        let is_stored = before.outcome.is_ok();
        (is_stored && again.requests > 0)
            .then(|| format!("not all was stored: {:?}", again.attempts))
    }

    /// What is not as it is expected to be.
    fn problem(&self, ran: &Ran) -> Option<String> {
        match (&self.cell.fault.expected, &ran.outcome) {
            (Expected::Rows { more }, Ok(rows)) => {
                let right = self.right();
                if *rows != [right.as_str()] {
                    return Some(format!("rows {rows:?} instead of {right}"));
                }
                let requests = self.cell.style.requests();
                let extra = ran.requests.checked_sub(requests);
                let fits = extra.is_some_and(|extra| more.contains(&extra));
                (!fits).then(|| {
                    format!(
                        "{} requests, not {requests} and {more:?} more: {:?}",
                        ran.requests, ran.attempts
                    )
                })
            }
            (
                Expected::Error {
                    code,
                    message,
                    detail,
                },
                Err(error),
            ) => {
                let number = self.cell.style.page(self.cell.point);
                // Of two pages that are the same and are read at once, either may come second.
                let numbers = match self.cell.fault.strike {
                    Strike::DuplicatePage => number - 1..=number,
                    _ => number..=number,
                };
                let mut pages = numbers.map(|number| format!("page {number} of GET http"));
                let table = format!("Foreign table \"faulty_{}\"", self.cell.number);
                let parts = [
                    error.code == *code,
                    error.message.starts_with(message.as_str()),
                    error.detail.contains(detail.as_str()),
                    pages.any(|page| error.detail.contains(&page)),
                    error.detail.starts_with(&table),
                ];
                parts.contains(&false).then(|| {
                    format!("{error:?}, not {code}: {message} … {table} … page {number} … {detail}")
                })
            }
            (expected, outcome) => Some(format!(
                "{outcome:?} instead of {expected:?}: {:?}",
                ran.attempts
            )),
        }
    }
}

/// What the API answers; without the fault where that is over.
fn scenario(cell: &Cell, is_faulty: bool) -> Value {
    let mut route = cell.style.route();
    if cell.cached {
        route["headers"] = json!({"Cache-Control": "max-age=3600"});
    }
    let page = cell.style.page(cell.point);
    match &cell.fault.strike {
        _ if !is_faulty => {}
        Strike::Faults(faults) => {
            let placed = faults.iter().map(|fault| {
                let mut fault = fault.clone();
                fault["times"] = json!(cell.fault.times);
                fault["on_page"] = json!(page);
                fault
            });
            route["faults"] = placed.collect();
        }
        Strike::DuplicatePage => {
            route["paging"]["fault"] = json!("duplicate_page");
            route["paging"]["fault_page"] = json!(page);
        }
        // Each page is asked for over a connection of its own, which the gate counts.
        Strike::Refusal | Strike::Handshake => route["close"] = json!(true),
    }
    let healthy: Vec<Value> = (1..=7).map(|id| json!({"id": id})).collect();
    json!({"routes": {"/items": route, "/healthy": {"rows": healthy}}})
}

//! Faults of the requests for access tokens: before the first page, and where a token has ended in the middle of a scan.

use crate::gates::Entrance;
use crate::paging::{Point, STYLES, Style};
use crate::table::{Expected, Fault, Strike, of_a_response};
use crate::{REFUSES_FOR, TRIES};
use cluster_tests::{Api, Outcome, Session};
use serde_json::{Value, json};
use std::fmt;
use std::thread;
use std::time::Duration;

/// Bytes of a token endpoint's answer after which it breaks off.
const IN_THE_ANSWER: usize = 20;
/// How all pages are read here.
const STYLE: Style = Style::Link;

/// What is shown for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    ClientCredentials,
    RefreshToken,
}

const GRANTS: [Grant; 2] = [Grant::ClientCredentials, Grant::RefreshToken];

/// When the token is asked for that the fault happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before the first page.
    First,
    /// The API did not accept the token for the second page.
    Again,
}

impl When {
    /// Tokens that were issued before.
    fn tokens_before(self) -> usize {
        match self {
            When::First => 0,
            When::Again => 1,
        }
    }
}

/// A fault of a request for a token.
pub struct Cell {
    number: usize,
    grant: Grant,
    when: When,
    fault: Fault,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell {
            grant, when, fault, ..
        } = self;
        write!(f, "{grant:?}, {when:?}: {}", fault.name)
    }
}

/// Every fault, for each grant, at the first token and at one that takes the place of another.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for grant in GRANTS {
        for when in [When::First, When::Again] {
            for fault in faults(grant) {
                cells.push(Cell {
                    number: cells.len(),
                    grant,
                    when,
                    fault,
                });
            }
        }
    }
    cells
}

/// The faults of a page, with what is expected where they happen to a token.
fn faults(grant: Grant) -> Vec<Fault> {
    let of_pages = of_a_response(IN_THE_ANSWER, false);
    let expected = |index: usize| {
        let fault: &Fault = &of_pages[index];
        match &fault.expected {
            Expected::Rows { .. } if is_repeated(grant, &fault.name) => fault.expected.clone(),
            // Once is as good as always where it is not tried again.
            Expected::Rows { .. } => told(&of_pages[index + 1].expected),
            error => told(error),
        }
    };
    let all = of_pages.iter().enumerate();
    all.map(|(index, fault)| Fault {
        expected: expected(index),
        ..fault.clone()
    })
    .collect()
}

/// Whether a token is asked for again after a fault that passes. A refresh token may be used up: it is shown again only
/// where the endpoint has not handled the request.
fn is_repeated(grant: Grant, fault: &str) -> bool {
    let not_handled = ["429", "503", "425", "HTML with an error status", "refused"];
    let is_no_fault = fault == "drip";
    grant == Grant::ClientCredentials
        || is_no_fault
        || not_handled.iter().any(|start| fault.starts_with(start))
}

/// A page's error in the words for tokens.
fn told(of_page: &Expected) -> Expected {
    let Expected::Error {
        code,
        message,
        detail,
    } = of_page
    else {
        return of_page.clone();
    };
    let status = message.strip_prefix("the API answered with status ");
    let refuses = status
        .is_some_and(|status| status.starts_with('4') && !["408", "425", "429"].contains(&status));
    // A token is asked for by POST, which the server may have handled before it left.
    let left = message.strip_prefix("could not reach the API: ");
    let left = left.filter(|reason| *reason != "connection refused");
    let code = match left {
        Some(_) => "08006",
        None if refuses => "28000",
        None => code,
    };
    let message = left.map_or(message.clone(), |reason| {
        format!("the response was cut off: {reason}")
    });
    let message = message
        .replace("the API answered", "the token endpoint answered")
        .replace(
            "could not read the response: the body is empty",
            "could not read the token endpoint's answer: its answer is empty",
        )
        .replace(
            "could not read the response: ",
            "could not read the token endpoint's answer: ",
        );
    Expected::Error {
        code,
        message: format!("could not get an access token: {message}"),
        detail: detail.replace("the API says", "the token endpoint says"),
    }
}

/// Runs a cell; an error says what is wrong with it.
pub fn check(cell: &Cell, session: &mut Session) -> Result<(), String> {
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

struct Ended {
    problem: Option<String>,
    /// Whether the backend came while the port refused.
    was_refused: bool,
}

fn play(cell: &Cell, session: &mut Session) -> Ended {
    let api = Api::new(
        &format!("faults_tokens_{}", cell.number),
        &scenario(cell, true),
    );
    let entrance = Entrance::new(&cell.fault.strike, cell.when.tokens_before());
    create_tables(cell, &api, entrance.as_ref(), session);
    let outcome = thread::scope(|scope| {
        if let Some(entrance) = entrance.as_ref().filter(|_| cell.fault.times > 0) {
            scope.spawn(|| open(entrance, cell.when, &api));
        }
        session.outcome(&format!("{READ} faulty_{}", cell.number))
    });
    let attempts = session.notices();
    let requests = api.take_requests();
    let problem = problem(cell, &outcome, &requests).map(|text| format!("{text}: {attempts:?}"));
    // A fault that lasts is over now.
    if let Some(entrance) = &entrance {
        entrance.open();
    }
    if cell.fault.times == 0 {
        api.define(&scenario(cell, false));
    }
    let next = session.outcome(&format!(
        "SELECT count(*), sum(id) FROM healthy_{}",
        cell.number
    ));
    session.run(&format!("DROP SERVER api_{} CASCADE", cell.number));
    session.notices();
    let problem = problem.or_else(|| match next {
        Ok(rows) if rows == ["7|28"] => None,
        other => Some(format!("the next query: {other:?}")),
    });
    Ended {
        problem,
        was_refused: attempts
            .iter()
            .any(|line| line.contains("connection refused")),
    }
}

const READ: &str = "SELECT count(*), count(DISTINCT id), sum(id), count(title), count(state) FROM";

/// The row that [`READ`] gives of a style's rows.
fn right(style: Style) -> String {
    let count = style.rows();
    format!(
        "{count}|{count}|{}|{count}|{count}",
        count * (count + 1) / 2
    )
}

fn scenario(cell: &Cell, is_faulty: bool) -> Value {
    let mut token = token_route();
    let mut items = STYLE.route();
    items["require"] = json!({"token_of": "/token"});
    let first = cell.when.tokens_before();
    if let (Strike::Faults(faults), true) = (&cell.fault.strike, is_faulty) {
        let placed = faults.iter().map(|fault| {
            let mut fault = fault.clone();
            fault["times"] = json!(cell.fault.times);
            fault["on"] = json!(first);
            fault
        });
        token["faults"] = placed.collect();
    }
    if cell.when == When::Again && is_faulty {
        items["faults"] =
            json!([{"kind": "status", "status": 401, "on_page": STYLE.page(Point::Middle)}]);
    }
    json!({"routes": {"/token": token, "/items": items, "/healthy": healthy()}})
}

/// Each request has a connection of its own, which a gate counts.
fn token_route() -> Value {
    json!({"close": true, "tokens": {
        "client_id": "app", "client_secret": "the secret", "refresh_token": "refresh-token-0", "expires_in": 3600,
    }})
}

fn healthy() -> Value {
    let rows: Vec<Value> = (1..=7).map(|id| json!({"id": id})).collect();
    json!({"rows": rows, "require": {"token_of": "/token"}})
}

fn create_tables(cell: &Cell, api: &Api, entrance: Option<&Entrance>, session: &mut Session) {
    let Cell {
        number,
        grant,
        fault,
        ..
    } = cell;
    let (token_url, ca_file) = match entrance {
        Some(entrance) => (entrance.url(&api.url()), entrance.ca_file()),
        None => (api.url(), String::new()),
    };
    session.run(&format!(
        "CREATE SERVER api_{number} FOREIGN DATA WRAPPER rest_fdw
           OPTIONS (base_url '{}', {}, token_url '{token_url}/token'{ca_file}{});
         {};
         CREATE FOREIGN TABLE faulty_{number} (id int, title text, state text) SERVER api_{number}
           OPTIONS (endpoint '/items', key 'id'{});
         CREATE FOREIGN TABLE healthy_{number} (id int) SERVER api_{number} OPTIONS (endpoint '/healthy')",
        api.url(),
        grant.auth(),
        fault.options,
        grant.mapping(&format!("api_{number}")),
        STYLE.options(),
    ));
    session.notices();
}

impl Grant {
    fn auth(self) -> &'static str {
        match self {
            Grant::ClientCredentials => "auth 'oauth2_client_credentials'",
            Grant::RefreshToken => "auth 'oauth2_refresh_token'",
        }
    }

    fn mapping(self, server: &str) -> String {
        let refresh_token = match self {
            Grant::ClientCredentials => "",
            Grant::RefreshToken => ", refresh_token 'refresh-token-0'",
        };
        format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER {server}
             OPTIONS (client_id 'app', client_secret 'the secret'{refresh_token})"
        )
    }
}

/// Some time after the request before.
fn open(entrance: &Entrance, when: When, api: &Api) {
    let before = match when {
        When::First => 0,
        // A token, the first page, and the second one, which is refused.
        When::Again => 3,
    };
    while api.request_count() < before {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(REFUSES_FOR);
    entrance.open();
}

/// What is not as it is expected to be.
fn problem(cell: &Cell, outcome: &Outcome, requests: &[String]) -> Option<String> {
    let asked = |path: &str| requests.iter().filter(|line| line.contains(path)).count();
    let (tokens, refused) = match cell.when {
        When::First => (1, 0),
        When::Again => (2, 1),
    };
    match (&cell.fault.expected, outcome) {
        (Expected::Rows { more }, Ok(rows)) => {
            let right = right(STYLE);
            let extra = asked("/token").checked_sub(tokens);
            let pages = STYLE.requests() + refused;
            if *rows != [right.as_str()] {
                Some(format!("rows {rows:?} instead of {right}"))
            } else if !extra.is_some_and(|extra| more.contains(&extra)) || asked("/items") != pages
            {
                Some(format!(
                    "{requests:?}, not {tokens} and {more:?} more for tokens and {pages} for pages"
                ))
            } else {
                None
            }
        }
        (
            Expected::Error {
                code,
                message,
                detail,
            },
            Err(error),
        ) => {
            let table = format!("Foreign table \"faulty_{}\", POST http", cell.number);
            let is_no_token = ["HV00K", "08001"].contains(code);
            let parts = [
                error.code == *code,
                error.message.starts_with(message.as_str()),
                error.detail.starts_with(&table),
                error.detail.contains("/token"),
                error.detail.contains(detail.as_str()),
                // Who asks is in doubt only where the endpoint says so.
                *code == "28000" || !error.hint.contains("client_id") || is_no_token,
                !format!("{error:?}").contains("the secret"),
            ];
            parts
                .contains(&false)
                .then(|| format!("{error:?}, not {code}: {message} … {table} … {detail}"))
        }
        (expected, outcome) => Some(format!("{outcome:?} instead of {expected:?}")),
    }
}

/// A token that is not accepted any more, from a page on.
pub struct Ending {
    number: usize,
    grant: Grant,
    style: Style,
    point: Point,
    /// Whether the API accepts no other one either.
    for_good: bool,
}

/// Both grants, at every point, in every style.
pub fn endings() -> Vec<Ending> {
    let mut all = Vec::new();
    for grant in GRANTS {
        for style in STYLES {
            for point in style.points() {
                for for_good in [false, true] {
                    all.push(Ending {
                        number: all.len(),
                        grant,
                        style,
                        point: *point,
                        for_good,
                    });
                }
            }
        }
    }
    all
}

/// A token is replaced once a request; one that is new and not accepted is an error.
pub fn check_ending(ending: &Ending, session: &mut Session) -> Result<(), String> {
    let Ending {
        number,
        grant,
        style,
        point,
        for_good,
    } = ending;
    let page = style.page(*point);
    let mut items = style.route();
    items["require"] = json!({"token_of": "/token"});
    items["faults"] = json!([{
        "kind": "status", "status": 401, "body": "{\"message\": \"the token has expired\"}",
        "on_page": page, "times": u8::from(!for_good),
    }]);
    let mut token = token_route();
    // A refresh token is good for one use.
    token["tokens"]["rotate"] = json!(true);
    let scenario = json!({"routes": {"/token": token, "/items": items, "/healthy": healthy()}});
    let api = Api::new(&format!("faults_ended_{number}"), &scenario);
    session.run(&format!(
        "CREATE SERVER ended_{number} FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{0}', {1}, token_url '{0}/token');
         {2};
         CREATE FOREIGN TABLE ended_{number} (id int, title text, state text) SERVER ended_{number}
           OPTIONS (endpoint '/items', key 'id'{3});
         CREATE FOREIGN TABLE healthy_{number} (id int) SERVER ended_{number} OPTIONS (endpoint '/healthy')",
        api.url(),
        grant.auth(),
        grant.mapping(&format!("ended_{number}")),
        style.options(),
    ));
    let outcome = session.outcome(&format!("{READ} ended_{number}"));
    let requests = api.take_requests();
    let next = session.outcome(&format!("SELECT count(*), sum(id) FROM healthy_{number}"));
    let after = api.take_requests();
    session.run(&format!("DROP SERVER ended_{number} CASCADE"));
    session.notices();
    let tokens = requests.iter().filter(|line| line.contains("/token"));
    let is_right = match &outcome {
        Ok(rows) => !for_good && *rows == [right(*style)] && requests.len() == style.requests() + 3,
        Err(error) => {
            let place = format!("page {page} of GET http");
            *for_good
                && error.code == "28000"
                && error.message == "the API answered with status 401"
                && error.detail.contains(&place)
                && error
                    .detail
                    .ends_with("the API says: the token has expired")
        }
    };
    let goes_on = next.as_deref() == Ok(&["7|28".to_owned()]) && after == ["GET /healthy"];
    if is_right && goes_on && tokens.count() == 2 {
        return Ok(());
    }
    Err(format!(
        "{grant:?}, {style:?}, {point:?}, for good {for_good}: {outcome:?} by {requests:?}; then {next:?} by {after:?}"
    ))
}

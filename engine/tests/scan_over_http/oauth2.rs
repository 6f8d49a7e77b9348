//! Access tokens: who asks for them, when, and what happens where they are refused.

use crate::server::{Act, Received, Reply, Server, json, reply, rows};
use crate::stage::{client_with, next, range, read, spec, table, until};
use rest_engine::Error;
use rest_engine::http::{Client, Egress};
use rest_engine::model::{Auth, ClientAuth, Credentials, Grant, OAuth2, Secret, Table};
use rest_engine::request::Inputs;
use rest_engine::scan::{Scan, Statistics};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECRET: &str = "Zx9Q-secret";
const REFRESH: &str = "Zx9Q-refresh";

fn credentials() -> Credentials {
    Credentials {
        client_id: Some(Secret::new("app")),
        client_secret: Some(Secret::new(SECRET)),
        refresh_token: Some(Secret::new(REFRESH)),
        ..Credentials::default()
    }
}

/// A table of `api` that signs in at `/token` of `login`.
fn signed(api: &Server, login: &Server, grant: Grant) -> Table {
    let mut table = table(&api.url());
    table.source.auth = Some(Auth::OAuth2(OAuth2 {
        grant,
        token_url: format!("{}/token", login.url()),
        scope: None,
        client_auth: ClientAuth::Basic,
        scheme: None,
    }));
    table
}

fn token(name: &str) -> Reply {
    json(format!(
        r#"{{"access_token": "{name}", "token_type": "Bearer", "expires_in": 3600}}"#
    ))
}

/// Issues `Zx9Q-token-0`, `Zx9Q-token-1`, …
fn issuing() -> Server {
    Server::start(|request| token(&format!("Zx9Q-token-{}", request.index)))
}

/// Three rows for whoever shows one of these tokens, and 401 for everybody else.
fn accepting(tokens: &'static [&'static str]) -> Server {
    Server::start(move |request| match bearer(request) {
        Some(token) if tokens.contains(&token.as_str()) => json(rows(1, 3)),
        other => reply(
            401,
            &[],
            format!(
                r#"{{"message": "{} is not accepted"}}"#,
                other.unwrap_or_default()
            ),
        ),
    })
}

fn bearer(request: &Received) -> Option<String> {
    let shown = request.header("authorization")?;
    Some(shown.strip_prefix("Bearer ")?.to_owned())
}

fn client(table: &Table) -> Arc<Client> {
    client_with(table, credentials()).unwrap()
}

fn scan(client: &Arc<Client>, table: &Table) -> (Vec<i64>, Option<Error>, Statistics, Vec<String>) {
    let mut scan = Scan::start(Arc::clone(client), spec(table)).unwrap();
    let (ids, error) = read(&mut scan);
    let log = scan.take_log().iter().map(ToString::to_string).collect();
    (ids, error, scan.statistics(), log)
}

#[test]
fn one_token_serves_all_scans_and_each_side_sees_only_its_own_secret() {
    let (api, login) = (accepting(&["Zx9Q-token-0"]), issuing());
    let table = signed(&api, &login, Grant::ClientCredentials);
    let client = client(&table);
    let (ids, error, statistics, log) = scan(&client, &table);
    assert_eq!((ids, error), (range(1, 3), None));
    assert_eq!(statistics.requests, 2, "the token's request counts");
    assert!(
        log[0].starts_with(&format!("POST {}/token -> 200", login.url())),
        "{log:?}"
    );
    for _ in 0..3 {
        assert_eq!(scan(&client, &table).2.requests, 1);
    }
    let asked = login.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, "grant_type=client_credentials");
    // base64 of app:Zx9Q-secret
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic YXBwOlp4OVEtc2VjcmV0")
    );
    for request in api.requests() {
        assert!(!request.head.contains(SECRET) && !request.head.contains("YXBw"));
    }
}

#[test]
fn many_requests_at_once_ask_for_one_token() {
    let api = accepting(&["Zx9Q-token-0"]);
    let login = Server::start(|request| {
        let mut slowly = vec![Act::Pause(Duration::from_millis(50))];
        slowly.extend(token(&format!("Zx9Q-token-{}", request.index)));
        slowly
    });
    let table = signed(&api, &login, Grant::ClientCredentials);
    let mut many = spec(&table);
    many.requests = vec![Inputs::default(); 12];
    let mut scan = Scan::start(client(&table), many).unwrap();
    let (ids, error) = read(&mut scan);
    assert_eq!((ids.len(), error), (36, None));
    assert_eq!(login.targets(), ["/token"]);
}

#[test]
fn a_token_that_is_refused_is_replaced_once_and_the_request_repeated_once() {
    let (api, login) = (accepting(&["Zx9Q-token-1"]), issuing());
    let table = signed(&api, &login, Grant::RefreshToken);
    let client = client(&table);
    let (ids, error, statistics, log) = scan(&client, &table);
    assert_eq!((ids, error), (range(1, 3), None));
    assert_eq!((statistics.requests, statistics.retries), (4, 0));
    let statuses: Vec<bool> = ["200", "401", "200", "200"]
        .iter()
        .zip(&log)
        .map(|(status, line)| line.contains(status))
        .collect();
    assert_eq!(statuses, [true; 4], "{log:?}");
    assert_eq!(scan(&client, &table).2.requests, 1);
    assert_eq!(api.targets().len(), 3);
    let shown = format!("grant_type=refresh_token&refresh_token={REFRESH}");
    assert!(login.requests().iter().all(|asked| asked.body == shown));
}

#[test]
fn an_api_that_refuses_the_new_token_too_is_not_asked_again() {
    let (api, login) = (accepting(&[]), issuing());
    let table = signed(&api, &login, Grant::ClientCredentials);
    let (_, error, _, log) = scan(&client(&table), &table);
    let Some(Error::Status {
        status, message, ..
    }) = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(*status, 401);
    assert_eq!((api.targets().len(), login.targets().len()), (2, 2));
    // The API repeats the token.
    assert_eq!(message.as_deref(), Some("*** is not accepted"));
    assert!(!format!("{error:?} {log:?}").contains("Zx9Q"), "{log:?}");
}

#[test]
fn a_refusal_of_the_token_endpoint_is_final_and_names_it() {
    let api = accepting(&[]);
    let login = Server::start(|request| {
        let told = format!(
            r#"{{"error": "invalid_client", "error_description": "{} and {SECRET}\nare unknown"}}"#,
            request.header("authorization").unwrap()
        );
        reply(401, &[], told)
    });
    let table = signed(&api, &login, Grant::ClientCredentials);
    let (ids, error, _, log) = scan(&client(&table), &table);
    let error = error.unwrap();
    assert_eq!(
        error.to_string(),
        "could not get an access token: the token endpoint answered with status 401"
    );
    let Error::SignIn { exchange, cause } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(exchange.request, format!("POST {}/token", login.url()));
    let Error::Status { message, .. } = &**cause else {
        panic!("{cause:?}");
    };
    assert_eq!(
        message.as_deref(),
        Some("invalid_client: Basic *** and *** are unknown")
    );
    assert!(!format!("{error:?} {log:?}").contains("Zx9Q"));
    assert_eq!((ids.len(), login.targets().len()), (0, 1));
    assert_eq!(api.connections(), 0, "nothing was asked of the API");
}

#[test]
fn an_endpoint_that_is_busy_is_asked_again() {
    let api = accepting(&["Zx9Q-token-2"]);
    let login = Server::start(|request| match request.index {
        0 => reply(429, &[("retry-after", "0")], "{}"),
        1 => reply(503, &[], "<html>"),
        index => token(&format!("Zx9Q-token-{index}")),
    });
    let table = signed(&api, &login, Grant::ClientCredentials);
    let (ids, error, statistics, _) = scan(&client(&table), &table);
    assert_eq!((ids, error), (range(1, 3), None));
    assert_eq!((statistics.requests, statistics.retries), (4, 2));
}

#[test]
fn an_endpoint_that_stays_away_is_not_asked_for_ever() {
    let api = accepting(&[]);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut table = table(&api.url());
    let url = format!("http://{}/token", gone.local_addr().unwrap());
    drop(gone);
    table.source.auth = Some(Auth::OAuth2(OAuth2 {
        grant: Grant::ClientCredentials,
        token_url: url.clone(),
        scope: None,
        client_auth: ClientAuth::Post,
        scheme: None,
    }));
    let (_, error, statistics, _) = scan(&client(&table), &table);
    let error = error.unwrap();
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert_eq!(error.exchange().unwrap().request, format!("POST {url}"));
    assert_eq!((statistics.requests, statistics.retries), (3, 2));
}

/// What the token endpoint says, as it is told.
fn told(error: Option<Error>) -> Option<String> {
    let Some(Error::SignIn { cause, .. }) = error else {
        panic!("{error:?}");
    };
    match *cause {
        Error::Status { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endpoint_that_asks_to_wait_for_too_long_and_a_page_of_html_are_quoted() {
    let waiting = |body: &'static str| {
        let (api, login) = (
            accepting(&[]),
            Server::start(move |_| reply(429, &[("retry-after", "3600")], body)),
        );
        let table = signed(&api, &login, Grant::ClientCredentials);
        let error = scan(&client(&table), &table).1;
        assert_eq!(login.targets().len(), 1);
        told(error)
    };
    let why = "it asks to be called again in 3600 s, which is longer than option \"max_retry_time\" allows";
    assert_eq!(waiting("").as_deref(), Some(why));
    let said = waiting(r#"{"error": "slow_down"}"#);
    assert_eq!(said, Some(format!("slow_down ({why})")));
    let api = accepting(&[]);
    let login = Server::start(|_| {
        reply(
            403,
            &[],
            "<html><title>Zx9Q-secret is barred</title></html>",
        )
    });
    let table = signed(&api, &login, Grant::ClientCredentials);
    let error = scan(&client(&table), &table).1;
    assert_eq!(told(error).as_deref(), Some("*** is barred"));
}

#[test]
fn an_answer_without_its_end_is_asked_for_again_where_that_changes_nothing() {
    for (grant, requests) in [(Grant::ClientCredentials, 2), (Grant::RefreshToken, 1)] {
        let api = accepting(&["Zx9Q-token-1"]);
        let login = Server::start(|request| match request.index {
            0 => json(r#"{"access_token": "Zx9Q-token-0", "token_type": "Bea"#),
            index => token(&format!("Zx9Q-token-{index}")),
        });
        let table = signed(&api, &login, grant);
        let (ids, error, ..) = scan(&client(&table), &table);
        assert_eq!(login.targets().len(), requests, "{grant:?}");
        match (grant, error) {
            (Grant::ClientCredentials, None) => assert_eq!(ids, range(1, 3)),
            (Grant::RefreshToken, Some(error)) => assert_eq!(
                error.to_string(),
                "could not get an access token: the response was cut off: the body ended within the JSON document"
            ),
            (_, error) => panic!("{grant:?}: {error:?}"),
        }
    }
}

#[test]
fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let (api, elsewhere) = (accepting(&[]), issuing());
    let target = elsewhere.url();
    let login = Server::start(move |_| reply(307, &[("location", &target)], ""));
    let table = signed(&api, &login, Grant::ClientCredentials);
    let (_, error, ..) = scan(&client(&table), &table);
    assert!(format!("{error:?}").contains("it redirects"), "{error:?}");
    assert_eq!((login.targets().len(), elsewhere.connections()), (1, 0));
}

#[test]
fn what_is_no_token_is_an_error_that_says_so() {
    for (answer, reason) in [
        ("<html>", "its answer is not a JSON object"),
        ("", "its answer is empty"),
        ("{}", "its answer holds no \"access_token\""),
        (
            r#"{"error": "no", "error_description": "Zx9Q-refresh"}"#,
            "no: ***",
        ),
        ("{\"access_token\": \"a\\nb\"}", "cannot carry"),
    ] {
        let api = accepting(&[]);
        let login = Server::start(move |_| json(answer));
        let table = signed(&api, &login, Grant::RefreshToken);
        let (_, error, ..) = scan(&client(&table), &table);
        let error = error.unwrap().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(api.connections(), 0);
    }
}

#[test]
fn the_scan_ends_at_once_where_the_token_endpoint_stalls() {
    let api = accepting(&[]);
    let login = Server::start(|_| vec![Act::Stall]);
    let table = signed(&api, &login, Grant::ClientCredentials);
    let client = client(&table);
    // The second one waits for the first one's request.
    let mut scans: Vec<Scan> = (0..2)
        .map(|_| Scan::start(Arc::clone(&client), spec(&table)).unwrap())
        .collect();
    assert!(until(|| login.targets().len() == 1));
    std::thread::sleep(Duration::from_millis(30));
    for scan in scans.drain(..).rev() {
        let dropped = Instant::now();
        drop(scan);
        assert!(dropped.elapsed() < Duration::from_secs(2));
    }
    assert_eq!(login.targets().len(), 1);
}

#[test]
fn where_the_scan_that_asks_is_given_up_the_one_that_waits_asks_itself() {
    let api = accepting(&["Zx9Q-token-1"]);
    let login = Server::start(|request| match request.index {
        0 => vec![Act::Stall],
        index => token(&format!("Zx9Q-token-{index}")),
    });
    let table = signed(&api, &login, Grant::ClientCredentials);
    let client = client(&table);
    let first = Scan::start(Arc::clone(&client), spec(&table)).unwrap();
    assert!(until(|| login.targets().len() == 1));
    let mut second = Scan::start(Arc::clone(&client), spec(&table)).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    drop(first);
    assert_eq!(next(&mut second).unwrap().unwrap().rows, 3);
}

#[test]
fn the_token_endpoint_is_no_way_around_the_rules_for_hosts() {
    let (api, login) = (accepting(&[]), issuing());
    let mut table = signed(&api, &login, Grant::ClientCredentials);
    table.source.base_url = "http://api.test".to_owned();
    let only_the_api = Egress::restricted("api.test").unwrap();
    let client = Client::new(&table.source, credentials(), only_the_api).unwrap();
    let (_, error, ..) = scan(&Arc::new(client), &table);
    let Some(Error::SignIn { cause, .. }) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(**cause, Error::Forbidden { .. }), "{cause:?}");
    assert_eq!(login.connections(), 0);
}

#[test]
fn a_new_client_of_the_same_user_goes_on_with_the_tokens() {
    let (api, login) = (accepting(&["Zx9Q-token-0"]), issuing());
    let mut table = signed(&api, &login, Grant::ClientCredentials);
    let old = client(&table);
    assert_eq!(scan(&old, &table).1, None);
    table.source.timeout = Duration::from_secs(9);
    let mut new = Client::new(&table.source, credentials(), Egress::unrestricted()).unwrap();
    new.continue_sign_in(&old);
    assert_eq!(scan(&Arc::new(new), &table).1, None);
    assert_eq!(login.targets().len(), 1);
    // Not where it signs in in another way.
    if let Some(Auth::OAuth2(oauth2)) = &mut table.source.auth {
        oauth2.scope = Some("other".to_owned());
    }
    let mut other = Client::new(&table.source, credentials(), Egress::unrestricted()).unwrap();
    other.continue_sign_in(&old);
    let _ = scan(&Arc::new(other), &table);
    assert!(login.requests()[1].body.contains("scope=other"));
}

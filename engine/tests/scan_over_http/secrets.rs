//! Secrets reach the API, each in its place, and nothing else: no error, no log, no statistics.

use crate::server::{Act, Received, Reply, Server, cut, json, reply};
use crate::stage::{client_with, next_url, read, spec};
use rest_engine::Error;
use rest_engine::model::{Auth, Credentials, KeyPlace, Secret, Table};
use rest_engine::scan::Scan;
use std::net::TcpListener;

/// Awkward in every encoding; its first letters stand nowhere else.
const SECRET: &str = "Zx9Q/+%=&\"^~7";
const TELLTALE: &str = "Zx9Q";

fn secret() -> Option<Secret> {
    Some(Secret::new(SECRET))
}

fn key(place: KeyPlace) -> Option<Auth> {
    Some(Auth::ApiKey {
        name: "apikey".to_owned(),
        place,
    })
}

/// All kinds of sign-in.
fn kinds() -> Vec<(Option<Auth>, Credentials)> {
    let none = Credentials::default();
    vec![
        (
            None,
            Credentials {
                token: secret(),
                ..none.clone()
            },
        ),
        (
            None,
            Credentials {
                username: Some(Secret::new("Zx9Q-user")),
                password: secret(),
                ..none.clone()
            },
        ),
        (
            key(KeyPlace::Header),
            Credentials {
                api_key: secret(),
                ..none.clone()
            },
        ),
        (
            key(KeyPlace::Query),
            Credentials {
                api_key: secret(),
                ..none.clone()
            },
        ),
        (
            key(KeyPlace::Cookie),
            Credentials {
                api_key: secret(),
                ..none.clone()
            },
        ),
        (
            None,
            Credentials {
                headers: vec![("X-Tenant".to_owned(), Secret::new(SECRET))],
                ..none
            },
        ),
    ]
}

fn start(mut table: Table, auth: Option<Auth>, credentials: Credentials) -> Scan {
    table.source.auth = auth;
    table.source.retry.max_retries = 0;
    Scan::start(client_with(&table, credentials).unwrap(), spec(&table)).unwrap()
}

#[test]
fn each_kind_reaches_the_api_in_its_place() {
    let server = Server::start(|_| json(r#"{"items": []}"#));
    for (auth, credentials) in kinds() {
        assert_eq!(
            read(&mut start(next_url(&server.url()), auth, credentials)).1,
            None
        );
    }
    let sent = server.requests();
    assert_eq!(
        sent[0].header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    assert!(
        sent[1]
            .header("authorization")
            .unwrap()
            .starts_with("Basic Wng5US11c2Vy")
    );
    assert_eq!(sent[2].header("apikey"), Some(SECRET));
    assert_eq!(sent[3].target, "/items?apikey=Zx9Q%2F%2B%25%3D%26%22%5E~7");
    assert_eq!(
        sent[4].header("cookie"),
        Some(format!("apikey={SECRET}").as_str())
    );
    assert_eq!(sent[5].header("x-tenant"), Some(SECRET));
}

/// What the API knows of the secret, to say it back: the sent target, and the whole head.
fn echo(request: &Received) -> String {
    serde_json::to_string(&format!("{SECRET} {} {}", request.target, request.head)).unwrap()
}

type Answer = fn(&Received) -> Reply;

/// Ways to fail, each of which repeats the secret where it can.
fn failures() -> Vec<(&'static str, Answer)> {
    vec![
        ("status", |request| {
            reply(403, &[], format!(r#"{{"message": {}}}"#, echo(request)))
        }),
        ("plain status", |request| {
            reply(401, &[], format!("bad key {SECRET} in {}", request.target))
        }),
        ("html status", |request| {
            reply(
                500,
                &[],
                format!("<title>{SECRET} {}</title>", request.target),
            )
        }),
        ("long status", |_| {
            reply(400, &[], format!("{}{SECRET}", "x".repeat(494)))
        }),
        ("reason", |_| {
            vec![Act::Send(
                format!("HTTP/1.1 400 {TELLTALE}\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            )]
        }),
        ("not http", |_| {
            vec![
                Act::Send(format!("{SECRET}\r\n\r\n").into_bytes()),
                Act::Close,
            ]
        }),
        ("closed", |_| vec![Act::Close]),
        ("cut off", |request| {
            cut(
                json(format!(r#"{{"items": [{}"#, echo(request))),
                80,
                Act::Close,
            )
        }),
        ("not json", |_| json(format!("{SECRET} is no JSON"))),
        ("no rows", |request| {
            json(
                format!(r#"{{"{TELLTALE}": 1, "items": {}}}"#, echo(request))
                    .replace(TELLTALE, "other"),
            )
        }),
        ("value", |request| {
            json(format!(
                r#"{{"items": [{{"id": {}, "name": "a"}}]}}"#,
                echo(request)
            ))
        }),
        ("short value", |_| {
            json(format!(
                r#"{{"items": [{{"id": {}, "name": "a"}}]}}"#,
                serde_json::to_string(SECRET).unwrap()
            ))
        }),
        ("long value", |_| {
            let long = format!("{}{SECRET}", "y".repeat(90));
            json(format!(
                r#"{{"items": [{{"id": {}, "name": "a"}}]}}"#,
                serde_json::to_string(&long).unwrap()
            ))
        }),
        ("redirect away", |request| {
            let query = request
                .target
                .split_once('?')
                .map_or("", |(_, query)| query);
            reply(
                302,
                &[(
                    "location",
                    &format!("http://other.test/?{query}&k={SECRET}"),
                )],
                "",
            )
        }),
        ("redirect circle", |request| {
            reply(302, &[("location", &request.target)], "")
        }),
        ("next elsewhere", |request| {
            let query = request
                .target
                .split_once('?')
                .map_or("", |(_, query)| query)
                .to_owned();
            json(format!(
                r#"{{"items": [], "next": {}}}"#,
                serde_json::to_string(&format!("http://other.test/?{query}")).unwrap()
            ))
        }),
        ("page loop", |request| {
            json(format!(
                r#"{{"items": [], "next": {}}}"#,
                serde_json::to_string(&request.target).unwrap()
            ))
        }),
        ("next is no url", |_| {
            json(format!(
                r#"{{"items": [], "next": {}}}"#,
                serde_json::to_string(&format!("ftp://{SECRET}")).unwrap()
            ))
        }),
    ]
}

#[test]
fn no_way_to_fail_shows_a_secret() {
    for (name, answer) in failures() {
        let server = Server::start(answer);
        for (auth, credentials) in kinds() {
            let mut scan = start(next_url(&server.url()), auth.clone(), credentials);
            let (_, error) = read(&mut scan);
            shows_nothing(&format!("{name} {auth:?}"), &error.expect(name), &mut scan);
        }
    }
}

#[test]
fn nor_does_a_server_that_is_not_there() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for url in [format!("http://{address}"), format!("https://{address}")] {
        for (auth, credentials) in kinds() {
            let mut scan = start(next_url(&url), auth.clone(), credentials);
            let (_, error) = read(&mut scan);
            shows_nothing(&format!("{url} {auth:?}"), &error.unwrap(), &mut scan);
        }
    }
}

fn shows_nothing(name: &str, error: &Error, scan: &mut Scan) {
    let shown = format!(
        "{error}\n{error:?}\n{:?}\n{:?}\n{scan:?}",
        scan.statistics(),
        scan.take_log()
    );
    assert!(!shown.contains(TELLTALE), "{name}: {shown}");
    assert!(!shown.contains("Wng5US11c2Vy"), "{name}: {shown}");
}

#[test]
fn a_link_that_repeats_the_key_sends_it_once() {
    let server = Server::start(|request| match request.parameter("page") {
        None => json(r#"{"items": [], "next": "/items?page=2&apikey=old"}"#),
        Some(_) => json(r#"{"items": []}"#),
    });
    let credentials = Credentials {
        api_key: Some(Secret::new("k7")),
        ..Credentials::default()
    };
    assert_eq!(
        read(&mut start(
            next_url(&server.url()),
            key(KeyPlace::Query),
            credentials
        ))
        .1,
        None
    );
    assert_eq!(
        server.targets(),
        ["/items?apikey=k7", "/items?page=2&apikey=k7"]
    );
}

//! A cursor that the API does not know any more: the scan starts over if nobody has seen a row, and says so if not.

use crate::server::{Act, Received, Reply, Server, json, reply, rows};
use crate::stage::{client, failure, next, next_url, range, read, read_all, scan, spec};
use rest_engine::Error;
use rest_engine::model::{Location, Paging, Table};
use rest_engine::request::Inputs;
use rest_engine::scan::Scan;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn by_cursor(base_url: &str) -> Table {
    Table {
        paging: Paging::Cursor {
            param: "cursor".to_owned(),
            at: Location::Body(vec!["next".to_owned()]),
        },
        ..next_url(base_url)
    }
}

/// Three pages of these sizes, whose cursors have a time of their own: `1-0`, `2-0` of the first round.
fn page(request: &Received, sizes: [usize; 3], round: usize) -> Reply {
    let number: usize = request
        .parameter("cursor")
        .map_or(0, |cursor| cursor[..1].parse().unwrap());
    let next = match number {
        2 => "null".to_owned(),
        _ => format!("\"{}-{round}\"", number + 1),
    };
    let items = rows(sizes[..number].iter().sum(), sizes[number]);
    json(format!(r#"{{"items": {items}, "next": {next}}}"#))
}

fn gone() -> Reply {
    reply(
        410,
        &[],
        r#"{"message": "The provided continue parameter is too old"}"#,
    )
}

fn cursors(server: &Server) -> Vec<String> {
    let cursor = |request: &Received| request.parameter("cursor").unwrap_or("first").to_owned();
    server.requests().iter().map(cursor).collect()
}

#[test]
fn before_the_first_row_the_scan_starts_over() {
    let server = Server::start(|request| match request.parameter("cursor") {
        Some("2-0") => gone(),
        _ => page(request, [0, 0, 5], request.index / 3),
    });
    assert_eq!(read_all(&by_cursor(&server.url())), range(0, 5));
    assert_eq!(
        cursors(&server),
        ["first", "1-0", "2-0", "first", "1-1", "2-1"]
    );
}

#[test]
fn rows_that_nobody_has_taken_yet_are_read_again_and_come_once() {
    let again = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&again);
    let expired = AtomicBool::new(false);
    let server = Server::start(move |request| {
        let is_second = request.parameter("k") == Some("1");
        let seen = Arc::clone(&seen);
        match request.parameter("cursor") {
            // The rows of the first chain come when the second one was read again.
            None if !is_second => {
                let whole = json(format!(r#"{{"items": {}}}"#, rows(0, 5)));
                let wait = Act::Until(Box::new(move || seen.load(Ordering::SeqCst)));
                std::iter::once(wait).chain(whole).collect()
            }
            None => json(format!(r#"{{"items": {}, "next": "x"}}"#, rows(5, 5))),
            Some(_) if !expired.swap(true, Ordering::SeqCst) => gone(),
            Some(_) => {
                seen.store(true, Ordering::SeqCst);
                json(format!(r#"{{"items": {}}}"#, rows(10, 5)))
            }
        }
    });
    let table = by_cursor(&server.url());
    let chain = |k: usize| Inputs {
        query: vec![("k".to_owned(), k.to_string())],
        ..Inputs::default()
    };
    let mut spec = spec(&table);
    spec.requests = vec![chain(0), chain(1)];
    let mut scan = Scan::start(client(&table), spec).unwrap();
    assert_eq!(read(&mut scan), (range(0, 15), None));
    assert_eq!(server.targets().len(), 5);
}

#[test]
fn after_a_row_it_is_an_error_that_says_why() {
    let server = Server::start(|request| match request.parameter("cursor") {
        Some("1-0") => page(request, [300, 300, 5], 0),
        Some(_) => gone(),
        None => page(request, [300, 300, 5], 0),
    });
    let mut scan = scan(&by_cursor(&server.url()));
    next(&mut scan).unwrap().unwrap();
    let (_, error) = read(&mut scan);
    let error = error.unwrap();
    assert_eq!(
        error.to_string(),
        "the cursor of the next page has expired: rows before it were returned already, so the scan cannot start over"
    );
    assert!(
        matches!(&error, Error::Expired { status: 410, message: Some(text), exchange, .. }
            if text.contains("too old") && exchange.page == 3),
        "{error:?}"
    );
}

#[test]
fn it_starts_over_once() {
    let server = Server::start(|request| match request.parameter("cursor") {
        Some(cursor) if cursor.starts_with('2') => gone(),
        _ => page(request, [0, 0, 5], 0),
    });
    let error = failure(&by_cursor(&server.url())).to_string();
    assert!(error.ends_with("it expired again"), "{error}");
    assert_eq!(server.targets().len(), 6);
}

#[test]
fn which_statuses_mean_it_is_declared_and_the_first_page_never_does() {
    let server = Server::start(|request| match request.index {
        2 => reply(400, &[], "no such cursor"),
        index => page(request, [0, 0, 5], index / 3),
    });
    let mut table = by_cursor(&server.url());
    table.expired_on = vec![400];
    assert_eq!(read_all(&table), range(0, 5));
    let server = Server::start(|_| gone());
    assert!(matches!(
        failure(&by_cursor(&server.url())),
        Error::Status { status: 410, .. }
    ));
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn an_empty_status_of_a_later_page_does_not_cut_what_was_promised() {
    let server = Server::start(|request| match request.parameter("cursor") {
        None => json(format!(
            r#"{{"items": {}, "next": "x", "total": 9}}"#,
            rows(0, 5)
        )),
        Some(_) => reply(404, &[], ""),
    });
    let mut table = by_cursor(&server.url());
    table.empty_on = vec![404];
    assert_eq!(read_all(&table), range(0, 5));
    table.total_field = Some(vec!["total".to_owned()]);
    let (ids, error) = read(&mut scan(&table));
    assert_eq!(ids, range(0, 5));
    let error = error.unwrap().to_string();
    assert!(error.contains("a total of 9 rows, but sent 5"), "{error}");
}

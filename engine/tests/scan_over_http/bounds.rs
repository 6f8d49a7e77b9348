//! Bounds are errors that name their option, never a cut; and what was delivered before stays delivered.

use crate::server::{Server, json, reply, rows};
use crate::stage::{client, failure, numbered, range, read, read_all, scan, spec, table};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rest_engine::Error;
use rest_engine::scan::{Scan, StatementBudget};
use std::sync::Arc;

/// Pages of ten rows without end.
fn endless() -> Server {
    Server::start(|request| {
        let page: usize = request.parameter("page").unwrap().parse().unwrap();
        json(rows((page - 1) * 10, 10))
    })
}

fn limit(error: Option<Error>) -> (String, u64) {
    match error {
        Some(Error::Limit { what, limit, .. }) => (what, limit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages() {
    let server = endless();
    let mut table = numbered(&server.url());
    table.source.max_pages = Some(3);
    let (ids, error) = read(&mut scan(&table));
    assert_eq!(ids, range(0, 30));
    let (what, bound) = limit(error);
    assert!(
        what.contains("\"max_pages\"") && bound == 3,
        "{what} {bound}"
    );
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn requests_of_the_server_and_of_the_statement() {
    let server = endless();
    let mut table = numbered(&server.url());
    table.source.max_requests = Some(4);
    let (ids, error) = read(&mut scan(&table));
    assert_eq!(ids, range(0, 40));
    let (what, bound) = limit(error);
    assert!(
        what.contains("\"max_requests\"") && bound == 4,
        "{what} {bound}"
    );

    let mut spec = spec(&table);
    spec.budget = Some(Arc::new(StatementBudget::new(2)));
    let (ids, error) = read(&mut Scan::start(client(&table), spec).unwrap());
    assert_eq!(ids, range(0, 20));
    let (what, bound) = limit(error);
    assert!(
        what.contains("rest_fdw.max_requests") && bound == 2,
        "{what} {bound}"
    );
    assert_eq!(server.targets().len(), 6);
}

#[test]
fn a_retry_is_a_request() {
    let server = Server::start(|_| reply(503, &[], ""));
    let mut table = table(&server.url());
    table.source.max_requests = Some(2);
    limit(Some(failure(&table)));
    assert_eq!(server.targets().len(), 2);
}

#[test]
fn a_bound_that_is_met_exactly_is_no_error() {
    let server = Server::start(|request| {
        json(if request.index < 2 {
            rows(request.index, 1)
        } else {
            rows(0, 0)
        })
    });
    let mut table = numbered(&server.url());
    table.source.max_pages = Some(3);
    table.source.max_requests = Some(3);
    assert_eq!(read_all(&table), [0, 1]);
}

#[test]
fn bytes_of_a_response() {
    let body = rows(0, 1000);
    let length = body.len() as u64;
    let server = Server::start(move |_| json(&body));
    let mut table = table(&server.url());
    table.source.max_response_bytes = length;
    assert_eq!(read_all(&table), range(0, 1000));
    table.source.max_response_bytes = length - 1;
    let error = failure(&table);
    assert!(
        matches!(error, Error::TooLarge { limit, .. } if limit == length - 1),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 2, "it is not tried again");
}

/// `[{"id": 1, "name": "a"}]`, compressed.
const SMALL: &str = "H4sIAAAAAAACA4uuVspMUbJSMNRRUMpLzE0FMpUSlWpjAWtEl9EYAAAA";
/// One MiB of spaces after a bracket, compressed.
const BOMB: &str = "\
    H4sIAAAAAAACA+3BsQAAAAACMJW88vcIondbAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABwGvJ+250BABAA";

fn compressed(text: &str) -> Server {
    let body = STANDARD.decode(text).unwrap();
    Server::start(move |_| reply(200, &[("content-encoding", "gzip")], &body))
}

#[test]
fn compressed_bodies_are_read() {
    let server = compressed(SMALL);
    let mut scan = scan(&table(&server.url()));
    assert_eq!(read(&mut scan), (vec![1], None));
    assert_eq!(scan.statistics().bytes, 24);
}

#[test]
fn a_compressed_bomb_stops_at_the_bound_of_what_it_becomes() {
    let server = compressed(BOMB);
    let mut table = table(&server.url());
    table.source.max_response_bytes = 300_000;
    let mut scan = scan(&table);
    let error = read(&mut scan).1.unwrap();
    assert!(
        matches!(error, Error::TooLarge { limit: 300_000, .. }),
        "{error:?}"
    );
    assert!(
        scan.statistics().bytes <= 300_000,
        "{}",
        scan.statistics().bytes
    );
}

#[test]
fn damaged_and_short_compressed_bodies_are_errors() {
    let mut body = STANDARD.decode(SMALL).unwrap();
    let short = body[..body.len() - 9].to_vec();
    let server = Server::start(move |_| reply(200, &[("content-encoding", "gzip")], &short));
    assert!(matches!(
        failure(&table(&server.url())),
        Error::Truncated { .. }
    ));

    let at = body.len() - 6;
    body[at] ^= 0xff;
    let server = Server::start(move |_| reply(200, &[("content-encoding", "gzip")], &body));
    let error = failure(&table(&server.url()));
    assert!(
        matches!(&error, Error::Body { reason, .. } if reason.contains("compressed")),
        "{error:?}"
    );
}

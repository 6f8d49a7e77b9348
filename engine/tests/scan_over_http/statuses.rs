//! What statuses, empty pages and pages in the wrong form mean.

use crate::server::{Server, json, reply, rows};
use crate::stage::{client, failure, next_url, numbered, read, read_all, scan, spec, table};
use rest_engine::Error;
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, Scan};

fn message(error: Error) -> (u16, Option<String>) {
    match error {
        Error::Status {
            status, message, ..
        } => (status, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_carries_the_apis_own_words_and_the_request() {
    let server = Server::start(|_| {
        reply(
            404,
            &[],
            r#"{"errors": [{"detail": "no such repository"}]}"#,
        )
    });
    let error = failure(&table(&server.url()));
    assert_eq!(
        error.exchange().unwrap().request,
        format!("GET {}/items", server.url())
    );
    assert_eq!(error.exchange().unwrap().page, 1);
    assert_eq!(message(error), (404, Some("no such repository".to_owned())));

    let html = "<!doctype html><html><head><title>Bad\ngateway</title></head></html>";
    let server = Server::start(move |_| reply(502, &[("content-type", "text/html")], html));
    assert_eq!(
        message(failure(&table(&server.url()))),
        (502, Some("Bad gateway".to_owned()))
    );
}

#[test]
fn the_declared_field_of_the_error_is_used() {
    let server = Server::start(|_| {
        reply(
            400,
            &[],
            r#"{"message": "x", "problem": {"text": "the real one"}}"#,
        )
    });
    let mut table = table(&server.url());
    table.error_field = Some(vec!["problem".to_owned(), "text".to_owned()]);
    assert_eq!(message(failure(&table)).1.as_deref(), Some("the real one"));
}

#[test]
fn a_long_message_is_shortened_and_a_huge_body_not_read() {
    let server = Server::start(|_| reply(400, &[], "x".repeat(10 << 20)));
    let mut scan = scan(&table(&server.url()));
    let error = read(&mut scan).1.unwrap();
    assert_eq!(message(error).1.unwrap().chars().count(), 501);
    assert!(scan.take_log()[0].bytes <= 64 << 10);
}

#[test]
fn a_status_that_means_no_rows_ends_the_chain_not_the_scan() {
    let server = Server::start(|request| match request.parameter("k") {
        Some("2") => reply(404, &[], "nothing"),
        Some(k) => json(rows(k.parse().unwrap(), 1)),
        None => panic!("{}", request.target),
    });
    let mut table = table(&server.url());
    table.empty_on = vec![404];
    let mut spec = spec(&table);
    spec.requests = ["1", "2", "3"].map(chain).into();
    let mut scan = Scan::start(client(&table), spec).unwrap();
    assert_eq!(read(&mut scan), (vec![1, 3], None));
    let mut targets = server.targets();
    targets.sort();
    assert_eq!(targets, ["/items?k=1", "/items?k=2", "/items?k=3"]);
    assert_eq!(
        (scan.statistics().requests, scan.statistics().pages),
        (3, 2)
    );
}

fn chain(k: &str) -> Inputs {
    Inputs {
        query: vec![("k".to_owned(), k.to_owned())],
        ..Inputs::default()
    }
}

#[test]
fn batches_tell_which_request_they_belong_to() {
    let server =
        Server::start(|request| json(rows(request.parameter("k").unwrap().parse().unwrap(), 1)));
    let table = table(&server.url());
    let mut spec = spec(&table);
    spec.requests = ["7", "8"].map(chain).into();
    let mut scan = Scan::start(client(&table), spec).unwrap();
    let mut seen = Vec::new();
    while let Some(batch) = crate::stage::next(&mut scan).unwrap() {
        seen.push((batch.request, crate::stage::ids(&batch)));
    }
    assert_eq!(seen, [(0, vec![7]), (1, vec![8])]);
}

#[test]
fn no_content_is_a_page_without_rows() {
    let server = Server::start(|request| {
        if request.index == 0 {
            json(rows(0, 1))
        } else {
            vec![no_content()]
        }
    });
    assert_eq!(read_all(&numbered(&server.url())), [0]);
    assert_eq!(server.targets().len(), 2);
}

fn no_content() -> crate::server::Act {
    crate::server::Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())
}

#[test]
fn without_requests_there_are_no_rows_and_no_thread() {
    let table = table("http://127.0.0.1:9");
    let mut spec = spec(&table);
    spec.requests.clear();
    let mut scan = Scan::start(client(&table), spec).unwrap();
    assert!(matches!(scan.poll().unwrap(), Polled::Done));
    assert_eq!(scan.statistics().requests, 0);
}

#[test]
fn an_empty_page_gives_no_batch() {
    let server = Server::start(|_| json("[]"));
    let mut scan = scan(&table(&server.url()));
    assert!(crate::stage::next(&mut scan).unwrap().is_none());
    assert_eq!(scan.statistics().pages, 1);
}

#[test]
fn a_page_loop_is_an_error_after_the_rows() {
    let server =
        Server::start(|_| json(r#"{"items": [{"id": 1, "name": "a"}], "next": "/items"}"#));
    let (ids, error) = read(&mut scan(&next_url(&server.url())));
    assert_eq!(ids, [1]);
    assert!(matches!(error, Some(Error::Paging { .. })), "{error:?}");
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn html_instead_of_json_names_the_page() {
    let server = Server::start(|request| match request.index {
        0 => json(rows(0, 1)),
        _ => reply(200, &[("content-type", "text/html")], "<html>login</html>"),
    });
    let (ids, error) = read(&mut scan(&numbered(&server.url())));
    assert_eq!(ids, [0]);
    let error = error.unwrap();
    assert!(matches!(error, Error::Body { .. }), "{error:?}");
    assert_eq!(error.exchange().unwrap().page, 2);
    assert_eq!(server.targets().len(), 2, "it is not tried again");
}

#[test]
fn a_status_that_means_no_rows_does_not_fail_for_its_body() {
    let server = Server::start(|request| match request.parameter("k") {
        Some("1") => crate::server::cut(
            reply(404, &[], "nothing here"),
            45,
            crate::server::Act::Stall,
        ),
        _ => json(rows(2, 1)),
    });
    let mut table = table(&server.url());
    table.empty_on = vec![404];
    table.source.timeout = std::time::Duration::from_millis(200);
    let mut spec = spec(&table);
    spec.requests = ["1", "2"].map(chain).into();
    let mut scan = Scan::start(client(&table), spec).unwrap();
    assert_eq!(read(&mut scan), (vec![2], None));
    let mut targets = server.targets();
    targets.sort();
    assert_eq!(targets, ["/items?k=1", "/items?k=2"]);
}

//! Reads by POST: their bodies, their pages, where they are redirected, and what is not sent again.

use crate::server::{Act, Server, cut, json, reply, rows};
use crate::stage::{failure, numbered, range, read, read_all, scan, table};
use rest_engine::Error;
use rest_engine::model::{BodyKind, BodyPlan, Method, Table};

fn posted(table: Table, method: Method) -> Table {
    Table {
        method,
        body: Some(BodyPlan {
            kind: BodyKind::Json,
            template: None,
        }),
        ..table
    }
}

#[test]
fn pages_differ_in_their_bodies() {
    for method in [Method::Post, Method::Put, Method::Query] {
        let server = Server::start(|request| match request.body.as_str() {
            r#"{"page":1}"# => json(rows(0, 2)),
            r#"{"page":2}"# => json(rows(2, 1)),
            r#"{"page":3}"# => json("[]"),
            other => panic!("{other}"),
        });
        let table = posted(numbered(&server.url()), method);
        assert_eq!(read_all(&table), range(0, 3));
        for request in server.requests() {
            assert_eq!(request.method(), method.name());
            assert_eq!(request.target, "/items");
            assert_eq!(request.header("content-type"), Some("application/json"));
        }
    }
}

#[test]
fn a_redirect_repeats_the_body_or_asks_by_get() {
    for (status, expected) in [
        (307, ("POST", r#"{"page":1}"#)),
        (308, ("POST", r#"{"page":1}"#)),
        (303, ("GET", "")),
        (302, ("GET", "")),
    ] {
        let server = Server::start(move |request| match request.target.as_str() {
            "/items" if request.index == 0 => reply(status, &[("location", "/other")], ""),
            _ => json("[]"),
        });
        read_all(&posted(numbered(&server.url()), Method::Post));
        let requests = server.requests();
        let seen = (requests[1].method(), requests[1].body.as_str());
        assert_eq!(seen, expected, "{status}");
        let has_type = requests[1].header("content-type").is_some();
        assert_eq!(has_type, expected.0 == "POST");
    }
}

#[test]
fn a_post_that_the_server_did_not_handle_is_sent_again() {
    for status in [429, 503] {
        let server = Server::start(move |request| match request.index {
            0 => reply(status, &[], "busy"),
            _ => json(rows(0, 1)),
        });
        let mut scan = scan(&posted(table(&server.url()), Method::Post));
        assert_eq!(read(&mut scan), (vec![0], None));
        assert_eq!(scan.statistics().retries, 1);
    }
}

#[test]
fn a_post_that_it_may_have_handled_is_not() {
    let closing = Server::start(|_| vec![Act::Close]);
    let error = failure(&posted(table(&closing.url()), Method::Post));
    assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
    assert_eq!(closing.requests().len(), 1);
    let failing = Server::start(|_| reply(502, &[], ""));
    failure(&posted(table(&failing.url()), Method::Post));
    assert_eq!(failing.requests().len(), 1);
    let cutting = Server::start(|_| cut(json(rows(0, 50)), 100, Act::Close));
    failure(&posted(table(&cutting.url()), Method::Post));
    assert_eq!(cutting.requests().len(), 1);
}

#[test]
fn a_put_is_sent_again() {
    let server = Server::start(|request| match request.index {
        0 => vec![Act::Close],
        _ => json(rows(0, 1)),
    });
    assert_eq!(
        read_all(&posted(table(&server.url()), Method::Put)),
        vec![0]
    );
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn errors_name_the_method_and_the_body() {
    let server = Server::start(|_| reply(400, &[], ""));
    let error = failure(&posted(numbered(&server.url()), Method::Post));
    let Error::Status { exchange, .. } = &error else {
        panic!("{error:?}")
    };
    let shown = format!(r#"POST {}/items {{"page":1}}"#, server.url());
    assert_eq!(exchange.request, shown);
}

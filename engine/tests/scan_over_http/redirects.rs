//! Redirects are followed within the own origin, and nowhere else.

use crate::server::{Server, json, reply, rows};
use crate::stage::{client_with, failure, read, read_all, spec, table};
use rest_engine::Error;
use rest_engine::model::{Credentials, Secret};
use rest_engine::scan::Scan;

#[test]
fn within_the_origin_they_are_followed_with_credentials() {
    let server = Server::start(|request| match request.target.as_str() {
        "/items" => reply(302, &[("location", "/a")], "moved"),
        "/a" => reply(307, &[("location", "b?x=1")], ""),
        "/b?x=1" => json(rows(0, 2)),
        other => panic!("{other}"),
    });
    let table = table(&server.url());
    let credentials = Credentials {
        token: Some(Secret::new("tok")),
        ..Credentials::default()
    };
    let mut scan = Scan::start(client_with(&table, credentials).unwrap(), spec(&table)).unwrap();
    assert_eq!(read(&mut scan), (vec![0, 1], None));
    assert_eq!(scan.statistics().requests, 1, "one attempt");
    assert_eq!(server.connections(), 1);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.header("authorization") == Some("Bearer tok"))
    );
}

#[test]
fn to_another_origin_they_are_refused_and_nothing_goes_there() {
    let other = Server::start(|_| json("[]"));
    let location = format!("{}/items", other.url());
    let server = Server::start(move |_| reply(301, &[("location", &location)], ""));
    let error = failure(&table(&server.url()));
    let Error::Forbidden {
        target,
        reason,
        exchange,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(target, &other.url());
    assert!(reason.contains(&server.url()), "{reason}");
    assert_eq!(exchange.request, format!("GET {}/items", server.url()));
    assert_eq!(other.connections(), 0);
    assert_eq!(server.targets().len(), 1, "it is not tried again");
}

#[test]
fn circles_and_odd_ones_are_errors() {
    let server = Server::start(|request| match request.target.as_str() {
        "/items" => reply(302, &[("location", "/b")], ""),
        _ => reply(302, &[("location", "/items")], ""),
    });
    let error = failure(&table(&server.url()));
    assert!(
        matches!(&error, Error::Status { message: Some(text), .. } if text.contains("circle")),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 2);

    let server = Server::start(|_| reply(302, &[], ""));
    assert!(matches!(
        failure(&table(&server.url())),
        Error::Status { status: 302, .. }
    ));
}

#[test]
fn the_next_page_is_relative_to_where_the_redirect_led() {
    let server = Server::start(|request| match request.target.as_str() {
        "/items" => reply(308, &[("location", "/v2/items")], ""),
        "/v2/items" => reply(200, &[("link", "<more>; rel=\"next\"")], rows(0, 1)),
        "/v2/more" => json(rows(1, 1)),
        other => panic!("{other}"),
    });
    assert_eq!(read_all(&table(&server.url())), [0, 1]);
}

//! Connections are kept, and one that the server closed meanwhile costs nothing.

use crate::server::{Act, Server, json, rows};
use crate::stage::{client, numbered, range, read, read_all, scan, spec, until};
use rest_engine::scan::Scan;
use std::sync::Arc;
use std::time::Duration;

fn five_pages() -> Server {
    Server::start(|request| {
        let page: usize = request.parameter("page").unwrap().parse().unwrap();
        json(if page <= 5 {
            rows(page * 10, 10)
        } else {
            rows(0, 0)
        })
    })
}

#[test]
fn all_pages_of_all_rescans_come_over_one() {
    let server = five_pages();
    let table = numbered(&server.url());
    let client = client(&table);
    for _ in 0..3 {
        let mut one_by_one = spec(&table);
        one_by_one.fetch_ahead = false;
        let mut scan = Scan::start(Arc::clone(&client), one_by_one).unwrap();
        assert_eq!(read(&mut scan), (range(10, 50), None));
    }
    assert_eq!(server.targets().len(), 18);
    assert_eq!(server.connections(), 1);
}

#[test]
fn idle_ones_close_when_they_are_told_to_and_the_next_scan_makes_its_own() {
    let server = five_pages();
    let table = numbered(&server.url());
    let client = client(&table);
    for connections in 1..=3 {
        let mut one_by_one = spec(&table);
        one_by_one.fetch_ahead = false;
        let mut scan = Scan::start(Arc::clone(&client), one_by_one).unwrap();
        assert_eq!(read(&mut scan), (range(10, 50), None));
        assert_eq!(server.connections(), connections);
        assert!(until(|| server.open() == 1), "one is kept");
        client.close_idle_connections();
        assert!(until(|| server.open() == 0), "none is kept");
    }
}

#[test]
fn fetching_ahead_takes_two_at_most() {
    let server = five_pages();
    assert_eq!(read_all(&numbered(&server.url())), range(10, 50));
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[test]
fn one_that_was_closed_in_silence_is_replaced_without_a_retry() {
    let server = Server::start(|request| {
        let page: usize = request.parameter("page").unwrap().parse().unwrap();
        let mut reply = json(if page <= 3 { rows(page, 1) } else { rows(0, 0) });
        // Closed at a moment at which the client holds it for usable, or has sent its next request already.
        reply.extend([
            Act::Pause(Duration::from_millis(page as u64 * 7)),
            Act::Close,
        ]);
        reply
    });
    let mut table = numbered(&server.url());
    table.source.retry.max_retries = 0;
    let mut scan = scan(&table);
    assert_eq!(read(&mut scan), (range(1, 3), None));
    assert_eq!(scan.statistics().retries, 0);
}

#[test]
fn the_request_says_who_asks_and_what_for() {
    let server = five_pages();
    read_all(&numbered(&server.url()));
    let first = &server.requests()[0];
    assert_eq!(first.header("user-agent"), Some("rest_fdw/test"));
    assert_eq!(first.header("accept"), Some("application/json"));
    assert_eq!(
        first.header("accept-encoding"),
        Some("gzip, deflate, br, zstd")
    );
    assert_eq!(
        first.header("host"),
        Some(server.address.to_string().as_str())
    );
    assert!(
        first.head.starts_with("GET /items?page=1 HTTP/1.1"),
        "{}",
        first.head
    );
}

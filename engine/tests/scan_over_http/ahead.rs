//! Pages are requested when they are needed, a few ahead where that is wanted, and delivered in order.

use crate::server::{Act, Server, cut, json, rows};
use crate::stage::{client, ids, next, numbered, range, read, scan, spec, until, wakes};
use rest_engine::model::{Location, Paging, Table};
use rest_engine::scan::{Polled, Scan};
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

/// `pages` pages of `size` rows.
fn pages(pages: usize, size: usize) -> Server {
    Server::start(move |request| {
        let page: usize = request.parameter("page").unwrap().parse().unwrap();
        json(rows(
            (page - 1) * size,
            if page <= pages { size } else { 0 },
        ))
    })
}

/// Time enough for a request that should not be made.
fn settle() {
    sleep(Duration::from_millis(150));
}

fn start(table: &Table, fetch_ahead: bool, hint: Option<u64>) -> Scan {
    let mut spec = spec(table);
    (spec.fetch_ahead, spec.hint) = (fetch_ahead, hint);
    Scan::start(client(table), spec).unwrap()
}

#[test]
fn a_consumer_that_takes_one_batch_costs_one_request() {
    for fetch_ahead in [false, true] {
        let server = pages(5, 300);
        let mut scan = start(&numbered(&server.url()), fetch_ahead, None);
        next(&mut scan).unwrap().unwrap();
        settle();
        drop(scan);
        settle();
        assert_eq!(server.targets(), ["/items?page=1"]);
    }
}

#[test]
fn asking_on_fetches_two_pages_ahead_and_no_more() {
    let server = pages(5, 300);
    let mut scan = start(&numbered(&server.url()), true, None);
    next(&mut scan).unwrap().unwrap();
    let second = next(&mut scan).unwrap().unwrap();
    assert_eq!(second.exchange.page, 1, "page 1 has more than one batch");
    let ahead = ["/items?page=1", "/items?page=2", "/items?page=3"];
    assert!(until(|| server.targets().len() == ahead.len()));
    settle();
    assert_eq!(server.targets(), ahead);
}

#[test]
fn while_the_first_page_is_read_only_the_next_one_is_fetched() {
    let server = Server::start(|request| match request.parameter("page") {
        // Its rows come, its end does not.
        Some("1") => {
            let whole = json(rows(0, 3000));
            let Act::Send(bytes) = &whole[0] else {
                panic!("bytes")
            };
            let most = bytes.len() - 1;
            cut(whole, most, Act::Stall)
        }
        _ => json(rows(3000, 10)),
    });
    let mut scan = start(&numbered(&server.url()), true, None);
    for _ in 0..2 {
        next(&mut scan).unwrap().unwrap();
    }
    assert!(until(|| server.targets().len() == 2));
    settle();
    assert_eq!(server.targets(), ["/items?page=1", "/items?page=2"]);
}

#[test]
fn without_fetching_ahead_the_next_page_waits_until_all_rows_were_taken() {
    let server = pages(2, 300);
    let mut scan = start(&numbered(&server.url()), false, None);
    let mut taken = 0;
    while taken < 300 {
        taken += next(&mut scan).unwrap().unwrap().rows;
    }
    settle();
    assert_eq!(server.targets().len(), 1);
    assert_eq!(ids(&next(&mut scan).unwrap().unwrap())[0], 300);
    assert_eq!(server.targets().len(), 2);
}

#[test]
fn nothing_is_fetched_ahead_past_the_hint() {
    let server = pages(5, 300);
    let mut scan = start(&numbered(&server.url()), true, Some(300));
    let mut taken = 0;
    while taken < 300 {
        taken += next(&mut scan).unwrap().unwrap().rows;
    }
    settle();
    assert_eq!(server.targets().len(), 1);
    assert_eq!(read(&mut scan).0, range(300, 1200), "the hint is no limit");
}

#[test]
fn short_of_the_hint_pages_are_fetched_ahead() {
    let server = pages(5, 300);
    let mut scan = start(&numbered(&server.url()), true, Some(1000));
    next(&mut scan).unwrap().unwrap();
    next(&mut scan).unwrap().unwrap();
    assert!(until(|| server.targets().len() == 2));
}

#[test]
fn nothing_is_requested_twice_or_past_the_end() {
    let server = Server::start(|request| {
        let cursor: usize = request
            .parameter("cursor")
            .map_or(0, |cursor| cursor.parse().unwrap());
        let next = if cursor < 19 {
            format!("\"{}\"", cursor + 1)
        } else {
            "null".to_owned()
        };
        json(format!(
            r#"{{"next": {next}, "items": {}}}"#,
            rows(cursor * 5, 5)
        ))
    });
    let mut table = crate::stage::next_url(&server.url());
    table.paging = Paging::Cursor {
        param: "cursor".to_owned(),
        at: Location::Body(vec!["next".to_owned()]),
    };
    let mut scan = scan(&table);
    assert_eq!(read(&mut scan), (range(0, 100), None));
    let mut targets = server.targets();
    targets.sort();
    targets.dedup();
    assert_eq!(
        (
            targets.len(),
            scan.statistics().requests,
            scan.statistics().pages
        ),
        (20, 20, 20)
    );
}

#[test]
fn pages_come_in_order_whatever_the_delays() {
    let server = Server::start(|request| {
        let page: u64 = request.parameter("page").unwrap().parse().unwrap();
        let body = rows((page as usize - 1) * 100, if page <= 30 { 100 } else { 0 });
        // A head, then pauses that differ from page to page: the later of two is often the faster.
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let (first, second) = body.as_bytes().split_at(body.len() / 2);
        let pause = |salt: u64| {
            Act::Pause(Duration::from_millis(
                page.wrapping_mul(2_654_435_761 * salt) >> 7 & 15,
            ))
        };
        vec![
            pause(1),
            Act::Send(head.into_bytes()),
            pause(3),
            Act::Send(first.to_vec()),
            pause(5),
            Act::Send(second.to_vec()),
        ]
    });
    let mut scan = scan(&numbered(&server.url()));
    assert_eq!(read(&mut scan), (range(0, 3000), None));
    assert_eq!(server.targets().len(), 31);
    assert_eq!(
        server.busiest.load(Ordering::SeqCst),
        2,
        "two requests were in flight at once"
    );
}

#[test]
fn a_single_request_in_flight_is_enough() {
    let server = pages(10, 100);
    let mut table = numbered(&server.url());
    table.source.max_concurrency = 1;
    assert_eq!(read(&mut scan(&table)), (range(0, 1000), None));
    assert_eq!(
        (server.busiest.load(Ordering::SeqCst), server.connections()),
        (1, 1)
    );
}

#[test]
fn an_error_comes_after_the_rows_of_the_pages_before_it() {
    let server = Server::start(|request| match request.parameter("page").unwrap() {
        "1" => vec![
            Act::Send(
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                    rows(0, 300).len()
                )
                .into_bytes(),
            ),
            Act::Send(rows(0, 300).as_bytes()[..6000].to_vec()),
            Act::Pause(Duration::from_millis(200)),
            Act::Send(rows(0, 300).as_bytes()[6000..].to_vec()),
        ],
        _ => crate::server::reply(400, &[], ""),
    });
    let mut scan = scan(&numbered(&server.url()));
    let (ids, error) = read(&mut scan);
    assert_eq!(ids, range(0, 300));
    assert_eq!(error.unwrap().exchange().unwrap().page, 2);
}

#[test]
fn polling_never_blocks_and_the_descriptor_tells_when_to_poll() {
    let server = Server::start(|_| {
        let mut reply = vec![Act::Pause(Duration::from_millis(100))];
        reply.extend(json("[]"));
        reply
    });
    let mut scan = scan(&numbered(&server.url()));
    assert!(matches!(scan.poll().unwrap(), Polled::Pending));
    assert!(!wakes(&scan, 0));
    assert!(wakes(&scan, 5000));
    assert!(matches!(scan.poll().unwrap(), Polled::Done));
    assert!(!wakes(&scan, 0), "polling resets it");
}

#[test]
fn statistics_count_what_happened() {
    let server = pages(3, 100);
    let mut scan = scan(&numbered(&server.url()));
    read(&mut scan);
    let statistics = scan.statistics();
    let bytes: usize = [rows(0, 100), rows(100, 100), rows(200, 100), rows(0, 0)]
        .iter()
        .map(String::len)
        .sum();
    assert_eq!(
        (
            statistics.requests,
            statistics.pages,
            statistics.rows,
            statistics.retries
        ),
        (4, 4, 300, 0)
    );
    assert_eq!(statistics.bytes, bytes as u64);
    assert_eq!(
        statistics.first_request,
        Some(format!("GET {}/items?page=1", server.url()))
    );
    let log = scan.take_log();
    assert_eq!(
        log.iter().map(|record| record.bytes).sum::<u64>(),
        bytes as u64
    );
    let last = format!("GET {}/items?page=4", server.url());
    assert_eq!(
        log.iter()
            .filter(|record| record.request == last && record.status == Some(200))
            .count(),
        1
    );
}

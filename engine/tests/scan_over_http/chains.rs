//! Many chains: read at once, as many as the source takes and the consumer wants, and delivered in their order.

use crate::server::{Act, Received, Reply, Server, json, reply, rows};
use crate::stage::{client, ids, next, numbered, range, read, table, until};
use rest_engine::Error;
use rest_engine::model::Table;
use rest_engine::request::Inputs;
use rest_engine::scan::{Scan, ScanSpec, StatementBudget};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::thread::sleep;
use std::time::Duration;

/// A scan of so many chains, told apart by `k=`, from 0 on.
fn spec(table: &Table, chains: usize) -> ScanSpec {
    let chain = |k: usize| Inputs {
        query: vec![("k".to_owned(), k.to_string())],
        ..Inputs::default()
    };
    ScanSpec {
        requests: (0..chains).map(chain).collect(),
        ..crate::stage::spec(table)
    }
}

fn start(table: &Table, chains: usize) -> Scan {
    Scan::start(client(table), spec(table, chains)).unwrap()
}

fn number(request: &Received, parameter: &str) -> usize {
    request.parameter(parameter).unwrap().parse().unwrap()
}

/// Chains of one page of one row, whose id is the chain's number.
fn single_rows() -> Server {
    Server::start(|request| json(rows(number(request, "k"), 1)))
}

fn after(milliseconds: u64, then: Reply) -> Reply {
    let mut reply = vec![Act::Pause(Duration::from_millis(milliseconds))];
    reply.extend(then);
    reply
}

/// Time enough for a request that should not be made.
fn settle() {
    sleep(Duration::from_millis(150));
}

fn sorted(server: &Server) -> Vec<String> {
    let mut targets = server.targets();
    targets.sort();
    targets
}

#[test]
fn rows_come_in_the_order_of_chains_and_pages_whatever_the_delays() {
    let server = Server::start(|request| {
        let (k, page) = (number(request, "k"), number(request, "page"));
        let first = k * 300 + (page - 1) * 100;
        let delay = (k * 31 + page * 17) as u64 % 16;
        after(delay, json(rows(first, if page <= 3 { 100 } else { 0 })))
    });
    let mut scan = start(&numbered(&server.url()), 12);
    assert_eq!(read(&mut scan), (range(0, 3600), None));
    let mut targets = sorted(&server);
    targets.dedup();
    assert_eq!((targets.len(), server.targets().len()), (48, 48));
    assert_eq!(scan.statistics().pages, 48);
    let first = format!("GET {}/items?k=0&page=1", server.url());
    assert_eq!(scan.statistics().first_request, Some(first));
}

#[test]
fn as_many_as_the_source_takes_are_in_flight_and_never_more() {
    for most in [2, 4, 7] {
        let together = Arc::new(Barrier::new(most));
        let server = Server::start(move |request| {
            // Nobody gets an answer before so many wait for one.
            together.wait();
            json(rows(number(request, "k"), 1))
        });
        let mut table = table(&server.url());
        table.source.max_concurrency = most as u32;
        assert_eq!(
            read(&mut start(&table, most * 5)),
            (range(0, most as i64 * 5), None)
        );
        assert_eq!(server.busiest.load(Ordering::SeqCst), most);
    }
}

#[test]
fn one_request_in_flight_reads_one_chain_after_the_other() {
    let server = Server::start(|request| {
        let (k, page) = (number(request, "k"), number(request, "page"));
        json(rows(k * 2 + page - 1, if page <= 2 { 1 } else { 0 }))
    });
    let mut table = numbered(&server.url());
    table.source.max_concurrency = 1;
    assert_eq!(read(&mut start(&table, 4)), (range(0, 8), None));
    let in_order: Vec<String> = (0..4)
        .flat_map(|k| (1..=3).map(move |page| format!("/items?k={k}&page={page}")))
        .collect();
    assert_eq!(server.targets(), in_order);
    assert_eq!(server.busiest.load(Ordering::SeqCst), 1);
}

#[test]
fn a_statement_that_reads_everything_starts_with_as_many_as_may_be() {
    let server = single_rows();
    let scan = start(&table(&server.url()), 50);
    assert!(until(|| server.targets().len() == 4));
    settle();
    assert_eq!(
        sorted(&server),
        ["/items?k=0", "/items?k=1", "/items?k=2", "/items?k=3"]
    );
    drop(scan);
}

#[test]
fn a_consumer_that_may_stop_gets_more_ahead_the_more_it_asked_for() {
    let server = single_rows();
    let table = table(&server.url());
    let mut spec = spec(&table, 50);
    spec.fetch_ahead = false;
    let mut scan = Scan::start(client(&table), spec).unwrap();
    for (row, requests) in [(0, 1), (1, 3), (2, 6), (3, 7), (4, 8)] {
        assert_eq!(ids(&next(&mut scan).unwrap().unwrap()), [row]);
        assert!(until(|| server.targets().len() >= requests));
        settle();
        assert_eq!(server.targets().len(), requests, "after row {row}");
    }
    assert_eq!(read(&mut scan), (range(5, 45), None));
    assert_eq!(server.targets().len(), 50);
}

#[test]
fn no_chain_is_begun_past_the_hint() {
    // Four rows are short of five: where fetching ahead is wanted, the third chain does not wait for the consumer.
    for (fetch_ahead, requests) in [(false, [1, 2, 3]), (true, [1, 3, 3])] {
        let server = Server::start(|request| json(rows(number(request, "k") * 2, 2)));
        let table = table(&server.url());
        let mut spec = spec(&table, 50);
        (spec.fetch_ahead, spec.hint) = (fetch_ahead, Some(5));
        let mut scan = Scan::start(client(&table), spec).unwrap();
        for requests in requests {
            next(&mut scan).unwrap().unwrap();
            settle();
            assert_eq!(server.targets().len(), requests, "{fetch_ahead}");
        }
        assert_eq!(read(&mut scan).0, range(6, 94), "the hint is no limit");
    }
}

#[test]
fn the_rows_before_an_error_are_delivered_and_none_after_it() {
    let server = Server::start(|request| match number(request, "k") {
        0 => after(200, json(rows(0, 1))),
        2 => reply(400, &[], ""),
        k => json(rows(k, 1)),
    });
    let (ids, error) = read(&mut start(&table(&server.url()), 50));
    assert_eq!(ids, [0, 1]);
    let error = error.unwrap();
    let request = &error.exchange().unwrap().request;
    assert!(request.ends_with("k=2"), "{request}");
    assert!(
        server.targets().len() <= 4,
        "nothing more is asked for: {:?}",
        server.targets()
    );
}

#[test]
fn of_several_errors_the_first_in_order_is_the_one() {
    let server = Server::start(|request| match number(request, "k") {
        0 => after(100, json(rows(0, 1))),
        1 => after(300, reply(400, &[], "")),
        _ => reply(500, &[], ""),
    });
    let mut scan = start(&table(&server.url()), 4);
    let (ids, error) = read(&mut scan);
    assert_eq!(ids, [0]);
    assert!(
        matches!(error, Some(Error::Status { status: 400, .. })),
        "{error:?}"
    );
    assert!(
        matches!(scan.poll(), Err(Error::Status { status: 400, .. })),
        "it is final"
    );
}

#[test]
fn a_request_that_cannot_be_made_is_an_error_in_its_place() {
    let server = single_rows();
    let table = table(&server.url());
    let mut spec = spec(&table, 6);
    spec.requests[3].headers = vec![("x-key".to_owned(), "two\r\nlines".to_owned())];
    let (ids, error) = read(&mut Scan::start(client(&table), spec).unwrap());
    assert_eq!(ids, [0, 1, 2]);
    assert!(error.is_some());
}

#[test]
fn budgets_count_exactly() {
    for bound in [1, 5, 19] {
        let server = single_rows();
        let table = table(&server.url());
        let mut spec = spec(&table, 20);
        spec.budget = Some(Arc::new(StatementBudget::new(bound)));
        // One that reads everything is refused before it begins.
        spec.fetch_ahead = false;
        let mut scan = Scan::start(client(&table), spec).unwrap();
        let (ids, error) = read(&mut scan);
        assert!(
            matches!(error, Some(Error::Limit { limit, .. }) if limit == bound),
            "{error:?}"
        );
        assert_eq!(ids, range(0, ids.len() as i64));
        assert!(ids.len() as u64 <= bound);
        // The last of them may be cancelled before it arrives.
        assert_eq!(scan.statistics().requests, bound);
        assert!(server.targets().len() as u64 <= bound);
    }
    let server = single_rows();
    let mut table = table(&server.url());
    table.source.max_requests = Some(20);
    assert_eq!(read(&mut start(&table, 20)), (range(0, 20), None));
    assert_eq!(server.targets().len(), 20);
    table.source.max_requests = Some(7);
    let mut spec = spec(&table, 20);
    spec.fetch_ahead = false;
    let mut scan = Scan::start(client(&table), spec).unwrap();
    assert!(read(&mut scan).1.is_some());
    assert_eq!(scan.statistics().requests, 7);
}

#[test]
fn pages_of_all_chains_count_together() {
    let server = Server::start(|request| {
        json(rows(
            number(request, "k"),
            usize::from(number(request, "page") == 1),
        ))
    });
    let mut table = numbered(&server.url());
    table.source.max_pages = Some(20);
    assert_eq!(read(&mut start(&table, 10)), (range(0, 10), None));
    table.source.max_pages = Some(19);
    let (ids, error) = read(&mut start(&table, 10));
    assert_eq!(ids, range(0, ids.len() as i64));
    assert!(
        matches!(error, Some(Error::Limit { limit: 19, .. })),
        "{error:?}"
    );
}

/// About 12 MB of rows, from `first` on.
fn large(first: usize) -> String {
    let text = "x".repeat(20_000);
    let rows: Vec<String> = (first..first + 600)
        .map(|id| format!(r#"{{"id": {id}, "name": "{text}"}}"#))
        .collect();
    format!("[{}]", rows.join(","))
}

#[test]
fn what_waits_behind_a_slow_chain_is_bounded() {
    let gate = Arc::new(Barrier::new(2));
    let opened = Arc::clone(&gate);
    let server = Server::start(move |request| {
        let k = number(request, "k");
        if k == 0 {
            opened.wait();
        }
        json(large(k * 600))
    });
    let mut table = table(&server.url());
    table.source.timeout = Duration::from_secs(60);
    let mut scan = start(&table, 8);
    let received = || scan.statistics().bytes;
    assert!(until(|| received() > 12 << 20));
    // Until nothing more comes.
    let mut before = 0;
    while before < received() {
        before = received();
        sleep(Duration::from_millis(500));
    }
    // 16 MiB, four batches of a quarter of a MiB for each of the readers, and what they were about to hand over.
    assert!(before < 24 << 20, "{before}");
    gate.wait();
    assert_eq!(read(&mut scan), (range(0, 4800), None));
}

#[test]
fn what_all_rows_take_is_refused_before_the_first_request() {
    let server = single_rows();
    let refused = |table: &Table, spec: ScanSpec| {
        let error = Scan::start(client(table), spec).unwrap_err();
        error.to_string()
    };
    let mut table = table(&server.url());
    let mut bound = spec(&table, 20);
    bound.budget = Some(Arc::new(StatementBudget::new(19)));
    assert_eq!(
        refused(&table, bound),
        "the 20 requests that all rows take (setting \"rest_fdw.max_requests\") would exceed the limit of 19"
    );
    table.source.max_requests = Some(10);
    assert!(refused(&table, spec(&table, 20)).contains("option \"max_requests\" of the server"));
    (table.source.max_requests, table.source.max_pages) = (None, Some(10));
    assert!(refused(&table, spec(&table, 20)).contains("option \"max_pages\" of the server"));
    // Who may stop earlier may not need them all.
    let mut lazy = spec(&table, 20);
    lazy.fetch_ahead = false;
    let mut scan = Scan::start(client(&table), lazy).unwrap();
    assert_eq!(ids(&next(&mut scan).unwrap().unwrap()), [0]);
}

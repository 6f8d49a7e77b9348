//! Pages whose number is known are read at once, and the rows are those of one page after the other.

use crate::server::{Act, Received, Reply, Server, cut, json, reply, rows};
use crate::stage::{client, next, next_url, numbered, range, read, read_all, scan, spec, until};
use rest_engine::model::{Location, Paging, Table};
use rest_engine::scan::{Polled, Scan};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::sleep;
use std::time::Duration;

pub fn number(request: &Received, parameter: &str) -> usize {
    let text = request.parameter(parameter).unwrap();
    text.parse().unwrap()
}

/// Rows in `items`, their total in `total`.
pub fn counted(first: usize, count: usize, total: usize) -> Reply {
    json(counted_text(first, count, total))
}

pub fn counted_text(first: usize, count: usize, total: usize) -> String {
    let items = rows(first, count);
    format!(r#"{{"items": {items}, "total": {total}}}"#)
}

/// As the rows of `numbered`, with a total in the body.
pub fn by_page(base_url: &str) -> Table {
    Table {
        total_field: Some(vec!["total".to_owned()]),
        rows: next_url(base_url).rows,
        ..numbered(base_url)
    }
}

/// By offset, 100 rows asked for, with a total in the body.
fn by_offset(base_url: &str) -> Table {
    Table {
        paging: Paging::Offset {
            param: "offset".to_owned(),
            first: 0,
        },
        page_size: Some(100),
        page_size_param: Some("limit".to_owned()),
        ..by_page(base_url)
    }
}

fn sorted(server: &Server, parameter: &str) -> Vec<usize> {
    let requests = server.requests();
    let mut numbers: Vec<usize> = requests
        .iter()
        .map(|request| number(request, parameter))
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Time enough for a request that should not be made.
fn settle() {
    sleep(Duration::from_millis(150));
}

#[test]
fn after_the_first_page_as_many_as_the_source_takes_and_never_more() {
    for most in [2, 4, 7] {
        let together = Arc::new(Barrier::new(most));
        let server = Server::start(move |request| {
            let page = number(request, "page");
            if page > 1 {
                // Nobody gets an answer before so many wait for one.
                together.wait();
            }
            counted((page - 1) * 10, 10, 10 + most * 50)
        });
        let mut table = by_page(&server.url());
        table.source.max_concurrency = most as u32;
        assert_eq!(read_all(&table), range(0, 10 + most as i64 * 50));
        assert_eq!(server.busiest.load(Ordering::SeqCst), most);
        assert_eq!(
            sorted(&server, "page"),
            (1..=1 + most * 5).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_page_count_does_as_well() {
    let together = Arc::new(Barrier::new(4));
    let server = Server::start(move |request| {
        let page = number(request, "page");
        if page > 1 {
            together.wait();
        }
        let items = rows((page - 1) * 3, 3);
        json(format!(r#"{{"items": {items}, "pages": 9}}"#))
    });
    let table = Table {
        total_field: None,
        page_count_field: Some(vec!["pages".to_owned()]),
        ..by_page(&server.url())
    };
    assert_eq!(read_all(&table), range(0, 27));
    assert_eq!(server.targets().len(), 9);
}

#[test]
fn an_api_that_gives_less_than_asked_for_is_asked_by_what_came() {
    let server = Server::start(|request| {
        let offset = number(request, "offset");
        counted(offset, 30.min(1000 - offset), 1000)
    });
    assert_eq!(read_all(&by_offset(&server.url())), range(0, 1000));
    let offsets: Vec<usize> = (0..1000).step_by(30).collect();
    assert_eq!(sorted(&server, "offset"), offsets);
}

#[test]
fn a_page_in_the_middle_that_is_shorter_moves_those_after_it() {
    let server = Server::start(|request| {
        let offset = number(request, "offset");
        let size = if offset == 300 { 60 } else { 100 };
        counted(offset, size.min(1000 - offset), 1000)
    });
    let mut scan = scan(&by_offset(&server.url()));
    assert_eq!(read(&mut scan), (range(0, 1000), None));
    let asked = sorted(&server, "offset");
    for needed in [0, 100, 200, 300, 360, 460, 560, 660, 760, 860, 960] {
        assert!(asked.contains(&needed), "{needed} of {asked:?}");
    }
    assert!(asked.len() <= 11 + 2 * 4, "{asked:?}");
}

#[test]
fn an_api_whose_pages_all_differ_is_read_one_after_the_other_in_the_end() {
    let server = Server::start(|request| {
        let offset = number(request, "offset");
        let size = 20 + offset * 7 % 60;
        counted(offset, size.min(2000 - offset), 2000)
    });
    assert_eq!(read_all(&by_offset(&server.url())), range(0, 2000));
    let mut needed = vec![0];
    while let Some(last) = needed.last().filter(|last| **last < 2000) {
        needed.push(last + 20 + last * 7 % 60);
    }
    let unwanted = server.targets().len() - (needed.len() - 1);
    assert!(unwanted <= 2 * 8, "{unwanted} of {:?}", server.targets());
}

#[test]
fn rows_that_are_added_meanwhile_are_read_too() {
    let total = Arc::new(AtomicUsize::new(100));
    let told = Arc::clone(&total);
    let server = Server::start(move |request| {
        let page = number(request, "page");
        if page == 5 {
            told.store(105, Ordering::SeqCst);
        }
        // On a busy machine a later request may be answered before the fifth one.
        while page >= 10 && told.load(Ordering::SeqCst) == 100 {
            sleep(Duration::from_millis(1));
        }
        let (first, total) = ((page - 1) * 10, told.load(Ordering::SeqCst));
        counted(first, 10.min(total.saturating_sub(first)), total)
    });
    assert_eq!(read_all(&by_page(&server.url())), range(0, 105));
    assert_eq!(sorted(&server, "page"), (1..=11).collect::<Vec<_>>());
}

#[test]
fn pages_that_are_gone_by_then_are_no_error_and_are_not_waited_for() {
    let server = Server::start(|request| {
        match number(request, "page") {
            // The rest was deleted meanwhile; the API has no such page, or no answer.
            page @ ..5 => counted((page - 1) * 10, 10, if page == 1 { 100 } else { 40 }),
            5 => reply(404, &[], ""),
            _ => vec![Act::Stall],
        }
    });
    assert_eq!(read_all(&by_page(&server.url())), range(0, 40));
}

#[test]
fn a_total_that_disagrees_is_an_error_after_the_rows() {
    let server = Server::start(|request| {
        let page = number(request, "page");
        counted((page - 1) * 10, if page <= 6 { 10 } else { 0 }, 67)
    });
    let (ids, error) = read(&mut scan(&by_page(&server.url())));
    assert_eq!(ids, range(0, 60));
    let text = error.unwrap().to_string();
    assert!(text.contains("a total of 67 rows, but sent 60"), "{text}");
}

#[test]
fn a_page_parameter_that_the_api_ignores_is_an_error() {
    let server = Server::start(|_| counted(0, 10, 100));
    let (ids, error) = read(&mut scan(&by_page(&server.url())));
    assert_eq!(ids.len(), 30);
    let text = error.unwrap().to_string();
    assert!(
        text.contains("3 pages in a row have the same rows"),
        "{text}"
    );
}

#[test]
fn each_page_is_tried_again_by_itself() {
    let server = Server::start(|request| {
        let page = number(request, "page");
        let first = (page - 1) * 300;
        let again = request.index > 12;
        match page {
            3 if !again => reply(503, &[], ""),
            5 if !again => cut(counted(first, 300, 3000), 14_000, Act::Close),
            _ => counted(first, 300, 3000),
        }
    });
    let mut table = by_page(&server.url());
    table.source.retry.max_retries = 20;
    let mut scan = scan(&table);
    assert_eq!(read(&mut scan), (range(0, 3000), None));
    assert!(scan.statistics().retries >= 2);
}

#[test]
fn an_error_comes_after_the_rows_of_the_pages_before_it() {
    let server = Server::start(|request| match number(request, "page") {
        page @ (1 | 3..) if page != 6 => counted((page - 1) * 10, 10, 1000),
        2 => {
            let mut late = vec![Act::Pause(Duration::from_millis(200))];
            late.extend(counted(10, 10, 1000));
            late
        }
        _ => reply(400, &[], ""),
    });
    let (ids, error) = read(&mut scan(&by_page(&server.url())));
    assert_eq!(ids, range(0, 50));
    assert_eq!(error.unwrap().exchange().unwrap().page, 6);
}

fn start(table: &Table, fetch_ahead: bool, hint: Option<u64>) -> Scan {
    let mut spec = spec(table);
    (spec.fetch_ahead, spec.hint) = (fetch_ahead, hint);
    Scan::start(client(table), spec).unwrap()
}

#[test]
fn nothing_is_read_ahead_of_a_consumer_that_may_stop_or_past_the_hint() {
    let server = || {
        Server::start(|request| {
            let page = number(request, "page");
            counted((page - 1) * 100, 100, 5000)
        })
    };
    for (fetch_ahead, hint, taken, requests) in [
        (false, None, 250, 3),
        (true, Some(300), 300, 3),
        (true, Some(1000), 200, 10),
    ] {
        let server = server();
        let mut scan = start(&by_page(&server.url()), fetch_ahead, hint);
        let mut rows = 0;
        while rows < taken {
            rows += next(&mut scan).unwrap().unwrap().rows;
        }
        settle();
        let seen = server.targets().len();
        assert!(seen <= requests, "{seen} requests with hint {hint:?}");
    }
}

/// Whether the rows of the first page are all that there is, after a moment.
fn next_is_pending(scan: &mut Scan) -> bool {
    settle();
    matches!(scan.poll(), Ok(Polled::Pending))
}

#[test]
fn what_waits_behind_a_slow_page_is_bounded() {
    let server = Server::start(|request| match number(request, "page") {
        2 => vec![Act::Stall],
        page => counted((page - 1) * 10, 10, 5000),
    });
    let mut scan = scan(&by_page(&server.url()));
    next(&mut scan).unwrap().unwrap();
    assert!(next_is_pending(&mut scan));
    assert!(until(|| server.targets().len() == 9), "2 x 4 pages open");
    assert!(next_is_pending(&mut scan));
    settle();
    assert_eq!(server.targets().len(), 9);
}

#[test]
fn a_total_in_a_header_starts_them_while_the_first_page_is_read() {
    let others = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&others);
    let server = Server::start(move |request| {
        let page = number(request, "page");
        let body = rows((page - 1) * 100, 100);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-total: 1000\r\n\r\n",
            body.len()
        );
        if page > 1 {
            seen.fetch_add(1, Ordering::SeqCst);
            return vec![Act::Send((head + &body).into_bytes())];
        }
        // Enough rows for a batch, and the rest once others were asked for.
        let (first, rest) = body.as_bytes().split_at(body.len() - 100);
        let seen = Arc::clone(&seen);
        vec![
            Act::Send(head.into_bytes()),
            Act::Send(first.to_vec()),
            Act::Until(Box::new(move || seen.load(Ordering::SeqCst) >= 3)),
            Act::Send(rest.to_vec()),
        ]
    });
    let table = Table {
        total_header: Some("X-Total".to_owned()),
        page_size: Some(100),
        page_size_param: Some("limit".to_owned()),
        ..numbered(&server.url())
    };
    assert_eq!(read_all(&table), range(0, 1000));
    assert_eq!(sorted(&server, "page"), (1..=10).collect::<Vec<_>>());
}

/// Two pages, of which the first one's last rows come once the second was asked for.
fn waits_for_the_second(paging: fn(&str) -> Table, before: &'static str, auto: bool) {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let server = Server::start(move |request| {
        if request.target.contains("next=2") {
            seen.fetch_add(1, Ordering::SeqCst);
            return json(format!(r#"{{"items": {}}}"#, rows(100, 5)));
        }
        let body = format!(r#"{{{before}, "items": {}}}"#, rows(0, 100));
        let (first, rest) = body.as_bytes().split_at(body.len() - 100);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let seen = Arc::clone(&seen);
        vec![
            Act::Send(head.into_bytes()),
            Act::Send(first.to_vec()),
            Act::Until(Box::new(move || seen.load(Ordering::SeqCst) > 0)),
            Act::Send(rest.to_vec()),
        ]
    });
    let mut table = paging(&server.url());
    if auto {
        table.paging = Paging::Auto;
    }
    assert_eq!(read_all(&table), range(0, 105));
}

#[test]
fn what_leads_on_before_the_rows_starts_the_next_request_at_once() {
    let cursor: fn(&str) -> Table = |url| Table {
        paging: Paging::Cursor {
            param: "next".to_owned(),
            at: Location::Body(vec!["cursor".to_owned()]),
        },
        ..next_url(url)
    };
    waits_for_the_second(next_url, r#""next": "/items?next=2""#, false);
    waits_for_the_second(next_url, r#""next": "/items?next=2""#, true);
    waits_for_the_second(cursor, r#""cursor": 2"#, false);
}

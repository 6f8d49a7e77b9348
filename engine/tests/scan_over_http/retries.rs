//! What passes by itself is tried again, and no row comes twice or is missing because of it.

use crate::server::{Act, Server, cut, json, reply, rows};
use crate::stage::{client, failure, ids, next, range, read, read_all, scan, spec, table};
use rest_engine::Error;
use rest_engine::scan::Scan;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_status_that_may_pass() {
    let server = Server::start(|request| {
        if request.index < 2 {
            reply(503, &[], "busy")
        } else {
            json(rows(0, 3))
        }
    });
    let mut scan = scan(&table(&server.url()));
    assert_eq!(read(&mut scan), (range(0, 3), None));
    let statistics = scan.statistics();
    assert_eq!(
        (
            statistics.requests,
            statistics.retries,
            statistics.pages,
            statistics.rows
        ),
        (3, 2, 1, 3)
    );
    let log = scan.take_log();
    let seen: Vec<_> = log
        .iter()
        .map(|record| (record.attempt, record.status, record.error.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            (1, Some(503), true),
            (2, Some(503), true),
            (3, Some(200), false)
        ]
    );
    assert!(scan.take_log().is_empty());
}

#[test]
fn a_status_that_does_not_pass_ends_with_the_apis_words() {
    let server = Server::start(|_| reply(503, &[], r#"{"message": "down for maintenance"}"#));
    let error = failure(&table(&server.url()));
    assert!(
        matches!(&error, Error::Status { status: 503, message: Some(message), .. } if message == "down for maintenance"),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn a_status_that_cannot_pass_is_final() {
    let server = Server::start(|_| reply(400, &[], r#"{"error": "no such field"}"#));
    let error = failure(&table(&server.url()));
    assert!(
        matches!(error, Error::Status { status: 400, .. }),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 1);
}

/// 300 rows, cut off so late that rows were handed over already.
fn cut_off() -> Vec<Act> {
    let whole = rows(0, 300);
    cut(json(&whole), whole.len() - 200, Act::Close)
}

#[test]
fn a_page_that_is_cut_off_is_read_again_every_row_once() {
    let server = Server::start(|request| {
        if request.index < 2 {
            cut_off()
        } else {
            json(rows(0, 300))
        }
    });
    let mut scan = scan(&table(&server.url()));
    assert_eq!(read(&mut scan), (range(0, 300), None));
    assert_eq!(
        (
            scan.statistics().rows,
            scan.statistics().pages,
            scan.statistics().retries
        ),
        (300, 1, 2)
    );
}

#[test]
fn a_page_that_changed_meanwhile_is_an_error() {
    let server = Server::start(|request| {
        if request.index == 0 {
            cut_off()
        } else {
            json(rows(7, 300))
        }
    });
    let (ids, error) = read(&mut scan(&table(&server.url())));
    assert_eq!(ids, range(0, ids.len() as i64));
    assert!(!ids.is_empty());
    assert!(
        matches!(&error, Some(Error::Paging { reason, .. }) if reason.contains("changed")),
        "{error:?}"
    );
}

#[test]
fn a_page_whose_rows_are_gone_meanwhile_is_an_error_too() {
    for status in [204, 404] {
        let server = Server::start(move |request| {
            if request.index == 0 {
                cut_off()
            } else {
                reply(status, &[], "")
            }
        });
        let mut table = table(&server.url());
        table.empty_on = vec![404];
        let (ids, error) = read(&mut scan(&table));
        assert!(!ids.is_empty());
        assert!(
            matches!(&error, Some(Error::Paging { reason, .. }) if reason.contains("changed")),
            "{status}: {error:?}"
        );
    }
}

#[test]
fn what_stays_cut_off_is_an_error_after_its_rows() {
    let server = Server::start(|_| cut_off());
    let mut scan = scan(&table(&server.url()));
    let (ids, error) = read(&mut scan);
    assert_eq!(ids, range(0, ids.len() as i64));
    assert!(
        matches!(&error, Some(Error::Truncated { reason, .. }) if reason.contains(" of ")),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 3);
    assert_eq!(
        scan.poll().unwrap_err(),
        error.unwrap(),
        "an error is final"
    );
}

#[test]
fn a_connection_closed_without_a_response_is_tried_again() {
    let server = Server::start(|request| {
        if request.index < 2 {
            vec![Act::Close]
        } else {
            json(rows(0, 1))
        }
    });
    assert_eq!(read_all(&table(&server.url())), [0]);
}

#[test]
fn a_refused_connection_is_tried_again_and_told() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut scan: Scan = scan(&table(&format!("http://{address}")));
    let error = read(&mut scan).1.unwrap();
    assert!(
        matches!(&error, Error::Connect { reason, .. } if reason.contains("connection refused")),
        "{error:?}"
    );
    assert_eq!(scan.statistics().requests, 3);
}

#[test]
fn a_server_that_does_not_speak_tls_is_an_error_at_once() {
    let server = Server::start(|_| json("[]"));
    let address = server.address;
    let answering = std::thread::spawn(move || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let scan = scan(&table(&url));
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        (scan, stream)
    });
    let (mut scan, _stream) = answering.join().unwrap();
    let error = read(&mut scan).1.unwrap();
    assert!(matches!(error, Error::Tls { .. }), "{error:?} {address}");
    assert_eq!(scan.statistics().requests, 1);
}

#[test]
fn retry_after_is_obeyed() {
    let server = Server::start(|request| {
        if request.index == 0 {
            reply(429, &[("retry-after", "1")], "")
        } else {
            json("[]")
        }
    });
    let started = Instant::now();
    assert!(read_all(&table(&server.url())).is_empty());
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn retry_after_too_long_is_told_instead() {
    let server = Server::start(|_| {
        reply(
            429,
            &[("retry-after", "3600")],
            r#"{"message": "quota used up"}"#,
        )
    });
    let error = failure(&table(&server.url()));
    let Error::Status {
        status: 429,
        message: Some(message),
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert!(
        message.starts_with("quota used up") && message.contains("3600 s"),
        "{message}"
    );
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn the_tries_of_a_page_have_a_time_bound_together() {
    let server = Server::start(|_| reply(429, &[("retry-after", "1")], ""));
    let mut table = table(&server.url());
    (table.source.retry.max_retries, table.source.retry.max_time) =
        (50, Duration::from_millis(1500));
    let error = failure(&table).to_string();
    assert!(error.contains("status 429"), "{error}");
    assert_eq!(server.targets().len(), 2);
}

#[test]
fn rows_that_wait_for_a_slow_consumer_take_no_time_of_the_tries() {
    let server = Server::start(|request| {
        if request.index == 0 {
            let whole = rows(0, 3000);
            cut(json(&whole), whole.len() - 200, Act::Close)
        } else {
            json(rows(0, 3000))
        }
    });
    let mut table = table(&server.url());
    table.source.retry.max_time = Duration::from_millis(1500);
    let mut scan = scan(&table);
    let mut seen = ids(&next(&mut scan).unwrap().unwrap());
    // Longer than the bound; more than four batches wait, so that the reader does too.
    std::thread::sleep(Duration::from_secs(2));
    let (rest, error) = read(&mut scan);
    seen.extend(rest);
    assert_eq!((seen, error), (range(0, 3000), None));
}

#[test]
fn a_status_that_was_declared_is_tried_again_and_another_is_not() {
    let server = || {
        Server::start(|request| {
            if request.index == 0 {
                reply(425, &[], "")
            } else {
                json(rows(0, 1))
            }
        })
    };
    let first = server();
    assert!(matches!(
        failure(&table(&first.url())),
        Error::Status { status: 425, .. }
    ));
    let second = server();
    let mut table = table(&second.url());
    table.source.retry.statuses.push(425);
    assert_eq!(read_all(&table), [0]);
}

/// Two pages; the first response has these headers besides its link.
fn two_pages(headers: &'static [(&'static str, &'static str)]) -> Server {
    Server::start(move |request| match request.parameter("page") {
        None => {
            let link = [("link", "</items?page=2>; rel=next")];
            reply(200, &[&link, headers].concat(), rows(0, 1))
        }
        Some(_) => json(rows(1, 1)),
    })
}

#[test]
fn a_limit_that_is_used_up_is_waited_for_before_the_next_request() {
    for headers in [
        &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")][..],
        &[("ratelimit", "\"default\";r=0;t=1")],
    ] {
        let server = two_pages(headers);
        let started = Instant::now();
        assert_eq!(read_all(&table(&server.url())), [0, 1]);
        assert!(started.elapsed() >= Duration::from_millis(990));
        assert_eq!(server.targets().len(), 2, "nobody ran into a refusal");
    }
}

#[test]
fn a_reset_that_is_too_far_away_is_not_waited_for() {
    let server = two_pages(&[
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "3600"),
    ]);
    assert_eq!(read_all(&table(&server.url())), [0, 1]);
}

#[test]
fn a_pause_that_one_scan_was_asked_for_is_kept_by_the_others_of_its_client() {
    let server = two_pages(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1")]);
    let table = table(&server.url());
    let client = client(&table);
    let started = Instant::now();
    for _ in 0..2 {
        let mut scan = Scan::start(Arc::clone(&client), spec(&table)).unwrap();
        assert_eq!(read(&mut scan), (vec![0, 1], None));
    }
    assert!(started.elapsed() >= Duration::from_millis(1980));
}

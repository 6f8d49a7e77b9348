//! After a scan, however it ended, the process has the threads and descriptors that it had before. Alone in its
//! process, since it counts them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "scan_over_http/server.rs"]
#[expect(dead_code, reason = "the other tests of scans use the rest of it")]
mod server;
#[path = "scan_over_http/stage.rs"]
#[expect(dead_code, reason = "the other tests of scans use the rest of it")]
mod stage;

use rest_engine::request::Inputs;
use rest_engine::scan::Scan;
use server::{Act, Server, cut, json, reply, rows};
use stage::{client, next, numbered, read, scan, spec, table, until};
use std::fs::read_dir;
use std::net::TcpListener;
use std::sync::Arc;

fn entries(folder: &str) -> usize {
    read_dir(folder).unwrap().count()
}

fn fetch_threads() -> usize {
    let names = read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("rest_fdw")).count()
}

/// Ends a scan in one of many ways.
fn one(server: &Server, closed: &str, way: usize) {
    let page = |way: &str| {
        let mut table = numbered(&server.url());
        table.endpoint = format!("/{way}");
        table.source.retry.max_retries = 1;
        table
    };
    match way % 9 {
        0 => assert_eq!(read(&mut scan(&page("ok"))).0.len(), 900),
        1 => drop(scan(&page("ok"))),
        2 => drop(next(&mut scan(&page("ok"))).unwrap()),
        3 => assert!(read(&mut scan(&page("error"))).1.is_some()),
        4 => assert!(read(&mut scan(&page("cut"))).1.is_some()),
        5 => drop(scan(&page("stall"))),
        6 => assert!(read(&mut scan(&table(closed))).1.is_some()),
        7 => {
            let table = page(["ok", "error", "stall"][way % 3]);
            let mut spec = spec(&table);
            spec.requests = vec![Inputs::default(); 20];
            let mut scan = Scan::start(client(&table), spec).unwrap();
            if way % 3 < 2 {
                read(&mut scan);
            }
        }
        _ => {
            let table = page("ok");
            let client = client(&table);
            let rescans: Vec<Scan> = (0..3)
                .map(|_| Scan::start(Arc::clone(&client), spec(&table)).unwrap())
                .collect();
            drop(rescans);
        }
    }
    // A joined thread stays in /proc for a moment longer.
    assert!(until(|| fetch_threads() == 0), "way {way}");
}

#[test]
fn two_hundred_scans_leave_nothing_behind() {
    let server = Server::start(|request| match request.target.split('?').next().unwrap() {
        "/ok" => {
            let page: usize = request.parameter("page").unwrap().parse().unwrap();
            json(rows(page * 300, if page <= 3 { 300 } else { 0 }))
        }
        "/error" => reply(503, &[], "busy"),
        "/cut" => cut(json(rows(0, 300)), 5000, Act::Close),
        _ => vec![Act::Stall],
    });
    let closed = format!(
        "http://{}",
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    );
    // What is made once a process (and no scan's) is made by the first.
    one(&server, &closed, 0);
    assert!(
        until(|| entries("/proc/self/task") <= 3),
        "the test, its harness and the server"
    );
    let before = (entries("/proc/self/task"), entries("/proc/self/fd"));
    for way in 0..200 {
        one(&server, &closed, way);
    }
    // The server's own connection threads end a moment after the clients.
    let now = || (entries("/proc/self/task"), entries("/proc/self/fd"));
    assert!(until(|| now() == before), "{:?} {before:?}", now());
}

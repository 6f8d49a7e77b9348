//! Scans that read some pages only, and what a response reported of the others.

use crate::server::{Server, json, rows};
use crate::stage::{client, ids, next, numbered, range, read, spec, table};
use rest_engine::model::{Paging, Table};
use rest_engine::request::Inputs;
use rest_engine::scan::{Scan, ScanSpec, Statistics};

fn scan(table: &Table, most_pages: Option<u32>) -> Scan {
    let spec = ScanSpec {
        most_pages,
        ..spec(table)
    };
    Scan::start(client(table), spec).unwrap()
}

fn read_pages(table: &Table, most_pages: Option<u32>) -> (Vec<i64>, Statistics) {
    let mut scan = scan(table, most_pages);
    let (ids, error) = read(&mut scan);
    assert_eq!(error, None);
    (ids, scan.statistics())
}

/// Pages of two rows: `?page=1` has the rows 0 and 1.
fn pages_of_two(pages: usize) -> Server {
    Server::start(move |request| {
        let number: usize = request.parameter("page").unwrap().parse().unwrap();
        let count = if number <= pages { 2 } else { 0 };
        json(rows((number - 1) * 2, count))
    })
}

#[test]
fn pages_beyond_the_wanted_ones_are_not_requested() {
    let server = pages_of_two(10);
    let (ids, statistics) = read_pages(&numbered(&server.url()), Some(3));
    assert_eq!(ids, range(0, 6));
    assert!(statistics.partial);
    assert_eq!(
        server.targets(),
        ["/items?page=1", "/items?page=2", "/items?page=3"]
    );
}

#[test]
fn a_scan_that_ends_before_its_bound_is_whole() {
    let server = pages_of_two(2);
    let (ids, statistics) = read_pages(&numbered(&server.url()), Some(3));
    assert_eq!(ids, range(0, 4));
    assert!(!statistics.partial);
}

#[test]
fn the_bound_is_one_of_each_chain() {
    let server = pages_of_two(10);
    let table = Table {
        paging: Paging::None,
        ..table(&server.url())
    };
    let page = |number: &str| Inputs {
        query: vec![("page".to_owned(), number.to_owned())],
        ..Inputs::default()
    };
    let spec = ScanSpec {
        requests: vec![page("3"), page("7")],
        most_pages: Some(1),
        ..spec(&table)
    };
    let mut scan = Scan::start(client(&table), spec).unwrap();
    let mut seen = Vec::new();
    while let Some(batch) = next(&mut scan).unwrap() {
        seen.extend(ids(&batch));
    }
    assert_eq!(seen, [4, 5, 12, 13]);
    assert!(!scan.statistics().partial);
}

#[test]
fn totals_of_the_body_are_reported() {
    let server = Server::start(|_| json(r#"{"items": [{"id": 1}], "total": 41, "pages": 21}"#));
    let table = Table {
        rows: rest_engine::model::RowsPath::Path(vec!["items".to_owned()]),
        total_field: Some(vec!["total".to_owned()]),
        page_count_field: Some(vec!["pages".to_owned()]),
        ..numbered(&server.url())
    };
    let (_, statistics) = read_pages(&table, Some(1));
    assert_eq!(
        (statistics.total, statistics.page_count),
        (Some(41), Some(21))
    );
}

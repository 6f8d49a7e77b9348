//! A scan with a cache reads the pages at once that are not stored, as one without does, and stores them.

use crate::cache::{MINUTE, Place, TTL, paged};
use crate::parallel::{by_page, counted, counted_text, number};
use crate::server::{Server, reply};
use crate::stage::{client, ids, next, numbered, range, read, spec, until};
use rest_engine::model::{Caching, Paging, Table};
use rest_engine::scan::ScanSpec;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::sleep;
use std::time::Duration;

/// Pages of 10 rows, of which those after page `first` come in fours; all may be stored up to page `stored`.
fn in_fours(first: usize, stored: usize, pages: usize) -> Server {
    let together = Arc::new(Barrier::new(4));
    Server::start(move |request| {
        let page = number(request, "page");
        if page > first {
            // Nobody gets an answer before so many wait for one.
            together.wait();
        }
        let control = if page <= stored {
            "max-age=60"
        } else {
            "no-store"
        };
        let body = counted_text((page - 1) * 10, 10, pages * 10);
        reply(200, &[("cache-control", control)], body)
    })
}

fn one_by_one(table: &Table) -> ScanSpec {
    ScanSpec {
        fetch_ahead: false,
        ..spec(table)
    }
}

#[test]
fn what_is_not_stored_is_read_at_once_and_stored() {
    let server = in_fours(1, 9, 9);
    let (place, mut table) = (Place::new(TTL), by_page(&server.url()));
    table.source.max_concurrency = 4;
    let (ids, first) = place.read(&table);
    assert_eq!(
        (ids, first.requests, first.cache_hits),
        (range(0, 90), 9, 0)
    );
    assert_eq!(server.busiest.load(Ordering::SeqCst), 4);
    assert_eq!(place.files(), (9, 0));
    let (ids, again) = place.read(&table);
    assert_eq!(
        (ids, again.requests, again.cache_hits),
        (range(0, 90), 0, 9)
    );
}

#[test]
fn after_the_pages_that_are_stored_the_others_are_read_at_once() {
    // Pages 1 to 3 come by themselves: the third is the first of which the API is asked again.
    let server = in_fours(3, 2, 11);
    let (place, mut table) = (Place::new(Caching::Http), by_page(&server.url()));
    table.source.max_concurrency = 4;
    let mut scan = place.start_as(one_by_one(&table), client(&table));
    let first = next(&mut scan).unwrap().unwrap();
    let second = next(&mut scan).unwrap().unwrap();
    assert_eq!([ids(&first), ids(&second)].concat(), range(0, 20));
    assert!(until(|| place.files() == (2, 0)));
    drop(scan);
    let (ids, again) = place.read(&table);
    assert_eq!(
        (ids, again.requests, again.cache_hits),
        (range(0, 110), 9, 2)
    );
    assert_eq!(server.busiest.load(Ordering::SeqCst), 4);
}

#[test]
fn pages_that_prove_to_be_none_are_not_stored() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let page = number(request, "page");
        asked.fetch_add(1, Ordering::SeqCst);
        if page == 2 {
            // The pages after it are asked for, most likely read, and wait for what it says: it is the last.
            assert!(until(|| asked.load(Ordering::SeqCst) >= 4));
            sleep(Duration::from_millis(50));
        }
        let total = if page == 1 { 60 } else { 20 };
        counted((page - 1) * 10, 10, total)
    });
    let (place, table) = (Place::new(TTL), by_page(&server.url()));
    assert_eq!(place.read(&table).0, range(0, 20));
    assert!(server.requests().len() > 3);
    assert!(until(|| place.files() == (2, 0)), "{:?}", place.files());
}

#[test]
fn a_page_never_answers_that_is_older_than_a_scan_of_those_before_it() {
    let server = paged(4);
    let (mut place, table) = (Place::new(TTL), numbered(&server.url()));
    let alone = |page: &str| Table {
        paging: Paging::None,
        query: vec![("page".to_owned(), page.to_owned())],
        ..table.clone()
    };
    assert_eq!(place.read(&table).0, [1, 12, 23, 34]);
    place.pass(Duration::from_secs(10));
    let mut scan = place.start_as(one_by_one(&table), client(&table));
    assert_eq!(ids(&next(&mut scan).unwrap().unwrap()), [1]);
    // Others ask for page 4 anew, and after that for page 2.
    place.mode = Caching::Ttl(MINUTE / 60);
    for (page, id) in [("4", 54), ("2", 62)] {
        place.pass(Duration::from_secs(2));
        assert_eq!(place.read(&alone(page)).0, [id]);
    }
    // Page 2 is theirs, so that page 3 is asked for anew, and page 4 too: it is older than page 2.
    assert_eq!(read(&mut scan), (vec![62, 73, 84], None));
}

//! What is answered by stored responses, what is asked again, and what is never stored.

use crate::server::{Act, Received, Reply, Server, cut, json, reply, rows};
use crate::stage::{client, client_with, ids, next, numbered, range, read, spec, table, until};
use rest_engine::Error;
use rest_engine::http::cache::{Cache, Store};
use rest_engine::http::{CacheUse, Client};
use rest_engine::model::{Caching, Credentials, Method, Paging, Secret, Table};
use rest_engine::scan::{Scan, ScanSpec, StatementBudget, Statistics};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const TTL: Caching = Caching::Ttl(MINUTE);

/// A cache of its own, whose clock stands still unless a test moves it.
pub struct Place {
    directory: PathBuf,
    store: Arc<Store>,
    pub mode: Caching,
    now: Arc<Mutex<SystemTime>>,
    bound: u64,
}

impl Place {
    pub fn new(mode: Caching) -> Place {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rest_fdw-cached-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        Place {
            store: Arc::new(Store::new(&directory)),
            directory,
            mode,
            now: Arc::new(Mutex::new(SystemTime::now())),
            bound: 64 << 20,
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    fn start(&self, table: &Table, client: Arc<Client>) -> Scan {
        self.start_as(spec(table), client)
    }

    pub fn start_as(&self, mut spec: ScanSpec, client: Arc<Client>) -> Scan {
        let now = Arc::clone(&self.now);
        let store = Arc::clone(&self.store);
        let cache = Cache::new(store, self.mode, self.bound, "1-1", &["test"], &client);
        spec.cache = Some(cache.with_clock(move || *now.lock().unwrap()));
        Scan::start(client, spec).unwrap()
    }

    /// All ids, which must come without an error, and what was done.
    pub fn read(&self, table: &Table) -> (Vec<i64>, Statistics) {
        self.read_as(table, client(table))
    }

    fn read_as(&self, table: &Table, client: Arc<Client>) -> (Vec<i64>, Statistics) {
        let mut scan = self.start(table, client);
        let (ids, error) = read(&mut scan);
        assert_eq!(error, None);
        (ids, scan.statistics())
    }

    /// The files of stored responses and of unfinished ones.
    pub fn files(&self) -> (usize, usize) {
        let count = |folder: PathBuf| std::fs::read_dir(folder).map_or(0, Iterator::count);
        (
            count(self.directory.join("servers").join("1-1")),
            count(self.directory.join("unfinished")),
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Three rows that may be kept for a minute, and validated.
fn fresh() -> Reply {
    reply(
        200,
        &[("cache-control", "max-age=60"), ("etag", "\"1\"")],
        rows(0, 3),
    )
}

#[test]
fn a_fresh_response_answers_without_a_request() {
    let server = Server::start(|_| fresh());
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    let (ids, first) = place.read(&table);
    assert_eq!((ids, first.requests, first.cache_hits), (range(0, 3), 1, 0));
    place.pass(MINUTE / 2);
    let (ids, second) = place.read(&table);
    assert_eq!((ids, second.rows), (range(0, 3), 3));
    let counts = (
        second.requests,
        second.pages,
        second.bytes,
        second.cache_hits,
    );
    assert_eq!(counts, (0, 0, 0, 1));
    assert_eq!(second.first_request, None);
    assert_eq!(server.targets(), ["/items"]);
}

#[test]
fn a_hit_is_in_the_log_as_one() {
    let server = Server::start(|_| fresh());
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    let uses = [CacheUse::Miss, CacheUse::Hit];
    for expected in uses {
        let mut scan = place.start(&table, client(&table));
        assert_eq!(read(&mut scan).1, None);
        let log = scan.take_log();
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].cache, log[0].status), (expected, Some(200)));
        let line = log[0].to_string();
        assert!(line.ends_with(&format!(", cache {expected}")), "{line}");
    }
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let server = Server::start(|_| fresh());
    let table = table(&server.url());
    for _ in 0..2 {
        assert_eq!(crate::stage::read_all(&table), range(0, 3));
    }
    assert_eq!(server.targets().len(), 2);
}

/// Answers a question after `"1"` with 304 and these header fields.
fn validating(fields: &'static [(&'static str, &'static str)]) -> Server {
    Server::start(move |request| match request.header("if-none-match") {
        Some("\"1\"") => reply(304, fields, ""),
        Some(other) => panic!("it was asked about {other}"),
        None => fresh(),
    })
}

#[test]
fn a_stale_response_is_validated_and_lives_on() {
    let server = validating(&[("etag", "\"1\""), ("cache-control", "max-age=600")]);
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    place.pass(2 * MINUTE);
    let (ids, validated) = place.read(&table);
    let counts = (
        validated.requests,
        validated.cache_hits,
        validated.cache_revalidated,
    );
    assert_eq!((ids, counts, validated.pages), (range(0, 3), (1, 1, 1), 0));
    // It lives for as long as the 304 said, from then on.
    place.pass(9 * MINUTE);
    assert_eq!(place.read(&table).1.cache_hits, 1);
    place.pass(2 * MINUTE);
    assert_eq!(place.read(&table).1.cache_revalidated, 1);
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn a_304_that_speaks_of_another_response_is_not_believed() {
    let server = validating(&[("etag", "\"2\"")]);
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    place.pass(2 * MINUTE);
    let (ids, statistics) = place.read(&table);
    assert_eq!((ids, statistics.requests), (range(0, 3), 2));
    assert_eq!(statistics.cache_revalidated, 0);
    let questions: Vec<bool> = server
        .requests()
        .iter()
        .map(|request| request.header("if-none-match").is_some())
        .collect();
    assert_eq!(questions, [false, true, false]);
}

#[test]
fn a_304_that_nobody_asked_for_is_an_error() {
    let server = Server::start(|_| reply(304, &[("etag", "\"1\"")], ""));
    let place = Place::new(Caching::Http);
    let table = table(&server.url());
    let error = read(&mut place.start(&table, client(&table))).1.unwrap();
    assert!(
        matches!(error, Error::Status { status: 304, .. }),
        "{error:?}"
    );
}

#[test]
fn a_changed_response_takes_the_place_of_the_old_one() {
    let server = Server::start(|request| match request.header("if-none-match") {
        None => fresh(),
        Some("\"1\"") => reply(
            200,
            &[("etag", "\"2\""), ("cache-control", "max-age=60")],
            rows(10, 2),
        ),
        Some(other) => panic!("it was asked about {other}"),
    });
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    place.pass(2 * MINUTE);
    assert_eq!(place.read(&table).0, range(10, 2));
    assert_eq!(place.read(&table).0, range(10, 2));
    assert_eq!((server.targets().len(), place.files()), (2, (1, 0)));
}

#[test]
fn a_header_that_pages_are_found_by_is_kept_and_updated() {
    let server =
        Server::start(
            |request| match (request.target.as_str(), request.header("if-none-match")) {
                ("/items", None) => reply(
                    200,
                    &[("etag", "\"1\""), ("link", "</old>; rel=\"next\"")],
                    rows(0, 1),
                ),
                ("/items", Some(_)) => reply(
                    304,
                    &[("etag", "\"1\""), ("link", "</new>; rel=\"next\"")],
                    "",
                ),
                ("/old", _) => json(rows(1, 1)),
                ("/new", _) => json(rows(2, 1)),
                (other, _) => panic!("it was asked for {other}"),
            },
        );
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    assert_eq!(place.read(&table).0, [0, 1]);
    assert_eq!(place.read(&table).0, [0, 2]);
}

#[test]
fn what_may_not_be_stored_is_asked_for_each_time() {
    for fields in [
        &[("cache-control", "no-store")] as &'static [(&str, &str)],
        &[("cache-control", "max-age=60"), ("vary", "*")],
        &[],
    ] {
        let server = Server::start(move |_| reply(200, fields, rows(0, 3)));
        let (place, table) = (Place::new(Caching::Http), table(&server.url()));
        for _ in 0..2 {
            assert_eq!(place.read(&table).1.requests, 1, "{fields:?}");
        }
        assert_eq!(place.files(), (0, 0));
    }
}

#[test]
fn with_ttl_everything_answers_for_its_time() {
    let server = Server::start(|_| reply(200, &[("cache-control", "no-cache")], rows(0, 3)));
    let (place, table) = (Place::new(TTL), table(&server.url()));
    place.read(&table);
    place.pass(MINUTE - Duration::from_secs(1));
    assert_eq!(place.read(&table).1.cache_hits, 1);
    place.pass(Duration::from_secs(1));
    assert_eq!(place.read(&table).1.requests, 1);
    let asked_about = server.requests()[1].header("if-none-match").is_some();
    assert!(!asked_about, "nothing is validated");
}

/// So many pages of one row each; a row's id is its page and ten times the number of the request.
pub fn paged(pages: usize) -> Server {
    Server::start(move |request| {
        let page: usize = request.parameter("page").unwrap().parse().unwrap();
        json(if page > pages {
            "[]".to_owned()
        } else {
            rows(10 * request.index + page, 1)
        })
    })
}

#[test]
fn every_page_of_a_scan_is_stored() {
    let server = paged(3);
    let (place, table) = (Place::new(TTL), numbered(&server.url()));
    assert_eq!(place.read(&table).0, [1, 12, 23]);
    place.pass(MINUTE / 2);
    let (ids, again) = place.read(&table);
    assert_eq!(
        (ids, again.requests, again.cache_hits),
        (vec![1, 12, 23], 0, 4)
    );
}

#[test]
fn pages_that_are_older_than_the_scan_of_those_before_them_are_asked_for_anew() {
    let server = paged(3);
    let (mut place, table) = (Place::new(TTL), numbered(&server.url()));
    place.read(&table);
    place.pass(MINUTE / 2);
    // Somebody who wants newer rows reads the second page alone.
    let second = Table {
        paging: Paging::None,
        query: vec![("page".to_owned(), "2".to_owned())],
        ..table.clone()
    };
    place.mode = Caching::Ttl(MINUTE / 6);
    assert_eq!(place.read(&second).0, [42]);
    place.mode = TTL;
    place.pass(Duration::from_secs(1));
    let (ids, statistics) = place.read(&table);
    assert_eq!((ids, statistics.cache_hits), (vec![1, 42, 53], 2));
}

#[test]
fn the_pages_of_a_scan_do_not_expire_on_its_way() {
    let server = paged(3);
    let (place, table) = (Place::new(TTL), numbered(&server.url()));
    place.read(&table);
    place.pass(MINUTE - Duration::from_millis(1));
    let mut scan = place.start(&table, client(&table));
    let first = next(&mut scan).unwrap().unwrap();
    place.pass(MINUTE);
    assert_eq!(
        (ids(&first), read(&mut scan)),
        (vec![1], (vec![12, 23], None))
    );
    assert_eq!(scan.statistics().requests, 0);
}

#[test]
fn users_with_other_secrets_do_not_share() {
    let server = Server::start(|request| match request.header("authorization").unwrap() {
        "Bearer anna" => reply(200, &[("cache-control", "max-age=60")], rows(1, 1)),
        _ => reply(200, &[("cache-control", "max-age=60")], rows(2, 1)),
    });
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    let read = |token: &str| {
        let credentials = Credentials {
            token: Some(Secret::new(token)),
            ..Credentials::default()
        };
        place.read_as(&table, client_with(&table, credentials).unwrap())
    };
    assert_eq!(read("anna").0, [1]);
    assert_eq!(read("bert").0, [2]);
    let (ids, statistics) = read("anna");
    assert_eq!((ids, statistics.cache_hits), (vec![1], 1));
    assert_eq!(server.targets().len(), 2);
}

#[test]
fn an_altered_source_gets_nothing_of_the_old_one() {
    let server = Server::start(|_| fresh());
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    let mut altered = table.clone();
    altered.source.headers = vec![("X-Purpose".to_owned(), "another".to_owned())];
    assert_eq!(place.read(&altered).1.requests, 1);
    assert_eq!(place.read(&table).1.requests, 0);
}

#[test]
fn a_hit_costs_nothing_of_the_budget() {
    let server = Server::start(|_| fresh());
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    let client = client(&table);
    let cache = Cache::new(
        place.store.clone(),
        place.mode,
        place.bound,
        "1-1",
        &["test"],
        &client,
    );
    let mut spec = spec(&table);
    spec.cache = Some(cache);
    spec.budget = Some(Arc::new(StatementBudget::new(0)));
    assert_eq!(
        read(&mut Scan::start(client, spec).unwrap()),
        (range(0, 3), None)
    );
}

/// Whatever is answered is read until its end or an error, and nothing of it is stored.
fn stores_nothing(
    mode: Caching,
    change: impl Fn(&mut Table),
    answer: fn(&Received) -> Reply,
) -> Option<Error> {
    let server = Server::start(answer);
    let (place, mut table) = (Place::new(mode), table(&server.url()));
    change(&mut table);
    let (_, error) = read(&mut place.start(&table, client(&table)));
    assert_eq!(place.files(), (0, 0));
    error
}

#[test]
fn what_is_not_complete_is_not_stored() {
    let once = |table: &mut Table| table.source.retry.max_retries = 0;
    stores_nothing(TTL, once, |_| {
        let whole = rows(0, 300);
        cut(json(&whole), whole.len() - 2, Act::Close)
    });
    // It ends where the connection ends, wherever that is.
    stores_nothing(TTL, once, |_| {
        let text = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", rows(0, 3));
        vec![Act::Send(text.into_bytes()), Act::Close]
    });
}

#[test]
fn what_is_no_success_or_no_page_is_not_stored() {
    let once = |table: &mut Table| table.source.retry.max_retries = 0;
    stores_nothing(TTL, once, |_| reply(503, &[], "busy"));
    stores_nothing(
        TTL,
        |table| table.empty_on = vec![404],
        |_| reply(404, &[], "none"),
    );
    stores_nothing(TTL, once, |_| json("<html>"));
    stores_nothing(TTL, once, |_| json(r#"[{"id": "not a number"}]"#));
    // The page has no end that its paging knows.
    let by_total = |table: &mut Table| {
        *table = Table {
            total_header: Some("x-total".to_owned()),
            ..numbered(&table.source.base_url)
        };
    };
    let error = stores_nothing(TTL, by_total, |_| {
        reply(200, &[("x-total", "many")], rows(0, 1))
    });
    assert!(matches!(error, Some(Error::Paging { .. })), "{error:?}");
}

#[test]
fn what_was_posted_for_is_not_stored() {
    let post = |table: &mut Table| table.method = Method::Post;
    stores_nothing(TTL, post, |_| fresh());
    stores_nothing(Caching::Http, post, |_| fresh());
}

#[test]
fn a_page_that_the_query_did_not_read_to_its_end_is_not_stored() {
    let server = Server::start(|_| json(rows(0, 200_000)));
    let (place, table) = (Place::new(TTL), table(&server.url()));
    let mut scan = place.start(&table, client(&table));
    assert!(next(&mut scan).unwrap().is_some());
    drop(scan);
    assert_eq!(place.files(), (0, 0));
}

#[test]
fn a_cancelled_scan_leaves_no_file() {
    let server = Server::start(|_| {
        let whole = rows(0, 100_000);
        cut(json(&whole), whole.len() - 2, Act::Stall)
    });
    let (place, table) = (Place::new(TTL), table(&server.url()));
    let mut scan = place.start(&table, client(&table));
    assert!(next(&mut scan).unwrap().is_some());
    assert!(until(|| place.files() == (0, 1)), "it is being written");
    drop(scan);
    assert_eq!(place.files(), (0, 0));
}

#[test]
fn a_page_that_was_read_again_is_stored_whole() {
    let server = Server::start(|request| {
        let whole = rows(0, 300);
        match request.index {
            0 => cut(json(&whole), whole.len() - 200, Act::Close),
            _ => json(whole),
        }
    });
    let (place, table) = (Place::new(TTL), table(&server.url()));
    assert_eq!(place.read(&table).0, range(0, 300));
    let (ids, again) = place.read(&table);
    assert_eq!((ids, again.requests), (range(0, 300), 0));
}

#[test]
fn a_chain_that_fails_forgets_the_pages_that_led_there() {
    let server = Server::start(|request| {
        let from = |page: usize| format!("</items?from={page}>; rel=\"next\"");
        match (request.target.as_str(), request.index) {
            ("/items", index) => reply(200, &[("link", &from(index))], rows(index, 1)),
            // The cursor of the first response has expired.
            ("/items?from=0", 1..) => reply(410, &[], "expired"),
            (_, _) => json("[]"),
        }
    });
    let (place, table) = (Place::new(TTL), table(&server.url()));
    // The first page alone is stored.
    let limited = Table {
        paging: Paging::None,
        ..table.clone()
    };
    place.read(&limited);
    let mut scan = place.start(&table, client(&table));
    let (ids, error) = read(&mut scan);
    assert_eq!(ids, [0]);
    assert!(
        matches!(error, Some(Error::Expired { status: 410, .. })),
        "{error:?}"
    );
    assert_eq!(place.read(&table).0, [2], "it is asked for anew");
}

#[test]
fn a_damaged_file_is_asked_for_anew() {
    let server = Server::start(|_| fresh());
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    place.read(&table);
    let folder = place.directory.join("servers").join("1-1");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    std::fs::write(file.path(), "not a response").unwrap();
    let (ids, statistics) = place.read(&table);
    assert_eq!((ids, statistics.requests), (range(0, 3), 1));
    assert_eq!(place.read(&table).1.cache_hits, 1);
}

#[test]
fn a_redirected_response_answers_by_ttl_only() {
    let answer = |request: &Received| match request.target.as_str() {
        "/items" => reply(302, &[("location", "/moved/")], ""),
        "/moved/" => reply(
            200,
            &[
                ("cache-control", "max-age=60"),
                ("link", "<2>; rel=\"next\""),
            ],
            rows(0, 1),
        ),
        "/moved/2" => reply(200, &[("cache-control", "max-age=60")], rows(1, 1)),
        other => panic!("it was asked for {other}"),
    };
    for (mode, hits) in [(Caching::Http, 1), (TTL, 2)] {
        let server = Server::start(answer);
        let (place, table) = (Place::new(mode), table(&server.url()));
        place.read(&table);
        let (ids, statistics) = place.read(&table);
        assert_eq!((ids, statistics.cache_hits), (vec![0, 1], hits), "{mode:?}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_changes_nothing() {
    let server = Server::start(|_| fresh());
    let table = table(&server.url());
    let mut place = Place::new(Caching::Http);
    place.store = Arc::new(Store::new("/dev/null/cache"));
    for _ in 0..2 {
        assert_eq!(place.read(&table).0, range(0, 3));
    }
    assert_eq!(server.targets().len(), 2);
}

#[test]
fn scans_at_once_store_and_read_the_same_page() {
    let server = Server::start(|_| reply(200, &[("cache-control", "max-age=60")], rows(0, 5000)));
    let (place, table) = (Place::new(Caching::Http), table(&server.url()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(place.read(&table).0, range(0, 5000));
                }
            });
        }
    });
    assert_eq!(place.read(&table).1.cache_hits, 1);
    assert_eq!(place.files(), (1, 0));
}

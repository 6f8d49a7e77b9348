//! Paging against small servers in memory, honest ones and others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Decision, EndOfPages, PageFacts, Pager, Stage};
use crate::Error;
use crate::decode::{Envelope, Scalar};
use crate::http::Egress;
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Connecting, Table, Type};
use crate::request::{Inputs, Request};
use proptest::prelude::*;
use std::sync::Arc;

/// What a server answers: ids as rows, and what stands around them.
#[derive(Default, Clone)]
struct Reply {
    headers: Vec<(String, String)>,
    members: Vec<(&'static str, Scalar)>,
    rows: Vec<u64>,
}

impl Reply {
    fn with(rows: impl IntoIterator<Item = u64>) -> Reply {
        Reply {
            rows: rows.into_iter().collect(),
            ..Reply::default()
        }
    }

    fn header(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn member(mut self, path: &'static str, value: Scalar) -> Reply {
        self.members.push((path, value));
        self
    }

    fn text(self, path: &'static str, value: impl Into<String>) -> Reply {
        self.member(path, Scalar::Text(value.into()))
    }

    fn number(self, path: &'static str, value: u64) -> Reply {
        self.member(path, Scalar::Number(value.to_string()))
    }

    fn truth(self, path: &'static str, value: bool) -> Reply {
        self.member(path, Scalar::Bool(value))
    }
}

/// What a whole walk over the pages gave.
#[derive(Debug, PartialEq)]
struct Walk {
    rows: Vec<u64>,
    urls: Vec<String>,
    end: EndOfPages,
    /// The stage at which each page was decided on.
    stages: Vec<Stage>,
    total: Option<u64>,
}

fn walk_with_hint(
    table: &Table,
    hint: Option<u64>,
    mut serve: impl FnMut(&str) -> Reply,
) -> Result<Walk, Error> {
    let mut pager = Pager::new(Arc::new(table.clone()), Inputs::default(), hint)?;
    let mut request = pager.first()?;
    let (mut rows, mut urls, mut stages) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2000 {
        urls.push(request.url.clone());
        let reply = serve(&request.url);
        rows.extend(&reply.rows);
        let (decision, stage) = decide(&mut pager, &request, &reply)?;
        stages.push(stage);
        match decision {
            Decision::Next(next) => request = next,
            Decision::End(end) => {
                let total = pager.known_total();
                return Ok(Walk {
                    rows,
                    urls,
                    end,
                    stages,
                    total,
                });
            }
            Decision::NotYet => panic!("a whole page decides"),
        }
    }
    panic!("paging does not end: {urls:?}")
}

fn decide(pager: &mut Pager, request: &Request, reply: &Reply) -> Result<(Decision, Stage), Error> {
    let mut envelope = Envelope::default();
    for (path, scalar) in &reply.members {
        envelope.insert(path.split('.').map(str::to_owned).collect(), scalar.clone());
    }
    let last_key = reply.rows.last().map(u64::to_string);
    let mut facts = PageFacts {
        stage: Stage::Headers,
        status: 200,
        url: &request.url,
        headers: &reply.headers,
        envelope: None,
        rows: 0,
        last_key: None,
    };
    let mut decision = pager.next(&facts)?;
    if decision == Decision::NotYet && !reply.rows.is_empty() {
        (facts.stage, facts.rows) = (Stage::FirstRow, 1);
        decision = pager.next(&facts)?;
    }
    if decision == Decision::NotYet {
        facts = PageFacts {
            stage: Stage::Page,
            envelope: Some(&envelope),
            rows: reply.rows.len() as u64,
            last_key: last_key.as_deref(),
            ..facts
        };
        decision = pager.next(&facts)?;
    }
    Ok((decision, facts.stage))
}

fn walk(table: &Table, serve: impl FnMut(&str) -> Reply) -> Result<Walk, Error> {
    walk_with_hint(table, None, serve)
}

/// The reason of a paging error.
fn reason(result: Result<Walk, Error>) -> String {
    match result {
        Err(Error::Paging { exchange, reason }) => {
            assert!(
                exchange.request.starts_with("GET https://api.test/"),
                "{exchange:?}"
            );
            assert!(exchange.page > 0);
            reason
        }
        other => panic!("expected a paging error, got {other:?}"),
    }
}

fn items(pairs: &[(&str, &str)]) -> Table {
    let columns: &[TestColumn] = &[("id", Type::Int8, &[])];
    table(&[("base_url", "https://api.test")], pairs, columns)
}

fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let query = url.split_once('?')?.1;
    query.split('&').find_map(|pair| {
        pair.split_once('=')
            .filter(|(other, _)| *other == name)
            .map(|(_, value)| value)
    })
}

fn numbered(url: &str, name: &str) -> Option<u64> {
    parameter(url, name).map(|value| value.parse().unwrap())
}

/// Cuts rows 0..n into pages: the ids of page `index`, and whether it is the last.
fn split(sizes: &[u64], index: usize) -> (std::ops::Range<u64>, bool) {
    let start: u64 = sizes[..index.min(sizes.len())].iter().sum();
    let size = sizes.get(index).copied().unwrap_or(0);
    (start..start + size, index + 1 >= sizes.len())
}

fn all(sizes: &[u64]) -> Vec<u64> {
    (0..sizes.iter().sum()).collect()
}

const CURSOR: &[(&str, &str)] = &[
    ("pagination", "cursor"),
    ("cursor_param", "after"),
    ("cursor_field", "meta.next"),
];

/// Serves `sizes` by an index in the URL, and tells the next index by `tell`.
fn by_index<'a>(
    sizes: &'a [u64],
    name: &'a str,
    tell: impl Fn(Reply, usize) -> Reply + 'a,
) -> impl FnMut(&str) -> Reply + 'a {
    move |url| {
        let index = numbered(url, name).unwrap_or(0) as usize;
        let (rows, is_last) = split(sizes, index);
        let reply = Reply::with(rows);
        if is_last {
            reply
        } else {
            tell(reply, index + 1)
        }
    }
}

proptest! {
    #[test]
    fn links_lead_to_every_row_once(sizes in prop::collection::vec(0..5u64, 0..8)) {
        let link = |reply: Reply, next: usize| reply.header("Link", format!("</items?p=0>; rel=\"first\", </items?p={next}>; rel=next"));
        for pagination in ["link", "auto"] {
            let result = walk(&items(&[("pagination", pagination)]), by_index(&sizes, "p", link)).unwrap();
            prop_assert_eq!(&result.rows, &all(&sizes));
            prop_assert!(result.stages[..result.stages.len() - 1].iter().all(|stage| *stage == Stage::Headers));
        }
    }

    #[test]
    fn next_urls_lead_to_every_row_once(sizes in prop::collection::vec(0..5u64, 0..8)) {
        let url = |reply: Reply, next: usize| reply.text("paging.next", format!("https://api.test/items?p={next}"));
        let declared = [("pagination", "next_url"), ("next_url_field", "paging.next")];
        for pairs in [&declared[..], &[]] {
            let result = walk(&items(pairs), by_index(&sizes, "p", url)).unwrap();
            prop_assert_eq!((&result.rows, result.end), (&all(&sizes), EndOfPages::NoNextUrl));
        }
        let header = |reply: Reply, next: usize| reply.header("x-next", format!("?p={next}"));
        let result = walk(&items(&[("pagination", "next_url"), ("next_url_header", "X-Next")]), by_index(&sizes, "p", header)).unwrap();
        prop_assert_eq!(&result.rows, &all(&sizes));
        prop_assert!(result.stages.iter().all(|stage| *stage == Stage::Headers));
    }

    #[test]
    fn cursors_lead_to_every_row_once(sizes in prop::collection::vec(0..5u64, 0..8)) {
        let field = |reply: Reply, next: usize| reply.number("meta.next", next as u64);
        let result = walk(&items(CURSOR), by_index(&sizes, "after", field)).unwrap();
        prop_assert_eq!((&result.rows, result.end), (&all(&sizes), EndOfPages::NoCursor));
        let header = |reply: Reply, next: usize| reply.header("X-Cursor", next.to_string());
        let by_header = items(&[("pagination", "cursor"), ("cursor_param", "after"), ("cursor_header", "x-cursor")]);
        let result = walk(&by_header, by_index(&sizes, "after", header)).unwrap();
        prop_assert_eq!(&result.rows, &all(&sizes));
        prop_assert!(result.stages.iter().all(|stage| *stage == Stage::Headers));
    }

    #[test]
    fn page_numbers_lead_to_every_row_once(rows in 0..40u64, size in 1..7u64, first in 0..3u64, ends in 0..5usize, hint in prop::option::of(1..9u64)) {
        let first_page = first.to_string();
        let size_text = size.to_string();
        let ways: [&[(&str, &str)]; 5] = [
            &[],
            &[("total_field", "total")],
            &[("has_more_field", "more")],
            &[("page_count_field", "pages")],
            &[("end_on_short_page", "true")],
        ];
        let mut pairs = vec![("pagination", "page"), ("first_page", first_page.as_str()), ("page_size", &size_text), ("page_size_param", "size")];
        pairs.extend(ways[ends]);
        let result = walk_with_hint(&items(&pairs), hint, |url| {
            let (size, page) = (numbered(url, "size").unwrap(), numbered(url, "page").unwrap() - first);
            let range = (page * size).min(rows)..((page + 1) * size).min(rows);
            Reply::with(range).number("total", rows).truth("more", (page + 1) * size < rows).number("pages", rows.div_ceil(size))
        }).unwrap();
        prop_assert_eq!(&result.rows, &(0..rows).collect::<Vec<_>>());
        let size = hint.map_or(size, |hint| hint.min(size));
        let pages = rows.div_ceil(size).max(1);
        let with_empty = if rows.is_multiple_of(size) { rows / size + 1 } else { pages };
        let expected = match ends { 0 => rows.div_ceil(size) + 1, 4 => with_empty, _ => pages };
        prop_assert_eq!(result.urls.len() as u64, expected);
        prop_assert_eq!(result.total, (ends == 1).then_some(rows));
        if ends == 0 {
            let (last, others) = result.stages.split_last().unwrap();
            prop_assert!(*last == Stage::Page && others.iter().all(|stage| *stage == Stage::FirstRow));
        }
    }

    #[test]
    fn offsets_advance_by_the_rows_received(rows in 0..40u64, caps in prop::collection::vec(1..6u64, 1..5), first in 0..3u64, ends in 0..4usize, hint in prop::option::of(1..9u64)) {
        let first_row = first.to_string();
        let ways: [&[(&str, &str)]; 4] = [&[], &[("total_field", "total")], &[("total_header", "Content-Range")], &[("has_more_field", "more")]];
        let mut pairs = vec![("pagination", "offset"), ("first_offset", first_row.as_str()), ("page_size", "4"), ("page_size_param", "limit")];
        pairs.extend(ways[ends]);
        let mut call = 0;
        let result = walk_with_hint(&items(&pairs), hint, |url| {
            let (limit, start) = (numbered(url, "limit").unwrap(), numbered(url, "offset").unwrap() - first);
            // A server that gives fewer rows than it is asked for, as it likes.
            call += 1;
            let end = (start + limit.min(caps[call % caps.len()])).min(rows);
            Reply::with(start.min(rows)..end).number("total", rows).truth("more", end < rows).header("content-range", format!("items {start}-{end}/{rows}"))
        }).unwrap();
        prop_assert_eq!(&result.rows, &(0..rows).collect::<Vec<_>>());
        prop_assert_eq!(numbered(&result.urls[0], "limit"), Some(hint.map_or(4, |hint| hint.min(4))));
        prop_assert!(result.urls[1..].iter().all(|url| numbered(url, "limit") == Some(4)));
    }

    #[test]
    fn keys_lead_to_every_row_once(rows in 0..30u64, size in 1..6u64, says_more in any::<bool>(), ends_short in any::<bool>()) {
        let size_text = size.to_string();
        let mut pairs = vec![("pagination", "keyset"), ("cursor_param", "after"), ("cursor_column", "id"), ("page_size", &size_text)];
        if says_more { pairs.push(("has_more_field", "has_more")) }
        if ends_short { pairs.push(("end_on_short_page", "on")) }
        let result = walk(&items(&pairs), |url| {
            let start = numbered(url, "after").map_or(0, |key| key + 1);
            let end = (start + size).min(rows);
            Reply::with(start.min(rows)..end).truth("has_more", end < rows)
        }).unwrap();
        prop_assert_eq!(&result.rows, &(0..rows).collect::<Vec<_>>());
        let pages = rows.div_ceil(size);
        let expected = match (says_more, ends_short) {
            (true, _) => pages.max(1),
            (false, true) => rows / size + 1,
            (false, false) => pages + 1,
        };
        prop_assert_eq!(result.urls.len() as u64, expected);
    }
}

#[test]
fn one_page_is_one_request() {
    let result = walk(&items(&[("pagination", "none")]), |_| {
        Reply::with(0..3).truth("has_more", true)
    })
    .unwrap();
    assert_eq!(
        (result.urls.len(), result.end, result.stages[0]),
        (1, EndOfPages::Single, Stage::Headers)
    );
    let declared = items(&[("pagination", "none"), ("has_more_field", "has_more")]);
    assert!(
        reason(walk(&declared, |_| Reply::with(0..3).truth("has_more", true)))
            .contains("\"has_more\" says that there are more rows")
    );
}

#[test]
fn the_same_place_twice_is_an_error() {
    let link = reason(walk(&items(&[("pagination", "link")]), |_| {
        Reply::with(0..1).header("link", "</items?p=1>; rel=next")
    }));
    assert_eq!(
        link,
        "the URL of the next page was already used: GET https://api.test/items?p=1"
    );
    let own = reason(walk(&items(&[]), |_| {
        Reply::with(0..1).text("next", "/items")
    }));
    assert_eq!(
        own,
        "the URL of the next page was already used: GET https://api.test/items"
    );
    let cursor = reason(walk(&items(CURSOR), |_| {
        Reply::with(0..1).text("meta.next", "abc")
    }));
    assert_eq!(
        cursor,
        "the cursor of the next page was already used: GET https://api.test/items?after=abc"
    );
    let mut calls = 0;
    let circle = reason(walk(&items(CURSOR), |_| {
        calls += 1;
        Reply::with(0..1).number("meta.next", calls % 3)
    }));
    assert!(circle.contains("already used"), "{circle}");
    let keyset = items(&[
        ("pagination", "keyset"),
        ("cursor_param", "after"),
        ("cursor_column", "id"),
    ]);
    assert!(reason(walk(&keyset, |_| Reply::with(5..6))).contains("after=5"));
}

#[test]
fn a_total_that_disagrees_is_an_error() {
    let total = |style: &str| items(&[("pagination", style), ("total_field", "total")]);
    let short = reason(walk(&total("page"), |url| {
        Reply::with(0..if url.contains("page=1") { 3 } else { 0 }).number("total", 5)
    }));
    assert!(
        short.starts_with("the API reported a total of 5 rows, but sent 3"),
        "{short}"
    );
    let long = reason(walk(&total("offset"), |_| {
        Reply::with(0..3).number("total", 2)
    }));
    assert!(
        long.starts_with("the API reported a total of 2 rows, but sent 3"),
        "{long}"
    );
    for style in ["link", "none", "auto"] {
        let missing = reason(walk(&total(style), |_| {
            Reply::with(0..3).number("total", 4)
        }));
        assert!(
            missing.starts_with("the API reported a total of 4 rows, but sent 3"),
            "{style}: {missing}"
        );
    }
    let cursor = [CURSOR, &[("total_header", "X-Total-Count")]].concat();
    assert!(
        reason(walk(&items(&cursor), |_| Reply::with(0..3)
            .header("x-total-count", "9")))
        .contains("total of 9")
    );
    let garbled = reason(walk(&total("page"), |_| {
        Reply::with(0..3).text("total", "many")
    }));
    assert_eq!(
        garbled,
        "total_field \"total\" is not a number of rows or pages"
    );
    let unknown = walk(&total("page"), |url| {
        let rows = if url.contains("page=1") { 3 } else { 0 };
        Reply::with(0..rows).member("total", Scalar::Null)
    });
    assert_eq!(
        unknown.unwrap().end,
        EndOfPages::EmptyPage,
        "a total of null is none"
    );
}

#[test]
fn a_total_given_once_holds_for_the_scan() {
    let result = walk(
        &items(&[("pagination", "page"), ("total_field", "total")]),
        |url| {
            let page = numbered(url, "page").unwrap();
            let reply = Reply::with((page - 1) * 2..page * 2);
            if page == 1 {
                reply.number("total", 6)
            } else {
                reply
            }
        },
    );
    let result = result.unwrap();
    assert_eq!(
        (result.rows.len(), result.end, result.total),
        (6, EndOfPages::Total, Some(6))
    );
}

#[test]
fn more_rows_promised_and_not_given_are_an_error() {
    let more = |style: &str| items(&[("pagination", style), ("has_more_field", "meta.more")]);
    for style in ["page", "offset", "link", "auto", "none"] {
        let promised = reason(walk(&more(style), |_| {
            Reply::default().truth("meta.more", true)
        }));
        assert!(
            promised
                .starts_with("\"meta.more\" says that there are more rows, but the pages end here"),
            "{promised}"
        );
    }
    let cursor = [CURSOR, &[("has_more_field", "more")]].concat();
    assert!(
        reason(walk(&items(&cursor), |_| Reply::with(0..2).text("more", "true")))
            .contains("(no next cursor)")
    );
    let count = reason(walk(
        &items(&[("pagination", "page"), ("page_count_field", "pages")]),
        |_| Reply::default().number("pages", 3),
    ));
    assert_eq!(count, "page 1 of 3 is empty");
    let garbled = reason(walk(&more("page"), |_| {
        Reply::with(0..2).text("meta.more", "perhaps")
    }));
    assert_eq!(
        garbled,
        "has_more_field \"meta.more\" is neither true nor false"
    );
}

#[test]
fn no_more_ends_the_pages_whatever_else_is_there() {
    let cursor = [CURSOR, &[("has_more_field", "more")]].concat();
    let result = walk(&items(&cursor), |_| {
        Reply::with(0..2)
            .text("meta.next", "same")
            .truth("more", false)
    })
    .unwrap();
    assert_eq!((result.end, result.urls.len()), (EndOfPages::NoMore, 1));
    let link = items(&[("pagination", "link"), ("has_more_field", "more")]);
    let result = walk(&link, |_| {
        Reply::with(0..2)
            .header("Link", "</items?p=1>; rel=next")
            .truth("more", false)
    })
    .unwrap();
    assert_eq!(result.end, EndOfPages::NoMore);
}

#[test]
fn a_keyset_needs_its_key() {
    let keyset = items(&[
        ("pagination", "keyset"),
        ("cursor_param", "after"),
        ("cursor_column", "id"),
    ]);
    let mut pager = Pager::new(Arc::new(keyset), Inputs::default(), None).unwrap();
    let facts = PageFacts {
        stage: Stage::Page,
        status: 200,
        url: "https://api.test/items",
        headers: &[],
        envelope: None,
        rows: 2,
        last_key: None,
    };
    let error = pager.next(&facts).unwrap_err();
    assert!(
        error.to_string().contains("no value for cursor_column"),
        "{error}"
    );
}

#[test]
fn a_short_page_ends_the_scan_only_where_declared() {
    let serve = |url: &str| match numbered(url, "page") {
        Some(1) => Reply::with(0..3),
        Some(2) => Reply::with(3..5),
        _ => Reply::default(),
    };
    let plain = [("pagination", "page"), ("page_size", "3")];
    assert_eq!(walk(&items(&plain), serve).unwrap().urls.len(), 3);
    let declared = [&plain[..], &[("end_on_short_page", "on")]].concat();
    let result = walk(&items(&declared), serve).unwrap();
    assert_eq!((result.urls.len(), result.end), (2, EndOfPages::ShortPage));
}

#[test]
fn auto_refuses_to_read_one_page_of_many() {
    let signs: Vec<(Reply, &str)> = vec![
        (
            Reply::with(0..2).truth("has_more", true),
            "\"has_more\" is true; set pagination and has_more_field 'has_more'",
        ),
        (
            Reply::with(0..2).truth("pageInfo.hasNextPage", true),
            "\"pageInfo.hasNextPage\" is true",
        ),
        (Reply::with(0..2).truth("last", false), "\"last\" is false"),
        (
            Reply::with(0..2).text("meta.next_cursor", "abc"),
            "\"meta.next_cursor\" is not empty; set pagination 'cursor', cursor_param and cursor_field 'meta.next_cursor'",
        ),
        (
            Reply::with(0..2).text("nextPageToken", "abc"),
            "\"nextPageToken\" is not empty",
        ),
        (
            Reply::with(0..2).text("metadata.continue", "abc"),
            "\"metadata.continue\" is not empty",
        ),
        (Reply::with(0..2).number("next", 2), "\"next\" is not empty"),
        (
            Reply::with(0..2).number("total", 3),
            "\"total\" is 3, and 2 rows were read; set pagination and total_field 'total'",
        ),
        (
            Reply::with(0..2).number("meta.totalCount", 3),
            "\"meta.totalCount\" is 3",
        ),
        (
            Reply::with(0..2).number("hits.total.value", 3),
            "\"hits.total.value\" is 3",
        ),
        (
            Reply::with(0..2).number("response.numFound", 3),
            "\"response.numFound\" is 3",
        ),
        (Reply::with(0..2).number("count", 3), "\"count\" is 3"),
        (
            Reply::with(0..2).number("total_pages", 2),
            "\"total_pages\" is 2, and 1 was read; set pagination 'page' and page_count_field 'total_pages'",
        ),
        (
            Reply::with(0..2).header("X-Total-Count", "3"),
            "header \"x-total-count\" counts 3",
        ),
        (
            Reply::with(0..2).header("X-Next-Page", "2"),
            "header \"X-Next-Page\" is not empty",
        ),
        (
            Reply::with(0..2).header("Content-Range", "items 0-1/3"),
            "header \"content-range\" counts 3",
        ),
    ];
    for (reply, sign) in signs {
        let text = reason(walk(&items(&[]), |_| reply.clone()));
        assert!(
            text.starts_with(&format!(
                "the response says that there are more rows: {sign}"
            )),
            "{text}"
        );
        assert!(
            text.ends_with("or pagination 'none' to read this page only"),
            "{text}"
        );
        assert_eq!(
            walk(&items(&[("pagination", "none")]), |_| reply.clone())
                .unwrap()
                .rows,
            [0, 1]
        );
    }
}

#[test]
fn auto_is_content_with_a_response_that_is_all() {
    let replies = [
        Reply::with(0..2),
        Reply::with(0..2)
            .number("total", 2)
            .number("count", 2)
            .number("total_pages", 1)
            .truth("has_more", false),
        Reply::with(0..2)
            .member("next", Scalar::Null)
            .text("next_cursor", "")
            .truth("last", true),
        Reply::with(0..2).text("next", " "),
        Reply::with(0..2)
            .header("X-Total-Count", "2")
            .header("X-Next-Page", "")
            .header("Content-Range", "items 0-1/2"),
        Reply::with(0..2)
            .header("Content-Range", "bytes 0-1/200")
            .header("Link", "</items?p=1>; rel=\"prev\""),
        Reply::default().number("total", 0),
        Reply::with(0..2)
            .number("facets.0.count", 9)
            .number("facets.0.total", 9)
            .number("likes.count", 9),
    ];
    for reply in replies {
        let result = walk(&items(&[]), |_| reply.clone()).unwrap();
        assert_eq!((result.urls.len(), result.end), (1, EndOfPages::NoNextUrl));
    }
}

#[test]
fn auto_knows_where_apis_write_the_next_url() {
    let places: [&'static str; 9] = [
        "next",
        "next_url",
        "nextPageUrl",
        "links.next",
        "_links.next.href",
        "paging.next",
        "info.next",
        "nextRecordsUrl",
        "meta.pagination.nextLink",
    ];
    for place in places {
        let result = walk(&items(&[]), |url| {
            let reply = Reply::with(0..1);
            if url.contains("p=1") {
                reply
            } else {
                reply.text(place, "/items?p=1")
            }
        });
        assert_eq!(result.unwrap().urls.len(), 2, "{place}");
    }
    let result = walk(&items(&[]), |url| {
        let reply = Reply::with(0..1)
            .text("links.0.rel", "self")
            .text("links.0.href", "/items")
            .text("links.1.rel", "next");
        if url.contains("p=1") {
            Reply::with(1..2)
        } else {
            reply.text("links.1.href", "?p=1")
        }
    });
    assert_eq!(
        result.unwrap().urls,
        ["https://api.test/items", "https://api.test/items?p=1"]
    );
}

/// The second request after a Link header of this value.
fn linked(value: &str) -> Option<String> {
    let result = walk(&items(&[("pagination", "link")]), |url| {
        let reply = Reply::with(0..1);
        if url == "https://api.test/items" {
            reply.header("link", value)
        } else {
            reply
        }
    });
    result.unwrap().urls.get(1).cloned()
}

#[test]
fn link_headers_are_read_as_rfc_8288_says() {
    let next = Some("https://api.test/items?p=2".to_owned());
    for value in [
        "<https://api.test/items?p=2>; rel=\"next\"",
        "<?p=2>;rel=next",
        "<?p=1>; rel=prev, <?p=2>; rel=\"last next\"; title=\"a, b; <c>\"",
        "<?p=1>; title=\"x \\\" rel=next, <y>\"; rel=prev, < ?p=2 > ; REL = NEXT",
        "<?p=9>; rel=next; anchor=\"#foo\", <?p=2>; rel=next",
        "<?p=1>; rel=prev; rel=next, <?p=2>; hidden; rel=next",
        "<?p=1>, <?p=2>; rel=next",
    ] {
        assert_eq!(linked(value), next, "{value}");
    }
    for value in [
        "",
        "<?p=2>",
        "?p=2; rel=next",
        "<?p=2; rel=next",
        "<?p=2>; rel=nextish",
        "<?p=2>; title=\"rel=next",
    ] {
        assert_eq!(linked(value), None, "{value}");
    }
    assert_eq!(
        linked("<?q=a,b&r=ä b#top>; rel=next"),
        Some("https://api.test/items?q=a,b&r=%C3%A4%20b".to_owned())
    );
    assert_eq!(
        linked("<../other/x%2Fy>; rel=next"),
        Some("https://api.test/other/x%2Fy".to_owned())
    );
}

#[test]
fn a_next_page_elsewhere_is_refused() {
    for (target, shown) in [
        ("https://evil.test/items", "https://evil.test"),
        ("//evil.test/items", "https://evil.test"),
        ("http://api.test/items", "http://api.test"),
        ("https://api.test:8443/items", "https://api.test:8443"),
        ("https://api.test.evil.test/", "https://api.test.evil.test"),
        (
            "https://api.test%40evil.test/",
            "https://api.test%40evil.test",
        ),
    ] {
        match walk(&items(&[]), |_| {
            Reply::with(0..1)
                .text("next", target)
                .header("link", format!("<{target}>; rel=next"))
        }) {
            Err(Error::Forbidden { target, reason, .. }) => {
                assert_eq!(target, shown);
                assert!(reason.contains("https://api.test,"), "{reason}");
            }
            other => panic!("{target}: {other:?}"),
        }
    }
    let link = |target: &str| {
        reason(walk(&items(&[("pagination", "link")]), |_| {
            Reply::with(0..1).header("link", format!("<{target}>; rel=next"))
        }))
    };
    assert_eq!(
        link("ftp://api.test/x"),
        "the next page's URL has scheme \"ftp\"; only http and https can be followed"
    );
    assert_eq!(
        link("javascript:alert(1)"),
        "the next page's URL has scheme \"javascript\"; only http and https can be followed"
    );
    assert_eq!(
        link("https://a:b@api.test/x"),
        "the next page's URL holds a user name or password"
    );
    assert_eq!(
        link("https://["),
        "the next page's URL is not a valid URL: \"https://[\""
    );
    let same = walk(&items(&[]), |url| {
        let reply = Reply::with(0..1);
        if url.contains("p=1") {
            reply
        } else {
            reply.text("next", "HTTPS://API.test:443/items?p=1")
        }
    });
    assert_eq!(
        same.unwrap().urls.len(),
        2,
        "the same origin in another spelling"
    );
}

#[test]
fn a_next_page_at_a_permitted_host_is_not_shown_what_is_the_own_origins() {
    let egress = Arc::new(Egress::restricted("cdn.test").unwrap());
    let next = |change: fn(&mut Connecting)| {
        let mut table = items(&[]);
        change(&mut table.source.connecting);
        let pager = Pager::new(Arc::new(table), Inputs::default(), None).unwrap();
        let mut pager = pager.permitting(Arc::clone(&egress));
        let request = pager.first().unwrap();
        let reply = Reply::with(0..1).text("next", "https://cdn.test/items");
        decide(&mut pager, &request, &reply)
    };
    let (decision, _) = next(|_| {}).unwrap();
    assert!(matches!(decision, Decision::Next(request) if request.url == "https://cdn.test/items"));
    for (change, kept) in [
        (
            (|connecting| connecting.client_cert_file = Some("/etc/client.pem".to_owned()))
                as fn(&mut Connecting),
            "the client's certificate (client_cert_file)",
        ),
        (
            |connecting| connecting.unix_socket = Some("/run/api.sock".to_owned()),
            "the server's Unix socket",
        ),
    ] {
        match next(change) {
            Err(Error::Forbidden { target, reason, .. }) => {
                assert_eq!(target, "https://cdn.test");
                assert!(reason.contains(kept), "{reason}");
            }
            other => panic!("{kept}: {other:?}"),
        }
    }
}

#[test]
fn the_first_page_carries_its_parameters() {
    let first = |pairs: &[(&str, &str)], hint| {
        Pager::new(Arc::new(items(pairs)), Inputs::default(), hint)
            .unwrap()
            .first()
            .unwrap()
            .url
    };
    let sized = &[
        ("page_size", "100"),
        ("max_page_size", "50"),
        ("page_size_param", "limit"),
    ];
    assert_eq!(first(sized, None), "https://api.test/items?limit=50");
    assert_eq!(
        first(sized, Some(7)),
        "https://api.test/items?limit=50",
        "without a declared second page a hint would cut rows"
    );
    assert_eq!(
        first(&[&sized[..], &[("pagination", "none")]].concat(), Some(7)),
        "https://api.test/items?limit=50"
    );
    let linked = [&sized[..], &[("pagination", "link")]].concat();
    assert_eq!(first(&linked, Some(7)), "https://api.test/items?limit=7");
    assert_eq!(first(&linked, Some(70)), "https://api.test/items?limit=50");
    assert_eq!(first(&linked, Some(0)), "https://api.test/items?limit=1");
    assert_eq!(
        first(&[("page_size", "100"), linked[3]], Some(7)),
        "https://api.test/items"
    );
    assert_eq!(
        first(&[("pagination", "page"), ("page_param", "p")], None),
        "https://api.test/items?p=1"
    );
    assert_eq!(
        first(
            &[
                ("pagination", "offset"),
                ("query", r#"{"limit": 9}"#),
                sized[2],
                sized[0]
            ],
            None
        ),
        "https://api.test/items?limit=100&offset=0"
    );
    assert_eq!(first(CURSOR, None), "https://api.test/items");
}

#[test]
fn later_pages_keep_or_drop_the_other_parameters() {
    let urls = |keep: &str| {
        let pairs = [
            CURSOR,
            &[
                ("keep_params", keep),
                ("query", r#"{"state": "all"}"#),
                ("page_size_param", "limit"),
                ("page_size", "5"),
            ],
        ]
        .concat();
        let field = |reply: Reply, next: usize| reply.number("meta.next", next as u64);
        walk(&items(&pairs), by_index(&[1, 1], "after", field))
            .unwrap()
            .urls
    };
    assert_eq!(
        urls("on"),
        [
            "https://api.test/items?state=all&limit=5",
            "https://api.test/items?state=all&limit=5&after=1"
        ]
    );
    assert_eq!(
        urls("off"),
        [
            "https://api.test/items?state=all&limit=5",
            "https://api.test/items?limit=5&after=1"
        ]
    );
}

#[test]
fn explain_names_the_way_of_paging() {
    let describe = |pairs: &[(&str, &str)]| Pager::describe(&items(pairs), true);
    assert_eq!(
        describe(&[("pagination", "offset"), ("page_size", "1000")]),
        "offset/limit, 1000 rows a page"
    );
    assert_eq!(describe(&[("pagination", "none")]), "one page");
    assert_eq!(describe(&[]), "Link header, else next URL in the body");
    assert_eq!(describe(CURSOR), "cursor in \"meta.next\"");
    assert_eq!(
        describe(&[("pagination", "page"), ("page_size", "1")]),
        "page number, 1 row a page"
    );
    let counted = [("pagination", "page"), ("total_field", "total")];
    assert_eq!(describe(&counted), "page number, up to 4 at once");
    let one_at_a_time = Pager::describe(&items(&counted), false);
    assert_eq!(one_at_a_time, "page number");
    assert_eq!(EndOfPages::EmptyPage.to_string(), "empty page");
}

#[test]
fn an_answer_from_a_redirect_counts_as_read() {
    let mut pager = Pager::new(
        Arc::new(items(&[("pagination", "link")])),
        Inputs::default(),
        None,
    )
    .unwrap();
    let headers = [(
        "link".to_owned(),
        "<https://api.test/moved>; rel=next".to_owned(),
    )];
    let facts = PageFacts {
        stage: Stage::Headers,
        status: 200,
        url: "https://api.test/moved",
        headers: &headers,
        envelope: None,
        rows: 0,
        last_key: None,
    };
    assert!(matches!(pager.next(&facts), Err(Error::Paging { .. })));
}

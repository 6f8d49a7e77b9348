//! Which rows a page has, and how the response points to the next one.

use crate::filters::{Selection, compare_to_text, field_path};
use crate::query::{Query, with_param};
use crate::rows::Rows;
use crate::scenario::{PagingFault, PagingSpec, PagingStyle};
use crate::shape::set_member;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use std::ops::Range;

/// How many too many a wrong total says.
const WRONG_BY: usize = 7;
/// A host that never resolves (RFC 6761 section 6.4).
const FOREIGN_ORIGIN: &str = "http://other.invalid";

/// What a request was sent to, for URLs in the response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'a> {
    /// Scheme, host, port.
    pub(crate) origin: &'a str,
    /// The whole path, as received.
    pub(crate) path: &'a str,
    pub(crate) raw_query: &'a str,
}

/// A page of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The places of the selection that it shows.
    pub(crate) places: Range<usize>,
    /// Its number, from 1, whatever the style.
    pub(crate) number: usize,
    size: usize,
    /// Where the next page begins, if there is one.
    next: Option<usize>,
    total: usize,
}

/// The page that a request asks for; the error is a message for the client.
pub(crate) fn page(
    spec: &PagingSpec,
    query: &Query,
    rows: &Rows,
    selection: &Selection,
) -> Result<Page, String> {
    let total = selection.len();
    if spec.style == PagingStyle::None {
        return Ok(Page {
            places: 0..total,
            number: 1,
            size: total,
            next: None,
            total,
        });
    }
    let size = page_size(spec, query)?;
    let start = start(spec, query, rows, selection, size)?;
    let end = start.saturating_add(size).min(total);
    let number = start / size + 1;
    let places = match spec.fault {
        Some(PagingFault::DuplicatePage) if number == spec.fault_page => {
            start.saturating_sub(size)..start.min(total)
        }
        _ => start.min(total)..end,
    };
    let next = match spec.fault {
        Some(PagingFault::RepeatCursor | PagingFault::RepeatUrl) => Some(size),
        _ => (end < total).then_some(end),
    };
    Ok(Page {
        places,
        number,
        size,
        next,
        total,
    })
}

fn page_size(spec: &PagingSpec, query: &Query) -> Result<usize, String> {
    let asked = match query.get(&spec.size_param) {
        None => spec.page_size,
        Some(text) => parse_count(&spec.size_param, text)?,
    };
    let size = if asked == 0 { spec.page_size } else { asked };
    Ok(size.min(spec.max_page_size()))
}

/// The place of the page's first row.
fn start(
    spec: &PagingSpec,
    query: &Query,
    rows: &Rows,
    all: &Selection,
    size: usize,
) -> Result<usize, String> {
    let numbered = |param: &str, first: usize| match query.get(param) {
        None => Ok(0),
        Some(text) => {
            let below = || format!("{param}: {text} is below the first one, {first}");
            parse_count(param, text)?
                .checked_sub(first)
                .ok_or_else(below)
        }
    };
    match spec.style {
        PagingStyle::None => Ok(0),
        PagingStyle::Link | PagingStyle::NextUrl | PagingStyle::Page => {
            Ok(numbered(&spec.page_param, spec.first_page)?.saturating_mul(size))
        }
        PagingStyle::Offset => numbered(&spec.offset_param, spec.first_offset),
        PagingStyle::Cursor => match query.get(&spec.cursor_param) {
            None => Ok(0),
            Some(token) => read_cursor(token)
                .ok_or_else(|| format!("{}: '{token}' is no cursor", spec.cursor_param)),
        },
        PagingStyle::Keyset => match query.get(&spec.cursor_param) {
            None => Ok(0),
            Some(last) => Ok(first_after(
                &field_path(&spec.keyset_field),
                last,
                rows,
                all,
            )),
        },
    }
}

fn parse_count(param: &str, text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("{param}: '{text}' is not a count"))
}

/// The place after the rows whose key is at most `last`; rows ascend by the key.
fn first_after(field: &[String], last: &str, rows: &Rows, selection: &Selection) -> usize {
    let (mut low, mut high) = (0, selection.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let key = rows.field(selection.row(middle), field);
        let order = key.as_deref().and_then(|key| compare_to_text(key, last));
        if order.is_some_and(|order| order.is_le()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn write_cursor(place: usize) -> String {
    BASE64.encode(format!("offset:{place}"))
}

fn read_cursor(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    text.strip_prefix("offset:")?.parse().ok()
}

impl Page {
    /// Adds what the body says of paging.
    pub(crate) fn add_members(
        &self,
        spec: &PagingSpec,
        address: Address<'_>,
        members: &mut Map<String, Value>,
    ) {
        let mut set = |field: Option<&str>, value: Value| {
            if let Some(field) = field {
                // A name such as @odata.nextLink is one name.
                let path = match field.strip_prefix('@') {
                    Some(_) => vec![field.to_owned()],
                    None => field_path(field),
                };
                set_member(members, &path, value);
            }
        };
        set(spec.cursor_field(), json!(self.next.map(write_cursor)));
        set(spec.next_url_field(), json!(self.next_url(spec, address)));
        set(spec.has_more_field.as_deref(), json!(self.next.is_some()));
        set(spec.total_field.as_deref(), json!(self.told_total(spec)));
        set(spec.page_count_field.as_deref(), json!(self.count()));
    }

    /// The headers that speak of paging.
    pub(crate) fn headers(&self, spec: &PagingSpec, address: Address<'_>) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let mut set = |name: &Option<String>, value: Option<String>| {
            if let (Some(name), Some(value)) = (name, value) {
                headers.push((name.clone(), value));
            }
        };
        let cursor = self
            .next
            .map(write_cursor)
            .filter(|_| spec.style == PagingStyle::Cursor);
        let url = self
            .next_url(spec, address)
            .filter(|_| spec.style == PagingStyle::NextUrl);
        set(&spec.cursor_header, cursor);
        set(&spec.next_url_header, url);
        set(&spec.total_header, Some(self.told_total(spec).to_string()));
        if spec.style == PagingStyle::Link {
            set(&Some("Link".to_owned()), self.link_header(spec, address));
        }
        headers
    }

    /// RFC 8288, with the relations that GitHub gives; none on an only page.
    fn link_header(&self, spec: &PagingSpec, address: Address<'_>) -> Option<String> {
        let url = |number: usize| page_url(spec, address, number);
        let mut links = Vec::new();
        if let Some(next) = self.next {
            links.push(format!("<{}>; rel=\"next\"", url(next / self.size + 1)));
            links.push(format!("<{}>; rel=\"last\"", url(self.count())));
        }
        if self.number > 1 {
            links.push(format!("<{}>; rel=\"first\"", url(1)));
            links.push(format!("<{}>; rel=\"prev\"", url(self.number - 1)));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }

    fn next_url(&self, spec: &PagingSpec, address: Address<'_>) -> Option<String> {
        self.next
            .map(|next| page_url(spec, address, next / self.size + 1))
    }

    fn told_total(&self, spec: &PagingSpec) -> usize {
        let wrong = spec.fault == Some(PagingFault::WrongTotal);
        self.total + if wrong { WRONG_BY } else { 0 }
    }

    fn count(&self) -> usize {
        self.total.div_ceil(self.size.max(1))
    }
}

/// The request's own URL with another page, counted from 1.
fn page_url(spec: &PagingSpec, address: Address<'_>, number: usize) -> String {
    let page = (spec.first_page + number - 1).to_string();
    let query = with_param(address.raw_query, &spec.page_param, &page);
    let origin = match spec.fault {
        Some(PagingFault::ForeignNext) => FOREIGN_ORIGIN,
        _ if spec.relative_urls => "",
        _ => address.origin,
    };
    format!("{origin}{}?{query}", address.path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::generate::Items;

    const ADDRESS: Address<'_> = Address {
        origin: "http://h:1",
        path: "/s/a/items",
        raw_query: "q=%41&per_page=10",
    };

    fn spec(paging: Value) -> PagingSpec {
        serde_json::from_value(paging).unwrap()
    }

    fn page_of(spec: &PagingSpec, count: usize, query: &str) -> Result<Page, String> {
        page(
            spec,
            &Query::parse(query),
            &Rows::Items(Items { count, seed: 1 }),
            &Selection::All(count),
        )
    }

    fn body(spec: &PagingSpec, page: &Page) -> Value {
        let mut members = Map::new();
        page.add_members(spec, ADDRESS, &mut members);
        Value::Object(members)
    }

    /// Follows a style from the first page to the end, and returns the places it showed.
    fn walk(
        paging: Value,
        count: usize,
        mut next_query: impl FnMut(&PagingSpec, &Page) -> String,
    ) -> Vec<Range<usize>> {
        let spec = spec(paging);
        let mut seen = Vec::new();
        let mut query = String::new();
        loop {
            let page = page_of(&spec, count, &query).unwrap();
            seen.push(page.places.clone());
            if page.next.is_none() {
                return seen;
            }
            query = next_query(&spec, &page);
        }
    }

    #[test]
    fn every_style_shows_every_row_once() {
        let expected = vec![0..10, 10..20, 20..25];
        let paged = |style: &str| json!({"style": style, "page_size": 10});
        for style in ["page", "link", "next_url"] {
            assert_eq!(
                walk(paged(style), 25, |_, page| format!(
                    "page={}",
                    page.number + 1
                )),
                expected,
                "{style}"
            );
        }
        assert_eq!(
            walk(paged("offset"), 25, |_, page| format!(
                "offset={}",
                page.places.end
            )),
            expected
        );
        assert_eq!(
            walk(paged("keyset"), 25, |_, page| format!(
                "cursor={}",
                page.places.end
            )),
            expected
        );
        let follow = |spec: &PagingSpec, page: &Page| {
            let token = body(spec, page)["meta"]["next_cursor"]
                .as_str()
                .unwrap()
                .to_owned();
            with_param("", "cursor", &token)
        };
        assert_eq!(walk(paged("cursor"), 25, follow), expected);
    }

    #[test]
    fn the_end_is_said_in_every_way() {
        let spec = spec(
            json!({"style": "next_url", "page_size": 10, "has_more_field": "more", "total_field": "meta.total",
                               "page_count_field": "meta.pages", "total_header": "X-Total"}),
        );
        let first = page_of(&spec, 20, "per_page=10").unwrap();
        assert_eq!(
            body(&spec, &first),
            json!({"next": "http://h:1/s/a/items?q=%41&per_page=10&page=2", "more": true, "meta": {"total": 20, "pages": 2}})
        );
        assert_eq!(
            first.headers(&spec, ADDRESS),
            [("X-Total".to_owned(), "20".to_owned())]
        );
        let last = page_of(&spec, 20, "page=2").unwrap();
        assert_eq!(body(&spec, &last)["next"], Value::Null);
        let beyond = page_of(&spec, 20, "page=9").unwrap();
        assert!(beyond.places.is_empty() && beyond.next.is_none());
    }

    #[test]
    fn links_have_the_relations_of_rfc_8288() {
        let spec = spec(json!({"style": "link", "relative_urls": true}));
        let middle = page_of(&spec, 30, "per_page=10&page=2").unwrap();
        let path = "/s/a/items?q=%41&per_page=10&page=";
        let expected = format!(
            "<{path}3>; rel=\"next\", <{path}3>; rel=\"last\", <{path}1>; rel=\"first\", <{path}1>; rel=\"prev\""
        );
        assert_eq!(
            middle.headers(&spec, ADDRESS),
            [("Link".to_owned(), expected)]
        );
        assert!(
            page_of(&spec, 5, "")
                .unwrap()
                .headers(&spec, ADDRESS)
                .is_empty()
        );
    }

    #[test]
    fn sizes_are_cut_and_numbers_are_checked() {
        let spec = spec(json!({"style": "page", "page_size": 20, "max_page_size": 50}));
        assert_eq!(page_of(&spec, 1000, "per_page=500").unwrap().places, 0..50);
        assert_eq!(page_of(&spec, 1000, "per_page=0").unwrap().places, 0..20);
        assert_eq!(
            page_of(&spec, 1000, "page=0").unwrap_err(),
            "page: 0 is below the first one, 1"
        );
        assert_eq!(
            page_of(&spec, 1000, "per_page=x").unwrap_err(),
            "per_page: 'x' is not a count"
        );
    }

    #[test]
    fn paging_faults_do_what_they_say() {
        let with = |style: &str, fault: &str| {
            spec(json!({"style": style, "page_size": 10, "fault": fault, "total_field": "t"}))
        };
        let repeat = with("cursor", "repeat_cursor");
        let again = page_of(&repeat, 30, "cursor=b2Zmc2V0OjEw").unwrap();
        assert_eq!(
            (
                again.number,
                body(&repeat, &again)["meta"]["next_cursor"].as_str()
            ),
            (2, Some("b2Zmc2V0OjEw"))
        );
        let repeat = with("next_url", "repeat_url");
        let last = page_of(&repeat, 30, "page=3").unwrap();
        assert!(
            body(&repeat, &last)["next"]
                .as_str()
                .unwrap()
                .ends_with("&page=2")
        );
        let wrong = with("page", "wrong_total");
        assert_eq!(
            body(&wrong, &page_of(&wrong, 30, "").unwrap())["t"],
            json!(37)
        );
        let foreign = with("next_url", "foreign_next");
        let next = body(&foreign, &page_of(&foreign, 30, "").unwrap())["next"].clone();
        assert!(
            next.as_str()
                .unwrap()
                .starts_with("http://other.invalid/s/a/items?")
        );
        let duplicate = with("offset", "duplicate_page");
        assert_eq!(page_of(&duplicate, 30, "offset=10").unwrap().places, 0..10);
        assert_eq!(page_of(&duplicate, 30, "offset=20").unwrap().places, 20..30);
    }
}

//! By which names responses tell that there are more rows.

pub(crate) use super::link::next_of_value as next_link;

use crate::decode::Scalar;
use crate::model::Segment;

/// Members deeper than this are about something else.
pub(crate) const DEPTH: usize = 3;

/// Members that are told apart by letters and digits alone: `@odata.nextLink` is `odatanextlink`.
pub(crate) fn plain(segment: &str) -> String {
    segment
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Whether a member's name says that it is the next page's URL.
pub(crate) fn names_next_url(path: &[Segment]) -> bool {
    const NAMES: [&str; 11] = [
        "next",
        "nexturl",
        "nexturi",
        "nextlink",
        "nexthref",
        "nextpage",
        "nextpageurl",
        "nextpageuri",
        "nextpagelink",
        "nextrecordsurl",
        "odatanextlink",
    ];
    match path {
        [.., parent, last] if ["href", "url", "uri"].contains(&plain(last).as_str()) => {
            plain(parent) == "next"
        }
        [.., last] => NAMES.contains(&plain(last).as_str()),
        [] => false,
    }
}

/// Whether a text can be followed.
pub(crate) fn looks_like_url(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["http://", "https://", "/", "?"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Whether a member says that there is more.
pub(crate) fn says_more(name: &str, scalar: &Scalar) -> bool {
    const MORE: [&str; 14] = [
        "hasmore",
        "hasnext",
        "hasnextpage",
        "hasmorepages",
        "hasmoreitems",
        "hasmoreresults",
        "moreresults",
        "moreavailable",
        "morerecords",
        "more",
        "istruncated",
        "truncated",
        "exceededtransferlimit",
        "next",
    ];
    const LAST: [&str; 4] = ["islast", "islastpage", "last", "done"];
    match scalar {
        Scalar::Bool(true) => MORE.contains(&name),
        Scalar::Bool(false) => LAST.contains(&name),
        Scalar::Null | Scalar::Number(_) | Scalar::Text(_) | Scalar::Other => false,
    }
}

/// Whether a member is a cursor to the next page.
pub(crate) fn is_cursor(name: &str, scalar: &Scalar) -> bool {
    const CURSORS: [&str; 14] = [
        "next",
        "nextcursor",
        "nextpage",
        "nextpagetoken",
        "nexttoken",
        "nextoffset",
        "nextmarker",
        "nextstart",
        "nextkey",
        "nextid",
        "continue",
        "continuation",
        "continuationtoken",
        "nextcontinuationtoken",
    ];
    let is_given = match scalar {
        Scalar::Text(text) => !text.trim().is_empty(),
        Scalar::Number(number) => number != "0",
        Scalar::Null | Scalar::Bool(_) | Scalar::Other => false,
    };
    is_given && CURSORS.contains(&name)
}

/// A whole number.
pub(crate) fn number(scalar: &Scalar) -> Option<u64> {
    match scalar {
        Scalar::Number(text) => text.parse().ok(),
        Scalar::Null | Scalar::Bool(_) | Scalar::Text(_) | Scalar::Other => None,
    }
}

/// Whether a member's name says that it counts all rows.
pub(crate) fn is_total(name: &str, parent: Option<&str>) -> bool {
    const TOTALS: [&str; 11] = [
        "total",
        "totalcount",
        "totalresults",
        "totalitems",
        "totalelements",
        "totalrecords",
        "totalrows",
        "totalhits",
        "numfound",
        "nbhits",
        "odatacount",
    ];
    const ABOUT_PAGES: [&str; 7] = [
        "meta",
        "metadata",
        "pagination",
        "paging",
        "page",
        "pageinfo",
        "info",
    ];
    match name {
        "count" => parent.is_none_or(|parent| ABOUT_PAGES.contains(&parent)),
        "value" => parent == Some("total"),
        name => TOTALS.contains(&name),
    }
}

/// Whether a member's name says that it counts all pages.
pub(crate) fn is_page_count(name: &str) -> bool {
    [
        "totalpages",
        "pagecount",
        "lastpage",
        "pages",
        "numpages",
        "nbpages",
    ]
    .contains(&name)
}

/// A header that counts more than so many rows, and its number.
pub(crate) fn total_in_headers(
    headers: &[(String, String)],
    rows: u64,
) -> Option<(&'static str, u64)> {
    let value = |name: &str| {
        let mut headers = headers.iter();
        let header = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    };
    ["x-total-count", "x-total", "content-range"]
        .into_iter()
        .find_map(|name| {
            let value = value(name)?;
            let is_bytes = value.trim_start().starts_with("bytes");
            let total: u64 = value.rsplit('/').next()?.trim().parse().ok()?;
            (total > rows && !is_bytes).then_some((name, total))
        })
}

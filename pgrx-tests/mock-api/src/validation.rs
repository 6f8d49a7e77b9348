//! Is what a client has still what the route answers with? (RFC 9110 section 13.2.2)

use crate::request::RequestHead;
use crate::scenario::RouteSpec;

/// Whether the route answers this request with 304.
pub(crate) fn is_current(spec: &RouteSpec, request: &RequestHead) -> bool {
    let own = |name: &str| {
        let mut headers = spec.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let agree = |asked: Option<&str>, own: Option<&str>| asked.is_some() && asked == own;
    match request.header("if-none-match") {
        Some(asked) => agree(Some(asked), own("etag")),
        None => agree(request.header("if-modified-since"), own("last-modified")),
    }
}

//! May a response be stored, and may it answer without the API being asked? The rules of RFC 9111, for a private cache,
//! are those of http-cache-semantics.

use super::head::{Head, Moment};
use crate::model::Caching;
use crate::request::Request;
use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use std::time::{Duration, SystemTime};
use ureq::http;

/// Each response belongs to one user's credentials. Nothing is fresh but for what its own header fields say: a guess from
/// Last-Modified (RFC 9111 section 4.2.2) would show a user old rows whose age nobody declared.
const OPTIONS: CacheOptions = CacheOptions {
    shared: false,
    cache_heuristic: 0.0,
    immutable_min_time_to_live: Duration::ZERO,
    ignore_cargo_cult: false,
};

/// Request header fields with which a response answers only that request.
const CONDITIONAL: [&str; 6] = [
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// Whether a stored response could answer this request.
pub(super) fn is_cacheable(request: &Request) -> bool {
    let is_plain =
        |(name, _): &(String, String)| !CONDITIONAL.contains(&name.to_ascii_lowercase().as_str());
    request.method == crate::model::Method::Get
        && request.body.is_none()
        && request.headers.iter().all(is_plain)
}

/// Whether the response with this head may be stored, and is of use then.
pub(super) fn is_storable(mode: Caching, request: &Request, head: &Head) -> bool {
    if !(200..300).contains(&head.status) || head.status == 206 {
        return false;
    }
    match mode {
        Caching::Off => false,
        Caching::Ttl(_) => !directives(&head.headers).any(|directive| directive == "no-store"),
        Caching::Http if head.redirected_to.is_some() => false,
        Caching::Http => policy(request, head).is_some_and(|policy| {
            let lives = policy.time_to_live(head.received.into()) > Duration::ZERO;
            policy.is_storable() && (lives || !validators(&head.headers).is_empty())
        }),
    }
}

/// Whether the header fields tell where the body ends. One that ends where its connection ends may have been cut off
/// (RFC 9111 section 3.3).
pub(super) fn has_known_end(headers: &[(String, String)]) -> bool {
    let is_end = |name: &str| matches!(name, "content-length" | "transfer-encoding");
    headers.iter().any(|(name, _)| is_end(name))
}

/// The directives of Cache-Control, in lower case, without their arguments.
fn directives(headers: &[(String, String)]) -> impl Iterator<Item = String> {
    let fields = headers.iter().filter(|(name, _)| name == "cache-control");
    fields.flat_map(|(_, value)| value.split(',')).map(|part| {
        let name = part.split('=').next().unwrap_or(part);
        name.trim().to_ascii_lowercase()
    })
}

/// What a stored response is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It answers.
    Answer,
    /// It answers if the API says that it is still valid.
    Validate,
    /// Nothing.
    Nothing,
}

/// What the stored response is good for `now`, in a scan that began at `started`.
///
/// How old a response may be counts until the scan began: pages that were stored one after another do not expire
/// between one and the next.
pub(super) fn judge(
    mode: Caching,
    request: &Request,
    head: &Head,
    started: Moment,
    now: Moment,
) -> Use {
    if head.received > now {
        // The clock was put back: nobody knows how old it is.
        return Use::Nothing;
    }
    match mode {
        Caching::Off => Use::Nothing,
        Caching::Ttl(time) if head.received.plus(time) > started => Use::Answer,
        Caching::Ttl(_) => Use::Nothing,
        Caching::Http => {
            let Some((policy, request)) = policy(request, head).zip(in_http(request)) else {
                return Use::Nothing;
            };
            match policy.before_request(&request, SystemTime::from(now)) {
                BeforeRequest::Fresh(_) => Use::Answer,
                BeforeRequest::Stale { matches: false, .. } => Use::Nothing,
                BeforeRequest::Stale { .. } => Use::Validate,
            }
        }
    }
}

/// The header fields that ask whether the response is still valid (RFC 9110 section 13.1); empty where it has no validator.
pub(super) fn validators(headers: &[(String, String)]) -> Vec<(String, String)> {
    let field = |name: &str, condition: &str| {
        let found = headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| (condition.to_owned(), value.clone()))
    };
    let etag = field("etag", "If-None-Match");
    let modified = field("last-modified", "If-Modified-Since");
    etag.into_iter().chain(modified).collect()
}

/// Whether a 304 with these header fields speaks of the stored response.
pub(super) fn validates(request: &Request, stored: &Head, headers: &[(String, String)]) -> bool {
    let Some((policy, request)) = policy(request, stored).zip(in_http(request)) else {
        return false;
    };
    let Some(response) = response(304, headers) else {
        return false;
    };
    let after = policy.after_response(&request, &response, SystemTime::now());
    matches!(after, AfterResponse::NotModified(..))
}

fn policy(request: &Request, head: &Head) -> Option<CachePolicy> {
    let request = in_http(request)?;
    let response = response(head.status, &head.headers)?;
    let received = SystemTime::from(head.received);
    Some(CachePolicy::new_options(
        &request, &response, received, OPTIONS,
    ))
}

/// The request in the library's form. Its URL is left out: responses are found by it.
fn in_http(request: &Request) -> Option<http::Request<()>> {
    let mut in_http = http::Request::builder().uri("/").body(()).ok()?;
    add(&request.headers, in_http.headers_mut())?;
    Some(in_http)
}

fn response(status: u16, headers: &[(String, String)]) -> Option<http::Response<()>> {
    let mut response = http::Response::builder().status(status).body(()).ok()?;
    add(headers, response.headers_mut())?;
    Some(response)
}

fn add(headers: &[(String, String)], map: &mut http::HeaderMap) -> Option<()> {
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        // The library takes directives as they are written; they have no case (RFC 9111 section 5.2).
        let value = match name.as_str() {
            "cache-control" | "pragma" => value.to_ascii_lowercase(),
            _ => value.clone(),
        };
        let value = http::HeaderValue::from_bytes(value.as_bytes()).ok()?;
        map.append(name, value);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Method;

    const TTL: Caching = Caching::Ttl(Duration::from_secs(60));

    fn at(seconds: u64) -> Moment {
        Moment::from(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds))
    }

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        headers.iter().map(owned).collect()
    }

    fn request(headers: &[(&str, &str)]) -> Request {
        Request {
            method: Method::Get,
            url: "http://api.test/items".to_owned(),
            headers: pairs(headers),
            body: None,
        }
    }

    /// A response that arrived at second 0.
    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        Head {
            status,
            headers: pairs(headers),
            redirected_to: None,
            received: at(0),
            asked: at(0),
        }
    }

    fn storable(mode: Caching, status: u16, headers: &[(&str, &str)]) -> bool {
        is_storable(mode, &request(&[]), &head(status, headers))
    }

    fn after(seconds: u64, headers: &[(&str, &str)]) -> Use {
        judge(
            Caching::Http,
            &request(&[]),
            &head(200, headers),
            at(seconds),
            at(seconds),
        )
    }

    #[test]
    fn what_lives_or_can_be_validated_is_stored() {
        for headers in [
            &[("cache-control", "max-age=60")] as &[_],
            &[("cache-control", "private, max-age=60")],
            &[("expires", "Thu, 01 Dec 2094 16:00:00 GMT")],
            &[("etag", "\"1\"")],
            &[("etag", "W/\"1\""), ("cache-control", "no-cache")],
            &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
            &[("cache-control", "max-age=60"), ("set-cookie", "a=b")],
        ] {
            assert!(storable(Caching::Http, 200, headers), "{headers:?}");
        }
    }

    #[test]
    fn what_neither_lives_nor_can_be_validated_is_not_stored() {
        for headers in [
            &[] as &[_],
            &[("cache-control", "no-store, max-age=60")],
            &[("cache-control", "No-Store"), ("etag", "\"1\"")],
            &[("cache-control", "max-age=0")],
            &[("vary", "*"), ("cache-control", "max-age=60")],
        ] {
            assert!(!storable(Caching::Http, 200, headers), "{headers:?}");
        }
    }

    #[test]
    fn only_a_complete_success_is_stored() {
        let lives = [("cache-control", "max-age=60")];
        for status in [206, 301, 304, 404, 500] {
            assert!(!storable(Caching::Http, status, &lives), "{status}");
            assert!(!storable(TTL, status, &lives), "{status}");
        }
        for mode in [Caching::Http, TTL] {
            assert!(storable(mode, 200, &lives) && storable(mode, 204, &lives));
        }
    }

    #[test]
    fn a_body_that_ends_with_its_connection_has_no_known_end() {
        assert!(has_known_end(&pairs(&[("content-length", "2")])));
        assert!(has_known_end(&pairs(&[("transfer-encoding", "chunked")])));
        assert!(!has_known_end(&pairs(&[("connection", "close")])));
    }

    #[test]
    fn a_redirected_response_is_stored_by_ttl_only() {
        let redirected = Head {
            redirected_to: Some("http://api.test/moved".to_owned()),
            ..head(200, &[("cache-control", "max-age=60")])
        };
        assert!(!is_storable(Caching::Http, &request(&[]), &redirected));
        assert!(is_storable(TTL, &request(&[]), &redirected));
    }

    #[test]
    fn ttl_asks_for_no_leave_but_obeys_no_store() {
        assert!(storable(TTL, 200, &[]));
        assert!(storable(
            TTL,
            200,
            &[("cache-control", "no-cache, max-age=0")]
        ));
        assert!(!storable(
            TTL,
            200,
            &[("cache-control", "private, NO-STORE")]
        ));
        let use_at =
            |started, now| judge(TTL, &request(&[]), &head(200, &[]), at(started), at(now));
        assert_eq!(use_at(59, 59), Use::Answer);
        assert_eq!(use_at(60, 60), Use::Nothing);
        assert_eq!(
            use_at(59, 500),
            Use::Answer,
            "it counts when the scan began"
        );
    }

    #[test]
    fn a_response_answers_as_long_as_it_says() {
        let lives = [("cache-control", "max-age=60"), ("etag", "\"1\"")];
        assert_eq!(after(59, &lives), Use::Answer);
        assert_eq!(after(60, &lives), Use::Validate);
        let aged = [("cache-control", "Max-Age=60"), ("age", "50")];
        assert_eq!(
            (after(9, &aged), after(11, &aged)),
            (Use::Answer, Use::Validate)
        );
        let always = [("cache-control", "no-cache, max-age=60"), ("etag", "\"1\"")];
        assert_eq!(after(1, &always), Use::Validate);
        let modified = [
            ("date", "Tue, 13 Jan 1970 13:46:40 GMT"),
            ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ];
        assert_eq!(after(0, &modified), Use::Validate, "nothing is guessed");
    }

    #[test]
    fn a_request_may_ask_for_a_newer_one() {
        let lives = head(200, &[("cache-control", "max-age=60")]);
        let asked = |header: &str| {
            let request = request(&[("Cache-Control", header)]);
            judge(Caching::Http, &request, &lives, at(10), at(10))
        };
        assert_eq!(asked("no-cache"), Use::Validate);
        assert_eq!(asked("max-age=5"), Use::Validate);
        assert_eq!(asked("max-age=20"), Use::Answer);
    }

    #[test]
    fn nothing_answers_from_the_future() {
        let lives = head(200, &[("cache-control", "max-age=60")]);
        let early = Moment::from(SystemTime::UNIX_EPOCH);
        for mode in [Caching::Http, TTL] {
            assert_eq!(
                judge(mode, &request(&[]), &lives, early, early),
                Use::Nothing
            );
        }
    }

    #[test]
    fn only_gets_without_conditions_are_answered() {
        assert!(is_cacheable(&request(&[("Accept", "x")])));
        assert!(!is_cacheable(&request(&[("If-None-Match", "x")])));
        assert!(!is_cacheable(&request(&[("range", "bytes=0-1")])));
        for method in [Method::Post, Method::Query, Method::Put] {
            let other = Request {
                method,
                ..request(&[])
            };
            assert!(!is_cacheable(&other));
        }
    }

    #[test]
    fn a_304_must_speak_of_the_stored_response() {
        let says = |stored: &[(&str, &str)], answered: &[(&str, &str)]| {
            validates(&request(&[]), &head(200, stored), &pairs(answered))
        };
        assert!(says(&[("etag", "\"1\"")], &[("etag", "\"1\"")]));
        assert!(says(&[("etag", "W/\"1\"")], &[("etag", "W/\"1\"")]));
        assert!(!says(&[("etag", "\"1\"")], &[("etag", "\"2\"")]));
        let modified = [("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert!(says(&modified, &modified));
    }

    #[test]
    fn both_validators_are_sent() {
        let sent = validators(&pairs(&[("last-modified", "then"), ("etag", "\"1\"")]));
        let expected = [("If-None-Match", "\"1\""), ("If-Modified-Since", "then")];
        assert_eq!(sent, pairs(&expected));
    }

    #[test]
    fn a_validation_updates_every_field_but_those_of_the_body() {
        let stored = head(
            200,
            &[
                ("link", "<a>"),
                ("link", "<b>"),
                ("x-total", "1"),
                ("etag", "\"1\""),
                ("content-length", "2"),
            ],
        );
        let by = pairs(&[
            ("x-total", "2"),
            ("x-new", "3"),
            ("content-length", "0"),
            ("set-cookie", "secret"),
        ]);
        let updated = stored.updated(&by, at(9), at(8));
        let expected = pairs(&[
            ("link", "<a>"),
            ("link", "<b>"),
            ("etag", "\"1\""),
            ("content-length", "2"),
            ("x-total", "2"),
            ("x-new", "3"),
        ]);
        assert_eq!(updated.headers, expected);
        assert_eq!((updated.received, updated.asked), (at(9), at(8)));
    }
}

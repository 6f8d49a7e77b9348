//! The faults, and what is expected of each.

use crate::paging::{PAGE, Style};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Bytes of a page's rows after which its body breaks off: more than a first batch, less than all.
const IN_THE_BODY: usize = PAGE * 250;

/// How a scan ends.
#[derive(Debug, Clone)]
pub enum Expected {
    /// With the right rows, after so many requests more than without the fault.
    Rows { more: RangeInclusive<usize> },
    /// With an error: its SQLSTATE, and a part of its message and of its DETAIL.
    Error {
        code: &'static str,
        message: String,
        detail: String,
    },
}

/// What strikes.
#[derive(Debug, Clone)]
pub enum Strike {
    /// These faults of the mock API, in turn.
    Faults(Vec<Value>),
    /// A page has the rows of the one before.
    DuplicatePage,
    /// Nothing listens when the page is asked for.
    Refusal,
    /// What listens when the page is asked for speaks no TLS.
    Handshake,
}

/// A fault and how often it happens.
#[derive(Debug, Clone)]
pub struct Fault {
    pub name: String,
    pub strike: Strike,
    /// How often; 0 is always.
    pub times: u64,
    /// Options of the server.
    pub options: &'static str,
    pub expected: Expected,
}

/// All faults that can happen to a page.
pub fn faults(style: Style, page: usize) -> Vec<Fault> {
    let after = if style.is_empty(page) { 1 } else { IN_THE_BODY };
    let expires = matches!(style, Style::Link | Style::NextUrl | Style::Cursor);
    let mut all = of_a_response(after, expires && page > 1);
    all.extend(contents(style, page, after));
    all
}

/// All faults that can happen to any response, whatever it is: it breaks off `after` bytes of its body. `has_cursor`: as
/// [`statuses`] has it.
pub fn of_a_response(after: usize, has_cursor: bool) -> Vec<Fault> {
    let mut all = connections(after);
    all.extend(statuses(has_cursor));
    all.extend(rate_limits());
    all.extend(bodies());
    all
}

fn rows(more: RangeInclusive<usize>) -> Expected {
    Expected::Rows { more }
}

fn error(code: &'static str, message: &str, detail: &str) -> Expected {
    Expected::Error {
        code,
        message: message.to_owned(),
        detail: detail.to_owned(),
    }
}

/// One that passes: once it costs requests, always it is an error.
fn passing(name: &str, fault: Value, more: RangeInclusive<usize>, always: Expected) -> [Fault; 2] {
    let once = Fault {
        name: format!("{name}, once"),
        strike: Strike::Faults(vec![fault]),
        times: 1,
        options: ", max_retries '2'",
        expected: rows(more),
    };
    let always = Fault {
        name: format!("{name}, always"),
        times: 0,
        options: ", max_retries '1'",
        expected: always,
        ..once.clone()
    };
    [once, always]
}

/// One that is not tried again.
fn lasting(name: &str, fault: Value, expected: Expected) -> Fault {
    Fault {
        name: name.to_owned(),
        strike: Strike::Faults(vec![fault]),
        times: 0,
        options: "",
        expected,
    }
}

/// What happens to connections. One that was kept, and is closed when it is used again, costs no try.
fn connections(after: usize) -> Vec<Fault> {
    let unreachable =
        |reason: &str| error("08001", &format!("could not reach the API: {reason}"), "");
    let cut_off = error(
        "08006",
        "the response was cut off: the server closed the connection in the middle of the body",
        "",
    );
    let timed_out = |phase: &str| {
        error(
            "08006",
            &format!("request timed out after 1s while {phase}"),
            "",
        )
    };
    let mut all = Vec::new();
    all.extend(passing(
        "reset",
        json!({"kind": "reset"}),
        1..=1,
        unreachable("connection reset by peer"),
    ));
    all.extend(passing(
        "close",
        json!({"kind": "close"}),
        1..=1,
        unreachable("the server closed the connection without a response"),
    ));
    all.extend(passing(
        "truncated",
        json!({"kind": "truncate", "after": after}),
        1..=1,
        cut_off.clone(),
    ));
    all.extend(passing(
        "length too large",
        json!({"kind": "wrong_length", "by": 50}),
        1..=1,
        cut_off,
    ));
    // Healthy requests may seem to stall on a busy machine.
    let stalls = [
        (
            "stall before the headers",
            json!({"kind": "stall_before_headers"}),
            "waiting for the response",
        ),
        (
            "stall in the body",
            json!({"kind": "stall_in_body", "after": after}),
            "reading the response",
        ),
    ];
    for (name, fault, phase) in stalls {
        let two = passing(name, fault, 1..=2, timed_out(phase));
        all.extend(two.map(|fault| Fault {
            options: if fault.times == 0 {
                ", max_retries '1', timeout '1s'"
            } else {
                ", max_retries '4', timeout '1s'"
            },
            ..fault
        }));
    }
    all.push(Fault {
        expected: rows(0..=0),
        ..lasting(
            "drip",
            json!({"kind": "drip", "bytes_per_write": 5000, "interval_ms": 1}),
            rows(0..=0),
        )
    });
    let refused = unreachable("connection refused");
    let refusal = passing("refused", Value::Null, 0..=0, refused);
    all.extend(refusal.map(|fault| Fault {
        strike: Strike::Refusal,
        // One that is refused once is refused for a while.
        options: if fault.times == 0 {
            ", max_retries '1'"
        } else {
            ", max_retries '9'"
        },
        ..fault
    }));
    // Whoever answers so may be anybody: it is not asked again.
    all.push(Fault {
        strike: Strike::Handshake,
        times: 1,
        ..lasting(
            "TLS handshake fails",
            Value::Null,
            error("08001", "TLS connection failed: ", ""),
        )
    });
    all
}

fn refused_with(status: u16, reason: &str) -> Expected {
    error(
        "HV00M",
        &format!("the API answered with status {status}"),
        &format!("the API says: {reason}"),
    )
}

/// `has_cursor`: the page was named by the one before, in a way that expires.
fn statuses(has_cursor: bool) -> Vec<Fault> {
    let mut all = Vec::new();
    for (status, reason) in [
        (408, "Request Timeout"),
        (429, "Too Many Requests"),
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
    ] {
        let fault = json!({"kind": "status", "status": status});
        all.extend(passing(
            &status.to_string(),
            fault,
            1..=1,
            refused_with(status, reason),
        ));
    }
    let too_early = json!({"kind": "status", "status": 425});
    all.push(lasting(
        "425, which is not tried again unless it is named",
        too_early.clone(),
        refused_with(425, "Too Early"),
    ));
    let named = passing(
        "425, named in retry_on",
        too_early,
        1..=1,
        refused_with(425, "Too Early"),
    );
    all.extend(named.map(|fault| Fault {
        options: ", max_retries '1', retry_on '425'",
        ..fault
    }));
    for (status, reason) in [
        (400, "Bad Request"),
        (404, "Not Found"),
        (410, "the cursor has expired"),
    ] {
        let body = json!({"message": reason}).to_string();
        let fault = json!({"kind": "status", "status": status, "body": body});
        let expected = match status {
            410 if has_cursor => error(
                "HV00M",
                "the cursor of the next page has expired",
                "the API says 410: the cursor has expired",
            ),
            _ => refused_with(status, reason),
        };
        all.push(lasting(&status.to_string(), fault, expected));
    }
    let expired = json!({"kind": "status", "status": 401, "body": "{\"message\": \"the token has expired\"}"});
    all.push(lasting(
        "expired token",
        expired,
        error(
            "28000",
            "the API answered with status 401",
            "the API says: the token has expired",
        ),
    ));
    let page = json!({"kind": "status", "status": 503, "headers": {"Content-Type": "text/html"},
        "body": "<html><head><title>We are down</title></head></html>"});
    all.extend(passing(
        "HTML with an error status",
        page,
        1..=1,
        refused_with(503, "We are down"),
    ));
    all
}

/// 429 with each form of the headers that say when to come again: now.
fn rate_limits() -> Vec<Fault> {
    let refused = || refused_with(429, "Too Many Requests");
    let forms = [
        ("Retry-After in seconds", json!({"Retry-After": "0"})),
        (
            "Retry-After as a date",
            json!({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        ),
        (
            "RateLimit of one member a policy",
            json!({"RateLimit-Policy": "\"burst\";q=10;w=1, \"default\";q=100;w=60", "RateLimit": "\"default\";r=0;t=0"}),
        ),
        (
            "RateLimit of limit, remaining and reset",
            json!({"RateLimit": "limit=100, remaining=0, reset=0"}),
        ),
        (
            "RateLimit-Reset",
            json!({"RateLimit-Limit": "9", "RateLimit-Remaining": "0", "RateLimit-Reset": "0"}),
        ),
        (
            "X-RateLimit-Reset in seconds",
            json!({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}),
        ),
        (
            "X-RateLimit-Reset since 1970",
            json!({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}),
        ),
        (
            "X-Rate-Limit-Reset",
            json!({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "0"}),
        ),
        (
            "headers that say nothing",
            json!({"Retry-After": "soon", "X-RateLimit-Remaining": "many"}),
        ),
    ];
    let mut all = Vec::new();
    for (name, headers) in forms {
        let fault = json!({"kind": "status", "status": 429, "headers": headers});
        all.extend(passing(
            &format!("429 with {name}"),
            fault,
            1..=1,
            refused(),
        ));
    }
    for (name, headers) in [
        ("Retry-After", json!({"Retry-After": "3600"})),
        ("RateLimit", json!({"RateLimit": "\"default\";r=0;t=3600"})),
    ] {
        all.push(lasting(
            &format!("429 for an hour, by {name}"),
            json!({"kind": "status", "status": 429, "headers": headers}),
            refused_with(
                429,
                "Too Many Requests (it asks to be called again in 3600 s",
            ),
        ));
    }
    all
}

/// Bodies that are not what was asked for.
fn bodies() -> Vec<Fault> {
    let unreadable = |reason: &str| {
        error(
            "HV00K",
            &format!("could not read the response: {reason}"),
            "",
        )
    };
    let html = json!({"kind": "status", "status": 200, "headers": {"Content-Type": "text/html"},
        "body": "<html><head><title>Please sign in</title></head></html>"});
    let empty = json!({"kind": "status", "status": 200, "body": ""});
    let incomplete = error(
        "08006",
        "the response was cut off: the body ended within the JSON document",
        "",
    );
    let shorter = json!({"kind": "wrong_length", "by": -1});
    let mut all = vec![
        lasting("HTML", html, unreadable("")),
        lasting("empty body", empty, unreadable("the body is empty")),
    ];
    all.extend(passing("length too small", shorter, 1..=1, incomplete));
    all
}

/// Pages that are well-formed, and wrong.
fn contents(style: Style, page: usize, after: usize) -> Vec<Fault> {
    let mut all = Vec::new();
    if page > 1 {
        all.push(Fault {
            strike: Strike::DuplicatePage,
            ..lasting(
                "duplicate page",
                Value::Null,
                error("HV00M", "paging failed", ""),
            )
        });
    }
    if !style.is_empty(page) {
        // A slow body's rows are handed over as they come, on any page: no other ones take their place.
        let cut = json!({"kind": "truncate", "after": after, "pause_ms": 60});
        let other =
            json!({"kind": "change", "from": "\"state\":\"open\"", "to": "\"state\":\"shut\""});
        let changed = format!("paging failed: page {page} changed while it was being read again");
        all.push(Fault {
            strike: Strike::Faults(vec![cut, other]),
            times: 1,
            options: ", max_retries '2'",
            ..lasting(
                "page that changed",
                Value::Null,
                error("HV00M", &changed, ""),
            )
        });
    }
    all
}

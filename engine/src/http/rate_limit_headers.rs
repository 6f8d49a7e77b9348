//! What a response says of when the next request is welcome: Retry-After, and the headers of rate limits in their
//! many forms.

use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};
use std::time::{Duration, SystemTime};

/// How the headers of a rate limit begin that are one header each for limit, remaining and reset.
const PREFIXES: [&str; 3] = ["ratelimit", "x-ratelimit", "x-rate-limit"];
/// A larger number of seconds is a point in time: nobody asks to wait for ten years.
const SINCE_1970: f64 = 315_360_000.0;
/// A larger number is one of milliseconds: as seconds it would be in the year 5138.
const IN_MILLISECONDS: f64 = 1e11;

type Headers<'a> = &'a [(String, String)];

/// How long an error response asks to wait: its Retry-After (RFC 9110 section 10.2.3: seconds, or an HTTP date), else the
/// time until an exhausted rate limit is reset. `now` counts where the response has no date of its own.
pub fn asked_to_wait(headers: Headers, now: SystemTime) -> Option<Duration> {
    let Some(value) = header(headers, "retry-after") else {
        return exhausted(headers, now);
    };
    seconds(value).or_else(|| until(httpdate::parse_http_date(value).ok()?, time(headers, now)))
}

/// How long it takes until a rate limit that the response calls exhausted is reset; `None` where it calls none so.
///
/// Read are `RateLimit: "default";r=0;t=30` (the IETF's draft from its version 8 on; without `t` the window of that
/// policy counts), `RateLimit: limit=100, remaining=0, reset=30` (version 7), and `RateLimit-…`, `X-RateLimit-…` and
/// `X-Rate-Limit-Remaining` with `-Reset-After` (seconds) or `-Reset` (seconds, or seconds or milliseconds since 1970,
/// or an HTTP date).
pub fn exhausted(headers: Headers, now: SystemTime) -> Option<Duration> {
    let structured = header(headers, "ratelimit");
    structured
        .and_then(|value| of_policies(value, headers))
        .or_else(|| structured.and_then(of_dictionary))
        .or_else(|| {
            let mut waits = PREFIXES
                .iter()
                .filter_map(|prefix| of_prefix(prefix, headers, now));
            waits.next()
        })
}

fn header<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.trim())
}

/// The API's own time: points in time are meant by its clock, not ours.
fn time(headers: Headers, now: SystemTime) -> SystemTime {
    let date = header(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    date.unwrap_or(now)
}

/// Seconds, also with a fraction.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn until(point: SystemTime, now: SystemTime) -> Option<Duration> {
    Some(point.duration_since(now).unwrap_or_default())
}

/// Of several limits that are exhausted the one that lasts longest counts.
fn of_policies(value: &str, headers: Headers) -> Option<Duration> {
    let limits = Parser::new(value).parse::<List>().ok()?;
    let windows = header(headers, "ratelimit-policy")
        .and_then(|policies| Parser::new(policies).parse::<List>().ok())
        .unwrap_or_default();
    let window = |name: &BareItem| {
        let policy = items(&windows).find(|policy| policy.bare_item == *name)?;
        parameter(policy, "w")
    };
    let exhausted = items(&limits).filter(|limit| parameter(limit, "r") == Some(0));
    exhausted
        .filter_map(|limit| parameter(limit, "t").or_else(|| window(&limit.bare_item)))
        .max()
        .map(Duration::from_secs)
}

fn items(list: &List) -> impl Iterator<Item = &Item> {
    list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    })
}

fn parameter(item: &Item, name: &str) -> Option<u64> {
    number(item.params.get(name)?)
}

fn number(item: &BareItem) -> Option<u64> {
    u64::try_from(i64::from(item.as_integer()?)).ok()
}

fn of_dictionary(value: &str) -> Option<Duration> {
    let limit = Parser::new(value).parse::<Dictionary>().ok()?;
    let member = |name: &str| match limit.get(name)? {
        ListEntry::Item(item) => number(&item.bare_item),
        ListEntry::InnerList(_) => None,
    };
    (member("remaining") == Some(0)).then_some(())?;
    member("reset").map(Duration::from_secs)
}

fn of_prefix(prefix: &str, headers: Headers, now: SystemTime) -> Option<Duration> {
    let of = |suffix: &str| header(headers, &format!("{prefix}-{suffix}"));
    let remaining: f64 = of("remaining")?.parse().ok()?;
    // NaN, which is read as a number too, is none.
    (remaining <= 0.0).then_some(())?;
    of("reset-after")
        .and_then(seconds)
        .or_else(|| until_reset(of("reset")?, time(headers, now)))
}

/// Some APIs write the seconds that are left, some the second or millisecond since 1970 at which it is reset.
fn until_reset(text: &str, now: SystemTime) -> Option<Duration> {
    let Ok(number) = text.parse::<f64>() else {
        return until(httpdate::parse_http_date(text).ok()?, now);
    };
    if number < SINCE_1970 {
        return Duration::try_from_secs_f64(number).ok();
    }
    let since_1970 = if number < IN_MILLISECONDS {
        number
    } else {
        number / 1000.0
    };
    let since_1970 = Duration::try_from_secs_f64(since_1970).ok()?;
    until(SystemTime::UNIX_EPOCH.checked_add(since_1970)?, now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// 15 January 2027, 8:00.
    const NOW: u64 = 1_800_000_000;

    fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        headers.iter().map(owned).collect()
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn asked(headers: &[(&str, &str)]) -> Option<f64> {
        asked_to_wait(&owned(headers), now()).map(|wait| wait.as_secs_f64())
    }

    fn used_up(headers: &[(&str, &str)]) -> Option<f64> {
        exhausted(&owned(headers), now()).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        for (value, wait) in [
            ("120", Some(120.0)),
            ("1.5", Some(1.5)),
            ("Fri, 15 Jan 2027 08:00:30 GMT", Some(30.0)),
            ("Fri, 15 Jan 2027 07:00:00 GMT", Some(0.0)),
            ("soon", None),
            ("-1", None),
            ("NaN", None),
            ("1e300", None),
        ] {
            assert_eq!(asked(&[("retry-after", value)]), wait, "{value}");
        }
    }

    #[test]
    fn points_in_time_are_meant_by_the_apis_clock() {
        let date = ("date", "Fri, 15 Jan 2027 09:00:00 GMT");
        let retry = ("retry-after", "Fri, 15 Jan 2027 09:00:07 GMT");
        assert_eq!(asked(&[date, retry]), Some(7.0));
        let reset = format!("{}", NOW + 3609);
        let headers = [
            date,
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        assert_eq!(used_up(&headers), Some(9.0));
    }

    #[test]
    fn three_headers_tell_of_an_exhausted_limit() {
        for prefix in ["ratelimit", "x-ratelimit", "x-rate-limit"] {
            let (remaining, reset) = (format!("{prefix}-remaining"), format!("{prefix}-reset"));
            let read = |left: &str, value: &str| used_up(&[(&remaining, left), (&reset, value)]);
            assert_eq!(read("0", "30"), Some(30.0));
            assert_eq!(read("0", "1800000042"), Some(42.0));
            assert_eq!(read("0", "1800000042500"), Some(42.5), "milliseconds");
            assert_eq!(read("0", "1800000000.25"), Some(0.25));
            assert_eq!(read("0", "1700000000"), Some(0.0), "it is over");
            assert_eq!(read("0", "Fri, 15 Jan 2027 08:00:05 GMT"), Some(5.0));
            assert_eq!(read("7", "30"), None);
            assert_eq!(read("NaN", "30"), None);
            assert_eq!(read("0", "later"), None);
        }
        let after = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset-after", "1.5"),
            ("x-ratelimit-reset", "1800000009"),
        ];
        assert_eq!(used_up(&after), Some(1.5));
    }

    #[test]
    fn the_drafts_structured_forms_are_read() {
        for (value, wait) in [
            (r#""default";r=0;t=30"#, Some(30.0)),
            (r#""default";r=1;t=30"#, None),
            (
                r#""burst";r=0;t=5, "daily";r=0;t=90, "hourly";r=3;t=600"#,
                Some(90.0),
            ),
            (r#""default";r=0"#, Some(60.0)),
            (r#""other";r=0"#, None),
            ("limit=100, remaining=0, reset=30", Some(30.0)),
            ("limit=100, remaining=5, reset=30", None),
            ("limit=100, remaining", None),
            (r#""default;r=0"#, None),
            ("", None),
        ] {
            let headers = [
                ("ratelimit", value),
                (
                    "ratelimit-policy",
                    r#""burst";q=10;w=1, "default";q=100;w=60"#,
                ),
            ];
            assert_eq!(used_up(&headers), wait, "{value}");
        }
    }

    #[test]
    fn retry_after_wins_where_there_was_an_error() {
        let both = [
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "30"),
            ("retry-after", "5"),
        ];
        assert_eq!(asked(&both), Some(5.0));
        assert_eq!(used_up(&both), Some(30.0));
        assert_eq!(asked(&both[..2]), Some(30.0));
    }
}

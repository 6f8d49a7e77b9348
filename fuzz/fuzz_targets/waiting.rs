//! What responses say of when to come again: no text panics, no wait is beyond its bound, what is valid beyond doubt is kept.
#![no_main]

use arbitrary::Arbitrary;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use rest_engine::Error;
use rest_engine::error::Exchange;
use rest_engine::http::retry::{Failed, GiveUp, RetryDecision, decide};
use rest_engine::http::{asked_to_wait, exhausted};
use rest_engine::model::{Method, RetryPolicy};
use std::time::{Duration, SystemTime};

const NAMES: [&str; 15] = [
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-reset-after",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "ratelimit-reset-after",
    "date",
];

#[derive(Debug, Arbitrary)]
struct Input {
    headers: Vec<(u8, Written)>,
    /// Seconds since 1970.
    now: u32,
    tries: u8,
    elapsed: u32,
    max_time: u32,
    chance: u8,
}

#[derive(Debug, Arbitrary)]
enum Written {
    Text(String),
    Number(u64),
    Fraction(f64),
    /// Seconds from now on.
    Date(i32),
    Left(u8),
    /// `"name";r=…;t=…`
    Policy(u8, i64),
    Dictionary(u8, i64),
}

/// RFC 9110's form, written by another library than the one that reads it.
fn date(second: i64) -> Option<String> {
    let date = Timestamp::from_second(second).ok()?;
    Some(date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn headers(input: &Input) -> Vec<(String, String)> {
    let written = |written: &Written| match written {
        Written::Text(text) => text.clone(),
        Written::Number(number) => number.to_string(),
        Written::Fraction(number) => number.to_string(),
        Written::Date(after) => date(i64::from(input.now) + i64::from(*after)).unwrap_or_default(),
        Written::Left(left) => (left % 3).to_string(),
        Written::Policy(left, after) => format!("\"p\";r={};t={after}", left % 3),
        Written::Dictionary(left, after) => {
            format!("limit=9, remaining={}, reset={after}", left % 3)
        }
    };
    let headers = input.headers.iter();
    let headers = headers.map(|(name, value)| {
        let name = NAMES[usize::from(*name) % NAMES.len()];
        (name.to_owned(), written(value))
    });
    headers.collect()
}

/// What `Retry-After` says, where that is beyond doubt.
fn certain(headers: &[(String, String)], input: &Input) -> Option<Duration> {
    let first = |name: &str| headers.iter().position(|(other, _)| other == name);
    let place = first("retry-after")?;
    let text = headers[place].1.trim();
    if (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    match input.headers[place].1 {
        Written::Date(after) if first("date").is_none() && after.unsigned_abs() < 100_000_000 => {
            let is_common = i64::from(input.now) + i64::from(after) >= 0;
            is_common.then(|| Duration::from_secs(u64::try_from(after).unwrap_or_default()))
        }
        _ => None,
    }
}

fuzz_target!(|input: Input| {
    let headers = headers(&input);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(input.now.into());
    let asked = asked_to_wait(&headers, now);
    if let Some(wait) = certain(&headers, &input) {
        assert_eq!(asked, Some(wait), "{headers:?}");
    }
    let is = |name: &str| headers.iter().any(|(other, _)| other == name);
    let used_up = exhausted(&headers, now);
    assert!(is("retry-after") || asked == used_up, "{headers:?}");
    let tells = NAMES[1..14].iter().any(|name| is(name));
    assert!(tells || used_up.is_none(), "{headers:?}");
    let is_used_up = ["ratelimit", "x-ratelimit", "x-rate-limit"]
        .iter()
        .any(|prefix| {
            let name = format!("{prefix}-remaining");
            let first = headers.iter().find(|(other, _)| *other == name);
            let left = first.and_then(|(_, left)| left.trim().parse::<f64>().ok());
            left.is_some_and(|left| left <= 0.0)
        });
    let is_certain = is("ratelimit") || is_used_up;
    assert!(is_certain || used_up.is_none(), "{headers:?}");
    let max_time = Duration::from_secs(input.max_time.into());
    let policy = RetryPolicy {
        max_retries: 5,
        statuses: vec![429],
        network: true,
        max_time,
    };
    let failed = Failed {
        tries: input.tries.into(),
        elapsed: Duration::from_millis(input.elapsed.into()),
        error: &Error::Status {
            exchange: Exchange::default(),
            status: 429,
            message: None,
        },
        asked,
    };
    let left = max_time.checked_sub(failed.elapsed);
    match decide(
        &policy,
        Method::Get,
        failed,
        f64::from(input.chance) / 255.0,
    ) {
        RetryDecision::Again(wait) => {
            assert!(left.is_some_and(|left| wait <= left), "{wait:?}");
            assert!(wait <= Duration::from_secs(30) || asked.is_some());
            assert!(input.tries <= 5 && asked.is_none_or(|asked| asked == wait));
        }
        RetryDecision::GiveUp(GiveUp::AskedToWait(wait)) => {
            assert!(asked == Some(wait) && left.is_none_or(|left| wait > left));
        }
        RetryDecision::GiveUp(GiveUp::TriedEnough) => assert!(input.tries > 5),
        RetryDecision::GiveUp(GiveUp::OutOfTime) => assert!(asked.is_none()),
        RetryDecision::GiveUp(GiveUp::NotTransient) => panic!("429 is transient"),
    }
});

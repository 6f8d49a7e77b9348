//! Whether a failed attempt is tried again, and when.

use crate::Error;
use crate::model::{Method, RetryPolicy};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

/// The first back-off's bound; each further one doubles it.
const BASE: Duration = Duration::from_millis(100);
/// The bound of every back-off.
const CAP: Duration = Duration::from_secs(30);
/// The longest that an API may make us wait by Retry-After.
const PATIENCE: Duration = Duration::from_secs(300);

/// How the headers of a rate limit begin.
const RATE_LIMITS: [&str; 3] = ["ratelimit", "x-ratelimit", "x-rate-limit"];
/// A larger number of seconds is a point in time: nobody asks to wait for ten years.
const SINCE_1970: u64 = 315_360_000;

/// What to do after a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after this time.
    Again(Duration),
    /// The error is final.
    GiveUp(GiveUp),
}

/// Why an error is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveUp {
    /// `retry_on` does not name it, or trying again cannot help.
    NotTransient,
    /// `max_retries` are used up.
    TriedEnough,
    /// The API asks to wait for longer than five minutes.
    AskedToWait(Duration),
}

/// Decides after `tries` attempts, the last of which ended with `error`.
///
/// `method`: a request whose method is not idempotent is sent again only where the server has not handled it:
/// the connection was not made, or the status is 429 or 503.
/// `asked`: what the response asked for, which wins over the back-off.
/// `chance`: a number from 0 to 1, for the jitter: each back-off is that part of its bound ("full jitter").
pub fn decide(
    policy: &RetryPolicy,
    method: Method,
    tries: u32,
    error: &Error,
    asked: Option<Duration>,
    chance: f64,
) -> RetryDecision {
    let transient = match error {
        Error::Status { status, .. } => {
            policy.statuses.contains(status)
                && (method.is_idempotent() || matches!(status, 429 | 503))
        }
        Error::Connect { .. } => policy.network,
        Error::Truncated { .. } | Error::Timeout { .. } => policy.network && method.is_idempotent(),
        _ => false,
    };
    if !transient {
        return RetryDecision::GiveUp(GiveUp::NotTransient);
    }
    if tries > policy.max_retries {
        return RetryDecision::GiveUp(GiveUp::TriedEnough);
    }
    match asked {
        Some(wait) if wait > PATIENCE => RetryDecision::GiveUp(GiveUp::AskedToWait(wait)),
        Some(wait) => RetryDecision::Again(wait),
        None => RetryDecision::Again(bound(tries).mul_f64(chance.clamp(0.0, 1.0))),
    }
}

/// The longest back-off after `tries` attempts.
fn bound(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(16);
    CAP.min(BASE * (1 << doublings))
}

/// How long an error response asks to wait from `now` on: its Retry-After (RFC 9110 section 10.2.3: seconds, or an HTTP
/// date), else the time at which an exhausted rate limit is reset.
pub fn asked_to_wait(headers: &[(String, String)], now: SystemTime) -> Option<Duration> {
    let header = |name: &str| {
        headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.trim())
    };
    if let Some(value) = header("retry-after") {
        let seconds = value.parse().ok().map(Duration::from_secs);
        let until = |date: SystemTime| date.duration_since(now).unwrap_or_default();
        return seconds.or_else(|| httpdate::parse_http_date(value).ok().map(until));
    }
    let reset = |prefix: &str| {
        let is_exhausted = header(&format!("{prefix}-remaining")) == Some("0");
        let reset = header(&format!("{prefix}-reset")).filter(|_| is_exhausted)?;
        until_reset(reset.parse().ok()?, now)
    };
    RATE_LIMITS.iter().find_map(|prefix| reset(prefix))
}

/// Some APIs write the seconds that are left, some the second since 1970 at which it is reset.
fn until_reset(seconds: u64, now: SystemTime) -> Option<Duration> {
    let reset = Duration::from_secs(seconds);
    if seconds < SINCE_1970 {
        return Some(reset);
    }
    Some(reset.saturating_sub(now.duration_since(SystemTime::UNIX_EPOCH).ok()?))
}

/// A number from 0 to 1, different each time: std seeds every hasher at random.
pub(crate) fn chance() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::error::Exchange;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_retries: 3,
            statuses: vec![429, 503],
            network: true,
        }
    }

    fn status(status: u16) -> Error {
        Error::Status {
            exchange: Exchange::default(),
            status,
            message: None,
        }
    }

    fn connect() -> Error {
        Error::Connect {
            exchange: Exchange::default(),
            reason: String::new(),
        }
    }

    #[test]
    fn the_back_off_doubles_up_to_its_cap() {
        let policy = RetryPolicy {
            max_retries: 100,
            ..policy()
        };
        let waits: Vec<_> = [1, 2, 3, 9, 10, 99]
            .map(|tries| decide(&policy, Method::Get, tries, &status(503), None, 1.0))
            .into();
        let expected = [100, 200, 400, 25_600, 30_000, 30_000]
            .map(|wait| RetryDecision::Again(Duration::from_millis(wait)));
        assert_eq!(waits, expected);
        assert_eq!(
            decide(&policy, Method::Get, 3, &status(503), None, 0.5),
            RetryDecision::Again(Duration::from_millis(200))
        );
    }

    #[test]
    fn what_asks_for_patience_gets_it_up_to_five_minutes() {
        let asked = |seconds| {
            decide(
                &policy(),
                Method::Get,
                1,
                &status(429),
                Some(Duration::from_secs(seconds)),
                1.0,
            )
        };
        assert_eq!(asked(7), RetryDecision::Again(Duration::from_secs(7)));
        assert_eq!(asked(300), RetryDecision::Again(Duration::from_secs(300)));
        assert_eq!(
            asked(301),
            RetryDecision::GiveUp(GiveUp::AskedToWait(Duration::from_secs(301)))
        );
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let exchange = Exchange::default();
        let give_up = RetryDecision::GiveUp(GiveUp::NotTransient);
        for error in [
            status(404),
            Error::Tls {
                exchange: exchange.clone(),
                reason: "invalid peer certificate".to_owned(),
            },
            Error::Forbidden {
                exchange: exchange.clone(),
                target: String::new(),
                reason: String::new(),
            },
            Error::TooLarge { exchange, limit: 1 },
            Error::Cancelled,
        ] {
            assert_eq!(
                decide(&policy(), Method::Get, 1, &error, None, 0.0),
                give_up,
                "{error}"
            );
        }
        assert_eq!(
            decide(&policy(), Method::Get, 3, &connect(), None, 0.0),
            RetryDecision::Again(Duration::ZERO)
        );
        assert_eq!(
            decide(&policy(), Method::Get, 4, &connect(), None, 0.0),
            RetryDecision::GiveUp(GiveUp::TriedEnough)
        );
        let without_network = RetryPolicy {
            network: false,
            ..policy()
        };
        assert_eq!(
            decide(&without_network, Method::Get, 1, &connect(), None, 0.0),
            give_up
        );
    }

    #[test]
    fn what_a_server_may_have_handled_is_not_posted_again() {
        let again = |error: Error| {
            matches!(
                decide(&policy(), Method::Post, 1, &error, None, 0.0),
                RetryDecision::Again(_)
            )
        };
        let exchange = Exchange::default();
        assert!(again(status(429)) && again(status(503)) && again(connect()));
        let all = RetryPolicy {
            statuses: vec![500],
            ..policy()
        };
        let refused = decide(&all, Method::Post, 1, &status(500), None, 0.0);
        assert_eq!(refused, RetryDecision::GiveUp(GiveUp::NotTransient));
        assert!(!again(Error::Truncated {
            exchange: exchange.clone(),
            reason: String::new(),
        }));
        assert!(!again(Error::Timeout {
            exchange,
            phase: String::new(),
            after: Duration::ZERO,
        }));
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let read = |value: &str| {
            let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
            asked_to_wait(&[("retry-after".to_owned(), value.to_owned())], now)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:50:07 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn an_exhausted_rate_limit_is_waited_for() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let read = |headers: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            asked_to_wait(&headers.iter().map(owned).collect::<Vec<_>>(), now)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(
            read(&[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1800000042")
            ]),
            seconds(42)
        );
        assert_eq!(
            read(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]),
            seconds(30)
        );
        assert_eq!(
            read(&[
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "1700000000")
            ]),
            seconds(0)
        );
        assert_eq!(
            read(&[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "30")]),
            None
        );
        let both = [
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "30"),
            ("retry-after", "5"),
        ];
        assert_eq!(read(&both), seconds(5), "Retry-After wins");
    }

    #[test]
    fn the_jitter_varies() {
        let first = chance();
        assert!((0..20).map(|_| chance()).any(|other| other != first));
        assert!((0.0..=1.0).contains(&first));
    }
}

//! Whether a failed attempt is tried again, and when.

use crate::Error;
use crate::model::{Method, RetryPolicy};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The first back-off's bound; each further one doubles it.
const BASE: Duration = Duration::from_millis(100);
/// The bound of every back-off.
const CAP: Duration = Duration::from_secs(30);
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
    /// The API asks to wait for longer than `max_retry_time` leaves.
    AskedToWait(Duration),
    /// The next try would begin after `max_retry_time`.
    OutOfTime,
}

/// Attempts at a page, the last of which failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    /// How many there were.
    pub tries: u32,
    /// The time that they took, with the waits between them.
    pub elapsed: Duration,
    /// How the last of them ended.
    pub error: &'a Error,
    /// What its response asked for, which wins over the back-off.
    pub asked: Option<Duration>,
}

/// Decides what to do after `failed`.
///
/// `method`: a request whose method is not idempotent is sent again only where the server has not handled it:
/// the connection was not made, or the status is 425 (RFC 8470 section 5.2), 429 or 503.
/// `chance`: a number from 0 to 1, for the jitter: each back-off is that part of its bound ("full jitter").
pub fn decide(policy: &RetryPolicy, method: Method, failed: Failed, chance: f64) -> RetryDecision {
    let transient = match failed.error {
        Error::Status { status, .. } => {
            policy.statuses.contains(status)
                && (method.is_idempotent() || matches!(status, 425 | 429 | 503))
        }
        Error::Connect { .. } => policy.network,
        Error::Truncated { .. } | Error::Timeout { .. } => policy.network && method.is_idempotent(),
        _ => false,
    };
    if !transient {
        return RetryDecision::GiveUp(GiveUp::NotTransient);
    }
    if failed.tries > policy.max_retries {
        return RetryDecision::GiveUp(GiveUp::TriedEnough);
    }
    let back_off = || bound(failed.tries).mul_f64(chance.clamp(0.0, 1.0));
    let wait = failed.asked.unwrap_or_else(back_off);
    match failed.elapsed.saturating_add(wait) <= policy.max_time {
        true => RetryDecision::Again(wait),
        false => RetryDecision::GiveUp(match failed.asked {
            Some(wait) => GiveUp::AskedToWait(wait),
            None => GiveUp::OutOfTime,
        }),
    }
}

/// Why an error that may pass was final, where the user could not know.
pub(crate) fn explained(mut error: Error, reason: &GiveUp) -> Error {
    let why = match reason {
        GiveUp::NotTransient | GiveUp::TriedEnough => return error,
        GiveUp::AskedToWait(wait) => format!(
            "it asks to be called again in {} s, which is longer than option \"max_retry_time\" allows",
            wait.as_secs_f64().ceil()
        ),
        GiveUp::OutOfTime => "the time of option \"max_retry_time\" is used up".to_owned(),
    };
    let add = |text: &mut String| text.push_str(&format!(" ({why})"));
    match &mut error {
        Error::Status { message, .. } => match message {
            Some(text) => add(text),
            None => *message = Some(why),
        },
        Error::Connect { reason, .. } | Error::Truncated { reason, .. } => add(reason),
        _ => {}
    }
    error
}

/// The longest back-off after `tries` attempts.
fn bound(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(16);
    CAP.min(BASE * (1 << doublings))
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
            max_time: Duration::from_secs(300),
        }
    }

    fn failed(tries: u32, error: &Error) -> Failed<'_> {
        Failed {
            tries,
            elapsed: Duration::ZERO,
            error,
            asked: None,
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
            .map(|tries| decide(&policy, Method::Get, failed(tries, &status(503)), 1.0))
            .into();
        let expected = [100, 200, 400, 25_600, 30_000, 30_000]
            .map(|wait| RetryDecision::Again(Duration::from_millis(wait)));
        assert_eq!(waits, expected);
        assert_eq!(
            decide(&policy, Method::Get, failed(3, &status(503)), 0.5),
            RetryDecision::Again(Duration::from_millis(200))
        );
    }

    #[test]
    fn what_asks_for_patience_gets_it_within_the_bound_of_all_tries() {
        let asked = |elapsed, seconds| {
            let error = status(429);
            let failed = Failed {
                elapsed: Duration::from_secs(elapsed),
                asked: Some(Duration::from_secs(seconds)),
                ..failed(1, &error)
            };
            decide(&policy(), Method::Get, failed, 1.0)
        };
        let again = |seconds| RetryDecision::Again(Duration::from_secs(seconds));
        let too_long =
            |seconds| RetryDecision::GiveUp(GiveUp::AskedToWait(Duration::from_secs(seconds)));
        assert_eq!(asked(0, 7), again(7));
        assert_eq!(asked(0, 300), again(300));
        assert_eq!(asked(0, 301), too_long(301));
        assert_eq!(asked(200, 100), again(100));
        assert_eq!(asked(200, 101), too_long(101));
    }

    #[test]
    fn no_try_begins_after_the_bound_of_all_tries() {
        let after = |elapsed| {
            let error = status(503);
            let failed = Failed {
                elapsed: Duration::from_millis(elapsed),
                ..failed(1, &error)
            };
            decide(&policy(), Method::Get, failed, 1.0)
        };
        let back_off = Duration::from_millis(100);
        assert_eq!(after(299_900), RetryDecision::Again(back_off));
        assert_eq!(after(299_901), RetryDecision::GiveUp(GiveUp::OutOfTime));
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
                decide(&policy(), Method::Get, failed(1, &error), 0.0),
                give_up,
                "{error}"
            );
        }
        assert_eq!(
            decide(&policy(), Method::Get, failed(3, &connect()), 0.0),
            RetryDecision::Again(Duration::ZERO)
        );
        assert_eq!(
            decide(&policy(), Method::Get, failed(4, &connect()), 0.0),
            RetryDecision::GiveUp(GiveUp::TriedEnough)
        );
        let without_network = RetryPolicy {
            network: false,
            ..policy()
        };
        assert_eq!(
            decide(&without_network, Method::Get, failed(1, &connect()), 0.0),
            give_up
        );
    }

    #[test]
    fn what_a_server_may_have_handled_is_not_posted_again() {
        let again = |error: Error| {
            matches!(
                decide(&policy(), Method::Post, failed(1, &error), 0.0),
                RetryDecision::Again(_)
            )
        };
        let exchange = Exchange::default();
        assert!(again(status(429)) && again(status(503)) && again(connect()));
        assert!(!again(status(425)), "retry_on does not name it");
        let all = RetryPolicy {
            statuses: vec![425, 500],
            ..policy()
        };
        let early = decide(&all, Method::Post, failed(1, &status(425)), 0.0);
        assert_eq!(early, RetryDecision::Again(Duration::ZERO));
        let refused = decide(&all, Method::Post, failed(1, &status(500)), 0.0);
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
    fn the_jitter_varies() {
        let first = chance();
        assert!((0..20).map(|_| chance()).any(|other| other != first));
        assert!((0.0..=1.0).contains(&first));
    }
}

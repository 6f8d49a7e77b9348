//! The access token of a client: kept until shortly before its end, fetched by one thread at a time.

use super::authorization;
use super::token_request::Grantee;
use crate::error::Exchange;
use crate::http::cancel::{CancelToken, eventfd};
use crate::model::Secret;
use crate::{Error, Result};
use nix::poll::PollFlags;
use nix::sys::eventfd::EventFd;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::HeaderMap;
use ureq::http::header::AUTHORIZATION;

/// A token is not used in the last part of its life, so that it is still valid when it arrives: a tenth of its life, and
/// at most this long.
const MARGIN: Duration = Duration::from_secs(60);
/// The longest life that is believed.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// An access token, as the token endpoint issued it.
pub(in crate::http) struct Issued {
    pub(super) access_token: Secret,
    /// The word that goes before it.
    pub(super) scheme: String,
    /// How long it is valid, if that was said.
    pub(super) expires_in: Option<Duration>,
    /// What takes the place of the refresh token that was used, if it was rotated.
    pub(super) refresh_token: Option<Secret>,
}

impl Issued {
    /// What must not be shown.
    pub(in crate::http) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.access_token].into_iter().chain(&self.refresh_token)
    }
}

/// A token in use.
pub(in crate::http) struct AccessToken {
    value: Secret,
    scheme: String,
    /// From when on it is not used any more.
    ends: Option<Instant>,
}

impl AccessToken {
    fn new(issued: &Issued, now: Instant) -> Self {
        let life = issued.expires_in.map(|life| life.min(LONGEST));
        let ends = life.map(|life| now + life.saturating_sub(MARGIN.min(life / 10)));
        AccessToken {
            value: issued.access_token.clone(),
            scheme: issued.scheme.clone(),
            ends,
        }
    }

    /// Puts it into the Authorization header.
    pub(in crate::http) fn sign_headers(&self, headers: &mut HeaderMap) -> Result<()> {
        let value = authorization("token", &self.authorization()).map_err(|_| Error::Body {
            exchange: Exchange::default(),
            reason: "the access token that was issued holds a character that a header cannot carry"
                .to_owned(),
        })?;
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The Authorization header's value.
    fn authorization(&self) -> String {
        format!("{} {}", self.scheme, self.value.expose())
            .trim_start()
            .to_owned()
    }

    fn is_usable(&self, now: Instant) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }
}

/// The tokens of one client. It has no `Debug`: it holds secrets in the clear.
pub(in crate::http) struct Tokens {
    pub(in crate::http) grantee: Grantee,
    state: Mutex<State>,
}

struct State {
    current: Option<Arc<AccessToken>>,
    /// The mapping's refresh token, or the last one that took its place.
    refresh_token: Option<Secret>,
    /// The fetch that is under way.
    flight: Option<Arc<Flight>>,
}

/// A fetch that one thread makes and others wait for.
struct Flight {
    /// Readable, for good, once the fetch has ended.
    ended: EventFd,
    /// Nothing where the thread gave up without a result.
    outcome: Mutex<Option<Result<Arc<AccessToken>>>>,
}

impl Tokens {
    pub(in crate::http) fn new(grantee: Grantee) -> Self {
        let state = State {
            current: None,
            refresh_token: grantee.refresh_token.clone(),
            flight: None,
        };
        Tokens {
            grantee,
            state: Mutex::new(state),
        }
    }

    /// A token that is valid as far as is known, and not `rejected`: the one that is there, the one that another thread is
    /// fetching, or the one that `fetch` gets for the refresh token that it is given.
    pub(in crate::http) fn get(
        &self,
        rejected: Option<&Arc<AccessToken>>,
        cancel: &CancelToken,
        fetch: impl FnOnce(Option<&Secret>) -> Result<Issued>,
    ) -> Result<Arc<AccessToken>> {
        loop {
            let flight = match self.look(rejected)? {
                Found::Token(token) => return Ok(token),
                Found::Flight(flight) => flight,
                Found::Nothing(turn, refresh_token) => {
                    let outcome = fetch(refresh_token.as_ref());
                    return turn.end(outcome);
                }
            };
            cancel.wait(Some((flight.ended.as_fd(), PollFlags::POLLIN)), None)?;
            let outcome = flight.outcome.lock();
            match &*outcome.unwrap_or_else(PoisonError::into_inner) {
                Some(Ok(token)) => return Ok(Arc::clone(token)),
                // Its scan was over, this one is not: the next turn may be ours.
                None | Some(Err(Error::Cancelled)) => {}
                Some(Err(error)) => return Err(error.clone()),
            }
        }
    }

    fn look(&self, rejected: Option<&Arc<AccessToken>>) -> Result<Found<'_>> {
        let mut state = self.state();
        let is_rejected =
            |token: &Arc<AccessToken>| rejected.is_some_and(|other| Arc::ptr_eq(token, other));
        let now = Instant::now();
        let usable = |token: &&Arc<AccessToken>| token.is_usable(now) && !is_rejected(token);
        if let Some(token) = state.current.as_ref().filter(usable) {
            return Ok(Found::Token(Arc::clone(token)));
        }
        if let Some(flight) = &state.flight {
            return Ok(Found::Flight(Arc::clone(flight)));
        }
        let flight = Arc::new(Flight {
            ended: eventfd()?,
            outcome: Mutex::default(),
        });
        state.flight = Some(Arc::clone(&flight));
        let turn = Turn {
            tokens: self,
            flight,
        };
        Ok(Found::Nothing(turn, state.refresh_token.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found<'a> {
    Token(Arc<AccessToken>),
    Flight(Arc<Flight>),
    Nothing(Turn<'a>, Option<Secret>),
}

/// The right to fetch. However it ends, also by a panic, those who wait for it go on.
struct Turn<'a> {
    tokens: &'a Tokens,
    flight: Arc<Flight>,
}

impl Turn<'_> {
    fn end(self, outcome: Result<Issued>) -> Result<Arc<AccessToken>> {
        let outcome = outcome.map(|issued| {
            let token = Arc::new(AccessToken::new(&issued, Instant::now()));
            let mut state = self.tokens.state();
            state.current = Some(Arc::clone(&token));
            if issued.refresh_token.is_some() {
                state.refresh_token = issued.refresh_token;
            }
            token
        });
        let mut told = self.flight.outcome.lock();
        if let Ok(told) = &mut told {
            **told = Some(outcome.clone());
        }
        drop(told);
        outcome
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.tokens.state().flight = None;
        // It was never written to, so it is not full.
        let _ = self.flight.ended.write(1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn tokens() -> Tokens {
        Tokens::new(Grantee {
            client_id: Secret::new("id"),
            client_secret: None,
            refresh_token: Some(Secret::new("first")),
        })
    }

    fn issued(token: &str, expires_in: Option<u64>) -> Issued {
        Issued {
            access_token: Secret::new(token),
            scheme: "Bearer".to_owned(),
            expires_in: expires_in.map(Duration::from_secs),
            refresh_token: None,
        }
    }

    fn cancel() -> CancelToken {
        CancelToken::new().unwrap()
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        let now = Instant::now();
        for (life, unused) in [(3600, 60), (100, 10), (10, 1)] {
            let token = AccessToken::new(&issued("t", Some(life)), now);
            let end = now + Duration::from_secs(life - unused);
            assert!(token.is_usable(end - Duration::from_millis(1)), "{life}");
            assert!(!token.is_usable(end), "{life}");
        }
        let year = now + Duration::from_secs(300 * 24 * 3600);
        assert!(AccessToken::new(&issued("t", None), now).is_usable(year));
        assert!(AccessToken::new(&issued("t", Some(u64::MAX)), now).is_usable(year));
        assert!(!AccessToken::new(&issued("t", Some(0)), now).is_usable(now));
    }

    #[test]
    fn many_threads_cause_one_fetch() {
        let (tokens, fetches) = (tokens(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let token = tokens.get(None, &cancel(), |_| {
                        fetches.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(30));
                        Ok(issued("t", Some(3600)))
                    });
                    assert_eq!(token.unwrap().authorization(), "Bearer t");
                });
            }
        });
        assert_eq!(fetches.into_inner(), 1);
    }

    #[test]
    fn a_rejected_token_is_replaced_once_however_many_were_rejected_with_it() {
        let tokens = tokens();
        let old = tokens
            .get(None, &cancel(), |_| Ok(issued("old", None)))
            .unwrap();
        let new = tokens
            .get(Some(&old), &cancel(), |_| Ok(issued("new", None)))
            .unwrap();
        let same = tokens
            .get(Some(&old), &cancel(), |_| panic!("nothing to fetch"))
            .unwrap();
        assert!(Arc::ptr_eq(&new, &same));
    }

    #[test]
    fn the_failure_of_a_fetch_is_that_of_all_who_waited_for_it_and_the_next_one_tries_again() {
        let (tokens, fetches) = (tokens(), AtomicUsize::new(0));
        let started = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                tokens.get(None, &cancel(), |_| {
                    started.wait();
                    thread::sleep(Duration::from_millis(50));
                    fetches.fetch_add(1, Ordering::SeqCst);
                    Err(Error::System("refused".to_owned()))
                })
            });
            started.wait();
            let follower = tokens.get(None, &cancel(), |_| panic!("it waits"));
            for result in [leader.join().unwrap(), follower] {
                assert_eq!(result.err(), Some(Error::System("refused".to_owned())));
            }
        });
        assert!(
            tokens
                .get(None, &cancel(), |_| Ok(issued("t", None)))
                .is_ok()
        );
    }

    #[test]
    fn where_the_one_who_fetches_is_cancelled_another_goes_on() {
        let tokens = tokens();
        let started = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let given_up = tokens.get(None, &cancel(), |_| {
                    started.wait();
                    thread::sleep(Duration::from_millis(30));
                    Err(Error::Cancelled)
                });
                assert_eq!(given_up.err(), Some(Error::Cancelled));
            });
            started.wait();
            let token = tokens.get(None, &cancel(), |_| Ok(issued("t", None)));
            assert_eq!(token.unwrap().authorization(), "Bearer t");
        });
    }

    #[test]
    fn one_who_waits_can_be_cancelled_while_the_fetch_goes_on() {
        let tokens = tokens();
        let (started, over) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let fetched = tokens.get(None, &cancel(), |_| {
                    started.wait();
                    over.wait();
                    Ok(issued("t", None))
                });
                assert!(fetched.is_ok());
            });
            started.wait();
            let impatient = cancel();
            impatient.cancel();
            let outcome = tokens.get(None, &impatient, |_| panic!("it waits"));
            assert_eq!(outcome.err(), Some(Error::Cancelled));
            over.wait();
        });
    }

    #[test]
    fn a_rotated_refresh_token_takes_the_place_of_the_one_before() {
        let tokens = tokens();
        let mut shown = Vec::new();
        let mut rejected = None;
        for rotated in [Some("second"), None, Some("third"), None] {
            let token = tokens.get(rejected.as_ref(), &cancel(), |refresh| {
                shown.push(refresh.unwrap().expose().to_owned());
                Ok(Issued {
                    refresh_token: rotated.map(Secret::new),
                    ..issued("t", None)
                })
            });
            rejected = Some(token.unwrap());
        }
        assert_eq!(shown, ["first", "second", "second", "third"]);
    }
}

//! How a client gets its access token, and what happens where the API does not accept it.

use super::auth::{AccessToken, Grantee, Issued, Tokens, failed, issued, refusal};
use super::client::unsigned;
use super::gate::metered;
use super::retry::{self, Failed, RetryDecision};
use super::status::{said, shortened};
use super::{CancelToken, Client, Response, asked_to_wait};
use crate::error::Exchange;
use crate::model::{Auth, Credentials, Grant, Method, OAuth2, RetryPolicy, Secret, Source};
use crate::request::Request;
use crate::{Error, Result};
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use ureq::http::header::AUTHORIZATION;

/// Bytes of a token endpoint's answer that are read.
const MOST_READ: u64 = 1 << 20;

/// Who counts the requests that a client makes besides the one that it is asked for.
pub trait Accounts {
    /// A request is about to be sent; an error refuses it. `attempt` counts from 1.
    fn admit(&self, exchange: &Exchange, attempt: u32) -> Result<()>;

    /// A request has ended.
    fn ended(&self, request: SideRequest);
}

/// A request that a client made to sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct SideRequest {
    /// When it began, or began to wait for the rate limit.
    pub started: SystemTime,
    /// Method and URL, redacted.
    pub request: String,
    /// The response's status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, redacted.
    pub error: Option<Error>,
    /// Bytes of the body that were read, after decompression.
    pub bytes: u64,
    /// The same bytes as they came over the network.
    pub transferred: u64,
    /// From sending to the end of the body.
    pub duration: Duration,
    /// How long it had waited for the server's rate limit before.
    pub waited: Duration,
    /// Which attempt it was, counted from 1.
    pub attempt: u32,
}

/// For whom a request is sent.
pub(super) struct Caller<'a> {
    pub(super) cancel: &'a CancelToken,
    pub(super) accounts: &'a dyn Accounts,
}

/// What a request is sent with besides the client's fixed credentials.
#[derive(Clone, Default)]
pub struct Authorization(Option<Arc<AccessToken>>);

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(***)")
    }
}

/// How tokens are asked for, and those that there are.
pub(super) struct SignIn {
    oauth2: OAuth2,
    user_agent: String,
    retry: RetryPolicy,
    tokens: Arc<Tokens>,
}

impl SignIn {
    /// What `source` wants, if it wants tokens of a token endpoint.
    pub(super) fn new(source: &Source, credentials: &Credentials) -> Result<Option<SignIn>> {
        let Some(Auth::OAuth2(oauth2)) = &source.auth else {
            return Ok(None);
        };
        Ok(Some(SignIn {
            tokens: Arc::new(Tokens::new(Grantee::new(oauth2, credentials)?)),
            oauth2: oauth2.clone(),
            user_agent: source.user_agent.clone(),
            retry: source.retry.clone(),
        }))
    }

    /// Goes on with the tokens of a client of the same user that signed in in the same way.
    pub(super) fn continue_from(&mut self, previous: &SignIn) {
        if self.oauth2 == previous.oauth2 {
            self.tokens = Arc::clone(&previous.tokens);
        }
    }

    /// The right to send a request.
    pub(super) fn authorize(&self, client: &Client, caller: &Caller<'_>) -> Result<Authorization> {
        self.token(client, caller, None)
            .map(|token| Authorization(Some(token)))
    }

    /// Sends by `send` with the token of `authorization`. Where the API answers 401 (the token was revoked, or ended
    /// earlier than was said), it is sent once more with a new one.
    pub(super) fn send(
        &self,
        client: &Client,
        caller: &Caller<'_>,
        exchange: &Exchange,
        authorization: &Authorization,
        send: impl Fn(Option<&AccessToken>) -> Result<Response>,
    ) -> Result<Response> {
        let token = authorization.0.as_ref();
        let (started, clock) = (SystemTime::now(), Instant::now());
        let (sent, traffic) = metered(|| send(token.map(Arc::as_ref)));
        let mut response = sent?;
        if response.status != 401 {
            return Ok(response);
        }
        response.body.drain();
        caller.accounts.ended(SideRequest {
            started,
            request: exchange.request.clone(),
            status: Some(response.status),
            error: Some(Error::Status {
                exchange: exchange.clone(),
                status: response.status,
                message: None,
            }),
            bytes: response.body.received(),
            transferred: response.body.transferred(),
            duration: clock.elapsed().saturating_sub(traffic.waited),
            waited: traffic.waited,
            attempt: 1,
        });
        let token = self.token(client, caller, token)?;
        caller.accounts.admit(exchange, 1)?;
        send(Some(&token))
    }

    fn token(
        &self,
        client: &Client,
        caller: &Caller<'_>,
        rejected: Option<&Arc<AccessToken>>,
    ) -> Result<Arc<AccessToken>> {
        let fetch = |refresh_token: Option<&Secret>| self.fetch(client, caller, refresh_token);
        self.tokens.get(rejected, caller.cancel, fetch)
    }

    /// Asks the token endpoint, again where that may help. What it issues is never shown from now on.
    fn fetch(
        &self,
        client: &Client,
        caller: &Caller<'_>,
        refresh_token: Option<&Secret>,
    ) -> Result<Issued> {
        let request = self.request(refresh_token);
        // Without the body, which holds nothing but what is secret or known.
        let exchange = Exchange {
            request: client.redactor().text(&format!("POST {}", request.url)),
            page: 0,
        };
        // To ask for a token by the client's own credentials again changes nothing; a refresh token may be used up.
        let method = match self.oauth2.grant {
            Grant::ClientCredentials => Method::Get,
            Grant::RefreshToken => Method::Post,
        };
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            caller.accounts.admit(&exchange, attempt)?;
            let (error, asked) = match self.ask(client, caller, &request, &exchange, attempt) {
                Ok(issued) => return Ok(issued),
                Err(failure) => failure,
            };
            let so_far = Failed {
                tries: attempt,
                elapsed: begun.elapsed(),
                error: &error,
                asked,
            };
            match retry::decide(&self.retry, method, so_far, retry::chance()) {
                RetryDecision::Again(wait) => caller.cancel.sleep(wait)?,
                RetryDecision::GiveUp(why) => {
                    return Err(failed(exchange, retry::explained(error, &why)));
                }
            }
            attempt += 1;
        }
    }

    fn request(&self, refresh_token: Option<&Secret>) -> Request {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Request {
            method: Method::Post,
            url: self.oauth2.token_url.clone(),
            headers: vec![
                header("User-Agent", &self.user_agent),
                header("Accept", "application/json"),
                header("Content-Type", "application/x-www-form-urlencoded"),
            ],
            body: Some(self.tokens.grantee.body(&self.oauth2, refresh_token)),
        }
    }

    /// One request to the token endpoint; an error comes with the time that it asks to wait.
    fn ask(
        &self,
        client: &Client,
        caller: &Caller<'_>,
        request: &Request,
        exchange: &Exchange,
        attempt: u32,
    ) -> std::result::Result<Issued, (Error, Option<Duration>)> {
        let (started, clock) = (SystemTime::now(), Instant::now());
        let mut answer = Answer::default();
        let (outcome, traffic) =
            metered(|| self.answer(client, caller, request, exchange, &mut answer));
        let outcome = outcome.map_err(|error| client.redactor().error(error));
        caller.accounts.ended(SideRequest {
            started,
            request: exchange.request.clone(),
            status: answer.status,
            error: outcome.as_ref().err().cloned(),
            bytes: answer.bytes,
            transferred: answer.transferred,
            duration: clock.elapsed().saturating_sub(traffic.waited),
            waited: traffic.waited,
            attempt,
        });
        outcome.map_err(|error| (error, answer.asked))
    }

    fn answer(
        &self,
        client: &Client,
        caller: &Caller<'_>,
        request: &Request,
        exchange: &Exchange,
        answer: &mut Answer,
    ) -> Result<Issued> {
        let mut head = unsigned(request, &request.url)?;
        if let Some(value) = self.tokens.grantee.authorization(&self.oauth2)? {
            head.headers_mut().insert(AUTHORIZATION, value);
        }
        let mut response = client.send_plain(request, head, exchange, caller.cancel)?;
        answer.status = Some(response.status);
        answer.asked = asked_to_wait(&response.headers, SystemTime::now());
        let mut body = Vec::new();
        let read = (&mut response.body).take(MOST_READ).read_to_end(&mut body);
        answer.bytes = response.body.received();
        answer.transferred = response.body.transferred();
        let redactor = client.redactor();
        if !(200..300).contains(&response.status) {
            return Err(Error::Status {
                exchange: exchange.clone(),
                status: response.status,
                message: told(response.status, &response.headers, &body)
                    .map(|told| shortened(&redactor.text(&told))),
            });
        }
        if let Err(error) = read {
            let error = error.downcast::<Error>();
            return Err(error.unwrap_or_else(|error| Error::System(error.to_string())));
        }
        if ends_within(&body) {
            return Err(Error::Truncated {
                exchange: exchange.clone(),
                reason: "the body ended within the JSON document".to_owned(),
            });
        }
        let issued =
            issued(&body, self.oauth2.scheme.as_deref()).map_err(|reason| Error::Body {
                exchange: exchange.clone(),
                reason: shortened(&redactor.text(&reason)),
            })?;
        redactor.learn(issued.secrets());
        Ok(issued)
    }
}

/// What is known of an answer, whatever becomes of it.
#[derive(Default)]
struct Answer {
    status: Option<u16>,
    bytes: u64,
    transferred: u64,
    asked: Option<Duration>,
}

fn told(status: u16, headers: &[(String, String)], body: &[u8]) -> Option<String> {
    let is_redirect = matches!(status, 301 | 302 | 303 | 307 | 308);
    let redirects = || {
        is_redirect.then(|| {
            "it redirects, which is not followed with the client's secret; set token_url to where it is".to_owned()
        })
    };
    let otherwise = || said(&String::from_utf8_lossy(body), headers, None);
    refusal(body).or_else(redirects).or_else(otherwise)
}

/// Whether a body is a document of JSON whose end is missing.
fn ends_within(body: &[u8]) -> bool {
    let document = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    !body.trim_ascii().is_empty() && document.is_err_and(|error| error.is_eof())
}

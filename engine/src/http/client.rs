//! How one request is sent: signed, within its bounds, redirects followed, connections kept.

use super::attempt::{Attempt, Bounds, Phase};
use super::auth::{AccessToken, Signature};
use super::body::Body;
use super::cache;
use super::coding::ACCEPTED;
use super::gate::{Gate, pass};
use super::pool::Pool;
use super::redact::Redactor;
use super::redirect::{self, Trail};
use super::sign_in::{Accounts, Authorization, Caller, SignIn};
use super::throttle::Throttle;
use super::transport::Network;
use super::{CancelToken, Egress, failure};
use crate::error::Exchange;
use crate::model::{Credentials, Method, Source};
use crate::request::{Request, origin};
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;
use ureq::http::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};

/// An API's client: its connections, and the credentials of one user.
///
/// Scans share it, at once and one after the other. Connections that are not in use are kept for the next request: a
/// bounded number, for a bounded time, and no longer than the client lives.
pub struct Client {
    pool: Pool,
    gate: Option<Arc<dyn Gate>>,
    signature: Signature,
    sign_in: Option<SignIn>,
    redactor: Arc<Redactor>,
    /// Of `base_url`: where alone credentials go.
    origin: Option<String>,
    egress: Arc<Egress>,
    bounds: Bounds,
    max_response_bytes: u64,
    identity: cache::Identity,
    throttle: Throttle,
}

/// A response whose head has arrived.
#[derive(Debug)]
pub struct Response {
    /// The status of RFC 9110 section 15. Redirects within the own origin were followed already.
    pub status: u16,
    /// The headers in the order received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from in the end, without credentials.
    pub url: String,
    /// The body, decompressed while it is read.
    pub body: Body,
}

impl Client {
    /// A client for `source`. [`Error::Option`] where the credentials do not fit `auth` or cannot be sent.
    pub fn new(source: &Source, credentials: Credentials, egress: Egress) -> Result<Client> {
        Client::over(Network::default(), source, credentials, egress)
    }

    /// The same over another network than the operating system's.
    pub fn over(
        network: Network,
        source: &Source,
        credentials: Credentials,
        egress: Egress,
    ) -> Result<Client> {
        Ok(Client {
            identity: cache::of_client(source, &egress, &credentials),
            pool: Pool::new(source, network, egress.clone())?,
            signature: Signature::new(source.auth.as_ref(), &credentials)?,
            sign_in: SignIn::new(source, &credentials)?,
            redactor: Arc::new(Redactor::new(&credentials)),
            origin: origin(&source.base_url),
            egress: Arc::new(egress),
            bounds: Bounds {
                connect: source.connect_timeout,
                total: source.timeout,
            },
            max_response_bytes: source.max_response_bytes,
            gate: None,
            throttle: Throttle::new(source.retry.max_time),
        })
    }

    /// The same client, whose requests wait for a rate limit.
    pub fn limited_by(self, gate: Option<Arc<dyn Gate>>) -> Client {
        Client { gate, ..self }
    }

    /// Goes on with the access token (and the refresh token) of `previous`, which signs in in the same way as the same
    /// user.
    pub fn continue_sign_in(&mut self, previous: &Client) {
        if let (Some(own), Some(previous)) = (&mut self.sign_in, &previous.sign_in) {
            own.continue_from(previous);
        }
    }

    /// Closes the connections that no request is using.
    pub fn close_idle_connections(&self) {
        self.pool.close_idle();
    }

    /// Where its connections may go.
    pub(crate) fn egress(&self) -> Arc<Egress> {
        Arc::clone(&self.egress)
    }

    /// When the API wants the next request, as far as its responses told.
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// Masks this client's secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Tells it from clients that may get other responses.
    pub(crate) fn identity(&self) -> cache::Identity {
        self.identity
    }

    /// How `request` is shown to users.
    pub fn exchange(&self, request: &Request, page: u32) -> Exchange {
        Exchange {
            request: self.redactor.text(&request.redacted()),
            page,
        }
    }

    /// Signs in, where the API wants tokens and none is at hand; what that takes is told to `accounts`.
    pub fn sign_in(&self, cancel: &CancelToken, accounts: &dyn Accounts) -> Result<Authorization> {
        let caller = Caller { cancel, accounts };
        match &self.sign_in {
            None => Ok(Authorization::default()),
            Some(sign_in) => sign_in
                .authorize(self, &caller)
                .map_err(|error| self.redactor.error(error)),
        }
    }

    /// Sends `request` once and waits for the head of its response; `cancel` ends the wait, and reading the body too.
    /// `page` is for error texts, counted from 1. Where a new token is needed, `accounts` is told what it takes.
    ///
    /// A kept connection that the server has closed meanwhile does not count: the request goes out again over
    /// another one (RFC 9112 section 9.3.1), unless its method is not idempotent. Errors hold no secret.
    pub fn send(
        &self,
        request: &Request,
        page: u32,
        authorization: &Authorization,
        cancel: &CancelToken,
        accounts: &dyn Accounts,
    ) -> Result<Response> {
        let exchange = self.exchange(request, page);
        let caller = Caller { cancel, accounts };
        let send = |token: Option<&AccessToken>| self.follow(request, &exchange, token, cancel);
        let sent = match &self.sign_in {
            None => send(None),
            Some(sign_in) => sign_in.send(self, &caller, &exchange, authorization, send),
        };
        sent.map_err(|error| self.redactor.error(error.at(&exchange)))
    }

    fn follow(
        &self,
        request: &Request,
        exchange: &Exchange,
        token: Option<&AccessToken>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        let mut attempt = Attempt::new(cancel.clone(), self.bounds);
        let mut trail = Trail::new(&request.url);
        let mut current = request.clone();
        loop {
            let head = self.signed(&current, token)?;
            let mut response = self.answer(&current, head, &mut attempt, exchange)?;
            let Some(location) = redirect::location(response.status, &response.headers) else {
                return Ok(response);
            };
            if redirect::becomes_get(response.status, current.method) {
                current = by_get(current);
                trail.turn();
            }
            trail.follow(response.status, &self.signature.unsigned(location))?;
            current.url = trail.url().to_owned();
            response.body.drain();
            // With the time that its body took.
            attempt = response.body.attempt();
            attempt.again();
        }
    }

    /// Sends `request` without its redirects and without the signature; `head` is what is sent of it.
    pub(super) fn send_plain(
        &self,
        request: &Request,
        head: ureq::http::Request<()>,
        exchange: &Exchange,
        cancel: &CancelToken,
    ) -> Result<Response> {
        let mut attempt = Attempt::new(cancel.clone(), self.bounds);
        self.answer(request, head, &mut attempt, exchange)
    }

    fn answer(
        &self,
        request: &Request,
        head: ureq::http::Request<()>,
        attempt: &mut Attempt,
        exchange: &Exchange,
    ) -> Result<Response> {
        let (parts, body) = self.exchange_once(request, head, attempt)?.into_parts();
        attempt.head_arrived();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let body = Body::new(
            &parts.headers,
            body,
            request.url.starts_with("https:"),
            attempt.clone(),
            self.max_response_bytes,
            exchange.clone(),
            Arc::clone(&self.redactor),
        );
        Ok(Response {
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            url: request.url.clone(),
            body,
        })
    }

    fn exchange_once(
        &self,
        request: &Request,
        head: ureq::http::Request<()>,
        attempt: &mut Attempt,
    ) -> Result<ureq::http::Response<ureq::Body>> {
        loop {
            let outcome = self.run(request, head.clone(), attempt)?;
            match outcome.map_err(|error| failure::from_ureq(error, attempt.phase())) {
                Err(Error::Connect { .. })
                    if attempt.reused_connection() && request.method.is_idempotent() =>
                {
                    attempt.again();
                }
                Err(Error::Connect { exchange, reason })
                    if attempt.phase() == Phase::Response && !request.method.is_idempotent() =>
                {
                    // The server may have seen it: no failure to connect, which is tried again.
                    return Err(Error::Truncated { exchange, reason });
                }
                other => return other,
            }
        }
    }

    fn run(
        &self,
        request: &Request,
        head: ureq::http::Request<()>,
        attempt: &mut Attempt,
    ) -> Result<std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>> {
        // Outside of the attempt: its time bounds are the API's.
        pass(self.gate.as_deref(), attempt.cancel())?;
        let agent = self.pool.agent();
        Ok(match &request.body {
            None => attempt.during(|| agent.run(head)),
            Some(body) => attempt.during(|| agent.run(head.map(|()| body.as_str()))),
        })
    }

    fn signed(
        &self,
        request: &Request,
        token: Option<&AccessToken>,
    ) -> Result<ureq::http::Request<()>> {
        let origin = origin(&request.url);
        if origin.is_none() || origin != self.origin {
            let url = self.signature.unsigned(&request.url);
            let mut head = unsigned(&for_strangers(request), &url)?;
            accept_encodings(head.headers_mut());
            return Ok(head);
        }
        let url = self.signature.sign_url(&request.url);
        let mut signed = unsigned(request, &url)?;
        let map = signed.headers_mut();
        accept_encodings(map);
        if let Some(token) = token {
            token.sign_headers(map)?;
        }
        self.signature.sign_headers(map)?;
        Ok(signed)
    }
}

/// `request` as it goes out, but to `url`.
pub(super) fn unsigned(request: &Request, url: &str) -> Result<ureq::http::Request<()>> {
    let mut head = ureq::http::Request::builder()
        .method(request.method.name())
        .uri(url)
        .body(())
        .map_err(|error| {
            Error::option("endpoint", format!("it does not make a valid URL: {error}"))
        })?;
    add(&request.headers, head.headers_mut())?;
    Ok(head)
}

fn accept_encodings(headers: &mut HeaderMap) {
    headers
        .entry(ACCEPT_ENCODING)
        .or_insert(HeaderValue::from_static(ACCEPTED));
}

/// Headers that another origin gets too.
const PUBLIC: [&str; 2] = ["User-Agent", "Accept"];

/// `request` as another origin than the server's own may see it.
fn for_strangers(request: &Request) -> Request {
    let is_public = |(name, _): &(String, String)| {
        PUBLIC
            .iter()
            .any(|public| name.eq_ignore_ascii_case(public))
    };
    let mut shown = request.clone();
    shown.headers.retain(is_public);
    shown
}

/// What a request becomes that is redirected to be asked for by GET (RFC 9110, section 15.4.4).
fn by_get(request: Request) -> Request {
    let is_of_body = |name: &str| name.eq_ignore_ascii_case("content-type");
    let mut headers = request.headers;
    headers.retain(|(name, _)| !is_of_body(name));
    Request {
        method: Method::Get,
        body: None,
        headers,
        url: request.url,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}

fn add(headers: &[(String, String)], map: &mut HeaderMap) -> Result<()> {
    for (name, value) in headers {
        let parsed: HeaderName = name
            .parse()
            .map_err(|_| Error::option("headers", format!("\"{name}\" is not a header's name")))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Error::option(
                "headers",
                format!(
                    "\"{name}\" holds a character that a header cannot carry, such as a line break"
                ),
            )
        })?;
        map.insert(parsed, value);
    }
    Ok(())
}

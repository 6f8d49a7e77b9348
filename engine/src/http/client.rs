//! How one request is sent: signed, within its bounds, redirects followed, connections kept.

use super::attempt::{Attempt, Bounds, Phase};
use super::auth::Signature;
use super::body::Body;
use super::redact::Redactor;
use super::redirect::{self, Trail};
use super::transport::{Established, LaterResolver, Network, TcpConnector};
use super::{CancelToken, Egress, failure};
use crate::error::Exchange;
use crate::model::{Credentials, Method, Source};
use crate::request::Request;
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::header::{HeaderMap, HeaderName, HeaderValue};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector, RustlsConnector};

/// An API's client: its connections, and the credentials of one user.
///
/// It is shared by the scans (and rescans) of a query; idle connections live as long as it does.
pub struct Client {
    shared: Arc<Shared>,
    cancel: CancelToken,
}

struct Shared {
    agent: Agent,
    signature: Signature,
    redactor: Arc<Redactor>,
    bounds: Bounds,
    max_response_bytes: u64,
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
    pub fn new(
        source: &Source,
        credentials: Credentials,
        egress: Egress,
        cancel: CancelToken,
    ) -> Result<Client> {
        Client::over(Network::default(), source, credentials, egress, cancel)
    }

    /// The same over another network than the operating system's.
    pub fn over(
        network: Network,
        source: &Source,
        credentials: Credentials,
        egress: Egress,
        cancel: CancelToken,
    ) -> Result<Client> {
        let connector = TcpConnector { network, egress }
            .chain(RustlsConnector::default())
            .chain(Established);
        let shared = Shared {
            agent: Agent::with_parts(config(source), connector, LaterResolver),
            signature: Signature::new(source.auth.as_ref(), &credentials)?,
            redactor: Arc::new(Redactor::new(&credentials)),
            bounds: Bounds {
                connect: source.connect_timeout,
                total: source.timeout,
            },
            max_response_bytes: source.max_response_bytes,
        };
        Ok(Client {
            shared: Arc::new(shared),
            cancel,
        })
    }

    /// The token that cancels everything that this client does.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// The same client, its connections too, for work that `cancel` cancels.
    pub(crate) fn cancelled_by(&self, cancel: CancelToken) -> Client {
        Client {
            shared: Arc::clone(&self.shared),
            cancel,
        }
    }

    /// Masks this client's secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.shared.redactor
    }

    /// How `request` is shown to users.
    pub fn exchange(&self, request: &Request, page: u32) -> Exchange {
        Exchange {
            request: self.shared.redactor.text(&request.redacted()),
            page,
        }
    }

    /// Sends `request` once and waits for the head of its response. `page` is for error texts, counted from 1.
    ///
    /// A kept connection that the server has closed meanwhile does not count: the request goes out again over
    /// another one (RFC 9112 section 9.3.1), unless its method is not idempotent. Errors hold no secret.
    pub fn send(&self, request: &Request, page: u32) -> Result<Response> {
        let exchange = self.exchange(request, page);
        self.follow(request, &exchange)
            .map_err(|error| self.shared.redactor.error(error.at(&exchange)))
    }

    fn follow(&self, request: &Request, exchange: &Exchange) -> Result<Response> {
        let mut attempt = Attempt::new(self.cancel.clone(), self.shared.bounds);
        let mut trail = Trail::new(&request.url);
        let mut current = request.clone();
        loop {
            let mut response = self.answer(&current, &mut attempt, exchange)?;
            let Some(location) = redirect::location(response.status, &response.headers) else {
                return Ok(response);
            };
            if redirect::becomes_get(response.status, current.method) {
                current = by_get(current);
                trail.turn();
            }
            trail.follow(response.status, &self.shared.signature.unsigned(location))?;
            current.url = trail.url().to_owned();
            response.body.drain();
            // With the time that its body took.
            attempt = response.body.attempt;
            attempt.again();
        }
    }

    fn answer(
        &self,
        request: &Request,
        attempt: &mut Attempt,
        exchange: &Exchange,
    ) -> Result<Response> {
        let (parts, body) = self.exchange_once(request, attempt)?.into_parts();
        attempt.head_arrived();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let body = Body {
            expected: body.content_length(),
            reader: body.into_reader(),
            attempt: attempt.clone(),
            exchange: exchange.clone(),
            redactor: Arc::clone(&self.shared.redactor),
            limit: self.shared.max_response_bytes,
            received: 0,
            failed: None,
        };
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
        attempt: &mut Attempt,
    ) -> Result<ureq::http::Response<ureq::Body>> {
        loop {
            let outcome = self.run(request, attempt)?;
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
        attempt: &mut Attempt,
    ) -> Result<std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>> {
        let head = self.signed(request)?;
        let agent = &self.shared.agent;
        Ok(match &request.body {
            None => attempt.during(|| agent.run(head)),
            Some(body) => attempt.during(|| agent.run(head.map(|()| body.as_str()))),
        })
    }

    fn signed(&self, request: &Request) -> Result<ureq::http::Request<()>> {
        let mut signed = ureq::http::Request::builder()
            .method(request.method.name())
            .uri(self.shared.signature.sign_url(&request.url))
            .body(())
            .map_err(|error| {
                Error::option("endpoint", format!("it does not make a valid URL: {error}"))
            })?;
        let map = signed.headers_mut();
        add(&request.headers, map)?;
        self.shared.signature.sign_headers(map)?;
        Ok(signed)
    }
}

fn config(source: &Source) -> Config {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .http_status_as_error(false)
        // Redirects are followed by `Client::follow`, which knows where credentials may go.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // QUERY.
        .allow_non_standard_methods(true)
        // ureq would take one from the environment of the database server.
        .proxy(None)
        .tls_config(tls)
        .max_idle_connections_per_host(
            usize::try_from(source.max_concurrency)
                .unwrap_or(usize::MAX)
                .clamp(1, 8),
        )
        .build()
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
            .field("redactor", &self.shared.redactor)
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

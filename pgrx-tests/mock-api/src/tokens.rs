//! A token endpoint: OAuth 2.0's client credentials and refresh tokens (RFC 6749), issued for real.

use crate::query::{Query, form_decode};
use crate::request::Request;
use crate::response::Response;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whom an endpoint knows, and what it issues.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokensSpec {
    client_id: String,
    client_secret: Option<String>,
    /// `basic` or `post`: the other one is refused.
    client_auth: Option<String>,
    /// The first refresh token.
    refresh_token: Option<String>,
    /// Whether a refresh token is good for one use.
    rotate: bool,
    /// What the answer says; also how long a token is good.
    expires_in: Option<u64>,
    /// How long it is good in truth.
    valid_ms: Option<u64>,
    token_type: Option<String>,
}

/// What an endpoint has issued.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    spec: TokensSpec,
    issued: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    count: usize,
    /// Access tokens that are good, and until when.
    good: HashMap<String, Option<Instant>>,
    refresh_token: Option<String>,
}

/// A refusal: status, `error`, `error_description` (RFC 6749 section 5.2).
type Refusal = (u16, &'static str, &'static str);

impl TokenEndpoint {
    pub(crate) fn new(spec: TokensSpec) -> TokenEndpoint {
        let issued = Issued {
            refresh_token: spec.refresh_token.clone(),
            ..Issued::default()
        };
        TokenEndpoint {
            spec,
            issued: Mutex::new(issued),
        }
    }

    /// Answers a request for a token.
    pub(crate) fn respond(&self, request: &Request) -> Response {
        match self.issue(request) {
            Ok(answer) => Response::json(200, &answer),
            Err((status, error, description)) => Response::json(
                status,
                &json!({"error": error, "error_description": description}),
            ),
        }
    }

    /// Whether an Authorization header carries a token that is good.
    pub(crate) fn accepts(&self, authorization: &str) -> bool {
        let token = authorization.split_once(' ').map_or("", |(_, token)| token);
        let issued = self.issued();
        let until = issued.good.get(token);
        until.is_some_and(|until| until.is_none_or(|until| Instant::now() < until))
    }

    /// No access token that was issued so far is good any more.
    pub(crate) fn revoke(&self) {
        self.issued().good.clear();
    }

    fn issue(&self, request: &Request) -> Result<Value, Refusal> {
        let content_type = request.head.header("content-type").unwrap_or_default();
        if request.head.method != "POST" || content_type != "application/x-www-form-urlencoded" {
            let description = "a token is asked for by POST with a form";
            return Err((400, "invalid_request", description));
        }
        let form = Query::parse(&String::from_utf8_lossy(&request.body));
        self.authenticate(request, &form)?;
        let mut issued = self.issued();
        match form.get("grant_type") {
            Some("client_credentials") if self.spec.client_secret.is_some() => {}
            Some("refresh_token") => {
                let shown = form.get("refresh_token");
                if shown.is_none() || shown != issued.refresh_token.as_deref() {
                    return Err((400, "invalid_grant", "the refresh token is not known"));
                }
            }
            _ => return Err((400, "unsupported_grant_type", "this grant is not known")),
        }
        Ok(self.next(&mut issued, &form))
    }

    fn authenticate(&self, request: &Request, form: &Query) -> Result<(), Refusal> {
        let header = request.head.header("authorization");
        let posted = form.get("client_id").zip(form.get("client_secret"));
        let (way, known) = match (header, posted) {
            (Some(header), None) => ("basic", basic(header)),
            (None, Some((id, secret))) => ("post", Some((id.to_owned(), Some(secret.to_owned())))),
            (None, None) => {
                let id = form.get("client_id").unwrap_or_default();
                ("post", Some((id.to_owned(), None)))
            }
            (Some(_), Some(_)) => {
                return Err((400, "invalid_request", "the client shows its secret twice"));
            }
        };
        let expected = (self.spec.client_id.clone(), self.spec.client_secret.clone());
        let is_way = |allowed: &String| allowed == way;
        if known != Some(expected) || !self.spec.client_auth.as_ref().is_none_or(is_way) {
            return Err((401, "invalid_client", "the client is not known"));
        }
        Ok(())
    }

    fn next(&self, issued: &mut Issued, form: &Query) -> Value {
        issued.count += 1;
        let token = format!("access-token-{}", issued.count);
        let valid = self.spec.valid_ms.map(Duration::from_millis);
        let valid = valid.or_else(|| self.spec.expires_in.map(Duration::from_secs));
        let until = valid.map(|valid| Instant::now() + valid);
        issued.good.insert(token.clone(), until);
        let mut answer = Map::new();
        let token_type = self.spec.token_type.as_deref().unwrap_or("Bearer");
        answer.insert("access_token".to_owned(), token.into());
        answer.insert("token_type".to_owned(), token_type.into());
        let expires_in = self.spec.expires_in.map(|seconds| seconds.into());
        answer.extend(expires_in.map(|seconds| ("expires_in".to_owned(), seconds)));
        let scope = form.get("scope").map(|scope| scope.into());
        answer.extend(scope.map(|scope| ("scope".to_owned(), scope)));
        if self.spec.rotate && form.get("grant_type") == Some("refresh_token") {
            let next = format!("refresh-token-{}", issued.count);
            issued.refresh_token = Some(next.clone());
            answer.insert("refresh_token".to_owned(), next.into());
        }
        Value::Object(answer)
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client of a Basic header, its parts encoded as a form (RFC 6749 section 2.3.1).
fn basic(header: &str) -> Option<(String, Option<String>)> {
    let pair = BASE64.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decode(id), Some(form_decode(secret))))
}

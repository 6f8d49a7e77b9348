//! What signs a request: chosen from `auth` and the user mapping, one file a kind.

mod api_key;
mod basic;
mod bearer;
mod token_request;
mod tokens;

pub(super) use token_request::{Grantee, basic as client_basic, failed, issued, refusal};
pub(super) use tokens::{AccessToken, Issued, Tokens};

use crate::model::{Auth, Credentials, KeyPlace};
use crate::{Error, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ureq::http::header::{AUTHORIZATION, COOKIE};
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// RFC 3986 section 2.3: everything but unreserved characters is encoded.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is put into every request at the moment of sending, and nowhere else.
///
/// It has no `Debug`: it holds secrets in the clear.
#[derive(Default)]
pub(super) struct Signature {
    headers: Vec<(HeaderName, HeaderValue)>,
    query: Option<(String, String)>,
    cookie: Option<(String, String)>,
}

impl Signature {
    /// `auth` declared, or what follows from the credentials: a token is a bearer's, a user name or password is for Basic,
    /// an API key goes into `X-API-Key`. Secret headers are sent whatever the kind.
    pub(super) fn new(auth: Option<&Auth>, credentials: &Credentials) -> Result<Self> {
        let mut signature = match auth {
            Some(auth) => of_kind(auth, credentials)?,
            None => inferred(credentials)?,
        };
        for (name, value) in &credentials.headers {
            let name = header_name("headers", name)?;
            let value = match name {
                AUTHORIZATION => authorization("headers", value.expose())?,
                _ => secret_value("headers", value.expose())?,
            };
            signature.headers.push((name, value));
        }
        Ok(signature)
    }

    /// The URL to send for `url`. A parameter of the key's name that is there already is replaced.
    pub(super) fn sign_url(&self, url: &str) -> String {
        let Some((name, value)) = &self.query else {
            return url.to_owned();
        };
        let url = self.unsigned(url);
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}{}={}", encoded(name), encoded(value))
    }

    /// `url` without the key, where an API repeats it in a link or redirect.
    pub(super) fn unsigned(&self, url: &str) -> String {
        let (Some((name, _)), Some((path, query))) = (&self.query, url.split_once('?')) else {
            return url.to_owned();
        };
        let is_key = |pair: &&str| {
            percent_decode_str(pair.split('=').next().unwrap_or(pair)).decode_utf8_lossy()
                == name.as_str()
        };
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_key(pair)).collect();
        match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", kept.join("&")),
        }
    }

    /// Adds headers and cookie; a constant header of the same name gives way.
    pub(super) fn sign_headers(&self, headers: &mut HeaderMap) -> Result<()> {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        let Some((name, value)) = &self.cookie else {
            return Ok(());
        };
        let before = headers
            .get(COOKIE)
            .and_then(|cookies| cookies.to_str().ok());
        let cookies = match before {
            Some(before) => format!("{before}; {name}={value}"),
            None => format!("{name}={value}"),
        };
        headers.insert(COOKIE, secret_value("api_key", &cookies)?);
        Ok(())
    }

    fn of_header(name: HeaderName, value: HeaderValue) -> Self {
        Signature {
            headers: vec![(name, value)],
            ..Signature::default()
        }
    }
}

fn of_kind(auth: &Auth, credentials: &Credentials) -> Result<Signature> {
    match auth {
        Auth::None => Ok(Signature::default()),
        Auth::Basic => basic::sign(credentials),
        Auth::Bearer { scheme } => bearer::sign(scheme, credentials),
        Auth::ApiKey { name, place } => api_key::sign(name, *place, credentials),
        // Its token is put in when there is one: `AccessToken::sign_headers`.
        Auth::OAuth2(_) => Ok(Signature::default()),
    }
}

fn inferred(credentials: &Credentials) -> Result<Signature> {
    if credentials.token.is_some() {
        bearer::sign("Bearer", credentials)
    } else if credentials.username.is_some() || credentials.password.is_some() {
        basic::sign(credentials)
    } else if credentials.api_key.is_some() {
        api_key::sign("X-API-Key", KeyPlace::Header, credentials)
    } else {
        Ok(Signature::default())
    }
}

fn missing(kind: &str, option: &str) -> Error {
    Error::Option {
        option: "auth".to_owned(),
        reason: format!("\"{kind}\" needs option \"{option}\" in the user mapping"),
        hint: Some(format!(
            "ALTER USER MAPPING ... OPTIONS (ADD {option} '...'), or set auth 'none'"
        )),
    }
}

fn header_name(option: &str, name: &str) -> Result<HeaderName> {
    name.parse()
        .map_err(|_| Error::option(option, format!("\"{name}\" is not a header's name")))
}

/// A header's value that nothing may print.
fn secret_value(option: &str, value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        Error::option(
            option,
            "it holds a character that a header cannot carry, such as a line break",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The value of an Authorization header, which is visible ASCII (RFC 9110 section 11.4).
fn authorization(option: &str, value: &str) -> Result<HeaderValue> {
    match value.is_ascii() {
        true => secret_value(option, value),
        false => Err(Error::option(
            option,
            "it holds a letter beyond ASCII, which an Authorization header cannot carry",
        )),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::model::Secret;

    fn credentials() -> Credentials {
        Credentials {
            token: Some(Secret::new("tok")),
            username: Some(Secret::new("Aladdin")),
            password: Some(Secret::new("open sesame")),
            api_key: Some(Secret::new("k y")),
            headers: vec![("X-Tenant".to_owned(), Secret::new("t"))],
            ..Credentials::default()
        }
    }

    fn sent(auth: Option<Auth>, credentials: &Credentials) -> Vec<String> {
        let signature = Signature::new(auth.as_ref(), credentials).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=b"));
        signature.sign_headers(&mut headers).unwrap();
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines.push(signature.sign_url("http://api.test/i?q=1"));
        lines
    }

    fn key(place: KeyPlace) -> Option<Auth> {
        Some(Auth::ApiKey {
            name: "key".to_owned(),
            place,
        })
    }

    #[test]
    fn each_kind_signs_in_its_own_place() {
        let url = "http://api.test/i?q=1";
        let all = credentials();
        assert_eq!(
            sent(Some(Auth::None), &all),
            ["cookie: a=b", "x-tenant: t", url]
        );
        assert_eq!(
            sent(Some(Auth::Basic), &all),
            [
                "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                "cookie: a=b",
                "x-tenant: t",
                url
            ]
        );
        let scheme = "Token".to_owned();
        assert_eq!(
            sent(Some(Auth::Bearer { scheme }), &all),
            [
                "authorization: Token tok",
                "cookie: a=b",
                "x-tenant: t",
                url
            ]
        );
        assert_eq!(
            sent(key(KeyPlace::Header), &all),
            ["cookie: a=b", "key: k y", "x-tenant: t", url]
        );
        assert_eq!(
            sent(key(KeyPlace::Cookie), &all),
            ["cookie: a=b; key=k y", "x-tenant: t", url]
        );
        assert_eq!(
            sent(key(KeyPlace::Query), &all),
            [
                "cookie: a=b",
                "x-tenant: t",
                "http://api.test/i?q=1&key=k%20y"
            ]
        );
    }

    #[test]
    fn without_auth_the_kind_follows_from_the_credentials() {
        let mut some = credentials();
        assert_eq!(sent(None, &some)[0], "authorization: Bearer tok");
        some.token = None;
        assert_eq!(
            sent(None, &some)[0],
            "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        (some.username, some.password) = (None, None);
        assert_eq!(sent(None, &some)[2], "x-tenant: t");
        assert_eq!(sent(None, &some)[1], "x-api-key: k y");
        assert_eq!(
            sent(None, &Credentials::default()),
            ["cookie: a=b", "http://api.test/i?q=1"]
        );
    }

    #[test]
    fn a_key_that_the_url_repeats_is_not_sent_twice() {
        let signature = Signature::new(key(KeyPlace::Query).as_ref(), &credentials()).unwrap();
        assert_eq!(
            signature.sign_url("http://api.test/i?key=old&p=2"),
            "http://api.test/i?p=2&key=k%20y"
        );
        assert_eq!(
            signature.sign_url("http://api.test/i?%6bey=old"),
            "http://api.test/i?key=k%20y"
        );
        assert_eq!(
            signature.unsigned("http://api.test/i?key=old&monkey=1"),
            "http://api.test/i?monkey=1"
        );
    }

    #[test]
    fn what_is_missing_or_cannot_be_sent_is_named_without_its_value() {
        let none = Credentials::default();
        for (auth, option) in [
            (Some(Auth::Basic), "username"),
            (key(KeyPlace::Cookie), "api_key"),
        ] {
            let error = Signature::new(auth.as_ref(), &none).err().unwrap();
            assert!(error.to_string().contains(option), "{error}");
        }
        let broken = |value: &str| Some(Secret::new(value));
        for (bad, option) in [
            (
                Credentials {
                    token: broken("se\r\ncret"),
                    ..none.clone()
                },
                "token",
            ),
            (
                Credentials {
                    token: broken("sécret"),
                    ..none.clone()
                },
                "token",
            ),
            (
                Credentials {
                    username: broken("se:cret"),
                    ..none.clone()
                },
                "username",
            ),
            (
                Credentials {
                    api_key: broken("se\ncret"),
                    ..none.clone()
                },
                "api_key",
            ),
        ] {
            let error = Signature::new(None, &bad).err().unwrap().to_string();
            assert!(error.contains(option) && !error.contains("cret"), "{error}");
        }
        let error = Signature::new(
            key(KeyPlace::Cookie).as_ref(),
            &Credentials {
                api_key: broken("a;b"),
                ..none
            },
        )
        .err()
        .unwrap();
        assert!(error.to_string().contains("cookie"), "{error}");
    }
}

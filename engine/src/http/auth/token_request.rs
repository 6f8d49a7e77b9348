//! What a token endpoint is asked (RFC 6749, sections 4.4 and 6), and how its answer is read.

use super::tokens::Issued;
use super::{authorization, missing};
use crate::http::status::{one_line, shortened};
use crate::model::{ClientAuth, Credentials, Grant, OAuth2, Secret};
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::time::Duration;
use ureq::http::HeaderValue;

/// `application/x-www-form-urlencoded`, but for the space.
const IN_FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .add(b' ');

/// Who asks for tokens.
pub(in crate::http) struct Grantee {
    pub(super) client_id: Secret,
    pub(super) client_secret: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
}

impl Grantee {
    /// What `credentials` hold for the grant. [`Error::Option`] where something is missing.
    pub(in crate::http) fn new(oauth2: &OAuth2, credentials: &Credentials) -> Result<Self> {
        let kind = match oauth2.grant {
            Grant::ClientCredentials => "oauth2_client_credentials",
            Grant::RefreshToken => "oauth2_refresh_token",
        };
        let client_id = credentials.client_id.clone();
        let client_secret = credentials.client_secret.clone();
        let refresh_token = credentials.refresh_token.clone();
        // A client may be a public one, which has no secret, where a refresh token shows who it is (section 6).
        if oauth2.grant == Grant::ClientCredentials && client_secret.is_none() {
            return Err(missing(kind, "client_secret"));
        }
        if oauth2.grant == Grant::RefreshToken && refresh_token.is_none() {
            return Err(missing(kind, "refresh_token"));
        }
        Ok(Grantee {
            client_id: client_id.ok_or_else(|| missing(kind, "client_id"))?,
            client_secret,
            refresh_token,
        })
    }

    /// The request's body.
    pub(in crate::http) fn body(&self, oauth2: &OAuth2, refresh_token: Option<&Secret>) -> String {
        let mut pairs = vec![match oauth2.grant {
            Grant::ClientCredentials => ("grant_type", "client_credentials"),
            Grant::RefreshToken => ("grant_type", "refresh_token"),
        }];
        let refresh_token = refresh_token.filter(|_| oauth2.grant == Grant::RefreshToken);
        pairs.extend(refresh_token.map(|token| ("refresh_token", token.expose())));
        pairs.extend(oauth2.scope.as_deref().map(|scope| ("scope", scope)));
        if oauth2.client_auth == ClientAuth::Post || self.client_secret.is_none() {
            pairs.push(("client_id", self.client_id.expose()));
            let secret = self.client_secret.as_ref();
            pairs.extend(secret.map(|secret| ("client_secret", secret.expose())));
        }
        let pairs = pairs.into_iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", form(value)))
            .collect();
        pairs.join("&")
    }

    /// The request's Authorization header, where the secret goes there: Basic over the form-encoded parts (section 2.3.1).
    pub(in crate::http) fn authorization(&self, oauth2: &OAuth2) -> Result<Option<HeaderValue>> {
        let secret = self.client_secret.as_ref();
        let Some(secret) = secret.filter(|_| oauth2.client_auth == ClientAuth::Basic) else {
            return Ok(None);
        };
        authorization("client_secret", &basic(&self.client_id, secret)).map(Some)
    }
}

/// What Basic sends for a client.
pub(in crate::http) fn basic(client_id: &Secret, client_secret: &Secret) -> String {
    let pair = format!(
        "{}:{}",
        form(client_id.expose()),
        form(client_secret.expose())
    );
    format!("Basic {}", STANDARD.encode(pair))
}

fn form(text: &str) -> String {
    utf8_percent_encode(text, IN_FORM)
        .to_string()
        .replace("%20", "+")
}

/// Reads a success (section 5.1). `scheme`: the word that the server's options set.
pub(in crate::http) fn issued(
    body: &[u8],
    scheme: Option<&str>,
) -> std::result::Result<Issued, String> {
    if body.trim_ascii().is_empty() {
        return Err("its answer is empty".to_owned());
    }
    let document: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| "its answer is not a JSON object".to_owned())?;
    let text = |name: &str| {
        let text = document.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    };
    let Some(access_token) = text("access_token") else {
        let refused = refusal(body);
        return Err(refused.unwrap_or_else(|| "its answer holds no \"access_token\"".to_owned()));
    };
    let scheme = match (scheme, text("token_type")) {
        (Some(scheme), _) => scheme,
        (None, None) => "Bearer",
        (None, Some(kind)) if kind.eq_ignore_ascii_case("bearer") => "Bearer",
        (None, Some(kind)) => {
            return Err(format!(
                "its tokens are of the type \"{}\", not bearer tokens; set option \"auth_scheme\" to the word that goes before them",
                shortened(kind)
            ));
        }
    };
    // Some endpoints write the number as a text.
    let expires_in = document.get("expires_in").and_then(|seconds| {
        let seconds = seconds
            .as_f64()
            .or_else(|| seconds.as_str()?.parse().ok())?;
        Duration::try_from_secs_f64(seconds.max(0.0)).ok()
    });
    Ok(Issued {
        access_token: Secret::new(access_token),
        scheme: scheme.to_owned(),
        expires_in,
        refresh_token: text("refresh_token").map(Secret::new),
    })
}

/// What an endpoint says that refuses: `invalid_client: the client is not known` (section 5.2).
pub(in crate::http) fn refusal(body: &[u8]) -> Option<String> {
    let document: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(one_line);
    let description = text("error_description").or_else(|| text("message"));
    let told = match (text("error"), description) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(told), None) | (None, Some(told)) => told,
        (None, None) => return None,
    };
    Some(told)
}

/// The error of a token request, which names the endpoint: it is final, as it was tried again already where that could help.
pub(in crate::http) fn failed(exchange: crate::error::Exchange, cause: Error) -> Error {
    match cause {
        Error::Cancelled | Error::Limit { .. } | Error::System(_) | Error::Option { .. } => cause,
        cause => Error::SignIn {
            cause: Box::new(cause.at(&exchange)),
            exchange,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn oauth2(grant: Grant, client_auth: ClientAuth) -> OAuth2 {
        OAuth2 {
            grant,
            token_url: "https://login.test/token".to_owned(),
            scope: Some("read write:all".to_owned()),
            client_auth,
            scheme: None,
        }
    }

    fn credentials() -> Credentials {
        Credentials {
            client_id: Some(Secret::new("my app")),
            client_secret: Some(Secret::new("p%&+=: ~é".replace('é', "e"))),
            refresh_token: Some(Secret::new("r/1")),
            ..Credentials::default()
        }
    }

    #[test]
    fn the_secret_goes_into_the_header_or_the_body_and_never_into_both() {
        let ask = |grant, client_auth| {
            let oauth2 = oauth2(grant, client_auth);
            let grantee = Grantee::new(&oauth2, &credentials()).unwrap();
            let refresh = grantee.refresh_token.clone();
            let header = grantee.authorization(&oauth2).unwrap();
            (
                grantee.body(&oauth2, refresh.as_ref()),
                header.map(|header| header.to_str().unwrap().to_owned()),
            )
        };
        // base64 of my+app:p%25%26%2B%3D%3A+%7Ee
        let basic = Some("Basic bXkrYXBwOnAlMjUlMjYlMkIlM0QlM0ErJTdFZQ==".to_owned());
        assert_eq!(
            ask(Grant::ClientCredentials, ClientAuth::Basic),
            (
                "grant_type=client_credentials&scope=read+write%3Aall".to_owned(),
                basic.clone()
            )
        );
        assert_eq!(
            ask(Grant::ClientCredentials, ClientAuth::Post),
            (
                "grant_type=client_credentials&scope=read+write%3Aall&client_id=my+app&client_secret=p%25%26%2B%3D%3A+%7Ee"
                    .to_owned(),
                None
            )
        );
        assert_eq!(
            ask(Grant::RefreshToken, ClientAuth::Basic),
            (
                "grant_type=refresh_token&refresh_token=r%2F1&scope=read+write%3Aall".to_owned(),
                basic
            )
        );
    }

    #[test]
    fn a_public_client_names_itself_in_the_body() {
        let public = Credentials {
            client_secret: None,
            ..credentials()
        };
        let oauth2 = oauth2(Grant::RefreshToken, ClientAuth::Basic);
        let grantee = Grantee::new(&oauth2, &public).unwrap();
        assert_eq!(grantee.authorization(&oauth2).unwrap(), None);
        let body = grantee.body(&oauth2, grantee.refresh_token.as_ref());
        assert!(body.ends_with("&client_id=my+app"), "{body}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = Credentials::default;
        for (grant, credentials, option) in [
            (Grant::ClientCredentials, none(), "client_secret"),
            (Grant::RefreshToken, none(), "refresh_token"),
            (
                Grant::ClientCredentials,
                Credentials {
                    client_secret: Some(Secret::new("s")),
                    ..none()
                },
                "client_id",
            ),
        ] {
            let oauth2 = oauth2(grant, ClientAuth::Basic);
            let error = Grantee::new(&oauth2, &credentials).err().unwrap();
            assert!(error.to_string().contains(option), "{error}");
        }
    }

    #[test]
    fn answers_are_read_as_endpoints_write_them() {
        let read = |body: &str| issued(body.as_bytes(), None);
        let whole = read(
            r#"{"access_token": "a", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r", "scope": "x"}"#,
        )
        .unwrap();
        assert_eq!(
            (whole.access_token.expose(), whole.scheme.as_str()),
            ("a", "Bearer")
        );
        assert_eq!(whole.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(whole.refresh_token.unwrap().expose(), "r");
        let life = |value: &str| {
            read(&format!(
                r#"{{"access_token": "a", "expires_in": {value}}}"#
            ))
            .unwrap()
            .expires_in
        };
        assert_eq!(life("\"60\""), Some(Duration::from_secs(60)));
        assert_eq!(life("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(life("-5"), Some(Duration::ZERO));
        for unknown in ["null", "\"soon\"", "1e300", "{}"] {
            assert_eq!(life(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_answer_without_a_token_says_why() {
        for (body, reason) in [
            ("<html>", "its answer is not a JSON object"),
            (" \n", "its answer is empty"),
            ("[]", "its answer is not a JSON object"),
            ("{}", "its answer holds no \"access_token\""),
            (
                r#"{"access_token": ""}"#,
                "its answer holds no \"access_token\"",
            ),
            (
                r#"{"error": "bad_refresh_token", "error_description": "it\nis old"}"#,
                "bad_refresh_token: it is old",
            ),
        ] {
            assert_eq!(issued(body.as_bytes(), None).err().unwrap(), reason);
        }
        let mac = br#"{"access_token": "a", "token_type": "mac"}"#;
        assert!(issued(mac, None).err().unwrap().contains("\"auth_scheme\""));
        assert_eq!(issued(mac, Some("MAC")).unwrap().scheme, "MAC");
    }
}

//! How a user signs in: the kind is in the model, the secrets only here.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// No credentials are sent.
    None,
    /// RFC 7617.
    Basic,
    /// RFC 6750, or another scheme word before the token.
    Bearer {
        /// The word before the token: `Bearer`.
        scheme: String,
    },
    /// A key in a header, the query string or a cookie.
    ApiKey {
        /// The header's, parameter's or cookie's name.
        name: String,
        /// Where it goes.
        place: KeyPlace,
    },
    /// An access token that a token endpoint issues (RFC 6749).
    OAuth2(OAuth2),
}

/// How an access token is asked for (RFC 6749).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth2 {
    /// What is shown to the token endpoint in exchange for a token.
    pub grant: Grant,
    /// The token endpoint (section 3.2).
    pub token_url: String,
    /// What the token may be used for (section 3.3); `None` leaves that to the token endpoint.
    pub scope: Option<String>,
    /// Where the client's secret goes.
    pub client_auth: ClientAuth,
    /// The word before the token, if it is set: whatever the token endpoint calls its kind of token.
    pub scheme: Option<String>,
}

/// What is exchanged for an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grant {
    /// The client's own credentials (section 4.4).
    ClientCredentials,
    /// A refresh token (section 6).
    RefreshToken,
}

/// How a client shows its secret to the token endpoint (section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAuth {
    /// In an Authorization header.
    Basic,
    /// In the request's body.
    Post,
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyPlace {
    /// A header.
    Header,
    /// A query parameter.
    Query,
    /// A cookie.
    Cookie,
}

/// A text that is never shown: its `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The secret itself: only for writing it into a request, or for redacting it from a text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user mapping's secrets. Never serialised, never logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `token`
    pub token: Option<Secret>,
    /// `username` (not secret by itself, redacted with the password all the same)
    pub username: Option<Secret>,
    /// `password`
    pub password: Option<Secret>,
    /// `api_key`
    pub api_key: Option<Secret>,
    /// `client_id` (not secret by itself)
    pub client_id: Option<Secret>,
    /// `client_secret`
    pub client_secret: Option<Secret>,
    /// `refresh_token`
    pub refresh_token: Option<Secret>,
    /// Where the secret is that the mapping only names.
    pub elsewhere: Option<Elsewhere>,
    /// `headers`: secret headers, in the order written.
    pub headers: Vec<(String, Secret)>,
}

/// A place outside of the user mapping that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// `token_setting`: a setting of the session, by its name.
    Setting(String),
    /// `vault_secret`: a secret of Supabase's vault, by its name or id.
    Vault(String),
}

impl Credentials {
    /// Puts `secret` where the kind of sign-in wants its secret.
    ///
    /// # Errors
    /// [`Error::Option`]: the user mapping holds that secret itself.
    pub fn put(&mut self, auth: Option<&Auth>, secret: Secret) -> Result<()> {
        let (option, place) = match auth {
            None if self.username.is_some() => ("password", &mut self.password),
            None | Some(Auth::None | Auth::Bearer { .. }) => ("token", &mut self.token),
            Some(Auth::Basic) => ("password", &mut self.password),
            Some(Auth::ApiKey { .. }) => ("api_key", &mut self.api_key),
            Some(Auth::OAuth2(oauth2)) => match oauth2.grant {
                Grant::ClientCredentials => ("client_secret", &mut self.client_secret),
                Grant::RefreshToken => ("refresh_token", &mut self.refresh_token),
            },
        };
        if place.is_some() {
            let reason = format!("the user mapping holds option \"{option}\", too");
            return Err(Error::option("vault_secret", reason));
        }
        *place = Some(secret);
        Ok(())
    }
}

//! User name and password (RFC 7617).

use super::{Signature, authorization, missing};
use crate::model::Credentials;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::header::AUTHORIZATION;

/// `Authorization: Basic …`. An absent password is an empty one, as APIs want it that take a key for the user name.
pub(super) fn sign(credentials: &Credentials) -> Result<Signature> {
    let (username, password) = match (&credentials.username, &credentials.password) {
        (None, None) => return Err(missing("basic", "username")),
        (username, password) => (
            username.as_ref().map_or("", |secret| secret.expose()),
            password.as_ref().map_or("", |secret| secret.expose()),
        ),
    };
    if username.contains(':') {
        return Err(Error::option(
            "username",
            "it holds a colon, which Basic authentication cannot send (RFC 7617 section 2)",
        ));
    }
    for (option, value) in [("username", username), ("password", password)] {
        if value.chars().any(char::is_control) {
            return Err(Error::option(
                option,
                "it holds a control character, which Basic authentication cannot send",
            ));
        }
    }
    let value = format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    );
    Ok(Signature::of_header(
        AUTHORIZATION,
        authorization("password", &value)?,
    ))
}

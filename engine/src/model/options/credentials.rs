//! A user mapping's options: the secrets.

use super::constants;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::header::unsendable_header_value;
use super::vocabulary::Level;
use crate::model::{Credentials, Secret};

/// Reads a user mapping's options.
///
/// # Errors
/// As [`validate`](super::validate()) for [`Level::UserMapping`]; no text holds a value.
pub fn credentials(options: &[(String, String)]) -> Result<Credentials, OptionError> {
    super::validate(Level::UserMapping, options, true)?;
    let given = Given::one(options);
    let headers = given.read("headers", headers)?.unwrap_or_default();
    Ok(Credentials {
        token: given.read("token", token)?,
        username: given.read("username", username)?,
        password: given.read("password", password)?,
        api_key: given.read("api_key", api_key)?,
        client_id: given.read("client_id", oauth2)?,
        client_secret: given.read("client_secret", oauth2)?,
        refresh_token: given.read("refresh_token", oauth2)?,
        headers,
    })
}

/// What a token endpoint is shown (RFC 6749, appendix A: visible ASCII and spaces).
pub(super) fn oauth2(option: &str, value: &str) -> Result<Secret, OptionError> {
    if value.is_empty() {
        return Err(OptionError::new(
            OptionErrorKind::Invalid,
            format!("option \"{option}\" is empty"),
        ));
    }
    if !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(OptionError::invalid(
            option,
            "it holds a character that is not printable ASCII",
        ));
    }
    Ok(Secret::new(value))
}

/// A token of an Authorization header.
pub(super) fn token(option: &str, value: &str) -> Result<Secret, OptionError> {
    in_a_header(option, value)
}

/// A key that may go into a header or a cookie.
pub(super) fn api_key(option: &str, value: &str) -> Result<Secret, OptionError> {
    in_a_header(option, value)
}

/// A user name without a colon (RFC 7617, section 2).
pub(super) fn username(option: &str, value: &str) -> Result<Secret, OptionError> {
    if value.contains(':') {
        return Err(OptionError::invalid(
            option,
            "basic authentication does not allow a colon in a user name",
        ));
    }
    without_control_characters(option, value)
}

/// A password (RFC 7617, section 2: no control characters).
pub(super) fn password(option: &str, value: &str) -> Result<Secret, OptionError> {
    without_control_characters(option, value)
}

/// Secret headers.
pub(super) fn headers(option: &str, value: &str) -> Result<Vec<(String, Secret)>, OptionError> {
    let headers = constants::secret_headers(option, value)?;
    Ok(headers
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect())
}

fn in_a_header(option: &str, value: &str) -> Result<Secret, OptionError> {
    if value.is_empty() {
        return Err(OptionError::new(
            OptionErrorKind::Invalid,
            format!("option \"{option}\" is empty"),
        ));
    }
    match unsendable_header_value(value) {
        Some(reason) => Err(OptionError::invalid(option, reason)),
        None => Ok(Secret::new(value)),
    }
}

fn without_control_characters(option: &str, value: &str) -> Result<Secret, OptionError> {
    if value.contains(char::is_control) {
        return Err(OptionError::invalid(option, "it holds a control character"));
    }
    Ok(Secret::new(value))
}

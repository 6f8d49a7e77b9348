//! A user mapping's options: the secrets.

use super::constants;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::header::unsendable_header_value;
use super::vocabulary::Level;
use crate::Error;
use crate::model::{Credentials, Elsewhere, Secret};

/// Reads a user mapping's options.
///
/// # Errors
/// As [`validate`](super::validate()) for [`Level::UserMapping`]; no text holds a value.
pub fn credentials(options: &[(String, String)]) -> Result<Credentials, OptionError> {
    super::validate(Level::UserMapping, options, true)?;
    let given = Given::one(options);
    let headers = given.read("headers", headers)?.unwrap_or_default();
    let in_setting = given.read("token_setting", token_setting)?;
    let in_vault = given.read("vault_secret", vault_secret)?;
    Ok(Credentials {
        elsewhere: in_setting
            .map(Elsewhere::Setting)
            .or(in_vault.map(Elsewhere::Vault)),
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

/// At most one place holds the token.
pub(super) fn agree(options: &[(String, String)]) -> Result<(), OptionError> {
    let given = Given::one(options);
    let mut places = ["token", "token_setting", "vault_secret"]
        .into_iter()
        .filter(|place| given.text(place).is_some());
    match (places.next(), places.next()) {
        (Some(one), Some(other)) => {
            let message = format!("options \"{one}\" and \"{other}\" exclude each other");
            Err(OptionError::conflict(message))
        }
        _ => Ok(()),
    }
}

/// The name of a setting with a prefix, which no setting of PostgreSQL itself has.
pub(super) fn token_setting(option: &str, value: &str) -> Result<String, OptionError> {
    let is_part = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next();
        first.is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || "_$".contains(letter))
    };
    if value.contains('.') && value.split('.').all(is_part) {
        return Ok(value.to_owned());
    }
    let reason = "it must be the name of a setting with a prefix";
    Err(OptionError::invalid(option, reason).with_hint("For example: 'app.token'."))
}

/// A secret's name or id.
pub(super) fn vault_secret(option: &str, value: &str) -> Result<String, OptionError> {
    match value.trim().is_empty() {
        true => Err(OptionError::invalid(option, "it is empty")),
        false => Ok(value.to_owned()),
    }
}

/// The token that the setting `name` holds.
///
/// # Errors
/// [`Error::Option`] where there is none, or it cannot be sent; the text does not hold it.
pub fn token_in_a_setting(name: &str, value: &str) -> Result<Secret, Error> {
    let wrong = |reason: &str| Error::Option {
        option: "token_setting".to_owned(),
        reason: format!("the setting \"{name}\" {reason}"),
        hint: Some(format!("SET {name} = '...'")),
    };
    match unsendable_header_value(value) {
        _ if value.is_empty() => Err(wrong("is not set in this session, or empty")),
        Some(reason) => Err(wrong(&format!("holds no token: {reason}"))),
        None => Ok(Secret::new(value)),
    }
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

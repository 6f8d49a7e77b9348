//! Which options of one level need or exclude each other.

use super::aggregates;
use super::caching;
use super::empty;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{quantity, response, source};

/// A server needs its URL, and its token endpoint's where it has one.
pub(super) fn server(options: &[(String, String)]) -> Result<(), OptionError> {
    required(options, "base_url", "https://api.example.com")?;
    let given = Given::one(options);
    caching::caching(&given)?;
    source::agree_on_oauth2(&given)?;
    if given.text("proxy_url").is_some() && given.text("unix_socket").is_some() {
        let message = "options \"proxy_url\" and \"unix_socket\" exclude each other";
        return Err(OptionError::conflict(message));
    }
    if given.text("ca_file").is_some()
        && given.read("tls_verify", quantity::boolean)? == Some(false)
    {
        let message = "option \"ca_file\" has no effect where option \"tls_verify\" is off";
        return Err(OptionError::conflict(message));
    }
    exclusive(options)
}

/// A table needs its endpoint.
pub(super) fn table(options: &[(String, String)]) -> Result<(), OptionError> {
    required(options, "endpoint", "/items")?;
    aggregates::agree(&Given::one(options))?;
    response::agree(&Given::one(options))?;
    empty::agree(&Given::one(options))?;
    exclusive(options)
}

/// A column is a field of the response or an input of the request.
pub(super) fn column(options: &[(String, String)]) -> Result<(), OptionError> {
    let given = Given::one(options);
    if given.text("field").is_some() && given.text("param").is_some() {
        let message = "options \"field\" and \"param\" exclude each other";
        return Err(OptionError::conflict(message)
            .with_hint("A column is either a member of the response or an input of the request."));
    }
    Ok(())
}

fn required(options: &[(String, String)], option: &str, example: &str) -> Result<(), OptionError> {
    if Given::one(options).text(option).is_some() {
        return Ok(());
    }
    let message = format!("option \"{option}\" is required");
    let hint = format!("For example: OPTIONS ({option} '{example}').");
    Err(OptionError::new(OptionErrorKind::Missing, message).with_hint(hint))
}

/// A value that two options could locate must be located by one.
fn exclusive(options: &[(String, String)]) -> Result<(), OptionError> {
    let given = Given::one(options);
    for what in ["cursor", "next_url", "total"] {
        let (field, header) = (format!("{what}_field"), format!("{what}_header"));
        if given.text(&field).is_some() && given.text(&header).is_some() {
            let message = format!("options \"{field}\" and \"{header}\" exclude each other");
            return Err(OptionError::conflict(message));
        }
    }
    Ok(())
}

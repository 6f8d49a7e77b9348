//! What may stand in a header: RFC 9110, sections 5.1 and 5.5.

use super::error::OptionError;

/// Headers that the HTTP client writes itself; another value would break the message's framing.
const FRAMING: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// A token (RFC 9110, section 5.6.2).
pub(super) fn token(option: &str, value: &str) -> Result<String, OptionError> {
    if is_token(value) {
        return Ok(value.to_owned());
    }
    let reason = format!(
        "\"{value}\" is not a name that HTTP allows (letters, digits, and !#$%&'*+-.^_`|~)"
    );
    Err(OptionError::invalid(option, reason))
}

/// A header's name that may be set.
pub(super) fn name(option: &str, value: &str) -> Result<String, OptionError> {
    if FRAMING.contains(&value.to_ascii_lowercase().as_str()) {
        return Err(OptionError::invalid(
            option,
            format_args!("the header \"{value}\" cannot be set"),
        ));
    }
    token(option, value)
}

/// A header's value.
pub(super) fn value(option: &str, value: &str) -> Result<String, OptionError> {
    match unsendable_header_value(value) {
        Some(reason) => Err(OptionError::invalid(option, reason)),
        None => Ok(value.to_owned()),
    }
}

/// Why a text cannot be a header's value as it is: a server would refuse it, or read another value.
pub(crate) fn unsendable_header_value(value: &str) -> Option<&'static str> {
    if value.contains(['\r', '\n', '\0']) {
        return Some("a header cannot hold a line break or U+0000");
    }
    if value
        .bytes()
        .any(|byte| byte != b'\t' && !(0x20..0x7f).contains(&byte))
    {
        return Some("a header can hold printable ASCII only");
    }
    if value.trim_matches([' ', '\t']).len() != value.len() {
        return Some("a header cannot begin or end with a space");
    }
    None
}

fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

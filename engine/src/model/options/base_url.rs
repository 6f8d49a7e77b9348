//! The URLs of a server: its own, and its token endpoint's.

use super::error::{OptionError, OptionErrorKind};
use super::secrets::names_a_credential;
use iri_string::types::UriStr;

/// An absolute http(s) URL without user information, query and fragment, its last slash removed.
pub(super) fn base_url(option: &str, value: &str) -> Result<String, OptionError> {
    let url = absolute(option, value, "https://api.example.com/v1")?;
    if url.query().is_some() {
        let hint = "Set option \"query\" for parameters of every request.";
        return Err(OptionError::invalid(option, "it may not hold a query").with_hint(hint));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A token endpoint (RFC 6749, section 3.2): as `base_url`, but just as it is, and it may have a query.
pub(super) fn token_url(option: &str, value: &str) -> Result<String, OptionError> {
    let url = absolute(option, value, "https://login.example.com/oauth/token")?;
    let query = url.query_str().unwrap_or_default();
    let name = |pair: &str| pair.split('=').next().map(str::to_owned);
    if query
        .split('&')
        .filter_map(name)
        .any(|name| names_a_credential(&name))
    {
        let message = format!("option \"{option}\" may not hold a secret");
        let hint =
            "Set client_id and client_secret on the user mapping: secrets belong there only.";
        return Err(OptionError::new(OptionErrorKind::Secret, message).with_hint(hint));
    }
    Ok(url.as_str().to_owned())
}

/// A proxy: scheme, host and port.
pub(super) fn proxy_url(option: &str, value: &str) -> Result<String, OptionError> {
    let url = absolute(option, value, "http://proxy.example.com:3128")?;
    if !url.scheme_str().eq_ignore_ascii_case("http") {
        let reason = "the scheme must be http: that is how the proxy itself is reached";
        return Err(OptionError::invalid(option, reason));
    }
    if url.query().is_some() || !["", "/"].contains(&url.path_str()) {
        return Err(OptionError::invalid(
            option,
            "it may hold a scheme, a host and a port only",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An absolute http(s) URL without user information and fragment.
fn absolute<'a>(option: &str, value: &'a str, example: &str) -> Result<&'a UriStr, OptionError> {
    // The value may hold a password: it appears in no message.
    let url = UriStr::new(value.trim()).map_err(|_| {
        OptionError::invalid(option, "not an absolute URL")
            .with_hint(format!("For example: '{example}'."))
    })?;
    if !["http", "https"].contains(&url.scheme_str().to_ascii_lowercase().as_str()) {
        return Err(OptionError::invalid(
            option,
            "the scheme must be http or https",
        ));
    }
    let authority = url.authority_components();
    if authority.is_some_and(|authority| authority.userinfo().is_some()) {
        let message = format!("option \"{option}\" may not hold a user name or password");
        let hint = "Set username and password on the user mapping: secrets belong there only.";
        return Err(OptionError::new(OptionErrorKind::Secret, message).with_hint(hint));
    }
    let Some(authority) = authority.filter(|authority| !authority.host().is_empty()) else {
        return Err(OptionError::invalid(option, "the host is missing"));
    };
    if authority
        .port()
        .is_some_and(|port| !port.is_empty() && !matches!(port.parse::<u16>(), Ok(1..)))
    {
        return Err(OptionError::invalid(
            option,
            "the port must be from 1 to 65535",
        ));
    }
    if url.fragment().is_some() {
        return Err(OptionError::invalid(option, "it may not hold a fragment"));
    }
    if url.path_str().split('/').any(is_dot_segment) {
        return Err(OptionError::invalid(
            option,
            "its path may not hold . or .. segments",
        ));
    }
    Ok(url)
}

/// Whether clients and servers would take this segment for a step in the path's tree
/// (RFC 3986, section 5.2.4; the percent-encoded forms are equivalent).
pub(crate) fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

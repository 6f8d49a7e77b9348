//! A next page's URL as an API wrote it → the URL to request.

use crate::error::Exchange;
use crate::http::Egress;
use crate::model::{Connecting, Source};
use crate::request::{Request, origin, resolve};
use crate::{Error, Result};
use iri_string::types::UriString;

/// Resolves `reference` against the URL of the page `current` (RFC 3986, section 5.2), its fragment dropped.
///
/// # Errors
/// [`Error::Paging`] where it is no http(s) URL; [`Error::Forbidden`] where it leaves the origin of
/// `base_url`, to which alone credentials go, for a host that `permitted` does not name, or takes along what is the own
/// origin's.
pub(super) fn next_target(
    reference: &str,
    page_url: &str,
    current: &Request,
    source: &Source,
    permitted: &Egress,
    exchange: &Exchange,
) -> Result<String> {
    let target = followable(reference, page_url).map_err(|reason| Error::Paging {
        exchange: exchange.clone(),
        reason: format!("the next page's URL {reason}"),
    })?;
    let own = origin(&source.base_url);
    let other = origin(target.as_str());
    if own.is_some() && own == other {
        return Ok(target.as_str().to_owned());
    }
    let own = own.unwrap_or_default();
    match refusal(&target, current, &own, permitted).or_else(|| bound(&source.connecting)) {
        None => Ok(target.as_str().to_owned()),
        Some(reason) => Err(Error::Forbidden {
            exchange: exchange.clone(),
            target: other.unwrap_or_default(),
            reason: format!("the next page's URL leaves the server's own origin {own}, {reason}"),
        }),
    }
}

/// Why a page at another origin is not asked for.
fn refusal(
    target: &UriString,
    current: &Request,
    own: &str,
    permitted: &Egress,
) -> Option<&'static str> {
    let host = target
        .authority_components()
        .map_or("", |authority| authority.host());
    if !permitted.names(host) {
        return Some(
            "and credentials go to that one only; a superuser can add the host to \"rest_fdw.allowed_hosts\", so that it is asked without credentials",
        );
    }
    let is_secure = |url: &str| {
        url.get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case("https:"))
    };
    if is_secure(own) && !is_secure(target.as_str()) {
        return Some("and would no longer be encrypted");
    }
    current
        .body
        .as_ref()
        .map(|_| "and the request's body goes to that one only")
}

/// What of the connections is the own origin's, so that no other is asked.
fn bound(connecting: &Connecting) -> Option<&'static str> {
    if connecting.client_cert_file.is_some() {
        return Some("and the client's certificate (client_cert_file) is shown to that one only");
    }
    connecting
        .unix_socket
        .as_ref()
        .map(|_| "and the server's Unix socket leads to that one only")
}

/// The absolute http(s) URL, or why there is none.
fn followable(reference: &str, page_url: &str) -> std::result::Result<UriString, String> {
    let target = resolve(page_url, reference).ok_or_else(|| not_a_url(reference))?;
    let scheme = target.scheme_str().to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(format!(
            "has scheme \"{scheme}\"; only http and https can be followed"
        ));
    }
    let Some(authority) = target.authority_components() else {
        return Err(not_a_url(reference));
    };
    if authority.userinfo().is_some() {
        return Err("holds a user name or password".to_owned());
    }
    Ok(target)
}

/// What may be a secret (before an @, after a ?) is not shown.
fn not_a_url(reference: &str) -> String {
    let shown = reference.split(['?', '@']).next().unwrap_or_default();
    let shown: String = shown
        .chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect();
    format!("is not a valid URL: \"{shown}\"")
}

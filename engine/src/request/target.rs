//! URLs that an API names: where they lead, and whose they are.

use super::percent::clean_reference;
use iri_string::format::ToDedicatedString;
use iri_string::types::{UriReferenceStr, UriStr, UriString};

/// Resolves what an API wrote against the URL that it wrote it at (RFC 3986, section 5.2), its
/// fragment dropped; `None` where that is no URL.
pub(crate) fn resolve(base: &str, reference: &str) -> Option<UriString> {
    let clean = clean_reference(reference);
    let reference = UriReferenceStr::new(&clean).ok()?;
    let base = UriStr::new(base).ok()?;
    let mut target = reference
        .resolve_against(base.to_absolute())
        .to_dedicated_string();
    target.set_fragment(None);
    Some(target)
}

/// Scheme, host and port (RFC 6454, section 4), the scheme's own port left out: `https://api.test`.
pub(crate) fn origin(url: &str) -> Option<String> {
    let url = UriStr::new(url).ok()?;
    let scheme = url.scheme_str().to_ascii_lowercase();
    let authority = url.authority_components()?;
    let host = authority.host().to_ascii_lowercase();
    let port = match (scheme.as_str(), authority.port()) {
        (_, None | Some("")) | ("http", Some("80")) | ("https", Some("443")) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    (!host.is_empty()).then(|| format!("{scheme}://{host}{port}"))
}

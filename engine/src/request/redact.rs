//! URLs for people to see: without what looks like a secret.

use super::percent::is_placeholder;
use crate::model::options::names_a_credential;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The URL with `***` for its user information and for values of parameters that look secret.
pub(super) fn redacted_url(url: &str) -> String {
    let (before, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (url, None),
    };
    let shown = without_user_information(before);
    match query {
        None => shown,
        Some(query) => {
            let pairs: Vec<String> = query.split('&').map(redacted_pair).collect();
            format!("{shown}?{}", pairs.join("&"))
        }
    }
}

/// The body with `***` for values of members, or of a form's pairs, that look secret.
pub(super) fn redacted_body(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(mut document @ (Value::Object(_) | Value::Array(_))) => {
            mask(&mut document);
            document.to_string()
        }
        _ => {
            let pairs: Vec<String> = body.split('&').map(redacted_pair).collect();
            pairs.join("&")
        }
    }
}

fn mask(document: &mut Value) {
    match document {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if looks_secret(name) && !is_placeholder(text) => {
                        *text = "***".to_owned();
                    }
                    other => mask(other),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(mask),
        _ => {}
    }
}

fn without_user_information(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => url.to_owned(),
    }
}

fn redacted_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, value))
            if !value.is_empty() && looks_secret(&percent_decode_str(name).decode_utf8_lossy()) =>
        {
            format!("{name}=***")
        }
        _ => pair.to_owned(),
    }
}

/// Wider than what the options refuse: a name too many costs a reader a value, one too few a secret.
fn looks_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    names_a_credential(name)
        || ["key", "sig", "appid", "accesskey"].contains(&plain.as_str())
        || ["signature", "credential", "securitytoken", "secret"]
            .iter()
            .any(|ending| plain.ends_with(ending))
}

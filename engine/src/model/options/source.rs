//! A server's options, as far as they describe the source.

use super::base_url::{self, base_url};
use super::constants;
use super::definition::Definition;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{header, quantity};
use crate::model::{Auth, ClientAuth, Connecting, Grant, KeyPlace, OAuth2, RetryPolicy, Source};
use std::time::Duration;

/// Reads what a server's options say of the API itself.
pub(super) fn source(definition: &Definition) -> Result<Source, OptionError> {
    let given = Given::one(definition.server);
    let missing = || OptionError::new(OptionErrorKind::Missing, "option \"base_url\" is required");
    Ok(Source {
        name: definition.server_name.to_owned(),
        base_url: given.read("base_url", base_url)?.ok_or_else(missing)?,
        headers: given
            .read("headers", constants::headers)?
            .unwrap_or_default(),
        query: given.read("query", constants::query)?.unwrap_or_default(),
        user_agent: given
            .read("user_agent", header::value)?
            .unwrap_or_else(|| format!("rest_fdw/{}", definition.version)),
        accept: given.read("accept", header::value)?,
        auth: auth(&given)?,
        connecting: connecting(&given)?,
        connect_timeout: given
            .read("connect_timeout", quantity::timeout)?
            .unwrap_or(Duration::from_secs(10)),
        timeout: given
            .read("timeout", quantity::timeout)?
            .unwrap_or(Duration::from_secs(60)),
        retry: retry(&given)?,
        rate_limit: given.read("rate_limit", quantity::rate)?,
        max_concurrency: given
            .read("max_concurrency", quantity::concurrency)?
            .unwrap_or(4),
        max_pages: given.read("max_pages", quantity::positive)?,
        max_requests: given.read("max_requests", quantity::positive)?,
        max_response_bytes: given
            .read("max_response_bytes", quantity::size)?
            .unwrap_or(256 << 20),
    })
}

fn connecting(given: &Given) -> Result<Connecting, OptionError> {
    Ok(Connecting {
        ca_file: given.read("ca_file", file)?,
        client_cert_file: given.read("client_cert_file", file)?,
        unverified: given.read("tls_verify", quantity::boolean)? == Some(false),
        proxy_url: given.read("proxy_url", base_url::proxy_url)?,
        unix_socket: given.read("unix_socket", file)?,
    })
}

/// A file of the server's machine: its whole path.
pub(super) fn file(option: &str, value: &str) -> Result<String, OptionError> {
    if !value.starts_with('/') {
        let reason = "it must be a whole path, which begins with a slash";
        return Err(OptionError::invalid(option, reason));
    }
    match value.contains(char::is_control) {
        true => Err(OptionError::invalid(option, "it holds a control character")),
        false => Ok(value.to_owned()),
    }
}

/// A kind of sign-in, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthKind {
    None,
    Basic,
    Bearer,
    ApiKey,
    OAuth2(Grant),
}

/// The kinds of sign-in.
pub(super) fn auth_kind(option: &str, value: &str) -> Result<AuthKind, OptionError> {
    match value {
        "none" => Ok(AuthKind::None),
        "basic" => Ok(AuthKind::Basic),
        "bearer" => Ok(AuthKind::Bearer),
        "api_key" => Ok(AuthKind::ApiKey),
        "oauth2_client_credentials" => Ok(AuthKind::OAuth2(Grant::ClientCredentials)),
        "oauth2_refresh_token" => Ok(AuthKind::OAuth2(Grant::RefreshToken)),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a kind of sign-in"),
        )
        .with_hint(
            "Valid values are none, basic, bearer, api_key, oauth2_client_credentials and oauth2_refresh_token.",
        )),
    }
}

/// Where an API key goes.
pub(super) fn api_key_place(option: &str, value: &str) -> Result<KeyPlace, OptionError> {
    match value {
        "header" => Ok(KeyPlace::Header),
        "query" => Ok(KeyPlace::Query),
        "cookie" => Ok(KeyPlace::Cookie),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a place for a key"),
        )
        .with_hint("Valid values are header, query and cookie.")),
    }
}

/// An API key's header, parameter or cookie: as strict as a header, since the place may be one.
pub(super) fn api_key_name(option: &str, value: &str) -> Result<String, OptionError> {
    header::name(option, value)
}

/// What a token may be used for: names with one space between them (RFC 6749, section 3.3).
pub(super) fn scope(option: &str, value: &str) -> Result<String, OptionError> {
    let is_allowed = |letter: char| matches!(letter, '!' | '#'..='[' | ']'..='~');
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_allowed);
    if value.split(' ').all(is_name) {
        return Ok(value.to_owned());
    }
    let reason = "it must be names of printable ASCII, without quotes and backslashes, with one space between them";
    Err(OptionError::invalid(option, reason))
}

/// Where the client's secret goes.
pub(super) fn client_auth(option: &str, value: &str) -> Result<ClientAuth, OptionError> {
    match value {
        "basic" => Ok(ClientAuth::Basic),
        "post" => Ok(ClientAuth::Post),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a way to send the client's secret"),
        )
        .with_hint("Valid values are basic and post.")),
    }
}

/// The options of OAuth 2.0 agree with `auth`.
pub(super) fn agree_on_oauth2(given: &Given) -> Result<(), OptionError> {
    let kind = given.read("auth", auth_kind)?;
    let is_oauth2 = matches!(kind, Some(AuthKind::OAuth2(_)));
    if is_oauth2 && given.text("token_url").is_none() {
        let message = "option \"token_url\" is required for OAuth 2.0";
        return Err(
            OptionError::new(OptionErrorKind::Missing, message).with_hint(
                "For example: OPTIONS (token_url 'https://login.example.com/oauth/token').",
            ),
        );
    }
    let of_oauth2 = ["token_url", "scope", "token_auth"];
    let lone = of_oauth2
        .into_iter()
        .find(|option| given.text(option).is_some());
    match lone.filter(|_| !is_oauth2) {
        None => Ok(()),
        Some(option) => {
            let message = format!("option \"{option}\" is for OAuth 2.0 only");
            Err(OptionError::conflict(message).with_hint(
                "Set option \"auth\" to oauth2_client_credentials or oauth2_refresh_token.",
            ))
        }
    }
}

fn oauth2(grant: Grant, scheme: Option<String>, given: &Given) -> Result<Auth, OptionError> {
    agree_on_oauth2(given)?;
    Ok(Auth::OAuth2(OAuth2 {
        grant,
        token_url: given
            .read("token_url", base_url::token_url)?
            .unwrap_or_default(),
        scope: given.read("scope", scope)?,
        client_auth: given
            .read("token_auth", client_auth)?
            .unwrap_or(ClientAuth::Basic),
        scheme,
    }))
}

/// The kind that `auth` names; without it, the one whose details are given.
fn auth(given: &Given) -> Result<Option<Auth>, OptionError> {
    let name = given.read("api_key_name", api_key_name)?;
    let place = given.read("api_key_in", api_key_place)?;
    let scheme = given.read("auth_scheme", header::token)?;
    let describes_key = name.is_some() || place.is_some();
    let kind = match given.read("auth", auth_kind)? {
        Some(kind) => kind,
        None if describes_key && scheme.is_some() => {
            let message =
                "options \"auth_scheme\" and \"api_key_name\" describe two kinds of sign-in";
            return Err(OptionError::conflict(message)
                .with_hint("Set option \"auth\" to bearer or api_key."));
        }
        None if describes_key => AuthKind::ApiKey,
        None if scheme.is_some() => AuthKind::Bearer,
        None => return Ok(None),
    };
    Ok(Some(match kind {
        AuthKind::None => Auth::None,
        AuthKind::Basic => Auth::Basic,
        AuthKind::Bearer => Auth::Bearer {
            scheme: scheme.unwrap_or_else(|| "Bearer".to_owned()),
        },
        AuthKind::ApiKey => Auth::ApiKey {
            name: name.unwrap_or_else(|| "X-API-Key".to_owned()),
            place: place.unwrap_or(KeyPlace::Header),
        },
        AuthKind::OAuth2(grant) => oauth2(grant, scheme, given)?,
    }))
}

fn retry(given: &Given) -> Result<RetryPolicy, OptionError> {
    let (statuses, network) = given
        .read("retry_on", retry_on)?
        .unwrap_or_else(|| (vec![408, 429, 500, 502, 503, 504], true));
    Ok(RetryPolicy {
        max_retries: given.read("max_retries", quantity::retries)?.unwrap_or(5),
        statuses,
        network,
        max_time: given
            .read("max_retry_time", quantity::timeout)?
            .unwrap_or(Duration::from_secs(300)),
    })
}

/// A list of statuses and the word `network`.
pub(super) fn retry_on(option: &str, value: &str) -> Result<(Vec<u16>, bool), OptionError> {
    let mut statuses = Vec::new();
    let mut network = false;
    for item in value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        if item == "network" {
            network = true;
        } else {
            statuses.push(error_status(option, item)?);
        }
    }
    Ok((statuses, network))
}

/// An HTTP status that is not a success.
pub(super) fn error_status(option: &str, text: &str) -> Result<u16, OptionError> {
    let status = text
        .parse::<u16>()
        .ok()
        .filter(|status| (300..=599).contains(status));
    status.ok_or_else(|| {
        OptionError::invalid(
            option,
            format_args!("\"{text}\" is not an HTTP status from 300 to 599"),
        )
    })
}

//! A server's options, as far as they describe the source.

use super::base_url::base_url;
use super::constants;
use super::definition::Definition;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{header, quantity};
use crate::model::{Auth, KeyPlace, RetryPolicy, Source};
use std::time::Duration;

/// JSON first; whatever else an API calls its JSON (`application/geo+json`) is welcome too.
const ACCEPT: &str = "application/json, */*;q=0.1";

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
        accept: given
            .read("accept", header::value)?
            .unwrap_or_else(|| ACCEPT.to_owned()),
        auth: auth(&given)?,
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

/// A kind of sign-in, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthKind {
    None,
    Basic,
    Bearer,
    ApiKey,
}

/// The kinds of sign-in.
pub(super) fn auth_kind(option: &str, value: &str) -> Result<AuthKind, OptionError> {
    match value {
        "none" => Ok(AuthKind::None),
        "basic" => Ok(AuthKind::Basic),
        "bearer" => Ok(AuthKind::Bearer),
        "api_key" => Ok(AuthKind::ApiKey),
        "oauth2_client_credentials" | "oauth2_refresh_token" => {
            Err(OptionError::not_yet(format_args!("auth '{value}'")))
        }
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a kind of sign-in"),
        )
        .with_hint("Valid values are none, basic, bearer and api_key.")),
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

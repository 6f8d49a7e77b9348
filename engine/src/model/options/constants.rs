//! Constant headers and query parameters: JSON objects of scalars, in the order written.

use super::error::{OptionError, OptionErrorKind};
use super::header;
use super::secrets::names_a_credential;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Constant query parameters. A credential among them is refused.
pub(super) fn query(option: &str, value: &str) -> Result<Vec<(String, String)>, OptionError> {
    let members = members(option, value)?;
    for (name, _) in &members {
        if name.is_empty() {
            return Err(OptionError::invalid(option, "a parameter's name is empty"));
        }
        refuse_credential(option, "parameter", name)?;
    }
    Ok(members)
}

/// Constant headers. A credential among them is refused.
pub(super) fn headers(option: &str, value: &str) -> Result<Vec<(String, String)>, OptionError> {
    let members = members(option, value)?;
    for (name, _) in &members {
        refuse_credential(option, "header", name)?;
    }
    checked_headers(option, members)
}

/// Headers that may be secret. No value appears in an error.
pub(super) fn secret_headers(
    option: &str,
    value: &str,
) -> Result<Vec<(String, String)>, OptionError> {
    checked_headers(option, members(option, value)?)
}

fn checked_headers(
    option: &str,
    members: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, OptionError> {
    for (name, text) in &members {
        header::name(option, name)?;
        if let Some(reason) = header::unsendable_header_value(text) {
            return Err(OptionError::invalid(
                option,
                format_args!("value of \"{name}\": {reason}"),
            ));
        }
    }
    Ok(members)
}

fn refuse_credential(option: &str, what: &str, name: &str) -> Result<(), OptionError> {
    if !names_a_credential(name) {
        return Ok(());
    }
    let message =
        format!("option \"{option}\" may not hold the {what} \"{name}\": it is a credential");
    let hint = if what == "header" {
        "Set token, api_key, username and password, or headers on the user mapping: secrets belong there only.".to_owned()
    } else {
        format!(
            "Set api_key on the user mapping, and on the server api_key_in 'query' and api_key_name '{name}'."
        )
    };
    Err(OptionError::new(OptionErrorKind::Secret, message).with_hint(hint))
}

fn members(option: &str, value: &str) -> Result<Vec<(String, String)>, OptionError> {
    // serde_json's own message may quote the value, which may be a secret: only its place is told.
    let parsed: Members = serde_json::from_str(value).map_err(|error| {
        let reason = format!(
            "not a JSON object of scalars (line {}, column {})",
            error.line(),
            error.column()
        );
        OptionError::invalid(option, reason).with_hint("For example: '{\"name\": \"value\"}'.")
    })?;
    let mut members: Vec<(String, String)> = Vec::with_capacity(parsed.0.len());
    for (name, raw) in parsed.0 {
        if members.iter().any(|(other, _)| *other == name) {
            return Err(OptionError::invalid(
                option,
                format_args!("\"{name}\" is given twice"),
            ));
        }
        let text = scalar(raw.get()).ok_or_else(|| {
            OptionError::invalid(
                option,
                format_args!("value of \"{name}\" is not a string, number or truth value"),
            )
        })?;
        members.push((name, text));
    }
    Ok(members)
}

/// A scalar's text; a number keeps the digits that it was written with.
fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'[' | b'{' | b'n' => None,
        _ => Some(raw.to_owned()),
    }
}

/// An object's members in the order written (serde_json's own map sorts them).
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

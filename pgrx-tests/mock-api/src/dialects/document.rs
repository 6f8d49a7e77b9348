//! What a JSON text says, with its numbers as they are written.

use bigdecimal::BigDecimal;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A JSON value whose numbers keep every digit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(BigDecimal),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a JSON text; the error is a message for the client.
    pub(crate) fn parse(text: &str) -> Result<Json, String> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error} in {text}"))?;
        Json::of_raw(raw)
    }

    /// The value of a text that is known to be JSON.
    pub(crate) fn of_raw(raw: &RawValue) -> Result<Json, String> {
        let text = raw.get();
        let problem = |error: serde_json::Error| format!("no JSON: {error} in {text}");
        match text.as_bytes().first() {
            Some(b'n') => Ok(Json::Null),
            Some(b't') => Ok(Json::Bool(true)),
            Some(b'f') => Ok(Json::Bool(false)),
            Some(b'"') => serde_json::from_str(text).map(Json::Text).map_err(problem),
            Some(b'[') => {
                let parts: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(problem)?;
                let parts = parts.iter().map(|part| Json::of_raw(part));
                Ok(Json::List(parts.collect::<Result<_, _>>()?))
            }
            Some(b'{') => {
                let members: BTreeMap<String, Box<RawValue>> =
                    serde_json::from_str(text).map_err(problem)?;
                let members = members
                    .into_iter()
                    .map(|(name, value)| Ok((name, Json::of_raw(&value)?)));
                Ok(Json::Object(members.collect::<Result<_, String>>()?))
            }
            _ => BigDecimal::from_str(text)
                .map(Json::Number)
                .map_err(|error| format!("no number: {error} in {text}")),
        }
    }

    /// A member of an object.
    pub(crate) fn member(&self, name: &str) -> Option<&Json> {
        self.members()
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value)
    }

    /// The members of an object, by name; none of anything else.
    pub(crate) fn members(&self) -> &[(String, Json)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// What a scalar is as text: texts without quotes, numbers without an exponent.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match self {
            Json::Bool(value) => Some(value.to_string()),
            Json::Number(number) => Some(number.to_plain_string()),
            Json::Text(text) => Some(text.clone()),
            Json::Null | Json::List(_) | Json::Object(_) => None,
        }
    }

    /// Whether this holds everything that `other` does, as PostgreSQL's `@>` says (jsonb containment): an array at the top
    /// also holds a scalar that is one of its members.
    pub(crate) fn contains(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::List(_), Json::List(_) | Json::Object(_)) => self.holds(other),
            (Json::List(parts), scalar) => parts.contains(scalar),
            _ => self.holds(other),
        }
    }

    fn holds(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Object(_), Json::Object(wanted)) => wanted
                .iter()
                .all(|(name, value)| self.member(name).is_some_and(|found| found.holds(value))),
            (Json::List(parts), Json::List(wanted)) => wanted
                .iter()
                .all(|value| parts.iter().any(|part| part.holds(value))),
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn contains(left: &str, right: &str) -> bool {
        Json::parse(left)
            .unwrap()
            .contains(&Json::parse(right).unwrap())
    }

    #[test]
    fn containment_is_that_of_jsonb() {
        assert!(contains(
            r#"{"a": 1, "b": {"c": [1, 2]}}"#,
            r#"{"b": {"c": [2]}}"#
        ));
        assert!(contains("[1, [2, 3]]", "[[3]]"));
        assert!(contains(r#"["a"]"#, r#""a""#));
        assert!(contains("1.0", "1"));
        assert!(!contains(r#""a""#, r#"["a"]"#));
        assert!(!contains(r#"{"a": ["b"]}"#, r#"{"a": "b"}"#));
        assert!(!contains("[1]", "[1, 2]"));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let number = Json::parse("123456789012345678901234567890.5").unwrap();
        assert_eq!(
            number.scalar_text().unwrap(),
            "123456789012345678901234567890.5"
        );
        assert!(Json::parse("{\"a\":").is_err());
    }
}

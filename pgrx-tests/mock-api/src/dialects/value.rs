//! What types columns have, and how their values are read, compared and written.

use super::document::Json;
use bigdecimal::{BigDecimal, ToPrimitive};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Deserialize;
use std::cmp::Ordering;
use std::str::FromStr;

/// The type of a column, named as in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ColumnType {
    pub(crate) scalar: Scalar,
    /// Whether it is an array of them.
    pub(crate) is_array: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Bool,
    Text,
    Date,
    Timestamp,
    TimestampTz,
    Uuid,
    Json,
}

impl TryFrom<String> for ColumnType {
    type Error = String;

    fn try_from(name: String) -> Result<ColumnType, String> {
        let (scalar, is_array) = match name.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (name.as_str(), false),
        };
        let scalar = match scalar {
            "int2" => Scalar::Int2,
            "int4" => Scalar::Int4,
            "int8" => Scalar::Int8,
            "float4" => Scalar::Float4,
            "float8" => Scalar::Float8,
            "numeric" => Scalar::Numeric,
            "bool" => Scalar::Bool,
            "text" => Scalar::Text,
            "date" => Scalar::Date,
            "timestamp" => Scalar::Timestamp,
            "timestamptz" => Scalar::TimestampTz,
            "uuid" => Scalar::Uuid,
            "json" | "jsonb" => Scalar::Json,
            _ => return Err(format!("unknown column type {name}")),
        };
        Ok(ColumnType { scalar, is_array })
    }
}

/// A value of a row or of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(BigDecimal),
    Text(String),
    Date(civil::Date),
    Timestamp(civil::DateTime),
    Instant(Timestamp),
    /// In lower case, which sorts as its bytes do.
    Uuid(String),
    List(Vec<Value>),
    Json(Json),
}

impl ColumnType {
    /// Any scalar that is no array.
    pub(crate) fn of(scalar: Scalar) -> ColumnType {
        ColumnType {
            scalar,
            is_array: false,
        }
    }

    pub(crate) fn is_text(self) -> bool {
        self == ColumnType::of(Scalar::Text)
    }

    pub(crate) fn is_integer(self) -> bool {
        !self.is_array && matches!(self.scalar, Scalar::Int2 | Scalar::Int4 | Scalar::Int8)
    }

    pub(crate) fn is_float(self) -> bool {
        !self.is_array && matches!(self.scalar, Scalar::Float4 | Scalar::Float8)
    }

    pub(crate) fn is_number(self) -> bool {
        self.is_integer() || self.is_float() || self == ColumnType::of(Scalar::Numeric)
    }

    /// Whether `<` means something.
    pub(crate) fn is_ordered(self) -> bool {
        !self.is_array && self.scalar != Scalar::Json
    }

    /// The value that a row's JSON has; the error says why it has none.
    pub(crate) fn of_json(self, json: &Json) -> Result<Value, String> {
        if *json == Json::Null {
            return Ok(Value::Null);
        }
        if !self.is_array && self.scalar == Scalar::Json {
            return Ok(Value::Json(json.clone()));
        }
        if self.is_array {
            let Json::List(parts) = json else {
                return Err("not a list".to_owned());
            };
            let element = ColumnType::of(self.scalar);
            let parts = parts.iter().map(|part| element.of_json(part));
            return Ok(Value::List(parts.collect::<Result<_, _>>()?));
        }
        let text = json
            .scalar_text()
            .ok_or_else(|| format!("{json:?} is no {:?}", self.scalar))?;
        self.scalar.of_text(&text)
    }

    /// The value of a text, in the spelling that its type has everywhere; arrays as PostgreSQL writes them.
    pub(crate) fn of_text(self, text: &str) -> Result<Value, String> {
        if self.is_array {
            let element = ColumnType::of(self.scalar);
            let parts = super::array_literal::parse(text)?;
            let parts = parts.into_iter().map(|part| match part {
                None => Ok(Value::Null),
                Some(part) => element.of_text(&part),
            });
            return Ok(Value::List(parts.collect::<Result<_, _>>()?));
        }
        self.scalar.of_text(text)
    }
}

impl Scalar {
    /// The value of a text; the error is a message for the client.
    pub(crate) fn of_text(self, text: &str) -> Result<Value, String> {
        let read = match self {
            Scalar::Int2 => text.parse::<i16>().ok().map(|n| Value::Int(n.into())),
            Scalar::Int4 => text.parse::<i32>().ok().map(|n| Value::Int(n.into())),
            Scalar::Int8 => text.parse().ok().map(Value::Int),
            Scalar::Float4 => text
                .parse::<f32>()
                .ok()
                .map(|number| Value::Float(number.into())),
            Scalar::Float8 => text.parse().ok().map(Value::Float),
            // The library also takes underscores between digits.
            Scalar::Numeric if text.contains('_') => None,
            Scalar::Numeric => BigDecimal::from_str(text).ok().map(Value::Decimal),
            Scalar::Bool => match text {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Scalar::Text => Some(Value::Text(text.to_owned())),
            Scalar::Date => date(text).map(Value::Date),
            Scalar::Timestamp => date_time(text).map(Value::Timestamp),
            Scalar::TimestampTz => instant(text).map(Value::Instant),
            Scalar::Uuid => is_uuid(text).then(|| Value::Uuid(text.to_ascii_lowercase())),
            Scalar::Json => return Json::parse(text).map(Value::Json),
        };
        read.ok_or_else(|| format!("'{text}' is no {self:?}"))
    }
}

/// `2024-02-29`
pub(crate) fn date(text: &str) -> Option<civil::Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A date with or without a time; with a zone, what UTC's clocks show then.
pub(crate) fn date_time(text: &str) -> Option<civil::DateTime> {
    match text.parse::<Timestamp>() {
        Ok(instant) => Some(TimeZone::UTC.to_datetime(instant)),
        Err(_) => text.parse().ok(),
    }
}

/// A point in time; without a zone in UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    crate::filters::parse_time(text)
}

/// Five groups of hexadecimal digits (RFC 9562 section 4).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl Value {
    /// How this stands to another value of a comparable type; `None` if the types are not comparable. Numbers as PostgreSQL
    /// compares them: a double with anything else as doubles, NaN above all; the rest exactly. Text bytewise.
    pub(crate) fn compare(&self, other: &Value, fold_case: bool) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (Value::Text(left), Value::Text(right)) if fold_case => {
                Some(left.to_lowercase().cmp(&right.to_lowercase()))
            }
            (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
            (Value::Uuid(left), Value::Uuid(right)) => Some(left.cmp(right)),
            (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
            (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
            (Value::Instant(left), Value::Instant(right)) => Some(left.cmp(right)),
            (Value::Json(left), Value::Json(right)) => (left == right).then_some(Ordering::Equal),
            (Value::List(left), Value::List(right)) => (left == right).then_some(Ordering::Equal),
            _ => self.compare_numbers(other),
        }
    }

    fn compare_numbers(&self, other: &Value) -> Option<Ordering> {
        if let (Value::Int(left), Value::Int(right)) = (self, other) {
            return Some(left.cmp(right));
        }
        if matches!(self, Value::Float(_)) || matches!(other, Value::Float(_)) {
            return Some(compare_floats(self.as_float()?, other.as_float()?));
        }
        Some(self.as_decimal()?.cmp(&other.as_decimal()?))
    }

    /// A number as a double.
    pub(crate) fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            // The nearest double is what PostgreSQL's cast gives too.
            Value::Int(number) => Some(*number as f64),
            Value::Decimal(number) => number.to_f64(),
            _ => None,
        }
    }

    /// A number that has an exact decimal.
    pub(crate) fn as_decimal(&self) -> Option<BigDecimal> {
        match self {
            Value::Int(number) => Some(BigDecimal::from(*number)),
            Value::Decimal(number) => Some(number.clone()),
            _ => None,
        }
    }

    /// What the value is as JSON text.
    pub(crate) fn to_json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) if number.is_finite() => number.to_string(),
            Value::Float(number) => quoted(&number.to_string()),
            Value::Decimal(number) => number.to_plain_string(),
            Value::Text(text) | Value::Uuid(text) => quoted(text),
            Value::Date(date) => quoted(&date.to_string()),
            Value::Timestamp(at) => quoted(&at.to_string()),
            Value::Instant(at) => quoted(&at.to_string()),
            Value::List(parts) => {
                let parts: Vec<String> = parts.iter().map(Value::to_json).collect();
                format!("[{}]", parts.join(","))
            }
            Value::Json(json) => json_text(json),
        }
    }

    /// What the value is as text: as JSON, without quotes.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Text(text) | Value::Uuid(text) => text.clone(),
            other => other.to_json().trim_matches('"').to_owned(),
        }
    }
}

fn json_text(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Json::List(parts) => {
            let parts: Vec<String> = parts.iter().map(json_text).collect();
            format!("[{}]", parts.join(","))
        }
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| {
                let name = serde_json::Value::from(name.as_str());
                format!("{name}:{}", json_text(value))
            };
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
        scalar => scalar.scalar_text().unwrap_or_default(),
    }
}

fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of(name: &str) -> ColumnType {
        ColumnType::try_from(name.to_owned()).unwrap()
    }

    fn order(name: &str, left: &str, right: &str) -> Ordering {
        let value = |text| of(name).of_text(text).unwrap();
        value(left).compare(&value(right), false).unwrap()
    }

    #[test]
    fn values_are_compared_exactly() {
        assert!(order("int8", "9007199254740993", "9007199254740992").is_gt());
        assert!(
            order(
                "numeric",
                "123456789012345678901234567890.1",
                "123456789012345678901234567890.10"
            )
            .is_eq()
        );
        assert!(
            order(
                "numeric",
                "123456789012345678901234567890.11",
                "123456789012345678901234567890.1"
            )
            .is_gt()
        );
        assert!(
            order(
                "timestamp",
                "2024-02-29T12:00:00.000001",
                "2024-02-29T12:00:00"
            )
            .is_gt()
        );
        assert!(
            order(
                "timestamptz",
                "2024-02-29T12:00:00Z",
                "2024-02-29T13:00:00+01:00"
            )
            .is_eq()
        );
        assert!(order("text", "Z", "a").is_lt());
        assert!(order("text", "z", "ß").is_lt());
        assert!(order("float8", "NaN", "inf").is_gt());
        assert!(order("float8", "-0", "0").is_eq());
    }

    #[test]
    fn bad_literals_are_refused() {
        for (name, text) in [
            ("int2", "40000"),
            ("int4", "1.5"),
            ("int8", "9223372036854775808"),
            ("int8", ""),
            ("numeric", "1,5"),
            ("numeric", "1_0"),
            ("numeric", " 1"),
            ("bool", "1"),
            ("date", "2023-02-29"),
            ("timestamp", "yesterday"),
            ("uuid", "00000000-0000-0000-0000-00000000000"),
            ("jsonb", "{a}"),
            ("int4[]", "{1,x}"),
        ] {
            assert!(of(name).of_text(text).is_err(), "{name} {text}");
        }
        assert!(ColumnType::try_from("varchar".to_owned()).is_err());
    }

    #[test]
    fn numbers_are_written_without_an_exponent() {
        let text = |name: &str, text: &str| of(name).of_text(text).unwrap().to_json();
        assert_eq!(text("numeric", "1e30"), format!("1{}", "0".repeat(30)));
        assert_eq!(
            text("numeric", "0.00000000000000000001"),
            "0.00000000000000000001"
        );
        assert_eq!(text("float8", "1e-7"), "0.0000001");
        assert_eq!(text("text", "a\"b"), r#""a\"b""#);
    }
}

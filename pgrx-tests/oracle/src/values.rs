//! Which values do the tables hold and the queries ask for? Those that encoders and APIs get wrong.

use crate::random::Random;

/// What a column holds, as far as generators must tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `int8`
    Int8,
    /// `int4`
    Int4,
    /// `float8`
    Float8,
    /// `numeric`
    Numeric,
    /// `bool`
    Bool,
    /// `text` in the database's collation
    Text,
    /// `text COLLATE "C"`
    TextC,
    /// `uuid`
    Uuid,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    TimestampTz,
    /// `jsonb`
    Jsonb,
    /// `text[]`
    TextArray,
}

impl Kind {
    /// The type's name in SQL.
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Int8 => "int8",
            Kind::Int4 => "int4",
            Kind::Float8 => "float8",
            Kind::Numeric => "numeric",
            Kind::Bool => "bool",
            Kind::Text | Kind::TextC => "text",
            Kind::Uuid => "uuid",
            Kind::Date => "date",
            Kind::Timestamp => "timestamp",
            Kind::TimestampTz => "timestamptz",
            Kind::Jsonb => "jsonb",
            Kind::TextArray => "text[]",
        }
    }

    /// The type as a column definition has it.
    pub fn definition(self) -> &'static str {
        match self {
            Kind::TextC => "text COLLATE \"C\"",
            kind => kind.type_name(),
        }
    }

    /// Whether it is text in any collation.
    pub fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::TextC)
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Int8 | Kind::Int4 | Kind::Float8 | Kind::Numeric)
    }

    /// Whether it is a day or an instant.
    pub fn is_time(self) -> bool {
        matches!(self, Kind::Date | Kind::Timestamp | Kind::TimestampTz)
    }

    /// Whether `min` and `max` exist for it.
    pub fn has_extremes(self) -> bool {
        self.is_text() || self.is_number() || self.is_time()
    }

    /// Whether `sum` and `avg` of it do not depend on the order of the rows.
    pub fn sums_exactly(self) -> bool {
        matches!(self, Kind::Int8 | Kind::Int4 | Kind::Numeric)
    }

    /// The values worth trying: texts that the type's input function reads. No two of them are equal but written otherwise,
    /// so that DISTINCT, `min` and GROUP BY have one answer.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Kind::Int8 => INT8,
            Kind::Int4 => INT4,
            Kind::Float8 => FLOAT8,
            Kind::Numeric => NUMERIC,
            Kind::Bool => &["true", "false"],
            Kind::Text | Kind::TextC => TEXT,
            Kind::Uuid => UUID,
            Kind::Date => DATE,
            Kind::Timestamp => TIMESTAMP,
            Kind::TimestampTz => TIMESTAMPTZ,
            Kind::Jsonb => JSONB,
            Kind::TextArray => TEXT_ARRAY,
        }
    }

    /// A value's JSON, as an API writes it.
    pub fn json(self, value: &str) -> String {
        match self {
            Kind::Int8 | Kind::Int4 | Kind::Float8 | Kind::Numeric | Kind::Bool | Kind::Jsonb => {
                value.to_owned()
            }
            Kind::TextArray => array_json(value),
            _ => serde_json::Value::from(value).to_string(),
        }
    }
}

const INT8: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "10",
    "12",
    "42",
    "100",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775806",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
];
const INT4: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "10",
    "42",
    "100",
    "2147483646",
    "2147483647",
    "-2147483647",
    "-2147483648",
];
const FLOAT8: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "5",
    "0.5",
    "0.1",
    "0.2",
    "0.30000000000000004",
    "2.5",
    "-2.5",
    "1e300",
    "-1e300",
    "1e-300",
    "123456789.125",
    "9007199254740992",
    "1e21",
    "5e-324",
];
const NUMERIC: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "5",
    "0.1",
    "2.5",
    "-2.5",
    "0.30000000000000004",
    "9007199254740993",
    "9223372036854775808",
    "123456789012345678901234567890",
    "123456789012345678901234567891",
    "-123456789012345678901234567890",
    "0.123456789012345678901234567890123",
    "1234567890.12345678901234567891",
];
const TEXT: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "b",
    "B",
    "ab",
    "aB",
    "AB",
    "abc",
    "ß",
    "SS",
    "ss",
    "straße",
    "STRASSE",
    "é",
    "É",
    "日本",
    "😀",
    "%",
    "_",
    "*",
    ",",
    "\"",
    "'",
    "\\",
    "a,b",
    "a\"b",
    "o'x",
    "o''x",
    "a\\b",
    "x%y",
    "x_y",
    "x*y",
    " lead",
    "trail ",
    "two words",
    "5",
    "05",
    "5.0",
    "-1",
    "1e3",
    "true",
    "TRUE",
    "false",
    "null",
    "NULL",
    "2024-02-29",
    "2024-02-29T12:00:00Z",
    "ü&=#",
    "(x)",
    "a:b",
    "a.b",
    "a;b",
    "{}",
    "{x}",
    "[1]",
    "~",
    "a|b",
    "a..b",
    ">5",
    "x\ty",
    "x\ny",
    "--",
    "/*",
    "%41",
    "+",
    "a+b",
    "a/b",
    "..",
    "?",
    "!a",
    "@a",
    "{value}",
    "open",
    "Open",
    "closed",
    "I",
    "i",
    "ı",
    "K",
    "k",
    "^a",
    "a$",
    "[a]",
    "a{2}",
    "{name}",
];
const UUID: &[&str] = &[
    "00000000-0000-0000-0000-000000000000",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3302",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
];
const DATE: &[&str] = &[
    "2024-02-28",
    "2024-02-29",
    "2024-03-01",
    "2000-01-01",
    "1999-12-31",
    "1969-12-31",
    "1970-01-01",
    "2024-12-31",
    "2035-06-15",
    "1900-01-01",
    "9999-12-30",
];
const TIMESTAMP: &[&str] = &[
    "2024-02-29T00:00:00",
    "2024-02-29T12:00:00",
    "2024-02-29T12:00:00.1",
    "2024-02-29T12:00:00.123",
    "2024-02-29T12:00:00.123456",
    "2024-02-29T12:00:00.123457",
    "2024-02-29T23:59:59.999999",
    "2024-03-01T00:00:00",
    "1969-12-31T23:59:59.5",
    "2000-01-01T00:00:00",
    "2035-06-15T06:07:08",
    "2024-03-10T02:30:00",
];
const TIMESTAMPTZ: &[&str] = &[
    "2024-02-29T00:00:00Z",
    "2024-02-29T12:00:00Z",
    "2024-02-29T12:00:00.1Z",
    "2024-02-29T12:00:00.123Z",
    "2024-02-29T12:00:00.123456Z",
    "2024-02-29T12:00:00.123457Z",
    "2024-02-29T23:59:59.999999Z",
    "2024-03-01T00:00:00Z",
    "1969-12-31T23:59:59.5Z",
    "2000-01-01T00:00:00Z",
    "2035-06-15T06:07:08Z",
    "2024-03-10T07:30:00Z",
];
const JSONB: &[&str] = &[
    "{}",
    "[]",
    "{\"k\": 1}",
    "{\"k\": 2, \"l\": \"x\"}",
    "{\"k\": null}",
    "[1, 2]",
    "[\"x\", \"y\"]",
    "\"s\"",
    "5",
    "true",
    "{\"a\": {\"b\": [\"c\"]}}",
    "{\"k\": 1, \"l\": \"x y\"}",
];
const TEXT_ARRAY: &[&str] = &[
    "{}",
    "{x}",
    "{y}",
    "{x,y}",
    "{y,x}",
    "{\"y z\",NULL}",
    "{\"a,b\"}",
    "{\"q\\\"\",\"\\\\\"}",
    "{\"\"}",
    "{NULL}",
    "{x,x}",
];

/// The JSON of an array literal of [`TEXT_ARRAY`]'s form.
fn array_json(literal: &str) -> String {
    let mut elements = Vec::new();
    let mut rest = literal[1..literal.len() - 1].chars().peekable();
    while let Some(first) = rest.next() {
        let mut element = String::new();
        if first == '"' {
            while let Some(next) = rest.next() {
                match next {
                    '"' => break,
                    '\\' => element.extend(rest.next()),
                    other => element.push(other),
                }
            }
            elements.push(serde_json::Value::from(element));
        } else {
            element.push(first);
            while let Some(next) = rest.next_if(|next| *next != ',') {
                element.push(next);
            }
            elements.push(match element.as_str() {
                "NULL" => serde_json::Value::Null,
                text => text.into(),
            });
        }
        rest.next_if_eq(&',');
    }
    serde_json::Value::from(elements).to_string()
}

/// A text as an SQL literal.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A value as a constant of its type. A few kinds have more than one spelling; any of them is drawn.
pub fn constant(random: &mut Random, kind: Kind, value: &str) -> String {
    let is_digits = value.starts_with(|first: char| first.is_ascii_digit());
    if is_digits && kind.is_number() && kind != Kind::Int8 && random.percent(30) {
        return value.to_owned();
    }
    if random.percent(40) && !matches!(kind, Kind::Jsonb | Kind::TextArray) {
        return quote(value);
    }
    format!("{}::{}", quote(value), kind.type_name())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn arrays_become_json() {
        assert_eq!(array_json("{}"), "[]");
        assert_eq!(array_json("{\"y z\",NULL}"), r#"["y z",null]"#);
        assert_eq!(array_json("{\"q\\\"\",\"\\\\\",x}"), r#"["q\"","\\","x"]"#);
        assert_eq!(array_json("{\"\"}"), r#"[""]"#);
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote("o'x"), "'o''x'");
    }
}

//! Names and literals of SQL. This is where injection ends: whatever a server takes for an escape or
//! the end of a text is never sent.

use super::super::literal::{Kind, kind, year_exists};
use crate::model::{Column, Operator};
use crate::predicate::Value;
use crate::request::write;

/// Words of SQL that are no names where they stand bare.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "cross",
    "current",
    "date",
    "default",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "right",
    "sample",
    "select",
    "set",
    "table",
    "then",
    "time",
    "timestamp",
    "to",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// A column's name: bare where it can be, else in double quotes.
///
/// # Errors
/// Where it holds what could end its quotes.
pub(super) fn name(name: &str) -> Result<String, String> {
    let mut characters = name.chars();
    let starts = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let is_word = starts && characters.all(|other| other.is_ascii_alphanumeric() || other == '_');
    if is_word && !RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return Ok(name.to_owned());
    }
    if name.is_empty() {
        return Err("an empty name cannot be sent in SQL".to_owned());
    }
    check(name)?;
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// Text in single quotes.
///
/// # Errors
/// Where some server could take a part of it for an escape or a quote.
pub(super) fn quoted(text: &str) -> Result<String, String> {
    check(text)?;
    Ok(format!("'{}'", text.replace('\'', "''")))
}

fn check(text: &str) -> Result<(), String> {
    match text.chars().find(|character| is_unsafe(*character)) {
        Some('\\') => Err("a backslash is an escape in some servers' SQL".to_owned()),
        Some(other) => Err(format!(
            "the character U+{:04X} is not safe in SQL text",
            u32::from(other)
        )),
        None => Ok(()),
    }
}

/// Backslashes are escapes in ClickHouse and MySQL; servers cut texts at control characters, or their
/// logs; conversions to a small character set make quotes of the modifier letter apostrophe and the
/// full-width apostrophe; the noncharacters are marks of our own.
fn is_unsafe(character: char) -> bool {
    character == '\\'
        || character.is_control()
        || matches!(character, '\u{2bc}' | '\u{ff07}' | '\u{fdd0}'..='\u{fdef}')
}

/// A literal, and whether it is the value itself, not one moved outward.
///
/// # Errors
/// Why the value is not sent.
pub(super) fn literal(
    column: &Column,
    operator: Operator,
    value: &Value,
) -> Result<(String, bool), String> {
    let written = write(column, operator, value)?;
    let kind = kind(column);
    year_exists(kind, &written.text)?;
    let text = match kind {
        Kind::Number | Kind::Truth => written.text,
        Kind::Day | Kind::Instant | Kind::Clock | Kind::Uuid | Kind::Text => quoted(&written.text)?,
    };
    Ok((text, !written.widened))
}

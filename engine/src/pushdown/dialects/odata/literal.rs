//! Names and literals in OData's syntax, so that no value ends where it should not.

use super::super::literal::{Kind, kind, year_exists};
use crate::model::{Column, Operator, Type};
use crate::predicate::Value;
use crate::request::write;

/// Words that are literals or operators where a property's name may stand.
const RESERVED: &[&str] = &["null", "true", "false", "not", "INF", "NaN"];

/// A property's name: `user/login`.
///
/// # Errors
/// Where it is no name that OData can spell (ABNF rule `odataIdentifier`).
pub(super) fn property(path: &[&str]) -> Result<String, String> {
    for name in path {
        let mut characters = name.chars();
        let starts = characters
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_');
        let is_name = starts && characters.all(|other| other.is_alphanumeric() || other == '_');
        if !is_name || RESERVED.contains(name) {
            return Err(format!("\"{name}\" is not a property's name in OData"));
        }
    }
    Ok(path.join("/"))
}

/// Digits that servers keep of a decimal: those of .NET's type.
const DECIMAL_DIGITS: usize = 28;

/// A literal, and whether it is the value itself, not one moved outward.
///
/// # Errors
/// Why the API would not understand the value.
pub(super) fn literal(
    column: &Column,
    operator: Operator,
    value: &Value,
) -> Result<(String, bool), String> {
    let written = write(column, operator, value)?;
    let kind = kind(column);
    year_exists(kind, &written.text)?;
    if column.ty == Type::Numeric && significant_digits(&written.text) > DECIMAL_DIGITS {
        return Err(format!(
            "it has more than the {DECIMAL_DIGITS} digits that the API may keep"
        ));
    }
    let text = match kind {
        Kind::Text => quoted(&written.text),
        _ => written.text,
    };
    Ok((text, !written.widened))
}

/// Text in single quotes (ABNF rule `string`).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn significant_digits(text: &str) -> usize {
    text.chars()
        .filter(char::is_ascii_digit)
        .skip_while(|digit| *digit == '0')
        .count()
}

//! A qualifier's value: what a search would take for syntax is not sent.

use super::super::literal::{Kind, kind};
use crate::model::{Column, Operator};
use crate::predicate::Value;
use crate::request::write;

/// A value, and whether it is the value itself, not one moved outward.
///
/// # Errors
/// Why the API would not understand the value.
pub(super) fn value(
    column: &Column,
    operator: Operator,
    value: &Value,
) -> Result<(String, bool), String> {
    let written = write(column, operator, value)?;
    let text = match kind(column) {
        Kind::Text => text(&written.text)?,
        _ => written.text,
    };
    Ok((text, !written.widened))
}

fn text(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an API may take an empty text for no filter".to_owned());
    }
    if text.chars().any(|c| c.is_control() || "\"\\*".contains(c)) {
        return Err(
            "quotes, backslashes, stars and control characters have no spelling in a search"
                .to_owned(),
        );
    }
    if text.starts_with(['<', '>', '=', '@', '-', ' '])
        || text.ends_with(' ')
        || text.contains("..")
    {
        return Err("the API may take it for a range, a negation or a variable".to_owned());
    }
    if text.eq_ignore_ascii_case("none") {
        return Err("\"none\" may mean that there is no value".to_owned());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/+".contains(c);
    if text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Ok(format!("\"{text}\""))
    }
}

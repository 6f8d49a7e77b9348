//! One comparison as matchers of a label: `l="x"`, `l=~"a|b"`.

use crate::model::{Column, Operator};
use crate::predicate::Value;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::{Part, Pattern};
use crate::request::{placeholder, write};

/// The matchers, separated by commas.
///
/// # Errors
/// Why the API would not understand the value.
pub(super) fn written(column: &Column, label: &str, test: &Test) -> Result<String, String> {
    let operator = test.operator;
    let present = format!("{label}!=\"\"");
    let matcher = match &test.given {
        Given::Nothing if operator == Operator::IsNull => return Ok(format!("{label}=\"\"")),
        Given::Nothing => return Ok(present),
        Given::Placeholder(name) => format!("{label}{}{}", sign(operator), placeholder(name)),
        Given::Value(value) => {
            format!("{label}{}{}", sign(operator), quoted(&of(column, value)?))
        }
        Given::List(values) => {
            let texts = values.iter().map(|value| of(column, value));
            let literals = texts.map(|text| Ok(literally(&text?)));
            let alternatives: Vec<String> = literals.collect::<Result<_, String>>()?;
            format!(
                "{label}{}{}",
                sign(operator),
                quoted(&alternatives.join("|"))
            )
        }
        Given::Pattern(pattern) => {
            format!("{label}{}{}", sign(operator), quoted(&expression(pattern)?))
        }
    };
    let matches_missing = match (&test.given, operator) {
        (_, Operator::Ne | Operator::NotIn | Operator::NotLike) => !column.not_null,
        (Given::Pattern(pattern), _) => pattern.parts().iter().all(|part| *part == Part::Any),
        _ => false,
    };
    Ok(if matches_missing {
        format!("{matcher},{present}")
    } else {
        matcher
    })
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Ne => "!=",
        Operator::In | Operator::Like => "=~",
        Operator::NotIn | Operator::NotLike => "!~",
        _ => "=",
    }
}

/// A label has no empty text: that would match series without the label.
fn of(column: &Column, value: &Value) -> Result<String, String> {
    let text = write(column, Operator::Eq, value)?.text;
    if text.is_empty() {
        return Err("the API takes an empty text for a label that is missing".to_owned());
    }
    Ok(text)
}

/// A string literal of Go (its specification, "Interpreted string literals").
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            control if control.is_control() => {
                literal.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => literal.push(plain),
        }
    }
    literal.push('"');
    literal
}

/// RE2 that matches the text and nothing else, as Go's `regexp.QuoteMeta` writes it.
fn literally(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression
}

/// A pattern as RE2; before Prometheus 3 a bare `.` does not match a line's end.
fn expression(pattern: &Pattern) -> Result<String, String> {
    pattern.spelled("(?s:.*)", "(?s:.)", |literal| Ok(literally(literal)))
}

//! An operator with its value: `gte.1`, `in.("x","y")`, `like.x*`.

use super::super::literal::{kind, year_exists};
use super::quoting::quoted;
use crate::model::{Column, Operator, Type};
use crate::predicate::Value;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::Pattern;
use crate::request::{placeholder, write};

/// The operation, and whether it says precisely the condition. `folds_as_here`: the API's ILIKE
/// folds case as PostgreSQL does here.
///
/// # Errors
/// Why the API would not understand the value.
pub(super) fn written(
    column: &Column,
    test: &Test,
    folds_as_here: bool,
) -> Result<(String, bool), String> {
    let operator = test.operator;
    match &test.given {
        Given::Nothing if operator == Operator::IsNull => Ok(("is.null".to_owned(), true)),
        Given::Nothing => Ok(("not.is.null".to_owned(), true)),
        Given::Placeholder(name) => Ok((awaited(operator, &placeholder(name))?, true)),
        Given::Value(value) if is_containment(operator) => Ok((
            format!("{}.{}", word(operator)?, contained(column, value)?),
            true,
        )),
        Given::Value(value) => single(column, operator, value),
        Given::List(values) => list(column, operator, values),
        Given::Pattern(pattern) => like(operator, pattern, folds_as_here),
    }
}

fn is_containment(operator: Operator) -> bool {
    matches!(operator, Operator::Contains | Operator::NotContains)
}

fn word(operator: Operator) -> Result<&'static str, String> {
    Ok(match operator {
        Operator::Eq => "eq",
        Operator::Ne => "neq",
        Operator::Lt => "lt",
        Operator::Le => "lte",
        Operator::Gt => "gt",
        Operator::Ge => "gte",
        Operator::In => "in",
        Operator::NotIn => "not.in",
        Operator::Like => "like",
        Operator::NotLike => "not.like",
        Operator::ILike => "ilike",
        Operator::NotILike => "not.ilike",
        Operator::Contains => "cs",
        Operator::NotContains => "not.cs",
        _ => return Err(format!("{} has no spelling", operator.sql())),
    })
}

/// With a value that only comes when the query runs.
fn awaited(operator: Operator, name: &str) -> Result<String, String> {
    let word = word(operator)?;
    Ok(match operator {
        Operator::In | Operator::NotIn => format!("{word}.({name})"),
        _ => format!("{word}.{name}"),
    })
}

fn single(column: &Column, operator: Operator, value: &Value) -> Result<(String, bool), String> {
    if let (Value::Bool(truth), Type::Bool) = (value, &column.ty) {
        return Ok((format!("is.{}", *truth == (operator == Operator::Eq)), true));
    }
    let (text, precise) = scalar(column, operator, value)?;
    Ok((format!("{}.{text}", word(operator)?), precise))
}

fn scalar(column: &Column, operator: Operator, value: &Value) -> Result<(String, bool), String> {
    let written = write(column, operator, value)?;
    year_exists(kind(column), &written.text)?;
    Ok((written.text, !written.widened))
}

/// PostgREST takes `in.("")` for an empty list, so a list of one is a comparison.
fn list(column: &Column, operator: Operator, values: &[Value]) -> Result<(String, bool), String> {
    if let [value] = values {
        let operator = match operator {
            Operator::In => Operator::Eq,
            _ => Operator::Ne,
        };
        return single(column, operator, value);
    }
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        let (text, _) = scalar(column, operator, value)?;
        texts.push(if is_bare(column, &text) {
            text
        } else {
            quoted(&text)
        });
    }
    Ok((format!("{}.({})", word(operator)?, texts.join(",")), true))
}

fn is_bare(column: &Column, text: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-+.".contains(character);
    column.ty != Type::Text && !text.is_empty() && text.chars().all(is_plain)
}

/// Whether a column is jsonb there, or an array of elements that are equal there when they are here.
pub(super) fn takes_containment(column: &Column) -> bool {
    let is_as_here = |element: &Type| {
        !matches!(
            element,
            Type::Float4 | Type::Bpchar | Type::Json | Type::Bytes | Type::Other | Type::Array(_)
        )
    };
    match &column.ty {
        Type::Json => true,
        Type::Array(element) => column.format.is_none() && is_as_here(element),
        _ => false,
    }
}

/// What the column holds: a JSON document, or an element of an array.
fn contained(column: &Column, value: &Value) -> Result<String, String> {
    match (&column.ty, value) {
        (Type::Json, Value::Text(json) | Value::Other(json)) => Ok(json.clone()),
        (Type::Array(element), Value::List(values)) => array(column, element, values),
        // `value = ANY (column)`
        (Type::Array(element), value) => array(column, element, std::slice::from_ref(value)),
        _ => Err("the API has no such value, or it is of another type".to_owned()),
    }
}

/// An array in PostgreSQL's text form (section "Array Input and Output Syntax" of its documentation).
fn array(column: &Column, element: &Type, values: &[Value]) -> Result<String, String> {
    let element = Column {
        ty: element.clone(),
        format: None,
        ..column.clone()
    };
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        let (text, _) = scalar(&element, Operator::Eq, value)?;
        let is_number = matches!(
            element.ty,
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric | Type::Bool
        );
        texts.push(if is_number { text } else { quoted(&text) });
    }
    Ok(format!("{{{}}}", texts.join(",")))
}

fn like(
    operator: Operator,
    pattern: &Pattern,
    folds_as_here: bool,
) -> Result<(String, bool), String> {
    let ignores_case = matches!(operator, Operator::ILike | Operator::NotILike);
    let widens = ignores_case && !folds_as_here;
    if widens && operator == Operator::NotILike {
        return Err("the API may fold the case of other letters".to_owned());
    }
    let text = pattern.spelled("*", "_", |literal| {
        if literal.contains('*') {
            return Err("the API would take its * for any text".to_owned());
        }
        Ok(if widens {
            without_folded(literal)
        } else {
            escaped(literal)
        })
    })?;
    Ok((format!("{}.{text}", word(operator)?), !widens))
}

fn escaped(literal: &str) -> String {
    literal
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// Letters whose case depends on the locale stand for any text: all beyond ASCII, and `i` and `k`,
/// which İ (U+0130) and the Kelvin sign (U+212A) become in some locales only.
fn without_folded(literal: &str) -> String {
    let mut text = String::new();
    for character in literal.chars() {
        if character.is_ascii() && !"iIkK".contains(character) {
            text.push_str(&escaped(&character.to_string()));
        } else if !text.ends_with('*') {
            text.push('*');
        }
    }
    text
}

//! One comparison as SQL.

use super::super::literal::{Kind, kind};
use super::super::spelling::{Fragment, Term};
use super::super::ticks::around;
use super::literal::{literal, quoted};
use crate::model::{Column, Operator};
use crate::predicate::Value;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::Pattern;
use crate::request::placeholder;

/// Writes a comparison of the column `name`. `is_exact`: it is declared to be SQL's here.
///
/// # Errors
/// Why the value is not sent.
pub(super) fn written(
    column: &Column,
    name: &str,
    test: &Test,
    is_exact: bool,
) -> Result<Term, String> {
    let operator = test.operator;
    let word = operator.sql();
    let (text, precise) = match &test.given {
        Given::Nothing => (format!("{name} {word}"), true),
        Given::Placeholder(value) => (awaited(name, operator, &placeholder(value)), true),
        Given::Pattern(pattern) => (format!("{name} {word} {}", like(pattern)?), true),
        Given::List(values) => list(column, name, operator, values, is_exact)?,
        Given::Value(value) => single(column, name, operator, value, is_exact)?,
    };
    Ok(Term {
        fragment: Fragment::Text(text),
        precise,
    })
}

/// Whether the API may keep fractions of a microsecond, which are rounded here to either side.
fn rounds(column: &Column, is_exact: bool) -> bool {
    !is_exact && matches!(kind(column), Kind::Instant | Kind::Clock)
}

fn single(
    column: &Column,
    name: &str,
    operator: Operator,
    value: &Value,
    is_exact: bool,
) -> Result<(String, bool), String> {
    let (parts, mut precise) = if rounds(column, is_exact) {
        (around(operator, value), false)
    } else {
        (vec![(operator, value.clone())], true)
    };
    let mut texts = Vec::with_capacity(parts.len());
    for (operator, value) in &parts {
        let (literal, is_precise) = literal(column, *operator, value)?;
        precise &= is_precise;
        texts.push(format!("{name} {} {literal}", operator.sql()));
    }
    Ok(match texts.as_slice() {
        [single] => (single.clone(), precise),
        _ => (format!("({})", texts.join(" AND ")), precise),
    })
}

/// Rows of times between two values of a list are not lost where each is compared by itself.
fn list(
    column: &Column,
    name: &str,
    operator: Operator,
    values: &[Value],
    is_exact: bool,
) -> Result<(String, bool), String> {
    if rounds(column, is_exact) && operator == Operator::In {
        let each = values
            .iter()
            .map(|value| Ok(single(column, name, Operator::Eq, value, false)?.0));
        let each: Vec<String> = each.collect::<Result<_, String>>()?;
        return Ok((format!("({})", each.join(" OR ")), false));
    }
    let literals = values
        .iter()
        .map(|value| Ok(literal(column, operator, value)?.0));
    let literals: Vec<String> = literals.collect::<Result<_, String>>()?;
    let text = format!("{name} {} ({})", operator.sql(), literals.join(","));
    Ok((text, !rounds(column, is_exact)))
}

/// The wildcards are those of PostgreSQL, but no two servers agree on their escape.
fn like(pattern: &Pattern) -> Result<String, String> {
    let text = pattern.spelled("%", "_", |literal| {
        if literal.contains(['%', '_', '\\']) {
            return Err("a literal %, _ or backslash has no spelling in LIKE".to_owned());
        }
        Ok(literal.to_owned())
    })?;
    quoted(&text)
}

/// With a value that only comes when the query runs.
fn awaited(name: &str, operator: Operator, value: &str) -> String {
    match operator {
        Operator::In | Operator::NotIn => format!("{name} {} ({value})", operator.sql()),
        _ => format!("{name} {} {value}", operator.sql()),
    }
}

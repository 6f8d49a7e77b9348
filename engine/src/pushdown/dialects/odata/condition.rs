//! One comparison as OData's expression.

use super::super::literal::{Kind, kind};
use super::super::spelling::{Fragment, Term};
use super::super::ticks::around;
use super::literal::{literal, quoted};
use crate::model::{Column, Operator};
use crate::predicate::Value;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::{Part, Pattern, Shape};
use crate::request::placeholder;

/// Writes a comparison of the property `name`. `is_exact`: it is declared to be SQL's.
///
/// # Errors
/// Why the API would not understand the value.
pub(super) fn written(
    column: &Column,
    name: &str,
    test: &Test,
    is_exact: bool,
) -> Result<Term, String> {
    let comparison = Comparison {
        column,
        name,
        rounds: matches!(kind(column), Kind::Instant | Kind::Clock) && !is_exact,
    };
    let (text, precise) = match &test.given {
        Given::Nothing if test.operator == Operator::IsNull => (format!("{name} eq null"), true),
        Given::Nothing => (format!("{name} ne null"), true),
        Given::Placeholder(value) => comparison.awaited(test.operator, &placeholder(value))?,
        Given::Value(value) => comparison.single(test.operator, value)?,
        Given::List(values) => comparison.list(test.operator, values)?,
        Given::Pattern(pattern) if test.operator == Operator::NotLike => {
            comparison.unlike(pattern)?
        }
        Given::Pattern(pattern) => comparison.like(pattern),
    };
    Ok(Term {
        fragment: Fragment::Text(text),
        precise,
    })
}

struct Comparison<'a> {
    column: &'a Column,
    name: &'a str,
    /// The API may keep fractions of a microsecond, which are rounded here to either side.
    rounds: bool,
}

impl Comparison<'_> {
    fn single(&self, operator: Operator, value: &Value) -> Result<(String, bool), String> {
        let (text, precise) = self.compared(operator, value)?;
        Ok(match operator {
            Operator::Ne => (self.unless_null(text), precise),
            _ => (text, precise),
        })
    }

    fn list(&self, operator: Operator, values: &[Value]) -> Result<(String, bool), String> {
        let (each, word) = match operator {
            Operator::In => (Operator::Eq, " or "),
            _ => (Operator::Ne, " and "),
        };
        let mut precise = true;
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            let (text, is_precise) = self.compared(each, value)?;
            precise &= is_precise;
            texts.push(text);
        }
        let text = match (operator, texts.as_slice()) {
            (Operator::In, [single]) => single.clone(),
            (Operator::In, _) => format!("({})", texts.join(word)),
            (_, [single]) => self.unless_null(single.clone()),
            _ => self.unless_null(format!("({})", texts.join(word))),
        };
        Ok((text, precise))
    }

    /// `ne` and `not` are true for null, unlike SQL's.
    fn unless_null(&self, text: String) -> String {
        if self.column.not_null {
            return text;
        }
        format!("({text} and {} ne null)", self.name)
    }

    fn compared(&self, operator: Operator, value: &Value) -> Result<(String, bool), String> {
        if self.rounds {
            return self.around(operator, value).map(|text| (text, false));
        }
        let (literal, precise) = literal(self.column, operator, value)?;
        Ok((
            format!("{} {} {literal}", self.name, word(operator)?),
            precise,
        ))
    }

    fn around(&self, operator: Operator, value: &Value) -> Result<String, String> {
        let mut texts = Vec::new();
        for (operator, value) in around(operator, value) {
            let (literal, _) = literal(self.column, operator, &value)?;
            texts.push(format!("{} {} {literal}", self.name, word(operator)?));
        }
        Ok(match texts.as_slice() {
            [single] => single.clone(),
            _ => format!("({})", texts.join(" and ")),
        })
    }

    fn like(&self, pattern: &Pattern) -> (String, bool) {
        let name = self.name;
        let call = |function: &str, text: &str| format!("{function}({name},{})", quoted(text));
        match pattern.shape() {
            Shape::Equal(text) => (format!("{name} eq {}", quoted(text)), true),
            Shape::Prefix(text) => (call("startswith", text), true),
            Shape::Suffix(text) => (call("endswith", text), true),
            Shape::Infix(text) => (call("contains", text), true),
            Shape::Everything => (format!("{name} ne null"), true),
            Shape::General => match pattern.parts() {
                [Part::Literal(text), ..] => (call("startswith", text), false),
                parts => match longest(parts) {
                    Some(text) => (call("contains", text), false),
                    None => (format!("{name} ne null"), false),
                },
            },
        }
    }

    fn unlike(&self, pattern: &Pattern) -> Result<(String, bool), String> {
        match (pattern.shape(), self.like(pattern)) {
            (Shape::Equal(text), _) => {
                let text = format!("{} ne {}", self.name, quoted(text));
                Ok((self.unless_null(text), true))
            }
            (Shape::Prefix(_) | Shape::Suffix(_) | Shape::Infix(_), (text, true)) => {
                Ok((self.unless_null(format!("not {text}")), true))
            }
            _ => Err("OData has no function for a pattern of this shape".to_owned()),
        }
    }

    /// With a value that only comes when the query runs.
    fn awaited(&self, operator: Operator, value: &str) -> Result<(String, bool), String> {
        let name = self.name;
        let text = match operator {
            Operator::In => format!("{name} eq {value}"),
            Operator::Ne | Operator::NotIn => self.unless_null(format!("{name} ne {value}")),
            Operator::Like => format!("contains({name},{value})"),
            Operator::NotLike => self.unless_null(format!("not contains({name},{value})")),
            other => format!("{name} {} {value}", word(other)?),
        };
        Ok((text, true))
    }
}

fn longest(parts: &[Part]) -> Option<&str> {
    let literals = parts.iter().filter_map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        Part::Any | Part::One => None,
    });
    literals.max_by_key(|text| text.len())
}

fn word(operator: Operator) -> Result<&'static str, String> {
    Ok(match operator {
        Operator::Eq => "eq",
        Operator::Ne => "ne",
        Operator::Lt => "lt",
        Operator::Le => "le",
        Operator::Gt => "gt",
        Operator::Ge => "ge",
        _ => return Err(format!("{} has no spelling", operator.sql())),
    })
}

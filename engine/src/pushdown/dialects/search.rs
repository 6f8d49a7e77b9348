//! `search`: qualifiers in one text, `q=state:open created:>=2024-01-01 -author:x`, as GitHub reads it.

mod quoting;

#[cfg(test)]
mod tests;

use super::constant::constant;
use super::declared::declared;
use super::offered::{judged, must_declare};
use super::spelling::{Dialect, Fragment, Judged, Parameter, SortSpelling, Term, parameters};
use super::standard::order_and_fields;
use super::template::filled;
use crate::model::{Column, Filter, Operator, ParameterPlace, SortStyle, Table, Type};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::expression::{Given, Test};
use crate::request::placeholder;

pub(super) struct Search;

impl Dialect for Search {
    fn name(&self) -> &'static str {
        "search"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        use Operator::{Eq, Ge, Gt, Le, Lt, Ne, NotIn};
        let filter = declared(column, operator)?;
        match operator {
            Ne | NotIn if column.ty == Type::Text && !filter.exact => Err(must_declare(
                column,
                if operator == Ne { "<>" } else { "not_in" },
                "the API may compare text without regard to case",
            )),
            // Without a declaration, rows without the value are among its answers, too.
            Eq | Ne | NotIn => Ok(judged(column, Some(filter), false)),
            // One that cannot be combined with others of its qualifier is left out.
            Lt | Le | Gt | Ge => Ok(Judged {
                exact: false,
                ..judged(column, Some(filter), false)
            }),
            _ => Err(format!(
                "{} has no spelling in dialect search",
                operator.sql()
            )),
        }
    }

    fn slots(
        &self,
        _table: &Table,
        column: &Column,
        operator: Operator,
    ) -> Vec<(ParameterPlace, String)> {
        let Ok(filter) = declared(column, operator) else {
            return Vec::new();
        };
        let name = name(column, filter);
        let slot = match operator {
            Operator::Eq => format!("{name}:"),
            Operator::Ge | Operator::Gt => format!("{name}:>"),
            Operator::Le | Operator::Lt => format!("{name}:<"),
            _ => return Vec::new(),
        };
        vec![(ParameterPlace::Query, slot)]
    }

    fn sort_spelling(&self, _table: &Table) -> Option<SortSpelling> {
        Some(SortSpelling {
            param: "sort".to_owned(),
            style: SortStyle::OrderParam("order".to_owned()),
        })
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let name = name(column, declared(column, test.operator)?);
        let mut precise = true;
        let mut parts = Vec::new();
        for value in values(&test.given) {
            let text = match value {
                Operand::Value(value) => {
                    let (text, is_precise) = quoting::value(column, test.operator, value)?;
                    precise &= is_precise;
                    text
                }
                Operand::Awaited(name) => placeholder(name),
            };
            parts.push(qualifier(name, test.operator, &text));
        }
        Ok(Term {
            fragment: Fragment::Parameters(parts),
            precise,
        })
    }

    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        Some(filter_param(table))
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let filter = joined(&parameters(terms));
        let name = filter_param(table);
        let text = match (&table.filter_template, constant(table, name)) {
            (Some(template), _) => {
                filled(template, |name| (name == "filter").then(|| filter.clone()))
            }
            (None, Some(own)) => format!("{own} {filter}"),
            (None, None) => filter,
        };
        let mut all = match text.trim() {
            "" => Vec::new(),
            text => vec![Parameter::query(name, text)],
        };
        all.extend(order_and_fields(self, table, query)?);
        Ok(all)
    }
}

fn filter_param(table: &Table) -> &str {
    table.filter_param.as_deref().unwrap_or("q")
}

fn name<'a>(column: &'a Column, filter: &'a Filter) -> &'a str {
    filter.parameter.as_deref().unwrap_or(&column.name)
}

enum Operand<'a> {
    Value(&'a Value),
    Awaited(&'a str),
}

fn values(given: &Given) -> Vec<Operand<'_>> {
    match given {
        Given::Value(value) => vec![Operand::Value(value)],
        Given::List(values) => values.iter().map(Operand::Value).collect(),
        Given::Placeholder(name) => vec![Operand::Awaited(name)],
        Given::Nothing | Given::Pattern(_) => Vec::new(),
    }
}

/// A qualifier: its name, with the sign of a negation, and its value, with that of a range.
fn qualifier(name: &str, operator: Operator, value: &str) -> Parameter {
    match operator {
        Operator::Ne | Operator::NotIn => Parameter::query(format!("-{name}"), value),
        Operator::Eq => Parameter::query(name, value),
        other => Parameter::query(name, format!("{}{value}", other.sql())),
    }
}

/// Qualifiers as one text. A qualifier that is repeated may mean either of its values, so one goes out:
/// a value says more than a range, and two bounds become one range, which includes both.
fn joined(parts: &[Parameter]) -> String {
    let texts = (0..parts.len()).filter_map(|index| alone(parts, index));
    texts.collect::<Vec<String>>().join(" ")
}

/// What a qualifier goes out as, `None` where another one of its name says it.
fn alone(parts: &[Parameter], index: usize) -> Option<String> {
    let part = &parts[index];
    let name = &part.name;
    let whole = format!("{name}:{}", part.value);
    let Some((side, value)) = bound(part) else {
        return Some(whole);
    };
    let mut rivals = parts
        .iter()
        .enumerate()
        .filter(|(other, rival)| *other != index && rival.name == *name);
    match rivals.find(|(_, rival)| bound(rival).is_none_or(|(other, _)| other != side)) {
        None => Some(whole),
        Some((other, rival)) => {
            let (_, opposite) = bound(rival).filter(|_| other > index)?;
            Some(match side {
                Side::Lower => format!("{name}:{value}..{opposite}"),
                Side::Upper => format!("{name}:{opposite}..{value}"),
            })
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Lower,
    Upper,
}

/// The side and the value of a bound; `None` for a value. (No value begins with such a sign.)
fn bound(part: &Parameter) -> Option<(Side, &str)> {
    let side = match part.value.chars().next()? {
        '>' => Side::Lower,
        '<' => Side::Upper,
        _ => return None,
    };
    Some((side, part.value.trim_start_matches(['<', '>', '='])))
}

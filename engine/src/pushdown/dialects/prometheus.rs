//! `prometheus`: matchers inside a selector, `query=up{job="x",code=~"4.."}`.
//!
//! Source: Prometheus' documentation, "Querying basics", section "Time series selectors": matchers are
//! anchored RE2, a label that is missing is the empty text, and a selector needs a matcher that the
//! empty text does not fulfil.

mod matcher;

#[cfg(test)]
mod tests;

use super::constant::constant;
use super::member::path;
use super::offered::{judged, offered};
use super::spelling::{Dialect, Fragment, Judged, Parameter, Term, text};
use super::template::filled;
use crate::model::{Column, Filter, Operator, Table, Type};
use crate::pushdown::RemoteQuery;
use crate::pushdown::expression::Test;

pub(super) struct Prometheus;

/// The parameter of series and label endpoints, whose rows are the labels themselves.
const MATCH: &str = "match[]";

impl Dialect for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn judge(&self, table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        use Operator::{Eq, In, IsNotNull, IsNull, Like, Ne, NotIn, NotLike};
        let declaration = offered(column, operator)?;
        label(table, column, declaration)?;
        if table.filter_template.is_none() && constant(table, parameter(table)).is_some() {
            return Err(format!(
                "the constant parameter \"{}\" has no place for a filter; write it as filter_template with {{filter}}",
                parameter(table)
            ));
        }
        match operator {
            Eq | Ne | In | NotIn | Like | NotLike if column.ty != Type::Text => {
                Err("labels are text, and the API compares them as text".to_owned())
            }
            IsNull if table.filter_template.is_none() => {
                Err("a selector needs a matcher for a label that is there; name the metric in filter_template".to_owned())
            }
            Eq | Ne | In | NotIn | Like | NotLike | IsNull | IsNotNull => {
                Ok(judged(column, declaration, true))
            }
            _ => Err(format!(
                "{} has no spelling in dialect prometheus",
                operator.sql()
            )),
        }
    }

    fn test(&self, table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let declaration = offered(column, test.operator)?;
        let label = label(table, column, declaration)?;
        Ok(Term {
            fragment: Fragment::Text(matcher::written(column, &label, test)?),
            precise: true,
        })
    }

    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        Some(parameter(table))
    }

    fn finish(
        &self,
        table: &Table,
        _query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let matchers: Vec<&str> = terms.iter().copied().filter_map(text).collect();
        let selector = match matchers.as_slice() {
            [] => String::new(),
            matchers => format!("{{{}}}", matchers.join(",")),
        };
        let text = match &table.filter_template {
            Some(template) => filled(template, |name| {
                (name == "filter").then(|| selector.clone())
            }),
            None => selector,
        };
        Ok(match text.as_str() {
            "" => Vec::new(),
            text => vec![Parameter::query(parameter(table), text)],
        })
    }
}

fn parameter(table: &Table) -> &str {
    table.filter_param.as_deref().unwrap_or("query")
}

/// The label of a column: a member of `metric` where rows are samples, of the row where they are series.
fn label(table: &Table, column: &Column, declaration: Option<&Filter>) -> Result<String, String> {
    if let Some(name) = declaration.and_then(|filter| filter.parameter.as_ref()) {
        return Ok(name.clone());
    }
    let name = match path(column)?.as_slice() {
        ["metric", name] => *name,
        [name] if parameter(table) == MATCH => *name,
        _ => return Err(format!("column \"{}\" is not a label", column.name)),
    };
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name.to_owned());
    }
    Err(format!("\"{name}\" is not a label's name"))
}

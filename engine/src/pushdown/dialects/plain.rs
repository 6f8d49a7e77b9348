//! `plain`: one parameter a condition, as the columns declare.

use super::declared::declared;
use super::spelling::{Dialect, Fragment, Judged, Parameter, Term, parameters};
use super::standard::order_and_fields;
use crate::model::{Column, Filter, Operator, ParameterPlace, Table};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::{Part, Pattern, Shape};
use crate::request::{placeholder, write};

pub(super) struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        let filter = filter_for(column, operator)?;
        Ok(Judged {
            exact: filter.exact && filter.operator == operator,
            format: filter.format.clone(),
        })
    }

    fn slot(
        &self,
        _table: &Table,
        column: &Column,
        operator: Operator,
    ) -> Option<(ParameterPlace, String)> {
        let filter = filter_for(column, operator).ok()?;
        Some((ParameterPlace::Query, parameter(column, filter).to_owned()))
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let filter = filter_for(column, test.operator)?;
        let (text, precise) = value(column, filter, test)?;
        let parameter = Parameter::query(parameter(column, filter), text);
        Ok(Term {
            fragment: Fragment::Parameters(vec![parameter]),
            precise,
        })
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let mut sent = parameters(terms);
        sent.extend(order_and_fields(self, table, query)?);
        Ok(sent)
    }
}

/// The declaration that answers `operator`: its own, or for LIKE on text `contains` (a text that a
/// pattern matches holds each of the pattern's literal parts).
fn filter_for(column: &Column, operator: Operator) -> Result<&Filter, String> {
    let own = declared(column, operator);
    match operator {
        Operator::Like if own.is_err() => declared(column, Operator::Contains).or(own),
        _ => own,
    }
}

fn parameter<'a>(column: &'a Column, filter: &'a Filter) -> &'a str {
    filter.parameter.as_deref().unwrap_or(&column.name)
}

/// The parameter's text, and whether it says precisely the condition.
fn value(column: &Column, filter: &Filter, test: &Test) -> Result<(String, bool), String> {
    match &test.given {
        Given::Placeholder(name) => Ok((placeholder(name), true)),
        Given::Nothing => Ok(("true".to_owned(), true)),
        Given::Value(value) => scalar(column, test.operator, value),
        Given::List(values) => list(column, test.operator, values).map(|text| (text, true)),
        Given::Pattern(pattern) if filter.operator == Operator::Contains => held(pattern),
        Given::Pattern(pattern) => whole(pattern).map(|text| (text, true)),
    }
}

fn scalar(column: &Column, operator: Operator, value: &Value) -> Result<(String, bool), String> {
    let written = write(column, operator, value)?;
    not_empty(&written.text)?;
    if written.text.contains(',') && takes_lists(column) {
        return Err(COMMA.to_owned());
    }
    Ok((written.text, !written.widened))
}

fn list(column: &Column, operator: Operator, values: &[Value]) -> Result<String, String> {
    let mut texts: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        let text = write(column, operator, value)?.text;
        not_empty(&text)?;
        if text.contains(',') {
            return Err(COMMA.to_owned());
        }
        texts.push(text);
    }
    Ok(texts.join(","))
}

const COMMA: &str = "the API would take its comma for the end of a list's element";

fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("an API may take an empty text for no filter".to_owned());
    }
    Ok(())
}

fn takes_lists(column: &Column) -> bool {
    column
        .filters
        .iter()
        .any(|filter| matches!(filter.operator, Operator::In | Operator::NotIn))
}

/// The pattern as SQL writes it.
fn whole(pattern: &Pattern) -> Result<String, String> {
    let text = pattern.spelled("%", "_", |literal| {
        Ok(literal
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_"))
    })?;
    not_empty(&text)?;
    Ok(text)
}

/// The longest literal part, and whether holding it is all that the pattern asks for.
fn held(pattern: &Pattern) -> Result<(String, bool), String> {
    if let Shape::Infix(text) = pattern.shape() {
        return Ok((text.to_owned(), true));
    }
    let literals = pattern.parts().iter().filter_map(|part| match part {
        Part::Literal(text) => Some(text),
        Part::Any | Part::One => None,
    });
    let longest = literals.max_by_key(|text| text.len());
    let longest = longest.ok_or("the pattern has no literal part")?;
    Ok((longest.clone(), false))
}

//! What a scan asks for and the operands' values → what each request of the scan sends.

use super::inputs::{Bound, Inputs, Operand};
use super::percent::placeholder;
use super::write::{is_in_range, write};
use crate::model::options::unsendable_header_value;
use crate::model::{Column, Operator, ParameterPlace, Role, Table, Type};
use crate::predicate::Value;
use crate::pushdown::{
    self, Alternative, Condition, Expression, Leaf, Outcome, Parameter, RemoteQuery, Segments,
    Sent, alternatives, entity_segments, instantiate, is_bare, is_contradiction,
};
use crate::{Error, Result};
use std::collections::HashSet;

/// Evaluates a query's conditions over run-time values.
///
/// A NULL operand, or a list without a value that is not NULL, means no rows and no request. Lists
/// lose duplicates (the caller has removed values that only SQL calls equal). Several lists that are
/// split make a request for each combination.
///
/// # Errors
/// [`Error::MissingParameters`] where a required parameter column has no value (rule R8);
/// [`Error::Unsendable`] where a parameter column's value cannot go to its place, or the dialect cannot
/// write the query.
pub fn bind(table: &Table, query: &RemoteQuery, operands: &[Operand]) -> Result<Bound> {
    check_required(table, &query.sent)?;
    let mut bound = Bound::default();
    let Some((mut parts, conditions)) = evaluated(table, query, operands, &mut bound)? else {
        return Ok(Bound::default());
    };
    let expressions: Vec<&Expression> = conditions
        .iter()
        .map(|(_, expression)| expression)
        .collect();
    if is_contradiction(table, &expressions) {
        return Ok(Bound::default());
    }
    if let Some(Segments { values, answered }) =
        entity_segments(table, &expressions).filter(|_| query.aggregate.is_none())
    {
        let places = conditions.iter().enumerate();
        bound.widened = places
            .filter(|(place, _)| !answered.contains(place))
            .map(|(_, (index, _))| *index)
            .collect();
        return of_entity(table, query, &parts, values, bound);
    }
    for (index, expression) in &conditions {
        match alternatives(table, expression) {
            Err(_) => bound.unsent.push(*index),
            // Values can leave one list of an OR; its rows would come in no order.
            Ok(found) if found.list.len() > 1 && !query.order.is_empty() => {
                bound.unsent.push(*index);
            }
            Ok(found) => {
                if !found.precise {
                    bound.widened.push(*index);
                }
                parts.push(found.list.into_iter().map(Share::Term).collect());
            }
        }
    }
    bound.requests = combined(table, query, &parts)?;
    Ok(bound)
}

/// A request for each combination of what the conditions add.
fn combined(table: &Table, query: &RemoteQuery, parts: &[Vec<Share>]) -> Result<Vec<Inputs>> {
    let defaults = defaults(table, &query.sent);
    let requests = combinations(parts);
    if requests.len() > 1 && !query.order.is_empty() {
        // Rows of several requests come in no order: the planner must not have promised one.
        let message = "a scan that is ordered by the API became several requests";
        return Err(Error::System(message.to_owned()));
    }
    requests
        .iter()
        .map(|shares| inputs(table, query, shares, &defaults))
        .collect()
}

/// What each parameter column adds, and the conditions that are left to write, by their places in the query.
type Evaluated = (Vec<Vec<Share>>, Vec<(usize, Expression)>);

/// Puts the values into the conditions; `None` where they leave no rows. What cannot take them is noted as unsent.
fn evaluated(
    table: &Table,
    query: &RemoteQuery,
    operands: &[Operand],
    bound: &mut Bound,
) -> Result<Option<Evaluated>> {
    let mut parts: Vec<Vec<Share>> = Vec::new();
    let mut conditions = Vec::new();
    for (index, sent) in query.sent.iter().enumerate() {
        if let Some((leaf, place)) = parameter_column(table, sent) {
            let shares = of_parameter_column(table, leaf, place, operands)?;
            if shares.is_empty() {
                return Ok(None);
            }
            parts.push(shares);
            continue;
        }
        let nullable = |column: usize| !table.columns[column].not_null;
        match instantiate(&sent.condition, operands, &nullable) {
            Err(_) => bound.unsent.push(index),
            Ok(Outcome::Never) => return Ok(None),
            Ok(Outcome::Always) => {}
            Ok(Outcome::Depends(expression)) => conditions.push((index, expression)),
        }
    }
    Ok(Some((parts, conditions)))
}

/// Asks the endpoint of a single row. It knows no filters: what else must be true is checked here.
fn of_entity(
    table: &Table,
    query: &RemoteQuery,
    parts: &[Vec<Share>],
    segments: Vec<(String, String)>,
    bound: Bound,
) -> Result<Bound> {
    let fields = RemoteQuery {
        fields: query.fields.clone(),
        ..RemoteQuery::default()
    };
    let defaults = defaults(table, &query.sent);
    let mut requests = Vec::new();
    for shares in combinations(parts) {
        let mut inputs = inputs(table, &fields, &shares, &defaults)?;
        inputs.path.extend(segments.iter().cloned());
        requests.push(inputs);
    }
    Ok(Bound {
        requests,
        entity: true,
        ..bound
    })
}

/// What a condition adds to one request.
enum Share {
    /// What the dialect made of a condition.
    Term(Alternative),
    /// A parameter column's value.
    Input {
        parameter: Parameter,
        column: Option<(usize, Value)>,
    },
}

fn combinations(parts: &[Vec<Share>]) -> Vec<Vec<&Share>> {
    parts.iter().fold(vec![Vec::new()], |requests, part| {
        let with = |request: &Vec<_>, share| {
            let mut request: Vec<&Share> = request.clone();
            request.push(share);
            request
        };
        requests
            .iter()
            .flat_map(|request| part.iter().map(move |share| with(request, share)))
            .collect()
    })
}

fn inputs(
    table: &Table,
    query: &RemoteQuery,
    shares: &[&Share],
    defaults: &[(Parameter, (usize, Value))],
) -> Result<Inputs> {
    let mut inputs = Inputs::default();
    let mut terms = Vec::new();
    for share in shares {
        match share {
            Share::Term(alternative) => {
                terms.push(&alternative.fragment);
                inputs.columns.extend(alternative.column.clone());
            }
            Share::Input { parameter, column } => {
                inputs.set(parameter);
                inputs.columns.extend(column.clone());
            }
        }
    }
    let parameters =
        pushdown::finish(table, query, &terms).map_err(|reason| Error::Unsendable {
            column: table.name.clone(),
            reason,
        })?;
    for mut parameter in parameters {
        if table.body.is_some() && parameter.place == ParameterPlace::Query {
            parameter.place = ParameterPlace::Body;
        }
        inputs.set(&parameter);
    }
    for (parameter, column) in defaults {
        inputs.set(parameter);
        inputs.columns.push(column.clone());
    }
    Ok(inputs)
}

fn check_required(table: &Table, sent: &[Sent]) -> Result<()> {
    let missing = pushdown::missing(table, sent);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing
        .into_iter()
        .map(|index| table.columns[index].name.clone());
    Err(Error::MissingParameters(names.collect()))
}

/// The comparison with a parameter column that a condition is, and where its value goes.
fn parameter_column<'a>(
    table: &'a Table,
    sent: &'a Sent,
) -> Option<(&'a Leaf, (&'a str, ParameterPlace))> {
    match &sent.condition {
        Condition::Test(leaf) => match &table.columns[leaf.column].role {
            Role::Parameter { name, place, .. } => Some((leaf, (name, *place))),
            Role::Field(_) => None,
        },
        Condition::Known(_) | Condition::All(_) | Condition::Any(_) => None,
    }
}

/// A parameter column's values: one request for each. NULL is equal to nothing.
fn of_parameter_column(
    table: &Table,
    leaf: &Leaf,
    (name, place): (&str, ParameterPlace),
    operands: &[Operand],
) -> Result<Vec<Share>> {
    let column = &table.columns[leaf.column];
    let is_json = is_bare(column);
    let share = |value: String, column: Option<(usize, Value)>| Share::Input {
        parameter: Parameter {
            place,
            name: name.to_owned(),
            value,
            is_json,
        },
        column,
    };
    let mut shares = Vec::new();
    let mut seen = HashSet::new();
    for index in &leaf.operands {
        let operand = operands
            .get(*index)
            .ok_or_else(|| Error::System(format!("operand {index} of the scan is missing")))?;
        let values = match operand {
            Operand::Placeholder(text) => {
                shares.push(share(placeholder(text), None));
                continue;
            }
            Operand::Value(Value::List(elements)) => elements.as_slice(),
            Operand::Value(single) => std::slice::from_ref(single),
        };
        let could_be = |value: &&Value| **value != Value::Null && is_in_range(&column.ty, value);
        for value in values.iter().filter(could_be) {
            let text = write(column, Operator::Eq, value)
                .map_err(|reason| unsendable(column, reason))?
                .text;
            fits_place(column, place, &text)?;
            if seen.insert(text.clone()) {
                shares.push(share(text, Some((leaf.column, value.clone()))));
            }
        }
    }
    Ok(shares)
}

fn fits_place(column: &Column, place: ParameterPlace, text: &str) -> Result<()> {
    let reason = match place {
        ParameterPlace::Path if ["", ".", ".."].contains(&text) => Some(format!(
            "\"{text}\" would change the path instead of being a part of it"
        )),
        ParameterPlace::Header => unsendable_header_value(text).map(str::to_owned),
        ParameterPlace::Query | ParameterPlace::Path | ParameterPlace::Body => None,
    };
    match reason {
        Some(reason) => Err(unsendable(column, reason)),
        None => Ok(()),
    }
}

fn unsendable(column: &Column, reason: impl Into<String>) -> Error {
    Error::Unsendable {
        column: column.name.clone(),
        reason: reason.into(),
    }
}

/// What parameter columns send that the query gives no value.
fn defaults(table: &Table, sent: &[Sent]) -> Vec<(Parameter, (usize, Value))> {
    let is_given = |index: usize| {
        sent.iter()
            .any(|sent| matches!(&sent.condition, Condition::Test(leaf) if leaf.column == index))
    };
    let default = |(index, column): (usize, &Column)| match &column.role {
        Role::Parameter {
            name,
            place,
            default: Some(text),
            ..
        } if !is_given(index) => {
            let parameter = Parameter {
                place: *place,
                name: name.clone(),
                value: text.clone(),
                is_json: is_bare(column),
            };
            Some((parameter, (index, default_value(&column.ty, text))))
        }
        _ => None,
    };
    table
        .columns
        .iter()
        .enumerate()
        .filter_map(default)
        .collect()
}

/// A default is text; what has no other variant is left to the type's own input function.
fn default_value(ty: &Type, text: &str) -> Value {
    match ty {
        Type::Text => Value::Text(text.to_owned()),
        Type::Int2 | Type::Int4 | Type::Int8 => text
            .parse()
            .map_or_else(|_| Value::Other(text.to_owned()), Value::Int),
        Type::Bool => text
            .parse()
            .map_or_else(|_| Value::Other(text.to_owned()), Value::Bool),
        _ => Value::Other(text.to_owned()),
    }
}

//! Bindings and the operands' values → what each request of the scan sends.

use super::inputs::{Bound, Inputs, Operand};
use super::write::write;
use crate::model::options::unsendable_header_value;
use crate::model::{Column, Operator, ParameterPlace, Role, Table, Type};
use crate::predicate::Value;
use crate::pushdown::{self, Binding, Spelling};
use crate::{Error, Result};
use std::borrow::Cow;

/// Evaluates bindings over run-time values.
///
/// A NULL operand, or a list without a value that is not NULL, means no rows and no request. Lists
/// lose duplicates (the caller has removed values that only SQL calls equal). Several lists that are
/// split make a request for each combination.
///
/// # Errors
/// [`Error::MissingParameters`] where a required parameter column has no value (rule R8);
/// [`Error::Unsendable`] where a parameter column's value cannot go to its place.
pub fn bind(table: &Table, bindings: &[Binding], operands: &[Operand]) -> Result<Bound> {
    check_required(table, bindings)?;
    let operands = bindings
        .iter()
        .map(|binding| operand_of(binding, operands))
        .collect::<Result<Vec<_>>>()?;
    if operands.iter().any(|operand| has_no_match(operand)) {
        return Ok(Bound::default());
    }
    let mut bound = Bound {
        requests: vec![Inputs::default()],
        ..Bound::default()
    };
    for (index, (binding, operand)) in bindings.iter().zip(operands).enumerate() {
        let column = &*as_sent(&table.columns[binding.column], binding);
        match written(column, binding, operand)? {
            Sent::Placeholder(text) => bound.requests.iter_mut().for_each(|inputs| {
                inputs
                    .placeholders
                    .push((binding.place, binding.parameter.clone()));
                inputs.set(binding.place, &binding.parameter, text.clone());
            }),
            Sent::Values(values) => {
                let variants: Vec<_> = values
                    .into_iter()
                    .map(|item| variant(column, binding, item))
                    .collect();
                if variants.iter().any(|variant| variant.widened) {
                    bound.widened.push(index);
                }
                bound.requests = combinations(&bound.requests, binding, &variants);
            }
            Sent::Nothing => bound.unsent.push(index),
        }
    }
    add_defaults(table, bindings, &mut bound.requests);
    Ok(bound)
}

/// The column with the format that the binding's parameter wants.
fn as_sent<'a>(column: &'a Column, binding: &Binding) -> Cow<'a, Column> {
    match &binding.format {
        None => Cow::Borrowed(column),
        Some(_) => Cow::Owned(Column {
            format: binding.format.clone(),
            ..column.clone()
        }),
    }
}

/// What one binding puts into the requests.
enum Sent {
    Placeholder(String),
    /// One for each request: the text, whether it was widened, and the value where there is one.
    Values(Vec<(String, bool, Option<Value>)>),
    /// A value that the API would not understand.
    Nothing,
}

/// One request's share of a binding.
struct Variant {
    text: String,
    widened: bool,
    column: Option<(usize, Value)>,
}

fn variant(
    column: &Column,
    binding: &Binding,
    (text, widened, value): (String, bool, Option<Value>),
) -> Variant {
    let is_fixed = column.is_input() || binding.spelling == Spelling::PerValue;
    Variant {
        text,
        widened,
        column: value
            .filter(|_| is_fixed)
            .map(|value| (binding.column, value)),
    }
}

fn combinations(requests: &[Inputs], binding: &Binding, variants: &[Variant]) -> Vec<Inputs> {
    let with = |inputs: &Inputs, variant: &Variant| {
        let mut inputs = inputs.clone();
        inputs.set(binding.place, &binding.parameter, variant.text.clone());
        inputs.columns.extend(variant.column.clone());
        inputs
    };
    requests
        .iter()
        .flat_map(|inputs| variants.iter().map(move |variant| with(inputs, variant)))
        .collect()
}

fn check_required(table: &Table, bindings: &[Binding]) -> Result<()> {
    let missing = pushdown::missing(table, bindings);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing
        .into_iter()
        .map(|index| table.columns[index].name.clone());
    Err(Error::MissingParameters(names.collect()))
}

fn operand_of<'a>(binding: &Binding, operands: &'a [Operand]) -> Result<&'a Operand> {
    let mismatch = || {
        Error::System(format!(
            "operand {} of the scan is missing",
            binding.operand
        ))
    };
    operands.get(binding.operand).ok_or_else(mismatch)
}

/// NULL is equal to nothing, and so is every element of a list without elements.
fn has_no_match(operand: &Operand) -> bool {
    match operand {
        Operand::Value(Value::Null) => true,
        Operand::Value(Value::List(elements)) => {
            elements.iter().all(|element| *element == Value::Null)
        }
        Operand::Value(_) | Operand::Placeholder(_) => false,
    }
}

/// Whether the API would understand a value that is known before the query runs (rule R4); else why
/// not, in a user's words. NULL, and the values of parameter columns, are decided by [`bind`].
pub fn encodable(
    table: &Table,
    binding: &Binding,
    value: &Value,
) -> std::result::Result<(), String> {
    let column = as_sent(&table.columns[binding.column], binding);
    if column.is_input() || *value == Value::Null {
        return Ok(());
    }
    texts(&column, binding, value).map(|_| ())
}

fn texts(
    column: &Column,
    binding: &Binding,
    value: &Value,
) -> std::result::Result<Vec<Item>, String> {
    match binding.spelling {
        Spelling::Single => single(column, binding, value).map(|item| vec![item]),
        Spelling::CommaList => comma_list(column, value).map(|text| vec![(text, false, None)]),
        Spelling::PerValue => per_value(column, binding, value),
    }
}

fn written(column: &Column, binding: &Binding, operand: &Operand) -> Result<Sent> {
    let value = match operand {
        Operand::Placeholder(text) => return Ok(Sent::Placeholder(text.clone())),
        Operand::Value(value) => value,
    };
    match (texts(column, binding, value), &column.role) {
        (Ok(values), _) => {
            values
                .iter()
                .try_for_each(|(text, ..)| fits_place(column, binding.place, text))?;
            Ok(Sent::Values(values))
        }
        (Err(reason), Role::Parameter { .. }) => Err(unsendable(column, reason)),
        (Err(_), Role::Field(_)) => Ok(Sent::Nothing),
    }
}

type Item = (String, bool, Option<Value>);

fn single(column: &Column, binding: &Binding, value: &Value) -> std::result::Result<Item, String> {
    let written = write(column, binding.operator, value)?;
    Ok((written.text, written.widened, Some(value.clone())))
}

/// Every element that is not NULL, once.
fn distinct(column: &Column, value: &Value) -> std::result::Result<Vec<Item>, String> {
    let elements = match value {
        Value::List(elements) => elements.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut seen = std::collections::HashSet::new();
    let mut items = Vec::new();
    for element in elements.iter().filter(|element| **element != Value::Null) {
        let written = write(column, Operator::In, element)?;
        if seen.insert(written.text.clone()) {
            items.push((written.text, written.widened, Some(element.clone())));
        }
    }
    Ok(items)
}

fn per_value(
    column: &Column,
    binding: &Binding,
    value: &Value,
) -> std::result::Result<Vec<Item>, String> {
    match value {
        Value::List(_) => distinct(column, value),
        single_value => single(column, binding, single_value).map(|item| vec![item]),
    }
}

fn comma_list(column: &Column, value: &Value) -> std::result::Result<String, String> {
    let texts: Vec<String> = distinct(column, value)?
        .into_iter()
        .map(|(text, ..)| text)
        .collect();
    if texts.iter().any(|text| text.contains(',')) {
        return Err("the API would take its comma for the end of a list's element".to_owned());
    }
    Ok(texts.join(","))
}

fn fits_place(column: &Column, place: ParameterPlace, text: &str) -> Result<()> {
    let reason = match place {
        ParameterPlace::Path if ["", ".", ".."].contains(&text) => Some(format!(
            "\"{text}\" would change the path instead of being a part of it"
        )),
        ParameterPlace::Header => unsendable_header_value(text).map(str::to_owned),
        ParameterPlace::Query | ParameterPlace::Path => None,
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

fn add_defaults(table: &Table, bindings: &[Binding], requests: &mut [Inputs]) {
    for (index, column) in table.columns.iter().enumerate() {
        let Role::Parameter {
            name,
            place,
            default: Some(text),
            ..
        } = &column.role
        else {
            continue;
        };
        if bindings.iter().any(|binding| binding.column == index) {
            continue;
        }
        for inputs in requests.iter_mut() {
            inputs.set(*place, name, text.clone());
            inputs
                .columns
                .push((index, default_value(&column.ty, text)));
        }
    }
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

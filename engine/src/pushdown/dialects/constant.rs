//! Constant parameters that a filter's text must be joined with instead of replacing them.

use super::spelling::Parameter;
use crate::model::Table;

/// The value of a constant query parameter: the table's, else its server's.
pub(super) fn constant<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    let mut all = table.query.iter().chain(&table.source.query);
    let (_, value) = all.find(|(other, _)| other == name)?;
    Some(value)
}

/// `Ok` where no constant parameter has one of these names.
///
/// # Errors
/// The reason, in a user's words, why an aggregate is not asked for.
pub(super) fn refuse(table: &Table, names: &[&str]) -> Result<(), String> {
    match names.iter().find(|name| constant(table, name).is_some()) {
        None => Ok(()),
        Some(name) => Err(format!("the constant parameter \"{name}\" is about rows")),
    }
}

/// Puts constants before parameters of the same name, which would replace them: where repeated
/// parameters all hold, the table's own condition must still be one of them.
pub(super) fn with_constants(table: &Table, parameters: Vec<Parameter>) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let is_first = all.iter().all(|other| other.name != parameter.name);
        if let (true, Some(value)) = (is_first, constant(table, &parameter.name)) {
            all.push(Parameter::query(parameter.name.clone(), value));
        }
        all.push(parameter);
    }
    all
}

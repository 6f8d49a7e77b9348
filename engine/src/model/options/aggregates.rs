//! What the table says of counts and other aggregates.

use super::endpoint::Endpoint;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{path, quantity};
use crate::model::{Aggregates, FieldPath, Function, Table};

/// `count, min, max`: each once.
pub(super) fn functions(option: &str, value: &str) -> Result<Vec<Function>, OptionError> {
    let mut all = Vec::new();
    for name in value.split(',').map(str::trim) {
        let function = Function::named(&name.to_ascii_lowercase()).ok_or_else(|| {
            let reason = format!("\"{name}\" is not an aggregate");
            OptionError::invalid(option, reason)
                .with_hint("Valid values are count, min, max, sum and avg, with commas between.")
        })?;
        if all.contains(&function) {
            let reason = format!("\"{name}\" stands in it twice");
            return Err(OptionError::invalid(option, reason));
        }
        all.push(function);
    }
    Ok(all)
}

/// Where a count is in its response: a member, or `$` for the whole of it.
pub(super) fn count_field(option: &str, value: &str) -> Result<FieldPath, OptionError> {
    match path::field(option, value)? {
        FieldPath::Key => Err(OptionError::invalid(option, "a count has no key")),
        field => Ok(field),
    }
}

/// What a table's own options must agree on when they are written.
pub(super) fn agree(own: &Given) -> Result<(), OptionError> {
    match (own.text("count_endpoint"), own.text("count_field")) {
        (Some(count), _) => {
            let rows = Endpoint::parse("endpoint", own.text("endpoint").unwrap_or_default())?;
            same_variables(&rows, &Endpoint::parse("count_endpoint", count)?)
        }
        (None, Some(_)) => {
            let message = "option \"count_field\" has no effect without option \"count_endpoint\"";
            Err(OptionError::conflict(message).with_hint(
                "For the total of an ordinary response set total_field and exact_total.",
            ))
        }
        (None, None) => Ok(()),
    }
}

/// Reads a table's: its path, and what `given` holds.
pub(super) fn aggregates(own: &Given, given: &Given) -> Result<Aggregates, OptionError> {
    Ok(Aggregates {
        count_endpoint: own.text("count_endpoint").map(str::to_owned),
        count_field: given.read("count_field", count_field)?,
        exact_total: given
            .read("exact_total", quantity::boolean)?
            .unwrap_or(false),
        functions: given.read("aggregates", functions)?.unwrap_or_default(),
    })
}

/// A count must be told which rows it is of as the rows' endpoint is.
fn same_variables(rows: &Endpoint, count: &Endpoint) -> Result<(), OptionError> {
    let lacks = |one: &Endpoint, other: &Endpoint| {
        let mut names = one.variables().map(str::to_owned);
        names.find(|name| other.variables().all(|variable| variable != name))
    };
    let message = match (lacks(rows, count), lacks(count, rows)) {
        (Some(name), _) => {
            format!("option \"count_endpoint\" lacks {{{name}}}, which \"endpoint\" has")
        }
        (None, Some(name)) => {
            format!("option \"count_endpoint\" has {{{name}}}, which \"endpoint\" lacks")
        }
        (None, None) => return Ok(()),
    };
    Err(OptionError::conflict(message).with_hint("Both must have the same names in braces."))
}

/// What the table itself declares must be able to work.
pub(super) fn have_effect(table: &Table, own: &Given) -> Result<(), OptionError> {
    if own.text("aggregates").is_some() && !table.dialect.spells_aggregates() {
        let message = format!(
            "option \"aggregates\" has no effect in dialect {}",
            table.dialect_name()
        );
        return Err(OptionError::conflict(message).with_hint(
            "The dialects odata, postgrest, sql, json and json elasticsearch have aggregates; for counts set count_endpoint or exact_total.",
        ));
    }
    let has_place = table.total_field.is_some()
        || table.total_header.is_some()
        || table.dialect.spells_totals();
    if table.aggregates.exact_total && own.text("exact_total").is_some() && !has_place {
        let message = "option \"exact_total\" needs option \"total_field\" or \"total_header\"";
        return Err(OptionError::new(OptionErrorKind::Missing, message));
    }
    Ok(())
}

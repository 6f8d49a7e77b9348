//! The option `filter_template`: whether it has a place for what its dialect puts into it.

use super::error::OptionError;
use super::given::Given;
use crate::model::{Dialect, Paging, Table};

/// What shows only when a template is seen with its table's dialect and paging. A template of the
/// server, as a default, may be one that the table's dialect does not look at.
pub(super) fn agrees(table: &Table, own: &Given) -> Result<(), OptionError> {
    let Some(template) = &table.filter_template else {
        return Ok(());
    };
    match table.dialect {
        Dialect::Sql => statement(template, table),
        Dialect::Search | Dialect::Prometheus => filter(template),
        Dialect::Json(_) => document(template),
        _ if own.text("filter_template").is_some() => {
            let message = "option \"filter_template\" has no effect in this dialect";
            Err(OptionError::conflict(message)
                .with_hint("The dialects sql, json, search and prometheus have one."))
        }
        _ => Ok(()),
    }
}

/// With a filter in it, it is JSON. A filter has quotes, so that it cannot stand within a text.
fn document(template: &str) -> Result<(), OptionError> {
    let filled = template.replace("{filter}", r#"{"member": "value"}"#);
    match serde_json::from_str::<serde_json::Value>(&filled) {
        Ok(_) if filled != template => Ok(()),
        _ => Err(OptionError::conflict(
            "option \"filter_template\" makes no JSON document in dialect 'json'",
        )
        .with_hint("For example: '{\"query\": {filter}}'.")),
    }
}

fn filter(template: &str) -> Result<(), OptionError> {
    if template.contains("{filter}") {
        return Ok(());
    }
    let message = "option \"filter_template\" has no {filter} in it";
    Err(OptionError::conflict(message).with_hint("Write {filter} where the filter goes."))
}

fn statement(template: &str, table: &Table) -> Result<(), OptionError> {
    let fits = match table.paging {
        Paging::Offset { .. } => table.page_size.is_some() && table.keep_params,
        Paging::Page { .. }
        | Paging::Cursor { .. }
        | Paging::Keyset { .. }
        | Paging::AfterKey { .. } => false,
        // There {limit} is nothing: all rows come, or the response says how to get more.
        Paging::None | Paging::Auto | Paging::Link | Paging::NextUrl { .. } => true,
    };
    if template.contains("{limit}") && !fits {
        let message = "{limit} in option \"filter_template\" needs pagination 'offset', a page_size and keep_params 'on'";
        return Err(
            OptionError::conflict(message).with_hint("Without them every page would be the same.")
        );
    }
    Ok(())
}

//! The options `entity_endpoint` and `entity_field`: whether the endpoint names the table's key.

use super::endpoint::Endpoint;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use crate::model::{ParameterPlace, Role, Table};
use crate::pushdown::can_name_entity;

/// What shows only when the endpoint is seen with the table's columns.
pub(super) fn agrees(table: &Table, own: &Given) -> Result<(), OptionError> {
    let Some(endpoint) = &table.entity_endpoint else {
        return match own.text("entity_field") {
            None => Ok(()),
            Some(_) => Err(OptionError::conflict(
                "option \"entity_field\" has no effect without option \"entity_endpoint\"",
            )),
        };
    };
    let endpoint = Endpoint::parse("entity_endpoint", endpoint)?;
    let names: Vec<&str> = endpoint.variables().collect();
    if table.key.is_empty() {
        let message = "option \"entity_endpoint\" needs option \"key\"";
        return Err(OptionError::new(OptionErrorKind::Missing, message)
            .with_hint("Name the columns that identify a row, for example key 'id'."));
    }
    for index in &table.key {
        let column = &table.columns[*index];
        let is_named = column.is_input() || names.contains(&column.name.as_str());
        if !is_named || !can_name_entity(&column.role) {
            let message = format!(
                "option \"entity_endpoint\" does not name column \"{}\" of the key",
                column.name
            );
            return Err(OptionError::conflict(message)
                .with_hint(format!("Write {{{}}} where its value goes.", column.name)));
        }
    }
    names.iter().try_for_each(|name| is_known(table, name))
}

fn is_known(table: &Table, name: &str) -> Result<(), OptionError> {
    let is_key = |index: &usize| table.columns[*index].name == name;
    let is_parameter = table.columns.iter().any(|column| {
        matches!(&column.role, Role::Parameter { name: own, place: ParameterPlace::Path, .. } if own == name)
    });
    if is_parameter || table.key.iter().any(is_key) {
        return Ok(());
    }
    let message = format!(
        "option \"entity_endpoint\" names {{{name}}}, which is neither in the key nor in the endpoint"
    );
    Err(OptionError::conflict(message))
}

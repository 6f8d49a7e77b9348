//! A table's columns: members of the response, or inputs of the request.

use super::definition::{ColumnDefinition, Definition};
use super::endpoint::Endpoint;
use super::error::{OptionError, OptionErrorKind};
use super::filter::{NO_FILTER, filters};
use super::format::{fitting, value_format};
use super::given::Given;
use super::secrets::names_a_credential;
use super::{header, ordering, paging, path, quantity};
use crate::model::{
    Column, FieldPath, Filter, OnError, Operator, ParameterPlace, Role, RowsShape, TextCollation,
    Type, ValueFormat,
};

/// Reads all columns; every `{name}` of the endpoint becomes one of them.
pub(super) fn columns(
    definition: &Definition,
    endpoint: &Endpoint,
    shape: &RowsShape,
) -> Result<Vec<Column>, OptionError> {
    let in_table = |error: OptionError, column: &ColumnDefinition| {
        error.in_column(&column.name, definition.table_name)
    };
    let mut columns = Vec::with_capacity(definition.columns.len());
    for column in definition.columns {
        let role =
            role(column, definition.columns, endpoint).map_err(|error| in_table(error, column))?;
        let read = read(column, role, shape).map_err(|error| in_table(error, column))?;
        columns.push(read);
    }
    every_variable_has_its_column(endpoint, &columns, definition.table_name)?;
    Ok(columns)
}

fn read(column: &ColumnDefinition, role: Role, shape: &RowsShape) -> Result<Column, OptionError> {
    let given = Given::one(&column.options);
    if role == Role::Field(FieldPath::Key) && *shape != RowsShape::Map {
        let message = "field '@key' needs rows_shape 'map'";
        return Err(
            OptionError::conflict(message).with_hint("Only the rows of a map stand under a key.")
        );
    }
    let filters = column_filters(column, &given, &role)?;
    let sort = ordering::of_column(column, &role)?;
    Ok(Column {
        name: column.name.clone(),
        ty: column.ty.clone(),
        not_null: column.not_null,
        role,
        filters,
        unfiltered: given
            .text("filter")
            .is_some_and(|text| text.trim() == NO_FILTER),
        sort,
        unsorted: ordering::is_unsorted(&given),
        sort_nulls: given.read("sort_nulls", ordering::nulls)?,
        format: column_format(column, &given)?,
        on_error: given.read("on_error", on_error)?.unwrap_or_default(),
        collation: column_collation(column, &given)?,
    })
}

fn column_format(
    column: &ColumnDefinition,
    given: &Given,
) -> Result<Option<ValueFormat>, OptionError> {
    let format = given.read("format", value_format)?;
    format.map(|format| fitting(format, column)).transpose()
}

fn column_collation(
    column: &ColumnDefinition,
    given: &Given,
) -> Result<Option<TextCollation>, OptionError> {
    let declared = given.read("collation", collation)?;
    if declared.is_some() && !matches!(column.ty, Type::Text | Type::Bpchar) {
        let message = format!(
            "option \"collation\" does not fit type {}",
            column.type_name
        );
        return Err(OptionError::conflict(message));
    }
    Ok(declared)
}

fn column_filters(
    column: &ColumnDefinition,
    given: &Given,
    role: &Role,
) -> Result<Vec<Filter>, OptionError> {
    let declared = given.read("filter", filters)?.unwrap_or_default();
    let Role::Parameter { name, .. } = role else {
        let of_column = declared.into_iter().map(|filter| filter.for_column(column));
        return of_column.collect();
    };
    if declared.iter().any(|filter| !filter.restates(name)) {
        let message = format!("a parameter column takes no filter but \"= {name}\"");
        return Err(OptionError::conflict(message)
            .with_hint("Leave option \"filter\" out: its value is always sent."));
    }
    Ok(vec![Filter {
        operator: Operator::Eq,
        parameter: Some(name.clone()),
        exact: true,
        format: None,
    }])
}

fn role(
    column: &ColumnDefinition,
    all: &[ColumnDefinition],
    endpoint: &Endpoint,
) -> Result<Role, OptionError> {
    let given = Given::one(&column.options);
    let declared = given.read("param", paging::parameter)?;
    let declared_place = given.read("param_in", place)?;
    let (name, place) = match (declared, declared_place) {
        (Some(name), place) => (name, place.unwrap_or(ParameterPlace::Query)),
        (None, None | Some(ParameterPlace::Path)) if is_in_endpoint(column, all, endpoint) => {
            (column.name.clone(), ParameterPlace::Path)
        }
        (None, Some(_)) => {
            return Err(OptionError::conflict(
                "option \"param_in\" needs option \"param\"",
            ));
        }
        (None, None) => return field_role(column, &given),
    };
    if given.text("field").is_some() {
        let message = "a column in the endpoint is an input of the request and has no field";
        return Err(OptionError::conflict(message));
    }
    parameter_role(column, &given, name, place, endpoint)
}

/// Whether the endpoint names the column, and no other column declares itself for that name.
fn is_in_endpoint(
    column: &ColumnDefinition,
    all: &[ColumnDefinition],
    endpoint: &Endpoint,
) -> bool {
    let claims = |other: &ColumnDefinition| {
        let given = Given::one(&other.options);
        given.text("param") == Some(&column.name) && given.text("param_in") == Some("path")
    };
    endpoint.variables().any(|name| name == column.name) && !all.iter().any(claims)
}

fn field_role(column: &ColumnDefinition, given: &Given) -> Result<Role, OptionError> {
    for option in ["required", "default"] {
        if given.text(option).is_some() {
            let message = format!("option \"{option}\" is for parameter columns");
            return Err(OptionError::conflict(message)
                .with_hint("Set option \"param\" if the column is an input of the request."));
        }
    }
    let field = given.read("field", path::field)?;
    Ok(Role::Field(field.unwrap_or_else(|| {
        FieldPath::Default(column.name.clone())
    })))
}

fn parameter_role(
    column: &ColumnDefinition,
    given: &Given,
    name: String,
    place: ParameterPlace,
    endpoint: &Endpoint,
) -> Result<Role, OptionError> {
    if matches!(column.ty, Type::Bytes | Type::Array(_)) {
        let message = format!("type {} cannot be a request parameter", column.type_name);
        return Err(OptionError::conflict(message));
    }
    if place == ParameterPlace::Path && !endpoint.variables().any(|variable| variable == name) {
        let message = format!("the endpoint has no {{{name}}} for this parameter");
        return Err(OptionError::conflict(message));
    }
    if place == ParameterPlace::Header {
        header_parameter(&name)?;
    }
    let required = given.read("required", quantity::boolean)?;
    if place == ParameterPlace::Path && required == Some(false) {
        return Err(OptionError::conflict(
            "a parameter in the endpoint is always required",
        ));
    }
    let default = given.read("default", default)?;
    if let Some(text) = &default {
        default_fits(text, column, &name, place)?;
    }
    Ok(Role::Parameter {
        required: place == ParameterPlace::Path || required == Some(true),
        name,
        place,
        default,
    })
}

fn header_parameter(name: &str) -> Result<(), OptionError> {
    if ["authorization", "proxy-authorization", "cookie"]
        .contains(&name.to_ascii_lowercase().as_str())
    {
        let message =
            format!("the header \"{name}\" cannot be a parameter column: it carries credentials");
        return Err(OptionError::new(OptionErrorKind::Secret, message)
            .with_hint("Set token, username and password, or headers on the user mapping: secrets belong there only."));
    }
    header::name("param", name).map(drop)
}

fn default_fits(
    text: &str,
    column: &ColumnDefinition,
    name: &str,
    place: ParameterPlace,
) -> Result<(), OptionError> {
    if names_a_credential(name) {
        let message =
            format!("option \"default\" may not hold a value for \"{name}\": it is a credential");
        return Err(OptionError::new(OptionErrorKind::Secret, message)
            .with_hint("Set it on the user mapping: secrets belong there only."));
    }
    if place == ParameterPlace::Header {
        header::value("default", text)?;
    }
    if place == ParameterPlace::Path && ["", ".", ".."].contains(&text) {
        return Err(OptionError::invalid(
            "default",
            format_args!("\"{text}\" cannot be a path segment"),
        ));
    }
    let fits = match column.ty {
        Type::Int2 => text.parse::<i16>().is_ok(),
        Type::Int4 => text.parse::<i32>().is_ok(),
        Type::Int8 => text.parse::<i64>().is_ok(),
        Type::Bool => matches!(text, "true" | "false"),
        _ => true,
    };
    if !fits {
        let reason = format!("\"{text}\" does not fit type {}", column.type_name);
        return Err(OptionError::invalid("default", reason));
    }
    Ok(())
}

fn every_variable_has_its_column(
    endpoint: &Endpoint,
    columns: &[Column],
    table: &str,
) -> Result<(), OptionError> {
    for variable in endpoint.variables() {
        let is_it = |column: &Column| matches!(&column.role, Role::Parameter { name, place: ParameterPlace::Path, .. } if name == variable);
        if columns.iter().any(is_it) {
            continue;
        }
        let message = format!(
            "the endpoint names {{{variable}}}, and no column of foreign table \"{table}\" is that parameter"
        );
        let hint = format!(
            "Add a column \"{variable}\", or set param '{variable}' and param_in 'path' on another column."
        );
        return Err(OptionError::new(OptionErrorKind::Missing, message).with_hint(hint));
    }
    Ok(())
}

/// Where a parameter goes.
pub(super) fn place(option: &str, value: &str) -> Result<ParameterPlace, OptionError> {
    match value {
        "query" => Ok(ParameterPlace::Query),
        "header" => Ok(ParameterPlace::Header),
        "path" => Ok(ParameterPlace::Path),
        "body" => Ok(ParameterPlace::Body),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a place for a parameter"),
        )
        .with_hint("Valid values are query, header, path and body.")),
    }
}

/// A parameter's default: any text without control characters.
pub(super) fn default(option: &str, value: &str) -> Result<String, OptionError> {
    if value.contains('\0') {
        return Err(OptionError::invalid(option, "it holds U+0000"));
    }
    Ok(value.to_owned())
}

/// What to do with a value that does not fit.
pub(super) fn on_error(option: &str, value: &str) -> Result<OnError, OptionError> {
    match value {
        "error" => Ok(OnError::Error),
        "null" => Ok(OnError::Null),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is neither error nor null"),
        )),
    }
}

/// How the API orders text.
pub(super) fn collation(option: &str, value: &str) -> Result<TextCollation, OptionError> {
    match value {
        "" => Err(OptionError::invalid(option, "a collation's name is empty")),
        "C" | "POSIX" => Ok(TextCollation::C),
        name => Ok(TextCollation::Named(name.to_owned())),
    }
}

/// A column's name.
pub(super) fn name(option: &str, value: &str) -> Result<String, OptionError> {
    if value.is_empty() {
        return Err(OptionError::invalid(option, "a column's name is empty"));
    }
    Ok(value.to_owned())
}

/// A list of columns, separated by commas.
pub(super) fn names(option: &str, value: &str) -> Result<Vec<String>, OptionError> {
    value
        .split(',')
        .map(|item| name(option, item.trim()))
        .collect()
}

/// The index of the column that `option` names.
pub(super) fn find(
    option: &str,
    name: &str,
    columns: &[ColumnDefinition],
) -> Result<usize, OptionError> {
    columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let message =
                format!("option \"{option}\" names column \"{name}\", which does not exist");
            OptionError::new(OptionErrorKind::Missing, message)
                .with_hint(format!("The columns are: {}.", names.join(", ")))
        })
}

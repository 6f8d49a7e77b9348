//! A foreign table's options with its server's and its columns': the whole of the model.

use super::columns::{columns, find, names};
use super::definition::Definition;
use super::endpoint::Endpoint;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::source::{error_status, source};
use super::vocabulary::Level;
use super::{
    aggregates, caching, constants, empty, entity, header, operators, ordering, paging, path,
    quantity, reading, response, template,
};
use crate::model::{
    BodyPlan, BracketsFlavour, Column, Dialect, Filter, Format, JsonFlavour, Operator, Operators,
    Paging, ParameterPlace, Role, RowsPath, RowsShape, SuffixFlavour, Table, Type, ValueFormat,
};
use crate::pushdown;
use std::time::Duration;

/// Reads a foreign table.
///
/// # Errors
/// What [`validate`](super::validate()) refuses on any of the levels, and what only shows when they
/// are seen together: a `{name}` without its column, paging without what it needs, a format that does
/// not fit its type, two columns for one parameter.
pub fn table(definition: &Definition) -> Result<Table, OptionError> {
    // Who wrote the options was checked when they were written.
    super::validate(Level::Server, definition.server, true)?;
    super::validate(Level::Table, definition.table, true)?;
    for column in definition.columns {
        super::validate(Level::Column, &column.options, true)
            .map_err(|error| error.in_column(&column.name, definition.table_name))?;
    }
    let table = read(definition)?;
    one_column_a_parameter(&table)?;
    no_parameter_says_opposites(&table)?;
    no_text_in_base64_is_compared(&table)?;
    response::agrees(&table, &Given::one(definition.table))?;
    entity::agrees(&table, &Given::one(definition.table))?;
    template::agrees(&table, &Given::one(definition.table))?;
    aggregates::have_effect(&table, &Given::one(definition.table))?;
    ordering::has_effect(&table, &Given::one(definition.table))?;
    Ok(table)
}

fn read(definition: &Definition) -> Result<Table, OptionError> {
    let own = Given::one(definition.table);
    let given = Given::two(definition.table, definition.server);
    let path = own.text("endpoint").unwrap_or_default();
    let format = response::format(&given, &own)?;
    let shape = shape(&given, &own, &format)?;
    // A body that has nothing but rows has no place for what the server says of its other tables'.
    let document = match format.is_bare() {
        true => Given::one(&[]),
        false => Given::two(definition.table, definition.server),
    };
    let dialect = given.read("dialect", dialect)?.unwrap_or_default();
    let columns = columns(definition, &Endpoint::parse("endpoint", path)?, &shape)?;
    let (method, body) = reading::reading(&given, &own, &columns)?;
    let longest = list_length(body.as_ref());
    let empty_on = given.read("empty_on", empty::empty_on)?.unwrap_or_default();
    let rows = document.read("rows", path::rows)?.unwrap_or(RowsPath::Auto);
    Ok(Table {
        name: definition.table_name.to_owned(),
        source: source(definition)?,
        endpoint: path.to_owned(),
        method,
        body,
        query: own.read("query", constants::query)?.unwrap_or_default(),
        headers: own.read("headers", constants::headers)?.unwrap_or_default(),
        rows: empty::rows(rows, &empty_on, &own)?,
        format,
        shape,
        paging: paging::paging(&given, definition.columns, &columns)?,
        page_size: given.read("page_size", quantity::positive)?,
        page_size_param: given.read("page_size_param", paging::parameter)?,
        max_page_size: given.read("max_page_size", quantity::positive)?,
        has_more_field: document.read("has_more_field", path::member)?,
        total_field: document.read("total_field", path::member)?,
        total_header: given.read("total_header", header::token)?,
        page_count_field: document.read("page_count_field", path::member)?,
        end_on_short_page: given
            .read("end_on_short_page", quantity::boolean)?
            .unwrap_or(false),
        keep_params: given
            .read("keep_params", quantity::boolean)?
            .unwrap_or(true),
        dialect,
        operators: own_operators(&given, dialect)?,
        filter_param: given.read("filter_param", paging::parameter)?,
        filter_template: given.text("filter_template").map(str::to_owned),
        max_list_size: given
            .read("max_list_size", quantity::positive)?
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
        max_url_length: given
            .read("max_url_length", quantity::positive)?
            .map_or(longest, |size| usize::try_from(size).unwrap_or(usize::MAX)),
        sorting: ordering::of_table(&given, &own)?,
        fields_param: given.read("fields_param", paging::parameter)?,
        aggregates: aggregates::aggregates(&own, &given)?,
        entity_endpoint: own.text("entity_endpoint").map(str::to_owned),
        entity_field: given.read("entity_field", path::member)?,
        key: key(&given, definition)?,
        empty_on: empty_on.statuses,
        expired_on: given
            .read("expired_on", statuses)?
            .unwrap_or_else(|| vec![GONE]),
        error_field: given.read("error_field", path::member)?,
        recheck: given.read("recheck", quantity::boolean)?.unwrap_or(true),
        caching: caching::caching(&given)?,
        rows_estimate: given.read("rows_estimate", quantity::estimate)?,
        latency: given
            .read("latency", quantity::duration)?
            .unwrap_or(Duration::from_millis(100)),
        columns,
    })
}

/// Bytes of a list in a URL that every server takes; common limits begin at 4,096 for the whole line.
const MAX_URL_LENGTH: usize = 4000;

/// A body has no such bound; what its template leaves out goes into the URL.
const MAX_BODY_LENGTH: usize = 1 << 20;

fn list_length(body: Option<&BodyPlan>) -> usize {
    match body {
        Some(BodyPlan { template: None, .. }) => MAX_BODY_LENGTH,
        Some(_) | None => MAX_URL_LENGTH,
    }
}

/// A dialect, and its flavour where it has several.
pub(super) fn dialect(option: &str, value: &str) -> Result<Dialect, OptionError> {
    let words: Vec<&str> = value.split_whitespace().collect();
    Ok(match words.as_slice() {
        ["plain"] => Dialect::Plain,
        ["brackets"] | ["brackets", "stripe"] => Dialect::Brackets(BracketsFlavour::Stripe),
        ["brackets", "strapi"] => Dialect::Brackets(BracketsFlavour::Strapi),
        ["suffix"] | ["suffix", "django"] => Dialect::Suffix(SuffixFlavour::Django),
        ["suffix", "netbox"] => Dialect::Suffix(SuffixFlavour::NetBox),
        ["suffix", "json-server"] => Dialect::Suffix(SuffixFlavour::JsonServer),
        ["jsonapi"] => Dialect::JsonApi,
        ["operators"] => Dialect::Operators,
        ["json"] | ["json", "directus"] => Dialect::Json(JsonFlavour::Directus),
        ["json", "elasticsearch"] => Dialect::Json(JsonFlavour::Elasticsearch),
        ["json", "operators"] => Dialect::Json(JsonFlavour::Operators),
        ["odata"] => Dialect::Odata,
        ["postgrest"] => Dialect::Postgrest,
        ["prometheus"] => Dialect::Prometheus,
        ["search"] => Dialect::Search,
        ["selectors"] => Dialect::Selectors,
        ["sql"] => Dialect::Sql,
        _ => return Err(no_dialect(option, value)),
    })
}

fn no_dialect(option: &str, value: &str) -> OptionError {
    OptionError::invalid(option, format_args!("\"{value}\" is not a dialect")).with_hint(
        "Dialects are plain, brackets, brackets strapi, suffix, suffix netbox, suffix json-server, jsonapi, operators, json, json elasticsearch, json operators, odata, postgrest, prometheus, search, selectors and sql.",
    )
}

/// The templates, where they are of the dialect's kind.
fn own_operators(given: &Given, dialect: Dialect) -> Result<Operators, OptionError> {
    let own = given
        .read("operators", operators::operators)?
        .unwrap_or_default();
    operators::fitting(&own, dialect)?;
    let needs_some = matches!(
        dialect,
        Dialect::Operators | Dialect::Json(JsonFlavour::Operators)
    );
    if needs_some && own.0.is_empty() {
        let message = "dialect 'operators' needs option \"operators\"";
        return Err(OptionError::new(OptionErrorKind::Missing, message)
            .with_hint("It has no spellings but those that you write."));
    }
    Ok(own)
}

/// What stands around a filter's text; what each dialect puts into it: docs/dialects.md.
pub(super) fn filter_template(option: &str, value: &str) -> Result<(), OptionError> {
    if value.contains("{filter}") || value.contains("{where}") {
        return Ok(());
    }
    Err(
        OptionError::invalid(option, "it has neither {filter} nor {where} in it")
            .with_hint("Write {filter} where the filter goes, or {where} where WHERE goes."),
    )
}

/// RFC 9110 section 15.5.11; what Kubernetes answers to a cursor that is too old.
const GONE: u16 = 410;

/// Statuses that have a meaning of their own.
pub(super) fn statuses(option: &str, value: &str) -> Result<Vec<u16>, OptionError> {
    value
        .split(',')
        .map(|status| error_status(option, status.trim()))
        .collect()
}

/// The names of shapes.
pub(super) fn shape_name(option: &str, value: &str) -> Result<RowsShape, OptionError> {
    match value {
        "objects" => Ok(RowsShape::Objects),
        "arrays" => Ok(RowsShape::Arrays {
            columns_field: None,
        }),
        "map" => Ok(RowsShape::Map),
        "values" => Ok(RowsShape::Values),
        "single" => Ok(RowsShape::Single),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not a shape of rows"))
                .with_hint("Valid values are objects, arrays, map, values and single."),
        ),
    }
}

fn shape(given: &Given, own: &Given, format: &Format) -> Result<RowsShape, OptionError> {
    let declared = given
        .read("rows_shape", shape_name)?
        .unwrap_or(RowsShape::Objects);
    if format.is_bare() {
        return Ok(response::shape(format, declared));
    }
    if let RowsShape::Arrays { .. } = declared {
        let columns_field = given.read("columns_field", path::member)?;
        return Ok(RowsShape::Arrays { columns_field });
    }
    if own.text("columns_field").is_some() {
        return Err(OptionError::conflict(
            "option \"columns_field\" needs rows_shape 'arrays'",
        ));
    }
    Ok(declared)
}

fn key(given: &Given, definition: &Definition) -> Result<Vec<usize>, OptionError> {
    let names = given.read("key", names)?.unwrap_or_default();
    names
        .iter()
        .map(|name| find("key", name, definition.columns))
        .collect()
}

/// A parameter cannot ask for rows with a value and for rows without it: one of the two declarations is
/// wrong, and would lose rows. Only `plain` takes a parameter's name from the declaration alone.
fn no_parameter_says_opposites(table: &Table) -> Result<(), OptionError> {
    if table.dialect != Dialect::Plain {
        return Ok(());
    }
    let is_opposite = |one: Operator, other: Operator| {
        use Operator::{Eq, In, Ne, NotIn};
        let negates = matches!((one, other), (Eq | In, Ne | NotIn));
        negates || (one.opposite() == other && !one.is_range())
    };
    for column in &table.columns {
        let parameter = |filter: &Filter| filter.parameter.clone().unwrap_or(column.name.clone());
        for (index, filter) in column.filters.iter().enumerate() {
            let clash = column.filters[index + 1..].iter().find(|other| {
                let opposite = is_opposite(filter.operator, other.operator)
                    || is_opposite(other.operator, filter.operator);
                opposite && parameter(filter) == parameter(other)
            });
            if let Some(other) = clash {
                let message = format!(
                    "parameter \"{}\" is declared for {} and for {}",
                    parameter(filter),
                    filter.operator.sql(),
                    other.operator.sql()
                );
                let error = OptionError::conflict(message).with_hint(
                    "Name the parameter after the operator, for example '=, <> not_state'.",
                );
                return Err(error.in_column(&column.name, &table.name));
            }
        }
    }
    Ok(())
}

/// What is base64 at the API has another order there, and a value would have to be sent as base64: only a template of one's own
/// can say so.
fn no_text_in_base64_is_compared(table: &Table) -> Result<(), OptionError> {
    let is_base64 = |format: &Option<ValueFormat>| *format == Some(ValueFormat::Base64);
    for column in table
        .columns
        .iter()
        .filter(|column| column.ty == Type::Text)
    {
        let asks_in_it = column
            .filters
            .iter()
            .any(|filter| is_base64(&filter.format));
        if !is_base64(&column.format) && !asks_in_it {
            continue;
        }
        let offers = matches!(
            table.dialect,
            Dialect::Odata | Dialect::Postgrest | Dialect::Sql | Dialect::Prometheus
        );
        let filters = match table.dialect {
            Dialect::Json(JsonFlavour::Operators) => false,
            _ => !column.filters.is_empty() || (offers && !column.unfiltered),
        };
        let sorts = column.sort.is_some() || (offers && !column.unsorted);
        if filters || sorts || asks_in_it || column.is_input() {
            let message = "text with format \"base64\" can be neither filtered nor ordered by the API, nor be a parameter";
            let error = OptionError::conflict(message.to_owned()).with_hint(
                "With dialect 'json operators' a template can say {value:base64}; in dialects that offer them undeclared, set filter 'none' and sort 'none'.",
            );
            return Err(error.in_column(&column.name, &table.name));
        }
    }
    Ok(())
}

/// A parameter column's value is the one that was sent (rule R3), so nothing else may be sent there.
/// Fields may share a parameter: of several conditions for it one is sent.
fn one_column_a_parameter(table: &Table) -> Result<(), OptionError> {
    let sorting = ordering::parameters(table);
    let own = sorting.iter().map(|(name, what)| (name.as_str(), *what));
    let own: Vec<(&str, &str)> = paging_parameters(table).chain(own).collect();
    for (index, (name, what)) in own.iter().enumerate() {
        if let Some((_, other)) = own[..index].iter().find(|(other, _)| other == name) {
            let message = format!("parameter \"{name}\" is set by {other} and by {what}");
            return Err(OptionError::conflict(message));
        }
        if let Some(column) = table
            .columns
            .iter()
            .find(|column| sends(table, column, ParameterPlace::Query, name))
        {
            return Err(twice(table, name, what, &column.name));
        }
    }
    for (index, column) in table.columns.iter().enumerate() {
        let Role::Parameter { name, place, .. } = &column.role else {
            continue;
        };
        let mut others = table
            .columns
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        if let Some((_, other)) = others.find(|(_, other)| sends(table, other, *place, name)) {
            return Err(twice(
                table,
                name,
                &format!("column \"{}\"", column.name),
                &other.name,
            ));
        }
    }
    Ok(())
}

fn twice(table: &Table, parameter: &str, first: &str, column: &str) -> OptionError {
    let message = format!("parameter \"{parameter}\" is set by {first} and by column \"{column}\"");
    let error = OptionError::new(OptionErrorKind::Conflict, message);
    error.in_column(column, &table.name)
}

fn sends(table: &Table, column: &Column, place: ParameterPlace, parameter: &str) -> bool {
    let is_it = |name: &str| match place {
        ParameterPlace::Header => name.eq_ignore_ascii_case(parameter),
        _ => name == parameter,
    };
    match &column.role {
        Role::Parameter {
            name, place: own, ..
        } => *own == place && is_it(name),
        Role::Field(_) => {
            place == ParameterPlace::Query
                && table.dialect.names_parameters()
                && pushdown::parameters_of(table, column)
                    .iter()
                    .any(|name| is_it(name))
        }
    }
}

fn paging_parameters(table: &Table) -> impl Iterator<Item = (&str, &'static str)> {
    let size = table
        .page_size_param
        .as_deref()
        .map(|name| (name, "option \"page_size_param\""));
    let position = match &table.paging {
        Paging::Cursor { param, .. } | Paging::Keyset { param, .. } => {
            Some((param.as_str(), "option \"cursor_param\""))
        }
        Paging::Page { param, .. } => Some((param.as_str(), "option \"page_param\"")),
        Paging::Offset { param, .. } => Some((param.as_str(), "option \"offset_param\"")),
        Paging::Auto
        | Paging::None
        | Paging::Link
        | Paging::NextUrl { .. }
        | Paging::AfterKey { .. } => None,
    };
    size.into_iter().chain(position)
}

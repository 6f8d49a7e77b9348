//! Orders and lists of fields as parameters, for dialects that have no spelling of their own.

use super::of;
use super::spelling::{Dialect, Parameter, SortSpelling};
use crate::decode::camel_case;
use crate::model::{Column, FieldPath, Role, Sort, SortStyle, Table};
use crate::pushdown::{RemoteQuery, SortKey};

/// The parameters for a query's order and fields.
///
/// # Errors
/// Why the order cannot be written.
pub(super) fn order_and_fields(
    dialect: &dyn Dialect,
    table: &Table,
    query: &RemoteQuery,
) -> Result<Vec<Parameter>, String> {
    let mut sent = match declared(dialect, table) {
        Some(spelling) => order(table, &query.order, &spelling)?,
        None => Vec::new(),
    };
    sent.extend(fields(dialect, table, query));
    Ok(sent)
}

/// How a table's order is written as parameters; `None` where its dialect writes it otherwise.
pub(in crate::pushdown) fn spelling(table: &Table) -> Option<SortSpelling> {
    declared(of(table), table)
}

/// Whether the keys can be written together.
///
/// # Errors
/// Why they cannot.
pub(in crate::pushdown) fn expressible(table: &Table, keys: &[SortKey]) -> Result<(), String> {
    match spelling(table) {
        Some(spelling) => order(table, keys, &spelling).map(drop),
        None => Ok(()),
    }
}

fn declared(dialect: &dyn Dialect, table: &Table) -> Option<SortSpelling> {
    let own = dialect.sort_spelling(table)?;
    Some(SortSpelling {
        param: table.sorting.param.clone().unwrap_or(own.param),
        style: table.sorting.style.clone().unwrap_or(own.style),
    })
}

fn order(
    table: &Table,
    keys: &[SortKey],
    spelling: &SortSpelling,
) -> Result<Vec<Parameter>, String> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sorts: Vec<(&Sort, bool)> = keys
        .iter()
        .map(|key| sort(table, key))
        .collect::<Result<_, _>>()?;
    let SortSpelling { param, style } = spelling;
    match style {
        SortStyle::OrderParam(direction) => with_directions(&sorts, param, direction),
        SortStyle::DescParam(descending) => in_one_direction(&sorts, param, descending),
        _ => {
            let texts = sorts
                .iter()
                .map(|(sort, descending)| written(sort, *descending, style));
            let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
            Ok(vec![Parameter::query(param, texts.join(","))])
        }
    }
}

fn sort<'a>(table: &'a Table, key: &SortKey) -> Result<(&'a Sort, bool), String> {
    let column = &table.columns[key.column];
    match &column.sort {
        Some(sort) => Ok((sort, key.descending)),
        None => Err(format!("column \"{}\" declares no sort", column.name)),
    }
}

/// One key, its direction in its text.
fn written(sort: &Sort, descending: bool, style: &SortStyle) -> Result<String, String> {
    let name = &sort.name;
    match (&sort.descending, descending, style) {
        (Some(_), false, _) => Ok(name.clone()),
        (Some(spelling), true, _) => Ok(spelling.clone()),
        (None, false, SortStyle::Colon) => Ok(format!("{name}:asc")),
        (None, true, SortStyle::Colon) => Ok(format!("{name}:desc")),
        (None, false, SortStyle::Space) => Ok(format!("{name} asc")),
        (None, true, SortStyle::Space) => Ok(format!("{name} desc")),
        (None, true, SortStyle::AscendingOnly) => Err(format!(
            "the API orders by \"{name}\" in ascending order only"
        )),
        (None, true, _) => Ok(format!("-{name}")),
        (None, false, _) => Ok(name.clone()),
    }
}

/// A key whose two spellings are written out whole, in the parameter of the names. Beside others it
/// would leave their directions without a place.
fn whole(sorts: &[(&Sort, bool)], param: &str) -> Result<Option<Vec<Parameter>>, String> {
    match sorts {
        [(sort, descending)] => {
            let text = sort.descending.as_ref().map(|spelling| {
                let text = if *descending { spelling } else { &sort.name };
                vec![Parameter::query(param, text)]
            });
            Ok(text)
        }
        _ if sorts.iter().any(|(sort, _)| sort.descending.is_some()) => Err(
            "an order of several columns needs names, not both spellings, in option \"sort\""
                .to_owned(),
        ),
        _ => Ok(None),
    }
}

fn names(sorts: &[(&Sort, bool)]) -> String {
    let names: Vec<&str> = sorts.iter().map(|(sort, _)| sort.name.as_str()).collect();
    names.join(",")
}

fn with_directions(
    sorts: &[(&Sort, bool)],
    param: &str,
    direction: &str,
) -> Result<Vec<Parameter>, String> {
    if let Some(whole) = whole(sorts, param)? {
        return Ok(whole);
    }
    let word = |descending: bool| if descending { "desc" } else { "asc" };
    let directions: Vec<&str> = sorts
        .iter()
        .map(|(_, descending)| word(*descending))
        .collect();
    Ok(vec![
        Parameter::query(param, names(sorts)),
        Parameter::query(direction, directions.join(",")),
    ])
}

fn in_one_direction(
    sorts: &[(&Sort, bool)],
    param: &str,
    descending: &str,
) -> Result<Vec<Parameter>, String> {
    if let Some(whole) = whole(sorts, param)? {
        return Ok(whole);
    }
    let is_descending = sorts.iter().all(|(_, descending)| *descending);
    if !is_descending && sorts.iter().any(|(_, descending)| *descending) {
        return Err("the API orders all columns in the same direction".to_owned());
    }
    let param = if is_descending { descending } else { param };
    Ok(vec![Parameter::query(param, names(sorts))])
}

fn fields(dialect: &dyn Dialect, table: &Table, query: &RemoteQuery) -> Option<Parameter> {
    let param = table.fields_param.as_ref()?;
    let mut names: Vec<String> = Vec::new();
    for index in query.fields.as_ref()? {
        let column = &table.columns[*index];
        if column.role == Role::Field(FieldPath::Key) {
            continue;
        }
        let name = dialect.field_name(table, column)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| Parameter::query(param, names.join(",")))
}

/// The member of a row that holds a column's value. A name that was not declared could be spelled in
/// two ways in the response, and a list holds names without commas.
pub(super) fn field_name(column: &Column) -> Option<String> {
    let Role::Field(field) = &column.role else {
        return None;
    };
    let name = match field {
        FieldPath::Default(name) if camel_case(name) != *name => return None,
        FieldPath::Default(name) => name,
        FieldPath::Path(segments) => segments.first()?,
        FieldPath::Whole | FieldPath::Key => return None,
    };
    (!name.is_empty() && !name.contains(',')).then(|| name.clone())
}

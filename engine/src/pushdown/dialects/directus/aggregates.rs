//! Aggregates: `aggregate[sum]=score&groupBy[]=state`.
//!
//! Read in Directus' documentation (page "Query Parameters") and source (api/src/database/run-ast/lib/apply-query,
//! api/src/services/payload.ts): a result is called by its function, and within that by its field; only the number
//! of rows has no field, so that it cannot stand beside the numbers of values. Numbers of a database that its
//! driver knows as doubles are such in JSON, too.

use crate::model::{Column, FieldPath, Function, Paging, Role, Table, Type};
use crate::pushdown::dialects::constant::{constant, refuse};
use crate::pushdown::dialects::spelling::Parameter;
use crate::pushdown::dialects::templated::Aggregating;
use crate::pushdown::{Aggregate, AskedBy, Call, member};

pub(super) struct Aggregates;

/// Parameters that would mean something else beside ours.
const OTHERS: [&str; 11] = [
    "aggregate",
    "groupBy",
    "groupBy[]",
    "fields",
    "sort",
    "limit",
    "offset",
    "page",
    "search",
    "alias",
    "deep",
];

impl Aggregating for Aggregates {
    fn check(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String> {
        if table.body.is_some() {
            return Err("Directus reads aggregates from the URL only".to_owned());
        }
        let takes_all = constant(table, "limit") == Some("-1");
        let others = OTHERS
            .iter()
            .filter(|name| !(takes_all && **name == "limit"));
        refuse(table, &others.copied().collect::<Vec<_>>())?;
        for index in &aggregate.group {
            groups(aggregate, &table.columns[*index])?;
        }
        for call in &aggregate.calls {
            field(table, aggregate, call)?;
            extremes(table, call)?;
        }
        Ok(())
    }

    fn parameters(&self, table: &Table, aggregate: &Aggregate) -> Result<Vec<Parameter>, String> {
        if aggregate.by != AskedBy::Dialect {
            return Ok(Vec::new());
        }
        let mut sent: Vec<Parameter> = Vec::new();
        for call in &aggregate.calls {
            let name = format!("aggregate[{}]", call.function.sql());
            let field = field(table, aggregate, call)?.unwrap_or("*");
            match sent.iter_mut().find(|other| other.name == name) {
                Some(list) => list.value = format!("{},{field}", list.value),
                None => sent.push(Parameter::query(name, field)),
            }
        }
        let group = aggregate
            .group
            .iter()
            .map(|index| plain(&table.columns[*index]));
        let group: Vec<&str> = group.collect::<Result<_, _>>()?;
        if !group.is_empty() {
            let groups = group
                .iter()
                .map(|name| Parameter::query("groupBy[]", *name));
            sent.extend(groups);
            // Groups are ordered, so that their pages fit together.
            sent.push(Parameter::query("sort", group.join(",")));
            if is_one_page(table) {
                // Without a limit, there would be a hundred.
                sent.push(Parameter::query("limit", "-1"));
            }
        }
        Ok(sent)
    }

    /// What the table says of totals, and of a page that is the only one, is about rows.
    fn answered(&self, table: &Table, aggregate: &Aggregate, mut answer: Table) -> Table {
        let results = answer.columns.iter_mut().skip(aggregate.group.len());
        for (column, call) in results.zip(&aggregate.calls) {
            let function = call.function.sql().to_owned();
            let place = match field(table, aggregate, call) {
                Ok(Some(field)) => vec![function, field.to_owned()],
                Ok(None) | Err(_) => vec![function],
            };
            column.role = Role::Field(FieldPath::Path(place));
        }
        let answer = answer.without_totals();
        match is_one_page(table) {
            true => Table {
                page_size: None,
                max_page_size: None,
                ..answer
            },
            false => answer,
        }
    }
}

/// Whether all groups are asked for at once.
fn is_one_page(table: &Table) -> bool {
    matches!(table.paging, Paging::None | Paging::Auto)
}

/// The field that a call is about; `None` for rows, unless values are counted beside them: then a field that all
/// rows have.
fn field<'a>(
    table: &'a Table,
    aggregate: &Aggregate,
    call: &Call,
) -> Result<Option<&'a str>, String> {
    if let Some(column) = call.column {
        return plain(&table.columns[column]).map(Some);
    }
    let counts_values = |other: &Call| other.function == Function::Count && other.column.is_some();
    if !aggregate.calls.iter().any(counts_values) {
        return Ok(None);
    }
    let is_taken = |name: &str| {
        let mut counted = aggregate.calls.iter().filter_map(|other| other.column);
        counted.any(|column| member(&table.columns[column]) == Ok(name))
    };
    let mut fields = table.columns.iter().filter(|column| column.not_null);
    fields
        .find_map(|column| plain(column).ok().filter(|name| !is_taken(name)))
        .map(Some)
        .ok_or_else(|| {
            "Directus counts rows beside values by a field only, and no column is NOT NULL"
                .to_owned()
        })
}

/// A column's field; not what Directus takes apart: lists, functions, relations, directions.
fn plain(column: &Column) -> Result<&str, String> {
    let name = member(column)?;
    let is_plain = |character: char| character.is_alphanumeric() || character == '_';
    if !name.is_empty() && name.chars().all(is_plain) {
        return Ok(name);
    }
    Err(format!(
        "\"{name}\" is no field that Directus could aggregate"
    ))
}

/// A result stands beside the group's values, and could take the place of one.
fn groups(aggregate: &Aggregate, column: &Column) -> Result<(), String> {
    let name = plain(column)?;
    let takes_its_place = |call: &Call| call.function.sql() == name;
    if aggregate.calls.iter().any(takes_its_place) {
        return Err(format!("Directus calls a result \"{name}\", too"));
    }
    // Times lose what is finer than a millisecond, so that two groups could look like one.
    let is_instant = matches!(column.ty, Type::Timestamp | Type::TimestampTz);
    if is_instant || column.format.is_some() {
        return Err(format!(
            "Directus may write the values of column \"{}\" in another way in groups",
            column.name
        ));
    }
    Ok(())
}

/// Only numbers are written as in rows.
fn extremes(table: &Table, call: &Call) -> Result<(), String> {
    let (Function::Min | Function::Max, Some(index)) = (call.function, call.column) else {
        return Ok(());
    };
    let column = &table.columns[index];
    let is_number = matches!(
        column.ty,
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric | Type::Float8
    );
    if is_number && column.format.is_none() {
        return Ok(());
    }
    Err(format!(
        "Directus may write an extreme of column \"{}\" in another way than in rows",
        column.name
    ))
}

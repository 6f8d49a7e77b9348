//! The response with aggregates, as a table: so that all that reads rows reads it, too.

use super::super::dialects;
use super::choice::member;
use super::{Aggregate, AskedBy, Call};
use crate::model::{
    Column, FieldPath, Format, Function, Location, OnError, Paging, Role, RowsPath, RowsShape,
    Table, Type,
};

/// The table that the API answers with: first the columns that make a group, then the calls' results; a
/// count endpoint's may also be the whole response, which is one column more. Where all rows are one
/// group there is one page.
pub fn answer(table: &Table, aggregate: &Aggregate) -> Table {
    let groups = aggregate
        .group
        .iter()
        .map(|index| grouping(&table.columns[*index]));
    let results = aggregate.calls.iter().map(|call| result(table, call));
    let grouped = Table {
        // Counts and sums come as JSON, whatever the rows are written in.
        format: Format::Json,
        columns: groups.chain(results).collect(),
        key: Vec::new(),
        ..table.clone()
    };
    match &aggregate.by {
        AskedBy::CountEndpoint => count_endpoint(one_page(grouped)),
        AskedBy::Total(place) => total(one_page(grouped), table, place),
        AskedBy::Dialect => {
            let grouped = match aggregate.is_single() {
                true => one_page(grouped),
                false => grouped,
            };
            dialects::of(table).answered(table, aggregate, grouped)
        }
    }
}

fn grouping(column: &Column) -> Column {
    let path = member(column).map_or_else(|_| column.name.clone(), str::to_owned);
    Column {
        role: Role::Field(FieldPath::Path(vec![path])),
        ..column.clone()
    }
}

fn result(table: &Table, call: &Call) -> Column {
    let argument = call.column.map(|index| &table.columns[index]);
    let keeps_format = matches!(call.function, Function::Min | Function::Max);
    Column {
        name: call.name.clone(),
        ty: result_type(
            call.function,
            argument.map_or(&Type::Int8, |column| &column.ty),
        ),
        not_null: false,
        role: Role::Field(FieldPath::Path(vec![call.name.clone()])),
        filters: Vec::new(),
        unfiltered: true,
        unsorted: true,
        sort: None,
        sort_nulls: None,
        format: argument
            .filter(|_| keeps_format)
            .and_then(|column| column.format.clone()),
        on_error: OnError::Error,
        collation: None,
    }
}

/// The type that PostgreSQL's function has.
pub fn result_type(function: Function, argument: &Type) -> Type {
    match (function, argument) {
        (Function::Count, _) | (Function::Sum, Type::Int2 | Type::Int4) => Type::Int8,
        (Function::Sum | Function::Avg, _) => Type::Numeric,
        (Function::Min | Function::Max, ty) => ty.clone(),
    }
}

/// All of the answer is one row: no page follows, and no total is of it.
fn one_page(table: Table) -> Table {
    Table {
        paging: Paging::None,
        page_size: None,
        max_page_size: None,
        ..table.without_totals()
    }
}

/// The whole document is the row.
fn document(table: Table) -> Table {
    Table {
        rows: RowsPath::Path(Vec::new()),
        shape: RowsShape::Single,
        ..table
    }
}

fn count_endpoint(mut table: Table) -> Table {
    let declared = table.aggregates.count_field.clone();
    if let (Some(field), Some(column)) = (&declared, table.columns.first_mut()) {
        column.role = Role::Field(field.clone());
    }
    let whole = table.columns.first().map(|count| Column {
        role: Role::Field(FieldPath::Whole),
        on_error: OnError::Null,
        ..count.clone()
    });
    table.columns.extend(whole.filter(|_| declared.is_none()));
    document(Table {
        endpoint: table.aggregates.count_endpoint.clone().unwrap_or_default(),
        ..table
    })
}

/// A response with one row, where the API can be asked for that, and the total beside it.
fn total(mut answer: Table, table: &Table, place: &Location) -> Table {
    answer.page_size = Some(1);
    if table.dialect.spells_totals() {
        // The dialect asks for few rows itself.
        answer.page_size = None;
    }
    match place {
        Location::Header(name) => Table {
            shape: RowsShape::Header(name.clone()),
            ..answer
        },
        Location::Body(path) => {
            if let Some(column) = answer.columns.first_mut() {
                column.role = Role::Field(FieldPath::Path(path.clone()));
            }
            document(answer)
        }
    }
}

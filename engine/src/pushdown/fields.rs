//! Which members of its rows an API is asked for.

use super::dialects;
use crate::model::{FieldPath, Paging, Role, RowsShape, Table};

#[cfg(test)]
mod tests;

/// The columns whose members are asked for, as indexes into the table's: those `wanted`, which is all that
/// the query or a local condition looks at, and those that tell pages apart. `None` where whole rows are
/// asked for, because the API takes no such list or because the list could miss something.
pub fn fields(table: &Table, wanted: &[usize]) -> Option<Vec<usize>> {
    if !takes_fields(table) {
        return None;
    }
    let dialect = dialects::of(table);
    let is_field = |index: &usize| !table.columns[*index].is_input();
    let key: Vec<usize> = table.key.iter().copied().filter(is_field).collect();
    let mut columns = wanted.to_vec();
    columns.extend(of_pages(table, &key)?);
    columns.retain(is_field);
    if columns.is_empty() {
        columns = key;
    }
    columns.sort_unstable();
    columns.dedup();
    let mut members = 0;
    for index in &columns {
        let column = &table.columns[*index];
        match &column.role {
            Role::Field(FieldPath::Whole) => return None,
            Role::Field(FieldPath::Key) => {}
            _ => {
                dialect.field_name(table, column)?;
                members += 1;
            }
        }
    }
    (members > 0).then_some(columns)
}

/// Whether rows may come without the members that are not asked for.
pub(crate) fn takes_fields(table: &Table) -> bool {
    dialects::of(table).takes_fields(table) && !rows_are_lists(table)
}

/// Without names, a row's elements would change their places.
fn rows_are_lists(table: &Table) -> bool {
    matches!(
        table.shape,
        RowsShape::Arrays {
            columns_field: None
        } | RowsShape::Values
    )
}

/// The columns that paging looks at. Numbered pages are compared with each other, to see whether the API
/// knows their number: rows must stay distinguishable, so without a key they stay whole (`None`).
fn of_pages(table: &Table, key: &[usize]) -> Option<Vec<usize>> {
    match &table.paging {
        Paging::Keyset { field, .. } => {
            let is_cursor = |index: &usize| matches!(&table.columns[*index].role, Role::Field(own) if own == field);
            (0..table.columns.len())
                .find(is_cursor)
                .map(|index| vec![index])
        }
        Paging::Page { .. } | Paging::Offset { .. } => (!key.is_empty()).then(|| key.to_vec()),
        Paging::Auto
        | Paging::None
        | Paging::Link
        | Paging::NextUrl { .. }
        | Paging::Cursor { .. }
        | Paging::AfterKey { .. } => Some(Vec::new()),
    }
}

//! Where a column's value stands in a row, as far as a condition can name it.

use crate::model::{Column, FieldPath, Paging, Role, Table};
use crate::pushdown::RemoteQuery;

/// The members that lead from a row to a column's value; at least one.
///
/// # Errors
/// The reason, in a user's words, where the value is not a member of the row.
pub(super) fn path(column: &Column) -> Result<Vec<&str>, String> {
    let field = match &column.role {
        Role::Field(field) => field,
        Role::Parameter { .. } => {
            return Err(format!("column \"{}\" is an input", column.name));
        }
    };
    segments(field).ok_or_else(|| {
        format!(
            "column \"{}\" is not a member of the row, so the API has no name for it",
            column.name
        )
    })
}

fn segments(field: &FieldPath) -> Option<Vec<&str>> {
    match field {
        FieldPath::Default(name) => Some(vec![name]),
        FieldPath::Path(segments) => Some(segments.iter().map(String::as_str).collect()),
        FieldPath::Whole | FieldPath::Key => None,
    }
}

/// The members of a row that hold the columns that are wanted, and what paging reads; `None` where the
/// whole row is wanted, or nothing of it.
pub(super) fn wanted<'a>(table: &'a Table, query: &RemoteQuery) -> Option<Vec<&'a str>> {
    let columns = query.fields.as_ref()?.iter();
    let fields = columns.filter_map(|index| match &table.columns[*index].role {
        Role::Field(field) => Some(field),
        Role::Parameter { .. } => None,
    });
    let keyset = match &table.paging {
        Paging::Keyset { field, .. } => Some(field),
        _ => None,
    };
    let mut members: Vec<&str> = Vec::new();
    for field in fields
        .chain(keyset)
        .filter(|field| **field != FieldPath::Key)
    {
        let first = *segments(field)?.first()?;
        if !members.contains(&first) {
            members.push(first);
        }
    }
    (!members.is_empty()).then_some(members)
}

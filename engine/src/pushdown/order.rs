//! Whether an API can return its rows in the order that a query wants (rule R6).

use super::dialects::{self, NullsPlaced};
use super::remote::SortKey;
use crate::model::{
    Column, FieldPath, NullsOrder, OnError, Paging, Role, SortStyle, Table, TextCollation, Type,
    ValueFormat,
};

#[cfg(test)]
mod tests;

/// One key of an order that a query wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedKey {
    /// Index into the table's columns.
    pub column: usize,
    /// The largest value comes first.
    pub descending: bool,
    /// NULLs come before all values, in the direction asked for.
    pub nulls_first: bool,
    /// What text is ordered by; `None` where that is a collation that an API cannot be compared with.
    pub collation: Option<TextCollation>,
    /// No row that the query returns has NULL in the column, so it does not matter where those stand.
    pub never_null: bool,
    /// The column's type rounds the API's values (`numeric(10,2)`, `timestamp(0)`): values that differ
    /// there are equal here, so the order of what comes after is lost.
    pub rounds: bool,
}

impl From<&WantedKey> for SortKey {
    /// Where there are no NULLs, or none that stay, they are best at the end.
    fn from(wanted: &WantedKey) -> SortKey {
        SortKey {
            column: wanted.column,
            descending: wanted.descending,
            nulls_first: wanted.nulls_first && !wanted.never_null,
        }
    }
}

/// The order to ask the API for, so that its rows come in the order of `wanted`; nothing is checked
/// again, so everything must be known. With numbered pages the columns of `key` follow: among equal rows
/// an API may order every page in another way.
///
/// # Errors
/// Why there is none, in a user's words.
pub fn order(table: &Table, wanted: &[WantedKey]) -> Result<Vec<SortKey>, String> {
    for (index, key) in wanted.iter().enumerate() {
        comparable(table, key, index + 1 == wanted.len())?;
    }
    let mut keys: Vec<SortKey> = wanted.iter().map(SortKey::from).collect();
    let most = most(table);
    if keys.len() > most {
        return Err(too_many(most));
    }
    steady(table, &mut keys)?;
    if keys.len() > most {
        let reason = format!(
            "numbered pages need option \"key\" in the order, and {}",
            too_many(most)
        );
        return Err(reason);
    }
    dialects::expressible(table, &keys)?;
    Ok(keys)
}

/// Whether the API can order by a column at all, and what it is not known to do then.
///
/// # Errors
/// Why it cannot, in a user's words.
pub fn sorts(table: &Table, column: usize) -> Result<(), String> {
    nulls_placed(table, &table.columns[column]).map(drop)
}

/// The parameters that carry an order, where there can be one.
pub(crate) fn order_parameters(table: &Table) -> Vec<String> {
    let has_order = (0..table.columns.len()).any(|column| sorts(table, column).is_ok());
    let Some(spelling) = dialects::sort_spelling(table).filter(|_| has_order) else {
        return Vec::new();
    };
    let second = match spelling.style {
        SortStyle::OrderParam(name) | SortStyle::DescParam(name) => Some(name),
        SortStyle::Minus | SortStyle::Colon | SortStyle::Space | SortStyle::AscendingOnly => None,
    };
    std::iter::once(spelling.param).chain(second).collect()
}

fn most(table: &Table) -> usize {
    let of_dialect = || dialects::of(table).max_sort_keys(table);
    table.sorting.max_keys.unwrap_or_else(of_dialect)
}

fn too_many(most: usize) -> String {
    let columns = if most == 1 { "column" } else { "columns" };
    format!("the API orders by {most} {columns} at most (option \"max_sort_keys\")")
}

fn nulls_placed(table: &Table, column: &Column) -> Result<NullsPlaced, String> {
    if column.is_input() {
        return Err(format!(
            "column \"{}\" is an input of the request",
            column.name
        ));
    }
    if column.unsorted {
        return Err(format!("column \"{}\" declares sort 'none'", column.name));
    }
    dialects::of(table).sorts(table, column)
}

/// Whether the API's order of a column's values is that of SQL.
fn comparable(table: &Table, key: &WantedKey, is_last: bool) -> Result<(), String> {
    let column = table
        .columns
        .get(key.column)
        .ok_or_else(|| "the column is not part of the foreign table".to_owned())?;
    let placed = nulls_placed(table, column)?;
    if let Some(reason) = column.ty.unordered() {
        return Err(reason.to_owned());
    }
    if column.sort.is_none() && matches!(column.format, Some(ValueFormat::Strftime(_))) {
        return Err(format!(
            "column \"{}\" declares no sort, and the API may hold its format as text",
            column.name
        ));
    }
    if column.on_error == OnError::Null {
        return Err(
            "values that do not fit become NULL here, and the API does not know".to_owned(),
        );
    }
    if !is_last && (key.rounds || column.format == Some(ValueFormat::UnixNs)) {
        return Err(format!(
            "column \"{}\" rounds the API's values, so what they order after it is lost",
            column.name
        ));
    }
    if column.ty == Type::Text {
        text(column, key.collation.as_ref())?;
    }
    if column.not_null || key.never_null {
        return Ok(());
    }
    if !is_last && dialects::of(table).tells_nulls_apart() {
        return Err(format!(
            "the API tells null from nothing in column \"{}\", so what they order after it is lost",
            column.name
        ));
    }
    nulls(column, key, placed)
}

fn text(column: &Column, collation: Option<&TextCollation>) -> Result<(), String> {
    match (&column.collation, collation) {
        (Some(own), Some(wanted)) if own == wanted => Ok(()),
        (Some(TextCollation::C) | None, wanted) if wanted != Some(&TextCollation::C) => {
            Err("text order needs COLLATE \"C\"".to_owned())
        }
        (Some(TextCollation::Named(name)), _) => {
            Err(format!("the API orders this text by collation \"{name}\""))
        }
        _ => Err(format!(
            "how the API orders text is unknown: column \"{}\" declares no collation",
            column.name
        )),
    }
}

fn nulls(column: &Column, key: &WantedKey, placed: NullsPlaced) -> Result<(), String> {
    let first = match placed {
        NullsPlaced::AsAsked => return Ok(()),
        NullsPlaced::Always(order) => comes_first(order, key.descending),
        NullsPlaced::Unknown => {
            return Err(format!(
                "where the API puts NULLs is unknown: column \"{}\" declares no sort_nulls and is not NOT NULL",
                column.name
            ));
        }
    };
    if first == key.nulls_first {
        return Ok(());
    }
    let place = if first { "first" } else { "last" };
    Err(format!("the API puts NULLs {place}"))
}

fn comes_first(order: NullsOrder, descending: bool) -> bool {
    match order {
        NullsOrder::First => true,
        NullsOrder::Last => false,
        NullsOrder::Low => !descending,
        NullsOrder::High => descending,
    }
}

/// Whether the rows whose first key is NULL come after all others, if there are any.
pub fn ends_in_nulls(table: &Table, key: &SortKey) -> bool {
    let column = &table.columns[key.column];
    column.not_null
        || match nulls_placed(table, column) {
            Ok(NullsPlaced::AsAsked) => !key.nulls_first,
            Ok(NullsPlaced::Always(order)) => !comes_first(order, key.descending),
            Ok(NullsPlaced::Unknown) | Err(_) => false,
        }
}

/// Makes the order one that the pages of a table can be cut from.
fn steady(table: &Table, keys: &mut Vec<SortKey>) -> Result<(), String> {
    match &table.paging {
        Paging::Page { .. } | Paging::Offset { .. } => total(table, keys),
        Paging::Keyset { field, .. } => by_cursor(table, field, keys),
        // One page, or the API's own way to the next one.
        Paging::Auto
        | Paging::None
        | Paging::Link
        | Paging::NextUrl { .. }
        | Paging::Cursor { .. }
        | Paging::AfterKey { .. } => Ok(()),
    }
}

/// Appends the columns of `key` that are not yet in the order. Where their NULLs stand, and how their
/// text is ordered, does not matter: nothing is promised of them but that they tell rows apart.
fn total(table: &Table, keys: &mut Vec<SortKey>) -> Result<(), String> {
    let own: Vec<usize> = table.key.to_vec();
    if own.is_empty() {
        return Err(
            "numbered pages of rows that are equal in the order may overlap: option \"key\" is not declared"
                .to_owned(),
        );
    }
    for column in own {
        if keys.iter().any(|key| key.column == column) || table.columns[column].is_input() {
            continue;
        }
        sorts(table, column).map_err(|reason| {
            format!("numbered pages need option \"key\" in the order, and {reason}")
        })?;
        keys.push(SortKey {
            column,
            descending: false,
            nulls_first: false,
        });
    }
    Ok(())
}

/// The next page goes on after the last value of the cursor's column.
fn by_cursor(table: &Table, cursor: &FieldPath, keys: &[SortKey]) -> Result<(), String> {
    match keys {
        [key] if is_field(&table.columns[key.column], cursor) && !key.descending => Ok(()),
        _ => Err("keyset pages are ordered by option \"cursor_column\", ascending".to_owned()),
    }
}

fn is_field(column: &Column, field: &FieldPath) -> bool {
    matches!(&column.role, Role::Field(own) if own == field)
}

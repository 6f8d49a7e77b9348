//! What a column's option `filter` declares (rule R2).

use crate::model::{Column, Filter, Operator};

/// The declaration of `operator`.
///
/// # Errors
/// The reason, in a user's words, where there is none.
pub(super) fn declared(column: &Column, operator: Operator) -> Result<&Filter, String> {
    let filter = column
        .filters
        .iter()
        .find(|filter| filter.operator == operator);
    filter.ok_or_else(|| undeclared(column, operator))
}

/// As [`declared`], in a dialect that itself says what can be filtered on: a column without a
/// declaration has every operator (`None`).
pub(super) fn declared_or_all(
    column: &Column,
    operator: Operator,
) -> Result<Option<&Filter>, String> {
    if column.unfiltered {
        return Err(format!("column \"{}\" declares filter 'none'", column.name));
    }
    if column.filters.is_empty() {
        return Ok(None);
    }
    declared(column, operator).map(Some)
}

fn undeclared(column: &Column, operator: Operator) -> String {
    if column.filters.is_empty() {
        return format!("column \"{}\" declares no filter", column.name);
    }
    format!(
        "column \"{}\" declares no filter for {}",
        column.name,
        operator.sql()
    )
}

//! What a column offers in a dialect that spells comparisons without a declaration of each.

use super::declared::declared_or_all;
use super::spelling::Judged;
use crate::model::{Column, Filter, OnError, Operator, TextCollation, Type, ValueFormat};

/// The declaration of `operator`, where there is one; without any, every operator is offered that
/// is safe whatever the API's type and collation are.
///
/// # Errors
/// The reason, in a user's words, where the comparison is not offered.
pub(super) fn offered(column: &Column, operator: Operator) -> Result<Option<&Filter>, String> {
    let declaration = declared_or_all(column, operator)?;
    if declaration.is_some() {
        return Ok(declaration);
    }
    let is_null_test = matches!(operator, Operator::IsNull | Operator::IsNotNull);
    match column.ty {
        Type::Text if operator.is_range() && column.collation != Some(TextCollation::C) => {
            Err(format!(
                "column \"{}\" does not declare collation 'C', and the API may order text in another way",
                column.name
            ))
        }
        _ if matches!(column.format, Some(ValueFormat::Strftime(_))) && !is_null_test => {
            Err(format!(
                "column \"{}\" declares no filter, and the API may hold its format as text",
                column.name
            ))
        }
        // citext finds more equal than text does, an enum has another order.
        Type::Other if !is_null_test => Err(format!(
            "column \"{}\" declares no filter, and the API may compare its type in another way",
            column.name
        )),
        _ => Ok(None),
    }
}

/// The verdict of a comparison that the dialect by itself answers exactly or not. A declaration
/// `exact` is believed; a value that becomes NULL here is not one for the API.
pub(super) fn judged(column: &Column, declaration: Option<&Filter>, exact: bool) -> Judged {
    let declared_exact = declaration.is_some_and(|filter| filter.exact);
    Judged {
        exact: (exact || declared_exact) && column.on_error == OnError::Error,
        format: declaration.and_then(|filter| filter.format.clone()),
    }
}

/// That an operator needs a declaration of its own, and why.
pub(super) fn must_declare(column: &Column, word: &str, why: &str) -> String {
    format!(
        "{why}; if column \"{}\" is compared as SQL does, declare filter '{word} exact'",
        column.name
    )
}

/// Why JSON and arrays are not compared as long as nothing is declared.
pub(super) fn structured(column: &Column) -> String {
    format!(
        "column \"{}\" declares no filter, and the API may not compare structured values",
        column.name
    )
}

//! Whether an API's comparison could lose rows that SQL's keeps (rules R1 and R4).

use super::terms::Resolved;
use crate::model::{Column, OnError, Operator, TextCollation, Type, ValueFormat};
use crate::predicate::Semantics;

/// `Ok` where the API's comparison returns at least the rows that SQL's would; else why it may not.
pub(super) fn comparable(
    column: &Column,
    resolved: &Resolved,
    operator: Operator,
    semantics: Semantics,
) -> Result<(), String> {
    use Operator::{Contains, ILike, IsNotNull, IsNull, Like, NotContains, NotILike, NotLike};
    match operator {
        IsNull if column.on_error == OnError::Null => {
            Err("values that do not fit become NULL here, and the API does not know".to_owned())
        }
        IsNull | IsNotNull => Ok(()),
        Like | NotLike | ILike | NotILike => match column.ty {
            Type::Text => text_is_comparable(column, false, semantics),
            _ => Err("only text can be matched with a pattern".to_owned()),
        },
        Contains | NotContains => match column.ty {
            Type::Json => Ok(()),
            Type::Array(ref element) => match **element {
                Type::Bool
                | Type::Int2
                | Type::Int4
                | Type::Int8
                | Type::Numeric
                | Type::Text
                | Type::Uuid => Ok(()),
                _ => Err("the API may compare elements of this type in another way".to_owned()),
            },
            _ => Err("only jsonb and arrays contain values".to_owned()),
        },
        _ => values_are_comparable(column, resolved, operator, semantics),
    }
}

fn values_are_comparable(
    column: &Column,
    resolved: &Resolved,
    operator: Operator,
    semantics: Semantics,
) -> Result<(), String> {
    let is_range = operator.is_range();
    let format = resolved.judged.format.as_ref().or(column.format.as_ref());
    match column.ty {
        Type::Float4 => Err("type real rounds the API's values; use double precision or numeric".to_owned()),
        Type::Bpchar => Err("type char(n) ignores trailing spaces, an API does not; use text".to_owned()),
        Type::Json => Err("JSON values cannot be compared by the API".to_owned()),
        Type::Bytes => Err("binary values cannot be compared by the API".to_owned()),
        Type::Array(_) => Err("arrays cannot be compared by the API".to_owned()),
        Type::Bool if is_range => Err("an API has no order of truth values".to_owned()),
        Type::Text => text_is_comparable(column, is_range, semantics),
        Type::Date | Type::TimestampTz => time_is_comparable(&column.ty, format),
        // An enum sorts in its own order, and an address has many spellings.
        Type::Other if is_range => Err("the API may order this type in another way".to_owned()),
        Type::Other if !resolved.judged.exact => {
            Err("the API may spell values of this type in another way, and the filter is not declared exact".to_owned())
        }
        Type::Bool
        | Type::Int2
        | Type::Int4
        | Type::Int8
        | Type::Float8
        | Type::Numeric
        | Type::Timestamp
        | Type::Uuid
        | Type::Other => Ok(()),
    }
}

fn text_is_comparable(column: &Column, is_range: bool, semantics: Semantics) -> Result<(), String> {
    if !is_range {
        let refusal = "equality is not byte by byte under this collation".to_owned();
        return if semantics.deterministic {
            Ok(())
        } else {
            Err(refusal)
        };
    }
    if !semantics.collation_is_c {
        return Err("text order needs COLLATE \"C\"".to_owned());
    }
    match &column.collation {
        Some(TextCollation::Named(name)) => {
            Err(format!("the API orders this text by collation \"{name}\""))
        }
        Some(TextCollation::C) | None => Ok(()),
    }
}

/// A day is another stretch of time in every zone, so days and instants are not compared with each other.
fn time_is_comparable(ty: &Type, format: Option<&ValueFormat>) -> Result<(), String> {
    match (ty, format) {
        (
            Type::Date,
            Some(
                ValueFormat::Rfc3339
                | ValueFormat::Unix
                | ValueFormat::UnixMs
                | ValueFormat::UnixUs
                | ValueFormat::UnixNs,
            ),
        ) => Err("the API compares instants, the column holds days; use timestamptz".to_owned()),
        (Type::TimestampTz, Some(ValueFormat::Date)) => {
            Err("the API compares days, the column holds instants; use date".to_owned())
        }
        _ => Ok(()),
    }
}

//! Which values stand in JSON without quotes.

use crate::model::{Column, Type, ValueFormat};

/// Whether a column's values are numbers, truth values or JSON already.
pub(super) fn is_bare(column: &Column) -> bool {
    match column.ty {
        Type::Bool
        | Type::Int2
        | Type::Int4
        | Type::Int8
        | Type::Float4
        | Type::Float8
        | Type::Numeric
        | Type::Json => true,
        Type::Date | Type::Timestamp | Type::TimestampTz => is_unix(column.format.as_ref()),
        Type::Text | Type::Bpchar | Type::Uuid | Type::Bytes | Type::Other | Type::Array(_) => {
            false
        }
    }
}

/// Whether times are written as numbers.
pub(super) fn is_unix(format: Option<&ValueFormat>) -> bool {
    matches!(
        format,
        Some(ValueFormat::Unix | ValueFormat::UnixMs | ValueFormat::UnixUs | ValueFormat::UnixNs)
    )
}

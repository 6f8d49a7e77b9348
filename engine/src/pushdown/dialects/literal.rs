//! Which kind of literal a column's values are where a filter's text tells kinds apart.

use crate::model::{Column, Type, ValueFormat};

/// A kind of literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true`, `false`
    Truth,
    /// `-1.5`
    Number,
    /// `2024-02-29`
    Day,
    /// `2024-02-29T12:00:00Z`
    Instant,
    /// `2024-02-29T12:00:00`, in nobody knows which zone.
    Clock,
    /// `0b0e…`
    Uuid,
    /// Text, and all that is written as text.
    Text,
}

/// The kind of a column's values; by the format that the API writes them in.
pub(super) fn kind(column: &Column) -> Kind {
    match (&column.format, &column.ty) {
        (
            Some(
                ValueFormat::Unix | ValueFormat::UnixMs | ValueFormat::UnixUs | ValueFormat::UnixNs,
            ),
            _,
        ) => Kind::Number,
        (Some(ValueFormat::Strftime(_) | ValueFormat::Base64 | ValueFormat::Csv), _) => Kind::Text,
        (Some(ValueFormat::Date), _) | (_, Type::Date) => Kind::Day,
        (_, Type::TimestampTz) => Kind::Instant,
        (_, Type::Timestamp) => Kind::Clock,
        (_, Type::Bool) => Kind::Truth,
        (_, Type::Uuid) => Kind::Uuid,
        (_, Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric) => {
            Kind::Number
        }
        (
            _,
            Type::Text | Type::Bpchar | Type::Json | Type::Bytes | Type::Other | Type::Array(_),
        ) => Kind::Text,
    }
}

/// `Ok` where a written time is one that SQL servers know: their calendar begins with the year 1.
pub(super) fn year_exists(kind: Kind, text: &str) -> Result<(), String> {
    let is_time = matches!(kind, Kind::Day | Kind::Instant | Kind::Clock);
    if is_time && text.starts_with("0000-") {
        return Err("the API's calendar has no year 0".to_owned());
    }
    Ok(())
}

//! Which values stand in JSON without quotes.

use crate::model::{Column, Type, ValueFormat};

/// Whether a column's values are numbers, truth values or JSON already.
pub(crate) fn is_bare(column: &Column) -> bool {
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

/// Whether two numbers' texts are one number, where one may have an exponent.
pub(super) fn same_decimal(one: &str, other: &str) -> bool {
    let parts = |text: &str| -> Option<(bool, String, i64)> {
        let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_negative = whole.starts_with('-');
        let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
        let power = power.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?;
        let short = digits.trim_end_matches('0');
        let dropped = i64::try_from(digits.len() - short.len()).ok()?;
        let significant = short.trim_start_matches('0').to_owned();
        let is_zero = significant.is_empty();
        Some((
            is_negative && !is_zero,
            significant,
            if is_zero { 0 } else { power + dropped },
        ))
    };
    parts(one).is_some() && parts(one) == parts(other)
}

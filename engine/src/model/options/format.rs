//! A column's `format` option, and which types each format fits.

use super::definition::ColumnDefinition;
use super::error::OptionError;
use crate::model::{Type, ValueFormat};

/// The format, if it fits the column's type.
pub(super) fn fitting(
    format: ValueFormat,
    column: &ColumnDefinition,
) -> Result<ValueFormat, OptionError> {
    if fits(&format, &column.ty) {
        return Ok(format);
    }
    let message = format!(
        "format '{}' does not fit type {}",
        name(&format),
        column.type_name
    );
    Err(OptionError::conflict(message))
}

/// What a user writes for a format.
fn name(format: &ValueFormat) -> &str {
    match format {
        ValueFormat::Rfc3339 => "rfc3339",
        ValueFormat::Date => "date",
        ValueFormat::Unix => "unix",
        ValueFormat::UnixMs => "unix_ms",
        ValueFormat::UnixUs => "unix_us",
        ValueFormat::UnixNs => "unix_ns",
        ValueFormat::Base64 => "base64",
        ValueFormat::Csv => "csv",
        ValueFormat::Strftime(pattern) => pattern,
    }
}

/// A format's name, or a strftime pattern.
pub(super) fn value_format(option: &str, value: &str) -> Result<ValueFormat, OptionError> {
    Ok(match value {
        "rfc3339" => ValueFormat::Rfc3339,
        "date" => ValueFormat::Date,
        "unix" => ValueFormat::Unix,
        "unix_ms" => ValueFormat::UnixMs,
        "unix_us" => ValueFormat::UnixUs,
        "unix_ns" => ValueFormat::UnixNs,
        "base64" => ValueFormat::Base64,
        "csv" => ValueFormat::Csv,
        pattern if pattern.contains('%') => strftime(option, pattern)?,
        _ => {
            let hint = "Valid formats are rfc3339, date, unix, unix_ms, unix_us, unix_ns, base64, csv, \
                        or a strftime pattern such as '%d.%m.%Y'.";
            return Err(
                OptionError::invalid(option, format_args!("\"{value}\" is not a format"))
                    .with_hint(hint),
            );
        }
    })
}

fn strftime(option: &str, pattern: &str) -> Result<ValueFormat, OptionError> {
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(pattern, &sample) {
        Ok(_) => Ok(ValueFormat::Strftime(pattern.to_owned())),
        Err(error) => Err(OptionError::invalid(
            option,
            format_args!("not a strftime pattern: {error}"),
        )),
    }
}

/// Whether values of `ty` can be written so.
fn fits(format: &ValueFormat, ty: &Type) -> bool {
    let is_time = matches!(ty, Type::Date | Type::Timestamp | Type::TimestampTz);
    let is_number = matches!(
        ty,
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric
    );
    match format {
        ValueFormat::Rfc3339 | ValueFormat::Date | ValueFormat::Strftime(_) => is_time,
        ValueFormat::Unix | ValueFormat::UnixMs | ValueFormat::UnixUs | ValueFormat::UnixNs => {
            is_time || is_number
        }
        ValueFormat::Base64 => matches!(ty, Type::Bytes | Type::Text),
        ValueFormat::Csv => matches!(ty, Type::Array(_)),
    }
}

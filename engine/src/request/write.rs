//! A value's text as the API writes it (rule R4: or that it cannot be written).

use super::number;
use super::time::{self, Written};
use crate::model::{Column, Operator, Type};
use crate::predicate::Value;

/// Writes a value for a comparison with a column, or says in a user's words why it cannot be.
///
/// Only values of the column's own family of types are written: a comparison across families follows
/// rules of PostgreSQL that an API does not know.
pub(crate) fn write(column: &Column, operator: Operator, value: &Value) -> Result<Written, String> {
    let is_input = column.is_input();
    let format = column.format.as_ref();
    let text = match (&column.ty, value) {
        (Type::Date, Value::Date(days)) => return time::date(*days, format),
        (Type::Timestamp, Value::Timestamp(micros)) => {
            return time::clock(*micros, format, operator, is_input);
        }
        (Type::TimestampTz, Value::TimestampTz(micros)) => {
            return time::instant(*micros, format, operator, is_input);
        }
        (Type::Bool, Value::Bool(truth)) => Some(truth.to_string()),
        (Type::Int2 | Type::Int4 | Type::Int8, value) if is_in_range(&column.ty, value) => {
            whole_number(value)
        }
        (Type::Float8, Value::Float(number)) => number::double(*number),
        (Type::Float8, Value::Int(number)) => number::integer_as_double(*number),
        (Type::Float4, Value::Float(number)) if is_input => number::single(*number as f32),
        (Type::Numeric, Value::Numeric(digits)) => number::decimal(digits),
        (Type::Numeric, Value::Int(number)) => Some(number.to_string()),
        (Type::Uuid, Value::Uuid(bytes)) => Some(uuid(bytes)),
        (
            Type::Text | Type::Bpchar | Type::Json | Type::Other,
            Value::Text(text) | Value::Other(text),
        ) => Some(text.clone()),
        _ => None,
    };
    text.map(Written::exactly)
        .ok_or_else(|| "the API has no such value, or it is of another type".to_owned())
}

/// Whether a column of an integer type could hold the value: SQL compares integers of different sizes,
/// an API may refuse what its type cannot hold.
pub(crate) fn is_in_range(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Int2, Value::Int(number)) => i16::try_from(*number).is_ok(),
        (Type::Int4, Value::Int(number)) => i32::try_from(*number).is_ok(),
        _ => true,
    }
}

fn whole_number(value: &Value) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::Numeric(digits) => number::whole(digits),
        Value::Float(number) => number::whole_double(*number),
        _ => None,
    }
}

/// RFC 9562, section 4: lower case, hyphenated.
fn uuid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

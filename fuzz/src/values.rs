//! Values of columns: drawn from bytes, written as an API writes them, compared as SQL compares them.

use arbitrary::{Result, Unstructured};
use jiff::Timestamp;
use oracle::values::Kind;
use rest_engine::predicate::Value;
use std::cmp::Ordering;

const DAY: i64 = 86_400_000_000;
/// 2024-02-29T12:00:00Z.
const NOON: i64 = 1_709_208_000_000_000;
/// PostgreSQL's first instant; its last ones are beyond 64 bits.
const FIRST: i64 = -210_866_803_200_000_000;

/// Draws a value that is not NULL.
///
/// # Errors
/// There are no more bytes.
pub fn draw(bytes: &mut Unstructured, kind: Kind) -> Result<Value> {
    if bytes.ratio(1, 2)? {
        let text = bytes.choose(kind.values())?;
        if let Some(value) = read(kind, text) {
            return Ok(value);
        }
    }
    Ok(match kind {
        Kind::Int4 => Value::Int(bytes.arbitrary::<i32>()?.into()),
        Kind::Int8 if bytes.ratio(2, 3)? => Value::Int(bytes.int_in_range(-9..=9)?),
        Kind::Int8 => Value::Int(bytes.arbitrary()?),
        Kind::Float8 => Value::Float(bytes.arbitrary()?),
        Kind::Numeric => numeric(bytes)?,
        Kind::Bool => Value::Bool(bytes.arbitrary()?),
        // No text of PostgreSQL has a NUL.
        Kind::Text | Kind::TextC => {
            let length = bytes.int_in_range(0..=24)?;
            let text = String::from_utf8_lossy(bytes.bytes(length)?);
            Value::Text(text.replace('\0', ""))
        }
        Kind::Uuid => Value::Uuid(bytes.arbitrary()?),
        Kind::Date => date(bytes)?,
        Kind::Timestamp => Value::Timestamp(time(bytes)?),
        Kind::TimestampTz => Value::TimestampTz(time(bytes)?),
        Kind::Jsonb | Kind::TextArray => Value::Other((*bytes.choose(kind.values())?).to_owned()),
    })
}

/// One of the oracle's values; none where its text is of another form.
fn read(kind: Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Int4 | Kind::Int8 => Value::Int(text.parse().ok()?),
        Kind::Float8 => Value::Float(text.parse().ok()?),
        Kind::Numeric => Value::Numeric(text.to_owned()),
        Kind::Text | Kind::TextC => Value::Text(text.to_owned()),
        _ => return None,
    })
}

fn numeric(bytes: &mut Unstructured) -> Result<Value> {
    let text = match bytes.int_in_range(0..=15u8)? {
        0 => (*bytes.choose(&["NaN", "Infinity", "-Infinity"])?).to_owned(),
        1..=4 => bytes.arbitrary::<i128>()?.to_string(),
        _ => format!(
            "{}.{}",
            bytes.arbitrary::<i16>()?,
            bytes.arbitrary::<u16>()?
        ),
    };
    Ok(Value::Numeric(text))
}

fn date(bytes: &mut Unstructured) -> Result<Value> {
    Ok(Value::Date(match bytes.int_in_range(0..=7u8)? {
        0 => *bytes.choose(&[i32::MAX, i32::MIN])?,
        1 => bytes.int_in_range(-2_440_588..=106_751_991)?,
        _ => (NOON / DAY) as i32 + i32::from(bytes.arbitrary::<i8>()?),
    }))
}

fn time(bytes: &mut Unstructured) -> Result<i64> {
    Ok(match bytes.int_in_range(0..=7u8)? {
        0 => *bytes.choose(&[i64::MAX, i64::MIN])?,
        1 => bytes.int_in_range(FIRST..=i64::MAX - 1)?,
        2 => NOON + bytes.int_in_range(-3_000..=3_000)?,
        3 => NOON + 1_000_000 * i64::from(bytes.arbitrary::<i8>()?),
        _ => NOON + DAY / 2 * i64::from(bytes.arbitrary::<i8>()?),
    })
}

/// The text that [`Kind::json`] makes an API's JSON of; `None` where no API has such a value.
pub fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null | Value::List(_) => return None,
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => serde_json::Number::from_f64(*value)?.to_string(),
        Value::Numeric(text) if text.ends_with(|last: char| last.is_ascii_digit()) => text.clone(),
        Value::Numeric(_) => return None,
        Value::Text(text) | Value::Other(text) => text.clone(),
        Value::Date(days) => at(i64::from(*days).checked_mul(DAY)?)?[..10].to_owned(),
        Value::Timestamp(micros) => at(*micros)?.trim_end_matches('Z').to_owned(),
        Value::TimestampTz(micros) => at(*micros)?,
        Value::Uuid(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            ];
            parts.join("-")
        }
    })
}

/// RFC 3339, in the years that it has.
fn at(micros: i64) -> Option<String> {
    let text = Timestamp::from_microsecond(micros).ok()?.to_string();
    let is_common = !text.starts_with('-') && !text.starts_with("0000");
    is_common.then_some(text)
}

/// Which of two values of one kind comes first; `None` where that is a collation's choice.
pub fn compare(kind: Kind, left: &Value, right: &Value) -> Option<Ordering> {
    Some(match (left, right) {
        (Value::Text(left), Value::Text(right)) if kind == Kind::TextC || left == right => {
            left.cmp(right)
        }
        (Value::Text(_), Value::Text(_)) => return None,
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => floats(*left, *right),
        (Value::Numeric(left), Value::Numeric(right)) => decimals(left, right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::TimestampTz(left), Value::TimestampTz(right)) => left.cmp(right),
        other => unreachable!("{other:?} are not of one kind"),
    })
}

/// NaN is the largest, and equal to itself.
fn floats(left: f64, right: f64) -> Ordering {
    let by_nan = left.is_nan().cmp(&right.is_nan());
    left.partial_cmp(&right).unwrap_or(by_nan)
}

fn decimals(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| {
        let rank = match text {
            "-Infinity" => -1,
            "Infinity" => 1,
            "NaN" => 2,
            _ => 0,
        };
        let digits = text.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        (rank, text.starts_with('-') && !is_zero, whole, fraction)
    };
    let (left, right) = (parts(left), parts(right));
    if (left.0, right.0) != (0, 0) {
        return left.0.cmp(&right.0);
    }
    let size = (left.2.len(), &left.2, &left.3).cmp(&(right.2.len(), &right.2, &right.3));
    match (left.1, right.1) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (is_negative, _) if is_negative => Ordering::Less,
        _ => Ordering::Greater,
    }
}

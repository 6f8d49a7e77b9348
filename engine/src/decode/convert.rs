//! A JSON value → a cell of its column's type.

use super::batch::{Batch, Cell, Span};
use super::datetime::{Moment, by_pattern, day, since_1970};
use super::grammar::separator;
use super::lexer::{Expected, space};
use super::locate::single;
use super::number::{self, Decimal, OutOfRange};
use super::text::{append, json, plain, utf8};
use super::value::{Misfit, Text, Value};
use crate::model::{Type, ValueFormat};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Makes cells. It keeps what it needs from one value to the next, so that a value costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Converter {
    /// Elements of the lists that are being read.
    pending: Vec<Cell>,
}

impl Converter {
    /// The cell of `ty` for `value`. Its text, bytes and elements are added to `batch`; after an error
    /// they may have been added in part.
    #[inline]
    pub fn cell(
        &mut self,
        batch: &mut Batch,
        ty: &Type,
        format: Option<&ValueFormat>,
        value: Value,
    ) -> Result<Cell, Misfit> {
        match (ty, value) {
            (_, Value::Null) => Ok(Cell::Null),
            (Type::Text, value) if format == Some(&ValueFormat::Base64) => {
                base64_text(batch, &value)
            }
            (Type::Text | Type::Bpchar | Type::Other, value) => written(batch, value),
            (Type::Int2, value) => integer(value, i16::MIN.into(), i16::MAX.into(), "smallint"),
            (Type::Int4, value) => integer(value, i32::MIN.into(), i32::MAX.into(), "integer"),
            (Type::Int8, value) => integer(value, i64::MIN, i64::MAX, "bigint"),
            (Type::Float4, value) => Ok(Cell::Float(number::single(trimmed(&numeral(&value)?))?)),
            (Type::Float8, value) => Ok(Cell::Float(number::double(trimmed(&numeral(&value)?))?)),
            (Type::Numeric, value) => numeric(batch, &value),
            (Type::Bool, value) => boolean(&value).map(Cell::Bool),
            (Type::Date | Type::Timestamp | Type::TimestampTz, value) => {
                date_time(batch, ty, format, value)
            }
            (Type::Uuid, value) => uuid(batch, value),
            (Type::Json, value) => json_cell(batch, value),
            (Type::Bytes, value) if format == Some(&ValueFormat::Base64) => base64(batch, &value),
            (Type::Bytes, value) => written(batch, value),
            (Type::Array(element), value) => self.array(batch, element, format, value),
        }
    }

    fn array(
        &mut self,
        batch: &mut Batch,
        element: &Type,
        format: Option<&ValueFormat>,
        value: Value,
    ) -> Result<Cell, Misfit> {
        match value {
            Value::Array(raw) => self.list(batch, element, format, raw),
            Value::Text(text) if format == Some(&ValueFormat::Csv) => {
                let list = plain(&text)?;
                self.comma_list(batch, element, &list)
            }
            Value::Text(text) if text.raw.starts_with(b"{") => written(batch, value),
            _ => Err("expected an array".into()),
        }
    }

    /// The elements of `raw`, an array. Arrays in it are lists too, unless the element type takes them whole.
    fn list(
        &mut self,
        batch: &mut Batch,
        element: &Type,
        format: Option<&ValueFormat>,
        raw: &[u8],
    ) -> Result<Cell, Misfit> {
        let base = self.pending.len();
        let mut at = space(raw, 1);
        let mut goes_on = raw.get(at) != Some(&b']');
        while goes_on {
            let (slot, end) = single(raw, space(raw, at), 0).map_err(|_| MALFORMED)?;
            let cell = match (slot.value(raw), element) {
                (value, Type::Json | Type::Array(_)) => self.cell(batch, element, format, value)?,
                (Value::Array(inner), _) => self.list(batch, element, format, inner)?,
                (value, _) => self.cell(batch, element, format, value)?,
            };
            self.pending.push(cell);
            (at, goes_on) =
                separator(raw, end, b']', Expected::CommaOrBracket).map_err(|_| MALFORMED)?;
        }
        self.end_list(batch, base)
    }

    fn comma_list(
        &mut self,
        batch: &mut Batch,
        element: &Type,
        list: &str,
    ) -> Result<Cell, Misfit> {
        let base = self.pending.len();
        // What stands between commas is no JSON text, but the type's own form.
        let element = if *element == Type::Json {
            &Type::Other
        } else {
            element
        };
        if !list.is_empty() {
            for part in list.split(',') {
                let text = Text {
                    raw: part.trim().as_bytes(),
                    escaped: false,
                    ascii: false,
                };
                let cell = self.cell(batch, element, None, Value::Text(text))?;
                self.pending.push(cell);
            }
        }
        self.end_list(batch, base)
    }

    fn end_list(&mut self, batch: &mut Batch, base: usize) -> Result<Cell, Misfit> {
        let start = u32::try_from(batch.elements.len()).map_err(|_| TOO_LARGE)?;
        let len = u32::try_from(self.pending.len() - base).map_err(|_| TOO_LARGE)?;
        batch.elements.extend(self.pending.drain(base..));
        Ok(Cell::List { start, len })
    }

    /// Forgets what an error left behind.
    pub fn reset(&mut self) {
        self.pending.clear();
    }
}

const MALFORMED: &str = "it is not valid JSON";
const TOO_LARGE: &str = "its row is larger than 4 GiB";

/// Adds to the arena, and gives the span of what was added.
#[inline]
fn add(
    batch: &mut Batch,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Misfit>,
) -> Result<Span, Misfit> {
    let start = batch.arena.len();
    write(&mut batch.arena)?;
    let end = u32::try_from(batch.arena.len()).map_err(|_| TOO_LARGE)?;
    // `start` is not after `end`.
    let start = start as u32;
    Ok(Span {
        start,
        len: end - start,
    })
}

fn add_str(batch: &mut Batch, text: &str) -> Result<Cell, Misfit> {
    let span = add(batch, |arena| {
        arena.extend_from_slice(text.as_bytes());
        Ok(())
    })?;
    Ok(Cell::Text(span))
}

/// Any value in its plain text form: a text unescaped, everything else as it was written.
#[inline]
fn written(batch: &mut Batch, value: Value) -> Result<Cell, Misfit> {
    match value {
        Value::Text(text) => add(batch, |arena| append(text, arena)).map(Cell::Text),
        Value::Integer(raw) | Value::Decimal(raw) | Value::Array(raw) | Value::Object(raw) => {
            add_str(batch, utf8(raw)?)
        }
        Value::Bool(true) => add_str(batch, "true"),
        Value::Bool(false) => add_str(batch, "false"),
        Value::Null => Ok(Cell::Null),
    }
}

fn json_cell(batch: &mut Batch, value: Value) -> Result<Cell, Misfit> {
    match value {
        Value::Text(text) => {
            let raw = json(text.raw)?;
            let span = add(batch, |arena| {
                arena.push(b'"');
                arena.extend_from_slice(raw.as_bytes());
                arena.push(b'"');
                Ok(())
            })?;
            Ok(Cell::Text(span))
        }
        Value::Array(raw) | Value::Object(raw) => add_str(batch, json(raw)?),
        value => written(batch, value),
    }
}

#[inline]
fn integer(value: Value, min: i64, max: i64, name: &str) -> Result<Cell, Misfit> {
    let found = match value {
        Value::Integer(raw) => match number::short_integer(raw) {
            Some(value) => Some(value),
            None => whole(raw)?,
        },
        Value::Decimal(raw) => whole(raw)?,
        Value::Text(text) => match number::integer_text(trimmed(&plain(&text)?)) {
            Some(Ok(value)) => Some(value),
            Some(Err(OutOfRange)) => None,
            None => return Err("expected an integer".into()),
        },
        _ => return Err("expected an integer".into()),
    };
    match found {
        Some(value) if (min..=max).contains(&value) => Ok(Cell::Int(value)),
        _ => Err(format!("out of range for type {name}").into()),
    }
}

/// The integer that a number is: `2.0` and `2e3` too. `None` beyond 64 bits.
fn whole(raw: &[u8]) -> Result<Option<i64>, Misfit> {
    match Decimal::parse(raw).map(|number| number.rounded(0)) {
        Some(Some(rounded)) if !rounded.exact => {
            Err("expected an integer, found a fraction".into())
        }
        Some(rounded) => Ok(rounded.map(|rounded| rounded.value)),
        None => Err("expected an integer".into()),
    }
}

/// A number, or a text that should hold one.
fn numeral<'a>(value: &Value<'a>) -> Result<Cow<'a, str>, Misfit> {
    match value {
        Value::Integer(raw) | Value::Decimal(raw) => Ok(Cow::Borrowed(utf8(raw)?)),
        Value::Text(text) => plain(text),
        _ => Err("expected a number".into()),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_ascii_whitespace())
}

fn numeric(batch: &mut Batch, value: &Value) -> Result<Cell, Misfit> {
    let text = numeral(value)?;
    let text = trimmed(&text);
    if let Some(value) = number::short_integer(text.as_bytes()) {
        return Ok(Cell::Int(value));
    }
    let word = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = ["nan", "inf", "infinity"]
        .iter()
        .any(|special| word.eq_ignore_ascii_case(special));
    if special || Decimal::parse(text.as_bytes()).is_some() {
        add_str(batch, text)
    } else {
        Err("expected a number".into())
    }
}

fn boolean(value: &Value) -> Result<bool, Misfit> {
    const EXPECTED: &str = "expected true or false";
    let word = match value {
        Value::Bool(value) => return Ok(*value),
        Value::Integer(raw) | Value::Decimal(raw) => {
            return match whole(raw) {
                Ok(Some(0)) => Ok(false),
                Ok(Some(1)) => Ok(true),
                _ => Err(EXPECTED.into()),
            };
        }
        Value::Text(text) => plain(text)?,
        _ => return Err(EXPECTED.into()),
    };
    let is_one_of = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is_one_of(&["true", "t", "yes", "on", "1"]) {
        Ok(true)
    } else if is_one_of(&["false", "f", "no", "off", "0"]) {
        Ok(false)
    } else {
        Err(EXPECTED.into())
    }
}

fn date_time(
    batch: &mut Batch,
    ty: &Type,
    format: Option<&ValueFormat>,
    value: Value,
) -> Result<Cell, Misfit> {
    match format {
        Some(ValueFormat::Unix) => instant(ty, &value, 6),
        Some(ValueFormat::UnixMs) => instant(ty, &value, 3),
        Some(ValueFormat::UnixUs) => instant(ty, &value, 0),
        Some(ValueFormat::UnixNs) => instant(ty, &value, -3),
        Some(ValueFormat::Strftime(pattern)) => {
            let moment = by_pattern(pattern, &numeral(&value).map_err(|_| NOT_A_TIME)?)?;
            // A pattern without a zone means UTC.
            Ok(moment_cell(
                ty,
                Moment {
                    offset: moment.offset.or(Some(0)),
                    ..moment
                },
            ))
        }
        _ => plain_date_time(batch, ty, value),
    }
}

const NOT_A_TIME: &str = "expected a date or time as text";

fn plain_date_time(batch: &mut Batch, ty: &Type, value: Value) -> Result<Cell, Misfit> {
    match value {
        Value::Text(text) => match Moment::parse(text.raw) {
            Some(Moment { offset: None, .. }) if *ty == Type::TimestampTz => written(batch, value),
            Some(moment) => Ok(moment_cell(ty, moment)),
            None => written(batch, value),
        },
        Value::Integer(_) | Value::Decimal(_) => Err(
            "expected a date or time as text, found a number: declare format 'unix' or 'unix_ms'"
                .into(),
        ),
        _ => Err(NOT_A_TIME.into()),
    }
}

pub(super) fn moment_cell(ty: &Type, moment: Moment) -> Cell {
    match ty {
        Type::Date => Cell::Date(moment.days),
        Type::TimestampTz => Cell::Timestamp(moment.local() - moment.offset.unwrap_or_default()),
        _ => Cell::Timestamp(moment.local()),
    }
}

fn instant(ty: &Type, value: &Value, power: i64) -> Result<Cell, Misfit> {
    let text = numeral(value)?;
    let name = match ty {
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        _ => "timestamp with time zone",
    };
    let micros = since_1970(trimmed(&text).as_bytes(), power, name)?;
    Ok(if *ty == Type::Date {
        Cell::Date(day(micros))
    } else {
        Cell::Timestamp(micros)
    })
}

fn uuid(batch: &mut Batch, value: Value) -> Result<Cell, Misfit> {
    let Value::Text(text) = value else {
        return Err("expected a UUID as text".into());
    };
    match uuid_bytes(text.raw) {
        Some(bytes) => add(batch, |arena| {
            arena.extend_from_slice(&bytes);
            Ok(())
        })
        .map(Cell::Bytes),
        None => written(batch, value),
    }
}

/// The usual forms: 32 hexadecimal digits, with the hyphens of RFC 9562 (section 4) or without any.
fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let hyphens = match text.len() {
        32 => false,
        36 => true,
        _ => return None,
    };
    let (mut bytes, mut at) = ([0; 16], 0);
    for (index, byte) in bytes.iter_mut().enumerate() {
        if hyphens && matches!(index, 4 | 6 | 8 | 10) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(text[at])? * 16 + digit(text[at + 1])?).ok()?;
        at += 2;
    }
    Some(bytes)
}

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

fn base64_text(batch: &mut Batch, value: &Value) -> Result<Cell, Misfit> {
    let Cell::Bytes(span) = base64(batch, value)? else {
        return Err("expected base64 text".into());
    };
    match std::str::from_utf8(batch.bytes(span)) {
        Ok(text) if text.contains('\0') => Err("text cannot hold \\u0000".into()),
        Ok(_) => Ok(Cell::Text(span)),
        Err(_) => Err("what its base64 holds is no text in UTF-8".into()),
    }
}

fn base64(batch: &mut Batch, value: &Value) -> Result<Cell, Misfit> {
    let Value::Text(text) = value else {
        return Err("expected base64 text".into());
    };
    let mut text = plain(text)?;
    if text.contains(|character: char| character.is_ascii_whitespace()) {
        // MIME (RFC 2045, section 6.8) breaks it into lines.
        text.to_mut()
            .retain(|character| !character.is_ascii_whitespace());
    }
    let engine = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    let span = add(batch, |arena| {
        engine
            .decode_vec(text.as_bytes(), arena)
            .map_err(|error| format!("it is not valid base64: {error}").into())
    })?;
    Ok(Cell::Bytes(span))
}

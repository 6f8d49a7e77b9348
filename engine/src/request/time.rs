//! Dates and times as APIs write them, and what happens to values finer than the API's unit.

use crate::model::{Operator, ValueFormat};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A value's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// What is sent.
    pub(crate) text: String,
    /// The API's unit is coarser, and the bound was moved outward.
    pub(crate) widened: bool,
}

impl Written {
    pub(super) fn exactly(text: impl Into<String>) -> Self {
        Written {
            text: text.into(),
            widened: false,
        }
    }
}

type Result<T> = std::result::Result<T, String>;

const DAY: i64 = 86_400_000_000;

/// A date: days since 1970-01-01.
pub(super) fn date(days: i32, format: Option<&ValueFormat>) -> Result<Written> {
    if days == i32::MAX || days == i32::MIN {
        return Err(infinite());
    }
    let since_epoch = SignedDuration::from_hours(i64::from(days) * 24);
    let date = Date::constant(1970, 1, 1)
        .checked_add(since_epoch)
        .map_err(|_| out_of_range())?;
    if date.year() < 0 {
        return Err(out_of_range());
    }
    let text = match format {
        None | Some(ValueFormat::Date) => format!("{date}"),
        Some(ValueFormat::Rfc3339) => format!("{date}T00:00:00Z"),
        Some(ValueFormat::Strftime(pattern)) => {
            let text = strtime::format(pattern, date).map_err(|error| error.to_string())?;
            let back = strtime::parse(pattern, &text).and_then(|parsed| parsed.to_date());
            unless_lossy(text, back.is_ok_and(|back| back == date))?
        }
        Some(format) => {
            let ticks =
                i128::from(days) * i128::from(DAY) * 1000 / i128::from(nanoseconds(format)?);
            ticks.to_string()
        }
    };
    Ok(Written::exactly(text))
}

/// An instant: microseconds since 1970-01-01T00:00:00Z.
///
/// `operator` decides to which side a bound may move; `fraction` allows fractions of Unix seconds.
pub(super) fn instant(
    micros: i64,
    format: Option<&ValueFormat>,
    operator: Operator,
    fraction: bool,
) -> Result<Written> {
    let at = civil(micros)?;
    match format {
        None | Some(ValueFormat::Rfc3339) => Ok(Written::exactly(format!("{}Z", rfc3339(at)?))),
        Some(ValueFormat::Strftime(pattern)) => {
            let instant = Timestamp::from_microsecond(micros).map_err(|_| out_of_range())?;
            let text = strtime::format(pattern, &instant.to_zoned(TimeZone::UTC))
                .map_err(|error| error.to_string())?;
            let parsed = strtime::parse(pattern, &text).map_err(|error| error.to_string())?;
            let same_instant = parsed.to_timestamp().is_ok_and(|back| back == instant);
            let same_clock =
                parsed.to_timestamp().is_err() && parsed.to_datetime().is_ok_and(|back| back == at);
            Ok(Written::exactly(unless_lossy(
                text,
                same_instant || same_clock,
            )?))
        }
        Some(format) => ticks(micros, format, operator, fraction),
    }
}

/// A date and time without zone: microseconds since 1970-01-01T00:00:00.
pub(super) fn clock(
    micros: i64,
    format: Option<&ValueFormat>,
    operator: Operator,
    fraction: bool,
) -> Result<Written> {
    let at = civil(micros)?;
    match format {
        None | Some(ValueFormat::Rfc3339) => Ok(Written::exactly(rfc3339(at)?)),
        Some(ValueFormat::Strftime(pattern)) => {
            let text = strtime::format(pattern, at).map_err(|error| error.to_string())?;
            let back = strtime::parse(pattern, &text).and_then(|parsed| parsed.to_datetime());
            Ok(Written::exactly(unless_lossy(
                text,
                back.is_ok_and(|back| back == at),
            )?))
        }
        Some(format) => ticks(micros, format, operator, fraction),
    }
}

/// Whole units since 1970 (for `date`: a day's name), moved outward where the value is finer.
fn ticks(micros: i64, format: &ValueFormat, operator: Operator, fraction: bool) -> Result<Written> {
    match format {
        ValueFormat::Date => {
            let (days, widened) = outward(micros, DAY, operator)?;
            let days = i32::try_from(days).map_err(|_| out_of_range())?;
            let text = date(days, None)?.text;
            Ok(Written { text, widened })
        }
        ValueFormat::UnixNs => nanosecond_bound(micros, operator, fraction),
        ValueFormat::Unix if fraction => {
            let sign = if micros < 0 { "-" } else { "" };
            let (seconds, rest) = (
                micros.unsigned_abs() / 1_000_000,
                micros.unsigned_abs() % 1_000_000,
            );
            Ok(Written::exactly(format!(
                "{sign}{seconds}{}",
                fraction_text(rest)
            )))
        }
        format => {
            let (ticks, widened) = outward(micros, nanoseconds(format)? / 1000, operator)?;
            Ok(Written {
                text: ticks.to_string(),
                widened,
            })
        }
    }
}

/// PostgreSQL's microsecond stands for up to a microsecond of the API's nanoseconds on either side.
fn nanosecond_bound(micros: i64, operator: Operator, fraction: bool) -> Result<Written> {
    let nanos = i128::from(micros) * 1000;
    let (bound, widened) = match operator {
        Operator::Ge => (nanos - 999, true),
        Operator::Le => (nanos + 999, true),
        Operator::Gt | Operator::Lt => (nanos, true),
        _ if fraction => (nanos, false),
        _ => return Err(finer()),
    };
    Ok(Written {
        text: bound.to_string(),
        widened,
    })
}

/// The value in `unit`s; a value between two of them goes to the side that keeps all rows.
fn outward(micros: i64, unit: i64, operator: Operator) -> Result<(i64, bool)> {
    let floor = micros.div_euclid(unit);
    match operator {
        _ if micros.rem_euclid(unit) == 0 => Ok((floor, false)),
        Operator::Gt | Operator::Ge => Ok((floor, true)),
        Operator::Lt | Operator::Le => Ok((floor + 1, true)),
        _ => Err(finer()),
    }
}

fn nanoseconds(format: &ValueFormat) -> Result<i64> {
    match format {
        ValueFormat::Unix => Ok(1_000_000_000),
        ValueFormat::UnixMs => Ok(1_000_000),
        ValueFormat::UnixUs => Ok(1000),
        ValueFormat::UnixNs => Ok(1),
        _ => Err("its format is not one of times".to_owned()),
    }
}

fn civil(micros: i64) -> Result<DateTime> {
    if micros == i64::MAX || micros == i64::MIN {
        return Err(infinite());
    }
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    epoch
        .checked_add(SignedDuration::from_micros(micros))
        .map_err(|_| out_of_range())
}

/// RFC 3339 without its offset; a fraction only as long as needed.
fn rfc3339(at: DateTime) -> Result<String> {
    if at.year() < 0 {
        return Err(out_of_range());
    }
    let micros = u64::from(at.subsec_nanosecond().unsigned_abs() / 1000);
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    Ok(format!(
        "{date}T{hour:02}:{minute:02}:{second:02}{}",
        fraction_text(micros)
    ))
}

fn fraction_text(micros: u64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_owned()
}

/// A pattern that leaves something out (the time of day, the century) would send another value.
fn unless_lossy(text: String, reads_back: bool) -> Result<String> {
    if reads_back {
        Ok(text)
    } else {
        Err("its format leaves a part of the value out".to_owned())
    }
}

fn infinite() -> String {
    "an API has no infinity".to_owned()
}

fn out_of_range() -> String {
    "its year is not from 0000 to 9999".to_owned()
}

fn finer() -> String {
    "it is finer than the unit in which the API counts".to_owned()
}

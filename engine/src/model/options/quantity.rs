//! Numbers, durations, sizes and truth values.

use super::error::OptionError;
use crate::model::{RateLimit, RatePeriod};
use std::time::Duration;

/// A truth value, spelled as in PostgreSQL.
pub(super) fn boolean(option: &str, value: &str) -> Result<bool, OptionError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is neither on nor off"),
        )),
    }
}

/// A whole number from 0.
pub(super) fn count(option: &str, value: &str) -> Result<u64, OptionError> {
    let parsed = value
        .trim()
        .parse::<u64>()
        .ok()
        .filter(|number| *number <= i64::MAX as u64);
    parsed.ok_or_else(|| {
        OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a whole number from 0"),
        )
    })
}

/// A whole number from 1.
pub(super) fn positive(option: &str, value: &str) -> Result<u64, OptionError> {
    within(option, value, 1, i64::MAX as u64)
}

/// Tries after the first.
pub(super) fn retries(option: &str, value: &str) -> Result<u32, OptionError> {
    within(option, value, 0, 100).map(|number| number as u32)
}

/// Requests in flight.
pub(super) fn concurrency(option: &str, value: &str) -> Result<u32, OptionError> {
    within(option, value, 1, 64).map(|number| number as u32)
}

fn within(option: &str, value: &str, least: u64, most: u64) -> Result<u64, OptionError> {
    let parsed = value
        .trim()
        .parse::<u64>()
        .ok()
        .filter(|number| (least..=most).contains(number));
    parsed.ok_or_else(|| {
        let range = if most == i64::MAX as u64 {
            format!("from {least}")
        } else {
            format!("from {least} to {most}")
        };
        OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a whole number {range}"),
        )
    })
}

/// An estimated number of rows.
pub(super) fn estimate(option: &str, value: &str) -> Result<f64, OptionError> {
    let parsed = value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|rows| rows.is_finite() && *rows > 0.0);
    parsed.ok_or_else(|| {
        OptionError::invalid(option, format_args!("\"{value}\" is not a positive number"))
    })
}

const LONGEST: Duration = Duration::from_secs(30 * 86400);

/// A duration with a unit: `500ms`, `10s`, `2min`, `1h`, `1d`; at most 30 days.
pub(super) fn duration(option: &str, value: &str) -> Result<Duration, OptionError> {
    let (number, unit) = number_and_unit(value);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        "" if number.parse() == Ok(0.0) => 0.0,
        "" if !number.is_empty() => return Err(without_unit(option, value)),
        _ => return Err(not_a_duration(option, value)),
    };
    let number: f64 = number.parse().map_err(|_| not_a_duration(option, value))?;
    let duration = Duration::try_from_secs_f64(number * seconds).ok();
    duration
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| not_a_duration(option, value))
}

/// A duration longer than nothing.
pub(super) fn timeout(option: &str, value: &str) -> Result<Duration, OptionError> {
    match duration(option, value)? {
        Duration::ZERO => Err(OptionError::invalid(
            option,
            "a time bound must be longer than 0",
        )),
        bound => Ok(bound),
    }
}

fn without_unit(option: &str, value: &str) -> OptionError {
    let value = value.trim();
    OptionError::invalid(option, format_args!("\"{value}\" has no unit"))
        .with_hint(format!("Write for example '{value}s' or '{value}ms'."))
}

fn not_a_duration(option: &str, value: &str) -> OptionError {
    OptionError::invalid(
        option,
        format_args!("\"{value}\" is not a duration of at most 30 days"),
    )
    .with_hint(
        "Valid units are \"us\", \"ms\", \"s\", \"min\", \"h\" and \"d\", for example '10s'.",
    )
}

/// A size in bytes: `65536`, `64kB`, `64MB`, `1GB`, with PostgreSQL's units (powers of 1024).
pub(super) fn size(option: &str, value: &str) -> Result<u64, OptionError> {
    let (number, unit) = number_and_unit(value);
    let factor: Option<u64> = match unit {
        "" | "B" => Some(1),
        "kB" => Some(1 << 10),
        "MB" => Some(1 << 20),
        "GB" => Some(1 << 30),
        "TB" => Some(1 << 40),
        _ => None,
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor));
    let bytes = bytes.filter(|bytes| (1..=i64::MAX as u64).contains(bytes));
    bytes.ok_or_else(|| {
        OptionError::invalid(option, format_args!("\"{value}\" is not a size")).with_hint(
            "Valid units are \"B\", \"kB\", \"MB\", \"GB\" and \"TB\", for example '64MB'.",
        )
    })
}

/// Requests in a time: `10/s`, `600/min`, `5000/h`; from one to a million.
pub(super) fn rate(option: &str, value: &str) -> Result<RateLimit, OptionError> {
    let (number, unit) = number_and_unit(value);
    let unit = unit.strip_prefix('/').map(str::trim);
    let per = match unit {
        Some("s") => Some(RatePeriod::Second),
        Some("min") => Some(RatePeriod::Minute),
        Some("h") => Some(RatePeriod::Hour),
        _ => None,
    };
    let requests = number.parse::<u32>().ok();
    let requests = requests.filter(|number| (1..=1_000_000).contains(number));
    match (requests, per) {
        (Some(requests), Some(per)) => Ok(RateLimit { requests, per }),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a rate of 1 to 1000000 requests"),
        )
        .with_hint("Write for example '10/s', '600/min' or '5000/h'.")),
    }
}

fn number_and_unit(value: &str) -> (&str, &str) {
    let value = value.trim();
    let end = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    (&value[..end], value[end..].trim_start())
}

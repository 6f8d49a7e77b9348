//! Numbers as APIs write them.

use std::fmt::{Display, LowerExp};

/// The shortest text that reads back as the same double; an exponent only where the digits would run long.
pub(super) fn double(value: f64) -> Option<String> {
    value.is_finite().then(|| shortest(value, value.abs()))
}

/// As [`double`], for single precision.
pub(super) fn single(value: f32) -> Option<String> {
    value
        .is_finite()
        .then(|| shortest(value, f64::from(value.abs())))
}

fn shortest(value: impl Display + LowerExp, magnitude: f64) -> String {
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    if (1e-5..1e17).contains(&magnitude) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// A decimal in PostgreSQL's text form, without what does not matter: a plus, zeros at the end of a fraction.
pub(super) fn decimal(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    Some(match (whole, fraction) {
        ("0", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// The text of a whole number, if the decimal is one.
pub(super) fn whole(text: &str) -> Option<String> {
    decimal(text).filter(|text| !text.contains('.'))
}

/// The text of a whole number, if the double is one and every whole number near it is a double.
pub(super) fn whole_double(value: f64) -> Option<String> {
    let is_exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    is_exact.then(|| format!("{}", value as i64))
}

/// The text of an integer that is exactly a double.
pub(super) fn integer_as_double(value: i64) -> Option<String> {
    (value.unsigned_abs() <= 1 << 53).then(|| value.to_string())
}

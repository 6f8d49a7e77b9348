//! Decimal text → exact integers and correctly rounded floats.

use super::value::Misfit;

/// A decimal number, as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

/// The nearest integer, ties to the even one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rounded {
    pub value: i64,
    /// Nothing was rounded away.
    pub exact: bool,
}

impl<'a> Decimal<'a> {
    /// Reads a number in JSON's form or PostgreSQL's (`+1`, `1.`, `.5`).
    pub fn parse(text: &'a [u8]) -> Option<Decimal<'a>> {
        let (negative, rest) = match text.first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest.first() {
            Some(b'.') => digits(&rest[1..]),
            _ => (&rest[..0], rest),
        };
        let exponent = match rest.first() {
            None => 0,
            Some(b'e' | b'E') => exponent(&rest[1..])?,
            Some(_) => return None,
        };
        let empty = whole.is_empty() && fraction.is_empty();
        (!empty).then_some(Decimal {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// The number times 10 to the `power`, rounded; `None` beyond 64 bits.
    pub fn rounded(&self, power: i64) -> Option<Rounded> {
        let point = self.whole.len() as i64 + self.exponent + power;
        let mut value: i128 = 0;
        let mut dropped = Dropped::default();
        for (place, digit) in self.whole.iter().chain(self.fraction).enumerate() {
            let digit = digit - b'0';
            if place as i64 >= point {
                dropped.push(digit, place as i64 == point);
            } else {
                value = value * 10 + i128::from(digit);
                if value > i128::from(u64::MAX) {
                    return None;
                }
            }
        }
        let missing = point - (self.whole.len() + self.fraction.len()) as i64;
        if value != 0 && missing > 0 {
            let factor = 10_i128.checked_pow(u32::try_from(missing).ok()?)?;
            value = value.checked_mul(factor)?;
        }
        value += i128::from(dropped.round_up(value));
        let value = i64::try_from(if self.negative { -value } else { value }).ok()?;
        Some(Rounded {
            value,
            exact: !dropped.any,
        })
    }
}

/// The digits behind the last one that is kept.
#[derive(Debug, Clone, Copy, Default)]
struct Dropped {
    first: u8,
    others: bool,
    any: bool,
}

impl Dropped {
    fn push(&mut self, digit: u8, first: bool) {
        self.any |= digit != 0;
        match first {
            true => self.first = digit,
            false => self.others |= digit != 0,
        }
    }

    fn round_up(&self, kept: i128) -> bool {
        self.first > 5 || (self.first == 5 && (self.others || kept % 2 == 1))
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// An exponent, held within bounds in which sums with lengths cannot overflow.
fn exponent(text: &[u8]) -> Option<i64> {
    const BOUND: i64 = 1 << 40;
    let (sign, rest) = match text.first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (digits, rest) = digits(rest);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let magnitude = digits.iter().fold(0, |sum, digit| {
        (sum * 10 + i64::from(digit - b'0')).min(BOUND)
    });
    Some(sign * magnitude)
}

/// The most digits of which every integer fits an `i64`.
const SURE_DIGITS: usize = 18;

/// An integer that is written without point and exponent, of at most 18 digits.
#[inline]
pub(super) fn short_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > SURE_DIGITS {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The most digits of which every integer fits a double exactly, and the powers of ten that do.
const EXACT_DIGITS: usize = 15;
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A number without exponent, of at most 15 digits: both the digits and the power of ten that divides them are exact, so that the
/// quotient is rounded once, as it must be (W. D. Clinger, How to read floating point numbers accurately, 1990).
#[inline]
pub(super) fn short_double(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (mut value, mut point) = (0_u64, None);
    // The point is one more byte.
    if digits.is_empty() || digits.len() > EXACT_DIGITS + 1 {
        return None;
    }
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(index),
            _ => return None,
        }
    }
    let places = match point {
        Some(point) if digits.len() > 1 => digits.len() - 1 - point,
        None if digits.len() <= EXACT_DIGITS => 0,
        _ => return None,
    };
    let value = value as f64 / EXACT_POWERS[places];
    Some(if negative { -value } else { value })
}

/// An integer in a text: digits with a sign or none.
pub(super) fn integer_text(text: &str) -> Option<Result<i64, OutOfRange>> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Only a value beyond 64 bits is left to fail.
    Some(text.parse().map_err(|_| OutOfRange))
}

/// An integer that 64 bits cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfRange;

/// A double from a number or from a text (`NaN`, `Infinity` in any case too).
pub(super) fn double(text: &str) -> Result<f64, Misfit> {
    finite(
        text,
        text.parse().ok(),
        f64::is_infinite,
        "double precision",
    )
}

/// A single from a number or from a text, rounded once.
pub(super) fn single(text: &str) -> Result<f64, Misfit> {
    finite(text, text.parse().ok(), f32::is_infinite, "real").map(f64::from)
}

fn finite<F: Copy>(
    text: &str,
    value: Option<F>,
    is_infinite: fn(F) -> bool,
    name: &str,
) -> Result<F, Misfit> {
    let value = value.ok_or_else(|| Misfit::from("expected a number"))?;
    let written_in_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if is_infinite(value) && written_in_digits {
        return Err(format!("out of range for type {name}").into());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn rounded(text: &str, power: i64) -> Option<(i64, bool)> {
        let rounded = Decimal::parse(text.as_bytes()).unwrap().rounded(power);
        rounded.map(|rounded| (rounded.value, rounded.exact))
    }

    #[test]
    fn integers_are_exact_to_the_last_bit() {
        assert_eq!(rounded("9223372036854775807", 0), Some((i64::MAX, true)));
        assert_eq!(rounded("-9223372036854775808", 0), Some((i64::MIN, true)));
        assert_eq!(rounded("9223372036854775808", 0), None);
        assert_eq!(
            rounded("9223372036854775807.0e0", 0),
            Some((i64::MAX, true))
        );
        assert_eq!(rounded("1e3", 0), Some((1000, true)));
        assert_eq!(rounded("1000e-3", 0), Some((1, true)));
        assert_eq!(rounded("1500e-3", 0), Some((2, false)));
        assert_eq!(rounded("0e999999999999999999999", 0), Some((0, true)));
        assert_eq!(rounded("1e999999999999999999999", 0), None);
        assert_eq!(rounded("1e-999999999999999999999", 0), Some((0, false)));
    }

    #[test]
    fn fractions_of_seconds_do_not_pass_through_a_float() {
        assert_eq!(
            rounded("1517875200.123456", 6),
            Some((1_517_875_200_123_456, true))
        );
        assert_eq!(
            rounded("8589934592.000001", 6),
            Some((8_589_934_592_000_001, true))
        );
        assert_eq!(rounded("0.0000005", 6), Some((0, false)));
        assert_eq!(rounded("0.0000015", 6), Some((2, false)));
        assert_eq!(rounded("-0.00000051", 6), Some((-1, false)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1e", "1e+", "1x", "1.2.3", "e5", "0x10", " 1"] {
            assert!(Decimal::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn an_overflow_is_an_error_and_infinity_in_words_is_not() {
        assert_eq!(
            double("1e309").unwrap_err().0,
            "out of range for type double precision"
        );
        assert_eq!(
            single("3.5e38").unwrap_err().0,
            "out of range for type real"
        );
        assert_eq!(double("-Infinity").unwrap(), f64::NEG_INFINITY);
        assert!(double("NaN").unwrap().is_nan());
        assert!(double("many").is_err());
    }

    proptest! {
        #[test]
        fn rounding_agrees_with_128_bit_arithmetic(units in -1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000, places in 0_usize..12) {
            let scale = 10_i128.pow(places as u32);
            let magnitude = i128::from(units.unsigned_abs());
            let sign = if units < 0 { "-" } else { "" };
            let text = match places {
                0 => format!("{sign}{magnitude}"),
                _ => format!("{sign}{}.{:0places$}", magnitude / scale, magnitude % scale),
            };
            let (quotient, rest) = (magnitude / scale, magnitude % scale);
            let up = rest * 2 > scale || (rest * 2 == scale && quotient % 2 == 1);
            let expected = (quotient + i128::from(up)) as i64 * if units < 0 { -1 } else { 1 };
            prop_assert_eq!(rounded(&text, 0), Some((expected, rest == 0)));
            prop_assert_eq!(rounded(&text, places as i64), Some((units, true)));
        }

        #[test]
        fn short_doubles_are_parsed_as_the_standard_library_does(text in "-?[0-9]{0,16}\\.?[0-9]{0,16}[e.a]?") {
            if let Some(found) = short_double(text.as_bytes()) {
                prop_assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }

        #[test]
        fn short_integers_are_parsed_as_the_standard_library_does(text in "[-+]?[0-9a]{0,20}") {
            let expected = text.parse::<i64>().ok().filter(|_| text.trim_start_matches(['-', '+']).len() <= 18);
            prop_assert_eq!(short_integer(text.as_bytes()), expected);
        }
    }
}

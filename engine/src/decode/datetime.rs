//! Dates and times: the forms that can be read here, exactly as PostgreSQL's input functions would.

use super::number::Decimal;
use super::value::Misfit;
use jiff::fmt::strtime;
use jiff::tz::Offset;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// PostgreSQL's first timestamp, 4714-11-24 BC (`MIN_TIMESTAMP`), from 1970; the last one is beyond
/// what 64 bits can count from there.
const FIRST_TIMESTAMP: i64 = -210_866_803_200_000_000;

/// A date, with what else was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days since 1970-01-01.
    pub days: i32,
    /// Microseconds since midnight; zero where only a date was written.
    pub time: i64,
    /// Microseconds that the zone is ahead of UTC, if a zone was written.
    pub offset: Option<i64>,
}

impl Moment {
    /// Microseconds since 1970-01-01 on the wall clock.
    pub fn local(&self) -> i64 {
        i64::from(self.days) * DAY + self.time
    }

    /// Reads `2026-11-13`, and RFC 3339 (section 5.6) with what PostgreSQL allows besides: a space for
    /// the `T`, no zone, `±hhmm`, `±hh`. Everything else is `None`, leap seconds too.
    pub fn parse(text: &[u8]) -> Option<Moment> {
        let (date, rest) = text.split_at_checked(10)?;
        let days = date_days(date)?;
        if rest.is_empty() {
            return Some(Moment {
                days,
                time: 0,
                offset: None,
            });
        }
        let (clock, rest) = rest.split_at_checked(9)?;
        let &[b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else {
            return None;
        };
        let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction, zone) = fraction(rest)?;
        let time = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
        Some(Moment {
            days,
            time,
            offset: offset(zone)?,
        })
    }
}

/// `YYYY-MM-DD` of the years 0001 to 9999, as days since 1970-01-01.
fn date_days(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > month_length(year, month) {
        return None;
    }
    // Years from March on, so that the leap day is the last one: 153 days are five months.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    // 0000-03-01 is 719468 days before 1970-01-01, and the first day counts 1.
    i32::try_from(days - 719_469).ok()
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

/// A fraction of a second of at most nine digits, as microseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    if length == 0 || length > 9 {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let value = digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let places = length as u32;
    let micros = match places {
        0..=6 => value * 10_i64.pow(6 - places),
        // As PostgreSQL's ParseFractionalSecond: rint(strtod(".1234565") * 1000000).
        _ => (value as f64 / 10_f64.powi(places as i32) * 1_000_000.0).round_ties_even() as i64,
    };
    Some((micros, rest))
}

/// The zone at the end: microseconds ahead of UTC, or none.
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, hours, minutes) = match *text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [sign, h1, h2] => (sign, two(h1, h2)?, 0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, two(h1, h2)?, two(m1, m2)?),
        _ => return None,
    };
    // PostgreSQL's bound on a zone's hours is MAX_TZDISP_HOUR.
    if hours > 15 || minutes > 59 {
        return None;
    }
    let ahead = (hours * 60 + minutes) * 60_000_000;
    match sign {
        b'+' => Some(Some(ahead)),
        b'-' => Some(Some(-ahead)),
        _ => None,
    }
}

/// A number of units since 1970, `10^power` microseconds each, as microseconds since 1970-01-01T00:00:00Z.
pub(super) fn since_1970(text: &[u8], power: i64, type_name: &str) -> Result<i64, Misfit> {
    let number = Decimal::parse(text)
        .ok_or_else(|| Misfit::from("expected a number of seconds or parts of them since 1970"))?;
    let micros = number.rounded(power).map(|rounded| rounded.value);
    // The last value stands for infinity.
    let in_range = micros.filter(|micros| (FIRST_TIMESTAMP..i64::MAX).contains(micros));
    in_range.ok_or_else(|| format!("out of range for type {type_name}").into())
}

/// The day that an instant is in, in UTC.
pub(super) fn day(micros: i64) -> i32 {
    // A day of 64-bit microseconds is within 32 bits.
    i32::try_from(micros.div_euclid(DAY)).unwrap_or(i32::MAX)
}

/// Reads a text by a strftime pattern. A pattern without time of day means midnight.
pub(super) fn by_pattern(pattern: &str, text: &str) -> Result<Moment, Misfit> {
    let misfit = || Misfit::from(format!("it does not match the format '{pattern}'"));
    let parsed = strtime::parse(pattern, text).map_err(|_| misfit())?;
    if let Ok(instant) = parsed.to_timestamp() {
        let offset = parsed.offset().unwrap_or(Offset::UTC);
        return moment(offset.to_datetime(instant), Some(offset)).ok_or_else(misfit);
    }
    let date = parsed.to_date().map_err(|_| misfit())?;
    let time = parsed.to_time().unwrap_or(jiff::civil::Time::midnight());
    moment(date.to_datetime(time), None).ok_or_else(misfit)
}

fn moment(at: jiff::civil::DateTime, offset: Option<Offset>) -> Option<Moment> {
    let seconds = Offset::UTC.to_timestamp(at).ok()?;
    let nanos = seconds.as_nanosecond();
    let micros =
        i64::try_from(nanos.div_euclid(1000) + i128::from(nanos.rem_euclid(1000) >= 500)).ok()?;
    Some(Moment {
        days: day(micros),
        time: micros.rem_euclid(DAY),
        offset: offset.map(|offset| i64::from(offset.seconds()) * 1_000_000),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use jiff::{Timestamp, civil};
    use proptest::prelude::*;

    fn utc(text: &str) -> Option<i64> {
        let moment = Moment::parse(text.as_bytes())?;
        Some(moment.local() - moment.offset?)
    }

    #[test]
    fn forms_that_postgresql_should_judge_are_left_alone() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-04-31",
            "0000-01-01",
            "12026-01-01",
            "2026-1-1",
            "2026-11-13T24:00:00Z",
            "2026-11-13T08:00:60Z",
            "2026-11-13T08:60:00Z",
            "2026-11-13T08:00Z",
            "2026-11-13T08:00:00.Z",
            "2026-11-13T08:00:00.1234567891Z",
            "2026-11-13T08:00:00+16:00",
            "2026-11-13T08:00:00+08:60",
            "2026-11-13T08:00:00 UTC",
            "2026-11-13x08:00:00Z",
            "infinity",
            "",
            "2026-11-13T08:00:00Z ",
            "2026-11-13 BC",
        ] {
            assert_eq!(Moment::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn zones_are_read_in_all_their_forms() {
        let noon = utc("2026-11-13T12:00:00Z").unwrap();
        for text in [
            "2026-11-13t12:00:00z",
            "2026-11-13 14:00:00+02",
            "2026-11-13T14:00:00+0200",
            "2026-11-13T06:30:00-05:30",
        ] {
            assert_eq!(utc(text), Some(noon), "{text}");
        }
        assert_eq!(Moment::parse(b"2026-11-13T12:00:00").unwrap().offset, None);
    }

    #[test]
    fn fractions_round_to_microseconds_as_postgresql_rounds() {
        let micros = |digits: &str| utc(&format!("1970-01-01T00:00:00.{digits}Z")).unwrap();
        assert_eq!(micros("5"), 500_000);
        assert_eq!(micros("123456"), 123_456);
        // select extract(microseconds from '1970-01-01 00:00:00.1234565'::timestamp): ties to even
        assert_eq!(micros("1234565"), 123_456);
        assert_eq!(micros("1234575"), 123_458);
        assert_eq!(micros("9999999"), 1_000_000);
        assert_eq!(micros("000000499"), 0);
    }

    #[test]
    fn patterns_read_dates_times_and_zones() {
        let moment = by_pattern("%d.%m.%Y", "13.11.2026").unwrap();
        assert_eq!(moment, Moment::parse(b"2026-11-13").unwrap());
        let moment = by_pattern("%Y%m%dT%H%M%S%z", "20261113T080000+0200").unwrap();
        assert_eq!(moment, Moment::parse(b"2026-11-13T08:00:00+02").unwrap());
        let moment = by_pattern("%Y-%m-%d %H:%M:%S", "2026-11-13 08:00:01").unwrap();
        assert_eq!(moment, Moment::parse(b"2026-11-13 08:00:01").unwrap());
        assert_eq!(
            by_pattern("%d.%m.%Y", "13/11/2026").unwrap_err().0,
            "it does not match the format '%d.%m.%Y'"
        );
    }

    #[test]
    fn instants_beyond_postgresql_are_refused() {
        assert_eq!(
            since_1970(b"-210866803200", 6, "x").unwrap(),
            FIRST_TIMESTAMP
        );
        assert!(since_1970(b"-210866803200.000001", 6, "x").is_err());
        assert!(since_1970(b"1e30", 6, "x").is_err());
        assert!(since_1970(b"9223372036854775807", 0, "x").is_err());
        assert_eq!(
            since_1970(b"1517875200123", 3, "x").unwrap(),
            1_517_875_200_123_000
        );
        assert_eq!(
            since_1970(b"1517875200123456789", -3, "x").unwrap(),
            1_517_875_200_123_457
        );
        assert_eq!(day(-1), -1);
    }

    proptest! {
        #[test]
        fn instants_agree_with_jiff(
            seconds in -62_135_510_400_i64..253_402_207_200,
            nanos in prop_oneof![Just(0), 0..1_000_000_000_i32],
            places in 0_usize..10,
            zone in -15_i32 * 60 + 1..15 * 60,
            space: bool,
        ) {
            let offset = Offset::from_seconds(zone * 60).unwrap();
            let instant = Timestamp::new(seconds, nanos).unwrap();
            let local = offset.to_datetime(instant);
            let fraction = if places == 0 { String::new() } else { format!(".{}", &format!("{:09}", local.subsec_nanosecond())[..places]) };
            let text = format!(
                "{}{}{:02}:{:02}:{:02}{fraction}{}{:02}:{:02}",
                local.date(), if space { ' ' } else { 'T' }, local.hour(), local.minute(), local.second(),
                if zone < 0 { '-' } else { '+' }, zone.abs() / 60, zone.abs() % 60,
            );
            let expected: Timestamp = text.parse().unwrap();
            let found = utc(&text).unwrap();
            // To the nearest microsecond.
            prop_assert!((i128::from(found) * 1000 - expected.as_nanosecond()).abs() <= 500, "{}", text);
        }

        #[test]
        fn dates_agree_with_jiff(year in 0_i16..=9999, month in 0_i8..=13, day in 0_i8..=32) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            let expected = civil::Date::new(year, month, day).ok().filter(|_| year > 0);
            let epoch = civil::date(1970, 1, 1);
            let expected = expected.map(|date| epoch.until(date).unwrap().get_days());
            prop_assert_eq!(Moment::parse(text.as_bytes()).map(|moment| moment.days), expected);
        }
    }
}

//! Times of APIs that may keep fractions of a microsecond, which PostgreSQL rounds.

use crate::model::Operator;
use crate::predicate::Value;

/// Comparisons, all to hold, that keep every row whose time is rounded to one that fulfils
/// `time OPERATOR value`: rounding moves a time by less than a microsecond.
pub(super) fn around(operator: Operator, value: &Value) -> Vec<(Operator, Value)> {
    let moved = |by: i64| match value {
        Value::TimestampTz(micros) => Value::TimestampTz(shifted(*micros, by)),
        Value::Timestamp(micros) => Value::Timestamp(shifted(*micros, by)),
        other => other.clone(),
    };
    match operator {
        Operator::Eq => vec![(Operator::Gt, moved(-1)), (Operator::Lt, moved(1))],
        Operator::Ge => vec![(Operator::Gt, moved(-1))],
        Operator::Le => vec![(Operator::Lt, moved(1))],
        other => vec![(other, value.clone())],
    }
}

/// The infinities stay what they are.
fn shifted(micros: i64, by: i64) -> i64 {
    match micros {
        i64::MIN | i64::MAX => micros,
        finite => finite.saturating_add(by),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operator::{Eq, Ge, Gt, Le, Lt, Ne};

    #[test]
    fn no_time_that_rounds_to_a_match_is_left_out() {
        // In tenths of a microsecond; a half rounds to either side.
        for operator in [Eq, Ne, Lt, Le, Gt, Ge] {
            for tenths in -30_i64..=30 {
                for rounded in [tenths.div_euclid(10), (tenths + 9).div_euclid(10)] {
                    let parts = around(operator, &Value::TimestampTz(0));
                    let kept = parts.iter().all(|(part, bound)| match bound {
                        Value::TimestampTz(micros) => holds(*part, tenths, micros * 10),
                        _ => false,
                    });
                    assert!(
                        kept || !holds(operator, rounded, 0),
                        "{operator:?} {tenths}"
                    );
                }
            }
        }
    }

    fn holds(operator: Operator, left: i64, right: i64) -> bool {
        match operator {
            Eq => left == right,
            Ne => left != right,
            Lt => left < right,
            Le => left <= right,
            Gt => left > right,
            _ => left >= right,
        }
    }

    #[test]
    fn infinities_are_not_moved() {
        let parts = around(Le, &Value::Timestamp(i64::MAX));
        assert_eq!(parts, [(Lt, Value::Timestamp(i64::MAX))]);
    }
}

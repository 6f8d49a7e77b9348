//! Whether conditions with their values can be true of one row at all: where not, no request is made.

use super::expression::{Expression, Given, Test};
use crate::model::{Operator, Table};
use crate::predicate::Value;
use crate::request::is_in_range;
use std::cmp::Ordering;

/// Whether no row can fulfil all of these. Only what is certain in SQL counts: values of one type whose
/// order does not depend on a collation.
pub(crate) fn is_contradiction(table: &Table, expressions: &[&Expression]) -> bool {
    let tests: Vec<&Test> = expressions
        .iter()
        .filter_map(|expression| match expression {
            Expression::Test(test) => Some(test),
            Expression::All(_) | Expression::Any(_) => None,
        })
        .collect();
    tests.iter().enumerate().any(|(index, test)| {
        let of_column: Vec<&Test> = tests
            .iter()
            .copied()
            .filter(|other| other.column == test.column)
            .collect();
        let is_first = tests[..index]
            .iter()
            .all(|other| other.column != test.column);
        is_first && excludes_all(table, &of_column)
    })
}

/// Whether no value fulfils all tests of one column.
fn excludes_all(table: &Table, tests: &[&Test]) -> bool {
    tests.iter().any(|test| {
        let candidates = match (test.operator, &test.given) {
            (Operator::Eq, Given::Value(value)) => std::slice::from_ref(value),
            (Operator::In, Given::List(values)) => values.as_slice(),
            (Operator::Ge | Operator::Gt, Given::Value(low)) => {
                return tests.iter().any(|other| ends_below(test, low, other));
            }
            (Operator::IsNull, _) => {
                return tests.iter().any(|other| needs_value(other.operator));
            }
            _ => return false,
        };
        let ty = &table.columns[test.column].ty;
        candidates.iter().all(|value| {
            !is_in_range(ty, value) || tests.iter().any(|other| is_false(other, value))
        })
    })
}

/// Whether `other` only lets values through that are below what `test` asks for.
fn ends_below(test: &Test, low: &Value, other: &Test) -> bool {
    let Given::Value(high) = &other.given else {
        return false;
    };
    let is_strict = test.operator == Operator::Gt || other.operator == Operator::Lt;
    match (other.operator, order(low, high)) {
        (Operator::Le | Operator::Lt, Some(Ordering::Greater)) => true,
        (Operator::Le | Operator::Lt, Some(Ordering::Equal)) => is_strict,
        _ => false,
    }
}

fn needs_value(operator: Operator) -> bool {
    !matches!(operator, Operator::IsNull)
}

/// Whether the test is certainly not true of a row with this value.
fn is_false(test: &Test, value: &Value) -> bool {
    let differs = |other: &Value| differs(test, value, other);
    match (test.operator, &test.given) {
        (Operator::Eq, Given::Value(other)) => differs(other),
        (Operator::In, Given::List(others)) => others.iter().all(differs),
        (Operator::IsNull, _) => true,
        (operator, Given::Value(bound)) => match (operator, order(value, bound)) {
            (Operator::Ge, Some(order)) => order == Ordering::Less,
            (Operator::Gt, Some(order)) => order != Ordering::Greater,
            (Operator::Le, Some(order)) => order == Ordering::Greater,
            (Operator::Lt, Some(order)) => order != Ordering::Less,
            _ => false,
        },
        _ => false,
    }
}

fn differs(test: &Test, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => test.semantics.deterministic && one != other,
        (Value::Uuid(one), Value::Uuid(other)) => one != other,
        (Value::Bool(one), Value::Bool(other)) => one != other,
        _ => order(one, other).is_some_and(Ordering::is_ne),
    }
}

/// The order of two values of one type, where it is the same everywhere.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Int(one), Value::Int(other))
        | (Value::Timestamp(one), Value::Timestamp(other))
        | (Value::TimestampTz(one), Value::TimestampTz(other)) => Some(one.cmp(other)),
        (Value::Date(one), Value::Date(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::model::Type;
    use crate::model::options::fixture;
    use crate::predicate::Semantics;
    use Operator::{Eq, Ge, Gt, In, IsNull, Le, Lt};

    fn test(operator: Operator, given: Given) -> Expression {
        Expression::Test(Test {
            column: 0,
            operator,
            given,
            semantics: Semantics {
                collation_is_c: false,
                deterministic: true,
            },
        })
    }

    fn number(operator: Operator, value: i64) -> Expression {
        test(operator, Given::Value(Value::Int(value)))
    }

    fn list(values: &[i64]) -> Expression {
        let values = values.iter().copied().map(Value::Int).collect();
        test(In, Given::List(values))
    }

    fn contradicts(expressions: &[Expression]) -> bool {
        let table = fixture::table(&[], &[], &[("x", Type::Int4, &[("filter", "=")])]);
        is_contradiction(&table, &expressions.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_no_row_can_fulfil_is_seen() {
        assert!(contradicts(&[number(Eq, 1), number(Eq, 2)]));
        assert!(contradicts(&[number(Eq, 1), list(&[2, 3])]));
        assert!(contradicts(&[list(&[1, 2]), list(&[3, 4])]));
        assert!(contradicts(&[number(Ge, 5), number(Le, 4)]));
        assert!(contradicts(&[number(Gt, 5), number(Le, 5)]));
        assert!(contradicts(&[number(Eq, 7), number(Lt, 7)]));
        assert!(contradicts(&[number(Eq, 7), test(IsNull, Given::Nothing)]));
        assert!(
            contradicts(&[number(Eq, i64::MAX)]),
            "no integer is that large"
        );
    }

    #[test]
    fn what_a_row_may_fulfil_is_asked_for() {
        assert!(!contradicts(&[number(Eq, 1), number(Eq, 1)]));
        assert!(!contradicts(&[number(Eq, 1), list(&[2, 1])]));
        assert!(!contradicts(&[number(Ge, 5), number(Le, 5)]));
        assert!(!contradicts(&[number(Lt, 5), number(Lt, 4)]));
        assert!(!contradicts(&[test(IsNull, Given::Nothing)]));
        let numeric = |text: &str| test(Eq, Given::Value(Value::Numeric(text.to_owned())));
        assert!(!contradicts(&[numeric("1.0"), numeric("1.00")]));
    }
}

//! Which predicates leave no NULL.

use super::never_null;
use crate::model::Operator::{
    self, Contains, Distinct, Eq, Gt, In, IsNotNull, IsNull, Like, Ne, NotDistinct, NotIn,
};
use crate::predicate::{Predicate, Semantics};

fn compare(column: usize, operator: Operator) -> Predicate {
    Predicate::Compare {
        column,
        operator,
        operand: 0,
        semantics: Semantics {
            collation_is_c: true,
            deterministic: true,
        },
    }
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

fn is_true(predicate: Predicate) -> Predicate {
    Predicate::IsTrue(Box::new(predicate))
}

#[test]
fn comparisons_that_are_unknown_for_null_leave_none() {
    for operator in [Eq, Ne, Gt, In, Like, Contains, IsNotNull] {
        assert_eq!(never_null(&[compare(2, operator)]), [2], "{operator:?}");
    }
    // NOT IN over an empty list is true for NULL, too.
    for operator in [IsNull, Distinct, NotDistinct, NotIn] {
        assert!(
            never_null(&[compare(2, operator)]).is_empty(),
            "{operator:?}"
        );
    }
}

#[test]
fn not_keeps_null_out_and_is_not_true_lets_it_in() {
    assert_eq!(never_null(&[not(compare(0, Eq))]), [0]);
    assert_eq!(never_null(&[is_true(compare(0, Eq))]), [0]);
    assert!(never_null(&[not(is_true(compare(0, Eq)))]).is_empty());
    assert_eq!(never_null(&[not(compare(0, IsNull))]), [0]);
    assert!(never_null(&[not(compare(0, In))]).is_empty());
}

#[test]
fn all_of_an_and_count_and_what_every_arm_of_an_or_says() {
    let and = Predicate::And(vec![compare(0, Eq), compare(1, Gt)]);
    assert_eq!(never_null(std::slice::from_ref(&and)), [0, 1]);
    let or = Predicate::Or(vec![and, compare(1, IsNotNull)]);
    assert_eq!(never_null(&[or]), [1]);
    let opaque = Predicate::Opaque("it is not understood".to_owned());
    let or = Predicate::Or(vec![compare(0, Eq), opaque.clone()]);
    assert!(never_null(&[or, opaque]).is_empty());
}

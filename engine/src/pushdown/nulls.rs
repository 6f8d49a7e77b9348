//! Which columns are not NULL in any row that a query returns.

use super::condition::{Leaf, Normal, normal};
use crate::model::Operator;
use crate::predicate::Predicate;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// The columns, as indexes into the table's, without NULL in every row for which all of `predicates`
/// are true.
pub fn never_null(predicates: &[Predicate]) -> Vec<usize> {
    let found: BTreeSet<usize> = predicates
        .iter()
        .flat_map(|predicate| of_condition(&normal(predicate)))
        .collect();
    found.into_iter().collect()
}

fn of_condition(condition: &Normal) -> BTreeSet<usize> {
    match condition {
        Normal::Leaf(leaf) if refuses_null(leaf) => BTreeSet::from([leaf.column]),
        Normal::Leaf(_) | Normal::Known(_) | Normal::Local(_) => BTreeSet::new(),
        Normal::All(parts) => parts.iter().flat_map(of_condition).collect(),
        Normal::Any(arms) => {
            let mut arms = arms.iter().map(of_condition);
            let first = arms.next().unwrap_or_default();
            arms.fold(first, |common, arm| &common & &arm)
        }
    }
}

/// Whether a comparison is true for no NULL. A comparison with an empty list is true even for that.
fn refuses_null(leaf: &Leaf) -> bool {
    match leaf.operator {
        Operator::IsNotNull => true,
        Operator::NotIn => false,
        operator => operator.may_be_unknown() && !leaf.or_unknown,
    }
}

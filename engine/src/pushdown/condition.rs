//! Predicates → conditions: what must be true of a row, without NOT and without the unknown.
//!
//! A row is returned where its predicate is true. So NOT can be moved down to the comparisons, where it
//! becomes the opposite comparison, and "unknown" only matters below IS TRUE.

use crate::model::Operator;
use crate::predicate::{Predicate, Semantics};
use serde::{Deserialize, Serialize};

/// What must be true of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// One comparison.
    Test(Leaf),
    /// A truth value that is the same for all rows.
    Known(KnownValue),
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
}

impl Condition {
    /// The comparisons in it.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Condition::Test(leaf) => vec![leaf],
            Condition::Known(_) => Vec::new(),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::leaves).collect()
            }
        }
    }

    /// All operands in it, as indexes among the scan's.
    pub fn operands(&self) -> Vec<usize> {
        match self {
            Condition::Test(leaf) => leaf.operands.clone(),
            Condition::Known(known) => vec![known.operand],
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::operands).collect()
            }
        }
    }

    /// Numbers the operands anew.
    pub fn renumber(&mut self, number: &impl Fn(usize) -> usize) {
        match self {
            Condition::Test(leaf) => leaf
                .operands
                .iter_mut()
                .for_each(|operand| *operand = number(*operand)),
            Condition::Known(known) => known.operand = number(known.operand),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter_mut().for_each(|part| part.renumber(number));
            }
        }
    }
}

/// What a truth value has to be, so that a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownValue {
    /// Index of its operand among the scan's.
    pub operand: usize,
    /// True, or false.
    pub wanted: bool,
    /// Or unknown.
    pub or_unknown: bool,
}

/// `column OPERATOR operand`, to be true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// Index into the table's columns.
    pub column: usize,
    /// The comparison, from the column's side.
    pub operator: Operator,
    /// Indexes of the operands among the scan's: one, or for [`Operator::In`] all whose values (or
    /// elements) make the list, or none for the tests for NULL.
    pub operands: Vec<usize>,
    /// What is known of the comparison on the SQL side.
    pub semantics: Semantics,
    /// Rows for which the comparison is unknown are wanted, too.
    pub or_unknown: bool,
}

/// A condition with the parts that cannot be sent still in it.
pub(super) enum Normal {
    Leaf(Leaf),
    Known(KnownValue),
    All(Vec<Normal>),
    Any(Vec<Normal>),
    Local(String),
}

/// What a predicate shall be.
#[derive(Clone, Copy)]
enum Goal {
    True,
    False,
    NotTrue,
    NotFalse,
}

impl Goal {
    fn of_opposite(self) -> Goal {
        match self {
            Goal::True => Goal::False,
            Goal::False => Goal::True,
            Goal::NotTrue => Goal::NotFalse,
            Goal::NotFalse => Goal::NotTrue,
        }
    }

    /// What `p` shall be where `p IS TRUE` shall be this; that is never unknown.
    fn below_is_true(self) -> Goal {
        match self {
            Goal::True | Goal::NotFalse => Goal::True,
            Goal::False | Goal::NotTrue => Goal::NotTrue,
        }
    }

    fn is_negative(self) -> bool {
        matches!(self, Goal::False | Goal::NotTrue)
    }

    fn takes_unknown(self) -> bool {
        matches!(self, Goal::NotTrue | Goal::NotFalse)
    }
}

/// The condition under which `predicate` is true.
pub(super) fn normal(predicate: &Predicate) -> Normal {
    reach(predicate, Goal::True)
}

fn reach(predicate: &Predicate, goal: Goal) -> Normal {
    match predicate {
        Predicate::Opaque(reason) => Normal::Local(reason.clone()),
        Predicate::Known(operand) => Normal::Known(KnownValue {
            operand: *operand,
            wanted: !goal.is_negative(),
            or_unknown: goal.takes_unknown(),
        }),
        Predicate::Not(inner) => reach(inner, goal.of_opposite()),
        Predicate::IsTrue(inner) => reach(inner, goal.below_is_true()),
        Predicate::And(parts) | Predicate::Or(parts) => {
            let parts = parts.iter().map(|part| reach(part, goal)).collect();
            if matches!(predicate, Predicate::And(_)) != goal.is_negative() {
                all(parts)
            } else {
                any(parts)
            }
        }
        Predicate::Compare {
            column,
            operator,
            operand,
            semantics,
        } => Normal::Leaf(Leaf {
            column: *column,
            operator: if goal.is_negative() {
                operator.opposite()
            } else {
                *operator
            },
            operands: match operator {
                Operator::IsNull | Operator::IsNotNull => Vec::new(),
                _ => vec![*operand],
            },
            semantics: *semantics,
            or_unknown: goal.takes_unknown() && operator.may_be_unknown(),
        }),
    }
}

fn all(parts: Vec<Normal>) -> Normal {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Normal::All(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    Normal::All(flat)
}

/// OR over values of one column becomes one list.
fn any(parts: Vec<Normal>) -> Normal {
    let mut flat: Vec<Normal> = Vec::new();
    for part in parts {
        match part {
            Normal::Any(inner) => inner.into_iter().for_each(|arm| add_arm(&mut flat, arm)),
            other => add_arm(&mut flat, other),
        }
    }
    if flat.len() == 1 {
        return flat.remove(0);
    }
    Normal::Any(flat)
}

fn add_arm(arms: &mut Vec<Normal>, arm: Normal) {
    if let Normal::Leaf(leaf) = &arm
        && lists(leaf)
    {
        let joins = |other: &&mut Normal| matches!(other, Normal::Leaf(other) if lists(other) && other.column == leaf.column && other.semantics == leaf.semantics);
        if let Some(Normal::Leaf(other)) = arms.iter_mut().find(joins) {
            other.operator = Operator::In;
            other.operands.extend(&leaf.operands);
            return;
        }
    }
    arms.push(arm);
}

fn lists(leaf: &Leaf) -> bool {
    matches!(leaf.operator, Operator::Eq | Operator::In) && !leaf.or_unknown
}

//! Conditions with their values: what a dialect writes.

use super::pattern::Pattern;
use crate::model::Operator;
use crate::predicate::{Semantics, Value};

/// A condition with its values; nothing in it is unknown for all rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    /// One comparison.
    Test(Test),
    /// All of them; at least two.
    All(Vec<Expression>),
    /// Any of them; at least two.
    Any(Vec<Expression>),
}

/// A comparison of a column with a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    /// Index into the table's columns.
    pub(crate) column: usize,
    /// One of Eq, Ne, Lt, Le, Gt, Ge, In, NotIn, Like, NotLike, ILike, NotILike, IsNull, IsNotNull,
    /// Contains, NotContains: the others were resolved into these.
    pub(crate) operator: Operator,
    /// What it is compared with.
    pub(crate) given: Given,
    /// What is known of the comparison on the SQL side.
    pub(crate) semantics: Semantics,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// Nothing: IS NULL, IS NOT NULL.
    Nothing,
    /// A value that is not NULL.
    Value(Value),
    /// Values that are not NULL, at least one (In, NotIn).
    List(Vec<Value>),
    /// A pattern (Like, ILike and their opposites).
    Pattern(Pattern),
    /// For EXPLAIN: a value that only comes when the query runs, marked so that it stays legible.
    Placeholder(String),
}

/// What values make of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It is true for every row.
    Always,
    /// It is true for no row.
    Never,
    /// It depends on the row.
    Depends(Expression),
}

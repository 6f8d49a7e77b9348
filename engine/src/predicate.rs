//! Predicates over a table's columns, and the values they compare with.

use crate::model::Operator;
use serde::{Deserialize, Serialize};

/// A restriction of a query, as far as the remote side can understand it.
///
/// Three-valued as SQL is: a comparison with NULL is unknown, NOT unknown is unknown, and a row for
/// which the whole is unknown is not returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Predicate {
    /// `column OPERATOR operand`.
    Compare {
        /// Index into the table's columns.
        column: usize,
        /// The comparison, from the column's side.
        operator: Operator,
        /// Index of the operand among the scan's operands. A list (a [`Value::List`] at run time) for
        /// [`Operator::In`] and [`Operator::NotIn`], a pattern for the LIKE operators; not looked at
        /// for the tests for NULL.
        operand: usize,
        /// What is known of the comparison on the SQL side.
        semantics: Semantics,
    },
    /// Unknown where the argument is, else its opposite.
    Not(Box<Predicate>),
    /// `argument IS TRUE`, which is false where the argument is unknown.
    IsTrue(Box<Predicate>),
    /// A truth value without columns, which is known when the scan starts: the index of its operand.
    Known(usize),
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
    /// Something that only PostgreSQL can evaluate, with the reason in a user's words.
    Opaque(String),
}

/// What the SQL side knows of a comparison that decides whether it may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Semantics {
    /// Text is compared by code point (COLLATE "C").
    pub collation_is_c: bool,
    /// Equal means byte for byte equal (a deterministic collation).
    pub deterministic: bool,
}

/// A value that an operand has at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double (finite or not).
    Float(f64),
    /// An exact decimal in PostgreSQL's text form (`1.50`, `NaN`, `Infinity`).
    Numeric(String),
    /// Text.
    Text(String),
    /// Days since 1970-01-01 (`i32::MAX`/`MIN`: infinity).
    Date(i32),
    /// Microseconds since 1970-01-01 without zone (`i64::MAX`/`MIN`: infinity).
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00:00Z (`i64::MAX`/`MIN`: infinity).
    TimestampTz(i64),
    /// RFC 9562.
    Uuid([u8; 16]),
    /// A value of a type that has no other variant: the type's own text form.
    Other(String),
    /// A list's elements (for [`Operator::In`]).
    List(Vec<Value>),
}

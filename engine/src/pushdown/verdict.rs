//! The decisions: how well the API answers each predicate, and what is sent for it.

use crate::model::{Operator, ParameterPlace, ValueFormat};
use serde::{Deserialize, Serialize};

/// How well the API answers a predicate (rule R1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It returns precisely the rows that SQL would.
    Exact,
    /// It returns those rows, and perhaps others: the predicate is checked locally.
    Superset,
    /// It is not asked, for this reason.
    Local(String),
}

/// How an operand goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spelling {
    /// The one value.
    Single,
    /// A list's values with commas between them.
    CommaList,
    /// One request for each distinct value of a list.
    PerValue,
}

/// A request parameter that carries a predicate's operand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Index into the table's columns.
    pub column: usize,
    /// Index into the scan's operands.
    pub operand: usize,
    /// The comparison that the parameter stands for. (With `PerValue` it is still `In`.)
    pub operator: Operator,
    /// The request parameter's name.
    pub parameter: String,
    /// Where it goes.
    pub place: ParameterPlace,
    /// How the operand goes out.
    pub spelling: Spelling,
    /// Whether the predicate's verdict is [`Verdict::Exact`].
    pub exact: bool,
    /// How the value is written, where that differs from the column's `format`.
    pub format: Option<ValueFormat>,
}

/// What a scan sends and what it leaves to PostgreSQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushdown {
    /// One for each predicate, in the same order.
    pub verdicts: Vec<Verdict>,
    /// What is sent, in the order of the predicates.
    pub bindings: Vec<Binding>,
    /// Required parameter columns that have neither value nor default, as indexes into the table's
    /// columns: without them there is no request to send (rule R8).
    pub missing: Vec<usize>,
}

//! The decisions: how well the API answers each predicate, and what is sent for it.

use super::condition::Condition;
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

/// A condition that is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// The predicate that it stands for, as an index into those that were planned.
    pub predicate: usize,
    /// Whether that predicate's verdict is [`Verdict::Exact`].
    pub exact: bool,
    /// What must be true of a row; what of the predicate cannot be sent is left out.
    pub condition: Condition,
}

/// What a scan sends and what it leaves to PostgreSQL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pushdown {
    /// One for each predicate, in the same order.
    pub verdicts: Vec<Verdict>,
    /// What is sent, in the order of the predicates.
    pub sent: Vec<Sent>,
    /// Required parameter columns that have neither value nor default, as indexes into the table's
    /// columns: without them there is no request to send (rule R8).
    pub missing: Vec<usize>,
}

//! Aggregates that the API answers: may it be asked (rules R7 and R11), what is it asked, and what comes back.

mod addends;
mod answer;
mod certain;
mod choice;

#[cfg(test)]
mod tests;

pub use addends::Addends;
pub use answer::{answer, result_type};
pub use certain::{Known, certain};
pub use choice::choose;

pub(crate) use choice::{may_be_aggregated, member};

use crate::model::{Function, Location};
use crate::predicate::Semantics;
use serde::{Deserialize, Serialize};

/// What a query wants of the groups of a table's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// What makes a group; none: all rows are one.
    pub group: Vec<WishedColumn>,
    /// What is wanted of each group.
    pub results: Vec<WishedResult>,
}

/// A column, and how SQL compares its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WishedColumn {
    /// Index into the table's columns.
    pub column: usize,
    /// How the query compares its values.
    pub semantics: Semantics,
}

/// An aggregate of a column, or `count(*)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WishedResult {
    /// The function.
    pub function: Function,
    /// Its argument; `None` only for `count(*)`.
    pub argument: Option<WishedColumn>,
}

/// What the API is asked for instead of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// How it is asked.
    pub by: AskedBy,
    /// What makes a group, as indexes into the table's columns.
    pub group: Vec<usize>,
    /// What is asked of each group.
    pub calls: Vec<Call>,
    /// How the query's results are made of the answer, one each.
    pub results: Vec<Source>,
}

impl Aggregate {
    /// Whether there is one row, whatever the table holds.
    pub fn is_single(&self) -> bool {
        self.group.is_empty()
    }
}

/// How an API is asked for aggregates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskedBy {
    /// Another endpoint answers with the number of rows.
    CountEndpoint,
    /// A response with few rows, or none, tells in this place how many there are.
    Total(Location),
    /// In the dialect's own syntax.
    Dialect,
}

/// An aggregate that the API is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The function; never [`Function::Avg`], whose digits are the API's own.
    pub function: Function,
    /// Its argument, as an index into the table's columns; `None`: the rows are counted.
    pub column: Option<usize>,
    /// The name that the result has in the response.
    pub name: String,
}

/// Where a result of the query is in the answer; indexes into the columns of [`answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// It is this column.
    Column(usize),
    /// It is this column, which is a count: never NULL.
    Count(usize),
    /// It is the one of these that is there, and a count: never NULL.
    EitherCount(usize, usize),
    /// It is this column, a sum that passed through doubles; NULL where nothing was added.
    Sum {
        /// The sum.
        sum: usize,
        /// What tells whether it is exact.
        addends: Addends,
    },
    /// It is one column divided by the other, as PostgreSQL makes averages; NULL where nothing was counted.
    Quotient {
        /// The sum.
        sum: usize,
        /// The number of values.
        count: usize,
        /// What tells whether the sum is exact, where it passed through doubles.
        addends: Option<Addends>,
    },
}

//! What an API can be asked for instead of rows.

use super::FieldPath;
use serde::{Deserialize, Serialize};

/// The options `count_endpoint`, `count_field`, `exact_total` and `aggregates`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregates {
    /// Path below `base_url` that answers with the number of rows, for the same filters.
    pub count_endpoint: Option<String>,
    /// Where the number is in that response; `None`: the member `count`, or the whole of it.
    pub count_field: Option<FieldPath>,
    /// The total of a response is the number of the rows that fulfil its filters, never an estimate.
    pub exact_total: bool,
    /// What the dialect may be used for.
    pub functions: Vec<Function>,
}

impl Aggregates {
    /// Whether there is anything that may be asked for.
    pub fn is_any(&self) -> bool {
        self.count_endpoint.is_some() || self.exact_total || !self.functions.is_empty()
    }
}

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Function {
    /// Rows, or values that are not NULL.
    Count,
    /// Their sum.
    Sum,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean.
    Avg,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 5] = [
        Function::Count,
        Function::Sum,
        Function::Min,
        Function::Max,
        Function::Avg,
    ];

    /// Its name in SQL, and in the option `aggregates`.
    pub fn sql(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Min => "min",
            Function::Max => "max",
            Function::Avg => "avg",
        }
    }

    /// The function of that name.
    pub fn named(name: &str) -> Option<Function> {
        Function::ALL
            .into_iter()
            .find(|function| function.sql() == name)
    }
}

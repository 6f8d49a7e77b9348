//! What a scan asks of the API, as the plan carries it.

use super::aggregates::Aggregate;
use super::verdict::Sent;
use serde::{Deserialize, Serialize};

/// What a scan asks of the API: which rows, in which order, which of their members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoteQuery {
    /// The conditions that are sent; all of them hold for every row that is wanted.
    pub sent: Vec<Sent>,
    /// The order in which the API shall return the rows; empty where that does not matter.
    pub order: Vec<SortKey>,
    /// The columns that are wanted, where the API can be asked for some only.
    pub fields: Option<Vec<usize>>,
    /// What is asked for instead of rows.
    pub aggregate: Option<Aggregate>,
}

/// One key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// Index into the table's columns.
    pub column: usize,
    /// The largest value comes first.
    pub descending: bool,
    /// NULLs come before all values, in the direction asked for.
    pub nulls_first: bool,
}

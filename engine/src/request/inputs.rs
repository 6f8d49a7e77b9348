//! What goes into the requests of a scan, besides paging.

use crate::model::ParameterPlace;
use crate::predicate::Value;
use crate::pushdown::Parameter;
use serde::{Deserialize, Serialize};

/// An operand when requests are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operand {
    /// Its value.
    Value(Value),
    /// Only for EXPLAIN, where there is no value yet: put into the URL as it is, e.g. `$1`.
    Placeholder(String),
}

/// What one request (and the pages after it) of the scan sends, besides paging.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Query parameters, in the order in which they go out; not encoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Values of the endpoint's `{name}`s; not encoded.
    pub path: Vec<(String, String)>,
    /// Column values that hold for all rows of this request: parameter columns, whose value is the one
    /// that was sent (rule R3), and columns whose list was split into several requests, with the
    /// [`Value::List`] that this one asks for (rows of other values belong to another request, or to none).
    pub columns: Vec<(usize, Value)>,
}

impl Inputs {
    pub(super) fn set(&mut self, parameter: &Parameter) {
        let values = match parameter.place {
            ParameterPlace::Query => &mut self.query,
            ParameterPlace::Header => &mut self.headers,
            ParameterPlace::Path => &mut self.path,
        };
        values.push((parameter.name.clone(), parameter.value.clone()));
    }
}

/// The requests of a scan, and what they leave to be checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bound {
    /// One for each page sequence. Empty: the query has no rows, and there is no request.
    pub requests: Vec<Inputs>,
    /// Conditions that are sent (indexes) but for a value that the API would not understand: their
    /// predicates must be checked locally.
    pub unsent: Vec<usize>,
    /// Conditions (indexes) that were widened to what the API can express: their predicates must be
    /// checked locally.
    pub widened: Vec<usize>,
}

//! What goes into the requests of a scan, besides paging.

use crate::model::ParameterPlace;
use crate::predicate::Value;
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
    /// that was sent (rule R3), and columns whose IN list was split into one request a value (rows of
    /// another value belong to another request, or to none).
    pub columns: Vec<(usize, Value)>,
    /// Parameters whose value is a placeholder of EXPLAIN and stays as it is.
    pub placeholders: Vec<(ParameterPlace, String)>,
}

impl Inputs {
    pub(super) fn set(&mut self, place: ParameterPlace, name: &str, value: String) {
        let values = match place {
            ParameterPlace::Query => &mut self.query,
            ParameterPlace::Header => &mut self.headers,
            ParameterPlace::Path => &mut self.path,
        };
        values.push((name.to_owned(), value));
    }

    pub(super) fn is_placeholder(&self, place: ParameterPlace, name: &str) -> bool {
        self.placeholders
            .iter()
            .any(|(at, placeholder)| *at == place && placeholder == name)
    }
}

/// The requests of a scan, and what they leave to be checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bound {
    /// One for each page sequence. Empty: the query has no rows, and there is no request.
    pub requests: Vec<Inputs>,
    /// Bindings (indexes) whose value the API would not understand, so that it was not sent: their
    /// predicates must be checked locally.
    pub unsent: Vec<usize>,
    /// Bindings (indexes) whose bound was widened to what the API can express: their predicates must be
    /// checked locally.
    pub widened: Vec<usize>,
}

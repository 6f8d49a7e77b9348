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
    /// What goes into the body, where requests have one.
    pub body: Vec<BodyMember>,
    /// Column values that hold for all rows of this request: parameter columns, whose value is the one
    /// that was sent (rule R3), and columns whose list was split into several requests, with the
    /// [`Value::List`] that this one asks for (rows of other values belong to another request, or to none).
    pub columns: Vec<(usize, Value)>,
}

/// A parameter in a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BodyMember {
    /// Its name; in JSON, dots lead to members of members.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The value is JSON (a number, a truth value, a document); else text.
    pub is_json: bool,
}

impl BodyMember {
    /// The value in JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        let parsed = self.is_json.then(|| serde_json::from_str(&self.value));
        match parsed {
            Some(Ok(value)) => value,
            // A value that only comes when the query runs.
            _ => self.value.as_str().into(),
        }
    }
}

impl Inputs {
    pub(super) fn set(&mut self, parameter: &Parameter) {
        let values = match parameter.place {
            ParameterPlace::Query => &mut self.query,
            ParameterPlace::Header => &mut self.headers,
            ParameterPlace::Path => &mut self.path,
            ParameterPlace::Body => {
                self.body.push(BodyMember {
                    name: parameter.name.clone(),
                    value: parameter.value.clone(),
                    is_json: parameter.is_json,
                });
                return;
            }
        };
        values.push((parameter.name.clone(), parameter.value.clone()));
    }
}

/// The requests of a scan, and what they leave to be checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bound {
    /// One for each page sequence. Empty: the query has no rows, and there is no request.
    pub requests: Vec<Inputs>,
    /// The requests are for the endpoint of a single row: [`pushdown::entity`](crate::pushdown::entity())
    /// is the table that answers.
    pub entity: bool,
    /// Conditions that are sent (indexes) but for a value that the API would not understand: their
    /// predicates must be checked locally.
    pub unsent: Vec<usize>,
    /// Conditions (indexes) that were widened to what the API can express: their predicates must be
    /// checked locally.
    pub widened: Vec<usize>,
}

//! What a plan carries from the planner to the executor: plain data, as a versioned text.
//!
//! It holds no pointer and no secret, so it survives copyObject, cached plans and prepared statements.

use crate::error::FdwError;
use crate::settings;
use pgrx::pg_sys;
use rest_engine::error::Error as EngineError;
use rest_engine::model::{Operator, Table};
use rest_engine::predicate::Value;
use rest_engine::pushdown::{self, Condition, RemoteQuery, Sent, SortKey};
use rest_engine::request::{self, Bound};
use serde::{Deserialize, Serialize};
use std::ffi::{CStr, CString};

/// Written before the text; raised with every change of [`ScanPlan`] or of the engine's model.
const VERSION: &str = "5:";

/// A planned scan of one foreign table.
///
/// The expressions that belong to it stand in the plan node's `fdw_exprs`: first the operands, then
/// the clauses that are checked again on what the API returned.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScanPlan {
    /// The table and its server.
    pub table: Table,
    /// The server's OID.
    pub server: u32,
    /// The attribute number of each of the table's columns.
    pub attributes: Vec<i16>,
    /// What the API is asked for; the conditions' operands index into `fdw_exprs`.
    pub query: RemoteQuery,
    /// The aggregates that the API answers, as EXPLAIN shows them. The node scans no relation then.
    pub aggregate: Option<RemoteAggregate>,
    /// What of the query's order the API does not do, where that is known.
    pub local_order: Option<LocalOrder>,
    /// What is known of each operand.
    pub operands: Vec<Operand>,
    /// For each clause of `fdw_exprs` after the operands: how it was sent.
    pub rechecks: Vec<Recheck>,
    /// For each local clause (the node's qual, in its order): why it was not sent.
    pub local_reasons: Vec<String>,
    /// Columns that the query needs, as indexes into the table's columns.
    pub wanted: Vec<usize>,
    /// Rows that the query stops at, if the scan alone decides that (rule R5).
    pub hint: Option<u64>,
    /// Whether pages may be fetched before they are asked for.
    pub fetch_ahead: bool,
    /// The condition, among those that are sent, for which the API takes a list of other tables' values just as well.
    pub list: Option<ListLookup>,
}

/// A condition that may have a list of values instead of one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListLookup {
    /// Its place among those that are sent.
    pub sent: usize,
    /// How many values one request carries.
    pub values: usize,
}

/// Aggregates that the API answers, in SQL's words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoteAggregate {
    /// `count(*), sum(score) GROUP BY state`
    pub shown: String,
    /// The conditions that the API selects rows by.
    pub filters: Vec<String>,
}

/// An order that the query wants and the API is not asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LocalOrder {
    /// The keys.
    pub keys: Vec<SortKey>,
    /// Why.
    pub reason: String,
}

/// An expression that is evaluated when the scan starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operand {
    /// The OID of its type.
    pub ty: u32,
    /// `table.column`, where it is a column of another table.
    pub column: Option<String>,
}

/// A clause that was sent and is checked again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recheck {
    /// The API answers it precisely.
    pub exact: bool,
    /// The conditions that it is sent as, as indexes into those of the query.
    pub sent: Vec<usize>,
}

impl ScanPlan {
    /// Whether a condition is sent: with `rest_fdw.pushdown` off only parameter columns' are. The setting
    /// is looked at when a query runs, because an open cursor outlives it.
    pub fn is_sent(&self, sent: &Sent) -> bool {
        let leaves = sent.condition.leaves();
        let is_input = || {
            leaves
                .iter()
                .all(|leaf| self.table.columns[leaf.column].is_input())
        };
        // Without one of its conditions an aggregate would be wrong. It is planned anew when the setting changes.
        self.query.aggregate.is_some() || settings::pushdown() || is_input()
    }

    /// What each request sends for these operands.
    pub fn bind(&self, operands: &[request::Operand]) -> Result<Bound, EngineError> {
        self.bind_query(&self.query, operands)
    }

    /// The same where the condition `place` has these values instead of one.
    pub fn bind_list(
        &self,
        place: usize,
        operands: &[request::Operand],
        values: Vec<Value>,
    ) -> Result<Bound, EngineError> {
        let (mut query, mut operands) = (self.query.clone(), operands.to_vec());
        if let Condition::Test(leaf) = &mut query.sent[place].condition {
            leaf.operator = Operator::In;
        }
        if let Some(operand) = self.listed_operand(place) {
            operands[operand] = request::Operand::Value(Value::List(values));
        }
        self.bind_query(&query, &operands)
    }

    /// The operand that the condition `place` compares with.
    pub fn listed_operand(&self, place: usize) -> Option<usize> {
        match &self.query.sent.get(place)?.condition {
            Condition::Test(leaf) => leaf.operands.first().copied(),
            _ => None,
        }
    }

    fn bind_query(
        &self,
        query: &RemoteQuery,
        operands: &[request::Operand],
    ) -> Result<Bound, EngineError> {
        let all = &query.sent;
        let (sent, unsent): (Vec<usize>, Vec<usize>) =
            (0..all.len()).partition(|index| self.is_sent(&all[*index]));
        let query = RemoteQuery {
            sent: sent.iter().map(|index| all[*index].clone()).collect(),
            // The plan above the scan relies on the order; it filters nothing.
            order: query.order.clone(),
            fields: query.fields.clone().filter(|_| settings::pushdown()),
            aggregate: query.aggregate.clone(),
        };
        let mut bound = request::bind(&self.table, &query, operands)?;
        for index in bound.unsent.iter_mut().chain(&mut bound.widened) {
            *index = sent[*index];
        }
        bound.unsent.extend(unsent);
        self.check_aggregate(&bound)?;
        Ok(bound)
    }

    /// An aggregate is of precisely the rows that are wanted, and of all of them at once. The planner has made
    /// sure of that; a wrong result must be impossible all the same.
    fn check_aggregate(&self, bound: &Bound) -> Result<(), EngineError> {
        let left = bound.unsent.iter().chain(&bound.widened).next();
        if self.query.aggregate.is_none() || (left.is_none() && bound.requests.len() <= 1) {
            return Ok(());
        }
        let leaves = left.map(|index| self.query.sent[*index].condition.leaves());
        let column = leaves.and_then(|leaves| Some(leaves.first()?.column));
        Err(EngineError::Unsendable {
            column: column.map_or_else(
                || self.table.name.clone(),
                |column| self.table.columns[column].name.clone(),
            ),
            reason: "the API aggregates the rows, so no condition can be checked here; SET rest_fdw.pushdown = off"
                .to_owned(),
        })
    }

    /// The table that the API answers with: this one, or that of its aggregates.
    pub fn answering_table(&self) -> Table {
        match &self.query.aggregate {
            Some(aggregate) => pushdown::answer(&self.table, aggregate),
            None => self.table.clone(),
        }
    }

    /// The plan node's private list: one string.
    pub fn to_list(&self) -> Result<*mut pg_sys::List, FdwError> {
        let text =
            serde_json::to_string(self).map_err(|error| FdwError::Internal(error.to_string()))?;
        // JSON escapes U+0000, so the text has none.
        let text = CString::new(format!("{VERSION}{text}"))
            .map_err(|error| FdwError::Internal(error.to_string()))?;
        // SAFETY: both copies are palloc'd in the planner's memory context.
        unsafe {
            let copy = pg_sys::pstrdup(text.as_ptr());
            let mut list = pgrx::PgList::<pg_sys::Node>::new();
            list.push(pg_sys::makeString(copy).cast());
            Ok(list.into_pg())
        }
    }

    /// Reads the private list of a plan node.
    ///
    /// # Safety
    /// `list` is the `fdw_private` of a ForeignScan of this wrapper.
    pub unsafe fn from_list(list: *mut pg_sys::List) -> Result<Self, FdwError> {
        // SAFETY: by this function's contract the list holds one string.
        let text = unsafe {
            let list = pgrx::PgList::<pg_sys::Node>::from_pg(list);
            let node = list
                .get_ptr(0)
                .ok_or_else(|| FdwError::Plan("the plan is empty".to_owned()))?;
            CStr::from_ptr(crate::compat::string_value(node))
                .to_string_lossy()
                .into_owned()
        };
        let text = text
            .strip_prefix(VERSION)
            .ok_or_else(|| FdwError::Plan("its version differs".to_owned()))?;
        serde_json::from_str(text).map_err(|error| FdwError::Plan(error.to_string()))
    }
}

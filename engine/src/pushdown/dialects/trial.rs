//! For tests: what a table asks its API for, from a condition as a planner gives it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, Table};
use crate::predicate::{Predicate, Semantics, Value};
use crate::pushdown::{RemoteQuery, SortKey, Verdict, plan};
use crate::request::{Operand, bind};

/// A table of a dialect, with further options.
pub(super) fn in_dialect(dialect: &str, options: &[(&str, &str)], columns: &[TestColumn]) -> Table {
    let own = [("dialect", dialect)].into_iter();
    let options: Vec<_> = own.chain(options.iter().copied()).collect();
    table(&[], &options, columns)
}

/// `column OPERATOR value`, under COLLATE "C".
pub(super) fn is(column: usize, operator: Operator, operand: usize) -> Predicate {
    Predicate::Compare {
        column,
        operator,
        operand,
        semantics: Semantics {
            collation_is_c: true,
            deterministic: true,
        },
    }
}

/// The verdicts, and the parameters of the requests, `name=value` each. Values are known when it is
/// planned.
pub(super) fn asked(
    table: &Table,
    predicates: &[Predicate],
    values: &[Value],
) -> (Vec<Verdict>, Vec<Vec<String>>) {
    let constants: Vec<Option<Value>> = values.iter().cloned().map(Some).collect();
    let pushdown = plan(table, predicates, &constants, true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    (pushdown.verdicts, parameters(table, &query, values))
}

/// The parameters of the requests of a query.
pub(super) fn parameters(table: &Table, query: &RemoteQuery, values: &[Value]) -> Vec<Vec<String>> {
    let operands: Vec<Operand> = values.iter().cloned().map(Operand::Value).collect();
    let bound = bind(table, query, &operands).unwrap();
    let shown = |(name, value): &(String, String)| format!("{name}={value}");
    bound
        .requests
        .iter()
        .map(|inputs| inputs.query.iter().map(shown).collect())
        .collect()
}

/// The verdict and the parameters of one request for one condition; the reason where it is not sent.
pub(super) fn one(
    table: &Table,
    column: usize,
    operator: Operator,
    value: Value,
) -> Result<(Verdict, String), String> {
    let (verdicts, requests) = asked(table, &[is(column, operator, 0)], &[value]);
    match &verdicts[0] {
        Verdict::Local(reason) => Err(reason.clone()),
        verdict => Ok((verdict.clone(), requests[0].join("&"))),
    }
}

/// As [`one`], where it is exact.
pub(super) fn exactly(table: &Table, column: usize, operator: Operator, value: Value) -> String {
    let (verdict, request) = one(table, column, operator, value).unwrap();
    assert_eq!(verdict, Verdict::Exact, "{request}");
    request
}

/// As [`one`], where the API may return more rows.
pub(super) fn widely(table: &Table, column: usize, operator: Operator, value: Value) -> String {
    let (verdict, request) = one(table, column, operator, value).unwrap();
    assert_eq!(verdict, Verdict::Superset, "{request}");
    request
}

/// The reason why a condition is not sent.
pub(super) fn refused(table: &Table, column: usize, operator: Operator, value: Value) -> String {
    one(table, column, operator, value).unwrap_err()
}

/// What is sent for an order and some columns.
pub(super) fn shaped(table: &Table, order: &[SortKey], fields: Option<Vec<usize>>) -> String {
    let query = RemoteQuery {
        sent: Vec::new(),
        order: order.to_vec(),
        fields,
        aggregate: None,
    };
    parameters(table, &query, &[])[0].join("&")
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn texts(list: &[&str]) -> Value {
    Value::List(list.iter().map(|item| text(item)).collect())
}

pub(super) fn key(column: usize, descending: bool, nulls_first: bool) -> SortKey {
    SortKey {
        column,
        descending,
        nulls_first,
    }
}

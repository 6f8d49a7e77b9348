//! Lists that become several requests, and those that do not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::may_split;
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Semantics, Value};
use crate::pushdown::{RemoteQuery, SortKey, plan};
use crate::request::{Operand, bind};

const SEMANTICS: Semantics = Semantics {
    collation_is_c: true,
    deterministic: true,
};

fn over(options: &[(&str, &str)], column: &[(&str, &str)]) -> Table {
    table(&[], options, &[("id", Type::Int8, column)])
}

fn one_of(operand: Option<Value>) -> (Predicate, Vec<Option<Value>>) {
    let predicate = Predicate::Compare {
        column: 0,
        operator: Operator::In,
        operand: 0,
        semantics: SEMANTICS,
    };
    (predicate, vec![operand])
}

fn list(values: &[i64]) -> Value {
    Value::List(values.iter().copied().map(Value::Int).collect())
}

/// Whether `id IN (…)` may split; where the list is known, it must be what binding does.
fn splits(table: &Table, values: Option<&[i64]>) -> bool {
    let (predicate, constants) = one_of(values.map(list));
    let sent = plan(table, &[predicate], &constants, true).sent;
    let may = may_split(table, &sent, &constants);
    if let Some(values) = values {
        let query = RemoteQuery {
            sent,
            ..RemoteQuery::default()
        };
        let bound = bind(table, &query, &[Operand::Value(list(values))]).unwrap();
        assert_eq!(may, bound.requests.len() > 1, "{values:?}");
    }
    may
}

#[test]
fn a_list_of_the_apis_own_splits_where_it_is_too_long() {
    let native = [("filter", "in ids")];
    assert!(!splits(&over(&[], &native), Some(&[1, 2, 3])));
    assert!(splits(
        &over(&[("max_list_size", "2")], &native),
        Some(&[1, 2, 3])
    ));
    assert!(!splits(
        &over(&[("max_list_size", "2")], &native),
        Some(&[1, 2, 2])
    ));
    assert!(splits(
        &over(&[("max_url_length", "20")], &native),
        Some(&[1, 2, 3])
    ));
    assert!(splits(&over(&[], &native), None));
}

#[test]
fn one_request_a_value_splits_from_the_second_on() {
    for column in [[("filter", "= id")], [("param", "id")]] {
        let table = over(&[], &column);
        assert!(!splits(&table, Some(&[7])), "{column:?}");
        assert!(splits(&table, Some(&[7, 8])), "{column:?}");
        assert!(splits(&table, None), "{column:?}");
    }
}

#[test]
fn a_list_that_is_not_sent_splits_nothing() {
    assert!(!splits(&over(&[], &[]), Some(&[7, 8])));
}

#[test]
fn a_list_that_would_split_an_ordered_scan_is_checked_here() {
    let table = over(&[], &[("filter", "= id"), ("sort", "id")]);
    let (predicate, constants) = one_of(Some(list(&[7, 8])));
    let query = RemoteQuery {
        sent: plan(&table, &[predicate], &constants, true).sent,
        order: vec![SortKey {
            column: 0,
            descending: false,
            nulls_first: false,
        }],
        fields: None,
        aggregate: None,
    };
    let bound = bind(&table, &query, &[Operand::Value(list(&[7, 8]))]).unwrap();
    assert_eq!((bound.requests.len(), bound.unsent), (1, vec![0]));
}

#[test]
fn an_or_that_values_make_a_list_does_not_split_an_ordered_scan() {
    let columns: &[TestColumn] = &[("u", Type::Uuid, &[]), ("d", Type::Int4, &[])];
    let table = table(
        &[],
        &[("dialect", "odata"), ("max_list_size", "2")],
        columns,
    );
    let compare = |column, operator, operand| Predicate::Compare {
        column,
        operator,
        operand,
        semantics: SEMANTICS,
    };
    let either = Predicate::Or(vec![
        compare(0, Operator::NotIn, 0),
        compare(1, Operator::In, 1),
    ]);
    let with_null = Value::List(vec![Value::Uuid([0; 16]), Value::Null]);
    let operands = [with_null, list(&[1, 2, 3])].map(Operand::Value);
    let query = RemoteQuery {
        sent: plan(&table, &[either], &[], true).sent,
        order: vec![SortKey {
            column: 1,
            descending: false,
            nulls_first: true,
        }],
        ..RemoteQuery::default()
    };
    let bound = bind(&table, &query, &operands).unwrap();
    assert_eq!((bound.requests.len(), bound.unsent), (1, vec![0]));
}

//! Trees of conditions as parameters (Strapi).

use super::one_column::ALL_EXACT;
use crate::model::options::fixture::TestColumn;
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Value};
use crate::pushdown::Verdict;
use crate::pushdown::dialects::trial::{asked, in_dialect, is, text};
use Operator::{Eq, Ge, In, Ne};
use Predicate::{And, Or};

fn strapi(options: &[(&str, &str)]) -> Table {
    let a: TestColumn = ("a", Type::Int4, &[("filter", ALL_EXACT)]);
    let b: TestColumn = (
        "b",
        Type::Text,
        &[("field", "b.name"), ("filter", ALL_EXACT)],
    );
    in_dialect("brackets strapi", options, &[a, b])
}

/// What one request sends for all of these; the values are 1, 2, …, and `x`.
fn sent(table: &Table, predicates: &[Predicate]) -> String {
    let values: Vec<Value> = (1..=4).map(Value::Int).chain([text("x")]).collect();
    let (verdicts, mut requests) = asked(table, predicates, &values);
    assert!(
        verdicts.iter().all(|verdict| *verdict == Verdict::Exact),
        "{verdicts:?}"
    );
    assert_eq!(requests.len(), 1);
    requests.remove(0).join("&")
}

const X: usize = 4;

#[test]
fn arms_stand_in_lists() {
    let table = strapi(&[]);
    let either = Or(vec![
        is(0, Eq, 0),
        And(vec![is(0, Ge, 1), is(1, Eq, X)]),
        is(1, Operator::IsNull, X),
    ]);
    assert_eq!(
        sent(&table, std::slice::from_ref(&either)),
        "filters[$or][0][a][$eq]=1&filters[$or][1][$and][0][a][$gte]=2&filters[$or][1][$and][1][b][name][$eq]=x\
         &filters[$or][2][b][name][$null]=true"
    );
    assert_eq!(
        sent(&table, &[either.clone(), is(0, Ge, 3)]),
        "filters[$or][0][a][$eq]=1&filters[$or][1][$and][0][a][$gte]=2&filters[$or][1][$and][1][b][name][$eq]=x\
         &filters[$or][2][b][name][$null]=true&filters[a][$gte]=4"
    );
}

#[test]
fn conditions_that_would_meet_are_parted() {
    let table = strapi(&[]);
    assert_eq!(
        sent(&table, &[is(0, Ge, 0), is(0, Ge, 1)]),
        "filters[$and][0][a][$gte]=1&filters[$and][1][a][$gte]=2"
    );
    let either = |one, other| Or(vec![is(0, Ge, one), is(1, Eq, other)]);
    assert_eq!(
        sent(&table, &[either(0, X), either(1, X)]),
        "filters[$and][0][$or][0][a][$gte]=1&filters[$and][0][$or][1][b][name][$eq]=x\
         &filters[$and][1][$or][0][a][$gte]=2&filters[$and][1][$or][1][b][name][$eq]=x"
    );
    assert_eq!(
        sent(&table, &[is(0, Ge, 0), is(1, Eq, X)]),
        "filters[a][$gte]=1&filters[b][name][$eq]=x"
    );
}

#[test]
fn the_tables_own_conditions_stay_beside_ours() {
    let own = r#"{"filters[$or][0][c][$eq]": "1", "filters[$and][0][d][$eq]": "2"}"#;
    let table = strapi(&[("query", own)]);
    let either = Or(vec![is(0, Ge, 0), is(1, Eq, X)]);
    assert_eq!(
        sent(&table, &[either]),
        "filters[$and][1][$or][0][a][$gte]=1&filters[$and][1][$or][1][b][name][$eq]=x"
    );
    let table = strapi(&[("query", r#"{"filters[a][$gte]": "7"}"#)]);
    assert_eq!(sent(&table, &[is(0, Ge, 0)]), "filters[$and][0][a][$gte]=1");
}

#[test]
fn a_list_too_long_for_a_parser_is_not_sent() {
    let table = strapi(&[]);
    let arm = |index: i64| {
        let column = usize::from(index % 2 == 1);
        is(column, if column == 0 { Ge } else { Eq }, index as usize)
    };
    let values: Vec<Value> = (0..102)
        .map(|index| match index % 2 {
            0 => Value::Int(index),
            _ => text(&index.to_string()),
        })
        .collect();
    // The texts are one list, so each number is an arm.
    let many = Or((0..102)
        .map(|index| match index % 2 {
            0 => is(0, Ge, index),
            _ => And(vec![arm(index as i64), is(0, Ne, 0)]),
        })
        .collect());
    let (verdicts, _) = asked(&table, &[many], &values);
    assert_eq!(
        verdicts,
        [Verdict::Local(
            "the API takes no more than 100 conditions".to_owned()
        )]
    );
}

#[test]
fn a_template_of_the_users_own_has_no_place_in_the_tree() {
    let table = strapi(&[("operators", r#"{">=": "min_{name}={value}"}"#)]);
    let (verdicts, _) = asked(
        &table,
        &[Or(vec![is(0, Ge, 0), is(1, Eq, 1)])],
        &[Value::Int(1), text("x")],
    );
    assert_eq!(
        verdicts,
        [Verdict::Local(
            "parameter \"min_a\" has no place in a tree of conditions".to_owned()
        )]
    );
    let (_, requests) = asked(
        &table,
        &[is(0, Ge, 0), is(0, In, 1), is(0, Eq, 2)],
        &[
            Value::Int(1),
            Value::List(vec![Value::Int(2), Value::Int(3)]),
            Value::Int(3),
        ],
    );
    assert_eq!(
        requests[0].join("&"),
        "min_a=1&filters[a][$in][0]=2&filters[a][$in][1]=3&filters[a][$eq]=3"
    );
}

//! Conditions as JSON documents.

use super::one_column::{ALL_EXACT, column, ints};
use crate::model::options::fixture::{table, try_table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Value};
use crate::pushdown::dialects::trial::{asked, is, parameters, text};
use crate::pushdown::{RemoteQuery, SortKey, Verdict};
use Operator::{Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotIn, StartsWith};
use proptest::prelude::*;
use serde_json::json;

const ALL: &str = "=, <>, <, <=, >, >=, in, not_in, like, ilike, is_null, is_not_null";

/// The document that is sent for a condition on column 0, and whether it is precisely the condition; or why
/// it is not sent.
fn sent(
    table: &Table,
    operator: Operator,
    value: Value,
) -> Result<(serde_json::Value, bool), String> {
    let (verdicts, requests) = asked(table, &[is(0, operator, 0)], &[value]);
    match &verdicts[0] {
        Verdict::Local(reason) => Err(reason.clone()),
        verdict => {
            let text = requests[0][0].split_once('=').unwrap().1;
            Ok((
                serde_json::from_str(text).unwrap(),
                *verdict == Verdict::Exact,
            ))
        }
    }
}

#[test]
fn directus_has_an_operator_a_comparison() {
    let table = column("json", Type::Int4, ALL_EXACT);
    for (operator, expected) in [
        (Eq, json!({"x": {"_eq": 5}})),
        (
            Ne,
            json!({"_and": [{"x": {"_neq": 5}}, {"x": {"_nnull": true}}]}),
        ),
        (Lt, json!({"x": {"_lt": 5}})),
        (Le, json!({"x": {"_lte": 5}})),
        (Gt, json!({"x": {"_gt": 5}})),
        (Ge, json!({"x": {"_gte": 5}})),
        (IsNull, json!({"x": {"_null": true}})),
        (IsNotNull, json!({"x": {"_nnull": true}})),
    ] {
        assert_eq!(sent(&table, operator, Value::Int(5)), Ok((expected, true)));
    }
    for (operator, expected) in [
        (In, json!({"x": {"_in": [1, 2]}})),
        (
            NotIn,
            json!({"_and": [{"x": {"_nin": [1, 2]}}, {"x": {"_nnull": true}}]}),
        ),
    ] {
        assert_eq!(sent(&table, operator, ints(&[1, 2])), Ok((expected, true)));
    }
    let names = column("json", Type::Text, ALL_EXACT);
    for (pattern, expected) in [
        ("ab%", json!({"x": {"_starts_with": "ab"}})),
        ("%ab", json!({"x": {"_ends_with": "ab"}})),
        ("%ab%", json!({"x": {"_contains": "ab"}})),
    ] {
        assert_eq!(sent(&names, Like, text(pattern)), Ok((expected, true)));
    }
    assert_eq!(
        sent(&names, Eq, text("")),
        Ok((json!({"x": {"_eq": ""}}), true))
    );
}

#[test]
fn directus_takes_some_texts_for_something_else() {
    let names = column("json", Type::Text, ALL_EXACT);
    for special in ["true", "false", "null", "NULL", "$NOW", "$CURRENT_USER"] {
        assert!(
            sent(&names, Eq, text(special))
                .unwrap_err()
                .contains("something else")
        );
    }
}

#[test]
fn numbers_that_are_no_doubles_are_sent_only_where_they_are_read() {
    let large = Value::Int(9_007_199_254_740_993);
    let int8 = |dialect: &str| sent(&column(dialect, Type::Int8, ALL), Eq, large.clone());
    assert!(int8("json").unwrap_err().contains("doubles"));
    assert_eq!(
        int8("json elasticsearch").unwrap().0,
        json!({"term": {"x": 9_007_199_254_740_993_i64}})
    );
    for dialect in ["json", "json elasticsearch"] {
        let numeric = |digits: &str| {
            let table = column(dialect, Type::Numeric, ALL);
            sent(&table, Le, Value::Numeric(digits.to_owned()))
        };
        assert!(numeric("0.1000000000000000000001").is_err());
        assert!(numeric("0.10").is_ok());
    }
}

#[test]
fn documents_are_joined_and_nested() {
    let table = table(
        &[],
        &[("dialect", "json")],
        &[
            (
                "login",
                Type::Text,
                &[("field", "user.login"), ("filter", "= exact")],
            ),
            ("n", Type::Int4, &[("filter", "=, >=, is_null")]),
        ],
    );
    let either = Predicate::Or(vec![is(0, Eq, 0), is(1, IsNull, 0)]);
    let (_, requests) = asked(&table, &[is(1, Ge, 1), either], &[text("x"), Value::Int(5)]);
    assert_eq!(
        requests,
        [[
            r#"filter={"_and":[{"n":{"_gte":5}},{"_or":[{"user":{"login":{"_eq":"x"}}},{"n":{"_null":true}}]}]}"#
        ]]
    );
}

#[test]
fn elasticsearch_has_queries() {
    let table = column("json elasticsearch", Type::Int4, ALL_EXACT);
    let exists = json!([{"exists": {"field": "x"}}]);
    for (operator, expected) in [
        (Eq, json!({"term": {"x": 5}})),
        (
            Ne,
            json!({"bool": {"filter": exists, "must_not": [{"term": {"x": 5}}]}}),
        ),
        (Lt, json!({"range": {"x": {"lt": 5}}})),
        (Le, json!({"range": {"x": {"lte": 5}}})),
        (Gt, json!({"range": {"x": {"gt": 5}}})),
        (Ge, json!({"range": {"x": {"gte": 5}}})),
        (IsNull, json!({"bool": {"must_not": exists}})),
        (IsNotNull, json!({"exists": {"field": "x"}})),
    ] {
        assert_eq!(sent(&table, operator, Value::Int(5)), Ok((expected, true)));
    }
    assert_eq!(
        sent(&table, In, ints(&[1, 2])),
        Ok((json!({"terms": {"x": [1, 2]}}), true))
    );
    let names = column("json elasticsearch", Type::Text, ALL_EXACT);
    assert_eq!(
        sent(&names, Like, text(r"a*\%_?%")),
        Ok((json!({"wildcard": {"x": {"value": r"a\*%?\?*"}}}), true))
    );
    assert_eq!(
        sent(
            &column("json elasticsearch", Type::Text, "ilike"),
            ILike,
            text("a_k%")
        ),
        Ok((
            json!({"wildcard": {"x": {"value": "a*", "case_insensitive": true}}}),
            false
        ))
    );
}

#[test]
fn elasticsearch_may_have_cut_times_and_long_texts() {
    let es = |ty: Type, filter: &str| column("json elasticsearch", ty, filter);
    let time = Value::TimestampTz(1_500);
    // > is widened to >=: what is finer than a millisecond was cut there.
    let (document, exact) = sent(&es(Type::TimestampTz, ALL), Gt, time.clone()).unwrap();
    assert_eq!(
        document,
        json!({"range": {"x": {"gte": "1970-01-01T00:00:00.0015Z"}}})
    );
    assert!(!exact);
    assert!(
        sent(&es(Type::TimestampTz, ALL), Ne, time.clone())
            .unwrap_err()
            .contains("milliseconds")
    );
    assert!(sent(&es(Type::TimestampTz, ALL_EXACT), Ne, time).is_ok());
    let long = "x".repeat(257);
    assert!(
        sent(&es(Type::Text, ALL), Eq, text(&long))
            .unwrap_err()
            .contains("indexed")
    );
    assert!(sent(&es(Type::Text, ALL_EXACT), Eq, text(&long)).is_ok());
    assert!(
        sent(&es(Type::Uuid, ALL), Eq, Value::Uuid([1; 16]))
            .unwrap_err()
            .contains("texts")
    );
}

#[test]
fn elasticsearch_sorts_and_lists_members_of_the_source() {
    let table = table(
        &[],
        &[("dialect", "json elasticsearch"), ("rows", "hits.hits")],
        &[
            ("id", Type::Text, &[("field", "_id"), ("filter", "=")]),
            (
                "login",
                Type::Text,
                &[
                    ("field", "_source.user.login"),
                    ("filter", "="),
                    ("sort", "user.login"),
                ],
            ),
        ],
    );
    let query = RemoteQuery {
        order: vec![SortKey {
            column: 1,
            descending: true,
            nulls_first: false,
        }],
        fields: Some(vec![0, 1]),
        ..RemoteQuery::default()
    };
    assert_eq!(
        parameters(&table, &query, &[]),
        [[
            r#"sort=[{"user.login":{"missing":"_last","order":"desc"}}]"#,
            r#"_source=["user"]"#,
        ]]
    );
    let (_, requests) = asked(&table, &[is(1, Eq, 0)], &[text("x")]);
    assert_eq!(requests, [[r#"query={"term":{"user.login":"x"}}"#]]);
}

fn own(operators: &str, more: &[(&str, &str)]) -> Table {
    let mut options = vec![("dialect", "json operators"), ("operators", operators)];
    options.extend(more);
    table(
        &[],
        &options,
        &[
            (
                "key",
                Type::Text,
                &[("filter", "= exact, like exact, in exact")],
            ),
            ("status", Type::Text, &[("filter", "in exact, = exact")]),
        ],
    )
}

#[test]
fn etcd_ranges_are_one_document() {
    let etcd = r#"{"=": {"key": "{value:base64}"}, "starts_with": {"key": "{value:base64}", "range_end": "{next:base64}"}}"#;
    let table = own(etcd, &[]);
    let range = |operator, value| asked(&table, &[is(0, operator, 0)], &[text(value)]).1;
    assert_eq!(range(Eq, "foo"), [[r#"filter={"key":"Zm9v"}"#]]);
    assert_eq!(
        range(StartsWith, "foo"),
        [[r#"filter={"key":"Zm9v","range_end":"Zm9w"}"#]]
    );
    // What marks unknown values elsewhere is a text like any other.
    assert_eq!(range(Eq, "\u{fdd0}x"), [[r#"filter={"key":"77eQeA=="}"#]]);
    // Without `and` one document carries one condition.
    let (verdicts, requests) = asked(
        &table,
        &[is(0, StartsWith, 0), is(0, Eq, 1)],
        &[text("f"), text("foo")],
    );
    assert_eq!(requests, [[r#"filter={"key":"Zm9v"}"#]]);
    assert!(matches!(&verdicts[0], Verdict::Local(reason) if reason.contains("already carries")));
    // Without `or` a list is a request a value.
    let list = Value::List(vec![text("a"), text("b")]);
    let (_, requests) = asked(&table, &[is(0, In, 0)], &[list]);
    assert_eq!(requests.len(), 2);
}

#[test]
fn merged_conditions_that_write_the_same_member_are_not_both_sent() {
    let ranges = r#"{"and": "merge", "=": {"key": "{value:base64}", "range_end": null}, ">=": {"key": "{value:base64}"},
        "<": {"range_end": "{value:base64}"}, "starts_with": {"key": "{value:base64}", "range_end": "{next:base64}"}}"#;
    let filters = "= exact, >= exact, < exact, like exact, in exact";
    let table = table(
        &[],
        &[("dialect", "json operators"), ("operators", ranges)],
        &[(
            "key",
            Type::Text,
            &[("filter", filters), ("collation", "C")],
        )],
    );
    let sent = |operators: &[Operator]| {
        let conditions = operators.iter().enumerate();
        let conditions: Vec<_> = conditions
            .map(|(index, operator)| is(0, *operator, index))
            .collect();
        let values = ["b", "d"].map(text);
        let (verdicts, requests) = asked(&table, &conditions, &values[..operators.len()]);
        let exact = verdicts.iter().map(|verdict| *verdict == Verdict::Exact);
        (exact.collect::<Vec<_>>(), requests.concat().concat())
    };
    for (operators, exact, request) in [
        (
            [Ge, Lt],
            [true, true],
            r#"filter={"key":"Yg==","range_end":"ZA=="}"#,
        ),
        (
            [StartsWith, Lt],
            [true, false],
            r#"filter={"key":"Yg==","range_end":"Yw=="}"#,
        ),
        (
            [Lt, StartsWith],
            [true, false],
            r#"filter={"range_end":"Yg=="}"#,
        ),
        (
            [Lt, Eq],
            [false, true],
            r#"filter={"key":"ZA==","range_end":null}"#,
        ),
        ([Ge, StartsWith], [true, false], r#"filter={"key":"Yg=="}"#),
    ] {
        assert_eq!(
            sent(&operators),
            (exact.to_vec(), request.to_owned()),
            "{operators:?}"
        );
    }
}

#[test]
fn docker_filters_are_merged() {
    let docker = r#"{"and": "merge", "=": {"{name}": ["{value}"]}, "in": {"{name}": "{values}"}}"#;
    let table = own(docker, &[("filter_param", "filters")]);
    let list = Value::List(vec![text("a"), text("b")]);
    let (verdicts, requests) = asked(&table, &[is(0, Eq, 0), is(1, In, 1)], &[text("k"), list]);
    assert_eq!(verdicts, [Verdict::Exact, Verdict::Exact]);
    assert_eq!(requests, [[r#"filters={"key":["k"],"status":["a","b"]}"#]]);
    // A list of one member means any of them: two conditions cannot share it.
    let (verdicts, requests) = asked(
        &table,
        &[is(1, Eq, 0), is(1, Eq, 1)],
        &[text("a"), text("a")],
    );
    assert_eq!(requests, [[r#"filters={"status":["a"]}"#]]);
    assert!(
        verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Local(_)))
    );
}

#[test]
fn a_template_stands_around_the_filter() {
    let table = table(
        &[],
        &[
            ("dialect", "json elasticsearch"),
            ("filter_param", "source"),
            ("filter_template", r#"{"query": {filter}, "size": 5}"#),
        ],
        &[("x", Type::Int4, &[("filter", "=")])],
    );
    let (_, requests) = asked(&table, &[is(0, Eq, 0)], &[Value::Int(1)]);
    assert_eq!(
        requests,
        [[r#"source={"query": {"term":{"x":1}}, "size": 5}"#]]
    );
    for no_document in [r#"{"query": "{filter}"}"#, "{filter}}"] {
        let options = [("dialect", "json"), ("filter_template", no_document)];
        let error = try_table(&[], &options, &[]).unwrap_err();
        assert!(
            error.message.contains("makes no JSON document"),
            "{no_document}"
        );
    }
}

proptest! {
    /// Whatever is asked for, the document reads back with the value where it belongs.
    #[test]
    fn a_value_stays_within_its_document(value in "\\PC{0,12}|[\"\\\\{}:,\\[\\]]{0,8}") {
        for dialect in ["json", "json elasticsearch"] {
            if let Ok((document, _)) = sent(&column(dialect, Type::Text, "= exact"), Eq, text(&value)) {
                let expected = match dialect {
                    "json" => json!({"x": {"_eq": value}}),
                    _ => json!({"term": {"x": value}}),
                };
                prop_assert_eq!(document, expected);
            }
        }
    }
}

//! The exact requests of tables that are read by POST.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::Error;
use crate::model::options::fixture::{TestColumn, table, try_table};
use crate::model::{Operator, Table, Type};
use crate::pagination::Pager;
use crate::predicate::{Predicate, Semantics, Value};
use crate::pushdown::{RemoteQuery, plan};
use crate::request::{Operand, Request, bind, build};
use std::sync::Arc;

const COLUMNS: &[TestColumn] = &[
    ("id", Type::Int4, &[("filter", "=, in, >=")]),
    ("name", Type::Text, &[("filter", "=")]),
];

fn compare(column: usize, operator: Operator, operand: usize) -> Predicate {
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

/// The first request for `column = operand` for each of the operands, in order.
fn request(table: &Table, operands: &[Operand]) -> crate::Result<Request> {
    let predicates: Vec<Predicate> = (0..operands.len())
        .map(|index| compare(index, Operator::Eq, index))
        .collect();
    let query = RemoteQuery {
        sent: plan(table, &predicates, &[], true).sent,
        ..RemoteQuery::default()
    };
    let bound = bind(table, &query, operands)?;
    Pager::new(Arc::new(table.clone()), bound.requests[0].clone(), None)?.first()
}

fn values() -> [Operand; 2] {
    [
        Operand::Value(Value::Int(5)),
        Operand::Value(Value::Text("a\"&b".to_owned())),
    ]
}

fn names_by_post() -> Table {
    table(&[], &[("method", "POST")], &COLUMNS[1..])
}

fn body(options: &[(&str, &str)]) -> String {
    let mut all = vec![("method", "POST")];
    all.extend(options);
    request(&table(&[], &all, COLUMNS), &values())
        .unwrap()
        .body
        .unwrap()
}

#[test]
fn all_parameters_are_members_of_the_body() {
    let options = [
        ("method", "POST"),
        ("dialect", "json elasticsearch"),
        ("pagination", "offset"),
        ("offset_param", "from"),
        ("page_size_param", "size"),
        ("page_size", "50"),
        ("query", r#"{"pretty": "true"}"#),
    ];
    let request = request(&table(&[], &options, COLUMNS), &values()).unwrap();
    assert_eq!(request.method.name(), "POST");
    assert_eq!(request.url, "https://api.test/v1/items?pretty=true");
    assert_eq!(
        request.body.unwrap(),
        r#"{"from":0,"query":{"bool":{"filter":[{"term":{"id":5}},{"term":{"name":"a\"&b"}}]}},"size":50}"#
    );
    let is_type =
        |(name, value): &(String, String)| name == "Content-Type" && value == "application/json";
    assert!(request.headers.iter().any(is_type));
}

#[test]
fn numbers_are_numbers_and_dots_lead_deeper() {
    let nested = [("dialect", "json"), ("filter_param", "query.filter")];
    assert_eq!(
        body(&nested),
        r#"{"query":{"filter":{"_and":[{"id":{"_eq":5}},{"name":{"_eq":"a\"&b"}}]}}}"#
    );
    assert_eq!(body(&[]), r#"{"id":5,"name":"a\"&b"}"#);
    assert_eq!(body(&[("body_type", "form")]), "id=5&name=a%22%26b");
}

#[test]
fn a_template_says_where_values_go_and_the_rest_goes_into_the_url() {
    let options = [
        ("method", "POST"),
        (
            "body",
            r#"{"where": {{ params.id }}, "n": {{ params.name }}{% if params.x %}, "x": {{ params.x }}{% endif %}}"#,
        ),
        ("pagination", "page"),
        ("page_size_param", "size"),
        ("page_size", "10"),
    ];
    let request = request(&table(&[], &options, COLUMNS), &values()).unwrap();
    assert_eq!(request.body.unwrap(), r#"{"where": 5, "n": "a\"&b"}"#);
    assert_eq!(request.url, "https://api.test/v1/items?size=10&page=1");
    let whole = [
        ("dialect", "sql"),
        ("body_type", "text"),
        (
            "body",
            "SELECT * FROM t{% if filter %} WHERE {{ filter }}{% endif %}",
        ),
    ];
    assert_eq!(
        body(&whole),
        "SELECT * FROM t WHERE id = 5 AND name = 'a\"&b'"
    );
}

#[test]
fn a_filter_may_be_the_whole_body() {
    let etcd = table(
        &[],
        &[
            ("method", "POST"),
            ("dialect", "json operators"),
            ("operators", r#"{"=": {"key": "{value:base64}"}}"#),
            (
                "body",
                r#"{% if filter %}{{ filter }}{% else %}{"key": "AA==", "range_end": "AA=="}{% endif %}"#,
            ),
        ],
        &[("key", Type::Text, &[("filter", "=")])],
    );
    let sent = |operands: &[Operand]| request(&etcd, operands).unwrap();
    let one = sent(&[Operand::Value(Value::Text("foo".to_owned()))]);
    assert_eq!(one.body.as_deref(), Some(r#"{"key":"Zm9v"}"#));
    assert_eq!(one.url, "https://api.test/v1/items");
    assert_eq!(
        sent(&[]).body.as_deref(),
        Some(r#"{"key": "AA==", "range_end": "AA=="}"#)
    );
}

#[test]
fn a_template_makes_a_range_of_a_filter_and_a_page_of_a_key() {
    let body = r#"{% macro after(key) %}{{ key|replace("==", "A!")|replace("=", "A")|replace("!", "=") if "=" in key else key ~ "AA==" }}{% endmacro -%}
        {% set asked = filter or {} -%}
        {"key": {% if cursor %}{{ after(cursor) }}{% else %}{{ asked.key or "AA==" }}{% endif %},
         "range_end": {% if asked.range_end is none %}{{ after(asked.key) }}{% else %}{{ asked.range_end or "AA==" }}{% endif %},
         "limit": {{ size }}}"#;
    let operators = r#"{"and": "merge", "=": {"key": "{value:base64}", "range_end": null}, ">=": {"key": "{value:base64}"}}"#;
    let options = [
        ("method", "POST"),
        ("dialect", "json operators"),
        ("operators", operators),
        ("body", body),
        ("pagination", "keyset"),
        ("cursor_param", "cursor"),
        ("cursor_column", "key"),
        ("page_size_param", "limit"),
        ("page_size", "10"),
    ];
    let columns: &[TestColumn] = &[(
        "key",
        Type::Text,
        &[
            ("filter", "=, >="),
            ("collation", "C"),
            ("format", "base64"),
        ],
    )];
    let etcd = table(&[], &options, columns);
    let sent = |operator, key: &str, cursor: Option<&str>| {
        let operand = [Operand::Value(Value::Text(key.to_owned()))];
        let conditions = [compare(0, operator, 0)];
        let conditions = if key.is_empty() { &[][..] } else { &conditions };
        let query = RemoteQuery {
            sent: plan(&etcd, conditions, &[], true).sent,
            ..RemoteQuery::default()
        };
        let inputs = bind(&etcd, &query, &operand).unwrap().requests;
        let mut paging = vec![("limit".to_owned(), "10".to_owned())];
        paging.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor.to_owned())));
        let request = build(&etcd, &inputs[0], &paging).unwrap();
        assert_eq!(request.url, "https://api.test/v1/items");
        let body: serde_json::Value = serde_json::from_str(&request.body.unwrap()).unwrap();
        assert_eq!(body["limit"], 10);
        let range = ["key", "range_end"].map(|name| body[name].as_str().unwrap().to_owned());
        range.join(" ")
    };
    assert_eq!(sent(Operator::Eq, "", None), "AA== AA==");
    // "foo", and what follows it first: "foo\0".
    assert_eq!(sent(Operator::Eq, "foo", None), "Zm9v Zm9vAA==");
    assert_eq!(sent(Operator::Eq, "fo", None), "Zm8= Zm8A");
    assert_eq!(sent(Operator::Eq, "f", None), "Zg== ZgA=");
    assert_eq!(sent(Operator::Ge, "foo", None), "Zm9v AA==");
    assert_eq!(sent(Operator::Ge, "foo", Some("Zg==")), "ZgA= AA==");
    assert_eq!(sent(Operator::Eq, "foo", Some("Zm9v")), "Zm9vAA== Zm9vAA==");
}

#[test]
fn a_body_column_is_an_input_in_the_body() {
    let columns: &[TestColumn] = &[
        (
            "since",
            Type::Int8,
            &[("param", "range.since"), ("param_in", "body")],
        ),
        ("q", Type::Text, &[("param", "q")]),
    ];
    let table = table(&[], &[("method", "POST")], columns);
    let operands = [
        Operand::Value(Value::Int(7)),
        Operand::Value(Value::Text("x".to_owned())),
    ];
    let sent = request(&table, &operands).unwrap();
    assert_eq!(sent.body.as_deref(), Some(r#"{"range":{"since":7}}"#));
    assert_eq!(sent.url, "https://api.test/v1/items?q=x");
    assert_eq!(
        sent.redacted(),
        r#"POST https://api.test/v1/items?q=x {"range":{"since":7}}"#
    );
}

#[test]
fn explain_shows_placeholders_and_no_secret() {
    let placeholders = [
        Operand::Placeholder("$1".to_owned()),
        Operand::Placeholder("$2".to_owned()),
    ];
    let es = [("method", "POST"), ("dialect", "json elasticsearch")];
    assert_eq!(
        request(&table(&[], &es, COLUMNS), &placeholders)
            .unwrap()
            .redacted(),
        r#"POST https://api.test/v1/items {"query":{"bool":{"filter":[{"term":{"id":$1}},{"term":{"name":$2}}]}}}"#
    );
    let in_url = [("dialect", "json")];
    assert_eq!(
        request(&table(&[], &in_url, COLUMNS), &placeholders[..1])
            .unwrap()
            .redacted(),
        "GET https://api.test/v1/items?filter=%7B%22id%22:%7B%22_eq%22:$1%7D%7D"
    );
    let columns: &[TestColumn] = &[(
        "t",
        Type::Text,
        &[("param", "auth.api_key"), ("param_in", "body")],
    )];
    let table = table(&[], &[("method", "POST")], columns);
    let secret = [Operand::Value(Value::Text("s3cret".to_owned()))];
    assert!(
        request(&table, &secret)
            .unwrap()
            .redacted()
            .ends_with(r#"{"auth":{"api_key":"***"}}"#)
    );
    let long = Value::Text("x".repeat(2000));
    let shown = request(&names_by_post(), &[Operand::Value(long)])
        .unwrap()
        .redacted();
    assert!(shown.ends_with('…') && shown.chars().count() < 1100);
}

#[test]
fn two_values_for_one_member_are_an_error() {
    let columns: &[TestColumn] = &[
        ("a", Type::Int4, &[("param", "x"), ("param_in", "body")]),
        ("b", Type::Int4, &[("param", "x.y"), ("param_in", "body")]),
    ];
    let table = table(&[], &[("method", "POST")], columns);
    let operands = [Operand::Value(Value::Int(1)), Operand::Value(Value::Int(2))];
    assert!(matches!(
        request(&table, &operands),
        Err(Error::Unsendable { .. })
    ));
}

#[test]
fn pages_are_told_apart_by_their_bodies() {
    let options = [("method", "POST"), ("pagination", "page")];
    let table = table(&[], &options, COLUMNS);
    let inputs = bind(&table, &RemoteQuery::default(), &[]).unwrap().requests;
    let page = |number: &str| {
        build(
            &table,
            &inputs[0],
            &[("page".to_owned(), number.to_owned())],
        )
        .unwrap()
    };
    assert_eq!(page("1").url, page("2").url);
    assert_ne!(page("1").identity(), page("2").identity());
}

#[test]
fn options_without_effect_or_sense_are_refused() {
    let refused = |options: &[(&str, &str)], columns: &[TestColumn]| {
        try_table(&[], options, columns)
            .expect_err("refused")
            .message
    };
    let in_body: &[TestColumn] = &[("a", Type::Text, &[("param", "a"), ("param_in", "body")])];
    for (options, columns, message) in [
        (
            &[("body", "{}")][..],
            COLUMNS,
            "has no effect with method 'GET'",
        ),
        (
            &[("body_type", "form")],
            COLUMNS,
            "has no effect with method 'GET'",
        ),
        (&[], in_body, "requests by GET have none"),
        (
            &[("method", "DELETE")],
            COLUMNS,
            "not a method to read with",
        ),
        (
            &[("method", "POST"), ("body_type", "text")],
            COLUMNS,
            "needs option \"body\"",
        ),
        (
            &[("method", "POST"), ("body_type", "xml")],
            COLUMNS,
            "not a type of bodies",
        ),
        (
            &[("method", "POST"), ("body", "{{ fliter }}")],
            COLUMNS,
            "{{ fliter }} is nothing",
        ),
        (
            &[("method", "POST"), ("body", "{% if %}")],
            COLUMNS,
            "syntax error",
        ),
        (
            &[("method", "POST"), ("body", "{\"a\": 1}")],
            in_body,
            "does not use it",
        ),
        (
            &[("method", "POST"), ("body", r#"{"api_key": "x"}"#)],
            COLUMNS,
            "it is a credential",
        ),
        (
            &[("method", "POST"), ("body", "password = x")],
            COLUMNS,
            "it is a credential",
        ),
    ] {
        let found = refused(options, columns);
        assert!(found.contains(message), "{options:?}: {found}");
    }
}

//! What a search is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{
    asked, exactly, in_dialect, is, key, refused, shaped, text, texts, widely,
};
use crate::model::options::fixture::{TestColumn, table, try_table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Value};
use crate::pushdown::{RemoteQuery, Verdict, plan};
use crate::request::{Operand, bind};
use Operator::{Eq, Ge, Gt, In, IsNull, Le, Like, Lt, Ne, NotIn};
use proptest::prelude::*;

const STATE: usize = 0;
const LABEL: usize = 1;
const CREATED: usize = 2;
const COMMENTS: usize = 3;
const AUTHOR: usize = 4;
const DRAFT: usize = 5;

fn issues_with(options: &[(&str, &str)]) -> Table {
    let columns: &[TestColumn] = &[
        ("status", Type::Text, &[("filter", "= state exact")]),
        (
            "label",
            Type::Text,
            &[("filter", "=, <> exact, not_in exact")],
        ),
        (
            "created_at",
            Type::TimestampTz,
            &[("filter", ">= created, <= created exact")],
        ),
        (
            "comments",
            Type::Int4,
            &[("filter", "= exact, <> exact, >=, <=, >, <")],
        ),
        ("author", Type::Text, &[("filter", "=, <>")]),
        ("draft", Type::Bool, &[("filter", "= exact, <>")]),
    ];
    in_dialect("search", options, columns)
}

fn issues() -> Table {
    issues_with(&[])
}

#[test]
fn qualifiers_have_declared_names_and_quotes_where_needed() {
    let t = issues();
    assert_eq!(exactly(&t, STATE, Eq, text("open")), "q=state:open");
    assert_eq!(
        widely(&t, LABEL, Eq, text("two, words")),
        "q=label:\"two, words\""
    );
    assert_eq!(exactly(&t, COMMENTS, Eq, Value::Int(-5)), "q=comments:-5");
    assert_eq!(exactly(&t, DRAFT, Eq, Value::Bool(true)), "q=draft:true");
}

#[test]
fn negations_keep_rows_without_the_value() {
    let t = issues();
    assert_eq!(exactly(&t, LABEL, Ne, text("a")), "q=-label:a");
    assert_eq!(
        exactly(&t, LABEL, NotIn, texts(&["a", "b"])),
        "q=-label:a -label:b"
    );
    assert_eq!(widely(&t, DRAFT, Ne, Value::Bool(true)), "q=-draft:true");
    assert!(refused(&t, AUTHOR, Ne, text("x")).contains("filter '<> exact'"));
}

#[test]
fn a_list_is_a_request_a_value() {
    let t = issues();
    let (verdicts, requests) = asked(&t, &[is(STATE, In, 0)], &[texts(&["open", "closed"])]);
    assert_eq!(verdicts, [Verdict::Exact]);
    assert_eq!(requests, [["q=state:open"], ["q=state:closed"]]);
}

#[test]
fn bounds_are_rechecked_and_two_become_one_range() {
    let t = issues();
    let day = |day: i64| Value::TimestampTz(day * 86_400_000_000);
    assert_eq!(
        widely(&t, CREATED, Ge, day(0)),
        "q=created:>=1970-01-01T00:00:00Z"
    );
    assert_eq!(
        widely(&t, CREATED, Gt, day(0)),
        "q=created:>=1970-01-01T00:00:00Z"
    );
    assert_eq!(widely(&t, COMMENTS, Lt, Value::Int(3)), "q=comments:<3");
    for (first, second) in [((Ge, 1), (Le, 9)), ((Le, 9), (Gt, 1)), ((Gt, 1), (Lt, 9))] {
        let predicates = [
            is(COMMENTS, first.0, 0),
            is(STATE, Eq, 2),
            is(COMMENTS, second.0, 1),
        ];
        let values = [Value::Int(first.1), Value::Int(second.1), text("open")];
        let (_, requests) = asked(&t, &predicates, &values);
        assert_eq!(requests[0], ["q=comments:1..9 state:open"]);
    }
}

#[test]
fn a_qualifier_goes_out_once() {
    let t = issues();
    let predicates = [
        is(COMMENTS, Ge, 0),
        is(COMMENTS, Eq, 1),
        is(COMMENTS, Gt, 0),
    ];
    let (verdicts, requests) = asked(&t, &predicates, &[Value::Int(1), Value::Int(2)]);
    assert_eq!(requests[0], ["q=comments:2"]);
    assert_eq!(verdicts[0], Verdict::Superset);
    assert!(matches!(verdicts[2], Verdict::Local(_)));
    let (verdicts, requests) = asked(
        &t,
        &[is(STATE, Eq, 0), is(STATE, Eq, 1)],
        &[text("a"), text("b")],
    );
    assert_eq!(requests[0], ["q=state:a"]);
    assert!(matches!(verdicts[1], Verdict::Local(_)));
}

#[test]
fn what_a_search_would_take_for_syntax_is_not_sent() {
    let t = issues();
    let syntax = [
        "", "a\"b", "a\\b", "a*", "a\nb", ">5", "<5", "=x", "@me", "-x", "1..2", " x", "x ", "NONE",
    ];
    for value in syntax {
        refused(&t, STATE, Eq, text(value));
    }
    assert!(refused(&t, STATE, Like, text("a%")).contains("declares no filter"));
    assert!(refused(&t, STATE, IsNull, Value::Null).contains("declares no filter"));
    let like = table(
        &[],
        &[("dialect", "search")],
        &[("x", Type::Text, &[("filter", "like")])],
    );
    assert_eq!(
        refused(&like, 0, Like, text("a%")),
        "LIKE has no spelling in dialect search"
    );
    let tree = Predicate::Or(vec![is(STATE, Eq, 0), is(DRAFT, Eq, 1)]);
    let (verdicts, _) = asked(&t, &[tree], &[text("a"), Value::Bool(true)]);
    assert_eq!(
        verdicts,
        [Verdict::Local(
            "OR has no spelling in dialect search".to_owned()
        )]
    );
}

#[test]
fn qualifiers_stand_with_the_tables_own() {
    let t = issues_with(&[("query", r#"{"q": "repo:o/r"}"#)]);
    assert_eq!(
        exactly(&t, STATE, Eq, text("open")),
        "q=repo:o/r state:open"
    );
    let t = issues_with(&[
        ("filter_template", "is:issue {filter} sort:x"),
        ("filter_param", "search"),
    ]);
    assert_eq!(
        exactly(&t, STATE, Eq, text("open")),
        "search=is:issue state:open sort:x"
    );
    assert_eq!(asked(&t, &[], &[]).1[0], ["search=is:issue  sort:x"]);
    assert_eq!(asked(&issues(), &[], &[]).1[0], [""; 0]);
    let error = try_table(
        &[],
        &[("dialect", "search"), ("filter_template", "x{where}")],
        &[],
    );
    assert!(error.unwrap_err().message.contains("no {filter}"));
}

#[test]
fn an_order_has_its_direction_in_a_second_parameter() {
    let t = table(
        &[],
        &[("dialect", "search")],
        &[("at", Type::TimestampTz, &[("sort", "created")])],
    );
    assert_eq!(
        shaped(&t, &[key(0, true, false)], None),
        "sort=created&order=desc"
    );
}

#[test]
fn explain_shows_what_is_not_known_yet() {
    let t = issues();
    let pushdown = plan(&t, &[is(STATE, Eq, 0), is(COMMENTS, Ge, 1)], &[], true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    let operands = ["$1", "$2"].map(|name| Operand::Placeholder(name.to_owned()));
    let inputs = bind(&t, &query, &operands).unwrap().requests.remove(0);
    let request = crate::request::build(&t, &inputs, &[]).unwrap();
    assert_eq!(
        request.redacted(),
        "GET https://api.test/v1/items?q=state:$1%20comments:%3E%3D$2"
    );
}

/// Splits a search into qualifiers: name and value, quotes taken away.
fn qualifiers(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once(':').unwrap();
        let (value, after) = match after.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap(),
            None => after.split_at(after.find(' ').unwrap_or(after.len())),
        };
        found.push((name.to_owned(), value.to_owned()));
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    found
}

proptest! {
    #[test]
    fn no_text_ends_its_qualifier(value in "[\"\\\\ a:,.*<>=@\\-(OR)\\PC]{0,10}") {
        let t = issues();
        let (verdicts, requests) = asked(&t, &[is(STATE, Eq, 0), is(COMMENTS, Eq, 1)], &[text(&value), Value::Int(1)]);
        let found = qualifiers(requests[0][0].strip_prefix("q=").unwrap());
        let mut expected = vec![("comments".to_owned(), "1".to_owned())];
        if verdicts[0] == Verdict::Exact {
            expected.insert(0, ("state".to_owned(), value));
        }
        prop_assert_eq!(found, expected);
    }
}

//! What Kubernetes is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{asked, exactly, in_dialect, is, refused, text, texts, widely};
use crate::model::options::fixture::TestColumn;
use crate::model::{Operator, Table, Type};
use crate::predicate::Value;
use crate::pushdown::Verdict;
use Operator::{Eq, Ge, In, IsNotNull, IsNull, Like, Ne, NotIn};
use proptest::prelude::*;

const APP: usize = 0;
const NAME: usize = 1;
const PHASE: usize = 2;
const PART: usize = 3;
const COUNT: usize = 4;
const NODE: usize = 5;

fn pods_with(options: &[(&str, &str)]) -> Table {
    let columns: &[TestColumn] = &[
        ("app", Type::Text, &[("field", "metadata.labels.app")]),
        (
            "name",
            Type::Text,
            &[("field", "metadata.name"), ("filter", "= exact")],
        ),
        (
            "phase",
            Type::Text,
            &[("field", "status.phase"), ("filter", "=, <>, not_in")],
        ),
        (
            "part",
            Type::Text,
            &[("field", "/metadata/labels/app.kubernetes.io~1part-of")],
        ),
        ("count", Type::Int4, &[("field", "metadata.labels.count")]),
        ("node", Type::Text, &[("field", "spec.nodeName")]),
    ];
    in_dialect("selectors", options, columns)
}

fn pods() -> Table {
    pods_with(&[])
}

#[test]
fn labels_are_selected_exactly() {
    let t = pods();
    assert_eq!(exactly(&t, APP, Eq, text("web")), "labelSelector=app=web");
    assert_eq!(
        exactly(&t, APP, Ne, text("web")),
        "labelSelector=app!=web,app"
    );
    assert_eq!(
        exactly(&t, APP, In, texts(&["a", "b"])),
        "labelSelector=app in (a,b)"
    );
    assert_eq!(
        exactly(&t, APP, NotIn, texts(&["a", "b"])),
        "labelSelector=app notin (a,b),app"
    );
    assert_eq!(exactly(&t, APP, IsNull, Value::Null), "labelSelector=!app");
    assert_eq!(
        exactly(&t, APP, IsNotNull, Value::Null),
        "labelSelector=app"
    );
    assert_eq!(
        exactly(&t, PART, Eq, text("x")),
        "labelSelector=app.kubernetes.io/part-of=x"
    );
    assert_eq!(
        exactly(&t, COUNT, IsNull, Value::Null),
        "labelSelector=!count"
    );
}

#[test]
fn fields_are_selected_where_declared() {
    let t = pods();
    assert_eq!(
        exactly(&t, NAME, Eq, text("x")),
        "fieldSelector=metadata.name=x"
    );
    assert_eq!(
        widely(&t, PHASE, Ne, text("Running")),
        "fieldSelector=status.phase!=Running"
    );
    assert_eq!(
        widely(&t, PHASE, NotIn, texts(&["a", "b"])),
        "fieldSelector=status.phase!=a,status.phase!=b"
    );
    let (_, requests) = asked(&t, &[is(NAME, In, 0)], &[texts(&["a", "b"])]);
    assert_eq!(
        requests,
        [
            ["fieldSelector=metadata.name=a"],
            ["fieldSelector=metadata.name=b"]
        ]
    );
    assert_eq!(
        refused(&t, NODE, Eq, text("x")),
        "column \"node\" declares no filter"
    );
}

#[test]
fn requirements_are_joined_also_with_the_tables_own() {
    let t = pods_with(&[("query", r#"{"labelSelector": "tier=x"}"#)]);
    let predicates = [is(NAME, Eq, 0), is(APP, Eq, 1), is(PART, IsNull, 2)];
    let (verdicts, requests) = asked(&t, &predicates, &[text("n"), text("a"), Value::Null]);
    assert_eq!(verdicts, [Verdict::Exact, Verdict::Exact, Verdict::Exact]);
    assert_eq!(
        requests[0],
        [
            "labelSelector=tier=x,app=a,!app.kubernetes.io/part-of",
            "fieldSelector=metadata.name=n"
        ]
    );
}

#[test]
fn values_that_no_label_can_have_are_not_sent() {
    let t = pods();
    let long = "x".repeat(64);
    for value in [
        "",
        "a b",
        "a,b",
        "-a",
        "a-",
        "a/b",
        "\u{fc}",
        "a)",
        long.as_str(),
    ] {
        refused(&t, APP, Eq, text(value));
        refused(&t, APP, In, texts(&["fine", value]));
    }
    for value in ["", "a,b", "a=b", "a!", "a\\", "a b"] {
        refused(&t, NAME, Eq, text(value));
    }
    assert!(refused(&t, COUNT, Eq, Value::Int(1)).contains("labels are text"));
    assert!(refused(&t, APP, Like, text("a%")).contains("no spelling"));
    assert!(refused(&t, APP, Ge, text("a")).contains("no spelling"));
}

proptest! {
    #[test]
    fn no_text_ends_its_requirement(value in "[a(),=! x.\\-]{0,8}", other in "[a(),=! x.\\-]{1,8}") {
        let t = pods();
        let values = texts(&[&value, &other]);
        let (verdicts, requests) = asked(&t, &[is(APP, In, 0), is(NAME, Eq, 1)], &[values, text(&other)]);
        if verdicts[0] == Verdict::Exact {
            let list = requests[0][0].strip_prefix("labelSelector=app in (").unwrap();
            let list = list.strip_suffix(')').unwrap();
            let mut expected = vec![value.as_str(), other.as_str()];
            expected.dedup();
            prop_assert_eq!(list.split(',').collect::<Vec<_>>(), expected);
        }
        if verdicts[1] == Verdict::Exact {
            let sent = requests[0].last().unwrap();
            let (name, found) = sent.strip_prefix("fieldSelector=").unwrap().split_once('=').unwrap();
            prop_assert_eq!((name, found), ("metadata.name", other.as_str()));
            prop_assert!(!found.contains([',', '=', '!', '\\']));
        }
    }
}

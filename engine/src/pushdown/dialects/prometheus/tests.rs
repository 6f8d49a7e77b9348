//! What Prometheus is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{asked, exactly, in_dialect, is, refused, text, texts};
use crate::model::options::fixture::{TestColumn, try_table};
use crate::model::{Operator, Table, Type};
use crate::predicate::Value;
use crate::pushdown::{RemoteQuery, plan};
use crate::request::{Operand, bind};
use Operator::{Eq, Ge, ILike, In, IsNotNull, IsNull, Like, Ne, NotIn, NotLike, StartsWith};
use proptest::prelude::*;

const JOB: usize = 0;
const CODE: usize = 1;
const VALUE: usize = 2;
const BARE: usize = 3;

const COLUMNS: &[TestColumn] = &[
    ("job", Type::Text, &[("field", "metric.job")]),
    ("code", Type::Int4, &[("field", "metric.code")]),
    ("value", Type::Float8, &[("field", "value.1")]),
    ("bare", Type::Text, &[]),
];

fn samples_with(options: &[(&str, &str)]) -> Table {
    in_dialect("prometheus", options, COLUMNS)
}

/// `up` and its matchers.
fn up() -> Table {
    samples_with(&[("filter_template", "up{filter}")])
}

#[test]
fn labels_are_matched_exactly() {
    let t = up();
    assert_eq!(exactly(&t, JOB, Eq, text("x")), r#"query=up{job="x"}"#);
    assert_eq!(
        exactly(&t, JOB, Ne, text("x")),
        r#"query=up{job!="x",job!=""}"#
    );
    assert_eq!(
        exactly(&t, JOB, In, texts(&["a.b", "c"])),
        r#"query=up{job=~"a\\.b|c"}"#
    );
    assert_eq!(
        exactly(&t, JOB, NotIn, texts(&["a", "b"])),
        r#"query=up{job!~"a|b",job!=""}"#
    );
    assert_eq!(exactly(&t, JOB, IsNull, Value::Null), r#"query=up{job=""}"#);
    assert_eq!(
        exactly(&t, JOB, IsNotNull, Value::Null),
        r#"query=up{job!=""}"#
    );
    assert_eq!(
        exactly(&t, CODE, IsNull, Value::Null),
        r#"query=up{code=""}"#
    );
}

#[test]
fn patterns_become_expressions() {
    let t = up();
    assert_eq!(
        exactly(&t, JOB, Like, text("a.%_")),
        r#"query=up{job=~"a\\.(?s:.*)(?s:.)"}"#
    );
    assert_eq!(
        exactly(&t, JOB, StartsWith, text("4")),
        r#"query=up{job=~"4(?s:.*)"}"#
    );
    assert_eq!(
        exactly(&t, JOB, Like, text("%")),
        r#"query=up{job=~"(?s:.*)",job!=""}"#
    );
    assert_eq!(
        exactly(&t, JOB, NotLike, text("a%")),
        r#"query=up{job!~"a(?s:.*)",job!=""}"#
    );
}

#[test]
fn what_is_no_label_or_no_text_is_not_sent() {
    let t = up();
    assert_eq!(
        refused(&t, VALUE, Ge, Value::Float(1.0)),
        "column \"value\" is not a label"
    );
    assert_eq!(
        refused(&t, BARE, Eq, text("x")),
        "column \"bare\" is not a label"
    );
    assert!(refused(&t, CODE, Eq, Value::Int(1)).contains("labels are text"));
    assert!(refused(&t, JOB, Eq, text("")).contains("label that is missing"));
    assert!(refused(&t, JOB, In, texts(&["a", ""])).contains("label that is missing"));
    assert!(refused(&t, JOB, ILike, text("a%")).contains("no spelling"));
}

#[test]
fn series_have_labels_as_members() {
    let t = samples_with(&[("filter_param", "match[]")]);
    assert_eq!(exactly(&t, BARE, Eq, text("x")), r#"match[]={bare="x"}"#);
    assert_eq!(
        exactly(&t, BARE, Ne, text("x")),
        r#"match[]={bare!="x",bare!=""}"#
    );
    assert!(refused(&t, BARE, IsNull, Value::Null).contains("name the metric in filter_template"));
    assert_eq!(asked(&t, &[], &[]).1[0], [""; 0]);
}

#[test]
fn a_constant_query_is_not_replaced() {
    let t = samples_with(&[("query", r#"{"query": "up"}"#)]);
    assert!(refused(&t, JOB, Eq, text("x")).contains("filter_template"));
    let t = samples_with(&[(
        "filter_template",
        "sum by (job) (rate(a{filter}[5m])) / b{filter}",
    )]);
    assert_eq!(
        exactly(&t, JOB, Eq, text("{filter}")),
        r#"query=sum by (job) (rate(a{job="{filter}"}[5m])) / b{job="{filter}"}"#
    );
    assert_eq!(
        asked(&t, &[], &[]).1[0],
        ["query=sum by (job) (rate(a[5m])) / b"]
    );
    let error = try_table(
        &[],
        &[("dialect", "prometheus"), ("filter_template", "up{where}")],
        &[],
    );
    assert!(error.unwrap_err().message.contains("no {filter}"));
}

#[test]
fn explain_shows_what_is_not_known_yet() {
    let t = up();
    let pushdown = plan(&t, &[is(JOB, Eq, 0), is(JOB, In, 1)], &[], true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    let operands = ["$1", "$2"].map(|name| Operand::Placeholder(name.to_owned()));
    let inputs = bind(&t, &query, &operands).unwrap().requests.remove(0);
    assert_eq!(
        crate::request::build(&t, &inputs, &[]).unwrap().redacted(),
        "GET https://api.test/v1/items?query=up%7Bjob%3D$1,job%3D~$2%7D"
    );
}

/// Reads an interpreted string literal of Go.
fn unquoted(text: &str) -> (String, &str) {
    let inner = text.strip_prefix('"').unwrap();
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &inner[at + 1..]),
            '\\' => match characters.next().unwrap().1 {
                'n' => value.push('\n'),
                'u' => {
                    let code: String = characters
                        .by_ref()
                        .take(4)
                        .map(|(_, digit)| digit)
                        .collect();
                    value.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
                }
                escaped @ ('"' | '\\') => value.push(escaped),
                other => panic!("no escape of Go: {other}"),
            },
            control if control.is_control() => panic!("a raw {control:?}"),
            plain => value.push(plain),
        }
    }
    panic!("unterminated: {text}")
}

/// The texts that a list's expression matches: `\` makes the next character literal, `|` separates,
/// nothing else may be special.
fn alternatives(expression: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        match character {
            '|' => found.push(String::new()),
            '\\' => found.last_mut().unwrap().push(characters.next().unwrap()),
            special if ".+*?()[]{}^$".contains(special) => panic!("a raw {special}"),
            plain => found.last_mut().unwrap().push(plain),
        }
    }
    found
}

proptest! {
    #[test]
    fn no_text_ends_its_literal(value in any::<String>(), odd in "[\"\\\\{},=~|.*+?()^$\n\t a]{1,10}") {
        let t = up();
        for value in [value, odd.clone()].into_iter().filter(|value| !value.is_empty()) {
            let request = exactly(&t, JOB, Eq, text(&value));
            let (read, rest) = unquoted(request.strip_prefix("query=up{job=").unwrap());
            prop_assert_eq!((read, rest), (value, "}"));
        }
        let request = exactly(&t, JOB, In, texts(&[&odd, "z"]));
        let (read, rest) = unquoted(request.strip_prefix("query=up{job=~").unwrap());
        prop_assert_eq!(rest, "}");
        prop_assert_eq!(alternatives(&read), [odd, "z".to_owned()]);
    }

    #[test]
    fn a_pattern_is_the_same_expression(parts in proptest::collection::vec("[a.(|]{1,3}|_|%", 0..5)) {
        let pattern = parts.concat();
        let request = exactly(&up(), JOB, Like, text(&pattern));
        let (read, _) = unquoted(request.strip_prefix("query=up{job=~").unwrap());
        let back = read.replace("(?s:.*)", "%").replace("(?s:.)", "_").replace('\\', "");
        prop_assert_eq!(back, pattern.replace("%%%%", "%").replace("%%%", "%").replace("%%", "%"));
    }
}

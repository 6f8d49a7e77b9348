//! What an OData service is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{
    asked, exactly, in_dialect, is, key, refused, shaped, text, texts, widely,
};
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Value};
use crate::pushdown::{RemoteQuery, Verdict, plan};
use crate::request::{Operand, bind};
use Operator::{
    Contains, Distinct, Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotIn, NotLike,
    StartsWith,
};
use proptest::prelude::*;

const ID: usize = 0;
const NAME: usize = 1;
const FLAG: usize = 2;
const AT: usize = 3;
const LOGIN: usize = 4;
const EXACT: usize = 5;
const PRICE: usize = 6;
const DAY: usize = 7;
const GUID: usize = 8;
const SCORE: usize = 9;
const CLOCK: usize = 10;
const DOC: usize = 11;
const SINCE: usize = 12;

const ALL_EXACT: &str =
    "= exact, <> exact, in exact, not_in exact, like exact, not_like exact, < exact";

fn things_with(options: &[(&str, &str)]) -> Table {
    let columns: &[TestColumn] = &[
        ("Id", Type::Int8, &[]),
        ("Name", Type::Text, &[]),
        ("Flag", Type::Bool, &[]),
        ("At", Type::TimestampTz, &[]),
        ("Login", Type::Text, &[("field", "User.Login")]),
        ("Exact", Type::Text, &[("filter", ALL_EXACT)]),
        ("Price", Type::Numeric, &[]),
        ("Day", Type::Date, &[]),
        ("Guid", Type::Uuid, &[]),
        ("Score", Type::Float8, &[]),
        ("Clock", Type::Timestamp, &[]),
        ("Doc", Type::Json, &[]),
        (
            "Since",
            Type::TimestampTz,
            &[("filter", "= exact, >= exact")],
        ),
    ];
    in_dialect("odata", options, columns)
}

fn things() -> Table {
    things_with(&[])
}

fn filter(text: &str) -> String {
    format!("$filter={text}")
}

#[test]
fn numbers_days_and_guids_are_bare_and_exact() {
    let t = things();
    for (operator, word) in [(Eq, "eq"), (Lt, "lt"), (Le, "le"), (Gt, "gt"), (Ge, "ge")] {
        assert_eq!(
            exactly(&t, ID, operator, Value::Int(i64::MIN)),
            filter(&format!("Id {word} -9223372036854775808"))
        );
    }
    assert_eq!(
        exactly(&t, PRICE, Ge, Value::Numeric("1.50".into())),
        filter("Price ge 1.5")
    );
    assert_eq!(
        exactly(&t, SCORE, Lt, Value::Float(1e300)),
        filter("Score lt 1e300")
    );
    assert_eq!(
        exactly(&t, DAY, Eq, Value::Date(19_782)),
        filter("Day eq 2024-02-29")
    );
    assert_eq!(
        exactly(&t, FLAG, Eq, Value::Bool(true)),
        filter("Flag eq true")
    );
    assert_eq!(
        exactly(&t, GUID, Eq, Value::Uuid([0xab; 16])),
        filter("Guid eq abababab-abab-abab-abab-abababababab")
    );
}

#[test]
fn values_that_services_lack_are_not_sent() {
    let t = things();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refused(&t, SCORE, Lt, Value::Float(value));
    }
    assert!(refused(&t, GUID, Lt, Value::Uuid([0; 16])).contains("order identifiers"));
    let long = "1234567890123456789012345678.9";
    assert!(refused(&t, PRICE, Lt, Value::Numeric(long.into())).contains("28 digits"));
    let day_of_year_0 = Value::Date(-719_528);
    assert_eq!(
        refused(&t, DAY, Ge, day_of_year_0),
        "the API's calendar has no year 0"
    );
    assert!(refused(&t, CLOCK, Ge, Value::Timestamp(0)).contains("use timestamptz"));
    assert!(refused(&t, DOC, Contains, Value::Other("1".into())).contains("declares no filter"));
}

#[test]
fn nulls_behave_as_in_sql() {
    let t = things();
    assert_eq!(
        exactly(&t, ID, Ne, Value::Int(1)),
        filter("(Id ne 1 and Id ne null)")
    );
    assert_eq!(
        exactly(&t, NAME, IsNull, Value::Null),
        filter("Name eq null")
    );
    assert_eq!(
        exactly(&t, LOGIN, IsNotNull, Value::Null),
        filter("User/Login ne null")
    );
    let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(
        exactly(&t, ID, In, list.clone()),
        filter("(Id eq 1 or Id eq 2)")
    );
    assert_eq!(
        exactly(&t, ID, NotIn, list),
        filter("((Id ne 1 and Id ne 2) and Id ne null)")
    );
    assert_eq!(
        exactly(&t, ID, Distinct, Value::Int(1)),
        filter("((Id ne 1 and Id ne null) or Id eq null)")
    );
}

#[test]
fn times_are_widened_by_what_services_round() {
    let t = things();
    let at = Value::TimestampTz(1_709_208_000_500_000);
    assert_eq!(
        widely(&t, AT, Ge, at.clone()),
        filter("At gt 2024-02-29T12:00:00.499999Z")
    );
    assert_eq!(
        widely(&t, AT, Le, at.clone()),
        filter("At lt 2024-02-29T12:00:00.500001Z")
    );
    assert_eq!(
        widely(&t, AT, Lt, at.clone()),
        filter("At lt 2024-02-29T12:00:00.5Z")
    );
    assert_eq!(
        widely(&t, AT, Eq, at.clone()),
        filter("(At gt 2024-02-29T12:00:00.499999Z and At lt 2024-02-29T12:00:00.500001Z)")
    );
    assert_eq!(
        widely(&t, AT, Ne, at.clone()),
        filter("(At ne 2024-02-29T12:00:00.5Z and At ne null)")
    );
    assert_eq!(
        exactly(&t, SINCE, Ge, at.clone()),
        filter("Since ge 2024-02-29T12:00:00.5Z")
    );
    assert_eq!(
        exactly(&t, SINCE, Eq, at),
        filter("Since eq 2024-02-29T12:00:00.5Z")
    );
}

#[test]
fn text_is_a_superset_unless_declared_exact() {
    let t = things();
    assert_eq!(
        widely(&t, NAME, Eq, text("O'Neil")),
        filter("Name eq 'O''Neil'")
    );
    assert_eq!(
        widely(&t, NAME, In, texts(&["a", "b"])),
        filter("(Name eq 'a' or Name eq 'b')")
    );
    for operator in [Ne, NotLike] {
        assert!(refused(&t, NAME, operator, text("a")).contains("without regard to case"));
    }
    assert!(refused(&t, NAME, NotIn, texts(&["a"])).contains("filter 'not_in exact'"));
    assert!(refused(&t, NAME, ILike, text("a%")).contains("no spelling"));
    assert!(refused(&t, NAME, Gt, text("a")).contains("collation 'C'"));
    assert_eq!(exactly(&t, EXACT, Eq, text("")), filter("Exact eq ''"));
    assert_eq!(
        exactly(&t, EXACT, Ne, text("a")),
        filter("(Exact ne 'a' and Exact ne null)")
    );
    assert_eq!(exactly(&t, EXACT, Lt, text("a")), filter("Exact lt 'a'"));
}

#[test]
fn patterns_become_functions() {
    let t = things();
    assert_eq!(
        exactly(&t, EXACT, Like, text("a%")),
        filter("startswith(Exact,'a')")
    );
    assert_eq!(
        exactly(&t, EXACT, Like, text("%a")),
        filter("endswith(Exact,'a')")
    );
    assert_eq!(
        exactly(&t, EXACT, Like, text(r"%a\%'%")),
        filter("contains(Exact,'a%''')")
    );
    assert_eq!(exactly(&t, EXACT, Like, text("a")), filter("Exact eq 'a'"));
    assert_eq!(exactly(&t, EXACT, Like, text("%")), filter("Exact ne null"));
    assert_eq!(
        widely(&t, EXACT, Like, text("ab%c")),
        filter("startswith(Exact,'ab')")
    );
    assert_eq!(
        widely(&t, EXACT, Like, text("_ab%cde")),
        filter("contains(Exact,'cde')")
    );
    assert_eq!(widely(&t, EXACT, Like, text("_%")), filter("Exact ne null"));
    assert_eq!(
        exactly(&t, EXACT, NotLike, text("%a%")),
        filter("(not contains(Exact,'a') and Exact ne null)")
    );
    assert!(refused(&t, EXACT, NotLike, text("a_")).contains("of this shape"));
    assert_eq!(
        widely(&t, NAME, StartsWith, text("a_")),
        filter("startswith(Name,'a_')")
    );
}

#[test]
fn contains_declared_on_text_is_what_like_is_written_with() {
    let t = table(
        &[],
        &[("dialect", "odata")],
        &[("x", Type::Text, &[("filter", "contains exact")])],
    );
    assert_eq!(exactly(&t, 0, Like, text("%a%")), filter("contains(x,'a')"));
}

#[test]
fn conditions_are_joined_also_with_the_tables_own() {
    let t = things_with(&[("query", r#"{"$filter": "A eq 1 or B eq 2"}"#)]);
    let tree = Predicate::Or(vec![
        is(ID, Lt, 0),
        Predicate::And(vec![is(FLAG, Eq, 1), is(LOGIN, Eq, 2)]),
    ]);
    let values = [Value::Int(1), Value::Bool(true), text("x")];
    let (verdicts, requests) = asked(&t, &[tree, is(ID, Ge, 0)], &values);
    assert_eq!(verdicts, [Verdict::Superset, Verdict::Exact]);
    assert_eq!(
        requests[0],
        [filter(
            "(A eq 1 or B eq 2) and (Id lt 1 or (Flag eq true and User/Login eq 'x')) and Id ge 1"
        )]
    );
}

#[test]
fn the_parameter_may_have_another_name() {
    let t = things_with(&[("filter_param", "filter")]);
    assert_eq!(exactly(&t, ID, Eq, Value::Int(1)), "filter=Id eq 1");
}

#[test]
fn names_that_odata_cannot_spell_are_not_sent() {
    for field in ["/a.b", "null", "/@odata.etag", "tags.0"] {
        let t = table(
            &[],
            &[("dialect", "odata")],
            &[("x", Type::Int4, &[("field", field)])],
        );
        assert!(refused(&t, 0, Eq, Value::Int(1)).contains("not a property's name"));
    }
}

#[test]
fn orders_and_columns_are_named() {
    let t = things();
    let order = [key(ID, true, false), key(LOGIN, false, true)];
    assert_eq!(
        shaped(&t, &order, Some(vec![LOGIN, ID])),
        "$orderby=Id desc,User/Login&$select=User,Id"
    );
}

#[test]
fn explain_shows_what_is_not_known_yet() {
    let t = things();
    let predicates = [is(ID, Ne, 0), is(NAME, Like, 1), is(ID, In, 2)];
    let pushdown = plan(&t, &predicates, &[], true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    let operands = ["$1", "$2", "$3"].map(|name| Operand::Placeholder(name.to_owned()));
    let inputs = bind(&t, &query, &operands).unwrap().requests.remove(0);
    let request = crate::request::build(&t, &inputs, &[]).unwrap();
    assert_eq!(
        request.redacted().replace("%20", " "),
        "GET https://api.test/v1/items?$filter=(Id ne $1 and Id ne null) and contains(Name,$2) and Id eq $3"
    );
}

/// Splits OData's text into words, quoted texts (unquoted) and punctuation.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' => 1,
            '\'' => {
                let (literal, length) = unquote(&rest[1..]);
                found.push(format!("text {literal}"));
                length + 1
            }
            '(' | ')' | ',' => {
                found.push(first.to_string());
                1
            }
            _ => {
                let length = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                found.push(rest[..length].to_owned());
                length
            }
        };
        rest = &rest[length..];
    }
    found
}

fn unquote(text: &str) -> (String, usize) {
    let mut literal = String::new();
    let mut at = 0;
    loop {
        let end = at + text[at..].find('\'').unwrap();
        literal.push_str(&text[at..end]);
        if !text[end + 1..].starts_with('\'') {
            return (literal, end + 1);
        }
        literal.push('\'');
        at = end + 2;
    }
}

proptest! {
    #[test]
    fn no_text_ends_its_literal(value in "['\\\\ a\\PC]{0,10}", other in "[')( or,eq]{0,10}") {
        let t = things();
        let tree = Predicate::Or(vec![is(EXACT, Eq, 0), is(NAME, StartsWith, 1)]);
        let (_, requests) = asked(&t, &[tree], &[text(&value), text(&other)]);
        let found = tokens(requests[0][0].strip_prefix("$filter=").unwrap());
        let (value, other) = (format!("text {value}"), format!("text {other}"));
        let expected = if other == "text " {
            vec!["(", "Exact", "eq", &value, "or", "Name", "ne", "null", ")"]
        } else {
            vec!["(", "Exact", "eq", &value, "or", "startswith", "(", "Name", ",", &other, ")", ")"]
        };
        prop_assert_eq!(found, expected);
    }
}

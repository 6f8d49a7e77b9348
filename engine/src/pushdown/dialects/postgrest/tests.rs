//! What PostgREST is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{
    asked, exactly, in_dialect, is, key, one, parameters, refused, shaped, text, texts, widely,
};
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Value};
use crate::pushdown::{RemoteQuery, Verdict, plan};
use crate::request::{Operand, bind};
use Operator::{
    Contains, Distinct, Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotContains,
    NotILike, NotIn, NotLike, StartsWith,
};
use proptest::prelude::*;

const ID: usize = 0;
const NAME: usize = 1;
const FLAG: usize = 2;
const AT: usize = 3;
const LOGIN: usize = 4;
const TAGS: usize = 5;
const DOC: usize = 6;
const PRICE: usize = 7;
const ORDER: usize = 8;
const AGE: usize = 9;

fn things_with(options: &[(&str, &str)]) -> Table {
    let columns: &[TestColumn] = &[
        ("id", Type::Int8, &[]),
        ("name", Type::Text, &[]),
        ("flag", Type::Bool, &[]),
        ("at", Type::TimestampTz, &[]),
        ("login", Type::Text, &[("field", "user.login")]),
        ("tags", Type::Array(Box::new(Type::Text)), &[]),
        ("doc", Type::Json, &[]),
        ("price", Type::Numeric, &[]),
        ("order", Type::Text, &[("collation", "C")]),
        ("age", Type::Int4, &[("field", "user.age")]),
    ];
    in_dialect("postgrest", options, columns)
}

fn things() -> Table {
    things_with(&[])
}

#[test]
fn comparisons_are_exact() {
    let t = things();
    for (operator, word) in [
        (Eq, "eq"),
        (Ne, "neq"),
        (Lt, "lt"),
        (Le, "lte"),
        (Gt, "gt"),
        (Ge, "gte"),
    ] {
        assert_eq!(
            exactly(&t, ID, operator, Value::Int(-7)),
            format!("id={word}.-7")
        );
    }
    assert_eq!(exactly(&t, NAME, Eq, text("")), "name=eq.");
    assert_eq!(
        exactly(&t, NAME, Ne, text("a,b\"(c)\\.x")),
        "name=neq.a,b\"(c)\\.x"
    );
    assert_eq!(
        exactly(&t, PRICE, Le, Value::Numeric("1.50".into())),
        "price=lte.1.5"
    );
    assert_eq!(
        exactly(&t, AT, Ge, Value::TimestampTz(1_709_208_000_123_456)),
        "at=gte.2024-02-29T12:00:00.123456Z"
    );
}

#[test]
fn truth_and_null_are_tested_by_is() {
    let t = things();
    assert_eq!(exactly(&t, FLAG, Eq, Value::Bool(true)), "flag=is.true");
    assert_eq!(exactly(&t, FLAG, Ne, Value::Bool(true)), "flag=is.false");
    assert_eq!(exactly(&t, NAME, IsNull, Value::Null), "name=is.null");
    assert_eq!(
        exactly(&t, NAME, IsNotNull, Value::Null),
        "name=not.is.null"
    );
    assert_eq!(widely(&t, DOC, IsNotNull, Value::Null), "doc=not.is.null");
    assert!(refused(&t, DOC, IsNull, Value::Null).contains("filter 'is_null exact'"));
}

#[test]
fn lists_go_out_whole() {
    let t = things();
    let numbers = Value::List(vec![Value::Int(1), Value::Int(-2)]);
    assert_eq!(exactly(&t, ID, In, numbers.clone()), "id=in.(1,-2)");
    assert_eq!(exactly(&t, ID, NotIn, numbers), "id=not.in.(1,-2)");
    assert_eq!(
        exactly(&t, NAME, In, texts(&["x", "y,z", "q\"\\", ""])),
        r#"name=in.("x","y,z","q\"\\","")"#
    );
    assert_eq!(exactly(&t, NAME, In, texts(&[""])), "name=eq.");
    assert_eq!(exactly(&t, NAME, NotIn, texts(&["a"])), "name=neq.a");
    let split = things_with(&[("max_list_size", "2")]);
    let (_, requests) = asked(&split, &[is(NAME, In, 0)], &[texts(&["a", "b", "c"])]);
    assert_eq!(requests, [["name=in.(\"a\",\"b\")"], ["name=eq.c"]]);
}

#[test]
fn patterns_are_postgresqls_but_for_the_star() {
    let t = things();
    assert_eq!(
        exactly(&t, NAME, Like, text(r"a\%_b%")),
        r"name=like.a\%_b*"
    );
    assert_eq!(exactly(&t, NAME, NotLike, text("%x")), "name=not.like.*x");
    assert_eq!(exactly(&t, NAME, StartsWith, text("a_")), r"name=like.a\_*");
    assert_eq!(
        refused(&t, NAME, Like, text("a*%")),
        "the API would take its * for any text"
    );
}

#[test]
fn letters_whose_case_depends_on_the_locale_are_widened() {
    let t = things();
    assert_eq!(
        widely(&t, NAME, ILike, text("Tak\u{e9} me%")),
        "name=ilike.Ta* me*"
    );
    assert!(refused(&t, NAME, NotILike, text("a%")).contains("not_ilike exact"));
    let declared = table(
        &[],
        &[("dialect", "postgrest")],
        &[(
            "name",
            Type::Text,
            &[("filter", "ilike exact, not_ilike exact")],
        )],
    );
    assert_eq!(
        exactly(&declared, 0, ILike, text("Tak%")),
        "name=ilike.Tak*"
    );
    assert_eq!(
        exactly(&declared, 0, NotILike, text("Tak%")),
        "name=not.ilike.Tak*"
    );
}

#[test]
fn containment_has_the_text_form_of_arrays_and_json() {
    let t = things();
    assert_eq!(
        exactly(&t, TAGS, Contains, texts(&["x", "y \"z"])),
        r#"tags=cs.{"x","y \"z"}"#
    );
    assert_eq!(exactly(&t, TAGS, Contains, text("x")), r#"tags=cs.{"x"}"#);
    let json = Value::Other(r#"{"k": 1}"#.into());
    assert_eq!(
        exactly(&t, DOC, Contains, json.clone()),
        r#"doc=cs.{"k": 1}"#
    );
    assert_eq!(
        exactly(&t, DOC, NotContains, json),
        r#"doc=not.cs.{"k": 1}"#
    );
    let csv = table(
        &[],
        &[("dialect", "postgrest")],
        &[("x", Type::Array(Box::new(Type::Text)), &[("format", "csv")])],
    );
    assert!(refused(&csv, 0, Contains, text("x")).contains("another type"));
    let with_null = Value::List(vec![text("x"), Value::Null]);
    let (_, requests) = asked(&t, &[is(TAGS, Contains, 0)], &[with_null]);
    assert!(requests.is_empty());
}

#[test]
fn members_of_json_are_compared_as_text_only() {
    let t = things();
    assert_eq!(exactly(&t, LOGIN, Eq, text("x")), "user->>login=eq.x");
    assert_eq!(exactly(&t, AGE, IsNull, Value::Null), "user->>age=is.null");
    assert!(refused(&t, AGE, Eq, Value::Int(1)).contains("compares as text"));
}

#[test]
fn reserved_and_odd_names_stand_in_quotes() {
    let t = things();
    assert_eq!(exactly(&t, ORDER, Eq, text("x")), "\"order\"=eq.x");
    let odd = table(
        &[],
        &[("dialect", "postgrest")],
        &[("x", Type::Int4, &[("field", "/a.b \"c")])],
    );
    assert_eq!(exactly(&odd, 0, Eq, Value::Int(1)), r#""a.b \"c"=eq.1"#);
}

#[test]
fn text_is_ordered_remotely_under_collation_c_only() {
    let t = things();
    assert!(refused(&t, NAME, Lt, text("x")).contains("does not declare collation 'C'"));
    assert_eq!(exactly(&t, ORDER, Lt, text("x")), "\"order\"=lt.x");
}

#[test]
fn declared_filters_are_the_only_ones_and_name_the_column() {
    let declared = table(
        &[],
        &[("dialect", "postgrest")],
        &[
            ("x", Type::Int4, &[("filter", "=, >= user->y")]),
            ("z", Type::Int4, &[("filter", "none")]),
        ],
    );
    assert_eq!(exactly(&declared, 0, Eq, Value::Int(1)), "x=eq.1");
    assert_eq!(exactly(&declared, 0, Ge, Value::Int(1)), "user->y=gte.1");
    assert_eq!(
        refused(&declared, 0, Lt, Value::Int(1)),
        "column \"x\" declares no filter for <"
    );
    assert_eq!(
        refused(&declared, 1, Eq, Value::Int(1)),
        "column \"z\" declares filter 'none'"
    );
}

#[test]
fn values_that_postgresql_lacks_are_not_sent() {
    let t = things();
    let year_0 = Value::TimestampTz(-62_167_219_200_000_000);
    assert_eq!(
        refused(&t, AT, Ge, year_0),
        "the API's calendar has no year 0"
    );
    assert!(one(&t, PRICE, Ge, Value::Numeric("NaN".into())).is_err());
}

#[test]
fn or_nests_with_quotes_where_needed() {
    let t = things();
    let both = Predicate::And(vec![is(NAME, Eq, 1), is(FLAG, Eq, 2)]);
    let tree = Predicate::Or(vec![
        is(ID, Lt, 0),
        both,
        is(NAME, In, 3),
        is(DOC, Contains, 4),
        is(PRICE, Distinct, 5),
    ]);
    let values = [
        Value::Int(1),
        text("a,b"),
        Value::Bool(false),
        texts(&["x", "y"]),
        Value::Other("{\"k\":1}".into()),
        Value::Numeric("2.5".into()),
    ];
    let (verdicts, requests) = asked(&t, &[tree], &values);
    assert_eq!(verdicts, [Verdict::Exact]);
    assert_eq!(
        requests[0],
        [
            r#"or=(id.lt.1,and(name.eq."a,b",flag.is.false),name.in.("x","y"),doc.cs."{\"k\":1}",price.neq."2.5",price.is.null)"#
        ]
    );
}

#[test]
fn explain_shows_what_is_not_known_yet() {
    let t = things();
    let tree = Predicate::Or(vec![is(ID, Lt, 0), is(NAME, Eq, 1)]);
    let pushdown = plan(&t, &[tree, is(ID, In, 2)], &[], true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    let operands = ["$1", "$2", "$3"].map(|name| Operand::Placeholder(name.to_owned()));
    let inputs = bind(&t, &query, &operands).unwrap().requests.remove(0);
    let request = crate::request::build(&t, &inputs, &[]).unwrap();
    assert_eq!(
        request.redacted(),
        "GET https://api.test/v1/items?or=(id.lt.$1,name.eq.$2)&id=in.($3)"
    );
}

#[test]
fn conditions_of_the_table_itself_stay() {
    let t = things_with(&[(
        "query",
        r#"{"name": "neq.x", "or": "(id.gt.1,id.is.null)"}"#,
    )]);
    let tree = Predicate::Or(vec![is(ID, Lt, 0), is(ID, Gt, 1)]);
    let values = [Value::Int(1), Value::Int(2), text("y")];
    let (_, requests) = asked(&t, &[tree, is(NAME, Eq, 2)], &values);
    assert_eq!(
        requests[0],
        [
            "or=(id.gt.1,id.is.null)",
            "or=(id.lt.1,id.gt.2)",
            "name=neq.x",
            "name=eq.y"
        ]
    );
}

#[test]
fn orders_and_columns_are_named() {
    let t = things();
    assert_eq!(
        shaped(
            &t,
            &[key(ID, true, false), key(LOGIN, false, true)],
            Some(vec![ID, LOGIN, AGE])
        ),
        "order=id.desc.nullslast,user->>login.asc.nullsfirst&select=id,user"
    );
    let embedding = things_with(&[("query", r#"{"select": "*,author(name)"}"#)]);
    assert_eq!(shaped(&embedding, &[], Some(vec![ID])), "");
}

/// PostgREST's grammar below OR, as far as it is used: `or(a.not.op."v")`.
fn parse_nested(text: &str) -> Vec<(String, String, String)> {
    let mut rest = text.strip_prefix('(').unwrap();
    let mut found = Vec::new();
    loop {
        let (name, after) = rest.split_once('.').unwrap();
        let (not, after) = match after.strip_prefix("not.") {
            Some(after) => ("not.", after),
            None => ("", after),
        };
        let (operator, after) = after.split_once('.').unwrap();
        let (value, after) = parse_value(after);
        found.push((name.to_owned(), format!("{not}{operator}"), value));
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                assert_eq!(after, ")");
                return found;
            }
        }
    }
}

fn parse_value(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([',', ')']).unwrap();
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &inner[at + 1..]),
            '\\' => value.push(characters.next().unwrap().1),
            other => value.push(other),
        }
    }
    panic!("unterminated: {text}")
}

proptest! {
    #[test]
    fn whatever_the_value_the_condition_below_or_is_the_same(value in "\\PC{0,12}", odd in "[\\\\\",.()*%_a:{} ]{0,8}") {
        let t = things();
        let tree = Predicate::Or(vec![is(NAME, Eq, 0), is(NAME, NotLike, 1), is(ID, Ge, 2)]);
        let pattern = odd.replace(['%', '_', '\\', '*'], "");
        let values = [text(&format!("{value}{odd}")), text(&pattern), Value::Int(3)];
        let (_, requests) = asked(&t, &[tree], &values);
        let found = parse_nested(requests[0][0].strip_prefix("or=").unwrap());
        let expected = [
            ("name", "eq", format!("{value}{odd}")),
            ("name", "not.like", pattern),
            ("id", "gte", "3".to_owned()),
        ];
        let expected = expected.map(|(name, operator, value)| (name.to_owned(), operator.to_owned(), value));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn whatever_the_values_a_list_is_the_same(values in proptest::collection::hash_set("[\\\\\",.()a ]{0,6}", 2..5)) {
        let t = things();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let request = exactly(&t, NAME, In, texts(&values));
        let mut rest = request.strip_prefix("name=in.(").unwrap();
        let mut found = Vec::new();
        while rest != ")" {
            let (value, after) = parse_value(rest);
            found.push(value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        prop_assert_eq!(found, values);
    }
}

#[test]
fn whole_rows_are_no_columns() {
    let t = table(
        &[],
        &[("dialect", "postgrest")],
        &[("x", Type::Json, &[("field", "$")])],
    );
    assert!(refused(&t, 0, Contains, Value::Other("1".into())).contains("not a member of the row"));
    let query = RemoteQuery {
        fields: Some(vec![0]),
        ..RemoteQuery::default()
    };
    assert!(parameters(&t, &query, &[])[0].is_empty());
}

//! What an API that speaks SQL is asked, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::trial::{
    asked, exactly, in_dialect, is, key, refused, shaped, text, texts, widely,
};
use super::literal::{name, quoted};
use crate::model::options::fixture::{TestColumn, table, try_table};
use crate::model::{Operator, Table, Type};
use crate::pagination::{Decision, PageFacts, Pager, Stage};
use crate::predicate::{Predicate, Value};
use crate::pushdown::{RemoteQuery, Verdict, plan};
use crate::request::{Inputs, Operand, bind};
use Operator::{
    Distinct, Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotILike, NotIn, NotLike,
    StartsWith,
};
use proptest::prelude::*;
use std::sync::Arc;

const ID: usize = 0;
const NAME: usize = 1;
const FLAG: usize = 2;
const AT: usize = 3;
const ORDER: usize = 4;
const DAY: usize = 5;
const LOGIN: usize = 6;
const FOLDED: usize = 7;
const SINCE: usize = 8;
const NAMED: usize = 9;

fn things_with(options: &[(&str, &str)]) -> Table {
    in_dialect("sql", options, COLUMNS)
}

const COLUMNS: &[TestColumn] = &[
    ("id", Type::Int8, &[]),
    ("name", Type::Text, &[("collation", "C")]),
    ("flag", Type::Bool, &[]),
    ("at", Type::TimestampTz, &[]),
    ("order", Type::Numeric, &[]),
    ("day", Type::Date, &[]),
    ("login", Type::Text, &[("field", "user.login")]),
    (
        "folded",
        Type::Text,
        &[("filter", "ilike, not_ilike exact")],
    ),
    (
        "since",
        Type::Timestamp,
        &[("filter", ">= exact, in exact")],
    ),
    (
        "named",
        Type::Int4,
        &[("field", "a.b"), ("filter", "= a.b")],
    ),
];

fn things() -> Table {
    things_with(&[])
}

fn where_(text: &str) -> String {
    format!("$where={text}")
}

#[test]
fn comparisons_are_those_of_sql() {
    let t = things();
    for operator in [Eq, Ne, Lt, Le, Gt, Ge] {
        let word = operator.sql();
        assert_eq!(
            exactly(&t, ID, operator, Value::Int(-5)),
            where_(&format!("id {word} -5"))
        );
        assert_eq!(
            exactly(&t, NAME, operator, text("O'x -- y")),
            where_(&format!("name {word} 'O''x -- y'"))
        );
    }
    assert_eq!(
        exactly(&t, FLAG, Eq, Value::Bool(false)),
        where_("flag = false")
    );
    assert_eq!(
        exactly(&t, DAY, Le, Value::Date(19_782)),
        where_("day <= '2024-02-29'")
    );
    assert_eq!(exactly(&t, ID, IsNull, Value::Null), where_("id IS NULL"));
    assert_eq!(
        exactly(&t, ID, IsNotNull, Value::Null),
        where_("id IS NOT NULL")
    );
    let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(exactly(&t, ID, In, list.clone()), where_("id IN (1,2)"));
    assert_eq!(exactly(&t, ID, NotIn, list), where_("id NOT IN (1,2)"));
    assert_eq!(
        exactly(&t, NAME, In, texts(&["a'", ""])),
        where_("name IN ('a''','')")
    );
    assert_eq!(
        exactly(&t, ID, Distinct, Value::Int(1)),
        where_("(id <> 1 OR id IS NULL)")
    );
}

#[test]
fn times_are_widened_by_what_servers_round() {
    let t = things();
    let at = Value::TimestampTz(1_709_208_000_500_000);
    assert_eq!(
        widely(&t, AT, Ge, at.clone()),
        where_("at > '2024-02-29T12:00:00.499999Z'")
    );
    assert_eq!(
        widely(
            &t,
            AT,
            In,
            Value::List(vec![at.clone(), Value::TimestampTz(0)])
        ),
        where_(
            "((at > '2024-02-29T12:00:00.499999Z' AND at < '2024-02-29T12:00:00.500001Z') OR \
             (at > '1969-12-31T23:59:59.999999Z' AND at < '1970-01-01T00:00:00.000001Z'))"
        )
    );
    assert_eq!(
        widely(&t, AT, NotIn, Value::List(vec![at])),
        where_("at NOT IN ('2024-02-29T12:00:00.5Z')")
    );
    assert_eq!(
        exactly(&t, SINCE, Ge, Value::Timestamp(500_000)),
        where_("since >= '1970-01-01T00:00:00.5'")
    );
}

#[test]
fn patterns_have_no_escapes() {
    let t = things();
    assert_eq!(
        exactly(&t, NAME, Like, text("a'%_b")),
        where_("name LIKE 'a''%_b'")
    );
    assert_eq!(
        exactly(&t, NAME, NotLike, text("%a")),
        where_("name NOT LIKE '%a'")
    );
    assert_eq!(
        exactly(&t, NAME, StartsWith, text("a")),
        where_("name LIKE 'a%'")
    );
    for pattern in [r"a\%", r"a\_%", r"\\%"] {
        assert!(refused(&t, NAME, Like, text(pattern)).contains("no spelling in LIKE"));
    }
    assert!(refused(&t, NAME, ILike, text("a%")).contains("filter 'ilike exact'"));
    assert_eq!(
        widely(&t, FOLDED, ILike, text("a%")),
        where_("folded ILIKE 'a%'")
    );
    assert_eq!(
        exactly(&t, FOLDED, NotILike, text("a%")),
        where_("folded NOT ILIKE 'a%'")
    );
}

#[test]
fn names_are_bare_or_quoted() {
    let t = things();
    let number = Value::Numeric("0.10".into());
    assert_eq!(exactly(&t, ORDER, Gt, number), where_("\"order\" > 0.1"));
    assert_eq!(exactly(&t, NAMED, Eq, Value::Int(1)), where_("a.b = 1"));
    assert!(refused(&t, LOGIN, Eq, text("x")).contains("a member of a member"));
    assert_eq!(name("a b\"c").unwrap(), "\"a b\"\"c\"");
    for bad in ["a\\b", "a\nb", "", "\u{fdd2}"] {
        assert!(name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn text_that_a_server_could_take_for_an_escape_is_never_sent() {
    let t = things();
    for bad in [
        "\\",
        "a\0",
        "a\nb",
        "\u{7f}",
        "\u{85}",
        "x\u{2bc}",
        "\u{ff07}",
        "\u{fdd0}1\u{fdd1}",
        "\u{fdd2}",
    ] {
        for operator in [Eq, Like, Ne] {
            refused(&t, NAME, operator, text(bad));
        }
        refused(&t, NAME, In, texts(&["fine", bad]));
        refused(&t, NAME, StartsWith, text(bad));
    }
    assert!(refused(&t, NAME, Eq, text("a\\b")).contains("backslash"));
    assert!(refused(&t, NAME, Eq, text("\u{1}")).contains("U+0001"));
}

#[test]
fn conditions_are_joined_also_with_the_tables_own() {
    let t = things_with(&[("query", r#"{"$where": "a = 1 OR b = 2"}"#)]);
    let tree = Predicate::Or(vec![
        is(ID, Lt, 0),
        Predicate::And(vec![is(FLAG, Eq, 1), is(NAME, Eq, 2)]),
    ]);
    let values = [Value::Int(1), Value::Bool(true), text("x")];
    let (verdicts, requests) = asked(&t, &[tree, is(ID, Ge, 0)], &values);
    assert_eq!(verdicts, [Verdict::Exact, Verdict::Exact]);
    assert_eq!(
        requests[0],
        [where_(
            "(a = 1 OR b = 2) AND (id < 1 OR (flag = true AND name = 'x')) AND id >= 1"
        )]
    );
}

#[test]
fn socrata_has_parameters_for_order_and_columns() {
    let t = things();
    let order = [key(ID, true, true), key(ORDER, false, false)];
    assert_eq!(
        shaped(&t, &order, Some(vec![ORDER, ID])),
        "$order=id DESC,\"order\"&$select=\"order\",id"
    );
    let other = table(
        &[],
        &[
            ("dialect", "sql"),
            ("filter_param", "where"),
            ("sort_param", "orderBy"),
            ("sort_style", "space"),
            ("fields_param", "outFields"),
        ],
        &[("id", Type::Int8, &[("sort", "id")])],
    );
    assert_eq!(
        shaped(&other, &[key(0, true, false)], Some(vec![0])),
        "orderBy=id desc&outFields=id"
    );
    let other = things_with(&[("filter_param", "where")]);
    assert_eq!(shaped(&other, &[], Some(vec![ID])), "");
    assert!(!super::statement::writes_order(&other));
}

const STATEMENT: &str = "SELECT {columns} FROM t{where}{order_by}{limit} FORMAT JSON";

fn statements(options: &[(&str, &str)]) -> Table {
    let options: Vec<_> = [
        ("filter_param", "query"),
        ("filter_template", STATEMENT),
        ("pagination", "offset"),
        ("page_size", "100"),
    ]
    .into_iter()
    .chain(options.iter().copied())
    .collect();
    things_with(&options)
}

fn first_url(t: &Table, inputs: Inputs, hint: Option<u64>) -> String {
    let pager = Pager::new(Arc::new(t.clone()), inputs, hint).unwrap();
    let url = pager.first().unwrap().url;
    percent_encoding::percent_decode_str(&url)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

fn bound(t: &Table, predicates: &[Predicate], values: &[Value], order: bool) -> Inputs {
    let constants: Vec<Option<Value>> = values.iter().cloned().map(Some).collect();
    let query = RemoteQuery {
        sent: plan(t, predicates, &constants, true).sent,
        order: if order {
            vec![key(ID, true, false)]
        } else {
            Vec::new()
        },
        fields: Some(vec![ID, NAME]),
        aggregate: None,
    };
    let operands: Vec<Operand> = values.iter().cloned().map(Operand::Value).collect();
    bind(t, &query, &operands).unwrap().requests.remove(0)
}

#[test]
fn a_whole_statement_carries_columns_order_and_page() {
    let t = statements(&[]);
    let inputs = bound(&t, &[is(NAME, Eq, 0)], &[text("{limit}{where}")], true);
    assert_eq!(
        first_url(&t, inputs, None),
        "https://api.test/v1/items?query=SELECT id,name FROM t WHERE name = '{limit}{where}' ORDER BY id DESC LIMIT 100 OFFSET 0 FORMAT JSON"
    );
    let inputs = bound(&t, &[], &[], false);
    assert_eq!(
        first_url(&t, inputs, Some(7)),
        "https://api.test/v1/items?query=SELECT id,name FROM t LIMIT 7 OFFSET 0 FORMAT JSON"
    );
}

#[test]
fn the_page_stands_in_the_statement_and_nowhere_else() {
    let t = statements(&[]);
    let mut pager =
        Pager::new(Arc::new(t), bound(&statements(&[]), &[], &[], false), None).unwrap();
    let first = pager.first().unwrap();
    let facts = PageFacts {
        stage: Stage::Page,
        status: 200,
        url: &first.url,
        headers: &[],
        envelope: None,
        rows: 100,
        last_key: None,
    };
    let Decision::Next(second) = pager.next(&facts).unwrap() else {
        panic!("a full page is not the last one")
    };
    let decoded = percent_encoding::percent_decode_str(&second.url)
        .decode_utf8()
        .unwrap();
    assert_eq!(
        decoded,
        "https://api.test/v1/items?query=SELECT id,name FROM t LIMIT 100 OFFSET 100 FORMAT JSON"
    );
    let single = things_with(&[
        ("filter_template", "SELECT * FROM t{where}{limit}"),
        ("filter_param", "query"),
        ("page_size", "5"),
        ("page_size_param", "rows"),
    ]);
    let inputs = bound(&single, &[], &[], false);
    assert_eq!(
        first_url(&single, inputs, None),
        "https://api.test/v1/items?query=SELECT * FROM t&rows=5"
    );
}

#[test]
fn a_statement_may_hold_the_condition_alone() {
    let t = things_with(&[
        (
            "filter_template",
            "SELECT * FROM t WHERE a = 1 AND {filter}{limit}",
        ),
        ("pagination", "offset"),
        ("page_size", "100"),
    ]);
    let inputs = bound(&t, &[], &[], false);
    assert_eq!(
        inputs.query[0].1,
        "SELECT * FROM t WHERE a = 1 AND 1 = 1\u{fdd2}"
    );
    let inputs = bound(&t, &[is(ID, Ge, 0)], &[Value::Int(3)], false);
    assert_eq!(
        inputs.query[0].1,
        "SELECT * FROM t WHERE a = 1 AND id >= 3\u{fdd2}"
    );
    assert_eq!(
        super::statement::takes_order(&t).unwrap_err(),
        "option \"filter_template\" has no {order_by}"
    );
}

#[test]
fn a_template_must_fit_its_dialect_and_paging() {
    let refusal = |options: &[(&str, &str)]| try_table(&[], options, &[]).unwrap_err().message;
    let sql = ("dialect", "sql");
    assert!(
        refusal(&[sql, ("filter_template", "SELECT 1")]).contains("neither {filter} nor {where}")
    );
    let paged = ("filter_template", "SELECT * FROM t{where}{limit}");
    assert!(refusal(&[sql, paged, ("pagination", "page")]).contains("needs pagination 'offset'"));
    assert!(refusal(&[sql, paged, ("pagination", "offset")]).contains("a page_size"));
    assert!(refusal(&[paged]).contains("has no effect in this dialect"));
}

#[test]
fn explain_shows_what_is_not_known_yet() {
    let t = things();
    let pushdown = plan(&t, &[is(NAME, Eq, 0), is(ID, In, 1)], &[], true);
    let query = RemoteQuery {
        sent: pushdown.sent,
        ..RemoteQuery::default()
    };
    let operands = ["$1", "$2"].map(|name| Operand::Placeholder(name.to_owned()));
    let inputs = bind(&t, &query, &operands).unwrap().requests.remove(0);
    let request = crate::request::build(&t, &inputs, &[]).unwrap();
    assert_eq!(
        request.redacted().replace("%20", " ").replace("%3D", "="),
        "GET https://api.test/v1/items?$where=name = $1 AND id IN ($2)"
    );
}

/// Reads `'…'` as every server does that is not surprised by what comes here: a quote ends the text
/// unless doubled. What else a server might do (backslashes, control characters) must not occur.
fn read_literal(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut literal = String::new();
    loop {
        let at = rest.find('\'')?;
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                literal.push('\'');
                rest = more;
            }
            None => return Some((literal, rest)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_literal_reads_back_or_is_not_written(value in any::<String>(), odd in "['\"\\\\;\\-\\-/\\*\n\r\0\u{2bc} a]{0,12}") {
        for value in [value, odd] {
            if let Ok(written) = quoted(&value) {
                prop_assert_eq!(read_literal(&written), Some((value, "")));
                prop_assert!(!written.contains('\\') && !written.chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn no_text_ends_its_literal(value in "['\"; \\-a=OR]{0,12}", pattern in "['\"% _a]{0,8}") {
        let t = things();
        let tree = Predicate::Or(vec![is(NAME, Eq, 0), is(NAME, NotLike, 1), is(NAME, In, 2)]);
        let (_, requests) = asked(&t, &[tree], &[text(&value), text(&pattern), texts(&["z"])]);
        // OR over values of one column becomes one list.
        let rest = requests[0][0].strip_prefix("$where=(name IN (").unwrap();
        let (first, rest) = read_literal(rest).unwrap();
        let (second, rest) = read_literal(rest.strip_prefix(',').unwrap()).unwrap();
        let (like, rest) = read_literal(rest.strip_prefix(") OR name NOT LIKE ").unwrap()).unwrap();
        prop_assert_eq!(rest, ")");
        prop_assert_eq!((first, second.as_str()), (value, "z"));
        let collapsed = pattern.split('%').filter(|part| !part.is_empty());
        prop_assert_eq!(like.split('%').filter(|part| !part.is_empty()).collect::<Vec<_>>(), collapsed.collect::<Vec<_>>());
    }
}

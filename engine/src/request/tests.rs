//! The exact URLs and headers that values turn into, and the values that are not sent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Bound, Inputs, Operand, Request, bind, build, build_page};
use crate::Error;
use crate::model::options::fixture::{TestColumn, options, table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Semantics, Value};
use crate::pushdown::{RemoteQuery, plan};
use Operator::{Eq, Ge, Gt, In, Le, Lt};
use proptest::prelude::*;

const C: Semantics = Semantics {
    collation_is_c: true,
    deterministic: true,
};

/// Plans and binds `column OPERATOR value` for each of the comparisons.
fn bound(table: &Table, comparisons: &[(usize, Operator, Value)]) -> crate::Result<Bound> {
    let operands: Vec<Operand> = comparisons
        .iter()
        .map(|(_, _, value)| Operand::Value(value.clone()))
        .collect();
    let comparisons = comparisons
        .iter()
        .map(|(column, operator, _)| (*column, *operator));
    bind(table, &query(table, comparisons), &operands)
}

fn query(table: &Table, comparisons: impl Iterator<Item = (usize, Operator)>) -> RemoteQuery {
    let predicates: Vec<Predicate> = comparisons
        .enumerate()
        .map(|(operand, (column, operator))| Predicate::Compare {
            column,
            operator,
            operand,
            semantics: C,
        })
        .collect();
    RemoteQuery {
        sent: plan(table, &predicates, &[], true).sent,
        ..RemoteQuery::default()
    }
}

fn urls(table: &Table, bound: &Bound) -> Vec<String> {
    bound
        .requests
        .iter()
        .map(|inputs| build(table, inputs, &[]).unwrap().url)
        .collect()
}

/// The query string that one comparison with one column makes; `None` where it is not sent.
fn sent(ty: Type, pairs: &[(&str, &str)], operator: Operator, value: Value) -> Option<String> {
    let mut all = vec![("filter", "= x, in x, < x, <= x, > x, >= x")];
    all.extend(pairs);
    let table = table(&[], &[], &[("x", ty, &all)]);
    let bound = bound(&table, &[(0, operator, value)]).unwrap();
    assert_eq!(bound.requests.len(), 1);
    assert!(bound.unsent.is_empty() != bound.requests[0].query.is_empty());
    let url = urls(&table, &bound).remove(0);
    url.strip_prefix("https://api.test/v1/items?x=")
        .map(|text| {
            let mark = if bound.widened.is_empty() {
                ""
            } else {
                " widened"
            };
            format!("{text}{mark}")
        })
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn numbers_and_truth_values() {
    assert_eq!(
        sent(Type::Int8, &[], Eq, Value::Int(i64::MIN)),
        some("-9223372036854775808")
    );
    assert_eq!(
        sent(Type::Int4, &[], Eq, Value::Numeric("5.00".to_owned())),
        some("5")
    );
    assert_eq!(
        sent(Type::Int4, &[], Eq, Value::Numeric("5.5".to_owned())),
        None
    );
    assert_eq!(sent(Type::Bool, &[], Eq, Value::Bool(true)), some("true"));
    for (number, expected) in [
        (0.1, "0.1"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e300, "1e300"),
        (1e16, "10000000000000000"),
        (1e-7, "1e-7"),
        (0.00012, "0.00012"),
    ] {
        assert_eq!(
            sent(Type::Float8, &[], Ge, Value::Float(number)),
            some(expected)
        );
    }
    assert_eq!(sent(Type::Float8, &[], Ge, Value::Int(7)), some("7"));
    assert_eq!(sent(Type::Float8, &[], Ge, Value::Int((1 << 53) + 1)), None);
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(sent(Type::Float8, &[], Ge, Value::Float(number)), None);
    }
    let numeric = |digits: &str| sent(Type::Numeric, &[], Eq, Value::Numeric(digits.to_owned()));
    for (digits, expected) in [
        ("1.50", "1.5"),
        ("100", "100"),
        ("-0.00", "0"),
        ("+7.0", "7"),
        ("-12.0300", "-12.03"),
        (
            "123456789012345678901234567890.1",
            "123456789012345678901234567890.1",
        ),
    ] {
        assert_eq!(numeric(digits), some(expected));
    }
    for digits in ["NaN", "Infinity", "-Infinity", ""] {
        assert_eq!(numeric(digits), None);
    }
}

#[test]
fn values_of_another_family_are_not_sent() {
    assert_eq!(sent(Type::Date, &[], Ge, Value::Timestamp(0)), None);
    assert_eq!(sent(Type::TimestampTz, &[], Ge, Value::Timestamp(0)), None);
    assert_eq!(sent(Type::Timestamp, &[], Ge, Value::Date(0)), None);
    assert_eq!(sent(Type::Text, &[], Eq, Value::Int(5)), None);
    assert_eq!(sent(Type::Numeric, &[], Eq, Value::Float(0.5)), None);
    assert_eq!(sent(Type::Int8, &[], Eq, text("5")), None);
}

#[test]
fn texts() {
    assert_eq!(
        sent(Type::Text, &[], Eq, text("a b&c=d+e%2f/ü:,")),
        None,
        "a comma, where the API takes lists"
    );
    let table = table(&[], &[], &[("x", Type::Text, &[("filter", "=")])]);
    let result = bound(&table, &[(0, Eq, text("a b&c=d+e%2f/ü?#:,\n"))]).unwrap();
    assert_eq!(
        urls(&table, &result),
        ["https://api.test/v1/items?x=a%20b%26c%3Dd%2Be%252f%2F%C3%BC%3F%23:,%0A"]
    );
    assert_eq!(
        sent(Type::Text, &[], Eq, text("")),
        None,
        "an API may take it for no filter"
    );
    let uuid = Value::Uuid(*b"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0");
    assert_eq!(
        sent(Type::Uuid, &[], Eq, uuid),
        some("12345678-9abc-def0-1234-56789abcdef0")
    );
}

/// Microseconds of 2018-02-05T12:34:56.123456Z.
const TIME: i64 = 1_517_834_096_123_456;
/// Microseconds of 2018-02-05T00:00:00Z.
const MIDNIGHT: i64 = 1_517_788_800_000_000;

#[test]
fn times_as_rfc_3339() {
    let zoned = |micros| sent(Type::TimestampTz, &[], Ge, Value::TimestampTz(micros));
    assert_eq!(zoned(MIDNIGHT), some("2018-02-05T00:00:00Z"));
    assert_eq!(zoned(TIME), some("2018-02-05T12:34:56.123456Z"));
    assert_eq!(
        zoned(TIME - 123_456 + 500_000),
        some("2018-02-05T12:34:56.5Z")
    );
    assert_eq!(zoned(-1), some("1969-12-31T23:59:59.999999Z"));
    assert_eq!(zoned(-62_167_219_200_000_000), some("0000-01-01T00:00:00Z"));
    assert_eq!(
        zoned(253_402_300_799_999_999),
        some("9999-12-31T23:59:59.999999Z")
    );
    for unsendable in [
        i64::MAX,
        i64::MIN,
        -62_167_219_200_000_001,
        253_402_300_800_000_000,
    ] {
        assert_eq!(zoned(unsendable), None, "{unsendable}");
    }
    assert_eq!(
        sent(Type::Timestamp, &[], Ge, Value::Timestamp(TIME)),
        some("2018-02-05T12:34:56.123456")
    );
    assert_eq!(
        sent(Type::Date, &[], Ge, Value::Date(17567)),
        some("2018-02-05")
    );
    for unsendable in [
        i32::MAX,
        i32::MIN,
        i32::MAX - 1,
        i32::MIN + 1,
        3_000_000,
        -720_000,
    ] {
        assert_eq!(
            sent(Type::Date, &[], Ge, Value::Date(unsendable)),
            None,
            "{unsendable}"
        );
    }
}

#[test]
fn times_finer_than_the_apis_unit_move_outward() {
    let unix = |format: &str, operator, micros| {
        sent(
            Type::TimestampTz,
            &[("format", format)],
            operator,
            Value::TimestampTz(micros),
        )
    };
    assert_eq!(unix("unix", Ge, MIDNIGHT), some("1517788800"));
    assert_eq!(unix("unix", Eq, MIDNIGHT), some("1517788800"));
    assert_eq!(unix("unix", Ge, TIME), some("1517834096 widened"));
    assert_eq!(unix("unix", Gt, TIME), some("1517834096 widened"));
    assert_eq!(unix("unix", Le, TIME), some("1517834097 widened"));
    assert_eq!(unix("unix", Lt, TIME), some("1517834097 widened"));
    assert_eq!(unix("unix", Eq, TIME), None);
    assert_eq!(unix("unix", Ge, -1), some("-1 widened"));
    assert_eq!(unix("unix", Le, -1), some("0 widened"));
    assert_eq!(unix("unix_ms", Ge, TIME), some("1517834096123 widened"));
    assert_eq!(unix("unix_us", Eq, TIME), some("1517834096123456"));
    assert_eq!(unix("unix_ns", Ge, 1), some("1 widened"));
    assert_eq!(unix("unix_ns", Le, 1), some("1999 widened"));
    assert_eq!(
        unix("unix_ns", Eq, 1),
        None,
        "a microsecond stands for many nanoseconds"
    );
    assert_eq!(unix("unix", Ge, i64::MAX), None);
    let days = |operator| {
        sent(
            Type::Timestamp,
            &[("format", "date")],
            operator,
            Value::Timestamp(TIME),
        )
    };
    assert_eq!(
        (days(Ge), days(Lt), days(Eq)),
        (some("2018-02-05 widened"), some("2018-02-06 widened"), None)
    );
}

#[test]
fn patterns_are_sent_only_where_they_keep_the_whole_value() {
    let date = |pattern: &str| sent(Type::Date, &[("format", pattern)], Ge, Value::Date(17567));
    assert_eq!(date("%d.%m.%Y"), some("05.02.2018"));
    assert_eq!(date("%m/%Y"), None);
    let zoned = |pattern: &str| {
        sent(
            Type::TimestampTz,
            &[("format", pattern)],
            Ge,
            Value::TimestampTz(TIME - 123_456),
        )
    };
    assert_eq!(zoned("%Y-%m-%d %H:%M:%S"), some("2018-02-05%2012:34:56"));
    assert_eq!(
        zoned("%Y-%m-%dT%H:%M:%S%z"),
        some("2018-02-05T12:34:56%2B0000")
    );
    assert_eq!(zoned("%Y-%m-%d %H:%M"), None);
    assert_eq!(zoned("%Y-%m-%d"), None);
    let clock = |pattern: &str| {
        sent(
            Type::Timestamp,
            &[("format", pattern)],
            Ge,
            Value::Timestamp(TIME),
        )
    };
    assert_eq!(clock("%Y%m%d%H%M%S"), None, "it leaves the fraction out");
}

fn shop() -> Table {
    let columns: &[TestColumn] = &[
        ("shop", Type::Text, &[]),
        ("state", Type::Text, &[("filter", "= state exact")]),
        ("id", Type::Int8, &[("filter", "= id, in ids")]),
        ("q", Type::Text, &[("param", "q")]),
        ("v", Type::Text, &[("param", "X-V"), ("param_in", "header")]),
        ("lang", Type::Text, &[("param", "lang"), ("default", "en")]),
        (
            "since",
            Type::TimestampTz,
            &[("param", "since"), ("format", "unix")],
        ),
    ];
    table(
        &[
            ("query", r#"{"a": 1, "state": "all"}"#),
            ("headers", r#"{"X-V": "0", "accept": "text/json"}"#),
        ],
        &[
            ("endpoint", "/s/{shop}.json"),
            ("query", r#"{"b": "x y", "a": 2}"#),
            ("page_size_param", "limit"),
        ],
        columns,
    )
}

fn shop_is(name: &str) -> (usize, Operator, Value) {
    (0, Eq, text(name))
}

#[test]
fn a_request_has_its_parts_in_order() {
    let table = shop();
    let result = bound(
        &table,
        &[
            shop_is("a/b"),
            (1, Eq, text("open")),
            (2, Eq, Value::Int(7)),
            (4, Eq, text("9")),
        ],
    )
    .unwrap();
    let Request { url, headers, .. } = build(
        &table,
        &result.requests[0],
        &options(&[("limit", "10"), ("cursor", "x=")]),
    )
    .unwrap();
    assert_eq!(
        url,
        "https://api.test/v1/s/a%2Fb.json?a=2&state=open&b=x%20y&id=7&lang=en&limit=10&cursor=x%3D"
    );
    assert_eq!(
        headers,
        options(&[
            ("User-Agent", "rest_fdw/0.1.0"),
            ("Accept", "text/json"),
            ("X-V", "9")
        ])
    );
    let lang = (5, text("en"));
    assert_eq!(
        result.requests[0].columns,
        [(0, text("a/b")), (4, text("9")), lang]
    );
}

#[test]
fn later_pages_may_leave_constants_and_filters_out() {
    let mut table = shop();
    let result = bound(&table, &[shop_is("a"), (1, Eq, text("open"))]).unwrap();
    table.keep_params = false;
    let request = build_page(&table, &result.requests[0], &options(&[("cursor", "c")])).unwrap();
    assert_eq!(request.url, "https://api.test/v1/s/a.json?cursor=c");
}

#[test]
fn null_and_lists_without_values_make_no_request() {
    let table = shop();
    let list = |values: &[Value]| Value::List(values.to_vec());
    for (column, operator, value) in [
        (1, Eq, Value::Null),
        (3, Eq, Value::Null),
        (2, In, list(&[])),
        (2, In, list(&[Value::Null])),
        (1, In, list(&[Value::Null, Value::Null])),
        (1, In, Value::Null),
    ] {
        let result = bound(&table, &[shop_is("a"), (column, operator, value)]).unwrap();
        assert_eq!(result, Bound::default());
    }
    assert_eq!(
        bound(&table, &[(0, Eq, Value::Null)]).unwrap(),
        Bound::default()
    );
}

#[test]
fn lists_are_joined_or_split_without_nulls_and_duplicates() {
    let table = shop();
    let ids = Value::List(vec![
        Value::Int(3),
        Value::Null,
        Value::Int(1),
        Value::Int(3),
    ]);
    let states = Value::List(vec![
        text("open"),
        Value::Null,
        text("closed"),
        text("open"),
    ]);
    let shops = Value::List(vec![text("a"), text("b")]);
    let result = bound(&table, &[(0, In, shops), (1, In, states), (2, In, ids)]).unwrap();
    let tail = "b=x%20y&ids=3,1&lang=en";
    assert_eq!(
        urls(&table, &result),
        [
            format!("https://api.test/v1/s/a.json?a=2&state=open&{tail}"),
            format!("https://api.test/v1/s/a.json?a=2&state=closed&{tail}"),
            format!("https://api.test/v1/s/b.json?a=2&state=open&{tail}"),
            format!("https://api.test/v1/s/b.json?a=2&state=closed&{tail}"),
        ]
    );
    assert_eq!(
        result.requests[3].columns,
        [
            (0, text("b")),
            (1, Value::List(vec![text("closed")])),
            (5, text("en"))
        ]
    );
}

#[test]
fn a_filter_with_an_unencodable_value_is_left_to_postgresql() {
    let table = shop();
    let states = Value::List(vec![text("open"), text("")]);
    let result = bound(&table, &[shop_is("a"), (1, In, states)]).unwrap();
    assert_eq!((result.requests.len(), result.unsent), (1, vec![1]));
    assert!(
        result.requests[0]
            .query
            .iter()
            .all(|(name, _)| name != "state")
    );
    let column: &[TestColumn] = &[("t", Type::Text, &[("filter", "in")])];
    let table = self::table(&[], &[], column);
    let result = bound(
        &table,
        &[(0, In, Value::List(vec![text("a"), text("b,c")]))],
    )
    .unwrap();
    assert_eq!(result.unsent, [0]);
}

#[test]
fn inputs_that_cannot_go_to_their_place_are_errors() {
    let table = shop();
    for name in ["", ".", ".."] {
        let error = bound(&table, &[shop_is(name)]).unwrap_err();
        assert!(
            matches!(&error, Error::Unsendable { column, .. } if column == "shop"),
            "{error:?}"
        );
    }
    for value in ["a\r\nX: y", "a\0", "ä", " a"] {
        let error = bound(&table, &[shop_is("a"), (4, Eq, text(value))]).unwrap_err();
        assert!(
            matches!(&error, Error::Unsendable { column, .. } if column == "v"),
            "{error:?}"
        );
    }
    let error = bound(
        &table,
        &[shop_is("a"), (6, Eq, Value::TimestampTz(i64::MAX))],
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "value of column \"since\" cannot be sent: an API has no infinity"
    );
    assert_eq!(
        bound(&table, &[]).unwrap_err(),
        Error::MissingParameters(vec!["shop".to_owned()])
    );
    let dots: &[TestColumn] = &[("a", Type::Text, &[])];
    let table = self::table(&[], &[("endpoint", "/x/.{a}")], dots);
    let result = bound(&table, &[(0, Eq, text(".b"))]).unwrap();
    assert_eq!(urls(&table, &result), ["https://api.test/v1/x/..b"]);
    let inputs = Inputs {
        path: options(&[("a", ".")]),
        ..Inputs::default()
    };
    for endpoint in ["/x/.{a}", "/x/%2e{a}", "/x/{a}%2E/y"] {
        let table = self::table(&[], &[("endpoint", endpoint)], dots);
        let result = build(&table, &inputs, &[]);
        assert!(
            matches!(result, Err(Error::Unsendable { .. })),
            "{endpoint}"
        );
    }
    assert_eq!(
        build(&table, &Inputs::default(), &[]),
        Err(Error::MissingParameters(vec!["a".to_owned()]))
    );
}

#[test]
fn inputs_keep_what_filters_do_not() {
    let table = shop();
    let result = bound(
        &table,
        &[
            shop_is("a"),
            (3, Eq, text("")),
            (6, Eq, Value::TimestampTz(-1_500_000)),
        ],
    )
    .unwrap();
    assert_eq!(
        urls(&table, &result),
        ["https://api.test/v1/s/a.json?a=2&state=all&b=x%20y&q=&since=-1.5&lang=en"]
    );
    assert!(result.widened.is_empty() && result.unsent.is_empty());
}

#[test]
fn placeholders_stay_readable() {
    let table = shop();
    let query = query(&table, [(0, Eq), (1, Eq), (2, In)].into_iter());
    let operands = ["$1", "$2", "$3"].map(|text| Operand::Placeholder(text.to_owned()));
    let result = bind(&table, &query, &operands).unwrap();
    let request = build(&table, &result.requests[0], &[]).unwrap();
    assert_eq!(
        request.redacted(),
        "GET https://api.test/v1/s/$1.json?a=2&state=$2&b=x%20y&ids=$3&lang=en"
    );
    assert_eq!(result.requests[0].columns, [(5, text("en"))]);
}

#[test]
fn an_endpoint_of_nothing_is_the_base_url() {
    let url = |base: &str, endpoint: &str| {
        let table = table(&[("base_url", base)], &[("endpoint", endpoint)], &[]);
        build(&table, &Inputs::default(), &options(&[("a", "1")]))
            .unwrap()
            .url
    };
    assert_eq!(url("https://api.test", ""), "https://api.test/?a=1");
    assert_eq!(url("https://api.test/v1/", ""), "https://api.test/v1?a=1");
    assert_eq!(url("https://api.test/", "/"), "https://api.test/?a=1");
    assert_eq!(
        url("https://api.test", "/ä b/%20"),
        "https://api.test/%C3%A4%20b/%20?a=1"
    );
}

#[test]
fn what_looks_secret_is_not_shown() {
    let redacted = |url: &str| {
        let request = Request {
            method: crate::model::Method::Get,
            body: None,
            url: url.to_owned(),
            headers: vec![],
        };
        request.redacted()
    };
    assert_eq!(
        redacted("https://api.test/a?page=2&state=open"),
        "GET https://api.test/a?page=2&state=open"
    );
    assert_eq!(
        redacted("https://ann:pa55@api.test/a@b"),
        "GET https://***@api.test/a@b"
    );
    for name in [
        "api_key",
        "apikey",
        "token",
        "access_token",
        "key",
        "secret",
        "password",
        "signature",
        "sig",
        "X-Amz-Signature",
        "client_secret",
        "api%5Fkey",
    ] {
        assert_eq!(
            redacted(&format!("https://api.test/?a=1&{name}=pa55")),
            format!("GET https://api.test/?a=1&{name}=***")
        );
    }
}

/// A percent-decoder of the plainest kind, as a server has it.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            assert!(bytes[at] != b'+', "a server may read a plus as a space");
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// What a server sees of a URL: path segments and query parameters.
fn seen(url: &str) -> (Vec<String>, Vec<(String, String)>) {
    assert!(iri_string::types::UriStr::new(url).is_ok(), "{url}");
    assert!(!url.contains('#'));
    let rest = url.strip_prefix("https://api.test/").unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (decoded(name), decoded(value))
        });
    (path.split('/').map(decoded).collect(), pairs.collect())
}

fn nasty() -> impl Strategy<Value = String> {
    let pieces = [
        "../",
        "..",
        ".",
        "/",
        "//",
        "\\",
        "%2f",
        "%5c",
        "%00",
        "\0",
        "\u{2028}",
        "／",
        "．",
        "＃",
        "？",
        "＠",
        "%2e",
        "%",
        "?",
        "#",
        "&",
        "=",
        "+",
        " ",
        "\n",
        "\r",
        ";",
        ",",
        "ü",
        "😀",
        "a",
        "0",
        "{x}",
        "$1",
        "\"",
        "'",
        "[",
        "]",
        "@",
        ":",
        "\r\n",
        "\t",
        "http://evil.test",
        "\u{202e}",
        "e\u{301}",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8)
            .prop_map(|pieces| pieces.concat()),
        "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn a_server_sees_every_value_in_its_place(owner in nasty(), repo in nasty(), q in nasty(), name in nasty(), constant in nasty()) {
        prop_assume!(!name.is_empty() && name != "c" && !name.contains(char::is_control));
        let columns: &[TestColumn] = &[
            ("owner", Type::Text, &[]),
            ("repo", Type::Text, &[]),
            ("q", Type::Text, &[("param", &name)]),
        ];
        let query = serde_json::json!({ "c": constant }).to_string();
        let table = table(&[("base_url", "https://api.test")], &[("endpoint", "/r/{owner}/x-{repo}/i"), ("query", &query)], columns);
        let result = bound(&table, &[(0, Eq, text(&owner)), (1, Eq, text(&repo)), (2, Eq, text(&q))]);
        if ["", ".", ".."].contains(&owner.as_str()) || ["", ".", ".."].contains(&repo.as_str()) {
            prop_assert!(matches!(result, Err(Error::Unsendable { .. })), "a path would change");
            return Ok(());
        }
        let request = build(&table, &result.unwrap().requests[0], &options(&[("page", &q)])).unwrap();
        let (path, pairs) = seen(&request.url);
        prop_assert_eq!(path, vec!["r".to_owned(), owner, format!("x-{repo}"), "i".to_owned()]);
        let mut expected = vec![("c".to_owned(), constant), (name.clone(), q.clone())];
        if name == "page" { expected[1].1.clone_from(&q) } else { expected.push(("page".to_owned(), q)) }
        prop_assert_eq!(pairs, expected);
    }

    #[test]
    fn numbers_read_back_as_they_were(number in any::<f64>(), integer in any::<i64>()) {
        if number.is_finite() {
            let text = sent(Type::Float8, &[], Ge, Value::Float(number)).unwrap();
            prop_assert_eq!(decoded(&text).parse::<f64>().unwrap(), number);
        }
        prop_assert_eq!(sent(Type::Int8, &[], Ge, Value::Int(integer)), Some(integer.to_string()));
    }

    #[test]
    fn instants_read_back_as_they_were_and_units_only_widen(micros in -62_135_596_800_000_000..253_402_300_799_999_999_i64) {
        let text = sent(Type::TimestampTz, &[], Ge, Value::TimestampTz(micros)).unwrap();
        prop_assert_eq!(text.parse::<jiff::Timestamp>().unwrap().as_microsecond(), micros);
        for (format, unit) in [("unix", 1_000_000), ("unix_ms", 1000), ("unix_us", 1)] {
            let bound = |operator| {
                let text = sent(Type::TimestampTz, &[("format", format)], operator, Value::TimestampTz(micros)).unwrap();
                let (digits, widened) = text.split_once(' ').map_or((text.as_str(), false), |(digits, _)| (digits, true));
                (digits.parse::<i64>().unwrap() * unit, widened)
            };
            for operator in [Ge, Gt] {
                let (low, widened) = bound(operator);
                prop_assert!(low <= micros && micros - low < unit && widened == (low != micros));
            }
            for operator in [Le, Lt] {
                let (high, widened) = bound(operator);
                prop_assert!(high >= micros && high - micros < unit && widened == (high != micros));
            }
        }
    }
}

/// The same of a URL as browsers and many servers read it (the WHATWG's URL standard).
fn seen_by_another(text: &str) -> (Vec<String>, Vec<(String, String)>) {
    let url = url::Url::parse(text).unwrap();
    assert_eq!(url.origin().ascii_serialization(), "https://api.test");
    assert_eq!(
        (url.username(), url.password(), url.fragment()),
        ("", None, None)
    );
    let segments = url.path_segments().unwrap().map(decoded).collect();
    (segments, url.query_pairs().into_owned().collect())
}

const PLACES: [TestColumn; 5] = [
    ("p", Type::Text, &[]),
    ("q", Type::Text, &[("param", "q")]),
    ("h", Type::Text, &[("param", "X-H"), ("param_in", "header")]),
    ("m", Type::Text, &[("param", "m"), ("param_in", "body")]),
    ("f", Type::Text, &[("filter", "= f[x]&")]),
];

/// A request with a value in each place, by GET or with a body of some kind.
fn in_every_place(posted: &[(&str, &str)], values: &[String; 5]) -> crate::Result<Request> {
    let own = [("endpoint", "/r/{p}/x-{p}/i"), ("pagination", "none")];
    let columns = match posted {
        [] => [&PLACES[..3], &PLACES[4..]].concat(),
        _ => PLACES.to_vec(),
    };
    let table = table(
        &[("base_url", "https://api.test")],
        &[&own, posted].concat(),
        &columns,
    );
    let place = |column: &TestColumn| PLACES.iter().position(|other| other.0 == column.0);
    let comparisons: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| (index, Eq, text(&values[place(column).unwrap()])))
        .collect();
    build(&table, &bound(&table, &comparisons)?.requests[0], &[])
}

proptest! {
    #[test]
    fn no_value_leaves_its_place(values in proptest::array::uniform5(nasty()), readable in prop::option::weighted(0.8, "[!-~]{1,12}")) {
        let mut values = values;
        // Most texts cannot be in a header.
        values[2] = readable.unwrap_or_else(|| values[2].clone());
        let kinds: [&[(&str, &str)]; 4] = [
            &[],
            &[("method", "POST")],
            &[("method", "POST"), ("body_type", "form")],
            &[("method", "POST"), ("body", r#"{"m": {{ params.m }}, "n": [{{ params.m }}]}"#)],
        ];
        let [path, query, header, member, filtered] = &values;
        for kind in kinds {
            let request = match in_every_place(kind, &values) {
                Ok(request) => request,
                Err(Error::Unsendable { reason, .. }) => {
                    let is_step = matches!(path.as_str(), "" | "." | "..");
                    let is_readable = header.chars().all(|letter| matches!(letter, ' '..='~'));
                    let has_edges = header.trim_matches(' ') != header;
                    prop_assert!(is_step || !is_readable || has_edges, "{reason}: {values:?}");
                    continue;
                }
                Err(other) => panic!("{other}"),
            };
            prop_assert!(!header.contains(['\r', '\n', '\0']), "{header:?}");
            let (segments, pairs) = seen_by_another(&request.url);
            prop_assert_eq!(segments, vec!["r".to_owned(), path.clone(), format!("x-{path}"), "i".to_owned()]);
            let find = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| &pair.1);
            prop_assert_eq!(find("q"), Some(query));
            let sent = request.headers.iter().find(|(name, _)| name == "X-H").map(|(_, value)| value);
            prop_assert_eq!(sent, Some(header));
            let form = || url::form_urlencoded::parse(request.body.as_deref().unwrap_or_default().as_bytes()).into_owned();
            match kind {
                [] => prop_assert_eq!(pairs.len(), 1 + usize::from(find("f[x]&") == Some(filtered))),
                [_, ("body_type", _)] => prop_assert!(form().any(|pair| pair == ("m".to_owned(), member.clone())), "{:?}", request.body),
                _ => {
                    let body: serde_json::Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
                    prop_assert_eq!(body["m"].as_str(), Some(member.as_str()));
                }
            }
        }
    }
}

#[test]
fn a_header_parameter_is_found_by_its_place() {
    let table = shop();
    let result = bound(&table, &[shop_is("a"), (4, Eq, text("2"))]).unwrap();
    assert_eq!(result.requests[0].headers, options(&[("X-V", "2")]));
}

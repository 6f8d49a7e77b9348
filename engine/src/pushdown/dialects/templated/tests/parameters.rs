//! What each dialect of parameters writes, and what it does not.

use super::one_column::{ALL_EXACT, column, ints};
use crate::model::options::fixture::{table, try_table};
use crate::model::{Operator, Table, Type};
use crate::predicate::Value;
use crate::pushdown::dialects::trial::{is, text, texts};
use crate::pushdown::{RemoteQuery, Verdict, plan};
use crate::request::{Operand, bind};
use Operator::{Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotIn, NotLike};
use proptest::prelude::*;

const ALL: &str = "=, <>, <, <=, >, >=, in, not_in, like, not_like, ilike, is_null, is_not_null";

/// The query that `column 0 OPERATOR value` sends, `name=value&…` (not encoded), or why it is not sent;
/// with a star where it is not precisely the condition.
fn sent(table: &Table, operator: Operator, value: Value) -> Result<String, String> {
    let planned = plan(table, &[is(0, operator, 0)], &[Some(value.clone())], true);
    if let Verdict::Local(reason) = &planned.verdicts[0] {
        return Err(reason.clone());
    }
    let query = RemoteQuery {
        sent: planned.sent,
        ..RemoteQuery::default()
    };
    let bound = bind(table, &query, &[Operand::Value(value)]).unwrap();
    let star = match (&planned.verdicts[0], bound.widened.is_empty()) {
        (Verdict::Exact, true) => "",
        _ => "*",
    };
    let requests: Vec<String> = bound
        .requests
        .iter()
        .map(|inputs| {
            let pairs = inputs.query.iter();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            pairs.join("&")
        })
        .collect();
    Ok(format!("{}{star}", requests.join(" ; ")))
}

/// Each operator's request over an int4 column, all filters declared exact.
fn numbers(dialect: &str) -> Vec<String> {
    let table = column(dialect, Type::Int4, ALL_EXACT);
    let one = |operator| sent(&table, operator, Value::Int(5));
    let list = |operator| sent(&table, operator, ints(&[1, 2]));
    [
        one(Eq),
        one(Ne),
        one(Lt),
        one(Le),
        one(Gt),
        one(Ge),
        list(In),
        list(NotIn),
        one(IsNull),
        one(IsNotNull),
    ]
    .into_iter()
    .map(|sent| sent.unwrap_or_else(|_| "-".to_owned()))
    .collect()
}

/// The requests of LIKE patterns over a text column with filter `like`.
fn patterns(dialect: &str, filter: &str, operator: Operator) -> Vec<String> {
    let table = column(dialect, Type::Text, filter);
    ["ab", "ab%", "%ab", "%ab%", "a%bcd%", "%"]
        .into_iter()
        .map(|pattern| sent(&table, operator, text(pattern)).unwrap_or_else(|_| "-".to_owned()))
        .collect()
}

#[test]
fn brackets_are_those_of_stripe() {
    assert_eq!(
        numbers("brackets"),
        [
            "x=5",
            "x[ne]=5*",
            "x[lt]=5",
            "x[lte]=5",
            "x[gt]=5",
            "x[gte]=5",
            "x[in][0]=1&x[in][1]=2",
            "-",
            "-",
            "-"
        ]
    );
    assert_eq!(patterns("brackets", ALL, Like), ["-"; 6]);
}

#[test]
fn brackets_are_those_of_strapi() {
    assert_eq!(
        numbers("brackets strapi"),
        [
            "filters[x][$eq]=5",
            "filters[x][$ne]=5*",
            "filters[x][$lt]=5",
            "filters[x][$lte]=5",
            "filters[x][$gt]=5",
            "filters[x][$gte]=5",
            "filters[x][$in][0]=1&filters[x][$in][1]=2",
            "filters[x][$notIn][0]=1&filters[x][$notIn][1]=2*",
            "filters[x][$null]=true",
            "filters[x][$notNull]=true",
        ]
    );
    assert_eq!(
        patterns("brackets strapi", "like exact", Like),
        [
            "filters[x][$contains]=ab*",
            "filters[x][$startsWith]=ab",
            "filters[x][$endsWith]=ab",
            "filters[x][$contains]=ab",
            "filters[x][$contains]=bcd*",
            "-",
        ]
    );
}

#[test]
fn suffixes_are_those_of_django() {
    assert_eq!(
        numbers("suffix"),
        [
            "x=5",
            "-",
            "x__lt=5",
            "x__lte=5",
            "x__gt=5",
            "x__gte=5",
            "x__in=1,2",
            "-",
            "x__isnull=true",
            "x__isnull=false"
        ]
    );
    assert_eq!(
        patterns("suffix", "like exact", Like),
        [
            "x__contains=ab*",
            "x__startswith=ab",
            "x__endswith=ab",
            "x__contains=ab",
            "x__contains=bcd*",
            "-"
        ]
    );
}

#[test]
fn suffixes_are_those_of_netbox() {
    assert_eq!(
        numbers("suffix netbox"),
        [
            "x=5",
            "x__n=5*",
            "x__lt=5",
            "x__lte=5",
            "x__gt=5",
            "x__gte=5",
            "x=1&x=2",
            "x__n=1&x__n=2*",
            "x__empty=true",
            "x__empty=false"
        ]
    );
    assert_eq!(
        patterns("suffix netbox", "like exact", Like),
        [
            "x__ic=ab*",
            "x__isw=ab*",
            "x__iew=ab*",
            "x__ic=ab*",
            "x__ic=bcd*",
            "-"
        ]
    );
    let names = column("suffix netbox", Type::Text, "=, is_not_null");
    assert!(
        sent(&names, IsNotNull, Value::Null)
            .unwrap_err()
            .contains("empty texts")
    );
    assert!(
        sent(&names, Eq, text("null"))
            .unwrap_err()
            .contains("no value")
    );
}

#[test]
fn suffixes_are_those_of_json_server() {
    assert_eq!(
        numbers("suffix json-server"),
        [
            "x=5",
            "x_ne=5",
            "x_lte=5*",
            "x_lte=5",
            "x_gte=5*",
            "x_gte=5",
            "x=1&x=2",
            "x_ne=1&x_ne=2",
            "-",
            "x_like="
        ]
    );
    assert_eq!(
        patterns("suffix json-server", "like exact", Like),
        [
            "x_like=^ab$*",
            r"x_like=^ab[\s\S]*$*",
            r"x_like=^[\s\S]*ab$*",
            r"x_like=^[\s\S]*ab[\s\S]*$*",
            r"x_like=^a[\s\S]*bcd[\s\S]*$*",
            "x_like=*",
        ]
    );
}

#[test]
fn json_server_takes_lists_of_20_values_at_most() {
    let written = |operator, name: &str, count: i64, options: &[(&str, &str)]| {
        let mut given = vec![("dialect", "suffix json-server")];
        given.extend(options);
        let columns = [("x", Type::Int4, &[("filter", ALL_EXACT)] as &[_])];
        let table = table(&[], &given, &columns);
        let values: Vec<i64> = (1..=count).collect();
        let sent = sent(&table, operator, ints(&values));
        let each = |request: &str| {
            request
                .split('&')
                .filter(|pair| pair.starts_with(name))
                .count()
        };
        sent.map(|sent| sent.split(" ; ").map(each).collect::<Vec<_>>())
    };
    assert_eq!(written(In, "x=", 20, &[]), Ok(vec![20]));
    assert_eq!(written(In, "x=", 41, &[]), Ok(vec![20, 20, 1]));
    assert_eq!(
        written(In, "x=", 41, &[("max_list_size", "30")]),
        Ok(vec![20, 20, 1])
    );
    assert_eq!(
        written(In, "x=", 5, &[("max_list_size", "3")]),
        Ok(vec![3, 2])
    );
    assert_eq!(written(NotIn, "x_ne=", 20, &[]), Ok(vec![20]));
    let error = written(NotIn, "x_ne=", 21, &[]).unwrap_err();
    assert!(error.contains("no list that long"), "{error}");
}

#[test]
fn json_server_orders_and_compares_only_what_has_one_text() {
    let over = |ty: Type, filter: &str| column("suffix json-server", ty, filter);
    let refused = |ty: Type, operator, value: Value| {
        sent(&over(ty, ALL), operator, value).expect_err("not sent")
    };
    assert!(refused(Type::Text, Ge, text("a")).contains("UTF-16"));
    assert!(refused(Type::TimestampTz, Eq, Value::TimestampTz(0)).contains("compares texts"));
    assert!(refused(Type::Date, Ge, Value::Date(0)).contains("compares texts"));
    assert!(refused(Type::Uuid, Eq, Value::Uuid([7; 16])).contains("compares texts"));
    assert_eq!(
        sent(&over(Type::Date, ALL), Eq, Value::Date(0)).unwrap(),
        "x=1970-01-01*"
    );
    assert_eq!(sent(&over(Type::Text, ALL), Eq, text("")).unwrap(), "x=*");
    let digits = Value::Numeric("0.100000000000000000000000000001".to_owned());
    assert_eq!(
        sent(&over(Type::Numeric, ALL_EXACT), Le, digits.clone()).unwrap(),
        "x_lte=0.1*"
    );
    assert!(refused(Type::Numeric, Eq, digits).contains("doubles"));
    for name in ["q", "_limit", "price_gte", "a_ne"] {
        let table = table(
            &[],
            &[("dialect", "suffix json-server")],
            &[(name, Type::Int4, &[("filter", "=")])],
        );
        assert!(
            sent(&table, Eq, Value::Int(1))
                .unwrap_err()
                .contains("something else")
        );
    }
}

#[test]
fn jsonapi_lists_are_separated_by_commas() {
    assert_eq!(
        numbers("jsonapi"),
        [
            "filter[x]=5",
            "-",
            "-",
            "-",
            "-",
            "-",
            "filter[x]=1,2",
            "-",
            "-",
            "-"
        ]
    );
    let names = column("jsonapi", Type::Text, "=, in");
    assert!(sent(&names, Eq, text("a,b")).unwrap_err().contains("comma"));
    let deep = table(
        &[],
        &[("dialect", "jsonapi")],
        &[(
            "x",
            Type::Text,
            &[("field", "attributes.kind"), ("filter", "=")],
        )],
    );
    assert_eq!(sent(&deep, Eq, text("a")).unwrap(), "filter[kind]=a*");
}

#[test]
fn a_declared_name_or_the_path_to_the_value_names_a_column() {
    let named = |dialect: &str, pairs: &[(&str, &str)]| {
        let table = table(&[], &[("dialect", dialect)], &[("x", Type::Int4, pairs)]);
        sent(&table, Eq, Value::Int(1)).unwrap()
    };
    let path: &[_] = &[("field", "user.login"), ("filter", "=")];
    assert_eq!(named("brackets", path), "user[login]=1*");
    assert_eq!(
        named("brackets strapi", path),
        "filters[user][login][$eq]=1*"
    );
    assert_eq!(named("suffix", path), "user__login=1*");
    assert_eq!(named("suffix json-server", path), "user.login=1*");
    let declared: &[_] = &[("field", "user.login"), ("filter", "= a.b")];
    assert_eq!(named("brackets strapi", declared), "filters[a][b][$eq]=1*");
    assert_eq!(named("suffix", declared), "a__b=1*");
    assert_eq!(named("jsonapi", declared), "filter[a.b]=1*");
}

#[test]
fn nothing_is_sent_undeclared_or_unspelled() {
    for dialect in [
        "brackets",
        "brackets strapi",
        "suffix",
        "suffix netbox",
        "suffix json-server",
        "jsonapi",
    ] {
        let table = table(&[], &[("dialect", dialect)], &[("x", Type::Int4, &[])]);
        assert_eq!(
            sent(&table, Eq, Value::Int(1)),
            Err("column \"x\" declares no filter".to_owned())
        );
        let table = column(dialect, Type::Text, ALL);
        assert!(
            sent(&table, NotLike, text("a%"))
                .unwrap_err()
                .contains(&format!("NOT LIKE has no spelling in dialect {dialect}"))
        );
    }
}

#[test]
fn a_negation_over_text_is_sent_only_where_case_is_known_to_count() {
    for (dialect, sends) in [
        ("brackets", false),
        ("brackets strapi", false),
        ("suffix netbox", false),
        ("suffix json-server", true),
    ] {
        let negated = sent(&column(dialect, Type::Text, ALL), Ne, text("a"));
        assert_eq!(negated.is_ok(), sends, "{dialect}: {negated:?}");
        assert!(sent(&column(dialect, Type::Text, ALL_EXACT), Ne, text("a")).is_ok());
    }
}

#[test]
fn case_is_ignored_only_where_all_servers_ignore_it_alike() {
    let ilike = |filter: &str, pattern: &str| {
        sent(&column("suffix", Type::Text, filter), ILike, text(pattern))
    };
    assert_eq!(ilike("ilike", "%abc%").unwrap(), "x__icontains=abc*");
    // The Kelvin sign is a k here, and İ an i.
    assert_eq!(
        ilike("ilike", "%bike shop%").unwrap(),
        "x__icontains=e shop*"
    );
    assert_eq!(ilike("ilike", "%straße%").unwrap(), "x__icontains=stra*");
    assert!(
        ilike("ilike", "%KIK%")
            .unwrap_err()
            .contains("no literal part")
    );
    assert_eq!(
        ilike("ilike exact", "%bike shop%").unwrap(),
        "x__icontains=bike shop"
    );
    let json_server = column("suffix json-server", Type::Text, "ilike");
    assert_eq!(
        sent(&json_server, ILike, text("a_bike%")).unwrap(),
        r"x_like=^a[\s\S]*b[\s\S]*e[\s\S]*$*"
    );
    let like = column("suffix", Type::Text, "ilike exact");
    assert_eq!(sent(&like, Like, text("%ab%")).unwrap(), "x__icontains=ab*");
}

#[test]
fn literals_that_a_server_may_take_for_wildcards_are_cut_or_rechecked() {
    let strapi = column("brackets strapi", Type::Text, "like exact");
    assert_eq!(
        sent(&strapi, Like, text(r"%50\%%")).unwrap(),
        "filters[x][$contains]=50%*"
    );
    assert_eq!(
        sent(&strapi, Like, text(r"abc\\de%")).unwrap(),
        "filters[x][$contains]=abc*"
    );
    let django = column("suffix", Type::Text, "like exact");
    assert_eq!(
        sent(&django, Like, text(r"%50\%%")).unwrap(),
        "x__contains=50%"
    );
}

#[test]
fn white_space_that_django_drops_is_not_relied_upon() {
    let django = column("suffix", Type::Text, ALL_EXACT);
    assert!(
        sent(&django, Eq, text(" a"))
            .unwrap_err()
            .contains("white space")
    );
    assert!(
        sent(&django, In, texts(&["a", "b\t"]))
            .unwrap_err()
            .contains("white space")
    );
    assert_eq!(
        sent(&django, Like, text("% ab %")).unwrap(),
        "x__contains=ab*"
    );
    assert_eq!(
        sent(&django, Like, text(" ab%")).unwrap(),
        "x__contains=ab*"
    );
    assert_eq!(
        sent(&django, Like, text("ab %")).unwrap(),
        "x__contains=ab*"
    );
}

#[test]
fn a_table_has_spellings_of_its_own() {
    let own = r#"{"=": "{name}={value:json}", ">=": "min_{name}={value}", "in": "{name}__in={values:json}", "not_in": "not_{name}={values:json_csv}", "like": "{name}~={value}", "is_null": "without={name}"}"#;
    let table = |ty: Type| {
        table(
            &[],
            &[("dialect", "operators"), ("operators", own)],
            &[("x", ty, &[("filter", ALL_EXACT)])],
        )
    };
    let names = table(Type::Text);
    assert_eq!(sent(&names, Eq, text("a\"b")).unwrap(), r#"x="a\"b""#);
    assert_eq!(
        sent(&names, In, texts(&["a,b", "c"])).unwrap(),
        r#"x__in=["a,b","c"]"#
    );
    assert_eq!(
        sent(&names, NotIn, texts(&["a,b", "c"])).unwrap(),
        r#"not_x="a,b","c""#
    );
    assert_eq!(sent(&names, Like, text(r"a\_%_")).unwrap(), r"x~=a\_%_");
    assert_eq!(sent(&names, IsNull, Value::Null).unwrap(), "without=x");
    let sizes = table(Type::Int8);
    assert_eq!(sent(&sizes, Gt, Value::Int(5)).unwrap(), "min_x=5*");
    assert_eq!(sent(&sizes, In, ints(&[1, 2])).unwrap(), "x__in=[1,2]");
    assert!(
        sent(&sizes, Le, Value::Int(5))
            .unwrap_err()
            .contains("no spelling in dialect operators")
    );
}

#[test]
fn a_table_may_change_its_dialect() {
    let own = r#"{"!=": "{name}!={value}", "contains": null, "in": "{name}={values:repeat}"}"#;
    let table = table(
        &[],
        &[("dialect", "suffix"), ("operators", own)],
        &[("x", Type::Text, &[("filter", ALL_EXACT)])],
    );
    assert_eq!(sent(&table, Ne, text("a")).unwrap(), "x!=a");
    assert_eq!(sent(&table, In, texts(&["a,b", "c"])).unwrap(), "x=a,b&x=c");
    assert!(sent(&table, Like, text("%ab%")).is_err());
    assert_eq!(sent(&table, Like, text("ab%")).unwrap(), "x__startswith=ab");
}

#[test]
fn one_parameter_carries_one_condition() {
    let own = r#"{"=": "{name}={value}", "contains": "{name}__has={value}", "starts_with": "{name}={value}*"}"#;
    let table = table(
        &[],
        &[("dialect", "operators"), ("operators", own)],
        &[("x", Type::Text, &[("filter", "=, like")])],
    );
    // A prefix would go into the parameter of =.
    assert_eq!(sent(&table, Like, text("ab%")).unwrap(), "x__has=ab*");
}

#[test]
fn templates_that_cannot_work_are_refused_with_a_hint() {
    let refused = |dialect: &str, operators: &str| {
        let error = try_table(&[], &[("dialect", dialect), ("operators", operators)], &[])
            .expect_err(operators);
        (error.message, error.hint.unwrap_or_default())
    };
    for (dialect, operators, message, hint) in [
        (
            "suffix",
            r#"{">=": "{name}__gte={valu}"}"#,
            "{valu} is not a placeholder",
            "Perhaps you meant {value}.",
        ),
        (
            "suffix",
            r#"{"in": "{name}={values:jsn_csv}"}"#,
            "{values:jsn_csv}",
            "Perhaps you meant {values:json_csv}.",
        ),
        (
            "suffix",
            r#"{"is_nul": "{name}=1"}"#,
            "\"is_nul\" is not an operator",
            "Perhaps you meant \"is_null\".",
        ),
        (
            "suffix",
            r#"{"~": "{name}=1"}"#,
            "\"~\" is not an operator",
            "Operators are =, <>",
        ),
        (
            "suffix",
            r#"{">=": "{name}__gte"}"#,
            "has no =",
            "{name}__gte={value}",
        ),
        (
            "suffix",
            r#"{">=": "{name}__gte="}"#,
            "the template has no {value}",
            "Write {value}",
        ),
        (
            "suffix",
            r#"{"in": "{name}={value}"}"#,
            "takes no {value}",
            "{values:csv}",
        ),
        (
            "suffix",
            r#"{"is_null": "{name}={value}"}"#,
            "has no value",
            "isnull=true",
        ),
        (
            "suffix",
            r#"{"and": "{name}={value}"}"#,
            "cannot join conditions",
            "dialect json",
        ),
        (
            "suffix",
            r#"{"=": "a={value}", "=": "b={value}"}"#,
            "is given twice",
            "",
        ),
        (
            "suffix",
            r#"{"!=": "a={value}", "<>": "b={value}"}"#,
            "is given twice",
            "",
        ),
        ("suffix", r#"[1]"#, "not a JSON object", "For example"),
        (
            "suffix",
            r#"{"=": 1}"#,
            "a template is a text",
            "For example",
        ),
        (
            "suffix",
            r#"{"=": {"a": "{value}"}}"#,
            "only dialect 'json' takes JSON templates",
            "For example",
        ),
        (
            "json",
            r#"{"=": "a={value}"}"#,
            "dialect 'json' takes JSON templates",
            "For example",
        ),
        (
            "json",
            r#"{"=": {"a": "{valeu}"}}"#,
            "{valeu} is not a placeholder",
            "Perhaps you meant {value}.",
        ),
        (
            "json",
            r#"{"and": {"a": []}}"#,
            "has no {arms}",
            "Write {arms}",
        ),
    ] {
        let (found, hinted) = refused(dialect, operators);
        assert!(found.contains(message), "{operators}: {found}");
        assert!(hinted.contains(hint), "{operators}: {hinted}");
    }
    let error = try_table(&[], &[("dialect", "operators")], &[]).expect_err("no templates");
    assert!(error.message.contains("needs option \"operators\""));
}

#[test]
fn a_parameter_column_may_not_share_a_filters_parameter() {
    let columns: &[_] = &[
        ("kind", Type::Text, &[("filter", "=")][..]),
        ("input", Type::Text, &[("param", "filters[kind][$eq]")][..]),
    ];
    let error = try_table(&[], &[("dialect", "brackets strapi")], columns).expect_err("twice");
    assert!(
        error.message.contains("is set by column"),
        "{}",
        error.message
    );
    let columns: &[_] = &[
        ("kind", Type::Text, &[("filter", "=")][..]),
        ("input", Type::Text, &[("param", "kind")][..]),
    ];
    assert!(try_table(&[], &[("dialect", "brackets strapi")], columns).is_ok());
}

/// Text of any kind that could break out of something.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "[\\[\\]{}=&,%_*\"'\\\\]{0,8}"]
}

proptest! {
    /// Whatever is asked for, exactly one parameter carries it as it is.
    #[test]
    fn a_value_stays_within_its_parameter(value in any_text()) {
        for (dialect, name) in [
            ("plain", "x"),
            ("brackets", "x"),
            ("brackets strapi", "filters[x][$eq]"),
            ("suffix", "x"),
            ("suffix netbox", "x"),
            ("suffix json-server", "x"),
            ("jsonapi", "filter[x]"),
        ] {
            if let Ok(sent) = sent(&column(dialect, Type::Text, "= exact"), Eq, text(&value)) {
                prop_assert_eq!(sent, format!("{name}={value}"));
            }
        }
    }

    /// A list reads back as the same list.
    #[test]
    fn a_list_reads_back(values in prop::collection::vec(any_text(), 1..5)) {
        let mut distinct: Vec<&str> = Vec::new();
        for value in &values {
            if !distinct.contains(&value.as_str()) {
                distinct.push(value);
            }
        }
        let own = r#"{"in": "{name}={values:json}"}"#;
        let table = table(
            &[],
            &[("dialect", "operators"), ("operators", own)],
            &[("x", Type::Text, &[("filter", "in exact")])],
        );
        if let Ok(sent) = sent(&table, In, texts(&distinct)) {
            let read: Vec<String> = serde_json::from_str(&sent[2..]).unwrap();
            prop_assert_eq!(&read, &distinct);
        }
        let commas = column("suffix", Type::Text, "in exact");
        if let Ok(sent) = self::sent(&commas, In, texts(&distinct)) {
            let read: Vec<&str> = sent["x__in=".len()..].split(',').collect();
            prop_assert_eq!(read, distinct);
        }
    }

    /// A word for a part of a text keeps every row that the pattern keeps.
    #[test]
    fn a_pattern_is_never_narrowed(before in any_text(), held in "[a-z %_.\\\\]{0,6}", after in any_text()) {
        let row = format!("{before}{held}{after}");
        let escaped: String = held
            .chars()
            .flat_map(|c| ['\\', c].into_iter().skip(usize::from(!"%_\\".contains(c))))
            .collect();
        for (pattern, matches) in [
            (format!("%{escaped}%"), true),
            (format!("{escaped}%"), before.is_empty()),
            (format!("%{escaped}"), after.is_empty()),
        ] {
            let django = column("suffix", Type::Text, "like exact");
            if let (true, Ok(sent)) = (matches, sent(&django, Like, text(&pattern))) {
                let (name, value) = sent.trim_end_matches('*').split_once('=').unwrap();
                let kept = match name {
                    "x__contains" => row.contains(value.trim()),
                    "x__startswith" => row.starts_with(value.trim()),
                    _ => row.ends_with(value.trim()),
                };
                prop_assert!(kept, "{row:?} under {pattern:?} by {sent:?}");
            }
        }
    }
}

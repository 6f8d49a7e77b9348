//! Verdicts for each kind of predicate, column and type.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Pushdown, RemoteQuery, Sent, Verdict};
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, Table, Type};
use crate::predicate::{Predicate, Semantics, Value};
use crate::request::{Inputs, Operand, bind};
use Operator::{Eq, Ge, Gt, In, Le, Lt, Ne};

const C: Semantics = Semantics {
    collation_is_c: true,
    deterministic: true,
};
const NATURAL: Semantics = Semantics {
    collation_is_c: false,
    deterministic: true,
};
const CASE_BLIND: Semantics = Semantics {
    collation_is_c: false,
    deterministic: false,
};

fn compare(column: usize, operator: Operator, operand: usize, semantics: Semantics) -> Predicate {
    Predicate::Compare {
        column,
        operator,
        operand,
        semantics,
    }
}

/// Plans with no value known.
fn plan(table: &Table, predicates: &[Predicate], enabled: bool) -> Pushdown {
    super::plan(table, predicates, &[], enabled)
}

/// The requests that are made for these conditions and values.
fn requests(table: &Table, sent: &[Sent], values: &[Value]) -> Vec<Inputs> {
    let query = RemoteQuery {
        sent: sent.to_vec(),
        ..RemoteQuery::default()
    };
    let operands: Vec<Operand> = values.iter().cloned().map(Operand::Value).collect();
    bind(table, &query, &operands).unwrap().requests
}

/// Their query parameters, `name=value` each.
fn queries(table: &Table, sent: &[Sent], values: &[Value]) -> Vec<String> {
    let shown = |inputs: Inputs| {
        let pairs = inputs.query.into_iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    };
    let all = requests(table, sent, values).into_iter();
    all.map(shown).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn texts(list: &[&str]) -> Value {
    Value::List(list.iter().map(|item| text(item)).collect())
}

/// The verdict for `column OPERATOR $1` over a table of one column.
fn verdict(ty: Type, pairs: &[(&str, &str)], operator: Operator, semantics: Semantics) -> Verdict {
    let table = table(&[], &[], &[("x", ty, pairs)]);
    let Pushdown { verdicts, sent, .. } = plan(&table, &[compare(0, operator, 0, semantics)], true);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(sent.is_empty(), matches!(verdicts[0], Verdict::Local(_)));
    verdicts.into_iter().next().unwrap()
}

fn local(reason: &str) -> Verdict {
    Verdict::Local(reason.to_owned())
}

fn is_local(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Local(_))
}

#[test]
fn only_declared_filters_are_sent() {
    assert_eq!(
        verdict(Type::Text, &[], Eq, C),
        local("column \"x\" declares no filter")
    );
    assert_eq!(
        verdict(Type::Int4, &[("filter", ">=")], Lt, C),
        local("column \"x\" declares no filter for <")
    );
    assert_eq!(
        verdict(Type::Int4, &[("filter", ">=")], In, C),
        local("column \"x\" declares no filter for IN")
    );
    assert_eq!(
        verdict(Type::Int4, &[("filter", ">=")], Ne, C),
        local("column \"x\" declares no filter for <>")
    );
    assert_eq!(
        verdict(Type::Int4, &[("filter", ">=")], Ge, C),
        Verdict::Superset
    );
    assert_eq!(
        verdict(Type::Int4, &[("filter", ">= exact")], Ge, C),
        Verdict::Exact
    );
}

#[test]
fn what_could_lose_rows_is_not_sent() {
    let all = &[("filter", "= exact, <, <=, >, >=, in")];
    let never = [
        Type::Float4,
        Type::Bpchar,
        Type::Json,
        Type::Bytes,
        Type::Array(Box::new(Type::Int4)),
    ];
    for ty in never {
        for operator in [Eq, Lt, Le, Gt, Ge, In] {
            assert!(
                is_local(&verdict(ty.clone(), all, operator, C)),
                "{ty:?} {operator:?}"
            );
        }
    }
    assert_eq!(
        verdict(Type::Float4, all, Ge, C),
        local("type real rounds the API's values; use double precision or numeric")
    );
    let sent = [
        Type::Int2,
        Type::Int4,
        Type::Int8,
        Type::Float8,
        Type::Numeric,
        Type::Date,
        Type::Timestamp,
        Type::TimestampTz,
        Type::Uuid,
    ];
    for ty in sent {
        for operator in [Lt, Le, Gt, Ge, In] {
            assert_eq!(
                verdict(ty.clone(), all, operator, C),
                Verdict::Superset,
                "{ty:?} {operator:?}"
            );
        }
        assert_eq!(verdict(ty, all, Eq, C), Verdict::Exact);
    }
    assert!(is_local(&verdict(Type::Bool, all, Lt, C)));
    assert_eq!(verdict(Type::Bool, all, Eq, C), Verdict::Exact);
}

#[test]
fn other_types_are_compared_only_where_declared_exact() {
    assert!(is_local(&verdict(Type::Other, &[("filter", "=")], Eq, C)));
    assert_eq!(
        verdict(Type::Other, &[("filter", "= exact")], Eq, C),
        Verdict::Exact
    );
    assert_eq!(
        verdict(Type::Other, &[("filter", "= exact")], In, C),
        Verdict::Exact
    );
    assert!(is_local(&verdict(
        Type::Other,
        &[("filter", "< exact")],
        Lt,
        C
    )));
}

#[test]
fn text_is_compared_as_its_collation_allows() {
    let equal = &[("filter", "=, in")];
    assert_eq!(verdict(Type::Text, equal, Eq, NATURAL), Verdict::Superset);
    assert_eq!(verdict(Type::Text, equal, In, NATURAL), Verdict::Superset);
    assert!(is_local(&verdict(Type::Text, equal, Eq, CASE_BLIND)));
    let range = &[("filter", ">")];
    assert!(is_local(&verdict(Type::Text, range, Gt, NATURAL)));
    assert_eq!(verdict(Type::Text, range, Gt, C), Verdict::Superset);
    assert_eq!(
        verdict(Type::Text, &[("filter", ">"), ("collation", "C")], Gt, C),
        Verdict::Superset
    );
    assert!(is_local(&verdict(
        Type::Text,
        &[("filter", ">"), ("collation", "C")],
        Gt,
        NATURAL
    )));
    assert!(is_local(&verdict(
        Type::Text,
        &[("filter", ">"), ("collation", "de_DE")],
        Gt,
        C
    )));
}

#[test]
fn days_and_instants_are_not_compared_with_each_other() {
    assert!(is_local(&verdict(
        Type::Date,
        &[("filter", "<="), ("format", "unix")],
        Le,
        C
    )));
    assert!(is_local(&verdict(
        Type::Date,
        &[("filter", "<="), ("format", "rfc3339")],
        Le,
        C
    )));
    assert!(is_local(&verdict(
        Type::TimestampTz,
        &[("filter", "<="), ("format", "date")],
        Le,
        C
    )));
    assert_eq!(
        verdict(
            Type::TimestampTz,
            &[("filter", "<="), ("format", "unix_ms")],
            Le,
            C
        ),
        Verdict::Superset
    );
}

#[test]
fn an_opaque_predicate_keeps_its_reason() {
    let table = table(&[], &[], &[]);
    let result = plan(
        &table,
        &[Predicate::Opaque("LIKE cannot be sent".to_owned())],
        true,
    );
    assert_eq!(result.verdicts, [local("LIKE cannot be sent")]);
}

fn issues() -> Table {
    let columns: &[TestColumn] = &[
        ("owner", Type::Text, &[]),
        ("state", Type::Text, &[("filter", "=")]),
        ("labels", Type::Text, &[("filter", "= label, in label")]),
        ("q", Type::Text, &[("param", "q"), ("required", "true")]),
        (
            "lang",
            Type::Text,
            &[("param", "lang"), ("required", "true"), ("default", "en")],
        ),
        ("opt", Type::Text, &[("param", "opt")]),
    ];
    table(&[], &[("endpoint", "/{owner}/issues")], columns)
}

#[test]
fn lists_go_out_as_declared_and_else_value_by_value() {
    let table = issues();
    let result = super::plan(
        &table,
        &[
            compare(0, Eq, 2, C),
            compare(3, Eq, 2, C),
            compare(1, In, 0, C),
            compare(2, In, 1, C),
        ],
        &[],
        true,
    );
    assert_eq!(
        queries(
            &table,
            &result.sent,
            &[texts(&["a", "b"]), texts(&["c", "d"]), text("o")]
        ),
        [
            "q=o&state=a&label=c,d&lang=en",
            "q=o&state=b&label=c,d&lang=en"
        ]
    );
}

#[test]
fn a_parameter_is_sent_once_and_by_the_best_condition() {
    let taken = local("parameter \"label\" already carries another condition");
    let table = issues();
    let given = [compare(0, Eq, 3, C), compare(3, Eq, 3, C)];
    let result = plan(
        &table,
        &[
            compare(2, In, 0, C),
            compare(2, Eq, 1, C),
            compare(2, Eq, 2, C),
            given[0].clone(),
            given[1].clone(),
        ],
        true,
    );
    assert_eq!(
        result.verdicts[..3],
        [taken.clone(), Verdict::Superset, taken]
    );
    let values = [texts(&["a"]), text("b"), text("c"), text("o")];
    assert_eq!(
        queries(&table, &result.sent, &values),
        ["q=o&label=b&lang=en"]
    );
    let taken = local("parameter \"state\" already carries another condition");
    let result = plan(&table, &[compare(1, In, 0, C), compare(1, In, 1, C)], true);
    assert_eq!(result.verdicts, [Verdict::Superset, taken]);
}

#[test]
fn parameter_columns_take_equality_exactly_and_nothing_else() {
    let result = plan(
        &issues(),
        &[
            compare(0, Eq, 0, CASE_BLIND),
            compare(3, In, 1, C),
            compare(5, Gt, 2, C),
        ],
        true,
    );
    let refused = local("column \"opt\" is an input of the request: only = and IN can be sent");
    assert_eq!(result.verdicts, [Verdict::Exact, Verdict::Exact, refused]);
    assert!(result.missing.is_empty());
    let values = [text("o"), texts(&["x", "y", "x"]), text("z")];
    let made = requests(&issues(), &result.sent, &values);
    let paths: Vec<_> = made.iter().map(|inputs| inputs.path.clone()).collect();
    assert_eq!(paths, vec![vec![("owner".to_owned(), "o".to_owned())]; 2]);
    let queries = queries(&issues(), &result.sent, &values);
    assert_eq!(queries, ["q=x&lang=en", "q=y&lang=en"]);
}

#[test]
fn required_columns_without_value_or_default_are_missing() {
    assert_eq!(plan(&issues(), &[], true).missing, [0, 3]);
    assert_eq!(
        plan(
            &issues(),
            &[compare(0, Eq, 0, C), compare(3, Gt, 0, C)],
            true
        )
        .missing,
        [3]
    );
}

#[test]
fn with_pushdown_off_only_inputs_are_sent() {
    let predicates = [
        compare(0, Eq, 0, C),
        compare(1, Eq, 1, C),
        compare(3, In, 2, C),
        Predicate::Opaque("why".to_owned()),
    ];
    let result = plan(&issues(), &predicates, false);
    let off = local("rest_fdw.pushdown is off");
    assert_eq!(
        result.verdicts,
        [Verdict::Exact, off, Verdict::Exact, local("why")]
    );
    let sent: Vec<usize> = result.sent.iter().map(|sent| sent.predicate).collect();
    assert_eq!(sent, [0, 2]);
}

#[test]
fn a_range_without_its_end_goes_out_as_the_declared_one_with_it_and_is_rechecked() {
    let filters = &[("filter", ">= min exact, <= max exact")];
    for (operator, parameter) in [(Gt, "min"), (Lt, "max")] {
        let table = table(&[], &[], &[("mag", Type::Float8, filters)]);
        let result = plan(&table, &[compare(0, operator, 0, C)], true);
        assert_eq!(result.verdicts, [Verdict::Superset]);
        assert!(!result.sent[0].exact);
        assert_eq!(
            queries(&table, &result.sent, &[Value::Float(5.0)]),
            [format!("{parameter}=5")]
        );
    }
}

#[test]
fn a_filter_may_write_its_values_in_a_format_of_its_own() {
    let options = &[
        ("format", "unix_ms"),
        ("filter", ">= starttime exact as rfc3339"),
    ];
    let table = table(&[], &[], &[("time", Type::TimestampTz, options)]);
    let result = plan(&table, &[compare(0, Ge, 0, C)], true);
    assert_eq!(
        queries(
            &table,
            &result.sent,
            &[Value::TimestampTz(1_517_788_800_000_000)]
        ),
        ["starttime=2018-02-05T00:00:00Z"]
    );
}

#[test]
fn containing_nothing_or_null_does_not_depend_on_values() {
    let columns: &[TestColumn] = &[(
        "tags",
        Type::Array(Box::new(Type::Text)),
        &[("filter", "contains, is_not_null has_tags")],
    )];
    let table = table(&[], &[], columns);
    let sent = plan(&table, &[compare(0, Operator::Contains, 0, C)], true).sent;
    assert_eq!(
        queries(&table, &sent, &[Value::List(vec![])]),
        ["has_tags=true"]
    );
    let with_null = Value::List(vec![text("a"), Value::Null]);
    assert!(queries(&table, &sent, &[with_null]).is_empty());
}

#[test]
fn not_distinct_from_null_is_sent_only_where_a_test_for_null_may_be() {
    let filters = ("filter", "= exact, is_null");
    for (options, expected) in [
        (vec![filters], "x=true"),
        (vec![filters, ("on_error", "null")], ""),
    ] {
        let table = table(&[], &[], &[("x", Type::Int4, &options)]);
        let sent = plan(&table, &[compare(0, Operator::NotDistinct, 0, C)], true).sent;
        assert_eq!(queries(&table, &sent, &[Value::Null]), [expected]);
    }
}

#[test]
fn not_moves_down_to_the_comparisons_and_unknown_counts_below_is_true() {
    let filters = &[("filter", "=, <> not_x, < below, >= from, is_null none")];
    let table = table(&[], &[], &[("x", Type::Int4, filters)]);
    let x = |operator| Box::new(compare(0, operator, 0, C));
    let query = |predicate| {
        let planned = plan(&table, &[predicate], true);
        queries(&table, &planned.sent, &[Value::Int(5)]).join(" ")
    };
    assert_eq!(query(Predicate::Not(x(Eq))), "not_x=5");
    assert_eq!(query(Predicate::Not(x(Lt))), "from=5");
    assert_eq!(
        query(Predicate::Not(Box::new(Predicate::Not(x(Eq))))),
        "x=5"
    );
    assert_eq!(query(Predicate::IsTrue(x(Ge))), "from=5");
    let either = Predicate::Or(vec![compare(0, Eq, 0, C), compare(0, Ge, 0, C)]);
    assert_eq!(query(Predicate::Not(Box::new(either))), "not_x=5&below=5");
    // Rows for which it is unknown are wanted, and that would need OR.
    let not_true = Predicate::Not(Box::new(Predicate::IsTrue(x(Eq))));
    assert_eq!(query(not_true), "");
}

#[test]
fn a_list_that_cannot_be_split_is_sent_only_as_long_as_the_api_takes_it() {
    let columns: &[TestColumn] = &[("x", Type::Int4, &[("filter", "not_in")])];
    let table = table(&[], &[("max_list_size", "2")], columns);
    let sent = plan(&table, &[compare(0, Operator::NotIn, 0, C)], true).sent;
    let list = |values: &[i64]| Value::List(values.iter().copied().map(Value::Int).collect());
    assert_eq!(queries(&table, &sent, &[list(&[1, 2])]), ["x=1,2"]);
    assert_eq!(queries(&table, &sent, &[list(&[1, 2, 3])]), [""]);
}

#[test]
fn the_key_is_looked_up_at_the_endpoint_of_a_single_row() {
    let options = &[("entity_endpoint", "/items/{id}"), ("key", "id")];
    let columns: &[TestColumn] = &[
        ("id", Type::Text, &[]),
        ("state", Type::Text, &[("filter", "= exact")]),
    ];
    let table = table(&[], options, columns);
    let planned = plan(&table, &[compare(0, Eq, 0, C), compare(1, Eq, 1, C)], true);
    assert_eq!(planned.verdicts, [Verdict::Superset, Verdict::Exact]);
    let query = RemoteQuery {
        sent: planned.sent,
        ..RemoteQuery::default()
    };
    let bound = |id: &str| {
        let operands = [text(id), text("open")].map(Operand::Value);
        bind(&table, &query, &operands).unwrap()
    };
    let found = bound("a/b");
    assert!(found.entity);
    assert_eq!(found.widened, [1], "what else must be true is checked here");
    assert!(found.requests[0].query.is_empty());
    let answer = super::entity(&table);
    assert_eq!(answer.empty_on, [404]);
    assert_eq!(
        crate::request::build(&answer, &found.requests[0], &[])
            .unwrap()
            .url,
        "https://api.test/v1/items/a%2Fb"
    );
    for changes_the_path in ["", ".", ".."] {
        let found = bound(changes_the_path);
        assert!(!found.entity);
        assert_eq!(found.unsent, [0]);
        assert_eq!(found.requests[0].query.len(), 1);
    }
    // Without a value for the key there is nothing to look up.
    let other = plan(&table, &[compare(0, Gt, 0, C)], true);
    assert_eq!(other.verdicts, [local("column \"id\" declares no filter")]);
}

/// `$1 IS NULL OR x = $2`, and the same under NOT; `$1` stands for the truth value.
#[test]
fn a_truth_value_of_all_rows_opens_or_closes_its_arm() {
    use Predicate::{And, Known, Not, Or};
    let exact: &[_] = &[("filter", "= exact, >= min exact")];
    let plain = table(&[], &[], &[("x", Type::Int4, exact)]);
    let [yes, no, unknown] = [Value::Bool(true), Value::Bool(false), Value::Null];
    let asked = |predicate: Predicate, truth: &Value| {
        let Pushdown { verdicts, sent, .. } = plan(&plain, &[predicate], true);
        assert_eq!(verdicts, [Verdict::Exact]);
        queries(&plain, &sent, &[truth.clone(), Value::Int(5)])
    };
    let either = Or(vec![Known(0), compare(0, Eq, 1, C)]);
    assert_eq!(asked(either.clone(), &yes), [""]);
    assert_eq!(asked(either.clone(), &no), ["x=5"]);
    assert_eq!(asked(either.clone(), &unknown), ["x=5"]);
    let opposite = Or(vec![Not(Box::new(Known(0))), compare(0, Eq, 1, C)]);
    assert_eq!(asked(opposite.clone(), &yes), ["x=5"]);
    assert_eq!(asked(opposite.clone(), &no), [""]);
    assert_eq!(asked(opposite, &unknown), ["x=5"]);
    let is_not_true = Or(vec![
        Not(Box::new(Predicate::IsTrue(Box::new(Known(0))))),
        compare(0, Eq, 1, C),
    ]);
    assert_eq!(asked(is_not_true, &unknown), [""]);
    let both = And(vec![Known(0), compare(0, Eq, 1, C)]);
    assert_eq!(asked(both.clone(), &yes), ["x=5"]);
    assert!(asked(both, &unknown).is_empty(), "no request");
    // OR of two comparisons has no spelling here.
    let two = Or(vec![Known(0), compare(0, Eq, 1, C), compare(0, Ge, 1, C)]);
    assert!(is_local(&plan(&plain, &[two], true).verdicts[0]));
    assert_eq!(
        plan(&plain, &[either], false).verdicts,
        [local("rest_fdw.pushdown is off")]
    );
}

#[test]
fn an_arm_beside_a_truth_value_has_the_parameter_that_it_would_have_alone() {
    use Predicate::{Known, Or};
    let exact: &[_] = &[("filter", "= exact")];
    let plain = table(&[], &[], &[("x", Type::Int4, exact)]);
    let optional = Or(vec![Known(0), compare(0, Eq, 1, C)]);
    let Pushdown { verdicts, sent, .. } = plan(&plain, &[optional, compare(0, Eq, 2, C)], true);
    assert_eq!(
        verdicts,
        [
            local("parameter \"x\" already carries another condition"),
            Verdict::Exact
        ]
    );
    let values = [Value::Bool(false), Value::Int(1), Value::Int(2)];
    assert_eq!(queries(&plain, &sent, &values), ["x=2"]);
}

/// Where the parameter that carries a condition carries one only, the first goes out.
#[test]
fn two_bounds_go_out_where_both_have_a_place() {
    let declared: &[_] = &[("filter", ">= exact")];
    for (dialect, expected) in [
        ("postgrest", "x=gte.5&x=gte.6"),
        ("odata", "$filter=x ge 5 and x ge 6"),
        ("sql", "$where=x >= 5 AND x >= 6"),
        (
            "json",
            r#"filter={"_and":[{"x":{"_gte":5}},{"x":{"_gte":6}}]}"#,
        ),
        (
            "brackets strapi",
            "filters[$and][0][x][$gte]=5&filters[$and][1][x][$gte]=6",
        ),
        ("brackets", "x[gte]=5"),
        ("suffix", "x__gte=5"),
        ("suffix netbox", "x__gte=5"),
    ] {
        let table = table(&[], &[("dialect", dialect)], &[("x", Type::Int4, declared)]);
        let bounds = [compare(0, Ge, 0, C), compare(0, Ge, 1, C)];
        let sent = plan(&table, &bounds, true).sent;
        let values = [Value::Int(5), Value::Int(6)];
        assert_eq!(queries(&table, &sent, &values), [expected], "{dialect}");
    }
}

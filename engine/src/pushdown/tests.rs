//! Verdicts for each kind of predicate, column and type.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Binding, Pushdown, Spelling, Verdict, plan};
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Operator, ParameterPlace, Table, Type};
use crate::predicate::{Predicate, Semantics, Value};
use crate::request::{Operand, bind};
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

/// The verdict for `column OPERATOR $1` over a table of one column.
fn verdict(ty: Type, pairs: &[(&str, &str)], operator: Operator, semantics: Semantics) -> Verdict {
    let table = table(&[], &[], &[("x", ty, pairs)]);
    let Pushdown {
        verdicts, bindings, ..
    } = plan(&table, &[compare(0, operator, 0, semantics)], true);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(
        bindings.is_empty(),
        matches!(verdicts[0], Verdict::Local(_))
    );
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

fn binding(
    column: usize,
    operand: usize,
    operator: Operator,
    parameter: &str,
    spelling: Spelling,
) -> Binding {
    Binding {
        column,
        operand,
        operator,
        parameter: parameter.to_owned(),
        place: ParameterPlace::Query,
        spelling,
        exact: false,
        format: None,
    }
}

#[test]
fn lists_go_out_as_declared_and_else_value_by_value() {
    let result = plan(
        &issues(),
        &[compare(1, In, 0, C), compare(2, In, 1, C)],
        true,
    );
    assert_eq!(
        result.bindings,
        [
            binding(1, 0, In, "state", Spelling::PerValue),
            binding(2, 1, In, "label", Spelling::CommaList)
        ]
    );
}

#[test]
fn a_parameter_is_sent_once_and_by_the_best_condition() {
    let taken = local("parameter \"label\" already carries another condition");
    let result = plan(
        &issues(),
        &[
            compare(2, In, 0, C),
            compare(2, Eq, 1, C),
            compare(2, Eq, 2, C),
        ],
        true,
    );
    assert_eq!(result.verdicts, [taken.clone(), Verdict::Superset, taken]);
    assert_eq!(
        result.bindings,
        [binding(2, 1, Eq, "label", Spelling::Single)]
    );
    let taken = local("parameter \"state\" already carries another condition");
    let result = plan(
        &issues(),
        &[compare(1, In, 0, C), compare(1, In, 1, C)],
        true,
    );
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
    assert_eq!(result.bindings[0].place, ParameterPlace::Path);
    assert_eq!(result.bindings[1].spelling, Spelling::PerValue);
    assert!(result.missing.is_empty());
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
    let bound: Vec<usize> = result
        .bindings
        .iter()
        .map(|binding| binding.column)
        .collect();
    assert_eq!(bound, [0, 3]);
}

#[test]
fn a_range_without_its_end_goes_out_as_the_declared_one_with_it_and_is_rechecked() {
    let filters = &[("filter", ">= min exact, <= max exact")];
    for (operator, parameter) in [(Gt, "min"), (Lt, "max")] {
        let table = table(&[], &[], &[("mag", Type::Float8, filters)]);
        let result = plan(&table, &[compare(0, operator, 0, C)], true);
        assert_eq!(result.verdicts, [Verdict::Superset]);
        assert_eq!(result.bindings[0].parameter, parameter);
        assert!(!result.bindings[0].exact);
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
    let value = Operand::Value(Value::TimestampTz(1_517_788_800_000_000));
    let bound = bind(&table, &result.bindings, &[value]).unwrap();
    assert_eq!(
        bound.requests[0].query,
        [("starttime".to_owned(), "2018-02-05T00:00:00Z".to_owned())]
    );
}

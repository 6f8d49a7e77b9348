//! What can be declared of orders and fields, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::model::options::fixture::{TestColumn, table, try_table};
use crate::model::{NullsOrder, Sort, SortStyle, Table, Type};

const UPDATED: TestColumn = ("updated", Type::TimestampTz, &[("sort", "updated")]);

fn sorted(options: &[(&str, &str)]) -> Table {
    table(&[], options, &[UPDATED])
}

fn refusal(options: &[(&str, &str)], columns: &[TestColumn]) -> String {
    try_table(&[], options, columns).unwrap_err().message
}

#[test]
fn a_column_names_its_order_or_spells_both_directions_out() {
    let column = |sort: &str| {
        let columns = table(&[], &[], &[("at", Type::Int8, &[("sort", sort)])]).columns;
        (columns[0].sort.clone(), columns[0].unsorted)
    };
    let named = |name: &str, descending: Option<&str>| Sort {
        name: name.to_owned(),
        descending: descending.map(str::to_owned),
    };
    assert_eq!(column("updated"), (Some(named("updated", None)), false));
    assert_eq!(
        column(" time-asc / time"),
        (Some(named("time-asc", Some("time"))), false)
    );
    assert_eq!(column("none"), (None, true));
}

#[test]
fn a_spelling_that_cannot_be_meant_is_refused() {
    for (sort, reason) in [
        ("", "a name is empty"),
        ("time/", "a name is empty"),
        ("a/b/c", "more than two spellings"),
        ("-time", "begins with a minus"),
        ("a\nb", "control character"),
    ] {
        let message = refusal(&[], &[("at", Type::Int8, &[("sort", sort)])]);
        assert!(message.contains(reason), "{sort:?}: {message}");
    }
}

#[test]
fn nulls_have_four_places() {
    for (text, order) in [
        ("first", NullsOrder::First),
        ("last", NullsOrder::Last),
        ("low", NullsOrder::Low),
        ("high", NullsOrder::High),
    ] {
        let pairs = [("sort", "at"), ("sort_nulls", text)];
        let found = table(&[], &[], &[("at", Type::Int8, &pairs)]).columns[0].sort_nulls;
        assert_eq!(found, Some(order));
    }
    let pairs = [("sort", "at"), ("sort_nulls", "middle")];
    assert_eq!(
        refusal(&[], &[("at", Type::Int8, &pairs)]),
        "invalid value for option \"sort_nulls\": \"middle\" is not a place for NULLs"
    );
}

#[test]
fn directions_have_their_styles() {
    let style = |options: &[(&str, &str)]| sorted(options).sorting.style;
    assert_eq!(style(&[]), None);
    assert_eq!(style(&[("sort_style", "minus")]), Some(SortStyle::Minus));
    assert_eq!(style(&[("sort_style", "colon")]), Some(SortStyle::Colon));
    assert_eq!(style(&[("sort_style", "space")]), Some(SortStyle::Space));
    assert_eq!(
        style(&[("sort_style", "none")]),
        Some(SortStyle::AscendingOnly)
    );
    assert_eq!(
        style(&[("sort_style", "order_param")]),
        Some(SortStyle::OrderParam("order".to_owned()))
    );
    assert_eq!(
        style(&[("sort_style", "desc_param"), ("sort_desc_param", "_desc")]),
        Some(SortStyle::DescParam("_desc".to_owned()))
    );
}

#[test]
fn options_that_would_have_no_effect_are_refused() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("order_param", "dir")],
            "option \"order_param\" has no effect without sort_style 'order_param'",
        ),
        (
            &[("sort_desc_param", "d"), ("sort_style", "minus")],
            "option \"sort_desc_param\" has no effect without sort_style 'desc_param'",
        ),
        (
            &[("sort_style", "desc_param")],
            "sort_style 'desc_param' needs option \"sort_desc_param\"",
        ),
        (
            &[("max_sort_keys", "0")],
            "invalid value for option \"max_sort_keys\"",
        ),
        (
            &[("rows_shape", "values"), ("fields_param", "f")],
            "option \"fields_param\" has no effect with rows_shape 'values'",
        ),
        (
            &[("sort_param", "by"), ("fields_param", "by")],
            "parameter \"by\" is set by the order and by option \"fields_param\"",
        ),
    ];
    for (options, expected) in cases {
        let message = refusal(options, &[UPDATED]);
        assert!(message.starts_with(expected), "{options:?}: {message}");
    }
    for option in [
        ("sort_param", "by"),
        ("sort_style", "colon"),
        ("max_sort_keys", "2"),
    ] {
        let message = refusal(&[option], &[("at", Type::Int8, &[])]);
        assert_eq!(
            message,
            format!(
                "option \"{}\" has no effect: no column declares option \"sort\"",
                option.0
            )
        );
    }
}

#[test]
fn the_servers_options_are_defaults_and_need_no_effect() {
    let server = [
        ("sort_param", "by"),
        ("sort_style", "order_param"),
        ("order_param", "dir"),
    ];
    let unsorted = table(&server, &[], &[("by", Type::Text, &[("param", "by")])]);
    assert_eq!(unsorted.sorting.param.as_deref(), Some("by"));
    let minus = table(&server, &[("sort_style", "minus")], &[UPDATED]);
    assert_eq!(minus.sorting.style, Some(SortStyle::Minus));
}

#[test]
fn a_column_must_be_able_to_be_ordered_by() {
    let refused = |ty: Type, pairs: &[(&str, &str)]| refusal(&[], &[("x", ty, pairs)]);
    assert_eq!(
        refused(Type::Float4, &[("sort", "x")]),
        "option \"sort\" has no effect on type float4: type real rounds the API's values; use double precision or numeric"
    );
    for ty in [
        Type::Bpchar,
        Type::Json,
        Type::Bytes,
        Type::Other,
        Type::Array(Box::new(Type::Int4)),
    ] {
        assert!(refused(ty, &[("sort", "x")]).contains("has no effect on type"));
    }
    assert_eq!(
        refused(Type::Int8, &[("sort_nulls", "last")]),
        "option \"sort_nulls\" has no effect without option \"sort\""
    );
    assert_eq!(
        refused(Type::Int8, &[("sort", "none"), ("sort_nulls", "last")]),
        "option \"sort_nulls\" has no effect with sort 'none'"
    );
    assert_eq!(
        refused(Type::Int8, &[("param", "x"), ("sort", "x")]),
        "a parameter column takes no option \"sort\": all rows of a request have its value"
    );
}

#[test]
fn a_dialect_must_have_orders() {
    assert_eq!(
        refusal(
            &[("dialect", "prometheus")],
            &[("x", Type::Float8, &[("sort", "x")])]
        ),
        "option \"sort\" has no effect: dialect prometheus has no orders"
    );
}

#[test]
fn the_orders_parameter_is_the_orders_own() {
    let by: TestColumn = ("sort", Type::Text, &[("param", "sort")]);
    assert_eq!(
        refusal(&[], &[UPDATED, by.clone()]),
        "parameter \"sort\" is set by the order and by column \"sort\""
    );
    let renamed = [("sort_param", "order_by")];
    assert_eq!(table(&[], &renamed, &[UPDATED, by]).columns.len(), 2);
    let paged = [("pagination", "page"), ("page_param", "sort")];
    assert_eq!(
        refusal(&paged, &[UPDATED]),
        "parameter \"sort\" is set by option \"page_param\" and by the order"
    );
}

//! `plain`: a parameter for each filter that a column declares.

use super::declare::{self, ANY_NULLS, Sorting, Spelled};
use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};
use crate::values::Kind;
use serde_json::{Value, json};

pub(super) const DIALECT: Dialect = Dialect {
    name: "plain",
    columns: ALL_COLUMNS,
    serve,
};

pub(super) const SORTING: Sorting = Sorting {
    styles: &["minus", "colon", "space", "order_param", "desc_param"],
    param: "sort_by",
    nulls: ANY_NULLS,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    general_options(random, &mut service);
    paging::draw(random, &mut service, paging::ALL);
    declare::speak(&mut service, table, "plain", None, declare::path);
    let worse = Worse::draw(random, &mut service, table, declare::path);
    let declared = declare::filters(
        random,
        &mut service,
        table,
        &worse,
        operators,
        |column, operator| Some(format!("{}{}", column.name, suffix(operator))),
    );
    let filters = declared.into_iter().map(|(column, operator)| {
        json!({"param": format!("{}{}", column.name, suffix(operator)), "field": declare::path(column), "op": operator})
    });
    let filters = filters.collect();
    service.serve("filters", Value::Array(filters));
    declare::sorts(random, &mut service, table, &SORTING);
    declare::field_list(random, &mut service, "fields");
    declare::entity(random, &mut service, table);
    service
}

/// The mock API's `<>` and `not_in` keep rows without the value.
pub(super) fn operators(kind: Kind) -> &'static [Spelled] {
    const NULLS: [Spelled; 2] = [("is_null", true), ("is_not_null", true)];
    const ORDERED: &[Spelled] = &[
        ("=", true),
        ("in", true),
        ("<", true),
        ("<=", true),
        (">", true),
        (">=", true),
        ("<>", false),
        ("not_in", false),
        NULLS[0],
        NULLS[1],
    ];
    const TEXT: &[Spelled] = &[
        ("=", true),
        ("in", true),
        ("<>", false),
        ("not_in", false),
        ("like", true),
        ("ilike", false),
        ("contains", true),
        NULLS[0],
        NULLS[1],
    ];
    const TEXT_C: &[Spelled] = &[
        ("=", true),
        ("in", true),
        ("<", true),
        ("<=", true),
        (">", true),
        (">=", true),
        ("<>", false),
        ("not_in", false),
        ("like", true),
        NULLS[0],
        NULLS[1],
    ];
    match kind {
        Kind::Text => TEXT,
        Kind::TextC => TEXT_C,
        Kind::Uuid => &[("=", true), ("in", true), ("<>", false), NULLS[0], NULLS[1]],
        Kind::Bool => &[("=", true), ("<>", false), NULLS[0], NULLS[1]],
        Kind::Jsonb | Kind::TextArray => &[NULLS[0], NULLS[1]],
        _ => ORDERED,
    }
}

pub(super) fn suffix(operator: &str) -> &'static str {
    match operator {
        "=" => "",
        "in" => "_in",
        "not_in" => "_not_in",
        "<>" => "_not",
        "<" => "_lt",
        "<=" => "_lte",
        ">" => "_gt",
        ">=" => "_gte",
        "like" => "_like",
        "ilike" => "_ilike",
        "contains" => "_has",
        "is_null" => "_null",
        _ => "_set",
    }
}

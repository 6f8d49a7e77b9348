//! `jsonapi`: filters by equality, attributes one level down, sparse field sets.

use super::declare::{self, ANY_NULLS, Sorting, Spelled};
use super::worse::Worse;
use super::{Dialect, Service, general_options};
use crate::random::Random;
use crate::tables::{ColumnPlan, Table};
use crate::values::Kind;
use serde_json::json;

pub(super) const DIALECT: Dialect = Dialect {
    name: "jsonapi",
    columns: COLUMNS,
    serve,
};

const COLUMNS: &[ColumnPlan] = &[
    ColumnPlan::at("id", Kind::Int8, "attributes.id"),
    ColumnPlan::at("i4", Kind::Int4, "attributes.i4"),
    ColumnPlan::at("i8", Kind::Int8, "attributes.i8"),
    ColumnPlan::at("f8", Kind::Float8, "attributes.f8"),
    ColumnPlan::at("n", Kind::Numeric, "attributes.n"),
    ColumnPlan::at("b", Kind::Bool, "attributes.b"),
    ColumnPlan::at("t", Kind::Text, "attributes.t"),
    ColumnPlan::at("c", Kind::TextC, "attributes.c"),
    ColumnPlan::at("u", Kind::Uuid, "attributes.u"),
    ColumnPlan::at("d", Kind::Date, "attributes.d"),
    ColumnPlan::at("ts", Kind::Timestamp, "attributes.ts"),
    ColumnPlan::at("tz", Kind::TimestampTz, "attributes.tz"),
    ColumnPlan::at("j", Kind::Jsonb, "attributes.j"),
    ColumnPlan::at("arr", Kind::TextArray, "attributes.arr"),
];

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "jsonapi");
    service.table("rows", "data");
    general_options(random, &mut service);
    if random.percent(60) {
        service.table("pagination", "next_url");
        service.table("next_url_field", "links.next");
        service.serve("paging", json!({"style": "next_url", "next_url_field": "links.next", "size_param": "page[size]", "page_param": "page[number]",
            "page_size": random.weighted(&[(2, 5), (7, 25), (20, 40)])}));
    } else {
        service.table("pagination", "none");
    }
    declare::speak(&mut service, table, "jsonapi", None, declare::last);
    declare::fields(&mut service, table);
    let worse = Worse::draw(random, &mut service, table, declare::last);
    declare::filters(random, &mut service, table, &worse, operators, |_, _| None);
    declare::sorts(
        random,
        &mut service,
        table,
        &Sorting {
            styles: &["minus"],
            param: "sort",
            nulls: ANY_NULLS,
        },
    );
    declare::field_list(random, &mut service, "fields[items]");
    service
}

fn operators(kind: Kind) -> &'static [Spelled] {
    match kind {
        Kind::Jsonb | Kind::TextArray => &[],
        Kind::Bool => &[("=", true)],
        _ => &[("=", true), ("in", true)],
    }
}

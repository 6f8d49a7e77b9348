//! `json`: a tree of conditions in a parameter (Directus) or in the body (Elasticsearch).

use super::declare::{self, ANY_NULLS, Sorting, Spelled};
use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, ColumnPlan, Table};
use crate::values::Kind;

pub(super) const DIRECTUS: Dialect = Dialect {
    name: "json",
    columns: ALL_COLUMNS,
    serve: directus,
};

/// An index of Elasticsearch knows no arrays apart from their elements.
const SOURCE: &[ColumnPlan] = &[
    ColumnPlan::at("id", Kind::Int8, "_source.id"),
    ColumnPlan::at("i4", Kind::Int4, "_source.i4"),
    ColumnPlan::at("i8", Kind::Int8, "_source.i8"),
    ColumnPlan::at("f8", Kind::Float8, "_source.f8"),
    ColumnPlan::at("n", Kind::Numeric, "_source.n"),
    ColumnPlan::at("b", Kind::Bool, "_source.b"),
    ColumnPlan::at("t", Kind::Text, "_source.t"),
    ColumnPlan::at("c", Kind::TextC, "_source.c"),
    ColumnPlan::at("u", Kind::Uuid, "_source.u"),
    ColumnPlan::at("d", Kind::Date, "_source.d"),
    ColumnPlan::at("ts", Kind::Timestamp, "_source.ts"),
    ColumnPlan::at("tz", Kind::TimestampTz, "_source.tz"),
];

pub(super) const ELASTICSEARCH: Dialect = Dialect {
    name: "json-elasticsearch",
    columns: SOURCE,
    serve: elasticsearch,
};

fn directus(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "json");
    general_options(random, &mut service);
    paging::draw_in(
        random,
        &mut service,
        &[
            paging::Style::None,
            paging::Style::Page,
            paging::Style::Offset,
            paging::Style::Link,
        ],
        true,
    );
    declare::speak(&mut service, table, "json", Some("directus"), declare::path);
    let worse = Worse::draw(random, &mut service, table, declare::path);
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
    declare::field_list(random, &mut service, "fields");
    declare::aggregates(random, &mut service);
    declare::entity(random, &mut service, table);
    service
}

fn elasticsearch(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "json elasticsearch");
    service.table("method", "POST");
    service.table("rows", "hits.hits");
    general_options(random, &mut service);
    paging::own_offset(random, &mut service, "from", "size");
    declare::speak(
        &mut service,
        table,
        "json",
        Some("elasticsearch"),
        declare::last,
    );
    declare::fields(&mut service, table);
    let worse = Worse::draw(random, &mut service, table, declare::last);
    declare::filters(random, &mut service, table, &worse, operators, |_, _| None);
    for column in &table.columns {
        if random.percent(60) {
            service.column(&column.name, "sort", declare::last(column));
        }
    }
    declare::unstable(random, &mut service);
    declare::aggregates(random, &mut service);
    service
}

/// `_neq`, `_nin`, `must_not` and Strapi's `$ne` and `$notIn` keep rows without the value.
pub(super) fn operators(kind: Kind) -> &'static [Spelled] {
    const NULLS: [Spelled; 2] = [("is_null", true), ("is_not_null", true)];
    match kind {
        Kind::Text => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("like", true),
            ("ilike", false),
            ("contains", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::TextC => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            ("like", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::Uuid => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            NULLS[0],
            NULLS[1],
        ],
        Kind::Bool => &[("=", true), ("<>", false), NULLS[0], NULLS[1]],
        Kind::Jsonb | Kind::TextArray => &[NULLS[0], NULLS[1]],
        _ => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            NULLS[0],
            NULLS[1],
        ],
    }
}

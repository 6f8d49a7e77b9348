//! Servers that nobody here wrote: what json-server and Prometheus can carry, and what tables over them declare.

use super::declare::{self, Spelled};
use super::prometheus::{FEWER, LABELS, METRIC};
use super::{Api, Dialect, Service, general_options};
use crate::random::Random;
use crate::tables::{ColumnPlan, Table};
use crate::values::Kind;
use crate::world::SAMPLED_AT;

pub(super) const JSON_SERVER: Dialect = Dialect {
    name: "real-json-server",
    columns: DOCUMENT,
    serve: json_server,
};

pub(super) const PROMETHEUS: Dialect = Dialect {
    name: "real-prometheus",
    columns: METRIC,
    serve: instant,
};

pub(super) const PROMETHEUS_SERIES: Dialect = Dialect {
    name: "real-prometheus-series",
    columns: LABELS,
    serve: series,
};

const fn number(name: &'static str, kind: Kind) -> ColumnPlan {
    ColumnPlan {
        carries: is_kept_by_floats,
        ..ColumnPlan::plain(name, kind)
    }
}

const DOCUMENT: &[ColumnPlan] = &[
    number("id", Kind::Int8),
    ColumnPlan::plain("i4", Kind::Int4),
    number("i8", Kind::Int8),
    ColumnPlan::plain("f8", Kind::Float8),
    number("n", Kind::Numeric),
    ColumnPlan::plain("b", Kind::Bool),
    ColumnPlan::plain("t", Kind::Text),
    ColumnPlan::plain("c", Kind::TextC),
    ColumnPlan::plain("u", Kind::Uuid),
    ColumnPlan::plain("d", Kind::Date),
    ColumnPlan::plain("ts", Kind::Timestamp),
    ColumnPlan::plain("tz", Kind::TimestampTz),
    ColumnPlan::plain("j", Kind::Jsonb),
    ColumnPlan::plain("arr", Kind::TextArray),
];

/// JavaScript has no numbers but floats: others are read as something else, in its rows too.
fn is_kept_by_floats(number: &str) -> bool {
    number
        .parse::<f64>()
        .is_ok_and(|float| float.to_string() == number)
}

fn json_server(random: &mut Random, table: &Table) -> Service {
    let mut service = Service {
        api: Api::JsonServer,
        ..Service::default()
    };
    service.table("dialect", "suffix json-server");
    general_options(random, &mut service);
    pages_of_json_server(random, &mut service);
    for column in &table.columns {
        let declared = random.some(operators_of_json_server(column.kind), 85);
        let declared = declared.iter().map(|(operator, is_exact)| {
            let exact = if *is_exact && random.percent(70) {
                " exact"
            } else {
                ""
            };
            format!("{operator}{exact}")
        });
        let declared: Vec<String> = declared.collect();
        if !declared.is_empty() {
            service.column(&column.name, "filter", declared.join(", "));
        }
    }
    if random.percent(40) {
        service.table("recheck", "off");
    }
    if random.percent(30) {
        service.table("max_list_size", *random.pick(&["1", "2", "50"]));
    }
    orders_of_json_server(random, &mut service, table);
    let has_key = service.table_options.iter().any(|(name, _)| name == "key");
    if has_key && random.percent(30) {
        service.table("entity_endpoint", format!("/{}/{{id}}", table.name));
    }
    service
}

fn pages_of_json_server(random: &mut Random, service: &mut Service) {
    let style = *random.pick(&["none", "link", "page", "offset"]);
    service.table("pagination", style);
    match style {
        "link" => service.table("query", "{\"_page\": \"1\"}"),
        "page" => service.table("page_param", "_page"),
        "offset" => service.table("offset_param", "_start"),
        _ => return,
    }
    service.table("page_size_param", "_limit");
    service.table("page_size", *random.pick(&["1", "3", "7", "20", "100"]));
    if random.percent(60) {
        service.table("total_header", "X-Total-Count");
    }
}

/// What it answers, and whether with SQL's rows. It compares the text that JavaScript makes of a value; only `_gte` and
/// `_lte` on numbers compare numbers, and `_like` ignores case.
fn operators_of_json_server(kind: Kind) -> &'static [Spelled] {
    const EQUALITY: [Spelled; 4] = [("=", true), ("in", true), ("<>", true), ("not_in", true)];
    const RANGE: [Spelled; 2] = [("<=", true), (">=", true)];
    match kind {
        Kind::Int8 | Kind::Int4 | Kind::Float8 | Kind::Numeric | Kind::Date => &[
            EQUALITY[0],
            EQUALITY[1],
            EQUALITY[2],
            EQUALITY[3],
            RANGE[0],
            RANGE[1],
        ],
        Kind::Text => &[
            EQUALITY[0],
            EQUALITY[1],
            EQUALITY[2],
            EQUALITY[3],
            ("like", false),
            ("ilike", false),
        ],
        Kind::TextC => &[
            EQUALITY[0],
            EQUALITY[1],
            EQUALITY[2],
            EQUALITY[3],
            RANGE[0],
            RANGE[1],
            ("like", false),
            ("ilike", false),
        ],
        Kind::Uuid | Kind::Bool => &[EQUALITY[0], EQUALITY[1], EQUALITY[2], EQUALITY[3]],
        Kind::Timestamp | Kind::TimestampTz => &[EQUALITY[0], EQUALITY[1]],
        Kind::Jsonb | Kind::TextArray => &[],
    }
}

/// NULLs count as the highest; among them, null comes before a missing key.
fn orders_of_json_server(random: &mut Random, service: &mut Service, table: &Table) {
    if random.percent(30) {
        return;
    }
    service.table("sort_param", "_sort");
    service.table("sort_style", "order_param");
    service.table("order_param", "_order");
    let mut is_any = false;
    for (index, column) in table.columns.iter().enumerate() {
        // Instants with and without fractions are not in order as texts.
        let is_unordered = matches!(
            column.kind,
            Kind::Jsonb | Kind::TextArray | Kind::TimestampTz
        );
        if is_unordered || random.percent(30) {
            continue;
        }
        is_any = true;
        service.column(&column.name, "sort", column.name.as_str());
        if index > 0 {
            service.column(&column.name, "sort_nulls", "high");
        }
        if column.kind == Kind::TextC {
            service.column(&column.name, "collation", "C");
        }
    }
    if !is_any {
        declare::sort_by_key(service, table, |key| key.name.clone());
    }
    if random.percent(50) {
        service.table("max_sort_keys", *random.pick(&["1", "2", "3"]));
    }
}

fn instant(random: &mut Random, table: &Table) -> Service {
    let mut service = prometheus(random, table);
    service.fixed("endpoint", "/api/v1/query");
    service.fixed("query", format!("{{\"time\": \"{SAMPLED_AT}\"}}"));
    service.fixed("rows", "data.result");
    declare::fields(&mut service, table);
    service
}

fn series(random: &mut Random, table: &Table) -> Service {
    let mut service = prometheus(random, table);
    service.fixed("endpoint", "/api/v1/series");
    service.fixed("rows", "data");
    service.fixed("filter_param", "match[]");
    service
}

fn prometheus(random: &mut Random, table: &Table) -> Service {
    let mut service = Service {
        api: Api::Prometheus,
        ..Service::default()
    };
    service.fixed("dialect", "prometheus");
    service.fixed("pagination", "none");
    service.fixed("filter_template", format!("{}{{filter}}", table.name));
    general_options(random, &mut service);
    declare::fewer_filters(random, &mut service, table, FEWER);
    service
}

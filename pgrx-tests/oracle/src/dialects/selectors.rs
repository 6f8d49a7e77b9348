//! `selectors`: label and field selectors, as Kubernetes has them.

use super::declare;
use super::{Dialect, Service, general_options};
use crate::random::Random;
use crate::tables::{ColumnPlan, Table};
use crate::values::Kind;
use serde_json::json;

pub(super) const DIALECT: Dialect = Dialect {
    name: "selectors",
    columns: COLUMNS,
    serve,
};

const fn text(name: &'static str, kind: Kind, field: &'static str) -> ColumnPlan {
    ColumnPlan {
        field,
        carries: is_label,
        may_be_null: false,
        ..ColumnPlan::plain(name, kind)
    }
}

const COLUMNS: &[ColumnPlan] = &[
    text("id", Kind::TextC, "metadata.name"),
    text("a", Kind::Text, "metadata.labels.a"),
    text("b", Kind::TextC, "metadata.labels.b"),
    text("tier", Kind::Text, "metadata.labels.tier"),
    text("phase", Kind::Text, "status.phase"),
    ColumnPlan {
        field: "spec.replicas",
        ..ColumnPlan::plain("i4", Kind::Int4)
    },
    ColumnPlan {
        field: "metadata.created",
        ..ColumnPlan::plain("tz", Kind::TimestampTz)
    },
];

/// What Kubernetes takes for a label's value: empty, or letters, digits, `-`, `_` and `.` between two letters or digits.
fn is_label(value: &str) -> bool {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| letter.is_ascii_alphanumeric());
    value.chars().all(is_inner)
        && is_edge(value.chars().next())
        && is_edge(value.chars().next_back())
}

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "selectors");
    service.table("rows", "items");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "selectors", None, declare::path);
    declare::fields(&mut service, table);
    if random.percent(70) {
        service.table("pagination", "cursor");
        service.table("cursor_param", "continue");
        service.table("cursor_field", "metadata.continue");
        service.table("page_size_param", "limit");
        service.table("page_size", *random.pick(&["3", "7", "50"]));
        service.serve("paging", json!({"style": "cursor", "cursor_param": "continue", "cursor_field": "metadata.continue", "size_param": "limit"}));
    } else {
        service.table("pagination", "none");
    }
    for column in &table.columns {
        let is_label = column
            .field
            .get(1)
            .is_some_and(|segment| segment == "labels");
        let declared = match (is_label, column.name.as_str()) {
            (true, _) => *random.pick(&[
                "=, <>, in, not_in, is_null, is_not_null",
                "=, in",
                "<>, is_not_null",
            ]),
            (false, "id" | "phase") => *random.pick(&["=, <>", "="]),
            _ => continue,
        };
        if random.percent(85) {
            service.column(&column.name, "filter", declared);
        }
    }
    service
}

//! `prometheus`: matchers inside a selector, on the endpoint of instant queries and on that of series.

use super::{Dialect, Service, declare, general_options};
use crate::random::Random;
use crate::tables::{ColumnPlan, Table};
use crate::values::Kind;

pub(super) const INSTANT: Dialect = Dialect {
    name: "prometheus",
    columns: METRIC,
    serve: instant,
};

pub(super) const SERIES: Dialect = Dialect {
    name: "prometheus-series",
    columns: LABELS,
    serve: series,
};

/// A label's value is a text; a missing label and an empty one are the same.
const fn label(name: &'static str, kind: Kind, field: &'static str) -> ColumnPlan {
    ColumnPlan {
        field,
        carries: |value| !value.is_empty(),
        may_be_null: false,
        ..ColumnPlan::plain(name, kind)
    }
}

/// The columns of samples, whose labels are the members of `metric`.
pub(super) const METRIC: &[ColumnPlan] = &[
    label("id", Kind::TextC, "metric.id"),
    label("t", Kind::Text, "metric.t"),
    label("c", Kind::TextC, "metric.c"),
    label("job", Kind::Text, "metric.job"),
    label("instance", Kind::TextC, "metric.instance"),
];

/// The columns of series.
pub(super) const LABELS: &[ColumnPlan] = &[
    label("id", Kind::TextC, "id"),
    label("t", Kind::Text, "t"),
    label("c", Kind::TextC, "c"),
    label("job", Kind::Text, "job"),
    label("instance", Kind::TextC, "instance"),
];

/// What a column may declare, since every matcher is offered without a declaration.
pub(super) const FEWER: &[&str] = &["none", "=", "=, in", "=, <>"];

fn instant(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "prometheus");
    service.table("rows", "data.result");
    service.table("pagination", "none");
    service.table("filter_template", "up{filter}");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "prometheus", None, declare::last);
    service.dialect("endpoint", "instant");
    declare::fields(&mut service, table);
    declare::fewer_filters(random, &mut service, table, FEWER);
    service
}

fn series(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "prometheus");
    service.table("rows", "data");
    service.table("pagination", "none");
    service.table("filter_param", "match[]");
    service.table("filter_template", "up{filter}");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "prometheus", None, declare::last);
    service.dialect("endpoint", "series");
    service.dialect("param", "match[]");
    declare::fewer_filters(random, &mut service, table, FEWER);
    service
}

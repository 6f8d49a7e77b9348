//! `sql`: a WHERE clause in a parameter, as Socrata has it, or a whole SELECT.

use super::{Dialect, Service, declare, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, ColumnPlan, Table};

/// Arrays and jsonb stay out: their literals differ from one SQL to the other.
const COLUMNS: &[ColumnPlan] = ALL_COLUMNS.split_at(ALL_COLUMNS.len() - 2).0;

pub(super) const SOCRATA: Dialect = Dialect {
    name: "sql",
    columns: COLUMNS,
    serve: socrata,
};

pub(super) const SELECT: Dialect = Dialect {
    name: "sql-select",
    columns: COLUMNS,
    serve: select,
};

fn socrata(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "sql");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "sql", None, declare::path);
    paging::own_offset(random, &mut service, "$offset", "$limit");
    declare::fewer_filters(
        random,
        &mut service,
        table,
        &["none", "=", "=, in", "=, is_null, in"],
    );
    if random.percent(70) {
        service.table("fields_param", "$select");
    }
    if random.percent(60) {
        service.table(
            "aggregates",
            *random.pick(&["count", "count, min, max", "count, min, max, sum, avg"]),
        );
    }
    declare::unstable(random, &mut service);
    service
}

fn select(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "sql");
    service.table("filter_param", "query");
    service.table(
        "filter_template",
        "SELECT {columns} FROM t{where}{order_by}{limit}",
    );
    service.table("pagination", "none");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "sql", None, declare::path);
    service.dialect("param", "query");
    if random.percent(50) {
        service.table("method", "POST");
    }
    declare::fewer_filters(
        random,
        &mut service,
        table,
        &["none", "=", "=, in", "=, is_null, in"],
    );
    service
}

//! `sql`: a WHERE clause in a parameter, as Socrata has it, or a whole SELECT.

use super::{Dialect, Service, declare, general_options, paging};
use crate::random::Random;
use crate::tables::{SINGLE_VALUES, Table};

/// Arrays and jsonb stay out: their literals differ from one SQL to the other.
pub(super) const SOCRATA: Dialect = Dialect {
    name: "sql",
    columns: SINGLE_VALUES,
    serve: socrata,
};

pub(super) const SELECT: Dialect = Dialect {
    name: "sql-select",
    columns: SINGLE_VALUES,
    serve: select,
};

fn socrata(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "sql");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "sql", None, declare::path);
    paging::own_offset(random, &mut service, "$offset", "$limit");
    declare::fewer_filters(random, &mut service, table, declare::FEWER);
    declare::fields_and_aggregates(random, &mut service, "$select");
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
    declare::fewer_filters(random, &mut service, table, declare::FEWER);
    service
}

//! `postgrest`: every operator of every column, with SQL's own logic.

use super::{Dialect, Service, declare, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};

pub(super) const DIALECT: Dialect = Dialect {
    name: "postgrest",
    columns: ALL_COLUMNS,
    serve,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "postgrest");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "postgrest", None, declare::path);
    paging::own_offset(random, &mut service, "offset", "limit");
    declare::fewer_filters(
        random,
        &mut service,
        table,
        &["none", "=", "=, in", "=, is_null, in"],
    );
    if random.percent(70) {
        service.table("fields_param", "select");
    }
    if random.percent(60) {
        service.table(
            "aggregates",
            *random.pick(&["count", "count, min, max", "count, min, max, sum, avg"]),
        );
    }
    declare::unstable(random, &mut service);
    declare::entity(random, &mut service, table);
    service
}

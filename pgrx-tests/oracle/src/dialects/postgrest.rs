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
    declare::fewer_filters(random, &mut service, table, declare::FEWER);
    declare::fields_and_aggregates(random, &mut service, "select");
    declare::unstable(random, &mut service);
    declare::entity(random, &mut service, table);
    service
}

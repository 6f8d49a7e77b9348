//! `odata` 4.0: `$filter`, `$orderby`, `$select`, and pages by `$skip` or by the server's next link.

use super::{Dialect, Service, declare, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, ColumnPlan, Table};

/// Arrays and jsonb have no literals in OData: the last two stay out.
const COLUMNS: &[ColumnPlan] = ALL_COLUMNS.split_at(ALL_COLUMNS.len() - 2).0;

pub(super) const DIALECT: Dialect = Dialect {
    name: "odata",
    columns: COLUMNS,
    serve,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "odata");
    service.table("rows", "value");
    general_options(random, &mut service);
    declare::speak(&mut service, table, "odata", None, declare::path);
    if random.percent(50) {
        paging::own_offset(random, &mut service, "$skip", "$top");
        declare::unstable(random, &mut service);
    } else {
        service.table("pagination", "next_url");
        service.table("next_url_field", "/@odata.nextLink");
        paging::cap(random, &mut service);
    }
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
    service
}

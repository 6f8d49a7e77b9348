//! `odata` 4.0: `$filter`, `$orderby`, `$select`, and pages by `$skip` or by the server's next link.

use super::{Dialect, Service, declare, general_options, paging};
use crate::random::Random;
use crate::tables::{SINGLE_VALUES, Table};

/// Arrays and jsonb have no literals in OData.
pub(super) const DIALECT: Dialect = Dialect {
    name: "odata",
    columns: SINGLE_VALUES,
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
    declare::fewer_filters(random, &mut service, table, declare::FEWER);
    declare::fields_and_aggregates(random, &mut service, "$select");
    service
}

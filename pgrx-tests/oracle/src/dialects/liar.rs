//! An API that breaks what its tables declare: it ignores filters that are declared exact and not checked again.
//!
//! No user should have it; it shows that the oracle sees wrong rows.

use super::plain::{operators, suffix};
use super::{Dialect, Service, declare, general_options};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};

pub(super) const DIALECT: Dialect = Dialect {
    name: "liar",
    columns: ALL_COLUMNS,
    serve,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    declare::speak(&mut service, table, "plain", None, declare::path);
    general_options(random, &mut service);
    service.table("pagination", "none");
    service.table("recheck", "off");
    service.serve("ignore_filters", true);
    for column in &table.columns {
        let declared = operators(column.kind)
            .iter()
            .filter(|(_, is_exact)| *is_exact);
        let declared: Vec<String> = declared
            .map(|(operator, _)| format!("{operator} {}{} exact", column.name, suffix(operator)))
            .collect();
        if !declared.is_empty() {
            service.column(&column.name, "filter", declared.join(", "));
        }
    }
    service
}

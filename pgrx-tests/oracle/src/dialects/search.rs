//! `search`: GitHub's qualifiers in one text.

use super::declare::{self, ANY_NULLS, Sorting, Spelled};
use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{SINGLE_VALUES, Table};
use crate::values::Kind;

/// Arrays and jsonb have no qualifiers.
pub(super) const DIALECT: Dialect = Dialect {
    name: "search",
    columns: SINGLE_VALUES,
    serve,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "search");
    service.table("rows", "items");
    general_options(random, &mut service);
    paging::numbered(random, &mut service, "page", "per_page");
    if random.percent(50) {
        service.table("total_field", "total_count");
    }
    declare::speak(&mut service, table, "search", None, declare::path);
    let worse = Worse::draw(random, &mut service, table, declare::path);
    declare::filters(random, &mut service, table, &worse, operators, |_, _| None);
    declare::sorts(
        random,
        &mut service,
        table,
        &Sorting {
            styles: &["order_param"],
            param: "sort",
            nulls: ANY_NULLS,
        },
    );
    service
}

/// `-name:value` keeps rows without the value.
fn operators(kind: Kind) -> &'static [Spelled] {
    match kind {
        Kind::Text | Kind::TextC | Kind::Uuid => &[("=", true), ("<>", false)],
        Kind::Bool => &[("=", true), ("<>", false)],
        Kind::Jsonb | Kind::TextArray => &[],
        _ => &[
            ("=", true),
            ("<>", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
        ],
    }
}

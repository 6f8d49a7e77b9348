//! `brackets`: operators in brackets behind names, as Stripe and Strapi have them.

use super::declare::{self, Sorting, Spelled};
use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};
use crate::values::Kind;

pub(super) const STRIPE: Dialect = Dialect {
    name: "brackets",
    columns: ALL_COLUMNS,
    serve: stripe,
};

pub(super) const STRAPI: Dialect = Dialect {
    name: "brackets-strapi",
    columns: ALL_COLUMNS,
    serve: strapi,
};

fn stripe(random: &mut Random, table: &Table) -> Service {
    let sorting = Sorting {
        styles: &["minus", "colon"],
        param: "sort",
    };
    flavour(
        random,
        table,
        "brackets",
        "stripe",
        operators_of_stripe,
        &sorting,
    )
}

fn strapi(random: &mut Random, table: &Table) -> Service {
    let sorting = Sorting {
        styles: &["colon"],
        param: "sort",
    };
    flavour(
        random,
        table,
        "brackets strapi",
        "strapi",
        operators_of_strapi,
        &sorting,
    )
}

fn flavour(
    random: &mut Random,
    table: &Table,
    dialect: &str,
    flavour: &str,
    operators: fn(Kind) -> &'static [Spelled],
    sorting: &Sorting,
) -> Service {
    let mut service = Service::default();
    service.table("dialect", dialect);
    general_options(random, &mut service);
    paging::draw(random, &mut service, paging::ALL);
    declare::speak(
        &mut service,
        table,
        "brackets",
        Some(flavour),
        declare::path,
    );
    let worse = Worse::draw(random, &mut service, table, declare::path);
    declare::filters(random, &mut service, table, &worse, operators, |_, _| None);
    declare::sorts(random, &mut service, table, sorting);
    declare::entity(random, &mut service, table);
    service
}

fn operators_of_stripe(kind: Kind) -> &'static [Spelled] {
    match kind {
        Kind::Text | Kind::Uuid => &[("=", true), ("in", true), ("<>", false)],
        Kind::Bool => &[("=", true), ("<>", false)],
        Kind::Jsonb | Kind::TextArray => &[],
        _ => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
        ],
    }
}

fn operators_of_strapi(kind: Kind) -> &'static [Spelled] {
    const NULLS: [Spelled; 2] = [("is_null", true), ("is_not_null", true)];
    match kind {
        Kind::Text => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("like", true),
            ("ilike", false),
            ("contains", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::TextC => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            ("like", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::Uuid => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            NULLS[0],
            NULLS[1],
        ],
        Kind::Bool => &[("=", true), ("<>", false), NULLS[0], NULLS[1]],
        Kind::Jsonb | Kind::TextArray => &[NULLS[0], NULLS[1]],
        _ => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            NULLS[0],
            NULLS[1],
        ],
    }
}

//! `brackets`: operators in brackets behind names, as Stripe and Strapi have them.

use super::declare::{ANY_NULLS, Sorting, Spelled};
use super::flavour::Flavour;
use super::{Dialect, Service, json};
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
    let flavour = Flavour {
        option: "brackets",
        dialect: "brackets",
        name: "stripe",
        operators: operators_of_stripe,
        sorting: Sorting {
            styles: &["minus", "colon"],
            param: "sort",
            nulls: ANY_NULLS,
        },
    };
    flavour.serve(random, table)
}

fn strapi(random: &mut Random, table: &Table) -> Service {
    let flavour = Flavour {
        option: "brackets strapi",
        dialect: "brackets",
        name: "strapi",
        operators: json::operators,
        sorting: Sorting {
            styles: &["colon"],
            param: "sort",
            nulls: ANY_NULLS,
        },
    };
    flavour.serve(random, table)
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

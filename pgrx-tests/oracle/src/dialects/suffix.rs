//! `suffix`: operators behind names, as Django, NetBox and json-server have them.

use super::declare::{ANY_NULLS, Sorting, Spelled};
use super::flavour::Flavour;
use super::{Dialect, Service};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};
use crate::values::Kind;

pub(super) const DJANGO: Dialect = Dialect {
    name: "suffix",
    columns: ALL_COLUMNS,
    serve: django,
};

pub(super) const NETBOX: Dialect = Dialect {
    name: "suffix-netbox",
    columns: ALL_COLUMNS,
    serve: netbox,
};

pub(super) const JSON_SERVER: Dialect = Dialect {
    name: "suffix-json-server",
    columns: ALL_COLUMNS,
    serve: json_server,
};

const ORDERING: Sorting = Sorting {
    styles: &["minus"],
    param: "ordering",
    nulls: ANY_NULLS,
};

fn django(random: &mut Random, table: &Table) -> Service {
    let flavour = Flavour {
        option: "suffix",
        dialect: "suffix",
        name: "django",
        operators: operators_of_django,
        sorting: ORDERING,
    };
    flavour.serve(random, table)
}

fn netbox(random: &mut Random, table: &Table) -> Service {
    let flavour = Flavour {
        option: "suffix netbox",
        dialect: "suffix",
        name: "netbox",
        operators: operators_of_netbox,
        sorting: ORDERING,
    };
    flavour.serve(random, table)
}

fn json_server(random: &mut Random, table: &Table) -> Service {
    let flavour = Flavour {
        option: "suffix json-server",
        dialect: "suffix",
        name: "json-server",
        operators: operators_of_json_server,
        sorting: Sorting {
            styles: &["order_param"],
            param: "_sort",
            nulls: &["high"],
        },
    };
    flavour.serve(random, table)
}

fn operators_of_django(kind: Kind) -> &'static [Spelled] {
    const NULLS: [Spelled; 2] = [("is_null", true), ("is_not_null", true)];
    match kind {
        Kind::Text => &[
            ("=", true),
            ("in", true),
            ("like", true),
            ("ilike", false),
            ("contains", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::TextC => &[
            ("=", true),
            ("in", true),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            ("like", true),
            NULLS[0],
            NULLS[1],
        ],
        Kind::Uuid => &[("=", true), ("in", true), NULLS[0], NULLS[1]],
        Kind::Bool => &[("=", true), NULLS[0], NULLS[1]],
        Kind::Jsonb | Kind::TextArray => &[NULLS[0], NULLS[1]],
        _ => &[
            ("=", true),
            ("in", true),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            NULLS[0],
            NULLS[1],
        ],
    }
}

fn operators_of_netbox(kind: Kind) -> &'static [Spelled] {
    const EMPTY: [Spelled; 2] = [("is_null", false), ("is_not_null", false)];
    match kind {
        Kind::Text => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("like", false),
            ("ilike", false),
            EMPTY[0],
            EMPTY[1],
        ],
        Kind::TextC => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            ("like", false),
            EMPTY[0],
            EMPTY[1],
        ],
        Kind::Uuid => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            EMPTY[0],
            EMPTY[1],
        ],
        Kind::Bool => &[("=", true), EMPTY[0], EMPTY[1]],
        Kind::Jsonb | Kind::TextArray => &[],
        _ => &[
            ("=", true),
            ("in", true),
            ("<>", false),
            ("not_in", false),
            ("<", true),
            ("<=", true),
            (">", true),
            (">=", true),
            EMPTY[0],
            EMPTY[1],
        ],
    }
}

/// It compares as JavaScript does, so nothing is exact for certain.
fn operators_of_json_server(kind: Kind) -> &'static [Spelled] {
    match kind {
        Kind::Int4 => &[
            ("=", false),
            ("in", false),
            ("<>", false),
            ("<=", false),
            (">=", false),
        ],
        Kind::Text | Kind::TextC => &[
            ("=", false),
            ("in", false),
            ("<>", false),
            ("like", false),
            ("ilike", false),
        ],
        Kind::Int8 | Kind::Uuid | Kind::Bool => &[("=", false), ("in", false)],
        _ => &[],
    }
}

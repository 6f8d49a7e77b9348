//! How APIs spell conditions: one file a dialect, all over one tree of conditions.

mod brackets;
mod constant;
mod declared;
mod directus;
mod elasticsearch;
mod json_server;
mod jsonapi;
mod literal;
mod member;
mod odata;
mod offered;
mod operators;
mod plain;
mod postgrest;
mod prometheus;
mod quoting;
mod search;
mod selectors;
mod spelling;
mod sql;
mod standard;
mod suffix;
mod template;
mod templated;
mod ticks;

#[cfg(test)]
mod trial;

pub(crate) use quoting::is_bare;
pub(super) use spelling::{Connective, Dialect, Judged, NullsPlaced, Term};
pub(crate) use spelling::{Fragment, Parameter, filter_param, finish, parameters_of};
pub(crate) use sql::{PAGE, paged_parameter};
pub(super) use standard::{expressible, spelling as sort_spelling};

use crate::model::{self, BracketsFlavour, JsonFlavour, SuffixFlavour, Table};
use templated::{Documents, Parameters};

impl Table {
    /// The name of its dialect, as the option `dialect` writes it.
    pub fn dialect_name(&self) -> &'static str {
        of(self).name()
    }
}

/// The most values of a list that one request can carry: as the table declares, and as the dialect's servers bear.
pub(super) fn max_list_size(table: &Table) -> Option<usize> {
    let declared = table.max_list_size.map(|most| most.max(1));
    declared.into_iter().chain(of(table).max_list_size()).min()
}

/// The dialect of a table.
pub(super) fn of(table: &Table) -> &'static dyn Dialect {
    match table.dialect {
        model::Dialect::Plain => &Parameters(plain::Plain),
        model::Dialect::Brackets(BracketsFlavour::Stripe) => &Parameters(brackets::Stripe),
        model::Dialect::Brackets(BracketsFlavour::Strapi) => &Parameters(brackets::Strapi),
        model::Dialect::Suffix(SuffixFlavour::Django) => &Parameters(suffix::Django),
        model::Dialect::Suffix(SuffixFlavour::NetBox) => &Parameters(suffix::NetBox),
        model::Dialect::Suffix(SuffixFlavour::JsonServer) => &Parameters(json_server::JsonServer),
        model::Dialect::JsonApi => &Parameters(jsonapi::JsonApi),
        model::Dialect::Operators => &Parameters(operators::Operators),
        model::Dialect::Json(JsonFlavour::Directus) => &Documents(directus::Directus),
        model::Dialect::Json(JsonFlavour::Elasticsearch) => {
            &Documents(elasticsearch::Elasticsearch)
        }
        model::Dialect::Json(JsonFlavour::Operators) => &Documents(operators::JsonOperators),
        model::Dialect::Odata => &odata::Odata,
        model::Dialect::Postgrest => &postgrest::Postgrest,
        model::Dialect::Prometheus => &prometheus::Prometheus,
        model::Dialect::Search => &search::Search,
        model::Dialect::Selectors => &selectors::Selectors,
        model::Dialect::Sql => &sql::Sql,
    }
}

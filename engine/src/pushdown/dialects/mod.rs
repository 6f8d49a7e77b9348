//! How APIs spell conditions: one file a dialect, all over one tree of conditions.

mod brackets;
mod constant;
mod declared;
mod json_server;
mod jsonapi;
mod literal;
mod member;
mod odata;
mod offered;
mod operators;
mod parameters;
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
mod ticks;

#[cfg(test)]
mod trial;

pub(super) use spelling::{Connective, Dialect, Judged, NullsPlaced, Term};
pub(crate) use spelling::{Fragment, Parameter, finish, parameters_of};
pub(crate) use sql::{PAGE, paged_parameter};
pub(super) use standard::{expressible, spelling as sort_spelling};

use crate::model::{self, BracketsFlavour, SuffixFlavour, Table};
use parameters::Parameters;

impl Table {
    /// The name of its dialect, as the option `dialect` writes it.
    pub fn dialect_name(&self) -> &'static str {
        of(self).name()
    }
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
        model::Dialect::Json(_) => &Parameters(operators::Operators),
        model::Dialect::Odata => &odata::Odata,
        model::Dialect::Postgrest => &postgrest::Postgrest,
        model::Dialect::Prometheus => &prometheus::Prometheus,
        model::Dialect::Search => &search::Search,
        model::Dialect::Selectors => &selectors::Selectors,
        model::Dialect::Sql => &sql::Sql,
    }
}

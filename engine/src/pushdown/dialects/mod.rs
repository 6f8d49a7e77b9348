//! How APIs spell conditions: one file a dialect, all over one tree of conditions.

mod brackets;
mod declared;
mod json_server;
mod jsonapi;
mod operators;
mod parameters;
mod plain;
mod quoting;
mod spelling;
mod suffix;

pub(super) use spelling::{Connective, Dialect, Judged, Term};
pub(crate) use spelling::{Fragment, Parameter, finish, parameters_of};

use crate::model::{self, BracketsFlavour, SuffixFlavour, Table};
use parameters::Parameters;

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
    }
}

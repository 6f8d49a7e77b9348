//! How APIs spell conditions: one file a dialect, all over one tree of conditions.

mod constant;
mod declared;
mod literal;
mod member;
mod odata;
mod offered;
mod plain;
mod postgrest;
mod spelling;
mod sql;
mod standard;
mod template;
mod ticks;

#[cfg(test)]
mod trial;

pub(super) use spelling::{Connective, Dialect, Judged, NullsPlaced, Term};
pub(crate) use spelling::{Fragment, Parameter, finish};
pub(crate) use sql::{PAGE, paged_parameter};
pub(super) use standard::{expressible, spelling as sort_spelling};

use crate::model::{self, Table};

impl Table {
    /// The name of its dialect, as the option `dialect` writes it.
    pub fn dialect_name(&self) -> &'static str {
        of(self).name()
    }
}

/// The dialect of a table.
pub(super) fn of(table: &Table) -> &'static dyn Dialect {
    match table.dialect {
        model::Dialect::Plain => &plain::Plain,
        model::Dialect::Odata => &odata::Odata,
        model::Dialect::Postgrest => &postgrest::Postgrest,
        model::Dialect::Sql => &sql::Sql,
    }
}

//! How APIs spell conditions: one file a dialect, all over one tree of conditions.

mod declared;
mod plain;
mod spelling;

pub(super) use spelling::{Connective, Dialect, Judged, Term};
pub(crate) use spelling::{Fragment, Parameter, finish};

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
    }
}

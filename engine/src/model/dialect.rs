//! How an API spells filters, orders and lists of columns.

use serde::{Deserialize, Serialize};

/// The option `dialect`; what each looks like: DIALECTS.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Dialect {
    /// One parameter a condition, as the columns declare.
    #[default]
    Plain,
    /// `$filter=A ge 1`, OData version 4.
    Odata,
    /// `a=gte.1`, as PostgREST reads it.
    Postgrest,
    /// `$where=a >= 1`, or a whole SELECT in a parameter.
    Sql,
}

impl Dialect {
    /// Whether a filter's name is that of a request parameter; else it stands in a filter's text.
    pub fn names_parameters(self) -> bool {
        !matches!(self, Dialect::Odata | Dialect::Sql)
    }
}

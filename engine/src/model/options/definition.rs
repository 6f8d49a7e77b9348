//! A foreign table as the catalog describes it: texts, before they mean anything.

use crate::model::Type;

/// Options as written, in the order written.
pub type Options = Vec<(String, String)>;

/// A column as the catalog describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// The column's name in SQL.
    pub name: String,
    /// Its type, as far as the remote side tells types apart.
    pub ty: Type,
    /// Whether it is declared NOT NULL.
    pub not_null: bool,
    /// Its options.
    pub options: Options,
    /// The type's name in SQL, for messages.
    pub type_name: String,
}

/// A foreign table with its server, as the catalog describes them.
#[derive(Debug, Clone)]
pub struct Definition<'a> {
    /// The table's name in SQL.
    pub table_name: &'a str,
    /// The server's name in SQL.
    pub server_name: &'a str,
    /// The server's options.
    pub server: &'a Options,
    /// The table's options.
    pub table: &'a Options,
    /// The columns in attribute order, dropped ones left out.
    pub columns: &'a [ColumnDefinition],
    /// The extension's version, for the User-Agent header.
    pub version: &'a str,
}

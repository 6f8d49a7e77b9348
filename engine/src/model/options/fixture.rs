//! Tables for tests, made from options as a user writes them.

use super::{ColumnDefinition, Definition, OptionError, Options};
use crate::model::{Table, Type};

/// A column: name, type, options.
pub(crate) type TestColumn<'a> = (&'a str, Type, &'a [(&'a str, &'a str)]);

/// Options as the catalog gives them.
pub(crate) fn options(pairs: &[(&str, &str)]) -> Options {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Reads a table `items` of server `api` at `https://api.test/v1`; `endpoint` is `/items` unless given.
pub(crate) fn try_table(
    server: &[(&str, &str)],
    table: &[(&str, &str)],
    columns: &[TestColumn],
) -> Result<Table, OptionError> {
    let mut server = options(server);
    if !server.iter().any(|(name, _)| name == "base_url") {
        server.push(("base_url".to_owned(), "https://api.test/v1".to_owned()));
    }
    let mut table = options(table);
    if !table.iter().any(|(name, _)| name == "endpoint") {
        table.push(("endpoint".to_owned(), "/items".to_owned()));
    }
    let columns: Vec<ColumnDefinition> = columns
        .iter()
        .map(|(name, ty, pairs)| ColumnDefinition {
            name: (*name).to_owned(),
            ty: ty.clone(),
            not_null: false,
            options: options(pairs),
            type_name: format!("{ty:?}").to_lowercase(),
        })
        .collect();
    super::table(&Definition {
        table_name: "items",
        server_name: "api",
        server: &server,
        table: &table,
        columns: &columns,
        version: "0.1.0",
    })
}

/// As [`try_table`], for a table without mistakes.
#[allow(clippy::expect_used)]
pub(crate) fn table(
    server: &[(&str, &str)],
    table: &[(&str, &str)],
    columns: &[TestColumn],
) -> Table {
    try_table(server, table, columns).expect("a table without mistakes")
}

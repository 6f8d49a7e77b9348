//! The statement that makes a table's filters what its API does.

use crate::functions::sql;
use crate::options::{self, CatalogTable};
use pgrx::pg_sys;
use rest_engine::verify::{self, Edit, Offered, Verdict};

/// What to change on a column of the table called `name`, for a filter of which `verdict` was found.
pub(super) fn advice(
    name: &str,
    relation: pg_sys::Oid,
    catalog: &CatalogTable,
    column: usize,
    filter: &Offered,
    verdict: Verdict,
) -> Option<String> {
    let edit = match verdict {
        Verdict::Ignored | Verdict::Narrows | Verdict::Refused => Edit::Remove,
        Verdict::Widens if filter.declared && filter.exact => Edit::Inexact,
        Verdict::Ok | Verdict::Untested | Verdict::Widens => return None,
    };
    let table = &catalog.table;
    let text = options::column_option(relation, catalog.attributes[column], "filter");
    let offered = verify::offered(table, &table.columns[column]);
    let edited = verify::edited(text.as_deref(), &offered, filter.operator, edit);
    let change = match (text, edited) {
        (Some(_), Some(edited)) => format!("SET filter {}", sql::literal(&edited)),
        (None, Some(edited)) => format!("ADD filter {}", sql::literal(&edited)),
        (None, None) => "ADD filter 'none'".to_owned(),
        // Without the option other dialects would filter by themselves.
        (Some(_), None) if table.dialect_name() == "plain" => "DROP filter".to_owned(),
        (Some(_), None) => "SET filter 'none'".to_owned(),
    };
    Some(format!(
        "ALTER FOREIGN TABLE {name} ALTER COLUMN {} OPTIONS ({change});",
        sql::identifier(&table.columns[column].name)
    ))
}

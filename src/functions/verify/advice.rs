//! The statement that makes a table's filters and orders what its API does.

use crate::functions::sql;
use crate::options::{self, CatalogTable};
use pgrx::pg_sys;
use rest_engine::pushdown;
use rest_engine::verify::{self, Edit, Offered, Verdict};

/// What to change on a column of the table called `name`, for a filter of which `verdict` was found.
pub(super) fn of_filter(
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
        Verdict::Ok | Verdict::Untested | Verdict::Widens | Verdict::Misorders => return None,
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

/// What to change on a column of the table called `name`, for whose order `verdict` was found.
pub(super) fn of_order(
    name: &str,
    relation: pg_sys::Oid,
    catalog: &CatalogTable,
    column: usize,
    verdict: Verdict,
) -> Option<String> {
    let is_wrong = matches!(
        verdict,
        Verdict::Ignored | Verdict::Misorders | Verdict::Refused
    );
    if !is_wrong {
        return None;
    }
    let option = |option| options::column_option(relation, catalog.attributes[column], option);
    let mut changes = vec![match option("sort") {
        Some(_) => "SET sort 'none'",
        None => "ADD sort 'none'",
    }];
    changes.extend(option("sort_nulls").map(|_| "DROP sort_nulls"));
    let mut actions = vec![format!(
        "ALTER COLUMN {} OPTIONS ({})",
        sql::identifier(&catalog.table.columns[column].name),
        changes.join(", ")
    )];
    let table = &catalog.table;
    let mut others = (0..table.columns.len()).filter(|other| *other != column);
    if !others.any(|other| pushdown::sorts(table, other).is_ok()) {
        actions.extend(idle_options(relation));
    }
    Some(format!(
        "ALTER FOREIGN TABLE {name} {};",
        actions.join(", ")
    ))
}

/// The change of the options of a table that have no effect where none of its columns is ordered by: they are refused.
fn idle_options(relation: pg_sys::Oid) -> Option<String> {
    const OF_ORDERS: [&str; 5] = [
        "sort_param",
        "sort_style",
        "order_param",
        "sort_desc_param",
        "max_sort_keys",
    ];
    let options = options::table_options(relation).into_iter();
    let idle = options.filter(|(name, _)| OF_ORDERS.contains(&name.as_str()));
    let drops: Vec<String> = idle.map(|(name, _)| format!("DROP {name}")).collect();
    (!drops.is_empty()).then(|| format!("OPTIONS ({})", drops.join(", ")))
}

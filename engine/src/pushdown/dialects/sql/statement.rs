//! Conditions, order, columns and page → the parameters, or the one whole SELECT.

use super::super::constant::constant;
use super::super::member::wanted;
use super::super::spelling::Parameter;
use super::super::template::filled;
use super::{literal, name_of};
use crate::model::{self, Table};
use crate::pushdown::{RemoteQuery, SortKey};

/// Where a statement's page goes, which differs from request to request: a noncharacter of Unicode
/// (section 23.7: for internal use), which no name and no literal here can hold.
pub(crate) const PAGE: char = '\u{fdd2}';

const WHERE: &str = "$where";

/// The parameter that holds a [`PAGE`], in the tables where it is not asked for by parameters.
pub(crate) fn paged_parameter(table: &Table) -> Option<&str> {
    let template = table.filter_template.as_deref()?;
    let is_paged = table.dialect == model::Dialect::Sql && template.contains("{limit}");
    is_paged.then(|| parameter(table))
}

pub(super) fn parameter(table: &Table) -> &str {
    table.filter_param.as_deref().unwrap_or(WHERE)
}

/// Whether a text can carry an order.
///
/// # Errors
/// Where a whole statement has no place for it.
pub(super) fn takes_order(table: &Table) -> Result<(), String> {
    match &table.filter_template {
        Some(template) if !template.contains("{order_by}") => {
            Err("option \"filter_template\" has no {order_by}".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether orders and columns are written here: in a whole statement, or in Socrata's parameters. Beside
/// another parameter for WHERE they go where the options say.
pub(super) fn writes_order(table: &Table) -> bool {
    table.filter_template.is_some() || parameter(table) == WHERE
}

/// Whether the API can be asked for some columns only.
pub(super) fn takes_columns(table: &Table) -> bool {
    match &table.filter_template {
        Some(template) => template.contains("{columns}"),
        None if writes_order(table) => constant(table, "$select").is_none(),
        None => table.fields_param.is_some(),
    }
}

/// What is sent for a query.
///
/// # Errors
/// Where a column of the order has no name.
pub(super) fn parameters(
    table: &Table,
    query: &RemoteQuery,
    terms: &[&str],
) -> Result<Vec<Parameter>, String> {
    let is_ours = writes_order(table);
    let order = query.order.iter().filter(|_| is_ours);
    let keys = order.map(|key| sort_key(table, *key));
    let order = keys.collect::<Result<Vec<_>, _>>()?.join(",");
    let columns = wanted(table, query)
        .and_then(|members| {
            let names = members.into_iter().map(literal::name);
            names.collect::<Result<Vec<_>, _>>().ok()
        })
        .map(|names| names.join(","));
    if let Some(template) = &table.filter_template {
        let text = whole(template, &terms.join(" AND "), &order, columns);
        return Ok(vec![Parameter::query(parameter(table), text)]);
    }
    let mut all = Vec::new();
    if !terms.is_empty() {
        let own = constant(table, parameter(table)).map(|condition| format!("({condition})"));
        let terms = terms.iter().map(|term| (*term).to_owned());
        let all_terms: Vec<String> = own.into_iter().chain(terms).collect();
        all.push(Parameter::query(parameter(table), all_terms.join(" AND ")));
    }
    if !order.is_empty() {
        all.push(Parameter::query("$order", order));
    }
    if let (Some(columns), true) = (columns, is_ours && takes_columns(table)) {
        all.push(Parameter::query("$select", columns));
    }
    Ok(all)
}

fn whole(template: &str, condition: &str, order: &str, columns: Option<String>) -> String {
    let clause = |word: &str, text: &str| match text {
        "" => String::new(),
        text => format!(" {word} {text}"),
    };
    filled(template, |name| match name {
        "columns" => Some(columns.clone().unwrap_or_else(|| "*".to_owned())),
        "where" => Some(clause("WHERE", condition)),
        "filter" if condition.is_empty() => Some("1 = 1".to_owned()),
        "filter" => Some(condition.to_owned()),
        "order_by" => Some(clause("ORDER BY", order)),
        "limit" => Some(PAGE.to_string()),
        _ => None,
    })
}

fn sort_key(table: &Table, key: SortKey) -> Result<String, String> {
    let column = &table.columns[key.column];
    let name = match &column.sort {
        Some(sort) => match (&sort.descending, key.descending) {
            (Some(descending), true) => return Ok(descending.clone()),
            _ => sort.name.clone(),
        },
        None => name_of(column, None)?,
    };
    Ok(if key.descending {
        format!("{name} DESC")
    } else {
        name
    })
}

//! Aggregates: `SELECT state,sum(score) AS sum_1 … GROUP BY state`, whole or as Socrata's parameters.

use super::super::constant::refuse;
use super::literal;
use super::statement::{WHERE, parameter, takes_order};
use crate::model::Table;
use crate::pushdown::{Aggregate, Call, member};

/// Parameters of Socrata's that would mean something else beside ours.
const OTHERS: [&str; 6] = [
    "$select", "$group", "$having", "$order", "$limit", "$offset",
];

/// The texts of an aggregating statement.
pub(super) struct Texts {
    /// What is selected.
    pub columns: String,
    /// What makes a group; may be empty.
    pub group_by: String,
}

/// `Ok` where the statement has a place for everything.
pub(super) fn check(table: &Table, aggregate: &Aggregate) -> Result<(), String> {
    texts(table, aggregate)?;
    match &table.filter_template {
        Some(template) => {
            let mut needed = vec!["{columns}"];
            if !aggregate.is_single() {
                needed.push("{group_by}");
            }
            match needed.iter().find(|place| !template.contains(**place)) {
                Some(place) => Err(format!("the filter_template has no {place}")),
                None => Ok(()),
            }
        }
        None if parameter(table) == WHERE => refuse(table, &OTHERS),
        None => Err("the API has no parameter for what is selected".to_owned()),
    }
}

/// What is selected, and by what it is grouped.
pub(super) fn texts(table: &Table, aggregate: &Aggregate) -> Result<Texts, String> {
    let name = |index: usize| literal::name(member(&table.columns[index])?);
    let group: Vec<String> = aggregate
        .group
        .iter()
        .map(|index| name(*index))
        .collect::<Result<_, _>>()?;
    let call = |call: &Call| {
        let argument = call.column.map_or(Ok("*".to_owned()), name)?;
        Ok(format!(
            "{}({argument}) AS {}",
            call.function.sql(),
            call.name
        ))
    };
    let calls: Vec<String> = aggregate
        .calls
        .iter()
        .map(call)
        .collect::<Result<_, String>>()?;
    let columns: Vec<&str> = group.iter().chain(&calls).map(String::as_str).collect();
    Ok(Texts {
        columns: columns.join(","),
        group_by: group.join(","),
    })
}

/// Groups are ordered where the API has a place for that, so that their pages fit together.
pub(super) fn order(table: &Table, texts: &Texts) -> String {
    if takes_order(table).is_ok() {
        texts.group_by.clone()
    } else {
        String::new()
    }
}

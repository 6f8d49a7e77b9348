//! Aggregates: `select=state,sum_1:score.sum()`, and totals: `Prefer: count=exact`.
//!
//! Read in PostgREST's documentation, pages "Aggregate Functions" and "Pagination and Count".

use super::super::constant::{constant, refuse};
use super::super::spelling::Parameter;
use super::quoting::name;
use crate::model::{Location, ParameterPlace, Table};
use crate::pushdown::{Aggregate, AskedBy, Call, member};

/// Parameters that would mean something else beside ours.
const OTHERS: [&str; 4] = ["select", "order", "limit", "offset"];

/// Where the total is, unless a constant parameter cuts it.
pub(super) fn total(table: &Table) -> Option<Location> {
    let is_cut = ["limit", "offset"]
        .iter()
        .any(|name| constant(table, name).is_some());
    (!is_cut).then(|| Location::Header("Content-Range".to_owned()))
}

/// `Ok` where [`parameters`] can say it.
pub(super) fn check(table: &Table) -> Result<(), String> {
    refuse(table, &OTHERS)
}

/// What is sent beside the conditions.
pub(super) fn parameters(table: &Table, aggregate: &Aggregate) -> Result<Vec<Parameter>, String> {
    match aggregate.by {
        AskedBy::CountEndpoint => Ok(Vec::new()),
        AskedBy::Total(_) => Ok(vec![
            Parameter {
                place: ParameterPlace::Header,
                name: "Prefer".to_owned(),
                value: "count=exact".to_owned(),
                is_json: false,
            },
            Parameter::query(table.page_size_param.as_deref().unwrap_or("limit"), "1"),
        ]),
        AskedBy::Dialect => select(table, aggregate),
    }
}

/// Groups are ordered, so that their pages fit together.
fn select(table: &Table, aggregate: &Aggregate) -> Result<Vec<Parameter>, String> {
    let member = |index: usize| member(&table.columns[index]).map(name);
    let group: Vec<String> = aggregate
        .group
        .iter()
        .map(|index| member(*index))
        .collect::<Result<_, _>>()?;
    let call = |call: &Call| {
        let function = call.function.sql();
        Ok(match call.column {
            None => format!("{}:{function}()", call.name),
            Some(column) => format!("{}:{}.{function}()", call.name, member(column)?),
        })
    };
    let calls: Vec<String> = aggregate
        .calls
        .iter()
        .map(call)
        .collect::<Result<_, String>>()?;
    let select: Vec<&str> = group.iter().chain(&calls).map(String::as_str).collect();
    let mut all = vec![Parameter::query("select", select.join(","))];
    if !group.is_empty() {
        all.push(Parameter::query("order", group.join(",")));
    }
    Ok(all)
}

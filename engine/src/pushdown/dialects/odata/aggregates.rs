//! Aggregates: `$apply=filter(…)/groupby((State),aggregate(Score with sum as sum_1))`, and totals: `$count=true`.
//!
//! Sources: OData Extension for Data Aggregation 4.0, sections 3.1 (aggregate) and 3.10 (groupby); OData 4.01
//! Part 2, section 5.1.6 ($count).

use super::super::constant::{constant, refuse};
use super::super::spelling::Parameter;
use super::literal::property;
use crate::model::{Column, Function, Location, Operator, Table, Type};
use crate::pushdown::{Aggregate, AskedBy, Call, member};

/// Options that would act on the groups, or not at all.
const OTHERS: [&str; 7] = [
    "$apply", "$select", "$expand", "$orderby", "$top", "$skip", "$search",
];

/// Where the total is: it counts what `$filter` leaves, whatever `$top` is.
pub(super) fn total(table: &Table) -> Option<Location> {
    let is_other = constant(table, "$apply").is_some();
    (!is_other).then(|| Location::Body(vec!["@odata.count".to_owned()]))
}

/// `Ok` where [`parameters`] can say it.
pub(super) fn check(table: &Table, aggregate: &Aggregate, filter: &str) -> Result<(), String> {
    refuse(table, &OTHERS)?;
    refuse(table, &[filter])?;
    for index in &aggregate.group {
        groups(&table.columns[*index])?;
    }
    apply(table, aggregate, &[]).map(drop)
}

/// A server's decimals and texts are equal by its own rules.
fn groups(column: &Column) -> Result<(), String> {
    let is_declared =
        |filter: &crate::model::Filter| filter.operator == Operator::Eq && filter.exact;
    let is_open = matches!(column.ty, Type::Numeric | Type::Float8);
    if is_open && !column.filters.iter().any(is_declared) {
        return Err(format!(
            "the API may tell numbers apart in another way; if it groups column \"{}\" as SQL does, declare filter '= exact'",
            column.name
        ));
    }
    Ok(())
}

/// What is sent with the conditions of `$filter`, which are not sent by themselves; `None` where they are.
pub(super) fn parameters(
    table: &Table,
    aggregate: &Aggregate,
    terms: &[&str],
) -> Result<Option<Vec<Parameter>>, String> {
    if aggregate.by != AskedBy::Dialect {
        return Ok(None);
    }
    let mut all = vec![Parameter::query("$apply", apply(table, aggregate, terms)?)];
    if !aggregate.group.is_empty() {
        // Groups are ordered, so that their pages fit together.
        let names = aggregate.group.iter().map(|index| name(table, *index));
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        all.push(Parameter::query("$orderby", names.join(",")));
    }
    Ok(Some(all))
}

/// The parameters of a total, beside the filter's.
pub(super) fn counting(aggregate: &Aggregate) -> Vec<Parameter> {
    match aggregate.by {
        AskedBy::Total(_) => vec![
            Parameter::query("$count", "true"),
            Parameter::query("$top", "0"),
        ],
        AskedBy::CountEndpoint | AskedBy::Dialect => Vec::new(),
    }
}

fn apply(table: &Table, aggregate: &Aggregate, terms: &[&str]) -> Result<String, String> {
    let calls = aggregate.calls.iter().map(|one| call(table, one));
    let calls: Vec<String> = calls.collect::<Result<_, _>>()?;
    let aggregated = format!("aggregate({})", calls.join(","));
    let group = aggregate.group.iter().map(|index| name(table, *index));
    let group: Vec<String> = group.collect::<Result<_, _>>()?;
    let transformed = if group.is_empty() {
        aggregated
    } else {
        format!("groupby(({}),{aggregated})", group.join(","))
    };
    Ok(if terms.is_empty() {
        transformed
    } else {
        format!("filter({})/{transformed}", terms.join(" and "))
    })
}

fn call(table: &Table, call: &Call) -> Result<String, String> {
    let method = match (call.function, call.column) {
        (Function::Count, None) => return Ok(format!("$count as {}", call.name)),
        (Function::Sum, _) => "sum",
        (Function::Min, _) => "min",
        (Function::Max, _) => "max",
        (Function::Count | Function::Avg, _) => {
            return Err(
                "OData counts rows, not the values of a column; declare the column NOT NULL if it is"
                    .to_owned(),
            );
        }
    };
    let column = call
        .column
        .ok_or("only rows are counted without a column")?;
    Ok(format!(
        "{} with {method} as {}",
        name(table, column)?,
        call.name
    ))
}

fn name(table: &Table, column: usize) -> Result<String, String> {
    property(&[member(&table.columns[column])?])
}

//! `odata`: `$filter=A eq 'x' and B ge 2`, OData version 4.
//!
//! Sources: OData 4.01 Part 2 (URL Conventions), sections 5.1.1 (operators and functions, and what they
//! make of null) and 5.1.2 to 5.1.4; its ABNF construction rules for literals.

mod aggregates;
mod condition;
mod literal;

#[cfg(test)]
mod tests;

use super::constant::constant;
use super::literal::{Kind, kind};
use super::member::{path, wanted};
use super::offered::{judged, must_declare, offered, structured};
use super::spelling::{
    Connective, Dialect, Fragment, Judged, NullsPlaced, Parameter, Term, in_parentheses, text,
};
use crate::model::{Column, Filter, Location, NullsOrder, Operator, Table, Type};
use crate::pushdown::expression::Test;
use crate::pushdown::{Aggregate, RemoteQuery, SortKey};

pub(super) struct Odata;

impl Dialect for Odata {
    fn name(&self) -> &'static str {
        "odata"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        let declaration = declaration(column, operator)?;
        if declaration.is_none_or(|filter| filter.parameter.is_none()) {
            literal::property(&path(column)?)?;
        }
        if declaration.is_none() {
            undeclared(column, operator)?;
        }
        let exact = is_exact(column, operator)?;
        Ok(judged(column, declaration, exact))
    }

    fn spells_or(&self, _table: &Table) -> bool {
        true
    }

    fn sorts(&self, _table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        if column.sort.is_none() {
            literal::property(&path(column)?)?;
            if column.ty == Type::Uuid {
                return Err(format!(
                    "column \"{}\" declares no sort, and APIs order identifiers in different ways",
                    column.name
                ));
            }
        }
        let placed = column.sort_nulls.unwrap_or(NullsOrder::Low);
        Ok(NullsPlaced::Always(placed))
    }

    fn max_sort_keys(&self, _table: &Table) -> usize {
        usize::MAX
    }

    fn takes_fields(&self, table: &Table) -> bool {
        constant(table, "$select").is_none()
    }

    fn field_name(&self, _table: &Table, column: &Column) -> Option<String> {
        let name = *path(column).ok()?.first()?;
        literal::property(&[name]).ok()
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let declaration = declaration(column, test.operator)?;
        let name = match declaration.and_then(|filter| filter.parameter.clone()) {
            Some(name) => name,
            None => literal::property(&path(column)?)?,
        };
        let is_declared_exact = declaration.is_some_and(|filter| filter.exact);
        condition::written(column, &name, test, is_declared_exact)
    }

    fn join(
        &self,
        _table: &Table,
        connective: Connective,
        parts: Vec<Fragment>,
    ) -> Result<Fragment, String> {
        let word = match connective {
            Connective::And => " and ",
            Connective::Or => " or ",
        };
        Ok(in_parentheses(&parts, word))
    }

    fn total(&self, table: &Table) -> Option<Location> {
        aggregates::total(table)
    }

    fn aggregates(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String> {
        aggregates::check(table, aggregate, filter_param(table))
    }

    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        Some(filter_param(table))
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        if let Some(aggregate) = &query.aggregate {
            let texts: Vec<&str> = terms.iter().copied().filter_map(text).collect();
            if let Some(all) = aggregates::parameters(table, aggregate, &texts)? {
                return Ok(all);
            }
        }
        let mut all = Vec::new();
        let name = filter_param(table);
        let own = constant(table, name).map(|filter| format!("({filter})"));
        if !terms.is_empty() {
            let texts = terms.iter().copied().filter_map(text).map(str::to_owned);
            let filter: Vec<String> = own.into_iter().chain(texts).collect();
            all.push(Parameter::query(name, filter.join(" and ")));
        }
        all.extend(query.aggregate.iter().flat_map(aggregates::counting));
        if !query.order.is_empty() {
            let keys = query.order.iter().map(|key| sort_key(table, *key));
            let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
            all.push(Parameter::query("$orderby", keys.join(",")));
        }
        if let (Some(members), None) = (wanted(table, query), constant(table, "$select"))
            && members
                .iter()
                .all(|name| literal::property(&[*name]).is_ok())
        {
            all.push(Parameter::query("$select", members.join(",")));
        }
        Ok(all)
    }
}

fn filter_param(table: &Table) -> &str {
    table.filter_param.as_deref().unwrap_or("$filter")
}

/// The declaration of an operator; `contains` on text is what LIKE is written with.
fn declaration(column: &Column, operator: Operator) -> Result<Option<&Filter>, String> {
    let own = offered(column, operator);
    if operator == Operator::Like && own.is_err() && column.ty == Type::Text {
        return offered(column, Operator::Contains).or(own);
    }
    own
}

/// What is not sent as long as nothing is declared, since servers differ.
fn undeclared(column: &Column, operator: Operator) -> Result<(), String> {
    use Operator::{Ne, NotIn, NotLike};
    if matches!(column.ty, Type::Json | Type::Array(_)) {
        return Err(structured(column));
    }
    let blind = "the API may compare text without regard to case";
    match (operator, kind(column)) {
        (Ne, Kind::Text) => Err(must_declare(column, "<>", blind)),
        (NotIn, Kind::Text) => Err(must_declare(column, "not_in", blind)),
        (NotLike, Kind::Text) => Err(must_declare(column, "not_like", blind)),
        (Operator::IsNull | Operator::IsNotNull, _) => Ok(()),
        (operator, Kind::Uuid) if operator.is_range() => Err(format!(
            "column \"{}\" declares no filter, and APIs order identifiers in different ways",
            column.name
        )),
        (_, Kind::Clock) => Err(format!(
            "column \"{}\" declares no filter, and OData has no time without zone; use timestamptz",
            column.name
        )),
        _ => Ok(()),
    }
}

fn is_exact(column: &Column, operator: Operator) -> Result<bool, String> {
    use Operator::{
        Contains, Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotContains,
        NotILike, NotIn, NotLike,
    };
    match operator {
        IsNull | IsNotNull => Ok(true),
        Eq | Ne | Lt | Le | Gt | Ge | In | NotIn => {
            // Servers keep ticks of 100 ns, which are rounded here.
            Ok(!matches!(
                kind(column),
                Kind::Text | Kind::Instant | Kind::Clock
            ))
        }
        Like | NotLike => Ok(false),
        ILike | NotILike | Contains | NotContains => Err(format!(
            "{} has no spelling in dialect odata",
            operator.sql()
        )),
        _ => Err("it has no spelling in dialect odata".to_owned()),
    }
}

fn sort_key(table: &Table, key: SortKey) -> Result<String, String> {
    let column = &table.columns[key.column];
    let name = match &column.sort {
        Some(sort) => match (&sort.descending, key.descending) {
            (Some(descending), true) => return Ok(descending.clone()),
            _ => sort.name.clone(),
        },
        None => literal::property(&path(column)?)?,
    };
    Ok(if key.descending {
        format!("{name} desc")
    } else {
        name
    })
}

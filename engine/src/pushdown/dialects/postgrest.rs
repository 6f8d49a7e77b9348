//! `postgrest`: `a=gte.1&or=(b.lt.2,c.is.null)`, as PostgREST and Supabase read it.
//!
//! The server is PostgreSQL, so NULLs behave as here. Read in PostgREST's source, modules
//! `ApiRequest.QueryParams` (syntax) and `Query.SqlFragment` (what it becomes).

mod aggregates;
mod operation;
mod quoting;

#[cfg(test)]
mod tests;

use super::constant::{constant, with_constants};
use super::member::{path, wanted};
use super::offered::{judged, must_declare, offered};
use super::spelling::{
    Connective, Dialect, Fragment, Judged, NullsPlaced, Parameter, Term, parameters,
};
use crate::model::{Column, Filter, Location, Operator, Table, Type};
use crate::pushdown::expression::Test;
use crate::pushdown::{Aggregate, RemoteQuery, SortKey};

pub(super) struct Postgrest;

impl Dialect for Postgrest {
    fn name(&self) -> &'static str {
        "postgrest"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        let declaration = offered(column, operator)?;
        if declaration.is_none_or(|filter| filter.parameter.is_none()) {
            reaches(column, operator)?;
        }
        let exact = is_exact(column, operator, declaration)?;
        Ok(judged(column, declaration, exact))
    }

    fn spells_or(&self, _table: &Table) -> bool {
        true
    }

    fn sorts(&self, _table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        match &column.sort {
            Some(sort) if sort.descending.is_some() => Ok(column
                .sort_nulls
                .map_or(NullsPlaced::Unknown, NullsPlaced::Always)),
            Some(_) => Ok(NullsPlaced::AsAsked),
            None => {
                let path = path(column)?;
                quoting::reference(&path)?;
                if path.len() > 1 && column.ty != Type::Text {
                    return Err(nested(column));
                }
                Ok(NullsPlaced::AsAsked)
            }
        }
    }

    fn max_sort_keys(&self, _table: &Table) -> usize {
        usize::MAX
    }

    fn takes_fields(&self, table: &Table) -> bool {
        constant(table, "select").is_none()
    }

    fn field_name(&self, _table: &Table, column: &Column) -> Option<String> {
        path(column).ok()?.first().map(|name| (*name).to_owned())
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let declaration = offered(column, test.operator)?;
        let name = match declaration.and_then(|filter| filter.parameter.clone()) {
            Some(name) => name,
            None => quoting::reference(&path(column)?)?,
        };
        let folds_as_here = declaration.is_some_and(|filter| filter.exact);
        let (operation, precise) = operation::written(column, test, folds_as_here)?;
        Ok(Term {
            fragment: Fragment::Parameters(vec![Parameter::query(name, operation)]),
            precise,
        })
    }

    fn join(
        &self,
        _table: &Table,
        connective: Connective,
        parts: Vec<Fragment>,
    ) -> Result<Fragment, String> {
        let parts: Vec<&Fragment> = parts.iter().collect();
        let nested: Vec<String> = parameters(&parts)
            .iter()
            .map(|part| quoting::nested(&part.name, &part.value))
            .collect();
        let name = match connective {
            Connective::And => "and",
            Connective::Or => "or",
        };
        let joined = Parameter::query(name, format!("({})", nested.join(",")));
        Ok(Fragment::Parameters(vec![joined]))
    }

    fn total(&self, table: &Table) -> Option<Location> {
        aggregates::total(table)
    }

    fn aggregates(&self, table: &Table, _aggregate: &Aggregate) -> Result<(), String> {
        aggregates::check(table)
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let mut all = with_constants(table, parameters(terms));
        if let Some(aggregate) = &query.aggregate {
            all.extend(aggregates::parameters(table, aggregate)?);
        }
        if !query.order.is_empty() {
            let keys = query.order.iter().map(|key| sort_key(table, *key));
            let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
            all.push(Parameter::query("order", keys.join(",")));
        }
        // A constant `select` may embed other tables, which only its author can spell.
        if let (Some(members), None) = (wanted(table, query), constant(table, "select")) {
            let names: Vec<String> = members.into_iter().map(quoting::name).collect();
            all.push(Parameter::query("select", names.join(",")));
        }
        Ok(all)
    }
}

/// A member of a member is text (`->>`) and NULL where it is missing or null.
fn reaches(column: &Column, operator: Operator) -> Result<(), String> {
    let path = path(column)?;
    quoting::reference(&path)?;
    let is_null_test = matches!(operator, Operator::IsNull | Operator::IsNotNull);
    if path.len() == 1 || is_null_test || column.ty == Type::Text {
        return Ok(());
    }
    Err(nested(column))
}

fn nested(column: &Column) -> String {
    format!(
        "column \"{}\" is a member of a JSON value, which the API compares as text",
        column.name
    )
}

fn is_exact(
    column: &Column,
    operator: Operator,
    declaration: Option<&Filter>,
) -> Result<bool, String> {
    use Operator::{
        Contains, Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotContains,
        NotILike, NotIn, NotLike,
    };
    // JSON's null in a column of type jsonb is not SQL's there, but it is here.
    let holds_json_null = column.ty == Type::Json && path(column)?.len() == 1;
    let declared_exact = declaration.is_some_and(|filter| filter.exact);
    match operator {
        Contains | NotContains if !operation::takes_containment(column) => Err(format!(
            "the API may hold column \"{}\" as another type",
            column.name
        )),
        Eq | Ne | Lt | Le | Gt | Ge | In | NotIn | Like | NotLike | Contains | NotContains => {
            Ok(true)
        }
        IsNull if holds_json_null && !declared_exact => Err(must_declare(
            column,
            "is_null",
            "null may be a value of its own in the API's jsonb",
        )),
        IsNull => Ok(true),
        IsNotNull => Ok(!holds_json_null),
        ILike => Ok(false),
        NotILike if declared_exact => Ok(true),
        NotILike => Err(must_declare(
            column,
            "not_ilike",
            "the API may fold the case of other letters",
        )),
        _ => Err(format!(
            "{} has no spelling in dialect postgrest",
            operator.sql()
        )),
    }
}

fn sort_key(table: &Table, key: SortKey) -> Result<String, String> {
    let column = &table.columns[key.column];
    let name = match &column.sort {
        Some(sort) => match (&sort.descending, key.descending) {
            (Some(descending), true) => return Ok(descending.clone()),
            (Some(_), false) => return Ok(sort.name.clone()),
            (None, _) => sort.name.clone(),
        },
        None => quoting::reference(&path(column)?)?,
    };
    let direction = if key.descending { "desc" } else { "asc" };
    let nulls = if key.nulls_first {
        "nullsfirst"
    } else {
        "nullslast"
    };
    Ok(format!("{name}.{direction}.{nulls}"))
}

//! `sql`: a WHERE clause, or a whole SELECT, as a text: Socrata's `$where`, ClickHouse, QuestDB.

mod aggregates;
mod condition;
mod literal;
mod statement;

#[cfg(test)]
mod tests;

pub(crate) use statement::{PAGE, paged_parameter};

use super::literal::{Kind, kind};
use super::member::path;
use super::offered::{judged, must_declare, offered, structured};
use super::spelling::{
    Connective, Dialect, Fragment, Judged, NullsPlaced, Parameter, SortSpelling, Term,
    in_parentheses, text,
};
use super::standard::order_and_fields;
use crate::model::{Column, Filter, Operator, SortStyle, Table, Type};
use crate::pushdown::expression::Test;
use crate::pushdown::{Aggregate, RemoteQuery};

pub(super) struct Sql;

impl Dialect for Sql {
    fn name(&self) -> &'static str {
        "sql"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        let declaration = offered(column, operator)?;
        name_of(column, declaration)?;
        let exact = is_exact(column, operator, declaration)?;
        Ok(judged(column, declaration, exact))
    }

    fn spells_or(&self, _table: &Table) -> bool {
        true
    }

    fn sorts(&self, table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        statement::takes_order(table)?;
        if column.sort.is_none() && statement::writes_order(table) {
            name_of(column, None)?;
            if column.ty == Type::Uuid {
                return Err(identifiers(column));
            }
        } else if column.sort.is_none() {
            return Err(format!("column \"{}\" declares no sort", column.name));
        }
        Ok(column
            .sort_nulls
            .map_or(NullsPlaced::Unknown, NullsPlaced::Always))
    }

    fn sort_spelling(&self, table: &Table) -> Option<SortSpelling> {
        (!statement::writes_order(table)).then(|| SortSpelling {
            param: "sort".to_owned(),
            style: SortStyle::Minus,
        })
    }

    fn max_sort_keys(&self, table: &Table) -> usize {
        if statement::writes_order(table) {
            usize::MAX
        } else {
            1
        }
    }

    fn takes_fields(&self, table: &Table) -> bool {
        statement::takes_columns(table)
    }

    fn field_name(&self, _table: &Table, column: &Column) -> Option<String> {
        let name = *path(column).ok()?.first()?;
        literal::name(name).ok().map(|_| name.to_owned())
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let declaration = offered(column, test.operator)?;
        let name = name_of(column, declaration)?;
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
            Connective::And => " AND ",
            Connective::Or => " OR ",
        };
        Ok(in_parentheses(&parts, word))
    }

    fn aggregates(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String> {
        aggregates::check(table, aggregate)
    }

    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        Some(statement::parameter(table))
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let terms: Vec<&str> = terms.iter().copied().filter_map(text).collect();
        let mut all = statement::parameters(table, query, &terms)?;
        if !statement::writes_order(table) {
            all.extend(order_and_fields(self, table, query)?);
        }
        Ok(all)
    }
}

/// The column's name in the text; a declared one is taken as its owner wrote it.
fn name_of(column: &Column, declaration: Option<&Filter>) -> Result<String, String> {
    if let Some(name) = declaration.and_then(|filter| filter.parameter.as_ref()) {
        return Ok(name.clone());
    }
    match path(column)?.as_slice() {
        [name] => literal::name(name),
        _ => Err(format!(
            "column \"{}\" is a member of a member, which SQL cannot name; declare its name in the filter",
            column.name
        )),
    }
}

fn is_exact(
    column: &Column,
    operator: Operator,
    declaration: Option<&Filter>,
) -> Result<bool, String> {
    use Operator::{
        Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotILike, NotIn, NotLike,
    };
    let is_structured = matches!(column.ty, Type::Json | Type::Array(_));
    if is_structured && declaration.is_none() {
        return Err(structured(column));
    }
    if column.ty == Type::Uuid && declaration.is_none() && !is_null_test(operator) {
        return Err(identifiers(column));
    }
    let folds = "the API may fold the case of letters in another way";
    match operator {
        Eq | Ne | Lt | Le | Gt | Ge | In | NotIn => {
            Ok(!matches!(kind(column), Kind::Instant | Kind::Clock))
        }
        Like | NotLike | IsNull | IsNotNull => Ok(true),
        ILike if declaration.is_some() => Ok(false),
        ILike => Err(must_declare(column, "ilike", folds)),
        NotILike if declaration.is_some_and(|filter| filter.exact) => Ok(true),
        NotILike => Err(must_declare(column, "not_ilike", folds)),
        _ => Err(format!("{} has no spelling in dialect sql", operator.sql())),
    }
}

fn is_null_test(operator: Operator) -> bool {
    matches!(operator, Operator::IsNull | Operator::IsNotNull)
}

fn identifiers(column: &Column) -> String {
    format!(
        "column \"{}\" is not declared, and APIs hold identifiers as text or order them in different ways",
        column.name
    )
}

//! The endpoint of a single row (`entity_endpoint`): when it can be asked, and what it answers.

use super::condition::Leaf;
use super::expression::{Expression, Given, Test};
use crate::model::options::Endpoint;
use crate::model::{FieldPath, Operator, Paging, Role, RowsPath, RowsShape, Table};
use crate::predicate::{Predicate, Value};
use crate::request::{placeholder, write};

/// The columns of the key that the entity endpoint names, as indexes into the table's columns; `None`
/// where the table has no such endpoint.
pub(super) fn key(table: &Table) -> Option<Vec<usize>> {
    let endpoint = Endpoint::split(table.entity_endpoint.as_deref()?).ok()?;
    let named = endpoint.variables().filter_map(|name| {
        let columns = table.columns.iter();
        let mut columns = columns.enumerate();
        let (index, _) = columns.find(|(_, column)| column.name == name && !column.is_input())?;
        Some(index)
    });
    Some(named.collect())
}

/// Whether the predicates give every column of the key its one value.
pub(super) fn is_given(table: &Table, predicates: &[Predicate]) -> bool {
    let gives = |index: &usize| {
        predicates.iter().any(|predicate| {
            matches!(predicate, Predicate::Compare { column, operator: Operator::Eq, .. } if column == index)
        })
    };
    key(table).is_some_and(|key| key.iter().all(gives))
}

/// Whether a comparison gives the key its value.
pub(super) fn is_key(table: &Table, leaf: &Leaf) -> bool {
    leaf.operator == Operator::Eq
        && !leaf.or_unknown
        && key(table).is_some_and(|key| key.contains(&leaf.column))
}

/// A value as a segment of the path; `None` where it would change the path, or the API would not
/// understand it.
pub(super) fn segment(table: &Table, column: usize, value: &Value) -> Option<String> {
    let text = write(&table.columns[column], Operator::Eq, value)
        .ok()
        .filter(|written| !written.widened)?
        .text;
    (!["", ".", ".."].contains(&text.as_str())).then_some(text)
}

/// What conditions ask of the entity endpoint.
pub(crate) struct Segments {
    /// The values of its names.
    pub(crate) values: Vec<(String, String)>,
    /// The conditions that it answers, as places among them.
    pub(crate) answered: Vec<usize>,
}

/// The values of the entity endpoint's names, where the conditions give all of them.
pub(crate) fn segments(table: &Table, conditions: &[&Expression]) -> Option<Segments> {
    let mut values = Vec::new();
    let mut answered = Vec::new();
    for column in key(table)? {
        let equal = |expression: &&Expression| matches!(expression, Expression::Test(Test { column: other, operator: Operator::Eq, .. }) if *other == column);
        let place = conditions.iter().position(equal)?;
        let Expression::Test(test) = conditions[place] else {
            return None;
        };
        let text = match &test.given {
            Given::Value(value) => segment(table, column, value)?,
            Given::Placeholder(name) => placeholder(name),
            _ => return None,
        };
        values.push((table.columns[column].name.clone(), text));
        answered.push(place);
    }
    Some(Segments { values, answered })
}

/// The table that the entity endpoint answers as: one row, or none (404, rule R10).
pub fn entity(table: &Table) -> Table {
    let mut empty_on = table.empty_on.clone();
    if !empty_on.contains(&404) {
        empty_on.push(404);
    }
    Table {
        endpoint: table.entity_endpoint.clone().unwrap_or_default(),
        rows: RowsPath::Path(table.entity_field.clone().unwrap_or_default()),
        shape: match table.format.is_bare() {
            true => table.shape.clone(),
            false => RowsShape::Single,
        },
        paging: Paging::None,
        page_size: None,
        page_size_param: None,
        max_page_size: None,
        empty_on,
        ..table.clone().without_totals()
    }
}

/// Whether a column can stand in the entity endpoint: it has one text.
pub(crate) fn can_name(role: &Role) -> bool {
    !matches!(role, Role::Field(FieldPath::Whole))
}

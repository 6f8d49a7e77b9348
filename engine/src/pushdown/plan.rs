//! Predicates and a table → verdicts and bindings, for APIs of the `plain` dialect.

use super::comparable::comparable;
use super::verdict::{Binding, Pushdown, Spelling, Verdict};
use crate::model::{Column, Operator, ParameterPlace, Role, Table};
use crate::predicate::{Predicate, Semantics};

/// Decides, from declarations alone, what is sent.
///
/// Only what the table declares is sent (rule R2). With `enabled` false (`rest_fdw.pushdown` is off)
/// that is `=` and `in` on parameter columns, without which there would be other rows (rule R3).
pub fn plan(table: &Table, predicates: &[Predicate], enabled: bool) -> Pushdown {
    let candidates: Vec<Result<Binding, String>> = predicates
        .iter()
        .map(|predicate| candidate(table, predicate, enabled))
        .collect();
    let chosen = |index: usize, binding: &Binding| {
        let rivals = candidates
            .iter()
            .enumerate()
            .filter_map(|(at, rival)| Some((at, rival.as_ref().ok()?)));
        let mut rivals = rivals.filter(|(_, rival)| same_parameter(rival, binding));
        !rivals.any(|(at, rival)| (preference(rival), at) < (preference(binding), index))
    };
    let mut pushdown = Pushdown::default();
    for (index, candidate) in candidates.iter().enumerate() {
        let verdict = match candidate {
            Err(reason) => Verdict::Local(reason.clone()),
            Ok(binding) if !chosen(index, binding) => Verdict::Local(format!(
                "parameter \"{}\" already carries another condition",
                binding.parameter
            )),
            Ok(binding) => {
                pushdown.bindings.push(binding.clone());
                if binding.exact {
                    Verdict::Exact
                } else {
                    Verdict::Superset
                }
            }
        };
        pushdown.verdicts.push(verdict);
    }
    pushdown.missing = missing(table, &pushdown.bindings);
    pushdown
}

/// Whether both go into one place of the request.
fn same_parameter(one: &Binding, other: &Binding) -> bool {
    let same_name = match one.place {
        ParameterPlace::Header => one.parameter.eq_ignore_ascii_case(&other.parameter),
        ParameterPlace::Query | ParameterPlace::Path => one.parameter == other.parameter,
    };
    one.place == other.place && same_name
}

/// A parameter is sent once: one value says more than a list, a list costs fewer requests than its values.
fn preference(binding: &Binding) -> u8 {
    match (binding.operator, binding.spelling) {
        (Operator::Eq, _) => 0,
        (_, Spelling::Single | Spelling::CommaList) => 1,
        (_, Spelling::PerValue) => 2,
    }
}

fn candidate(table: &Table, predicate: &Predicate, enabled: bool) -> Result<Binding, String> {
    let (index, operator, operand, semantics) = match predicate {
        Predicate::Opaque(reason) => return Err(reason.clone()),
        Predicate::Compare {
            column,
            operator,
            operand,
            semantics,
        } => (*column, *operator, *operand, *semantics),
    };
    let column = table
        .columns
        .get(index)
        .ok_or_else(|| "the column is not part of the foreign table".to_owned())?;
    let binding = Binding {
        column: index,
        operand,
        operator,
        parameter: String::new(),
        place: ParameterPlace::Query,
        spelling: Spelling::Single,
        exact: true,
        format: None,
    };
    match &column.role {
        Role::Parameter { name, place, .. } => Ok(Binding {
            parameter: name.clone(),
            place: *place,
            spelling: spelling_of_parameter(column, operator)?,
            ..binding
        }),
        Role::Field(_) if !enabled => Err("rest_fdw.pushdown is off".to_owned()),
        Role::Field(_) => filtered(column, binding, semantics),
    }
}

fn spelling_of_parameter(column: &Column, operator: Operator) -> Result<Spelling, String> {
    match operator {
        Operator::Eq => Ok(Spelling::Single),
        Operator::In => Ok(Spelling::PerValue),
        Operator::Ne | Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => Err(format!(
            "column \"{}\" is an input of the request: only = and IN can be sent",
            column.name
        )),
    }
}

/// A binding for what the column declares. A range without its end is sent as the one with it where
/// only that is declared: `mag > 5` as `mag >= 5`, which returns perhaps more (rule R1).
fn filtered(column: &Column, binding: Binding, semantics: Semantics) -> Result<Binding, String> {
    let declared = |operator: Operator| {
        column
            .filters
            .iter()
            .find(|filter| filter.operator == operator)
    };
    let operator = binding.operator;
    let (filter, spelling, same) = match (operator, declared(operator)) {
        (Operator::In, Some(list)) => (Some(list), Spelling::CommaList, true),
        (Operator::In, None) => (declared(Operator::Eq), Spelling::PerValue, true),
        (Operator::Gt, None) => (declared(Operator::Ge), Spelling::Single, false),
        (Operator::Lt, None) => (declared(Operator::Le), Spelling::Single, false),
        (_, filter) => (filter, Spelling::Single, true),
    };
    let filter = filter.ok_or_else(|| undeclared(column, operator))?;
    comparable(column, filter, semantics)?;
    Ok(Binding {
        parameter: filter.parameter.clone(),
        spelling,
        exact: filter.exact && same,
        format: filter.format.clone(),
        ..binding
    })
}

fn undeclared(column: &Column, operator: Operator) -> String {
    if column.filters.is_empty() {
        return format!("column \"{}\" declares no filter", column.name);
    }
    let operator = match operator {
        Operator::Eq => "=",
        Operator::Ne => "<>",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::In => "IN",
    };
    format!(
        "column \"{}\" declares no filter for {operator}",
        column.name
    )
}

/// Required parameter columns that neither a binding nor a default gives a value, as indexes into the
/// table's columns: without them there is no request to send (rule R8).
pub fn missing(table: &Table, bindings: &[Binding]) -> Vec<usize> {
    let is_required = |column: &Column| {
        matches!(
            &column.role,
            Role::Parameter {
                required: true,
                default: None,
                ..
            }
        )
    };
    let has_value = |index: usize| bindings.iter().any(|binding| binding.column == index);
    let columns = table.columns.iter().enumerate();
    columns
        .filter(|(index, column)| is_required(column) && !has_value(*index))
        .map(|(index, _)| index)
        .collect()
}

//! Which requests will the next executions of a scan make, and which of them can become one?

use super::ahead::Announced;
use super::lookups::{Key, Lookups};
use crate::plan::ScanPlan;
use crate::settings;
use rest_engine::predicate::Value;
use rest_engine::request::{Bound, Inputs, Operand};
use std::collections::HashSet;

/// An execution that is going to come.
struct Coming<'a> {
    operands: &'a [Operand],
    key: Key,
    bound: Bound,
}

/// The requests of the executions with these operands that `known` does not answer, and whether they go to the endpoint of
/// single rows. What cannot be asked for now is left out.
pub fn announced(plan: &ScanPlan, known: &Lookups, operands: &[Vec<Operand>]) -> (Announced, bool) {
    let coming: Vec<Coming> = operands
        .iter()
        .filter_map(|operands| {
            let bound = plan.bind(operands).ok()?;
            let key = Key::new(&bound.requests)?;
            let is_needed = !bound.requests.is_empty() && known.find(&key).is_none();
            is_needed.then_some(Coming {
                operands,
                key,
                bound,
            })
        })
        .collect();
    match lists(plan, &coming) {
        Some(announced) => (announced, false),
        None => one_by_one(coming),
    }
}

fn one_by_one(coming: Vec<Coming>) -> (Announced, bool) {
    let of_entity = coming.first().is_some_and(|first| first.bound.entity);
    let mut announced = Announced::default();
    for execution in coming {
        if execution.bound.entity == of_entity {
            announced.add(execution.key, execution.bound.requests);
        }
    }
    (announced, of_entity)
}

/// The same as lists of values; `None` where the API takes none, or they differ in other values, too.
fn lists(plan: &ScanPlan, coming: &[Coming]) -> Option<Announced> {
    let list = plan.list.filter(|_| settings::pushdown())?;
    let place = list.sent;
    let operand = plan.listed_operand(place)?;
    let first = coming.first()?;
    let is_alike = |other: &Coming| {
        let pairs = other.operands.iter().zip(first.operands).enumerate();
        pairs
            .filter(|(index, _)| *index != operand)
            .all(|(_, (one, other))| one == other)
    };
    if !coming.iter().all(is_alike) {
        return None;
    }
    let mut seen = HashSet::new();
    let mut values: Vec<(Key, Value)> = Vec::new();
    for execution in coming.iter().filter(|coming| seen.insert(&coming.key)) {
        let Operand::Value(value) = &execution.operands[operand] else {
            return None;
        };
        values.push((execution.key.clone(), value.clone()));
    }
    let mut announced = Announced::default();
    for values in values.chunks(list.values.max(1)) {
        add_list(plan, place, first.operands, values, &mut announced);
    }
    Some(announced)
}

/// Adds the request for a list, or for its halves where it is too long for one; a single value that is not to be sent
/// in a list is left out.
fn add_list(
    plan: &ScanPlan,
    place: usize,
    operands: &[Operand],
    list: &[(Key, Value)],
    announced: &mut Announced,
) {
    if let Some(request) = list_request(plan, place, operands, list) {
        announced.add_shared(list.iter().map(|(key, _)| key.clone()).collect(), request);
    } else if list.len() > 1 {
        let (left, right) = list.split_at(list.len() / 2);
        add_list(plan, place, operands, left, announced);
        add_list(plan, place, operands, right, announced);
    }
}

fn list_request(
    plan: &ScanPlan,
    place: usize,
    operands: &[Operand],
    list: &[(Key, Value)],
) -> Option<Inputs> {
    let values = list.iter().map(|(_, value)| value.clone()).collect();
    let bound = plan.bind_list(place, operands, values).ok()?;
    let is_sent = !bound.entity && !bound.unsent.contains(&place);
    match <[Inputs; 1]>::try_from(bound.requests) {
        Ok([request]) if is_sent => Some(request),
        _ => None,
    }
}

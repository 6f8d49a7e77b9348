//! The type that holds every value of a place.

use super::survey::{Numbers, Survey, Texts};
use crate::model::Type;

/// Integers up to here leave room to grow in `integer`.
const SMALL: i64 = 2_000_000;

/// The type of a column for these values. `is_id`: they count something that grows.
pub(super) fn of(survey: &Survey, is_id: bool) -> Type {
    if survey.values() == 0 {
        return Type::Text;
    }
    if survey.is_array() {
        return of_arrays(survey);
    }
    if !survey.is_scalar() {
        return Type::Json;
    }
    let scalars = survey.scalars();
    if survey.bools == scalars {
        Type::Bool
    } else if survey.numbers.count == scalars {
        of_numbers(&survey.numbers, is_id)
    } else if survey.texts.count == scalars {
        of_texts(&survey.texts)
    } else {
        // Every scalar is a text here, as it was written.
        Type::Text
    }
}

/// Arrays of one kind of scalar; what else there is stays JSON.
fn of_arrays(survey: &Survey) -> Type {
    let Some(elements) = survey.arrays.elements.as_deref() else {
        return Type::Json;
    };
    let scalars = elements.scalars();
    let element = if !elements.is_scalar() {
        return Type::Json;
    } else if elements.bools == scalars {
        Type::Bool
    } else if elements.texts.count == scalars {
        Type::Text
    } else if elements.numbers.count == scalars {
        of_numbers(&elements.numbers, true)
    } else {
        return Type::Json;
    };
    Type::Array(Box::new(element))
}

fn of_numbers(numbers: &Numbers, is_id: bool) -> Type {
    let is_small = numbers
        .range
        .is_none_or(|(least, greatest)| least >= -SMALL && greatest <= SMALL);
    match (numbers.decimals, numbers.large) {
        (false, true) => Type::Numeric,
        (true, false) if numbers.floats => Type::Float8,
        (true, _) => Type::Numeric,
        (false, false) if is_small && !is_id => Type::Int4,
        (false, false) => Type::Int8,
    }
}

fn of_texts(texts: &Texts) -> Type {
    let all = |count: u64| count == texts.count;
    if all(texts.uuids) {
        Type::Uuid
    } else if all(texts.instants) {
        Type::TimestampTz
    } else if all(texts.timestamps) {
        Type::Timestamp
    } else if all(texts.dates) {
        Type::Date
    } else {
        Type::Text
    }
}

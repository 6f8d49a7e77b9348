//! Which rows a request's parameters select.

use crate::query::Query;
use crate::rows::Rows;
use crate::scenario::{FilterOp, FilterSpec, FilterType, RouteSpec};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Number, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The rows that a request selects, in the route's order.
#[derive(Debug, Clone)]
pub(crate) enum Selection {
    /// The first so many: all that there are.
    All(usize),
    /// These.
    Some(Arc<Vec<usize>>),
}

impl Selection {
    pub(crate) fn len(&self) -> usize {
        match self {
            Selection::All(count) => *count,
            Selection::Some(rows) => rows.len(),
        }
    }

    /// The row at a place of the selection.
    pub(crate) fn row(&self, place: usize) -> usize {
        match self {
            Selection::All(_) => place,
            Selection::Some(rows) => rows[place],
        }
    }
}

/// One comparison that a row must pass.
#[derive(Debug)]
pub(crate) struct Condition {
    field: Vec<String>,
    op: FilterOp,
    value_type: FilterType,
    operands: Vec<Operand>,
    fold_case: bool,
    /// The operand as it was received, for [`Rows::candidates`].
    text: String,
}

#[derive(Debug)]
enum Operand {
    Text(String),
    Number(Number),
    Time(Timestamp),
}

/// Splits a dotted path.
pub(crate) fn field_path(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

/// What a request asks of the rows; the error is a message for the client.
pub(crate) fn conditions(
    spec: &RouteSpec,
    query: &Query,
    path_params: &BTreeMap<String, String>,
) -> Result<Vec<Condition>, String> {
    let mut found = path_conditions(spec, path_params);
    if !spec.ignore_filters {
        for filter in &spec.filters {
            found.extend(of_filter(filter, query, spec.case_insensitive)?);
        }
    }
    Ok(found)
}

/// What a request's path asks of the rows.
pub(crate) fn path_conditions(
    spec: &RouteSpec,
    path_params: &BTreeMap<String, String>,
) -> Vec<Condition> {
    let mut found = Vec::new();
    for (name, field) in &spec.path_filters {
        if let Some(text) = path_params.get(name) {
            found.push(Condition {
                field: field_path(field),
                op: FilterOp::Equal,
                value_type: FilterType::Text,
                operands: vec![Operand::Text(folded(text, spec.case_insensitive))],
                fold_case: spec.case_insensitive,
                text: text.clone(),
            });
        }
    }
    found
}

fn of_filter(
    filter: &FilterSpec,
    query: &Query,
    fold_case: bool,
) -> Result<Vec<Condition>, String> {
    let condition = |texts: &[&str]| -> Result<Condition, String> {
        let operands = texts
            .iter()
            .map(|text| operand(filter, text, fold_case))
            .collect::<Result<_, _>>()?;
        Ok(Condition {
            field: field_path(filter.field.as_deref().unwrap_or(&filter.param)),
            op: filter.op,
            value_type: filter.value_type,
            operands,
            fold_case,
            text: texts.join(","),
        })
    };
    let values: Vec<&str> = query.all(&filter.param).collect();
    if filter.op != FilterOp::In {
        return values.iter().map(|value| condition(&[*value])).collect();
    }
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let listed: Vec<&str> = values.iter().flat_map(|value| value.split(',')).collect();
    Ok(vec![condition(&listed)?])
}

fn operand(filter: &FilterSpec, text: &str, fold_case: bool) -> Result<Operand, String> {
    match filter.value_type {
        FilterType::Text => Ok(Operand::Text(folded(text, fold_case))),
        FilterType::Number => parse_number(text)
            .map(Operand::Number)
            .ok_or_else(|| format!("{}: '{text}' is not a number", filter.param)),
        FilterType::Time => parse_time(text)
            .map(Operand::Time)
            .ok_or_else(|| format!("{}: '{text}' is not a time", filter.param)),
    }
}

/// The rows that pass every condition.
pub(crate) fn select(rows: &Rows, conditions: &[Condition]) -> Selection {
    if conditions.is_empty() {
        return Selection::All(rows.len());
    }
    let mut range = 0..rows.len();
    for condition in conditions
        .iter()
        .filter(|condition| condition.op == FilterOp::Equal)
    {
        let Range { start, end } = rows.candidates(&condition.field, &condition.text);
        range = range.start.max(start)..range.end.min(end);
    }
    Selection::Some(Arc::new(
        range
            .filter(|index| {
                conditions
                    .iter()
                    .all(|condition| condition.holds(rows, *index))
            })
            .collect(),
    ))
}

impl Condition {
    fn holds(&self, rows: &Rows, index: usize) -> bool {
        let value = rows.field(index, &self.field);
        let Some(value) = value.as_deref().filter(|value| !value.is_null()) else {
            return self.op == FilterOp::NotEqual;
        };
        let compare = |operand: &Operand| self.compare(value, operand);
        match self.op {
            FilterOp::In => self
                .operands
                .iter()
                .any(|operand| compare(operand) == Some(Ordering::Equal)),
            FilterOp::Contains => self.operands.iter().all(|operand| match operand {
                Operand::Text(part) => {
                    folded(&text_of(value), self.fold_case).contains(part.as_str())
                }
                Operand::Number(_) | Operand::Time(_) => compare(operand) == Some(Ordering::Equal),
            }),
            FilterOp::NotEqual => self
                .operands
                .iter()
                .all(|operand| compare(operand) != Some(Ordering::Equal)),
            op => self
                .operands
                .iter()
                .filter_map(compare)
                .any(|order| match op {
                    FilterOp::Less => order.is_lt(),
                    FilterOp::LessOrEqual => order.is_le(),
                    FilterOp::Greater => order.is_gt(),
                    FilterOp::GreaterOrEqual => order.is_ge(),
                    _ => order.is_eq(),
                }),
        }
    }

    /// How a row's value stands to an operand; `None` if it is of another type.
    fn compare(&self, value: &Value, operand: &Operand) -> Option<Ordering> {
        match operand {
            Operand::Text(text) => Some(folded(&text_of(value), self.fold_case).as_str().cmp(text)),
            Operand::Number(number) => compare_numbers(&number_of(value)?, number),
            Operand::Time(time) => Some(time_of(value)?.cmp(time)),
        }
    }

    /// What tells this condition from others, to remember its result by.
    pub(crate) fn cache_key(&self) -> String {
        format!(
            "{:?} {:?} {:?} {:?}",
            self.field, self.op, self.value_type, self.operands
        )
    }
}

/// How a row's value stands to a text that is a number where the value is one; `None` if it should be a number and is not.
pub(crate) fn compare_to_text(value: &Value, text: &str) -> Option<Ordering> {
    match value {
        Value::Number(number) => compare_numbers(number, &parse_number(text)?),
        other => Some(text_of(other).as_str().cmp(text)),
    }
}

/// Integers exactly, fractions as doubles.
fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    let integer = |number: &Number| {
        number
            .as_i64()
            .map(i128::from)
            .or(number.as_u64().map(i128::from))
    };
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn parse_number(text: &str) -> Option<Number> {
    let integer = text
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| text.parse::<u64>().map(Number::from));
    integer
        .ok()
        .or_else(|| Number::from_f64(text.parse().ok()?))
}

/// RFC 3339, ISO 8601 without a zone as UTC, or a date as its midnight in UTC.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| {
        TimeZone::UTC
            .to_timestamp(text.parse::<civil::DateTime>().ok()?)
            .ok()
    })
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn number_of(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => parse_number(text),
        _ => None,
    }
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse_time(text),
        Value::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        _ => None,
    }
}

fn folded(text: &str, fold_case: bool) -> String {
    if fold_case {
        text.to_lowercase()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn selected(filters: Value, extra: Value, query: &str) -> Result<Vec<usize>, String> {
        let mut route = json!({
            "rows": [
                {"n": 1, "t": "Apple", "at": "2024-01-01T00:00:00Z", "u": {"login": "ann"}},
                {"n": 2.5, "t": "banana", "at": "2024-01-02T00:00:00+02:00", "u": {"login": "bob"}},
                {"n": 9007199254740993_i64, "t": "Cherry", "at": 1704240000000_i64, "u": {"login": "ann"}},
                {"n": null, "t": null}
            ],
            "filters": filters
        });
        route
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let mut spec: RouteSpec = serde_json::from_str(&route.to_string()).unwrap();
        let rows = Rows::of(&mut spec).unwrap().unwrap();
        let conditions = conditions(&spec, &Query::parse(query), &BTreeMap::new())?;
        let selection = select(&rows, &conditions);
        Ok((0..selection.len())
            .map(|place| selection.row(place))
            .collect())
    }

    fn by(op: &str, value_type: &str, field: &str, query: &str) -> Vec<usize> {
        let filters = json!([{"param": "p", "field": field, "op": op, "type": value_type}]);
        selected(filters, json!({}), query).unwrap()
    }

    #[test]
    fn every_operator_compares_numbers() {
        assert_eq!(by(">=", "number", "n", "p=2.5"), [1, 2]);
        assert_eq!(by(">", "number", "n", "p=2.5"), [2]);
        assert_eq!(by("<=", "number", "n", "p=2.5"), [0, 1]);
        assert_eq!(by("<", "number", "n", "p=2.5"), [0]);
        assert_eq!(by("=", "number", "n", "p=1.0"), [0]);
        assert_eq!(
            by("=", "number", "n", "p=9007199254740992"),
            [] as [usize; 0]
        );
        assert_eq!(by("in", "number", "n", "p=1,2.5"), [0, 1]);
        assert_eq!(by("in", "number", "n", "p=1&p=2.5"), [0, 1]);
        assert_eq!(
            by("<>", "number", "n", "p=1"),
            [1, 2, 3],
            "a row without the value is not equal either"
        );
    }

    #[test]
    fn text_and_nested_fields() {
        assert_eq!(by("=", "text", "u.login", "p=ann"), [0, 2]);
        assert_eq!(by("contains", "text", "t", "p=an"), [1]);
        assert_eq!(by("<", "text", "t", "p=B"), [0]);
        assert_eq!(
            by("=", "text", "t", "other=1"),
            [0, 1, 2, 3],
            "other parameters are ignored"
        );
        assert_eq!(
            by("=", "text", "n", "p=1&p=2"),
            [] as [usize; 0],
            "repeated parameters must all hold"
        );
    }

    #[test]
    fn case_and_filters_can_be_ignored() {
        let filters = json!([{"param": "t"}]);
        assert_eq!(
            selected(
                filters.clone(),
                json!({"case_insensitive": true}),
                "t=APPLE"
            )
            .unwrap(),
            [0]
        );
        assert_eq!(
            selected(filters.clone(), json!({}), "t=APPLE").unwrap(),
            [] as [usize; 0]
        );
        assert_eq!(
            selected(filters, json!({"ignore_filters": true}), "t=APPLE").unwrap(),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn times_are_compared_as_instants() {
        assert_eq!(by(">=", "time", "at", "p=2024-01-01T22:00:00"), [1, 2]);
        assert_eq!(by("<=", "time", "at", "p=2024-01-01"), [0]);
        assert_eq!(by("=", "time", "at", "p=2024-01-03T00:00:00.000Z"), [2]);
    }

    #[test]
    fn values_that_do_not_parse_are_refused() {
        let filters = json!([{"param": "p", "op": ">=", "type": "number"}]);
        assert_eq!(
            selected(filters, json!({}), "p=x").unwrap_err(),
            "p: 'x' is not a number"
        );
    }
}

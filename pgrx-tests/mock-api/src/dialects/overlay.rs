//! What the route's declared `filters` mean where columns have types: the dialect `plain`, the dialect `operators`, and an
//! overlay for every other one.

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::document::Json;
use super::pattern::Pattern;
use super::sort::SortDefaults;
use super::spec::SortStyle;
use super::value::Value;
use crate::scenario::{FilterOp, FilterSpec, ListEncoding};

/// Sort and columns; the filters come with [`conditions`].
pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let fields_param = asked.dialect.fields_param.as_deref().unwrap_or("fields");
    Ok(Plan {
        order: asked.sorted(SortDefaults::of("sort", SortStyle::Minus))?,
        columns: asked.listed_columns(fields_param)?,
        ..Plan::default()
    })
}

/// What the declared filters say of a request.
pub(crate) fn conditions(asked: &Asked<'_>) -> Result<Vec<Condition>, String> {
    let mut found = Vec::new();
    for filter in &asked.route.filters {
        let name = filter.field.as_deref().unwrap_or(&filter.param);
        let column = asked.table.column(name)?;
        let texts: Vec<&str> = asked.query.all(&filter.param).collect();
        if texts.is_empty() {
            continue;
        }
        if filter.is_list() {
            found.push(list(asked, filter, column, &texts)?);
            continue;
        }
        for text in texts {
            found.push(one(asked, filter, column, text)?);
        }
    }
    Ok(found)
}

fn list(
    asked: &Asked<'_>,
    filter: &FilterSpec,
    column: usize,
    texts: &[&str],
) -> Result<Condition, String> {
    let mut values = Vec::new();
    for text in texts {
        values.extend(list_values(asked, filter, column, text)?);
    }
    let check = if filter.op == FilterOp::In {
        Check::In(values)
    } else {
        Check::NotIn(values)
    };
    asked.checked(column, check, Nulls::Kept)
}

fn list_values(
    asked: &Asked<'_>,
    filter: &FilterSpec,
    column: usize,
    text: &str,
) -> Result<Vec<Value>, String> {
    let json_values = |text: &str| match Json::parse(text)? {
        Json::List(parts) => parts
            .iter()
            .map(|part| asked.table.column_type(column).of_json(part))
            .collect(),
        _ => Err(format!("{}: {text} is no JSON list", filter.param)),
    };
    match filter.encoding {
        ListEncoding::Repeat => Ok(vec![asked.value(column, text)?]),
        ListEncoding::Json => json_values(text),
        ListEncoding::JsonCsv => json_values(&format!("[{text}]")),
        ListEncoding::Csv => asked.values(column, text.split(',')),
    }
}

/// One text, or one JSON value where the filter is written as JSON.
fn one(
    asked: &Asked<'_>,
    filter: &FilterSpec,
    column: usize,
    text: &str,
) -> Result<Condition, String> {
    let decoded = match filter.encoding {
        ListEncoding::Json => Json::parse(text)?
            .scalar_text()
            .ok_or_else(|| format!("{}: {text} is no JSON scalar", filter.param))?,
        _ => text.to_owned(),
    };
    let compare = |comparison| asked.compare(column, comparison, &decoded, Nulls::Kept);
    let like = |fold_case| -> Result<Condition, String> {
        let pattern = Pattern::like(&decoded, Some('\\'))?;
        asked.checked(column, Check::Like { pattern, fold_case }, Nulls::Unknown)
    };
    match filter.op {
        FilterOp::Equal => compare(Comparison::Equal),
        FilterOp::NotEqual => compare(Comparison::NotEqual),
        FilterOp::Less => compare(Comparison::Less),
        FilterOp::LessOrEqual => compare(Comparison::LessOrEqual),
        FilterOp::Greater => compare(Comparison::Greater),
        FilterOp::GreaterOrEqual => compare(Comparison::GreaterOrEqual),
        FilterOp::Like => like(false),
        FilterOp::Ilike => like(true),
        FilterOp::IsNull | FilterOp::IsNotNull => {
            let wanted = match decoded.as_str() {
                "false" | "0" => filter.op == FilterOp::IsNotNull,
                "" | "true" | "1" => filter.op == FilterOp::IsNull,
                other => return Err(format!("{}: '{other}' is no bool", filter.param)),
            };
            asked.checked(column, Check::IsNull(wanted), Nulls::Unknown)
        }
        FilterOp::Contains => contains(asked, column, &decoded),
        FilterOp::In | FilterOp::NotIn => list(asked, filter, column, &[text]),
    }
}

/// A part of a text, or an element of an array, or jsonb containment.
fn contains(asked: &Asked<'_>, column: usize, text: &str) -> Result<Condition, String> {
    let column_type = asked.table.column_type(column);
    let check = if column_type.is_text() {
        Check::Like {
            pattern: Pattern::contains(text),
            fold_case: false,
        }
    } else if column_type.is_array {
        Check::Holds(Value::List(vec![column_type.scalar.of_text(text)?]))
    } else {
        Check::Holds(asked.value(column, text)?)
    };
    asked.checked(column, check, Nulls::Unknown)
}

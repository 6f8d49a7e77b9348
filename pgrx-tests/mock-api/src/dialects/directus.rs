//! What a request says as Directus understands it: a JSON filter in a parameter or in the body.

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::document::Json;
use super::pattern::Pattern;
use super::sort::SortDefaults;
use super::spec::SortStyle;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let param = asked.filter_param("filter");
    let mut conditions = Vec::new();
    for text in asked.query.all(param) {
        conditions.push(filter(asked, &Json::parse(text)?, &[])?);
    }
    if let Some(body) = asked
        .body()
        .filter(|body| body.trim_start().starts_with('{'))
    {
        let body = Json::parse(&body)?;
        // SEARCH requests have the parameters in a member `query`.
        let within = body.member("query").unwrap_or(&body);
        if let Some(json) = within.member(param) {
            conditions.push(filter(asked, json, &[])?);
        }
    }
    Ok(Plan {
        filter: Condition::And(conditions),
        order: asked.sorted(SortDefaults::of("sort", SortStyle::Minus))?,
        columns: asked.listed_columns(asked.dialect.fields_param.as_deref().unwrap_or("fields"))?,
        offset: asked.count("offset")?.unwrap_or(0),
        limit: asked.count("limit")?,
        ..Plan::default()
    })
}

/// `{"_and": […]}`, `{"a": {"_eq": 1}}`, `{"user": {"login": {"_eq": "x"}}}`; several members must all hold.
fn filter(asked: &Asked<'_>, json: &Json, path: &[&str]) -> Result<Condition, String> {
    let Json::Object(members) = json else {
        return Err(format!("a filter is an object, not {json:?}"));
    };
    let mut parts = Vec::new();
    for (name, value) in members {
        parts.push(match (name.as_str(), value) {
            ("_and", Json::List(arms)) if path.is_empty() => Condition::And(each(asked, arms)?),
            ("_or", Json::List(arms)) if path.is_empty() => Condition::Or(each(asked, arms)?),
            (operator, value) if operator.starts_with('_') => {
                let column = asked.table.column(&path.join("."))?;
                operation(asked, column, operator, value)?
            }
            (name, value) => {
                let below: Vec<&str> = path.iter().copied().chain([name]).collect();
                filter(asked, value, &below)?
            }
        });
    }
    Ok(Condition::And(parts))
}

fn each(asked: &Asked<'_>, arms: &[Json]) -> Result<Vec<Condition>, String> {
    arms.iter().map(|arm| filter(asked, arm, &[])).collect()
}

fn operation(
    asked: &Asked<'_>,
    column: usize,
    operator: &str,
    json: &Json,
) -> Result<Condition, String> {
    let check = match operator {
        "_eq" => compare(asked, column, Comparison::Equal, json)?,
        "_neq" => compare(asked, column, Comparison::NotEqual, json)?,
        "_lt" => compare(asked, column, Comparison::Less, json)?,
        "_lte" => compare(asked, column, Comparison::LessOrEqual, json)?,
        "_gt" => compare(asked, column, Comparison::Greater, json)?,
        "_gte" => compare(asked, column, Comparison::GreaterOrEqual, json)?,
        "_in" | "_nin" => {
            let Json::List(parts) = json else {
                return Err(format!("{operator} needs a list, not {json:?}"));
            };
            let values = parts.iter().map(|part| scalar(asked, column, part));
            let values = values.collect::<Result<_, _>>()?;
            match operator {
                "_in" => Check::In(values),
                _ => Check::NotIn(values),
            }
        }
        "_null" | "_nnull" => {
            let Json::Bool(wanted) = json else {
                return Err(format!("{operator} needs a bool, not {json:?}"));
            };
            Check::IsNull(*wanted == (operator == "_null"))
        }
        operator => like(operator, json)?,
    };
    asked.checked(column, check, Nulls::Kept)
}

fn compare(
    asked: &Asked<'_>,
    column: usize,
    comparison: Comparison,
    json: &Json,
) -> Result<Check, String> {
    Ok(Check::Compare(comparison, scalar(asked, column, json)?))
}

/// A scalar that a column can be compared with: numbers for numbers, texts for the rest, or numbers as texts.
pub(super) fn scalar(
    asked: &Asked<'_>,
    column: usize,
    json: &Json,
) -> Result<super::value::Value, String> {
    let found = &asked.table.columns[column];
    let mismatch = || {
        format!(
            "{}: {json:?} is no {:?}",
            found.name, found.column_type.scalar
        )
    };
    let column_type = found.column_type;
    let fits = match json {
        Json::Number(_) => column_type.is_number(),
        Json::Bool(_) => column_type.scalar == super::value::Scalar::Bool,
        Json::Text(_) => column_type.scalar != super::value::Scalar::Bool,
        _ => false,
    };
    match json {
        // A number with a fraction compares with an integer too.
        Json::Number(number) if column_type.is_integer() => {
            Ok(super::value::Value::Decimal(number.clone()))
        }
        json if fits && !column_type.is_array => column_type.of_json(json).map_err(|_| mismatch()),
        _ => Err(mismatch()),
    }
}

fn like(operator: &str, json: &Json) -> Result<Check, String> {
    let Json::Text(text) = json else {
        return Err(format!("{operator} needs a text, not {json:?}"));
    };
    let (pattern, fold_case) = match operator {
        "_contains" => (Pattern::contains(text), false),
        "_icontains" => (Pattern::contains(text), true),
        "_starts_with" => (Pattern::starts_with(text), false),
        "_ends_with" => (Pattern::ends_with(text), false),
        other => return Err(format!("unknown operator '{other}'")),
    };
    Ok(Check::Like { pattern, fold_case })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::{Value, json};

    fn server() -> Server {
        Server::new(json!({"name": "json", "columns": kinds()}), json!({}))
    }

    fn filtered(filter: Value) -> Vec<i64> {
        server().ids(&format!("filter={filter}"))
    }

    #[test]
    fn operators_keep_nulls_where_they_are_negative() {
        assert_eq!(filtered(json!({"n": {"_eq": 5}})), [1]);
        assert_eq!(filtered(json!({"n": {"_neq": 5}})), [2, 3, 4]);
        assert_eq!(filtered(json!({"n": {"_nin": [5, 6]}})), [3, 4]);
        assert_eq!(filtered(json!({"n": {"_gte": 5.5, "_lt": 7}})), [2]);
        assert_eq!(filtered(json!({"n": {"_null": true}})), [4]);
        assert_eq!(
            filtered(json!({"n": {"_nnull": true}, "b": {"_eq": true}})),
            [1]
        );
        assert_eq!(filtered(json!({"o": {"name": {"_in": ["ann"]}}})), [1]);
        assert_eq!(
            filtered(
                json!({"_or": [{"t": {"_icontains": "APP"}}, {"_and": [{"id": {"_eq": 3}}]}]})
            ),
            [1, 3]
        );
        let exact = r#"{"z":{"_eq":123456789012345678901234567890.12}}"#;
        assert_eq!(server().ids(&format!("filter={exact}&sort=-id")), [2]);
        let body = json!({"query": {"filter": {"at": {"_gt": "2024-02-29T12:00:00.5Z"}}}});
        assert_eq!(server().posted_ids("", &body.to_string()), [2]);
    }

    #[test]
    fn mistakes_are_refused() {
        for filter in [
            json!({"nn": {"_eq": 5}}),
            json!({"n": {"_eq": "x"}}),
            json!({"n": {"_like": 5}}),
            json!({"n": 5}),
            json!([]),
            json!({"_eq": 5}),
            json!({"n": {"_in": 5}}),
            json!({"n": {"_null": 1}}),
            json!({"t": {"_eq": 5}}),
            json!({"n": {"_contains": "5"}}),
            json!({"_or": {}}),
            json!({"n": {"_eq": null}}),
        ] {
            server().refusal(&format!("filter={filter}"));
        }
        server().refusal("filter={");
    }
}

//! What a request says as Directus understands it: a JSON filter in a parameter or in the body.

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::document::Json;
use super::grouping::{Function, Grouping, Output, Source};
use super::pattern::Pattern;
use super::sort::{SortDefaults, SortKey};
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
    let order = asked.sorted(SortDefaults::of("sort", SortStyle::Minus))?;
    let limit = match asked.query.get("limit") {
        // All of them.
        Some("-1") => None,
        _ => asked.count("limit")?,
    };
    Ok(Plan {
        filter: Condition::And(conditions),
        grouping: grouping(asked, &order)?,
        order,
        columns: asked.listed_columns(asked.dialect.fields_param.as_deref().unwrap_or("fields"))?,
        offset: asked.count("offset")?.unwrap_or(0),
        limit,
        ..Plan::default()
    })
}

/// `aggregate[sum]=a,b&groupBy[]=c`: results are called by their function and, within it, their field.
fn grouping(asked: &Asked<'_>, order: &[SortKey]) -> Result<Option<Grouping>, String> {
    let mut outputs = Vec::new();
    for name in asked
        .query
        .all("groupBy[]")
        .flat_map(|text| text.split(','))
    {
        outputs.push(Output {
            name: name.to_owned(),
            source: Source::Key(asked.table.column(name)?),
            hidden: false,
        });
    }
    let keys = outputs.len();
    for (parameter, fields) in asked.query.pairs() {
        let function = parameter
            .strip_prefix("aggregate[")
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(function) = function {
            let outputs_of = fields
                .split(',')
                .map(|field| output(asked, function, field));
            outputs.extend(outputs_of.collect::<Result<Vec<_>, _>>()?);
        }
    }
    if outputs.len() == keys {
        return match keys {
            0 => Ok(None),
            _ => Err("groups without aggregates are not known here".to_owned()),
        };
    }
    one_place_each(&outputs)?;
    let columns: Vec<usize> = outputs[..keys].iter().filter_map(key).collect();
    let grouping = Grouping {
        order: order
            .iter()
            .map(|sorted| group_order(&columns, *sorted))
            .collect::<Result<_, _>>()?,
        keys: columns,
        outputs,
        having: Condition::all(),
        nests: true,
    };
    grouping.check()?;
    Ok(Some(grouping))
}

fn key(output: &Output) -> Option<usize> {
    match output.source {
        Source::Key(column) => Some(column),
        _ => None,
    }
}

fn output(asked: &Asked<'_>, function: &str, field: &str) -> Result<Output, String> {
    let (name, source) = match (function, field) {
        ("count", "*") => ("count".to_owned(), Source::CountRows),
        _ => {
            let column = asked.table.column(field)?;
            let known = Function::named(function)
                .ok_or_else(|| format!("unknown aggregate '{function}'"))?;
            known.check(asked.table, column)?;
            (
                format!("{function}->{field}"),
                Source::Aggregate(known, column),
            )
        }
    };
    Ok(Output {
        name,
        source,
        hidden: false,
    })
}

/// What is called `sum` would take the place of all that is below `sum`.
fn one_place_each(outputs: &[Output]) -> Result<(), String> {
    let is_above = |one: &Output, other: &Output| {
        other
            .name
            .strip_prefix(&one.name)
            .is_some_and(|rest| rest.starts_with("->"))
    };
    for one in outputs {
        if outputs.iter().any(|other| is_above(one, other)) {
            return Err(format!("'{}' hides others", one.name));
        }
    }
    Ok(())
}

/// Groups are ordered by the columns that make them.
fn group_order(keys: &[usize], sorted: SortKey) -> Result<SortKey, String> {
    let place = keys.iter().position(|column| *column == sorted.column);
    place
        .map(|column| SortKey { column, ..sorted })
        .ok_or_else(|| "groups are ordered by columns that make them".to_owned())
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]
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

    /// The rows of an answer.
    fn rows(query: &str) -> Value {
        serde_json::from_str(&server().body(query)).unwrap()
    }

    #[test]
    fn aggregates_stand_below_their_function_and_wide_numbers_are_texts() {
        assert_eq!(
            rows("aggregate[sum]=n&aggregate[max]=n,z&aggregate[count]=*"),
            json!([{"sum": {"n": "9007199254741004"},
                    "max": {"n": 9_007_199_254_740_993_i64, "z": "123456789012345678901234567890.12"}, "count": "4"}])
        );
        assert_eq!(
            rows("groupBy[]=b&aggregate[count]=id&sort=-b&filter={\"id\":{\"_lte\":3}}"),
            json!([{"b": null, "count": {"id": "1"}}, {"b": true, "count": {"id": "1"}}, {"b": false, "count": {"id": "1"}}])
        );
        for query in [
            "aggregate[count]=*,n",
            "aggregate[median]=n",
            "aggregate[sum]=t",
            "groupBy[]=b&aggregate[count]=*&sort=n",
            "groupBy[]=b",
        ] {
            server().refusal(query);
        }
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

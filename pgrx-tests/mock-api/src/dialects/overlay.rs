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

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::{Value, json};

    fn server(name: &str, filters: Value) -> Server {
        let dialect = json!({"name": name, "columns": kinds()});
        Server::new(dialect, json!({"filters": filters}))
    }

    fn by(op: &str, field: &str, encoding: &str, query: &str) -> Vec<i64> {
        let filter = json!([{"param": "p", "field": field, "op": op, "encoding": encoding}]);
        server("operators", filter).ids(query)
    }

    #[test]
    fn declared_filters_compare_by_the_columns_types() {
        assert_eq!(by("=", "n", "csv", "p=9007199254740993"), [3]);
        assert_eq!(
            by(">", "z", "csv", "p=123456789012345678901234567890.119"),
            [2]
        );
        assert_eq!(by("<>", "n", "csv", "p=5"), [2, 3, 4]);
        assert_eq!(by("not_in", "n", "csv", "p=5,6"), [3, 4]);
        assert_eq!(by("like", "t", "csv", "p=A%"), [1]);
        assert_eq!(by("ilike", "t", "csv", "p=%P_LE"), [1]);
        assert_eq!(by("is_null", "n", "csv", "p=true"), [4]);
        assert_eq!(by("is_not_null", "n", "csv", "p=true&sort=-n"), [3, 2, 1]);
        assert_eq!(by("contains", "l", "csv", "p=y z"), [1]);
        assert_eq!(by("contains", "j", "csv", r#"p={"k":1}"#), [1]);
    }

    #[test]
    fn lists_have_several_spellings() {
        assert_eq!(by("in", "t", "json", r#"p=["Apple","a,\"b\\)"]"#), [1, 2]);
        assert_eq!(by("in", "t", "json_csv", r#"p="Apple","x""#), [1]);
        assert_eq!(by("in", "n", "repeat", "p=5&p=6"), [1, 2]);
        assert_eq!(by("in", "n", "csv", "p=5,6"), [1, 2]);
        assert_eq!(by("=", "t", "json", r#"p="Apple""#), [1]);
        let filter = json!([{"param": "p", "field": "n", "op": "in", "encoding": "json"}]);
        let server = server("operators", filter);
        server.refusal("p=5,6");
        server.refusal(r#"p=["x"]"#);
    }

    #[test]
    fn they_lie_over_other_dialects() {
        let server = server(
            "suffix",
            json!([{"param": "min_n", "field": "n", "op": ">="}]),
        );
        assert_eq!(server.ids("min_n=6&n__lt=7"), [2]);
    }

    #[test]
    fn a_worse_server_ignores_folds_and_shuffles() {
        let plain = |keys: Value| {
            let mut all = json!({"filters": [{"param": "n"}, {"param": "t"}]});
            all.as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(keys.as_object().cloned().unwrap_or_default()));
            Server::new(json!({"name": "plain", "columns": kinds()}), all)
        };
        let query = "n=5&t=APPLE";
        assert_eq!(plain(json!({})).ids(query), [] as [i64; 0]);
        assert_eq!(plain(json!({"case_insensitive": true})).ids(query), [1]);
        assert_eq!(
            plain(json!({"ignore_filters": true})).ids(query),
            [1, 2, 3, 4]
        );
        assert_eq!(plain(json!({"ignore": ["t"]})).ids(query), [1]);
        let unstable = plain(json!({"sort": {"unstable": true}}));
        let orders: std::collections::BTreeSet<Vec<i64>> =
            (0..40).map(|_| unstable.ids("sort=-b")).collect();
        assert!(orders.len() > 1 && orders.iter().all(|order| order[2..] == [1, 2]));
        assert_eq!(unstable.ids(""), [1, 2, 3, 4]);
        assert_eq!(unstable.ids("sort=id"), [1, 2, 3, 4]);
    }
}

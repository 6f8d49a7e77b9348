//! What a request says in Elasticsearch's query DSL, in the body or in the parameter `source`.

use super::aggregations::aggregations;
use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::directus::scalar;
use super::document::Json;
use super::pattern::Pattern;
use super::sort::{SortKey, direction};
use super::spec::NullsPlace;
use super::value::{Scalar, Value};
use bigdecimal::ToPrimitive;

/// Rows of an answer, unless `size` says.
const DEFAULT_SIZE: usize = 10;
/// The most of `from` and `size` together (`index.max_result_window`).
const MAX_WINDOW: usize = 10_000;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let text = asked.body().map(std::borrow::Cow::into_owned);
    let text = text.or_else(|| asked.query.get("source").map(str::to_owned));
    let body = Json::parse(text.as_deref().unwrap_or("{}"))?;
    let mut plan = Plan {
        limit: Some(asked.count("size")?.unwrap_or(DEFAULT_SIZE)),
        offset: asked.count("from")?.unwrap_or(0),
        ..Plan::default()
    };
    let Json::Object(members) = &body else {
        return Err("the body is no object".to_owned());
    };
    for (name, value) in members {
        match name.as_str() {
            "query" => plan.filter = query(asked, value)?,
            "sort" => plan.order = order(asked, value)?,
            "_source" => plan.columns = source(asked, value)?,
            "from" => plan.offset = count(name, value)?,
            "size" => plan.limit = Some(count(name, value)?),
            "track_total_hits" => {}
            "aggs" => plan.aggregations = aggregations(asked, value)?,
            other => return Err(format!("unknown key '{other}'")),
        }
    }
    if plan.offset + plan.limit.unwrap_or(0) > MAX_WINDOW {
        return Err(format!("from and size are more than {MAX_WINDOW} together"));
    }
    // With paging of the route's own, that one cuts.
    if asked.route.paging.style != crate::scenario::PagingStyle::None {
        plan.limit = None;
        plan.offset = 0;
    }
    Ok(plan)
}

pub(super) fn count(name: &str, value: &Json) -> Result<usize, String> {
    let number = match value {
        Json::Number(number) if number.is_integer() => number.to_usize(),
        _ => None,
    };
    number.ok_or_else(|| format!("{name}: {value:?} is no count"))
}

/// The only member of an object.
pub(super) fn only<'a>(json: &'a Json, what: &str) -> Result<(&'a str, &'a Json), String> {
    match json.members() {
        [(name, value)] => Ok((name, value)),
        _ => Err(format!("{what} needs exactly one member: {json:?}")),
    }
}

/// Queries are true or false; only `exists` and `must_not` are true of a missing value, `must_not` of one inside it.
pub(super) fn query(asked: &Asked<'_>, json: &Json) -> Result<Condition, String> {
    let (kind, inner) = only(json, "a query")?;
    if kind == "match_all" {
        return Ok(Condition::all());
    }
    if kind == "bool" {
        return bool_query(asked, inner);
    }
    if kind == "exists" {
        let Some(Json::Text(name)) = inner.member("field") else {
            return Err("exists needs a field".to_owned());
        };
        let column = asked.table.column(name)?;
        return asked.checked(column, Check::IsNull(false), Nulls::False);
    }
    let (name, operand) = only(inner, kind)?;
    let column = asked.table.column(name)?;
    let check = match kind {
        "term" => Check::Compare(Comparison::Equal, term(asked, column, value_of(operand))?),
        "terms" => {
            let Json::List(parts) = operand else {
                return Err(format!("terms needs a list, not {operand:?}"));
            };
            let values = parts.iter().map(|part| term(asked, column, part));
            Check::In(values.collect::<Result<_, _>>()?)
        }
        "range" => return range(asked, column, operand),
        "prefix" | "wildcard" => {
            let Json::Text(text) = value_of(operand) else {
                return Err(format!("{kind} needs a text, not {operand:?}"));
            };
            let pattern = match kind {
                "prefix" => Pattern::starts_with(text),
                _ => Pattern::wild(text, '*', '?', Some('\\'))?,
            };
            let fold_case = operand.member("case_insensitive") == Some(&Json::Bool(true));
            Check::Like { pattern, fold_case }
        }
        other => return Err(format!("unknown query '{other}'")),
    };
    asked.checked(column, check, Nulls::False)
}

/// `{"value": x}` is x.
fn value_of(json: &Json) -> &Json {
    json.member("value").unwrap_or(json)
}

/// A bool may be a text.
fn term(asked: &Asked<'_>, column: usize, json: &Json) -> Result<Value, String> {
    let column_type = asked.table.column_type(column);
    match json {
        Json::Text(text) if column_type.scalar == Scalar::Bool => asked.value(column, text),
        json => scalar(asked, column, json),
    }
}

fn range(asked: &Asked<'_>, column: usize, json: &Json) -> Result<Condition, String> {
    let mut parts = Vec::new();
    for (name, operand) in json.members() {
        let comparison = match name.as_str() {
            "gt" => Comparison::Greater,
            "gte" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "lte" => Comparison::LessOrEqual,
            other => return Err(format!("unknown bound '{other}'")),
        };
        let check = Check::Compare(comparison, term(asked, column, operand)?);
        parts.push(asked.checked(column, check, Nulls::False)?);
    }
    if parts.is_empty() {
        return Err("a range needs bounds".to_owned());
    }
    Ok(Condition::And(parts))
}

fn bool_query(asked: &Asked<'_>, json: &Json) -> Result<Condition, String> {
    let list = |name: &str| -> Result<Vec<Condition>, String> {
        match json.member(name) {
            None => Ok(Vec::new()),
            Some(Json::List(parts)) => parts.iter().map(|part| query(asked, part)).collect(),
            Some(one) => Ok(vec![query(asked, one)?]),
        }
    };
    let known = [
        "filter",
        "must",
        "should",
        "must_not",
        "minimum_should_match",
    ];
    let unknown = json
        .members()
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()));
    if let Some((name, _)) = unknown {
        return Err(format!("bool has no '{name}'"));
    }
    let mut parts = list("filter")?;
    parts.extend(list("must")?);
    let should = list("should")?;
    let default = usize::from(parts.is_empty());
    let wanted = json.member("minimum_should_match");
    let wanted = wanted.map_or(Ok(default), |wanted| count("minimum_should_match", wanted))?;
    match wanted {
        _ if should.is_empty() => {}
        0 => {}
        1 => parts.push(Condition::Or(should)),
        other => return Err(format!("minimum_should_match: {other} is more than 1")),
    }
    parts.extend(list("must_not")?.into_iter().map(Condition::not));
    Ok(Condition::And(parts))
}

/// `[{"a": {"order": "desc", "missing": "_first"}}, "b"]`; missing values come last in both directions.
fn order(asked: &Asked<'_>, json: &Json) -> Result<Vec<SortKey>, String> {
    let one = |json: &Json| {
        if let Json::Text(name) = json {
            return asked.sort_key(asked.table.column(name)?, false, NullsPlace::Last);
        }
        let (name, options) = only(json, "a sort")?;
        let column = asked.table.column(name)?;
        let text = |name: &str| match options.member(name) {
            Some(Json::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let order = match options {
            Json::Text(order) => order,
            _ => text("order").unwrap_or("asc"),
        };
        let mut key = asked.sort_key(column, direction(order)?, NullsPlace::Last)?;
        match text("missing") {
            None => {}
            Some("_first") => key.nulls_first = true,
            Some("_last") => key.nulls_first = false,
            Some(other) => return Err(format!("missing: unknown '{other}'")),
        }
        Ok(key)
    };
    match json {
        Json::List(parts) => parts.iter().map(one).collect(),
        single => Ok(vec![one(single)?]),
    }
}

fn source(asked: &Asked<'_>, json: &Json) -> Result<Option<Vec<usize>>, String> {
    match json {
        Json::Bool(true) => Ok(None),
        Json::List(names) => {
            let column = |name: &Json| match name {
                Json::Text(name) => asked.table.column(name),
                other => Err(format!("_source: {other:?} is no name")),
            };
            names.iter().map(column).collect::<Result<_, _>>().map(Some)
        }
        other => Err(format!("_source: {other:?} is no list")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::{Value, json};

    fn server() -> Server {
        let dialect = json!({"name": "json", "flavour": "elasticsearch", "columns": kinds()});
        Server::new(dialect, json!({}))
    }

    fn filtered(query: Value) -> Vec<i64> {
        server().posted_ids("", &json!({"query": query}).to_string())
    }

    #[test]
    fn queries_are_false_of_missing_values() {
        assert_eq!(filtered(json!({"term": {"n": 5}})), [1]);
        assert_eq!(
            filtered(json!({"bool": {"must_not": [{"term": {"n": {"value": 5}}}]}})),
            [2, 3, 4]
        );
        assert_eq!(
            filtered(
                json!({"bool": {"filter": [{"range": {"n": {"gte": 5, "lt": 7}}}, {"terms": {"id": [2, 3]}}]}})
            ),
            [2]
        );
        assert_eq!(filtered(json!({"exists": {"field": "n"}})), [1, 2, 3]);
        assert_eq!(filtered(json!({"prefix": {"t": "b%"}})), [3]);
        assert_eq!(filtered(json!({"wildcard": {"t": {"value": "A*l?"}}})), [1]);
        assert_eq!(filtered(json!({"term": {"o.name": "ann"}})), [1]);
    }

    #[test]
    fn should_is_needed_where_nothing_else_is_or_where_it_says_so() {
        let arms = json!([{"term": {"id": 1}}, {"term": {"id": 2}}]);
        assert_eq!(filtered(json!({"bool": {"should": arms}})), [1, 2]);
        let all = json!([{"exists": {"field": "id"}}]);
        assert_eq!(
            filtered(json!({"bool": {"should": arms, "filter": all}})),
            [1, 2, 3, 4]
        );
        let needed = json!({"bool": {"should": arms, "filter": all, "minimum_should_match": 1}});
        assert_eq!(filtered(needed), [1, 2]);
    }

    #[test]
    fn hits_are_sorted_cut_and_projected() {
        let body = json!({"sort": [{"n": {"order": "desc"}}, "id"], "from": 1, "size": 3});
        assert_eq!(server().posted_ids("", &body.to_string()), [2, 1, 4]);
        let body = json!({"sort": [{"n": {"order": "asc", "missing": "_first"}}], "size": 1, "_source": ["id"]});
        let found = server().posted_ids("", &body.to_string());
        assert_eq!(found, [4]);
    }

    fn aggregated(body: Value) -> Value {
        server().members(&body.to_string())
    }

    #[test]
    fn metrics_are_doubles_and_nothing_has_a_sum() {
        let aggs = json!({"s": {"sum": {"field": "id"}}, "m": {"min": {"field": "id"}}, "c": {"filter": {"exists": {"field": "n"}}}});
        let found = aggregated(json!({"size": 0, "aggs": aggs}));
        assert_eq!(
            found["aggregations"],
            json!({"s": {"value": 10.0}, "m": {"value": 1.0}, "c": {"doc_count": 3}})
        );
        assert_eq!(found["hits"]["total"]["value"], json!(4));
        let none = aggregated(json!({"size": 0, "aggs": aggs, "query": {"term": {"id": 9}}}));
        assert_eq!(
            none["aggregations"],
            json!({"s": {"value": 0.0}, "m": {"value": null}, "c": {"doc_count": 0}})
        );
    }

    #[test]
    fn composite_buckets_come_in_pages_until_there_is_no_key() {
        let composite = |after: Option<Value>| {
            let terms = json!({"b": {"terms": {"field": "b", "missing_bucket": true}}});
            let mut composite = json!({"size": 2, "sources": [terms]});
            if let Some(after) = after {
                composite["after"] = after;
            }
            let groups = json!({"composite": composite, "aggs": {"m": {"max": {"field": "id"}}}});
            aggregated(json!({"size": 0, "aggs": {"g": groups}}))["aggregations"]["g"].clone()
        };
        let first = composite(None);
        assert_eq!(first["buckets"][0]["key"], json!({"b": null}));
        assert_eq!(first["after_key"], first["buckets"][1]["key"]);
        let second = composite(Some(first["after_key"].clone()));
        assert_eq!(
            second["buckets"],
            json!([{"key": {"b": true}, "doc_count": 1, "m": {"value": 1.0}}])
        );
        assert_eq!(
            composite(Some(second["after_key"].clone())),
            json!({"buckets": []})
        );
    }

    #[test]
    fn mistakes_are_refused() {
        for body in [
            json!({"query": {"term": {"nn": 1}}}),
            json!({"query": {"term": {"n": "x"}}}),
            json!({"query": {}}),
            json!({"query": {"match": {"t": "x"}}}),
            json!({"query": {"bool": {"shall": []}}}),
            json!({"size": -1}),
            json!({"query": {"range": {"n": {}}}}),
            json!({"sort": [{"n": "down"}]}),
            json!({"_source": ["nn"]}),
            json!({"size": 10000, "from": 1}),
            json!({"aggs": {}}),
            json!({"aggs": {"a": {"terms": {"field": "n"}}}}),
            json!({"aggs": {"a": {"sum": {"field": "t"}}}}),
            json!({"aggs": {"a": {"composite": {"sources": [{"b": {"terms": {"field": "b"}}}]}}}}),
            json!([]),
        ] {
            server().posted_refusal("", &body.to_string());
        }
    }
}

//! What `aggs` asks in Elasticsearch: metrics, filters, and composite buckets with their pages.

use super::asked::Asked;
use super::condition::Condition;
use super::document::Json;
use super::elasticsearch::{count, only, query};
use super::table::Table;
use super::value::Value;
use serde_json::{Map, Value as Member, json};
use std::cmp::Ordering;

/// Buckets of an answer, unless `size` says.
const DEFAULT_SIZE: usize = 10;

/// One member of `aggs`.
#[derive(Debug)]
pub(crate) struct Aggregation {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Metric(Metric, usize),
    Filter(Condition),
    Composite(Composite),
}

#[derive(Debug, Clone, Copy)]
enum Metric {
    Sum,
    Min,
    Max,
}

#[derive(Debug)]
struct Composite {
    /// Names and columns; documents without a value are a group, too.
    sources: Vec<(String, usize)>,
    size: usize,
    after: Option<Vec<Value>>,
    inner: Vec<Aggregation>,
}

/// The members of `aggs`; the error is a message for the client.
pub(crate) fn aggregations(asked: &Asked<'_>, json: &Json) -> Result<Vec<Aggregation>, String> {
    if json.members().is_empty() {
        return Err(format!("aggs: {json:?} has no members"));
    }
    let one = |(name, json): &(String, Json)| {
        let kind = kind(asked, json).map_err(|problem| format!("aggs: {name}: {problem}"))?;
        Ok(Aggregation {
            name: name.clone(),
            kind,
        })
    };
    json.members().iter().map(one).collect()
}

fn kind(asked: &Asked<'_>, json: &Json) -> Result<Kind, String> {
    if let Some(composite) = json.member("composite") {
        let others = json.members().iter().map(|(name, _)| name.as_str());
        if let Some(other) = others
            .into_iter()
            .find(|name| !["composite", "aggs"].contains(name))
        {
            return Err(format!("unexpected '{other}' beside composite"));
        }
        let inner = json.member("aggs");
        let inner = inner.map_or(Ok(Vec::new()), |inner| aggregations(asked, inner))?;
        return Ok(Kind::Composite(buckets(asked, composite, inner)?));
    }
    let (kind, inner) = only(json, "an aggregation")?;
    let metric = match kind {
        "filter" => return query(asked, inner).map(Kind::Filter),
        "sum" => Metric::Sum,
        "min" => Metric::Min,
        "max" => Metric::Max,
        other => return Err(format!("unknown aggregation '{other}'")),
    };
    let column = field(asked, inner, &[])?;
    if !asked.table.column_type(column).is_number() {
        return Err(format!("{kind} needs numbers"));
    }
    Ok(Kind::Metric(metric, column))
}

/// The column of `{"field": "a"}`, beside which nothing but `others` may stand.
fn field(asked: &Asked<'_>, json: &Json, others: &[&str]) -> Result<usize, String> {
    let names = json.members().iter().map(|(name, _)| name.as_str());
    if let Some(other) = names
        .into_iter()
        .find(|name| *name != "field" && !others.contains(name))
    {
        return Err(format!("unexpected '{other}' beside a field"));
    }
    match json.member("field") {
        Some(Json::Text(name)) => asked.table.column(name),
        other => Err(format!("{other:?} is no field")),
    }
}

fn buckets(asked: &Asked<'_>, json: &Json, inner: Vec<Aggregation>) -> Result<Composite, String> {
    let Some(Json::List(listed)) = json.member("sources") else {
        return Err("composite needs a list of sources".to_owned());
    };
    let source = |json: &Json| {
        let (name, kind) = only(json, "a source")?;
        let (kind, options) = only(kind, name)?;
        let with_missing = options.member("missing_bucket") == Some(&Json::Bool(true));
        if kind != "terms" || !with_missing {
            return Err(format!(
                "{name}: only terms with missing_bucket are known here"
            ));
        }
        Ok((name.to_owned(), field(asked, options, &["missing_bucket"])?))
    };
    let sources = listed
        .iter()
        .map(source)
        .collect::<Result<Vec<_>, String>>()?;
    let size = json.member("size");
    let size = size.map_or(Ok(DEFAULT_SIZE), |size| count("size", size))?;
    let after = json.member("after");
    let after = after.map(|after| key(asked, &sources, after)).transpose()?;
    Ok(Composite {
        sources,
        size,
        after,
        inner,
    })
}

/// The values of an `after` key.
fn key(asked: &Asked<'_>, sources: &[(String, usize)], json: &Json) -> Result<Vec<Value>, String> {
    let value = |(name, column): &(String, usize)| match json.member(name) {
        None => Err(format!("after lacks '{name}'")),
        Some(Json::Null) => Ok(Value::Null),
        Some(value) => asked.table.column_type(*column).of_json(value),
    };
    if json.members().len() != sources.len() {
        return Err("after has not the members that the sources have".to_owned());
    }
    sources.iter().map(value).collect()
}

/// The member `aggregations` of an answer, over these rows.
pub(crate) fn answer(all: &[Aggregation], table: &Table, rows: &[usize]) -> Member {
    let mut members = Map::new();
    for aggregation in all {
        members.insert(aggregation.name.clone(), aggregation.of(table, rows));
    }
    Member::Object(members)
}

impl Aggregation {
    fn of(&self, table: &Table, rows: &[usize]) -> Member {
        match &self.kind {
            Kind::Metric(metric, column) => {
                let values = rows.iter().map(|row| &table.rows[*row].values[*column]);
                json!({"value": metric.of(values.filter_map(Value::as_float))})
            }
            Kind::Filter(condition) => {
                let passes = |row: &&usize| condition.holds(&table.rows[**row].values, false);
                json!({"doc_count": rows.iter().filter(passes).count()})
            }
            Kind::Composite(composite) => composite.of(table, rows),
        }
    }
}

impl Metric {
    /// Doubles, added in the order of the rows; there is always a sum.
    fn of(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        match self {
            Metric::Sum => Some(values.fold(0.0, |sum, value| sum + value)),
            Metric::Min => values.reduce(f64::min),
            Metric::Max => values.reduce(f64::max),
        }
    }
}

impl Composite {
    fn of(&self, table: &Table, rows: &[usize]) -> Member {
        let mut groups: Vec<(Vec<Value>, Vec<usize>)> = Vec::new();
        for row in rows {
            let values = &table.rows[*row].values;
            let key: Vec<Value> = self
                .sources
                .iter()
                .map(|(_, column)| values[*column].clone())
                .collect();
            match groups
                .iter_mut()
                .find(|(known, _)| order(known, &key).is_eq())
            {
                Some((_, members)) => members.push(*row),
                None => groups.push((key, vec![*row])),
            }
        }
        groups.sort_by(|(one, _), (other, _)| order(one, other));
        let is_new = |key: &[Value]| {
            self.after
                .as_ref()
                .is_none_or(|after| order(key, after).is_gt())
        };
        let shown = groups.iter().filter(|(key, _)| is_new(key)).take(self.size);
        let buckets: Vec<Member> = shown
            .map(|(key, members)| self.bucket(table, key, members))
            .collect();
        match buckets.last().map(|last| last["key"].clone()) {
            Some(after) => json!({"after_key": after, "buckets": buckets}),
            None => json!({"buckets": buckets}),
        }
    }

    fn bucket(&self, table: &Table, key: &[Value], members: &[usize]) -> Member {
        let mut named = Map::new();
        for ((name, _), value) in self.sources.iter().zip(key) {
            // The text of a value is JSON.
            let value = serde_json::from_str(&value.to_json()).unwrap_or(Member::Null);
            named.insert(name.clone(), value);
        }
        let mut bucket = Map::new();
        bucket.insert("key".to_owned(), Member::Object(named));
        bucket.insert("doc_count".to_owned(), json!(members.len()));
        if let Member::Object(inner) = answer(&self.inner, table, members) {
            bucket.extend(inner);
        }
        Member::Object(bucket)
    }
}

/// Keys in their order, what is missing first.
fn order(one: &[Value], other: &[Value]) -> Ordering {
    let compare = |(one, other): (&Value, &Value)| match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (one, other) => one.compare(other, false).unwrap_or(Ordering::Equal),
    };
    one.iter()
        .zip(other)
        .map(compare)
        .fold(Ordering::Equal, Ordering::then)
}

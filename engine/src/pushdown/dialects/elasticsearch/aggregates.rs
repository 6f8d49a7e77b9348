//! Aggregates: `"aggs": {"groups": {"composite": …}}`, and totals: `"track_total_hits": true`.
//!
//! Elasticsearch Guide 8: metric aggregations are doubles; of the bucket aggregations, `composite` counts exactly
//! and can be paged (`after_key`), `terms` does neither.

use super::{Elasticsearch, SOURCE};
use crate::model::{
    BodyKind, Column, FieldPath, Function, Location, Operator, Paging, Role, RowsPath, RowsShape,
    Table, Type,
};
use crate::pushdown::dialects::constant::refuse;
use crate::pushdown::dialects::spelling::Parameter;
use crate::pushdown::dialects::templated::{Aggregating, Family, names};
use crate::pushdown::{Aggregate, AskedBy, Call, may_be_aggregated};
use serde_json::{Map, Value, json};

pub(super) struct Aggregates;

/// Parameters of a search that choose, order or cut hits, or change what a response looks like.
const OTHERS: [&str; 10] = [
    "size",
    "from",
    "sort",
    "aggs",
    "aggregations",
    "_source",
    "terminate_after",
    "track_total_hits",
    "filter_path",
    "typed_keys",
];

/// What the groups' aggregation is called.
const GROUPS: &str = "groups";
/// Groups of a page, where the table does not say.
const PAGE: u64 = 1000;
/// The most buckets of a response, as `search.max_buckets` is configured.
const MAX_BUCKETS: u64 = 65_536;

impl Aggregating for Aggregates {
    fn total(&self, _table: &Table) -> Option<Location> {
        Some(Location::Body(path(&["hits", "total", "value"])))
    }

    fn takes(&self, column: &Column) -> Result<(), String> {
        may_be_aggregated(column)?;
        name(column, Operator::Eq).map(drop)
    }

    fn check(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String> {
        let carries_json = |kind| kind == BodyKind::Json;
        if !table
            .body
            .as_ref()
            .is_some_and(|body| carries_json(body.kind))
        {
            return Err("aggregations go into a body; set option method 'POST'".to_owned());
        }
        refuse(table, &OTHERS)?;
        let columns = |index: &usize| &table.columns[*index];
        aggregate.group.iter().map(columns).try_for_each(groups)?;
        for call in &aggregate.calls {
            if let (Function::Min | Function::Max, Some(index)) = (call.function, call.column) {
                is_double(&table.columns[index])?;
            }
        }
        Ok(())
    }

    fn parameters(&self, table: &Table, aggregate: &Aggregate) -> Result<Vec<Parameter>, String> {
        let no_hits = Parameter::query("size", "0").in_json();
        let all_hits = Parameter::query("track_total_hits", "true").in_json();
        match aggregate.by {
            AskedBy::CountEndpoint => Ok(Vec::new()),
            AskedBy::Total(_) => Ok(vec![no_hits, all_hits]),
            AskedBy::Dialect => {
                let asked = asked(table, aggregate)?.to_string();
                let asked = Parameter::query("aggs", asked).in_json();
                Ok(match aggregate.is_single() {
                    true => vec![no_hits, all_hits, asked],
                    false => vec![no_hits, asked],
                })
            }
        }
    }

    fn answered(&self, _table: &Table, aggregate: &Aggregate, mut answer: Table) -> Table {
        let is_single = aggregate.is_single();
        let (groups, results) = answer.columns.split_at_mut(aggregate.group.len());
        let keys: Vec<String> = groups.iter().map(|column| column.name.clone()).collect();
        for (column, key) in groups.iter_mut().zip(&keys) {
            column.role = Role::Field(FieldPath::Path(path(&["key", key])));
        }
        for (column, call) in results.iter_mut().zip(&aggregate.calls) {
            column.role = Role::Field(FieldPath::Path(place(call, is_single)));
        }
        let answer = Table {
            page_size: None,
            page_size_param: None,
            max_page_size: None,
            ..answer.without_totals()
        };
        if is_single {
            return Table {
                rows: RowsPath::Path(Vec::new()),
                shape: RowsShape::Single,
                ..answer
            };
        }
        Table {
            rows: RowsPath::Path(path(&["aggregations", GROUPS, "buckets"])),
            shape: RowsShape::Objects,
            paging: Paging::AfterKey {
                param: format!("aggs.{GROUPS}.composite.after"),
                at: path(&["aggregations", GROUPS, "after_key"]),
                members: keys,
            },
            keep_params: true,
            ..answer
        }
    }
}

fn path(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Where a result is: in the whole response, or in a bucket.
fn place(call: &Call, is_single: bool) -> Vec<String> {
    let value = match (call.function, call.column) {
        (Function::Count, None) if is_single => return path(&["hits", "total", "value"]),
        (Function::Count, None) => return path(&["doc_count"]),
        (Function::Count, Some(_)) => "doc_count",
        _ => "value",
    };
    match is_single {
        true => path(&["aggregations", &call.name, value]),
        false => path(&[&call.name, value]),
    }
}

/// The aggregations of a request. A source of groups is called as its column is in SQL.
fn asked(table: &Table, aggregate: &Aggregate) -> Result<Value, String> {
    let mut metrics = Map::new();
    for call in &aggregate.calls {
        if let Some(metric) = metric(table, call)? {
            metrics.insert(call.name.clone(), metric);
        }
    }
    if aggregate.is_single() {
        return Ok(Value::Object(metrics));
    }
    let source = |index: &usize| {
        let column = &table.columns[*index];
        let field = name(column, Operator::Eq)?;
        let terms = json!({"terms": {"field": field, "missing_bucket": true}});
        Ok(json!({ column.name.as_str(): terms }))
    };
    let sources = aggregate.group.iter().map(source);
    let sources: Vec<Value> = sources.collect::<Result<_, String>>()?;
    let size = table.page_size.unwrap_or(PAGE).clamp(1, MAX_BUCKETS);
    let composite = json!({"size": size, "sources": sources});
    Ok(match metrics.is_empty() {
        true => json!({ GROUPS: {"composite": composite} }),
        false => json!({ GROUPS: {"composite": composite, "aggs": metrics} }),
    })
}

/// None for rows, which are counted anyway.
fn metric(table: &Table, call: &Call) -> Result<Option<Value>, String> {
    let Some(column) = call.column.map(|index| &table.columns[index]) else {
        return Ok(None);
    };
    let kind = match call.function {
        // Documents with a value, precisely those that `IS NOT NULL` finds.
        Function::Count => {
            let field = name(column, Operator::IsNotNull)?;
            return Ok(Some(json!({"filter": {"exists": {"field": field}}})));
        }
        Function::Min => "min",
        Function::Max => "max",
        Function::Sum | Function::Avg => "sum",
    };
    let field = name(column, Operator::Eq)?;
    Ok(Some(json!({ kind: {"field": field} })))
}

/// The field that a column is: as declared for an operator, else its path.
fn name(column: &Column, operator: Operator) -> Result<String, String> {
    let declared = column
        .filters
        .iter()
        .find(|filter| filter.operator == operator)
        .and_then(|filter| filter.parameter.clone());
    if let Some(name) = declared {
        return Ok(name);
    }
    let segments = match &column.role {
        Role::Field(FieldPath::Default(name)) => vec![name.as_str()],
        Role::Field(FieldPath::Path(segments)) => segments.iter().map(String::as_str).collect(),
        Role::Field(FieldPath::Whole | FieldPath::Key) | Role::Parameter { .. } => Vec::new(),
    };
    // What a hit has beside its document is not aggregated.
    if segments.len() == 1 && segments[0].starts_with('_') || segments == [SOURCE] {
        return names(column, &[]).map(|_| String::new());
    }
    Elasticsearch
        .column_path(column, &segments)
        .map(|path| path.join("."))
}

/// A group's key is written as the document has the value.
fn groups(column: &Column) -> Result<(), String> {
    let is_written_alike = matches!(
        column.ty,
        Type::Text | Type::Uuid | Type::Bool | Type::Int2 | Type::Int4 | Type::Int8
    );
    if is_written_alike && column.format.is_none() {
        return Ok(());
    }
    Err(format!(
        "Elasticsearch may write the values of column \"{}\" in another way as keys of groups",
        column.name
    ))
}

/// Extremes are doubles.
fn is_double(column: &Column) -> Result<(), String> {
    if matches!(column.ty, Type::Int2 | Type::Int4) && column.format.is_none() {
        return Ok(());
    }
    Err(format!(
        "Elasticsearch gives extremes as doubles, which may not be the values of column \"{}\"",
        column.name
    ))
}

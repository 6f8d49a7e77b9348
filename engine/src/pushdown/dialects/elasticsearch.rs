//! `json elasticsearch`: the query DSL, `{"bool": {"filter": […]}}`.
//!
//! What decides verdicts: the field type `date` keeps milliseconds and `keyword` no text longer than its
//! `ignore_above` (256 characters under dynamic mappings); there is no type for uuids. Documentation:
//! Elasticsearch Guide 8, "Field data types" and "Query DSL".

mod aggregates;

use super::quoting::is_unix;
use super::spelling::{Dialect, NullsPlaced, Parameter};
use super::templated::{Aggregating, Document, Family, Literals, names};
use crate::model::{
    Column, FieldPath, Filter, Operator, Paging, Role, SortStyle, Table, Type, Word,
};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::pattern::Pattern;
use crate::request::write;
use serde_json::json;

pub(super) struct Elasticsearch;

impl Family for Elasticsearch {
    fn name(&self) -> &'static str {
        "json elasticsearch"
    }

    /// `must_not` keeps documents without the field, so `exists` stands beside it.
    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => r#"{"term": {"{name}": "{value}"}}"#,
            Word::Ne => {
                r#"{"bool": {"filter": [{"exists": {"field": "{name}"}}], "must_not": [{"term": {"{name}": "{value}"}}]}}"#
            }
            Word::Lt => r#"{"range": {"{name}": {"lt": "{value}"}}}"#,
            Word::Le => r#"{"range": {"{name}": {"lte": "{value}"}}}"#,
            Word::Gt => r#"{"range": {"{name}": {"gt": "{value}"}}}"#,
            Word::Ge => r#"{"range": {"{name}": {"gte": "{value}"}}}"#,
            Word::In => r#"{"terms": {"{name}": "{values}"}}"#,
            Word::NotIn => {
                r#"{"bool": {"filter": [{"exists": {"field": "{name}"}}], "must_not": [{"terms": {"{name}": "{values}"}}]}}"#
            }
            Word::IsNull => r#"{"bool": {"must_not": [{"exists": {"field": "{name}"}}]}}"#,
            Word::IsNotNull => r#"{"exists": {"field": "{name}"}}"#,
            Word::Like => r#"{"wildcard": {"{name}": {"value": "{value}"}}}"#,
            Word::ILike => {
                r#"{"wildcard": {"{name}": {"value": "{value}", "case_insensitive": true}}}"#
            }
            Word::And => r#"{"bool": {"filter": "{arms}"}}"#,
            Word::Or => r#"{"bool": {"should": "{arms}", "minimum_should_match": 1}}"#,
            _ => return None,
        })
    }

    /// Where rows are hits, the document stands in their `_source`.
    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        match path {
            [SOURCE, member @ ..] => names(column, member),
            path => names(column, path),
        }
    }

    fn keeps_rows(
        &self,
        column: &Column,
        operator: Operator,
        filter: &Filter,
    ) -> Result<(), String> {
        use Operator::{Eq, Gt, In, Lt, Ne, NotIn};
        let format = filter.format_of(column);
        match (operator, &column.ty) {
            _ if filter.exact => Ok(()),
            (Gt | Lt | Ne | NotIn, Type::Timestamp | Type::TimestampTz) if !is_unix(format) => Err(
                "Elasticsearch cuts times to milliseconds; declare the filter exact if the API has none finer"
                    .to_owned(),
            ),
            (Eq | In | Ne | NotIn, Type::Uuid | Type::Other) => Err(
                "Elasticsearch compares texts; declare the filter exact if each value has one text only"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn literals(&self) -> Literals {
        Literals::AreLiteral
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("sort", SortStyle::Minus, 8)
    }

    fn value(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let written = write(column, operator, value)?;
        let is_equality = matches!(operator, Operator::Eq | Operator::In);
        let declared = column
            .filters
            .iter()
            .find(|other| other.operator == operator);
        let is_exact = declared.is_some_and(|filter| filter.exact);
        // `ignore_above` counts UTF-16 code units.
        if is_equality && !is_exact && written.text.encode_utf16().count() > IGNORE_ABOVE {
            return Err("Elasticsearch may not have indexed a text of this length".to_owned());
        }
        Ok((written.text, written.widened))
    }

    fn pattern(&self, pattern: &Pattern) -> Result<(String, bool), String> {
        let text = pattern.spelled("*", "?", |literal| {
            let escape = |character: char| match character {
                '*' | '?' | '\\' => vec!['\\', character],
                _ => vec![character],
            };
            Ok(literal.chars().flat_map(escape).collect())
        })?;
        Ok((text, true))
    }
}

/// The length of text that dynamic mappings index.
const IGNORE_ABOVE: usize = 256;

impl Document for Elasticsearch {
    fn filter_param(&self) -> &'static str {
        "query"
    }

    /// `long` is read as such.
    fn integers_are_exact(&self) -> bool {
        true
    }

    /// `missing` says where.
    fn nulls_placed(&self, _column: &Column) -> NullsPlaced {
        NullsPlaced::AsAsked
    }

    fn sorts_by_parameters(&self) -> bool {
        false
    }

    fn takes_fields(&self) -> bool {
        true
    }

    fn aggregating(&self) -> Option<&dyn Aggregating> {
        Some(&aggregates::Aggregates)
    }

    fn order_and_fields(
        &self,
        _dialect: &dyn Dialect,
        table: &Table,
        query: &RemoteQuery,
    ) -> Result<Vec<Parameter>, String> {
        let mut sent = Vec::new();
        let mut keys = Vec::with_capacity(query.order.len());
        for key in &query.order {
            let column = &table.columns[key.column];
            let sort = column
                .sort
                .as_ref()
                .ok_or_else(|| format!("column \"{}\" declares no sort", column.name))?;
            let order = if key.descending { "desc" } else { "asc" };
            let missing = if key.nulls_first { "_first" } else { "_last" };
            keys.push(json!({ sort.name.as_str(): {"order": order, "missing": missing} }));
        }
        if !keys.is_empty() {
            let keys = serde_json::Value::from(keys).to_string();
            sent.push(Parameter::query("sort", keys).in_json());
        }
        if let Some(members) = source_members(table, query) {
            let names = serde_json::Value::from(members).to_string();
            sent.push(Parameter::query("_source", names).in_json());
        }
        Ok(sent)
    }
}

/// The members of the documents that are wanted; `None` where that is all, or none. Where rows are hits, the
/// documents stand in their `_source`; what else a hit has begins with `_` and always comes.
fn source_members<'a>(table: &'a Table, query: &RemoteQuery) -> Option<Vec<&'a str>> {
    let columns = query.fields.as_ref()?.iter();
    let mut fields: Vec<&FieldPath> = columns
        .filter_map(|index| match &table.columns[*index].role {
            Role::Field(field) => Some(field),
            Role::Parameter { .. } => None,
        })
        .collect();
    if let Paging::Keyset { field, .. } = &table.paging {
        fields.push(field);
    }
    let mut members: Vec<&str> = Vec::new();
    for field in fields {
        let member = match field {
            FieldPath::Default(name) => name.as_str(),
            FieldPath::Path(path) if path.first().is_some_and(|first| first == SOURCE) => {
                path.get(1)?
            }
            FieldPath::Path(path) => path.first()?,
            FieldPath::Whole => return None,
            FieldPath::Key => continue,
        };
        if !member.starts_with('_') && !members.contains(&member) {
            members.push(member);
        }
    }
    (!members.is_empty()).then_some(members)
}

/// Where a hit has its document.
const SOURCE: &str = "_source";

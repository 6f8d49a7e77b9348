//! `plain`: a parameter for each filter that a column declares.

use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Column, Table};
use crate::values::Kind;
use serde_json::{Value, json};

pub(super) const DIALECT: Dialect = Dialect {
    name: "plain",
    columns: ALL_COLUMNS,
    serve,
};

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    general_options(random, &mut service);
    paging::draw(random, &mut service, paging::ALL);
    let worse = Worse::draw(random, &mut service);
    if random.percent(40) {
        service.table("recheck", "off");
    }
    let mut filters = Vec::new();
    for column in &table.columns {
        declare(random, &mut service, &mut filters, column, worse);
    }
    service.serve("filters", Value::Array(filters));
    service
}

/// What a column's API compares exactly: the mock API reads a long number as a double, so that `<` may lose rows.
fn operators(column: &Column, worse: Worse) -> (&'static [&'static str], &'static str, bool) {
    const EQUALITY: &[&str] = &["=", "in"];
    const CLOSED: &[&str] = &["=", "in", "<=", ">="];
    const ALL: &[&str] = &["=", "in", "<", "<=", ">", ">="];
    match column.kind {
        Kind::Int8 | Kind::Int4 | Kind::Float8 => (ALL, "number", true),
        Kind::Numeric => (CLOSED, "number", false),
        Kind::Date | Kind::Timestamp | Kind::TimestampTz => (ALL, "time", true),
        Kind::Text | Kind::TextC if worse.ignores_case => (EQUALITY, "text", false),
        Kind::TextC => (ALL, "text", true),
        Kind::Text | Kind::Uuid => (EQUALITY, "text", true),
        Kind::Bool => (&["="], "text", true),
        Kind::Jsonb | Kind::TextArray => (&[], "text", false),
    }
}

fn declare(
    random: &mut Random,
    service: &mut Service,
    filters: &mut Vec<Value>,
    column: &Column,
    worse: Worse,
) {
    let (operators, value_type, is_exact) = operators(column, worse);
    let mut declared = Vec::new();
    for operator in random.some(operators, 60) {
        let parameter = format!("{}{}", column.name, suffix(operator));
        let exact = if is_exact && !worse.ignores_filters && random.percent(60) {
            " exact"
        } else {
            ""
        };
        declared.push(format!("{operator} {parameter}{exact}"));
        filters.push(
            json!({"param": parameter, "field": column.name, "op": operator, "type": value_type}),
        );
    }
    if !declared.is_empty() {
        service.column(&column.name, "filter", declared.join(", "));
    }
}

fn suffix(operator: &str) -> &'static str {
    match operator {
        "=" => "",
        "in" => "_in",
        "<" => "_lt",
        "<=" => "_lte",
        ">" => "_gt",
        _ => "_gte",
    }
}

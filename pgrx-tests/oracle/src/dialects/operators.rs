//! `operators`: an API that the user describes with templates of his own.

use super::declare::{self, Spelled};
use super::plain::{SORTING, operators, suffix};
use super::worse::Worse;
use super::{Dialect, Service, general_options, paging};
use crate::random::Random;
use crate::tables::{ALL_COLUMNS, Table};
use serde_json::{Map, Value, json};

pub(super) const DIALECT: Dialect = Dialect {
    name: "operators",
    columns: ALL_COLUMNS,
    serve,
};

/// How lists are written: in a template, and by the mock API's name.
const LISTS: &[(&str, &str)] = &[
    ("{values:csv}", "csv"),
    ("{values:json}", "json"),
    ("{values:json_csv}", "json_csv"),
    ("{values:repeat}", "repeat"),
];

fn serve(random: &mut Random, table: &Table) -> Service {
    let mut service = Service::default();
    service.table("dialect", "operators");
    general_options(random, &mut service);
    paging::draw(random, &mut service, paging::ALL);
    declare::speak(&mut service, table, "operators", None, declare::path);
    let worse = Worse::draw(random, &mut service, table, declare::path);
    let declared = declare::filters(random, &mut service, table, &worse, operators, |_, _| None);
    let (list, list_name) = *random.pick(LISTS);
    let (single, single_name) = *random.pick(&[("{value}", "csv"), ("{value:json}", "json")]);
    let mut templates = Map::new();
    for (operator, _) in all_operators() {
        let value = match operator {
            "in" | "not_in" => list,
            "is_null" | "is_not_null" => "true",
            "like" | "ilike" => "{value}",
            _ => single,
        };
        templates.insert(
            operator.to_owned(),
            format!("{{name}}{}={value}", suffix(operator)).into(),
        );
    }
    service.table("operators", Value::Object(templates).to_string());
    let filters = declared.into_iter().map(|(column, operator)| {
        let encoding = match operator {
            "in" | "not_in" => list_name,
            "is_null" | "is_not_null" | "like" | "ilike" => "csv",
            _ => single_name,
        };
        json!({"param": format!("{}{}", column.name, suffix(operator)), "field": declare::path(column), "op": operator, "encoding": encoding})
    });
    let filters = filters.collect();
    service.serve("filters", Value::Array(filters));
    declare::sorts(random, &mut service, table, &SORTING);
    declare::field_list(random, &mut service, "fields");
    service
}

fn all_operators() -> Vec<Spelled> {
    let mut all: Vec<Spelled> = Vec::new();
    for plan in ALL_COLUMNS {
        for spelled in operators(plan.kind) {
            if all.iter().all(|(operator, _)| *operator != spelled.0) {
                all.push(*spelled);
            }
        }
    }
    all
}

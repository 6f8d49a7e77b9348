//! What does each dialect's API serve, and what do its foreign tables declare?

mod brackets;
mod declare;
mod flavour;
mod json;
mod jsonapi;
mod liar;
mod odata;
mod operators;
mod paging;
mod plain;
mod postgrest;
mod prometheus;
mod real;
mod search;
mod selectors;
mod sql;
mod suffix;
mod worse;

use crate::random::Random;
use crate::tables::{ColumnPlan, Table};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A dialect and its APIs.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name on the command line.
    pub name: &'static str,
    /// What its tables may have; the key first.
    pub columns: &'static [ColumnPlan],
    /// Draws an API and a foreign table for a table.
    pub serve: fn(&mut Random, &Table) -> Service,
}

/// Who serves a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Api {
    /// The mock API.
    #[default]
    Mock,
    /// json-server.
    JsonServer,
    /// Prometheus.
    Prometheus,
}

/// How a table is served, and how its foreign table is declared.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// Who serves it; one API serves all tables of a world.
    pub api: Api,
    /// Options of the foreign table without which it would be another table, such as an `endpoint` that is not its name.
    pub fixed_options: Vec<(String, String)>,
    /// Its other options.
    pub table_options: Vec<(String, String)>,
    /// Options of its columns.
    pub column_options: BTreeMap<String, Vec<(String, String)>>,
    /// Keys of the mock API's route beside `rows`.
    pub route: Map<String, Value>,
    /// Other routes over the same rows: what follows the table's path, and their keys beside `rows`.
    pub further_routes: Vec<(String, Map<String, Value>)>,
}

impl Service {
    /// Adds an option without which the table would be another one.
    pub fn fixed(&mut self, name: &str, value: impl Into<String>) {
        self.fixed_options.push((name.to_owned(), value.into()));
    }

    /// Adds a table option.
    pub fn table(&mut self, name: &str, value: impl Into<String>) {
        self.table_options.push((name.to_owned(), value.into()));
    }

    /// Adds a column option.
    pub fn column(&mut self, column: &str, name: &str, value: impl Into<String>) {
        let options = self.column_options.entry(column.to_owned()).or_default();
        options.push((name.to_owned(), value.into()));
    }

    /// Sets a member of the route's key `dialect`.
    pub fn dialect(&mut self, member: &str, value: impl Into<Value>) {
        if let Some(dialect) = self.route.get_mut("dialect") {
            dialect[member] = value.into();
        }
    }

    /// Sets a key of the route.
    pub fn serve(&mut self, key: &str, value: impl Into<Value>) {
        self.route.insert(key.to_owned(), value.into());
    }
}

/// Every dialect that the oracle knows.
pub static DIALECTS: &[Dialect] = &[
    plain::DIALECT,
    brackets::STRIPE,
    brackets::STRAPI,
    suffix::DJANGO,
    suffix::NETBOX,
    suffix::JSON_SERVER,
    postgrest::DIALECT,
    odata::DIALECT,
    sql::SOCRATA,
    sql::SELECT,
    json::DIRECTUS,
    json::ELASTICSEARCH,
    jsonapi::DIALECT,
    selectors::DIALECT,
    prometheus::INSTANT,
    prometheus::SERIES,
    search::DIALECT,
    operators::DIALECT,
    real::JSON_SERVER,
    real::PROMETHEUS,
    real::PROMETHEUS_SERIES,
];

/// An API of which the oracle must find out that it lies.
pub static LIAR: Dialect = liar::DIALECT;

/// Options that tables of any dialect may have: costs, and which column is the key.
fn general_options(random: &mut Random, service: &mut Service) {
    if random.percent(60) {
        service.table("key", "id");
    }
    if random.percent(70) {
        service.table("latency", *random.pick(&["0ms", "1ms", "10ms", "1s"]));
    }
    if random.percent(50) {
        service.table(
            "rows_estimate",
            *random.pick(&["1", "20", "1000", "100000"]),
        );
    }
}

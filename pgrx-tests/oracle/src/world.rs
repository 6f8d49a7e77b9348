//! A world: some tables, the API that serves them, their foreign tables and their local copies.

use crate::dialects::{Api, Dialect, Service};
use crate::random::Random;
use crate::tables::{Slot, Table};
use crate::values::quote;
use real_servers::open_metrics::OpenMetrics;
use serde_json::{Map, Value};

/// Some tables and how they are served.
#[derive(Debug, Clone)]
pub struct World {
    /// The tables.
    pub tables: Vec<Table>,
    /// How each of them is served, in the same order.
    pub services: Vec<Service>,
    /// Whether the local copies have statistics.
    is_analyzed: bool,
}

impl World {
    /// The world of a seed.
    pub fn new(random: &mut Random, dialect: &Dialect) -> World {
        let count = random.between(2, 3);
        let tables: Vec<Table> = (0..count)
            .map(|index| Table::random(random, &format!("t{index}"), dialect.columns))
            .collect();
        let services = services(random, dialect, &tables);
        World {
            tables,
            services,
            is_analyzed: random.percent(70),
        }
    }

    /// The world of the corpus: six tables with all columns; the keys of the second and the fourth are above 1000.
    pub fn for_corpus(random: &mut Random, dialect: &Dialect) -> World {
        let table = |index: usize, random: &mut Random| {
            let first = if index == 1 || index == 3 { 1001 } else { 1 };
            Table::complete(random, &format!("t{index}"), dialect.columns, first)
        };
        let tables: Vec<Table> = (0..6).map(|index| table(index, random)).collect();
        let services = services(random, dialect, &tables);
        World {
            tables,
            services,
            is_analyzed: true,
        }
    }

    /// The same world, whose foreign tables are declared without some options.
    #[must_use]
    pub fn without(mut self, options: &[String]) -> World {
        for service in &mut self.services {
            service
                .table_options
                .retain(|(name, _)| !options.contains(name));
            for given in service.column_options.values_mut() {
                given.retain(|(name, _)| !options.contains(name));
            }
        }
        self
    }

    /// Who serves it.
    pub fn api(&self) -> Api {
        self.services
            .first()
            .map_or(Api::Mock, |service| service.api)
    }

    /// The tables as json-server takes them: an object of arrays of rows.
    pub fn documents(&self) -> String {
        let tables = self.tables.iter().map(|table| {
            format!(
                "{}: {}",
                Value::from(table.name.as_str()),
                table.rows_json()
            )
        });
        format!("{{{}}}", tables.collect::<Vec<_>>().join(", "))
    }

    /// The tables as metrics of their names: a row is a series, whose sample is 1 at [`SAMPLED_AT`].
    pub fn metrics(&self) -> OpenMetrics {
        let mut metrics = OpenMetrics::new();
        for table in self.tables.iter().filter(|table| !table.rows.is_empty()) {
            let rows = table
                .rows
                .iter()
                .map(|row| (labels(table, row), 1.0, SAMPLED_AT));
            metrics.metric(&table.name, rows);
        }
        metrics
    }

    /// The scenario of the mock API.
    pub fn scenario(&self) -> String {
        let mut routes = Vec::new();
        for (table, service) in self.tables.iter().zip(&self.services) {
            let rows = table.rows_json();
            routes.push(route(&format!("/{}", table.name), &rows, &service.route));
            for (path, keys) in &service.further_routes {
                routes.push(route(&format!("/{}{path}", table.name), &rows, keys));
            }
        }
        format!("{{\"routes\": {{{}}}}}", routes.join(","))
    }

    /// Statements that make the schemas `loc` and `ext` with the tables, in place of those of another world.
    pub fn ddl(&self, base_url: &str) -> String {
        let mut sql = format!(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS loc, ext CASCADE; DROP SERVER IF EXISTS api CASCADE; \
             CREATE SCHEMA loc; CREATE SCHEMA ext; \
             CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url {}, max_retries '0');\n",
            quote(base_url)
        );
        for (table, service) in self.tables.iter().zip(&self.services) {
            sql += &local_table(table);
            sql += &foreign_table(table, service);
            if self.is_analyzed {
                sql += &format!("ANALYZE loc.{};\n", table.name);
            }
        }
        sql
    }
}

/// Draws how each table is served.
fn services(random: &mut Random, dialect: &Dialect, tables: &[Table]) -> Vec<Service> {
    tables
        .iter()
        .map(|table| (dialect.serve)(random, table))
        .collect()
}

/// When all samples of a world were taken, in seconds since 1970: 2024-02-29.
pub const SAMPLED_AT: f64 = 1_709_208_000.0;

/// A row's labels: a column's field ends with the label's name.
fn labels<'a>(table: &'a Table, row: &'a [Slot]) -> Vec<(&'a str, &'a str)> {
    let slots = table.columns.iter().zip(row);
    let labels = slots.filter_map(|(column, slot)| match slot {
        Slot::Value(value) => Some((column.field.last()?.as_str(), value.as_str())),
        Slot::Missing | Slot::Null => None,
    });
    labels.collect()
}

fn route(path: &str, rows: &str, keys: &Map<String, Value>) -> String {
    let mut route = format!("{}: {{\"rows\": {rows}", Value::from(path));
    for (key, value) in keys {
        route += &format!(", {}: {value}", Value::from(key.as_str()));
    }
    route + "}"
}

fn local_table(table: &Table) -> String {
    let columns = table
        .columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.kind.definition()));
    let mut sql = format!(
        "CREATE TABLE loc.{} ({});\n",
        table.name,
        columns.collect::<Vec<_>>().join(", ")
    );
    let rows: Vec<String> = table.rows.iter().map(|row| row_sql(row)).collect();
    if !rows.is_empty() {
        sql += &format!(
            "INSERT INTO loc.{} VALUES {};\n",
            table.name,
            rows.join(",\n ")
        );
    }
    sql
}

fn row_sql(row: &[Slot]) -> String {
    let values = row.iter().map(|slot| match slot {
        Slot::Missing | Slot::Null => "NULL".to_owned(),
        Slot::Value(value) => quote(value),
    });
    format!("({})", values.collect::<Vec<_>>().join(", "))
}

/// The foreign table's definition.
pub fn foreign_table(table: &Table, service: &Service) -> String {
    let columns = table.columns.iter().enumerate().map(|(index, column)| {
        let given = service
            .column_options
            .get(&column.name)
            .map_or(&[][..], Vec::as_slice);
        let not_null = if index == 0 { " NOT NULL" } else { "" };
        // The grammar wants the options between the type and its constraints and collation.
        let (type_name, collate) = column.kind.definition().split_once(" COLLATE ").map_or(
            (column.kind.definition(), String::new()),
            |(name, collation)| (name, format!(" COLLATE {collation}")),
        );
        format!(
            "{} {type_name}{}{collate}{not_null}",
            column.name,
            options(given)
        )
    });
    let columns: Vec<String> = columns.collect();
    let mut given = service.fixed_options.clone();
    if !given.iter().any(|(name, _)| name == "endpoint") {
        given.push(("endpoint".to_owned(), format!("/{}", table.name)));
    }
    given.extend(service.table_options.iter().cloned());
    format!(
        "CREATE FOREIGN TABLE ext.{} (\n  {}\n) SERVER api{};\n",
        table.name,
        columns.join(",\n  "),
        options(&given)
    )
}

fn options(given: &[(String, String)]) -> String {
    if given.is_empty() {
        return String::new();
    }
    let options = given
        .iter()
        .map(|(name, value)| format!("{name} {}", quote(value)));
    format!(" OPTIONS ({})", options.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::DIALECTS;

    fn has(given: &[(String, String)], option: &str) -> bool {
        given.iter().any(|(name, _)| name == option)
    }

    #[test]
    fn a_table_that_says_how_orders_are_written_has_a_column_to_order_by() {
        for dialect in DIALECTS {
            for seed in 0..200 {
                let world = World::new(&mut Random::new(seed), dialect);
                for service in &world.services {
                    let mut columns = service.column_options.values();
                    assert!(
                        !has(&service.table_options, "sort_param")
                            || columns.any(|given| has(given, "sort")),
                        "dialect {}, seed {seed}",
                        dialect.name
                    );
                }
            }
        }
    }
}

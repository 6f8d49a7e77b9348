//! How much longer it takes to plan a query over a foreign table than over a local one.

use postgres::{Client, SimpleQueryMessage};
use std::error::Error;
use std::time::Duration;

const ROUNDS: usize = 500;

/// Columns of a type each, twenty in all; the foreign table filters on every one.
const TYPES: [&str; 4] = ["bigint", "text", "timestamptz", "numeric"];
const COLUMNS: usize = 20;

/// Conditions on ten columns.
const CONDITIONS: &str =
    "c0 = 1 AND c1 = 'one' AND c2 >= '2026-01-01' AND c3 < 10.5 AND c4 IN (1, 2, 3)
    AND c5 = 'two' AND c6 < '2027-01-01' AND c7 >= 0.5 AND c8 > 7 AND c9 LIKE 'three%'";

/// Planning times, shortest first.
pub struct Planning {
    /// Of the local table.
    pub local: Vec<Duration>,
    /// Of the foreign table.
    pub foreign: Vec<Duration>,
}

/// Creates the tables, for the server `api`, and plans the same query over both in turns.
pub fn measure(client: &mut Client) -> Result<Planning, Box<dyn Error>> {
    let columns = |options: &str| {
        let column = |index| format!("c{index} {}{options}", TYPES[index % TYPES.len()]);
        (0..COLUMNS).map(column).collect::<Vec<_>>().join(", ")
    };
    client.batch_execute(&format!(
        "CREATE TABLE planned_locally ({});
         CREATE FOREIGN TABLE planned ({}) SERVER api OPTIONS (endpoint '/planned', pagination 'page')",
        columns(""),
        columns(" OPTIONS (filter '=, >=, <=, in')")
    ))?;
    let mut planning = Planning {
        local: Vec::new(),
        foreign: Vec::new(),
    };
    // The first of each reads the catalog into the backend's caches.
    planning_time(client, "planned_locally")?;
    planning_time(client, "planned")?;
    for _ in 0..ROUNDS {
        planning
            .local
            .push(planning_time(client, "planned_locally")?);
        planning.foreign.push(planning_time(client, "planned")?);
    }
    planning.local.sort();
    planning.foreign.sort();
    Ok(planning)
}

/// What `EXPLAIN` says of a query over `table`.
fn planning_time(client: &mut Client, table: &str) -> Result<Duration, Box<dyn Error>> {
    let sql = format!("EXPLAIN (SUMMARY) SELECT * FROM {table} WHERE {CONDITIONS}");
    let messages = client.simple_query(&sql)?;
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let milliseconds: f64 = lines
        .filter_map(|line| line.strip_prefix("Planning Time: ")?.strip_suffix(" ms"))
        .next_back()
        .ok_or("EXPLAIN says no planning time")?
        .parse()?;
    Ok(Duration::from_secs_f64(milliseconds / 1000.0))
}

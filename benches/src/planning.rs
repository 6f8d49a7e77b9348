//! How much longer it takes to plan a query over a foreign table than over a local one.

use crate::place::Place;
use crate::section::{Comparison, Section};
use crate::turns::{self, Subject};
use postgres::{Client, SimpleQueryMessage};
use std::cell::RefCell;
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

/// Times the planning of the same query over both.
pub fn measure(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    let columns = |options: &str| {
        let column = |index| format!("c{index} {}{options}", TYPES[index % TYPES.len()]);
        (0..COLUMNS).map(column).collect::<Vec<_>>().join(", ")
    };
    client.borrow_mut().batch_execute(&format!(
        "CREATE TABLE planned_locally ({});
         CREATE FOREIGN TABLE planned ({}) SERVER api OPTIONS (endpoint '/planned', pagination 'page')",
        columns(""),
        columns(" OPTIONS (filter '=, >=, <=, in')")
    ))?;
    let subject = |name: &str, table: &'static str| {
        let client = &client;
        Subject::timing_itself(name, move || planning_time(&mut client.borrow_mut(), table))
    };
    let timings = turns::time(
        ROUNDS,
        vec![
            subject("local table", "planned_locally"),
            subject("foreign table", "planned"),
        ],
    )?;
    Ok(Section {
        title: "Planning",
        about:
            "A query over one table of 20 columns with 10 clauses, as `EXPLAIN (SUMMARY)` tells."
                .to_owned(),
        timings,
        comparisons: vec![Comparison::more(1, 0, 1)],
        figures: Vec::new(),
        plot: None,
    })
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

//! What is printed about a mismatch?

use crate::check::{Verdict, check};
use crate::query::Statement;
use crate::session::{Outcome, PLACES, Place};
use crate::stage::Stage;
use crate::world::{World, foreign_table};
use std::fmt::Write;

/// The lines of a server's log that are shown after a crash.
const LOG_LINES: usize = 40;

/// Describes a mismatch, as small as it became. The world must be set.
///
/// # Errors
/// The server does not come back after a crash.
pub fn describe(stage: &mut Stage, world: &World, statement: &Statement) -> Result<String, String> {
    let sql = statement.sql();
    let mut text = format!("statement: {sql}\n{}", served(world, &sql));
    stage.take_requests()?;
    let mut crashed = false;
    for place in PLACES {
        let outcome = stage.sessions.run(place, &sql)?;
        crashed |= matches!(outcome, Outcome::Lost(_));
        let _ = writeln!(text, "\n{}: {}", name(place), shown(&outcome));
        if place != Place::Local {
            let _ = writeln!(
                text,
                "  requests: {}",
                stage.take_requests()?.join("\n            ")
            );
        }
    }
    for place in [Place::On, Place::Off] {
        let _ = writeln!(text, "\n{}", explained(stage, statement, place)?);
    }
    if crashed {
        text += &server_log();
    }
    Ok(text)
}

/// The tables that a statement reads: how they are declared and served, and their rows.
fn served(world: &World, sql: &str) -> String {
    let mut text = String::new();
    let used = |name: &str| sql.contains(name);
    for (table, service) in world
        .tables
        .iter()
        .zip(&world.services)
        .filter(|(table, _)| used(&table.name))
    {
        let _ = write!(text, "\n{}", foreign_table(table, service));
        let route: Vec<String> = service
            .route
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        let _ = writeln!(
            text,
            "route: {}\nrows: {}",
            route.join(", "),
            table.rows_json()
        );
    }
    text
}

/// What came of a statement in each place, shortened.
pub fn side_by_side(outcomes: &[Outcome; 3]) -> String {
    let lines = PLACES.iter().zip(outcomes);
    let lines = lines.map(|(place, outcome)| format!("{}: {}\n", name(*place), shown(outcome)));
    lines.collect()
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Local => "local copy",
        Place::On => "pushdown on",
        Place::Off => "pushdown off",
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rows(results) => {
            let results = results.iter().map(|rows| {
                let first: Vec<&str> = rows.iter().take(20).map(String::as_str).collect();
                format!("{} rows\n  {}", rows.len(), first.join("\n  "))
            });
            results.collect::<Vec<_>>().join("\n ")
        }
        Outcome::Error(error) => format!("error {error}"),
        Outcome::Lost(error) => format!("CONNECTION LOST: {error}"),
    }
}

fn explained(stage: &mut Stage, statement: &Statement, place: Place) -> Result<String, String> {
    let settings: String = statement
        .settings
        .iter()
        .map(|(name, value)| format!("SET LOCAL {name} = '{value}'; "))
        .collect();
    let sql = format!(
        "{settings}EXPLAIN (VERBOSE, COSTS OFF) {}",
        statement.inlined(0)
    );
    Ok(match stage.sessions.run(place, &sql)? {
        Outcome::Rows(results) => {
            let lines = results.concat();
            let lines = lines
                .iter()
                .map(|line| line.trim_start_matches('‹').trim_end_matches('›'));
            lines.collect::<Vec<_>>().join("\n")
        }
        Outcome::Error(error) | Outcome::Lost(error) => format!("EXPLAIN fails: {error}"),
    })
}

/// The end of the log of `scripts/cluster.sh`'s server, which stands beside its socket.
pub fn server_log() -> String {
    let Some(folder) = std::env::var_os("PGHOST") else {
        return String::new();
    };
    let path = std::path::Path::new(&folder).join("server.log");
    let Ok(log) = std::fs::read_to_string(&path) else {
        return String::new();
    };
    let lines: Vec<&str> = log.lines().collect();
    let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
    format!("\nthe end of {}:\n{}\n", path.display(), end.join("\n"))
}

/// Whether the mismatch can still be seen.
///
/// # Errors
/// The server does not come back after a crash.
pub fn is_repeatable(stage: &mut Stage, statement: &Statement) -> Result<bool, String> {
    Ok(matches!(
        check(&mut stage.sessions, statement)?,
        Verdict::Mismatch(_)
    ))
}

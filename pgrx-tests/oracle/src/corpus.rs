//! The fixed corpus: shapes of queries after the sections of postgres_fdw's own regression suite, over tables of ours.
//!
//! A file of `corpus/` has blocks with empty lines between them. A block is one or several statements; the line
//! `-- ordered` above it says that the order of its rows is compared too. An error everywhere is a failure here: the
//! corpus has no statements that should fail.

use crate::check::{Verdict, judge};
use crate::dialects::Dialect;
use crate::random::Random;
use crate::session::{Outcome, Place, Sessions};
use crate::stage::Stage;
use crate::values::Kind;
use crate::world::World;

const SETUP: &str = include_str!("../corpus/setup.sql");

const FILES: &[(&str, &str)] = &[
    ("01_simple", include_str!("../corpus/01_simple.sql")),
    ("02_conditions", include_str!("../corpus/02_conditions.sql")),
    ("03_joins", include_str!("../corpus/03_joins.sql")),
    ("04_parameters", include_str!("../corpus/04_parameters.sql")),
    ("05_aggregates", include_str!("../corpus/05_aggregates.sql")),
    (
        "06_sub_queries",
        include_str!("../corpus/06_sub_queries.sql"),
    ),
    ("07_windows", include_str!("../corpus/07_windows.sql")),
    ("08_orders", include_str!("../corpus/08_orders.sql")),
    ("09_cursors", include_str!("../corpus/09_cursors.sql")),
    (
        "10_views_and_partitions",
        include_str!("../corpus/10_views_and_partitions.sql"),
    ),
    ("11_types", include_str!("../corpus/11_types.sql")),
];

/// The columns that the corpus names.
const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Int8),
    ("i4", Kind::Int4),
    ("i8", Kind::Int8),
    ("f8", Kind::Float8),
    ("n", Kind::Numeric),
    ("b", Kind::Bool),
    ("t", Kind::Text),
    ("c", Kind::TextC),
    ("u", Kind::Uuid),
    ("d", Kind::Date),
    ("ts", Kind::Timestamp),
    ("tz", Kind::TimestampTz),
];

/// Failures of a dialect that are printed.
const SHOWN: usize = 5;

/// A block of a corpus file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    file: &'static str,
    number: usize,
    sql: String,
    is_ordered: bool,
}

/// What the corpus came to.
#[derive(Debug, Default)]
pub struct CorpusTally {
    /// Runs of blocks: each block runs twice.
    pub runs: usize,
    /// Runs that did not return the same everywhere, or failed everywhere.
    pub failures: usize,
}

/// Whether a dialect's tables have the columns that the corpus needs.
pub fn fits(dialect: &Dialect) -> bool {
    let has = |name: &str, kind: Kind| {
        dialect
            .columns
            .iter()
            .any(|column| column.name == name && column.kind == kind)
    };
    COLUMNS.iter().all(|(name, kind)| has(name, *kind))
}

/// Runs every block on a world of the dialect, as it is and once more under generic plans; prints what fails.
///
/// # Errors
/// Tables are refused, or the server is gone.
pub fn run(
    stage: &mut Stage,
    dialect: &Dialect,
    seed: u64,
    without: &[String],
) -> Result<CorpusTally, String> {
    let world = World::for_corpus(&mut Random::new(seed), dialect).without(without);
    stage
        .set(&world)
        .map_err(|error| format!("dialect {}, seed {seed}: {error}", dialect.name))?;
    for place in [Place::Local, Place::On] {
        match stage.sessions.run(place, SETUP)? {
            Outcome::Rows(_) => {}
            Outcome::Error(error) | Outcome::Lost(error) => {
                return Err(format!("corpus/setup.sql: {error}"));
            }
        }
    }
    let mut tally = CorpusTally::default();
    for block in FILES.iter().flat_map(|(file, text)| blocks(file, text)) {
        for script in [as_it_is(&block), generic(&block)] {
            tally.runs += 1;
            let outcomes = run_everywhere(&mut stage.sessions, &block, &script)?;
            if let Some(problem) = problem(&outcomes) {
                tally.failures += 1;
                if tally.failures <= SHOWN {
                    println!(
                        "CORPUS {}, block {}, dialect {}, seed {seed}: {problem}\n{script}\n{}",
                        block.file,
                        block.number,
                        dialect.name,
                        crate::report::side_by_side(&outcomes)
                    );
                }
            }
        }
    }
    Ok(tally)
}

fn blocks(file: &'static str, text: &str) -> Vec<Block> {
    let blocks = text
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty());
    let block = |(index, text): (usize, &str)| {
        let (is_ordered, sql) = match text.strip_prefix("-- ordered\n") {
            Some(sql) => (true, sql),
            None => (false, text),
        };
        Block {
            file,
            number: index + 1,
            sql: sql.to_owned(),
            is_ordered,
        }
    };
    blocks.enumerate().map(block).collect()
}

fn as_it_is(block: &Block) -> String {
    format!("DEALLOCATE ALL; {}", block.sql)
}

/// The block under generic plans: a single query is prepared first, and runs twice.
fn generic(block: &Block) -> String {
    let set = "DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; ";
    let reset = "; RESET plan_cache_mode";
    let is_one_query = !block.sql.contains(';');
    if is_one_query {
        format!(
            "{set}PREPARE corpus AS {}; EXECUTE corpus; EXECUTE corpus{reset}",
            block.sql
        )
    } else {
        format!("{set}{}{reset}", block.sql)
    }
}

fn run_everywhere(
    sessions: &mut Sessions,
    block: &Block,
    script: &str,
) -> Result<[Outcome; 3], String> {
    let outcomes = sessions.run_everywhere(script)?;
    // A script that failed half-way may have left its transaction open.
    if outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Error(_)))
    {
        sessions.run_everywhere("ROLLBACK")?;
    }
    Ok(outcomes.map(|outcome| outcome.normalised(block.is_ordered, false)))
}

fn problem(outcomes: &[Outcome; 3]) -> Option<&'static str> {
    match judge(outcomes.clone()) {
        Verdict::Same(_) => None,
        Verdict::Errors => Some("an error everywhere"),
        Verdict::Mismatch(_) => Some("not the same everywhere"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn blocks_are_told_apart() {
        let found = blocks(
            "x",
            "SELECT 1\n\n-- ordered\nSELECT 2\nFROM t\n\n\nSELECT 3\n",
        );
        let found: Vec<_> = found
            .iter()
            .map(|block| (block.sql.as_str(), block.is_ordered))
            .collect();
        assert_eq!(
            found,
            [
                ("SELECT 1", false),
                ("SELECT 2\nFROM t", true),
                ("SELECT 3", false)
            ]
        );
    }

    #[test]
    fn the_corpus_is_as_large_as_promised() {
        let count: usize = FILES
            .iter()
            .map(|(file, text)| blocks(file, text).len())
            .sum();
        assert!(count >= 150, "{count} blocks");
    }
}

//! How is a mismatch made small enough to be understood?

use crate::check::{Verdict, check};
use crate::query::Statement;
use crate::session::Outcome;
use crate::stage::Stage;
use crate::tables::Slot;
use crate::world::World;
use std::time::{Duration, Instant};

/// How long one mismatch may be made smaller.
const PATIENCE: Duration = Duration::from_secs(60);

/// Table options that a table does without and still is declared truly.
const OPTIONAL: &[&str] = &[
    "key",
    "latency",
    "rows_estimate",
    "recheck",
    "max_list_size",
    "max_url_length",
    "max_sort_keys",
    "fields_param",
    "entity_endpoint",
    "aggregates",
    "total_field",
    "total_header",
];

/// A mismatch that is being made smaller.
pub struct Shrink<'a> {
    stage: &'a mut Stage,
    /// The tables, as small as they have become.
    pub world: World,
    /// The statement, as small as it has become.
    pub statement: Statement,
    started: Instant,
    /// What was wrong with the statement as it was found: reductions that are wrong in another way are another fault.
    fault: Option<Fault>,
}

impl<'a> Shrink<'a> {
    /// Begins with what failed; the world must be set.
    pub fn new(stage: &'a mut Stage, world: World, statement: Statement) -> Shrink<'a> {
        Shrink {
            stage,
            world,
            statement,
            started: Instant::now(),
            fault: None,
        }
    }

    /// Makes the statement smaller, then the tables, then the statement once more.
    ///
    /// # Errors
    /// The server does not come back after a crash.
    pub fn run(&mut self) -> Result<(), String> {
        if let Verdict::Mismatch(outcomes) = check(&mut self.stage.sessions, &self.statement)? {
            self.fault = Some(Fault::of(&outcomes));
        }
        self.shrink_statement()?;
        for table in 0..self.world.tables.len() {
            self.shrink_rows(table)?;
        }
        for table in 0..self.world.tables.len() {
            self.shrink_options(table)?;
        }
        for table in 0..self.world.tables.len() {
            self.shrink_slots(table)?;
        }
        self.stage.set(&self.world)?;
        self.shrink_statement()?;
        self.stage.set(&self.world)
    }

    /// Whether a statement fails as the one that was found.
    fn fails(&mut self, statement: &Statement) -> Result<bool, String> {
        Ok(match check(&mut self.stage.sessions, statement)? {
            Verdict::Mismatch(outcomes) => Some(Fault::of(&outcomes)) == self.fault,
            Verdict::Same(_) | Verdict::Errors => false,
        })
    }

    fn is_out_of_time(&self) -> bool {
        self.started.elapsed() > PATIENCE
    }

    fn shrink_statement(&mut self) -> Result<(), String> {
        'again: while !self.is_out_of_time() {
            for smaller in self.statement.reductions() {
                if self.is_out_of_time() {
                    break 'again;
                }
                if self.fails(&smaller)? {
                    self.statement = smaller;
                    continue 'again;
                }
            }
            break;
        }
        Ok(())
    }

    /// Keeps a smaller world if the statement still fails in it.
    fn keep_if_failing(&mut self, world: World) -> Result<bool, String> {
        // An option may need another one: then the tables are refused.
        if self.stage.set(&world).is_err() {
            return Ok(false);
        }
        let statement = self.statement.clone();
        let fails = self.fails(&statement)?;
        if fails {
            self.world = world;
        }
        Ok(fails)
    }

    /// Drops runs of rows, each half as long as the one before.
    fn shrink_rows(&mut self, table: usize) -> Result<(), String> {
        let mut length = self.world.tables[table].rows.len();
        while length > 0 {
            let mut start = 0;
            while start < self.world.tables[table].rows.len() && !self.is_out_of_time() {
                let mut world = self.world.clone();
                let rows = &mut world.tables[table].rows;
                let end = rows.len().min(start + length);
                rows.drain(start..end);
                if !self.keep_if_failing(world)? {
                    start += length;
                }
            }
            length /= 2;
        }
        Ok(())
    }

    fn shrink_options(&mut self, table: usize) -> Result<(), String> {
        for option in OPTIONAL {
            let mut world = self.world.clone();
            let options = &mut world.services[table].table_options;
            let before = options.len();
            options.retain(|(name, _)| name != option);
            if options.len() < before && !self.is_out_of_time() {
                self.keep_if_failing(world)?;
            }
        }
        let columns = self.world.services[table].column_options.keys();
        for column in columns.cloned().collect::<Vec<_>>() {
            let mut world = self.world.clone();
            if let Some(options) = world.services[table].column_options.get_mut(&column) {
                options.retain(|(name, _)| name == "field");
            }
            // A dialect may filter on columns that declare nothing, though this API does not: then another fault shows.
            self.keep_if_failing(world)?;
        }
        Ok(())
    }

    fn shrink_slots(&mut self, table: usize) -> Result<(), String> {
        let (rows, columns) = (
            self.world.tables[table].rows.len(),
            self.world.tables[table].columns.len(),
        );
        for column in 1..columns {
            if self.is_out_of_time() {
                return Ok(());
            }
            let mut world = self.world.clone();
            (0..rows).for_each(|row| world.tables[table].rows[row][column] = Slot::Missing);
            self.keep_if_failing(world)?;
        }
        Ok(())
    }
}

/// In which way places disagree.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// Rows, error or crash, in each place.
    kinds: [std::mem::Discriminant<Outcome>; 3],
    /// Whether each place agrees with the local copy.
    agrees: [bool; 3],
}

impl Fault {
    fn of(outcomes: &[Outcome; 3]) -> Fault {
        Fault {
            kinds: outcomes.each_ref().map(std::mem::discriminant),
            agrees: outcomes
                .each_ref()
                .map(|outcome| outcome.agrees(&outcomes[0])),
        }
    }
}

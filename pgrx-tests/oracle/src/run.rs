//! How many statements run, on which worlds, and what is made of a mismatch?

use crate::check::{Verdict, check};
use crate::dialects::Dialect;
use crate::query::Generator;
use crate::random::Random;
use crate::report::{describe, is_repeatable};
use crate::shrink::Shrink;
use crate::stage::Stage;
use crate::world::World;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Statements on one world.
pub const QUERIES_A_WORLD: u64 = 50;

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub enum Extent {
    /// So many statements of each dialect.
    Queries(u64),
    /// So long.
    For(Duration),
    /// Until something is found.
    UntilFailure,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Statements that ran.
    pub queries: AtomicU64,
    /// Of them, those that are an error everywhere.
    pub errors: AtomicU64,
    /// Of them, those that returned rows.
    pub with_rows: AtomicU64,
    /// Requests that the API received.
    pub requests: AtomicU64,
    /// Different requests of each world: many, if conditions are sent.
    pub different: AtomicU64,
    /// Mismatches.
    pub mismatches: AtomicU64,
    /// Milliseconds that the statements took in each place.
    pub spent: [AtomicU64; 3],
    stop: AtomicBool,
    next_world: AtomicU64,
}

impl Tally {
    fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// Whether something was wrong.
    pub fn has_failed(&self) -> bool {
        self.mismatches.load(Ordering::Relaxed) > 0
    }
}

/// One dialect's run, which several threads share.
pub struct Run<'a> {
    /// The dialect.
    pub dialect: &'a Dialect,
    /// World 0 has this seed, world n has this seed plus n.
    pub seed: u64,
    /// How long.
    pub extent: Extent,
    /// Options that foreign tables are not declared with.
    pub without: &'a [String],
    /// Whether each statement is printed before it runs.
    pub shows: bool,
    /// Mismatches after which it stops.
    pub patience: u64,
    /// What came of it so far.
    pub tally: Tally,
    /// When it began.
    pub started: Instant,
}

impl Run<'_> {
    /// Plays worlds on a stage until the run is over.
    ///
    /// # Errors
    /// Tables are refused, or the server is gone.
    pub fn play(&self, stage: &mut Stage) -> Result<(), String> {
        loop {
            let world = self.tally.next_world.fetch_add(1, Ordering::Relaxed);
            if !self.goes_on(world) {
                return Ok(());
            }
            let result = self.play_world(
                stage,
                self.seed.wrapping_add(world),
                self.statements_of(world),
            );
            if let Err(error) = result {
                self.tally.stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
    }

    fn goes_on(&self, world: u64) -> bool {
        if self.tally.stop.load(Ordering::Relaxed)
            || self.tally.mismatches.load(Ordering::Relaxed) >= self.patience
        {
            return false;
        }
        match self.extent {
            Extent::Queries(count) => world * QUERIES_A_WORLD < count,
            Extent::For(duration) => self.started.elapsed() < duration,
            Extent::UntilFailure => !self.tally.has_failed(),
        }
    }

    fn statements_of(&self, world: u64) -> u64 {
        match self.extent {
            Extent::Queries(count) => QUERIES_A_WORLD.min(count - world * QUERIES_A_WORLD),
            Extent::For(_) | Extent::UntilFailure => QUERIES_A_WORLD,
        }
    }

    fn play_world(&self, stage: &mut Stage, seed: u64, statements: u64) -> Result<(), String> {
        let mut random = Random::new(seed);
        let world = World::new(&mut random, self.dialect).without(self.without);
        stage
            .set(&world)
            .map_err(|error| format!("dialect {}, seed {seed}: {error}", self.dialect.name))?;
        for index in 0..statements {
            let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(index));
            let statement = Generator::new(&mut random, &world.tables).statement();
            Tally::add(&self.tally.queries, 1);
            if self.shows {
                println!("{};", statement.sql());
            }
            match check(&mut stage.sessions, &statement)? {
                Verdict::Same(0) => {}
                Verdict::Same(_) => Tally::add(&self.tally.with_rows, 1),
                Verdict::Errors => Tally::add(&self.tally.errors, 1),
                Verdict::Mismatch(_) => {
                    Tally::add(&self.tally.mismatches, 1);
                    let text = investigate(stage, &world, statement)?;
                    println!("\n{}\n{text}", self.title(seed, index));
                    stage.set(&world)?;
                }
            }
            if self.tally.mismatches.load(Ordering::Relaxed) >= self.patience {
                break;
            }
        }
        for (total, spent) in self.tally.spent.iter().zip(stage.sessions.take_spent()) {
            Tally::add(total, spent.as_millis() as u64);
        }
        let requests = stage.take_requests()?;
        let different: HashSet<&String> = requests.iter().collect();
        Tally::add(&self.tally.requests, requests.len() as u64);
        Tally::add(&self.tally.different, different.len() as u64);
        Ok(())
    }

    /// Where a mismatch was found, and how to find it again.
    fn title(&self, seed: u64, index: u64) -> String {
        let dialect = self.dialect.name;
        format!(
            "MISMATCH in dialect {dialect}, statement {index} of the world with seed {seed}; to repeat: --dialect {dialect} --seed {seed} --queries {}",
            index + 1
        )
    }

    /// The run in one line.
    pub fn summary(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.tally;
        let seconds = self.started.elapsed().as_secs_f64();
        format!(
            "dialect {}: {} queries ({} with rows, {} errors everywhere), {} mismatches, {} requests ({} different), {:.0} queries/s (local {} ms, on {} ms, off {} ms)",
            self.dialect.name,
            count(&tally.queries),
            count(&tally.with_rows),
            count(&tally.errors),
            count(&tally.mismatches),
            count(&tally.requests),
            count(&tally.different),
            count(&tally.queries) as f64 / seconds,
            count(&tally.spent[0]),
            count(&tally.spent[1]),
            count(&tally.spent[2])
        )
    }
}

/// Makes a mismatch small and describes it.
fn investigate(
    stage: &mut Stage,
    world: &World,
    statement: crate::query::Statement,
) -> Result<String, String> {
    let original = statement.sql();
    if !is_repeatable(stage, &statement)? {
        let text = describe(stage, world, &statement)?;
        return Ok(format!(
            "it does not happen again with the same statement\n{text}"
        ));
    }
    let mut shrink = Shrink::new(stage, world.clone(), statement);
    shrink.run()?;
    let (world, statement) = (shrink.world, shrink.statement);
    let text = describe(stage, &world, &statement)?;
    Ok(format!("{text}\nas generated: {original}"))
}

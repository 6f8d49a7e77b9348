//! Timing: each subject once a round, in turns, so that what disturbs the machine disturbs them alike.

use std::error::Error;
use std::time::{Duration, Instant};

/// Something that is timed: runs once, and says how long what counts of it took.
pub struct Subject<'a> {
    name: String,
    run: Box<dyn FnMut() -> Result<Duration, Box<dyn Error>> + 'a>,
}

impl<'a> Subject<'a> {
    /// A subject whose whole run counts.
    pub fn new(
        name: impl Into<String>,
        mut run: impl FnMut() -> Result<(), Box<dyn Error>> + 'a,
    ) -> Self {
        Subject::timing_itself(name, move || {
            let began = Instant::now();
            run()?;
            Ok(began.elapsed())
        })
    }

    /// A subject that says itself how long it took.
    pub fn timing_itself(
        name: impl Into<String>,
        run: impl FnMut() -> Result<Duration, Box<dyn Error>> + 'a,
    ) -> Self {
        Subject {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// The figures of one subject.
pub struct Timing {
    /// What it is.
    pub name: String,
    /// One duration a round, shortest first.
    pub durations: Vec<Duration>,
}

impl Timing {
    /// The middle one.
    pub fn median(&self) -> Duration {
        self.durations[self.durations.len() / 2]
    }
}

/// Runs the subjects in turns: once each without counting, then so many rounds.
pub fn time(rounds: usize, mut subjects: Vec<Subject>) -> Result<Vec<Timing>, Box<dyn Error>> {
    let mut timings: Vec<Timing> = subjects
        .iter()
        .map(|subject| Timing {
            name: subject.name.clone(),
            durations: Vec::with_capacity(rounds),
        })
        .collect();
    for round in 0..=rounds {
        for (subject, timing) in subjects.iter_mut().zip(&mut timings) {
            let took = (subject.run)().map_err(|error| format!("{}: {error}", subject.name))?;
            if round > 0 {
                timing.durations.push(took);
            }
        }
    }
    for timing in &mut timings {
        timing.durations.sort();
    }
    Ok(timings)
}

//! Does a statement return the same in all three places?

use crate::query::Statement;
use crate::session::{Outcome, Sessions};

/// What came of one statement.
#[derive(Debug)]
pub enum Verdict {
    /// The same rows everywhere; how many.
    Same(usize),
    /// An error everywhere.
    Errors,
    /// Not the same.
    Mismatch(Box<[Outcome; 3]>),
}

/// Runs a statement everywhere.
///
/// # Errors
/// The server crashed and does not come back.
pub fn check(sessions: &mut Sessions, statement: &Statement) -> Result<Verdict, String> {
    let (is_ordered, is_cut) = (statement.is_ordered(), statement.is_cut_anywhere());
    let outcomes = sessions.run_everywhere(&statement.sql())?;
    let outcomes = outcomes.map(|outcome| outcome.normalised(is_ordered, is_cut));
    Ok(judge(outcomes))
}

/// Compares outcomes whose rows are in comparable order.
pub fn judge(outcomes: [Outcome; 3]) -> Verdict {
    let [local, on, off] = &outcomes;
    if !(local.agrees(on) && local.agrees(off)) {
        return Verdict::Mismatch(Box::new(outcomes));
    }
    match local {
        Outcome::Rows(results) => Verdict::Same(results.iter().map(Vec::len).sum()),
        Outcome::Error(_) | Outcome::Lost(_) => Verdict::Errors,
    }
}

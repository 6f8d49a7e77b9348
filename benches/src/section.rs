//! What a part of the benchmark has to say.

use crate::turns::Timing;
use std::time::Duration;

/// A part of the report.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What is compared, and how.
    pub about: String,
    /// What was timed.
    pub timings: Vec<Timing>,
    /// What the timings say.
    pub comparisons: Vec<Comparison>,
    /// Other figures: what, how much, what is to be reached.
    pub figures: Vec<(String, String, String)>,
    /// A picture beside the report: its file name and its SVG.
    pub plot: Option<(&'static str, String)>,
}

/// One timing beside another.
pub struct Comparison {
    /// Index of the measured one.
    pub measured: usize,
    /// Index of the one beside it.
    pub beside: usize,
    /// What is to be reached.
    pub target: Target,
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the other's.
    Ratio(f64),
    /// At most so much longer than the other.
    More(Duration),
}

impl Comparison {
    /// At most `ratio` times the other's median.
    pub fn ratio(measured: usize, beside: usize, ratio: f64) -> Self {
        Comparison {
            measured,
            beside,
            target: Target::Ratio(ratio),
        }
    }

    /// At most `milliseconds` more than the other's median.
    pub fn more(measured: usize, beside: usize, milliseconds: u64) -> Self {
        Comparison {
            measured,
            beside,
            target: Target::More(Duration::from_millis(milliseconds)),
        }
    }
}

//! Which predicates an API can answer, and which request parameters carry them.

mod comparable;
mod plan;
mod verdict;

#[cfg(test)]
mod tests;

pub use plan::{missing, plan};
pub use verdict::{Binding, Pushdown, Spelling, Verdict};

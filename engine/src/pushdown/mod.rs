//! Which predicates an API can answer, and what is sent for them.

mod comparable;
mod condition;
mod dialects;
mod expression;
mod instance;
mod pattern;
mod plan;
mod remote;
mod terms;
mod verdict;

#[cfg(test)]
mod tests;

pub use condition::{Condition, Leaf};
pub use plan::{missing, plan};
pub use remote::{RemoteQuery, SortKey};
pub use verdict::{Pushdown, Sent, Verdict};

pub(crate) use dialects::{Parameter, finish, parameters_of};
pub(crate) use expression::Outcome;
pub(crate) use instance::instantiate;
pub(crate) use terms::{Alternative, alternatives};

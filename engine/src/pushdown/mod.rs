//! Which predicates an API can answer, and what is sent for them.

mod comparable;
mod condition;
mod contradiction;
mod dialects;
mod expression;
mod instance;
mod pattern;
mod plan;
mod remote;
mod requests;
mod terms;
mod verdict;

#[cfg(test)]
mod tests;

pub use condition::{Condition, Leaf};
pub use plan::{missing, plan};
pub use remote::{RemoteQuery, SortKey};
pub use requests::expected_requests;
pub use verdict::{Pushdown, Sent, Verdict};

pub(crate) use contradiction::is_contradiction;
pub(crate) use dialects::{PAGE, Parameter, finish, paged_parameter};
pub(crate) use expression::{Expression, Outcome};
pub(crate) use instance::instantiate;
pub(crate) use terms::{Alternative, alternatives};

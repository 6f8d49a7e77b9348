//! Which predicates an API can answer, and what is sent for them.

mod aggregates;
mod comparable;
mod condition;
mod contradiction;
mod dialects;
mod entity;
mod expression;
mod fields;
mod instance;
mod nulls;
mod order;
mod pattern;
mod plan;
mod remote;
mod requests;
mod split;
mod terms;
mod verdict;

#[cfg(test)]
mod tests;

pub use aggregates::{
    Addends, Aggregate, AskedBy, Call, Known, Source, Wish, WishedColumn, WishedResult, answer,
    certain, choose, result_type,
};
pub use condition::{Condition, KnownValue, Leaf};
pub use entity::entity;
pub use fields::fields;
pub use nulls::never_null;
pub use order::{WantedKey, ends_in_nulls, order, sorts};
pub use plan::{missing, plan};
pub use remote::{RemoteQuery, SortKey};
pub use requests::{expected_requests, values_a_request};
pub use split::may_split;
pub use terms::answers;
pub use verdict::{Pushdown, Sent, Verdict};

pub(crate) use aggregates::{may_be_aggregated, member};
pub(crate) use contradiction::is_contradiction;
pub(crate) use dialects::{
    PAGE, Parameter, filter_param, finish, is_bare, paged_parameter, parameters_of,
};
pub(crate) use entity::{Segments, can_name as can_name_entity, segments as entity_segments};
pub(crate) use expression::{Expression, Outcome};
pub(crate) use fields::takes_fields;
pub(crate) use instance::instantiate;
pub(crate) use order::order_parameters;
pub(crate) use terms::{Alternative, alternatives};

//! Queries: as trees, as SQL, at random, and smaller.

mod condition;
mod generate;
mod operands;
mod patterns;
mod reduce;
mod shapes;
mod sql;
mod tree;

pub use generate::Generator;
pub use tree::{Body, Condition, Cte, From, Join, Mode, Parameter, Query, Select, Statement};

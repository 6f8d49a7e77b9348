//! SQL expressions → predicates: which columns, which comparisons, which operands; or why not.

mod boolean;
mod clause;
mod column;
mod comparison;
mod known;
mod list;
mod operand;
mod operators;
mod reasons;
mod translation;
mod volatile;

pub use clause::{Clause, clause, translate};
pub use column::{ColumnReference, column_reference, ordering_family};
pub use operators::semantics;

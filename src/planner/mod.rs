//! The planner callbacks: how large the table is, which ways there are to scan it, and the plan.

mod clauses;
mod costs;
mod orders;
mod paths;
mod read_ahead;
mod relation;
mod scan_plan;
mod upper;

pub use paths::get_foreign_paths;
pub use read_ahead::register;
pub use relation::{expected_rows, get_foreign_rel_size};
pub use scan_plan::get_foreign_plan;
pub use upper::get_foreign_upper_paths;

//! Aggregates over one table that the API answers: the path, and the plan node.

mod path;
mod plan;
mod shown;
mod wish;

pub use path::get_foreign_upper_paths;
pub use plan::aggregate_scan;

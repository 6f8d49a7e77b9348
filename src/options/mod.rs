//! Options in the catalog → the engine's model; and the check of options at DDL time.

mod catalog;
mod elsewhere;
mod types;
mod validator;

pub use catalog::{CatalogTable, egress, exists, load, mapping, mapping_oid};
pub use types::{domain_base, engine_type};
pub use validator::validate;

//! Options in the catalog → the engine's model; and the check of options at DDL time.

mod catalog;
mod elsewhere;
mod types;
mod validator;

pub use catalog::{
    CatalogServer, CatalogTable, column_option, egress, exists, foreign_table, load, mapping,
    mapping_oid, server, table_options,
};
pub use types::{domain_base, engine_type};
pub use validator::validate;

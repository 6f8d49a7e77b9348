//! The check of options when they are written (CREATE and ALTER of server, mapping, table, column).

use crate::error::FdwError;
use pgrx::pg_sys;
use rest_engine::model::options::{self, Level};

/// Refuses what cannot work: unknown options (naming the nearest), options of another level,
/// secrets outside of a user mapping, values that cannot be understood.
pub fn validate(
    options: Vec<Option<String>>,
    catalog: Option<pg_sys::Oid>,
) -> Result<(), FdwError> {
    let Some(level) = catalog.and_then(level) else {
        return Ok(());
    };
    let options = split(options);
    // SAFETY: called by PostgreSQL in a backend that has a current user.
    let superuser = unsafe { pg_sys::superuser() };
    options::validate(level, &options, superuser)?;
    Ok(())
}

/// The level that a catalog stands for; `None` for one that wrappers have no options in.
fn level(catalog: pg_sys::Oid) -> Option<Level> {
    match catalog {
        pg_sys::ForeignDataWrapperRelationId => Some(Level::Wrapper),
        pg_sys::ForeignServerRelationId => Some(Level::Server),
        pg_sys::UserMappingRelationId => Some(Level::UserMapping),
        pg_sys::ForeignTableRelationId => Some(Level::Table),
        pg_sys::AttributeRelationId => Some(Level::Column),
        _ => None,
    }
}

/// PostgreSQL hands options over as `name=value`.
fn split(options: Vec<Option<String>>) -> Vec<(String, String)> {
    options
        .into_iter()
        .flatten()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (option, String::new()),
        })
        .collect()
}

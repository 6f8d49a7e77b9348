//! Reads a foreign table, its server and its user mapping from the catalog.

use super::elsewhere;
use super::types::engine_type;
use crate::compat;
use crate::encoding::{from_server, to_server};
use crate::error::FdwError;
use crate::settings;
use pgrx::pg_sys;
use rest_engine::http::Egress;
use rest_engine::model::options::{self as engine_options, ColumnDefinition, Definition, Options};
use rest_engine::model::{Auth, Credentials, Table};

/// A foreign table as the catalog describes it at this moment.
pub struct CatalogTable {
    /// The engine's model of it.
    pub table: Table,
    /// Its server.
    pub server: pg_sys::Oid,
    /// The attribute number of each of the model's columns.
    pub attributes: Vec<pg_sys::AttrNumber>,
}

/// A server as the catalog describes it at this moment.
pub struct CatalogServer {
    /// Its OID.
    pub id: pg_sys::Oid,
    /// Its name.
    pub name: String,
    /// Its options.
    pub options: Options,
}

impl CatalogServer {
    /// Raises PostgreSQL's error where the current user may not use the server.
    pub fn check_usage(&self) {
        let name = to_server(&self.name);
        // SAFETY: the server exists; the name is copied where an error is raised.
        unsafe { compat::check_server_usage(self.id, name.as_ptr()) }
    }
}

/// Reads the server `name`, which must be one of this wrapper.
pub fn server(name: &str) -> Result<CatalogServer, FdwError> {
    let c_name = to_server(name);
    // SAFETY: what the look-ups return, or raise an error without, is palloc'd in the current memory context.
    unsafe {
        let server = pg_sys::GetForeignServerByName(c_name.as_ptr(), false);
        if !is_ours((*server).fdwid) {
            let message = format!("server \"{name}\" is not a server of rest_fdw");
            return Err(FdwError::argument(message));
        }
        Ok(CatalogServer {
            id: (*server).serverid,
            name: name.to_owned(),
            options: options_of((*server).options),
        })
    }
}

/// Checks that an open relation is a foreign table of this wrapper.
pub fn foreign_table(relation: pg_sys::Oid) -> Result<(), FdwError> {
    // SAFETY: catalog look-ups by the OID of a relation that the caller holds a lock on.
    let kind = unsafe { pg_sys::get_rel_relkind(relation) } as u8;
    if kind != pg_sys::RELKIND_FOREIGN_TABLE {
        let message = format!("\"{}\" is not a foreign table", relation_name(relation));
        return Err(FdwError::argument(message));
    }
    // SAFETY: as above: it is a foreign table, and its server exists.
    let wrapper = unsafe {
        let server = (*pg_sys::GetForeignTable(relation)).serverid;
        (*pg_sys::GetForeignServer(server)).fdwid
    };
    if is_ours(wrapper) {
        return Ok(());
    }
    let message = format!(
        "foreign table \"{}\" is not one of rest_fdw",
        relation_name(relation)
    );
    Err(FdwError::argument(message))
}

/// Whether a foreign-data wrapper has this library's handler.
fn is_ours(wrapper: pg_sys::Oid) -> bool {
    // SAFETY: the wrapper exists; one without a handler has an invalid one, which has no name.
    unsafe {
        let handler = (*pg_sys::GetForeignDataWrapper(wrapper)).fdwhandler;
        from_server(pg_sys::get_func_name(handler)) == "rest_fdw_handler"
    }
}

/// The text of an option of a column.
pub fn column_option(
    relation: pg_sys::Oid,
    attribute: pg_sys::AttrNumber,
    option: &str,
) -> Option<String> {
    // SAFETY: the caller holds a lock on the relation, which has the attribute.
    let options = unsafe { options_of(pg_sys::GetForeignColumnOptions(relation, attribute)) };
    options
        .into_iter()
        .find(|(name, _)| name == option)
        .map(|(_, value)| value)
}

/// The options of a foreign table itself, without those of its server.
pub fn table_options(relation: pg_sys::Oid) -> Options {
    // SAFETY: the caller holds a lock on the relation, which is a foreign table.
    unsafe { options_of((*pg_sys::GetForeignTable(relation)).options) }
}

/// Reads the table `relation`. The caller holds a lock on it.
pub fn load(relation: pg_sys::Oid) -> Result<CatalogTable, FdwError> {
    // SAFETY: the planner holds a lock on the relation, and its OID is that of a foreign table.
    let (foreign_table, server) = unsafe {
        let foreign_table = pg_sys::GetForeignTable(relation);
        (
            foreign_table,
            pg_sys::GetForeignServer((*foreign_table).serverid),
        )
    };
    let (columns, attributes) = columns(relation);
    // SAFETY: both were just allocated by PostgreSQL in the current memory context.
    let (table_options, server_options, server_oid, server_name) = unsafe {
        (
            options_of((*foreign_table).options),
            options_of((*server).options),
            (*server).serverid,
            from_server((*server).servername),
        )
    };
    let table = engine_options::table(&Definition {
        table_name: &relation_name(relation),
        server_name: &server_name,
        server: &server_options,
        table: &table_options,
        columns: &columns,
        version: env!("CARGO_PKG_VERSION"),
    })?;
    Ok(CatalogTable {
        table,
        server: server_oid,
        attributes,
    })
}

/// A user mapping as the catalog describes it at this moment.
pub struct Mapping {
    /// The mapping itself.
    pub oid: pg_sys::Oid,
    /// Its secrets.
    pub credentials: Credentials,
}

/// The mapping of `user` for `server`, which wants `auth`, else that of PUBLIC; `None` where there is neither.
pub fn mapping(
    user: pg_sys::Oid,
    server: pg_sys::Oid,
    auth: Option<&Auth>,
) -> Result<Option<Mapping>, FdwError> {
    let Some(mapping) = found_mapping(user, server) else {
        return Ok(None);
    };
    // SAFETY: PostgreSQL has just allocated it; its options are a list of DefElems.
    let (oid, options) = unsafe { ((*mapping).umid, options_of((*mapping).options)) };
    let mut credentials = engine_options::credentials(&options)?;
    elsewhere::fill(&mut credentials, auth, user)?;
    Ok(Some(Mapping { oid, credentials }))
}

/// The same mapping's OID, or `InvalidOid`.
pub fn mapping_oid(user: pg_sys::Oid, server: pg_sys::Oid) -> pg_sys::Oid {
    let mapping = found_mapping(user, server);
    // SAFETY: PostgreSQL has just allocated it.
    mapping.map_or(pg_sys::InvalidOid, |mapping| unsafe { (*mapping).umid })
}

fn found_mapping(user: pg_sys::Oid, server: pg_sys::Oid) -> Option<*mut pg_sys::UserMapping> {
    let exists = has_mapping(user, server) || has_mapping(pg_sys::InvalidOid, server);
    // SAFETY: a mapping exists, so this does not raise an error.
    exists.then(|| unsafe { pg_sys::GetUserMapping(user, server) })
}

/// Whether the object `oid` is in the catalog that `cache` is of, which has an OID for its key.
pub fn exists(cache: pg_sys::SysCacheIdentifier::Type, oid: pg_sys::Oid) -> bool {
    let none = pg_sys::Datum::from(0);
    // SAFETY: the cache's only key is an OID.
    unsafe { pg_sys::SearchSysCacheExists(cache as i32, oid.into(), none, none, none) }
}

/// Where requests to `server` may go: anywhere if a superuser owns it.
pub fn egress(server: pg_sys::Oid) -> Result<Egress, FdwError> {
    // SAFETY: the server exists: the plan depends on it.
    let is_free = unsafe { pg_sys::superuser_arg((*pg_sys::GetForeignServer(server)).owner) };
    let hosts = settings::allowed_hosts();
    let egress = match is_free {
        true => Egress::unrestricted_but_naming(&hosts),
        false => Egress::restricted(&hosts),
    };
    egress.map_err(|error| FdwError::Remote {
        table: String::new(),
        error: Box::new(error),
    })
}

fn has_mapping(user: pg_sys::Oid, server: pg_sys::Oid) -> bool {
    let cache = pg_sys::SysCacheIdentifier::USERMAPPINGUSERSERVER as i32;
    // SAFETY: the cache's keys are two OIDs; the tuple is released at once.
    unsafe {
        let tuple = pg_sys::SearchSysCache2(cache, user.into(), server.into());
        let found = !tuple.is_null();
        if found {
            pg_sys::ReleaseSysCache(tuple);
        }
        found
    }
}

/// The columns that are not dropped, and their attribute numbers.
fn columns(relation: pg_sys::Oid) -> (Vec<ColumnDefinition>, Vec<pg_sys::AttrNumber>) {
    // SAFETY: the caller holds a lock on the relation; the tuple descriptor is valid until it is closed.
    unsafe {
        let opened = pg_sys::table_open(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
        let descriptor = pgrx::PgTupleDesc::from_pg_copy((*opened).rd_att);
        pg_sys::table_close(opened, pg_sys::NoLock as pg_sys::LOCKMODE);
        descriptor
            .iter()
            .filter(|attribute| !attribute.attisdropped && attribute.attgenerated == 0)
            .map(|attribute| (column(relation, attribute), attribute.attnum))
            .unzip()
    }
}

fn column(relation: pg_sys::Oid, attribute: &pg_sys::FormData_pg_attribute) -> ColumnDefinition {
    // SAFETY: relation and attribute exist; the returned list and texts are palloc'd copies.
    unsafe {
        ColumnDefinition {
            name: from_server(attribute.attname.data.as_ptr()),
            ty: engine_type(attribute.atttypid),
            not_null: attribute.attnotnull,
            options: options_of(pg_sys::GetForeignColumnOptions(relation, attribute.attnum)),
            type_name: from_server(pg_sys::format_type_be(attribute.atttypid)),
        }
    }
}

/// The table's name as an error message should show it.
fn relation_name(relation: pg_sys::Oid) -> String {
    // SAFETY: the relation exists, so it has a name.
    unsafe { from_server(pg_sys::get_rel_name(relation)) }
}

/// A list of DefElems as names and values.
///
/// # Safety
/// `list` is NULL or a list of DefElems with text values, as PostgreSQL keeps options.
unsafe fn options_of(list: *mut pg_sys::List) -> Options {
    // SAFETY: by this function's contract.
    unsafe {
        pgrx::PgList::<pg_sys::DefElem>::from_pg(list)
            .iter_ptr()
            .map(|element| {
                (
                    from_server((*element).defname),
                    from_server(pg_sys::defGetString(element)),
                )
            })
            .collect()
    }
}

//! PostgreSQL's types → the engine's.

use pgrx::pg_sys;
use rest_engine::model::Type;

/// The engine's type for a column of type `oid`. A domain counts as what it is a domain over:
/// the executor checks its constraints.
pub fn engine_type(oid: pg_sys::Oid) -> Type {
    let base = domain_base(oid);
    if let Some(ty) = scalar(base) {
        return ty;
    }
    // SAFETY: catalog look-ups by OID in a transaction.
    let element = unsafe { pg_sys::get_element_type(base) };
    if element != pg_sys::InvalidOid {
        return Type::Array(Box::new(engine_type(element)));
    }
    // SAFETY: as above.
    if unsafe { pg_sys::type_is_rowtype(base) } {
        return Type::Json;
    }
    Type::Other
}

/// The type that `oid` is a domain over, or itself.
pub fn domain_base(oid: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: a catalog look-up by OID in a transaction.
    unsafe { pg_sys::getBaseType(oid) }
}

fn scalar(oid: pg_sys::Oid) -> Option<Type> {
    let ty = match oid {
        pg_sys::BOOLOID => Type::Bool,
        pg_sys::INT2OID => Type::Int2,
        pg_sys::INT4OID => Type::Int4,
        pg_sys::INT8OID => Type::Int8,
        pg_sys::FLOAT4OID => Type::Float4,
        pg_sys::FLOAT8OID => Type::Float8,
        pg_sys::NUMERICOID => Type::Numeric,
        pg_sys::TEXTOID | pg_sys::VARCHAROID => Type::Text,
        pg_sys::BPCHAROID => Type::Bpchar,
        pg_sys::DATEOID => Type::Date,
        pg_sys::TIMESTAMPOID => Type::Timestamp,
        pg_sys::TIMESTAMPTZOID => Type::TimestampTz,
        pg_sys::UUIDOID => Type::Uuid,
        pg_sys::JSONOID | pg_sys::JSONBOID => Type::Json,
        pg_sys::BYTEAOID => Type::Bytes,
        _ => return None,
    };
    Some(ty)
}

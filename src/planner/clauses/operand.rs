//! Is an operand a value that stands still during a scan, and does it mean the same to the API?

use super::column::ColumnReference;
use super::{reasons, volatile};
use crate::compat;
use crate::options::{domain_base, engine_type};
use crate::planner::relation::Relation;
use pgrx::pg_sys;
use rest_engine::model::{Column, Type};

/// What an operand is compared with: a column's values, or the elements of its arrays.
pub(super) struct Compared<'a> {
    column: &'a Column,
    ty: &'a Type,
    /// What `ty` is in PostgreSQL.
    base: pg_sys::Oid,
    modifier: i32,
}

impl<'a> Compared<'a> {
    /// The values of a column.
    pub fn column(column: &'a Column, reference: &ColumnReference) -> Self {
        Compared {
            column,
            ty: &column.ty,
            base: reference.base,
            modifier: reference.modifier,
        }
    }

    /// The elements, where the values are arrays: their type modifier is the array's.
    pub fn element(self) -> Self {
        match self.ty {
            Type::Array(element) => Compared {
                ty: element,
                base: element_type(self.base),
                ..self
            },
            _ => self,
        }
    }
}

/// The type of an array's elements; invalid for any other type.
pub(super) fn element_type(array: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: a catalog look-up by OID.
    unsafe { pg_sys::get_element_type(domain_base(array)) }
}

/// `Ok` where the operand may be sent as a value; else why not, in a user's words. `operand_type` is
/// the type of the values that are compared: for a list that of its elements.
///
/// # Safety
/// `operand` is an expression of the planner's current query.
pub(super) unsafe fn check(
    relation: &Relation,
    compared: Compared,
    operand: *mut pg_sys::Node,
    operand_type: pg_sys::Oid,
) -> Result<(), String> {
    // SAFETY: by this function's contract.
    unsafe { stands_still(relation, operand)? };
    let element = element_type(operand_type);
    let (compared, operand_type) = match compared.ty {
        Type::Array(_) if element != pg_sys::InvalidOid => (compared.element(), element),
        _ => (compared, operand_type),
    };
    keeps_precision(&compared)?;
    same_time(&compared, operand_type)?;
    same_spelling(&compared, domain_base(operand_type))
}

unsafe fn stands_still(relation: &Relation, operand: *mut pg_sys::Node) -> Result<(), String> {
    // SAFETY: the operand is a node of the planner's current query.
    unsafe {
        if pg_sys::contain_volatile_functions(operand) {
            return Err(volatile::reason(operand));
        }
        if pg_sys::contain_subplans(operand) {
            return Err(reasons::SUB_QUERY.to_owned());
        }
        let relids = compat::pull_varnos(relation.root, operand);
        if pg_sys::bms_is_member((*relation.rel).relid as i32, relids) {
            return Err("it compares columns of the table with each other".to_owned());
        }
    }
    Ok(())
}

fn keeps_precision(compared: &Compared) -> Result<(), String> {
    let rounds = matches!(
        compared.ty,
        Type::Numeric | Type::Timestamp | Type::TimestampTz
    ) || matches!(
        compared.base,
        pg_sys::TIMEOID | pg_sys::TIMETZOID | pg_sys::INTERVALOID
    );
    if rounds && compared.modifier >= 0 {
        return Err(format!(
            "the type of column \"{}\" rounds the API's values; declare it without a precision",
            compared.column.name
        ));
    }
    Ok(())
}

fn same_time(compared: &Compared, operand_type: pg_sys::Oid) -> Result<(), String> {
    let is_time = matches!(
        compared.ty,
        Type::Date | Type::Timestamp | Type::TimestampTz
    );
    if is_time && engine_type(operand_type) != *compared.ty {
        return Err(format!(
            "column \"{}\" is compared with another type, which depends on the session's time zone; cast the value",
            compared.column.name
        ));
    }
    Ok(())
}

/// A value of a type that the engine does not know goes out in the type's own text form, which must
/// be the one that the API knows. (An input's value is what it was given, however it is written.)
fn same_spelling(compared: &Compared, operand_type: pg_sys::Oid) -> Result<(), String> {
    if *compared.ty != Type::Other || compared.column.is_input() {
        return Ok(());
    }
    let column = &compared.column.name;
    if operand_type != compared.base {
        return Err(format!(
            "column \"{column}\" is compared with a value of another type; cast the value"
        ));
    }
    if !has_fixed_text(compared.base) {
        return Err(format!(
            "the text of a value of column \"{column}\" depends on the session's settings"
        ));
    }
    Ok(())
}

/// Whether a type's text form depends on nothing but the value: not on `search_path`, as that of
/// `regclass` does, nor on `intervalstyle`. (An enum's is only not the same for ever.)
fn has_fixed_text(ty: pg_sys::Oid) -> bool {
    // PostgreSQL 13 calls its output function immutable all the same.
    if ty == pg_sys::INTERVALOID {
        return false;
    }
    let mut function = pg_sys::InvalidOid;
    let mut is_varlena = false;
    // SAFETY: catalog look-ups by OID; both results are written.
    unsafe {
        if pg_sys::type_is_enum(ty) {
            return true;
        }
        pg_sys::getTypeOutputInfo(ty, &mut function, &mut is_varlena);
        pg_sys::func_volatile(function) as u8 == pg_sys::PROVOLATILE_IMMUTABLE
    }
}

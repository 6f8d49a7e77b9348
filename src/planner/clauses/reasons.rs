//! Why can an expression not be sent, in a user's words?

use super::volatile;
use crate::encoding::from_server;
use crate::planner::relation::Relation;
use pgrx::pg_sys;
use std::ptr;

/// For values that come from a correlated sub-query.
pub(super) const SUB_QUERY: &str = "its value needs a sub-query for each row";
const EXPRESSION: &str = "it is an expression that the API cannot evaluate";

/// For an operator that no API could know.
pub(super) fn no_spelling(relation: &Relation, what: &str) -> String {
    let dialect = relation.table().dialect_name();
    format!("{what} has no spelling in dialect {dialect}")
}

/// For an expression that is neither a column nor a shape that is translated.
///
/// # Safety
/// `node` is an expression of the planner's current query.
pub(super) unsafe fn expression(relation: &Relation, node: *mut pg_sys::Node) -> String {
    // SAFETY: by this function's contract.
    unsafe {
        if pg_sys::contain_volatile_functions(node) {
            return volatile::reason(node);
        }
        if pg_sys::contain_subplans(node) {
            return SUB_QUERY.to_owned();
        }
        match column_in(relation, node) {
            Some(column) => of_column(node, column),
            None => EXPRESSION.to_owned(),
        }
    }
}

/// For a comparison without a column by itself on either side: the side that has columns decides.
///
/// # Safety
/// Both are expressions of the planner's current query.
pub(super) unsafe fn one_of(relation: &Relation, sides: &[*mut pg_sys::Node; 2]) -> String {
    // SAFETY: by this function's contract.
    unsafe {
        let with_column = sides
            .iter()
            .find(|side| column_in(relation, **side).is_some());
        expression(relation, *with_column.unwrap_or(&sides[0]))
    }
}

/// What an expression does with a column.
unsafe fn of_column(node: *mut pg_sys::Node, column: &str) -> String {
    // SAFETY: each cast follows the node's tag.
    unsafe {
        match (*node).type_ {
            pg_sys::NodeTag::T_FuncExpr => {
                let call = node.cast::<pg_sys::FuncExpr>();
                match function_name((*call).funcid) {
                    Some(name) if is_call((*call).funcformat) => {
                        format!("function {name}() of column \"{column}\" cannot be sent")
                    }
                    _ => cast_of(column),
                }
            }
            pg_sys::NodeTag::T_RelabelType
            | pg_sys::NodeTag::T_CoerceViaIO
            | pg_sys::NodeTag::T_ArrayCoerceExpr
            | pg_sys::NodeTag::T_ConvertRowtypeExpr
            | pg_sys::NodeTag::T_CoerceToDomain => cast_of(column),
            pg_sys::NodeTag::T_OpExpr => {
                let name = operator_name((*node.cast::<pg_sys::OpExpr>()).opno);
                format!("operator {name} of column \"{column}\" cannot be sent")
            }
            pg_sys::NodeTag::T_RowCompareExpr => "a comparison of rows cannot be sent".to_owned(),
            _ => EXPRESSION.to_owned(),
        }
    }
}

fn cast_of(column: &str) -> String {
    format!("it casts the column \"{column}\"")
}

fn is_call(form: pg_sys::CoercionForm::Type) -> bool {
    !matches!(
        form,
        pg_sys::CoercionForm::COERCE_EXPLICIT_CAST | pg_sys::CoercionForm::COERCE_IMPLICIT_CAST
    )
}

/// The name of the first column of the table that an expression has.
unsafe fn column_in(relation: &Relation, node: *mut pg_sys::Node) -> Option<&str> {
    let mut attributes: *mut pg_sys::Bitmapset = ptr::null_mut();
    // SAFETY: the node belongs to the planner's current query; the set is a new one.
    let member = unsafe {
        pg_sys::pull_varattnos(node, (*relation.rel).relid, &mut attributes);
        pg_sys::bms_next_member(attributes, -1)
    };
    let attribute = member + pg_sys::FirstLowInvalidHeapAttributeNumber;
    let column = relation.column_of(pg_sys::AttrNumber::try_from(attribute).ok()?)?;
    Some(&relation.table().columns[column].name)
}

/// An operator's name, without its schema.
pub(super) fn operator_name(operator: pg_sys::Oid) -> String {
    // SAFETY: the name is palloc'd or NULL.
    unsafe { from_server(pg_sys::get_opname(operator)) }
}

/// A function's name, without its schema.
pub(super) fn function_name(function: pg_sys::Oid) -> Option<String> {
    // SAFETY: the name is palloc'd or NULL.
    unsafe {
        let name = pg_sys::get_func_name(function);
        (!name.is_null()).then(|| from_server(name))
    }
}

//! Is an expression a truth value that is the same for all rows, and can it be evaluated whatever else is?
//!
//! `$1 IS NULL OR x = $1`: OR stops at its first arm that is true, so an arm that is evaluated before the rows come
//! must not be able to fail.

use crate::compat;
use crate::planner::relation::Relation;
use pgrx::{pg_guard, pg_sys};
use std::ffi::c_void;
use std::ptr;

/// Whether a boolean expression has no column of the table, and cannot fail.
///
/// # Safety
/// `node` is an expression of the planner's current query.
pub(super) unsafe fn is_known(relation: &Relation, node: *mut pg_sys::Node) -> bool {
    // SAFETY: by this function's contract.
    unsafe {
        let relids = compat::pull_varnos(relation.root, node);
        pg_sys::exprType(node) == pg_sys::BOOLOID
            && !pg_sys::bms_is_member((*relation.rel).relid as i32, relids)
            && !pg_sys::contain_volatile_functions(node)
            && cannot_fail(node)
    }
}

/// Whether an expression can be evaluated without an error, whatever its values are.
///
/// # Safety
/// As [`is_known`].
pub(super) unsafe fn cannot_fail(node: *mut pg_sys::Node) -> bool {
    // SAFETY: by this function's contract.
    unsafe { !may_fail(node, ptr::null_mut()) }
}

#[pg_guard]
unsafe extern "C-unwind" fn may_fail(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: a node of the planner's current query, or none; each cast follows the node's tag.
    unsafe {
        if node.is_null() {
            return false;
        }
        let may = match (*node).type_ {
            pg_sys::NodeTag::T_Const
            | pg_sys::NodeTag::T_Var
            | pg_sys::NodeTag::T_RelabelType
            | pg_sys::NodeTag::T_NullTest
            | pg_sys::NodeTag::T_BooleanTest
            | pg_sys::NodeTag::T_BoolExpr
            | pg_sys::NodeTag::T_ArrayExpr
            | pg_sys::NodeTag::T_List => false,
            // Another kind is the result of a sub-query, which is evaluated when it is first asked for.
            pg_sys::NodeTag::T_Param => {
                (*node.cast::<pg_sys::Param>()).paramkind != pg_sys::ParamKind::PARAM_EXTERN
            }
            // A leakproof function raises no error that depends on its arguments (CREATE FUNCTION).
            pg_sys::NodeTag::T_OpExpr => {
                let operator = node.cast::<pg_sys::OpExpr>();
                pg_sys::set_opfuncid(operator);
                !pg_sys::get_func_leakproof((*operator).opfuncid)
            }
            _ => true,
        };
        may || pg_sys::expression_tree_walker(node, Some(may_fail), context)
    }
}

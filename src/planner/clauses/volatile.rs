//! Which function makes an expression volatile?

use super::reasons::function_name;
use pgrx::{pg_guard, pg_sys};
use std::ffi::c_void;
use std::ptr;

/// The reason why a volatile expression is not sent.
///
/// # Safety
/// `node` is an expression.
pub(super) unsafe fn reason(node: *mut pg_sys::Node) -> String {
    let mut found = pg_sys::InvalidOid;
    // SAFETY: by this function's contract; the walk ends before `found` does.
    unsafe { find(node, ptr::from_mut(&mut found).cast()) };
    match function_name(found) {
        Some(name) => format!("{name}() is volatile"),
        None => "its value is volatile".to_owned(),
    }
}

/// Ends, with true, at the first node that calls a volatile function.
#[pg_guard]
unsafe extern "C-unwind" fn find(node: *mut pg_sys::Node, found: *mut c_void) -> bool {
    // SAFETY: the node, where there is one, is of the expression that is walked; the context is
    // handed on.
    unsafe {
        !node.is_null()
            && (pg_sys::check_functions_in_node(node, Some(is_volatile), found)
                || pg_sys::expression_tree_walker(node, Some(find), found))
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn is_volatile(function: pg_sys::Oid, found: *mut c_void) -> bool {
    // SAFETY: a catalog look-up by OID; the context is the OID of the call that led here.
    unsafe {
        if pg_sys::func_volatile(function) as u8 != pg_sys::PROVOLATILE_VOLATILE {
            return false;
        }
        *found.cast::<pg_sys::Oid>() = function;
        true
    }
}

//! Memory contexts of a scan's own.

use pgrx::pg_sys;
use std::ffi::CStr;

/// A context below `parent` that begins small.
///
/// # Safety
/// `parent` outlives every use of the result.
pub unsafe fn context_below(
    parent: pg_sys::MemoryContext,
    name: &'static CStr,
) -> pg_sys::MemoryContext {
    // SAFETY: by this function's contract; the name is static, as PostgreSQL wants it.
    unsafe {
        pg_sys::AllocSetContextCreateExtended(
            parent,
            name.as_ptr(),
            pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
            pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
            pg_sys::ALLOCSET_SMALL_MAXSIZE as usize,
        )
    }
}

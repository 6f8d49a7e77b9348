//! Domains: the type that they are over, and the check of their constraints.

use pgrx::pg_sys;
use std::ptr;

/// A domain whose values are to be checked.
pub struct Domain {
    ty: pg_sys::Oid,
    extra: *mut std::ffi::c_void,
    context: pg_sys::MemoryContext,
}

impl Domain {
    /// What `ty` with `modifier` is over: the base type, its modifier, and the domain if it is one.
    /// What is looked up lives as long as `context`.
    pub fn resolve(
        ty: pg_sys::Oid,
        modifier: i32,
        context: pg_sys::MemoryContext,
    ) -> (pg_sys::Oid, i32, Option<Domain>) {
        let mut modifier = modifier;
        // SAFETY: a catalog look-up by OID in a transaction.
        let base = unsafe { pg_sys::getBaseTypeAndTypmod(ty, &mut modifier) };
        let domain = (base != ty).then_some(Domain {
            ty,
            extra: ptr::null_mut(),
            context,
        });
        (base, modifier, domain)
    }

    /// Raises PostgreSQL's own error where a constraint does not hold; `None` is NULL.
    pub fn check(&mut self, datum: Option<pg_sys::Datum>) {
        // SAFETY: the value is of the domain's base type; `extra` is the function's own cache.
        unsafe {
            pg_sys::domain_check(
                datum.unwrap_or(pg_sys::Datum::from(0)),
                datum.is_none(),
                self.ty,
                &mut self.extra,
                self.context,
            );
        }
    }
}

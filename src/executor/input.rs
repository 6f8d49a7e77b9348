//! Text → a Datum, through the type's own input function.

use crate::encoding::to_server;
use pgrx::pg_sys;

/// A type's input function, looked up once a scan.
pub struct Input {
    function: Box<pg_sys::FmgrInfo>,
    parameter: pg_sys::Oid,
    modifier: i32,
}

impl Input {
    /// Looks up the input function of `ty`; it lives as long as `context`.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(ty: pg_sys::Oid, modifier: i32, context: pg_sys::MemoryContext) -> Self {
        let mut input = Input {
            function: Box::default(),
            parameter: pg_sys::InvalidOid,
            modifier,
        };
        let mut function = pg_sys::InvalidOid;
        // SAFETY: catalog look-ups by OID; the FmgrInfo is boxed, so it does not move.
        unsafe {
            pg_sys::getTypeInputInfo(ty, &mut function, &mut input.parameter);
            pg_sys::fmgr_info_cxt(function, &mut *input.function, context);
        }
        input
    }

    /// The value that `text` (UTF-8) stands for, in the current memory context. Raises PostgreSQL's
    /// own error where it stands for none.
    pub fn call(&mut self, text: &str) -> pg_sys::Datum {
        let text = to_server(text);
        // SAFETY: the text ends with NUL and lives during the call; the function is that of the type.
        unsafe {
            pg_sys::InputFunctionCall(
                &mut *self.function,
                text.as_ptr().cast_mut(),
                self.parameter,
                self.modifier,
            )
        }
    }
}

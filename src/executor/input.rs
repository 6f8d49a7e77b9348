//! Text → a Datum, through the type's own input function.

use pgrx::pg_sys;
use std::ffi::CString;

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

/// `text` in the database's encoding. The decoder refuses U+0000, so there is none in it.
pub fn to_server(text: &str) -> CString {
    // SAFETY: reads the database's encoding; the conversion returns its argument or a palloc'd copy.
    unsafe {
        if pg_sys::GetDatabaseEncoding() == pg_sys::pg_enc::PG_UTF8 as i32 {
            return CString::new(text).unwrap_or_default();
        }
        let converted = pg_sys::pg_any_to_server(
            text.as_ptr().cast(),
            text.len() as i32,
            pg_sys::pg_enc::PG_UTF8 as i32,
        );
        if converted.cast_const() == text.as_ptr().cast() {
            return CString::new(text).unwrap_or_default();
        }
        std::ffi::CStr::from_ptr(converted).to_owned()
    }
}

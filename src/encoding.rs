//! Text between PostgreSQL, which uses the database's encoding, and Rust, which uses UTF-8.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, Returns, ReturnsError, SqlMapping, SqlTranslatable,
};
use pgrx::{IntoDatum, pg_sys};
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::sync::OnceLock;

const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;
const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;

/// Whether every text of Rust is a text of the database as it is. (SQL_ASCII takes any bytes.)
/// A backend never changes its database, so it is asked once: this is called for each text value.
pub fn is_utf8() -> bool {
    static IS_UTF8: OnceLock<bool> = OnceLock::new();
    *IS_UTF8.get_or_init(|| {
        // SAFETY: reads a variable of the backend, on its main thread.
        let encoding = unsafe { pg_sys::GetDatabaseEncoding() };
        encoding == UTF8 || encoding == SQL_ASCII
    })
}

/// A text of PostgreSQL; empty where the pointer is NULL.
///
/// # Safety
/// `text` is NULL or ended by NUL, in the database's encoding.
pub unsafe fn from_server(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract; the conversion returns its argument or a palloc'd copy.
    unsafe {
        let text = CStr::from_ptr(text);
        let converted = pg_sys::pg_server_to_any(text.as_ptr(), text.count_bytes() as i32, UTF8);
        CStr::from_ptr(converted).to_string_lossy().into_owned()
    }
}

/// A text for PostgreSQL. Raises its error (22P05) where the database's encoding lacks a character.
/// A text with U+0000, which the decoder and percent-encoding leave none of, becomes empty.
pub fn to_server(text: &str) -> CString {
    if is_utf8() || text.is_ascii() {
        return CString::new(text).unwrap_or_default();
    }
    // SAFETY: the pointer and the length are those of the text; the result is palloc'd, ended by NUL.
    unsafe {
        let converted = pg_sys::pg_any_to_server(text.as_ptr().cast(), text.len() as i32, UTF8);
        CStr::from_ptr(converted).to_owned()
    }
}

/// A text for a message: it must not raise a second error, so what is not ASCII is escaped where the
/// database's encoding is another one.
pub fn for_message(text: String) -> String {
    if is_utf8() || text.is_ascii() {
        return text;
    }
    let escape = |character: char| match character {
        '\0'..='\x7f' => character.to_string(),
        other => other.escape_unicode().to_string(),
    };
    text.chars().map(escape).collect()
}

/// A `text` that a function returns, in the database's encoding.
pub struct ServerText(CString);

impl ServerText {
    /// Raises PostgreSQL's error (22P05) where the database's encoding lacks a character.
    pub fn new(text: &str) -> Self {
        ServerText(to_server(text))
    }
}

impl IntoDatum for ServerText {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        // SAFETY: a text that is ended by NUL; the result is palloc'd.
        Some(unsafe { pg_sys::cstring_to_text(self.0.as_ptr()) }.into())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTOID
    }
}

// SAFETY: the datum is what `IntoDatum` makes.
unsafe impl BoxRet for ServerText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: as above.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

// SAFETY: what `IntoDatum` makes is a `text`.
unsafe impl SqlTranslatable for ServerText {
    fn argument_sql() -> Result<SqlMapping, ArgumentError> {
        Ok(SqlMapping::literal("text"))
    }

    fn return_sql() -> Result<Returns, ReturnsError> {
        Ok(Returns::One(SqlMapping::literal("text")))
    }
}

//! Arguments and results of SQL functions: UTF-8 here, the database's encoding there. (pgrx's own conversions take
//! every database for UTF-8.)

use crate::encoding::{from_server, to_server};
use crate::error::FdwError;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, Returns, ReturnsError, SqlMapping, SqlTranslatable,
};
use pgrx::{FromDatum, IntoDatum, pg_sys};

/// A value of type text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseText(pub String);

/// A value of type jsonb, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseJson(pub String);

impl DatabaseJson {
    /// The members of an object of scalars, as text: an argument of a function.
    pub fn members(&self, argument: &str) -> Result<Vec<(String, String)>, FdwError> {
        let wrong = || {
            FdwError::argument(format!(
                "argument \"{argument}\" is not a JSON object of scalars"
            ))
            .with_hint("For example: '{\"name\": \"value\"}'.")
        };
        let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&self.0) else {
            return Err(wrong());
        };
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => Ok(text),
            serde_json::Value::Number(number) => Ok(number.to_string()),
            serde_json::Value::Bool(truth) => Ok(truth.to_string()),
            _ => Err(wrong()),
        };
        let members = members.into_iter();
        members
            .map(|(name, value)| Ok((name, text(value)?)))
            .collect()
    }
}

impl FromDatum for DatabaseText {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: by the caller's contract the datum is a text; the copy is palloc'd, ended by NUL.
        (!is_null).then(|| unsafe {
            DatabaseText(from_server(pg_sys::text_to_cstring(datum.cast_mut_ptr())))
        })
    }
}

impl IntoDatum for DatabaseText {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let text = to_server(&self.0);
        // SAFETY: the text is ended by NUL; the copy is palloc'd.
        Some(unsafe { pg_sys::cstring_to_text(text.as_ptr()) }.into())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTOID
    }
}

impl FromDatum for DatabaseJson {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: by the caller's contract the datum is a jsonb, whose output function this is.
        (!is_null).then(|| unsafe {
            let output = pg_sys::Oid::from(pg_sys::F_JSONB_OUT);
            DatabaseJson(from_server(pg_sys::OidOutputFunctionCall(output, datum)))
        })
    }
}

impl IntoDatum for DatabaseJson {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let text = to_server(&self.0);
        let input = pg_sys::Oid::from(pg_sys::F_JSONB_IN);
        // SAFETY: the type's input function takes a text that is ended by NUL; it has no parameter and no modifier.
        Some(unsafe {
            pg_sys::OidInputFunctionCall(input, text.as_ptr().cast_mut(), pg_sys::InvalidOid, -1)
        })
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

/// What makes a type the argument of a function.
macro_rules! argument {
    ($name:ident, $sql:literal) => {
        // SAFETY: arguments of this SQL type are read by the type's own FromDatum.
        unsafe impl<'fcx> ArgAbi<'fcx> for $name {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: by this function's contract; NULL is taken by Option's own implementation.
                unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or($name(String::new()))
            }

            unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
                // SAFETY: by this function's contract.
                unsafe { arg.unbox_arg_using_from_datum() }.into()
            }
        }

        // SAFETY: the SQL type is the one that the conversions are for.
        unsafe impl SqlTranslatable for $name {
            fn argument_sql() -> Result<SqlMapping, ArgumentError> {
                Ok(SqlMapping::literal($sql))
            }

            fn return_sql() -> Result<Returns, ReturnsError> {
                Ok(Returns::One(SqlMapping::literal($sql)))
            }
        }
    };
}

argument!(DatabaseText, "text");
argument!(DatabaseJson, "jsonb");

// SAFETY: the datum is made for the function's result type, text, in the current memory context.
unsafe impl BoxRet for DatabaseText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: by this function's contract.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

//! The engine's cells → Datums, in the current memory context.

use super::arrays;
use super::composite::Composite;
use super::domains::Domain;
use super::input::Input;
use super::texts::Texts;
use crate::encoding::{is_utf8, to_server};
use crate::error::FdwError;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};
use rest_engine::decode::{Batch, Cell};
use rest_engine::error::Error as EngineError;
use rest_engine::model::OnError;
use std::panic::AssertUnwindSafe;
use std::ptr;

use super::operands::{EPOCH_DAYS, EPOCH_MICROSECONDS};

/// How the values of one column are made.
pub struct Loader {
    /// The column's name, for messages.
    pub column: String,
    /// Its place in the slot.
    pub position: usize,
    on_error: OnError,
    conversion: Conversion,
    domain: Option<Domain>,
    /// Nothing but the cell's own form decides on the value: no domain, no modifier, no conversion of text.
    is_quick: bool,
}

/// A type's way from a cell to a Datum.
pub struct Conversion {
    kind: Kind,
    input: Input,
    modifier: i32,
    /// Memory for the text that a type's function reads.
    text: Vec<u8>,
}

enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Jsonb,
    Date,
    Timestamp,
    TimestampTz,
    Uuid,
    Bytes,
    /// Built from a JSON object, member by attribute.
    Composite(Composite),
    Array(Box<arrays::Elements>),
    /// Through the type's input function only.
    Other,
}

impl Loader {
    /// The loader of an attribute. What it looks up lives as long as `context`.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(
        attribute: &pg_sys::FormData_pg_attribute,
        column: &str,
        on_error: OnError,
        context: pg_sys::MemoryContext,
    ) -> Self {
        let ty = (attribute.atttypid, attribute.atttypmod);
        let position = attribute.attnum as usize - 1;
        // SAFETY: by this function's contract.
        unsafe { Loader::of_type(ty, position, column, on_error, context) }
    }

    /// The loader of values of a type, with its modifier. What it looks up lives as long as `context`.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn of_type(
        (ty, modifier): (pg_sys::Oid, i32),
        position: usize,
        column: &str,
        on_error: OnError,
        context: pg_sys::MemoryContext,
    ) -> Self {
        let (base, modifier, domain) = Domain::resolve(ty, modifier, context);
        Loader {
            is_quick: domain.is_none() && modifier < 0 && is_utf8(),
            column: column.to_owned(),
            position,
            on_error,
            // SAFETY: by this function's contract.
            conversion: unsafe { Conversion::new(base, modifier, context) },
            domain,
        }
    }

    /// The value of a cell; `None` is NULL. Plain text goes into `texts`, all else into the current
    /// memory context.
    #[inline]
    pub fn load(
        &mut self,
        batch: &Batch,
        cell: Cell,
        texts: &mut Texts,
    ) -> Result<Option<pg_sys::Datum>, FdwError> {
        if self.is_quick {
            let datum = match (&self.conversion.kind, cell) {
                (_, Cell::Null) => return Ok(None),
                (Kind::Text, Cell::Text(span)) => Some(texts.store(batch.bytes(span))),
                (kind, cell) => kind.by_value(cell),
            };
            if datum.is_some() {
                return Ok(datum);
            }
        }
        self.load_slowly(batch, cell, texts)
    }

    fn load_slowly(
        &mut self,
        batch: &Batch,
        cell: Cell,
        texts: &mut Texts,
    ) -> Result<Option<pg_sys::Datum>, FdwError> {
        if self.domain.is_none() && self.conversion.is_plain(cell) {
            return Ok(match (&self.conversion.kind, cell) {
                (Kind::Text, Cell::Text(span)) => Some(texts.store(batch.bytes(span))),
                _ => self.conversion.datum(batch, cell),
            });
        }
        match self.on_error {
            OnError::Error => self.load_guarded(batch, cell),
            OnError::Null => in_subtransaction(|| self.load_guarded(batch, cell)),
        }
    }

    /// Turns an error of the type's own functions into one that says where the value stands.
    fn load_guarded(
        &mut self,
        batch: &Batch,
        cell: Cell,
    ) -> Result<Option<pg_sys::Datum>, FdwError> {
        let (conversion, domain) = (&mut self.conversion, &mut self.domain);
        let guarded = PgTryBuilder::new(AssertUnwindSafe(|| {
            let datum = conversion.datum(batch, cell);
            if let Some(domain) = domain {
                domain.check(datum);
            }
            Ok(datum)
        }))
        .catch_others(|caught| match misfit(&caught) {
            Some(reason) => Err(reason),
            None => caught.rethrow(),
        })
        .execute();
        guarded.map_err(|reason| value_error(&self.column, batch, cell, reason))
    }
}

/// The message of an error that says that the value is wrong (SQLSTATE class 22 or 23), as opposed
/// to a cancelled query or a lack of memory.
fn misfit(caught: &CaughtError) -> Option<String> {
    let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = caught else {
        return None;
    };
    // src/include/utils/elog.h: a class is the first two characters, six bits each.
    let class = report.sql_error_code() as i32 & 0xFFF;
    let of_class = |second: i32| class == 2 + (second << 6);
    (of_class(2)
        || of_class(3)
        || report.sql_error_code() == PgSqlErrorCode::ERRCODE_UNTRANSLATABLE_CHARACTER)
        .then(|| report.message().to_owned())
}

fn value_error(column: &str, batch: &Batch, cell: Cell, reason: String) -> FdwError {
    let value = match cell {
        Cell::Text(span) => shorten(&String::from_utf8_lossy(batch.bytes(span))),
        Cell::Null => "null".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Bool(value) => value.to_string(),
        _ => "(not shown)".to_owned(),
    };
    FdwError::Remote {
        table: String::new(),
        error: Box::new(EngineError::Value {
            exchange: batch.exchange.clone(),
            column: column.to_owned(),
            reason,
            value,
        }),
    }
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 100;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Runs a conversion whose failure means NULL: PostgreSQL allows going on after an error only from
/// the end of a subtransaction.
fn in_subtransaction(
    convert: impl FnOnce() -> Result<Option<pg_sys::Datum>, FdwError>,
) -> Result<Option<pg_sys::Datum>, FdwError> {
    // SAFETY: a subtransaction is begun and ended here, memory context and resource owner are put
    // back, as src/pl/plpgsql does for EXCEPTION blocks.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let result = convert();
        match &result {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        Ok(result.unwrap_or(None))
    }
}

impl Kind {
    /// The value of a cell where it is passed by value, no modifier is to be minded, and making it cannot fail.
    #[inline]
    fn by_value(&self, cell: Cell) -> Option<pg_sys::Datum> {
        Some(match (self, cell) {
            (Kind::Bool, Cell::Bool(value)) => pg_sys::Datum::from(value),
            (Kind::Int2, Cell::Int(value)) => pg_sys::Datum::from(value as i16),
            (Kind::Int4, Cell::Int(value)) => pg_sys::Datum::from(value as i32),
            (Kind::Int8, Cell::Int(value)) => pg_sys::Datum::from(value),
            (Kind::Float4, Cell::Float(value)) => pg_sys::Datum::from((value as f32).to_bits()),
            (Kind::Float8, Cell::Float(value)) => pg_sys::Datum::from(value.to_bits()),
            (Kind::Date, Cell::Date(days)) => pg_sys::Datum::from(days - EPOCH_DAYS),
            (Kind::Timestamp | Kind::TimestampTz, Cell::Timestamp(at)) => {
                pg_sys::Datum::from(at - EPOCH_MICROSECONDS)
            }
            _ => return None,
        })
    }
}

impl Conversion {
    /// The conversion to `ty`, which is no domain.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(ty: pg_sys::Oid, modifier: i32, context: pg_sys::MemoryContext) -> Self {
        // SAFETY: by this function's contract.
        unsafe {
            Conversion {
                kind: kind(ty, modifier, context),
                input: Input::new(ty, modifier, context),
                modifier,
                text: Vec::new(),
            }
        }
    }

    /// Whether making the value cannot fail.
    fn is_plain(&self, cell: Cell) -> bool {
        match (&self.kind, cell) {
            (Kind::Jsonb | Kind::Composite(_) | Kind::Array(_) | Kind::Other, _) => {
                matches!(cell, Cell::Null)
            }
            (Kind::Text, _) => is_utf8(),
            (_, Cell::Text(_)) => false,
            _ => self.modifier < 0,
        }
    }

    /// The value of a cell, in the current memory context; may raise PostgreSQL's own errors where
    /// the cell is not plain.
    pub fn datum(&mut self, batch: &Batch, cell: Cell) -> Option<pg_sys::Datum> {
        let is_rounded = matches!(cell, Cell::Timestamp(_)) && self.modifier >= 0;
        if !is_rounded && let Some(datum) = self.kind.by_value(cell) {
            return Some(datum);
        }
        let datum = match (&mut self.kind, cell) {
            (_, Cell::Null) => return None,
            (Kind::Numeric, Cell::Int(value)) if self.modifier < 0 => numeric(value),
            (Kind::Timestamp, Cell::Timestamp(at)) => {
                rounded(at, pg_sys::timestamp_scale, self.modifier)
            }
            (Kind::TimestampTz, Cell::Timestamp(at)) => {
                rounded(at, pg_sys::timestamptz_scale, self.modifier)
            }
            (Kind::Uuid, Cell::Bytes(span)) => copied(batch.bytes(span)),
            (Kind::Bytes, Cell::Bytes(span)) => varlena(batch.bytes(span)),
            (Kind::Text, Cell::Text(span)) => text(batch.bytes(span)),
            (Kind::Jsonb, Cell::Text(span)) => jsonb(batch.bytes(span), &mut self.text),
            (Kind::Composite(composite), Cell::Text(span)) => {
                return composite.build(text(batch.bytes(span)));
            }
            (Kind::Array(elements), Cell::List { start, len }) => elements.build(batch, start, len),
            (_, Cell::Text(span)) => self.input.call(&String::from_utf8_lossy(batch.bytes(span))),
            (_, Cell::Int(value)) => self.input.call(&value.to_string()),
            (_, Cell::Float(value)) => self.input.call(&value.to_string()),
            (_, Cell::Bool(value)) => self.input.call(if value { "true" } else { "false" }),
            (_, Cell::Date(_) | Cell::Timestamp(_) | Cell::Bytes(_) | Cell::List { .. }) => {
                pgrx::error!("rest_fdw decoded a value of the wrong type")
            }
        };
        Some(datum)
    }
}

unsafe fn kind(ty: pg_sys::Oid, modifier: i32, context: pg_sys::MemoryContext) -> Kind {
    match ty {
        pg_sys::BOOLOID => Kind::Bool,
        pg_sys::INT2OID => Kind::Int2,
        pg_sys::INT4OID => Kind::Int4,
        pg_sys::INT8OID => Kind::Int8,
        pg_sys::FLOAT4OID => Kind::Float4,
        pg_sys::FLOAT8OID => Kind::Float8,
        pg_sys::NUMERICOID => Kind::Numeric,
        pg_sys::TEXTOID | pg_sys::JSONOID => Kind::Text,
        pg_sys::VARCHAROID if modifier < 0 => Kind::Text,
        pg_sys::JSONBOID => Kind::Jsonb,
        pg_sys::DATEOID => Kind::Date,
        pg_sys::TIMESTAMPOID => Kind::Timestamp,
        pg_sys::TIMESTAMPTZOID => Kind::TimestampTz,
        pg_sys::UUIDOID => Kind::Uuid,
        pg_sys::BYTEAOID => Kind::Bytes,
        // SAFETY: catalog look-ups by OID; the context outlives the result by the caller's contract.
        _ => unsafe {
            let element = pg_sys::get_element_type(ty);
            if element != pg_sys::InvalidOid {
                Kind::Array(Box::new(arrays::Elements::new(element, modifier, context)))
            } else if pg_sys::type_is_rowtype(ty) {
                Kind::Composite(Composite::new(ty, context))
            } else {
                Kind::Other
            }
        },
    }
}

fn numeric(value: i64) -> pg_sys::Datum {
    // SAFETY: int8_numeric takes one int8.
    unsafe { call(pg_sys::int8_numeric, &[Some(pg_sys::Datum::from(value))]) }
}

type Function = unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// A timestamp, rounded to the precision that the column declares.
fn rounded(at: i64, scale: Function, modifier: i32) -> pg_sys::Datum {
    let datum = pg_sys::Datum::from(at - EPOCH_MICROSECONDS);
    // SAFETY: timestamp_scale and timestamptz_scale take a timestamp and an int4.
    unsafe { call(scale, &[Some(datum), Some(pg_sys::Datum::from(modifier))]) }
}

/// Fixed-length bytes, copied into the current memory context.
fn copied(bytes: &[u8]) -> pg_sys::Datum {
    // SAFETY: the new memory is as long as the bytes.
    unsafe {
        let copy = pg_sys::palloc(bytes.len()).cast::<u8>();
        ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        pg_sys::Datum::from(copy)
    }
}

/// A varlena value of these bytes, in the current memory context.
fn varlena(bytes: &[u8]) -> pg_sys::Datum {
    // SAFETY: copies the bytes behind a header of their length.
    unsafe {
        pg_sys::Datum::from(pg_sys::cstring_to_text_with_len(
            bytes.as_ptr().cast(),
            bytes.len() as i32,
        ))
    }
}

/// Text in the database's encoding.
fn text(bytes: &[u8]) -> pg_sys::Datum {
    if is_utf8() {
        return varlena(bytes);
    }
    varlena(to_server(&String::from_utf8_lossy(bytes)).as_bytes())
}

/// The engine's JSON is valid UTF-8 without U+0000. `text` is memory to use.
fn jsonb(bytes: &[u8], text: &mut Vec<u8>) -> pg_sys::Datum {
    text.clear();
    if is_utf8() {
        text.extend_from_slice(bytes);
    } else {
        text.extend_from_slice(to_server(&String::from_utf8_lossy(bytes)).as_bytes());
    }
    text.push(0);
    // SAFETY: jsonb_in takes one C string, which lives during the call.
    unsafe {
        call(
            pg_sys::jsonb_in,
            &[Some(pg_sys::Datum::from(text.as_ptr()))],
        )
    }
}

/// Calls one of PostgreSQL's own functions that never return NULL.
///
/// # Safety
/// `function` takes arguments of these types.
unsafe fn call(function: Function, arguments: &[Option<pg_sys::Datum>]) -> pg_sys::Datum {
    // SAFETY: by this function's contract.
    let result = unsafe { pgrx::direct_function_call_as_datum(function, arguments) };
    result.unwrap_or(pg_sys::Datum::from(0))
}

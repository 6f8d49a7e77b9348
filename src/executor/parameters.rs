//! Parameter columns: their value is the one that was sent (rule R3). And the split of a list: when
//! each value was asked for by itself, or the list in several parts, a row counts for its own values only.

use super::input::Input;
use super::memory::context_below;
use super::operands::{EPOCH_DAYS, EPOCH_MICROSECONDS};
use pgrx::pg_sys;
use rest_engine::model::Table;
use rest_engine::predicate::Value;
use std::fmt::Write;

/// The columns of a scan whose values come from its requests.
pub struct Parameters {
    context: pg_sys::MemoryContext,
    columns: Vec<ParameterColumn>,
}

struct ParameterColumn {
    /// Index into the table's columns.
    column: usize,
    /// Its place in the slot.
    position: usize,
    ty: pg_sys::Oid,
    collation: pg_sys::Oid,
    input: Input,
    /// The response carries it too: rows of other values are left out.
    is_field: bool,
    equality: *mut pg_sys::FmgrInfo,
    /// The value that was sent; of a column that the response carries, all that the request asked for.
    current: Vec<pg_sys::Datum>,
    is_sent: bool,
}

impl Parameters {
    /// Prepares the columns of `table` that are parameters, or that `split` names.
    ///
    /// # Safety
    /// `context` outlives the result; `descriptor` is the table's, and `attributes` its attribute numbers.
    pub unsafe fn new(
        table: &Table,
        attributes: &[pg_sys::AttrNumber],
        split: &[usize],
        descriptor: pg_sys::TupleDesc,
        context: pg_sys::MemoryContext,
    ) -> Self {
        let is_parameter = |index: usize| table.columns[index].is_input();
        let chosen =
            (0..table.columns.len()).filter(|index| is_parameter(*index) || split.contains(index));
        let columns = chosen.map(|column| {
            let position = attributes[column] as usize - 1;
            // SAFETY: by this function's contract.
            unsafe {
                let attribute = &*crate::compat::attribute(descriptor, position);
                ParameterColumn::new(column, attribute, !is_parameter(column), context)
            }
        });
        Parameters {
            columns: columns.collect(),
            // SAFETY: by this function's contract.
            context: unsafe { context_below(context, c"rest_fdw parameters") },
        }
    }

    /// Takes over the values of the request that the next rows come from.
    pub fn set(&mut self, values: &[(usize, Value)]) {
        // SAFETY: the context is this object's own; the values of the request before are not used any more,
        // because a new request's rows are asked for.
        unsafe {
            pg_sys::MemoryContextReset(self.context);
            let before = pg_sys::MemoryContextSwitchTo(self.context);
            for column in &mut self.columns {
                let value = values.iter().find(|(index, _)| *index == column.column);
                column.is_sent = value.is_some();
                column.current = match value {
                    None => Vec::new(),
                    Some((_, Value::List(elements))) => elements
                        .iter()
                        .filter_map(|element| column.datum(element))
                        .collect(),
                    Some((_, value)) => column.datum(value).into_iter().collect(),
                };
            }
            pg_sys::MemoryContextSwitchTo(before);
        }
    }

    /// Puts the values into a slot's arrays; `false`: the row belongs to another request's value.
    ///
    /// # Safety
    /// `values` and `nulls` have an entry for each attribute of the table, filled but for parameters.
    pub unsafe fn fill(&self, values: *mut pg_sys::Datum, nulls: *mut bool) -> bool {
        for column in &self.columns {
            // SAFETY: by this function's contract; the equality function is that of the column's type.
            unsafe {
                if !column.is_field {
                    let sent = column.current.first();
                    *nulls.add(column.position) = sent.is_none();
                    *values.add(column.position) = sent.copied().unwrap_or(pg_sys::Datum::from(0));
                } else if column.is_sent {
                    let row = *values.add(column.position);
                    let is_equal = |sent: &pg_sys::Datum| {
                        let equal = pg_sys::FunctionCall2Coll(
                            column.equality,
                            column.collation,
                            row,
                            *sent,
                        );
                        equal.value() != 0
                    };
                    if *nulls.add(column.position) || !column.current.iter().any(is_equal) {
                        return false;
                    }
                }
            }
        }
        true
    }
}

impl ParameterColumn {
    /// The table's column at index `column`, which is this attribute.
    ///
    /// # Safety
    /// `context` outlives the result.
    unsafe fn new(
        column: usize,
        attribute: &pg_sys::FormData_pg_attribute,
        is_field: bool,
        context: pg_sys::MemoryContext,
    ) -> Self {
        let ty = attribute.atttypid;
        // SAFETY: by this function's contract; the type cache lives as long as the backend.
        unsafe {
            let cache = pg_sys::lookup_type_cache(ty, pg_sys::TYPECACHE_EQ_OPR_FINFO as i32);
            ParameterColumn {
                column,
                position: attribute.attnum as usize - 1,
                ty: crate::options::domain_base(ty),
                collation: attribute.attcollation,
                input: Input::new(ty, attribute.atttypmod, context),
                is_field,
                equality: &mut (*cache).eq_opr_finfo,
                current: Vec::new(),
                is_sent: false,
            }
        }
    }

    fn datum(&mut self, value: &Value) -> Option<pg_sys::Datum> {
        let datum = match (value, self.ty) {
            (Value::Null, _) => return None,
            (Value::Date(days), pg_sys::DATEOID) => pg_sys::Datum::from(match *days {
                i32::MIN | i32::MAX => *days,
                finite => finite - EPOCH_DAYS,
            }),
            (Value::Timestamp(at), pg_sys::TIMESTAMPOID)
            | (Value::TimestampTz(at), pg_sys::TIMESTAMPTZOID) => pg_sys::Datum::from(match *at {
                i64::MIN | i64::MAX => *at,
                finite => finite - EPOCH_MICROSECONDS,
            }),
            _ => self.input.call(&text(value)),
        };
        Some(datum)
    }
}

/// A value in PostgreSQL's own text form.
fn text(value: &Value) -> String {
    match value {
        Value::Null | Value::List(_) => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Numeric(text) | Value::Text(text) | Value::Other(text) => text.clone(),
        Value::Date(days) => days.to_string(),
        Value::Timestamp(at) | Value::TimestampTz(at) => at.to_string(),
        Value::Uuid(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

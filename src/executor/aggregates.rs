//! The rows of an API's answer to aggregates → the rows that the plan node promised.

use super::texts::Texts;
use super::values::Loader;
use crate::error::FdwError;
use pgrx::pg_sys;
use rest_engine::decode::{Batch, Cell};
use rest_engine::error::{Error as EngineError, Exchange};
use rest_engine::model::{Column, Table, Type};
use rest_engine::pushdown::{Addends, Aggregate, Source};

/// `numeric_div(numeric, numeric)` of src/include/catalog/pg_proc.dat.
const NUMERIC_DIV: pg_sys::Oid = pg_sys::Oid::from_u32(1727);
/// `numeric(int8)`, likewise.
const INT8_NUMERIC: pg_sys::Oid = pg_sys::Oid::from_u32(1781);

/// How the answer's columns become those of the node.
pub struct Results {
    aggregate: Aggregate,
    loaders: Vec<Loader>,
    types: Vec<Type>,
    /// The answer's current row.
    values: Vec<Option<pg_sys::Datum>>,
    /// Rows since the scan began, or began anew.
    rows: u64,
    /// A response may say that there is nothing (option `empty_on`).
    may_be_absent: bool,
}

impl Results {
    /// For the answer's table; `descriptor` is that of the node's rows.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(
        answer: &Table,
        aggregate: Aggregate,
        descriptor: pg_sys::TupleDesc,
        context: pg_sys::MemoryContext,
    ) -> Self {
        let columns = answer.columns.iter().enumerate();
        let loader = |(index, column): (usize, &Column)| {
            // SAFETY: by this function's contract: a place is that of an attribute.
            unsafe {
                let ty = match place_of(&aggregate, index) {
                    Some(place) => {
                        let attribute = crate::compat::attribute(descriptor, place);
                        ((*attribute).atttypid, (*attribute).atttypmod)
                    }
                    None => (auxiliary_type(&column.ty), -1),
                };
                Loader::of_type(ty, index, &column.name, column.on_error, context)
            }
        };
        Results {
            loaders: columns.map(loader).collect(),
            types: answer
                .columns
                .iter()
                .map(|column| column.ty.clone())
                .collect(),
            values: vec![None; answer.columns.len()],
            rows: 0,
            may_be_absent: !answer.empty_on.is_empty(),
            aggregate,
        }
    }

    /// The scan begins anew.
    pub fn rewind(&mut self) {
        self.rows = 0;
    }

    /// Fills the slot's arrays with row `row` of a batch: `true`, for it is never another request's.
    ///
    /// # Safety
    /// The arrays have an entry for each column of the node.
    pub unsafe fn fill(
        &mut self,
        texts: &mut Texts,
        batch: &Batch,
        row: usize,
        slot: *mut pg_sys::TupleTableSlot,
    ) -> Result<bool, FdwError> {
        self.rows += 1;
        if self.aggregate.is_single() && self.rows > 1 {
            return Err(unexpected(
                &batch.exchange,
                "there is more than one row for all rows together",
            ));
        }
        for (index, cell) in batch.row(row).iter().enumerate() {
            self.values[index] = self.loaders[index].load(batch, *cell, texts)?;
        }
        let groups = self.aggregate.group.len();
        // SAFETY: by this function's contract.
        unsafe {
            for index in 0..groups {
                set(slot, index, self.values[index]);
            }
            for (index, source) in self.aggregate.results.iter().enumerate() {
                let value = self.value(*source, batch, batch.row(row))?;
                set(slot, groups + index, value);
            }
            pg_sys::ExecStoreVirtualTuple(slot);
        }
        Ok(true)
    }

    /// The row of no rows, if it is still to come: there is one where all rows are one group. `asked`: the
    /// request that the API has answered without a row.
    ///
    /// # Safety
    /// The slot is empty, and its arrays have an entry for each column of the node.
    pub unsafe fn fill_without_rows(
        &mut self,
        asked: Option<String>,
        slot: *mut pg_sys::TupleTableSlot,
    ) -> Result<(), FdwError> {
        if !self.aggregate.is_single() || self.rows > 0 {
            return Ok(());
        }
        if let Some(request) = asked.filter(|_| !self.may_be_absent) {
            let exchange = Exchange { request, page: 1 };
            return Err(unexpected(
                &exchange,
                "there is no row for all rows together",
            ));
        }
        self.rows = 1;
        // SAFETY: by this function's contract.
        unsafe {
            for (index, source) in self.aggregate.results.iter().enumerate() {
                let is_count = matches!(source, Source::Count(_) | Source::EitherCount(..));
                set(slot, index, is_count.then(|| pg_sys::Datum::from(0_i64)));
            }
            pg_sys::ExecStoreVirtualTuple(slot);
        }
        Ok(())
    }

    /// A value of the answer's current row as a numeric.
    fn numeric(&self, index: usize) -> Option<pg_sys::Datum> {
        let value = self.values[index]?;
        Some(match self.types[index] {
            Type::Numeric => value,
            // SAFETY: every other sum or count is an int8.
            _ => unsafe { pg_sys::OidFunctionCall1Coll(INT8_NUMERIC, pg_sys::InvalidOid, value) },
        })
    }

    /// A result of the query, made of the answer's current row, whose cells are `row`.
    fn value(
        &self,
        source: Source,
        batch: &Batch,
        row: &[Cell],
    ) -> Result<Option<pg_sys::Datum>, FdwError> {
        let is_any = |addends: &Addends| {
            addends.check(row).map_err(|reason| FdwError::Remote {
                table: String::new(),
                error: Box::new(EngineError::Inexact {
                    exchange: batch.exchange.clone(),
                    reason,
                }),
            })
        };
        let count = |value: Option<pg_sys::Datum>| match value {
            Some(count) => Ok(Some(count)),
            None => Err(unexpected(
                &batch.exchange,
                "the response has no count where it should be",
            )),
        };
        match source {
            Source::Column(index) => Ok(self.values[index]),
            Source::Count(index) => count(self.values[index]),
            Source::EitherCount(one, other) => count(self.values[one].or(self.values[other])),
            Source::Sum { sum, addends } => {
                let is_any = is_any(&addends)?;
                Ok(self.values[sum].filter(|_| is_any))
            }
            Source::Quotient {
                sum,
                count: divisor,
                addends,
            } => {
                count(self.values[divisor])?;
                let is_any = addends.as_ref().map_or(Ok(true), is_any)?;
                let sum = self.numeric(sum).filter(|_| is_any);
                Ok(quotient(sum, self.numeric(divisor)))
            }
        }
    }
}

/// The column of the node that is precisely this column of the answer. All others are of types of our own.
fn place_of(aggregate: &Aggregate, index: usize) -> Option<usize> {
    let groups = aggregate.group.len();
    let mut results = aggregate.results.iter();
    let is_it = |source: &Source| matches!(source, Source::Column(column) if *column == index);
    if index < groups {
        Some(index)
    } else {
        results.position(is_it).map(|place| groups + place)
    }
}

/// As `avg` does it; NULL of nothing.
fn quotient(sum: Option<pg_sys::Datum>, count: Option<pg_sys::Datum>) -> Option<pg_sys::Datum> {
    let (sum, count) = (sum?, count?);
    // SAFETY: both are numerics; the result is palloc'd in the current memory context.
    Some(unsafe { pg_sys::OidFunctionCall2Coll(NUMERIC_DIV, pg_sys::InvalidOid, sum, count) })
}

/// The type in which a value is kept that is no column of the node: a count there, or a part of an average.
fn auxiliary_type(ty: &Type) -> pg_sys::Oid {
    match ty {
        Type::Numeric => pg_sys::NUMERICOID,
        _ => pg_sys::INT8OID,
    }
}

fn unexpected(exchange: &Exchange, reason: &str) -> FdwError {
    FdwError::Remote {
        table: String::new(),
        error: Box::new(EngineError::Rows {
            exchange: exchange.clone(),
            reason: reason.to_owned(),
        }),
    }
}

unsafe fn set(slot: *mut pg_sys::TupleTableSlot, index: usize, value: Option<pg_sys::Datum>) {
    // SAFETY: by the caller's contract the arrays have such an entry.
    unsafe {
        *(*slot).tts_isnull.add(index) = value.is_none();
        *(*slot).tts_values.add(index) = value.unwrap_or(pg_sys::Datum::from(0));
    }
}

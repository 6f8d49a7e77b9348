//! Rows that the API returns without filters, and queries about them.

use super::condition::{ROW, SAMPLED};
use super::question::{Outcome, ask};
use crate::encoding::to_server;
use crate::executor::Observed;
use crate::functions::sql;
use crate::functions::text::DatabaseJson;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;
use rest_engine::model::Column;
use rest_engine::verify::Sampled;

/// Pages that one query reads of each of its requests at most.
pub(super) const MOST_PAGES: u32 = 3;
/// Rows that are kept.
const MOST_ROWS: u32 = 2000;

/// A sample of a table.
pub(super) struct Sample {
    /// An array of the table's row type, in a memory context that outlives this.
    rows: pg_sys::Datum,
    ty: pg_sys::Oid,
    /// Rows that it has.
    pub(super) kept: u64,
    /// Rows that the API returned for it.
    pub(super) fetched: u64,
}

impl Sample {
    /// Reads a sample of `table`, a qualified name, under `conditions`; none where it has no rows. It stays in the
    /// current memory context.
    pub(super) fn read(table: &str, conditions: &str) -> (Outcome<Option<Sample>>, Observed) {
        let query = format!(
            "SELECT pg_catalog.array_agg(numbered.{ROW}) FILTER (WHERE numbered.number <= {MOST_ROWS}), pg_catalog.count(*)
             FROM (SELECT {ROW}, pg_catalog.row_number() OVER () AS number FROM {table} AS {ROW}{conditions}) AS numbered"
        );
        // SAFETY: reads a variable of the backend, on its main thread.
        let context = unsafe { pg_sys::CurrentMemoryContext };
        let (outcome, observed) = ask(MOST_PAGES, || {
            Spi::connect(|client| {
                let row = client.select(&to_server(&query), Some(1), &[])?.first();
                Ok((array(&row, context)?, row.get::<i64>(2)?))
            })
        });
        let sample = |(array, count): (Option<_>, Option<i64>)| {
            let (rows, ty) = array?;
            let count = count.and_then(|count| u64::try_from(count).ok());
            Some(Sample {
                rows,
                ty,
                kept: count.unwrap_or(0).min(MOST_ROWS.into()),
                fetched: observed.fetched,
            })
        };
        (outcome.map(sample), observed)
    }

    /// The values of a column that are not null, each once, in its type's order.
    pub(super) fn values(&self, column: &Column) -> Outcome<Vec<Sampled>> {
        let name = format!("{SAMPLED}.{}", sql::identifier(&column.name));
        let query = format!(
            "SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(counted.value, counted.rows) ORDER BY counted.place)
             FROM (SELECT {name}::pg_catalog.text AS value, pg_catalog.count(*) AS rows,
                          pg_catalog.row_number() OVER (ORDER BY {name}) AS place
                   FROM pg_catalog.unnest($1) AS {SAMPLED} WHERE {name} IS NOT NULL GROUP BY {name}) AS counted"
        );
        let (outcome, _) = self.ask(&query, None, |row| row.get::<DatabaseJson>(1));
        let found = outcome?.and_then(|DatabaseJson(text)| serde_json::from_str(&text).ok());
        let sampled = |(text, rows)| Sampled { text, rows };
        Ok(found
            .unwrap_or_else(Vec::<(String, u64)>::new)
            .into_iter()
            .map(sampled)
            .collect())
    }

    /// Runs a query about the sample, which is its `$1`.
    pub(super) fn ask<R>(
        &self,
        query: &str,
        more: Option<DatabaseJson>,
        read: impl FnOnce(&spi::SpiTupleTable) -> Result<R, spi::Error>,
    ) -> (Outcome<R>, Observed) {
        // SAFETY: the sample is an array of that type.
        let sample = unsafe { DatumWithOid::new(self.rows, self.ty) };
        let more = more.map(DatumWithOid::from);
        let arguments: Vec<DatumWithOid> = std::iter::once(sample).chain(more).collect();
        ask(MOST_PAGES, || {
            let query = to_server(query);
            Spi::connect(|client| read(&client.select(&query, Some(1), &arguments)?.first()))
        })
    }
}

/// The array of a result's first column, copied into `context`; none where it is NULL.
fn array(
    row: &spi::SpiTupleTable,
    context: pg_sys::MemoryContext,
) -> Result<Option<(pg_sys::Datum, pg_sys::Oid)>, spi::Error> {
    let datum = row.get_datum_by_ordinal(1)?;
    let ty = row.column_type_oid(1)?.value();
    Ok(datum.map(|datum| {
        // SAFETY: an array is one varlena; the context outlives the query.
        let copy = unsafe {
            let before = pg_sys::MemoryContextSwitchTo(context);
            let copy = pg_sys::pg_detoast_datum_copy(datum.cast_mut_ptr());
            pg_sys::MemoryContextSwitchTo(before);
            copy
        };
        (pg_sys::Datum::from(copy), ty)
    }))
}

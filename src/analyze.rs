//! ANALYZE: a sample of a table's rows and their number, by a bounded number of requests.

use crate::encoding::for_message;
use crate::error::FdwError;
use crate::executor::Reader;
use crate::options::{self, CatalogTable};
use crate::planner;
use crate::settings;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_guard, pg_sys};
use rest_engine::model::Table;
use rest_engine::pushdown::RemoteQuery;
use rest_engine::request::{self, Inputs};
use rest_engine::{pushdown, sample};

/// Pages that one ANALYZE of a table reads at most.
const MOST_PAGES: u64 = 30;

/// `AnalyzeForeignTable`: says how rows are sampled, unless the table has required parameters, without
/// whose values there is no request to send (rule R8). It makes no request itself.
///
/// # Safety
/// Called by PostgreSQL's ANALYZE only.
#[pg_guard]
pub unsafe extern "C-unwind" fn analyze_foreign_table(
    relation: pg_sys::Relation,
    function: *mut pg_sys::AcquireSampleRowsFunc,
    pages: *mut pg_sys::BlockNumber,
) -> bool {
    // SAFETY: PostgreSQL's own pointers; it holds a lock on the relation.
    unsafe {
        let catalog = options::load((*relation).rd_id).unwrap_or_else(|error| error.raise());
        let missing = pushdown::missing(&catalog.table, &[]);
        if !missing.is_empty() {
            warn_of_missing(&catalog.table, &missing);
            return false;
        }
        *function = Some(acquire_sample_rows);
        *pages = blocks(relation, &catalog);
        true
    }
}

fn warn_of_missing(table: &Table, missing: &[usize]) {
    let columns: Vec<&str> = missing
        .iter()
        .map(|index| table.columns[*index].name.as_str())
        .collect();
    let message = format!(
        "foreign table \"{}\" cannot be read as a whole: it needs values for {}",
        table.name,
        columns.join(", ")
    );
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
        for_message(message),
        "rest_fdw",
    )
    .set_hint("Set its option \"rows_estimate\" to the rows that one set of values returns.")
    .report(PgLogLevel::WARNING);
}

/// The size of the table's rows in blocks of PostgreSQL, from what is known without asking the API; at
/// least one, which tells an analyzed table from others.
unsafe fn blocks(relation: pg_sys::Relation, catalog: &CatalogTable) -> pg_sys::BlockNumber {
    // SAFETY: the relation is open.
    let (rows, width) = unsafe {
        let stored = &*(*relation).rd_rel;
        let (pages, tuples) = (stored.relpages.unsigned_abs(), f64::from(stored.reltuples));
        let id = (*relation).rd_id;
        (
            planner::expected_rows(id, &catalog.table, pages, tuples),
            pg_sys::get_relation_data_width(id, std::ptr::null_mut()),
        )
    };
    let bytes = rows * f64::from(width);
    (bytes / f64::from(pg_sys::BLCKSZ)).ceil().max(1.0) as pg_sys::BlockNumber
}

/// Reads a sample: at most `target` rows, stored in `rows`. Returns how many; `total` is the number of
/// rows of the table, as far as it is known.
#[pg_guard]
unsafe extern "C-unwind" fn acquire_sample_rows(
    relation: pg_sys::Relation,
    level: std::os::raw::c_int,
    rows: *mut pg_sys::HeapTuple,
    target: std::os::raw::c_int,
    total: *mut f64,
    dead: *mut f64,
) -> std::os::raw::c_int {
    // SAFETY: PostgreSQL's own pointers: `rows` has room for `target` tuples.
    unsafe {
        let target = usize::try_from(target).unwrap_or(0);
        let sample = sample_rows(relation, target, level).unwrap_or_else(|error| error.raise());
        *total = sample.total;
        *dead = 0.0;
        for (index, tuple) in sample.tuples.iter().enumerate() {
            *rows.add(index) = *tuple;
        }
        sample.tuples.len() as std::os::raw::c_int
    }
}

/// What ANALYZE gets.
struct Sample {
    tuples: Vec<pg_sys::HeapTuple>,
    total: f64,
}

/// # Safety
/// `relation` is open.
unsafe fn sample_rows(
    relation: pg_sys::Relation,
    target: usize,
    level: i32,
) -> Result<Sample, FdwError> {
    // SAFETY: by this function's contract.
    let (catalog, mut reader) = unsafe {
        let catalog = options::load((*relation).rd_id)?;
        let reader = Reader::new(&catalog, relation)?;
        (catalog, reader)
    };
    let table = sample::with_large_pages(&catalog.table);
    let bound =
        request::bind(&table, &RemoteQuery::default(), &[]).map_err(|error| FdwError::Remote {
            table: table.name.clone(),
            error: Box::new(error),
        })?;
    let mut reservoir = Reservoir::new(target);
    let mut total = 0.0;
    if let Some(inputs) = bound.requests.into_iter().next() {
        let most = most_pages(&table);
        total = if sample::is_seekable(&table) {
            read_spread(&mut reader, &mut reservoir, &table, inputs, most)?
        } else {
            read_front(&mut reader, &mut reservoir, &table, inputs, most)?
        };
    }
    report(level, &table, &reader, &reservoir, total);
    Ok(Sample {
        tuples: reservoir.into_tuples(),
        total,
    })
}

/// Pages that may be read without an error of the bounds of server and statement.
fn most_pages(table: &Table) -> u64 {
    let bounds = [
        table.source.max_pages,
        table.source.max_requests,
        settings::max_requests(),
    ];
    let least = bounds.into_iter().flatten().min();
    least.map_or(MOST_PAGES, |bound| bound.clamp(1, MOST_PAGES))
}

/// Reads the first page and, of the others that it tells of, some from all parts of the table. Returns
/// the number of rows.
fn read_spread(
    reader: &mut Reader,
    reservoir: &mut Reservoir,
    table: &Table,
    inputs: Inputs,
    most: u64,
) -> Result<f64, FdwError> {
    reader.start(table.clone(), vec![inputs.clone()], 1)?;
    reservoir.read(reader)?;
    let first = reader.statistics();
    if !first.partial {
        return Ok(reservoir.seen as f64);
    }
    let Some(pages) = sample::pages(first.rows, first.total, first.page_count) else {
        *reservoir = Reservoir::new(reservoir.target);
        return read_front(reader, reservoir, table, inputs, (most - 1).max(1));
    };
    // SAFETY: called on the backend's main thread.
    let chance = || unsafe { pg_sys::anl_random_fract() };
    let chosen = sample::choose(pages, first.rows, reservoir.target as u64, most, chance);
    let is_whole = chosen.len() as u64 + 1 >= pages;
    if !chosen.is_empty() {
        let (single, requests) = sample::requests(table, &inputs, first.rows, &chosen);
        reader.start(single, requests, 1)?;
        reservoir.read(reader)?;
    }
    Ok(match first.total {
        Some(total) => total as f64,
        None if is_whole => reservoir.seen as f64,
        None => pages as f64 * first.rows as f64,
    })
}

/// Reads pages from the first on. Returns the number of rows: exact where the end was reached, else what
/// the API or the option `rows_estimate` says, and at least what was read.
fn read_front(
    reader: &mut Reader,
    reservoir: &mut Reservoir,
    table: &Table,
    inputs: Inputs,
    most: u64,
) -> Result<f64, FdwError> {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    reader.start(table.clone(), vec![inputs], most)?;
    reservoir.read(reader)?;
    let statistics = reader.statistics();
    let read = reservoir.seen as f64;
    Ok(match statistics.total {
        Some(total) => total as f64,
        None if statistics.partial => table.rows_estimate.unwrap_or(0.0).max(read),
        None => read,
    })
}

/// For ANALYZE VERBOSE.
fn report(level: i32, table: &Table, reader: &Reader, reservoir: &Reservoir, total: f64) {
    let statistics = reader.statistics();
    let message = format!(
        "\"{}\": {} requests returned {} rows, {} rows in sample, {total} estimated total rows",
        table.name,
        statistics.requests,
        statistics.rows,
        reservoir.chosen.len()
    );
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        for_message(message),
        "rest_fdw",
    )
    .report(PgLogLevel::from(level));
}

/// A random choice of a bounded number of rows, each with the same chance, without knowing how many
/// there will be (Knuth, The Art of Computer Programming, volume 2, section 3.4.2, algorithm R).
struct Reservoir {
    target: usize,
    /// Rows met.
    seen: u64,
    /// Those chosen, each with its number.
    chosen: Vec<(u64, pg_sys::HeapTuple)>,
}

impl Reservoir {
    fn new(target: usize) -> Self {
        Reservoir {
            target,
            seen: 0,
            chosen: Vec::new(),
        }
    }

    /// Takes part of what the reader returns, up to its end.
    fn read(&mut self, reader: &mut Reader) -> Result<(), FdwError> {
        while reader.next()? {
            self.seen += 1;
            if self.chosen.len() < self.target {
                self.chosen.push((self.seen, reader.tuple()?));
                continue;
            }
            // SAFETY: called on the backend's main thread.
            let place = unsafe { pg_sys::anl_random_fract() } * self.seen as f64;
            if let Some(chosen) = self.chosen.get_mut(place as usize) {
                let (_, before) = std::mem::replace(chosen, (self.seen, reader.tuple()?));
                // SAFETY: the tuple was made by the reader, and nothing else refers to it.
                unsafe { pg_sys::heap_freetuple(before) };
            }
        }
        Ok(())
    }

    /// The chosen rows in the API's order, by which PostgreSQL knows how far a column follows it.
    fn into_tuples(mut self) -> Vec<pg_sys::HeapTuple> {
        self.chosen.sort_unstable_by_key(|(number, _)| *number);
        self.chosen.into_iter().map(|(_, tuple)| tuple).collect()
    }
}

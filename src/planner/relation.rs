//! The planner's view of one foreign table: its options, its size.

use super::clauses::{self, Clause};
use super::costs;
use crate::error::FdwError;
use crate::options::{self, CatalogTable};
use crate::reported;
use pgrx::{PgMemoryContexts, pg_guard, pg_sys};
use rest_engine::model::Table;

/// A foreign table while its query is planned; lives in the planner's memory context, reached
/// through `RelOptInfo.fdw_private`.
pub struct Relation {
    /// The planner's state.
    pub root: *mut pg_sys::PlannerInfo,
    /// The planner's relation.
    pub rel: *mut pg_sys::RelOptInfo,
    /// What the catalog says.
    pub catalog: CatalogTable,
    /// Rows that one request chain without filters returns.
    pub remote_rows: f64,
}

impl Relation {
    /// The engine's model.
    pub fn table(&self) -> &Table {
        &self.catalog.table
    }

    /// The index of the column with this attribute number; `None` for system columns and whole rows.
    pub fn column_of(&self, attribute: pg_sys::AttrNumber) -> Option<usize> {
        self.catalog
            .attributes
            .iter()
            .position(|number| *number == attribute)
    }

    /// Reads a table's options and translates nothing yet.
    unsafe fn load(
        root: *mut pg_sys::PlannerInfo,
        rel: *mut pg_sys::RelOptInfo,
        oid: pg_sys::Oid,
    ) -> Result<Self, FdwError> {
        let catalog = options::load(oid)?;
        // SAFETY: the planner's relation is valid during planning.
        let remote_rows =
            unsafe { expected_rows(oid, &catalog.table, (*rel).pages, (*rel).tuples) };
        Ok(Relation {
            root,
            rel,
            catalog,
            remote_rows,
        })
    }

    /// The relation that [`get_foreign_rel_size`] left for the later callbacks.
    ///
    /// # Safety
    /// `rel` is a base relation of this wrapper whose size was estimated, in the same planning.
    pub unsafe fn of<'a>(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> &'a Self {
        // SAFETY: by this function's contract the pointer is that of a Relation; nothing else
        // refers to it now.
        unsafe {
            let relation = (*rel).fdw_private.cast::<Relation>();
            (*relation).root = root;
            &*relation
        }
    }

    /// Whether the clauses fix every column of the key, so that one row is left.
    pub fn is_single_row(&self, clauses: &[&Clause]) -> bool {
        let fixed = |key: &usize| {
            clauses
                .iter()
                .any(|clause| clause.equal_column() == Some(*key))
        };
        !self.table().key.is_empty() && self.table().key.iter().all(fixed)
    }

    /// Rows that are left after `clauses`. Conditions on parameter columns remove no row: they are inputs.
    ///
    /// # Safety
    /// The clauses are of the query being planned.
    pub unsafe fn rows_after(&self, clauses: &[Clause]) -> f64 {
        if self.is_single_row(&clauses.iter().collect::<Vec<_>>()) {
            return 1.0;
        }
        // SAFETY: by this function's contract.
        let selectivity = unsafe { self.selectivity(clauses.iter()) };
        (self.remote_rows * selectivity).round().max(1.0)
    }

    /// The part of the rows that the clauses leave.
    ///
    /// # Safety
    /// The clauses are of the query being planned.
    pub unsafe fn selectivity<'a>(&self, clauses: impl Iterator<Item = &'a Clause>) -> f64 {
        let mut chosen = pgrx::PgList::<pg_sys::RestrictInfo>::new();
        for clause in clauses.filter(|clause| !self.is_input(clause)) {
            chosen.push(clause.info);
        }
        // SAFETY: by this function's contract.
        unsafe {
            pg_sys::clauselist_selectivity(
                self.root,
                chosen.into_pg(),
                (*self.rel).relid as i32,
                pg_sys::JoinType::JOIN_INNER,
                std::ptr::null_mut(),
            )
        }
    }

    fn is_input(&self, clause: &Clause) -> bool {
        let columns = clause.columns();
        let is_input = |column: &usize| self.table().columns[*column].is_input();
        !columns.is_empty() && columns.iter().all(is_input)
    }
}

/// The rows that the table `relation` is expected to have, of which ANALYZE stored these figures. Zero
/// pages: it was not analyzed (older versions of PostgreSQL store zero rows then, newer ones -1).
pub fn expected_rows(
    relation: pg_sys::Oid,
    table: &Table,
    pages: pg_sys::BlockNumber,
    tuples: f64,
) -> f64 {
    let is_analyzed = tuples > 0.0 || (tuples == 0.0 && pages > 0);
    let analyzed = is_analyzed.then_some(tuples);
    costs::remote_rows(table, analyzed, reported::total(relation, table))
}

/// `GetForeignRelSize`: how many rows the table has after the query's restrictions.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
pub unsafe extern "C-unwind" fn get_foreign_rel_size(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    oid: pg_sys::Oid,
) {
    // SAFETY: the planner's own pointers, valid during planning.
    unsafe {
        let relation = Relation::load(root, rel, oid).unwrap_or_else(|error| error.raise());
        (*rel).tuples = relation.remote_rows;
        pg_sys::set_baserel_size_estimates(root, rel);
        let clauses = clauses::translate(&relation, (*rel).baserestrictinfo);
        (*rel).rows = relation.rows_after(&clauses);
        (*rel).fdw_private = PgMemoryContexts::CurrentMemoryContext
            .leak_and_drop_on_delete(relation)
            .cast();
    }
}

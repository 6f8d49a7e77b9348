//! The wrapper's registration: supabase-wrappers generates the handler and the validator function,
//! our callbacks replace its own as one set.

use crate::error::FdwError;
use crate::{analyze, executor, explain, options, planner};
use pgrx::{AllocatedByRust, PgBox, pg_sys};
use supabase_wrappers::prelude::*;

/// The foreign data wrapper `rest_fdw`.
#[wrappers_fdw(
    version = "0.1.0",
    author = "the rest_fdw authors",
    website = "",
    error_type = "FdwError"
)]
pub struct RestFdw;

impl ForeignDataWrapper<FdwError> for RestFdw {
    fn fdw_routine_hook(routine: &mut PgBox<pg_sys::FdwRoutine, AllocatedByRust>) {
        install_callbacks(routine);
    }

    fn validator(
        options: Vec<Option<String>>,
        catalog: Option<pg_sys::Oid>,
    ) -> Result<(), FdwError> {
        options::validate(options, catalog)
    }

    // The scan callbacks below belong to supabase-wrappers' own executor, which is not installed:
    // nothing calls them.

    fn new(_server: ForeignServer) -> Result<Self, FdwError> {
        Err(FdwError::not_installed())
    }

    fn begin_scan(
        &mut self,
        _quals: &[Qual],
        _columns: &[Column],
        _sorts: &[Sort],
        _limit: &Option<Limit>,
        _options: &std::collections::HashMap<String, String>,
    ) -> Result<(), FdwError> {
        Err(FdwError::not_installed())
    }

    fn iter_scan(&mut self, _row: &mut Row) -> Result<Option<()>, FdwError> {
        Err(FdwError::not_installed())
    }

    fn end_scan(&mut self) -> Result<(), FdwError> {
        Err(FdwError::not_installed())
    }
}

/// Replaces every callback of supabase-wrappers: what rest_fdw does not do (yet) is NULL, so that
/// PostgreSQL itself refuses it.
fn install_callbacks(routine: &mut PgBox<pg_sys::FdwRoutine, AllocatedByRust>) {
    routine.GetForeignRelSize = Some(planner::get_foreign_rel_size);
    routine.GetForeignPaths = Some(planner::get_foreign_paths);
    routine.GetForeignPlan = Some(planner::get_foreign_plan);
    routine.GetForeignUpperPaths = Some(planner::get_foreign_upper_paths);

    routine.BeginForeignScan = Some(executor::begin_foreign_scan);
    routine.IterateForeignScan = Some(executor::iterate_foreign_scan);
    routine.ReScanForeignScan = Some(executor::rescan_foreign_scan);
    routine.EndForeignScan = Some(executor::end_foreign_scan);

    routine.AnalyzeForeignTable = Some(analyze::analyze_foreign_table);

    routine.ExplainForeignScan = Some(explain::explain_foreign_scan);

    routine.AddForeignUpdateTargets = None;
    routine.PlanForeignModify = None;
    routine.BeginForeignModify = None;
    routine.ExecForeignInsert = None;
    routine.ExecForeignUpdate = None;
    routine.ExecForeignDelete = None;
    routine.EndForeignModify = None;
    routine.ImportForeignSchema = None;
}

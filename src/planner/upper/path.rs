//! When does the API answer the aggregates of a query, and what does that cost?

use super::wish::{self, Wanted};
use crate::options::engine_type;
use crate::planner::clauses::{self, Clause};
use crate::planner::costs;
use crate::planner::paths::push_down;
use crate::planner::relation::Relation;
use crate::{compat, settings};
use pgrx::{PgList, PgMemoryContexts, pg_guard, pg_sys};
use rest_engine::pushdown::{self, Aggregate, Known, Pushdown, Verdict, Wish};
use std::ptr;

/// The grouped relation of a query while it is planned; reached through `RelOptInfo.fdw_private`.
pub struct Grouped {
    /// The relation whose rows are grouped.
    pub input: *mut pg_sys::RelOptInfo,
    /// The node's columns: those that make a group, then the aggregates.
    pub targets: Vec<*mut pg_sys::Expr>,
    /// Conditions on groups, which PostgreSQL checks.
    pub having: *mut pg_sys::List,
    /// What is wanted.
    pub wish: Wish,
    /// What the API is asked for.
    pub aggregate: Aggregate,
}

/// `GetForeignUpperPaths`: a path where the API aggregates the rows of one table.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
pub unsafe extern "C-unwind" fn get_foreign_upper_paths(
    root: *mut pg_sys::PlannerInfo,
    stage: pg_sys::UpperRelationKind::Type,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut std::ffi::c_void,
) {
    // SAFETY: the planner's own pointers; a base relation of this wrapper has its Relation, unless it is
    // known to be empty. `extra` is what this stage of planning hands over.
    unsafe {
        let is_base = (*input).reloptkind == pg_sys::RelOptKind::RELOPT_BASEREL;
        if stage != pg_sys::UpperRelationKind::UPPERREL_GROUP_AGG
            || !is_base
            || (*input).fdw_private.is_null()
            || !(*output).fdw_private.is_null()
            || !settings::pushdown()
        {
            return;
        }
        let relation = Relation::of(root, input);
        let extra = extra.cast::<pg_sys::GroupPathExtraData>();
        if let Some(grouped) = grouped(relation, output, extra) {
            add_path(relation, output, &grouped);
            (*output).fdw_private = PgMemoryContexts::CurrentMemoryContext
                .leak_and_drop_on_delete(grouped)
                .cast();
        }
    }
}

/// What the API is asked for; `None` where PostgreSQL has to aggregate.
unsafe fn grouped(
    relation: &Relation,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut pg_sys::GroupPathExtraData,
) -> Option<Grouped> {
    if !relation.table().aggregates.is_any() {
        return None;
    }
    // SAFETY: by the caller's contract.
    unsafe {
        let having = (*extra).havingQual.cast::<pg_sys::List>();
        let Wanted { targets, wish } = wish::wanted(relation, output, having)?;
        all_rows_are_selected_by_the_api(relation).ok()?;
        let aggregate = pushdown::choose(relation.table(), &wish).ok()?;
        Some(Grouped {
            input: relation.rel,
            targets,
            having,
            wish,
            aggregate,
        })
    }
}

/// `Ok` where the API selects precisely the rows that the query does, whatever values come at run time
/// (rule R7).
unsafe fn all_rows_are_selected_by_the_api(relation: &Relation) -> Result<(), String> {
    // SAFETY: the planner's own lists.
    unsafe {
        let restrictions = (*relation.rel).baserestrictinfo;
        let infos = PgList::<pg_sys::RestrictInfo>::from_pg(restrictions);
        if infos.iter_ptr().any(|info| (*info).pseudoconstant)
            || !compat::is_empty_set((*relation.rel).lateral_relids)
        {
            return Err("a condition does not depend on the table's rows".to_owned());
        }
        let clauses = clauses::translate(relation, restrictions);
        let Pushdown {
            verdicts,
            sent,
            missing,
        } = push_down(relation, &clauses);
        if !missing.is_empty() || verdicts.iter().any(|verdict| *verdict != Verdict::Exact) {
            return Err("not all conditions are sent precisely".to_owned());
        }
        pushdown::certain(relation.table(), &sent, &known(&clauses))
    }
}

/// What is known of all clauses' operands.
fn known(clauses: &[Clause]) -> Vec<Known> {
    let of_clause = |clause: &Clause| {
        let operands = clause.operands.iter().enumerate();
        operands
            .map(|(index, node)| match clause.constant(index) {
                Some(value) => Known::Value(value),
                // SAFETY: the operand is an expression of the planner's current query.
                None => Known::Type(engine_type(unsafe { pg_sys::exprType(*node) })),
            })
            .collect::<Vec<_>>()
    };
    clauses.iter().flat_map(of_clause).collect()
}

unsafe fn add_path(relation: &Relation, output: *mut pg_sys::RelOptInfo, grouped: &Grouped) {
    // SAFETY: the planner's own pointers.
    unsafe {
        let groups = groups(relation, grouped);
        let costs = costs::scan(relation.table(), groups, groups, 0, 1.0);
        let having = PgList::<pg_sys::Node>::from_pg(grouped.having).len() as f64;
        let total = costs.total + groups * having * pg_sys::cpu_operator_cost;
        let path = compat::create_foreign_upper_path(
            relation.root,
            output,
            groups,
            (costs.startup, total),
        );
        pg_sys::add_path(output, path.cast());
    }
}

/// The number of groups.
unsafe fn groups(relation: &Relation, grouped: &Grouped) -> f64 {
    if grouped.aggregate.is_single() {
        return 1.0;
    }
    // SAFETY: the planner's own pointers; its target list has every grouping expression.
    unsafe {
        let targets = (*relation.root).processed_tlist;
        let keys = pg_sys::get_sortgrouplist_exprs(compat::group_clause(relation.root), targets);
        let rows = (*relation.rel).rows;
        compat::estimate_num_groups(relation.root, keys, rows)
    }
}

impl Grouped {
    /// What [`get_foreign_upper_paths`] left for the plan.
    ///
    /// # Safety
    /// `rel` is a grouped relation that it added a path to, in the same planning.
    pub unsafe fn of<'a>(rel: *mut pg_sys::RelOptInfo) -> &'a Self {
        // SAFETY: by this function's contract.
        unsafe {
            debug_assert_ne!((*rel).fdw_private, ptr::null_mut());
            &*(*rel).fdw_private.cast::<Grouped>()
        }
    }
}

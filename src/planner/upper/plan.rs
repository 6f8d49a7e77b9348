//! The plan node of aggregates that the API answers.

use super::path::Grouped;
use super::shown;
use crate::plan::{RemoteAggregate, ScanPlan};
use crate::planner::clauses::{self, Clause};
use crate::planner::paths::push_down;
use crate::planner::relation::Relation;
use crate::planner::scan_plan::Expressions;
use pgrx::{PgList, pg_sys};
use rest_engine::pushdown::{RemoteQuery, Sent};
use std::ptr;

/// The plan node for a path of the grouped relation `rel`. It scans no relation: its rows are `targets`.
///
/// # Safety
/// The planner's own pointers; `rel` was given a path by this wrapper.
pub unsafe fn aggregate_scan(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    target_list: *mut pg_sys::List,
    outer_plan: *mut pg_sys::Plan,
) -> *mut pg_sys::ForeignScan {
    // SAFETY: by this function's contract.
    unsafe {
        let grouped = Grouped::of(rel);
        let relation = Relation::of(root, grouped.input);
        let clauses = clauses::translate(relation, (*grouped.input).baserestrictinfo);
        let mut pushdown = push_down(relation, &clauses);
        let expressions = Expressions::sort(relation, &clauses, &mut pushdown);
        let plan = ScanPlan {
            operands: expressions.labels,
            ..scan_plan(relation, grouped, &clauses, pushdown.sent)
        };
        let private = plan.to_list().unwrap_or_else(|error| error.raise());
        pg_sys::make_foreignscan(
            target_list,
            pg_sys::list_copy(grouped.having),
            0,
            expressions.operands.into_pg(),
            private,
            scan_targets(grouped),
            ptr::null_mut(),
            outer_plan,
        )
    }
}

/// The plan, but for its operands.
unsafe fn scan_plan(
    relation: &Relation,
    grouped: &Grouped,
    clauses: &[Clause],
    sent: Vec<Sent>,
) -> ScanPlan {
    // SAFETY: the clauses and the list are of the query being planned.
    let (filters, conditions) = unsafe {
        (
            shown::filters(relation, clauses),
            list_length(grouped.having),
        )
    };
    ScanPlan {
        table: relation.table().clone(),
        server: relation.catalog.server.to_u32(),
        attributes: relation.catalog.attributes.clone(),
        query: RemoteQuery {
            sent,
            aggregate: Some(grouped.aggregate.clone()),
            ..RemoteQuery::default()
        },
        aggregate: Some(RemoteAggregate {
            shown: shown::aggregate(relation.table(), &grouped.wish),
            filters,
        }),
        local_order: None,
        operands: Vec::new(),
        // Aggregates cannot be checked again.
        rechecks: Vec::new(),
        local_reasons: vec!["groups are checked here".to_owned(); conditions],
        wanted: Vec::new(),
        hint: None,
        list: None,
        fetch_ahead: true,
    }
}

unsafe fn list_length(list: *mut pg_sys::List) -> usize {
    // SAFETY: a list of the planner, or NULL for the empty one.
    unsafe { PgList::<pg_sys::Node>::from_pg(list).len() }
}

/// What the node's rows consist of.
unsafe fn scan_targets(grouped: &Grouped) -> *mut pg_sys::List {
    let mut targets = PgList::<pg_sys::TargetEntry>::new();
    for (index, target) in grouped.targets.iter().enumerate() {
        let number = index as pg_sys::AttrNumber + 1;
        // SAFETY: an expression of the planner's current query; the entry is a new node.
        targets.push(unsafe { pg_sys::makeTargetEntry(*target, number, ptr::null_mut(), false) });
    }
    targets.into_pg()
}

//! Joins by look-ups whose outer rows are read ahead, so that look-ups are made side by side, or many at once as a list.
//!
//! PostgreSQL's nested loop hands one outer row to its inner scan at a time. A node above the outer side
//! (`executor::read_ahead`) reads some of its rows first, and tells the inner scan which values are going to come.

use super::clauses::{self, Clause};
use super::paths::{constants, predicates, push_down};
use super::relation::Relation;
use crate::plan::ListLookup;
use crate::{compat, executor, settings};
use pgrx::{PgList, pg_guard, pg_sys};
use rest_engine::model::{Operator, Role};
use rest_engine::predicate::Predicate;
use rest_engine::pushdown::{self, Condition, Leaf, Pushdown};
use std::ffi::CString;
use std::ptr;

/// Values of one list where neither the table nor the dialect sets a bound.
const LIST: usize = 100;

/// What was installed before us.
static mut PREVIOUS: pg_sys::set_join_pathlist_hook_type = None;

/// `CustomPathMethods` holds a raw pointer to its name, which is static.
struct PathMethods(pg_sys::CustomPathMethods);

// SAFETY: nothing ever changes it, and the name is static.
unsafe impl Sync for PathMethods {}

static PATH_METHODS: PathMethods = PathMethods(pg_sys::CustomPathMethods {
    CustomName: executor::READ_AHEAD.as_ptr(),
    PlanCustomPath: Some(plan_read_ahead),
    ReparameterizeCustomPathByChild: None,
});

/// Called once, when the library is loaded.
pub fn register() {
    // SAFETY: the backend's hook, on its main thread; libraries are never unloaded.
    unsafe {
        PREVIOUS = pg_sys::set_join_pathlist_hook;
        pg_sys::set_join_pathlist_hook = Some(add_join_paths);
    }
}

/// `set_join_pathlist_hook`: adds nested loops whose outer rows are read ahead.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
unsafe extern "C-unwind" fn add_join_paths(
    root: *mut pg_sys::PlannerInfo,
    join: *mut pg_sys::RelOptInfo,
    outer: *mut pg_sys::RelOptInfo,
    inner: *mut pg_sys::RelOptInfo,
    kind: pg_sys::JoinType::Type,
    extra: *mut pg_sys::JoinPathExtraData,
) {
    // SAFETY: the planner's own pointers.
    unsafe {
        if let Some(previous) = PREVIOUS {
            previous(root, join, outer, inner, kind, extra);
        }
        let outer_path = (*outer).cheapest_total_path;
        if !executor::is_own(inner) || outer_path.is_null() || !is_worth_it(root, join, kind) {
            return;
        }
        let paths = PgList::<pg_sys::Path>::from_pg((*inner).cheapest_parameterized_paths);
        for inner_path in paths.iter_ptr() {
            let needs = required_outer(inner_path);
            let is_lookup = (*inner_path).pathtype == pg_sys::NodeTag::T_ForeignScan
                && !compat::is_empty_set(needs)
                && pg_sys::bms_is_subset(needs, (*outer).relids);
            if is_lookup && compat::is_empty_set(required_outer(outer_path)) {
                let nested = Nested {
                    root,
                    join,
                    kind,
                    extra,
                };
                nested.add(outer_path, inner_path);
            }
        }
    }
}

/// Whether all rows of the join are wanted: where a query stops early, rows that were read ahead would be for nothing.
unsafe fn is_worth_it(
    root: *mut pg_sys::PlannerInfo,
    join: *mut pg_sys::RelOptInfo,
    kind: pg_sys::JoinType::Type,
) -> bool {
    use pg_sys::JoinType::{JOIN_ANTI, JOIN_INNER, JOIN_LEFT, JOIN_SEMI};
    // SAFETY: the planner's own state.
    unsafe {
        settings::read_ahead() > 1
            && matches!(kind, JOIN_INNER | JOIN_LEFT | JOIN_SEMI | JOIN_ANTI)
            && compat::is_empty_set((*join).lateral_relids)
            && super::scan_plan::reads_everything(root)
    }
}

/// The relations that a path takes values from.
unsafe fn required_outer(path: *mut pg_sys::Path) -> pg_sys::Relids {
    // SAFETY: a path of the planner.
    unsafe {
        (*path)
            .param_info
            .as_ref()
            .map_or(ptr::null_mut(), |info| info.ppi_req_outer)
    }
}

/// A join that is being planned.
struct Nested {
    root: *mut pg_sys::PlannerInfo,
    join: *mut pg_sys::RelOptInfo,
    kind: pg_sys::JoinType::Type,
    extra: *mut pg_sys::JoinPathExtraData,
}

impl Nested {
    /// Adds the nested loop over these two.
    unsafe fn add(&self, outer: *mut pg_sys::Path, inner: *mut pg_sys::Path) {
        // SAFETY: the planner's own pointers; the inner relation is one of ours, whose size was estimated.
        unsafe {
            let relation = Relation::of(self.root, (*inner).parent);
            let requests = Requests::of(relation, (*(*inner).param_info).ppi_clauses);
            if (*outer).rows <= 1.0 || requests.at_once() <= 1.0 {
                return;
            }
            let ahead = read_ahead(outer, &requests);
            let mut workspace = pg_sys::JoinCostWorkspace::default();
            pg_sys::initial_cost_nestloop(
                self.root,
                &mut workspace,
                self.kind,
                ahead,
                inner,
                self.extra,
            );
            let path: *mut pg_sys::Path = pg_sys::create_nestloop_path(
                self.root,
                self.join,
                self.kind,
                &mut workspace,
                self.extra,
                ahead,
                inner,
                (*self.extra).restrictlist,
                pg_sys::build_join_pathkeys(self.root, self.join, self.kind, (*outer).pathkeys),
                ptr::null_mut(),
            )
            .cast();
            let for_lookups = ((*path).total_cost - (*ahead).total_cost).max(0.0);
            let at_once = requests.at_once().min((*outer).rows);
            (*path).total_cost =
                ((*ahead).total_cost + for_lookups / at_once).max((*path).startup_cost);
            pg_sys::add_path(self.join, path);
        }
    }
}

/// How look-ups become requests.
struct Requests {
    /// Requests in flight.
    concurrency: u32,
    /// Values of one request, where the API takes a list.
    list: Option<usize>,
}

impl Requests {
    unsafe fn of(relation: &Relation, join_clauses: *mut pg_sys::List) -> Self {
        // SAFETY: the planner's own lists.
        let clauses = unsafe {
            let own = pg_sys::list_copy((*relation.rel).baserestrictinfo);
            clauses::translate(relation, pg_sys::list_concat(own, join_clauses))
        };
        let table = relation.table();
        let pushdown = push_down(relation, &clauses);
        Requests {
            concurrency: table.source.max_concurrency,
            list: list_lookup(relation, &clauses, &pushdown).map(|list| list.values),
        }
    }

    /// Look-ups that take the time of one.
    fn at_once(&self) -> f64 {
        f64::from(self.concurrency) * self.list.unwrap_or(1) as f64
    }

    fn describe(&self) -> String {
        let at_once = format!("up to {} requests at once", self.concurrency);
        match self.list {
            None => at_once,
            Some(size) => format!("lists of up to {size} values, {at_once}"),
        }
    }
}

/// The condition `column = value of another table`, by its place among those that are sent, for which the API would
/// take a list of values just as well.
pub fn list_lookup(
    relation: &Relation,
    clauses: &[Clause],
    pushdown: &Pushdown,
) -> Option<ListLookup> {
    let table = relation.table();
    pushdown.sent.iter().enumerate().find_map(|(place, sent)| {
        let Condition::Test(leaf) = &sent.condition else {
            return None;
        };
        let clause = &clauses[sent.predicate];
        let is_of_another = clause.operands.len() == 1
            // SAFETY: an expression of the planner's current query.
            && unsafe { pg_sys::contain_var_clause(clause.operands[0]) };
        let is_field = matches!(table.columns[leaf.column].role, Role::Field(_));
        if leaf.operator != Operator::Eq || !is_of_another || !is_field {
            return None;
        }
        let list = Leaf {
            operator: Operator::In,
            ..leaf.clone()
        };
        let most = pushdown::values_a_request(table, &list);
        let values = if most.is_finite() {
            most as usize
        } else {
            LIST
        };
        (values > 1 && takes_list(relation, clauses, pushdown, place, &list)).then_some(
            ListLookup {
                sent: place,
                values,
            },
        )
    })
}

/// Whether the same is sent where the comparison `place` is `list`, but for that.
fn takes_list(
    relation: &Relation,
    clauses: &[Clause],
    pushdown: &Pushdown,
    place: usize,
    list: &Leaf,
) -> bool {
    let mut predicates = predicates(clauses);
    let Predicate::Compare { operator, .. } = &mut predicates[pushdown.sent[place].predicate]
    else {
        return false;
    };
    *operator = Operator::In;
    let listed = pushdown::plan(
        relation.table(),
        &predicates,
        &constants(clauses),
        settings::pushdown(),
    );
    listed.sent.len() == pushdown.sent.len()
        && listed
            .sent
            .iter()
            .zip(&pushdown.sent)
            .enumerate()
            .all(|(index, (listed, sent))| match index == place {
                true => listed.condition == Condition::Test(list.clone()),
                false => listed.condition == sent.condition,
            })
}

/// A path that returns the rows of `outer`, read ahead.
unsafe fn read_ahead(outer: *mut pg_sys::Path, requests: &Requests) -> *mut pg_sys::Path {
    // SAFETY: a path of the planner; the new one is allocated where the planner's paths are.
    unsafe {
        let path = pg_sys::palloc0(size_of::<pg_sys::CustomPath>()).cast::<pg_sys::CustomPath>();
        (*path).path.type_ = pg_sys::NodeTag::T_CustomPath;
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = (*outer).parent;
        (*path).path.pathtarget = (*outer).pathtarget;
        (*path).path.rows = (*outer).rows;
        (*path).path.startup_cost = (*outer).startup_cost;
        (*path).path.total_cost = (*outer).total_cost + (*outer).rows * pg_sys::cpu_tuple_cost;
        (*path).path.pathkeys = (*outer).pathkeys;
        (*path).custom_paths = pg_sys::lappend(ptr::null_mut(), outer.cast());
        let described = CString::new(requests.describe()).unwrap_or_default();
        let described = pg_sys::makeString(pg_sys::pstrdup(described.as_ptr()));
        (*path).custom_private = pg_sys::lappend(ptr::null_mut(), described.cast());
        (*path).methods = &raw const PATH_METHODS.0;
        path.cast()
    }
}

/// `PlanCustomPath`: the node above the plan of the outer side. Conditions are that plan's own matter.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
unsafe extern "C-unwind" fn plan_read_ahead(
    _root: *mut pg_sys::PlannerInfo,
    _rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    target_list: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the planner's own pointers; there is one plan below.
    unsafe {
        let below = PgList::<pg_sys::Plan>::from_pg(plans);
        let columns = below
            .get_ptr(0)
            .map_or(ptr::null_mut(), |plan| (*plan).targetlist);
        let scan = pg_sys::palloc0(size_of::<pg_sys::CustomScan>()).cast::<pg_sys::CustomScan>();
        (*scan).scan.plan.type_ = pg_sys::NodeTag::T_CustomScan;
        (*scan).scan.plan.targetlist = target_list;
        (*scan).custom_plans = plans;
        (*scan).custom_scan_tlist = pg_sys::copyObjectImpl(columns.cast()).cast();
        (*scan).custom_private = (*path).custom_private;
        (*scan).methods = executor::read_ahead_methods();
        scan.cast()
    }
}

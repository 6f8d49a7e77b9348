//! Everything that differs between PostgreSQL 13 and 18, and nothing else.

use pgrx::pg_sys;
use std::os::raw::c_char;
use std::ptr;

/// The text of a node made by `makeString`.
///
/// # Safety
/// `node` is such a node.
pub unsafe fn string_value(node: *mut pg_sys::Node) -> *const c_char {
    // SAFETY: by this function's contract.
    #[cfg(any(feature = "pg13", feature = "pg14"))]
    return unsafe { (*node.cast::<pg_sys::Value>()).val.str_ };
    // SAFETY: by this function's contract.
    #[cfg(not(any(feature = "pg13", feature = "pg14")))]
    return unsafe { (*node.cast::<pg_sys::String>()).sval };
}

/// `bms_is_empty`, which is a macro where the empty set is NULL by definition.
///
/// # Safety
/// `set` is NULL or a set of PostgreSQL.
pub unsafe fn is_empty_set(set: *const pg_sys::Bitmapset) -> bool {
    // SAFETY: by this function's contract.
    set.is_null() || unsafe { pg_sys::bms_num_members(set) } == 0
}

/// Whether a path key's largest value comes first.
///
/// # Safety
/// `pathkey` is a path key of the planner.
pub unsafe fn is_descending(pathkey: *mut pg_sys::PathKey) -> bool {
    // SAFETY: by this function's contract.
    #[cfg(feature = "pg18")]
    return unsafe { (*pathkey).pk_cmptype == pg_sys::CompareType::COMPARE_GT };
    // SAFETY: by this function's contract.
    #[cfg(not(feature = "pg18"))]
    return unsafe { (*pathkey).pk_strategy } == pg_sys::BTGreaterStrategyNumber as i32;
}

/// The order of a class's values, as merge joins want it: a list of one path key.
///
/// # Safety
/// The planner's own state and one of its classes.
pub unsafe fn ascending_pathkey(
    root: *mut pg_sys::PlannerInfo,
    class: *mut pg_sys::EquivalenceClass,
) -> *mut pg_sys::List {
    #[cfg(feature = "pg18")]
    let ascending = pg_sys::CompareType::COMPARE_LT;
    #[cfg(not(feature = "pg18"))]
    let ascending = pg_sys::BTLessStrategyNumber as i32;
    // SAFETY: by this function's contract; a class that is useful for merging has an operator family.
    unsafe {
        let family = pg_sys::list_nth_oid((*class).ec_opfamilies, 0);
        let pathkey = pg_sys::make_canonical_pathkey(root, class, family, ascending, false);
        pg_sys::lappend(ptr::null_mut(), pathkey.cast())
    }
}

/// The members of a class that may be of `rel`: PostgreSQL 18 keeps those of partitions and other children apart.
///
/// # Safety
/// A class and a base relation of the planner.
pub unsafe fn class_members(
    class: *mut pg_sys::EquivalenceClass,
    rel: *mut pg_sys::RelOptInfo,
) -> Vec<*mut pg_sys::EquivalenceMember> {
    // SAFETY: by this function's contract.
    unsafe {
        let list = |list| pgrx::PgList::<pg_sys::EquivalenceMember>::from_pg(list);
        #[cfg_attr(not(feature = "pg18"), allow(unused_mut))]
        let mut members: Vec<_> = list((*class).ec_members).iter_ptr().collect();
        #[cfg(feature = "pg18")]
        if ((*rel).relid as i32) < (*class).ec_childmembers_size {
            let of_child = *(*class).ec_childmembers.add((*rel).relid as usize);
            members.extend(list(of_child).iter_ptr());
        }
        #[cfg(not(feature = "pg18"))]
        let _ = rel;
        members
    }
}

/// A foreign path without outer path; costs: until the first row, until the last.
///
/// # Safety
/// The planner's own pointers; `pathkeys` is one of its orders; `outer` is NULL or a set of its relations.
pub unsafe fn create_foreign_scan_path(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    rows: f64,
    (startup_cost, total_cost): (f64, f64),
    pathkeys: *mut pg_sys::List,
    outer: pg_sys::Relids,
) -> *mut pg_sys::ForeignPath {
    // SAFETY: by this function's contract; NULL stands for the default target and empty lists.
    unsafe {
        pg_sys::create_foreignscan_path(
            root,
            rel,
            ptr::null_mut(),
            rows,
            #[cfg(feature = "pg18")]
            0,
            startup_cost,
            total_cost,
            pathkeys,
            outer,
            ptr::null_mut(),
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            ptr::null_mut(),
            ptr::null_mut(),
        )
    }
}

/// A path of a grouped relation with its own target; costs: until the first row, until the last.
///
/// # Safety
/// The planner's own pointers.
pub unsafe fn create_foreign_upper_path(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    rows: f64,
    (startup_cost, total_cost): (f64, f64),
) -> *mut pg_sys::ForeignPath {
    // SAFETY: by this function's contract; NULL stands for empty lists.
    unsafe {
        pg_sys::create_foreign_upper_path(
            root,
            rel,
            (*rel).reltarget,
            rows,
            #[cfg(feature = "pg18")]
            0,
            startup_cost,
            total_cost,
            ptr::null_mut(),
            ptr::null_mut(),
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            ptr::null_mut(),
            ptr::null_mut(),
        )
    }
}

/// What the planner groups by: from PostgreSQL 16 on without what a condition makes constant, as its own estimates are.
///
/// # Safety
/// The planner's own state, at the time of grouping.
pub unsafe fn group_clause(root: *mut pg_sys::PlannerInfo) -> *mut pg_sys::List {
    // SAFETY: by this function's contract.
    #[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
    return unsafe { (*(*root).parse).groupClause };
    // SAFETY: by this function's contract.
    #[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
    return unsafe { (*root).processed_groupClause };
}

/// How many groups expressions make of so many rows.
///
/// # Safety
/// The planner's own state and expressions of its query.
pub unsafe fn estimate_num_groups(
    root: *mut pg_sys::PlannerInfo,
    expressions: *mut pg_sys::List,
    rows: f64,
) -> f64 {
    // SAFETY: by this function's contract.
    unsafe {
        pg_sys::estimate_num_groups(
            root,
            expressions,
            rows,
            ptr::null_mut(),
            #[cfg(not(feature = "pg13"))]
            ptr::null_mut(),
        )
    }
}

/// The user whose mapping a scan uses: a view's owner, else the current user.
///
/// # Safety
/// `node` is the state of a ForeignScan whose executor is being set up.
pub unsafe fn scan_user(node: *mut pg_sys::ForeignScanState) -> pg_sys::Oid {
    // SAFETY: by this function's contract; a scan's range table entry exists.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        #[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
        let user = {
            // Aggregates scan no relation, but are of one.
            let relation = match (*plan).scan.scanrelid {
                0 => pg_sys::bms_next_member((*plan).fs_relids, -1) as pg_sys::Index,
                relation => relation,
            };
            (*pg_sys::exec_rt_fetch(relation, (*node).ss.ps.state)).checkAsUser
        };
        #[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
        let user = (*plan).checkAsUser;
        if user == pg_sys::InvalidOid {
            pg_sys::GetUserId()
        } else {
            user
        }
    }
}

/// An attribute of a tuple descriptor.
///
/// # Safety
/// `descriptor` has an attribute at `position` (from 0).
pub unsafe fn attribute(
    descriptor: pg_sys::TupleDesc,
    position: usize,
) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: by this function's contract.
    #[cfg(feature = "pg18")]
    return unsafe { pg_sys::TupleDescAttr(descriptor, position as i32) };
    // SAFETY: by this function's contract.
    #[cfg(not(feature = "pg18"))]
    return unsafe { (*descriptor).attrs.as_ptr().add(position) };
}

/// The relations whose columns are in an expression.
///
/// # Safety
/// The planner's own state and an expression of its query.
pub unsafe fn pull_varnos(
    root: *mut pg_sys::PlannerInfo,
    node: *mut pg_sys::Node,
) -> pg_sys::Relids {
    // SAFETY: by this function's contract.
    #[cfg(feature = "pg13")]
    return unsafe { pg_sys::pull_varnos_new(root, node) };
    // SAFETY: by this function's contract.
    #[cfg(not(feature = "pg13"))]
    return unsafe { pg_sys::pull_varnos(root, node) };
}

/// The function `starts_with`.
#[cfg(feature = "pg13")]
pub const STARTS_WITH: u32 = pg_sys::F_TEXT_STARTS_WITH;
/// The function `starts_with`.
#[cfg(not(feature = "pg13"))]
pub const STARTS_WITH: u32 = pg_sys::F_STARTS_WITH;

/// The role whose members read all statistics.
#[cfg(feature = "pg13")]
pub const ROLE_PG_READ_ALL_STATS: pg_sys::Oid =
    pg_sys::Oid::from_u32(pg_sys::DEFAULT_ROLE_READ_ALL_STATS);
/// The role whose members read all statistics.
#[cfg(not(feature = "pg13"))]
pub const ROLE_PG_READ_ALL_STATS: pg_sys::Oid =
    pg_sys::Oid::from_u32(pg_sys::ROLE_PG_READ_ALL_STATS);

/// `ExecProcNode`, which is inline in C: the next row of a plan below.
///
/// # Safety
/// `node` is a node that is being executed.
pub unsafe fn exec_proc_node(node: *mut pg_sys::PlanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: by this function's contract; an initialised node has the function.
    unsafe {
        if !(*node).chgParam.is_null() {
            pg_sys::ExecReScan(node);
        }
        match (*node).ExecProcNode {
            Some(next) => next(node),
            None => ptr::null_mut(),
        }
    }
}

/// `TupIsNull`, a macro in C.
///
/// # Safety
/// `slot` is NULL or a slot.
pub unsafe fn is_empty_slot(slot: *mut pg_sys::TupleTableSlot) -> bool {
    // SAFETY: by this function's contract.
    slot.is_null() || unsafe { u32::from((*slot).tts_flags) & pg_sys::TTS_FLAG_EMPTY != 0 }
}

/// A slot's row, copied into the current memory context.
///
/// # Safety
/// `slot` holds a row.
pub unsafe fn copy_minimal_tuple(slot: *mut pg_sys::TupleTableSlot) -> pg_sys::MinimalTuple {
    let mut is_copy = false;
    // SAFETY: by this function's contract.
    unsafe {
        let row = pg_sys::ExecFetchSlotMinimalTuple(slot, &mut is_copy);
        if is_copy {
            return row;
        }
        pg_sys::heap_copy_minimal_tuple(
            row,
            #[cfg(feature = "pg18")]
            0,
        )
    }
}

/// `ExecProject`, which is inline in C.
///
/// # Safety
/// `projection` is a node's, whose context's scan tuple is the row.
pub unsafe fn project(projection: *mut pg_sys::ProjectionInfo) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: by this function's contract; the state of a projection has its slot and its function.
    unsafe {
        let state = &raw mut (*projection).pi_state;
        let slot = (*state).resultslot;
        pg_sys::ExecClearTuple(slot);
        let mut is_null = false;
        let context = (*projection).pi_exprContext;
        if let Some(evaluate) = (*state).evalfunc {
            let before = pg_sys::MemoryContextSwitchTo((*context).ecxt_per_tuple_memory);
            evaluate(state, context, &mut is_null);
            pg_sys::MemoryContextSwitchTo(before);
        }
        (*slot).tts_flags &= !(pg_sys::TTS_FLAG_EMPTY as u16);
        (*slot).tts_nvalid = (*(*slot).tts_tupleDescriptor).natts as pg_sys::AttrNumber;
        slot
    }
}

/// Whether a plan remembers the rows of the plan below it.
///
/// # Safety
/// `plan` is NULL or a plan.
pub unsafe fn is_memoize(plan: *mut pg_sys::Plan) -> bool {
    #[cfg(feature = "pg13")]
    {
        let _ = plan;
        false
    }
    // SAFETY: by this function's contract.
    #[cfg(not(feature = "pg13"))]
    unsafe {
        !plan.is_null() && pgrx::is_a(plan.cast(), pg_sys::NodeTag::T_Memoize)
    }
}

/// The plans of a plan that are neither its left nor its right one.
///
/// # Safety
/// `plan` is a plan.
pub unsafe fn further_plans(plan: *mut pg_sys::Plan) -> Vec<*mut pg_sys::Plan> {
    use pg_sys::NodeTag::{T_Append, T_CustomScan, T_MergeAppend, T_SubqueryScan};
    // SAFETY: each cast follows the node's tag.
    unsafe {
        let list = match (*plan).type_ {
            T_Append => (*plan.cast::<pg_sys::Append>()).appendplans,
            T_MergeAppend => (*plan.cast::<pg_sys::MergeAppend>()).mergeplans,
            T_CustomScan => (*plan.cast::<pg_sys::CustomScan>()).custom_plans,
            T_SubqueryScan => return vec![(*plan.cast::<pg_sys::SubqueryScan>()).subplan],
            #[cfg(feature = "pg13")]
            pg_sys::NodeTag::T_ModifyTable => (*plan.cast::<pg_sys::ModifyTable>()).plans,
            _ => return Vec::new(),
        };
        pgrx::PgList::<pg_sys::Plan>::from_pg(list)
            .iter_ptr()
            .collect()
    }
}

/// Raises PostgreSQL's error where the current user has no USAGE on a server.
///
/// # Safety
/// `server` is a server, `name` its name.
pub unsafe fn check_server_usage(server: pg_sys::Oid, name: *const c_char) {
    // SAFETY: by this function's contract.
    unsafe {
        let user = pg_sys::GetUserId();
        let mode = pg_sys::ACL_USAGE as pg_sys::AclMode;
        #[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
        let result = pg_sys::pg_foreign_server_aclcheck(server, user, mode);
        #[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
        let result = pg_sys::object_aclcheck(pg_sys::ForeignServerRelationId, server, user, mode);
        if result != pg_sys::AclResult::ACLCHECK_OK {
            pg_sys::aclcheck_error(result, pg_sys::ObjectType::OBJECT_FOREIGN_SERVER, name);
        }
    }
}

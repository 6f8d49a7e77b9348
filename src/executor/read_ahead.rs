//! The node that reads rows of a join's outer side ahead, and tells the inner scan which values are going to come.
//!
//! It returns the rows of the plan below it, as they are. Which nested loop is above it, and which of its columns that
//! one hands on, stands in the plan; the inner scan is found among those that the backend runs.

use super::ForeignScan;
use super::memory::context_below;
use crate::{compat, settings};
use pgrx::{PgList, PgMemoryContexts, pg_guard, pg_sys};
use rest_engine::request::Operand;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr;

/// The node's name in EXPLAIN.
pub const READ_AHEAD: &CStr = c"rest_fdw Read Ahead";

/// Bytes of rows that are read ahead at most (and one row more).
const MOST_BYTES: usize = 1 << 20;

/// A plan node in one execution, by its address and that of the execution's state.
type Place = (usize, usize);

thread_local! {
    /// The scans of this wrapper that are being executed.
    static SCANS: RefCell<HashMap<Place, *mut pg_sys::ForeignScanState>> = RefCell::default();
}

/// Where a scan's node is.
///
/// # Safety
/// `node` is being executed.
pub unsafe fn place_of(node: *mut pg_sys::ForeignScanState) -> Place {
    // SAFETY: by this function's contract.
    unsafe { ((*node).ss.ps.plan as usize, (*node).ss.ps.state as usize) }
}

/// Notes that a scan is being executed.
pub fn begun(place: Place, node: *mut pg_sys::ForeignScanState) {
    SCANS.with_borrow_mut(|scans| scans.insert(place, node));
}

/// Notes that a scan is gone.
pub fn ended(place: Place) {
    SCANS.with_borrow_mut(|scans| scans.remove(&place));
}

/// Both structures hold a raw pointer to their name, which is static.
struct Methods<T>(T);

// SAFETY: nothing ever changes them, and the name is static.
unsafe impl<T> Sync for Methods<T> {}

static SCAN_METHODS: Methods<pg_sys::CustomScanMethods> = Methods(pg_sys::CustomScanMethods {
    CustomName: READ_AHEAD.as_ptr(),
    CreateCustomScanState: Some(create_state),
});

static EXEC_METHODS: Methods<pg_sys::CustomExecMethods> = Methods(pg_sys::CustomExecMethods {
    CustomName: READ_AHEAD.as_ptr(),
    BeginCustomScan: Some(begin),
    ExecCustomScan: Some(next),
    EndCustomScan: Some(end),
    ReScanCustomScan: Some(rescan),
    MarkPosCustomScan: None,
    RestrPosCustomScan: None,
    EstimateDSMCustomScan: None,
    InitializeDSMCustomScan: None,
    ReInitializeDSMCustomScan: None,
    InitializeWorkerCustomScan: None,
    ShutdownCustomScan: None,
    ExplainCustomScan: Some(explain),
});

/// What a plan node of this kind refers to.
pub fn methods() -> *const pg_sys::CustomScanMethods {
    &raw const SCAN_METHODS.0
}

/// Called once, when the library is loaded: plans name the node.
pub fn register() {
    // SAFETY: the methods are static.
    unsafe { pg_sys::RegisterCustomScanMethods(methods()) }
}

/// The node's state, which begins as PostgreSQL wants it.
#[repr(C)]
struct State {
    node: pg_sys::CustomScanState,
    ahead: *mut ReadAhead,
}

/// The rows that were read ahead.
struct ReadAhead {
    rows: Vec<pg_sys::MinimalTuple>,
    /// The next one to be returned.
    next: usize,
    /// There are no more below.
    finished: bool,
    /// Where the rows are.
    context: pg_sys::MemoryContext,
    /// The nested loop above, once it was looked for.
    nested_loop: Option<*mut pg_sys::NestLoop>,
}

#[pg_guard]
unsafe extern "C-unwind" fn create_state(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    // SAFETY: allocated in the executor's memory context, all zero but for its tag.
    unsafe {
        let state = pg_sys::palloc0(size_of::<State>()).cast::<State>();
        (*state).node.ss.ps.type_ = pg_sys::NodeTag::T_CustomScanState;
        (*state).node.methods = &raw const EXEC_METHODS.0;
        state.cast()
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn begin(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: i32,
) {
    let flags = flags & !((pg_sys::EXEC_FLAG_BACKWARD | pg_sys::EXEC_FLAG_MARK) as i32);
    // SAFETY: the executor's own pointers; the plan was made by `planner::read_ahead`.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        let plans = PgList::<pg_sys::Plan>::from_pg((*plan).custom_plans);
        for plan in plans.iter_ptr() {
            let below = pg_sys::ExecInitNode(plan, estate, flags);
            (*node).custom_ps = pg_sys::lappend((*node).custom_ps, below.cast());
        }
        let context = (*estate).es_query_cxt;
        let ahead = ReadAhead {
            rows: Vec::new(),
            next: 0,
            finished: false,
            context: context_below(context, c"rest_fdw rows read ahead"),
            nested_loop: None,
        };
        (*node.cast::<State>()).ahead =
            PgMemoryContexts::For(context).leak_and_drop_on_delete(ahead);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn next(
    node: *mut pg_sys::CustomScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's own pointers; `begin` made the state.
    unsafe {
        let slot = (*node).ss.ss_ScanTupleSlot;
        let ahead = &mut *(*node.cast::<State>()).ahead;
        if ahead.next == ahead.rows.len() && !ahead.finished {
            // It may still refer to the rows before.
            pg_sys::ExecClearTuple(slot);
            ahead.read(node);
            ahead.announce(node);
        }
        let Some(row) = ahead.rows.get(ahead.next) else {
            return pg_sys::ExecClearTuple(slot);
        };
        ahead.next += 1;
        pg_sys::ExecForceStoreMinimalTuple(*row, slot, false);
        project(node, slot)
    }
}

unsafe fn project(
    node: *mut pg_sys::CustomScanState,
    slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's own pointers.
    unsafe {
        let projection = (*node).ss.ps.ps_ProjInfo;
        if projection.is_null() {
            return slot;
        }
        let context = (*node).ss.ps.ps_ExprContext;
        pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
        (*context).ecxt_scantuple = slot;
        compat::project(projection)
    }
}

impl ReadAhead {
    /// Reads the next rows from below: as many as the setting says.
    unsafe fn read(&mut self, node: *mut pg_sys::CustomScanState) {
        // SAFETY: the rows before were all returned, and the slot does not refer to them any more.
        unsafe {
            self.rows.clear();
            self.next = 0;
            pg_sys::MemoryContextReset(self.context);
            let Some(below) = below(node) else {
                self.finished = true;
                return;
            };
            let most = settings::read_ahead().max(1);
            let mut bytes = 0;
            while self.rows.len() < most && bytes < MOST_BYTES {
                let slot = compat::exec_proc_node(below);
                if compat::is_empty_slot(slot) {
                    self.finished = true;
                    return;
                }
                let before = pg_sys::MemoryContextSwitchTo(self.context);
                let row = compat::copy_minimal_tuple(slot);
                pg_sys::MemoryContextSwitchTo(before);
                bytes += (*row).t_len as usize;
                self.rows.push(row);
            }
        }
    }

    /// Tells the inner scan which values these rows have for it.
    unsafe fn announce(&mut self, node: *mut pg_sys::CustomScanState) {
        // SAFETY: the executor's own state; the scan was begun in the same execution, and ends after this node.
        unsafe {
            let estate = (*node).ss.ps.state;
            let plan = (*node).ss.ps.plan;
            let nested_loop = *self
                .nested_loop
                .get_or_insert_with(|| above(estate, plan).unwrap_or(ptr::null_mut()));
            if self.rows.len() < 2 || nested_loop.is_null() {
                return;
            }
            let place = (inner_scan(nested_loop) as usize, estate as usize);
            let Some(inner) = SCANS.with_borrow(|scans| scans.get(&place).copied()) else {
                return;
            };
            let Some(scan) = (*inner).fdw_state.cast::<ForeignScan>().as_mut() else {
                return;
            };
            let slot = (*node).ss.ss_ScanTupleSlot;
            let values = self.values(nested_loop, slot, inner, scan);
            pg_sys::ExecClearTuple(slot);
            scan.announce(values);
        }
    }

    /// The operands that the inner scan will have for each row.
    unsafe fn values(
        &self,
        nested_loop: *mut pg_sys::NestLoop,
        slot: *mut pg_sys::TupleTableSlot,
        inner: *mut pg_sys::ForeignScanState,
        scan: &ForeignScan,
    ) -> Vec<Vec<Operand>> {
        // SAFETY: the nested loop's parameters are those of the execution; what they were is put back. A row's
        // columns are those that the nested loop's parameters name.
        unsafe {
            let context = (*inner).ss.ps.ps_ExprContext;
            let parameters = (*context).ecxt_param_exec_vals;
            let handed_on: Vec<_> =
                PgList::<pg_sys::NestLoopParam>::from_pg((*nested_loop).nestParams)
                    .iter_ptr()
                    .map(|param| {
                        let parameter = parameters.add((*param).paramno as usize);
                        (
                            parameter,
                            *parameter,
                            (*(*param).paramval).varattno as usize - 1,
                        )
                    })
                    .collect();
            let mut values = Vec::with_capacity(self.rows.len());
            for row in &self.rows {
                pg_sys::ExecForceStoreMinimalTuple(*row, slot, false);
                for (parameter, _, column) in &handed_on {
                    (**parameter).execPlan = ptr::null_mut();
                    (**parameter).value = *(*slot).tts_values.add(*column);
                    (**parameter).isnull = *(*slot).tts_isnull.add(*column);
                }
                values.push(scan.evaluate_operands(inner));
                pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
            }
            for (parameter, before, _) in handed_on {
                *parameter = before;
            }
            values
        }
    }
}

/// The node below.
unsafe fn below(node: *mut pg_sys::CustomScanState) -> Option<*mut pg_sys::PlanState> {
    // SAFETY: `begin` put it there.
    unsafe { PgList::<pg_sys::PlanState>::from_pg((*node).custom_ps).get_ptr(0) }
}

/// The scan on the inner side of a nested loop; perhaps PostgreSQL remembers its rows.
unsafe fn inner_scan(nested_loop: *mut pg_sys::NestLoop) -> *mut pg_sys::Plan {
    // SAFETY: a plan of the executor; a Memoize node has its plan below it.
    unsafe {
        let inner = (*nested_loop).join.plan.righttree;
        match compat::is_memoize(inner) {
            true => (*inner).lefttree,
            false => inner,
        }
    }
}

/// The nested loop of an execution whose outer side is `plan`.
unsafe fn above(
    estate: *mut pg_sys::EState,
    plan: *mut pg_sys::Plan,
) -> Option<*mut pg_sys::NestLoop> {
    // SAFETY: the statement that is being executed, and its plans.
    unsafe {
        let statement = (*estate).es_plannedstmt;
        let mut open = vec![(*statement).planTree];
        open.extend(PgList::<pg_sys::Plan>::from_pg((*statement).subplans).iter_ptr());
        while let Some(node) = open.pop() {
            if node.is_null() {
                continue;
            }
            if (*node).lefttree == plan && pgrx::is_a(node.cast(), pg_sys::NodeTag::T_NestLoop) {
                return Some(node.cast());
            }
            open.push((*node).lefttree);
            open.push((*node).righttree);
            open.extend(compat::further_plans(node));
        }
        None
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the executor's own pointers.
    unsafe {
        if let Some(below) = below(node) {
            pg_sys::ExecEndNode(below);
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the executor's own pointers; the slot was cleared before this is called.
    unsafe {
        let ahead = &mut *(*node.cast::<State>()).ahead;
        pg_sys::ExecClearTuple((*node).ss.ss_ScanTupleSlot);
        ahead.rows.clear();
        ahead.next = 0;
        ahead.finished = false;
        let Some(below) = below(node) else {
            return;
        };
        let changed = (*node).ss.ps.chgParam;
        if !changed.is_null() {
            pg_sys::UpdateChangedParamSet(below, changed);
        }
        // What has changed is read again when its first row is asked for.
        if (*below).chgParam.is_null() {
            pg_sys::ExecReScan(below);
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn explain(
    node: *mut pg_sys::CustomScanState,
    _ancestors: *mut pg_sys::List,
    state: *mut pg_sys::ExplainState,
) {
    // SAFETY: EXPLAIN's own pointers; the planner left one string.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        let described = PgList::<pg_sys::Node>::from_pg((*plan).custom_private);
        if let Some(described) = described.get_ptr(0) {
            let text = compat::string_value(described);
            pg_sys::ExplainPropertyText(c"Look-ups".as_ptr(), text, state);
        }
    }
}

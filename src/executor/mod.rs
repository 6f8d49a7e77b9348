//! The executor callbacks: begin, iterate, rescan, end.

mod aggregates;
mod ahead;
mod announce;
mod arrays;
mod budget;
mod composite;
mod domains;
mod input;
mod lookups;
mod memory;
mod once;
mod operands;
mod parameters;
mod read_ahead;
mod reader;
mod release;
mod scan;
mod source;
mod texts;
mod trial;
mod values;
mod wait;

pub use once::read_once;
pub use operands::constant;
pub use read_ahead::{READ_AHEAD, methods as read_ahead_methods};
pub use reader::Reader;
pub use scan::{ForeignScan, Totals};
pub use trial::{Observed, on_trial};

use crate::plan::ScanPlan;
use pgrx::{PgMemoryContexts, pg_guard, pg_sys};
use release::Streaming;

/// Called once, when the library is loaded.
pub fn register() {
    release::register();
    read_ahead::register();
}

/// Whether a relation of the planner is a foreign table of this wrapper.
///
/// # Safety
/// `relation` is a relation of the planner.
pub unsafe fn is_own(relation: *mut pg_sys::RelOptInfo) -> bool {
    // SAFETY: by this function's contract.
    let routine = unsafe { (*relation).fdwroutine.as_ref() };
    routine
        .and_then(|routine| routine.BeginForeignScan)
        .is_some_and(|begin| {
            std::ptr::fn_addr_eq(
                begin,
                begin_foreign_scan as unsafe extern "C-unwind" fn(_, _),
            )
        })
}

/// `BeginForeignScan`: prepares a scan; nothing is sent before the first row is asked for.
///
/// # Safety
/// Called by PostgreSQL's executor only.
#[pg_guard]
pub unsafe extern "C-unwind" fn begin_foreign_scan(
    node: *mut pg_sys::ForeignScanState,
    flags: i32,
) {
    // SAFETY: the executor's own pointers; the plan was made by this wrapper. The state is owned by
    // the query's memory context, so it is dropped however the query ends.
    unsafe {
        if flags as u32 & pg_sys::EXEC_FLAG_EXPLAIN_ONLY != 0 {
            return;
        }
        let node_plan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let plan =
            ScanPlan::from_list((*node_plan).fdw_private).unwrap_or_else(|error| error.raise());
        let scan = ForeignScan::begin(node, plan, flags).unwrap_or_else(|error| error.raise());
        let query_context = (*(*node).ss.ps.state).es_query_cxt;
        (*node).fdw_state = PgMemoryContexts::For(query_context)
            .leak_and_drop_on_delete(scan)
            .cast();
        read_ahead::begun(read_ahead::place_of(node), node);
    }
}

/// `IterateForeignScan`: the next row, or an empty slot at the end.
///
/// # Safety
/// Called by PostgreSQL's executor only.
#[pg_guard]
pub unsafe extern "C-unwind" fn iterate_foreign_scan(
    node: *mut pg_sys::ForeignScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the state was made by `begin_foreign_scan` for this node.
    unsafe {
        let slot = (*node).ss.ss_ScanTupleSlot;
        clear(slot);
        let scan = &mut *(*node).fdw_state.cast::<ForeignScan>();
        scan.next(node, slot).unwrap_or_else(|error| error.raise());
        slot
    }
}

/// Empties a slot, as `ExecClearTuple` does, and without the call where nothing is to be freed: it is made for each row.
///
/// # Safety
/// `slot` is a valid slot into which nobody but this extension stores tuples, virtual ones.
#[inline]
unsafe fn clear(slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: by this function's contract. A copy that the executor made of the tuple is the slot's own (TTS_SHOULDFREE);
    // without one the slot holds only its arrays.
    unsafe {
        if u32::from((*slot).tts_flags) & pg_sys::TTS_FLAG_SHOULDFREE != 0 {
            pg_sys::ExecClearTuple(slot);
        } else {
            (*slot).tts_flags |= pg_sys::TTS_FLAG_EMPTY as u16;
            (*slot).tts_nvalid = 0;
            (*slot).tts_tid = NOWHERE;
        }
    }
}

/// The place of a tuple that is in no table (`ItemPointerSetInvalid`).
const NOWHERE: pg_sys::ItemPointerData = pg_sys::ItemPointerData {
    ip_blkid: pg_sys::BlockIdData {
        bi_hi: u16::MAX,
        bi_lo: u16::MAX,
    },
    ip_posid: 0,
};

/// Says that a slot's arrays hold a row, as `ExecStoreVirtualTuple` does.
///
/// # Safety
/// As for `clear`, which has emptied the slot; the arrays are filled for each attribute.
#[inline]
unsafe fn store(slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: by this function's contract.
    unsafe {
        (*slot).tts_flags &= !(pg_sys::TTS_FLAG_EMPTY as u16);
        (*slot).tts_nvalid = (*(*slot).tts_tupleDescriptor).natts as i16;
    }
}

/// `ReScanForeignScan`: starts over, with values that may have changed.
///
/// # Safety
/// Called by PostgreSQL's executor only.
#[pg_guard]
pub unsafe extern "C-unwind" fn rescan_foreign_scan(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: the state, where there is one, was made by `begin_foreign_scan` for this node.
    unsafe {
        if let Some(scan) = (*node).fdw_state.cast::<ForeignScan>().as_mut() {
            scan.rewind();
        }
    }
}

/// `EndForeignScan`: stops the fetch threads and closes the connections.
///
/// # Safety
/// Called by PostgreSQL's executor only.
#[pg_guard]
pub unsafe extern "C-unwind" fn end_foreign_scan(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: as in `rescan_foreign_scan`; the memory itself stays owned by the query's context.
    unsafe {
        if let Some(scan) = (*node).fdw_state.cast::<ForeignScan>().as_mut() {
            scan.close();
        }
    }
}

//! The rate limits of servers (`rate_limit`): kept by all backends together where there is shared memory, else by each.

use crate::shared_memory;
use pgrx::pg_sys;
use rest_engine::http::{Gate, LocalGate};
use rest_engine::model::RateLimit;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Gates that are kept; with more, those that nobody uses at the moment are forgotten.
const MOST_GATES: usize = 256;

type Gates = HashMap<(u32, RateLimit), Arc<dyn Gate>>;

thread_local! {
    /// By the server's OID and its limit: after ALTER SERVER there is another gate. The backend is one thread.
    static GATES: RefCell<Gates> = RefCell::default();
}

/// What requests to `server` have to pass, if it has a limit.
pub fn gate(server: pg_sys::Oid, limit: Option<RateLimit>) -> Option<Arc<dyn Gate>> {
    let limit = limit?;
    GATES.with_borrow_mut(|gates| {
        if gates.len() >= MOST_GATES {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        let gate = gates
            .entry((server.to_u32(), limit))
            .or_insert_with(|| new_gate(server, limit));
        Some(Arc::clone(gate))
    })
}

fn new_gate(server: pg_sys::Oid, limit: RateLimit) -> Arc<dyn Gate> {
    match shared_memory::limits() {
        // SAFETY: reads a variable of the backend, on its main thread.
        Some(limits) => Arc::new(limits.gate(unsafe { pg_sys::MyDatabaseId }, server, limit)),
        None => Arc::new(LocalGate::new(limit)),
    }
}

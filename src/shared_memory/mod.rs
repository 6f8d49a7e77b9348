//! What the processes of a server share, where the library is in `shared_preload_libraries`.

mod counts;
mod limits;

pub use counts::{Counts, Entry, add, entries, reset};
pub use limits::limits;

use pgrx::pg_sys;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set in the postmaster, whose children inherit it.
static IS_PRELOADED: AtomicBool = AtomicBool::new(false);

/// Asks for the memory; called once, when the library is loaded.
pub fn register() {
    // SAFETY: reads a variable of the process, on its main thread.
    if !unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        return;
    }
    IS_PRELOADED.store(true, Ordering::Relaxed);
    counts::register();
    limits::register();
}

/// Whether there is shared memory.
pub fn is_preloaded() -> bool {
    IS_PRELOADED.load(Ordering::Relaxed)
}

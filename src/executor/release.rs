//! Streams that are open, and their end when a transaction or subtransaction is rolled back.
//!
//! The query's memory context drops a scan in any case, but where a query runs inside of a function
//! that context lives until ROLLBACK; resource owners are released at once.

use pgrx::{pg_guard, pg_sys};
use std::cell::RefCell;

/// Something with a stream.
pub trait Streaming {
    /// Ends the stream and closes its connections.
    fn close(&mut self);
}

/// A resource owner, and what was started under it.
type Owned = (pg_sys::ResourceOwner, *mut dyn Streaming);

thread_local! {
    /// What has an open stream.
    static OPEN: RefCell<Vec<Owned>> = const { RefCell::new(Vec::new()) };
}

/// Called once, when the library is loaded.
pub fn register() {
    // SAFETY: the callback stays valid: libraries are never unloaded.
    unsafe { pg_sys::RegisterResourceReleaseCallback(Some(release), std::ptr::null_mut()) }
}

/// Notes that `scan` has an open stream. One that has several, of which each is noted, stands here once.
pub fn opened(scan: *mut dyn Streaming) {
    // SAFETY: reads a variable of the backend, on its main thread.
    let owner = unsafe { pg_sys::CurrentResourceOwner };
    OPEN.with_borrow_mut(|open| {
        let is_noted = |(by, other): &Owned| *by == owner && std::ptr::addr_eq(*other, scan);
        if !open.iter().any(is_noted) {
            open.push((owner, scan));
        }
    });
}

/// Notes that `scan` has none any more, or is gone.
pub fn closed<T: Streaming>(scan: *const T) {
    OPEN.with_borrow_mut(|open| open.retain(|(_, other)| !std::ptr::addr_eq(*other, scan)));
}

/// Ends the streams of the resource owner that is being released after an error.
#[pg_guard]
unsafe extern "C-unwind" fn release(
    phase: pg_sys::ResourceReleasePhase::Type,
    is_commit: bool,
    _is_top_level: bool,
    _argument: *mut std::ffi::c_void,
) {
    if is_commit || phase != pg_sys::ResourceReleasePhase::RESOURCE_RELEASE_BEFORE_LOCKS {
        return;
    }
    // SAFETY: reads a variable of the backend, on its main thread.
    let owner = unsafe { pg_sys::CurrentResourceOwner };
    let scans = OPEN.with_borrow(|open| {
        let of_owner = open.iter().filter(|(other, _)| *other == owner);
        of_owner.map(|(_, scan)| *scan).collect::<Vec<_>>()
    });
    for scan in scans {
        // SAFETY: a scan takes itself off the list before it is dropped.
        unsafe { (*scan).close() };
    }
}

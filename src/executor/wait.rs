//! Waiting for the fetch threads, so that cancel, timeouts and termination act at once.

use pgrx::pg_sys;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Waits until `wake` is readable or an interrupt arrives, which is then handled (and may raise an
/// error). Returns how long it took.
pub fn wait(wake: BorrowedFd<'_>) -> Duration {
    let began = Instant::now();
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_SOCKET_READABLE | pg_sys::WL_EXIT_ON_PM_DEATH;
    // SAFETY: the descriptor is open as long as it is borrowed; the latch is the backend's own.
    unsafe {
        let happened = pg_sys::WaitLatchOrSocket(
            pg_sys::MyLatch,
            events as i32,
            wake.as_raw_fd(),
            -1,
            pg_sys::PG_WAIT_EXTENSION,
        );
        if happened as u32 & pg_sys::WL_LATCH_SET != 0 {
            pg_sys::ResetLatch(pg_sys::MyLatch);
        }
    }
    pgrx::check_for_interrupts!();
    began.elapsed()
}

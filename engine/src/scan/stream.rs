//! The flow of pages between threads: waiting for room and work on one side, a wake descriptor on the other.

use super::Polled;
use super::chain::{Job, Next};
use super::flow::Flow;
use crate::Result;
use crate::decode::Batch;
use crate::http::eventfd;
use nix::sys::eventfd::EventFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Stream {
    flow: Mutex<Flow>,
    /// There is room, or work, or the end.
    changed: Condvar,
    wake: EventFd,
}

impl Stream {
    pub(super) fn new(flow: Flow) -> Result<Self> {
        Ok(Stream {
            flow: Mutex::new(flow),
            changed: Condvar::new(),
            wake: eventfd()?,
        })
    }

    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    pub(super) fn poll(&self) -> Result<Polled> {
        let mut flow = self.flow();
        // Under the lock, so that no wake-up for what comes after this poll is lost. Not readable is fine.
        let _ = self.wake.read();
        let polled = flow.poll();
        drop(flow);
        self.changed.notify_all();
        polled
    }

    /// The next page to read, once it may be requested; `None` when there will be none.
    pub(super) fn next_job(&self) -> Option<(u64, Result<Job>)> {
        let mut flow = self.flow();
        loop {
            if flow.is_over() {
                return None;
            }
            if let Some(job) = flow.take() {
                return Some(job);
            }
            flow = self
                .changed
                .wait(flow)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn decide(&self, next: Next) {
        self.flow().decide(next);
        self.changed.notify_all();
    }

    /// Hands over a batch of page `number`, once there is room. [`Error::Cancelled`] when nobody wants it.
    pub(super) fn push(&self, number: u64, batch: Batch) -> Result<()> {
        let mut flow = self.flow();
        while !flow.has_room(number) {
            flow = self
                .changed
                .wait(flow)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let must_wake = flow.push(number, batch)?;
        self.signal(must_wake);
        Ok(())
    }

    pub(super) fn finish(&self, number: u64, end: Result<()>) {
        let must_wake = self.flow().finish(number, end);
        self.signal(must_wake);
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.flow().close();
        self.changed.notify_all();
    }

    /// Whether there is a page to request that none of `workers` is free for.
    pub(super) fn needs_more_than(&self, workers: usize) -> bool {
        let flow = self.flow();
        flow.has_job() && flow.in_work() >= workers
    }

    fn signal(&self, must_wake: bool) {
        if must_wake {
            // It fails only where the descriptor is readable already.
            let _ = self.wake.write(1);
        }
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

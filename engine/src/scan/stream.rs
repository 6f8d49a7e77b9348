//! The flow of pages between threads: waiting for room and work on one side, a wake descriptor on the other.

use super::Polled;
use super::chain::{Ahead, Job, Next};
use super::flow::{Flow, Ticket};
use super::succession::Report;
use crate::Result;
use crate::decode::Batch;
use crate::http::eventfd;
use crate::pagination::Pager;
use nix::sys::eventfd::EventFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Stream {
    flow: Mutex<Flow>,
    /// There is room, or work, or the end.
    changed: Condvar,
    wake: EventFd,
    spares: Mutex<Vec<Batch>>,
}

/// Batches whose memory is kept for those to come, and the bytes that one of them may have.
const SPARES: usize = 4;
const SPARE_BYTES: usize = 1 << 20;

impl Stream {
    pub(super) fn new(flow: Flow) -> Result<Self> {
        Ok(Stream {
            flow: Mutex::new(flow),
            changed: Condvar::new(),
            wake: eventfd()?,
            spares: Mutex::default(),
        })
    }

    /// Takes back a batch that was read.
    pub(super) fn recycle(&self, batch: Batch) {
        let mut spares = self.spares.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.rows > 0 && spares.len() < SPARES && batch.memory() <= SPARE_BYTES {
            spares.push(batch);
        }
    }

    /// A batch that was taken back.
    pub(super) fn spare(&self) -> Option<Batch> {
        let mut spares = self.spares.lock().unwrap_or_else(PoisonError::into_inner);
        spares.pop()
    }

    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    pub(super) fn poll(&self) -> Result<Polled> {
        let mut flow = self.flow();
        if flow.was_signalled() {
            // Under the lock, so that no wake-up for what comes after this poll is lost. Not readable is fine.
            let _ = self.wake.read();
        }
        let polled = flow.poll();
        self.release(flow);
        polled
    }

    /// The next page to read, once it may be requested, and its request where that is made already; `None` when
    /// there will be none.
    pub(super) fn next_job(&self) -> Option<(Ticket, Option<Box<Job>>)> {
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

    /// Page `page` of `chain` has decided what follows it, or that there is something wrong with it; `ahead`: the pages
    /// that may be requested after the next one.
    pub(super) fn decide(
        &self,
        chain: usize,
        page: u64,
        verdict: Result<Next>,
        ahead: Option<Ahead>,
    ) {
        let mut flow = self.flow();
        let must_wake = flow.decide(chain, page, verdict, ahead);
        self.signal(must_wake);
        self.release(flow);
    }

    /// Pages of `chain` that may be requested before it is decided on them, from its page `first` on.
    pub(super) fn foresee(&self, chain: usize, first: u64, ahead: Ahead) {
        let mut flow = self.flow();
        flow.foresee(chain, first, ahead);
        self.release(flow);
    }

    /// What a page that was requested before it was decided on turned out to be.
    pub(super) fn report(&self, ticket: Ticket, report: Box<Report>) {
        self.flow().report(ticket, report);
    }

    /// A page of `chain` of which it can be decided now what follows it.
    pub(super) fn claim(&self, chain: usize) -> Option<(u64, Box<Pager>, Box<Report>)> {
        self.flow().claim(chain)
    }

    /// Starts a page's chain over, or says why that is impossible.
    pub(super) fn start_over(&self, ticket: Ticket) -> std::result::Result<(), &'static str> {
        let mut flow = self.flow();
        let outcome = flow.start_over(ticket);
        self.release(flow);
        outcome
    }

    /// Hands over a batch of a page, once there is room. [`Error::Cancelled`] when nobody wants it.
    pub(super) fn push(&self, ticket: Ticket, batch: Batch) -> Result<()> {
        let mut flow = self.flow();
        while !flow.has_room(ticket) {
            flow.waits_for_room(true);
            flow = self
                .changed
                .wait(flow)
                .unwrap_or_else(PoisonError::into_inner);
            flow.waits_for_room(false);
        }
        let must_wake = flow.push(ticket, batch)?;
        self.signal(must_wake);
        Ok(())
    }

    pub(super) fn finish(&self, ticket: Ticket, end: Result<()>) {
        let mut flow = self.flow();
        let must_wake = flow.finish(ticket, end);
        self.signal(must_wake);
        self.release(flow);
    }

    pub(super) fn close(&self) {
        let mut flow = self.flow();
        flow.close();
        self.release(flow);
    }

    /// So many threads read now.
    pub(super) fn staff(&self, readers: usize) {
        let mut flow = self.flow();
        flow.staff(readers);
        self.release(flow);
    }

    /// How many readers there is work for.
    pub(super) fn demand(&self) -> usize {
        self.flow().demand()
    }

    /// Wakes the threads if there is anything to do for one of them: each wake-up costs as much as the decoding of many rows.
    fn release(&self, flow: MutexGuard<Flow>) {
        let wants_somebody = flow.wants_somebody();
        drop(flow);
        if wants_somebody {
            self.changed.notify_all();
        }
    }

    /// Under the lock: [`Flow::was_signalled`] must tell no other thing than the descriptor.
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

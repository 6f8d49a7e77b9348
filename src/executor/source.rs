//! Where the rows of an execution come from: the API, an earlier execution, or first the one and then the other.

use super::lookups::{Key, Lookups, Recording};
use crate::monitoring::WatchedScan;
use rest_engine::Result;
use rest_engine::decode::Batch;
use rest_engine::scan::{Polled, Statistics};
use std::os::fd::BorrowedFd;
use std::rc::Rc;

/// The batches of an execution, in their order.
pub enum Source {
    /// Of an execution that runs.
    Api(Box<Running>),
    /// Of one that was read to its end.
    Memory {
        /// What it returned.
        rows: Rc<Recording>,
        /// Batches that were taken.
        taken: usize,
    },
}

/// An execution that asks the API, and what it returned so far.
pub struct Running {
    scan: WatchedScan,
    /// The requests, and the rows from the first on: none where they are too many.
    record: Option<(Key, Recording)>,
    /// Batches of the record that were taken: all of them, but after a rescan.
    taken: usize,
}

/// What [`Source::next`] found.
pub enum Found {
    /// Rows.
    Batch(Rc<Batch>),
    /// Nothing yet: wait until [`Source::wake`] is readable.
    Pending,
    /// There are no more.
    End,
}

impl Source {
    /// The rows of a scan that was just started for `key`.
    pub fn running(scan: WatchedScan, key: Option<Key>) -> Self {
        Source::Api(Box::new(Running {
            scan,
            record: key.map(|key| (key, Recording::default())),
            taken: 0,
        }))
    }

    /// The rows of an earlier execution.
    pub fn remembered(rows: Rc<Recording>) -> Self {
        Source::Memory { rows, taken: 0 }
    }

    /// The next rows. What is read to its end is remembered in `lookups`.
    pub fn next(&mut self, lookups: &mut Lookups) -> Result<Found> {
        match self {
            Source::Api(running) => running.next(lookups),
            Source::Memory { rows, taken } => {
                let batch = rows.batches().get(*taken);
                *taken += 1;
                Ok(batch.map_or(Found::End, |batch| Found::Batch(Rc::clone(batch))))
            }
        }
    }

    /// The descriptor to wait for; nothing is ever pending without one.
    pub fn wake(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Source::Api(running) => Some(running.scan.wake()),
            Source::Memory { .. } => None,
        }
    }

    /// Takes back a batch that was read: its memory serves for further rows, unless they are remembered.
    pub fn recycle(&self, batch: Rc<Batch>) {
        if let (Source::Api(running), Ok(batch)) = (self, Rc::try_unwrap(batch)) {
            running.scan.recycle(batch);
        }
    }

    /// What was asked of the API since this execution began.
    pub fn statistics(&self) -> Statistics {
        match self {
            Source::Api(running) => running.scan.statistics(),
            Source::Memory { .. } => Statistics::default(),
        }
    }

    /// Cancels what is still running: its statistics are final then.
    pub fn stop(&mut self) {
        if let Source::Api(running) = self {
            running.scan.stop();
        }
    }

    /// Goes back to the first row of an execution that runs. False: it cannot, or need not.
    pub fn rewind(&mut self) -> bool {
        match self {
            Source::Api(running) => {
                running.record.is_some() && {
                    running.taken = 0;
                    true
                }
            }
            Source::Memory { .. } => false,
        }
    }

    /// Whether it asks just these requests.
    pub fn is_of(&self, key: &Key) -> bool {
        match self {
            Source::Api(running) => running.record.as_ref().is_some_and(|(own, _)| own == key),
            Source::Memory { .. } => false,
        }
    }
}

impl Running {
    fn next(&mut self, lookups: &mut Lookups) -> Result<Found> {
        let again = self
            .record
            .as_ref()
            .and_then(|(_, rows)| rows.batches().get(self.taken));
        if let Some(batch) = again {
            self.taken += 1;
            return Ok(Found::Batch(Rc::clone(batch)));
        }
        Ok(match self.scan.poll()? {
            Polled::Pending => Found::Pending,
            Polled::Batch(batch) => {
                let batch = Rc::new(batch);
                self.record(&batch, lookups.most());
                Found::Batch(batch)
            }
            Polled::Done => {
                if let Some((key, rows)) = self.record.take() {
                    lookups.remember(key, Rc::new(rows));
                }
                Found::End
            }
        })
    }

    fn record(&mut self, batch: &Rc<Batch>, most: usize) {
        let record = self.record.take();
        self.record = record.and_then(|(key, rows)| Some((key, rows.and(batch, most)?)));
        self.taken += 1;
    }
}

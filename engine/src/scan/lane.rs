//! One chain between its first request and its last row: the pages that are read, and their rows that wait.

use super::chain::{Job, Next};
use crate::decode::Batch;
use crate::{Error, Result};
use std::collections::VecDeque;

/// Batches of one page that wait for the consumer.
const QUEUED: usize = 4;

/// The pages of a chain that were requested and are not delivered completely.
#[derive(Debug)]
pub(super) struct Lane {
    next: Next,
    pages: VecDeque<Page>,
    /// The number of the first of them within the chain, counted from 0.
    front: u64,
    /// How many of them somebody is reading.
    reading: usize,
    /// Memory of the batches that wait.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Page {
    batches: VecDeque<Batch>,
    end: Option<Result<()>>,
}

/// What the consumer finds in a lane.
pub(super) enum Found {
    Batch(Batch),
    Nothing,
    Failure(Error),
    /// All rows of the chain were delivered.
    End,
}

impl Lane {
    pub(super) fn new(next: Next) -> Self {
        Lane {
            next,
            pages: VecDeque::new(),
            front: 0,
            reading: 0,
            bytes: 0,
        }
    }

    /// Takes the next page to request: its number within the chain, and its request where that is made already.
    pub(super) fn take(&mut self) -> (u64, Option<Box<Job>>) {
        let job = match std::mem::replace(&mut self.next, Next::Undecided) {
            Next::Known(job) => Some(job),
            Next::First | Next::Undecided | Next::Over => None,
        };
        let number = self.front + self.pages.len() as u64;
        self.pages.push_back(Page::default());
        self.reading += 1;
        (number, job)
    }

    /// Whether there is a page that nobody has requested yet.
    pub(super) fn has_request(&self) -> bool {
        matches!(self.next, Next::First | Next::Known(_))
    }

    /// Whether there will never be a further page to request.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.next, Next::Over)
    }

    /// Whether all of its pages were read.
    pub(super) fn is_read(&self) -> bool {
        self.is_over() && self.reading == 0
    }

    /// Pages that somebody is reading.
    pub(super) fn reading(&self) -> usize {
        self.reading
    }

    /// Memory of the batches that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Pages that are read or wait.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// The page that was taken last has decided what follows it. After an error nothing does.
    pub(super) fn decide(&mut self, next: Next) {
        if matches!(self.next, Next::Undecided) {
            self.next = next;
        }
    }

    /// Whether no more batches of a page wait than may in any case.
    pub(super) fn has_room(&self, page: u64) -> bool {
        self.index(page)
            .is_none_or(|index| self.pages[index].batches.len() < QUEUED)
    }

    /// Adds a batch to a page.
    pub(super) fn push(&mut self, page: u64, batch: Batch) {
        if let Some(index) = self.index(page) {
            self.bytes += batch.memory();
            self.pages[index].batches.push_back(batch);
        }
    }

    /// A page has no further rows. After an error nothing more is requested.
    pub(super) fn finish(&mut self, page: u64, end: Result<()>) {
        self.reading -= 1;
        if end.is_err() {
            self.next = Next::Over;
        }
        if let Some(index) = self.index(page) {
            self.pages[index].end = Some(end);
        }
    }

    /// Whether a page is the one whose rows come next.
    pub(super) fn is_front(&self, page: u64) -> bool {
        page == self.front
    }

    /// What the consumer gets now.
    pub(super) fn poll(&mut self) -> Found {
        while let Some(page) = self.pages.front_mut() {
            if let Some(batch) = page.batches.pop_front() {
                self.bytes -= batch.memory();
                return Found::Batch(batch);
            }
            match page.end.take() {
                None => return Found::Nothing,
                Some(Err(error)) => return Found::Failure(error),
                Some(Ok(())) => {
                    self.pages.pop_front();
                    self.front += 1;
                }
            }
        }
        match self.next {
            Next::Over => Found::End,
            _ => Found::Nothing,
        }
    }

    fn index(&self, page: u64) -> Option<usize> {
        let index = usize::try_from(page.checked_sub(self.front)?).ok()?;
        (index < self.pages.len()).then_some(index)
    }
}

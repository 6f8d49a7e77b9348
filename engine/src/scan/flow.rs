//! The order of pages: when the next one may be requested, and what the consumer gets next. No threads here.

use super::Polled;
use super::chain::{Job, Next};
use crate::decode::Batch;
use crate::{Error, Result};
use std::collections::VecDeque;

/// Batches of one page that wait for the consumer.
const QUEUED: usize = 4;

/// How far requests may run ahead of the consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Whether they may at all.
    pub(super) fetch_ahead: bool,
    /// Rows that the query is expected to take at most: nothing is fetched ahead past them.
    pub(super) hint: Option<u64>,
}

/// The pages between their request and their last row.
#[derive(Debug)]
pub(super) struct Flow {
    pace: Pace,
    next: Next,
    /// At most two: the one that is being delivered, and the one after it.
    pages: VecDeque<Page>,
    /// The number of the first of them within the scan.
    front: u64,
    /// Rows decoded.
    rows: u64,
    delivered: bool,
    /// Whether the consumer asked on after its first batch.
    asked_on: bool,
    /// Whether the consumer found nothing when it asked last.
    waiting: bool,
    failed: Option<Error>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Page {
    batches: VecDeque<Batch>,
    end: Option<Result<()>>,
}

impl Flow {
    pub(super) fn new(pace: Pace, next: Next) -> Self {
        Flow {
            pace,
            next,
            pages: VecDeque::with_capacity(2),
            front: 0,
            rows: 0,
            delivered: false,
            asked_on: false,
            waiting: true,
            failed: None,
            closed: false,
        }
    }

    /// The next page to request and its number within the scan, if it may be requested now.
    pub(super) fn take(&mut self) -> Option<(u64, Result<Job>)> {
        if !self.has_job() {
            return None;
        }
        let job = match std::mem::replace(&mut self.next, Next::Undecided) {
            Next::Known(job) => Ok(*job),
            Next::Failed(error) => Err(error),
            Next::Undecided | Next::Over => return None,
        };
        let number = self.front + self.pages.len() as u64;
        self.pages.push_back(Page::default());
        Some((number, job))
    }

    /// Whether a page may be requested now.
    pub(super) fn has_job(&self) -> bool {
        !self.closed && matches!(self.next, Next::Known(_) | Next::Failed(_)) && self.may_request()
    }

    /// Whether there will never be a further page to request.
    pub(super) fn is_over(&self) -> bool {
        self.closed || matches!(self.next, Next::Over)
    }

    /// Pages that somebody is reading.
    pub(super) fn in_work(&self) -> usize {
        self.pages.iter().filter(|page| page.end.is_none()).count()
    }

    fn may_request(&self) -> bool {
        match self.pages.front() {
            // Nothing was asked for yet, or all of it was taken and the consumer asked on.
            None => true,
            Some(_) if self.pages.len() > 1 => false,
            Some(page) => self.pace.fetch_ahead && self.asked_on && self.is_expected_after(page),
        }
    }

    /// With a hint, how many rows there are is waited for, and whether they will do.
    fn is_expected_after(&self, page: &Page) -> bool {
        self.pace
            .hint
            .is_none_or(|hint| page.end.is_some() && self.rows < hint)
    }

    /// The page that was taken last has decided what follows it.
    pub(super) fn decide(&mut self, next: Next) {
        self.next = next;
    }

    /// Whether page `number` has room for another batch.
    pub(super) fn has_room(&self, number: u64) -> bool {
        self.page(number)
            .is_none_or(|page| page.batches.len() < QUEUED)
    }

    /// Adds a batch to page `number`. True if the consumer must be woken.
    pub(super) fn push(&mut self, number: u64, batch: Batch) -> Result<bool> {
        if self.closed {
            return Err(Error::Cancelled);
        }
        self.rows += batch.rows as u64;
        if let Some(page) = self.page_mut(number) {
            page.batches.push_back(batch);
        }
        Ok(self.arrived(number))
    }

    /// Page `number` has no further rows. After an error nothing more is requested. True if the consumer must be woken.
    pub(super) fn finish(&mut self, number: u64, end: Result<()>) -> bool {
        if end.is_err() {
            self.next = Next::Over;
        }
        if let Some(page) = self.page_mut(number) {
            page.end = Some(end);
        }
        self.arrived(number)
    }

    fn arrived(&mut self, number: u64) -> bool {
        number == self.front && std::mem::take(&mut self.waiting)
    }

    /// What the consumer gets now.
    pub(super) fn poll(&mut self) -> Result<Polled> {
        self.asked_on |= self.delivered;
        self.waiting = false;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while let Some(page) = self.pages.front_mut() {
            if let Some(batch) = page.batches.pop_front() {
                self.delivered = true;
                return Ok(Polled::Batch(batch));
            }
            match page.end.take() {
                None => return Ok(self.pending()),
                Some(Err(error)) => return Err(self.fail(error)),
                Some(Ok(())) => {
                    self.pages.pop_front();
                    self.front += 1;
                }
            }
        }
        match self.next {
            Next::Over => Ok(Polled::Done),
            _ => Ok(self.pending()),
        }
    }

    fn pending(&mut self) -> Polled {
        self.waiting = true;
        Polled::Pending
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        self.failed = Some(error.clone());
        error
    }

    /// Nobody wants anything any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.next = Next::Over;
        self.pages.clear();
    }

    fn page(&self, number: u64) -> Option<&Page> {
        let index = usize::try_from(number.checked_sub(self.front)?).ok()?;
        self.pages.get(index)
    }

    fn page_mut(&mut self, number: u64) -> Option<&mut Page> {
        let index = usize::try_from(number.checked_sub(self.front)?).ok()?;
        self.pages.get_mut(index)
    }
}

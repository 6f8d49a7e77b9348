//! One chain between its first request and its last row: the pages that are read, and their rows that wait.

use super::chain::{Ahead, Job, Next, Standing};
use super::succession::Report;
use crate::decode::Batch;
use crate::http::CancelToken;
use crate::pagination::Pager;
use crate::request::Request;
use crate::{Error, Result};
use std::collections::VecDeque;

/// Batches of one page that wait for the consumer.
const QUEUED: usize = 4;
/// Guesses that may prove wrong before none is made any more.
const MOST_WRONG: u32 = 2;

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
    /// The pages after the last one that was taken or decided on.
    ahead: Option<Ahead>,
    /// The baton of a page that was requested before it was decided on, until its reader reports.
    baton: Option<(u64, Box<Pager>)>,
    /// Guesses that proved wrong.
    wrong: u32,
    /// Whether rows were delivered.
    delivered: bool,
    /// Whether it was started over.
    started_over: bool,
}

#[derive(Debug)]
struct Page {
    /// What tells it from an earlier guess at the same page.
    serial: u64,
    batches: VecDeque<Batch>,
    /// As long as nobody has decided on it.
    guess: Option<Guess>,
    /// Whether it was a guess.
    ahead: bool,
    /// What a guess turned out to be, until the pager was told.
    report: Option<Box<Report>>,
    /// What the pager says of it: what follows is decided, or there is something wrong.
    verdict: Option<Result<()>>,
    end: Option<Result<()>>,
}

/// A page that was requested before it was decided on.
#[derive(Debug)]
struct Guess {
    request: Request,
    cancel: CancelToken,
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
            ahead: None,
            baton: None,
            wrong: 0,
            delivered: false,
            started_over: false,
        }
    }

    /// Takes the next page of chain `chain` to request: its number within the chain, and its request where that is
    /// made already. `None` where a guess cannot be made after all.
    pub(super) fn take(&mut self, chain: usize, serial: u64) -> Option<(u64, Option<Box<Job>>)> {
        let number = self.front + self.pages.len() as u64;
        let (job, guess) = match std::mem::replace(&mut self.next, Next::Undecided) {
            Next::Known(job) => (Some(job), None),
            Next::First => (None, None),
            next @ (Next::Undecided | Next::Over) => {
                self.next = next;
                let Some((request, cancel)) = self.ahead.as_mut()?.take() else {
                    self.ahead = None;
                    return None;
                };
                let job = Job {
                    chain,
                    page: u32::try_from(number + 1).unwrap_or(u32::MAX),
                    request: request.clone(),
                    standing: Standing::Guessed(cancel.clone()),
                };
                (Some(Box::new(job)), Some(Guess { request, cancel }))
            }
        };
        self.pages.push_back(Page {
            serial,
            batches: VecDeque::new(),
            ahead: guess.is_some(),
            guess,
            report: None,
            verdict: None,
            end: None,
        });
        self.reading += 1;
        Some((number, job))
    }

    /// Whether there is a page that was decided on and that nobody has requested yet.
    pub(super) fn has_request(&self) -> bool {
        matches!(self.next, Next::First | Next::Known(_))
    }

    /// How many pages could be requested before it is decided on them.
    pub(super) fn guesses(&self) -> usize {
        self.ahead.as_ref().map_or(0, Ahead::left)
    }

    /// Rows that a page ahead should have; 0 where that is not known.
    pub(super) fn rows_a_page(&self) -> u64 {
        self.ahead.as_ref().map_or(0, Ahead::rows_a_page)
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

    /// The same without those of the page whose rows come next.
    pub(super) fn bytes_behind(&self) -> usize {
        let front = self.pages.front().map_or(0, Page::bytes);
        self.bytes - front
    }

    /// Pages that are read or wait.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// A page has decided what follows it, or that there is something wrong with it; `ahead`: the pages that may be
    /// requested after the next one. Returns how many pages were requested that are not wanted now: their readers
    /// will learn it.
    pub(super) fn decide(
        &mut self,
        page: u64,
        verdict: Result<Next>,
        ahead: Option<Ahead>,
    ) -> usize {
        let Some(index) = self.index(page) else {
            return 0;
        };
        let (next, verdict) = match verdict {
            Ok(next) => (next, Ok(())),
            Err(error) => (Next::Over, Err(error)),
        };
        self.pages[index].verdict = Some(verdict);
        let unwanted = match next {
            Next::Known(job) if index + 1 < self.pages.len() => self.confirm(index + 1, *job),
            next => {
                self.next = next;
                self.forget_after(index)
            }
        };
        self.ahead = None;
        if let Some(ahead) = ahead {
            self.foresee(page + 2, ahead);
        }
        unwanted
    }

    /// The page at `index` was requested on a guess; `job` is what was decided on.
    fn confirm(&mut self, index: usize, job: Job) -> usize {
        let page = &mut self.pages[index];
        let is_right = |guess: &mut Guess| guess.request == job.request;
        match (page.guess.take_if(is_right), job.standing) {
            (Some(_), Standing::Decided(pager)) => {
                if matches!(page.end, Some(Err(_))) {
                    self.next = Next::Over;
                }
                self.baton = Some((self.front + index as u64, pager));
                0
            }
            (_, standing) => {
                self.wrong += 1;
                self.next = Next::Known(Box::new(Job { standing, ..job }));
                self.forget_after(index - 1)
            }
        }
    }

    /// Pages that may be requested before it is decided on them, from page `first` of the chain on.
    pub(super) fn foresee(&mut self, first: u64, mut ahead: Ahead) {
        let next = self.front + self.pages.len() as u64 + u64::from(self.has_request());
        let has_failed = self
            .pages
            .iter()
            .any(|page| matches!(page.end, Some(Err(_))));
        if self.is_over() || has_failed || self.wrong >= MOST_WRONG {
            return;
        }
        if let Some(requested) = next.checked_sub(first) {
            ahead.skip(requested);
            self.ahead = Some(ahead);
        }
    }

    /// A page that was requested on a guess was read; its reader tells what it is.
    pub(super) fn report(&mut self, page: u64, serial: u64, report: Box<Report>) {
        if let Some(index) = self.position(page, serial) {
            self.pages[index].report = Some(report);
        }
    }

    /// The baton, and the report on the page that it is for, once both are there.
    pub(super) fn claim(&mut self) -> Option<(u64, Box<Pager>, Box<Report>)> {
        let page = self.baton.as_ref()?.0;
        let index = self.index(page)?;
        let report = self.pages[index].report.take()?;
        let (page, pager) = self.baton.take()?;
        Some((page, pager, report))
    }

    /// Whether no more batches of a page wait than may in any case.
    pub(super) fn has_room(&self, page: u64, serial: u64) -> bool {
        self.position(page, serial)
            .is_none_or(|index| self.pages[index].batches.len() < QUEUED)
    }

    /// Whether a page was requested on a guess, and others come before it.
    pub(super) fn is_ahead(&self, page: u64) -> bool {
        self.index(page)
            .is_some_and(|index| index > 0 && self.pages[index].ahead)
    }

    /// Adds a batch to a page; false where that is not wanted any more.
    pub(super) fn push(&mut self, page: u64, serial: u64, batch: Batch) -> bool {
        let Some(index) = self.position(page, serial) else {
            return false;
        };
        self.bytes += batch.memory();
        self.pages[index].batches.push_back(batch);
        true
    }

    /// A page has no further rows. After an error nothing more is requested. Returns how many pages after it
    /// were requested and are not wanted now; `None` where it is not wanted itself.
    pub(super) fn finish(&mut self, page: u64, serial: u64, end: Result<()>) -> Option<usize> {
        let index = self.position(page, serial)?;
        self.reading -= 1;
        let failed = end.is_err();
        self.pages[index].end = Some(end);
        if !failed {
            return Some(0);
        }
        self.ahead = None;
        // A page that nobody has decided on may yet turn out to be none.
        if self.pages[index].guess.is_none() {
            self.next = Next::Over;
        }
        Some(self.forget_after(index))
    }

    /// Whether a page is the one whose rows come next.
    pub(super) fn is_front(&self, page: u64) -> bool {
        page == self.front
    }

    /// Whether the page whose rows come next was read to its end.
    pub(super) fn is_front_read(&self) -> bool {
        self.pages.front().is_some_and(|page| page.end.is_some())
    }

    /// Whether it was decided on that page, so that an error in it is one of the scan.
    pub(super) fn is_decided(&self, page: u64) -> bool {
        self.index(page)
            .is_some_and(|index| self.pages[index].guess.is_none())
    }

    /// Whether a page was read to its end.
    pub(super) fn has_ended(&self, page: u64) -> bool {
        self.index(page)
            .is_some_and(|index| self.pages[index].end.is_some())
    }

    /// What the consumer gets now.
    pub(super) fn poll(&mut self) -> Found {
        while let Some(page) = self.pages.front_mut().filter(|page| page.guess.is_none()) {
            if let Some(batch) = page.batches.pop_front() {
                self.bytes -= batch.memory();
                self.delivered = true;
                return Found::Batch(batch);
            }
            match (&page.end, &page.verdict) {
                (Some(Err(error)), _) | (Some(Ok(())), Some(Err(error))) => {
                    return Found::Failure(error.clone());
                }
                (Some(Ok(())), Some(Ok(()))) => {
                    self.pages.pop_front();
                    self.front += 1;
                }
                _ => return Found::Nothing,
            }
        }
        match self.next {
            Next::Over if self.pages.is_empty() => Found::End,
            _ => Found::Nothing,
        }
    }

    /// Forgets all pages, because one of them cannot be had any more, and begins with the first again: once, and only
    /// if nobody has seen a row. Returns how many pages were requested.
    pub(super) fn start_over(
        &mut self,
        page: u64,
        serial: u64,
    ) -> std::result::Result<usize, &'static str> {
        if self.position(page, serial).is_none() {
            return Ok(0);
        }
        if self.delivered {
            return Err("rows before it were returned already, so the scan cannot start over");
        }
        if self.started_over {
            return Err("the scan was started over once, and it expired again");
        }
        let requested = self.pages.len();
        *self = Lane {
            started_over: true,
            ..Lane::new(Next::First)
        };
        Ok(requested)
    }

    /// Forgets the pages after the one at `index`, and cancels those that were guesses. Returns how many.
    fn forget_after(&mut self, index: usize) -> usize {
        let unwanted = self.pages.split_off(index + 1);
        if unwanted.is_empty() {
            return 0;
        }
        self.reading -= unwanted.iter().filter(|page| page.end.is_none()).count();
        self.bytes -= unwanted.iter().map(Page::bytes).sum::<usize>();
        let guesses = unwanted.iter().filter_map(|page| page.guess.as_ref());
        guesses.for_each(|guess| guess.cancel.cancel());
        let last = self.front + index as u64;
        self.baton = self.baton.take().filter(|(page, _)| *page <= last);
        self.ahead = None;
        unwanted.len()
    }

    fn index(&self, page: u64) -> Option<usize> {
        let index = usize::try_from(page.checked_sub(self.front)?).ok()?;
        (index < self.pages.len()).then_some(index)
    }

    fn position(&self, page: u64, serial: u64) -> Option<usize> {
        self.index(page)
            .filter(|index| self.pages[*index].serial == serial)
    }
}

impl Page {
    fn bytes(&self) -> usize {
        self.batches.iter().map(Batch::memory).sum()
    }
}

//! The order of pages: when the next one may be requested, and what the consumer gets next. No threads here.

use super::Polled;
use super::chain::{Ahead, Job, Next};
use super::lane::{Found, Lane};
use super::succession::Report;
use crate::decode::Batch;
use crate::pagination::Pager;
use crate::{Error, Result};
use std::collections::VecDeque;

/// Bytes of rows that the pages after the one being delivered may keep waiting, all of them together. Beyond them
/// each page still keeps a few batches.
const AHEAD: usize = 16 << 20;

/// How far requests may run ahead of the consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Whether they may at all.
    pub(super) fetch_ahead: bool,
    /// Rows that the query is expected to take at most: nothing is fetched ahead past them.
    pub(super) hint: Option<u64>,
    /// Requests in flight; at least 1.
    pub(super) most: usize,
}

/// A page that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Its chain, counted from 0.
    pub(super) chain: usize,
    /// Its number within the chain, counted from 0.
    pub(super) page: u64,
    /// How many pages of the scan were taken before it.
    pub(super) number: u64,
    /// What tells it from another attempt at the same place.
    pub(super) serial: u64,
}

/// The chains between their first request and their last row, in the order of delivery.
///
/// Whoever reads a page of a later chain may have to wait for room, which only the consumer makes. So one reader
/// is always kept for the earliest chain that is not read completely: the consumer gets to it, and needs it.
#[derive(Debug)]
pub(super) struct Flow {
    pace: Pace,
    /// Chains of the scan; up to the one that failed, once one did.
    chains: usize,
    lanes: VecDeque<Lane>,
    /// The chain of the first lane.
    front: usize,
    /// Lanes that may be open at once where the consumer may stop at any time.
    width: usize,
    /// Pages that somebody is reading, also those of chains that are not wanted any more.
    reading: usize,
    /// Who can read: the threads that there are.
    readers: usize,
    /// Pages that were taken, those left out that proved to be none.
    taken: u64,
    /// The serial of the next ticket.
    serial: u64,
    /// Rows decoded.
    rows: u64,
    delivered: bool,
    /// Whether the consumer asked on after its first batch.
    asked_on: bool,
    /// Whether the consumer found nothing when it asked last.
    waiting: bool,
    /// Whether it was to be woken since then.
    signalled: bool,
    /// Readers that wait for room.
    crowded: usize,
    failed: Option<Error>,
    closed: bool,
}

impl Flow {
    /// The flow of so many chains, of which the first begins with the page `first`. Without one there is none.
    pub(super) fn new(pace: Pace, chains: usize, first: Option<Job>) -> Self {
        let first = first.map(|job| Lane::new(Next::Known(Box::new(job))));
        Flow {
            pace,
            chains,
            lanes: first.into_iter().collect(),
            front: 0,
            width: 1,
            reading: 0,
            readers: 0,
            taken: 0,
            serial: 0,
            rows: 0,
            delivered: false,
            asked_on: false,
            waiting: true,
            signalled: false,
            crowded: 0,
            failed: None,
            closed: false,
        }
    }

    /// The next page to request, if one may be requested now; its request where that is made already (a chain's
    /// first one is not).
    pub(super) fn take(&mut self) -> Option<(Ticket, Option<Box<Job>>)> {
        let (chain, serial, (page, job)) = loop {
            let index = self.candidate()?;
            if index == self.lanes.len() {
                self.lanes.push_back(Lane::new(Next::First));
            }
            let (chain, serial) = (self.front + index, self.serial);
            // A guess that cannot be made after all leaves another candidate, or none.
            if let Some(taken) = self.lanes[index].take(chain, serial) {
                break (chain, serial, taken);
            }
        };
        let ticket = Ticket {
            chain,
            page,
            number: self.taken,
            serial,
        };
        self.serial += 1;
        self.taken += 1;
        self.reading += 1;
        Some((ticket, job))
    }

    /// The lane whose next page may be requested now; the one after the last stands for a chain to open.
    fn candidate(&self) -> Option<usize> {
        if self.closed {
            return None;
        }
        let index = (0..self.lanes.len())
            .find(|index| self.requestable(*index) > 0)
            .or_else(|| (self.openable() > 0).then_some(self.lanes.len()))?;
        let unread = self.lanes.iter().position(|lane| !lane.is_read());
        let keeps_one = unread.is_none_or(|unread| {
            let up_to: usize = self.lanes.range(..=unread).map(Lane::reading).sum();
            index <= unread || self.reading - up_to + 1 < self.readers
        });
        keeps_one.then_some(index)
    }

    /// Whether there will never be a further page to request.
    pub(super) fn is_over(&self) -> bool {
        self.closed || (self.unopened() == 0 && self.lanes.iter().all(Lane::is_over))
    }

    /// So many can read now.
    pub(super) fn staff(&mut self, readers: usize) {
        self.readers = readers;
    }

    /// How many readers there is work for: those that read, and those that could.
    pub(super) fn demand(&self) -> usize {
        if self.closed {
            return 0;
        }
        let requests = (0..self.lanes.len()).map(|index| self.requestable(index));
        (self.reading + requests.sum::<usize>() + self.openable()).min(self.pace.most)
    }

    /// How many pages of a lane may be requested now.
    fn requestable(&self, index: usize) -> usize {
        let lane = &self.lanes[index];
        let decided = usize::from(lane.has_request());
        let may_be = match (index, lane.pages()) {
            _ if decided == 0 => true,
            // Nothing was asked for yet, or all of it was taken and the consumer asked on.
            (_, 0) => true,
            (0, 1) => self.pace.fetch_ahead && self.asked_on && self.is_expected_after(lane),
            (0, 2) => self.is_whole_page_waiting(lane),
            (0, _) => false,
            _ => self.reads_everything() && lane.reading() == 0 && self.ahead() < AHEAD,
        };
        match (may_be, index) {
            (false, _) => 0,
            (true, 0) => decided + self.guesses(lane, decided),
            (true, _) => decided,
        }
    }

    /// How many pages of the first lane may be requested before it is decided on them, after so many that are.
    fn guesses(&self, lane: &Lane, decided: usize) -> usize {
        if !self.pace.fetch_ahead || !self.asked_on || self.ahead() >= AHEAD {
            return 0;
        }
        // Enough to keep all readers busy when one page takes longer than those after it.
        let window = (2 * self.pace.most).saturating_sub(lane.pages() + decided);
        let wanted = self.pace.hint.map_or(usize::MAX, |hint| {
            let rows = lane.rows_a_page().max(1);
            let expected = (lane.reading() + decided) as u64;
            let expected = rows.saturating_mul(expected).saturating_add(self.rows);
            usize::try_from(hint.saturating_sub(expected).div_ceil(rows)).unwrap_or(usize::MAX)
        });
        lane.guesses().min(window).min(wanted)
    }

    /// Whether the first of the pages was read to its end, so that a reader has nothing to do while its rows are taken.
    fn is_whole_page_waiting(&self, lane: &Lane) -> bool {
        self.reads_everything() && self.asked_on && lane.is_front_read() && self.ahead() < AHEAD
    }

    /// With a hint, how many rows there are is waited for, and whether they will do.
    fn is_expected_after(&self, lane: &Lane) -> bool {
        self.pace
            .hint
            .is_none_or(|hint| lane.reading() == 0 && self.rows < hint)
    }

    fn reads_everything(&self) -> bool {
        self.pace.fetch_ahead && self.pace.hint.is_none()
    }

    /// Chains that nothing was requested of.
    fn unopened(&self) -> usize {
        self.chains.saturating_sub(self.front + self.lanes.len())
    }

    /// How many of them may be begun now.
    fn openable(&self) -> usize {
        let most = self.pace.most;
        let width = match self.pace.hint {
            Some(_) => 1 + usize::from(self.is_next_chain_expected()),
            // Enough to keep all readers busy when one chain takes longer than those after it.
            None if self.pace.fetch_ahead && self.asked_on => 2 * most,
            None if self.pace.fetch_ahead => most,
            None => self.width,
        };
        width.saturating_sub(self.lanes.len()).min(self.unopened())
    }

    fn is_next_chain_expected(&self) -> bool {
        let lane = self.lanes.front();
        self.pace.fetch_ahead
            && self.asked_on
            && lane.is_some_and(|lane| {
                lane.is_read() && lane.pages() <= 1 && self.is_expected_after(lane)
            })
    }

    /// Bytes that wait behind the page that is being delivered.
    fn ahead(&self) -> usize {
        let front = self.lanes.front().map_or(0, Lane::bytes_behind);
        front + self.lanes.iter().skip(1).map(Lane::bytes).sum::<usize>()
    }

    /// Page `page` of `chain` has decided what follows it, or that there is something wrong with it; `ahead`: the pages
    /// that may be requested after the next one. True if the consumer must be woken.
    pub(super) fn decide(
        &mut self,
        chain: usize,
        page: u64,
        verdict: Result<Next>,
        ahead: Option<Ahead>,
    ) -> bool {
        let Some(lane) = self.lane_mut(chain) else {
            return false;
        };
        let unwanted = lane.decide(page, verdict, ahead);
        let has_ended = lane.has_ended(page);
        self.taken -= unwanted as u64;
        has_ended && self.arrived(chain, page)
    }

    /// Pages of `chain` that may be requested before it is decided on them, from its page `first` on.
    pub(super) fn foresee(&mut self, chain: usize, first: u64, ahead: Ahead) {
        if let Some(lane) = self.lane_mut(chain) {
            lane.foresee(first, ahead);
        }
    }

    /// What a page that was requested before it was decided on turned out to be.
    pub(super) fn report(&mut self, ticket: Ticket, report: Box<Report>) {
        if let Some(lane) = self.lane_mut(ticket.chain) {
            lane.report(ticket.page, ticket.serial, report);
        }
    }

    /// A page of `chain` of which it can be decided now what follows it: its number within the chain, the baton, and
    /// what its reader reported.
    pub(super) fn claim(&mut self, chain: usize) -> Option<(u64, Box<Pager>, Box<Report>)> {
        self.lane_mut(chain)?.claim()
    }

    /// Starts a page's chain over, or says why that is impossible.
    pub(super) fn start_over(&mut self, ticket: Ticket) -> std::result::Result<(), &'static str> {
        let Some(lane) = self.lane_mut(ticket.chain) else {
            return Ok(());
        };
        let unwanted = lane.start_over(ticket.page, ticket.serial)?;
        self.taken -= unwanted as u64;
        Ok(())
    }

    /// Whether a page has room for another batch.
    pub(super) fn has_room(&self, ticket: Ticket) -> bool {
        let index = ticket.chain.checked_sub(self.front);
        match index.and_then(|index| Some((index, self.lanes.get(index)?))) {
            None => true,
            Some((index, lane)) => {
                let is_ahead = index > 0 || lane.is_ahead(ticket.page);
                lane.has_room(ticket.page, ticket.serial) || (is_ahead && self.ahead() < AHEAD)
            }
        }
    }

    /// Adds a batch to a page. True if the consumer must be woken. [`Error::Cancelled`] when nobody wants it.
    pub(super) fn push(&mut self, ticket: Ticket, batch: Batch) -> Result<bool> {
        let rows = batch.rows as u64;
        let lane = self.lane_mut(ticket.chain).ok_or(Error::Cancelled)?;
        if !lane.push(ticket.page, ticket.serial, batch) {
            return Err(Error::Cancelled);
        }
        self.rows += rows;
        Ok(self.arrived(ticket.chain, ticket.page))
    }

    /// A page has no further rows. After an error nothing more is requested that comes after it. True if the
    /// consumer must be woken.
    pub(super) fn finish(&mut self, ticket: Ticket, end: Result<()>) -> bool {
        self.reading -= 1;
        let failed = end.is_err();
        let Some(lane) = self.lane_mut(ticket.chain) else {
            return false;
        };
        let Some(unwanted) = lane.finish(ticket.page, ticket.serial, end) else {
            return false;
        };
        if failed && lane.is_decided(ticket.page) {
            self.chains = ticket.chain + 1;
            self.lanes.truncate(self.chains - self.front);
        }
        self.taken -= unwanted as u64;
        self.arrived(ticket.chain, ticket.page)
    }

    fn arrived(&mut self, chain: usize, page: u64) -> bool {
        let lane = self.lanes.front().filter(|_| chain == self.front);
        let is_front = lane.is_some_and(|lane| lane.is_front(page));
        let must_wake = is_front && std::mem::take(&mut self.waiting);
        self.signalled |= must_wake;
        must_wake
    }

    /// Whether the consumer was to be woken since this was asked last.
    pub(super) fn was_signalled(&mut self) -> bool {
        std::mem::take(&mut self.signalled)
    }

    /// A reader waits for room, or has ceased to.
    pub(super) fn waits_for_room(&mut self, waits: bool) {
        match waits {
            true => self.crowded += 1,
            false => self.crowded -= 1,
        }
    }

    /// Whether one of the readers may have something to do that it had not before.
    pub(super) fn wants_somebody(&self) -> bool {
        self.crowded > 0 || self.is_over() || self.candidate().is_some()
    }

    /// What the consumer gets now.
    pub(super) fn poll(&mut self) -> Result<Polled> {
        self.asked_on |= self.delivered;
        self.waiting = false;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while let Some(lane) = self.lanes.front_mut() {
            match lane.poll() {
                Found::Batch(batch) => {
                    self.delivered = true;
                    return Ok(Polled::Batch(batch));
                }
                Found::Nothing => return Ok(self.pending()),
                Found::Failure(error) => return Err(self.fail(error)),
                Found::End => self.go_on(),
            }
        }
        match self.unopened() {
            0 => Ok(Polled::Done),
            _ => Ok(self.pending()),
        }
    }

    /// To the next chain. The more of them the consumer has asked for, the more it is trusted to want.
    fn go_on(&mut self) {
        self.lanes.pop_front();
        self.front += 1;
        self.width = (2 * self.width).min(self.pace.most);
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
        self.lanes.clear();
    }

    fn lane_mut(&mut self, chain: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(chain.checked_sub(self.front)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::chain::Standing;
    use super::*;
    use crate::model::options::fixture;
    use crate::request::Inputs;
    use std::sync::Arc;

    /// A batch that is larger than all that may wait, so that everybody comes to wait for room.
    fn batch(chain: usize, value: usize) -> Batch {
        Batch {
            rows: value,
            request: chain,
            arena: Vec::with_capacity(AHEAD),
            ..Batch::default()
        }
    }

    fn job(chain: usize) -> Box<Job> {
        let table = Arc::new(fixture::table(&[], &[("endpoint", "/items")], &[]));
        let pager = Pager::new(table, Inputs::default(), None).unwrap();
        let request = pager.first().unwrap();
        Box::new(Job {
            chain,
            page: 1,
            request,
            standing: Standing::Decided(Box::new(pager)),
        })
    }

    /// A reader and what it still has to hand over.
    type Reader = Option<(Ticket, Vec<Batch>)>;

    /// `pages[chain][page]` batches each, taken by so many readers who move in an order that `seed` gives.
    fn deliver(
        pages: &[Vec<usize>],
        readers: usize,
        pace: Pace,
        mut seed: u64,
    ) -> Vec<(usize, usize)> {
        let mut flow = Flow::new(pace, pages.len(), Some(*job(0)));
        flow.staff(readers);
        let mut crew: Vec<Reader> = (0..readers).map(|_| None).collect();
        let mut delivered = Vec::new();
        let mut idle = 0;
        while idle < 200 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let actor = (seed >> 33) as usize % (readers + 1);
            let moved = match crew.get_mut(actor) {
                Some(reader) => read(&mut flow, reader, pages),
                None => match flow.poll().unwrap() {
                    Polled::Done => return delivered,
                    Polled::Pending => false,
                    Polled::Batch(batch) => {
                        delivered.push((batch.request, batch.rows));
                        true
                    }
                },
            };
            idle = if moved { 0 } else { idle + 1 };
        }
        panic!("everybody waits for somebody else: {flow:?}");
    }

    /// One step of a reader; false: it cannot move.
    fn read(flow: &mut Flow, reader: &mut Reader, pages: &[Vec<usize>]) -> bool {
        match reader {
            None => {
                let Some((ticket, _)) = flow.take() else {
                    return false;
                };
                let before: usize = pages[ticket.chain][..ticket.page as usize].iter().sum();
                let count = pages[ticket.chain][ticket.page as usize];
                let batches = (before..before + count).rev();
                *reader = Some((
                    ticket,
                    batches.map(|value| batch(ticket.chain, value)).collect(),
                ));
                let is_last = ticket.page as usize + 1 == pages[ticket.chain].len();
                let next = if is_last {
                    Next::Over
                } else {
                    Next::Known(job(ticket.chain))
                };
                flow.decide(ticket.chain, ticket.page, Ok(next), None);
            }
            Some((ticket, batches)) => match batches.pop() {
                Some(batch) if flow.has_room(*ticket) => {
                    flow.push(*ticket, batch).unwrap();
                }
                Some(batch) => {
                    batches.push(batch);
                    return false;
                }
                None => {
                    flow.finish(*ticket, Ok(()));
                    *reader = None;
                }
            },
        }
        true
    }

    #[test]
    fn nobody_waits_for_good_and_everything_comes_in_order() {
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        for round in 0..2000 {
            let pages: Vec<Vec<usize>> = (0..1 + random(8))
                .map(|_| (0..1 + random(4)).map(|_| random(9)).collect())
                .collect();
            let most = 1 + random(5);
            let pace = Pace {
                fetch_ahead: random(2) == 0,
                hint: (random(3) == 0).then(|| random(40) as u64),
                most,
            };
            // Fewer threads than asked for is what a busy machine gives.
            let readers = 1 + random(most);
            let expected: Vec<(usize, usize)> = pages
                .iter()
                .enumerate()
                .flat_map(|(chain, pages)| (0..pages.iter().sum()).map(move |value| (chain, value)))
                .collect();
            assert_eq!(
                deliver(&pages, readers, pace, round),
                expected,
                "{pages:?} {pace:?}"
            );
        }
    }
}

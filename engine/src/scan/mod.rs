//! The stream: pages fetched by threads, ahead where that is wanted, delivered in order, cancelled at once.

#[cfg(test)]
mod ahead_tests;
mod body;
mod chain;
mod flow;
mod lane;
mod ledger;
mod page;
mod repetition;
mod stream;
mod succession;
mod wanted;
mod worker;

pub use ledger::{RequestError, RequestRecord, StatementBudget, Statistics};

use crate::Result;
use crate::decode::Batch;
use crate::http::cache::{Cache, Session};
use crate::http::{CancelToken, Client};
use crate::model::Table;
use crate::request::Inputs;
use chain::Chains;
use flow::{Flow, Pace};
use ledger::{Budget, Ledger};
use repetition::Repetition;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use stream::Stream;
use worker::Crew;

/// What to read.
#[derive(Debug, Clone)]
pub struct ScanSpec {
    /// The table.
    pub table: Arc<Table>,
    /// What each chain of pages sends. Their rows come in this order, however many of them are read at once. Empty:
    /// no rows, no request.
    pub requests: Vec<Inputs>,
    /// Field columns to decode, as indexes into the table's columns; the cells of a row are in this order.
    pub wanted: Vec<usize>,
    /// Rows that the query is expected to take at most (rule R5).
    pub hint: Option<u64>,
    /// Whether pages may be requested before all rows of the pages before them were taken: within a chain one ahead of the page
    /// that is being read, two where a whole page waits; as many as the source takes requests where it is known how many there
    /// are, and as many chains at once.
    pub fetch_ahead: bool,
    /// Pages of each chain that are read at most, for samples: what follows them is left unread, and
    /// [`Statistics::partial`] says so. (The bounds of the source are errors, by rule R9.)
    pub most_pages: Option<u32>,
    /// Requests that the statement may still make, with all its scans.
    pub budget: Option<Arc<StatementBudget>>,
    /// Stored responses that may answer in the API's place. `None`: the API is asked for everything.
    pub cache: Option<Cache>,
}

/// What [`Scan::poll`] found.
#[derive(Debug)]
pub enum Polled {
    /// The next rows.
    Batch(Batch),
    /// Nothing yet: wait until [`Scan::wake`] is readable.
    Pending,
    /// All rows were delivered.
    Done,
}

/// A running scan.
///
/// Dropping it cancels its requests, joins its threads and closes its descriptors, within milliseconds in every
/// phase. Only a name look-up can outlive it (see [`crate::http::Resolve`]), which holds nothing of it.
#[derive(Debug)]
pub struct Scan {
    shared: Arc<Shared>,
}

/// What the threads of a scan share.
#[derive(Debug)]
struct Shared {
    client: Arc<Client>,
    cancel: CancelToken,
    cache: Option<Session>,
    chains: Chains,
    decoding: wanted::Decoding,
    ledger: Ledger,
    repetition: Repetition,
    stream: Stream,
    crew: Crew,
    most_pages: Option<u32>,
    /// Whether pages may be requested before it is decided on them.
    looks_ahead: bool,
}

impl Scan {
    /// Starts a scan: its first request goes out at once.
    ///
    /// # Errors
    /// [`System`](crate::Error::System) where no thread or descriptor can be had; what building the first request raises;
    /// [`Limit`](crate::Error::Limit) where all is read and that needs more requests than may be made.
    pub fn start(client: Arc<Client>, spec: ScanSpec) -> Result<Scan> {
        let cancel = CancelToken::new()?;
        let source = &spec.table.source;
        let budget = Budget {
            pages: source.max_pages,
            source: source.max_requests,
            statement: spec.budget,
        };
        let decoding = wanted::Decoding::new(&spec.table, &spec.wanted);
        let repetition = Repetition::new(&spec.table, &spec.wanted);
        let chains = Chains::new(
            Arc::clone(&spec.table),
            spec.requests,
            spec.hint,
            client.egress(),
        );
        let pace = Pace {
            fetch_ahead: spec.fetch_ahead,
            hint: spec.hint,
            most: usize::try_from(source.max_concurrency).map_or(usize::MAX, |most| most.max(1)),
        };
        let looks_ahead = pace.fetch_ahead && pace.most > 1;
        let first = (chains.len() > 0).then(|| chains.begin(0)).transpose()?;
        let shown = first
            .as_ref()
            .map(|job| client.exchange(&job.request, job.page).request);
        // What is stored may need fewer.
        if spec.fetch_ahead && spec.hint.is_none() && spec.cache.is_none() {
            let place = first.as_ref();
            let place = place.map(|job| client.exchange(&job.request, job.page));
            budget.foresee(chains.len() as u64, &place.unwrap_or_default())?;
        }
        let flow = Flow::new(pace, chains.len(), first);
        let shared = Shared {
            client,
            cache: spec.cache.map(|cache| Session::new(cache, &cancel)),
            cancel,
            chains,
            decoding,
            ledger: Ledger::new(budget, shown),
            repetition,
            stream: Stream::new(flow)?,
            crew: Crew::default(),
            most_pages: spec.most_pages,
            looks_ahead,
        };
        let scan = Scan {
            shared: Arc::new(shared),
        };
        worker::reinforce(&scan.shared)?;
        Ok(scan)
    }

    /// A descriptor that becomes readable when [`Scan::poll`] may have something new to say; polling resets it.
    pub fn wake(&self) -> BorrowedFd<'_> {
        self.shared.stream.wake()
    }

    /// The next rows, if they are there. Never blocks. Asking is what makes a scan go on to further pages.
    ///
    /// # Errors
    /// The first error in the order of rows: those of earlier pages were delivered before it. It is final,
    /// and returned again by every further call.
    pub fn poll(&mut self) -> Result<Polled> {
        let polled = self.shared.stream.poll();
        match &polled {
            Ok(Polled::Done) => {}
            Ok(_) => worker::reinforce(&self.shared)?,
            Err(_) => self.shared.cancel.cancel(),
        }
        polled
    }

    /// Takes back a batch that nobody reads any more: its memory serves for further rows.
    pub fn recycle(&self, batch: Batch) {
        self.shared.stream.recycle(batch);
    }

    /// What it did so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.ledger.statistics()
    }

    /// The requests that ended since the last call, oldest first; of more than a thousand the latest.
    pub fn take_log(&mut self) -> Vec<RequestRecord> {
        self.shared.ledger.take_log()
    }

    /// Cancels what is still running, as dropping does. What the log and the statistics say then is final.
    pub fn stop(&mut self) {
        self.shared.stream.close();
        self.shared.cancel.cancel();
        self.shared.crew.join();
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.stop();
    }
}

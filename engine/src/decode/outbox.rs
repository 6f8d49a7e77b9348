//! Batches on their way out: how large they get, when they are handed over, and what is not handed
//! over a second time when a page is read again.

use super::batch::{Batch, Cell};
use super::envelope::Envelope;
use crate::error::{Error, Exchange, Result};
use foldhash::quality::{FixedState, FoldHasher};
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

/// Receives what the decoder makes.
pub trait Sink {
    /// The page has a row. Called at most once for each call of [`decode_page`](super::decode_page), before
    /// the first batch, so that the next page can be asked for early. It is called again when a page is read again
    /// of which no batch was handed over.
    ///
    /// `before`: the scalars that came before the rows.
    ///
    /// # Errors
    /// Any error stops the decoder, which returns it as it is.
    fn first_row(&mut self, before: &Envelope) -> Result<()>;

    /// Takes a batch, which has at least one row.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if nobody wants it any more. Any error stops the decoder, which returns it as
    /// it is; the batch then counts as not handed over.
    fn batch(&mut self, batch: Batch) -> Result<()>;

    /// Whether somebody waits for the first row of all, so that the first few rows of this page go out without the others.
    fn is_first_page(&self) -> bool {
        true
    }

    /// A batch whose memory is of use again, if there is one; what it holds is not.
    fn spare(&mut self) -> Option<Batch> {
        None
    }
}

/// How far a page was handed over, so that a retry does not hand a row over twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows handed over.
    pub rows: u64,
    /// Bytes of those rows, what stands around and between them left out.
    pub bytes: u64,
    /// A checksum of those bytes.
    pub hash: u64,
}

const FIRST_ROWS: usize = 64;
const MOST_ROWS: usize = 1000;
const MOST_BYTES: usize = 256 << 10;
const MOST_CELLS: usize = 64 << 10;
/// A body whose parts come further apart than this is slow: its rows are not kept back until a batch is full.
const SLOW: Duration = Duration::from_millis(20);

/// Only compared within a scan, so that it need not be the same everywhere: a fast one.
#[derive(Clone)]
struct Checksum(FoldHasher<'static>);

impl Default for Checksum {
    fn default() -> Self {
        const SEED: FixedState = FixedState::with_seed(0);
        Checksum(SEED.build_hasher())
    }
}

/// Rows that were read, with a running checksum of their bytes.
#[derive(Clone, Default)]
struct Seen {
    rows: u64,
    bytes: u64,
    checksum: Checksum,
}

impl Seen {
    fn progress(&self) -> Progress {
        Progress {
            rows: self.rows,
            bytes: self.bytes,
            hash: self.checksum.0.finish(),
        }
    }
}

pub(super) struct Outbox<'a> {
    sink: &'a mut dyn Sink,
    progress: &'a mut Progress,
    exchange: &'a Exchange,
    seen: Seen,
    /// What an earlier reading of this page handed over.
    earlier: Progress,
    pub batch: Batch,
    is_first_page: bool,
    /// Full batches that may not leave yet, each with what is reached once it has left.
    held: Option<Vec<(Batch, Progress)>>,
    announced: bool,
    /// When more of the body was waited for last.
    waited: Instant,
    /// The scalars before the rows.
    before: Envelope,
}

impl<'a> Outbox<'a> {
    pub fn new(
        sink: &'a mut dyn Sink,
        progress: &'a mut Progress,
        exchange: &'a Exchange,
        width: usize,
        request: usize,
    ) -> Outbox<'a> {
        let is_first_page = sink.is_first_page();
        let spare = sink.spare().unwrap_or_default();
        let batch = spare.emptied(width, request, exchange);
        let earlier = *progress;
        Outbox {
            sink,
            progress,
            exchange,
            seen: Seen::default(),
            earlier,
            batch,
            is_first_page,
            held: None,
            announced: false,
            waited: Instant::now(),
            before: Envelope::default(),
        }
    }

    /// Where the exchange is, for errors.
    pub fn exchange(&self) -> &'a Exchange {
        self.exchange
    }

    /// Rows of this page so far.
    pub fn rows(&self) -> u64 {
        self.seen.rows
    }

    /// The rows come next, after these scalars.
    pub fn begin_rows(&mut self, before: &Envelope) {
        self.before.clone_from(before);
    }

    /// Holds everything back from here on.
    pub fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Whether everything is held back.
    pub fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Hands over what was held back, and holds nothing back from here on.
    pub fn release(&mut self) -> Result<()> {
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        if self.seen.rows > 0 {
            self.announce()?;
        }
        for (batch, reached) in held {
            self.hand_over(batch, reached)?;
        }
        Ok(())
    }

    /// Counts the row that stands in `bytes`. True if it is to be added to the batch; false if an earlier
    /// reading of the page handed it over.
    #[inline]
    pub fn begin_row(&mut self, bytes: &[u8]) -> Result<bool> {
        if !self.announced && self.held.is_none() {
            self.announce()?;
        }
        self.seen.rows += 1;
        self.seen.bytes += bytes.len() as u64;
        self.seen.checksum.0.write(bytes);
        if self.seen.rows > self.earlier.rows {
            return Ok(true);
        }
        if self.seen.rows == self.earlier.rows && self.seen.progress() != self.earlier {
            return Err(self.changed());
        }
        Ok(false)
    }

    /// Ends the row whose cells were added to the batch. True if the batch is full.
    #[inline]
    pub fn end_row(&mut self) -> bool {
        self.batch.rows += 1;
        let first = self.is_first_page && self.progress.rows == 0 && self.held.is_none();
        let most = if first { FIRST_ROWS } else { MOST_ROWS };
        let bytes = self.batch.arena.len() + self.batch.elements.len() * size_of::<Cell>();
        self.batch.rows >= most || bytes >= MOST_BYTES || self.batch.cells.len() >= MOST_CELLS
    }

    /// Sends off what is there if the body is slow: it may be long until more of it comes.
    pub fn before_wait(&mut self) -> Result<()> {
        let now = Instant::now();
        let is_slow = now.duration_since(self.waited) >= SLOW;
        self.waited = now;
        match is_slow && !self.is_holding() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Sends the batch off, however full it is.
    pub fn flush(&mut self) -> Result<()> {
        if self.batch.rows == 0 {
            return Ok(());
        }
        let spare = self.sink.spare().unwrap_or_default();
        let next = spare.emptied(self.batch.width, self.batch.request, self.exchange);
        let batch = std::mem::replace(&mut self.batch, next);
        // The next batch will be about as large, unless this one was a page's first or last.
        if batch.rows >= MOST_ROWS {
            self.batch.cells.reserve_exact(batch.cells.len());
            self.batch
                .arena
                .reserve(batch.arena.len() + batch.arena.len() / 8);
        }
        let reached = self.seen.progress();
        match &mut self.held {
            Some(held) => {
                held.push((batch, reached));
                Ok(())
            }
            None => self.hand_over(batch, reached),
        }
    }

    /// The page has ended: nothing that an earlier reading handed over may be missing.
    pub fn finish(&mut self) -> Result<()> {
        if self.seen.rows < self.earlier.rows {
            return Err(self.changed());
        }
        self.flush()?;
        self.release()
    }

    fn announce(&mut self) -> Result<()> {
        self.announced = true;
        if self.earlier.rows == 0 {
            self.sink.first_row(&self.before)
        } else {
            Ok(())
        }
    }

    fn hand_over(&mut self, batch: Batch, reached: Progress) -> Result<()> {
        self.sink.batch(batch)?;
        *self.progress = reached;
        Ok(())
    }

    fn changed(&self) -> Error {
        let reason = format!(
            "page {} changed while it was being read again",
            self.exchange.page
        );
        Error::Paging {
            exchange: self.exchange.clone(),
            reason,
        }
    }
}

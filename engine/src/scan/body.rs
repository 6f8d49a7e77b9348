//! The bytes of a page: from the API, counted and stored as they come, or from a stored response.

use super::ledger::Ledger;
use crate::Error;
use crate::error::Exchange;
use crate::http::Body;
use crate::http::cache::Recording;
use std::io::{self, Read};

/// Bytes of a body that nobody wanted which are read to store it all the same.
const DRAINED: u64 = 64 << 10;

/// How much of a body was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Volume {
    /// After decompression.
    pub(super) bytes: u64,
    /// As it came over the network.
    pub(super) transferred: u64,
}

impl Volume {
    pub(super) fn of(body: &Body) -> Volume {
        Volume {
            bytes: body.received(),
            transferred: body.transferred(),
        }
    }
}

/// A body whose bytes are counted, and stored where they may be, as they come.
pub(super) struct Received<'a> {
    body: &'a mut Body,
    ledger: &'a Ledger,
    recording: Option<Recording>,
    ended: bool,
}

impl<'a> Received<'a> {
    pub(super) fn new(
        body: &'a mut Body,
        ledger: &'a Ledger,
        recording: Option<Recording>,
    ) -> Received<'a> {
        Received {
            body,
            ledger,
            recording,
            ended: false,
        }
    }

    /// What was recorded, if that is all of it. What nobody wanted to read belongs to it, too.
    pub(super) fn whole(mut self) -> Option<Recording> {
        if self.recording.is_some() && !self.ended {
            let _ = io::copy(&mut Read::by_ref(&mut self).take(DRAINED), &mut io::sink());
        }
        self.recording.filter(|_| self.ended)
    }
}

impl Read for Received<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.body.transferred();
        let read = self.body.read(buffer)?;
        let transferred = self.body.transferred() - before;
        self.ledger.count_bytes(read as u64, transferred);
        self.ended = read == 0 && !buffer.is_empty();
        let recorded = self.recording.as_mut();
        if recorded.is_some_and(|recording| !recording.write(&buffer[..read])) {
            self.recording = None;
        }
        Ok(read)
    }
}

/// The body of a stored response. It was whole when it was found, so a failure to read it is like one of the network:
/// the page may be read again.
pub(super) struct Replayed<'a> {
    pub(super) body: &'a mut dyn Read,
    pub(super) exchange: &'a Exchange,
}

impl Read for Replayed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer).map_err(|error| {
            io::Error::other(Error::Truncated {
                exchange: self.exchange.clone(),
                reason: format!("the stored response cannot be read: {error}"),
            })
        })
    }
}

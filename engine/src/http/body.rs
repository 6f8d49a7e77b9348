//! A response's body as a reader: bounded in time and size, cancellable, with errors that say where they happened.

use super::attempt::{self, Attempt};
use super::failure;
use super::redact::Redactor;
use crate::error::Exchange;
use crate::{Error, Result};
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// Bytes of an unwanted body that are read.
const DRAINED: u64 = 64 * 1024;

/// The decompressed bytes of a response's body.
///
/// Errors are `io::Error`s around this crate's [`Error`]: cut off ([`Error::Truncated`]), too slow ([`Error::Timeout`]),
/// larger than `max_response_bytes` ([`Error::TooLarge`]), cancelled. After an error it stays in error.
pub struct Body {
    pub(super) reader: ureq::BodyReader<'static>,
    pub(super) attempt: Attempt,
    pub(super) exchange: Exchange,
    pub(super) redactor: Arc<Redactor>,
    pub(super) limit: u64,
    /// What Content-Length promised, where nothing was compressed.
    pub(super) expected: Option<u64>,
    pub(super) received: u64,
    pub(super) failed: Option<Error>,
}

impl Body {
    /// Bytes read so far, after decompression.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Reads a body that nobody wants, so that its connection can be kept. One that is large, or fails, costs its
    /// connection, nothing else.
    pub(crate) fn drain(&mut self) {
        let _ = io::copy(&mut self.take(DRAINED), &mut io::sink());
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let reader = &mut self.reader;
        let read = self.attempt.during(|| match attempt::check() {
            Ok(()) => reader.read(buffer),
            Err(error) => Err(io::Error::other(ureq::Error::Other(Box::new(error)))),
        });
        let read = read.map_err(|error| failure::from_io(error, self.attempt.phase()))?;
        self.received += read as u64;
        if self.received > self.limit {
            return Err(Error::TooLarge {
                exchange: Exchange::default(),
                limit: self.limit,
            });
        }
        Ok(read)
    }

    fn place(&self, mut error: Error) -> Error {
        if let Error::Truncated { reason, .. } = &mut error {
            let of = self
                .expected
                .map(|expected| format!(" of {expected}"))
                .unwrap_or_default();
            reason.push_str(&format!(", after {}{of} bytes", self.received));
        }
        self.redactor.error(error.at(&self.exchange))
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(io::Error::other(error.clone()));
        }
        self.next(buffer).map_err(|error| {
            let error = self.place(error);
            self.failed = Some(error.clone());
            io::Error::other(error)
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

//! A response's body as a reader: bounded in time and size, cancellable, with errors that say where they happened.

use super::attempt::{self, Attempt};
use super::coding::{Coding, Decoded, too_large};
use super::failure;
use super::redact::Redactor;
use crate::error::Exchange;
use crate::{Error, Result};
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use ureq::http::HeaderMap;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};

/// Bytes of an unwanted body that are read.
const DRAINED: u64 = 64 * 1024;

/// The decompressed bytes of a response's body.
///
/// Errors are `io::Error`s around this crate's [`Error`]: cut off ([`Error::Truncated`]), too slow ([`Error::Timeout`]),
/// larger than `max_response_bytes` before or after decompression ([`Error::TooLarge`]), compressed in a way that cannot be
/// undone ([`Error::Body`]), cancelled. After an error it stays in error.
pub struct Body {
    content: Content,
    exchange: Exchange,
    redactor: Arc<Redactor>,
    /// `max_response_bytes`
    limit: u64,
    /// What Content-Length promised.
    expected: Option<u64>,
    /// Only the connection's end tells where it ends.
    ends_by_close: bool,
    is_lines: bool,
    /// The last byte that was read.
    last: Option<u8>,
    failed: Option<Error>,
}

impl Body {
    /// The body that follows a head with these headers, of which at most `limit` bytes are read. `is_sealed`: the connection's end
    /// cannot be taken for the body's, because TLS tells them apart (RFC 8446, section 6.1).
    pub(super) fn new(
        headers: &HeaderMap,
        body: ureq::Body,
        is_sealed: bool,
        attempt: Attempt,
        limit: u64,
        exchange: Exchange,
        redactor: Arc<Redactor>,
    ) -> Body {
        let expected = body.content_length();
        let is_framed = is_sealed
            || headers.contains_key(CONTENT_LENGTH)
            || headers.contains_key(TRANSFER_ENCODING);
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let codings = Coding::list(values.map(|value| value.to_str().unwrap_or("?")));
        let wire = Wire {
            reader: body.into_reader(),
            attempt,
            received: 0,
            limit: match codings.as_deref() {
                Ok([]) => limit,
                _ => compressed(limit),
            },
        };
        let failed = codings.as_ref().err().map(|reason| Error::Body {
            exchange: exchange.clone(),
            reason: reason.clone(),
        });
        let ends_by_close = !is_framed && matches!(codings.as_deref(), Ok([]));
        let wire = Content::Wire(Box::new(wire));
        let codings = codings.into_iter().flatten().rev();
        Body {
            content: codings.fold(wire, |below, coding| {
                Content::Decoded(Box::new(Decoded::new(below, coding, limit, is_framed)))
            }),
            exchange,
            redactor,
            limit,
            expected,
            ends_by_close,
            is_lines: false,
            last: None,
            failed,
        }
    }

    /// The body is lines, which look whole wherever they are cut off between two of them. Where only the connection's end tells
    /// that it is over (RFC 9112, section 8), the last line must have an end at least.
    pub(crate) fn expect_lines(&mut self) {
        self.is_lines = true;
    }

    fn check_end(&self) -> io::Result<()> {
        let is_whole = matches!(self.last, Some(b'\n' | b'\r'));
        if is_whole || !self.is_lines || !self.ends_by_close {
            return Ok(());
        }
        let reason = "the connection was closed, and nothing else tells that the body is complete";
        Err(io::Error::other(Error::Truncated {
            exchange: Exchange::default(),
            reason: reason.to_owned(),
        }))
    }

    /// Bytes read so far, after decompression.
    pub fn received(&self) -> u64 {
        match &self.content {
            Content::Wire(wire) => wire.received,
            Content::Decoded(decoded) => decoded.written(),
        }
    }

    /// Bytes that came over the network so far.
    pub fn transferred(&self) -> u64 {
        self.content.wire().received
    }

    /// The attempt that it belongs to, with the time that it took so far.
    pub(super) fn attempt(&self) -> Attempt {
        self.content.wire().attempt.clone()
    }

    /// Reads a body that nobody wants, so that its connection can be kept. One that is large, or fails, costs its
    /// connection, nothing else.
    pub(crate) fn drain(&mut self) {
        let _ = io::copy(&mut self.take(DRAINED), &mut io::sink());
    }

    fn place(&self, error: io::Error) -> Error {
        let mut error = error.downcast::<Error>().unwrap_or_else(|other| {
            // Every reader of `Content` makes errors of this crate.
            Error::System(other.to_string())
        });
        match &mut error {
            Error::Truncated { reason, .. } => {
                let of = self
                    .expected
                    .map(|expected| format!(" of {expected}"))
                    .unwrap_or_default();
                reason.push_str(&format!(", after {}{of} bytes", self.transferred()));
            }
            // Also where it was the compressed form that was too large.
            Error::TooLarge { limit, .. } => *limit = self.limit,
            _ => {}
        }
        self.redactor.error(error.at(&self.exchange))
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(io::Error::other(error.clone()));
        }
        let read = match self.content.read(buffer) {
            Ok(0) if !buffer.is_empty() => self.check_end().map(|()| 0),
            read => read,
        };
        let read = read.map_err(|error| {
            let error = self.place(error);
            self.failed = Some(error.clone());
            io::Error::other(error)
        })?;
        self.last = buffer[..read].last().copied().or(self.last);
        Ok(read)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}

/// The bytes as they come, or with a coding undone.
enum Content {
    Wire(Box<Wire>),
    Decoded(Box<Decoded<Content>>),
}

impl Content {
    fn wire(&self) -> &Wire {
        match self {
            Content::Wire(wire) => wire,
            Content::Decoded(decoded) => decoded.inner().wire(),
        }
    }
}

/// What the compressed form of so many bytes may take: data that does not compress grows by less in every coding.
fn compressed(limit: u64) -> u64 {
    limit.saturating_add(limit / 8).saturating_add(1024)
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Content::Wire(wire) => wire.read(buffer),
            Content::Decoded(decoded) => {
                // A few bytes may become so many that it is long until the next ones are waited for.
                decoded.inner().wire().go_on()?;
                decoded.read(buffer)
            }
        }
    }
}

/// The bytes as they come over the network, and the attempt that waits for them.
struct Wire {
    reader: ureq::BodyReader<'static>,
    attempt: Attempt,
    received: u64,
    limit: u64,
}

impl Wire {
    /// Whether anybody still wants the bytes.
    fn go_on(&self) -> io::Result<()> {
        match self.attempt.is_cancelled() {
            true => Err(io::Error::other(Error::Cancelled)),
            false => Ok(()),
        }
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
            return Err(too_large(self.limit));
        }
        Ok(read)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.next(buffer).map_err(io::Error::other)
    }
}

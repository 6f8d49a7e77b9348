//! The bytes of a response that were read but not yet used: a bounded window onto the body.

use super::lexer::{Stop, Why};
use crate::error::{Error, Exchange, Result};
use memchr::memchr;
use std::cell::Cell;
use std::io::{ErrorKind, Read};

/// What is read ahead, in bytes. Only a row that is longer makes the window grow.
const CAPACITY: usize = 256 << 10;

/// A part that was cut off is tried again at once up to this size, then after it grew by an eighth,
/// so that trying stays linear in the size of a row.
const TRY_AT_ONCE: usize = 16 << 10;

thread_local! {
    /// The buffer of the window that this thread had last: the next page needs one just like it.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) struct Window<'a> {
    reader: &'a mut dyn Read,
    exchange: &'a Exchange,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the body before `start`.
    before: u64,
    /// The body has ended.
    ended: bool,
    /// A line feed was put after the body, because only then a number is complete.
    terminated: bool,
}

impl<'a> Window<'a> {
    pub fn new(reader: &'a mut dyn Read, exchange: &'a Exchange) -> Window<'a> {
        let mut buffer = SPARE.take();
        buffer.resize(CAPACITY, 0);
        Window {
            reader,
            exchange,
            buffer,
            start: 0,
            end: 0,
            before: 0,
            ended: false,
            terminated: false,
        }
    }

    /// Where the exchange is, for errors.
    pub fn exchange(&self) -> &'a Exchange {
        self.exchange
    }

    /// The bytes ahead.
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Marks the first `bytes` as used.
    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.before += bytes as u64;
    }

    /// How many bytes of the body were used.
    pub fn offset(&self) -> u64 {
        self.before
    }

    /// The size of the window, in bytes.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Reads on: more bytes ahead, or false at the end of the body.
    pub fn fill(&mut self) -> Result<bool> {
        let tried = self.end - self.start;
        let enough = if tried < TRY_AT_ONCE {
            tried + 1
        } else {
            tried + tried / 8
        };
        while !self.ended && self.end - self.start < enough {
            self.read()?;
        }
        Ok(self.end - self.start > tried)
    }

    /// Makes good what stopped the reading of a token: reads on where it was cut off, else the error.
    pub fn resume(&mut self, stop: Stop) -> Result<()> {
        match stop.why {
            Why::More if self.fill()? || self.terminate() => Ok(()),
            Why::More => Err(self.cut_off()),
            Why::TooDeep => {
                let at = self.before + stop.at as u64;
                Err(self.body(too_deep(&format!("byte {at}"))))
            }
            Why::Expected(expected) => {
                let at = self.before + stop.at as u64;
                Err(self.body(format!(
                    "invalid JSON at byte {at}: expected {}{}",
                    expected.text(),
                    self.found(stop.at)
                )))
            }
        }
    }

    /// For messages: `, found "x"`, if there is something to show at this place of the bytes ahead.
    pub fn found(&self, at: usize) -> String {
        match self.text().get(at) {
            Some(byte) if byte.is_ascii_graphic() => format!(", found \"{}\"", *byte as char),
            _ => String::new(),
        }
    }

    /// The body is not what it should be.
    pub fn body(&self, reason: impl Into<String>) -> Error {
        Error::Body {
            exchange: self.exchange.clone(),
            reason: reason.into(),
        }
    }

    /// Completes a number that the body ends with: a document may be nothing else.
    fn terminate(&mut self) -> bool {
        let number = matches!(self.text().first(), Some(b'-' | b'0'..=b'9'));
        if self.terminated || !number {
            return false;
        }
        self.add_line_feed();
        true
    }

    fn add_line_feed(&mut self) {
        self.terminated = true;
        self.make_room();
        self.buffer[self.end] = b'\n';
        self.end += 1;
    }

    /// Whether the body's last line had to be given its line feed.
    pub fn is_terminated(&self) -> bool {
        self.terminated
    }

    /// Whether nothing follows the bytes ahead.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The length of the line ahead, its line feed included, if it is there; the first `seen` bytes have none.
    pub fn line(&self, seen: usize) -> Option<usize> {
        let at = memchr(b'\n', &self.text()[seen..])?;
        Some(seen + at + 1)
    }

    /// Reads on within a line: false at the end of the body. A last line without line feed is given one.
    pub fn fill_line(&mut self) -> Result<bool> {
        if self.fill()? {
            return Ok(true);
        }
        let has_more = !self.text().is_empty();
        if has_more {
            self.add_line_feed();
        }
        Ok(has_more)
    }

    /// The body ends in the middle of its last line.
    pub fn cut_off_in(&self, line: u64) -> Error {
        self.truncated(format!("the body ended within line {line}"))
    }

    fn cut_off(&self) -> Error {
        let bytes = self.before + (self.end - self.start) as u64 - u64::from(self.terminated);
        self.truncated(format!(
            "the body ended within the JSON document, after {bytes} bytes"
        ))
    }

    fn truncated(&self, reason: String) -> Error {
        Error::Truncated {
            exchange: self.exchange.clone(),
            reason,
        }
    }

    /// Makes room for at least one byte behind those that are ahead.
    fn make_room(&mut self) {
        if self.start > 0 && self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn read(&mut self) -> Result<()> {
        self.make_room();
        match self.reader.read(&mut self.buffer[self.end..]) {
            Ok(0) => {
                self.ended = true;
                Ok(())
            }
            Ok(bytes) => {
                self.end += bytes;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(
                match error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<Error>())
                {
                    Some(ours) => ours.clone(),
                    None => self.truncated(error.to_string()),
                },
            ),
        }
    }

    /// Skips a byte order mark, and refuses what is no UTF-8.
    pub fn begin_text(&mut self) -> Result<()> {
        while self.text().len() < 4 && self.fill()? {}
        match self.text() {
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => {
                return Err(self.body("it is UTF-16, expected UTF-8"));
            }
            [0, second, ..] if *second != 0 => {
                return Err(self.body("it is UTF-16, expected UTF-8"));
            }
            [first, 0, ..] if *first != 0 => return Err(self.body("it is UTF-16, expected UTF-8")),
            [0xEF, 0xBB, 0xBF, ..] => self.advance(3),
            _ => {}
        }
        Ok(())
    }

    /// Skips what may stand before a document, and refuses what cannot be one.
    pub fn begin(&mut self) -> Result<()> {
        self.begin_text()?;
        match self.next_byte()? {
            None => Err(self.body("the body is empty")),
            Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9') => Ok(()),
            Some(_) if self.begins_with_a_literal()? => Ok(()),
            Some(_) => Err(self.not_json()?),
        }
    }

    /// Tells `null` from `not found`.
    fn begins_with_a_literal(&mut self) -> Result<bool> {
        while self.text().len() < 5 && self.fill()? {}
        Ok(["true", "false", "null"]
            .iter()
            .any(|word| self.text().starts_with(word.as_bytes())))
    }

    /// Refuses anything but white space after the document.
    pub fn finish(&mut self) -> Result<()> {
        match self.next_byte()? {
            None => Ok(()),
            Some(_) => Err(self.body(format!(
                "there is more after the JSON document, at byte {}",
                self.before
            ))),
        }
    }

    /// Goes to the next byte that is not white space, and returns it without using it.
    pub fn next_byte(&mut self) -> Result<Option<u8>> {
        loop {
            let space = super::lexer::space(self.text(), 0);
            self.advance(space);
            if let Some(&byte) = self.text().first() {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The error for a body that is something else: it shows how that begins.
    pub fn not_json(&mut self) -> Result<Error> {
        const SHOWN: usize = 60;
        while self.text().len() < SHOWN * 4 && self.fill()? {}
        let text = String::from_utf8_lossy(self.text());
        let text = text.trim_end();
        let shown: String = text
            .chars()
            .take(SHOWN)
            .flat_map(char::escape_debug)
            .collect();
        let rest = if text.chars().nth(SHOWN).is_some() {
            "…"
        } else {
            ""
        };
        Ok(self.body(format!(
            "expected JSON, the body begins with \"{shown}{rest}\""
        )))
    }
}

/// For messages: what is wrong at `place`.
pub(super) fn too_deep(place: &str) -> String {
    format!(
        "it is nested deeper than {} levels at {place}",
        super::grammar::MAX_DEPTH
    )
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // One that grew for a long row is let go.
        if self.buffer.len() == CAPACITY {
            SPARE.set(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::lexer::more;
    use super::*;

    /// An endless body that comes in pieces.
    struct Endless {
        piece: usize,
        reads: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.reads += 1;
            let size = self.piece.min(buffer.len());
            buffer[..size].fill(b' ');
            Ok(size)
        }
    }

    #[test]
    fn a_long_body_in_short_parts_does_not_make_the_window_grow() {
        let exchange = Exchange::default();
        let mut reader = Endless {
            piece: 8000,
            reads: 0,
        };
        let mut window = Window::new(&mut reader, &exchange);
        while window.offset() < 20 << 20 {
            while window.text().len() < 70_000 {
                window.resume(more(0)).unwrap();
            }
            window.advance(69_999);
        }
        assert_eq!(window.buffer.len(), CAPACITY);
    }

    #[test]
    fn a_long_part_makes_it_grow_and_is_not_tried_at_every_read() {
        let exchange = Exchange::default();
        let mut reader = Endless {
            piece: 1000,
            reads: 0,
        };
        let mut window = Window::new(&mut reader, &exchange);
        let mut tries = 0;
        while window.text().len() < 4 << 20 {
            window.resume(more(0)).unwrap();
            tries += 1;
        }
        assert!(window.buffer.len() <= 8 << 20);
        drop(window);
        assert!(tries < 100, "{tries} tries for {} reads", reader.reads);
    }
}

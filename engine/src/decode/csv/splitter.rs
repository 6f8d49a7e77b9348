//! One record of CSV → its fields, from bytes that may be cut off anywhere.

use crate::error::{Error, Exchange};
use crate::model::Csv;
use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use memchr::{memchr_iter, memchr3};

/// Fields that a record may have: each costs memory besides its text.
const MOST_FIELDS: usize = 1 << 16;

/// A field of the record that was split last.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// Its text, and a line feed, because only then a number is complete.
    pub(super) document: &'a [u8],
    quoted: bool,
}

impl<'a> Field<'a> {
    /// Its text, without quotes.
    pub(crate) fn text(self) -> &'a [u8] {
        &self.document[..self.document.len() - 1]
    }

    /// Whether it says, without quotes, that there is no value.
    pub(crate) fn is_null(self, null: &str) -> bool {
        !self.quoted && self.text() == null.as_bytes()
    }
}

/// Why a record could not be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The bytes end within it: split it again with more of them.
    More,
    /// The body ends within a quoted field.
    Unclosed,
    /// A field, counted from 1, goes on after its closing quote.
    AfterQuote(usize),
    /// It has more than [`MOST_FIELDS`].
    TooWide,
}

impl Broken {
    /// Whether more bytes may make it whole.
    pub(crate) fn is_cut(self) -> bool {
        self == Broken::More
    }

    /// The error for the record on `line`.
    pub(super) fn error(self, line: u64, exchange: &Exchange) -> Error {
        let exchange = exchange.clone();
        let reason = match self {
            Broken::AfterQuote(field) => format!(
                "field {field} of the record on line {line} goes on after its closing quote"
            ),
            Broken::TooWide => {
                format!("the record on line {line} has more than {MOST_FIELDS} fields")
            }
            Broken::More | Broken::Unclosed => {
                let reason =
                    format!("the body ended within a quoted field of the record on line {line}");
                return Error::Truncated { exchange, reason };
            }
        };
        Error::Body { exchange, reason }
    }
}

/// Splits a record into its fields, without their quotes.
///
/// The reader of `csv-core` takes any bytes for CSV. What it tolerates and would lose rows or parts of them is refused here: a
/// quote that never closes, text after one that does. And it does not say which fields were quoted.
pub(crate) struct Splitter {
    reader: Reader,
    delimiter: u8,
    quote: Option<u8>,
    /// The fields' text, each with a line feed after it.
    buffer: Vec<u8>,
    /// Where each field's text begins and ends, and whether it was quoted.
    fields: Vec<(usize, usize, bool)>,
}

impl Splitter {
    pub(crate) fn new(options: &Csv) -> Splitter {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(options.delimiter);
        match options.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        Splitter {
            reader: builder.build(),
            delimiter: options.delimiter,
            quote: options.quote,
            buffer: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// How many fields the record has.
    pub(crate) fn width(&self) -> usize {
        self.fields.len()
    }

    /// The fields of the record, in its order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        (0..self.fields.len()).map(|place| self.field(place))
    }

    pub(super) fn field(&self, place: usize) -> Field<'_> {
        let (start, end, quoted) = self.fields[place];
        Field {
            document: &self.buffer[start..=end],
            quoted,
        }
    }

    /// Splits the record at the start of `text`. Returns its length, its line break included; 0 where there is none.
    /// A blank line is a record with one empty field. `ended`: no bytes follow those of `text`.
    pub(crate) fn split(&mut self, text: &[u8], ended: bool) -> std::result::Result<usize, Broken> {
        self.fields.clear();
        match text.first() {
            None if ended => return Ok(0),
            None => return Err(Broken::More),
            Some(b'\r' | b'\n') => {
                self.reserve(1);
                self.push(0, 0, false);
                return line_end(text, 0, ended);
            }
            Some(_) => {}
        }
        if let Some(length) = self.split_plain(text) {
            return Ok(length);
        }
        // Fields are no longer than in `text`, and each one's line feed stands for what follows it there.
        self.reserve(text.len() + 1);
        self.begin();
        let (mut at, mut filled) = (0, 0);
        loop {
            if at == text.len() && !ended {
                return Err(Broken::More);
            }
            if self.fields.len() == MOST_FIELDS {
                return Err(Broken::TooWide);
            }
            let (start, room) = (at, filled);
            let (mut result, used, written) = self
                .reader
                .read_field(&text[at..], &mut self.buffer[filled..]);
            (at, filled) = (at + used, filled + written);
            let cut = result == ReadFieldResult::InputEmpty;
            if cut && !ended {
                return Err(Broken::More);
            } else if cut {
                (result, _, _) = self.reader.read_field(&[], &mut self.buffer[filled..]);
            }
            let is_last = result != ReadFieldResult::Field { record_end: false };
            let raw = match cut || used == 0 {
                true => &text[start..at],
                false => &text[start..at - 1],
            };
            let quoted = self.quoted(raw, at == text.len() && raw.len() == at - start)?;
            self.push(room, filled, quoted);
            filled += 1;
            match (is_last, cut || used == 0) {
                (false, _) => {}
                (true, true) => return Ok(at),
                (true, false) => return line_end(text, at - 1, ended),
            }
        }
    }

    /// The same for a record without quotes that ends in a line feed, as most do: it needs no reader. `None`: it is not sure to be
    /// one, and no field was added.
    fn split_plain(&mut self, text: &[u8]) -> Option<usize> {
        let stop = memchr3(b'\n', b'\r', self.quote.unwrap_or(b'\n'), text)?;
        let length = match text[stop..] {
            [b'\n', ..] => stop + 1,
            [b'\r', b'\n', ..] => stop + 2,
            _ => return None,
        };
        let record = &text[..stop];
        self.reserve(stop + 1);
        self.buffer[..stop].copy_from_slice(record);
        let mut start = 0;
        for end in memchr_iter(self.delimiter, record) {
            self.push(start, end, false);
            start = end + 1;
        }
        if self.fields.len() >= MOST_FIELDS {
            self.fields.clear();
            return None;
        }
        self.push(start, stop, false);
        Some(length)
    }

    /// Puts the reader at the start of a record that is not the first: a first one would lose a byte order mark.
    fn begin(&mut self) {
        self.reader.reset();
        self.reader.read_field(b"\n", &mut [0]);
    }

    fn reserve(&mut self, bytes: usize) {
        if self.buffer.len() < bytes + 1 {
            self.buffer.resize(bytes + 1, 0);
        }
    }

    fn push(&mut self, start: usize, end: usize, quoted: bool) {
        self.buffer[end] = b'\n';
        self.fields.push((start, end, quoted));
    }

    /// Whether a field is quoted, as it must be: from its first to its last byte.
    fn quoted(&self, raw: &[u8], at_end: bool) -> std::result::Result<bool, Broken> {
        let Some(quote) = self.quote.filter(|quote| raw.first() == Some(quote)) else {
            return Ok(false);
        };
        let is_even = memchr_iter(quote, raw).count().is_multiple_of(2);
        match (is_even, raw.last() == Some(&quote)) {
            (true, true) => Ok(true),
            (false, _) if at_end => Err(Broken::Unclosed),
            _ => Err(Broken::AfterQuote(self.fields.len() + 1)),
        }
    }
}

/// Where the line break that begins at `at` ends.
fn line_end(text: &[u8], at: usize, ended: bool) -> std::result::Result<usize, Broken> {
    match (text[at], text.get(at + 1)) {
        (b'\r', Some(b'\n')) => Ok(at + 2),
        (b'\r', None) if !ended => Err(Broken::More),
        _ => Ok(at + 1),
    }
}

//! Rows of CSV (RFC 4180): a record a row, read in place and one at a time.

use super::convert::Converter;
use super::lexer::space;
use super::locate::single;
use super::outbox::Outbox;
use super::plan::{RowPlan, camel_case, index};
use super::rows::add_cell;
use super::value::{Misfit, Text, Value};
use super::window::Window;
use crate::error::{Error, Result};
use crate::model::{Csv, FieldPath, OnError, Type};
use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr_iter, memchr3};

/// Fields that a record may have: each costs memory besides its text.
const MOST_FIELDS: usize = 1 << 16;

/// Names of a header that a message lists.
const MOST_LISTED: usize = 10;

/// The records of one body.
pub(super) struct Records<'a> {
    plan: &'a RowPlan,
    options: &'a Csv,
    splitter: Splitter,
    converter: Converter,
    pub outbox: Outbox<'a>,
    /// Where the columns are; known from the header, or the first record, on.
    columns: Option<Columns>,
    /// The line that the next record begins on, counted from 1.
    line: u64,
    last_key: Option<String>,
}

/// The fields that the wanted columns take.
struct Columns {
    /// Fields of each record.
    width: usize,
    /// One for each wanted column; `None`: always NULL.
    wanted: Vec<Option<usize>>,
    keyset: Option<usize>,
}

impl<'a> Records<'a> {
    pub fn new(plan: &'a RowPlan, options: &'a Csv, outbox: Outbox<'a>) -> Records<'a> {
        Records {
            plan,
            options,
            splitter: Splitter::new(options),
            converter: Converter::default(),
            outbox,
            columns: None,
            line: 1,
            last_key: None,
        }
    }

    /// Reads all records up to the end of the body.
    pub fn read(&mut self, window: &mut Window) -> Result<()> {
        loop {
            let ended = window.is_ended();
            match self.splitter.split(window.text(), ended) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    self.take(&window.text()[..length])?;
                    window.advance(length);
                }
                Err(Broken::More) => {
                    self.outbox.before_wait()?;
                    window.fill()?;
                }
                Err(broken) => return Err(self.broken(broken)),
            }
        }
    }

    /// The text of the keyset's field in the last row.
    pub fn last_key(&mut self) -> Option<String> {
        self.last_key.take()
    }

    fn take(&mut self, record: &[u8]) -> Result<()> {
        let is_blank = matches!(record, [b'\r' | b'\n'] | [b'\r', b'\n']);
        match &self.columns {
            None if is_blank && self.options.header => {}
            None if self.options.header => self.columns = Some(self.header()?),
            None => {
                self.columns = Some(self.places()?);
                self.row(record)?;
            }
            // PostgreSQL's COPY writes a NULL so, where there is but one column.
            Some(columns) if is_blank && columns.width != 1 => {}
            Some(_) => self.row(record)?,
        }
        self.line += memchr_iter(b'\n', record).count() as u64;
        Ok(())
    }

    fn row(&mut self, record: &[u8]) -> Result<()> {
        let Some(columns) = &self.columns else {
            return Ok(());
        };
        let fields = self.splitter.fields.len();
        if fields != columns.width {
            let (line, width) = (self.line, columns.width);
            let s = if fields == 1 { "" } else { "s" };
            return Err(self.body(format!(
                "the record on line {line} has {fields} field{s}, expected {width}"
            )));
        }
        let fresh = self.outbox.begin_row(record)?;
        if let Some(keyset) = columns.keyset {
            self.last_key = self.key(keyset)?;
        }
        if !fresh {
            return Ok(());
        }
        let holds_nul = memchr(0, record).is_some();
        let wanted = self.plan.wanted.iter().zip(&self.plan.quick);
        for ((wanted, quick), place) in wanted.zip(&columns.wanted) {
            let field = place.map(|place| self.splitter.field(place));
            let usual = field
                .filter(|field| !holds_nul && !field.text().is_empty())
                .filter(|field| !field.is_null(&self.options.null));
            if let Some(field) = usual
                && let Some(cell) = quick.text_cell(&mut self.outbox.batch, field.text())
            {
                self.outbox.batch.cells.push(cell);
                continue;
            }
            let value = match field {
                None => Ok(Value::Null),
                Some(field) => value(field, &wanted.ty, &self.options.null),
            };
            let raw = field.map(|field| field.text()).unwrap_or_default();
            add_cell(
                &mut self.converter,
                &mut self.outbox,
                wanted,
                value,
                &text(raw),
            )?;
        }
        match self.outbox.end_row() {
            true => self.outbox.flush(),
            false => Ok(()),
        }
    }

    fn key(&self, place: usize) -> Result<Option<String>> {
        let field = self.splitter.field(place);
        if field.is_null(&self.options.null) {
            return Ok(None);
        }
        match super::text::utf8(field.text()) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(misfit) => Err(Error::Paging {
                exchange: self.outbox.exchange().clone(),
                reason: format!(
                    "the keyset's value on line {} cannot be sent: {}",
                    self.line, misfit.0
                ),
            }),
        }
    }

    /// The places that the header, which was split, gives the columns.
    fn header(&self) -> Result<Columns> {
        let names: Vec<String> = (0..self.splitter.fields.len())
            .map(|place| String::from_utf8_lossy(self.splitter.field(place).text()).into_owned())
            .collect();
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let place =
            |field: &FieldPath| place_of(field, &names).map_err(|reason| self.no_rows(reason));
        let wanted = self
            .plan
            .wanted
            .iter()
            .map(|wanted| match place(&wanted.field) {
                Err(_) if wanted.on_error == OnError::Null => Ok(None),
                place => place.map(Some),
            });
        Ok(Columns {
            width: names.len(),
            wanted: wanted.collect::<Result<_>>()?,
            keyset: self.plan.keyset_field.as_ref().map(place).transpose()?,
        })
    }

    /// The places of the columns where no header names them.
    fn places(&self) -> Result<Columns> {
        let width = self.splitter.fields.len();
        let place = |field: &FieldPath, position: Option<usize>| {
            let place = position.or_else(|| position_of(field));
            let missing = |place: usize| {
                self.no_rows(format!(
                    "the first record has {width} fields, and a column takes field {place}, counted from 0"
                ))
            };
            match place {
                Some(place) if place >= width => Err(missing(place)),
                place => Ok(place),
            }
        };
        let wanted = self.plan.wanted.iter();
        let wanted = wanted.map(|wanted| place(&wanted.field, wanted.position));
        let keyset = self.plan.keyset_field.as_ref();
        Ok(Columns {
            width,
            wanted: wanted.collect::<Result<_>>()?,
            keyset: keyset
                .map(|field| place(field, None))
                .transpose()?
                .flatten(),
        })
    }

    fn no_rows(&self, reason: String) -> Error {
        Error::Rows {
            exchange: self.outbox.exchange().clone(),
            reason,
        }
    }

    fn body(&self, reason: String) -> Error {
        Error::Body {
            exchange: self.outbox.exchange().clone(),
            reason,
        }
    }

    fn broken(&self, broken: Broken) -> Error {
        let line = self.line;
        match broken {
            Broken::AfterQuote(field) => self.body(format!(
                "field {field} of the record on line {line} goes on after its closing quote"
            )),
            Broken::TooWide => self.body(format!(
                "the record on line {line} has more than {MOST_FIELDS} fields"
            )),
            Broken::More | Broken::Unclosed => Error::Truncated {
                exchange: self.outbox.exchange().clone(),
                reason: format!(
                    "the body ended within a quoted field of the record on line {line}"
                ),
            },
        }
    }
}

/// The place of a field among the names of a header. The error says what is there instead.
fn place_of(field: &FieldPath, names: &[&str]) -> std::result::Result<usize, String> {
    let candidates = match field {
        FieldPath::Default(name) => vec![name.clone(), camel_case(name)],
        FieldPath::Path(segments) => vec![segments.join(".")],
        FieldPath::Whole | FieldPath::Key => Vec::new(),
    };
    for candidate in &candidates {
        let mut places = (0..names.len()).filter(|place| names[*place] == candidate);
        match (places.next(), places.next()) {
            (Some(place), None) => return Ok(place),
            (Some(_), Some(_)) => return Err(format!("the header has \"{candidate}\" twice")),
            (None, _) => {}
        }
    }
    if let Some(place) = position_of(field).filter(|place| *place < names.len()) {
        return Ok(place);
    }
    let shown: Vec<String> = names
        .iter()
        .take(MOST_LISTED)
        .map(|name| {
            format!(
                "\"{}\"",
                name.chars()
                    .take(60)
                    .flat_map(char::escape_debug)
                    .collect::<String>()
            )
        })
        .collect();
    let more = if names.len() > MOST_LISTED {
        ", …"
    } else {
        ""
    };
    let wanted = candidates.first().map_or("", String::as_str);
    Err(format!(
        "the header has no column \"{wanted}\": it has {}{more}",
        shown.join(", ")
    ))
}

/// The place that a number for a field means.
fn position_of(field: &FieldPath) -> Option<usize> {
    match field {
        FieldPath::Path(segments) => match segments.as_slice() {
            [one] => index(one),
            _ => None,
        },
        _ => None,
    }
}

/// What a field says to a column of this type. JSON stands in it as it is written; of types that have no empty text an empty
/// field is no value, however it is quoted.
fn value<'a>(field: Field<'a>, ty: &Type, null: &str) -> std::result::Result<Value<'a>, Misfit> {
    let raw = field.text();
    if raw.contains(&0) {
        return Err("text cannot hold \\u0000".into());
    }
    let has_empty_text = matches!(ty, Type::Text | Type::Bpchar | Type::Bytes | Type::Other);
    if field.is_null(null) || (raw.is_empty() && !has_empty_text) {
        return Ok(Value::Null);
    }
    let is_json = match ty {
        Type::Json => true,
        Type::Array(_) => raw.first() == Some(&b'['),
        _ => false,
    };
    if !is_json {
        return Ok(text(raw));
    }
    let document = field.document;
    let malformed = || Misfit::from("it is not valid JSON");
    let (slot, end) = single(document, space(document, 0), 0).map_err(|_| malformed())?;
    match space(document, end) == document.len() {
        true => Ok(slot.value(document)),
        false => Err(malformed()),
    }
}

fn text(raw: &[u8]) -> Value<'_> {
    Value::Text(Text {
        raw,
        escaped: false,
        ascii: false,
    })
}

/// A field of the record that was split last.
#[derive(Clone, Copy)]
struct Field<'a> {
    /// Its text, and a line feed, because only then a number is complete.
    document: &'a [u8],
    quoted: bool,
}

impl<'a> Field<'a> {
    fn text(self) -> &'a [u8] {
        &self.document[..self.document.len() - 1]
    }

    fn is_null(self, null: &str) -> bool {
        !self.quoted && self.text() == null.as_bytes()
    }
}

/// Why a record could not be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// The bytes end within it: split it again with more of them.
    More,
    /// The body ends within a quoted field.
    Unclosed,
    /// A field, counted from 1, goes on after its closing quote.
    AfterQuote(usize),
    /// It has more than [`MOST_FIELDS`].
    TooWide,
}

/// Splits a record into its fields, without their quotes.
///
/// The reader of `csv-core` takes any bytes for CSV. What it tolerates and would lose rows or parts of them is refused here: a
/// quote that never closes, text after one that does. And it does not say which fields were quoted.
struct Splitter {
    reader: Reader,
    delimiter: u8,
    quote: Option<u8>,
    /// The fields' text, each with a line feed after it.
    buffer: Vec<u8>,
    /// Where each field's text begins and ends, and whether it was quoted.
    fields: Vec<(usize, usize, bool)>,
}

impl Splitter {
    fn new(options: &Csv) -> Splitter {
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

    fn field(&self, place: usize) -> Field<'_> {
        let (start, end, quoted) = self.fields[place];
        Field {
            document: &self.buffer[start..=end],
            quoted,
        }
    }

    /// Splits the record at the start of `text`. Returns its length, its line break included; 0 where there is none.
    /// A blank line is a record with one empty field. `ended`: no bytes follow those of `text`.
    fn split(&mut self, text: &[u8], ended: bool) -> std::result::Result<usize, Broken> {
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

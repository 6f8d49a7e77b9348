//! Rows of CSV (RFC 4180): a record a row, read in place and one at a time.

mod splitter;

pub(crate) use splitter::{Field, Splitter};

use super::convert::Converter;
use super::lexer::space;
use super::locate::single;
use super::outbox::Outbox;
use super::plan::{RowPlan, camel_case, index};
use super::rows::add_cell;
use super::value::{Misfit, Text, Value};
use super::window::Window;
use crate::error::{Error, Exchange, Result};
use crate::model::{Csv, FieldPath, OnError, Type};
use memchr::{memchr, memchr_iter};
use splitter::Broken;
use std::io::Read;

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
            let outbox = &mut self.outbox;
            let before_wait = || outbox.before_wait();
            let length = next(&mut self.splitter, window, self.line, before_wait)?;
            if length == 0 {
                return Ok(());
            }
            self.take(&window.text()[..length])?;
            window.advance(length);
        }
    }

    /// The text of the keyset's field in the last row.
    pub fn last_key(&mut self) -> Option<String> {
        self.last_key.take()
    }

    fn take(&mut self, record: &[u8]) -> Result<()> {
        let is_blank = is_blank(record);
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
        self.line += lines(record);
        Ok(())
    }

    fn row(&mut self, record: &[u8]) -> Result<()> {
        let Some(columns) = &self.columns else {
            return Ok(());
        };
        check_width(
            &self.splitter,
            columns.width,
            self.line,
            self.outbox.exchange(),
        )?;
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
        let names = names(&self.splitter);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
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
        let width = self.splitter.width();
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
}

/// Reads a body record by record: `take` gets the fields of each, the header's too. Blank lines are left out as in a scan.
///
/// # Errors
/// [`Error::Body`] and [`Error::Truncated`] where rows could be lost, and whatever [`Error`] the reader's errors hold, as it is.
pub(crate) fn each_record(
    reader: &mut dyn Read,
    options: &Csv,
    exchange: &Exchange,
    mut take: impl FnMut(&Splitter),
) -> Result<()> {
    let mut window = Window::new(reader, exchange);
    window.begin_text()?;
    let mut splitter = Splitter::new(options);
    let (mut line, mut width) = (1, None);
    loop {
        let length = next(&mut splitter, &mut window, line, || Ok(()))?;
        if length == 0 {
            return Ok(());
        }
        let record = &window.text()[..length];
        let is_left_out = width.map_or(options.header, |width| width != 1);
        if !(is_left_out && is_blank(record)) {
            let width = *width.get_or_insert(splitter.width());
            check_width(&splitter, width, line, exchange)?;
            take(&splitter);
        }
        line += lines(record);
        window.advance(length);
    }
}

/// Splits the record ahead, which begins on `line`: its length, 0 at the end of the body. `before_wait`: called before it
/// is waited for more bytes.
fn next(
    splitter: &mut Splitter,
    window: &mut Window,
    line: u64,
    mut before_wait: impl FnMut() -> Result<()>,
) -> Result<usize> {
    loop {
        match splitter.split(window.text(), window.is_ended()) {
            Ok(length) => return Ok(length),
            Err(Broken::More) => {
                before_wait()?;
                window.fill()?;
            }
            Err(broken) => return Err(broken.error(line, window.exchange())),
        }
    }
}

fn is_blank(record: &[u8]) -> bool {
    matches!(record, [b'\r' | b'\n'] | [b'\r', b'\n'])
}

fn lines(record: &[u8]) -> u64 {
    memchr_iter(b'\n', record).count() as u64
}

/// Whether the record on `line` has as many fields as the others.
fn check_width(splitter: &Splitter, width: usize, line: u64, exchange: &Exchange) -> Result<()> {
    let fields = splitter.width();
    if fields == width {
        return Ok(());
    }
    let s = if fields == 1 { "" } else { "s" };
    Err(Error::Body {
        exchange: exchange.clone(),
        reason: format!("the record on line {line} has {fields} field{s}, expected {width}"),
    })
}

/// The names of a header.
pub(crate) fn names(header: &Splitter) -> Vec<String> {
    let fields = header.fields();
    let name = |field: Field| String::from_utf8_lossy(field.text()).trim().to_owned();
    fields.map(name).collect()
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

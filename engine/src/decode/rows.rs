//! The rows of one page: read one by one, in each shape that they can have.

use super::convert::Converter;
use super::grammar::separator;
use super::lexer::{self, Expected, Stop};
use super::locate::{Kind, Locator, Slot};
use super::outbox::Outbox;
use super::plan::{RowPlan, Wanted};
use super::value::{Misfit, Text, Value};
use super::window::Window;
use crate::error::{Error, Result};
use crate::model::{OnError, RowsShape};

/// While everything is held back, this much of the body is read before it is let go.
const MOST_HELD: u64 = 1 << 20;

pub(super) struct Rows<'a> {
    plan: &'a RowPlan,
    shape: &'a RowsShape,
    locator: Locator<'a>,
    converter: Converter,
    pub outbox: Outbox<'a>,
    /// The keyset's field in the last row, as it was written.
    last: Option<LastKey>,
    /// An error in a row while everything is held back: it may turn out that these are not the rows.
    pub failed: Option<Error>,
}

#[derive(Debug)]
struct LastKey {
    slot: Slot,
    raw: Vec<u8>,
}

/// What follows a row.
enum Step {
    /// A row: where it starts (for maps: its name), its value's kind, and where it ends.
    Row {
        start: usize,
        kind: Kind,
        end: usize,
    },
    /// The end of the rows.
    End(usize),
}

impl<'a> Rows<'a> {
    pub fn new(plan: &'a RowPlan, shape: &'a RowsShape, outbox: Outbox<'a>) -> Rows<'a> {
        let mut locator = Locator::new(plan);
        if *shape
            == (RowsShape::Arrays {
                columns_field: None,
            })
        {
            locator.set_element_names(None);
        }
        Rows {
            plan,
            shape,
            locator,
            converter: Converter::default(),
            outbox,
            last: None,
            failed: None,
        }
    }

    /// The names of the elements, for rows that are arrays.
    pub fn set_element_names(&mut self, names: &[String]) {
        self.locator.set_element_names(Some(names));
    }

    /// Reads all rows of the array or object whose first byte was used up, its end included. `depth`: the
    /// containers that are open there.
    pub fn read(&mut self, window: &mut Window, depth: usize) -> Result<()> {
        let mut first = true;
        loop {
            match self.step(window.text(), first, depth) {
                Ok(Step::End(end)) => {
                    window.advance(end);
                    return Ok(());
                }
                Ok(Step::Row { start, kind, end }) => {
                    self.take(&window.text()[start..end], kind)?;
                    window.advance(end);
                    first = false;
                }
                Err(stop) => {
                    self.outbox.before_wait()?;
                    window.resume(stop)?;
                }
            }
            if self.outbox.is_holding() && window.offset() > MOST_HELD {
                self.let_go()?;
            }
        }
    }

    /// Finds where the wanted values stand in the row at the start of `text`; its end and its kind.
    #[inline]
    pub fn locate(&mut self, text: &[u8]) -> std::result::Result<(usize, Kind), Stop> {
        self.locator.row(text, 0, 0)
    }

    /// Reads the value at the window's start as the one row. It is not used up.
    pub fn read_single(&mut self, window: &mut Window, depth: usize) -> Result<()> {
        loop {
            match self.locator.row(window.text(), 0, depth) {
                Ok((_, Kind::Null)) => return Ok(()),
                Ok((end, kind)) => return self.take(&window.text()[..end], kind),
                Err(stop) => window.resume(stop)?,
            }
        }
    }

    /// The text of the keyset's field in the last row.
    pub fn last_key(&self) -> Result<Option<String>> {
        let Some(LastKey { slot, raw }) = &self.last else {
            return Ok(None);
        };
        let text = match slot.value(raw) {
            Value::Null => return Ok(None),
            Value::Bool(value) => value.to_string(),
            Value::Text(text) => self.key_text(&text)?,
            Value::Integer(raw) | Value::Decimal(raw) | Value::Array(raw) | Value::Object(raw) => {
                self.key_text(&Text {
                    raw,
                    escaped: false,
                    ascii: false,
                })?
            }
        };
        Ok(Some(text))
    }

    /// Lets go of what was held back, or fails for what went wrong meanwhile.
    pub fn let_go(&mut self) -> Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.outbox.release(),
        }
    }

    fn key_text(&self, text: &Text) -> Result<String> {
        super::text::plain(text)
            .map(|text| text.into_owned())
            .map_err(|misfit| Error::Paging {
                exchange: self.outbox.exchange().clone(),
                reason: format!(
                    "the keyset's value in the last row cannot be sent: {}",
                    misfit.0
                ),
            })
    }

    /// Reads what comes next in `text`: rows are slices of it that start at the returned places, and slots count
    /// from there.
    #[inline]
    fn step(&mut self, text: &[u8], first: bool, depth: usize) -> std::result::Result<Step, Stop> {
        let (close, expected) = match self.shape {
            RowsShape::Map => (b'}', Expected::CommaOrBrace),
            _ => (b']', Expected::CommaOrBracket),
        };
        let mut at = lexer::space(text, 0);
        if first {
            if text.get(at) == Some(&close) {
                return Ok(Step::End(at + 1));
            }
        } else {
            match separator(text, at, close, expected)? {
                (next, true) => at = lexer::space(text, next),
                (end, false) => return Ok(Step::End(end)),
            }
        }
        let row = &text[at..];
        let shift = |stop: Stop| Stop {
            at: stop.at + at,
            ..stop
        };
        let (end, kind) = match self.shape {
            RowsShape::Map => self.entry(row, depth).map_err(shift)?,
            _ => self.locator.row(row, 0, depth).map_err(shift)?,
        };
        Ok(Step::Row {
            start: at,
            kind,
            end: at + end,
        })
    }

    /// Reads a member of a map: its name, and its value as a row.
    fn entry(&mut self, text: &[u8], depth: usize) -> std::result::Result<(usize, Kind), Stop> {
        let (key, value) = lexer::name(text, 0)?;
        let found = self.locator.row(text, value, depth)?;
        self.locator.set_key(key, 1);
        Ok(found)
    }

    /// Takes the row that was located last.
    #[inline]
    pub fn take(&mut self, row: &[u8], kind: Kind) -> Result<()> {
        let fresh = self.outbox.begin_row(row)?;
        if self.failed.is_some() {
            return Ok(());
        }
        if let Some(slot) = self.plan.keyset {
            self.keep_key(row, slot);
        }
        match self.accept(row, kind, fresh) {
            Ok(true) => self.outbox.flush(),
            Ok(false) => Ok(()),
            Err(error) if self.outbox.is_holding() => {
                self.failed = Some(error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the row to the batch. True if the batch is full.
    #[inline]
    fn accept(&mut self, row: &[u8], kind: Kind, fresh: bool) -> Result<bool> {
        if let Some(expected) = self.mismatch(kind) {
            let number = self.outbox.rows();
            let reason = format!("row {number} is {}, {expected}", kind.name());
            return Err(Error::Rows {
                exchange: self.outbox.exchange().clone(),
                reason,
            });
        }
        if !fresh {
            return Ok(false);
        }
        for (index, (quick, slot)) in self.plan.quick.iter().zip(self.locator.slots()).enumerate() {
            if let Some(cell) = quick.cell(&mut self.outbox.batch, row, slot) {
                self.outbox.batch.cells.push(cell);
                continue;
            }
            let value = slot.value(row);
            let wanted = &self.plan.wanted[index];
            let (converter, outbox) = (&mut self.converter, &mut self.outbox);
            add_cell(converter, outbox, wanted, Ok(value), &value)?;
        }
        Ok(self.outbox.end_row())
    }

    /// What a row of this kind should be instead, if it cannot be one.
    #[inline]
    fn mismatch(&self, kind: Kind) -> Option<&'static str> {
        match self.shape {
            RowsShape::Objects if kind == Kind::Object => None,
            RowsShape::Objects if kind == Kind::Array => {
                Some("expected an object: set rows_shape 'arrays'")
            }
            RowsShape::Objects if kind == Kind::Null => Some("expected an object"),
            RowsShape::Objects => {
                Some("expected an object: set rows_shape 'values' if the rows are plain values")
            }
            RowsShape::Arrays { .. } => (kind != Kind::Array).then_some("expected an array"),
            // Its body is not decoded.
            RowsShape::Header(_) | RowsShape::Survey => None,
            RowsShape::Map | RowsShape::Values | RowsShape::Single => {
                let plain = !matches!(kind, Kind::Object | Kind::Array);
                let wants_inside = self.plan.wants_members() && !self.plan.takes_either();
                let wanted = "but columns want members of it: set field '$' for the value itself";
                (plain && wants_inside).then_some(wanted)
            }
        }
    }

    fn keep_key(&mut self, row: &[u8], slot: usize) {
        let slot = self.locator.slots()[slot];
        let last = self.last.get_or_insert_with(|| LastKey {
            slot,
            raw: Vec::new(),
        });
        last.slot = slot.alone();
        last.raw.clear();
        last.raw.extend_from_slice(&row[slot.start..slot.end]);
    }
}

/// Adds the cell of a column to the batch's row. A value that does not fit it is NULL or an error, as the column says; `shown`
/// stands for it in the message.
#[inline]
pub(super) fn add_cell(
    converter: &mut Converter,
    outbox: &mut Outbox,
    wanted: &Wanted,
    value: std::result::Result<Value, Misfit>,
    shown: &Value,
) -> Result<()> {
    let batch = &mut outbox.batch;
    let (arena, elements) = (batch.arena.len(), batch.elements.len());
    let cell =
        value.and_then(|value| converter.cell(batch, &wanted.ty, wanted.format.as_ref(), value));
    match cell {
        Ok(cell) => batch.cells.push(cell),
        Err(_) if wanted.on_error == OnError::Null => {
            batch.arena.truncate(arena);
            batch.elements.truncate(elements);
            batch.cells.push(super::batch::Cell::Null);
            converter.reset();
        }
        Err(misfit) => return Err(unfitting(outbox, wanted, misfit, shown)),
    }
    Ok(())
}

#[cold]
fn unfitting(outbox: &Outbox, wanted: &Wanted, misfit: Misfit, value: &Value) -> Error {
    Error::Value {
        exchange: outbox.exchange().clone(),
        column: wanted.column.clone(),
        reason: misfit.0.into_owned(),
        value: value.shown(),
    }
}

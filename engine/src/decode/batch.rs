//! A batch of decoded rows: cells row by row, and one arena for all their text.

use crate::error::Exchange;

/// A piece of a batch's arena, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

/// A typed value.
///
/// The decoder gives a column's fast variant where the value has the type's plain form, and `Text`
/// (for the type's own input function) where it does not, so that PostgreSQL decides on exotic forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// For [`Type::Bool`](crate::model::Type::Bool).
    Bool(bool),
    /// For the integer types (in their range), and for `Numeric` where the value is integral.
    Int(i64),
    /// For `Float4` (already rounded to single precision) and `Float8`.
    Float(f64),
    /// Days since 1970-01-01, for `Date`.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z, for `TimestampTz`; the same without zone for `Timestamp`.
    Timestamp(i64),
    /// UTF-8 text without U+0000: for `Text`, `Json`, `Numeric`, `Other`, and any type's exotic form.
    Text(Span),
    /// Raw bytes: 16 of them for `Uuid`, any number for `Bytes`.
    Bytes(Span),
    /// For `Array`: a run of the batch's `elements` (which may be lists themselves).
    List {
        /// Index of the first element.
        start: u32,
        /// Number of elements.
        len: u32,
    },
}

/// Rows of one page: `rows × width` cells.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Cells a row: one for each wanted column, in the order asked for.
    pub width: usize,
    /// Number of rows (a row may have no cells).
    pub rows: usize,
    /// The cells, row by row.
    pub cells: Vec<Cell>,
    /// Elements of lists.
    pub elements: Vec<Cell>,
    /// The arena that spans point into.
    pub arena: Vec<u8>,
    /// Which of the scan's requests the rows came from, counted from 0.
    pub request: usize,
    /// The request and the page that the rows came from, for messages.
    pub exchange: Exchange,
}

impl Batch {
    /// The cells of row `index`.
    pub fn row(&self, index: usize) -> &[Cell] {
        &self.cells[index * self.width..(index + 1) * self.width]
    }

    /// Bytes of memory that it takes, those reserved included.
    pub fn memory(&self) -> usize {
        let cells = self.cells.capacity() + self.elements.capacity();
        let exchange = self.exchange.request.capacity();
        size_of::<Batch>() + cells * size_of::<Cell>() + self.arena.capacity() + exchange
    }

    /// Without rows, for those of another page; its memory stays.
    #[must_use]
    pub fn emptied(mut self, width: usize, request: usize, exchange: &Exchange) -> Batch {
        self.cells.clear();
        self.elements.clear();
        self.arena.clear();
        self.exchange.clone_from(exchange);
        Batch {
            width,
            rows: 0,
            request,
            ..self
        }
    }

    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.arena[span.start as usize..span.start as usize + span.len as usize]
    }
}

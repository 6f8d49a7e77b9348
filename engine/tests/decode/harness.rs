//! Decodes a body that is served in chunks, and shows the cells as plain values.

use rest_engine::decode::{
    Batch, Cell, Envelope, Layout, PageEnd, Progress, RowPlan, Sink, Wanted, decode_page,
};
use rest_engine::error::{Error, Exchange, Result};
use rest_engine::model::{FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use std::io::Read;

/// A cell with what it points to.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Date(i32),
    Timestamp(i64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Plain>),
}

pub fn text(text: &str) -> Plain {
    Plain::Text(text.to_owned())
}

/// A body that comes in pieces of the given sizes, over and over.
pub struct Chunks<'a> {
    pub body: &'a [u8],
    pub sizes: &'a [usize],
    pub next: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.next % self.sizes.len()]
            .min(buffer.len())
            .min(self.body.len());
        self.next += 1;
        buffer[..size].copy_from_slice(&self.body[..size]);
        self.body = &self.body[size..];
        Ok(size)
    }
}

/// What the decoder handed over.
#[derive(Default)]
pub struct Collected {
    pub first_rows: usize,
    pub batches: Vec<Batch>,
    /// Batches to take before failing.
    pub capacity: Option<usize>,
}

impl Collected {
    pub fn rows(&self) -> Vec<Vec<Plain>> {
        let rows = |batch: &Batch| {
            (0..batch.rows)
                .map(|row| plain_row(batch, row))
                .collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(rows).collect()
    }
}

impl Sink for Collected {
    fn first_row(&mut self, _: &Envelope) -> Result<()> {
        assert!(
            self.batches.is_empty(),
            "the first row is announced before the first batch"
        );
        self.first_rows += 1;
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        assert!(batch.rows > 0);
        assert_eq!(batch.cells.len(), batch.rows * batch.width);
        if self.capacity == Some(self.batches.len()) {
            return Err(Error::Cancelled);
        }
        self.batches.push(batch);
        Ok(())
    }
}

fn plain_row(batch: &Batch, row: usize) -> Vec<Plain> {
    batch
        .row(row)
        .iter()
        .map(|cell| plain(batch, cell))
        .collect()
}

fn plain(batch: &Batch, cell: &Cell) -> Plain {
    match *cell {
        Cell::Null => Plain::Null,
        Cell::Bool(value) => Plain::Bool(value),
        Cell::Int(value) => Plain::Int(value),
        Cell::Float(value) => Plain::Float(value),
        Cell::Date(value) => Plain::Date(value),
        Cell::Timestamp(value) => Plain::Timestamp(value),
        Cell::Text(span) => Plain::Text(std::str::from_utf8(batch.bytes(span)).unwrap().to_owned()),
        Cell::Bytes(span) => Plain::Bytes(batch.bytes(span).to_vec()),
        Cell::List { start, len } => {
            let elements = &batch.elements[start as usize..(start + len) as usize];
            Plain::List(elements.iter().map(|cell| plain(batch, cell)).collect())
        }
    }
}

/// A column that is found by its own name.
pub fn named(column: &str, ty: Type) -> Wanted {
    at(column, FieldPath::Default(column.to_owned()), ty)
}

/// A column that is found by a path with dots.
pub fn pathed(path: &str, ty: Type) -> Wanted {
    at(path, FieldPath::Path(segments(path)), ty)
}

pub fn at(column: &str, field: FieldPath, ty: Type) -> Wanted {
    Wanted {
        column: column.to_owned(),
        field,
        ty,
        format: None,
        on_error: OnError::Error,
        position: None,
    }
}

pub fn segments(path: &str) -> Vec<String> {
    path.split('.')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A layout with rows at a path with dots; `auto` for the automatic search.
pub fn layout(rows: &str, shape: RowsShape) -> Layout {
    let rows = if rows == "auto" {
        RowsPath::Auto
    } else {
        RowsPath::Path(segments(rows))
    };
    Layout {
        format: Format::Json,
        rows,
        shape,
        envelope: Vec::new(),
    }
}

/// A layout of a format that has nothing but rows.
pub fn bare(format: Format, shape: RowsShape) -> Layout {
    Layout {
        format,
        ..layout("auto", shape)
    }
}

pub fn exchange() -> Exchange {
    Exchange {
        request: "GET https://api.test/items".to_owned(),
        page: 3,
    }
}

/// Decodes `body`, in one piece.
pub fn decode(
    body: &[u8],
    wanted: Vec<Wanted>,
    layout: &Layout,
) -> Result<(Vec<Vec<Plain>>, PageEnd)> {
    let mut collected = Collected::default();
    let end = decode_into(
        body,
        &[usize::MAX],
        &RowPlan::new(wanted, None),
        layout,
        &mut Progress::default(),
        &mut collected,
    )?;
    Ok((collected.rows(), end))
}

pub fn decode_into(
    body: &[u8],
    sizes: &[usize],
    plan: &RowPlan,
    layout: &Layout,
    progress: &mut Progress,
    sink: &mut Collected,
) -> Result<PageEnd> {
    let mut reader = Chunks {
        body,
        sizes,
        next: 0,
    };
    decode_page(&mut reader, plan, layout, &exchange(), 7, progress, sink)
}

/// The rows of `body`, which is read without an error.
pub fn rows(body: &str, wanted: Vec<Wanted>, layout: &Layout) -> Vec<Vec<Plain>> {
    decode(body.as_bytes(), wanted, layout)
        .unwrap_or_else(|error| panic!("{error}: {body}"))
        .0
}

/// The error that reading `body` ends with.
pub fn error(body: &[u8], wanted: Vec<Wanted>, layout: &Layout) -> Error {
    match decode(body, wanted, layout) {
        Ok((rows, _)) => panic!("decoded {rows:?} from {}", String::from_utf8_lossy(body)),
        Err(error) => error,
    }
}

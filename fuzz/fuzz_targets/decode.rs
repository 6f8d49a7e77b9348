//! A response's body: read in pieces of any size it gives what it gives in one piece, and what is read is JSON.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rest_engine::Result;
use rest_engine::decode::{
    Batch, Cell, Envelope, Layout, Progress, RowPlan, Sink, Wanted, decode_page,
};
use rest_engine::error::Exchange;
use rest_engine::model::{Csv, FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use std::io::Read;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    sizes: Vec<u8>,
    shape: u8,
    path: u8,
    lenient: bool,
    body: &'a [u8],
}

struct Pieces<'a> {
    body: &'a [u8],
    sizes: &'a [u8],
    next: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = match self.sizes {
            [] => usize::MAX,
            sizes => usize::from(sizes[self.next % sizes.len()]).max(1),
        };
        self.next += 1;
        let size = size.min(buffer.len()).min(self.body.len());
        buffer[..size].copy_from_slice(&self.body[..size]);
        self.body = &self.body[size..];
        Ok(size)
    }
}

/// The rows as texts.
#[derive(Default)]
struct Rows(Vec<String>);

impl Sink for Rows {
    fn first_row(&mut self, _: &Envelope) -> Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        assert_eq!(batch.cells.len(), batch.rows * batch.width);
        for row in 0..batch.rows {
            let shown = |cell: &Cell| match cell {
                Cell::Text(span) => std::str::from_utf8(batch.bytes(*span))
                    .expect("text is UTF-8")
                    .to_owned(),
                Cell::Bytes(span) => format!("{:?}", batch.bytes(*span)),
                Cell::List { start, len } => {
                    let elements = &batch.elements[*start as usize..(*start + *len) as usize];
                    format!("{} elements", elements.len())
                }
                other => format!("{other:?}"),
            };
            let cells: Vec<String> = batch.row(row).iter().map(shown).collect();
            self.0.push(cells.join("|"));
        }
        Ok(())
    }
}

fn wanted(lenient: bool) -> Vec<Wanted> {
    let types = [
        ("a", Type::Int8),
        ("b", Type::Text),
        ("c", Type::Numeric),
        ("d", Type::TimestampTz),
        ("e", Type::Json),
        ("f", Type::Float8),
        ("g", Type::Bool),
        ("h", Type::Array(Box::new(Type::Text))),
        ("i", Type::Uuid),
        ("j", Type::Date),
        ("k", Type::Int2),
        ("l", Type::Other),
    ];
    let column = |(name, ty): (&str, Type)| Wanted {
        column: name.to_owned(),
        field: FieldPath::Path(vec![name.to_owned()]),
        ty,
        format: None,
        on_error: if lenient {
            OnError::Null
        } else {
            OnError::Error
        },
        position: None,
    };
    types.into_iter().map(column).collect()
}

fn layout(shape: u8, path: u8) -> Layout {
    let segments = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    Layout {
        format: match path / 16 % 4 {
            0 | 1 => Format::Json,
            2 => Format::JsonLines,
            _ => Format::Csv(Csv::default()),
        },
        rows: match path % 3 {
            0 => RowsPath::Auto,
            1 => RowsPath::Path(Vec::new()),
            _ => RowsPath::Path(segments("data.items")),
        },
        shape: match shape % 5 {
            0 => RowsShape::Objects,
            1 => RowsShape::Map,
            2 => RowsShape::Values,
            3 => RowsShape::Single,
            _ => RowsShape::Arrays {
                columns_field: Some(segments("columns")),
            },
        },
        envelope: vec![segments("next"), segments("meta.total")],
    }
}

fn read(input: &Input, sizes: &[u8]) -> (Vec<String>, std::result::Result<Vec<String>, String>) {
    let mut rows = Rows::default();
    let exchange = Exchange::default();
    let plan = RowPlan::new(
        wanted(input.lenient),
        Some(FieldPath::Path(vec!["a".to_owned()])),
    );
    let mut pieces = Pieces {
        body: input.body,
        sizes,
        next: 0,
    };
    let end = decode_page(
        &mut pieces,
        &plan,
        &layout(input.shape, input.path),
        &exchange,
        0,
        &mut Progress::default(),
        &mut rows,
    );
    let end = end.map(|end| {
        assert!(end.rows >= rows.0.len() as u64);
        end.envelope
            .iter()
            .map(|member| format!("{member:?}"))
            .collect()
    });
    (rows.0, end.map_err(|error| error.to_string()))
}

fuzz_target!(|input: Input| {
    let (rows, end) = read(&input, &[]);
    let (in_pieces, end_in_pieces) = read(&input, &input.sizes);
    assert_eq!(
        end.is_ok(),
        end_in_pieces.is_ok(),
        "{end:?} {end_in_pieces:?}"
    );
    if end.is_ok() {
        let is_json = layout(input.shape, input.path).format == Format::Json;
        assert_eq!((&rows, &end), (&in_pieces, &end_in_pieces));
        let text = input
            .body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(input.body);
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(text);
        let reads = parsed.is_ok();
        let is_deep = text.iter().filter(|byte| b"[{".contains(byte)).count() > 100;
        assert!(!is_json || reads || is_deep, "what is no JSON was read");
    }
});

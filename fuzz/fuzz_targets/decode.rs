//! A response's body: read in pieces of any size it gives what it gives in one piece, and what is read is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rest_engine::Result;
use rest_engine::decode::{
    Batch, Cell, Envelope, Layout, Progress, RowPlan, Sink, Wanted, decode_page,
};
use rest_engine::error::Exchange;
use rest_engine::model::{Csv, FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use std::io::Read;

/// Seven bytes that say how to read the rest of the input.
struct Input<'a> {
    form: u8,
    shape: u8,
    rows: u8,
    /// Which columns are wanted.
    columns: [u8; 2],
    /// How many bytes come at once.
    sizes: [u8; 2],
    body: &'a [u8],
}

impl<'a> Input<'a> {
    fn read(data: &'a [u8]) -> Option<Input<'a>> {
        let ([form, shape, rows, c, d, s, t], body) = data.split_first_chunk()?;
        Some(Input {
            form: *form,
            shape: *shape,
            rows: *rows,
            columns: [*c, *d],
            sizes: [*s, *t],
            body,
        })
    }

    fn is_lenient(&self) -> bool {
        self.rows & 0x80 != 0
    }

    fn format(&self) -> Format {
        let bits = self.form / 4;
        match self.form % 4 {
            0 => Format::Json,
            1 => Format::JsonLines,
            _ => Format::Csv(Csv {
                delimiter: [b',', b';', b'\t', b'|'][usize::from(bits % 4)],
                quote: [Some(b'"'), Some(b'"'), Some(b'\''), None][usize::from(bits / 4 % 4)],
                header: self.form % 4 == 2,
                null: ["", "\\N", "NULL", "-"][usize::from(bits / 16 % 4)].to_owned(),
            }),
        }
    }
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

const COLUMNS: [(&str, Type); 12] = [
    ("a", Type::Int8),
    ("b", Type::Text),
    ("c", Type::Numeric),
    ("d", Type::TimestampTz),
    ("e", Type::Json),
    ("f", Type::Float8),
    ("g", Type::Bool),
    ("h", Type::Other),
    ("i", Type::Uuid),
    ("j", Type::Date),
    ("k", Type::Int2),
    ("l", Type::Bytes),
];

fn wanted(input: &Input) -> Vec<Wanted> {
    let chosen = u16::from_le_bytes(input.columns);
    let column = |(index, (name, ty)): (usize, &(&str, Type))| Wanted {
        column: (*name).to_owned(),
        field: FieldPath::Path(vec![(*name).to_owned()]),
        ty: match chosen >> 12 & 1 {
            1 => Type::Array(Box::new(ty.clone())),
            _ => ty.clone(),
        },
        format: None,
        on_error: if input.is_lenient() {
            OnError::Null
        } else {
            OnError::Error
        },
        position: Some(index).filter(|_| is_headless(input)),
    };
    let columns = COLUMNS.iter().enumerate();
    let columns = columns.filter(|(index, _)| chosen >> index & 1 == 1);
    columns.map(column).collect()
}

fn is_headless(input: &Input) -> bool {
    matches!(input.format(), Format::Csv(Csv { header: false, .. }))
}

fn layout(input: &Input) -> Layout {
    let segments = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let format = input.format();
    let rows = match input.rows % 3 {
        _ if format.is_bare() => RowsPath::Auto,
        0 => RowsPath::Auto,
        1 => RowsPath::Path(Vec::new()),
        _ => RowsPath::Path(segments("data.items")),
    };
    let shape = match (&format, input.shape % 6) {
        (Format::Csv(csv), _) if csv.header => RowsShape::Objects,
        (Format::Csv(_), _) => RowsShape::Arrays {
            columns_field: None,
        },
        (_, 0 | 1) => RowsShape::Objects,
        (_, 2) => RowsShape::Map,
        (_, 3) => RowsShape::Values,
        (_, 4) => RowsShape::Single,
        _ => RowsShape::Arrays {
            columns_field: Some(segments("columns")),
        },
    };
    Layout {
        format,
        rows,
        shape,
        envelope: vec![segments("next"), segments("meta.total")],
    }
}

fn read(input: &Input, sizes: &[u8]) -> (Vec<String>, std::result::Result<Vec<String>, String>) {
    let mut rows = Rows::default();
    let exchange = Exchange::default();
    let plan = RowPlan::new(
        wanted(input),
        Some(FieldPath::Path(vec!["a".to_owned()])).filter(|_| input.rows & 0x40 != 0),
    );
    let mut pieces = Pieces {
        body: input.body,
        sizes,
        next: 0,
    };
    let end = decode_page(
        &mut pieces,
        &plan,
        &layout(input),
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

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else {
        return;
    };
    let (rows, end) = read(&input, &[]);
    let (in_pieces, end_in_pieces) = read(&input, &input.sizes);
    assert_eq!(
        end.is_ok(),
        end_in_pieces.is_ok(),
        "{end:?} {end_in_pieces:?}"
    );
    if end.is_ok() {
        assert_eq!((&rows, &end), (&in_pieces, &end_in_pieces));
        assert!(is_of_its_format(&input), "what is no JSON was read");
    }
});

/// Whether another parser reads the body, or each of its lines, too; it stops where values are nested deeply.
fn is_of_its_format(input: &Input) -> bool {
    let body = input
        .body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(input.body);
    let is_json = |text: &[u8]| {
        let is_deep = text.iter().filter(|byte| b"[{".contains(byte)).count() > 100;
        is_deep || serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
    };
    match input.format() {
        Format::Json => is_json(body),
        Format::JsonLines => body.split(|byte| *byte == b'\n').all(|line| {
            let is_blank = |byte: &&u8| b" \t\r\x1e".contains(byte);
            let start = line.iter().take_while(is_blank).count();
            start == line.len() || is_json(&line[start..])
        }),
        Format::Csv(_) => true,
    }
}

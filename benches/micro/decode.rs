//! What does it cost to turn a page's bytes into typed rows? Without network and without PostgreSQL.

use bench::data::Sample;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rest_engine::decode::{Batch, Envelope, Layout, Progress, RowPlan, Sink, Wanted, decode_page};
use rest_engine::error::{Exchange, Result};
use rest_engine::model::{Csv, FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use std::hint::black_box;

/// Rows of a page.
const ROWS: u64 = 1_000;

/// Takes rows and drops them.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn first_row(&mut self, _: &Envelope) -> Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        self.0 += black_box(&batch).rows;
        Ok(())
    }
}

fn columns(fields: &[(&str, Type)]) -> RowPlan {
    let wanted = fields
        .iter()
        .enumerate()
        .map(|(index, (field, ty))| Wanted {
            column: (*field).to_owned(),
            field: match *field {
                "$" => FieldPath::Whole,
                path => FieldPath::Path(path.split('.').map(str::to_owned).collect()),
            },
            ty: ty.clone(),
            format: None,
            on_error: OnError::Error,
            position: Some(index),
        });
    RowPlan::new(wanted.collect(), None)
}

/// The columns of the benchmark's query; `login` is where the last one is.
fn eight(login: &'static str) -> RowPlan {
    columns(&[
        ("id", Type::Int8),
        ("title", Type::Text),
        ("state", Type::Text),
        ("score", Type::Float8),
        ("comments", Type::Int4),
        ("locked", Type::Bool),
        ("created_at", Type::TimestampTz),
        (login, Type::Text),
    ])
}

fn decode(body: &str, plan: &RowPlan, format: &Format) -> usize {
    let layout = Layout {
        format: format.clone(),
        rows: RowsPath::Auto,
        shape: RowsShape::Objects,
        envelope: Vec::new(),
    };
    let mut rows = Count::default();
    let end = decode_page(
        &mut body.as_bytes(),
        plan,
        &layout,
        &Exchange::default(),
        0,
        &mut Progress::default(),
        &mut rows,
    );
    assert_eq!((end.map(|end| end.rows), rows.0), (Ok(ROWS), ROWS as usize));
    rows.0
}

fn pages(criterion: &mut Criterion) {
    let sample = Sample::new(ROWS);
    let (json, lines, csv) = (sample.json(), sample.lines(), sample.csv());
    let mut group = criterion.benchmark_group("decode a page of 1,000 rows");
    let mut case = |name: &str, body: &str, plan: RowPlan, format: Format| {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode(body, &plan, &format));
        });
    };
    case("8 columns", &json, eight("user.login"), Format::Json);
    let two = columns(&[("id", Type::Int8), ("state", Type::Text)]);
    case("2 columns", &json, two, Format::Json);
    case("no column", &json, columns(&[]), Format::Json);
    let whole = columns(&[("$", Type::Json)]);
    case("the whole row as JSON", &json, whole, Format::Json);
    case(
        "8 columns, JSON Lines",
        &lines,
        eight("user.login"),
        Format::JsonLines,
    );
    let plain = Format::Csv(Csv::default());
    case("8 columns, CSV", &csv, eight("login"), plain);
    for (name, ty, value) in TYPES {
        let rows = vec![format!("{{\"v\":{value}}}"); ROWS as usize];
        let body = format!("[{}]", rows.join(","));
        let plan = columns(&[("v", ty.clone())]);
        case(&format!("one value, {name}"), &body, plan, Format::Json);
    }
    group.finish();
}

/// A value of each way through the decoder, as JSON.
const TYPES: [(&str, Type, &str); 9] = [
    ("bigint", Type::Int8, "1234567"),
    ("double precision", Type::Float8, "736.25"),
    ("numeric", Type::Numeric, "12345678901234567890.125"),
    ("boolean", Type::Bool, "true"),
    (
        "text",
        Type::Text,
        r#""Issue number 17 about subject 4711""#,
    ),
    (
        "text with escapes",
        Type::Text,
        r#""Issue \"17\"\nabout \u00e9""#,
    ),
    (
        "text beyond ASCII",
        Type::Text,
        r#""Äußerung Nummer 17 über 4711""#,
    ),
    (
        "timestamptz",
        Type::TimestampTz,
        r#""2026-11-26T04:15:00.123456Z""#,
    ),
    (
        "uuid",
        Type::Uuid,
        r#""0b5f6a2e-4f0c-4f6e-9c3e-2f4f5a6b7c8d""#,
    ),
];

criterion_group!(benches, pages);
criterion_main!(benches);

//! Batches: how large they are, when they leave, and that a retry hands no row over twice.

use crate::harness::*;
use rest_engine::Error;
use rest_engine::decode::{Batch, Envelope, Progress, RowPlan, Sink, decode_page};
use rest_engine::model::{RowsShape, Type};
use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

fn body(rows: usize, stamp: &str) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|id| format!("{{\"id\":{id},\"name\":\"name {id}\"}}"))
        .collect();
    format!(
        "{{\"generated\":\"{stamp}\",\"rows\":[{}],\"total\":{}}}",
        rows.join(","),
        rows.len()
    )
}

fn plan() -> RowPlan {
    RowPlan::new(
        vec![named("id", Type::Int8), named("name", Type::Text)],
        None,
    )
}

fn expected(rows: usize) -> Vec<Vec<Plain>> {
    (0..rows)
        .map(|id| vec![Plain::Int(id as i64), text(&format!("name {id}"))])
        .collect()
}

#[test]
fn the_first_batch_is_small_and_the_others_are_bounded() {
    let mut sink = Collected::default();
    let layout = layout("rows", RowsShape::Objects);
    decode_into(
        body(2500, "a").as_bytes(),
        &[usize::MAX],
        &plan(),
        &layout,
        &mut Progress::default(),
        &mut sink,
    )
    .unwrap();
    let sizes: Vec<usize> = sink.batches.iter().map(|batch| batch.rows).collect();
    assert_eq!(sizes, [64, 1000, 1000, 436]);
    assert_eq!(sink.first_rows, 1);
    assert!(
        sink.batches
            .iter()
            .all(|batch| batch.request == 7 && batch.exchange == exchange() && batch.width == 2)
    );

    let wide: Vec<String> = (0..100)
        .map(|_| format!("{{\"name\":\"{}\"}}", "x".repeat(100_000)))
        .collect();
    let mut sink = Collected::default();
    let wide = format!("{{\"rows\":[{}]}}", wide.join(","));
    decode_into(
        wide.as_bytes(),
        &[1 << 20],
        &plan(),
        &layout,
        &mut Progress::default(),
        &mut sink,
    )
    .unwrap();
    assert!(
        sink.batches.iter().all(|batch| batch.rows <= 3),
        "three rows of 100 kB fill 256 KiB"
    );
}

#[test]
fn a_page_without_rows_announces_nothing() {
    let mut sink = Collected::default();
    decode_into(
        b"[]",
        &[1],
        &plan(),
        &layout("auto", RowsShape::Objects),
        &mut Progress::default(),
        &mut sink,
    )
    .unwrap();
    assert_eq!((sink.first_rows, sink.batches.len()), (0, 0));
}

/// Counts what was read, for a sink that looks at it.
struct Counting<'a> {
    body: &'a [u8],
    read: Rc<Cell<usize>>,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.body.by_ref().take(1000).read(buffer)?;
        self.read.set(self.read.get() + size);
        Ok(size)
    }
}

struct Watching {
    read: Rc<Cell<usize>>,
    announced_at: Option<usize>,
    batches_at: Vec<usize>,
}

impl Sink for Watching {
    fn first_row(&mut self, _: &Envelope) -> rest_engine::Result<()> {
        assert!(self.announced_at.replace(self.read.get()).is_none());
        Ok(())
    }
    fn batch(&mut self, _: Batch) -> rest_engine::Result<()> {
        self.batches_at.push(self.read.get());
        Ok(())
    }
}

fn watch(body: &str, rows: &str) -> Watching {
    let read = Rc::new(Cell::new(0));
    let mut sink = Watching {
        read: read.clone(),
        announced_at: None,
        batches_at: Vec::new(),
    };
    let mut reader = Counting {
        body: body.as_bytes(),
        read,
    };
    let layout = layout(rows, RowsShape::Objects);
    decode_page(
        &mut reader,
        &plan(),
        &layout,
        &exchange(),
        0,
        &mut Progress::default(),
        &mut sink,
    )
    .unwrap();
    sink
}

#[test]
fn rows_at_a_declared_path_leave_while_the_page_is_read() {
    let watching = watch(&body(5000, "a"), "rows");
    assert_eq!(watching.announced_at, Some(1000));
    assert!(watching.batches_at[0] <= 4000, "{:?}", watching.batches_at);
}

#[test]
fn rows_that_were_searched_for_wait_until_they_are_certain() {
    let small = body(10_000, "a");
    let watching = watch(&small, "auto");
    assert_eq!(watching.announced_at, Some(small.len()));
    let large = body(60_000, "a");
    assert!(large.len() > 3 << 19);
    let watching = watch(&large, "auto");
    let first = watching.announced_at.unwrap();
    assert!((1 << 20..(1 << 20) + 10_000).contains(&first), "{first}");
    assert_eq!(watching.batches_at[0], first);
    let root = watch("[{\"id\":1}]", "auto");
    assert_eq!(root.announced_at, Some(10));
}

#[test]
fn a_retry_after_any_batch_hands_over_the_rest() {
    let layout = layout("rows", RowsShape::Objects);
    for taken in 0..=4 {
        let mut progress = Progress::default();
        let mut first = Collected {
            capacity: Some(taken),
            ..Collected::default()
        };
        let outcome = decode_into(
            body(2500, "a").as_bytes(),
            &[777],
            &plan(),
            &layout,
            &mut progress,
            &mut first,
        );
        if taken < 4 {
            assert_eq!(outcome.unwrap_err(), Error::Cancelled);
        }
        assert_eq!(progress.rows as usize, first.rows().len());
        // What stands around the rows may differ, as a time stamp does.
        let mut second = Collected::default();
        let end = decode_into(
            body(2500, "later").as_bytes(),
            &[10_000],
            &plan(),
            &layout,
            &mut progress,
            &mut second,
        )
        .unwrap();
        assert_eq!(
            [first.rows(), second.rows()].concat(),
            expected(2500),
            "after {taken} batches"
        );
        assert_eq!((end.rows, progress.rows), (2500, 2500));
        assert_eq!(
            first.first_rows + second.first_rows,
            if taken == 0 { 2 } else { 1 }
        );
    }
}

#[test]
fn a_retry_after_a_cut_anywhere_hands_over_the_rest() {
    for rows_path in ["rows", "auto"] {
        let (body, layout) = (body(2200, "a"), layout(rows_path, RowsShape::Objects));
        for cut in (1..body.len()).step_by(997) {
            let (mut progress, mut sink) = (Progress::default(), Collected::default());
            let outcome = decode_into(
                &body.as_bytes()[..cut],
                &[4096],
                &plan(),
                &layout,
                &mut progress,
                &mut sink,
            );
            assert!(
                matches!(outcome, Err(Error::Truncated { .. })),
                "{outcome:?}"
            );
            sink.first_rows = 0;
            let mut rest = Collected::default();
            decode_into(
                body.as_bytes(),
                &[4096],
                &plan(),
                &layout,
                &mut progress,
                &mut rest,
            )
            .unwrap();
            assert_eq!([sink.rows(), rest.rows()].concat(), expected(2200));
        }
    }
}

#[test]
fn a_retry_of_a_page_that_changed_is_an_error() {
    let layout = layout("rows", RowsShape::Objects);
    let mut sink = Collected {
        capacity: Some(1),
        ..Collected::default()
    };
    let mut progress = Progress::default();
    let original = body(200, "a");
    decode_into(
        original.as_bytes(),
        &[4096],
        &plan(),
        &layout,
        &mut progress,
        &mut sink,
    )
    .unwrap_err();
    for changed in [
        original.replace("name 63\"", "name 6x\""),
        original.replace("name 0\"", "name  0\""),
        body(63, "a"),
        body(0, "a"),
    ] {
        let (mut again, mut sink) = (progress, Collected::default());
        let outcome = decode_into(
            changed.as_bytes(),
            &[4096],
            &plan(),
            &layout,
            &mut again,
            &mut sink,
        );
        let reason = "page 3 changed while it was being read again".to_owned();
        assert_eq!(
            outcome.unwrap_err(),
            Error::Paging {
                exchange: exchange(),
                reason
            }
        );
        assert!(sink.batches.is_empty());
        assert_eq!(again, progress);
    }
    let later = original.replace("name 64\"", "another\"");
    let mut rest = Collected::default();
    decode_into(
        later.as_bytes(),
        &[4096],
        &plan(),
        &layout,
        &mut progress,
        &mut rest,
    )
    .unwrap();
    assert_eq!(
        rest.rows()[0][1],
        text("another"),
        "what was not handed over may differ"
    );
}

#[test]
fn a_retry_knows_the_last_key_even_if_no_row_is_new() {
    let plan = RowPlan::new(
        vec![],
        Some(rest_engine::model::FieldPath::Default("id".to_owned())),
    );
    let (mut progress, layout) = (Progress::default(), layout("rows", RowsShape::Objects));
    for _ in 0..2 {
        let mut sink = Collected::default();
        let end = decode_into(
            body(100, "a").as_bytes(),
            &[512],
            &plan,
            &layout,
            &mut progress,
            &mut sink,
        )
        .unwrap();
        assert_eq!((end.last_key.as_deref(), end.rows), (Some("99"), 100));
    }
}

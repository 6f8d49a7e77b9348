//! JSON Lines: a value a line, read in pieces of any size.

use crate::harness::*;
use proptest::prelude::*;
use rest_engine::Error;
use rest_engine::decode::{Layout, Progress, RowPlan, Wanted};
use rest_engine::model::{FieldPath, Format, RowsShape, Type};

fn objects() -> Layout {
    bare(Format::JsonLines, RowsShape::Objects)
}

fn id() -> Vec<Wanted> {
    vec![named("id", Type::Int4)]
}

fn ids(body: &str) -> Vec<i64> {
    let rows = rows(body, id(), &objects());
    let id = |row: Vec<Plain>| match row[0] {
        Plain::Int(id) => id,
        ref other => panic!("{other:?}"),
    };
    rows.into_iter().map(id).collect()
}

#[test]
fn a_line_is_a_row() {
    assert_eq!(ids("{\"id\": 1}\n{\"id\": 2}\n"), [1, 2]);
    assert_eq!(
        ids("{\"id\": 1}\r\n\r\n  \n\t{\"id\": 2}  \r\n"),
        [1, 2],
        "CR LF, blank lines and white space do not matter"
    );
    assert_eq!(ids("\u{feff}{\"id\": 1}\n{\"id\": 2}"), [1, 2]);
    assert_eq!(ids("\u{1e}{\"id\": 1}\n\u{1e}{\"id\": 2}\n"), [1, 2]);
    for nothing in ["", "\n", "\r\n \n", "\u{feff}"] {
        assert_eq!(ids(nothing), [0; 0], "{nothing:?}");
    }
}

#[test]
fn a_line_may_be_an_array_or_a_value() {
    let arrays = RowsShape::Arrays {
        columns_field: None,
    };
    let second = Wanted {
        position: Some(1),
        ..named("b", Type::Text)
    };
    assert_eq!(
        rows(
            "[1, \"x\"]\n[2]\n",
            vec![second],
            &bare(Format::JsonLines, arrays)
        ),
        [[text("x")], [Plain::Null]]
    );
    let whole = vec![at("value", FieldPath::Whole, Type::Float8)];
    assert_eq!(
        rows(
            "1\n2.5\nnull\n-3e2",
            whole,
            &bare(Format::JsonLines, RowsShape::Values)
        ),
        [
            [Plain::Float(1.0)],
            [Plain::Float(2.5)],
            [Plain::Null],
            [Plain::Float(-300.0)]
        ]
    );
}

#[track_caller]
fn broken(body: &str, expected: &str) {
    match error(body.as_bytes(), id(), &objects()) {
        Error::Body { reason, .. } | Error::Rows { reason, .. } => assert_eq!(reason, expected),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn a_broken_line_is_named() {
    broken(
        "{\"id\": 1}\n\n{\"id\": }\n",
        "invalid JSON on line 3, at byte 8: expected a value, found \"}\"",
    );
    broken(
        "{\"id\": 1}\n{\"id\": 2\n{\"id\": 3}\n",
        "line 2 ends within its JSON value",
    );
    broken(
        "{\"id\": 1} {\"id\": 2}\n",
        "there is more after the JSON value of line 1, at byte 11",
    );
    broken(
        "{\"id\": 1}\n7\n",
        "row 2 is a number, expected an object: set rows_shape 'values' if the rows are plain values",
    );
    broken(
        "{\"id\": 1}\nnot found\n",
        "invalid JSON on line 2, at byte 1: expected a value, found \"n\"",
    );
    broken(
        "<html>\n<body>",
        "expected JSON, the body begins with \"<html>\\n<body>\"",
    );
    broken(
        "not found",
        "expected JSON, the body begins with \"not found\"",
    );
    let deep = format!("{{\"id\": 1}}\n{}\n", "[".repeat(100_000));
    broken(
        &deep,
        "it is nested deeper than 512 levels at line 2, byte 513",
    );
}

#[test]
fn a_last_line_that_is_cut_off_is_an_error_and_one_without_a_line_feed_is_not() {
    let body = "{\"id\": 1}\n{\"id\": 2, \"n\": \"a\"}";
    assert_eq!(ids(body), [1, 2]);
    for length in 11..body.len() {
        match error(&body.as_bytes()[..length], id(), &objects()) {
            Error::Truncated { reason, .. } => {
                assert_eq!(reason, "the body ended within line 2", "{length}");
            }
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn the_keyset_is_that_of_the_last_line() {
    let plan = RowPlan::new(Vec::new(), Some(FieldPath::Default("id".to_owned())));
    let mut collected = Collected::default();
    let body = b"{\"id\": \"a\"}\n{\"id\": \"\\u0062\"}\n\n";
    let end = decode_into(
        body,
        &[3],
        &plan,
        &objects(),
        &mut Progress::default(),
        &mut collected,
    );
    let end = end.unwrap();
    assert_eq!((end.rows, end.last_key.as_deref()), (2, Some("b")));
}

#[test]
fn lines_that_were_handed_over_are_not_handed_over_again() {
    let body: String = (0..3000).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let plan = RowPlan::new(id(), None);
    let mut progress = Progress::default();
    let mut collected = Collected::default();
    let cut = &body.as_bytes()[..body.len() - 5];
    let first = decode_into(
        cut,
        &[700],
        &plan,
        &objects(),
        &mut progress,
        &mut collected,
    );
    assert!(matches!(first, Err(Error::Truncated { .. })), "{first:?}");
    let handed = collected.rows().len();
    assert!((1000..3000).contains(&handed), "{handed}");
    let mut rest = Collected::default();
    decode_into(
        body.as_bytes(),
        &[700],
        &plan,
        &objects(),
        &mut progress,
        &mut rest,
    )
    .unwrap();
    assert_eq!(handed + rest.rows().len(), 3000);
    assert_eq!(rest.rows()[0], [Plain::Int(handed as i64)]);
}

proptest! {
    #[test]
    fn lines_say_what_the_array_of_them_says(
        values in prop::collection::vec(any::<Option<i32>>(), 0..50), ends in prop::sample::select(vec!["\n", "\r\n", "\n\n"]),
        last in any::<bool>(), sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let line = |value: &Option<i32>| match value {
            Some(value) => format!("{{\"x\": [\"\\n\", {{}}], \"id\": {value}}}"),
            None => "{}".to_owned(),
        };
        let lines: Vec<String> = values.iter().map(line).collect();
        let array = rows(&format!("[{}]", lines.join(",")), id(), &layout("", RowsShape::Objects));
        let mut body = lines.join(ends);
        if last {
            body.push_str(ends);
        }
        let mut collected = Collected::default();
        let end = decode_into(body.as_bytes(), &sizes, &RowPlan::new(id(), None), &objects(), &mut Progress::default(), &mut collected).unwrap();
        prop_assert_eq!(end.rows as usize, values.len());
        prop_assert_eq!(collected.rows(), array);
    }
}

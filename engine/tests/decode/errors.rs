//! Bodies that are no rows: what the user is told.

use crate::harness::*;
use rest_engine::Error;
use rest_engine::decode::Layout;
use rest_engine::model::{FieldPath, RowsShape, Type};

fn id() -> Vec<rest_engine::decode::Wanted> {
    vec![named("id", Type::Int4)]
}

fn objects(rows: &str) -> Layout {
    layout(rows, RowsShape::Objects)
}

#[track_caller]
fn body_error(body: &[u8], expected: &str) {
    match error(body, id(), &objects("")) {
        Error::Body {
            reason,
            exchange: found,
        } => assert_eq!((reason.as_str(), found), (expected, exchange())),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn rows_error(body: &str, layout: &Layout, expected: &str) {
    match error(body.as_bytes(), id(), layout) {
        Error::Rows {
            reason,
            exchange: found,
        } => assert_eq!((reason.as_str(), found), (expected, exchange()), "{body}"),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn what_is_not_json_is_shown() {
    body_error(b"", "the body is empty");
    body_error(b" \r\n\t", "the body is empty");
    body_error(b"\xef\xbb\xbf", "the body is empty");
    body_error(
        b"\n<html>\n<h1>Hi</h1></html>\n",
        "expected JSON, the body begins with \"<html>\\n<h1>Hi</h1></html>\"",
    );
    body_error(
        b"not found",
        "expected JSON, the body begins with \"not found\"",
    );
    let long = format!("<{}", "é".repeat(100));
    body_error(
        long.as_bytes(),
        &format!(
            "expected JSON, the body begins with \"<{}…\"",
            "é".repeat(59)
        ),
    );
    for utf_16 in [
        b"\xff\xfe[\0]\0".as_slice(),
        b"\xfe\xff\0[\0]",
        b"[\0]\0",
        b"\0[\0]",
    ] {
        body_error(utf_16, "it is UTF-16, expected UTF-8");
    }
}

#[test]
fn wrong_json_is_located() {
    for (body, expected) in [
        (
            "[{\"id\":1},]",
            "invalid JSON at byte 10: expected a value, found \"]\"",
        ),
        (
            "[{\"id\":1}{]",
            "invalid JSON at byte 9: expected a comma or ], found \"{\"",
        ),
        (
            "[{\"id\" 1}]",
            "invalid JSON at byte 7: expected a colon, found \"1\"",
        ),
        (
            "[{id:1}]",
            "invalid JSON at byte 2: expected a member name in quotes, found \"i\"",
        ),
        (
            "[{\"id\":1,}]",
            "invalid JSON at byte 9: expected a member name in quotes, found \"}\"",
        ),
        (
            "[{\"id\":01}]",
            "invalid JSON at byte 8: expected a comma or }, found \"1\"",
        ),
        (
            "[{\"id\":1.}]",
            "invalid JSON at byte 9: expected a digit, found \"}\"",
        ),
        (
            "[{\"x\":\"a\nb\"}]",
            "invalid JSON at byte 8: expected an escape instead of a control character in text",
        ),
        (
            "[{\"x\":\"\\q\"}]",
            "invalid JSON at byte 7: expected a valid escape after a backslash, found \"\\\"",
        ),
        (
            "[{\"x\":[1,,2]}]",
            "invalid JSON at byte 9: expected a value, found \",\"",
        ),
        (
            "[{\"x\":nul}]",
            "invalid JSON at byte 6: expected a value, found \"n\"",
        ),
        ("[] []", "there is more after the JSON document, at byte 3"),
        (
            "[{\"id\":1}]x",
            "there is more after the JSON document, at byte 10",
        ),
    ] {
        body_error(body.as_bytes(), expected);
    }
}

#[test]
fn a_body_that_ends_early_is_cut_off_wherever_it_ends() {
    let body = r#"{"m":{"n":[1,"x"]},"data":[{"id":1,"s":"\u00e9"},{"id":2}],"t":true}"#;
    for end in 1..body.len() {
        match error(&body.as_bytes()[..end], id(), &objects("data")) {
            Error::Truncated { reason, .. } => {
                assert_eq!(
                    reason,
                    format!("the body ended within the JSON document, after {end} bytes")
                );
            }
            other => panic!("{}: {other:?}", &body[..end]),
        }
    }
}

#[test]
fn nesting_is_bounded_and_needs_no_stack() {
    let reason = |at: usize| format!("it is nested deeper than 512 levels at byte {at}");
    let deep = "[".repeat(100_000);
    for (prefix, rows, at) in [
        ("", "data", 512),
        ("{\"x\":", "data", 516),
        ("{\"data\":[{\"id\":", "data", 524),
        ("{\"data\":[{\"x\":", "data", 523),
    ] {
        match error(format!("{prefix}{deep}").as_bytes(), id(), &objects(rows)) {
            Error::Body { reason: found, .. } => assert_eq!(found, reason(at), "{prefix}"),
            other => panic!("{prefix}: {other:?}"),
        }
    }
    let wanted = vec![named("id", Type::Array(Box::new(Type::Int4)))];
    let body = format!("[{{\"id\":{}{}}}]", "[".repeat(510), "]".repeat(510));
    assert_eq!(rows(&body, wanted, &objects("")).len(), 1);
}

#[test]
fn a_wrong_path_is_answered_with_what_is_there() {
    for (body, at, expected) in [
        (
            r#"{"data":{"item":[],"meta":1}}"#,
            "data.items",
            "there is no \"data.items\": \"data\" is an object with members \"item\", \"meta\"",
        ),
        (
            r#"{"data":{"item":[],"meta":1},"other":{"x":2}}"#,
            "data",
            "\"data\" is an object with members \"item\", \"meta\", not an array: set rows to an array, or rows_shape 'single' or 'map'",
        ),
        (
            r#"{"message":"no"}"#,
            "data",
            "there is no \"data\": the document is an object with members \"message\"",
        ),
        (
            r#"{"data":"no"}"#,
            "data",
            "\"data\" is a string, not an array",
        ),
        (
            r#"{"data":[1]}"#,
            "data.items",
            "there is no \"data.items\": \"data\" is an array",
        ),
        (
            r#"{}"#,
            "",
            "the document is an object, not an array: set rows to an array, or rows_shape 'single' or 'map'",
        ),
        (
            "12",
            "data",
            "there is no \"data\": the document is a number",
        ),
        (
            r#"{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0}"#,
            "x",
            "there is no \"x\": the document is an object with members \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\", …",
        ),
        (
            r#"{"data":[],"data":[]}"#,
            "data",
            "the response has \"data\" twice",
        ),
    ] {
        rows_error(body, &objects(at), expected);
    }
    rows_error(
        "[]",
        &layout("", RowsShape::Map),
        "the document is an array, rows_shape 'map' wants an object",
    );
}

#[test]
fn an_automatic_search_does_not_guess() {
    let several =
        r#"{"errors":[{"id":"x"}],"data":{"items":[{"id":1}],"n":[{}]},"deep":{"a":{"b":[{}]}}}"#;
    rows_error(
        several,
        &objects("auto"),
        "there are several arrays of objects, \"errors\", \"data.items\", \"data.n\": set rows to one of them",
    );
    rows_error(
        r#"{"id":1,"tags":["a"]}"#,
        &objects("auto"),
        "there is no array of objects within two levels: the document is an object with members \"id\", \"tags\": set rows, or rows_shape 'single'",
    );
    rows_error(
        "\"x\"",
        &objects("auto"),
        "there is no array of objects within two levels: the document is a string: set rows, or rows_shape 'single'",
    );
}

#[test]
fn a_bad_value_in_the_only_array_is_reported_when_that_is_certain() {
    match error(
        br#"{"data":[{"id":1},{"id":"x"},{"id":2}],"z":1}"#,
        id(),
        &objects("auto"),
    ) {
        Error::Value { value, .. } => assert_eq!(value, "\"x\""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_of_another_kind_is_named() {
    for (body, shape, expected) in [
        (
            r#"[{"id":1},7]"#,
            RowsShape::Objects,
            "row 2 is a number, expected an object: set rows_shape 'values' if the rows are plain values",
        ),
        (
            r#"[{"id":1},{},null]"#,
            RowsShape::Objects,
            "row 3 is null, expected an object",
        ),
        (
            "[[1]]",
            RowsShape::Objects,
            "row 1 is an array, expected an object: set rows_shape 'arrays'",
        ),
        (
            r#"[[],{}]"#,
            RowsShape::Arrays {
                columns_field: None,
            },
            "row 2 is an object, expected an array",
        ),
        (
            r#"{"a":{"id":1},"b":true}"#,
            RowsShape::Map,
            "row 2 is a boolean, but columns want members of it: set field '$' for the value itself",
        ),
        (
            r#"["a"]"#,
            RowsShape::Values,
            "row 1 is a string, but columns want members of it: set field '$' for the value itself",
        ),
    ] {
        rows_error(body, &layout("", shape), expected);
    }
}

#[test]
fn names_of_columns_must_come_first_and_be_names() {
    let shape = || {
        layout(
            "data",
            RowsShape::Arrays {
                columns_field: Some(segments("fields")),
            },
        )
    };
    rows_error(
        r#"{"data":[[1]],"fields":["id"]}"#,
        &shape(),
        "columns_field \"fields\" does not come before the rows",
    );
    rows_error(
        r#"{"fields":"id","data":[[1]]}"#,
        &shape(),
        "columns_field \"fields\" does not come before the rows",
    );
    let wrong = "\"fields\" is not an array of names, nor of objects with \"name\"";
    for fields in [r#"[1]"#, r#"[{"title":"id"}]"#, r#"["id",null]"#] {
        rows_error(
            &format!(r#"{{"fields":{fields},"data":[[1]]}}"#),
            &shape(),
            wrong,
        );
    }
}

#[test]
fn a_reader_that_fails_with_our_error_is_quoted_and_any_other_is_a_cut() {
    struct Failing(Option<std::io::Error>);
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(self.0.take().expect("asked once"))
        }
    }
    let read = |error| {
        let plan =
            rest_engine::decode::RowPlan::new(vec![at("v", FieldPath::Whole, Type::Json)], None);
        let (mut progress, mut sink) = Default::default();
        let mut reader = Failing(Some(error));
        rest_engine::decode::decode_page(
            &mut reader,
            &plan,
            &objects(""),
            &exchange(),
            0,
            &mut progress,
            &mut sink as &mut Collected,
        )
        .unwrap_err()
    };
    let ours = Error::TooLarge {
        exchange: exchange(),
        limit: 5,
    };
    assert_eq!(read(std::io::Error::other(ours.clone())), ours);
    let reset = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection reset");
    assert_eq!(
        read(reset),
        Error::Truncated {
            exchange: exchange(),
            reason: "connection reset".to_owned()
        }
    );
}

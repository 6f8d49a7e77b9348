//! Every type: which JSON values fit it, and what becomes of them.

use crate::harness::*;
use rest_engine::Error;
use rest_engine::model::{FieldPath, OnError, RowsShape, Type, ValueFormat};

fn convert(
    ty: &Type,
    format: Option<ValueFormat>,
    on_error: OnError,
    json: &str,
) -> Result<Plain, Error> {
    let mut wanted = at("v", FieldPath::Whole, ty.clone());
    (wanted.format, wanted.on_error) = (format, on_error);
    let (rows, _) = decode(
        format!("[{json}]").as_bytes(),
        vec![wanted],
        &layout("", RowsShape::Values),
    )?;
    Ok(rows[0][0].clone())
}

#[track_caller]
fn fits(ty: Type, json: &str, expected: Plain) {
    assert_eq!(
        convert(&ty, None, OnError::Error, json),
        Ok(expected),
        "{ty:?} {json}"
    );
}

#[track_caller]
fn formatted(ty: Type, format: ValueFormat, json: &str, expected: Plain) {
    assert_eq!(
        convert(&ty, Some(format), OnError::Error, json),
        Ok(expected),
        "{ty:?} {json}"
    );
}

#[track_caller]
fn refused(ty: Type, format: Option<ValueFormat>, json: &str, expected: &str) {
    match convert(&ty, format.clone(), OnError::Error, json) {
        Err(Error::Value {
            column,
            reason,
            value,
            exchange: found,
        }) => {
            assert_eq!(
                (column.as_str(), reason.as_str()),
                ("v", expected),
                "{ty:?} {json}"
            );
            assert_eq!((value.as_str(), found), (json, exchange()));
        }
        other => panic!("{ty:?} {json}: {other:?}"),
    }
    assert_eq!(
        convert(&ty, format, OnError::Null, json),
        Ok(Plain::Null),
        "{ty:?} {json}"
    );
}

fn array(element: Type) -> Type {
    Type::Array(Box::new(element))
}

#[test]
fn null_is_null_for_every_type() {
    for ty in [
        Type::Bool,
        Type::Int4,
        Type::Text,
        Type::Json,
        Type::Uuid,
        Type::TimestampTz,
        Type::Other,
        array(Type::Int4),
    ] {
        fits(ty, "null", Plain::Null);
    }
}

#[test]
fn booleans() {
    for json in [
        "true", "1", "1.0", "\"TRUE\"", "\"t\"", "\"Yes\"", "\"on\"", "\"1\"",
    ] {
        fits(Type::Bool, json, Plain::Bool(true));
    }
    for json in [
        "false",
        "0",
        "-0",
        "\"False\"",
        "\"f\"",
        "\"NO\"",
        "\"off\"",
        "\"0\"",
        "\"\\u0066alse\"",
    ] {
        fits(Type::Bool, json, Plain::Bool(false));
    }
    for json in ["2", "0.5", "\"\"", "\"maybe\"", "[]", "{}", "1e99"] {
        refused(Type::Bool, None, json, "expected true or false");
    }
}

#[test]
fn integers_are_exact_and_in_range() {
    for (ty, name, max) in [
        (Type::Int2, "smallint", 32_767_i64),
        (Type::Int4, "integer", 2_147_483_647),
        (Type::Int8, "bigint", i64::MAX),
    ] {
        let out_of_range = format!("out of range for type {name}");
        for value in [max, -max - 1, 0] {
            fits(ty.clone(), &value.to_string(), Plain::Int(value));
            fits(ty.clone(), &format!("\"{value}\""), Plain::Int(value));
            fits(ty.clone(), &format!("{value}.00"), Plain::Int(value));
            fits(ty.clone(), &format!("{value}e0"), Plain::Int(value));
        }
        for beyond in [i128::from(max) + 1, -i128::from(max) - 2] {
            refused(ty.clone(), None, &beyond.to_string(), &out_of_range);
            refused(ty.clone(), None, &format!("\"{beyond}\""), &out_of_range);
        }
        refused(ty.clone(), None, "1e400", &out_of_range);
        refused(
            ty.clone(),
            None,
            "123456789012345678901234567890123456789012345678901234567890",
            &out_of_range,
        );
        refused(
            ty.clone(),
            None,
            "0.5",
            "expected an integer, found a fraction",
        );
        for json in ["true", "\"\"", "\"1.0\"", "\"0x10\"", "[1]", "{}"] {
            refused(ty.clone(), None, json, "expected an integer");
        }
    }
    fits(Type::Int4, "2e3", Plain::Int(2000));
    fits(Type::Int4, "\" +7\\n\"", Plain::Int(7));
}

#[test]
fn floats_are_rounded_once() {
    fits(Type::Float8, "0.1", Plain::Float(0.1));
    fits(Type::Float8, "1e23", Plain::Float(1e23));
    fits(
        Type::Float8,
        "179769313486231570814527423731704356798070e267",
        Plain::Float(f64::MAX),
    );
    fits(
        Type::Float8,
        "\"-Infinity\"",
        Plain::Float(f64::NEG_INFINITY),
    );
    fits(Type::Float8, "\" 2.5 \"", Plain::Float(2.5));
    // Half of the last bit of a single: through a double first, it would be rounded up.
    fits(
        Type::Float4,
        "1.00000005960464477540",
        Plain::Float(f64::from(1.0000001_f32)),
    );
    fits(Type::Float4, "0.1", Plain::Float(f64::from(0.1_f32)));
    assert!(
        matches!(convert(&Type::Float4, None, OnError::Error, "\"NaN\""), Ok(Plain::Float(value)) if value.is_nan())
    );
    refused(
        Type::Float8,
        None,
        "1e309",
        "out of range for type double precision",
    );
    refused(Type::Float4, None, "-1e39", "out of range for type real");
    for json in ["true", "\"\"", "\"1,5\"", "[]"] {
        refused(Type::Float8, None, json, "expected a number");
    }
}

#[test]
fn numerics_keep_their_digits() {
    fits(
        Type::Numeric,
        "123456789012345678",
        Plain::Int(123_456_789_012_345_678),
    );
    fits(
        Type::Numeric,
        "1234567890123456789",
        text("1234567890123456789"),
    );
    fits(Type::Numeric, "1.50", text("1.50"));
    fits(Type::Numeric, "-1E-7", text("-1E-7"));
    fits(Type::Numeric, "\" 1.500\"", text("1.500"));
    fits(Type::Numeric, "\"42\"", Plain::Int(42));
    fits(Type::Numeric, "\"NaN\"", text("NaN"));
    fits(Type::Numeric, "\"-Infinity\"", text("-Infinity"));
    for json in ["\"\"", "\"1.2.3\"", "\"12 EUR\"", "true", "{}"] {
        refused(Type::Numeric, None, json, "expected a number");
    }
}

#[test]
fn texts_are_unescaped_and_other_values_stay_as_written() {
    for ty in [Type::Text, Type::Bpchar, Type::Other, Type::Bytes] {
        fits(
            ty.clone(),
            r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#,
            text("a\"\\/\u{8}\u{c}\n\r\té😀é"),
        );
        fits(ty.clone(), "\"\"", text(""));
        fits(ty.clone(), "1.50e+2", text("1.50e+2"));
        fits(ty.clone(), "false", text("false"));
        fits(
            ty.clone(),
            "{\"a\" : [1, \"\\u0041\"]}",
            text("{\"a\" : [1, \"\\u0041\"]}"),
        );
        refused(
            ty.clone(),
            None,
            r#""a\u0000b""#,
            "text cannot hold \\u0000",
        );
        fits(ty.clone(), r#""a\\u0000b""#, text("a\\u0000b"));
        refused(
            ty.clone(),
            None,
            r#""\udc00\ud800""#,
            "it holds a lone surrogate, \\udc00",
        );
        refused(
            ty,
            None,
            r#""\ud83d x""#,
            "it holds a lone surrogate, \\ud83d",
        );
    }
}

#[test]
fn json_stays_as_it_was_written() {
    for json in [
        r#"{"b" : 1, "a":[ 1.0,"\u00e9" ] , "b":2}"#,
        "[ ]",
        "\"x\\ny\"",
        "\"\"",
        "-0.0",
        "true",
        "1e400",
        r#""\\u0000""#,
    ] {
        fits(Type::Json, json, text(json));
    }
    for json in [r#"{"a":["\u0000"]}"#, r#"{"\\\u0000":1}"#, r#""\u0000""#] {
        refused(Type::Json, None, json, "text cannot hold \\u0000");
    }
}

#[test]
fn invalid_utf_8_is_refused_where_it_is_wanted() {
    let decode_v =
        |body: &[u8], ty| decode(body, vec![named("v", ty)], &layout("", RowsShape::Objects));
    for ty in [
        Type::Text,
        Type::Json,
        Type::Other,
        Type::Int4,
        array(Type::Text),
    ] {
        for body in [
            b"[{\"v\":\"a\xff\"}]".as_slice(),
            b"[{\"v\":[\"\xc3\x28\"]}]",
        ] {
            match (&ty, decode_v(body, ty.clone())) {
                (_, Err(Error::Value { column, value, .. })) => {
                    assert_eq!(column, "v");
                    assert!(value.contains('\u{fffd}'), "{value}");
                }
                (ty, other) => panic!("{ty:?}: {other:?}"),
            }
        }
    }
    let (rows, _) = decode_v(b"[{\"other\":\"\xff\",\"\xfe\":1,\"v\":1}]", Type::Int4).unwrap();
    assert_eq!(rows, [[Plain::Int(1)]]);
}

#[test]
fn dates_and_times_have_a_fast_form_and_leave_the_rest_to_postgresql() {
    let noon = 1_794_571_200_000_000;
    fits(Type::Date, "\"2026-11-13\"", Plain::Date(20_770));
    fits(
        Type::Date,
        "\"2026-11-13T23:59:59+02:00\"",
        Plain::Date(20_770),
    );
    fits(
        Type::Timestamp,
        "\"2026-11-13T12:00:00+05:00\"",
        Plain::Timestamp(noon),
    );
    fits(
        Type::Timestamp,
        "\"2026-11-13 12:00:00.25\"",
        Plain::Timestamp(noon + 250_000),
    );
    fits(
        Type::Timestamp,
        "\"2026-11-13\"",
        Plain::Timestamp(noon - 43_200_000_000),
    );
    fits(
        Type::TimestampTz,
        "\"2026-11-13T12:00:00Z\"",
        Plain::Timestamp(noon),
    );
    fits(
        Type::TimestampTz,
        "\"2026-11-13T07:00:00-0500\"",
        Plain::Timestamp(noon),
    );
    for json in [
        "2026-11-13T12:00:00",
        "2026-11-13",
        "yesterday",
        "2016-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "",
    ] {
        fits(Type::TimestampTz, &format!("\"{json}\""), text(json));
    }
    for ty in [Type::Date, Type::Timestamp, Type::TimestampTz] {
        let hint =
            "expected a date or time as text, found a number: declare format 'unix' or 'unix_ms'";
        refused(ty.clone(), None, "1517875200000", hint);
        refused(ty, None, "[]", "expected a date or time as text");
    }
}

#[test]
fn unix_formats_are_exact() {
    let tz = || Type::TimestampTz;
    formatted(
        tz(),
        ValueFormat::Unix,
        "1517875200",
        Plain::Timestamp(1_517_875_200_000_000),
    );
    formatted(
        tz(),
        ValueFormat::Unix,
        "8589934592.000001",
        Plain::Timestamp(8_589_934_592_000_001),
    );
    formatted(
        tz(),
        ValueFormat::Unix,
        "1.517875200123456e9",
        Plain::Timestamp(1_517_875_200_123_456),
    );
    formatted(
        tz(),
        ValueFormat::Unix,
        "\"-1.5\"",
        Plain::Timestamp(-1_500_000),
    );
    formatted(
        tz(),
        ValueFormat::UnixMs,
        "1517875200123",
        Plain::Timestamp(1_517_875_200_123_000),
    );
    formatted(
        tz(),
        ValueFormat::UnixUs,
        "1517875200123456",
        Plain::Timestamp(1_517_875_200_123_456),
    );
    formatted(
        tz(),
        ValueFormat::UnixNs,
        "\"1517875200123456789\"",
        Plain::Timestamp(1_517_875_200_123_457),
    );
    formatted(
        Type::Timestamp,
        ValueFormat::UnixMs,
        "-1",
        Plain::Timestamp(-1_000),
    );
    formatted(Type::Date, ValueFormat::UnixMs, "-1", Plain::Date(-1));
    refused(
        tz(),
        Some(ValueFormat::Unix),
        "1e300",
        "out of range for type timestamp with time zone",
    );
    refused(
        Type::Date,
        Some(ValueFormat::Unix),
        "-1e12",
        "out of range for type date",
    );
    refused(
        tz(),
        Some(ValueFormat::Unix),
        "\"now\"",
        "expected a number of seconds or parts of them since 1970",
    );
    refused(tz(), Some(ValueFormat::Unix), "true", "expected a number");
}

#[test]
fn patterns_read_texts_and_numbers() {
    let pattern = |pattern: &str| ValueFormat::Strftime(pattern.to_owned());
    formatted(
        Type::Date,
        pattern("%Y%m%d"),
        "20261113",
        Plain::Date(20_770),
    );
    formatted(
        Type::Timestamp,
        pattern("%d/%m/%Y %H:%M"),
        "\"13\\/11\\/2026 12:00\"",
        Plain::Timestamp(1_794_571_200_000_000),
    );
    formatted(
        Type::TimestampTz,
        pattern("%d/%m/%Y %H:%M"),
        "\"13/11/2026 12:00\"",
        Plain::Timestamp(1_794_571_200_000_000),
    );
    formatted(
        Type::TimestampTz,
        pattern("%F %T %z"),
        "\"2026-11-13 14:00:00 +0200\"",
        Plain::Timestamp(1_794_571_200_000_000),
    );
    refused(
        Type::Date,
        Some(pattern("%Y%m%d")),
        "\"2026-11-13\"",
        "it does not match the format '%Y%m%d'",
    );
    refused(
        Type::Date,
        Some(pattern("%Y%m%d")),
        "{}",
        "expected a date or time as text",
    );
}

#[test]
fn uuids_and_bytes() {
    let bytes: Vec<u8> = (0..16).map(|byte| byte * 17).collect();
    for form in [
        "00112233-4455-6677-8899-aabbccddeeff",
        "00112233445566778899AABBCCDDEEFF",
    ] {
        fits(
            Type::Uuid,
            &format!("\"{form}\""),
            Plain::Bytes(bytes.clone()),
        );
    }
    for form in [
        "{00112233-4455-6677-8899-aabbccddeeff}",
        "00112233-44556-677-8899-aabbccddeeff",
        "zz112233445566778899AABBCCDDEEFF",
        "",
    ] {
        fits(Type::Uuid, &format!("\"{form}\""), text(form));
    }
    refused(Type::Uuid, None, "1", "expected a UUID as text");
    fits(Type::Bytes, r#""\\x00ff""#, text("\\x00ff"));
    for (json, bytes) in [
        ("+/8=", vec![0xfb, 0xff]),
        ("-_8", vec![0xfb, 0xff]),
        ("", vec![]),
        ("YQ\\r\\nBi", vec![97, 0, 0x62]),
    ] {
        formatted(
            Type::Bytes,
            ValueFormat::Base64,
            &format!("\"{json}\""),
            Plain::Bytes(bytes),
        );
    }
    refused(
        Type::Bytes,
        Some(ValueFormat::Base64),
        "1",
        "expected base64 text",
    );
    assert!(matches!(
        convert(&Type::Bytes, Some(ValueFormat::Base64), OnError::Error, "\"a*b\""),
        Err(Error::Value { reason, .. }) if reason.starts_with("it is not valid base64")
    ));
}

#[test]
fn text_in_base64_is_decoded() {
    let format = || Some(ValueFormat::Base64);
    for (json, expected) in [("Zm9v", "foo"), ("w7w=", "ü"), ("", "")] {
        formatted(
            Type::Text,
            ValueFormat::Base64,
            &format!("\"{json}\""),
            text(expected),
        );
    }
    refused(Type::Text, format(), "7", "expected base64 text");
    refused(
        Type::Text,
        format(),
        "\"/w==\"",
        "what its base64 holds is no text in UTF-8",
    );
    refused(Type::Text, format(), "\"AA==\"", "text cannot hold \\u0000");
}

#[test]
fn arrays_become_lists_of_their_element_type() {
    let ints = |values: &[i64]| Plain::List(values.iter().copied().map(Plain::Int).collect());
    fits(array(Type::Int4), "[]", ints(&[]));
    fits(array(Type::Int4), "[ 1 , \"2\" , 3.0 ]", ints(&[1, 2, 3]));
    fits(
        array(Type::Int4),
        "[[1,2],[],[3]]",
        Plain::List(vec![ints(&[1, 2]), ints(&[]), ints(&[3])]),
    );
    fits(
        array(Type::Text),
        r#"["a",null,{"b":1}]"#,
        Plain::List(vec![text("a"), Plain::Null, text("{\"b\":1}")]),
    );
    fits(
        array(Type::Json),
        r#"[[1],{"b":"]"}]"#,
        Plain::List(vec![text("[1]"), text("{\"b\":\"]\"}")]),
    );
    fits(array(Type::Int4), "\"{1,2}\"", text("{1,2}"));
    refused(array(Type::Int4), None, "1", "expected an array");
    refused(array(Type::Int4), None, "\"1,2\"", "expected an array");
    refused(
        array(Type::Int2),
        None,
        "[1,[2,70000]]",
        "out of range for type smallint",
    );
    let seconds = Plain::List(vec![
        Plain::Timestamp(1_000_000),
        Plain::Timestamp(2_000_000),
    ]);
    formatted(
        array(Type::TimestampTz),
        ValueFormat::Unix,
        "[1,2]",
        seconds,
    );
}

#[test]
fn lists_in_one_text_are_split_at_commas() {
    let csv = || ValueFormat::Csv;
    formatted(
        array(Type::Text),
        csv(),
        r#"" a,b\u002c,\"c""#,
        Plain::List(vec![text("a"), text("b"), text(""), text("\"c")]),
    );
    formatted(
        array(Type::Int4),
        csv(),
        "\"1, 2\"",
        Plain::List(vec![Plain::Int(1), Plain::Int(2)]),
    );
    formatted(
        array(Type::Json),
        csv(),
        "\"1,x\"",
        Plain::List(vec![text("1"), text("x")]),
    );
    formatted(array(Type::Int4), csv(), "\"\"", Plain::List(vec![]));
    formatted(
        array(Type::Int4),
        csv(),
        "[1]",
        Plain::List(vec![Plain::Int(1)]),
    );
    refused(
        array(Type::Int4),
        Some(csv()),
        "\"1,,2\"",
        "expected an integer",
    );
}

#[test]
fn a_value_that_becomes_null_leaves_nothing_behind() {
    let mut tags = named("tags", array(Type::Int4));
    tags.on_error = OnError::Null;
    let mut name = named("name", Type::Text);
    name.on_error = OnError::Null;
    let body = r#"[{"tags":[1,"x"],"name":"aaa\u0000"},{"tags":[2,3],"name":"b"}]"#;
    let found = rows(body, vec![tags, name], &layout("", RowsShape::Objects));
    let list = Plain::List(vec![Plain::Int(2), Plain::Int(3)]);
    assert_eq!(found, [[Plain::Null, Plain::Null], [list, text("b")]]);
}

#[test]
fn a_long_value_is_shortened_in_its_error() {
    let long = "é".repeat(200);
    match convert(&Type::Int4, None, OnError::Error, &format!("\"{long}\"")) {
        Err(Error::Value { value, .. }) => assert_eq!(value, format!("\"{}…\"", "é".repeat(100))),
        other => panic!("{other:?}"),
    }
}

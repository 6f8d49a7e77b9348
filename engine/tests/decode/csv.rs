//! CSV: records of fields, read in pieces of any size, and what would lose rows refused.

use crate::harness::*;
use proptest::prelude::*;
use rest_engine::Error;
use rest_engine::decode::{Layout, Progress, RowPlan, Wanted};
use rest_engine::model::{Csv, FieldPath, Format, OnError, RowsShape, Type, ValueFormat};

fn csv(options: Csv) -> Layout {
    let shape = match options.header {
        true => RowsShape::Objects,
        false => RowsShape::Arrays {
            columns_field: None,
        },
    };
    bare(Format::Csv(options), shape)
}

fn usual() -> Layout {
    csv(Csv::default())
}

fn headless() -> Layout {
    csv(Csv {
        header: false,
        ..Csv::default()
    })
}

fn a_and_b() -> Vec<Wanted> {
    vec![named("a", Type::Int4), named("b", Type::Text)]
}

fn placed(position: usize, ty: Type) -> Wanted {
    Wanted {
        position: Some(position),
        ..named("x", ty)
    }
}

fn pair(a: i64, b: &str) -> Vec<Plain> {
    vec![Plain::Int(a), text(b)]
}

#[test]
fn a_record_is_a_row_and_the_header_names_its_fields() {
    let expected = [pair(1, "x"), pair(2, "y")];
    for body in [
        "a,b\n1,x\n2,y\n",
        "b,ignored,a\r\nx,,1\r\ny,,2",
        "\u{feff}a,b\r\n\"1\",\"x\"\r\n2,y\r\n",
        "a , b\r1,x\r2,y\r",
        "\n\na,b\n\n1,x\n\n2,y\n\n\n",
    ] {
        assert_eq!(rows(body, a_and_b(), &usual()), expected, "{body:?}");
    }
    for nothing in ["", "\n", "\u{feff}", "a,b", "a,b\n", "a,b\r\n\r\n"] {
        assert!(rows(nothing, a_and_b(), &usual()).is_empty(), "{nothing:?}");
    }
}

#[test]
fn quotes_keep_delimiters_line_breaks_and_quotes() {
    let body = "a,b\n1,\"x, \"\"y\"\"\r\nz\"\n2,\"\"\"\"\n3,5\" pipe\n";
    assert_eq!(
        rows(body, a_and_b(), &usual()),
        [pair(1, "x, \"y\"\r\nz"), pair(2, "\""), pair(3, "5\" pipe")]
    );
    let tabs = Csv {
        delimiter: b'\t',
        quote: None,
        ..Csv::default()
    };
    assert_eq!(
        rows("a\tb\n1\t\"x, y\n", a_and_b(), &csv(tabs)),
        [pair(1, "\"x, y")]
    );
    let other = Csv {
        delimiter: b';',
        quote: Some(b'\''),
        ..Csv::default()
    };
    assert_eq!(
        rows("a;b\n1;'it''s; \"x\"'\n", a_and_b(), &csv(other)),
        [pair(1, "it's; \"x\"")]
    );
}

#[test]
fn an_empty_field_is_null_unless_it_is_a_quoted_text() {
    let body = "a,b\n,\n\"\",\"\"\n";
    assert_eq!(
        rows(body, a_and_b(), &usual()),
        [[Plain::Null, Plain::Null], [Plain::Null, text("")]]
    );
    let named_null = Csv {
        null: "\\N".to_owned(),
        ..Csv::default()
    };
    assert_eq!(
        rows("a,b\n\\N,\\N\n,\n1,\"\\N\"\n", a_and_b(), &csv(named_null)),
        [
            [Plain::Null, Plain::Null],
            [Plain::Null, text("")],
            [Plain::Int(1), text("\\N")]
        ]
    );
}

#[test]
fn a_blank_line_is_a_row_where_there_is_one_column() {
    let a = || vec![named("a", Type::Text)];
    assert_eq!(
        rows("a\nx\n\ny\n", a(), &usual()),
        [[text("x")], [Plain::Null], [text("y")]]
    );
    assert_eq!(
        rows("\nx\r\n\r\n", vec![placed(0, Type::Text)], &headless()),
        [[Plain::Null], [text("x")], [Plain::Null]]
    );
}

#[test]
fn values_are_those_of_their_columns_types() {
    let unix = Wanted {
        format: Some(ValueFormat::Unix),
        ..named("u", Type::TimestampTz)
    };
    let list = Wanted {
        format: Some(ValueFormat::Csv),
        ..named("l", Type::Array(Box::new(Type::Int4)))
    };
    let wanted = vec![
        named("n", Type::Numeric),
        named("f", Type::Float8),
        named("t", Type::Bool),
        named("d", Type::Date),
        unix,
        named("j", Type::Json),
        list,
        named("k", Type::Array(Box::new(Type::Text))),
        named("p", Type::Array(Box::new(Type::Text))),
    ];
    let body = "n,f,t,d,u,j,l,k,p\n 12.50 ,1e3,yes,2024-02-29,86400,\"{\"\"a\"\": [1, null]}\",\"1, 2\",\"[\"\"x\"\",null]\",\"{x,y}\"\n";
    assert_eq!(
        rows(body, wanted, &usual()),
        [[
            text("12.50"),
            Plain::Float(1000.0),
            Plain::Bool(true),
            Plain::Date(19_782),
            Plain::Timestamp(86_400_000_000),
            text("{\"a\": [1, null]}"),
            Plain::List(vec![Plain::Int(1), Plain::Int(2)]),
            Plain::List(vec![text("x"), Plain::Null]),
            text("{x,y}"),
        ]]
    );
    let json = || vec![named("j", Type::Json)];
    for (field, json_text) in [("12", "12"), ("\"\"\"x\"\"\"", "\"x\""), ("true", "true")] {
        assert_eq!(
            rows(&format!("j\n{field}\n"), json(), &usual()),
            [[text(json_text)]]
        );
    }
    for field in ["x", "[1", "1 2", "\"{\"\"a\"\"}\""] {
        let error = error(format!("j\n{field}\n").as_bytes(), json(), &usual());
        assert!(
            matches!(&error, Error::Value { column, reason, .. } if column == "j" && reason == "it is not valid JSON"),
            "{field}: {error:?}"
        );
    }
}

#[test]
fn a_value_that_does_not_fit_is_an_error_or_null() {
    let error = error(b"a,b\nx,y\n", a_and_b(), &usual());
    assert!(
        matches!(&error, Error::Value { column, reason, value, .. }
            if column == "a" && reason == "expected an integer" && value == "\"x\""),
        "{error:?}"
    );
    let lenient = Wanted {
        on_error: OnError::Null,
        ..named("a", Type::Int4)
    };
    assert_eq!(
        rows("a\nx\n2\n", vec![lenient], &usual()),
        [[Plain::Null], [Plain::Int(2)]]
    );
    let bad = Error::Value {
        exchange: exchange(),
        column: "b".to_owned(),
        reason: String::new(),
        value: String::new(),
    };
    let found = crate::harness::error(b"a,b\n1,\xff\n", a_and_b(), &usual());
    assert_eq!(
        std::mem::discriminant(&found),
        std::mem::discriminant(&bad),
        "{found:?}"
    );
}

#[test]
fn fields_are_found_by_their_names_and_by_their_places() {
    let body = "id,userName,user.login,2\n1,x,y,z\n";
    let wanted = vec![
        named("user_name", Type::Text),
        pathed("user.login", Type::Text),
        pathed("2", Type::Text),
        pathed("0", Type::Int4),
    ];
    assert_eq!(
        rows(body, wanted, &usual()),
        [[text("x"), text("y"), text("z"), Plain::Int(1)]]
    );
    let wanted = vec![placed(1, Type::Text), pathed("0", Type::Int4)];
    assert_eq!(
        rows("1,x\n", wanted, &headless()),
        [[text("x"), Plain::Int(1)]]
    );
}

#[track_caller]
fn refused(body: &[u8], wanted: Vec<Wanted>, layout: &Layout, expected: &str) {
    match error(body, wanted, layout) {
        Error::Body { reason, .. } | Error::Rows { reason, .. } => assert_eq!(reason, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_would_lose_rows_is_refused_and_named() {
    let a = || vec![named("a", Type::Text)];
    for (body, expected) in [
        (
            "a,b\n1,x\n2\n",
            "the record on line 3 has 1 field, expected 2",
        ),
        (
            "a,b\n\"1\n\n\",x\n2,y,z\n",
            "the record on line 5 has 3 fields, expected 2",
        ),
        (
            "a\n\n\"x\"y\n",
            "field 1 of the record on line 3 goes on after its closing quote",
        ),
        (
            "b,A\n1,x\n",
            "the header has no column \"a\": it has \"b\", \"A\"",
        ),
        ("a,b,a\n", "the header has \"a\" twice"),
        (
            "{\"error\": \"no\"}",
            "the header has no column \"a\": it has \"{\\\"error\\\": \\\"no\\\"}\"",
        ),
        ("\0a\0\n\0", "it is UTF-16, expected UTF-8"),
    ] {
        refused(body.as_bytes(), a(), &usual(), expected);
    }
    let wide = |fields: usize| vec!["x"; fields].join(",");
    refused(
        wide(65_537).as_bytes(),
        vec![placed(0, Type::Text)],
        &headless(),
        "the record on line 1 has more than 65536 fields",
    );
    assert_eq!(
        rows(&wide(65_536), vec![placed(65_535, Type::Text)], &headless()),
        [[text("x")]]
    );
    refused(
        b"1,x\n",
        vec![placed(2, Type::Text)],
        &headless(),
        "the first record has 2 fields, and a column takes field 2, counted from 0",
    );
    let lenient = Wanted {
        on_error: OnError::Null,
        ..named("c", Type::Text)
    };
    assert_eq!(rows("a\nx\n", vec![lenient], &usual()), [[Plain::Null]]);
}

#[test]
fn a_field_with_the_character_that_postgresql_cannot_hold_is_refused() {
    for body in ["a,b\n1,x\0y\n", "a,b\n1,\"x\0y\"\n"] {
        match error(body.as_bytes(), a_and_b(), &usual()) {
            Error::Value { column, reason, .. } => {
                assert_eq!(
                    (column.as_str(), reason.as_str()),
                    ("b", "text cannot hold \\u0000")
                );
            }
            other => panic!("{body:?}: {other:?}"),
        }
        let lenient = Wanted {
            on_error: OnError::Null,
            ..named("b", Type::Text)
        };
        let expected = [[Plain::Int(1), Plain::Null]];
        assert_eq!(
            rows(body, vec![named("a", Type::Int4), lenient], &usual()),
            expected
        );
    }
}

#[test]
fn a_quote_that_never_closes_is_a_body_that_was_cut_off() {
    for body in [
        "a,b\n1,\"x",
        "a,b\n1,\"x\"\"",
        "a,b\n1,\"x\n2,y\n",
        "a,b\n1,\"",
    ] {
        match error(body.as_bytes(), a_and_b(), &usual()) {
            Error::Truncated { reason, .. } => assert_eq!(
                reason, "the body ended within a quoted field of the record on line 2",
                "{body:?}"
            ),
            other => panic!("{body:?}: {other:?}"),
        }
    }
}

#[test]
fn the_keyset_is_that_of_the_last_record() {
    let key = |body: &str, layout: &Layout, field: FieldPath| {
        let plan = RowPlan::new(Vec::new(), Some(field));
        let mut collected = Collected::default();
        let end = decode_into(
            body.as_bytes(),
            &[2],
            &plan,
            layout,
            &mut Progress::default(),
            &mut collected,
        );
        end.unwrap().last_key
    };
    let a = || FieldPath::Default("a".to_owned());
    assert_eq!(
        key("a,b\n1,x\n\"2,5\",y\n", &usual(), a()).as_deref(),
        Some("2,5")
    );
    assert_eq!(key("a,b\n1,x\n,y\n", &usual(), a()), None);
    assert_eq!(key("a,b\n", &usual(), a()), None);
    let first = FieldPath::Path(vec!["0".to_owned()]);
    assert_eq!(key("1\n2", &headless(), first).as_deref(), Some("2"));
}

#[test]
fn records_that_were_handed_over_are_not_handed_over_again() {
    let body: String = (0..3000).map(|id| format!("{id},\"n\n{id}\"\n")).collect();
    let body = format!("a,b\n{body}");
    let plan = RowPlan::new(a_and_b(), None);
    let mut progress = Progress::default();
    let mut collected = Collected::default();
    let cut = &body.as_bytes()[..body.len() - 3];
    let first = decode_into(cut, &[700], &plan, &usual(), &mut progress, &mut collected);
    assert!(matches!(first, Err(Error::Truncated { .. })), "{first:?}");
    let handed = collected.rows().len();
    let mut rest = Collected::default();
    decode_into(
        body.as_bytes(),
        &[700],
        &plan,
        &usual(),
        &mut progress,
        &mut rest,
    )
    .unwrap();
    assert_eq!(handed + rest.rows().len(), 3000);
    assert_eq!(rest.rows()[0], pair(handed as i64, &format!("n\n{handed}")));
}

fn field() -> impl Strategy<Value = String> {
    "[ab,\"'\r\n ;é\u{feff}]{0,6}"
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read(
        records in (1_usize..4).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(field(), width), 1..20)),
        sizes in prop::collection::vec(1_usize..30, 1..6), crlf in any::<bool>(), always in any::<bool>(),
    ) {
        let mut writer = ::csv::WriterBuilder::new();
        writer.has_headers(false);
        if crlf {
            writer.terminator(::csv::Terminator::CRLF);
        }
        if always {
            writer.quote_style(::csv::QuoteStyle::Always);
        }
        let mut writer = writer.from_writer(Vec::new());
        let width = records[0].len();
        writer.write_record((0..width).map(|place| format!("c{place}"))).unwrap();
        for record in &records {
            writer.write_record(record).unwrap();
        }
        let body = writer.into_inner().unwrap();
        let wanted = (0..width).map(|place| named(&format!("c{place}"), Type::Text)).collect();
        let mut collected = Collected::default();
        decode_into(&body, &sizes, &RowPlan::new(wanted, None), &usual(), &mut Progress::default(), &mut collected).unwrap();
        // The writer leaves an empty field bare where it may.
        let plain = |field: &String| if field.is_empty() && !always && width > 1 { Plain::Null } else { text(field) };
        let expected: Vec<Vec<Plain>> = records.iter().map(|record| record.iter().map(plain).collect()).collect();
        prop_assert_eq!(collected.rows(), expected);
    }

    #[test]
    fn any_text_is_read_as_the_csv_crate_reads_it_or_refused(
        body in "[ab,\"\r\n]{0,24}", sizes in prop::collection::vec(1_usize..9, 1..4),
    ) {
        let plan = RowPlan::new(vec![placed(0, Type::Text)], None);
        let mut collected = Collected::default();
        let end = decode_into(body.as_bytes(), &sizes, &plan, &headless(), &mut Progress::default(), &mut collected);
        let mut oracle = ::csv::ReaderBuilder::new();
        oracle.has_headers(false);
        let oracle: Result<Vec<::csv::StringRecord>, _> = oracle.from_reader(body.as_bytes()).records().collect();
        match (end, oracle) {
            // It leaves out blank lines, which are rows where there is one column.
            (Ok(end), Ok(oracle)) if oracle.first().is_some_and(|record| record.len() > 1) => {
                prop_assert_eq!(end.rows as usize, oracle.len());
                let firsts: Vec<Vec<Plain>> = oracle.iter().map(|record| vec![text(&record[0])]).collect();
                let found = collected.rows().into_iter().map(|row| if row[0] == Plain::Null { vec![text("")] } else { row });
                prop_assert_eq!(found.collect::<Vec<_>>(), firsts);
            }
            (Ok(_), Ok(oracle)) => prop_assert!(oracle.len() <= collected.rows().len()),
            (Ok(_), Err(error)) => prop_assert!(false, "{error}"),
            (Err(_), _) => {}
        }
    }
}

//! The same as `tests`, of JSON Lines and CSV.
#![allow(clippy::unwrap_used)]

use super::tests::{context, decoded, made, notes, shown, told};
use super::{Context, Proposal, propose};
use crate::model::{Csv, Format};
use proptest::prelude::*;

/// What is proposed for a response, which the table reads.
fn proposed(content_type: &str, body: &str) -> Proposal {
    let sample = told(
        &Format::Json,
        &[("content-type", content_type)],
        body.as_bytes(),
    );
    let proposal = propose(&sample.unwrap(), &context()).unwrap();
    let end = decoded(&made(&proposal), body).unwrap();
    assert_eq!(end.rows, proposal.rows, "{}", shown(&proposal));
    proposal
}

#[test]
fn csv_is_told_by_its_media_type_or_by_its_records() {
    for (content_type, body, table) in [
        (
            "text/csv",
            "id,name\n1,a\n2,b\n",
            "id Int8, name Text | format csv, key id",
        ),
        (
            "text/csv; charset=utf-8",
            "name\na\n",
            "name Text | format csv",
        ),
        (
            "application/csv",
            "a;b\n1;2",
            "a Int4, b Int4 | format csv, csv_delimiter ;",
        ),
        (
            "text/tab-separated-values",
            "a\tb\nx, y\tz\n",
            "a Text, b Text | format csv, csv_delimiter \\t",
        ),
        (
            "text/plain",
            "a|b\r\n1|2\r\n",
            "a Int4, b Int4 | format csv, csv_delimiter |",
        ),
        (
            "",
            "\u{feff}\"a\",\"b\"\n\"1\",\"x\"\n",
            "a Int4, b Text | format csv",
        ),
        (
            "text/csv",
            "1,a\n2,b\n",
            "column_1 Int4, column_2 Text | format csv, csv_header off",
        ),
        (
            "text/csv; header=absent",
            "x,a\ny,b\n",
            "column_1 Text, column_2 Text | format csv, csv_header off",
        ),
        (
            "text/csv;header=present",
            "1,2\n3,4\n",
            "1 Int4, 2 Int4 | format csv",
        ),
        // The field 1 is not the name 1.
        (
            "text/csv",
            "x,a,a\n1,2,3\n",
            "column_1 Text, column_2 Text, column_3 Text | format csv, csv_header off",
        ),
    ] {
        assert_eq!(
            shown(&proposed(content_type, body)),
            table,
            "{content_type}: {body}"
        );
    }
    let no_header = proposed("text/csv", "1,a\n");
    assert_eq!(notes(&no_header).len(), 1, "{:?}", notes(&no_header));
}

#[test]
fn what_is_json_stays_json() {
    for (content_type, body) in [
        ("application/json", "\"a,b\""),
        ("application/geo+json", "[1]"),
        ("text/plain", "[\n1,\n2\n]"),
        ("text/plain", "{\"a\": 1,\n\"b\": [\n{}, {}]}"),
        ("text/csv-schema", "{\"a\": 1}\n"),
    ] {
        let headers = [("Content-Type", content_type)];
        let sample = told(&Format::Json, &headers, body.as_bytes()).unwrap();
        assert_eq!(sample.format, Format::Json, "{content_type}: {body}");
    }
    for body in ["a b c", "<p>a,b\n1,2", "a,b\n1,2,3\n", "a,\"b\n1,2\n"] {
        let error = told(&Format::Json, &[], body.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains("not valid JSON"), "{body}: {error}");
    }
}

#[test]
fn types_are_those_that_read_all_fields() {
    let body = "n,big,price,f,ok,at,day,u,code,mixed,empty,z\n\
        1,3000000000,1.50,1e3,true,2026-11-13T08:00:00Z,2026-11-13,1f0c8e0e-8a5e-6d0a-9f5e-0123456789ab,007,1,,\"\"\n\
        ,4,2,2.5,FALSE,2026-11-13T09:00:00+01:00,2026-11-14,1f0c8e0e-8a5e-6d0a-9f5e-0123456789ac,8,x,,\n";
    assert_eq!(
        shown(&proposed("text/csv", body)),
        "n Int4, big Int8, price Numeric, f Float8, ok Bool, at TimestampTz, day Date, u Uuid, code Text, \
         mixed Text, empty Text, z Text | format csv"
    );
    let copied = proposed("text/csv", "a,b\n\\N,x\n1,\\N\n");
    assert_eq!(shown(&copied), "a Int4, b Text | format csv, csv_null \\N");
}

#[test]
fn names_that_do_not_tell_fields_apart_are_places() {
    let csv = Format::Csv(Csv::default());
    let body = "id,First Name,a,a,,x.y\n1,b,2,3,4,5\n1,b,2,3,4,5\n";
    let sample = told(&csv, &[], body.as_bytes()).unwrap();
    let context = Context {
        format: csv,
        ..context()
    };
    let proposal = propose(&sample, &context).unwrap();
    assert_eq!(
        shown(&proposal),
        "id Int8, first_name Text (field First Name), a Int4 (field 2), a_2 Int4 (field 3), \
         column_5 Int4 (field 4), x_y Int4 (field /x.y) | "
    );
    assert_eq!(proposal.rows, 2);
}

#[test]
fn what_the_server_says_of_its_format_stands() {
    let csv = Format::Csv(Csv {
        header: false,
        null: "-".to_owned(),
        ..Csv::default()
    });
    let sample = told(
        &csv,
        &[("content-type", "application/json")],
        b"a,b\n\\N,-\n",
    )
    .unwrap();
    let context = Context {
        format: csv,
        ..context()
    };
    let proposal = propose(&sample, &context).unwrap();
    assert_eq!(shown(&proposal), "column_1 Text, column_2 Text | ");
    assert_eq!(notes(&proposal), Vec::<String>::new());
    let lines = told(&Format::JsonLines, &[], b"{\"a\": 1}").unwrap();
    assert_eq!(lines.format, Format::JsonLines);
}

#[test]
fn lines_are_told_by_their_media_type_or_by_the_first_two() {
    for (content_type, body, table) in [
        (
            "application/x-ndjson",
            "{\"id\": 1}\n",
            "id Int8 | format jsonl, key id",
        ),
        (
            "application/json",
            "{\"id\": 1, \"user\": {\"login\": \"ada\"}}\n\n{\"id\": 2}",
            "id Int8, user_login Text (field user.login) | format jsonl, key id",
        ),
        (
            "text/plain",
            "[1, \"a\"]\r\n[2, \"b\"]\r\n",
            "column_1 Int4, column_2 Text | format jsonl, rows_shape arrays",
        ),
        (
            "application/jsonl",
            "1\n2\n",
            "value Int4 (field $) | format jsonl, rows_shape values",
        ),
        (
            "",
            "\u{1e}{\"a\": 1}\n\u{1e}{\"a\": 2}\n",
            "a Int4 | format jsonl",
        ),
    ] {
        assert_eq!(
            shown(&proposed(content_type, body)),
            table,
            "{content_type}: {body}"
        );
    }
}

#[test]
fn bare_bodies_without_rows_have_no_table() {
    for (content_type, body) in [
        ("text/csv", ""),
        ("text/csv", "a,b\n"),
        ("application/x-ndjson", ""),
        ("application/x-ndjson", "\n\n"),
    ] {
        let headers = [("content-type", content_type)];
        let sample = told(&Format::Json, &headers, body.as_bytes()).unwrap();
        let error = propose(&sample, &context()).unwrap_err();
        assert_eq!(error, "the response has no rows", "{body:?}");
    }
}

#[test]
fn what_could_lose_rows_is_an_error_as_of_a_scan() {
    for (content_type, body, reason) in [
        (
            "text/csv",
            "a,b\n1,2\n3\n",
            "the record on line 3 has 1 field, expected 2",
        ),
        (
            "text/csv",
            "a,b\n1,\"2\n",
            "the body ended within a quoted field of the record on line 2",
        ),
        (
            "application/x-ndjson",
            "{\"a\": 1}\n{\"a\": \n",
            "the document ends too early",
        ),
    ] {
        let headers = [("content-type", content_type)];
        let error = told(&Format::Json, &headers, body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{body:?}: {error}");
    }
}

#[test]
fn a_long_file_is_read_beyond_what_its_format_is_told_by() {
    let mut body = "id,name\n".to_owned();
    (0..20_000).for_each(|id| body += &format!("{id},a name\n"));
    body += "20000000000000000000,last\n";
    let proposal = proposed("text/plain", &body);
    assert_eq!(proposal.rows, 20_001);
    assert_eq!(
        shown(&proposal),
        "id Numeric, name Text | format csv, key id"
    );
    let wide: Vec<String> = (0..1000).map(|n| format!("c{n}")).collect();
    let wide = format!("{}\n{}\n", wide.join(","), vec!["1"; 1000].join(","));
    let proposal = proposed("text/csv", &wide);
    assert_eq!(proposal.columns.len(), 500);
    assert_eq!(
        notes(&proposal),
        ["the records have 1000 fields, of which the first 500 are columns"]
    );
}

fn fields() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c0-9]{0,2}",
        "-?[0-9]{1,20}(\\.[0-9]{0,3})?(e[0-9]{1,2})?",
        "2026-1[0-3]-1[0-9](T08:00:00Z?)?",
        "true|FALSE|id|name|\\\\N|NULL",
        "[ -~\n\r\t]{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn what_is_proposed_for_csv_reads_it(
        rows in (1..5_usize).prop_flat_map(|width| {
            proptest::collection::vec(proptest::collection::vec(fields(), width), 1..6)
        }),
        delimiter in prop_oneof![Just(","), Just(";"), Just("\t")],
    ) {
        let field = |text: &String| match text.contains(['"', ',', ';', '\t', '|', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.clone(),
        };
        let record = |row: &Vec<String>| row.iter().map(field).collect::<Vec<_>>().join(delimiter);
        let body = rows.iter().map(|row| record(row) + "\n").collect::<String>();
        let headers = [("content-type", "text/csv")];
        // A field in quotes that begins after a blank, and the like, are no CSV.
        let Ok(sample) = told(&Format::Json, &headers, body.as_bytes()) else { return Ok(()) };
        if let Ok(proposal) = propose(&sample, &context()) {
            match decoded(&made(&proposal), &body) {
                Ok(end) => prop_assert_eq!(end.rows, proposal.rows, "{}", shown(&proposal)),
                Err(error) => prop_assert!(false, "{}: {} of {:?}", error, shown(&proposal), body),
            }
        }
    }

    #[test]
    fn what_is_proposed_for_any_text_reads_it(
        body in prop_oneof![
            "[,;|\t\n\r\"{}\\[\\]:0-9a-c ]{0,40}",
            "[ -~\n\r\t\u{1e}\u{feff}é]{0,60}",
            "([{\\[][\"a:1,]{0,6}[}\\]]\r?\n){0,4}",
        ],
        content_type in "text/(csv|plain|tab-separated-values)|application/(json|x-ndjson)|",
    ) {
        let headers = [("content-type", content_type.as_str())];
        let Ok(sample) = told(&Format::Json, &headers, body.as_bytes()) else { return Ok(()) };
        if let Ok(proposal) = propose(&sample, &context()) {
            match decoded(&made(&proposal), &body) {
                Ok(end) => prop_assert_eq!(end.rows, proposal.rows, "{}", shown(&proposal)),
                Err(error) => prop_assert!(false, "{}: {} of {:?}", error, shown(&proposal), body),
            }
        }
    }
}

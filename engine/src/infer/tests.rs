//! Responses, and the tables that are proposed for them: every table reads its own response.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Context, Proposal, Sample, propose};
use crate::Result;
use crate::decode::{
    Batch, Envelope, Layout, PageEnd, Progress, RowPlan, Sink, Wanted, decode_page,
};
use crate::error::Exchange;
use crate::model::options::{ColumnDefinition, Definition, table};
use crate::model::{Format, Role, RowsShape, Table, Type};
use proptest::prelude::*;
use serde_json::value::RawValue;

fn sample(headers: &[(&str, &str)], body: &str) -> Sample {
    told(&Format::Json, headers, body.as_bytes()).unwrap()
}

pub(super) fn told(format: &Format, headers: &[(&str, &str)], body: &[u8]) -> Result<Sample> {
    let headers = headers.iter();
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let exchange = Exchange {
        request: "GET https://api.test/items".to_owned(),
        ..Exchange::default()
    };
    Sample::read(&headers, format, &mut { body }, &exchange)
}

pub(super) fn context() -> Context<'static> {
    Context {
        reserved: vec!["xmin"],
        longest_name: 63,
        ..Context::default()
    }
}

fn proposed(body: &str) -> Proposal {
    propose(&sample(&[], body), &context()).unwrap()
}

/// `id Int4, login Text (field user.login) | rows $, key id`
pub(super) fn shown(proposal: &Proposal) -> String {
    let options = |options: &[(String, String)]| {
        let options = options.iter();
        let shown: Vec<String> = options
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        shown.join(", ")
    };
    let columns = proposal.columns.iter().map(|column| {
        let own = options(&column.options);
        let own = if own.is_empty() {
            own
        } else {
            format!(" ({own})")
        };
        format!("{} {:?}{own}", column.name, column.ty)
    });
    let columns: Vec<String> = columns.collect();
    format!("{} | {}", columns.join(", "), options(&proposal.options))
}

pub(super) fn notes(proposal: &Proposal) -> Vec<String> {
    proposal
        .notes
        .iter()
        .map(|note| note.text.clone())
        .collect()
}

/// The table that the options of a proposal make.
pub(super) fn made(proposal: &Proposal) -> Table {
    let columns: Vec<ColumnDefinition> = proposal
        .columns
        .iter()
        .map(|column| ColumnDefinition {
            name: column.name.clone(),
            ty: column.ty.clone(),
            not_null: false,
            options: column.options.clone(),
            type_name: format!("{:?}", column.ty),
        })
        .collect();
    let mut own = proposal.options.clone();
    own.push(("endpoint".to_owned(), "/items".to_owned()));
    let definition = Definition {
        table_name: "items",
        server_name: "api",
        server: &vec![("base_url".to_owned(), "https://api.test".to_owned())],
        table: &own,
        columns: &columns,
        version: "0",
    };
    table(&definition).unwrap_or_else(|error| panic!("{error}: {}", shown(proposal)))
}

#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn first_row(&mut self, _: &Envelope) -> crate::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> crate::Result<()> {
        self.0 += batch.rows;
        Ok(())
    }
}

/// Reads a response with the table that was proposed for it.
pub(super) fn decoded(table: &Table, body: &str) -> crate::Result<PageEnd> {
    let by_place = match (&table.format, &table.shape) {
        (Format::Csv(csv), _) => !csv.header,
        (_, RowsShape::Arrays { columns_field }) => columns_field.is_none(),
        _ => false,
    };
    let wanted = table.columns.iter().enumerate().map(|(index, column)| {
        let Role::Field(field) = &column.role else {
            panic!("{column:?}")
        };
        Wanted {
            column: column.name.clone(),
            field: field.clone(),
            ty: column.ty.clone(),
            format: column.format.clone(),
            on_error: column.on_error,
            position: by_place.then_some(index),
        }
    });
    let plan = RowPlan::new(wanted.collect(), None);
    let layout = Layout {
        format: table.format.clone(),
        rows: table.rows.clone(),
        shape: table.shape.clone(),
        envelope: Vec::new(),
    };
    let (exchange, mut progress, mut sink) =
        (Exchange::default(), Progress::default(), Count::default());
    decode_page(
        &mut body.as_bytes(),
        &plan,
        &layout,
        &exchange,
        0,
        &mut progress,
        &mut sink,
    )
}

#[track_caller]
fn is_proposed(body: &str, expected: &str) {
    let proposal = proposed(body);
    assert_eq!(shown(&proposal), expected, "{body}");
    let end = decoded(&made(&proposal), body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(end.rows, proposal.rows, "{body}");
}

#[test]
fn rows_are_found_in_every_shape() {
    for (body, expected) in [
        (r#"[{"id": 1}, {"id": 2}]"#, "id Int8 | rows $, key id"),
        (r#"[{"id": 1}, {"id": 1}]"#, "id Int8 | rows $"),
        (r#"[{"id": 1}, {"id": null}]"#, "id Int8 | rows $"),
        (r#"[{"id": 1}, {}]"#, "id Int8 | rows $"),
        (r#"{"data": [{"a": 1}], "total": 1}"#, "a Int4 | rows data"),
        (
            r#"{"data": {"items": [{"a": 1}]}}"#,
            "a Int4 | rows data.items",
        ),
        (
            r#"{"a": {"b": {"c": [{"x": true}]}}}"#,
            "x Bool | rows a.b.c",
        ),
        (
            r#"{"errors": [{"m": 1}], "items": [{"a": 1}]}"#,
            "a Int4 | rows items",
        ),
        (
            r#"{"few": [{"m": 1}], "many": [{"a": 1}, {"a": 2}]}"#,
            "a Int4 | rows many",
        ),
        (
            r#"{"@odata.context": "x", "value": [{"a": 1}]}"#,
            "a Int4 | rows value",
        ),
        (r#"{"x.y": [{"a": 1}]}"#, "a Int4 | rows /x.y"),
        (
            r#"[[1, "a"], [2, null], []]"#,
            "column_1 Int4, column_2 Text | rows $, rows_shape arrays",
        ),
        (
            r#"{"columns": ["id", "createdBy"], "rows": [[1, "ada"], [2, "bob"]]}"#,
            "id Int8, created_by Text (field createdBy) | rows rows, rows_shape arrays, columns_field columns",
        ),
        (
            r#"{"meta": {"fields": [{"name": "n"}, {"name": "m"}]}, "data": {"rows": [[7, 1]]}}"#,
            "n Int4, m Int4 | rows data.rows, rows_shape arrays, columns_field meta.fields",
        ),
        (
            r#"{"rows": [[1, "ada"]], "columns": ["id", "createdBy"]}"#,
            "id Int8, created_by Text | rows rows, rows_shape arrays",
        ),
        (
            r#"{"EUR": {"rate": 1.1}, "USD": {"rate": 1}, "DKK": {"rate": 7.5}}"#,
            "key Text (field @key), rate Numeric | rows $, rows_shape map, key key",
        ),
        (
            r#"{"rates": {"a": {"key": 1}, "b": {"key": 2}, "c": {"key": 3}}, "base": "x"}"#,
            "key Text (field @key), key_2 Int4 (field key) | rows rates, rows_shape map, key key",
        ),
        (
            r#"["a", "b"]"#,
            "value Text (field $) | rows $, rows_shape values",
        ),
        (
            r#"{"data": [1, 2.5]}"#,
            "value Numeric (field $) | rows data, rows_shape values",
        ),
        (r#"42"#, "value Int4 (field $) | rows $, rows_shape single"),
        (
            r#"{"id": 7, "name": "x", "tags": ["a"], "parts": [{"n": 1}]}"#,
            "id Int8, name Text, tags Array(Text), parts Json | rows $, rows_shape single",
        ),
        (
            r#"{"data": {"id": 7, "name": "x"}, "ok": true}"#,
            "id Int8, name Text | rows data, rows_shape single",
        ),
        (r#"[{}, {}]"#, "document Json (field $) | rows $"),
        (
            r#"[{"a": 1}, null]"#,
            "value Json (field $) | rows $, rows_shape values",
        ),
    ] {
        is_proposed(body, expected);
    }
}

#[test]
fn types_hold_every_value_of_the_page() {
    let cases = [
        ("1, 2", "Int4"),
        ("1, 3000000000", "Int8"),
        ("1, 30000000000000000000", "Numeric"),
        ("1, 2.50", "Numeric"),
        ("0.1, 0.30000000000000004", "Float8"),
        ("1, 1e5", "Float8"),
        ("0.12345678901234567890", "Numeric"),
        ("true, false, null", "Bool"),
        (
            "\"2026-11-13T08:00:00Z\", \"2026-11-13T08:00:00.5+02:00\"",
            "TimestampTz",
        ),
        (
            "\"2026-11-13T08:00:00\", \"2026-11-13 08:00:00\"",
            "Timestamp",
        ),
        ("\"2026-11-13\", null", "Date"),
        ("\"2026-11-13\", \"2026-11-13T08:00:00Z\"", "Text"),
        ("\"2026-11-13\", \"\"", "Text"),
        ("\"2026-02-30\"", "Text"),
        ("\"1f0c8e0e-8a5e-6d0a-9f5e-0123456789ab\"", "Uuid"),
        ("\"1f0c8e0e8a5e6d0a9f5e0123456789ab\"", "Text"),
        ("\"1\", 2, true", "Text"),
        ("\"1\", [2]", "Json"),
        ("\"1\", {}", "Json"),
        ("null, null", "Text"),
        ("[1, 2], []", "Array(Int8)"),
        ("[0.5, 1]", "Array(Numeric)"),
        ("[\"a\", null]", "Array(Text)"),
        ("[true]", "Array(Bool)"),
        ("[\"a\", 1]", "Json"),
        ("[[1], [2]]", "Json"),
        ("[{}]", "Json"),
        ("[]", "Json"),
        ("{}", "Json"),
    ];
    for (values, ty) in cases {
        let values = format!("[{values}]");
        let values: Vec<&RawValue> = serde_json::from_str(&values).unwrap();
        let rows = values.iter().map(|value| format!("{{\"v\": {value}}}"));
        let rows: Vec<String> = rows.collect();
        is_proposed(
            &format!("[{}]", rows.join(",")),
            &format!("v {ty} | rows $"),
        );
    }
}

#[test]
fn objects_become_columns_two_levels_deep() {
    is_proposed(
        r#"[{"user": {"login": "a", "org": {"id": 5, "plan": {"name": "x"}}}}, {"user": null}, {}]"#,
        "user_login Text (field user.login), user_org_id Int8 (field user.org.id), user_org_plan Json (field user.org.plan) | rows $",
    );
    is_proposed(r#"[{"a": {"b": 1}}, {"a": 2}]"#, "a Json | rows $");
    let labels: Vec<String> = (0..40)
        .map(|n| format!("{{\"labels\": {{\"l{n}\": 1}}}}"))
        .collect();
    is_proposed(&format!("[{}]", labels.join(",")), "labels Json | rows $");
}

#[test]
fn names_are_unique_and_lead_back_to_their_members() {
    is_proposed(
        r#"[{"createdAt": 1, "created_at": 2, "order": 3, "xmin": 4, "a.b": 5, "a": {"b": 6}, "": 7, "$": 8}]"#,
        "created_at Int4 (field createdAt), created_at_2 Int4 (field created_at), order Int4, xmin_2 Int4 (field xmin), a_b Int4 (field /a.b), a_b_2 Int4 (field a.b), value Int4 (field /), value_2 Int4 (field /$) | rows $",
    );
    // Without the option `field` the column would also read the other member.
    is_proposed(
        r#"[{"created_at": 2}, {"createdAt": 1}]"#,
        "created_at Int4 (field created_at), created_at_2 Int4 (field createdAt) | rows $",
    );
}

#[test]
fn what_is_likely_is_noted() {
    let note = |body: &str| proposed(body).columns[0].note.clone().unwrap_or_default();
    assert_eq!(
        note(r#"[{"created": 1700000000}, {"created": null}]"#),
        "seconds since 1970? Then timestamptz OPTIONS (..., format 'unix')"
    );
    assert_eq!(
        note(r#"[{"updatedAt": 1700000000123}]"#),
        "milliseconds since 1970? Then timestamptz OPTIONS (..., format 'unix_ms')"
    );
    assert_eq!(note(r#"[{"size": 1700000000}]"#), "");
    assert_eq!(note(r#"[{"at": 17}]"#), "");
    assert_eq!(note(r#"[{"x": null}]"#), "always null in this page");
    assert!(note(r#"[{"x": "a\u0000b"}]"#).contains("on_error 'null'"));
    assert!(note(r#"[{"x": "\ud800"}]"#).contains("on_error 'null'"));
    let several = proposed(r#"{"users": [{"id": 1}], "teams": [{"id": 2}, {"id": 3}]}"#);
    assert_eq!(
        notes(&several),
        [
            "there are other arrays of objects in the response, which would be other tables: rows 'users'"
        ]
    );
}

#[test]
fn pages_are_declared_where_the_response_links_them() {
    let declared = |headers: &[(&str, &str)], body: &str| {
        let proposal = propose(&sample(headers, body), &context()).unwrap();
        made(&proposal);
        shown(&proposal).split_once(" | ").unwrap().1.to_owned()
    };
    let rows = r#"[{"a": 1}]"#;
    let link = "<https://api.test/items?page=2>; rel=\"next\"";
    assert_eq!(declared(&[("link", link)], rows), "rows $, pagination link");
    assert_eq!(declared(&[("link", "<x>; rel=\"last\"")], rows), "rows $");
    for (body, path) in [
        (
            r#"{"next": "https://api.test/items?page=2", "results": [{"a": 1}]}"#,
            "next",
        ),
        (
            r#"{"results": [{"a": 1}], "links": {"next": {"href": "/items?page=2"}}}"#,
            "links.next.href",
        ),
        (
            r#"{"@odata.nextLink": "/x", "value": [{"a": 1}]}"#,
            "/@odata.nextLink",
        ),
    ] {
        let expected = format!("pagination next_url, next_url_field {path}");
        assert!(
            declared(&[], body).ends_with(&expected),
            "{}",
            declared(&[], body)
        );
    }
    for one_page in [
        r#"{"next": null, "results": [{"a": 1}]}"#,
        r#"{"results": [{"a": 1, "next": "/items/2"}]}"#,
        r#"{"count": 1, "results": [{"a": 1}]}"#,
    ] {
        assert_eq!(declared(&[], one_page), "rows results", "{one_page}");
        assert_eq!(notes(&proposed(one_page)), [""; 0], "{one_page}");
    }
}

#[test]
fn pages_that_are_likely_are_notes_with_options() {
    for (headers, body, options) in [
        (
            &[][..],
            r#"{"data": [{"a": 1}], "meta": {"next_cursor": "abc"}}"#,
            "pagination cursor, cursor_param cursor, cursor_field meta.next_cursor",
        ),
        (
            &[],
            r#"{"data": [{"a": 1}], "has_more": true}"#,
            "pagination page, page_param page, has_more_field has_more",
        ),
        (
            &[],
            r#"{"data": [{"a": 1}], "page": 1, "total_pages": 7}"#,
            "pagination page, page_param page, page_count_field total_pages",
        ),
        (
            &[],
            r#"{"data": [{"a": 1}], "offset": 0, "limit": 1, "total": 7}"#,
            "pagination offset, offset_param offset, total_field total",
        ),
        (
            &[("x-total-count", "95")],
            r#"[{"a": 1}]"#,
            "pagination page, page_param page, total_header x-total-count",
        ),
    ] {
        let mut proposal = propose(&sample(headers, body), &context()).unwrap();
        assert!(!shown(&proposal).contains("pagination"), "{body}");
        let note = proposal.notes.remove(0);
        assert!(
            note.text.starts_with("there is more than this page: "),
            "{}",
            note.text
        );
        let shown: Vec<String> = note
            .options
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        assert_eq!(shown.join(", "), options);
        proposal.options.extend(note.options);
        made(&proposal);
    }
    let hundred: Vec<String> = (0..100).map(|n| format!("{{\"a\": {n}}}")).collect();
    let hundred = proposed(&format!("[{}]", hundred.join(",")));
    assert!(
        notes(&hundred)[0].contains("100 rows may be a first page"),
        "{hundred:?}"
    );
}

#[test]
fn a_servers_options_stand() {
    let body = r#"{"few": [{"m": 1}], "next": "/x", "many": [{"a": 1}, {"a": 2}]}"#;
    let context = Context {
        rows: Some(vec!["few".to_owned()]),
        is_paged: true,
        ..context()
    };
    let proposal = propose(&sample(&[], body), &context).unwrap();
    assert_eq!(shown(&proposal), "m Int4 | rows few");
}

#[test]
fn what_has_no_rows_has_no_table() {
    for body in [
        "[]",
        "null",
        r#"{"data": []}"#,
        r#"{"data": {"items": []}, "total": 0}"#,
    ] {
        let error = propose(&sample(&[], body), &context()).unwrap_err();
        assert_eq!(error, "the response has no rows", "{body}");
    }
    let empty = Sample {
        body: None,
        ..sample(&[], "1")
    };
    assert_eq!(
        propose(&empty, &context()).unwrap_err(),
        "the response has no content"
    );
}

#[test]
fn what_is_no_json_is_an_error_that_says_where() {
    for (body, reason) in [
        ("", "the document ends too early"),
        ("[{\"a\": 1}", "the document ends too early"),
        ("<html>", "it is not valid JSON (line 1, column 1)"),
        ("[1] x", "it is not valid JSON (line 1, column 5)"),
        (
            "{\"a\": [1,\n 2,, 3]}",
            "it is not valid JSON (line 2, column 4)",
        ),
    ] {
        let error = told(&Format::Json, &[], body.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("could not read the response: {reason}"),
            "{body}"
        );
    }
    assert!(told(&Format::Json, &[], "\u{feff}[1]".as_bytes()).is_ok());
}

#[test]
fn hostile_documents_cost_little() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(propose(&sample(&[], &deep), &context()).is_ok());
    let members: Vec<String> = (0..100_000)
        .map(|n| format!("\"k{n}\": {{\"v{n}\": {{\"w{n}\": 1}}}}"))
        .collect();
    let wide = sample(&[], &format!("[{{{}}}]", members.join(",")));
    assert!(serde_json::to_vec(&wide).unwrap().len() < 20 << 20);
    assert!(propose(&wide, &context()).unwrap().columns.len() <= 500);
}

/// Any JSON document, most of them with something like rows in it.
fn documents() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let text = prop_oneof![
        "[a-z]{0,3}".prop_map(Value::from),
        Just(json!("2026-11-13")),
        Just(json!("2026-11-13T08:00:00Z")),
        Just(json!("1f0c8e0e-8a5e-6d0a-9f5e-0123456789ab")),
    ];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |value| serde_json::Number::from_f64(value)
            .map(Value::from)),
        text,
    ];
    scalar.prop_recursive(5, 60, 6, |inner| {
        let name = prop_oneof![
            "[a-cA-C_]{1,2}",
            "id|data|items|rows|next|columns|x\\.y|0|1",
            "[ -~]{0,3}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner.clone(), 0..5).prop_map(
                |members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())
            ),
            // Rows that resemble each other.
            (
                proptest::collection::vec(name, 1..4),
                proptest::collection::vec(proptest::collection::vec(inner, 4), 1..4)
            )
                .prop_map(|(names, rows)| {
                    let row = |values: Vec<Value>| {
                        Value::from(
                            names
                                .iter()
                                .cloned()
                                .zip(values)
                                .collect::<serde_json::Map<_, _>>(),
                        )
                    };
                    Value::from(rows.into_iter().map(row).collect::<Vec<_>>())
                }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn what_is_proposed_reads_its_own_response(document in documents()) {
        let body = document.to_string();
        if let Ok(proposal) = propose(&sample(&[], &body), &context()) {
            let table = made(&proposal);
            prop_assert!(!table.columns.is_empty());
            prop_assert!(table.columns.iter().all(|column| column.ty != Type::Other && !column.not_null && column.filters.is_empty()));
            match decoded(&table, &body) {
                Ok(end) => prop_assert_eq!(end.rows, proposal.rows, "{}", shown(&proposal)),
                Err(error) => prop_assert!(false, "{}: {}", error, shown(&proposal)),
            }
        }
    }
}

//! Options as anybody may write them: refused with a message, or a table from which requests can be made.
#![no_main]

use arbitrary::Arbitrary;
use fuzz::table;
use libfuzzer_sys::fuzz_target;
use rest_engine::model::Type;
use rest_engine::model::options::{Level, validate};
use rest_engine::pagination::Pager;
use rest_engine::request::Inputs;
use std::sync::Arc;

const TABLE: [&str; 40] = [
    "endpoint",
    "query",
    "headers",
    "method",
    "body",
    "body_type",
    "format",
    "dialect",
    "operators",
    "filter_param",
    "filter_template",
    "max_list_size",
    "max_url_length",
    "rows",
    "rows_shape",
    "columns_field",
    "pagination",
    "page_size",
    "page_size_param",
    "max_page_size",
    "page_param",
    "first_page",
    "offset_param",
    "cursor_param",
    "cursor_field",
    "cursor_header",
    "cursor_column",
    "next_url_field",
    "has_more_field",
    "total_field",
    "total_header",
    "sort_param",
    "sort_style",
    "max_sort_keys",
    "fields_param",
    "key",
    "empty_on",
    "error_field",
    "entity_endpoint",
    "latency",
];
const COLUMN: [&str; 11] = [
    "field",
    "filter",
    "param",
    "param_in",
    "required",
    "default",
    "format",
    "on_error",
    "collation",
    "sort",
    "sort_nulls",
];
const SERVER: [&str; 14] = [
    "base_url",
    "user_agent",
    "accept",
    "auth",
    "api_key_name",
    "api_key_in",
    "auth_scheme",
    "connect_timeout",
    "timeout",
    "max_retries",
    "retry_on",
    "max_pages",
    "rate_limit",
    "max_response_bytes",
];

#[derive(Debug, Arbitrary)]
struct Input {
    table: Vec<(u8, String)>,
    column: Vec<(u8, String)>,
    server: Vec<(u8, String)>,
}

fn named<'a>(names: &[&'a str], given: &'a [(u8, String)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (index, value) in given {
        let name = names[usize::from(*index) % names.len()];
        if pairs.iter().all(|(other, _)| *other != name) {
            pairs.push((name, value));
        }
    }
    pairs
}

fn is_valid(level: Level, pairs: &[(&str, &str)]) -> bool {
    let owned: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    match validate(level, &owned, false) {
        Ok(()) => true,
        Err(error) => {
            assert!(!error.message.is_empty());
            false
        }
    }
}

fuzz_target!(|input: Input| {
    let server = named(&SERVER, &input.server);
    is_valid(Level::Server, &server);
    let mut own = named(&TABLE, &input.table);
    if own.iter().all(|(name, _)| *name != "endpoint") {
        own.push(("endpoint", "/items/{id}"));
    }
    let column = named(&COLUMN, &input.column);
    let are_valid = [
        is_valid(Level::Table, &own),
        is_valid(Level::Column, &column),
    ];
    if are_valid.contains(&false) {
        return;
    }
    let columns = [
        ("id", Type::Int8, [].as_slice()),
        ("a", Type::Text, column.as_slice()),
    ];
    let Ok(table) = table(&own, &columns) else {
        return;
    };
    let inputs = Inputs {
        path: vec![
            ("id".to_owned(), "7".to_owned()),
            ("a".to_owned(), "x".to_owned()),
        ],
        query: vec![("q".to_owned(), "v".to_owned())],
        ..Inputs::default()
    };
    if let Ok(request) =
        Pager::new(Arc::new(table), inputs, Some(3)).and_then(|pager| pager.first())
    {
        let _ = request.redacted();
    }
});

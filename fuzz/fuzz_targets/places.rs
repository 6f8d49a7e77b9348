//! A value in a path, a query, a header or a body stays there: another parser reads it back as it was.
#![no_main]

use arbitrary::Arbitrary;
use fuzz::{Column, parts, request, table};
use libfuzzer_sys::fuzz_target;
use rest_engine::Error;
use rest_engine::model::Type;

#[derive(Debug, Arbitrary)]
struct Input {
    posted: u8,
    path: String,
    query: String,
    header: String,
    member: String,
    filtered: String,
}

const COLUMNS: [Column<'static>; 5] = [
    ("p", Type::Text, &[]),
    ("q", Type::Text, &[("param", "q")]),
    ("h", Type::Text, &[("param", "X-H"), ("param_in", "header")]),
    ("m", Type::Text, &[("param", "m"), ("param_in", "body")]),
    ("f", Type::Text, &[("filter", "= f[x]&")]),
];

fn options(posted: u8) -> Vec<(&'static str, &'static str)> {
    let mut options = vec![("endpoint", "/a/{p}/x-{p}/z"), ("pagination", "none")];
    match posted % 4 {
        0 => options.extend([("method", "POST")]),
        1 => options.extend([("method", "POST"), ("body_type", "form")]),
        2 => options.extend([
            ("method", "POST"),
            ("body", r#"{"v": {{ params.m }}, "w": [{{ params.m }}]}"#),
        ]),
        _ => {}
    }
    options
}

fuzz_target!(|input: Input| {
    // No text of PostgreSQL has a NUL.
    let plain = |text: &str| text.replace('\0', "");
    let values = [
        &input.path,
        &input.query,
        &input.header,
        &input.member,
        &input.filtered,
    ]
    .map(|text| plain(text));
    let table = table(&options(input.posted), &COLUMNS);
    let Ok(table) = table else { return };
    let columns: Vec<(usize, &str)> = values.iter().map(String::as_str).enumerate().collect();
    let request = match request(&table, &columns) {
        Ok(Some(request)) => request,
        Ok(None) | Err(Error::Unsendable { .. } | Error::MissingParameters(_)) => return,
        Err(other) => panic!("{other}"),
    };
    let [path, query, header, ..] = &values;
    let (segments, pairs) = parts(&request);
    assert_eq!(segments, ["v1", "a", path, &format!("x-{path}"), "z"]);
    for (name, value) in &pairs {
        assert!(
            matches!(name.as_str(), "q" | "f[x]&" | "m"),
            "{name}={value}"
        );
    }
    assert!(pairs.iter().any(|pair| pair.0 == "q" && pair.1 == *query) || request.body.is_some());
    for (name, value) in &request.headers {
        let is_ours = name == "X-H";
        assert!(
            !is_ours || (value == header && !value.contains(['\r', '\n'])),
            "{name}: {value}"
        );
    }
    if let (Some(body), 0 | 2) = (&request.body, input.posted % 4) {
        serde_json::from_str::<serde_json::Value>(body).expect("a body in JSON");
    }
});

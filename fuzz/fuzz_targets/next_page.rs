//! What an API says of the next page leads nowhere but to the own origin, as another parser reads the URL.
#![no_main]

use arbitrary::Arbitrary;
use fuzz::{own_url, table};
use libfuzzer_sys::fuzz_target;
use rest_engine::decode::{Envelope, Scalar};
use rest_engine::model::Type;
use rest_engine::pagination::{Decision, PageFacts, Pager, Stage};
use rest_engine::request::Inputs;
use std::sync::Arc;

#[derive(Debug, Arbitrary)]
struct Input {
    style: u8,
    link: String,
    location: String,
    next: Value,
    more: Value,
    total: Value,
    rows: u8,
    last_key: Option<String>,
    /// Where the page itself came from.
    below: String,
}

#[derive(Debug, Arbitrary)]
enum Value {
    None,
    Null,
    Bool(bool),
    Number(u32),
    Text(String),
    Other,
}

const STYLES: [&[(&str, &str)]; 8] = [
    &[],
    &[("pagination", "link")],
    &[("pagination", "next_url"), ("next_url_field", "next")],
    &[("pagination", "next_url"), ("next_url_header", "X-Next")],
    &[
        ("pagination", "cursor"),
        ("cursor_param", "c"),
        ("cursor_field", "next"),
    ],
    &[
        ("pagination", "cursor"),
        ("cursor_param", "c"),
        ("cursor_header", "X-Next"),
    ],
    &[
        ("pagination", "keyset"),
        ("cursor_param", "c"),
        ("cursor_column", "id"),
    ],
    &[
        ("pagination", "offset"),
        ("total_field", "total"),
        ("has_more_field", "more"),
    ],
];

fn envelope(input: &Input) -> Envelope {
    let mut envelope = Envelope::default();
    for (name, value) in [
        ("next", &input.next),
        ("more", &input.more),
        ("total", &input.total),
    ] {
        let scalar = match value {
            Value::None => continue,
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Number(value) => Scalar::Number(value.to_string()),
            Value::Text(text) => Scalar::Text(text.clone()),
            Value::Other => Scalar::Other,
        };
        envelope.insert(vec![name.to_owned()], scalar);
    }
    envelope
}

fuzz_target!(|input: Input| {
    let style = STYLES[usize::from(input.style) % STYLES.len()];
    let options = [&[("endpoint", "/items"), ("rows", "items")], style].concat();
    let table = table(&options, &[("id", Type::Text, &[])]).expect("good options");
    let mut pager = Pager::new(Arc::new(table), Inputs::default(), None).expect("a first page");
    let headers = [
        ("link".to_owned(), input.link.clone()),
        ("x-next".to_owned(), input.location.clone()),
    ];
    let url = format!(
        "https://api.test/v1/{}",
        input.below.escape_default().to_string().replace('\\', "-")
    );
    let envelope = envelope(&input);
    for stage in [Stage::Headers, Stage::FirstRow, Stage::Page] {
        let facts = PageFacts {
            stage,
            status: 200,
            url: &url,
            headers: &headers,
            envelope: (stage == Stage::Page).then_some(&envelope),
            rows: input.rows.into(),
            last_key: input.last_key.as_deref(),
        };
        match pager.next(&facts) {
            Ok(Decision::NotYet) => assert!(stage != Stage::Page),
            Ok(Decision::Next(request)) => {
                own_url(&request.url);
                assert!(!request.redacted().contains('\n'));
                return;
            }
            Ok(Decision::End(_)) | Err(_) => return,
        }
    }
});

//! What an API says of the next page leads nowhere but to the own origin, as another parser reads the URL.
#![no_main]

use fuzz::{own_url, table};
use libfuzzer_sys::fuzz_target;
use rest_engine::decode::{Envelope, Scalar};
use rest_engine::model::Type;
use rest_engine::pagination::{Decision, PageFacts, Pager, Stage};
use rest_engine::request::Inputs;
use std::sync::Arc;

/// Four bytes, and lines of text.
struct Input<'a> {
    style: u8,
    rows: u8,
    /// What the envelope has for `next`, `more` and `total`.
    kinds: [u8; 2],
    link: &'a str,
    location: &'a str,
    value: &'a str,
    last_key: Option<&'a str>,
    /// Where the page itself came from.
    below: &'a str,
}

impl<'a> Input<'a> {
    fn read(data: &'a [u8]) -> Option<Input<'a>> {
        let ([style, rows, kinds @ ..], text) = data.split_first_chunk::<4>()?;
        let mut lines = std::str::from_utf8(text).ok()?.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        Some(Input {
            style: *style,
            rows: *rows,
            kinds: *kinds,
            link: next(),
            location: next(),
            value: next(),
            below: next(),
            last_key: lines.next(),
        })
    }

    fn scalar(&self, kind: u8) -> Option<Scalar> {
        Some(match kind % 8 {
            0 => return None,
            1 => Scalar::Null,
            2 | 3 => Scalar::Bool(kind.is_multiple_of(2)),
            4 => Scalar::Number(self.rows.to_string()),
            5 => Scalar::Other,
            _ => Scalar::Text(self.value.to_owned()),
        })
    }
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
    let [next, others] = input.kinds;
    for (name, kind) in [("next", next), ("more", others), ("total", others / 8)] {
        if let Some(scalar) = input.scalar(kind) {
            envelope.insert(vec![name.to_owned()], scalar);
        }
    }
    envelope
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else {
        return;
    };
    let style = STYLES[usize::from(input.style) % STYLES.len()];
    let options = [&[("endpoint", "/items"), ("rows", "items")], style].concat();
    let table = table(&options, &[("id", Type::Text, &[])]).expect("good options");
    let mut pager = Pager::new(Arc::new(table), Inputs::default(), None).expect("a first page");
    let headers = [
        ("link".to_owned(), input.link.to_owned()),
        ("x-next".to_owned(), input.location.to_owned()),
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
            last_key: input.last_key,
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

//! Endpoints, templates of parameters, bodies and filters, paths of fields: refused with a message, or a value stays where
//! the template has its place. What another value makes of the same template says where that is.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fuzz::{own_url, parts, request, table};
use libfuzzer_sys::fuzz_target;
use rest_engine::Error;
use rest_engine::decode::{
    Batch, Cell, Envelope, Layout, Progress, RowPlan, Sink, Wanted, decode_page,
};
use rest_engine::error::Exchange;
use rest_engine::model::{FieldPath, Format, OnError, Role, RowsPath, RowsShape, Table, Type};
use rest_engine::request::Request;
use serde_json::{Value, json};

/// What stands in the other value's place.
const MARK: &str = "Zq9mark";

/// The same request with the value, and with the mark.
struct Both {
    value: Request,
    mark: Request,
}

/// `None`: the table is refused, or does not send the value.
fn both(options: &[(&str, &str)], column: &[(&str, &str)], value: &str) -> Option<Both> {
    let table = accepted(options, column)?;
    let made = |text: &str| match request(&table, &[(0, text)]) {
        Ok(request) => request,
        Err(Error::Unsendable { .. } | Error::MissingParameters(_) | Error::Option { .. }) => None,
        Err(other) => panic!("{other}"),
    };
    let (value, mark) = (made(value)?, made(MARK)?);
    for request in [&value, &mark] {
        own_url(&request.url);
        let is_one_line = !request.redacted().contains(['\r', '\n']);
        assert!(is_one_line || request.body.is_some(), "{request:?}");
    }
    Some(Both { value, mark })
}

fn accepted(options: &[(&str, &str)], column: &[(&str, &str)]) -> Option<Table> {
    match table(options, &[("p", Type::Text, column)]) {
        Ok(table) => Some(table),
        Err(error) => {
            assert!(!error.message.is_empty());
            None
        }
    }
}

/// A path keeps its segments.
fn endpoint(template: &str, value: &str) {
    let Some(both) = both(&[("endpoint", template)], &[], value) else {
        return;
    };
    let (with_value, with_mark) = (parts(&both.value), parts(&both.mark));
    let expected: Vec<String> = with_mark
        .0
        .iter()
        .map(|part| part.replace(MARK, value))
        .collect();
    assert_eq!(with_value.0, expected, "{template}");
    assert!(
        with_value.1.is_empty() && with_mark.1.is_empty(),
        "{template}"
    );
}

/// A parameter keeps its name, and its value what stands around the column's.
fn parameter(template: &str, value: &str) {
    let operators = json!({"=": template}).to_string();
    let options = [
        ("endpoint", "/items"),
        ("dialect", "operators"),
        ("operators", operators.as_str()),
    ];
    let Some(both) = both(&options, &[("filter", "=")], value) else {
        return;
    };
    let is_json = template.contains(":json}") || template.contains(":json_csv}");
    let is_plain = ["{value}", ":csv}", ":repeat}"]
        .iter()
        .any(|place| template.contains(place));
    let written = |text: &str| Value::from(text).to_string();
    let moved = |text: String| match (is_json, is_plain) {
        (true, true) => None,
        (true, false) => Some(text.replace(&written(MARK), &written(value))),
        (false, _) => Some(text.replace(MARK, value)),
    };
    let (with_value, with_mark) = (parts(&both.value).1, parts(&both.mark).1);
    assert_eq!(with_value.len(), with_mark.len(), "{template}");
    for (pair, (name, mark)) in with_value.into_iter().zip(with_mark) {
        assert_eq!(pair.0, name, "{template}");
        assert!(
            moved(mark).is_none_or(|expected| pair.1 == expected),
            "{template}: {pair:?}"
        );
    }
}

/// A JSON template makes JSON, with the value or its base64 where it has its place.
fn document(template: &str, value: &str) {
    let operators = format!("{{\"=\": {template}}}");
    let options = [
        ("endpoint", "/items"),
        ("dialect", "json"),
        ("operators", operators.as_str()),
    ];
    let Some(both) = both(&options, &[("filter", "= exact")], value) else {
        return;
    };
    if template.contains("{next:") {
        return;
    }
    let (with_value, with_mark) = (parts(&both.value).1, parts(&both.mark).1);
    assert_eq!(with_value.len(), with_mark.len(), "{template}");
    for ((_, text), (_, mark)) in with_value.iter().zip(&with_mark) {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("a filter in JSON");
        let mark = mark.replace(&STANDARD.encode(MARK), &STANDARD.encode(value));
        let expected = moved(&json(&mark), value);
        let is_moved = expected.is_none_or(|expected| json(text) == expected);
        assert!(is_moved, "{template}: {text}");
    }
}

/// A body is of its kind, and differs only where the value stands.
fn body(kind: &str, template: &str, value: &str) {
    let options = [
        ("endpoint", "/items"),
        ("method", "POST"),
        ("body_type", kind),
        ("body", template),
    ];
    let column = [("param", "m"), ("param_in", "body")];
    let Some(both) = both(&options, &column, value) else {
        return;
    };
    let [Some(with_value), Some(with_mark)] = [both.value.body, both.mark.body] else {
        panic!("a body was lost");
    };
    match kind {
        "json" => {
            let json = |text: &str| serde_json::from_str::<Value>(text).expect("a body in JSON");
            let (found, mark) = (json(&with_value), json(&with_mark));
            let expected = moved(&mark, value).filter(|_| is_simple(template));
            assert!(
                expected.is_none_or(|expected| found == expected),
                "{template}: {with_value}"
            );
        }
        "form" if is_simple(template) && !template.contains('%') => {
            let pairs = |text: &str| -> Vec<(String, String)> {
                url::form_urlencoded::parse(text.as_bytes())
                    .into_owned()
                    .collect()
            };
            // A parser passes over what is empty between two ampersands, as a value by itself may be.
            let is_there = |(name, text): &(String, String)| !(name.is_empty() && text.is_empty());
            let moved = |(name, text): (String, String)| {
                (name.replace(MARK, value), text.replace(MARK, value))
            };
            let expected = pairs(&with_mark).into_iter().map(moved).filter(is_there);
            assert_eq!(
                pairs(&with_value)
                    .into_iter()
                    .filter(is_there)
                    .collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "{template}"
            );
        }
        "text" if is_simple(template) => {
            assert_eq!(with_value, with_mark.replace(MARK, value), "{template}");
        }
        _ => {}
    }
}

/// Whether a template has no logic: nothing in braces but the parameter.
fn is_simple(template: &str) -> bool {
    let mut pieces = template.split("{{");
    let first = pieces.next().unwrap_or_default();
    let is_parameter = |piece: &str| {
        let inside = piece.split_once("}}");
        inside.is_some_and(|(inside, _)| inside.trim() == "params.m")
    };
    !first.contains("}}")
        && pieces.all(is_parameter)
        && !["{%", "{#", "%}", "#}"]
            .iter()
            .any(|mark| template.contains(mark))
}

/// The document with the value in place of the mark; none where that could make two names one.
fn moved(document: &Value, value: &str) -> Option<Value> {
    Some(match document {
        Value::String(text) => text.replace(MARK, value).into(),
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| moved(part, value));
            Value::Array(parts.collect::<Option<_>>()?)
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let member = moved(member, value).filter(|_| !name.contains(MARK));
                Some((name.clone(), member?))
            });
            Value::Object(members.collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

/// What a filter's template makes is a request; a JSON filter is JSON.
fn filter(dialect: &str, template: &str, value: &str) {
    let options = [
        ("endpoint", "/items"),
        ("dialect", dialect),
        ("filter_template", template),
        ("pagination", "none"),
    ];
    let column = [("filter", "=")];
    let Some(both) = both(&options, &column, value) else {
        return;
    };
    if dialect != "json" {
        return;
    }
    for ((name, text), (_, mark)) in parts(&both.value).1.iter().zip(&parts(&both.mark).1) {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("a filter in JSON");
        let expected = moved(&json(mark), value);
        assert!(
            expected.is_none_or(|expected| json(text) == expected),
            "{name}={text}"
        );
    }
}

struct Only(Option<String>);

impl Sink for Only {
    fn first_row(&mut self, _: &Envelope) -> rest_engine::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> rest_engine::Result<()> {
        if let Some(Cell::Text(span)) = batch.cells.first() {
            self.0 = std::str::from_utf8(batch.bytes(*span))
                .ok()
                .map(str::to_owned);
        }
        Ok(())
    }
}

/// A field is found where another reader of its path finds it.
fn field(path: &str, value: &str) {
    let Some(table) = accepted(&[("endpoint", "/items")], &[("field", path)]) else {
        return;
    };
    let Role::Field(field @ FieldPath::Path(_)) = &table.columns[0].role else {
        return;
    };
    let names: Vec<String> = match path.strip_prefix('/') {
        Some(pointer) => pointer
            .split('/')
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    if names.len() > 50 || path.len() > 1000 {
        return;
    }
    let row = names.iter().rev().fold(
        Value::from(value),
        |inner, name| json!({ name.as_str(): inner }),
    );
    if path.starts_with('/') {
        assert_eq!(row.pointer(path), Some(&Value::from(value)), "{path}");
    }
    let column = Wanted {
        column: "p".to_owned(),
        field: field.clone(),
        ty: Type::Text,
        format: None,
        on_error: OnError::Error,
        position: None,
    };
    let layout = Layout {
        format: Format::Json,
        rows: RowsPath::Path(Vec::new()),
        shape: RowsShape::Objects,
        envelope: Vec::new(),
    };
    let mut found = Only(None);
    decode_page(
        &mut json!([row]).to_string().as_bytes(),
        &RowPlan::new(vec![column], None),
        &layout,
        &Exchange::default(),
        0,
        &mut Progress::default(),
        &mut found,
    )
    .expect("a row");
    assert_eq!(found.0.as_deref(), Some(value), "{path}");
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let (template, value) = text.split_once('\0').unwrap_or((text, "x"));
    // No text of PostgreSQL has a NUL.
    let value = value.replace('\0', "");
    if template.contains(MARK) || value.contains(MARK) {
        return;
    }
    match kind % 10 {
        0 => endpoint(template, &value),
        1 => document(template, &value),
        2 => parameter(template, &value),
        3 => body("json", template, &value),
        4 => body("form", template, &value),
        5 => body("text", template, &value),
        6 => field(template, &value),
        7 => filter("json", template, &value),
        8 => filter("sql", template, &value),
        _ => filter(
            ["search", "prometheus"][usize::from(kind / 10 % 2)],
            template,
            &value,
        ),
    }
});

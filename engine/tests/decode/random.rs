//! Random documents, in random pieces: the decoder finds what walking serde_json's DOM finds.

use crate::harness::*;
use proptest::prelude::*;
use rest_engine::decode::{Layout, PageEnd, Progress, RowPlan, Scalar, Wanted};
use rest_engine::model::{FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use serde_json::Value;

/// A document as it is written: the DOM is what serde_json makes of it.
fn document(depth: u32) -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z ]{0,12}",
        r#"([ -!#-\[\]-~é😀]|\\["\\/bfnrt]|\\u00[2-7][0-9a-f]|\\ud83d\\ude0[0-9]){0,20}"#,
        r"-?[0-9]{1,6}(\.[0-9]{1,3})?",
        Just("true".to_owned()),
    ];
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,5})?([eE][-+]?[0-4])?",
        r"-?[1-9][0-9]{0,17}",
        text.prop_map(|text| format!("\"{text}\"")),
    ];
    scalar.prop_recursive(depth, 32, 5, |inner| {
        prop_oneof![
            (space(), prop::collection::vec(inner.clone(), 0..5)).prop_map(
                |(space, elements)| format!(
                    "[{space}{}{space}]",
                    elements.join(&format!("{space},"))
                )
            ),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (space(), prop::collection::vec((name(), inner), 0..6)).prop_map(|(space, members)| {
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\"{space}:{space}{value}"))
            .collect();
        format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
    })
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(" ".to_owned()), "[ \n\t\r]{0,3}"]
}

/// Few names, so that paths hit and names are repeated.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a", "b", "u_x", "uX", "0", "1", "\\u0061", "é", "", "other",
    ])
    .prop_map(str::to_owned)
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let segment = prop::sample::select(vec!["a", "b", "u_x", "uX", "0", "1", "é", ""])
        .prop_map(str::to_owned);
    let field = prop_oneof![
        1 => Just(FieldPath::Whole),
        3 => segment.clone().prop_map(FieldPath::Default),
        4 => prop::collection::vec(segment, 1..4).prop_map(FieldPath::Path),
    ];
    let ty = prop::sample::select(vec![
        Type::Json,
        Type::Text,
        Type::Int8,
        Type::Float8,
        Type::Bool,
        Type::Array(Box::new(Type::Text)),
    ]);
    (field, ty).prop_map(|(field, ty)| Wanted {
        on_error: OnError::Null,
        ..at("v", field, ty)
    })
}

/// Where the value of a column is, in the DOM.
fn find<'a>(row: &'a Value, field: &FieldPath) -> Option<&'a Value> {
    match field {
        FieldPath::Whole => Some(row),
        FieldPath::Key => None,
        FieldPath::Default(name) => {
            let camel = if name == "u_x" { "uX" } else { name };
            row.get(name).or_else(|| row.get(camel))
        }
        FieldPath::Path(segments) => segments.iter().try_fold(row, |at, segment| match at {
            Value::Array(elements) => elements.get(segment.parse::<usize>().ok()?),
            _ => at.get(segment),
        }),
    }
}

/// Whether a cell is what a value of the DOM should become.
fn agrees(cell: &Plain, value: &Value, ty: &Type) -> bool {
    match (ty, value) {
        (_, Value::Null) => *cell == Plain::Null,
        (Type::Json, value) => {
            matches!(cell, Plain::Text(text) if serde_json::from_str::<Value>(text).unwrap() == *value)
        }
        (Type::Text, Value::String(value)) => *cell == text(value),
        (Type::Text, value) => agrees(cell, value, &Type::Json),
        (Type::Int8, value) => integer(value).map_or(Plain::Null, Plain::Int) == *cell,
        (Type::Float8, Value::Number(number)) => {
            number.as_f64().map(Plain::Float) == Some(cell.clone())
        }
        (Type::Float8, Value::String(value)) => {
            value.trim().parse().map_or(Plain::Null, Plain::Float) == *cell
        }
        (Type::Bool, Value::Bool(value)) => *cell == Plain::Bool(*value),
        (Type::Bool, Value::Number(number)) => match number.as_f64() {
            Some(0.0) => *cell == Plain::Bool(false),
            Some(1.0) => *cell == Plain::Bool(true),
            _ => *cell == Plain::Null,
        },
        (Type::Bool, Value::String(value)) => match value.to_lowercase().as_str() {
            "true" | "t" | "yes" | "on" | "1" => *cell == Plain::Bool(true),
            "false" | "f" | "no" | "off" | "0" => *cell == Plain::Bool(false),
            _ => *cell == Plain::Null,
        },
        (Type::Array(element), Value::Array(values)) => agree(cell, values, element),
        (Type::Array(_), Value::String(value)) if value.starts_with('{') => *cell == text(value),
        _ => *cell == Plain::Null,
    }
}

fn agree(cell: &Plain, values: &[Value], element: &Type) -> bool {
    let Plain::List(cells) = cell else {
        return false;
    };
    let one = |(cell, value): (&Plain, &Value)| match value {
        Value::Array(values) => agree(cell, values, element),
        value => agrees(cell, value, element),
    };
    cells.len() == values.len() && cells.iter().zip(values).all(one)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(value) => Some(value),
            // The generator's fractions are far below 2^53.
            None => number
                .as_f64()
                .filter(|value| value.fract() == 0.0)
                .map(|value| value as i64),
        },
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Scalars of the DOM at most three levels deep, those below `rows` left out.
fn scalars(
    value: &Value,
    at: Vec<String>,
    rows: &[String],
    found: &mut Vec<(Vec<String>, Scalar)>,
) {
    if at == rows || at.len() > 3 {
        return;
    }
    let mut below =
        |name: String, value| scalars(value, [at.clone(), vec![name]].concat(), rows, found);
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| below(name.clone(), value)),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .for_each(|(index, value)| below(index.to_string(), value)),
        Value::Null => found.push((at, Scalar::Null)),
        Value::Bool(value) => found.push((at, Scalar::Bool(*value))),
        Value::Number(value) => found.push((at, Scalar::Number(value.to_string()))),
        Value::String(value) => found.push((at, Scalar::Text(value.clone()))),
    }
}

fn same(left: &Scalar, right: &Scalar) -> bool {
    match (left, right) {
        (Scalar::Number(left), Scalar::Number(right)) => {
            left.parse::<f64>() == right.parse::<f64>()
        }
        _ => left == right,
    }
}

fn check_envelope(end: &PageEnd, dom: &Value, rows: &[String]) -> Result<(), TestCaseError> {
    let mut expected = Vec::new();
    scalars(dom, Vec::new(), rows, &mut expected);
    for (path, scalar) in &expected {
        let found = end.envelope.get(path);
        prop_assert!(
            found.is_some_and(|found| same(found, scalar)),
            "{:?}: {:?}, not {:?}",
            path,
            found,
            scalar
        );
    }
    Ok(())
}

fn check_rows(
    found: &[Vec<Plain>],
    rows: &[&Value],
    wanted: &[Wanted],
) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), rows.len());
    for (cells, row) in found.iter().zip(rows) {
        for (cell, wanted) in cells.iter().zip(wanted) {
            let value = find(row, &wanted.field).unwrap_or(&Value::Null);
            prop_assert!(
                agrees(cell, value, &wanted.ty),
                "{:?} is {:?} in {}",
                wanted,
                cell,
                row
            );
        }
    }
    Ok(())
}

fn run(
    body: &str,
    sizes: &[usize],
    wanted: &[Wanted],
    layout: &Layout,
) -> (Vec<Vec<Plain>>, PageEnd) {
    let mut sink = Collected::default();
    let plan = RowPlan::new(wanted.to_vec(), None);
    let end = decode_into(
        body.as_bytes(),
        sizes,
        &plan,
        layout,
        &mut Progress::default(),
        &mut sink,
    )
    .unwrap();
    (sink.rows(), end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn objects_agree_with_the_dom(
        rows in prop::collection::vec(object(document(3)), 0..6),
        before in document(3),
        after in document(3),
        path in prop::sample::select(vec!["", "rows", "a.rows"]),
        space in space(),
        sizes in prop::collection::vec(1_usize..200, 1..8),
        wanted in prop::collection::vec(wanted(), 0..6),
    ) {
        let rows = format!("[{space}{}{space}]", rows.join(&format!("{space},")));
        let body = match path {
            "" => rows,
            "rows" => format!("{space}{{\"before\":{before},{space}\"rows\":{rows},\"after\":{after}}}"),
            _ => format!("{{\"before\":{before},\"a\"{space}:{{\"x\":{after},\"rows\":{space}{rows}}},\"after\":{after}}}"),
        };
        let layout = Layout { format: Format::Json, rows: RowsPath::Path(segments(path)), shape: RowsShape::Objects, envelope: Vec::new() };
        let (found, end) = run(&body, &sizes, &wanted, &layout);
        let dom: Value = serde_json::from_str(&body).unwrap();
        let array = segments(path).iter().fold(&dom, |at, segment| &at[segment]);
        check_rows(&found, &array.as_array().unwrap().iter().collect::<Vec<_>>(), &wanted)?;
        check_envelope(&end, &dom, &segments(path))?;
    }

    #[test]
    fn single_documents_agree_with_the_dom(body in object(document(4)), sizes in prop::collection::vec(1_usize..50, 1..8), wanted in prop::collection::vec(wanted(), 0..6)) {
        let layout = Layout { format: Format::Json, rows: RowsPath::Auto, shape: RowsShape::Single, envelope: Vec::new() };
        let (found, _) = run(&body, &sizes, &wanted, &layout);
        let dom: Value = serde_json::from_str(&body).unwrap();
        check_rows(&found, &[&dom], &wanted)?;
    }

    #[test]
    fn a_damaged_document_is_refused_where_serde_json_refuses_it(
        rows in prop::collection::vec(object(document(3)), 1..4),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"[]{}:,\"\\0-.ex \n\x01\xff".to_vec()),
        size in 1_usize..40,
        wanted in prop::collection::vec(wanted(), 0..4),
    ) {
        let mut body = format!("[{}]", rows.join(",")).into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let oracle = serde_json::from_slice::<Vec<serde_json::Map<String, Value>>>(&body);
        let plan = RowPlan::new(wanted.clone(), None);
        let layout = Layout { format: Format::Json, rows: RowsPath::Path(Vec::new()), shape: RowsShape::Objects, envelope: Vec::new() };
        let mut sink = Collected::default();
        let found = decode_into(&body, &[size], &plan, &layout, &mut Progress::default(), &mut sink);
        match oracle {
            Ok(dom) => {
                prop_assert!(found.is_ok(), "{:?}", found);
                let dom: Vec<Value> = dom.into_iter().map(Value::Object).collect();
                check_rows(&sink.rows(), &dom.iter().collect::<Vec<_>>(), &wanted)?;
            }
            // Texts and numbers that nobody wants are not looked into, as long as they are well-formed.
            Err(error) if is_about_a_value(&error) => {}
            Err(error) => prop_assert!(found.is_err(), "{}", error),
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(body in prop::collection::vec(prop::sample::select(b"[]{}:,\"\\0u-.e1tfn \xff\0".to_vec()), 0..60), wanted in prop::collection::vec(wanted(), 0..3)) {
        for shape in [RowsShape::Objects, RowsShape::Map, RowsShape::Values, RowsShape::Single, RowsShape::Arrays { columns_field: None }] {
            let layout = Layout { format: Format::Json, rows: RowsPath::Auto, shape, envelope: Vec::new() };
            let plan = RowPlan::new(wanted.clone(), Some(FieldPath::Whole));
            let mut whole = Collected::default();
            let in_one = decode_into(&body, &[usize::MAX], &plan, &layout, &mut Progress::default(), &mut whole);
            let mut pieces = Collected::default();
            let in_pieces = decode_into(&body, &[1], &plan, &layout, &mut Progress::default(), &mut pieces);
            prop_assert_eq!(in_one.map(|end| end.rows), in_pieces.map(|end| end.rows));
            prop_assert_eq!(whole.rows(), pieces.rows());
        }
    }
}

/// What serde_json refuses and the decoder lets pass in values that are not wanted.
fn is_about_a_value(error: &serde_json::Error) -> bool {
    let error = error.to_string();
    [
        "unicode code point",
        "surrogate",
        "hex escape",
        "number out of range",
    ]
    .iter()
    .any(|part| error.contains(part))
}

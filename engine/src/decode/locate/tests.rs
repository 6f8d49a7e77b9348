//! Values are found where serde_json finds them.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::decode::plan::Wanted;
use crate::model::{FieldPath, OnError, Type};
use proptest::prelude::*;
use serde_json::Value;

fn plan(paths: &[&str]) -> RowPlan {
    let wanted = paths.iter().map(|path| Wanted {
        column: (*path).to_owned(),
        field: FieldPath::Path(path.split('.').map(str::to_owned).collect()),
        ty: Type::Json,
        format: None,
        on_error: OnError::Error,
        position: None,
    });
    RowPlan::new(wanted.collect(), None)
}

/// What stands in a slot, as serde_json reads it.
fn value(row: &[u8], slot: &Slot) -> Option<Value> {
    let (start, end) = match slot.kind {
        Kind::Missing => return None,
        Kind::Plain | Kind::Escaped => (slot.start - 1, slot.end + 1),
        _ => (slot.start, slot.end),
    };
    Some(serde_json::from_slice(&row[start..end]).unwrap())
}

fn scalars() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?(e[0-9])?",
        "true|false|null",
        "\"[ -!#-\\[\\]-~é]{0,40}\"",
        "\"(\\\\n|\\\\u00e9|x){0,3}\"",
    ]
}

/// Objects with few names, so that they resemble each other and now and then do not.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let space = prop_oneof![9 => Just(""), 1 => Just(" ")];
    let value = scalars().prop_recursive(3, 24, 4, move |inner| {
        let member = ("[a-e]", inner.clone(), space.clone())
            .prop_map(|(name, value, space)| format!("{space}\"{name}\":{space}{value}"));
        prop_oneof![
            3 => prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => prop::collection::vec(inner, 0..3).prop_map(|values| format!("[{}]", values.join(","))),
        ]
    });
    prop::collection::vec(value, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_wanted_values_are_those_that_serde_json_finds(rows in rows()) {
        let plan = plan(&["a", "b.c", "d.a"]);
        let mut locator = Locator::new(&plan);
        for row in &rows {
            let text = format!("{row} ");
            let (end, _) = locator.row(text.as_bytes(), 0, 0).unwrap();
            prop_assert_eq!(end, row.len());
            let whole: Value = serde_json::from_str(row).unwrap();
            for (slot, path) in locator.slots().iter().zip([&["a"][..], &["b", "c"], &["d", "a"]]) {
                let expected = path.iter().try_fold(&whole, |value, name| value.as_object()?.get(*name));
                let found = value(text.as_bytes(), slot);
                prop_assert_eq!(found.as_ref(), expected, "{}", row);
            }
        }
    }

    #[test]
    fn a_broken_row_is_refused_where_it_breaks(rows in rows(), at in 0_usize..60, byte in "[]{}\\[\":,x0\u{1} -]") {
        let plan = plan(&["a", "b.c"]);
        let mut locator = Locator::new(&plan);
        for row in &rows {
            // It was read before, so that much of it comes as foreseen.
            locator.row(format!("{row} ").as_bytes(), 0, 0).unwrap();
            let mut text = format!("{row} ").into_bytes();
            let place = at % row.len();
            if text[place].is_ascii() {
                text[place] = byte.as_bytes()[0];
            }
            let mut reference = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
            let is_good = matches!(reference.next(), Some(Ok(_)));
            match locator.row(&text, lexer::space(&text, 0), 0) {
                Ok((end, _)) => prop_assert!(serde_json::from_slice::<Value>(&text[..end]).is_ok(), "{}", String::from_utf8_lossy(&text)),
                Err(stop) => prop_assert!(!is_good && stop.at <= text.len(), "{stop:?} {}", String::from_utf8_lossy(&text)),
            }
        }
    }
}

#[test]
fn names_that_never_come_again_are_not_remembered_for_good() {
    let plan = plan(&["a"]);
    let mut locator = Locator::new(&plan);
    for row in 0..3 {
        let members: Vec<String> = (0..5_000).map(|n| format!("\"k{row}x{n}\":{n}")).collect();
        let text = format!("{{\"map\":{{{}}},\"a\":{row}}} ", members.join(","));
        locator.row(text.as_bytes(), 0, 0).unwrap();
        let slot = locator.slots()[0];
        assert_eq!(&text[slot.start..slot.end], row.to_string());
    }
    let kept: usize = locator.leads.iter().map(|leads| leads.list.len()).sum();
    assert!(kept < 300, "{kept}");
    assert!(!locator.resembles(plan.nodes.len(), 1));
}

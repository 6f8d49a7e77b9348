//! Templates of JSON documents, filled.

use crate::model::{Column, Type};
use crate::pushdown::dialects::quoting::{is_bare, same_decimal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What goes into a template.
#[derive(Debug, Clone, Default)]
pub(super) struct Filling {
    /// The names that lead to the column's value.
    pub(super) path: Vec<String>,
    /// Whether these are members of members; else one name with dots.
    pub(super) nests: bool,
    /// The value, and its text.
    pub(super) value: Option<(Value, String)>,
    /// The list.
    pub(super) values: Vec<Value>,
    /// The conditions that are joined.
    pub(super) arms: Vec<Value>,
    /// The value only comes when the query runs.
    pub(super) is_unknown: bool,
}

impl Filling {
    /// With a value that only comes when the query runs.
    pub(super) fn with_unknown(self, shown: &str) -> Filling {
        Filling {
            value: Some((shown.into(), shown.to_owned())),
            values: vec![shown.into()],
            is_unknown: true,
            ..self
        }
    }
}

/// The template with all of its placeholders replaced.
pub(super) fn filled(template: &Value, filling: &Filling) -> Value {
    match template {
        Value::String(text) => of_text(text, filling),
        Value::Array(elements) => elements
            .iter()
            .map(|element| filled(element, filling))
            .collect(),
        Value::Object(members) => {
            let mut all = Map::new();
            for (name, member) in members {
                add_member(&mut all, name, filled(member, filling), filling);
            }
            Value::Object(all)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}

fn add_member(members: &mut Map<String, Value>, name: &str, member: Value, filling: &Filling) {
    match name {
        "{name}" if filling.nests => {
            let (last, outer) = match filling.path.split_last() {
                Some((last, outer)) => (last.as_str(), outer),
                None => ("", &filling.path[..]),
            };
            let mut path = outer.iter().rev();
            let inner = json!({ last: member });
            let nested = path
                .by_ref()
                .fold(inner, |inner, name| json!({ name: inner }));
            if let Value::Object(nested) = nested {
                members.extend(nested);
            }
        }
        _ => {
            let name = match of_text(name, filling) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            members.insert(name, member);
        }
    }
}

/// A text is a placeholder or itself.
fn of_text(text: &str, filling: &Filling) -> Value {
    let (value, plain) = match &filling.value {
        Some((value, plain)) => (value.clone(), plain.as_str()),
        None => (Value::Null, ""),
    };
    match text {
        "{name}" => filling.path.join(".").into(),
        "{value}" => value,
        "{value:text}" => plain.into(),
        "{value:base64}" | "{next:base64}" if filling.is_unknown => plain.into(),
        "{value:base64}" => STANDARD.encode(plain).into(),
        "{next:base64}" => STANDARD.encode(next(plain)).into(),
        "{values}" => Value::Array(filling.values.clone()),
        "{arms}" => Value::Array(filling.arms.clone()),
        text => text.into(),
    }
}

/// The first text in byte order after all that begin with this one. UTF-8 has no byte 255, so that the last one
/// can always be raised.
fn next(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_add(1);
    }
    bytes
}

/// The members of all in one object; lists of the same name are joined.
///
/// # Errors
/// Which member two of them give different values.
pub(super) fn merged(documents: &[Value]) -> Result<Value, String> {
    let mut all = Value::Object(Map::new());
    for document in documents {
        merge(&mut all, document)?;
    }
    Ok(all)
}

fn merge(into: &mut Value, from: &Value) -> Result<(), String> {
    match (into, from) {
        (Value::Object(all), Value::Object(members)) => {
            for (name, member) in members {
                match all.get_mut(name) {
                    Some(other) => merge(other, member).map_err(|_| {
                        format!(
                            "two conditions give member \"{name}\" of the filter different values"
                        )
                    })?,
                    None => {
                        all.insert(name.clone(), member.clone());
                    }
                }
            }
            Ok(())
        }
        (Value::Array(all), Value::Array(elements)) => {
            all.extend(elements.iter().cloned());
            Ok(())
        }
        (one, other) if one == other => Ok(()),
        _ => Err(String::new()),
    }
}

/// The members of a document, and of its members, that are no objects: what can stand there once only.
pub(super) fn members(document: &Value) -> Vec<String> {
    let Value::Object(members) = document else {
        return vec![String::new()];
    };
    let mut all = Vec::new();
    for (name, member) in members {
        match member {
            Value::Object(_) => {
                let inner = self::members(member).into_iter();
                all.extend(inner.map(|inner| format!("{name}.{inner}")));
            }
            _ => all.push(name.clone()),
        }
    }
    all
}

/// Integers beyond this one are not all doubles, which is what many servers read numbers as.
const LARGEST: i64 = 1 << 53;

/// A column's value from its text. `integers_are_exact`: the server reads all digits of an integer.
///
/// # Errors
/// Why the server might read another value.
pub(super) fn value(
    column: &Column,
    text: &str,
    integers_are_exact: bool,
) -> Result<Value, String> {
    if !is_bare(column) {
        return Ok(text.into());
    }
    let value: Value =
        serde_json::from_str(text).map_err(|_| "it has no spelling in JSON".to_owned())?;
    if let Value::Number(number) = &value {
        let is_small = number
            .as_i64()
            .is_none_or(|number| number.unsigned_abs() <= LARGEST.unsigned_abs());
        let is_integer = matches!(column.ty, Type::Int2 | Type::Int4 | Type::Int8);
        if !(is_small || integers_are_exact && is_integer)
            || !same_decimal(&number.to_string(), text)
        {
            return Err("the API may read numbers as doubles, and this is none".to_owned());
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_text_follows_all_that_begin_alike() {
        assert_eq!(next("foo"), b"fop");
        assert_eq!(next("a\u{7f}"), b"a\x80");
        assert!(next("é").as_slice() > "é\u{10ffff}".as_bytes());
    }

    #[test]
    fn objects_are_merged_and_contradictions_told() {
        let both = merged(&[
            json!({"label": ["a"], "x": {"gte": 1}}),
            json!({"label": ["b"], "x": {"lte": 2}}),
        ]);
        assert_eq!(
            both,
            Ok(json!({"label": ["a", "b"], "x": {"gte": 1, "lte": 2}}))
        );
        assert!(merged(&[json!({"k": 1}), json!({"k": 2})]).is_err());
        let document = json!({"x": {"gte": 1, "lte": {"y": null}}, "label": ["a"]});
        assert_eq!(members(&document), ["label", "x.gte", "x.lte.y"]);
    }
}

//! The key of a page's last group, an object that is sent back as it came.

use super::decision::EndOfPages;
use super::step::{Context, Step, Stepped};
use crate::decode::{Envelope, Scalar};
use crate::model::Segment;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub(super) fn step(context: &Context, at: &[Segment], members: &[Segment]) -> Stepped {
    if !context.is_whole() {
        return Ok(Step::NotYet);
    }
    match key(context.facts.envelope, at, members)? {
        Some(key) => Ok(Step::Position(key)),
        None => context.end(EndOfPages::NoCursor),
    }
}

/// The object in JSON; `None` where the response has none.
fn key(
    envelope: Option<&Envelope>,
    at: &[Segment],
    members: &[Segment],
) -> Result<Option<String>, String> {
    let scalar = |member: &Segment| {
        let path: Vec<Segment> = at.iter().chain([member]).cloned().collect();
        envelope.and_then(|envelope| envelope.get(&path))
    };
    if members.iter().all(|member| scalar(member).is_none()) {
        return Ok(None);
    }
    let mut object = BTreeMap::new();
    for member in members {
        let value =
            scalar(member).ok_or_else(|| format!("\"{}\" lacks \"{member}\"", at.join(".")))?;
        object.insert(member, raw(member, value)?);
    }
    let text = serde_json::to_string(&object).map_err(|error| error.to_string())?;
    Ok(Some(text))
}

/// A scalar as it was written, so that no digit of a number is lost.
fn raw(member: &str, scalar: &Scalar) -> Result<Box<RawValue>, String> {
    let text = match scalar {
        Scalar::Other => {
            return Err(format!(
                "\"{member}\" of the key of the last group is no scalar"
            ));
        }
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Number(text) => text.clone(),
        Scalar::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
    };
    RawValue::from_string(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path(names: &[&str]) -> Vec<Segment> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_key_goes_back_digit_for_digit() {
        let mut envelope = Envelope::default();
        let at = path(&["aggregations", "groups", "after_key"]);
        let mut insert = |name: &str, scalar| {
            let path = at.iter().cloned().chain([name.to_owned()]).collect();
            envelope.insert(path, scalar);
        };
        insert("n", Scalar::Number("9223372036854775807".to_owned()));
        insert("t", Scalar::Text("a\"b".to_owned()));
        insert("b", Scalar::Bool(true));
        insert("z", Scalar::Null);
        let members = path(&["t", "n", "b", "z"]);
        assert_eq!(
            key(Some(&envelope), &at, &members),
            Ok(Some(
                r#"{"b":true,"n":9223372036854775807,"t":"a\"b","z":null}"#.to_owned()
            ))
        );
    }

    #[test]
    fn no_key_ends_the_pages_and_half_a_key_is_an_error() {
        let at = path(&["after_key"]);
        assert_eq!(key(None, &at, &path(&["a"])), Ok(None));
        let mut envelope = Envelope::default();
        envelope.insert(path(&["after_key", "a"]), Scalar::Null);
        assert_eq!(
            key(Some(&envelope), &at, &path(&["a", "b"])),
            Err("\"after_key\" lacks \"b\"".to_owned())
        );
    }
}

//! What a server puts around each row: its attributes, its source, its metric.

use super::spec::{DialectName, DialectSpec, Endpoint, Flavour};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// When samples were taken, unless the row says.
const SAMPLE_TIME: &str = "1700000000";

/// The JSON before and after a row.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    before: String,
    after: String,
}

type Members = BTreeMap<String, Box<RawValue>>;

impl Frame {
    /// Takes a listed row apart: its frame, and the row within. A row may be listed with its frame or without.
    pub(crate) fn of(
        spec: &DialectSpec,
        number: usize,
        listed: &RawValue,
    ) -> Result<(Frame, Box<RawValue>), String> {
        let Some(inner_name) = inner_name(spec) else {
            return Ok((Frame::default(), listed.to_owned()));
        };
        let mut members: Members =
            serde_json::from_str(listed.get()).map_err(|error| format!("{error} in {listed}"))?;
        let framed = members
            .get(inner_name)
            .is_some_and(|inner| inner.get().starts_with('{'));
        let (others, inner) = if framed {
            let inner = members.remove(inner_name).unwrap_or_default();
            (written(&members), inner)
        } else {
            let others = added(inner_name, number, &mut members);
            let inner = RawValue::from_string(format!("{{{}}}", written(&members).join(",")));
            (others, inner.map_err(|error| error.to_string())?)
        };
        let after: String = others.iter().map(|member| format!(",{member}")).collect();
        Ok((
            Frame {
                before: format!("{{\"{inner_name}\":"),
                after: format!("{after}}}"),
            },
            inner,
        ))
    }

    /// A row with what is around it.
    pub(crate) fn around(&self, row: &str) -> String {
        format!("{}{row}{}", self.before, self.after)
    }
}

/// The member that a row's columns are in.
fn inner_name(spec: &DialectSpec) -> Option<&'static str> {
    match (spec.name, spec.flavour, spec.endpoint) {
        (DialectName::Jsonapi, ..) => Some("attributes"),
        (DialectName::Json, Some(Flavour::Elasticsearch), _) => Some("_source"),
        (DialectName::Prometheus, _, endpoint) if endpoint != Some(Endpoint::Series) => {
            Some("metric")
        }
        _ => None,
    }
}

/// The members that a row without a frame gets.
fn added(inner_name: &str, number: usize, members: &mut Members) -> Vec<String> {
    let mut text = |name: &str, default: &str| {
        let found = members.remove(name);
        let found = found.as_deref().map_or(default, RawValue::get);
        found.trim_matches('"').to_owned()
    };
    match inner_name {
        "metric" => {
            let (time, value) = (text("@time", SAMPLE_TIME), text("@value", "1"));
            vec![format!("\"value\":[{time},\"{value}\"]")]
        }
        "_source" => vec![
            format!("\"_id\":\"{number}\""),
            "\"_index\":\"items\"".to_owned(),
        ],
        _ => {
            let id = members.get("id").map_or("", |id| id.get());
            let id = if id.is_empty() {
                number.to_string()
            } else {
                id.trim_matches('"').to_owned()
            };
            vec![format!("\"id\":\"{id}\""), "\"type\":\"items\"".to_owned()]
        }
    }
}

fn written(members: &Members) -> Vec<String> {
    members
        .iter()
        .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name.as_str())))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn framed(spec: serde_json::Value, row: &str) -> String {
        let spec = serde_json::from_value(spec).unwrap();
        let listed: &RawValue = serde_json::from_str(row).unwrap();
        let (frame, inner) = Frame::of(&spec, 0, listed).unwrap();
        frame.around(inner.get())
    }

    #[test]
    fn rows_are_listed_with_or_without_their_frames() {
        let jsonapi = || json!({"name": "jsonapi", "columns": {}});
        let expected = r#"{"attributes":{"a":1.50,"id":7},"id":"7","type":"items"}"#;
        assert_eq!(framed(jsonapi(), r#"{"id": 7, "a": 1.50}"#), expected);
        assert_eq!(framed(jsonapi(), expected), expected);
        let elasticsearch = json!({"name": "json", "flavour": "elasticsearch", "columns": {}});
        assert_eq!(
            framed(elasticsearch, r#"{"a": 1}"#),
            r#"{"_source":{"a":1},"_id":"0","_index":"items"}"#
        );
        let instant = || json!({"name": "prometheus", "columns": {}});
        assert_eq!(
            framed(instant(), r#"{"job": "x", "@value": 2.5}"#),
            r#"{"metric":{"job":"x"},"value":[1700000000,"2.5"]}"#
        );
        let series = json!({"name": "prometheus", "endpoint": "series", "columns": {}});
        assert_eq!(framed(series, r#"{"job":"x"}"#), r#"{"job":"x"}"#);
    }
}

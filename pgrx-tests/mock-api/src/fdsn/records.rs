//! Events as CSV, in the service's columns.

use super::events::Event;
use crate::response::Response;
use crate::shape::csv_text;
use jiff::Timestamp;
use serde_json::Value;

/// The service's columns, and where their values are in an event's feature. What its GeoJSON does not tell is left empty.
const COLUMNS: [(&str, &str); 22] = [
    ("time", "/properties/time"),
    ("latitude", "/geometry/coordinates/1"),
    ("longitude", "/geometry/coordinates/0"),
    ("depth", "/geometry/coordinates/2"),
    ("mag", "/properties/mag"),
    ("magType", "/properties/magType"),
    ("nst", "/properties/nst"),
    ("gap", "/properties/gap"),
    ("dmin", "/properties/dmin"),
    ("rms", "/properties/rms"),
    ("net", "/properties/net"),
    ("id", "/id"),
    ("updated", "/properties/updated"),
    ("place", "/properties/place"),
    ("type", "/properties/type"),
    ("horizontalError", ""),
    ("depthError", ""),
    ("magError", ""),
    ("magNst", ""),
    ("status", "/properties/status"),
    ("locationSource", "/properties/net"),
    ("magSource", "/properties/net"),
];

/// A header, and a record for each event.
pub(super) fn response(events: &[&Event]) -> Response {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",");
    for event in events {
        text.push('\n');
        let feature: Value = serde_json::from_str(event.text.get()).unwrap_or_default();
        let fields = COLUMNS.map(|(_, path)| field(&feature, path));
        text.push_str(&fields.join(","));
    }
    text.push('\n');
    Response::new(200, "text/csv; charset=utf-8", text)
}

fn field(feature: &Value, path: &str) -> String {
    let found = feature.pointer(path).filter(|_| !path.is_empty());
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => csv_text(text),
        Some(value) if path.ends_with("time") || path.ends_with("updated") => {
            let time = Timestamp::from_millisecond(value.as_i64().unwrap_or_default());
            time.map(|time| format!("{time:.3}")).unwrap_or_default()
        }
        Some(other) => other.to_string(),
    }
}

//! How rows are wrapped into a document.

use crate::filters::Selection;
use crate::rows::Rows;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where the rows are in a document, and what they look like there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Shape {
    path: Vec<String>,
    wrapping: Wrapping,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wrapping {
    #[default]
    Array,
    Map,
    Values,
    Single,
    Arrays,
    Jsonl,
    Csv,
}

impl TryFrom<Value> for Shape {
    type Error = String;

    fn try_from(value: Value) -> Result<Shape, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nested {
            path: String,
            #[serde(default, rename = "as")]
            wrapping: Wrapping,
        }
        if value.is_object() {
            let Nested { path, wrapping } =
                serde_json::from_value(value).map_err(|error| format!("shape: {error}"))?;
            return Ok(Shape {
                path: crate::filters::field_path(&path),
                wrapping,
            });
        }
        let wrapping = serde_json::from_value(value).map_err(|error| format!("shape: {error}"))?;
        let path = if wrapping == Wrapping::Arrays {
            vec!["rows".to_owned()]
        } else {
            Vec::new()
        };
        Ok(Shape { path, wrapping })
    }
}

impl Shape {
    /// A list at a path of names.
    pub(crate) fn at(path: &[&str]) -> Shape {
        Shape {
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            wrapping: Wrapping::Array,
        }
    }

    /// Whether the document is an object that has room for other members.
    pub(crate) fn has_object(&self) -> bool {
        !self.path.is_empty()
    }

    /// The media type of the document.
    pub(crate) fn content_type(&self) -> &'static str {
        match self.wrapping {
            Wrapping::Jsonl => "application/x-ndjson",
            Wrapping::Csv => "text/csv",
            _ => "application/json",
        }
    }

    /// Whether the document is one row, which may be missing.
    pub(crate) fn is_single(&self) -> bool {
        self.wrapping == Wrapping::Single
    }

    /// Why these rows cannot be wrapped so.
    pub(crate) fn check(&self, rows: &Rows) -> Result<(), String> {
        let (member, or) = match self.wrapping {
            Wrapping::Map => ("@key", "id"),
            Wrapping::Values => ("value", "value"),
            Wrapping::Array
            | Wrapping::Single
            | Wrapping::Arrays
            | Wrapping::Jsonl
            | Wrapping::Csv => return Ok(()),
        };
        // Generated rows are all alike, so that one of them speaks for all.
        let count = if matches!(rows, Rows::Items(_)) {
            rows.len().min(1)
        } else {
            rows.len()
        };
        let lacks = |index: &usize| {
            let has = |name: &str| rows.field(*index, &[name.to_owned()]).is_some();
            let is_object = !rows.members(*index).is_empty();
            (is_object || self.wrapping == Wrapping::Map) && !has(member) && !has(or)
        };
        match (0..count).find(lacks) {
            Some(index) => Err(format!(
                "row {index} needs a member {member} for the shape {:?}",
                self.wrapping
            )),
            None => Ok(()),
        }
    }

    /// Writes the document with the rows at these places of a selection; `extras` are the members beside them.
    pub(crate) fn document(
        &self,
        rows: &Rows,
        selection: &Selection,
        places: Range<usize>,
        mut extras: Map<String, Value>,
        extras_first: bool,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 + places.len() * (crate::generate::ROW_BYTES + 1));
        let columns = if matches!(self.wrapping, Wrapping::Arrays | Wrapping::Csv) {
            rows.columns()
        } else {
            Vec::new()
        };
        if self.wrapping == Wrapping::Arrays {
            extras.insert("columns".to_owned(), Value::from(columns.clone()));
        }
        let mut write_rows = |out: &mut Vec<u8>| {
            let indexes = places.clone().map(|place| selection.row(place));
            match self.wrapping {
                Wrapping::Array => list(out, ('[', ']'), indexes, |index, out| {
                    rows.write(index, out)
                }),
                Wrapping::Values => list(out, ('[', ']'), indexes, |index, out| {
                    write_value(rows, index, out)
                }),
                Wrapping::Map => list(out, ('{', '}'), indexes, |index, out| {
                    write_named(rows, index, out)
                }),
                Wrapping::Arrays => list(out, ('[', ']'), indexes, |index, out| {
                    write_array(rows, index, &columns, out)
                }),
                Wrapping::Jsonl => indexes.for_each(|index| {
                    rows.write(index, out);
                    out.push(b'\n');
                }),
                Wrapping::Csv => {
                    write_line(columns.iter().map(|name| csv_text(name)), out);
                    indexes.for_each(|index| write_record(rows, index, &columns, out));
                }
                Wrapping::Single => match indexes.into_iter().next() {
                    Some(index) => rows.write(index, out),
                    None => out.extend_from_slice(b"null"),
                },
            }
        };
        nest(&mut out, &self.path, &extras, extras_first, &mut write_rows);
        out
    }
}

/// Writes what stands at `path` inside objects that hold the extras too.
fn nest(
    out: &mut Vec<u8>,
    path: &[String],
    extras: &Map<String, Value>,
    extras_first: bool,
    write_rows: &mut dyn FnMut(&mut Vec<u8>),
) {
    let Some((name, below)) = path.split_first() else {
        return write_rows(out);
    };
    let none = Map::new();
    let others: Vec<(&String, &Value)> =
        extras.iter().filter(|(other, _)| *other != name).collect();
    let write_others = |out: &mut Vec<u8>| {
        list_parts(out, others.iter(), |(other, value), out| {
            out.extend_from_slice(format!("{}:{value}", Value::from(other.as_str())).as_bytes());
        });
    };
    out.push(b'{');
    if extras_first && !others.is_empty() {
        write_others(out);
        out.push(b',');
    }
    out.extend_from_slice(format!("{}:", Value::from(name.as_str())).as_bytes());
    let inner = extras.get(name).and_then(Value::as_object).unwrap_or(&none);
    nest(out, below, inner, extras_first, write_rows);
    if !extras_first && !others.is_empty() {
        out.push(b',');
        write_others(out);
    }
    out.push(b'}');
}

fn list(
    out: &mut Vec<u8>,
    (open, close): (char, char),
    indexes: impl Iterator<Item = usize>,
    write: impl Fn(usize, &mut Vec<u8>),
) {
    out.push(open as u8);
    list_parts(out, indexes, write);
    out.push(close as u8);
}

fn list_parts<T>(
    out: &mut Vec<u8>,
    parts: impl Iterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    for (number, part) in parts.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(part, out);
    }
}

fn write_value(rows: &Rows, index: usize, out: &mut Vec<u8>) {
    match rows.members(index).get("value") {
        Some(value) => out.extend_from_slice(value.get().as_bytes()),
        None => rows.write(index, out),
    }
}

fn write_named(rows: &Rows, index: usize, out: &mut Vec<u8>) {
    let mut members = rows.members(index);
    let name = members
        .remove("@key")
        .or_else(|| members.get("id").cloned());
    let name = name.as_deref().map_or("", RawValue::get);
    let quoted = if name.starts_with('"') {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    };
    out.extend_from_slice(quoted.as_bytes());
    out.push(b':');
    write_object(&members, out);
}

fn write_object(members: &BTreeMap<String, Box<RawValue>>, out: &mut Vec<u8>) {
    out.push(b'{');
    list_parts(out, members.iter(), |(name, value), out| {
        out.extend_from_slice(format!("{}:{}", Value::from(name.as_str()), value.get()).as_bytes());
    });
    out.push(b'}');
}

fn write_array(rows: &Rows, index: usize, columns: &[String], out: &mut Vec<u8>) {
    let members = rows.members(index);
    out.push(b'[');
    list_parts(out, columns.iter(), |column, out| {
        let value = members.get(column).map_or("null", |value| value.get());
        out.extend_from_slice(value.as_bytes());
    });
    out.push(b']');
}

fn write_record(rows: &Rows, index: usize, columns: &[String], out: &mut Vec<u8>) {
    let members = rows.members(index);
    let field = |column: &String| match members.get(column).map(|value| value.get()) {
        None | Some("null") => String::new(),
        Some(json) => csv_text(&serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())),
    };
    write_line(columns.iter().map(field), out);
}

fn write_line(fields: impl Iterator<Item = String>, out: &mut Vec<u8>) {
    let fields: Vec<String> = fields.collect();
    out.extend_from_slice(fields.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A field of RFC 4180; an empty text is told from none by its quotes.
pub(crate) fn csv_text(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Puts a value at a dotted path, making the objects on the way; what is in the way is replaced.
pub(crate) fn set_member(object: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((name, below)) = path.split_first() else {
        return;
    };
    if below.is_empty() {
        object.insert(name.clone(), value);
        return;
    }
    let inner = object
        .entry(name.clone())
        .or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Some(inner) = inner.as_object_mut() {
        set_member(inner, below, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scenario::RouteSpec;
    use serde_json::json;

    fn document(shape: Value, rows: &str, extras: Value, first: bool) -> String {
        let mut spec: RouteSpec = serde_json::from_str(&format!("{{\"rows\": {rows}}}")).unwrap();
        let rows = Rows::of(&mut spec).unwrap().unwrap();
        let shape: Shape = serde_json::from_value(shape).unwrap();
        shape.check(&rows).unwrap();
        let extras = extras.as_object().unwrap().clone();
        let text = shape.document(
            &rows,
            &Selection::All(rows.len()),
            0..rows.len(),
            extras,
            first,
        );
        String::from_utf8(text).unwrap()
    }

    const ROWS: &str = r#"[{"id":7,"v":1.50},{"id":8,"w":[]}]"#;

    #[test]
    fn every_shape_keeps_the_text_of_values() {
        let none = || json!({});
        assert_eq!(document(json!("array"), ROWS, none(), false), ROWS);
        assert_eq!(
            document(json!("map"), ROWS, none(), false),
            r#"{"7":{"id":7,"v":1.50},"8":{"id":8,"w":[]}}"#
        );
        assert_eq!(
            document(json!("single"), ROWS, none(), false),
            r#"{"id":7,"v":1.50}"#
        );
        assert_eq!(
            document(json!("values"), r#"[{"value":1},"b",null]"#, none(), false),
            r#"[1,"b",null]"#
        );
        assert_eq!(
            document(json!("arrays"), ROWS, none(), false),
            r#"{"rows":[[7,1.50,null],[8,null,[]]],"columns":["id","v","w"]}"#
        );
    }

    #[test]
    fn lines_and_records_end_with_their_line() {
        assert_eq!(
            document(json!("jsonl"), ROWS, json!({}), false),
            "{\"id\":7,\"v\":1.50}\n{\"id\":8,\"w\":[]}\n"
        );
        let rows = r#"[{"a":1.50,"b":"x,\"y\""},{"a":null,"b":""},{"b":["z"]}]"#;
        assert_eq!(
            document(json!("csv"), rows, json!({}), false),
            "a,b\r\n1.50,\"x,\"\"y\"\"\"\r\n,\"\"\r\n,\"[\"\"z\"\"]\"\r\n"
        );
    }

    #[test]
    fn a_key_of_its_own_is_left_out_of_the_row() {
        let rows = r#"[{"@key":"a\"b","v":1}]"#;
        assert_eq!(
            document(json!({"path": "d", "as": "map"}), rows, json!({}), false),
            r#"{"d":{"a\"b":{"v":1}}}"#
        );
    }

    #[test]
    fn members_are_merged_around_the_rows() {
        let extras = || json!({"data": {"total": 2}, "ok": true});
        let nested = || json!({"path": "data.items"});
        assert_eq!(
            document(nested(), "[1]", extras(), false),
            r#"{"data":{"items":[1],"total":2},"ok":true}"#
        );
        assert_eq!(
            document(nested(), "[1]", extras(), true),
            r#"{"ok":true,"data":{"total":2,"items":[1]}}"#
        );
    }

    #[test]
    fn members_are_set_at_depth() {
        let mut object = json!({"meta": {"x": 1}}).as_object().unwrap().clone();
        set_member(
            &mut object,
            &["meta".to_owned(), "next".to_owned()],
            json!("c"),
        );
        set_member(&mut object, &["total".to_owned()], json!(3));
        assert_eq!(
            Value::Object(object),
            json!({"meta": {"x": 1, "next": "c"}, "total": 3})
        );
    }
}

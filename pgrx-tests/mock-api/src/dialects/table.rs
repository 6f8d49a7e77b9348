//! What rows a dialect's route has: each column's value parsed once, and the JSON that it came from.

use super::document::Json;
use super::spec::DialectSpec;
use super::value::{ColumnType, Value};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

type Members = BTreeMap<String, Box<RawValue>>;

/// Rows with typed columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
}

#[derive(Debug)]
pub(crate) struct Row {
    /// One a column.
    pub(crate) values: Vec<Value>,
    /// The JSON at each column's place.
    cells: Vec<Option<Box<RawValue>>>,
    /// The whole row.
    pub(crate) text: String,
}

impl Table {
    /// Parses the rows that a route lists; the error names row and column.
    pub(crate) fn new(spec: &DialectSpec, texts: &[Box<RawValue>]) -> Result<Table, String> {
        let columns: Vec<Column> = spec
            .columns
            .iter()
            .map(|(name, column_type)| Column {
                name: name.clone(),
                column_type: *column_type,
            })
            .collect();
        let row = |(number, text): (usize, _)| {
            Row::new(&columns, text).map_err(|problem| format!("row {number}: {problem}"))
        };
        let rows = texts.iter().map(AsRef::as_ref).enumerate().map(row);
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(Table { columns, rows })
    }

    /// A column's number; the error is a message for the client.
    pub(crate) fn column(&self, name: &str) -> Result<usize, String> {
        self.find(name)
            .ok_or_else(|| format!("unknown column '{name}'"))
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    pub(crate) fn column_type(&self, column: usize) -> ColumnType {
        self.columns[column].column_type
    }

    /// The JSON of a row with only these columns, each at its path, as it was listed.
    pub(crate) fn projected(&self, row: usize, columns: &[usize]) -> String {
        let mut tree = Tree::default();
        for column in columns {
            let cell = self.rows[row].cells[*column].as_deref();
            let text = cell.map_or("null", RawValue::get);
            tree.set(&self.columns[*column].name, text);
        }
        tree.to_string()
    }
}

/// An object whose members are JSON texts, or objects again.
#[derive(Debug, Default)]
struct Tree<'a> {
    members: Vec<(&'a str, Node<'a>)>,
}

#[derive(Debug)]
enum Node<'a> {
    Text(&'a str),
    Object(Tree<'a>),
}

impl<'a> Tree<'a> {
    fn set(&mut self, path: &'a str, text: &'a str) {
        let Some((name, below)) = path.split_once('.') else {
            self.members.push((path, Node::Text(text)));
            return;
        };
        let found = self.members.iter_mut().find(|(found, _)| *found == name);
        if let Some((_, Node::Object(inner))) = found {
            return inner.set(below, text);
        }
        let mut inner = Tree::default();
        inner.set(below, text);
        self.members.push((name, Node::Object(inner)));
    }
}

impl std::fmt::Display for Tree<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("{")?;
        for (number, (name, node)) in self.members.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(formatter, "{comma}{}:", serde_json::Value::from(*name))?;
            match node {
                Node::Text(text) => formatter.write_str(text)?,
                Node::Object(inner) => write!(formatter, "{inner}")?,
            }
        }
        formatter.write_str("}")
    }
}

impl Row {
    fn new(columns: &[Column], text: &RawValue) -> Result<Row, String> {
        let members: Members =
            serde_json::from_str(text.get()).map_err(|error| format!("{error} in {text}"))?;
        let cells: Vec<Option<Box<RawValue>>> = columns
            .iter()
            .map(|column| cell(&members, &column.name))
            .collect();
        let value = |(column, cell): (&Column, &Option<Box<RawValue>>)| {
            let Some(cell) = cell else {
                return Ok(Value::Null);
            };
            column
                .column_type
                .of_json(&Json::of_raw(cell)?)
                .map_err(|problem| format!("column {}: {problem}", column.name))
        };
        Ok(Row {
            values: columns
                .iter()
                .zip(&cells)
                .map(value)
                .collect::<Result<_, String>>()?,
            cells,
            text: text.get().to_owned(),
        })
    }
}

/// What stands at a dotted path; a name may have dots of its own.
fn cell(members: &Members, path: &str) -> Option<Box<RawValue>> {
    if let Some(found) = members.get(path) {
        return Some(found.clone());
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = members.get(&path[..dot])?;
        let inner: Members = serde_json::from_str(inner.get()).ok()?;
        cell(&inner, &path[dot + 1..])
    })
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    /// A table from columns' types and rows.
    pub(crate) fn table(columns: serde_json::Value, rows: &str) -> Table {
        let spec = json!({"name": "plain", "columns": columns});
        let rows: Vec<Box<RawValue>> = serde_json::from_str(rows).unwrap();
        Table::new(&serde_json::from_value(spec).unwrap(), &rows).unwrap()
    }

    #[test]
    fn columns_are_found_at_their_paths_and_go_out_as_listed() {
        let table = table(
            json!({"n": "numeric", "u.login": "text", "u.id": "int4", "l.a.b/c": "text"}),
            r#"[{"n": 1.50, "u": {"login": "ann", "id": 7}, "l": {"a.b/c": "x"}}, {"n": null}]"#,
        );
        let column = |name: &str| table.column(name).unwrap();
        let value = |row: usize, name: &str| table.rows[row].values[column(name)].to_text();
        assert_eq!(value(0, "u.login"), "ann");
        assert_eq!(value(0, "l.a.b/c"), "x");
        assert_eq!(table.rows[1].values[column("u.id")], Value::Null);
        assert_eq!(
            table.projected(0, &[column("n"), column("u.id"), column("u.login")]),
            r#"{"n":1.50,"u":{"id":7,"login":"ann"}}"#
        );
        assert_eq!(table.column("nn").unwrap_err(), "unknown column 'nn'");
    }

    #[test]
    fn a_row_that_does_not_fit_its_columns_is_refused() {
        let spec = json!({"name": "plain", "columns": {"n": "int4"}});
        let rows: Vec<Box<RawValue>> = serde_json::from_str(r#"[{"n": 1}, {"n": "x"}]"#).unwrap();
        let problem = Table::new(&serde_json::from_value(spec).unwrap(), &rows).unwrap_err();
        assert_eq!(problem, "row 1: column n: 'x' is no Int4");
    }
}

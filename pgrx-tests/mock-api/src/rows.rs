//! What rows a route has, and what stands in their fields.

use crate::generate::Items;
use crate::scenario::{GeneratedKind, RouteSpec};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The rows of a route.
#[derive(Debug)]
pub(crate) enum Rows {
    /// As the scenario lists them.
    Literal(Vec<LiteralRow>),
    /// The JSON of each.
    Texts(Vec<String>),
    /// Made when they are asked for.
    Items(Items),
}

/// A listed row: its text goes out unchanged, its value is filtered by.
#[derive(Debug)]
pub(crate) struct LiteralRow {
    text: Box<RawValue>,
    value: Value,
}

/// A member of a row, or a column, with its JSON.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

impl Rows {
    /// The rows that a route lists or generates, or `None` if it answers with something else.
    pub(crate) fn of(spec: &mut RouteSpec) -> Result<Option<Rows>, String> {
        if let Some(generate) = spec.generate {
            let GeneratedKind::Items = generate.kind;
            return Ok(Some(Rows::Items(Items {
                count: generate.count,
                seed: generate.seed,
            })));
        }
        let Some(texts) = spec.rows.take() else {
            return Ok(None);
        };
        let row = |text: Box<RawValue>| match serde_json::from_str(text.get()) {
            Ok(value) => Ok(LiteralRow { text, value }),
            Err(error) => Err(format!("row {}: {error}", text.get())),
        };
        Ok(Some(Rows::Literal(
            texts.into_iter().map(row).collect::<Result<_, _>>()?,
        )))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::Literal(rows) => rows.len(),
            Rows::Texts(texts) => texts.len(),
            Rows::Items(items) => items.count,
        }
    }

    /// A row's value at a path of names.
    pub(crate) fn field(&self, index: usize, path: &[String]) -> Option<Cow<'_, Value>> {
        match self {
            Rows::Literal(rows) => {
                let start = &rows.get(index)?.value;
                path.iter()
                    .try_fold(start, |value, name| value.get(name))
                    .map(Cow::Borrowed)
            }
            Rows::Texts(texts) => {
                let start: Value = serde_json::from_str(texts.get(index)?).ok()?;
                path.iter()
                    .try_fold(&start, |value, name| value.get(name))
                    .cloned()
                    .map(Cow::Owned)
            }
            Rows::Items(items) => items.field(index, path).map(Cow::Owned),
        }
    }

    /// Appends a row's JSON.
    pub(crate) fn write(&self, index: usize, out: &mut Vec<u8>) {
        match self {
            Rows::Literal(rows) => out.extend_from_slice(rows[index].text.get().as_bytes()),
            Rows::Texts(texts) => out.extend_from_slice(texts[index].as_bytes()),
            Rows::Items(items) => items.write(index, out),
        }
    }

    /// A row's members, with their JSON untouched; none if the row is not an object.
    pub(crate) fn members(&self, index: usize) -> Members {
        let mut text = Vec::new();
        self.write(index, &mut text);
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The names of all members that any row has.
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Rows::Texts(texts) => {
                let members = (0..texts.len()).map(|index| self.members(index));
                let names: BTreeSet<String> = members.flat_map(Members::into_keys).collect();
                names.into_iter().collect()
            }
            Rows::Items(_) => Items::COLUMNS.map(str::to_owned).to_vec(),
            Rows::Literal(rows) => {
                let objects = rows.iter().filter_map(|row| row.value.as_object());
                let names: BTreeSet<&String> = objects.flat_map(|object| object.keys()).collect();
                names.into_iter().cloned().collect()
            }
        }
    }

    /// The rows that can have this text in this field: for the number of a generated row only that one, so that looking up
    /// one of a million takes no scan.
    pub(crate) fn candidates(&self, path: &[String], text: &str) -> Range<usize> {
        match self {
            Rows::Items(items) if path == ["id"] => match text.parse::<usize>() {
                Ok(id) if (1..=items.count).contains(&id) => id - 1..id,
                _ => 0..0,
            },
            _ => 0..self.len(),
        }
    }
}

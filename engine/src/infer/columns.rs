//! The columns of a table: the members of its rows, nested ones too.

use super::layout::{Layout, Shape};
use super::names::{Names, snake_case};
use super::proposal::ProposedColumn;
use super::survey::Survey;
use super::{types, written};
use crate::decode::camel_case;
use crate::model::Segment;

/// Objects within objects that become columns of their own.
const LEVELS: usize = 2;
/// Columns of one table; an object whose members would be more stays one column.
const MOST_COLUMNS: usize = 300;
/// Members of one object that are told apart; more are a map, and stay one column.
const MOST_FLATTENED: usize = 100;

/// A column, and what it was made of.
pub(super) struct Made {
    pub(super) column: ProposedColumn,
    /// The member of the row that it holds; empty for what is no member.
    pub(super) path: Vec<Segment>,
    /// Every row has a value of its own here.
    pub(super) is_unique: bool,
}

/// The columns of the rows. Their names are chosen from `names`.
pub(super) fn columns(layout: &Layout, names: &mut Names) -> Vec<Made> {
    let mut maker = Maker {
        names,
        made: Vec::new(),
        rows: layout.count,
    };
    let row = &layout.row;
    match &layout.shape {
        Shape::Objects => maker.members(row),
        Shape::Single if row.is_object() => maker.members(row),
        Shape::Map => {
            maker.special("key", "@key", &Survey::text());
            maker.members(row);
        }
        Shape::Arrays {
            names,
            columns_field,
        } => maker.elements(row, names.as_deref(), columns_field.is_some()),
        Shape::Records { names } => maker.fields(row, names.as_deref()),
        Shape::Values | Shape::Single => maker.special("value", "$", row),
    }
    maker.made
}

struct Maker<'a> {
    names: &'a mut Names,
    made: Vec<Made>,
    rows: u64,
}

impl Maker<'_> {
    fn members(&mut self, row: &Survey) {
        let mut path = Vec::new();
        self.object(row, row, &mut path);
        if self.made.is_empty() {
            self.special("document", "$", row);
        }
    }

    fn object(&mut self, row: &Survey, object: &Survey, path: &mut Vec<Segment>) {
        for (name, member) in &object.objects.members {
            path.push(name.clone());
            if self.is_flattened(member, path.len()) {
                self.object(row, member, path);
            } else {
                self.member(row, member, path);
            }
            path.pop();
        }
    }

    /// Whether the members of an object become columns of their own.
    fn is_flattened(&self, member: &Survey, level: usize) -> bool {
        let members = &member.objects.members;
        let present: u64 = members.iter().map(|(_, inner)| inner.count()).sum();
        // A map has other members in every row.
        let is_map =
            members.len() > 10 && present * 4 < member.objects.count * members.len() as u64;
        level <= LEVELS
            && member.is_object()
            && !members.is_empty()
            && members.len() <= MOST_FLATTENED
            && member.objects.others.is_none()
            && !is_map
            && self.made.len() + members.len() <= MOST_COLUMNS
    }

    fn member(&mut self, row: &Survey, member: &Survey, path: &[Segment]) {
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let name = self.names.choose(&segments);
        let mut options = Vec::new();
        if !is_found_by_name(row, path, &name) {
            options.push(("field".to_owned(), written::path(path)));
        }
        self.push(name, member, options, path.to_vec());
    }

    /// A column that is no member of a row.
    fn special(&mut self, name: &str, field: &str, values: &Survey) {
        let name = self.names.choose(&[name]);
        let options = vec![("field".to_owned(), field.to_owned())];
        self.push(name, values, options, Vec::new());
        if let (Some(key), "@key") = (self.made.last_mut(), field) {
            key.is_unique = true;
        }
    }

    /// The elements of rows that are arrays: by their names, or by their places.
    fn elements(&mut self, row: &Survey, names: Option<&[String]>, by_name: bool) {
        for (index, element) in row.arrays.places.iter().enumerate() {
            let given = names.and_then(|names| names.get(index));
            let numbered = format!("column_{}", index + 1);
            let name = self.names.choose(&[given.unwrap_or(&numbered)]);
            let field = given.filter(|given| by_name && **given != name);
            let options = field.map(|field| {
                (
                    "field".to_owned(),
                    written::path(std::slice::from_ref(field)),
                )
            });
            self.push(name, element, options.into_iter().collect(), Vec::new());
        }
    }

    /// The fields of records: by the names of the header; by their places where those do not tell them apart, or where
    /// there is none.
    fn fields(&mut self, row: &Survey, names: Option<&[String]>) {
        let names = names.unwrap_or_default();
        for (index, field) in row.arrays.places.iter().enumerate() {
            let numbered = format!("column_{}", index + 1);
            let given = names.get(index).filter(|given| !given.is_empty());
            let name = self.names.choose(&[given.unwrap_or(&numbered)]);
            let is_only = |given: &&String| names.iter().filter(|name| name == given).count() == 1;
            let option = match (given.filter(is_only), names.is_empty()) {
                (Some(given), _) if *given == name => None,
                (Some(given), _) => Some(written::path(std::slice::from_ref(given))),
                (None, true) => None,
                (None, false) => Some(index.to_string()),
            };
            let option = option.map(|field| ("field".to_owned(), field));
            self.push(name, field, option.into_iter().collect(), Vec::new());
        }
    }

    fn push(
        &mut self,
        name: String,
        values: &Survey,
        options: Vec<(String, String)>,
        path: Vec<Segment>,
    ) {
        let words = snake_case(path.last().unwrap_or(&name));
        let is_id = words == "id" || words.ends_with("_id");
        let ty = types::of(values, is_id);
        self.made.push(Made {
            is_unique: values.unique && values.nulls == 0 && values.count() == self.rows,
            column: ProposedColumn {
                note: note(values, &words),
                name,
                ty,
                options,
            },
            path,
        });
    }
}

/// Whether a column without the option `field` reads this member, and no other one.
fn is_found_by_name(row: &Survey, path: &[Segment], name: &str) -> bool {
    let camel = camel_case(name);
    path == [name.to_owned()] && (camel == name || row.member(&camel).is_none())
}

/// What a reader should know of a column.
fn note(values: &Survey, words: &str) -> Option<String> {
    if values.values() == 0 {
        return Some("always null in this page".to_owned());
    }
    if values.texts.unreadable > 0 {
        return Some(
            "some values hold characters that PostgreSQL has no text for: on_error 'null' reads them as NULL"
                .to_owned(),
        );
    }
    if values.scalars() > 0 && values.scalars() != values.values() {
        return Some("sometimes a plain value, sometimes an array or object".to_owned());
    }
    epoch(values, words).map(|(what, format)| {
        format!("{what} since 1970? Then timestamptz OPTIONS (..., format '{format}')")
    })
}

/// Words of which one names an instant.
const INSTANTS: [&str; 16] = [
    "time",
    "timestamp",
    "ts",
    "date",
    "at",
    "on",
    "created",
    "updated",
    "modified",
    "deleted",
    "published",
    "expires",
    "expiry",
    "seen",
    "since",
    "until",
];

/// The unit in which numbers may count from 1970: their name says so, and they lie between 2000 and 2100.
fn epoch(values: &Survey, words: &str) -> Option<(&'static str, &'static str)> {
    let (least, greatest) = values.numbers.range?;
    let last = words.rsplit('_').next()?;
    if !INSTANTS.contains(&last) || values.numbers.count != values.values() {
        return None;
    }
    const UNITS: [(i64, &str, &str); 4] = [
        (1, "seconds", "unix"),
        (1_000, "milliseconds", "unix_ms"),
        (1_000_000, "microseconds", "unix_us"),
        (1_000_000_000, "nanoseconds", "unix_ns"),
    ];
    let is_between = |unit: i64| least >= 946_684_800 * unit && greatest <= 4_102_444_800 * unit;
    let mut units = UNITS.iter();
    let found = units.find(|(unit, _, _)| is_between(*unit));
    found.map(|(_, what, format)| (*what, *format))
}

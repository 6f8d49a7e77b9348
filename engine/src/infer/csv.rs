//! CSV → what its columns have in common.

use super::format::NULL;
use super::survey::{MOST_MEMBERS, Survey};
use crate::Result;
use crate::decode::{Field, Splitter, each_record, names};
use crate::error::Exchange;
use crate::model::Csv;
use std::io::Read;

/// The records of a body: a list of rows that are lists.
#[derive(Default)]
pub(super) struct Records {
    /// The names of the header, all of them.
    pub(super) names: Option<Vec<String>>,
    /// An array of arrays, whose places are the columns.
    pub(super) survey: Survey,
    /// Some fields say in the way of `COPY` that they have no value, which nobody told.
    pub(super) has_nulls: bool,
}

/// Surveys the records of a body. `is_told`: that this is its CSV was not guessed.
///
/// # Errors
/// Those of a scan: [`Error::Body`](crate::Error::Body) and [`Error::Truncated`](crate::Error::Truncated) where it is no CSV.
pub(super) fn read(
    body: &mut dyn Read,
    csv: &Csv,
    is_told: bool,
    exchange: &Exchange,
) -> Result<Records> {
    let mut found = Records::default();
    found.survey.arrays.count = 1;
    each_record(body, csv, exchange, |record| {
        if csv.header && found.names.is_none() {
            found.names = Some(names(record));
        } else {
            found.add(record, &csv.null, is_told);
        }
    })?;
    Ok(found)
}

impl Records {
    fn add(&mut self, record: &Splitter, null: &str, is_told: bool) {
        let names = self.names.as_deref().unwrap_or_default();
        let rows = self.survey.arrays.elements.get_or_insert_default();
        rows.arrays.count += 1;
        let places = &mut rows.arrays.places;
        places.resize_with(record.width().min(MOST_MEMBERS), Survey::default);
        for (index, (field, place)) in record.fields().zip(places).enumerate() {
            let is_usual_null = !is_told && field.is_null(NULL);
            self.has_nulls |= is_usual_null;
            if is_usual_null || field.is_null(null) || field.text().is_empty() {
                place.nulls += 1;
                continue;
            }
            if names.get(index).is_some_and(|name| name == "id") {
                place.note_key(&String::from_utf8_lossy(field.text()));
            }
            look(field, place);
        }
    }
}

/// Looks at a value: every type that reads it from a text is possible.
fn look(field: Field, at: &mut Survey) {
    let Ok(text) = std::str::from_utf8(field.text()) else {
        at.add_text(None);
        return;
    };
    // No number: what would lose leading zeros.
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_number {
        at.add_number(text);
    } else if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        at.add_bool(text.len() == 4);
    } else {
        at.add_text((!text.contains('\0')).then_some(text));
    }
}

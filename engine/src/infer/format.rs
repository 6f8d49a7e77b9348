//! How a response is written: by what its server's options say, by its `Content-Type`, else by how it begins.

use super::Sample;
use super::proposal::Note;
use super::survey::MOST_MEMBERS;
use crate::decode::{Moment, Splitter, names};
use crate::model::{Csv, Format};
use serde_json::value::RawValue;
use std::collections::HashSet;

/// Bytes of a body that are looked at.
pub(super) const BEGINNING: usize = 64 << 10;
/// Records that are looked at.
const RECORDS: usize = 20;
/// What stands between the fields of most files.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What PostgreSQL's COPY, MySQL and Hive write for NULL.
pub(super) const NULL: &str = "\\N";

/// The format of a response that begins so; `is_whole`: that is all of it.
pub(super) fn of(headers: &[(String, String)], beginning: &[u8], is_whole: bool) -> Format {
    let mut headers = headers.iter();
    let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let content_type = header.map(|(_, value)| value.to_ascii_lowercase());
    let content_type = content_type.unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let beginning = trimmed(beginning);
    match media_type {
        "text/csv" | "application/csv" | "text/tab-separated-values" => {
            let delimited = delimited(beginning, is_whole, 1);
            let mut csv = delimited.unwrap_or_else(|| Csv {
                header: has_header(beginning, is_whole, &Csv::default()),
                ..Csv::default()
            });
            // RFC 4180, section 3.
            match parts.find(|part| part.starts_with("header=")) {
                Some("header=present") => csv.header = true,
                Some("header=absent") => csv.header = false,
                _ => {}
            }
            Format::Csv(csv)
        }
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-seq" => Format::JsonLines,
        _ if are_lines(beginning) => Format::JsonLines,
        _ if media_type.ends_with("json") || beginning.starts_with(b"<") => Format::Json,
        _ if beginning.starts_with(b"{") || beginning.starts_with(b"[") => Format::Json,
        _ => delimited(beginning, is_whole, 2).map_or(Format::Json, Format::Csv),
    }
}

/// Without a byte order mark and blanks.
fn trimmed(beginning: &[u8]) -> &[u8] {
    let text = beginning.strip_prefix("\u{feff}".as_bytes());
    text.unwrap_or(beginning).trim_ascii_start()
}

/// Whether the first two lines are documents of their own.
fn are_lines(beginning: &[u8]) -> bool {
    if beginning.first() == Some(&0x1e) {
        return true; // RFC 7464
    }
    let lines = beginning.split(|byte| *byte == b'\n');
    let mut lines = lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else {
        return false;
    };
    let opening = first.first().filter(|byte| matches!(byte, b'{' | b'['));
    opening.is_some()
        && opening == second.first()
        && serde_json::from_slice::<&RawValue>(first).is_ok()
}

/// The CSV that the text is, with the delimiter that makes most fields of it: as many in every record, and at least `least`
/// records.
fn delimited(text: &[u8], is_whole: bool, least: usize) -> Option<Csv> {
    let candidates = DELIMITERS.map(|delimiter| Csv {
        delimiter,
        ..Csv::default()
    });
    let width = |csv: &Csv| {
        let widths = records(text, is_whole, csv, Splitter::width)?;
        let first = *widths.first()?;
        let is_it =
            first > 1 && widths.len() >= least && widths.iter().all(|width| *width == first);
        is_it.then_some(first)
    };
    // Of equals the first.
    let widths = candidates.into_iter().rev();
    let widths = widths.filter_map(|csv| Some((width(&csv)?, csv)));
    let (_, csv) = widths.max_by_key(|(width, _)| *width)?;
    Some(Csv {
        header: has_header(text, is_whole, &csv),
        ..csv
    })
}

/// Whether the first record has names: none twice, and nothing that is a number, a date or nothing.
fn has_header(text: &[u8], is_whole: bool, csv: &Csv) -> bool {
    let first = records(text, is_whole, csv, names);
    let Some(names) = first.and_then(|records| records.into_iter().next()) else {
        return true;
    };
    let distinct: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_value = |name: &str| {
        name.is_empty()
            || name == NULL
            || name.parse::<f64>().is_ok()
            || Moment::parse(name.as_bytes()).is_some()
    };
    distinct.len() == names.len() && !names.iter().any(|name| is_value(name))
}

/// What `look` sees in the first records; `None` where one of them is no CSV.
fn records<T>(
    text: &[u8],
    is_whole: bool,
    csv: &Csv,
    look: impl Fn(&Splitter) -> T,
) -> Option<Vec<T>> {
    let mut splitter = Splitter::new(csv);
    let (mut at, mut seen) = (0, Vec::new());
    while seen.len() < RECORDS {
        match splitter.split(&text[at..], is_whole) {
            Ok(0) => break,
            Ok(length) => {
                let is_blank = text[at..at + length].trim_ascii().is_empty();
                at += length;
                if !is_blank {
                    seen.push(look(&splitter));
                }
            }
            Err(broken) if broken.is_cut() && !is_whole => break,
            Err(_) => return None,
        }
    }
    Some(seen)
}

/// The options that say so.
pub(super) fn options(format: &Format) -> Vec<(String, String)> {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let csv = match format {
        Format::Json => return vec![option("format", "json")],
        Format::JsonLines => return vec![option("format", "jsonl")],
        Format::Csv(csv) => csv,
    };
    let usual = Csv::default();
    let mut options = vec![option("format", "csv")];
    if csv.delimiter != usual.delimiter {
        let delimiter = match csv.delimiter {
            b'\t' => "\\t".to_owned(),
            delimiter => char::from(delimiter).to_string(),
        };
        options.push(option("csv_delimiter", &delimiter));
    }
    if csv.header != usual.header {
        options.push(option("csv_header", "off"));
    }
    if csv.null != usual.null {
        options.push(option("csv_null", &csv.null));
    }
    options
}

/// What a reader should know of the format: what was guessed and may be otherwise. `told`: what the server's options say.
pub(super) fn note(sample: &Sample, told: &Format) -> Option<Note> {
    let is_guess = sample.format != *told;
    match &sample.format {
        Format::Csv(csv) if is_guess && !csv.header => Some(Note::from(
            "the first record does not look like names of columns; if it is, leave csv_header out"
                .to_owned(),
        )),
        Format::Csv(_) => {
            let fields = sample.header.as_ref().map_or(0, Vec::len);
            (fields > MOST_MEMBERS).then(|| {
                Note::from(format!(
                    "the records have {fields} fields, of which the first {MOST_MEMBERS} are columns"
                ))
            })
        }
        _ => None,
    }
}

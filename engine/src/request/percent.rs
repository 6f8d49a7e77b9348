//! Percent-encoding for each place of a URL (RFC 3986).

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// One rule for values in path and query: unreserved characters and some delimiters stay readable (so
/// that times, lists and filters do), all else is encoded. None of these separates anything where it may
/// stand here.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',')
    .remove(b'$')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'\'');

/// Text that the table's owner wrote as a part of the path: its own escapes and delimiters stay.
const LITERAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Encodes a value, or a parameter's name, for one path segment or one query component.
pub(super) fn encode_value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// Bytes of a value when it is encoded.
pub(crate) fn encoded_length(text: &str) -> usize {
    utf8_percent_encode(text, VALUE).map(str::len).sum()
}

/// Noncharacters of Unicode (section 23.7: for internal use) that stand around a placeholder.
const MARKS: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// A value that only comes when the query runs, as EXPLAIN shows it: it stands in a request's text like
/// any other, and [`legible`] takes its marks away.
pub(crate) fn placeholder(name: &str) -> String {
    format!("{}{name}{}", MARKS[0], MARKS[1])
}

/// Whether a text is a [`placeholder`].
pub(super) fn is_placeholder(text: &str) -> bool {
    text.starts_with(MARKS[0])
}

/// A request's text with its placeholders as they are, encoded or not, and out of quotes.
pub(super) fn legible(text: &str) -> String {
    let encoded = MARKS.map(|mark| encode_value(&mark.to_string()));
    let raw = MARKS.map(|mark| mark.to_string());
    [("%22", encoded), ("\"", raw)].into_iter().fold(
        text.to_owned(),
        |text, (quote, [open, close])| {
            text.replace(&format!("{quote}{open}"), "")
                .replace(&format!("{close}{quote}"), "")
                .replace(&open, "")
                .replace(&close, "")
        },
    )
}

/// Encodes a literal part of the path, as little as makes it a valid URI.
pub(super) fn encode_literal(text: &str) -> String {
    utf8_percent_encode(text, LITERAL).to_string()
}

/// A URL that an API sent, encoded no more than makes it a valid URI reference.
pub(crate) fn clean_reference(text: &str) -> String {
    const REFERENCE: &AsciiSet = &LITERAL.remove(b'[').remove(b']');
    utf8_percent_encode(text.trim(), REFERENCE).to_string()
}

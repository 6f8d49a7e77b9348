//! What an error status says: the API's own message, found in its body.

use super::body::Body;
use super::redact::Redactor;
use crate::model::Segment;
use serde_json::Value;
use std::io::Read;

/// Bytes of an error's body that are looked at.
const MOST_READ: u64 = 64 * 1024;
/// Letters of a message that are shown.
const MOST_SHOWN: usize = 500;

/// Where APIs put their message, in the order tried.
const USUAL_PLACES: [&[&str]; 9] = [
    &["message"],
    &["error", "message"],
    &["error_description"],
    &["error"],
    &["detail"],
    &["errors", "0", "message"],
    &["errors", "0", "detail"],
    &["errors", "0"],
    &["title"],
];

/// The API's message in an error response, for a user to read: one line, shortened, secrets masked.
///
/// `field` is the table's `error_field`; without it, or where it holds nothing, the usual places are tried.
/// A body that cannot be read, or says nothing, gives `None`.
pub(crate) fn message(
    body: &mut Body,
    headers: &[(String, String)],
    field: Option<&[Segment]>,
    redactor: &Redactor,
) -> Option<String> {
    let mut bytes = Vec::new();
    // What arrived before a failure is still worth reading; the status is the error that matters.
    let _ = body.take(MOST_READ).read_to_end(&mut bytes);
    let found = said(&String::from_utf8_lossy(&bytes), headers, field)?;
    // Masked before it is shortened: a secret that was cut in two would not be recognised.
    let line = shortened(&one_line(&redactor.text(&found)));
    (!line.is_empty()).then_some(line)
}

/// What the text of an error's body says.
pub(super) fn said(
    text: &str,
    headers: &[(String, String)],
    field: Option<&[Segment]>,
) -> Option<String> {
    let content_type = headers.iter().find(|(name, _)| name == "content-type");
    in_text(text, content_type.map_or("", |(_, value)| value), field)
}

fn in_text(text: &str, content_type: &str, field: Option<&[Segment]>) -> Option<String> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if let Ok(document) = serde_json::from_str::<Value>(start) {
        return in_json(&document, field);
    }
    if content_type.contains("html") || start.starts_with('<') {
        return html_title(start);
    }
    if content_type.contains("json") || start.starts_with(['{', '[']) {
        return None;
    }
    plain(start)
}

fn in_json(document: &Value, field: Option<&[Segment]>) -> Option<String> {
    let declared = field.and_then(|path| at(document, path.iter().map(String::as_str)));
    let usual = || {
        USUAL_PLACES
            .iter()
            .find_map(|path| at(document, path.iter().copied()))
    };
    let alone = || document.as_str().map(str::to_owned);
    declared.or_else(usual).or_else(alone)
}

fn at<'a>(document: &Value, path: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut value = document;
    for segment in path {
        value = match value {
            Value::Array(elements) => elements.get(segment.parse::<usize>().ok()?)?,
            other => other.get(segment)?,
        };
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first line; where that only repeats the status (`Error 400: Bad Request`, as FDSN services write), the next one too.
fn plain(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next()?;
    match lines.next() {
        Some(second) if first.starts_with("Error ") => Some(format!("{first}: {second}")),
        _ => Some(first.to_owned()),
    }
}

fn html_title(text: &str) -> Option<String> {
    // ASCII case mapping keeps every byte position.
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = text[start..end]
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    Some(title.replace("&#39;", "'").replace("&amp;", "&"))
}

/// Control characters and runs of white space become one space.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_control() || letter.is_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A text short enough to be shown. Secrets were masked before.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> Option<String> {
        in_text(text, "", None)
    }

    #[test]
    fn the_usual_places_are_tried() {
        for (body, message) in [
            (r#"{"message": "no"}"#, "no"),
            (r#"{"error": {"code": 7, "message": "no"}}"#, "no"),
            (
                r#"{"error": "invalid_grant", "error_description": "no"}"#,
                "no",
            ),
            (r#"{"error": "no"}"#, "no"),
            (r#"{"title": "Bad Request", "detail": "no"}"#, "no"),
            (r#"{"title": "no"}"#, "no"),
            (r#"{"errors": [{"message": "no"}]}"#, "no"),
            (r#"{"errors": [{"detail": "no"}]}"#, "no"),
            (r#"{"errors": ["no"]}"#, "no"),
            (r#""no""#, "no"),
            ("no\nmore", "no"),
            (
                "<html><head><TITLE>502 Bad &amp; Gateway</TITLE></head></html>",
                "502 Bad & Gateway",
            ),
            (
                "Error 400: Bad Request\n\nBad minmagnitude value \"x\".\n\nUsage details",
                "Error 400: Bad Request: Bad minmagnitude value \"x\".",
            ),
        ] {
            assert_eq!(found(body).as_deref(), Some(message), "{body}");
        }
        for nothing in [
            "",
            "  \n",
            "{}",
            "[]",
            r#"{"message": ""}"#,
            r#"{"a": "cut of"#,
            "<html><body>x</body></html>",
        ] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_declared_field_wins_where_it_holds_something() {
        let field = ["problem".to_owned(), "0".to_owned()];
        let find = |body: &str| in_text(body, "", Some(&field));
        assert_eq!(
            find(r#"{"message": "general", "problem": ["special"]}"#).as_deref(),
            Some("special")
        );
        assert_eq!(
            find(r#"{"message": "general"}"#).as_deref(),
            Some("general")
        );
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(one_line("a\u{0}\r\n b\tc\u{1b}[31m"), "a b c [31m");
        let long = shortened(&"ä".repeat(600));
        assert_eq!(long.chars().count(), 501);
        assert!(long.ends_with('…'));
    }
}

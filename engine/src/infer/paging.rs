//! How an endpoint is paged, as far as one response shows it.

use super::layout::Layout;
use super::proposal::Note;
use super::survey::{Example, Survey};
use super::written;
use crate::decode::Scalar;
use crate::model::Segment;
use crate::pagination::signs;

/// What was found: declarations, and what is likely.
#[derive(Default)]
pub(super) struct Found {
    pub(super) options: Vec<(String, String)>,
    pub(super) notes: Vec<Note>,
}

/// Counts of rows that are page sizes of many APIs.
const USUAL_SIZES: [u64; 12] = [10, 15, 20, 25, 30, 50, 100, 200, 250, 500, 1000, 5000];

/// Looks for what follows the page.
pub(super) fn find(headers: &[(String, String)], root: &Survey, layout: &Layout) -> Found {
    let mut facts = Vec::new();
    collect(root, &mut Vec::new(), &layout.rows, &mut facts);
    let links = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    if links
        .into_iter()
        .any(|(_, value)| signs::next_link(value).is_some())
    {
        return declared(&[("pagination", "link")]);
    }
    let next = facts.iter().find(|fact| {
        let Scalar::Text(text) = &fact.scalar else {
            return false;
        };
        signs::names_next_url(&fact.path) && signs::looks_like_url(text)
    });
    if let Some(next) = next {
        let path = written::path(&next.path);
        return declared(&[("pagination", "next_url"), ("next_url_field", &path)]);
    }
    let more =
        more_in_body(&facts, layout.count).or_else(|| more_in_headers(headers, layout.count));
    let notes = match more {
        Some(note) => vec![note],
        None if USUAL_SIZES.contains(&layout.count) => vec![Note::from(format!(
            "nothing in the response tells of further pages, but {} rows may be a first page: see pagination in the API's manual",
            layout.count
        ))],
        None => Vec::new(),
    };
    Found {
        options: Vec::new(),
        notes,
    }
}

/// A scalar outside of the rows.
struct Fact {
    path: Vec<Segment>,
    scalar: Scalar,
}

fn collect(at: &Survey, path: &mut Vec<Segment>, rows: &[Segment], facts: &mut Vec<Fact>) {
    for (name, member) in &at.objects.members {
        path.push(name.clone());
        if path != rows && path.len() <= signs::DEPTH {
            let scalar = member.example.clone().map(|example| match example {
                Example::Bool(value) => Scalar::Bool(value),
                Example::Number(text) => Scalar::Number(text),
                Example::Text(text) => Scalar::Text(text),
            });
            if let Some(scalar) = scalar.filter(|_| member.is_scalar()) {
                facts.push(Fact {
                    path: path.clone(),
                    scalar,
                });
            }
            collect(member, path, rows, facts);
        }
        path.pop();
    }
}

fn declared(options: &[(&str, &str)]) -> Found {
    Found {
        options: owned(options),
        notes: Vec::new(),
    }
}

fn owned(options: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    options.iter().map(owned).collect()
}

/// What in the body says that there are more rows, and the options that are likely to read them.
fn more_in_body(facts: &[Fact], rows: u64) -> Option<Note> {
    let sign = |fact: &Fact| {
        let name = signs::plain(fact.path.last()?);
        let path = written::path(&fact.path);
        let shown = written::shown(&path);
        let is_more = |text: String, options: &[(&str, &str)]| {
            Some(Note {
                text: format!(
                    "there is more than this page: {text}. What follows is likely, and not certain"
                ),
                options: owned(options),
            })
        };
        if signs::is_cursor(&name, &fact.scalar) {
            let options = [
                ("pagination", "cursor"),
                ("cursor_param", "cursor"),
                ("cursor_field", &path),
            ];
            return is_more(format!("\"{shown}\" is not empty"), &options);
        }
        if signs::says_more(&name, &fact.scalar) {
            let options = [
                ("pagination", "page"),
                ("page_param", "page"),
                ("has_more_field", &path),
            ];
            return is_more(format!("\"{shown}\" says so"), &options);
        }
        let number = signs::number(&fact.scalar)?;
        let parent = fact
            .path
            .len()
            .checked_sub(2)
            .map(|at| signs::plain(&fact.path[at]));
        if signs::is_page_count(&name) && number > 1 {
            let options = [
                ("pagination", "page"),
                ("page_param", "page"),
                ("page_count_field", &path),
            ];
            return is_more(format!("\"{shown}\" is {number}"), &options);
        }
        if signs::is_total(&name, parent.as_deref()) && number > rows {
            let style = if has_offset(facts) {
                [("pagination", "offset"), ("offset_param", "offset")]
            } else {
                [("pagination", "page"), ("page_param", "page")]
            };
            let options = [style[0], style[1], ("total_field", &path)];
            return is_more(format!("\"{shown}\" is {number}"), &options);
        }
        None
    };
    facts.iter().find_map(sign)
}

/// Whether the response repeats where its page began.
fn has_offset(facts: &[Fact]) -> bool {
    let is_offset = |fact: &Fact| {
        let name = fact.path.last().map(|name| signs::plain(name));
        name.is_some_and(|name| ["offset", "skip", "start", "startat"].contains(&name.as_str()))
    };
    facts.iter().any(is_offset)
}

fn more_in_headers(headers: &[(String, String)], rows: u64) -> Option<Note> {
    let (name, total) = signs::total_in_headers(headers, rows)?;
    Some(Note {
        text: format!(
            "there is more than this page: header \"{name}\" counts {total}. What follows is likely, and not certain"
        ),
        options: owned(&[
            ("pagination", "page"),
            ("page_param", "page"),
            ("total_header", name),
        ]),
    })
}

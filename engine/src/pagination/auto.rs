//! No `pagination` is set: a Link header, else a next URL in the body, else one page; and an error if
//! the response says that there is more.

use super::decision::{EndOfPages, PageFacts};
use super::link::next_link;
use super::signs::{
    DEPTH, is_cursor, is_page_count, is_total, looks_like_url, names_next_url, number, plain,
    says_more, total_in_headers,
};
use super::step::{Context, Step, Stepped};
use crate::decode::{Envelope, Scalar};
use crate::model::Segment;

pub(super) fn step(context: &Context) -> Stepped {
    if context.needs_whole_page() && !context.is_whole() {
        return Ok(Step::NotYet);
    }
    if context.reported.has_more == Some(false) {
        return context.end(EndOfPages::NoMore);
    }
    if let Some(url) = next_link(context.facts) {
        return Ok(Step::Url(url));
    }
    let envelope = context.facts.envelope;
    if !context.is_whole() {
        // The first one met is the one that counts.
        let early = envelope.and_then(next_member);
        return Ok(early.map_or(Step::NotYet, Step::Url));
    }
    if let Some(url) = envelope.and_then(next_url) {
        return Ok(Step::Url(url));
    }
    let end = context.end(EndOfPages::NoNextUrl)?;
    let more = envelope.and_then(|envelope| more_in_body(envelope, context));
    match more.or_else(|| more_in_headers(context.facts, context.rows)) {
        Some(sign) => Err(format!(
            "the response says that there are more rows: {sign}, or pagination 'none' to read this page only"
        )),
        None => Ok(end),
    }
}

fn next_url(envelope: &Envelope) -> Option<String> {
    next_member(envelope).or_else(|| next_of_links(envelope))
}

fn next_member(envelope: &Envelope) -> Option<String> {
    envelope.iter().find_map(|(path, scalar)| match scalar {
        Scalar::Text(text)
            if is_about_page(path) && names_next_url(path) && looks_like_url(text) =>
        {
            Some(text.clone())
        }
        _ => None,
    })
}

/// `"links": [{"rel": "next", "href": "…"}]`, as in FHIR bundles (`relation`, `url`) and OGC APIs.
fn next_of_links(envelope: &Envelope) -> Option<String> {
    let is_relation = |name: &str| ["rel", "relation"].contains(&name);
    let link = envelope
        .iter()
        .find_map(|(path, scalar)| match (path, scalar) {
            ([above @ .., name], Scalar::Text(text))
                if is_relation(name) && text.eq_ignore_ascii_case("next") =>
            {
                Some(above)
            }
            _ => None,
        })?;
    let target = |name: &str| {
        let path: Vec<Segment> = link.iter().cloned().chain([name.to_owned()]).collect();
        match envelope.get(&path) {
            Some(Scalar::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    };
    target("href").or_else(|| target("url"))
}

/// Elements of arrays are lists of something else (facets, options), not facts about the page.
fn is_about_page(path: &[Segment]) -> bool {
    path.len() <= DEPTH
        && !path
            .iter()
            .any(|segment| segment.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What in the body says that there is more, with the option that would follow it.
fn more_in_body(envelope: &Envelope, context: &Context) -> Option<String> {
    let members = envelope.iter().filter(|(path, _)| is_about_page(path));
    members.filter_map(|(path, scalar)| Some((path, plain(path.last()?), scalar))).find_map(|(path, name, scalar)| {
        let shown = path.join(".");
        if says_more(&name, scalar) {
            return Some(format!("\"{shown}\" is {}; set pagination and has_more_field '{shown}'", truth(scalar)));
        }
        if is_cursor(&name, scalar) {
            return Some(format!("\"{shown}\" is not empty; set pagination 'cursor', cursor_param and cursor_field '{shown}'"));
        }
        let number = number(scalar)?;
        let parent = path.len().checked_sub(2).map(|at| plain(&path[at]));
        if is_total(&name, parent.as_deref()) && context.rows.is_some_and(|rows| number > rows) {
            let rows = context.rows.unwrap_or_default();
            return Some(format!("\"{shown}\" is {number}, and {rows} rows were read; set pagination and total_field '{shown}'"));
        }
        (is_page_count(&name) && number > context.pages)
            .then(|| format!("\"{shown}\" is {number}, and {} was read; set pagination 'page' and page_count_field '{shown}'", context.pages))
    })
}

fn truth(scalar: &Scalar) -> bool {
    *scalar == Scalar::Bool(true)
}

fn more_in_headers(facts: &PageFacts, rows: Option<u64>) -> Option<String> {
    if facts
        .header("x-next-page")
        .any(|page| !page.trim().is_empty())
    {
        return Some("header \"X-Next-Page\" is not empty; set pagination 'page'".to_owned());
    }
    let rows = rows?;
    let (name, total) = total_in_headers(facts.headers, rows)?;
    Some(format!(
        "header \"{name}\" counts {total}, and {rows} rows were read; set pagination and total_header '{name}'"
    ))
}

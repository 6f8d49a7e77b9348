//! `link`: the Link header's next relation (RFC 8288).

use super::decision::{EndOfPages, PageFacts};
use super::step::{Context, Step, Stepped};

pub(super) fn step(context: &Context) -> Stepped {
    if context.needs_whole_page() && !context.is_whole() {
        return Ok(Step::NotYet);
    }
    match next_link(context.facts) {
        Some(_) if context.reported.has_more == Some(false) => context.end(EndOfPages::NoMore),
        Some(url) => Ok(Step::Url(url)),
        None => context.end(EndOfPages::NoLink),
    }
}

/// The target of the first link with relation `next` and this page as its context.
pub(super) fn next_link(facts: &PageFacts) -> Option<String> {
    facts.header("link").find_map(next_of_value)
}

/// The target of the first link with relation `next` in a header's value.
pub(crate) fn next_of_value(value: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let open = rest.find('<')?;
        let (target, after) = rest[open + 1..].split_once('>')?;
        let (parameters, after) = parameters(after);
        let relation = parameters.iter().find(|(name, _)| name == "rel");
        let is_next = relation.is_some_and(|(_, relations)| {
            relations
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        let is_of_other_context = parameters.iter().any(|(name, _)| name == "anchor");
        if is_next && !is_of_other_context {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
}

/// The `; name=value` parameters of one link (RFC 8288, section 3), and what follows its comma.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut parameters = Vec::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..end].trim().to_ascii_lowercase();
        let (value, after) = match after[end..].strip_prefix('=') {
            Some(value) => parameter_value(value.trim_start()),
            None => (String::new(), &after[end..]),
        };
        parameters.push((name, value));
        rest = after.trim_start();
    }
    (parameters, rest)
}

/// A token or a quoted string (RFC 9110, section 5.6.4), and what follows it.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    (value, "")
}

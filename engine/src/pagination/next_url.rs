//! `next_url`: a URL in the body or in a header.

use super::decision::EndOfPages;
use super::step::{Context, Step, Stepped};
use crate::decode::Scalar;
use crate::model::Location;

pub(super) fn step(context: &Context, at: &Location) -> Stepped {
    if !context.is_whole() && context.needs_whole_page() {
        return Ok(Step::NotYet);
    }
    match token_at(context, at)? {
        Some(_) if context.reported.has_more == Some(false) => context.end(EndOfPages::NoMore),
        Some(url) => Ok(Step::Url(url)),
        // What the body does not hold yet may still come.
        None if !context.is_whole() && matches!(at, Location::Body(_)) => Ok(Step::NotYet),
        None => context.end(EndOfPages::NoNextUrl),
    }
}

/// The text at a place of the response; empty, null, `false` and missing are the same.
pub(super) fn token_at(context: &Context, at: &Location) -> Result<Option<String>, String> {
    let path = match at {
        Location::Header(name) => {
            let value = context.facts.header(name).next().map(str::trim);
            return Ok(value.filter(|value| !value.is_empty()).map(str::to_owned));
        }
        Location::Body(path) => path,
    };
    match context
        .facts
        .envelope
        .and_then(|envelope| envelope.get(path))
    {
        None | Some(Scalar::Null | Scalar::Bool(false)) => Ok(None),
        Some(Scalar::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Scalar::Number(text) | Scalar::Text(text)) => Ok(Some(text.clone())),
        Some(Scalar::Bool(true)) => Err(format!(
            "\"{}\" is true, not a cursor or URL; use it as has_more_field",
            path.join(".")
        )),
        Some(Scalar::Other) => Err(format!(
            "\"{}\" is neither a text nor a number that can be sent back",
            path.join(".")
        )),
    }
}

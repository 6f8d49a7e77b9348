//! `cursor`: a token in the body or in a header, sent back as it came.

use super::decision::EndOfPages;
use super::next_url::token_at;
use super::step::{Context, Step, Stepped};
use crate::model::Location;

pub(super) fn step(context: &Context, at: &Location) -> Stepped {
    if !context.is_whole() && context.needs_whole_page() {
        return Ok(Step::NotYet);
    }
    match token_at(context, at)? {
        Some(_) if context.reported.has_more == Some(false) => context.end(EndOfPages::NoMore),
        Some(cursor) => Ok(Step::Position(cursor)),
        // What the body does not hold yet may still come.
        None if !context.is_whole() && matches!(at, Location::Body(_)) => Ok(Step::NotYet),
        None => context.end(EndOfPages::NoCursor),
    }
}

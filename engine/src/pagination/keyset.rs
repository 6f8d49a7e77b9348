//! `keyset`: the last row's value of a column, until a page is empty, or shorter than asked for where that is declared.

use super::decision::EndOfPages;
use super::step::{Context, Step, Stepped};

pub(super) fn step(context: &Context) -> Stepped {
    if !context.is_whole() {
        return Ok(Step::NotYet);
    }
    if let Some(end) = context.end_of_counted()? {
        return Ok(end);
    }
    if context.ends_short() {
        return context.end(EndOfPages::ShortPage);
    }
    match context.facts.last_key {
        Some(key) if !key.is_empty() => Ok(Step::Position(key.to_owned())),
        Some(_) | None => Err("the page's last row has no value for cursor_column".to_owned()),
    }
}

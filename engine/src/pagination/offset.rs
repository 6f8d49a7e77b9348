//! `offset`: the number of the next row, which is as many as were received after the first.

use super::decision::EndOfPages;
use super::step::{Context, Step, Stepped};

pub(super) fn step(context: &Context, first: u64) -> Stepped {
    if !context.is_whole() {
        return Ok(Step::NotYet);
    }
    if let Some(end) = context.end_of_counted()? {
        return Ok(end);
    }
    if context.ends_short() {
        return context.end(EndOfPages::ShortPage);
    }
    let rows = context
        .rows
        .ok_or_else(|| "the rows of an earlier page were not counted".to_owned())?;
    Ok(Step::Position(first.saturating_add(rows).to_string()))
}

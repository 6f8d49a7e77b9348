//! `page`: page numbers, up to an empty page or to what the response says is the end.

use super::decision::{EndOfPages, Stage};
use super::step::{Context, Step, Stepped};

pub(super) fn step(context: &Context, first: u64) -> Stepped {
    let next = || Step::Position(first.saturating_add(context.pages).to_string());
    match context.facts.stage {
        Stage::Headers => Ok(Step::NotYet),
        // The page is not empty, and nothing else could end the scan.
        Stage::FirstRow if !context.needs_whole_page() && !context.table.end_on_short_page => {
            Ok(next())
        }
        Stage::FirstRow => Ok(Step::NotYet),
        Stage::Page => match context.end_of_counted()? {
            Some(end) => Ok(end),
            None if context.ends_short() => context.end(EndOfPages::ShortPage),
            None => Ok(next()),
        },
    }
}

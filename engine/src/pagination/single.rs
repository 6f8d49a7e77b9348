//! `none`: one page.

use super::decision::EndOfPages;
use super::step::{Context, Step, Stepped};

pub(super) fn step(context: &Context) -> Stepped {
    if context.needs_whole_page() && !context.is_whole() {
        return Ok(Step::NotYet);
    }
    context.end(EndOfPages::Single)
}

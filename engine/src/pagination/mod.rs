//! From one page to the next: one file a strategy, and what they share.

mod after_key;
mod auto;
mod cursor;
mod decision;
mod forecast;
mod keyset;
mod link;
mod next_url;
mod offset;
mod page;
mod pager;
mod reported;
pub(crate) mod signs;
mod single;
mod step;
mod target;

#[cfg(test)]
mod tests;

pub use decision::{Decision, EndOfPages, PageFacts, Stage};
pub use forecast::{Forecast, is_foreseeable};
pub use pager::Pager;

pub(crate) use reported::total_of_header;

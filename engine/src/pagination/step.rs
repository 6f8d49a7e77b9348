//! What a strategy sees of the scan, and what it answers.

use super::decision::{EndOfPages, PageFacts, Stage};
use super::reported::Reported;
use crate::model::Table;

/// A strategy's answer; an `Err` is the reason of a paging error.
pub(super) type Stepped = Result<Step, String>;

/// What follows a page, before it is a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The page at this URL reference, as the API wrote it.
    Url(String),
    /// The page with this value of the position parameter.
    Position(String),
    /// No further page.
    End(EndOfPages),
    /// More of the page must be known.
    NotYet,
}

/// A page within its scan.
pub(super) struct Context<'a> {
    pub(super) table: &'a Table,
    pub(super) facts: &'a PageFacts<'a>,
    /// What the response says of how much there is.
    pub(super) reported: &'a Reported,
    /// Pages read, this one included.
    pub(super) pages: u64,
    /// Rows read, this page's so far included; `None` where some page was not counted.
    pub(super) rows: Option<u64>,
    /// Rows asked for on this page.
    pub(super) asked: Option<u64>,
}

impl Context<'_> {
    /// Whether the whole page is known.
    pub(super) fn is_whole(&self) -> bool {
        self.facts.stage == Stage::Page
    }

    /// Whether the table declares something that must be held against the page's rows or body, so that
    /// a decision from the headers alone would be too early.
    pub(super) fn needs_whole_page(&self) -> bool {
        let table = self.table;
        table.has_more_field.is_some()
            || table.total_field.is_some()
            || table.total_header.is_some()
            || table.page_count_field.is_some()
    }

    /// The end, if it agrees with what the response says (rule R9).
    pub(super) fn end(&self, reason: EndOfPages) -> Stepped {
        if self.reported.has_more == Some(true) {
            let field = self
                .table
                .has_more_field
                .as_deref()
                .unwrap_or_default()
                .join(".");
            return Err(format!(
                "\"{field}\" says that there are more rows, but the pages end here ({reason})"
            ));
        }
        if let (Some(total), Some(rows)) = (self.reported.total, self.rows)
            && total != rows
        {
            return Err(format!(
                "the API reported a total of {total} rows, but sent {rows}; if that is no count of these rows, drop total_field or total_header"
            ));
        }
        Ok(Step::End(reason))
    }

    /// What ends pages that are counted (`page`, `offset`, `keyset`), as far as the response tells; to be asked at
    /// [`Stage::Page`].
    pub(super) fn end_of_counted(&self) -> Result<Option<Step>, String> {
        let (reported, rows) = (self.reported, self.facts.rows);
        if reported.has_more == Some(false) {
            return self.end(EndOfPages::NoMore).map(Some);
        }
        if reported.page_count.is_some_and(|count| self.pages >= count) {
            return self.end(EndOfPages::PageCount).map(Some);
        }
        if rows == 0 {
            if let Some(count) = reported.page_count {
                return Err(format!("page {} of {count} is empty", self.pages));
            }
            return self.end(EndOfPages::EmptyPage).map(Some);
        }
        match (reported.total, self.rows) {
            (Some(total), Some(rows)) if rows >= total => self.end(EndOfPages::Total).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether a page shorter than asked for ends the scan: declared, and not contradicted by the response.
    pub(super) fn ends_short(&self) -> bool {
        let says_more = self.reported.has_more == Some(true)
            || self.reported.page_count.is_some()
            || self.reported.total.is_some();
        self.table.end_on_short_page
            && !says_more
            && self.asked.is_some_and(|asked| self.facts.rows < asked)
    }
}

//! Pages that can be requested before the pages before them were read: guesses, which the pager confirms or not.

use super::pager::page_at;
use crate::model::{Paging, Table};
use crate::request::{Inputs, Request};
use std::sync::Arc;

/// What is known of a chain of pages when a forecast is made.
pub(super) struct Outlook<'a> {
    pub(super) table: &'a Arc<Table>,
    pub(super) inputs: &'a Arc<Inputs>,
    /// The current page, counted from 1: whose rows are not counted yet.
    pub(super) page: u64,
    /// Rows of the pages before it.
    pub(super) rows: u64,
    /// Rows that are asked for on the pages after it.
    pub(super) size: Option<u64>,
    /// Rows that they will have, as far as the pages before tell.
    pub(super) rows_a_page: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) page_count: Option<u64>,
}

/// The requests of the pages after a certain one, if all of them have as many rows as expected.
///
/// They are guesses: whoever makes them early must hold each against what the [`Pager`](super::Pager) decides on
/// once it knows the pages before, and forget those that differ.
#[derive(Debug, Clone)]
pub struct Forecast {
    table: Arc<Table>,
    inputs: Arc<Inputs>,
    size: Option<u64>,
    /// The page that [`Forecast::take`] gives next, counted from 1.
    page: u64,
    /// The last page that there should be.
    last: u64,
    /// The position of that next page.
    position: u64,
    stride: u64,
    rows_a_page: u64,
}

/// Whether any page can be asked for by its number, and the API tells how many there are.
pub fn is_foreseeable(table: &Table) -> bool {
    let is_numbered = matches!(table.paging, Paging::Page { .. } | Paging::Offset { .. });
    let is_counted = table.total_field.is_some()
        || table.total_header.is_some()
        || table.page_count_field.is_some();
    is_numbered && is_counted
}

impl Forecast {
    /// The pages after the current one; `None` where there is none, or no telling.
    pub(super) fn new(outlook: Outlook) -> Option<Forecast> {
        // Until a page was read, what was asked for is all that is known. It may be more than the API gives: then
        // there are more pages than these, but the same numbers. Offsets would be other ones.
        let rows_a_page = match (outlook.rows_a_page, &outlook.table.paging) {
            (None, Paging::Page { .. }) => outlook.size,
            (known, _) => known,
        };
        let before = outlook.page - 1;
        let by_total = outlook
            .total
            .zip(rows_a_page.filter(|rows| *rows > 0))
            .map(|(total, rows)| before + total.saturating_sub(outlook.rows).div_ceil(rows));
        let last = [by_total, outlook.page_count].into_iter().flatten().min()?;
        let (position, stride) = match outlook.table.paging {
            Paging::Page { first, .. } => (first.checked_add(before)?, 1),
            Paging::Offset { first, .. } => (first.checked_add(outlook.rows)?, rows_a_page?),
            _ => return None,
        };
        let forecast = Forecast {
            table: Arc::clone(outlook.table),
            inputs: Arc::clone(outlook.inputs),
            size: outlook.size,
            page: outlook.page + 1,
            last,
            position: position.checked_add(stride)?,
            stride,
            rows_a_page: rows_a_page.unwrap_or(0),
        };
        (forecast.left() > 0).then_some(forecast)
    }

    /// How many pages are left.
    pub fn left(&self) -> u64 {
        (self.last + 1).saturating_sub(self.page)
    }

    /// Rows that each of them should have; 0 where that is not known.
    pub fn rows_a_page(&self) -> u64 {
        self.rows_a_page
    }

    /// The request of the next page. `None` after the last, and where no request can be made: the pager will say why.
    pub fn take(&mut self) -> Option<Request> {
        if self.left() == 0 {
            return None;
        }
        let position = self.position.to_string();
        let request = page_at(&self.table, &self.inputs, self.size, position).ok();
        self.skip(1);
        if request.is_none() {
            self.last = 0;
        }
        request
    }

    /// Leaves out so many pages.
    pub fn skip(&mut self, pages: u64) {
        self.page = self.page.saturating_add(pages);
        let by = self.stride.saturating_mul(pages);
        self.position = self.position.saturating_add(by);
    }
}

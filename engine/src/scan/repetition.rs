//! A page parameter that the API ignores: every page is the first one, and none is ever empty (rule R9).

use crate::error::Exchange;
use crate::model::{Paging, Table};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Pages in a row that must have the same rows before it is called repetition. Two can be chance
/// where rows have little in them.
const SAME: usize = 3;

/// What a page's rows were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Which of the scan's chains.
    pub(super) chain: usize,
    /// The page within it.
    pub(super) page: u32,
    /// Its rows.
    pub(super) rows: u64,
    /// The checksum of their bytes.
    pub(super) hash: u64,
}

/// The pages of each chain that were read last. They may be noted out of order: several threads read them.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    latest: Mutex<HashMap<usize, Vec<Fingerprint>>>,
}

impl Repetition {
    /// Notes a page that was read to its end.
    ///
    /// # Errors
    /// [`Error::Paging`] where it is the third in a row with the same rows, and a number is all that
    /// distinguishes their requests.
    pub(super) fn note(&self, table: &Table, page: Fingerprint, exchange: &Exchange) -> Result<()> {
        let (Paging::Page { param, .. } | Paging::Offset { param, .. }) = &table.paging else {
            return Ok(());
        };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = latest.entry(page.chain).or_default();
        latest.retain(|other| other.page + 2 * SAME as u32 > page.page);
        latest.push(page);
        let same = |number: u32| {
            latest.iter().any(|other| {
                Fingerprint {
                    page: number,
                    ..page
                } == *other
            })
        };
        let runs = (0..SAME as u32).map(|back| (page.page + back).saturating_sub(SAME as u32 - 1));
        let repeated = runs
            .into_iter()
            .any(|first| first > 0 && (first..first + SAME as u32).all(same));
        if page.rows == 0 || !repeated {
            return Ok(());
        }
        Err(Error::Paging {
            exchange: exchange.clone(),
            reason: format!(
                "{SAME} pages in a row have the same rows; the API may not know the parameter \"{param}\" (option \"pagination\")"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::options::fixture;

    fn paged(style: &str) -> Table {
        fixture::table(&[], &[("endpoint", "/items"), ("pagination", style)], &[])
    }

    fn page(page: u32, hash: u64) -> Fingerprint {
        Fingerprint {
            chain: 0,
            page,
            rows: 10,
            hash,
        }
    }

    fn note_all(table: &Table, pages: &[Fingerprint]) -> Result<()> {
        let repetition = Repetition::default();
        pages
            .iter()
            .try_for_each(|page| repetition.note(table, *page, &Exchange::default()))
    }

    #[test]
    fn three_equal_pages_in_a_row_are_an_error_in_whatever_order_they_end() {
        for order in [[1, 2, 3], [1, 3, 2], [3, 2, 1]] {
            let pages = order.map(|number| page(number, 7));
            assert!(note_all(&paged("page"), &pages).is_err(), "{order:?}");
        }
    }

    #[test]
    fn chains_that_are_read_at_once_are_told_apart() {
        let pages = |chain| {
            [1, 2, 3].map(|number| Fingerprint {
                chain,
                ..page(number, 7)
            })
        };
        let mixed: Vec<_> = pages(0)
            .into_iter()
            .zip(pages(1))
            .flat_map(|(a, b)| [a, b])
            .collect();
        assert_eq!(note_all(&paged("page"), &mixed[..4]), Ok(()));
        assert!(note_all(&paged("page"), &mixed[..5]).is_err());
    }

    #[test]
    fn two_equal_pages_and_equal_pages_apart_are_not() {
        let pages = [page(1, 7), page(2, 7), page(3, 8), page(4, 7), page(5, 8)];
        assert_eq!(note_all(&paged("offset"), &pages), Ok(()));
    }

    #[test]
    fn where_the_next_page_is_told_by_the_api_its_own_check_decides() {
        let pages = [page(1, 7), page(2, 7), page(3, 7)];
        assert_eq!(note_all(&paged("link"), &pages), Ok(()));
    }
}

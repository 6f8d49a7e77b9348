//! Pages that come twice (rule R9): a page parameter that the API ignores, so that every page is the first one and none is
//! ever empty; or a page with the rows of the one before it, though each row has a key of its own.

use crate::error::Exchange;
use crate::model::{FieldPath, Paging, Role, Table};
use crate::pushdown::takes_fields;
use crate::{Error, Result};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Pages in a row that must have the same rows before it is called repetition. Two can be chance
/// where rows have little in them.
const SAME: usize = 3;
/// Chains that are read at once are fewer.
const CHAINS: usize = 1000;

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
#[derive(Debug)]
pub(super) struct Repetition {
    /// Whether the bytes of two rows always differ.
    rows_differ: bool,
    latest: Mutex<HashMap<usize, Vec<Fingerprint>>>,
}

impl Repetition {
    /// For a scan that reads the columns `wanted`.
    pub(super) fn new(table: &Table, wanted: &[usize]) -> Self {
        Repetition {
            rows_differ: rows_differ(table, wanted),
            latest: Mutex::default(),
        }
    }

    /// Notes a page that was read to its end.
    ///
    /// # Errors
    /// [`Error::Paging`] where it has the rows of a page beside it, and rows have keys; or where it is the third in a row
    /// with the same rows, and a number is all that distinguishes their requests.
    pub(super) fn note(&self, table: &Table, page: Fingerprint, exchange: &Exchange) -> Result<()> {
        let number = match &table.paging {
            Paging::Page { param, .. } | Paging::Offset { param, .. } => Some(param),
            _ => None,
        };
        if page.rows == 0 || (number.is_none() && !self.rows_differ) {
            return Ok(());
        }
        let run = self.run(page);
        let reason = match number {
            Some(param) if run.len() >= SAME => format!(
                "{SAME} pages in a row have the same rows; the API may not know the parameter \"{param}\" (option \"pagination\")"
            ),
            _ if self.rows_differ && run.len() > 1 => {
                let (first, second) = (run.start, run.start + 1);
                format!(
                    "pages {first} and {second} have the same rows, though each row has its own {}",
                    key(table)
                )
            }
            _ => return Ok(()),
        };
        Err(Error::Paging {
            exchange: exchange.clone(),
            reason,
        })
    }

    /// The chain starts over.
    pub(super) fn forget(&self, chain: usize) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.remove(&chain);
    }

    /// The pages in a row around `page`, itself included, that have its rows, as far as they were noted.
    fn run(&self, page: Fingerprint) -> Range<u32> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() > 2 * CHAINS {
            latest.retain(|chain, _| chain + CHAINS > page.chain);
        }
        let latest = latest.entry(page.chain).or_default();
        latest.retain(|other| other.page + 2 * SAME as u32 > page.page);
        latest.push(page);
        let is_same = |number: u32| {
            latest.contains(&Fingerprint {
                page: number,
                ..page
            })
        };
        let mut run = page.page..page.page + 1;
        while run.start > 1 && is_same(run.start - 1) {
            run.start -= 1;
        }
        while is_same(run.end) {
            run.end += 1;
        }
        run
    }
}

/// Whether each row holds the key that the table declares. (An API may have been asked for other members only.)
fn rows_differ(table: &Table, wanted: &[usize]) -> bool {
    let mut members = table
        .key
        .iter()
        .filter(|index| !table.columns[**index].is_input())
        .peekable();
    members.peek().is_some()
        && members.all(|index| {
            !matches!(table.columns[*index].role, Role::Field(FieldPath::Key))
                && (wanted.contains(index) || !takes_fields(table))
        })
}

fn key(table: &Table) -> String {
    let names = table
        .key
        .iter()
        .map(|index| format!("\"{}\"", table.columns[*index].name));
    format!("{} (option \"key\")", names.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Type;
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
        let repetition = Repetition::new(table, &[0]);
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

    fn keyed(style: &str, table: &[(&str, &str)], column: &[(&str, &str)]) -> Table {
        let own = [("pagination", style), ("key", "id")];
        let columns = [("id", Type::Int8, column)];
        fixture::table(&[], &[own.as_slice(), table].concat(), &columns)
    }

    #[test]
    fn two_equal_pages_beside_each_other_are_an_error_where_rows_have_a_key() {
        let table = keyed("link", &[], &[]);
        for order in [[1, 2], [2, 1]] {
            let pages = order.map(|number| page(number, 7));
            let error = note_all(&table, &pages).unwrap_err().to_string();
            assert_eq!(
                error,
                "paging failed: pages 1 and 2 have the same rows, though each row has its own \"id\" (option \"key\")"
            );
        }
        let apart = [page(1, 7), page(2, 8), page(3, 7)];
        assert_eq!(note_all(&table, &apart), Ok(()));
        let empty = [1, 2].map(|number| Fingerprint {
            rows: 0,
            ..page(number, 7)
        });
        assert_eq!(note_all(&table, &empty), Ok(()));
    }

    #[test]
    fn rows_may_be_equal_where_the_key_is_not_among_what_was_asked_for() {
        let pages = [page(1, 7), page(2, 7)];
        let asks = keyed("link", &[("fields_param", "fields")], &[]);
        assert!(note_all(&asks, &pages).is_err(), "the key is wanted");
        let others = Repetition::new(&asks, &[]);
        for page in pages {
            assert_eq!(others.note(&asks, page, &Exchange::default()), Ok(()));
        }
        let named = keyed("link", &[("rows_shape", "map")], &[("field", "@key")]);
        assert_eq!(
            note_all(&named, &pages),
            Ok(()),
            "the key is outside of the row"
        );
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

//! Which pages a sample of a table's rows is read from.

use crate::model::{Paging, Table};
use crate::pagination::is_foreseeable;
use crate::request::Inputs;

/// Where a table has that many pages, a sample comes from at least so many of them: rows of one page
/// are often alike.
const LEAST_PAGES: u64 = 10;

/// The table as a sample reads it: pages as large as the API allows.
pub fn with_large_pages(table: &Table) -> Table {
    let largest = table
        .max_page_size
        .filter(|_| table.page_size_param.is_some());
    Table {
        page_size: largest.or(table.page_size),
        ..table.clone()
    }
}

/// Whether any page can be asked for by its number, and the first one tells how many there are.
pub fn is_seekable(table: &Table) -> bool {
    is_foreseeable(table) && table.keep_params
}

/// How many pages there are, from what the first of them, with `rows` rows, reported; `None` where it
/// did not.
pub fn pages(rows: u64, total: Option<u64>, page_count: Option<u64>) -> Option<u64> {
    match (total, page_count) {
        (Some(total), _) if rows > 0 => Some(total.div_ceil(rows)),
        (_, count) => count,
    }
}

/// The pages to read besides the first, counted from 0 and in order, so that about `target` rows are
/// seen with at most `most` pages: all, or a random one from each of as many equal parts of the table.
/// `chance` gives numbers from 0 up to, not including, 1.
pub fn choose(
    pages: u64,
    page_rows: u64,
    target: u64,
    most: u64,
    mut chance: impl FnMut() -> f64,
) -> Vec<u64> {
    let enough = target.div_ceil(page_rows.max(1)).max(LEAST_PAGES);
    let (others, wanted) = (
        pages.saturating_sub(1),
        enough.min(most).min(pages).saturating_sub(1),
    );
    let begin_of = |part: u64| {
        let begin = u128::from(part) * u128::from(others) / u128::from(wanted.max(1));
        1 + u64::try_from(begin).unwrap_or(others)
    };
    let one_of = |part: u64| {
        let (begin, end) = (begin_of(part), begin_of(part + 1));
        let within = ((end - begin) as f64 * chance()) as u64;
        (begin + within).min(end - 1)
    };
    (0..wanted).map(one_of).collect()
}

/// `table` with one page a request, and the requests for the pages `chosen`, counted from 0, where the
/// first had `page_rows` rows. What ends or counts pages does not concern them.
pub fn requests(
    table: &Table,
    inputs: &Inputs,
    page_rows: u64,
    chosen: &[u64],
) -> (Table, Vec<Inputs>) {
    let request = |page: &u64| {
        let mut inputs = inputs.clone();
        let position = match &table.paging {
            Paging::Page { param, first } => Some((param, first.saturating_add(*page))),
            Paging::Offset { param, first } => {
                Some((param, first.saturating_add(page.saturating_mul(page_rows))))
            }
            _ => None,
        };
        inputs
            .query
            .extend(position.map(|(name, value)| (name.clone(), value.to_string())));
        inputs
    };
    let single = Table {
        paging: Paging::None,
        ..table.clone().without_totals()
    };
    (single, chosen.iter().map(request).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::options::fixture;
    use crate::request::build;
    use proptest::prelude::*;

    fn table(options: &[(&str, &str)]) -> Table {
        let endpoint = [("endpoint", "/items")];
        fixture::table(&[], &[&endpoint, options].concat(), &[])
    }

    #[test]
    fn pages_that_are_numbered_and_counted_can_be_sought() {
        let seekable = |options: &[(&str, &str)]| is_seekable(&table(options));
        assert!(seekable(&[
            ("pagination", "page"),
            ("total_field", "total")
        ]));
        assert!(seekable(&[
            ("pagination", "offset"),
            ("total_header", "X-Total")
        ]));
        assert!(seekable(&[
            ("pagination", "page"),
            ("page_count_field", "pages")
        ]));
        assert!(!seekable(&[("pagination", "page")]));
        assert!(!seekable(&[
            ("pagination", "link"),
            ("total_field", "total")
        ]));
        assert!(!seekable(&[
            ("pagination", "offset"),
            ("total_field", "total"),
            ("keep_params", "off")
        ]));
    }

    #[test]
    fn the_number_of_pages_comes_from_the_total_or_is_reported() {
        assert_eq!(pages(100, Some(1001), None), Some(11));
        assert_eq!(pages(100, Some(1001), Some(99)), Some(11));
        assert_eq!(pages(100, None, Some(7)), Some(7));
        assert_eq!(pages(0, Some(5), None), None);
        assert_eq!(pages(100, None, None), None);
    }

    #[test]
    fn a_table_of_few_pages_is_read_whole() {
        assert_eq!(choose(5, 10, 30_000, 30, || 0.5), [1, 2, 3, 4]);
        assert_eq!(choose(1, 10, 30_000, 30, || 0.5), [0; 0]);
        assert_eq!(choose(0, 0, 30_000, 30, || 0.5), [0; 0]);
    }

    #[test]
    fn a_large_page_still_leaves_a_spread_over_the_table() {
        assert_eq!(
            choose(1000, 10_000, 300, 30, || 0.0).len() as u64,
            LEAST_PAGES - 1
        );
        assert_eq!(choose(1000, 10_000, 300, 1, || 0.0), [0; 0]);
    }

    #[test]
    fn requests_carry_the_position_and_the_page_size() {
        let urls = |options: &[(&str, &str)], chosen: &[u64]| {
            let table = with_large_pages(&table(options));
            let (single, requests) = requests(&table, &Inputs::default(), 50, chosen);
            let url = |inputs| {
                let pager = crate::pagination::Pager::new(single.clone().into(), inputs, None);
                pager.unwrap().first().unwrap().url
            };
            requests.into_iter().map(url).collect::<Vec<_>>()
        };
        let base = fixture::table(&[], &[("endpoint", "/items")], &[]);
        let base = build(&base, &Inputs::default(), &[]).unwrap().url;
        assert_eq!(
            urls(&[("pagination", "page"), ("total_field", "t")], &[1, 7]),
            [format!("{base}?page=2"), format!("{base}?page=8")]
        );
        let offset = [
            ("pagination", "offset"),
            ("first_offset", "1"),
            ("page_size", "20"),
            ("page_size_param", "limit"),
            ("max_page_size", "50"),
        ];
        assert_eq!(urls(&offset, &[3]), [format!("{base}?offset=151&limit=50")]);
    }

    proptest! {
        #[test]
        fn chosen_pages_are_distinct_in_order_and_exist(
            pages in 0..u64::MAX, page_rows in 0..10_000_u64, target in 1..100_000_u64, most in 1..50_u64,
            chances in proptest::collection::vec(0.0..1.0_f64, 50),
        ) {
            let mut chances = chances.into_iter();
            let chosen = choose(pages, page_rows, target, most, || chances.next().unwrap_or(0.0));
            prop_assert!(chosen.len() < most as usize);
            prop_assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(chosen.iter().all(|page| (1..pages).contains(page)));
        }
    }
}

//! Does the cost grow with the data, and with nothing else? From 10,000 to 1,000,000 rows, from 1 to 10,000 pages.

use crate::place::{Place, answer, remote_columns};
use crate::plot::{self, Line};
use crate::section::Section;
use crate::turns::{self, Subject, Timing};
use bench::data;
use std::cell::RefCell;
use std::error::Error;

const ROUNDS: usize = 5;

/// A folder of pages that nginx serves, and what grows along it.
struct Series {
    what: &'static str,
    folder: &'static str,
    /// Pages of each measured table.
    pages: &'static [u64],
    /// Rows of a page.
    page: u64,
}

const SERIES: [Series; 2] = [
    Series {
        what: "rows, in pages of 1,000",
        folder: "pages",
        pages: &[10, 30, 100, 300, 1_000],
        page: data::PAGE,
    },
    Series {
        what: "pages of 100 rows",
        folder: "small",
        pages: &[1, 10, 100, 1_000, 10_000],
        page: data::SMALL_PAGE,
    },
];

/// Times the series and draws them.
pub fn measure(place: &Place) -> Result<Section, Box<dyn Error>> {
    let mut timings = Vec::new();
    let mut figures = Vec::new();
    let mut lines = Vec::new();
    for series in &SERIES {
        let measured = series.time(place)?;
        figures.push(series.linearity(&measured));
        lines.push(series.line(&measured));
        timings.extend(measured);
    }
    Ok(Section {
        title: "Growth",
        about: "The same query over the first so many pages. Beyond what a statement costs at least, the time of a row must not grow."
            .to_owned(),
        timings,
        comparisons: Vec::new(),
        figures,
        plot: Some(("growth.svg", plot::svg(&lines))),
    })
}

impl Series {
    fn time(&self, place: &Place) -> Result<Vec<Timing>, Box<dyn Error>> {
        let client = RefCell::new(place.connect()?);
        let mut subjects = Vec::new();
        for pages in self.pages {
            let table = format!("{}_{pages}", self.folder);
            // The API ends where the table ends: nginx answers with an empty page after so many.
            client.borrow_mut().batch_execute(&format!(
                "CREATE FOREIGN TABLE {table} ({}) SERVER api
                   OPTIONS (endpoint '/first/{pages}/{}', pagination 'page')",
                remote_columns(),
                self.folder
            ))?;
            let rows = pages * self.page;
            let (sql, expected) = (
                format!("SELECT count(*), sum(id), max(title) FROM {table}"),
                format!("({rows},"),
            );
            let client = &client;
            subjects.push(Subject::new(self.name(*pages), move || {
                let got = answer(&mut client.borrow_mut(), &sql)?;
                match got.starts_with(&expected) {
                    true => Ok(()),
                    false => Err(format!("{got} instead of {expected}…)").into()),
                }
            }));
        }
        turns::time(ROUNDS, subjects)
    }

    fn name(&self, pages: u64) -> String {
        match self.page {
            data::PAGE => format!("{} {}", pages * self.page, self.what),
            _ => format!("{pages} {}", self.what),
        }
    }

    /// How much more a unit costs in the largest table than between the smallest and the one in the middle.
    fn linearity(&self, timings: &[Timing]) -> (String, String, String) {
        let seconds = |index: usize| timings[index].median().as_secs_f64();
        let pages = |index: usize| self.pages[index] as f64;
        let middle = self.pages.len() / 2;
        let last = self.pages.len() - 1;
        let slope =
            |from: usize, to: usize| (seconds(to) - seconds(from)) / (pages(to) - pages(from));
        let ratio = slope(middle, last) / slope(0, middle);
        (
            format!(
                "{}: a further one in the upper part of the range beside one in the lower part",
                self.what
            ),
            format!("{ratio:.2}"),
            "about 1".to_owned(),
        )
    }

    fn line(&self, timings: &[Timing]) -> Line {
        Line {
            name: self.what.to_owned(),
            points: self
                .pages
                .iter()
                .zip(timings)
                .map(|(pages, timing)| ((pages * self.page) as f64, timing.median().as_secs_f64()))
                .collect(),
        }
    }
}

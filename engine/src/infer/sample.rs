//! A response → what there is to tell a table from, carried as the one row of a scan.

use super::survey::Survey;
use super::{csv, format, read};
use crate::Result;
use crate::decode::{Batch, Cell};
use crate::error::Exchange;
use crate::model::{Format, Paging, RowsPath, RowsShape, Table};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// A response, as far as a table can be told from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The request that it answers: method and URL, redacted.
    pub request: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How its body is written.
    pub format: Format,
    /// The names that a header of CSV has.
    pub header: Option<Vec<String>>,
    /// What its body looks like; `None` where it has none.
    pub body: Option<Survey>,
}

impl Sample {
    /// A sample of a response with these headers. `told`: the format that the server's options say; that it is JSON
    /// may be what they say by saying nothing.
    ///
    /// # Errors
    /// [`Error::Body`](crate::Error::Body) and [`Error::Truncated`](crate::Error::Truncated) where it is none of the formats, and
    /// whatever [`Error`](crate::Error) the reader's errors hold, as it is.
    pub(crate) fn read(
        headers: &[(String, String)],
        told: &Format,
        body: &mut dyn Read,
        exchange: &Exchange,
    ) -> Result<Sample> {
        let beginning = beginning(body, exchange)?;
        let is_whole = beginning.len() < format::BEGINNING;
        let mut format = match told {
            Format::Json => format::of(headers, &beginning, is_whole),
            told => told.clone(),
        };
        let mut body = beginning.chain(body);
        let mut sample = Sample {
            request: exchange.request.clone(),
            headers: headers.to_vec(),
            ..Sample::default()
        };
        sample.body = Some(match &mut format {
            Format::Json => read::read(&mut body, exchange)?,
            Format::JsonLines => read::read_lines(&mut body, exchange)?,
            Format::Csv(csv) => {
                let is_told = *told != Format::Json;
                let records = csv::read(&mut body, csv, is_told, exchange)?;
                if records.has_nulls {
                    csv.null = format::NULL.to_owned();
                }
                sample.header = records.names;
                records.survey
            }
        });
        sample.format = format;
        Ok(sample)
    }
}

/// What a body begins with.
fn beginning(body: &mut dyn Read, exchange: &Exchange) -> Result<Vec<u8>> {
    let mut beginning = Vec::new();
    let read = body
        .take(format::BEGINNING as u64)
        .read_to_end(&mut beginning);
    match read {
        Ok(_) => Ok(beginning),
        Err(error) => Err(read::failed(error, exchange)),
    }
}

/// The table that a sample is read by: its one row is a survey of its first page, as JSON ([`Sample`]).
pub fn surveyed(table: &Table) -> Table {
    Table {
        rows: RowsPath::Auto,
        shape: RowsShape::Survey,
        paging: Paging::None,
        ..table.clone().without_totals()
    }
}

/// The sample that the one row of a [`surveyed`] table is.
pub fn sampled(batch: &Batch) -> Option<Sample> {
    match batch.cells.first() {
        Some(Cell::Text(span)) => serde_json::from_slice(batch.bytes(*span)).ok(),
        _ => None,
    }
}

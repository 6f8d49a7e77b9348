//! How the body of a response is written.

use serde::{Deserialize, Serialize};

/// The format of a table's responses (option `format`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// One JSON document (RFC 8259).
    #[default]
    Json,
    /// A JSON value a line.
    JsonLines,
    /// RFC 4180.
    Csv(Csv),
}

/// What varies between CSV files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Csv {
    /// Stands between fields.
    pub delimiter: u8,
    /// Stands around fields that hold a delimiter, a quote (twice) or a line break; `None`: nothing does.
    pub quote: Option<u8>,
    /// Whether the first record has the columns' names.
    pub header: bool,
    /// What an unquoted field says that has no value.
    pub null: String,
}

impl Default for Csv {
    fn default() -> Self {
        Csv {
            delimiter: b',',
            quote: Some(b'"'),
            header: true,
            null: String::new(),
        }
    }
}

impl Format {
    /// The Accept header that asks for it.
    pub fn accept(&self) -> &'static str {
        match self {
            // Whatever else an API calls its JSON (`application/geo+json`) is welcome too.
            Format::Json => "application/json, */*;q=0.1",
            Format::JsonLines => {
                "application/x-ndjson, application/jsonl, application/json-seq, */*;q=0.1"
            }
            Format::Csv(_) => "text/csv, */*;q=0.1",
        }
    }

    /// Whether rows stand in it one after the other, with nothing around them.
    pub fn is_bare(&self) -> bool {
        *self != Format::Json
    }
}

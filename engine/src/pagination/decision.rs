//! What is known of a page, and what follows from it.

use crate::decode::Envelope;
use crate::request::Request;
use std::fmt;

/// How much of a page is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Status and headers.
    Headers,
    /// Its first row was met.
    FirstRow,
    /// All of it.
    Page,
}

/// What is known of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    /// How much is known.
    pub stage: Stage,
    /// The HTTP status.
    pub status: u16,
    /// The URL that answered, after redirects.
    pub url: &'a str,
    /// The headers; names are compared without regard to case.
    pub headers: &'a [(String, String)],
    /// The scalars outside the rows: from [`Stage::FirstRow`] on those before the rows, at [`Stage::Page`] all.
    pub envelope: Option<&'a Envelope>,
    /// Rows so far; all of the page's at [`Stage::Page`].
    pub rows: u64,
    /// Keyset: the text of the last row's field, at [`Stage::Page`].
    pub last_key: Option<&'a str>,
}

impl PageFacts<'_> {
    /// The values of a header, in the order received.
    pub(super) fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Another page, by this request.
    Next(Request),
    /// Nothing, for this reason.
    End(EndOfPages),
    /// More of the page must be known. Never at [`Stage::Page`].
    NotYet,
}

/// Why there is no further page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfPages {
    /// The table has one page only.
    Single,
    /// No Link header names a next page.
    NoLink,
    /// There is no next URL.
    NoNextUrl,
    /// There is no next cursor.
    NoCursor,
    /// The page had no rows.
    EmptyPage,
    /// The page had fewer rows than asked for, and the table says that this ends it.
    ShortPage,
    /// All rows of the reported total were read.
    Total,
    /// All pages of the reported number were read.
    PageCount,
    /// The response says that there are no more.
    NoMore,
}

impl fmt::Display for EndOfPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EndOfPages::Single => "one page only",
            EndOfPages::NoLink => "no next link",
            EndOfPages::NoNextUrl => "no next URL",
            EndOfPages::NoCursor => "no next cursor",
            EndOfPages::EmptyPage => "empty page",
            EndOfPages::ShortPage => "short page",
            EndOfPages::Total => "total reached",
            EndOfPages::PageCount => "last page reached",
            EndOfPages::NoMore => "no more, says the response",
        })
    }
}

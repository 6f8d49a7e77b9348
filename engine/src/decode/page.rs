//! One response: a walk through the document, with the rows read where they are met.

use super::csv::Records;
use super::envelope::Envelope;
use super::grammar::{Grammar, Inner, Place, Token, skip};
use super::lexer::{self, Expected, Why, more, unexpected};
use super::lines;
use super::locate::Kind;
use super::outbox::{Outbox, Progress, Sink};
use super::path::Path;
use super::plan::RowPlan;
use super::recorder::{LONGEST_WANTED, Recorder};
use super::rows::Rows;
use super::search::{Find, Search};
use super::value::{Text, Value};
use super::window::Window;
use crate::error::{Error, Exchange, Result};
use crate::model::{Format, RowsPath, RowsShape, Segment};
use std::io::Read;

/// Where things are in the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How it is written. In a format without anything around its rows, only the shape matters of what follows.
    pub format: Format,
    /// Where the rows are.
    pub rows: RowsPath,
    /// What they look like there.
    pub shape: RowsShape,
    /// Paths outside the rows that are wanted for certain. Besides them, scalars up to three levels deep are
    /// kept within bounds. With [`RowsShape::Single`] they may lead into the row.
    pub envelope: Vec<Vec<Segment>>,
}

/// What is known of a page once it was read.
#[derive(Debug, Clone, Default)]
pub struct PageEnd {
    /// Rows of the page, those included that an earlier reading handed over.
    pub rows: u64,
    /// The scalars around the rows.
    pub envelope: Envelope,
    /// The text of the keyset's field in the last row, where it has one.
    pub last_key: Option<String>,
    /// Where [`RowsPath::Auto`] found the rows. `None` for any other way, and where there were only
    /// empty arrays to choose from.
    pub rows_at: Option<Vec<Segment>>,
}

/// Streams one response: reads `reader` to its end, and hands over its rows in batches.
///
/// `progress` is updated whenever a batch was accepted. To read a page again after an error, pass the same
/// `Progress`: rows that were handed over are checked, but not handed over again.
///
/// Memory is bounded: a window of 256 KiB, which grows only to hold one row, one batch, and the
/// envelope. While [`RowsPath::Auto`] may still find that the document is ambiguous, nothing is handed over
/// before its end, or before 1 MiB of it was read.
///
/// # Errors
/// - [`Error::Body`] if the body is not one JSON document (RFC 8259) in UTF-8, or nested deeper than 512 levels; or not lines
///   of such documents, or records of CSV with as many fields each;
/// - [`Error::Truncated`] if it ends too early, or the reader fails;
/// - [`Error::Rows`] if the rows are not where `layout` says, or a row is of another kind;
/// - [`Error::Value`] if a value does not fit its column;
/// - [`Error::Paging`] if the page is read again and its rows have changed;
/// - whatever the sink returns, and whatever [`Error`] the reader's errors hold, as it is.
pub fn decode_page(
    reader: &mut dyn Read,
    plan: &RowPlan,
    layout: &Layout,
    exchange: &Exchange,
    request: usize,
    progress: &mut Progress,
    sink: &mut dyn Sink,
) -> Result<PageEnd> {
    let outbox = Outbox::new(sink, progress, exchange, plan.wanted.len(), request);
    let mut window = Window::new(reader, exchange);
    match &layout.format {
        Format::Json => {
            let rows = Rows::new(plan, &layout.shape, outbox);
            Page::new(window, rows, layout).read()
        }
        Format::JsonLines => {
            let mut rows = Rows::new(plan, &layout.shape, outbox);
            window.begin_text()?;
            lines::read(&mut rows, &mut window)?;
            let last_key = rows.last_key()?;
            bare_end(rows.outbox, last_key)
        }
        Format::Csv(options) => {
            let mut records = Records::new(plan, options, outbox);
            window.begin_text()?;
            records.read(&mut window)?;
            let last_key = records.last_key();
            bare_end(records.outbox, last_key)
        }
    }
}

/// The end of a page that has nothing but rows.
fn bare_end(mut outbox: Outbox, last_key: Option<String>) -> Result<PageEnd> {
    outbox.finish()?;
    Ok(PageEnd {
        rows: outbox.rows(),
        last_key,
        ..PageEnd::default()
    })
}

struct Page<'a> {
    window: Window<'a>,
    rows: Rows<'a>,
    grammar: Grammar,
    path: Path,
    search: Search<'a>,
    recorder: Recorder<'a>,
    /// Where the names of the rows' elements are, until they were met.
    names_at: Option<&'a [Segment]>,
    /// The path is kept up to this depth.
    depth: usize,
}

impl<'a> Page<'a> {
    fn new(window: Window<'a>, rows: Rows<'a>, layout: &'a Layout) -> Page<'a> {
        let names_at = match &layout.shape {
            RowsShape::Arrays { columns_field } => columns_field.as_deref(),
            _ => None,
        };
        let search = Search::new(&layout.rows, &layout.shape);
        let recorder = Recorder::new(&layout.envelope);
        let depth = recorder
            .depth()
            .max(search.depth())
            .max(names_at.map_or(0, <[Segment]>::len));
        Page {
            window,
            rows,
            grammar: Grammar::within(0),
            path: Path::default(),
            search,
            recorder,
            names_at,
            depth,
        }
    }

    fn read(mut self) -> Result<PageEnd> {
        self.window.begin()?;
        self.walk()?;
        self.window.finish()?;
        self.finish()
    }

    fn walk(&mut self) -> Result<()> {
        while !self.grammar.is_done() {
            self.window.next_byte()?;
            let open = self.grammar.depth();
            match self.grammar.token(self.window.text(), 0) {
                Ok(place) => self.token(place, open)?,
                Err(stop) if stop.why == Why::More && self.is_long_text() => {
                    self.skip_long_text()?
                }
                Err(stop) => self.window.resume(stop)?,
            }
        }
        Ok(())
    }

    /// Takes a token that was met with `open` containers around it.
    fn token(&mut self, place: Place, open: usize) -> Result<()> {
        if open > self.depth {
            self.window.advance(place.end);
            return Ok(());
        }
        match place.token {
            Token::End => self.path.pop(),
            Token::Name(inner) => {
                self.path
                    .set_member(&self.window.text()[inner.start..inner.close]);
                self.search.meet_member(&self.path);
            }
            _ => {
                self.path.next_element();
                return self.value(place);
            }
        }
        self.window.advance(place.end);
        Ok(())
    }

    fn value(&mut self, place: Place) -> Result<()> {
        let kind = kind(place.token);
        let find = self
            .search
            .meet(&self.path, kind)
            .map_err(|reason| self.no_rows(reason))?;
        self.window.advance(place.start);
        let length = place.end - place.start;
        match find {
            Find::Rows => return self.read_rows(length),
            Find::Row => {
                let depth = self.open_around(kind);
                self.rows.read_single(&mut self.window, depth)?;
            }
            Find::Candidate => return self.try_candidate(length),
            Find::Other => self.meet_names(kind)?,
        }
        if matches!(kind, Kind::Array | Kind::Object) {
            self.recorder.step_into(&self.path);
        } else {
            let value = value(place.token, &self.window.text()[..length]);
            self.recorder
                .scalar(&self.path, value, self.search.is_in_row(&self.path));
        }
        self.enter(kind, length);
        Ok(())
    }

    /// Uses up a scalar, or the first byte of a container, and steps into the latter.
    fn enter(&mut self, kind: Kind, length: usize) {
        self.window.advance(length);
        // A container beyond the last depth that counts is walked through without a path.
        if matches!(kind, Kind::Array | Kind::Object) && self.path.len() < self.depth {
            self.path.push(kind == Kind::Object);
        }
    }

    /// Containers around the value of this kind whose first token was just read.
    fn open_around(&self, kind: Kind) -> usize {
        self.grammar.depth() - usize::from(matches!(kind, Kind::Array | Kind::Object))
    }

    fn read_rows(&mut self, length: usize) -> Result<()> {
        if let Some(names_at) = self.names_at {
            let names_at = names_at.join(".");
            return Err(self.no_rows(format!(
                "columns_field \"{names_at}\" does not come before the rows"
            )));
        }
        self.window.advance(length);
        self.rows.outbox.begin_rows(self.recorder.so_far());
        self.rows.read(&mut self.window, self.grammar.depth())?;
        self.grammar.container_was_read();
        Ok(())
    }

    fn try_candidate(&mut self, length: usize) -> Result<()> {
        self.window.advance(length);
        let first = self.window.next_byte()?;
        if !self.search.meet_candidate(&self.path, first) {
            self.enter(Kind::Array, 0);
            return Ok(());
        }
        self.rows.outbox.hold();
        self.rows.outbox.begin_rows(self.recorder.so_far());
        self.rows.read(&mut self.window, self.grammar.depth())?;
        self.grammar.container_was_read();
        Ok(())
    }

    /// Reads the names of the rows' elements, if this value holds them. It is not used up.
    fn meet_names(&mut self, kind: Kind) -> Result<()> {
        let Some(names_at) = self.names_at else {
            return Ok(());
        };
        if kind != Kind::Array || !self.path.is(names_at) {
            return Ok(());
        }
        let wrong = || {
            format!(
                "\"{}\" is not an array of names, nor of objects with \"name\"",
                names_at.join(".")
            )
        };
        let end = loop {
            match skip(self.window.text(), 0, self.open_around(kind)) {
                Ok(end) => break end,
                Err(_) if self.window.text().len() > LONGEST_WANTED => {
                    return Err(self.no_rows(wrong()));
                }
                Err(stop) => self.window.resume(stop)?,
            }
        };
        let names =
            element_names(&self.window.text()[..end]).ok_or_else(|| self.no_rows(wrong()))?;
        self.rows.set_element_names(&names);
        self.names_at = None;
        Ok(())
    }

    fn no_rows(&self, reason: String) -> Error {
        Error::Rows {
            exchange: self.window.exchange().clone(),
            reason,
        }
    }

    /// Whether the token that was cut off is a text that is longer than any of interest.
    fn is_long_text(&self) -> bool {
        let text = self.window.text();
        let start = self.text_start();
        text.get(start) == Some(&b'"')
            && text.len() - start > self.recorder.longest()
            && lexer::quoted(text, start + 1).is_err()
    }

    /// Where the next token starts, if it is a text.
    fn text_start(&self) -> usize {
        let text = self.window.text();
        match text.first() {
            Some(b',') => lexer::space(text, 1),
            _ => 0,
        }
    }

    /// Reads past a text (and, after a name, its colon) without keeping any of it.
    fn skip_long_text(&mut self) -> Result<()> {
        let is_name = self.grammar.name_is_due();
        self.window.advance(self.text_start() + 1);
        self.skip_to_quote()?;
        if is_name {
            match self.window.next_byte()? {
                Some(b':') => self.window.advance(1),
                Some(_) => self.window.resume(unexpected(0, Expected::Colon))?,
                None => self.window.resume(more(0))?,
            }
        }
        if self.grammar.depth() <= self.depth {
            match is_name {
                true => self.path.set_nameless(),
                false => {
                    self.path.next_element();
                    self.recorder.long_text(&self.path);
                }
            }
        }
        self.grammar.text_was_read();
        Ok(())
    }

    fn skip_to_quote(&mut self) -> Result<()> {
        loop {
            let text = self.window.text();
            let (end, _) = lexer::plain(text, 0);
            let (used, stop) = match text.get(end) {
                Some(b'"') => {
                    self.window.advance(end + 1);
                    return Ok(());
                }
                Some(b'\\') => match lexer::escape(text, end) {
                    Ok(next) => (next, None),
                    Err(stop) => (0, Some(stop)),
                },
                Some(_) => (0, Some(unexpected(end, Expected::EscapedControl))),
                None => (end, Some(more(0))),
            };
            self.window.advance(used);
            if let Some(stop) = stop {
                self.window.resume(stop)?;
            }
        }
    }

    fn finish(mut self) -> Result<PageEnd> {
        let exchange = self.window.exchange();
        let not_found = |reason| Error::Rows {
            exchange: exchange.clone(),
            reason,
        };
        let rows_at = self.search.finish().map_err(not_found)?;
        self.rows.let_go()?;
        let last_key = self.rows.last_key()?;
        self.rows.outbox.finish()?;
        Ok(PageEnd {
            rows: self.rows.outbox.rows(),
            envelope: self.recorder.finish(),
            last_key,
            rows_at,
        })
    }
}

fn kind(token: Token) -> Kind {
    match token {
        Token::ObjectStart => Kind::Object,
        Token::ArrayStart => Kind::Array,
        Token::Text(_) | Token::Name(_) => Kind::Plain,
        Token::Number => Kind::Decimal,
        Token::True => Kind::True,
        Token::False => Kind::False,
        Token::Null | Token::End => Kind::Null,
    }
}

/// The scalar that was read as `token`, whose bytes are `raw`.
fn value(token: Token, raw: &[u8]) -> Value<'_> {
    match token {
        Token::Text(Inner { escaped, .. }) => {
            let inner = &raw[1..raw.len() - 1];
            Value::Text(Text {
                raw: inner,
                escaped,
                ascii: false,
            })
        }
        Token::Number => Value::Decimal(raw),
        Token::True => Value::Bool(true),
        Token::False => Value::Bool(false),
        _ => Value::Null,
    }
}

/// The names in an array of texts, or of objects with a member `name`.
fn element_names(raw: &[u8]) -> Option<Vec<String>> {
    let elements: Vec<serde_json::Value> = serde_json::from_slice(raw).ok()?;
    let name = |element: &serde_json::Value| {
        let name = if element.is_object() {
            element.get("name")?
        } else {
            element
        };
        name.as_str().map(str::to_owned)
    };
    elements.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::decode::{Batch, Wanted};
    use crate::model::{FieldPath, OnError, Type};

    /// Sums what it is given, and keeps nothing.
    #[derive(Default)]
    struct Sum {
        rows: usize,
        largest: usize,
    }

    impl Sink for Sum {
        fn first_row(&mut self, _: &Envelope) -> Result<()> {
            Ok(())
        }

        fn batch(&mut self, batch: Batch) -> Result<()> {
            self.rows += batch.rows;
            self.largest = self
                .largest
                .max(batch.arena.capacity() + batch.cells.capacity() * 16);
            Ok(())
        }
    }

    /// A body that is made while it is read: `head`, `part` so many times, `tail`.
    fn repeated<'a>(head: &'a [u8], part: &'a [u8], times: usize, tail: &'a [u8]) -> impl Read {
        let parts = std::iter::repeat_n(part, times);
        let pieces: std::collections::VecDeque<&[u8]> =
            std::iter::once(head).chain(parts).chain([tail]).collect();
        Pieces(pieces)
    }

    struct Pieces<'a>(std::collections::VecDeque<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(piece) = self.0.front_mut() else {
                return Ok(0);
            };
            let size = piece.read(buffer)?;
            if piece.is_empty() {
                self.0.pop_front();
            }
            Ok(size)
        }
    }

    fn plan() -> RowPlan {
        let name = "name".to_owned();
        let field = FieldPath::Default(name.clone());
        let on_error = OnError::Error;
        RowPlan::new(
            vec![Wanted {
                column: name,
                field,
                ty: Type::Text,
                format: None,
                on_error,
                position: None,
            }],
            None,
        )
    }

    #[track_caller]
    fn stays_small(mut reader: impl Read, rows: usize) {
        let (exchange, plan, mut progress, mut sink) = (
            Exchange::default(),
            plan(),
            Progress::default(),
            Sum::default(),
        );
        let path = vec!["data".to_owned(), "items".to_owned()];
        let layout = Layout {
            format: Format::Json,
            rows: RowsPath::Path(path),
            shape: RowsShape::Objects,
            envelope: Vec::new(),
        };
        let outbox = Outbox::new(&mut sink, &mut progress, &exchange, 1, 0);
        let mut page = Page::new(
            Window::new(&mut reader, &exchange),
            Rows::new(&plan, &layout.shape, outbox),
            &layout,
        );
        page.window.begin().unwrap();
        page.walk().unwrap();
        page.window.finish().unwrap();
        assert_eq!(page.window.capacity(), 256 << 10);
        assert_eq!(page.finish().unwrap().rows, rows as u64);
        assert_eq!(sink.rows, rows);
        assert!(sink.largest < 1 << 20, "{} bytes in a batch", sink.largest);
    }

    #[test]
    fn twenty_megabytes_of_rows_pass_through_the_same_window() {
        let row = format!(",{{\"name\":\"{}\",\"other\":[1,2,{{}}]}}", "n".repeat(970));
        stays_small(
            repeated(b"{\"data\":{\"items\":[{}", row.as_bytes(), 20_000, b"]}}"),
            20_001,
        );
    }

    #[test]
    fn what_is_skipped_takes_no_memory() {
        let text = "\\u00e9 and so on, ".repeat(64);
        for (head, part, tail) in [
            ("{\"x\":\"", text.as_str(), "\",\"data\":{\"items\":[]}}"),
            ("{\"", text.as_str(), "\" : 1,\"data\":{\"items\":[]}}"),
            (
                "{\"data\":{\"items\":[],\"y\":[1, \"",
                text.as_str(),
                "\"]}}",
            ),
            (
                "{\"x\":[0",
                ",[1,{\"a\":\"b\"}]",
                "],\"data\":{\"items\":[]}}",
            ),
            (" ", "                ", "{\"data\":{\"items\":[]}}"),
        ] {
            stays_small(
                repeated(head.as_bytes(), part.as_bytes(), 8 << 10, tail.as_bytes()),
                0,
            );
        }
    }
}

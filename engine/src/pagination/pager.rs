//! The pages of one request: asks the table's strategy, and guards against pages that never end.

use super::decision::{Decision, PageFacts, Stage};
use super::forecast::{Forecast, Outlook, is_foreseeable};
use super::reported::Reported;
use super::step::{Context, Step, Stepped};
use super::target::next_target;
use super::{after_key, auto, cursor, keyset, link, next_url, offset, page, single};
use crate::error::Exchange;
use crate::http::Egress;
use crate::model::{Location, Paging, Table};
use crate::request::{Inputs, Request, at_page, build, build_page, identity, is_in_text};
use crate::{Error, Result};
use std::collections::HashSet;
use std::sync::Arc;

/// Walks from page to page. Owns what it needs, so that it can move between threads.
#[derive(Debug)]
pub struct Pager {
    table: Arc<Table>,
    inputs: Arc<Inputs>,
    hint: Option<u64>,
    /// Names the hosts that pages may be at besides the server's own origin.
    permitted: Arc<Egress>,
    /// The request of the current page.
    current: Request,
    /// Every URL that was requested, or that answered; each with the body that was sent.
    seen: HashSet<String>,
    /// Pages asked for, counted from 1.
    page: u32,
    /// Rows of the pages before; `None` where one was not counted.
    rows: Option<u64>,
    /// The rows of the largest page before; 0 where none was counted.
    largest: u64,
    /// Whether the page before had as many rows as were asked for.
    filled: bool,
    total: Option<u64>,
    page_count: Option<u64>,
}

impl Pager {
    /// The pages that answer `inputs`; `hint`: rows that the query is expected to take at most.
    ///
    /// # Errors
    /// As [`build`].
    pub fn new(table: Arc<Table>, inputs: Inputs, hint: Option<u64>) -> Result<Pager> {
        let position = match &table.paging {
            Paging::Page { first, .. } | Paging::Offset { first, .. } => Some(first.to_string()),
            _ => None,
        };
        let size = asked(&table, hint, 1);
        let page = at_page(&table, &inputs, size, position.as_deref());
        let first = build(&table, &page, &parameters(&table, size, position))?;
        Ok(Pager {
            table,
            inputs: Arc::new(inputs),
            hint,
            permitted: Arc::new(Egress::unrestricted()),
            seen: HashSet::from([first.identity()]),
            current: first,
            page: 1,
            rows: Some(0),
            largest: 0,
            filled: false,
            total: None,
            page_count: None,
        })
    }

    /// The same pager, which also follows next pages to hosts that `permitted` names.
    pub fn permitting(self, permitted: Arc<Egress>) -> Pager {
        Pager { permitted, ..self }
    }

    /// The request of the current page, which is the first until [`Pager::next`] has decided on another.
    ///
    /// # Errors
    /// None today: a request is built when it is decided on.
    pub fn first(&self) -> Result<Request> {
        Ok(self.current.clone())
    }

    /// Decides what follows the current page. To be called with growing stages of each page until the
    /// decision is not [`Decision::NotYet`]; after [`Decision::Next`] the next page is the current one.
    ///
    /// # Errors
    /// [`Error::Paging`] where pages repeat, contradict themselves or would cut rows (rule R9);
    /// [`Error::Forbidden`] where the next page is at another origin that nobody permitted.
    pub fn next(&mut self, facts: &PageFacts) -> Result<Decision> {
        let reported = Reported::read(&self.table, facts).map_err(|reason| self.error(reason))?;
        self.total = reported.total.or(self.total);
        self.page_count = reported.page_count.or(self.page_count);
        let reported = Reported {
            total: self.total,
            ..reported
        };
        let context = Context {
            table: &self.table,
            facts,
            reported: &reported,
            pages: u64::from(self.page),
            rows: self.rows.map(|rows| rows.saturating_add(facts.rows)),
            asked: asked(&self.table, self.hint, self.page),
        };
        match strategy(&context).map_err(|reason| self.error(reason))? {
            Step::NotYet => Ok(Decision::NotYet),
            Step::End(reason) => Ok(Decision::End(reason)),
            Step::Url(reference) => {
                let target = next_target(
                    &reference,
                    facts.url,
                    &self.current,
                    &self.table.source,
                    &self.permitted,
                    &self.exchange(),
                )?;
                let request = Request {
                    url: target,
                    ..self.current.clone()
                };
                self.advance(facts, request, "URL")
            }
            Step::Position(position) => {
                let size = asked(&self.table, self.hint, self.page.saturating_add(1));
                let request = page_at(&self.table, &self.inputs, size, position)?;
                self.advance(facts, request, "cursor")
            }
        }
    }

    /// The total that the API reported last.
    pub fn known_total(&self) -> Option<u64> {
        self.total
    }

    /// The number of pages that the API reported last.
    pub fn known_page_count(&self) -> Option<u64> {
        self.page_count
    }

    /// The pages after the current one, where they can be told before it was read: they are numbered, and how
    /// many there are was reported.
    pub fn forecast(&self) -> Option<Forecast> {
        let next = asked(&self.table, self.hint, self.page.saturating_add(1));
        Forecast::new(Outlook {
            table: &self.table,
            inputs: &self.inputs,
            page: u64::from(self.page),
            rows: self.rows?,
            size: next,
            rows_a_page: match self.largest {
                // A first page that was made small by the hint is no measure for the others.
                _ if self.filled => next,
                0 => None,
                largest => Some(largest),
            },
            total: self.total,
            page_count: self.page_count,
        })
    }

    /// How a table is paged, for EXPLAIN: `offset/limit, 1000 rows a page, up to 4 at once`. `ahead`: whether pages
    /// may be requested before the rows of those before them were taken.
    pub fn describe(table: &Table, ahead: bool) -> String {
        let style = match &table.paging {
            Paging::Auto => "Link header, else next URL in the body".to_owned(),
            Paging::None => "one page".to_owned(),
            Paging::Link => "Link header".to_owned(),
            Paging::NextUrl { at } => format!("next URL in {}", place(at)),
            Paging::Cursor { at, .. } => format!("cursor in {}", place(at)),
            Paging::Page { .. } => "page number".to_owned(),
            Paging::Offset { .. } => "offset/limit".to_owned(),
            Paging::Keyset { param, .. } => format!("keyset by \"{param}\""),
            Paging::AfterKey { at, .. } => format!("key in \"{}\"", at.join(".")),
        };
        let size = normal_size(table)
            .map(|rows| format!(", {rows} row{} a page", if rows == 1 { "" } else { "s" }));
        let most = table.source.max_concurrency;
        let at_once = ahead && most > 1 && is_foreseeable(table);
        let at_once = at_once.then(|| format!(", up to {most} at once"));
        [Some(style), size, at_once].into_iter().flatten().collect()
    }

    fn advance(&mut self, facts: &PageFacts, request: Request, what: &str) -> Result<Decision> {
        let answered = identity(facts.url, self.current.body.as_deref());
        self.seen.insert(answered);
        if !self.seen.insert(request.identity()) {
            let reason = format!(
                "the {what} of the next page was already used: {}",
                request.redacted()
            );
            return Err(self.error(reason));
        }
        self.rows = match facts.stage {
            Stage::Page => self.rows.map(|rows| rows.saturating_add(facts.rows)),
            Stage::Headers | Stage::FirstRow => None,
        };
        if facts.stage == Stage::Page {
            self.largest = self.largest.max(facts.rows);
            self.filled = asked(&self.table, self.hint, self.page) == Some(facts.rows);
        }
        self.page = self.page.saturating_add(1);
        self.current = request.clone();
        Ok(Decision::Next(request))
    }

    fn exchange(&self) -> Exchange {
        Exchange {
            request: self.current.redacted(),
            page: self.page,
        }
    }

    fn error(&self, reason: String) -> Error {
        Error::Paging {
            exchange: self.exchange(),
            reason,
        }
    }
}

fn strategy(context: &Context) -> Stepped {
    match &context.table.paging {
        Paging::Auto => auto::step(context),
        Paging::None => single::step(context),
        Paging::Link => link::step(context),
        Paging::NextUrl { at } => next_url::step(context, at),
        Paging::Cursor { at, .. } => cursor::step(context, at),
        Paging::Page { first, .. } => page::step(context, *first),
        Paging::Offset { first, .. } => offset::step(context, *first),
        Paging::Keyset { .. } => keyset::step(context),
        Paging::AfterKey { at, members, .. } => after_key::step(context, at, members),
    }
}

/// The table's own page size, within its bound.
fn normal_size(table: &Table) -> Option<u64> {
    match (table.page_size, table.max_page_size) {
        (Some(size), Some(most)) => Some(size.min(most)),
        (Some(size), None) => Some(size),
        (None, Some(most)) => table.page_size_param.as_ref().map(|_| most),
        (None, None) => None,
    }
}

/// The request of a page after the first.
pub(super) fn page_at(
    table: &Table,
    inputs: &Inputs,
    size: Option<u64>,
    position: String,
) -> Result<Request> {
    let page = at_page(table, inputs, size, Some(&position));
    build_page(table, &page, &parameters(table, size, Some(position)))
}

/// Rows asked for on a page. The hint makes the first page smaller; with page numbers all pages, since
/// a page's number means other rows under another size. Where no second page is declared the hint would
/// cut rows: it counts rows after local filters.
fn asked(table: &Table, hint: Option<u64>, page: u32) -> Option<u64> {
    let normal = normal_size(table);
    let takes_hint = match table.paging {
        Paging::Auto | Paging::None => false,
        Paging::Page { .. } => true,
        Paging::Link
        | Paging::NextUrl { .. }
        | Paging::Cursor { .. }
        | Paging::Offset { .. }
        | Paging::Keyset { .. }
        | Paging::AfterKey { .. } => page == 1,
    };
    match hint
        .filter(|_| takes_hint && takes_size(table))
        .map(|rows| rows.max(1))
    {
        Some(hint) => Some(normal.map_or(hint, |normal| normal.min(hint))),
        None => normal,
    }
}

/// Whether requests say how many rows a page shall have.
fn takes_size(table: &Table) -> bool {
    table.page_size_param.is_some() || is_in_text(table)
}

fn parameters(table: &Table, size: Option<u64>, position: Option<String>) -> Vec<(String, String)> {
    if is_in_text(table) {
        return Vec::new();
    }
    let size = table
        .page_size_param
        .clone()
        .zip(size.map(|rows| rows.to_string()));
    let name = match &table.paging {
        Paging::Cursor { param, .. }
        | Paging::Page { param, .. }
        | Paging::Offset { param, .. }
        | Paging::Keyset { param, .. }
        | Paging::AfterKey { param, .. } => Some(param.clone()),
        Paging::Auto | Paging::None | Paging::Link | Paging::NextUrl { .. } => None,
    };
    size.into_iter().chain(name.zip(position)).collect()
}

fn place(at: &Location) -> String {
    match at {
        Location::Body(path) => format!("\"{}\"", path.join(".")),
        Location::Header(name) => format!("header \"{name}\""),
    }
}

//! What a scan did: counts, a log of its requests, and how many of them it may make.

use crate::error::Exchange;
use crate::http::{Accounts, CacheUse, SideRequest, Traffic};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Requests that the log keeps until they are taken.
const LOGGED: usize = 1000;

/// What a scan did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Attempts sent. A redirect within the own origin belongs to the attempt that it answered.
    pub requests: u64,
    /// Pages whose response was a success.
    pub pages: u64,
    /// Bytes of bodies, after decompression.
    pub bytes: u64,
    /// The same bytes as they came over the network.
    pub transferred: u64,
    /// Rows decoded.
    pub rows: u64,
    /// Attempts after the first of their page.
    pub retries: u64,
    /// Attempts that failed, those that were tried again too; not those that were cancelled.
    pub errors: u64,
    /// Requests that the cache answered, also where the API was asked whether the answer is still good.
    pub cache_hits: u64,
    /// Those of them that the API was asked about.
    pub cache_revalidated: u64,
    /// Requests that waited for the server's rate limit.
    pub waits: u64,
    /// How long they waited, all of them together.
    pub waited: Duration,
    /// The first request in the order of rows, redacted: `GET https://…`. `None` while none was sent.
    pub first_request: Option<String>,
    /// The rows of one chain in all, where the API reported that: the latest figure.
    pub total: Option<u64>,
    /// The pages of one chain in all, likewise.
    pub page_count: Option<u64>,
    /// Pages followed that were not wanted (`most_pages` of [`ScanSpec`](super::ScanSpec)).
    pub partial: bool,
}

impl Statistics {
    /// Adds what another scan did after this one.
    pub fn add(&mut self, other: &Statistics) {
        self.requests += other.requests;
        self.pages += other.pages;
        self.bytes += other.bytes;
        self.transferred += other.transferred;
        self.rows += other.rows;
        self.retries += other.retries;
        self.errors += other.errors;
        self.cache_hits += other.cache_hits;
        self.cache_revalidated += other.cache_revalidated;
        self.waits += other.waits;
        self.waited += other.waited;
        self.first_request = self
            .first_request
            .take()
            .or_else(|| other.first_request.clone());
        self.total = other.total.or(self.total);
        self.page_count = other.page_count.or(self.page_count);
        self.partial |= other.partial;
    }
}

/// A request that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// When it began, or began to wait for the rate limit.
    pub started: SystemTime,
    /// Method, URL and the beginning of a body, redacted.
    pub request: String,
    /// The response's status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, also in the middle of the body.
    pub error: Option<RequestError>,
    /// Bytes of the body that were read, after decompression.
    pub bytes: u64,
    /// The same bytes as they came over the network.
    pub transferred: u64,
    /// From sending to the end of the body.
    pub duration: Duration,
    /// How long it had waited for the server's rate limit before.
    pub waited: Duration,
    /// Which attempt at its page it was, counted from 1.
    pub attempt: u32,
    /// What the cache had to do with it.
    pub cache: CacheUse,
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Nobody wanted its answer any more: the query was cancelled, or had rows enough.
    Cancelled,
    /// Anything else, redacted.
    Failed(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Cancelled => f.write_str("cancelled"),
            RequestError::Failed(text) => f.write_str(text),
        }
    }
}

impl RequestRecord {
    /// Method, URL, and the beginning of a body.
    pub fn parts(&self) -> (&str, &str, Option<&str>) {
        let (method, rest) = self.request.split_once(' ').unwrap_or(("", &self.request));
        match rest.split_once(' ') {
            Some((url, body)) => (method, url, Some(body)),
            None => (method, rest, None),
        }
    }
}

/// How many requests one statement may make (`rest_fdw.max_requests`), shared by all its scans.
#[derive(Debug)]
pub struct StatementBudget {
    limit: u64,
    left: AtomicU64,
}

impl StatementBudget {
    /// A budget of `limit` requests.
    pub fn new(limit: u64) -> Self {
        StatementBudget {
            limit,
            left: AtomicU64::new(limit),
        }
    }

    /// The requests that it began with.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The requests that are left.
    fn left(&self) -> u64 {
        self.left.load(Ordering::Acquire)
    }

    /// Takes one request; false when none is left.
    fn take(&self) -> bool {
        let left = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                left.checked_sub(1)
            });
        left.is_ok()
    }
}

/// How many requests a scan may make.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// Pages, by the server's `max_pages`.
    pub(super) pages: Option<u64>,
    /// By the server's `max_requests`.
    pub(super) source: Option<u64>,
    /// What the statement has left.
    pub(super) statement: Option<Arc<StatementBudget>>,
}

impl Budget {
    /// Refuses a scan that is to be read to its end, and needs `least` requests for that, where so many cannot be made.
    pub(super) fn foresee(&self, least: u64, exchange: &Exchange) -> Result<()> {
        let pages = self.pages.map(|limit| (limit, limit));
        let source = self.source.map(|limit| (limit, limit));
        let statement = self.statement.as_ref();
        let statement = statement.map(|statement| (statement.left(), statement.limit()));
        let bounds = [
            (pages, "option \"max_pages\" of the server"),
            (source, "option \"max_requests\" of the server"),
            (statement, "setting \"rest_fdw.max_requests\""),
        ];
        for (bound, name) in bounds {
            if let Some((_, limit)) = bound.filter(|(left, _)| *left < least) {
                return Err(Error::Limit {
                    exchange: exchange.clone(),
                    what: format!("the {least} requests that all rows take ({name})"),
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Takes one request after `made` ones, or says which bound forbids it.
    fn take(&self, made: u64) -> std::result::Result<(), (&'static str, u64)> {
        if let Some(limit) = self.source.filter(|limit| made >= *limit) {
            return Err((
                "another request (option \"max_requests\" of the server)",
                limit,
            ));
        }
        match &self.statement {
            Some(statement) if !statement.take() => Err((
                "another request of the statement (setting \"rest_fdw.max_requests\")",
                statement.limit(),
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for RequestRecord {
    /// One line: `GET https://… -> 200, 512 bytes (120 compressed) in 3.2 ms, attempt 1, cache miss`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RequestRecord {
            request,
            bytes,
            transferred,
            attempt,
            ..
        } = self;
        write!(f, "{request} -> ")?;
        match (self.status, &self.error) {
            (Some(status), None) => write!(f, "{status}")?,
            (Some(status), Some(error)) => write!(f, "{status}, {error}")?,
            (None, Some(error)) => write!(f, "{error}")?,
            (None, None) => write!(f, "no response")?,
        }
        let milliseconds = self.duration.as_secs_f64() * 1000.0;
        write!(f, ", {bytes} bytes")?;
        if transferred != bytes {
            write!(f, " ({transferred} compressed)")?;
        }
        write!(f, " in {milliseconds:.1} ms, attempt {attempt}")?;
        match self.cache {
            CacheUse::Off => Ok(()),
            used => write!(f, ", cache {used}"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Ledger {
    budget: Budget,
    /// The first page of the first chain, redacted. Others may be sent before it.
    first: Option<String>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    statistics: Statistics,
    log: VecDeque<RequestRecord>,
}

impl Accounts for Ledger {
    fn admit(&self, exchange: &Exchange, attempt: u32) -> Result<()> {
        Ledger::admit(self, exchange, attempt)
    }

    fn ended(&self, request: SideRequest) {
        self.count_bytes(request.bytes, request.transferred);
        self.log(RequestRecord {
            started: request.started,
            request: request.request,
            status: request.status,
            error: request.error.map(|error| match error {
                Error::Cancelled => RequestError::Cancelled,
                error => RequestError::Failed(error.to_string()),
            }),
            bytes: request.bytes,
            transferred: request.transferred,
            duration: request.duration,
            waited: request.waited,
            attempt: request.attempt,
            cache: CacheUse::Off,
        });
    }
}

impl Ledger {
    pub(super) fn new(budget: Budget, first: Option<String>) -> Self {
        Ledger {
            budget,
            first,
            book: Mutex::default(),
        }
    }

    /// Counts a request that is about to be sent, or refuses it.
    pub(super) fn admit(&self, exchange: &Exchange, attempt: u32) -> Result<()> {
        let mut book = self.book();
        self.budget
            .take(book.statistics.requests)
            .map_err(|(what, limit)| Error::Limit {
                exchange: exchange.clone(),
                what: what.to_owned(),
                limit,
            })?;
        book.statistics.requests += 1;
        book.statistics.retries += u64::from(attempt > 1);
        Ok(())
    }

    /// Takes back what was admitted and then not sent: it was cancelled while it waited for the rate limit.
    pub(super) fn withdraw(&self, attempt: u32) {
        let mut book = self.book();
        book.statistics.requests -= 1;
        book.statistics.retries -= u64::from(attempt > 1);
    }

    pub(super) fn count_page(&self) {
        self.book().statistics.pages += 1;
    }

    /// Counts what went out by an attempt.
    pub(super) fn count_traffic(&self, traffic: Traffic) {
        let statistics = &mut self.book().statistics;
        statistics.waits += traffic.waits;
        statistics.waited += traffic.waited;
    }

    /// Counts bytes of a body: decompressed, and as they came.
    pub(super) fn count_bytes(&self, bytes: u64, transferred: u64) {
        let statistics = &mut self.book().statistics;
        statistics.bytes += bytes;
        statistics.transferred += transferred;
    }

    pub(super) fn count_rows(&self, rows: usize) {
        self.book().statistics.rows += rows as u64;
    }

    /// Notes what the API reported; what it did not stays as it was.
    pub(super) fn note_reported(&self, total: Option<u64>, page_count: Option<u64>) {
        let statistics = &mut self.book().statistics;
        statistics.total = total.or(statistics.total);
        statistics.page_count = page_count.or(statistics.page_count);
    }

    /// Notes that a page follows which is not wanted.
    pub(super) fn note_partial(&self) {
        self.book().statistics.partial = true;
    }

    pub(super) fn log(&self, record: RequestRecord) {
        let mut book = self.book();
        let failed = matches!(record.error, Some(RequestError::Failed(_)));
        book.statistics.errors += u64::from(failed);
        book.statistics.cache_hits += u64::from(record.cache.is_hit());
        book.statistics.cache_revalidated += u64::from(record.cache == CacheUse::Revalidated);
        if book.log.len() == LOGGED {
            book.log.pop_front();
        }
        book.log.push_back(record);
    }

    pub(super) fn statistics(&self) -> Statistics {
        let statistics = self.book().statistics.clone();
        Statistics {
            first_request: self.first.clone().filter(|_| statistics.requests > 0),
            ..statistics
        }
    }

    pub(super) fn take_log(&self) -> Vec<RequestRecord> {
        std::mem::take(&mut self.book().log).into()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! `rest_fdw_requests()`: the last requests of this backend.

use super::Account;
use crate::compat::ROLE_PG_READ_ALL_STATS;
use crate::encoding::ServerText;
use pgrx::datum::Interval;
use pgrx::prelude::*;
use rest_engine::scan::RequestRecord;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// Requests that are kept.
const KEPT: usize = 1000;

/// Bytes that are kept of a request's text.
const LONGEST: usize = 4000;

/// Seconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH: u64 = 946_684_800;

struct Request {
    account: Account,
    record: RequestRecord,
}

thread_local! {
    /// Oldest first. The backend is one thread.
    static REQUESTS: RefCell<VecDeque<Request>> = RefCell::default();
}

/// Keeps a request that ended.
pub(super) fn note(account: &Account, mut record: RequestRecord) {
    shorten(&mut record.request);
    REQUESTS.with_borrow_mut(|requests| {
        if requests.len() == KEPT {
            requests.pop_front();
        }
        requests.push_back(Request {
            account: account.clone(),
            record,
        });
    });
}

fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
        text.shrink_to_fit();
    }
}

type Row = (
    Option<TimestampWithTimeZone>,
    ServerText,
    ServerText,
    ServerText,
    Option<ServerText>,
    Option<i32>,
    i64,
    i64,
    Interval,
    Interval,
    i32,
    ServerText,
    Option<ServerText>,
);

/// The last 1,000 requests of this backend that ended, oldest first; those that the current user may see: their own,
/// and those of roles that they have the privileges of. Members of `pg_read_all_stats` see all of them.
#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn rest_fdw_requests() -> TableIterator<
    'static,
    (
        name!(started, Option<TimestampWithTimeZone>),
        name!(server, ServerText),
        name!(method, ServerText),
        name!(url, ServerText),
        name!(body, Option<ServerText>),
        name!(status, Option<i32>),
        name!(bytes, i64),
        name!(transferred, i64),
        name!(duration, Interval),
        name!(waited, Interval),
        name!(attempt, i32),
        name!(cache, ServerText),
        name!(error, Option<ServerText>),
    ),
> {
    let visible = REQUESTS.with_borrow(|requests| {
        let visible = requests.iter().filter(|request| is_visible(request));
        visible.map(row).collect::<Vec<_>>()
    });
    TableIterator::new(visible)
}

fn is_visible(request: &Request) -> bool {
    // SAFETY: catalog look-ups by OID, in a transaction.
    unsafe {
        let user = pg_sys::GetUserId();
        pg_sys::has_privs_of_role(user, request.account.user)
            || pg_sys::has_privs_of_role(user, ROLE_PG_READ_ALL_STATS)
    }
}

fn row(request: &Request) -> Row {
    let record = &request.record;
    let (method, url, body) = record.parts();
    (
        timestamp(record.started),
        ServerText::new(&request.account.name),
        ServerText::new(method),
        ServerText::new(url),
        body.map(ServerText::new),
        record.status.map(i32::from),
        record.bytes as i64,
        record.transferred as i64,
        interval(record.duration),
        interval(record.waited),
        record.attempt as i32,
        ServerText::new(&record.cache.to_string()),
        record
            .error
            .as_ref()
            .map(|error| ServerText::new(&error.to_string())),
    )
}

/// A point in time as PostgreSQL counts it.
pub(super) fn timestamp(time: SystemTime) -> Option<TimestampWithTimeZone> {
    let since_2000 = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
    let passed = time.duration_since(since_2000).ok()?;
    TimestampWithTimeZone::try_from(i64::try_from(passed.as_micros()).ok()?).ok()
}

/// A duration as PostgreSQL counts it.
pub(super) fn interval(duration: Duration) -> Interval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    // Only months, days and microseconds of different signs are refused.
    Interval::new(0, 0, microseconds).unwrap_or_else(|_| Interval::from_seconds(0.0))
}

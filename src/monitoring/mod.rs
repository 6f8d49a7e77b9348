//! Seeing what happens: each request in the server's log, in `rest_fdw_requests()`, and in the counts of its server.

mod requests;
mod statistics;

use crate::encoding::for_message;
use crate::settings;
use crate::shared_memory::{self, Counts};
use pgrx::pg_sys;
use rest_engine::Result;
use rest_engine::decode::Batch;
use rest_engine::http::Client;
use rest_engine::scan::{Polled, RequestError, RequestRecord, Scan, ScanSpec, Statistics};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// For whom a scan makes its requests.
#[derive(Debug, Clone)]
pub struct Account {
    /// The server.
    pub server: pg_sys::Oid,
    /// Its name.
    pub name: String,
    /// The user whose mapping is used.
    pub user: pg_sys::Oid,
}

/// A scan whose requests are told of, however it ends.
pub struct WatchedScan {
    scan: Scan,
    account: Account,
    /// What was told of already.
    told: Statistics,
}

impl WatchedScan {
    /// Starts a scan: its first request goes out at once.
    pub fn start(client: Arc<Client>, spec: ScanSpec, account: Account) -> Result<Self> {
        let scan = Scan::start(client, spec)?;
        Ok(WatchedScan {
            scan,
            account,
            told: Statistics::default(),
        })
    }

    /// A descriptor that becomes readable when [`WatchedScan::poll`] may have something new to say.
    pub fn wake(&self) -> BorrowedFd<'_> {
        self.scan.wake()
    }

    /// The next rows, if they are there. Never blocks.
    pub fn poll(&mut self) -> Result<Polled> {
        let polled = self.scan.poll();
        let records = self.scan.take_log();
        if !records.is_empty() {
            self.tell(records);
        }
        polled
    }

    /// What it did so far.
    pub fn statistics(&self) -> Statistics {
        self.scan.statistics()
    }

    /// Takes back a batch that nobody reads any more.
    pub fn recycle(&self, batch: Batch) {
        self.scan.recycle(batch);
    }

    /// Cancels what is still running. What the statistics say then is final.
    pub fn stop(&mut self) {
        self.scan.stop();
        let records = self.scan.take_log();
        self.tell(records);
    }

    /// Tells of requests that ended since the last time, and of what else was done.
    fn tell(&mut self, records: Vec<RequestRecord>) {
        let statistics = self.scan.statistics();
        let counts = statistics::difference(&self.told, &statistics);
        self.told = statistics;
        let mut error = None;
        for record in records {
            if settings::log_requests() {
                log(&record);
            }
            if let Some(RequestError::Failed(text)) = &record.error {
                error = requests::timestamp(record.started).map(|time| (text.clone(), time));
            }
            requests::note(&self.account, record);
        }
        if counts != Counts::default() {
            let error = error.as_ref().map(|(text, time)| (text.as_str(), *time));
            shared_memory::add(self.account.server, &self.account.name, &counts, error);
        }
    }
}

impl Drop for WatchedScan {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A LOG line for a request.
fn log(record: &RequestRecord) {
    pgrx::log!("rest_fdw: {}", for_message(record.to_string()));
}

//! Reads the answer to one request outside of a query, for functions that users call.

use super::release::{self, Streaming};
use super::scan::remote;
use super::{budget, wait};
use crate::clients;
use crate::error::FdwError;
use crate::monitoring::{Account, WatchedScan};
use pgrx::pg_sys;
use rest_engine::decode::Batch;
use rest_engine::model::Table;
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, ScanSpec};
use std::sync::Arc;

/// The first rows of the first page, asked for as the current user; none where there are no rows. Nothing is decoded
/// of the columns.
pub fn read_once(
    table: Table,
    requests: Vec<Inputs>,
    server: pg_sys::Oid,
) -> Result<Option<Batch>, FdwError> {
    // SAFETY: reads a variable of the backend, on its main thread.
    let user = unsafe { pg_sys::GetUserId() };
    let client = clients::client(&table, user, server)?;
    let table = Arc::new(table);
    let spec = ScanSpec {
        table: Arc::clone(&table),
        requests,
        wanted: Vec::new(),
        hint: None,
        fetch_ahead: false,
        most_pages: Some(1),
        budget: budget::of_statement(),
        cache: None,
    };
    let account = Account {
        server,
        name: table.source.name.clone(),
        user,
    };
    let scan = WatchedScan::start(client, spec, account).map_err(|error| remote(&table, error))?;
    let mut once = Box::new(Once { scan: Some(scan) });
    release::opened(std::ptr::from_mut(&mut *once));
    once.first(&table)
}

/// A local variable of [`read_once`]: an error unwinds through it, which ends its request; so does the release of its
/// resource owner, where the backend exits without unwinding.
struct Once {
    scan: Option<WatchedScan>,
}

impl Once {
    fn first(&mut self, table: &Table) -> Result<Option<Batch>, FdwError> {
        while let Some(scan) = &mut self.scan {
            let polled = scan.poll();
            match polled.map_err(|error| remote(table, error))? {
                Polled::Batch(batch) => return Ok(Some(batch)),
                Polled::Done => break,
                Polled::Pending => {
                    wait::wait(scan.wake());
                }
            }
        }
        Ok(None)
    }
}

impl Streaming for Once {
    fn close(&mut self) {
        release::closed(self);
        self.scan = None;
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        release::closed(self);
    }
}

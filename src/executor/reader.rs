//! Reads a table outside of a query: all its columns, without filters.

use super::memory::context_below;
use super::parameters::Parameters;
use super::release::{self, Streaming};
use super::scan::{in_table, load_row, loaders, remote};
use super::texts::Texts;
use super::values::Loader;
use super::{budget, wait};
use crate::clients;
use crate::error::FdwError;
use crate::monitoring::{Account, WatchedScan};
use crate::options::CatalogTable;
use pgrx::pg_sys;
use rest_engine::decode::Batch;
use rest_engine::http::Client;
use rest_engine::model::{Role, Table};
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, ScanSpec, Statistics};
use std::sync::Arc;

/// A reader of one table, as the table's owner.
///
/// It is a local variable of a callback: an error unwinds through it, which ends its requests; so does
/// the release of its resource owner, where the backend exits without unwinding.
pub struct Reader {
    table: Arc<Table>,
    client: Arc<Client>,
    account: Account,
    wanted: Vec<usize>,
    loaders: Vec<Loader>,
    texts: Texts,
    parameters: Parameters,
    descriptor: pg_sys::TupleDesc,
    /// Where the values of one row live.
    row_context: pg_sys::MemoryContext,
    stream: Option<Stream>,
    /// What earlier streams did.
    earlier: Statistics,
}

struct Stream {
    scan: WatchedScan,
    requests: Vec<Inputs>,
    batch: Batch,
    next_row: usize,
    /// The request that the parameter columns' values are of.
    request: Option<usize>,
}

impl Reader {
    /// A reader of `relation`, which `catalog` describes; nothing is sent yet. It keeps its address, by
    /// which its resource owner knows it.
    ///
    /// # Safety
    /// `relation` is open, and the current memory context exists, as long as the result.
    pub unsafe fn new(
        catalog: &CatalogTable,
        relation: pg_sys::Relation,
    ) -> Result<Box<Self>, FdwError> {
        let table = &catalog.table;
        let columns = table.columns.iter().enumerate();
        let wanted: Vec<usize> = columns
            .filter(|(_, column)| matches!(column.role, Role::Field(_)))
            .map(|(index, _)| index)
            .collect();
        // SAFETY: by this function's contract.
        unsafe {
            let user = (*(*relation).rd_rel).relowner;
            let client = clients::client(table, user, catalog.server)?;
            let context = pg_sys::CurrentMemoryContext;
            let descriptor = (*relation).rd_att;
            let attributes = &catalog.attributes;
            Ok(Box::new(Reader {
                client,
                account: Account {
                    server: catalog.server,
                    name: table.source.name.clone(),
                    user,
                },
                loaders: loaders(table, attributes, &wanted, descriptor, context),
                wanted,
                texts: Texts::new(context),
                parameters: Parameters::new(table, attributes, &[], descriptor, context),
                descriptor,
                row_context: context_below(context, c"rest_fdw row"),
                stream: None,
                earlier: Statistics::default(),
                table: Arc::new(table.clone()),
            }))
        }
    }

    /// Begins to read: these requests, at most `most_pages` pages of each. `table` is the reader's own
    /// table, perhaps paged in another way. What was read before ends.
    pub fn start(
        &mut self,
        table: Table,
        requests: Vec<Inputs>,
        most_pages: u32,
    ) -> Result<(), FdwError> {
        self.close();
        let spec = ScanSpec {
            table: Arc::new(table),
            requests: requests.clone(),
            wanted: self.wanted.clone(),
            hint: None,
            fetch_ahead: true,
            most_pages: Some(most_pages),
            budget: budget::of_statement(),
            // Statistics are of what is there now.
            cache: None,
        };
        let scan = WatchedScan::start(Arc::clone(&self.client), spec, self.account.clone())
            .map_err(|error| remote(&self.table, error))?;
        self.stream = Some(Stream {
            scan,
            requests,
            batch: Batch::default(),
            next_row: 0,
            request: None,
        });
        release::opened(std::ptr::from_mut(self));
        Ok(())
    }

    /// Goes to the next row; `false` at the end.
    pub fn next(&mut self) -> Result<bool, FdwError> {
        while let Some(stream) = &mut self.stream {
            if stream.next_row < stream.batch.rows {
                stream.next_row += 1;
                return Ok(true);
            }
            pgrx::check_for_interrupts!();
            let polled = stream.scan.poll();
            match polled.map_err(|error| remote(&self.table, error))? {
                Polled::Done => return Ok(false),
                Polled::Pending => {
                    wait::wait(stream.scan.wake());
                }
                Polled::Batch(batch) => {
                    if stream.request != Some(batch.request) {
                        self.parameters.set(&stream.requests[batch.request].columns);
                        stream.request = Some(batch.request);
                    }
                    self.texts.clear();
                    stream.batch = batch;
                    stream.next_row = 0;
                }
            }
        }
        Ok(false)
    }

    /// The row that [`Reader::next`] went to, allocated in the current memory context.
    pub fn tuple(&mut self) -> Result<pg_sys::HeapTuple, FdwError> {
        let Some(stream) = &self.stream else {
            return Err(FdwError::Internal("there is no row to read".to_owned()));
        };
        // SAFETY: the arrays have an entry for each attribute of the relation, which is open; the
        // row's values are copied into the tuple before their context is reset.
        unsafe {
            let attributes = (*self.descriptor).natts as usize;
            let mut values = vec![pg_sys::Datum::from(0); attributes];
            let mut nulls = vec![true; attributes];
            pg_sys::MemoryContextReset(self.row_context);
            let before = pg_sys::MemoryContextSwitchTo(self.row_context);
            let loaded = load_row(
                &mut self.loaders,
                &mut self.texts,
                &self.parameters,
                &stream.batch,
                stream.next_row - 1,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
            pg_sys::MemoryContextSwitchTo(before);
            loaded.map_err(|error| in_table(&self.table, Some(&self.client), error))?;
            let (values, nulls) = (values.as_mut_ptr(), nulls.as_mut_ptr());
            Ok(pg_sys::heap_form_tuple(self.descriptor, values, nulls))
        }
    }

    /// What was done so far.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.earlier.clone();
        if let Some(stream) = &self.stream {
            statistics.add(&stream.scan.statistics());
        }
        statistics
    }
}

impl Streaming for Reader {
    fn close(&mut self) {
        release::closed(self);
        if let Some(mut stream) = self.stream.take() {
            stream.scan.stop();
            self.earlier.add(&stream.scan.statistics());
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        release::closed(self);
    }
}

//! The fetch threads: how many there are, and what each of them does until there is nothing left.

use super::{Shared, page};
use crate::http::thread;
use crate::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The fetch threads of a scan.
#[derive(Debug, Default)]
pub(super) struct Crew {
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Crew {
    /// Waits for all threads to end. Those that are about to start see the stream closed, and do not.
    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            // A worker catches its panics, so there is no other result.
            let _ = thread.join();
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts further threads where there are pages to request and nobody free to do it.
///
/// # Errors
/// [`Error::System`] where the scan's first thread cannot be had; without further ones the first does all.
pub(super) fn reinforce(shared: &Arc<Shared>) -> Result<()> {
    let mut threads = shared.crew.threads();
    while threads.len() < shared.stream.demand() {
        let own = Arc::clone(shared);
        match thread::spawn("rest_fdw fetch", move || work(&own)) {
            Ok(thread) => {
                threads.push(thread);
                shared.stream.staff(threads.len());
            }
            Err(error) if threads.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(())
}

fn work(shared: &Arc<Shared>) {
    while let Some((ticket, job)) = shared.stream.next_job() {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let job = job.map_or_else(|| shared.chains.begin(ticket.chain), |job| Ok(*job));
            page::read(shared, ticket, job?)
        }));
        let end = read.unwrap_or_else(|panic| Err(panicked(&*panic)));
        let end = end.map_err(|error| shared.client.redactor().error(error));
        shared.stream.finish(ticket, end);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::System(format!(
        "a fetch thread failed unexpectedly: {}",
        text.unwrap_or("no reason known")
    ))
}

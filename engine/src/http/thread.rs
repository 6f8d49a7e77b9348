//! How a thread is started inside a process that belongs to somebody else: PostgreSQL's signals never reach it.

use crate::{Error, Result};
use nix::sys::signal::{SigSet, SigmaskHow};
use std::thread::{Builder, JoinHandle};

/// Starts a named thread with every signal blocked.
///
/// A thread inherits its creator's mask, so the mask is changed around the creation, and restored.
/// [`Error::System`] where no thread can be had.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let failed = |reason: &dyn std::fmt::Display| {
        Error::System(format!("could not start thread \"{name}\": {reason}"))
    };
    let before = SigSet::all()
        .thread_swap_mask(SigmaskHow::SIG_SETMASK)
        .map_err(|error| failed(&error))?;
    let started = Builder::new().name(name.to_owned()).spawn(body);
    before.thread_set_mask().map_err(|error| failed(&error))?;
    started.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use nix::sys::signal::Signal;
    use std::sync::mpsc;

    #[test]
    fn every_signal_is_blocked_in_the_thread_and_none_more_in_its_creator() {
        let before = SigSet::thread_get_mask().unwrap();
        let (send, receive) = mpsc::channel();
        let thread = spawn("rest_fdw fetch", move || {
            let name = std::thread::current().name().map(str::to_owned);
            send.send((SigSet::thread_get_mask().unwrap(), name))
                .unwrap();
        });
        let (inside, name) = receive.recv().unwrap();
        thread.unwrap().join().unwrap();
        for signal in [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGUSR1,
            Signal::SIGALRM,
            Signal::SIGHUP,
        ] {
            assert!(inside.contains(signal), "{signal}");
        }
        assert_eq!(name.as_deref(), Some("rest_fdw fetch"));
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}

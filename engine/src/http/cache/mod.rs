//! Stored responses that answer later requests: on disk, shared by processes, one user's never another's.
//!
//! | file | question |
//! |---|---|
//! | `identity` | whose response is it, and to which request? |
//! | `freshness` | may it be stored, may it answer? (RFC 9111) |
//! | `session` | what does one scan do with it? |
//! | `store`, `layout` | where are the responses? |
//! | `space` | how many bytes do they take, and which go? |
//! | `recording` | how is one stored while it is read? |
//! | `sealed`, `head`, `keys` | what is in a file? |

mod freshness;
mod head;
mod identity;
mod keys;
mod layout;
mod recording;
mod sealed;
mod session;
mod space;
mod store;
#[cfg(test)]
mod tests;

pub use store::{Cleared, Store};

pub(crate) use identity::{Identity, of_client};
pub(crate) use recording::Recording;
pub(crate) use session::{Found, Session, Stored};

use super::Client;
use crate::model::Caching;
use head::Moment;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// What a scan may use of a [`Store`].
#[derive(Debug, Clone)]
pub struct Cache {
    store: Arc<Store>,
    mode: Caching,
    bound: u64,
    folder: String,
    scope: Identity,
    clock: Clock,
}

impl Cache {
    /// The responses to `client` in `store`, which takes `bound` bytes at most.
    ///
    /// `folder` stands for the server: letters, digits and dashes, by which [`Store::clear`] finds it. `owner` tells apart
    /// what neither the client (its source, its credentials, where it may go) nor the request do.
    pub fn new(
        store: Arc<Store>,
        mode: Caching,
        bound: u64,
        folder: &str,
        owner: &[&str],
        client: &Client,
    ) -> Cache {
        Cache {
            store,
            mode,
            bound,
            folder: folder.to_owned(),
            scope: identity::of_scope(owner, client.identity()),
            clock: Clock::default(),
        }
    }

    /// The same by another clock than the system's.
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Cache {
        Cache {
            clock: Clock(Arc::new(clock)),
            ..self
        }
    }
}

/// Tells the time.
#[derive(Clone)]
struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    fn now(&self) -> Moment {
        (self.0)().into()
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock(Arc::new(SystemTime::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

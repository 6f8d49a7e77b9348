//! Talking to an API: one request at a time, within bounds, cancellable in every phase.

mod attempt;
mod auth;
mod body;
pub mod cache;
mod cache_use;
mod cancel;
mod client;
mod coding;
mod egress;
mod failure;
mod gate;
mod pool;
mod redact;
mod redirect;
mod resolve;
pub mod retry;
mod route;
mod sign_in;
pub(crate) mod status;
pub(crate) mod thread;
mod tls;
mod transport;
mod window;

pub use body::Body;
pub use cache_use::CacheUse;
pub use cancel::CancelToken;
pub(crate) use cancel::eventfd;
pub use client::{Client, Response};
pub use egress::{Egress, HostRule};
pub(crate) use gate::metered;
pub use gate::{Gate, LocalGate, Traffic};
pub use redact::Redactor;
pub use resolve::{Resolve, SystemResolver};
pub use sign_in::{Accounts, Authorization, SideRequest};
pub use transport::{Dial, Network, SystemDialler};
pub use window::{Pace, Window, monotonic};

//! Talking to an API: one request at a time, within bounds, cancellable in every phase.

mod attempt;
mod auth;
mod body;
mod cancel;
mod client;
mod coding;
mod egress;
mod failure;
mod pool;
mod redact;
mod redirect;
mod resolve;
pub mod retry;
pub(crate) mod status;
pub(crate) mod thread;
mod transport;

pub use body::Body;
pub use cancel::CancelToken;
pub(crate) use cancel::eventfd;
pub use client::{Client, Response};
pub use egress::{Egress, HostRule};
pub use redact::Redactor;
pub use resolve::{Resolve, SystemResolver};
pub use transport::{Dial, Network, SystemDialler};

//! The remote side of rest_fdw: what an API's options mean, which parts of a query it can answer,
//! how the requests are written, sent and paged, and how the responses become typed rows.
//!
//! It knows nothing of PostgreSQL. The `rest_fdw` crate turns its values into Datums.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod decode;
pub mod error;
pub mod http;
pub mod infer;
pub mod model;
pub mod pagination;
pub mod predicate;
pub mod pushdown;
pub mod request;
pub mod sample;
pub mod scan;
pub mod verify;

pub use error::{Error, Result};

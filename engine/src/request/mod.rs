//! Requests: bindings and run-time values → URLs and headers.

mod bind;
mod build;
mod inputs;
mod number;
mod page;
mod percent;
mod redact;
mod target;
mod time;
mod write;

#[cfg(test)]
mod tests;

pub use bind::bind;
pub use build::{Request, build};
pub use inputs::{Bound, Inputs, Operand};

pub(crate) use build::build_page;
pub(crate) use page::{at_page, is_in_text};
pub(crate) use percent::{encoded_length, is_placeholder, placeholder, unquoted};
pub(crate) use target::{origin, resolve};
pub(crate) use write::{is_in_range, write};

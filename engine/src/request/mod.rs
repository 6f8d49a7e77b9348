//! Requests: bindings and run-time values → URLs and headers.

mod bind;
mod body;
mod build;
mod inputs;
mod number;
mod page;
mod percent;
mod redact;
mod target;
mod template;
mod time;
mod write;

#[cfg(test)]
mod tests;

pub use bind::bind;
pub use build::{Request, build};
pub use inputs::{BodyMember, Bound, Inputs, Operand};

pub(crate) use build::{build_page, identity};
pub(crate) use page::{at_page, is_in_text};
pub(crate) use percent::{encoded_length, placeholder};
pub(crate) use target::{origin, resolve};
pub(crate) use template::BodyTemplate;
pub(crate) use write::{is_in_range, write};

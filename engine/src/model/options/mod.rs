//! From text options to the model, and what is wrong with options that cannot become one.

mod aggregates;
mod agreement;
mod base_url;
mod caching;
mod columns;
mod constants;
mod credentials;
mod definition;
mod empty;
mod endpoint;
mod entity;
mod error;
mod filter;
mod format;
mod given;
mod header;
mod operators;
mod ordering;
mod paging;
mod path;
mod quantity;
mod reading;
mod response;
mod secrets;
mod source;
mod table;
mod template;
mod validate;
mod vocabulary;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use credentials::{credentials, token_in_a_setting};
pub use definition::{ColumnDefinition, Definition, Options};
pub use error::{OptionError, OptionErrorKind};
pub use table::table;
pub use validate::validate;
pub use vocabulary::Level;

pub(crate) use base_url::is_dot_segment;
pub(crate) use endpoint::{Endpoint, Piece};
pub(crate) use header::unsendable_header_value;
pub(crate) use secrets::names_a_credential;

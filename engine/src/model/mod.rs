//! What the options mean: a source (SERVER and USER MAPPING), its tables and their columns.
//!
//! The model is plain data. It is serialised into the plan, so it never holds a secret:
//! those are in [`Credentials`], which is built when a scan starts.

mod aggregates;
mod caching;
mod column;
mod credentials;
mod dialect;
mod format;
mod operators;
pub mod options;
mod reading;
mod source;
mod table;
mod template;
mod types;

pub use aggregates::{Aggregates, Function};
pub use caching::Caching;
pub use column::{
    Column, FieldPath, Filter, NullsOrder, OnError, Operator, ParameterPlace, Role, Segment, Sort,
    TextCollation, ValueFormat,
};
pub use credentials::{Auth, ClientAuth, Credentials, Elsewhere, Grant, KeyPlace, OAuth2, Secret};
pub use dialect::{BracketsFlavour, Dialect, JsonFlavour, SuffixFlavour};
pub use format::{Csv, Format};
pub use operators::{Operators, Spelled, Takes, Word};
pub use reading::{BodyKind, BodyPlan, Method};
pub use source::{Connecting, RateLimit, RatePeriod, RetryPolicy, Source};
pub use table::{Location, Paging, RowsPath, RowsShape, SortStyle, Sorting, Table};
pub use template::{ParameterTemplate, Piece, Placeholder, TemplateError};
pub use types::Type;

pub(crate) use template::unknown as unknown_placeholder;

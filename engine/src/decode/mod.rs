//! Response bytes → typed rows.

mod batch;
mod convert;
mod csv;
mod datetime;
mod envelope;
mod grammar;
mod leads;
mod lexer;
mod lines;
mod locate;
mod number;
mod outbox;
mod page;
mod path;
mod plan;
mod quick;
mod recorder;
mod rows;
mod search;
mod text;
mod value;
mod window;

pub use batch::{Batch, Cell, Span};
pub use envelope::{Envelope, Scalar};
pub use outbox::{Progress, Sink};
pub use page::{Layout, PageEnd, decode_page};
pub use plan::{RowPlan, Wanted};

pub(crate) use csv::{Field, Splitter, each_record, names};
pub(crate) use datetime::Moment;
pub(crate) use plan::camel_case;

//! Functions that users call: what an endpoint looks like as a table, and whether a table's filters are true.

mod infer;
mod sql;
mod text;
mod verify;

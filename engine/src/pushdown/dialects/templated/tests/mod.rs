//! What each dialect of templates writes, and what it does not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod documents;
mod one_column;
mod parameters;
mod tree;

//! How responses become rows, seen from outside of the decoder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod csv;
mod errors;
mod handing_over;
mod harness;
mod lines;
mod random;
mod shapes;
mod types;

//! How responses become rows, seen from outside of the decoder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod errors;
mod handing_over;
mod harness;
mod random;
mod shapes;
mod types;

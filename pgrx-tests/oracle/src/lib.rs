//! The oracle: random queries on foreign tables, with pushdown and without, and on local copies of them must return the same.
//!
//! A world is a seeded set of tables, an API that serves them, foreign tables over that API and local copies. Statements
//! are made at random over its tables and run in all three places. What differs is made smaller and printed.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
pub mod corpus;
pub mod dialects;
pub mod query;
pub mod random;
pub mod report;
pub mod run;
pub mod session;
pub mod shrink;
pub mod stage;
pub mod tables;
pub mod values;
pub mod world;

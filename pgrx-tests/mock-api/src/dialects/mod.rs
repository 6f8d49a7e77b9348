//! The dialects: how kinds of servers read filters, orders, columns and aggregates, each with an interpreter of its own.

mod aggregations;
mod array_literal;
mod asked;
mod brackets;
mod condition;
mod directus;
mod document;
mod elasticsearch;
mod frame;
mod grouping;
mod jsonapi;
mod odata;
mod odata_literal;
mod overlay;
mod pattern;
mod postgrest;
mod prometheus;
mod scanner;
mod search;
mod selectors;
mod serving;
mod sort;
mod spec;
mod sql;
mod sql_condition;
mod sql_text;
mod suffix;
mod table;
#[cfg(test)]
mod testing;
mod value;

pub(crate) use serving::{Dialect, Listing};
pub(crate) use spec::{DialectSpec, SortSpec};

//! Dialects that are made of templates: a parameter a condition, or a piece of a JSON document.

mod documents;
mod family;
mod filling;
mod parameters;
mod patterns;
mod tree;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub(super) use documents::{Aggregating, Document, Documents};
pub(super) use family::{EMPTY, Family, Literals, names, unnamed};
pub(super) use parameters::Parameters;

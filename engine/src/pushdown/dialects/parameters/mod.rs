//! Dialects in which each condition is a parameter of its own, made from templates.

mod dialect;
mod family;
mod patterns;
mod values;

#[cfg(test)]
mod tests;

pub(super) use dialect::Parameters;
pub(super) use family::{EMPTY, Family, Literals, unnamed};

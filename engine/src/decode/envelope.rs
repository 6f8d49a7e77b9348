//! What a response says besides its rows: cursors, totals, flags.

use crate::model::Segment;

/// A scalar of a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text, unescaped.
    Text(String),
    /// What is none of these, where one was asked for: a list or an object that is not empty, or a text that is too long or
    /// that cannot be held.
    Other,
}

/// The scalars of a response outside its rows, in the order met. Bounded by the decoder.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    members: Vec<(Vec<Segment>, Scalar)>,
}

impl Envelope {
    /// Adds a scalar at `path`; elements of arrays are named by their index.
    pub fn insert(&mut self, path: Vec<Segment>, value: Scalar) {
        self.members.push((path, value));
    }

    /// The scalar at `path`, if the response had one there.
    pub fn get(&self, path: &[Segment]) -> Option<&Scalar> {
        let found = self.members.iter().rev().find(|(at, _)| at == path);
        found.map(|(_, value)| value)
    }

    /// All of them, with their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&[Segment], &Scalar)> {
        self.members
            .iter()
            .map(|(at, value)| (at.as_slice(), value))
    }
}

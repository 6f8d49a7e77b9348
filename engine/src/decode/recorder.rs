//! Which scalars around the rows are kept, and how many.

use super::envelope::{Envelope, Scalar};
use super::path::Path;
use super::value::{Text, Value};
use crate::model::Segment;

/// How deep scalars are kept that nobody asked for.
const DEPTH: usize = 3;
/// How many of them.
const MOST: usize = 4096;
/// The longest text of them, in bytes as written.
const LONGEST: usize = 64 << 10;
/// All of them together, with their paths, in bytes.
const MOST_BYTES: usize = 4 << 20;
/// The longest text that was asked for.
pub(super) const LONGEST_WANTED: usize = 1 << 20;

pub(super) struct Recorder<'a> {
    wanted: &'a [Vec<Segment>],
    envelope: Envelope,
    kept: usize,
    bytes: usize,
}

impl<'a> Recorder<'a> {
    pub fn new(wanted: &'a [Vec<Segment>]) -> Recorder<'a> {
        Recorder {
            wanted,
            envelope: Envelope::default(),
            kept: 0,
            bytes: 0,
        }
    }

    /// The deepest path of interest.
    pub fn depth(&self) -> usize {
        let below = self.wanted.iter().map(|segments| segments.len() + 1);
        below.max().unwrap_or_default().max(DEPTH)
    }

    /// The longest text of interest.
    pub fn longest(&self) -> usize {
        if self.wanted.is_empty() {
            LONGEST
        } else {
            LONGEST_WANTED
        }
    }

    /// Keeps the scalar at `path`, within the bounds. In a row only what was asked for is kept.
    pub fn scalar(&mut self, path: &Path, value: Value, in_row: bool) {
        self.step_into(path);
        let wanted = self.is_wanted(path);
        let length = match &value {
            Value::Text(text) => text.raw.len(),
            Value::Integer(raw) | Value::Decimal(raw) => raw.len(),
            _ => 0,
        };
        let room = match wanted {
            true => true,
            false => self.has_room(length) && !in_row && path.len() <= self.depth(),
        };
        if !room {
            return;
        }
        let scalar = match scalar(value).filter(|_| length <= LONGEST_WANTED) {
            None => wanted.then_some(Scalar::Other),
            found => found,
        };
        if let (Some(segments), Some(scalar)) = (path.segments(), scalar) {
            if !wanted {
                self.kept += 1;
                self.bytes += length + segments.iter().map(String::len).sum::<usize>();
            }
            self.envelope.insert(segments, scalar);
        }
    }

    /// Notes a text at `path` that was too long to be looked at.
    pub fn long_text(&mut self, path: &Path) {
        self.step_into(path);
        if let (true, Some(segments)) = (self.is_wanted(path), path.segments()) {
            self.envelope.insert(segments, Scalar::Other);
        }
    }

    /// Notes that what was asked for is a list or an object, if `path` is within it.
    pub fn step_into(&mut self, path: &Path) {
        let around = self
            .wanted
            .iter()
            .filter(|segments| path.is_below(segments));
        for segments in around {
            if self.envelope.get(segments).is_none() {
                self.envelope.insert(segments.clone(), Scalar::Other);
            }
        }
    }

    fn is_wanted(&self, path: &Path) -> bool {
        self.wanted.iter().any(|segments| path.is(segments))
    }

    /// What was kept so far.
    pub fn so_far(&self) -> &Envelope {
        &self.envelope
    }

    pub fn finish(self) -> Envelope {
        self.envelope
    }

    fn has_room(&self, length: usize) -> bool {
        self.kept < MOST && length <= LONGEST && self.bytes + length <= MOST_BYTES
    }
}

/// A value as a scalar; a text that cannot be held is none.
fn scalar(value: Value) -> Option<Scalar> {
    let owned = |raw: &[u8]| {
        let text = Text {
            raw,
            escaped: false,
            ascii: false,
        };
        super::text::plain(&text).ok().map(|text| text.into_owned())
    };
    match value {
        Value::Null => Some(Scalar::Null),
        Value::Bool(value) => Some(Scalar::Bool(value)),
        Value::Integer(raw) | Value::Decimal(raw) => owned(raw).map(Scalar::Number),
        Value::Text(text) => super::text::plain(&text)
            .ok()
            .map(|text| Scalar::Text(text.into_owned())),
        Value::Array(_) | Value::Object(_) => None,
    }
}

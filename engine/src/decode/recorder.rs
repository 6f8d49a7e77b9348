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
        self.wanted
            .iter()
            .map(Vec::len)
            .max()
            .unwrap_or_default()
            .max(DEPTH)
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
        let wanted = self.wanted.iter().any(|segments| path.is(segments));
        let length = match &value {
            Value::Text(text) => text.raw.len(),
            Value::Integer(raw) | Value::Decimal(raw) => raw.len(),
            _ => 0,
        };
        let room = match wanted {
            true => length <= LONGEST_WANTED,
            false => self.has_room(length) && !in_row && path.len() <= self.depth(),
        };
        if !room {
            return;
        }
        if let (Some(segments), Some(scalar)) = (path.segments(), scalar(value)) {
            if !wanted {
                self.kept += 1;
                self.bytes += length + segments.iter().map(String::len).sum::<usize>();
            }
            self.envelope.insert(segments, scalar);
        }
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

//! Where in a response the rows are; and if they are not there, what is.

use super::locate::Kind;
use super::path::Path;
use crate::model::{RowsPath, RowsShape, Segment};

/// How deep arrays of objects are looked for.
const LEVELS: usize = 2;
/// Members that a message lists.
const MOST_LISTED: usize = 10;

/// What a value is to the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Find {
    /// The container of the rows.
    Rows,
    /// The one row.
    Row,
    /// An array that may be the rows: its first element decides.
    Candidate,
    /// None of these.
    Other,
}

pub(super) struct Search<'a> {
    shape: &'a RowsShape,
    /// Where the rows are; for the automatic search, the root.
    target: &'a [Segment],
    automatic: bool,
    /// Whether there are no rows where the last member of `target` is missing.
    optional: bool,
    found: bool,
    /// Arrays of objects, and empty arrays, that the automatic search met.
    arrays: Vec<Vec<Segment>>,
    empty: Vec<Vec<Segment>>,
    trail: Option<Trail>,
}

/// The deepest value on the way to the rows.
struct Trail {
    depth: usize,
    kind: Kind,
    members: Vec<String>,
    more: bool,
}

impl<'a> Search<'a> {
    pub fn new(rows: &'a RowsPath, shape: &'a RowsShape) -> Search<'a> {
        let (target, automatic) = match rows {
            RowsPath::Auto => ([].as_slice(), *shape == RowsShape::Objects),
            RowsPath::Path(segments) | RowsPath::Optional(segments) => (segments.as_slice(), false),
        };
        Search {
            shape,
            target,
            automatic,
            optional: matches!(rows, RowsPath::Optional(_)),
            found: false,
            arrays: Vec::new(),
            empty: Vec::new(),
            trail: None,
        }
    }

    /// The deepest path of interest.
    pub fn depth(&self) -> usize {
        if self.automatic {
            LEVELS
        } else {
            self.target.len()
        }
    }

    /// Whether a value stands in the one row.
    pub fn is_in_row(&self, path: &Path) -> bool {
        *self.shape == RowsShape::Single && path.starts_with(self.target)
    }

    /// Meets a value. The error is the reason why the rows cannot be told.
    pub fn meet(&mut self, path: &Path, kind: Kind) -> Result<Find, String> {
        if path.is(self.target) {
            return self.meet_target(kind);
        }
        if !self.found
            && path.len() < self.target.len()
            && path.starts_with(&self.target[..path.len()])
        {
            self.trail = Some(Trail {
                depth: path.len(),
                kind,
                members: Vec::new(),
                more: false,
            });
        }
        let within = self.automatic && !self.found && kind == Kind::Array;
        Ok(
            if within && path.len() <= LEVELS && path.is_members_only() {
                Find::Candidate
            } else {
                Find::Other
            },
        )
    }

    fn meet_target(&mut self, kind: Kind) -> Result<Find, String> {
        if self.found {
            return Err(format!(
                "the response has {} twice",
                self.place(self.target.len())
            ));
        }
        let find = match (self.shape, kind) {
            (RowsShape::Single, _) => Find::Row,
            (_, Kind::Null) => {
                self.found = true;
                return Ok(Find::Other);
            }
            (RowsShape::Map, Kind::Object) => Find::Rows,
            (RowsShape::Objects | RowsShape::Arrays { .. } | RowsShape::Values, Kind::Array) => {
                Find::Rows
            }
            _ => {
                self.trail = Some(Trail {
                    depth: self.target.len(),
                    kind,
                    members: Vec::new(),
                    more: false,
                });
                return Ok(Find::Other);
            }
        };
        self.found = true;
        Ok(find)
    }

    /// Meets a member's name: `path` leads to the member.
    pub fn meet_member(&mut self, path: &Path) {
        let Some(trail) = &mut self.trail else { return };
        let here = path.len() == trail.depth + 1 && path.starts_with(&self.target[..trail.depth]);
        let (true, Some(name)) = (here && !self.found, path.member()) else {
            return;
        };
        if trail.members.len() == MOST_LISTED {
            trail.more = true;
        } else if !trail.members.iter().any(|known| known == name) {
            trail.members.push(name.to_owned());
        }
    }

    /// Meets the first byte of a candidate's first element. True if its rows are to be read.
    pub fn meet_candidate(&mut self, path: &Path, first: Option<u8>) -> bool {
        let place = path.segments().unwrap_or_default();
        match first {
            Some(b'{') => self.arrays.push(place),
            Some(b']') => self.empty.push(place),
            _ => return false,
        }
        first == Some(b'{') && self.arrays.len() == 1
    }

    /// At the document's end: where the automatic search found the rows; or the reason why they were not found.
    pub fn finish(mut self) -> Result<Option<Vec<Segment>>, String> {
        if !self.automatic {
            return if self.found || self.may_be_missing() {
                Ok(None)
            } else {
                Err(self.not_found())
            };
        }
        if self.found {
            return Ok(Some(Vec::new()));
        }
        match (self.arrays.as_mut_slice(), self.empty.as_mut_slice()) {
            ([], []) => {
                let reason = "there is no array of objects within two levels";
                Err(format!(
                    "{reason}: {}: set rows, or rows_shape 'single'",
                    self.trail()
                ))
            }
            ([one], _) | ([], [one]) => Ok(Some(std::mem::take(one))),
            ([], _) => Ok(None),
            (several, _) => {
                let names: Vec<String> = several.iter().map(|path| quoted(path)).collect();
                Err(format!(
                    "there are several arrays of objects, {}: set rows to one of them",
                    names.join(", ")
                ))
            }
        }
    }

    /// Whether only the last member is missing, and may be.
    fn may_be_missing(&self) -> bool {
        let is_around =
            |trail: &Trail| trail.kind == Kind::Object && trail.depth + 1 == self.target.len();
        self.optional && self.trail.as_ref().is_some_and(is_around)
    }

    fn not_found(&self) -> String {
        let at_target = self
            .trail
            .as_ref()
            .is_some_and(|trail| trail.depth == self.target.len());
        let trail = self.trail();
        if !at_target {
            return format!("there is no {}: {trail}", quoted(self.target));
        }
        let is_object = self
            .trail
            .as_ref()
            .is_some_and(|trail| trail.kind == Kind::Object);
        match self.shape {
            RowsShape::Map => format!("{trail}, rows_shape 'map' wants an object"),
            _ if is_object => format!(
                "{trail}, not an array: set rows to an array, or rows_shape 'single' or 'map'"
            ),
            _ => format!("{trail}, not an array"),
        }
    }

    /// What the deepest value on the way is: `"data" is an object with members "item", "meta"`.
    fn trail(&self) -> String {
        let Some(trail) = &self.trail else {
            return "the document is empty".to_owned();
        };
        let mut text = format!("{} is {}", self.place(trail.depth), trail.kind.name());
        if !trail.members.is_empty() {
            let names: Vec<String> = trail
                .members
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect();
            let more = if trail.more { ", …" } else { "" };
            text.push_str(&format!(" with members {}{more}", names.join(", ")));
        }
        text
    }

    fn place(&self, depth: usize) -> String {
        if depth == 0 {
            "the document".to_owned()
        } else {
            quoted(&self.target[..depth])
        }
    }
}

fn quoted(path: &[Segment]) -> String {
    format!("\"{}\"", path.join("."))
}

//! Which values of a row are wanted: the columns' paths, joined into one tree.

use super::quick::Quick;
use crate::model::{FieldPath, OnError, Segment, Type, ValueFormat};

/// A column to decode.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its name in SQL, for messages.
    pub column: String,
    /// Where its value is in a row.
    pub field: FieldPath,
    /// Its type.
    pub ty: Type,
    /// How the API writes its values.
    pub format: Option<ValueFormat>,
    /// What to do with a value that does not fit.
    pub on_error: OnError,
    /// For `rows_shape 'arrays'` without `columns_field`: the element that a column without a declared
    /// field takes, counted from 0.
    pub position: Option<usize>,
}

/// What to take from each row: compiled once a scan, shared by its threads.
#[derive(Debug, Clone)]
pub struct RowPlan {
    pub(super) wanted: Vec<Wanted>,
    /// The short way of each of them.
    pub(super) quick: Vec<Quick>,
    /// The tree's nodes; the first one is the row.
    pub(super) nodes: Vec<Node>,
    /// Slots that take the member name of a map's row.
    pub(super) key_slots: Vec<usize>,
    /// The slot of the keyset's field, after those of the columns.
    pub(super) keyset: Option<usize>,
    /// The keyset's field.
    pub(super) keyset_field: Option<FieldPath>,
    /// Node of each column that takes the element at its position.
    pub(super) positions: Vec<(usize, usize)>,
}

/// A place in a row that is wanted, or on the way to one.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Slots that take the value here.
    pub targets: Vec<Target>,
    pub members: Vec<Member>,
    /// Slots that are filled from below this place.
    pub below: Vec<usize>,
}

/// A slot, and how strong its claim to this place is: the higher rank wins where both are present.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub slot: usize,
    pub rank: u8,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: String,
    /// The element that the name stands for in an array.
    pub index: Option<usize>,
    pub node: usize,
}

/// The row itself.
pub(super) const ROOT: usize = 0;

const EXACT: u8 = 1;
const FALLBACK: u8 = 0;

impl RowPlan {
    /// Compiles what is wanted. `keyset` is the field whose text [`PageEnd::last_key`](super::PageEnd)
    /// gives for the last row.
    pub fn new(wanted: Vec<Wanted>, keyset: Option<FieldPath>) -> RowPlan {
        let mut plan = RowPlan {
            keyset: keyset.is_some().then_some(wanted.len()),
            nodes: vec![Node::default()],
            key_slots: Vec::new(),
            positions: Vec::new(),
            quick: wanted
                .iter()
                .map(|column| Quick::new(&column.ty, column.format.as_ref()))
                .collect(),
            wanted: Vec::new(),
            keyset_field: None,
        };
        for (slot, column) in wanted.iter().enumerate() {
            plan.add(slot, &column.field);
            if let (FieldPath::Default(_), Some(position)) = (&column.field, column.position) {
                plan.nodes.push(Node {
                    targets: vec![Target { slot, rank: EXACT }],
                    ..Node::default()
                });
                plan.positions.push((position, plan.nodes.len() - 1));
            }
        }
        if let Some(field) = &keyset {
            plan.add(wanted.len(), field);
        }
        plan.keyset_field = keyset;
        plan.wanted = wanted;
        plan
    }

    /// Slots to fill for each row.
    pub(super) fn slots(&self) -> usize {
        self.wanted.len() + usize::from(self.keyset.is_some())
    }

    /// Whether anything inside of a row is wanted, so that a row must have an inside.
    pub(super) fn wants_members(&self) -> bool {
        !self.nodes[ROOT].members.is_empty()
    }

    /// Whether a row may be a plain value although members of it are wanted: a column takes it as a whole
    /// then, and is NULL where it is none (`on_error 'null'`).
    pub(super) fn takes_either(&self) -> bool {
        let mut columns = self.nodes[ROOT]
            .targets
            .iter()
            .filter_map(|target| self.wanted.get(target.slot));
        columns.any(|column| column.on_error == OnError::Null)
    }

    fn add(&mut self, slot: usize, field: &FieldPath) {
        match field {
            FieldPath::Whole => self.nodes[ROOT].targets.push(Target { slot, rank: EXACT }),
            FieldPath::Key => self.key_slots.push(slot),
            FieldPath::Path(segments) => self.add_path(slot, segments, EXACT),
            FieldPath::Default(name) => {
                self.add_path(slot, std::slice::from_ref(name), EXACT);
                let camel = camel_case(name);
                if camel != *name {
                    self.add_path(slot, &[camel], FALLBACK);
                }
            }
        }
    }

    fn add_path(&mut self, slot: usize, segments: &[Segment], rank: u8) {
        let mut node = ROOT;
        for segment in segments {
            self.nodes[node].below.push(slot);
            node = self.member(node, segment);
        }
        self.nodes[node].targets.push(Target { slot, rank });
    }

    fn member(&mut self, node: usize, name: &str) -> usize {
        if let Some(member) = self.nodes[node]
            .members
            .iter()
            .find(|member| member.name == name)
        {
            return member.node;
        }
        let child = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[node].members.push(Member {
            name: name.to_owned(),
            index: index(name),
            node: child,
        });
        child
    }
}

/// The element that a segment stands for in an array: a decimal number without leading zeros
/// (RFC 6901, section 4).
pub(super) fn index(segment: &str) -> Option<usize> {
    let canonical = segment == "0"
        || (!segment.starts_with('0') && segment.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical {
        segment.parse().ok()
    } else {
        None
    }
}

/// `created_at` → `createdAt`. Leading and trailing underscores stay.
pub(crate) fn camel_case(name: &str) -> String {
    let inner = name.trim_start_matches('_');
    let mut camel = name[..name.len() - inner.len()].to_owned();
    let mut upper = false;
    let end = inner.trim_end_matches('_').len();
    for character in inner[..end].chars() {
        match (character, upper) {
            ('_', _) => upper = true,
            (_, true) => {
                camel.extend(character.to_uppercase());
                upper = false;
            }
            (_, false) => camel.push(character),
        }
    }
    camel.push_str(&inner[end..]);
    camel
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn camel_case_keeps_outer_underscores() {
        for (name, camel) in [
            ("created_at", "createdAt"),
            ("_id", "_id"),
            ("a__b_c_", "aBC_"),
            ("plain", "plain"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(camel_case(name), camel);
        }
    }

    #[test]
    fn an_index_has_no_leading_zero_and_no_sign() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("17"), Some(17));
        for segment in ["", "01", "+1", "-1", "1a", "99999999999999999999999"] {
            assert_eq!(index(segment), None, "{segment}");
        }
    }
}

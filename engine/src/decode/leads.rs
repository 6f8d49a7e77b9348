//! What leads up to the values of an object's members: rows of one response resemble each other, so that the bytes of a name, its quotes
//! and its colon are compared at once.

use super::plan::{Node, RowPlan, Target};

/// The bytes that led up to a member's value, and the node that the member belongs to, if any.
#[derive(Debug)]
pub(super) struct Lead {
    pub bytes: Vec<u8>,
    /// The first [`HEAD`] bytes as a number, zeros where there are fewer; and the bits of it that count.
    head: u128,
    mask: u128,
    pub node: Option<usize>,
    pub taker: Taker,
    /// Where the leads of the value's own members are, if nobody wants it and it was an object.
    pub inside: Option<usize>,
}

/// Who takes a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taker {
    Nobody,
    /// One slot alone.
    Slot(Target),
    /// Several slots, or some take what is below it.
    Several,
}

/// Bytes of a lead that are compared at once.
const HEAD: usize = size_of::<u128>();

impl Lead {
    fn new(bytes: &[u8], node: Option<usize>, plan: &RowPlan) -> Lead {
        let taker = node.map_or(Taker::Nobody, |node| taker(&plan.nodes[node]));
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for (index, byte) in bytes.iter().take(HEAD).enumerate() {
            (head[index], mask[index]) = (*byte, 0xFF);
        }
        Lead {
            bytes: bytes.to_vec(),
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            node,
            taker,
            inside: None,
        }
    }

    /// Whether `text` starts with it.
    #[inline]
    pub fn starts(&self, text: &[u8]) -> bool {
        let Some(chunk) = text.first_chunk::<HEAD>() else {
            return text.starts_with(&self.bytes);
        };
        let differs = (u128::from_le_bytes(*chunk) ^ self.head) & self.mask != 0;
        !differs && (self.bytes.len() <= HEAD || text[HEAD..].starts_with(&self.bytes[HEAD..]))
    }
}

/// Members of one object that are remembered, and the longest lead that is.
const MAX_LEADS: usize = 256;
const MAX_LEAD_BYTES: usize = 256;

/// Objects of which nobody wants a member are read by leads, too, unless so many of their members came otherwise than before:
/// their names are values rather.
const MOST_MISSES: u32 = 256;

/// The members of one object, in the order met.
#[derive(Debug, Default)]
pub(super) struct Leads {
    pub list: Vec<Lead>,
    /// How many came otherwise than before.
    misses: u32,
}

impl Leads {
    /// Whether the members of an object that nobody wants are likely to come as they did before.
    pub fn are_of_use(&self) -> bool {
        self.misses < MOST_MISSES
    }

    /// A member came otherwise than foreseen at `position`: after `bytes`, wanted by the node `wanted`.
    pub fn missed(
        &mut self,
        position: &mut usize,
        bytes: &[u8],
        wanted: Option<usize>,
        place: Option<&Node>,
        plan: &RowPlan,
    ) {
        self.misses = self.misses.saturating_add(1);
        let is_unwanted = place.is_none_or(|place| place.members.is_empty());
        if is_unwanted && !self.are_of_use() {
            return;
        }
        if let Some(known) = self.list.iter().position(|lead| lead.bytes == bytes) {
            *position = known + 1;
        } else if self.list.len() < MAX_LEADS && bytes.len() <= MAX_LEAD_BYTES {
            let at = (*position).min(self.list.len());
            self.list.insert(at, Lead::new(bytes, wanted, plan));
            *position = at + 1;
        }
    }
}

/// Who takes the value of a node.
fn taker(place: &Node) -> Taker {
    match (&place.targets[..], &place.below[..]) {
        ([target], []) => Taker::Slot(*target),
        _ => Taker::Several,
    }
}

//! Where the wanted values stand in the bytes of one row.
//!
//! A row is read once and in place. Rows of one response resemble each other, so the bytes that lead
//! up to each member's value (`"name": `) are remembered, and compared first.

use super::grammar::{MAX_DEPTH, separator, skip, skip_any};
use super::leads::{Leads, Taker};
use super::lexer::{self, Expected, Stop, Why, more, unexpected};
use super::plan::{Member, ROOT, RowPlan};
use super::text::unescape;

/// Where a value stands, in bytes from the start of the slice that holds its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub kind: Kind,
    /// For texts: all bytes are ASCII.
    pub ascii: bool,
    rank: u8,
    /// The first byte; of a text, after the opening quote.
    pub start: usize,
    /// After the last byte; of a text, at the closing quote.
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Missing,
    Null,
    True,
    False,
    /// A number without point and exponent.
    Integer,
    /// Any other number.
    Decimal,
    /// A text without backslashes.
    Plain,
    /// A text with backslashes.
    Escaped,
    Array,
    Object,
}

impl Kind {
    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Null => "null",
            Kind::True | Kind::False => "a boolean",
            Kind::Integer | Kind::Decimal => "a number",
            Kind::Plain | Kind::Escaped => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

impl Slot {
    /// A value of so many bytes that stands alone.
    #[inline]
    pub fn of(kind: Kind, length: usize) -> Slot {
        Slot {
            kind,
            ascii: false,
            end: length,
            ..EMPTY
        }
    }

    /// The same value in bytes that hold nothing else.
    pub fn alone(self) -> Slot {
        Slot {
            start: 0,
            end: self.end - self.start,
            ..self
        }
    }
}

const EMPTY: Slot = Slot {
    kind: Kind::Missing,
    ascii: true,
    rank: 0,
    start: 0,
    end: 0,
};

/// Objects that nobody wants and whose members are remembered all the same: so many of them, so deep.
const MOST_UNWANTED: usize = 64;
const MOST_UNWANTED_DEPTH: usize = 8;

/// Where the reading of foreseen members stopped.
enum Met {
    /// Before a member.
    Member(usize),
    /// Between a member's name and its value, which this node wants.
    Value(Option<usize>, usize),
    /// After a value that no comma follows.
    ValueEnd(usize),
}

pub(super) struct Locator<'a> {
    plan: &'a RowPlan,
    /// For each node, the leads of its members; after those of the plan's nodes come those of objects that nobody wants.
    leads: Vec<Leads>,
    /// For rows that are arrays: the nodes that want each element.
    elements: Option<Vec<Vec<usize>>>,
    slots: Vec<Slot>,
}

impl<'a> Locator<'a> {
    pub fn new(plan: &'a RowPlan) -> Locator<'a> {
        Locator {
            plan,
            leads: plan.nodes.iter().map(|_| Leads::default()).collect(),
            elements: None,
            slots: vec![EMPTY; plan.slots()],
        }
    }

    /// Rows are arrays whose elements have these names; without names, columns go by position.
    pub fn set_element_names(&mut self, names: Option<&[String]>) {
        let mut elements = Vec::<Vec<usize>>::new();
        let mut want = |index: usize, node: usize| {
            // An element beyond any response cannot be met, and must not cost memory.
            if index < MAX_ELEMENTS {
                elements.resize_with(elements.len().max(index + 1), Vec::new);
                elements[index].push(node);
            }
        };
        for member in &self.plan.nodes[ROOT].members {
            let named = names.and_then(|names| names.iter().rposition(|name| *name == member.name));
            if let Some(index) = named.or(member.index) {
                want(index, member.node);
            }
        }
        if names.is_none() {
            self.plan
                .positions
                .iter()
                .for_each(|&(index, node)| want(index, node));
        }
        self.elements = Some(elements);
    }

    /// Where the values of the row that was read last stand, one for each slot of the plan.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Reads the row that starts at `at`, within `depth` open containers. Returns its end and its kind.
    pub fn row(&mut self, text: &[u8], at: usize, depth: usize) -> Result<(usize, Kind), Stop> {
        self.slots.fill(EMPTY);
        let root = &self.plan.nodes[ROOT];
        // Most rows: an object whose members are wanted, and not the whole of it. The way around would come to the same.
        let is_usual = root.targets.is_empty() && !root.members.is_empty() && depth < MAX_DEPTH;
        match is_usual && text.get(at) == Some(&b'{') {
            true => Ok((self.object(text, at + 1, ROOT, depth + 1)?, Kind::Object)),
            false => self.value(text, at, ROOT, depth),
        }
    }

    /// Puts the member name between `start` and `end` into the slots that want it.
    pub fn set_key(&mut self, key: lexer::Quoted, start: usize) {
        let kind = if key.escaped {
            Kind::Escaped
        } else {
            Kind::Plain
        };
        for &slot in &self.plan.key_slots {
            self.slots[slot] = Slot {
                kind,
                ascii: key.ascii,
                rank: 0,
                start,
                end: key.close,
            };
        }
    }

    fn value(
        &mut self,
        text: &[u8],
        at: usize,
        node: usize,
        depth: usize,
    ) -> Result<(usize, Kind), Stop> {
        let mut slot = Slot { start: at, ..EMPTY };
        let end = match text.get(at) {
            Some(b'{') => self.container(text, at, node, depth, true, &mut slot)?,
            Some(b'[') => self.container(text, at, node, depth, false, &mut slot)?,
            _ => scalar(text, at, &mut slot)?,
        };
        let plan = self.plan;
        let place = &plan.nodes[node];
        if !matches!(slot.kind, Kind::Array | Kind::Object) {
            self.clear(&place.below);
        }
        for target in &place.targets {
            let current = &mut self.slots[target.slot];
            if current.kind == Kind::Missing || target.rank >= current.rank {
                *current = Slot {
                    rank: target.rank,
                    ..slot
                };
            }
        }
        Ok((end, slot.kind))
    }

    fn container(
        &mut self,
        text: &[u8],
        at: usize,
        node: usize,
        depth: usize,
        object: bool,
        slot: &mut Slot,
    ) -> Result<usize, Stop> {
        slot.kind = if object { Kind::Object } else { Kind::Array };
        let plan = self.plan;
        let place = &plan.nodes[node];
        let by_position = node == ROOT && !object && self.elements.is_some();
        slot.end = if place.members.is_empty() && !by_position {
            match object && self.resembles(node, depth) {
                true => self.object(text, at + 1, node, depth + 1)?,
                false => skip(text, at, depth)?,
            }
        } else if depth >= MAX_DEPTH {
            return Err(Stop {
                at,
                why: Why::TooDeep,
            });
        } else {
            // A member that is given twice replaces all of the first one.
            self.clear(&place.below);
            match object {
                true => self.object(text, at + 1, node, depth + 1)?,
                false => self.array(text, at + 1, node, depth + 1)?,
            }
        };
        Ok(slot.end)
    }

    fn clear(&mut self, slots: &[usize]) {
        for &slot in slots {
            self.slots[slot] = EMPTY;
        }
    }

    /// Reads an object, from the byte after its brace on.
    fn object(
        &mut self,
        text: &[u8],
        mut at: usize,
        node: usize,
        depth: usize,
    ) -> Result<usize, Stop> {
        let first = lexer::space(text, at);
        if text.get(first) == Some(&b'}') {
            return Ok(first + 1);
        }
        let mut position = 0;
        loop {
            at = match self.foreseen(text, at, node, &mut position)? {
                Met::ValueEnd(end) => end,
                Met::Value(wanted, value) => {
                    let value = lexer::space(text, value);
                    self.any(text, value, wanted, (node, position), depth)?
                }
                Met::Member(start) => {
                    let (wanted, value) = self.member(text, start, node, &mut position)?;
                    self.any(text, value, wanted, (node, position), depth)?
                }
            };
            match separator(text, at, b'}', Expected::CommaOrBrace)? {
                (next, true) => at = next,
                (end, false) => return Ok(end),
            }
        }
    }

    /// Reads members as long as they come as they did before: after each other without white space, and with values that
    /// nobody wants, or one slot that has none yet. Most rows are read here.
    #[inline]
    fn foreseen(
        &mut self,
        text: &[u8],
        mut at: usize,
        node: usize,
        position: &mut usize,
    ) -> Result<Met, Stop> {
        let leads = self.leads[node].list.as_slice();
        loop {
            let Some(lead) = leads.get(*position).filter(|lead| lead.starts(&text[at..])) else {
                return Ok(Met::Member(at));
            };
            *position += 1;
            let value = at + lead.bytes.len();
            let read = match lead.taker {
                Taker::Nobody => lexer::scalar(text, value),
                Taker::Slot(target) => match self.slots.get_mut(target.slot) {
                    Some(slot) if slot.kind == Kind::Missing => {
                        (slot.rank, slot.start) = (target.rank, value);
                        scalar(text, value, slot)
                    }
                    _ => return Ok(Met::Value(lead.node, value)),
                },
                Taker::Several => return Ok(Met::Value(lead.node, value)),
            };
            let end = match read {
                Ok(end) => end,
                // A container, white space, or nothing yet: nothing was read.
                Err(stop) if stop.at == value => return Ok(Met::Value(lead.node, value)),
                Err(stop) => return Err(stop),
            };
            if text.get(end) != Some(&b',') {
                return Ok(Met::ValueEnd(end));
            }
            at = end + 1;
        }
    }

    /// Reads any value of a member, after whose lead the reading goes on at `place`.
    #[inline]
    fn any(
        &mut self,
        text: &[u8],
        at: usize,
        wanted: Option<usize>,
        place: (usize, usize),
        depth: usize,
    ) -> Result<usize, Stop> {
        match wanted {
            Some(node) => Ok(self.value(text, at, node, depth)?.0),
            None if text.get(at) == Some(&b'{') => self.unwanted_object(text, at, place, depth),
            None => skip_any(text, at, depth),
        }
    }

    fn unwanted_object(
        &mut self,
        text: &[u8],
        at: usize,
        place: (usize, usize),
        depth: usize,
    ) -> Result<usize, Stop> {
        match self.inside(place) {
            Some(inside) if self.resembles(inside, depth) => {
                self.object(text, at + 1, inside, depth + 1)
            }
            _ => skip_any(text, at, depth),
        }
    }

    /// Where the leads of the members are that an object has which nobody wants. Should it be the wrong one, nothing comes as
    /// foreseen there.
    #[inline]
    fn inside(&mut self, (node, position): (usize, usize)) -> Option<usize> {
        let lead = self.leads[node].list.get(position.checked_sub(1)?)?;
        lead.inside.or_else(|| self.new_inside(node, position - 1))
    }

    #[cold]
    fn new_inside(&mut self, node: usize, lead: usize) -> Option<usize> {
        let new = self.leads.len();
        let has_room = new < self.plan.nodes.len() + MOST_UNWANTED;
        has_room.then(|| {
            self.leads[node].list[lead].inside = Some(new);
            self.leads.push(Leads::default());
            new
        })
    }

    /// Whether the members of an object that nobody wants are likely to come as they did before.
    fn resembles(&self, node: usize, depth: usize) -> bool {
        depth < MOST_UNWANTED_DEPTH && self.leads[node].are_of_use()
    }

    /// Reads up to a member's value: which node wants it, and where it starts.
    fn member(
        &mut self,
        text: &[u8],
        at: usize,
        node: usize,
        position: &mut usize,
    ) -> Result<(Option<usize>, usize), Stop> {
        let leads = &self.leads[node].list;
        let rest = &text[at..];
        // The second look finds the way again after a member that this row does not have.
        for next in *position..*position + 2 {
            if let Some(lead) = leads.get(next)
                && lead.starts(rest)
            {
                *position = next + 1;
                return Ok((lead.node, lexer::space(text, at + lead.bytes.len())));
            }
        }
        self.unforeseen_member(text, at, node, position)
    }

    #[cold]
    fn unforeseen_member(
        &mut self,
        text: &[u8],
        at: usize,
        node: usize,
        position: &mut usize,
    ) -> Result<(Option<usize>, usize), Stop> {
        let quote = lexer::space(text, at);
        let (name, value) = lexer::name(text, quote)?;
        let wanted = self
            .plan
            .nodes
            .get(node)
            .and_then(|place| find(&place.members, &text[quote + 1..name.close], name.escaped));
        // A lead is only whole if it does not end with the bytes that are there.
        if value < text.len() {
            let place = self.plan.nodes.get(node);
            self.leads[node].missed(position, &text[at..value], wanted, place, self.plan);
        }
        Ok((wanted, value))
    }

    /// Reads an array, from the byte after its bracket on.
    fn array(
        &mut self,
        text: &[u8],
        mut at: usize,
        node: usize,
        depth: usize,
    ) -> Result<usize, Stop> {
        let first = lexer::space(text, at);
        if text.get(first) == Some(&b']') {
            return Ok(first + 1);
        }
        for index in 0.. {
            let start = lexer::space(text, at);
            at = self.element(text, start, node, index, depth)?;
            match separator(text, at, b']', Expected::CommaOrBracket)? {
                (next, true) => at = next,
                (end, false) => return Ok(end),
            }
        }
        Err(more(at))
    }

    fn element(
        &mut self,
        text: &[u8],
        at: usize,
        node: usize,
        index: usize,
        depth: usize,
    ) -> Result<usize, Stop> {
        if node != ROOT || self.elements.is_none() {
            let member = self.plan.nodes[node]
                .members
                .iter()
                .find(|member| member.index == Some(index));
            return match member {
                Some(member) => Ok(self.value(text, at, member.node, depth)?.0),
                None => skip(text, at, depth),
            };
        }
        let mut end = None;
        for nth in 0.. {
            let wanted = self
                .elements
                .as_ref()
                .and_then(|elements| elements.get(index)?.get(nth).copied());
            let Some(wanted) = wanted else { break };
            end = Some(self.value(text, at, wanted, depth)?.0);
        }
        end.map_or_else(|| skip(text, at, depth), Ok)
    }
}

/// Elements of a row that is an array which can be wanted by name or position.
const MAX_ELEMENTS: usize = 1 << 16;

/// Reads a value that is no container into `slot`.
#[inline(always)]
fn scalar(text: &[u8], at: usize, slot: &mut Slot) -> Result<usize, Stop> {
    let (kind, end) = match text.get(at) {
        None => return Err(more(at)),
        Some(b'"') => {
            let found = lexer::quoted(text, at + 1)?;
            slot.kind = if found.escaped {
                Kind::Escaped
            } else {
                Kind::Plain
            };
            (slot.ascii, slot.start, slot.end) = (found.ascii, at + 1, found.close);
            return Ok(found.close + 1);
        }
        Some(b'-' | b'0'..=b'9') => match lexer::number(text, at)? {
            (end, true) => (Kind::Integer, end),
            (end, false) => (Kind::Decimal, end),
        },
        Some(b't') => (Kind::True, lexer::literal(text, at, b"true")?),
        Some(b'f') => (Kind::False, lexer::literal(text, at, b"false")?),
        Some(b'n') => (Kind::Null, lexer::literal(text, at, b"null")?),
        Some(_) => return Err(unexpected(at, Expected::Value)),
    };
    (slot.kind, slot.end) = (kind, end);
    Ok(end)
}

/// Reads the value that starts at `at` by itself: its slot, and where it ends.
pub(super) fn single(text: &[u8], at: usize, depth: usize) -> Result<(Slot, usize), Stop> {
    let mut slot = Slot { start: at, ..EMPTY };
    let end = match text.get(at) {
        Some(first @ (b'{' | b'[')) => {
            slot.kind = if *first == b'{' {
                Kind::Object
            } else {
                Kind::Array
            };
            slot.end = skip(text, at, depth)?;
            slot.end
        }
        _ => scalar(text, at, &mut slot)?,
    };
    Ok((slot, end))
}

fn find(members: &[Member], name: &[u8], escaped: bool) -> Option<usize> {
    let mut plain = Vec::new();
    let name = if escaped {
        // A name that is no valid text is nobody's.
        unescape(name, &mut plain).ok()?;
        plain.as_slice()
    } else {
        name
    };
    members
        .iter()
        .find(|member| member.name.as_bytes() == name)
        .map(|member| member.node)
}

#[cfg(test)]
mod tests;

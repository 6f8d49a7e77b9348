//! Where in a document a walk is.

use super::plan::index;
use super::text::unescape;
use crate::model::Segment;

/// The steps from the root to a value: one for each container that is open around it.
#[derive(Debug, Default)]
pub(super) struct Path {
    steps: Vec<Step>,
    /// Steps that are open; the others are kept for their memory.
    open: usize,
}

#[derive(Debug, Default)]
struct Step {
    name: Name,
    text: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A member, whose name is in the step's text.
    Member,
    /// A member that no path can name: its name is too long, or no text.
    Nameless,
    /// An element; before the first one, `None`.
    Element(Option<usize>),
    #[default]
    Before,
}

/// The longest member name that is kept, in bytes.
const MAX_NAME: usize = 4096;

impl Path {
    /// Steps from the root.
    pub fn len(&self) -> usize {
        self.open
    }

    /// Steps into a container that was opened.
    pub fn push(&mut self, object: bool) {
        if self.open == self.steps.len() {
            self.steps.push(Step::default());
        }
        self.steps[self.open].name = if object {
            Name::Before
        } else {
            Name::Element(None)
        };
        self.open += 1;
    }

    /// Steps out of a container.
    pub fn pop(&mut self) {
        self.open -= 1;
    }

    /// Goes to the next element, if the innermost container is an array.
    pub fn next_element(&mut self) {
        if let Some(Step {
            name: Name::Element(index),
            ..
        }) = self.innermost()
        {
            *index = Some(index.map_or(0, |index| index + 1));
        }
    }

    /// Goes to the member whose name stands in `raw`, escapes and all.
    pub fn set_member(&mut self, raw: &[u8]) {
        let Some(step) = self.innermost() else { return };
        let mut bytes = std::mem::take(&mut step.text).into_bytes();
        bytes.clear();
        step.name = Name::Nameless;
        if raw.len() <= MAX_NAME
            && unescape(raw, &mut bytes).is_ok()
            && let Ok(text) = String::from_utf8(bytes)
        {
            step.text = text;
            step.name = Name::Member;
        }
    }

    /// Goes to a member that no path can name.
    pub fn set_nameless(&mut self) {
        if let Some(step) = self.innermost() {
            step.name = Name::Nameless;
        }
    }

    /// The name of the innermost member, if it has one.
    pub fn member(&self) -> Option<&str> {
        let step = self.steps[..self.open].last()?;
        (step.name == Name::Member).then_some(step.text.as_str())
    }

    /// Whether it is below the path that `segments` give.
    pub fn is_below(&self, segments: &[Segment]) -> bool {
        self.open > segments.len() && self.starts_with(segments)
    }

    /// Whether this is the path that `segments` give.
    pub fn is(&self, segments: &[Segment]) -> bool {
        self.open == segments.len() && self.starts_with(segments)
    }

    /// Whether the path leads to, or through, the value that `segments` give.
    pub fn starts_with(&self, segments: &[Segment]) -> bool {
        let steps = &self.steps[..self.open];
        steps.len() >= segments.len()
            && steps
                .iter()
                .zip(segments)
                .all(|(step, segment)| step.is(segment))
    }

    /// Whether every step is a member of an object.
    pub fn is_members_only(&self) -> bool {
        self.steps[..self.open]
            .iter()
            .all(|step| step.name == Name::Member)
    }

    /// The path as segments, if it can be named.
    pub fn segments(&self) -> Option<Vec<Segment>> {
        let segment = |step: &Step| match step.name {
            Name::Member => Some(step.text.clone()),
            Name::Element(index) => index.map(|index| index.to_string()),
            Name::Nameless | Name::Before => None,
        };
        self.steps[..self.open].iter().map(segment).collect()
    }

    fn innermost(&mut self) -> Option<&mut Step> {
        self.steps[..self.open].last_mut()
    }
}

impl Step {
    fn is(&self, segment: &str) -> bool {
        match self.name {
            Name::Member => self.text == segment,
            Name::Element(at) => at.is_some() && at == index(segment),
            Name::Nameless | Name::Before => false,
        }
    }
}

//! What all values of one place in a document have in common.

use crate::decode::Moment;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Members of one object, and elements of one row, that are told apart; the values of further ones are taken together.
pub(super) const MOST_MEMBERS: usize = 500;
/// Values that are remembered to see whether one comes twice.
const MOST_DISTINCT: usize = 200_000;
/// Bytes of a text that are kept as an example.
const LONGEST_EXAMPLE: usize = 2000;

/// The values of one place: how many of each kind, and what is true of all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// `null`.
    pub nulls: u64,
    /// Truth values.
    pub bools: u64,
    /// Numbers.
    pub numbers: Numbers,
    /// Texts.
    pub texts: Texts,
    /// Arrays.
    pub arrays: Arrays,
    /// Objects.
    pub objects: Objects,
    /// The first scalar that is not null, as text.
    pub example: Option<Example>,
    /// No value came twice; told of members named `id` only.
    pub unique: bool,
    #[serde(skip)]
    seen: HashSet<u64>,
}

/// A scalar that was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Example {
    /// A truth value.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text; long ones are left out.
    Text(String),
}

/// The numbers of a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// How many.
    pub count: u64,
    /// Some have a point or an exponent.
    pub decimals: bool,
    /// Some look like binary floating point: an exponent, or all the digits that a double has.
    pub floats: bool,
    /// Some have more digits than a double holds, or are integers beyond 64 bits.
    pub large: bool,
    /// The least and the greatest integer.
    pub range: Option<(i64, i64)>,
}

/// The texts of a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    /// How many.
    pub count: u64,
    /// How many are UUIDs in their usual form.
    pub uuids: u64,
    /// How many are dates.
    pub dates: u64,
    /// How many are dates with times, without a zone.
    pub timestamps: u64,
    /// How many are instants of RFC 3339.
    pub instants: u64,
    /// How many hold a character that PostgreSQL's text cannot: U+0000, or half of a surrogate pair.
    pub unreadable: u64,
}

/// The arrays of a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrays {
    /// How many.
    pub count: u64,
    /// What all their elements have in common; `None` where all are empty.
    pub elements: Option<Box<Survey>>,
    /// The elements by their places, where these arrays may be rows.
    pub places: Vec<Survey>,
    /// Where the only array here may hold the names of columns: its elements, or their members `name`.
    pub names: Option<Vec<String>>,
}

/// The objects of a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// How many.
    pub count: u64,
    /// Their members, in the order met.
    pub members: Vec<(String, Survey)>,
    /// What the members beyond those have in common, and how many values they are.
    pub others: Option<Box<Survey>>,
}

impl Survey {
    /// One text of no special form.
    pub(super) fn text() -> Survey {
        let mut survey = Survey::default();
        survey.add_text(Some(""));
        survey
    }

    /// Values, null ones too.
    pub fn count(&self) -> u64 {
        self.nulls + self.values()
    }

    /// Values that are not null.
    pub fn values(&self) -> u64 {
        self.scalars() + self.arrays.count + self.objects.count
    }

    /// Scalars that are not null.
    pub fn scalars(&self) -> u64 {
        self.bools + self.numbers.count + self.texts.count
    }

    /// Whether all values are objects, or null.
    pub fn is_object(&self) -> bool {
        self.objects.count > 0 && self.objects.count == self.values()
    }

    /// Whether all values are arrays, or null.
    pub fn is_array(&self) -> bool {
        self.arrays.count > 0 && self.arrays.count == self.values()
    }

    /// Whether all values are scalars, and not all of them null.
    pub fn is_scalar(&self) -> bool {
        self.scalars() > 0 && self.scalars() == self.values()
    }

    /// A member of the objects here.
    pub fn member(&self, name: &str) -> Option<&Survey> {
        let mut members = self.objects.members.iter();
        members
            .find(|(other, _)| other == name)
            .map(|(_, member)| member)
    }

    /// What stands at a path of members.
    pub fn at(&self, path: &[String]) -> Option<&Survey> {
        path.iter().try_fold(self, |at, name| at.member(name))
    }

    /// Adds a truth value.
    pub(super) fn add_bool(&mut self, value: bool) {
        self.bools += 1;
        self.example.get_or_insert(Example::Bool(value));
    }

    /// Adds a number as it was written.
    pub(super) fn add_number(&mut self, text: &str) {
        self.numbers.add(text);
        self.example
            .get_or_insert_with(|| Example::Number(text.to_owned()));
    }

    /// Adds a text; `None`: one that PostgreSQL cannot hold.
    pub(super) fn add_text(&mut self, text: Option<&str>) {
        self.texts.add(text);
        if let Some(text) = text.filter(|text| text.len() <= LONGEST_EXAMPLE) {
            self.example
                .get_or_insert_with(|| Example::Text(text.to_owned()));
        }
    }

    /// Notes a value of a place that may be a key.
    pub(super) fn note_key(&mut self, raw: &str) {
        if !self.seen.is_empty() && !self.unique {
            return; // It will be no key, so that nothing more has to be remembered.
        }
        let mut hasher = DefaultHasher::new();
        raw.hash(&mut hasher);
        let is_new = self.seen.insert(hasher.finish()) && self.seen.len() <= MOST_DISTINCT;
        self.unique = is_new && (self.seen.len() == 1 || self.unique);
    }
}

impl Numbers {
    fn add(&mut self, text: &str) {
        self.count += 1;
        if text.contains(['.', 'e', 'E']) {
            self.decimals = true;
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let shortest = || {
                text.parse::<f64>()
                    .is_ok_and(|value| value.to_string() == text)
            };
            let has_exponent = text.contains(['e', 'E']);
            self.floats |= has_exponent || (digits >= 16 && shortest());
            self.large |= !has_exponent && digits > 16 && !shortest();
            self.large |= text.parse::<f64>().is_ok_and(f64::is_infinite);
            return;
        }
        match text.parse::<i64>() {
            Ok(value) => {
                let (least, greatest) = self.range.unwrap_or((value, value));
                self.range = Some((least.min(value), greatest.max(value)));
            }
            Err(_) => self.large = true,
        }
    }
}

impl Texts {
    fn add(&mut self, text: Option<&str>) {
        self.count += 1;
        let Some(text) = text else {
            self.unreadable += 1;
            return;
        };
        self.uuids += u64::from(is_uuid(text.as_bytes()));
        match Moment::parse(text.as_bytes()) {
            Some(_) if text.len() == 10 => self.dates += 1,
            Some(moment) if moment.offset.is_none() => self.timestamps += 1,
            Some(_) => self.instants += 1,
            None => {}
        }
    }
}

/// RFC 9562, section 4.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl Survey {
    /// Takes the values of another place, too.
    pub(super) fn merge(&mut self, other: &Survey) {
        self.nulls += other.nulls;
        self.bools += other.bools;
        self.numbers.merge(&other.numbers);
        self.texts.merge(&other.texts);
        self.arrays.merge(&other.arrays);
        self.objects.merge(&other.objects);
        self.example = self.example.take().or_else(|| other.example.clone());
        self.unique = false;
    }
}

impl Numbers {
    fn merge(&mut self, other: &Numbers) {
        self.count += other.count;
        self.decimals |= other.decimals;
        self.floats |= other.floats;
        self.large |= other.large;
        let least = |one: (i64, i64), two: (i64, i64)| (one.0.min(two.0), one.1.max(two.1));
        self.range = match (self.range, other.range) {
            (Some(one), Some(two)) => Some(least(one, two)),
            (one, two) => one.or(two),
        };
    }
}

impl Texts {
    fn merge(&mut self, other: &Texts) {
        self.count += other.count;
        self.uuids += other.uuids;
        self.dates += other.dates;
        self.timestamps += other.timestamps;
        self.instants += other.instants;
        self.unreadable += other.unreadable;
    }
}

impl Arrays {
    fn merge(&mut self, other: &Arrays) {
        self.count += other.count;
        if let Some(elements) = &other.elements {
            self.elements.get_or_insert_default().merge(elements);
        }
        self.places.clear();
        self.names = None;
    }
}

impl Objects {
    fn merge(&mut self, other: &Objects) {
        self.count += other.count;
        for (name, member) in &other.members {
            match self.members.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => own.merge(member),
                None => self.members.push((name.clone(), member.clone())),
            }
        }
        if let Some(others) = &other.others {
            self.others.get_or_insert_default().merge(others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_not_remembered_any_longer() {
        let mut survey = Survey::default();
        for key in ["1", "2", "1", "3", "4"] {
            survey.note_key(key);
        }
        assert!(!survey.unique);
        assert_eq!(survey.seen.len(), 2);
        let mut many = Survey::default();
        (0..MOST_DISTINCT + 100).for_each(|key| many.note_key(&key.to_string()));
        assert!(!many.unique);
        assert_eq!(many.seen.len(), MOST_DISTINCT + 1);
    }
}

//! A response's body → its survey, in one pass and without keeping it: what stands around the rows is walked through,
//! and each element of an array is looked at by itself.

use super::survey::{Arrays, MOST_MEMBERS, Survey};
use crate::error::Exchange;
use crate::{Error, Result};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// Levels of a document in which rows are looked for, its root included.
const ENVELOPE: usize = 4;
/// Levels that are looked at; what is deeper is an object or an array, and nothing else.
const DEEPEST: usize = 8;
/// Places of one document that are told apart.
const MOST_PLACES: usize = 20_000;

/// Surveys a JSON document.
///
/// # Errors
/// [`Error::Body`] where it is no JSON document, and whatever [`Error`] the reader's errors hold, as it is.
pub(super) fn read(body: &mut dyn Read, exchange: &Exchange) -> Result<Survey> {
    let mut reader = BufReader::with_capacity(64 << 10, body);
    let mut survey = Survey::default();
    let outcome = skip_mark(&mut reader)
        .map_err(serde_json::Error::io)
        .and_then(|()| {
            let mut places = Places(MOST_PLACES);
            let mut deserializer = serde_json::Deserializer::from_reader(reader);
            let walk = Walk {
                at: &mut survey,
                places: &mut places,
                depth: 0,
            };
            walk.deserialize(&mut deserializer)?;
            deserializer.end()
        });
    outcome
        .map(|()| survey)
        .map_err(|error| failure(error, exchange))
}

/// Surveys a body of lines, of which each is a JSON document: they are the elements of one array.
///
/// # Errors
/// As those of [`read`].
pub(super) fn read_lines(body: &mut dyn Read, exchange: &Exchange) -> Result<Survey> {
    let mut reader = BufReader::with_capacity(64 << 10, body);
    let mut survey = Survey::default();
    let outcome = lines(&mut reader, &mut survey);
    outcome
        .map(|()| survey)
        .map_err(|error| failure(error, exchange))
}

fn lines(reader: &mut impl BufRead, survey: &mut Survey) -> serde_json::Result<()> {
    skip_mark(reader).map_err(serde_json::Error::io)?;
    let mut places = Places(MOST_PLACES);
    survey.arrays.count = 1;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line);
        if length.map_err(serde_json::Error::io)? == 0 {
            return Ok(());
        }
        // The separator of RFC 7464.
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x1e;
        let start = line.iter().take_while(|byte| is_blank(byte)).count();
        if start < line.len() {
            let raw: &RawValue = serde_json::from_slice(&line[start..])?;
            element(raw.get(), &mut survey.arrays, &mut places, 1)?;
        }
    }
}

/// A byte order mark (RFC 8259, section 8.1: it may be ignored).
fn skip_mark(reader: &mut impl BufRead) -> io::Result<()> {
    if reader.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        reader.consume(3);
    }
    Ok(())
}

fn failure(error: serde_json::Error, exchange: &Exchange) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let reason = if error.is_eof() {
        "the document ends too early".to_owned()
    } else {
        format!("it is not valid JSON ({place})")
    };
    match error.is_io() {
        true => failed(error.into(), exchange),
        false => Error::Body {
            exchange: exchange.clone(),
            reason,
        },
    }
}

/// Why a body could not be read.
pub(super) fn failed(error: io::Error, exchange: &Exchange) -> Error {
    let reason = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(inner)) => *inner,
        _ => Error::Body {
            exchange: exchange.clone(),
            reason,
        },
    }
}

/// How many further places may be told apart.
struct Places(usize);

/// Walks through the part of a document that rows can stand in.
struct Walk<'a> {
    at: &'a mut Survey,
    places: &'a mut Places,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<(), D::Error> {
        if self.depth < ENVELOPE {
            return deserializer.deserialize_any(self);
        }
        let raw: Box<RawValue> = de::Deserialize::deserialize(deserializer)?;
        look(raw.get(), self.at, self.places, self.depth).map_err(de::Error::custom)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        self.at.nulls += 1;
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<(), E> {
        self.at.add_bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<(), E> {
        self.at.add_number(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<(), E> {
        self.at.add_number(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<(), E> {
        // With a point, or as an integer that is too large for 64 bits.
        let text = if value.fract() == 0.0 && value.abs() < 1e15 {
            format!("{value:.1}")
        } else {
            value.to_string()
        };
        self.at.add_number(&text);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<(), E> {
        self.at.add_text((!value.contains('\0')).then_some(value));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        self.at.objects.count += 1;
        while let Some(name) = map.next_key::<String>()? {
            let places = &mut *self.places;
            let member = self.at.objects.place(&name, places);
            let walk = Walk {
                at: member,
                places,
                depth: self.depth + 1,
            };
            map.next_value_seed(walk)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<(), A::Error> {
        let arrays = &mut self.at.arrays;
        arrays.count += 1;
        let mut names = (arrays.count == 1).then(Vec::new);
        while let Some(raw) = elements.next_element::<Box<RawValue>>()? {
            let raw = raw.get();
            names = names.and_then(|names| with_name(names, raw));
            element(raw, arrays, self.places, self.depth + 1).map_err(de::Error::custom)?;
        }
        arrays.names = names.filter(|names| !names.is_empty());
        Ok(())
    }
}

/// Looks at an element, which may be a row, of an array.
fn element(
    raw: &str,
    arrays: &mut Arrays,
    places: &mut Places,
    depth: usize,
) -> serde_json::Result<()> {
    let survey = arrays.elements.get_or_insert_default();
    look(raw, survey, places, depth)?;
    match raw.starts_with('[') {
        true => look_at_places(raw, &mut survey.arrays.places, places),
        false => Ok(()),
    }
}

impl super::survey::Objects {
    /// The survey of a member; of the others where it is one too many.
    fn place(&mut self, name: &str, places: &mut Places) -> &mut Survey {
        let known = self.members.iter().position(|(other, _)| other == name);
        if let Some(index) = known {
            return &mut self.members[index].1;
        }
        if self.members.len() >= MOST_MEMBERS || places.0 == 0 {
            return self.others.get_or_insert_default();
        }
        places.0 -= 1;
        let index = self.members.len();
        self.members.push((name.to_owned(), Survey::default()));
        &mut self.members[index].1
    }
}

/// Names that an array lists, with one more; `None` where it lists something else.
fn with_name(mut names: Vec<String>, raw: &str) -> Option<Vec<String>> {
    let value: serde_json::Value = match raw.as_bytes().first()? {
        b'"' | b'{' if raw.len() < 10_000 && names.len() < MOST_MEMBERS => {
            serde_json::from_str(raw).ok()?
        }
        _ => return None,
    };
    let name = value.as_str().or_else(|| value.get("name")?.as_str())?;
    names.push(name.to_owned());
    Some(names)
}

/// Looks at a value that stands `depth` levels deep.
fn look(raw: &str, at: &mut Survey, places: &mut Places, depth: usize) -> serde_json::Result<()> {
    match raw.as_bytes().first() {
        Some(b'{') => {
            at.objects.count += 1;
            if depth < DEEPEST {
                for (name, value) in serde_json::from_str::<Members>(raw)?.0 {
                    let Ok(name) = serde_json::from_str::<Cow<str>>(name.get()) else {
                        continue; // No column can name it.
                    };
                    let member = at.objects.place(&name, places);
                    if name == "id" {
                        member.note_key(value.get());
                    }
                    look(value.get(), member, places, depth + 1)?;
                }
            }
            Ok(())
        }
        Some(b'[') => {
            at.arrays.count += 1;
            if depth <= DEEPEST {
                for element in serde_json::from_str::<Vec<&RawValue>>(raw)? {
                    let elements = at.arrays.elements.get_or_insert_default();
                    // What is in it is of no interest: a column of such arrays is jsonb.
                    look(element.get(), elements, places, DEEPEST + 1)?;
                }
            }
            Ok(())
        }
        _ => {
            scalar(raw, at);
            Ok(())
        }
    }
}

/// The elements of an array that may be a row.
fn look_at_places(
    raw: &str,
    found: &mut Vec<Survey>,
    places: &mut Places,
) -> serde_json::Result<()> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw)?;
    for (index, element) in elements.into_iter().take(MOST_MEMBERS).enumerate() {
        if found.len() == index {
            if places.0 == 0 {
                break;
            }
            places.0 -= 1;
            found.push(Survey::default());
        }
        look(element.get(), &mut found[index], places, DEEPEST)?;
    }
    Ok(())
}

fn scalar(raw: &str, at: &mut Survey) {
    match raw.as_bytes().first() {
        Some(b't') => at.add_bool(true),
        Some(b'f') => at.add_bool(false),
        Some(b'"') => {
            let text = serde_json::from_str::<Cow<str>>(raw).ok();
            at.add_text(text.as_deref().filter(|text| !text.contains('\0')));
        }
        Some(b'-' | b'0'..=b'9') => at.add_number(raw),
        _ => at.nulls += 1,
    }
}

/// An object's members as they are written, in that order.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> de::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

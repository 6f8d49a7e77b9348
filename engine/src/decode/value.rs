//! One value of a row, before it has a type; and why it may not fit one.

use super::locate::{Kind, Slot};
use std::borrow::Cow;

/// A value of a row, in the bytes that the API sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number without point and exponent.
    Integer(&'a [u8]),
    /// Any other number.
    Decimal(&'a [u8]),
    Text(Text<'a>),
    Array(&'a [u8]),
    Object(&'a [u8]),
}

/// A text between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub raw: &'a [u8],
    /// It holds backslashes that stand for escapes.
    pub escaped: bool,
    /// All bytes are ASCII; otherwise they must be checked to be UTF-8.
    pub ascii: bool,
}

/// Why a value does not fit its column, in a user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit(pub Cow<'static, str>);

impl From<&'static str> for Misfit {
    fn from(reason: &'static str) -> Misfit {
        Misfit(Cow::Borrowed(reason))
    }
}

impl From<String> for Misfit {
    fn from(reason: String) -> Misfit {
        Misfit(Cow::Owned(reason))
    }
}

impl Slot {
    /// The value that stands here, in the bytes that its row was read from.
    #[inline]
    pub fn value<'a>(&self, text: &'a [u8]) -> Value<'a> {
        let raw = &text[self.start..self.end];
        match self.kind {
            Kind::Missing | Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Integer => Value::Integer(raw),
            Kind::Decimal => Value::Decimal(raw),
            Kind::Plain => Value::Text(Text {
                raw,
                escaped: false,
                ascii: self.ascii,
            }),
            Kind::Escaped => Value::Text(Text {
                raw,
                escaped: true,
                ascii: self.ascii,
            }),
            Kind::Array => Value::Array(raw),
            Kind::Object => Value::Object(raw),
        }
    }
}

impl Value<'_> {
    /// The value as JSON, at most 100 characters of it.
    pub fn shown(&self) -> String {
        const SHOWN: usize = 100;
        let raw = match self {
            Value::Null => b"null".as_slice(),
            Value::Bool(true) => b"true",
            Value::Bool(false) => b"false",
            Value::Integer(raw) | Value::Decimal(raw) | Value::Array(raw) | Value::Object(raw) => {
                raw
            }
            Value::Text(text) => text.raw,
        };
        // Four bytes a character are enough, and one more tells whether there is a rest.
        let head = &raw[..raw.len().min(SHOWN * 4 + 4)];
        let text = String::from_utf8_lossy(head);
        let mut shown: String = text.chars().take(SHOWN).collect();
        if text.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        if matches!(self, Value::Text(_)) {
            format!("\"{shown}\"")
        } else {
            shown
        }
    }
}

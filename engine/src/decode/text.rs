//! JSON texts → UTF-8 that PostgreSQL can hold.

use super::value::{Misfit, Text};
use memchr::memchr;
use std::borrow::Cow;

/// Appends a text to `arena`, unescaped. After an error the arena may hold a part of it.
#[inline]
pub(super) fn append(text: Text, arena: &mut Vec<u8>) -> Result<(), Misfit> {
    if !text.ascii {
        utf8(text.raw)?;
    }
    if text.escaped {
        return unescape(text.raw, arena);
    }
    arena.extend_from_slice(text.raw);
    Ok(())
}

/// A text, unescaped.
pub(super) fn plain<'a>(text: &Text<'a>) -> Result<Cow<'a, str>, Misfit> {
    let raw = utf8(text.raw)?;
    if !text.escaped {
        return Ok(Cow::Borrowed(raw));
    }
    let mut unescaped = Vec::with_capacity(raw.len());
    unescape(text.raw, &mut unescaped)?;
    String::from_utf8(unescaped)
        .map(Cow::Owned)
        .map_err(|_| INVALID_UTF8.into())
}

const INVALID_UTF8: &str = "it is not valid UTF-8";

/// The bytes as UTF-8.
pub(super) fn utf8(raw: &[u8]) -> Result<&str, Misfit> {
    std::str::from_utf8(raw).map_err(|_| INVALID_UTF8.into())
}

/// Appends `raw`, which holds valid escapes, unescaped.
pub(super) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Misfit> {
    let mut rest = raw;
    while let Some(backslash) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        let (character, length) = escape(&rest[backslash..])?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[backslash + length..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Raw JSON as text: valid UTF-8, whose escapes all stand for characters that PostgreSQL can hold
/// (jsonb unescapes them).
pub(super) fn json(raw: &[u8]) -> Result<&str, Misfit> {
    let text = utf8(raw)?;
    let mut rest = raw;
    while let Some(backslash) = memchr(b'\\', rest) {
        let (_, length) = escape(&rest[backslash..])?;
        rest = &rest[backslash + length..];
    }
    Ok(text)
}

/// The character that an escape stands for, and its length (RFC 8259, section 7). A surrogate pair is
/// one escape.
fn escape(text: &[u8]) -> Result<(char, usize), Misfit> {
    let character = match text.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(text),
        Some(&byte) => char::from(byte),
        None => return Err("it ends within an escape".into()),
    };
    Ok((character, 2))
}

fn unicode(text: &[u8]) -> Result<(char, usize), Misfit> {
    let first = code_unit(text).unwrap_or_default();
    let second = text.get(6..).and_then(code_unit);
    match (first, second) {
        (0, _) => Err("text cannot hold \\u0000".into()),
        (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) => {
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            Ok((
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                12,
            ))
        }
        (0xD800..=0xDFFF, _) => Err(format!("it holds a lone surrogate, \\u{first:04x}").into()),
        _ => Ok((
            char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
            6,
        )),
    }
}

/// The number in `\uXXXX`, if the text starts with one.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, &digit| {
        Some(code * 16 + char::from(digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn unescaped(raw: &str) -> Result<String, Misfit> {
        plain(&Text {
            raw: raw.as_bytes(),
            escaped: true,
            ascii: false,
        })
        .map(Cow::into_owned)
    }

    #[test]
    fn surrogate_pairs_are_one_character_and_lone_ones_are_refused() {
        assert_eq!(unescaped(r"a\ud83d\ude00b").unwrap(), "a😀b");
        for lone in [
            r"\ud83d",
            r"\ud83dx",
            r"\ude00",
            r"\ud83d\n",
            r"\ud83d\ud83d",
            r"\ud83d\u0041",
        ] {
            assert!(
                unescaped(lone).unwrap_err().0.contains("lone surrogate"),
                "{lone}"
            );
        }
    }

    #[test]
    fn the_zero_character_is_told_from_an_escaped_backslash() {
        assert_eq!(
            unescaped(r"\u0000").unwrap_err().0,
            "text cannot hold \\u0000"
        );
        assert_eq!(unescaped(r"\\u0000").unwrap(), r"\u0000");
        assert!(json(br#"{"a":"\u0000"}"#).is_err());
        assert!(json(br#"{"a":"\\\u0000"}"#).is_err());
        assert!(json(br#"{"a":"\\u0000"}"#).is_ok());
    }

    proptest! {
        #[test]
        fn texts_are_unescaped_as_serde_json_does(raw in r#"([ -!#-\[\]-~é😀]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83d\\ude0[0-9]){0,12}"#) {
            let expected = serde_json::from_str::<String>(&format!("\"{raw}\""));
            match (expected, unescaped(&raw)) {
                (Ok(expected), Ok(found)) => prop_assert_eq!(expected, found),
                (Ok(expected), Err(_)) => prop_assert!(expected.contains('\0')),
                (Err(_), found) => prop_assert!(found.is_err()),
            }
        }
    }
}

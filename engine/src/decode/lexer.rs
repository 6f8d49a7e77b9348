//! Where a JSON token ends (RFC 8259), in bytes that may be cut off anywhere.

use wide::u8x16;

/// Why a token or a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// Index of the byte in question, from the start of the slice that was read.
    pub at: usize,
    pub why: Why,
}

/// What stops the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The bytes end within the token: read it again with more of them.
    More,
    /// Containers within containers beyond [`MAX_DEPTH`](super::grammar::MAX_DEPTH).
    TooDeep,
    /// Something else was expected here.
    Expected(Expected),
}

/// What the grammar wants at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Value,
    MemberName,
    Colon,
    CommaOrBracket,
    CommaOrBrace,
    Digit,
    EscapedControl,
    Escape,
}

impl Expected {
    /// For messages: `expected …`.
    pub fn text(self) -> &'static str {
        match self {
            Expected::Value => "a value",
            Expected::MemberName => "a member name in quotes",
            Expected::Colon => "a colon",
            Expected::CommaOrBracket => "a comma or ]",
            Expected::CommaOrBrace => "a comma or }",
            Expected::Digit => "a digit",
            Expected::EscapedControl => "an escape instead of a control character in text",
            Expected::Escape => "a valid escape after a backslash",
        }
    }
}

/// The bytes end too early.
pub(super) fn more(at: usize) -> Stop {
    Stop { at, why: Why::More }
}

/// `expected` is not what stands at `at`.
pub(super) fn unexpected(at: usize, expected: Expected) -> Stop {
    Stop {
        at,
        why: Why::Expected(expected),
    }
}

/// The first byte from `at` on that is not white space, or the end.
#[inline]
pub(super) fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// A text between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted {
    /// Index of the closing quote.
    pub close: usize,
    /// It holds a backslash.
    pub escaped: bool,
    /// All of its bytes are ASCII, so they are UTF-8.
    pub ascii: bool,
}

/// The first byte from `at` on that ends a run of plain text (a quote, a backslash, a control character), or the end;
/// and a number that is not zero if the run is not ASCII.
#[inline]
pub(super) fn plain(text: &[u8], mut at: usize) -> (usize, u32) {
    let mut seen = 0;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let bytes = u8x16::new(*chunk);
        let beyond_ascii = bytes.to_bitmask();
        let ends = bytes.simd_eq(u8x16::splat(b'"'))
            | bytes.simd_eq(u8x16::splat(b'\\'))
            | bytes.simd_eq(bytes.min(u8x16::splat(0x1F)));
        let ends = ends.to_bitmask();
        if ends != 0 {
            let length = ends.trailing_zeros();
            return (
                at + length as usize,
                seen | (beyond_ascii & ((1 << length) - 1)),
            );
        }
        seen |= beyond_ascii;
        at += 16;
    }
    plain_at_the_end(text, at, seen)
}

/// The same for the last few bytes that are there, after a run that `seen` is of.
#[inline(never)]
fn plain_at_the_end(text: &[u8], mut at: usize, mut seen: u32) -> (usize, u32) {
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        seen |= u32::from(byte >> 7);
        at += 1;
    }
    (at, seen)
}

/// Reads a text whose opening quote stands before `start`.
#[inline]
pub(super) fn quoted(text: &[u8], start: usize) -> Result<Quoted, Stop> {
    let (at, seen) = plain(text, start);
    if text.get(at) != Some(&b'"') {
        return quoted_from(text, at, seen);
    }
    Ok(Quoted {
        close: at,
        escaped: false,
        ascii: seen == 0,
    })
}

/// Reads on where the first plain run of a text ends otherwise than with a quote.
#[inline(never)]
fn quoted_from(text: &[u8], mut at: usize, mut seen: u32) -> Result<Quoted, Stop> {
    let mut escaped = false;
    loop {
        match text.get(at) {
            Some(b'"') => {
                return Ok(Quoted {
                    close: at,
                    escaped,
                    ascii: seen == 0,
                });
            }
            Some(b'\\') => {
                escaped = true;
                at = escape(text, at)?;
            }
            Some(_) => return Err(unexpected(at, Expected::EscapedControl)),
            None => return Err(more(at)),
        }
        let (end, more) = plain(text, at);
        (at, seen) = (end, seen | more);
    }
}

/// The end of the value that starts at `at` and is no container.
#[inline(always)]
pub(super) fn scalar(text: &[u8], at: usize) -> Result<usize, Stop> {
    match text.get(at) {
        Some(b'"') => match plain(text, at + 1).0 {
            end if text.get(end) == Some(&b'"') => Ok(end + 1),
            end => quoted_from(text, end, 0).map(|text| text.close + 1),
        },
        Some(b'-' | b'0'..=b'9') => number(text, at).map(|(end, _)| end),
        Some(b't') => literal(text, at, b"true"),
        Some(b'f') => literal(text, at, b"false"),
        Some(b'n') => literal(text, at, b"null"),
        Some(_) => Err(unexpected(at, Expected::Value)),
        None => Err(more(at)),
    }
}

/// Reads a member's name, which starts at `at`: the text after its opening quote, and where the value starts.
#[inline]
pub(super) fn name(text: &[u8], at: usize) -> Result<(Quoted, usize), Stop> {
    match text.get(at) {
        None => return Err(more(at)),
        Some(b'"') => {}
        Some(_) => return Err(unexpected(at, Expected::MemberName)),
    }
    let name = quoted(text, at + 1)?;
    let colon = space(text, name.close + 1);
    match text.get(colon) {
        None => Err(more(colon)),
        Some(b':') => Ok((name, space(text, colon + 1))),
        Some(_) => Err(unexpected(colon, Expected::Colon)),
    }
}

/// The end of the escape whose backslash stands at `at`.
pub(super) fn escape(text: &[u8], at: usize) -> Result<usize, Stop> {
    match text.get(at + 1) {
        None => Err(more(at)),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let digits = text.get(at + 2..text.len().min(at + 6)).unwrap_or_default();
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(unexpected(at, Expected::Escape));
            }
            if digits.len() < 4 {
                Err(more(at))
            } else {
                Ok(at + 6)
            }
        }
        Some(_) => Err(unexpected(at, Expected::Escape)),
    }
}

/// The end of the number that starts at `start`, and whether it is written without point and
/// exponent. A number at the end of the bytes may go on, so it is [`Why::More`].
#[inline]
pub(super) fn number(text: &[u8], start: usize) -> Result<(usize, bool), Stop> {
    let mut at = start;
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits(text, at)?,
    };
    let mut integer = true;
    if text.get(at) == Some(&b'.') {
        integer = false;
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        integer = false;
        let sign = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(text, at + 1 + usize::from(sign))?;
    }
    if at == text.len() {
        Err(more(at))
    } else {
        Ok((at, integer))
    }
}

/// The end of a run of at least one digit.
#[inline]
fn digits(text: &[u8], start: usize) -> Result<usize, Stop> {
    let mut at = start;
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    match (at == start, text.get(at)) {
        (true, None) => Err(more(at)),
        (true, Some(_)) => Err(unexpected(at, Expected::Digit)),
        (false, _) => Ok(at),
    }
}

/// The end of `word` (`true`, `false`, `null`), which must start at `at`.
#[inline]
pub(super) fn literal(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Stop> {
    let rest = text.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        Ok(at + word.len())
    } else if word.starts_with(rest) {
        Err(more(at))
    } else {
        Err(unexpected(at, Expected::Value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_at_the_end_may_go_on() {
        assert_eq!(number(b"12", 0).unwrap_err().why, Why::More);
        assert_eq!(number(b"12,", 0).unwrap(), (2, true));
        assert_eq!(number(b"-0.5e+7]", 0).unwrap(), (7, false));
    }

    #[test]
    fn what_is_no_number_is_refused_where_it_goes_wrong() {
        for (text, at) in [("-x", 1), ("1.]", 2), ("1e,", 2), ("1e+ ", 3)] {
            assert_eq!(
                number(text.as_bytes(), 0).unwrap_err(),
                unexpected(at, Expected::Digit),
                "{text}"
            );
        }
        assert_eq!(
            number(b"01,", 0).unwrap(),
            (1, true),
            "the grammar then refuses the 1"
        );
    }

    #[test]
    fn a_cut_escape_wants_more_and_a_wrong_one_is_refused() {
        for cut in ["\\", "\\u", "\\u12"] {
            assert_eq!(
                quoted(cut.as_bytes(), 0).unwrap_err().why,
                Why::More,
                "{cut}"
            );
        }
        for wrong in ["\\x\"", "\\u12g4\"", "\\u\""] {
            assert_eq!(
                quoted(wrong.as_bytes(), 0).unwrap_err(),
                unexpected(0, Expected::Escape),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_serde_json_reads_it(body in "[ -~\u{1}\u{e9}\u{1f600}]{0,40}", tail in "[ -~]{0,12}") {
            let text = format!("{body}\"{tail}");
            let document = format!("\"{text}");
            let mut oracle = serde_json::Deserializer::from_str(&document).into_iter::<String>();
            let expected = oracle.next();
            let found = quoted(text.as_bytes(), 0);
            match expected {
                Some(Ok(value)) => {
                    let found = found.unwrap();
                    prop_assert_eq!(found.close + 2, oracle.byte_offset());
                    let raw = &text[..found.close];
                    prop_assert_eq!(found.escaped, raw.contains('\\'));
                    prop_assert_eq!(found.ascii, raw.is_ascii());
                    prop_assert!(found.escaped || value == raw);
                }
                // serde_json refuses a lone surrogate here; the decoder does so when it unescapes.
                _ => prop_assert!(found.is_err() || text.contains("\\u")),
            }
        }
    }
}

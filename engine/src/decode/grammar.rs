//! What may come next in a JSON document: a grammar that can stop after any token.

use super::lexer::{self, Expected, Stop, Why, more, unexpected};

/// Containers within containers that a document may have.
pub(super) const MAX_DEPTH: usize = 512;

/// The place in a document: the containers that are open, and what may follow.
#[derive(Debug, Clone)]
pub(super) struct Grammar {
    open: Containers,
    base: usize,
    next: Next,
}

/// The containers that are open.
#[derive(Debug, Clone)]
struct Containers {
    /// A bit for each: set for an object.
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Containers {
    fn within(depth: usize) -> Containers {
        Containers {
            objects: [0; MAX_DEPTH / 64],
            depth,
        }
    }

    /// One opens at `at`.
    #[inline]
    fn push(&mut self, at: usize, object: bool) -> Result<(), Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(Stop {
                at,
                why: Why::TooDeep,
            });
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if object {
            self.objects[word] |= bit;
        } else {
            self.objects[word] &= !bit;
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn pop(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    fn in_object(&self) -> bool {
        let innermost = self.depth.saturating_sub(1);
        self.objects[innermost / 64] >> (innermost % 64) & 1 == 1
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ElementOrEnd,
    MemberOrEnd,
    MemberValue,
    CommaOrEnd,
    Nothing,
}

/// A token, with commas and colons left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    ObjectStart,
    ArrayStart,
    /// The end of an object or an array.
    End,
    /// A member's name.
    Name(Inner),
    /// A text.
    Text(Inner),
    Number,
    True,
    False,
    Null,
}

/// The inner bytes of a text: from its opening quote (exclusive) to its closing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner {
    pub start: usize,
    pub close: usize,
    pub escaped: bool,
}

/// Where a token stands in the bytes it was read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub token: Token,
    /// Its first byte.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
}

impl Grammar {
    /// The start of a value within `depth` open containers.
    pub fn within(depth: usize) -> Grammar {
        Grammar {
            open: Containers::within(depth),
            base: depth,
            next: Next::Value,
        }
    }

    /// Open containers.
    pub fn depth(&self) -> usize {
        self.open.depth
    }

    /// Whether the value has been read to its end.
    pub fn is_done(&self) -> bool {
        self.next == Next::Nothing
    }

    /// Reads the next token of `text`, from `at` on. After an error nothing has changed, so that the
    /// same token can be read again once more bytes are there.
    pub fn token(&mut self, text: &[u8], at: usize) -> Result<Place, Stop> {
        let at = lexer::space(text, at);
        let Some(&first) = text.get(at) else {
            return Err(more(at));
        };
        match self.next {
            Next::Value | Next::MemberValue => self.value(text, at, first),
            Next::ElementOrEnd if first == b']' => Ok(self.end(at)),
            Next::ElementOrEnd => self.value(text, at, first),
            Next::MemberOrEnd if first == b'}' => Ok(self.end(at)),
            Next::MemberOrEnd => self.name(text, at),
            Next::CommaOrEnd => self.separator(text, at, first),
            Next::Nothing => Err(unexpected(at, Expected::Value)),
        }
    }

    /// Notes that the caller has read the rest of the innermost container by itself.
    pub fn container_was_read(&mut self) {
        self.open.pop();
        self.value_done();
    }

    /// Notes that the caller has read past a text (a name, if one was due) by itself.
    pub fn text_was_read(&mut self) {
        match self.next {
            Next::MemberOrEnd => self.next = Next::MemberValue,
            Next::CommaOrEnd if self.open.in_object() => self.next = Next::MemberValue,
            _ => self.value_done(),
        }
    }

    /// Whether the next text is a member's name, which a colon follows.
    pub fn name_is_due(&self) -> bool {
        match self.next {
            Next::MemberOrEnd => true,
            Next::CommaOrEnd => self.open.in_object(),
            _ => false,
        }
    }

    fn separator(&mut self, text: &[u8], at: usize, first: u8) -> Result<Place, Stop> {
        let in_object = self.open.in_object();
        match first {
            b'}' if in_object => return Ok(self.end(at)),
            b']' if !in_object => return Ok(self.end(at)),
            b',' => {}
            _ if in_object => return Err(unexpected(at, Expected::CommaOrBrace)),
            _ => return Err(unexpected(at, Expected::CommaOrBracket)),
        }
        let at = lexer::space(text, at + 1);
        let Some(&first) = text.get(at) else {
            return Err(more(at));
        };
        if in_object {
            self.name(text, at)
        } else {
            self.value(text, at, first)
        }
    }

    fn name(&mut self, text: &[u8], at: usize) -> Result<Place, Stop> {
        let (name, value) = lexer::name(text, at)?;
        self.next = Next::MemberValue;
        let inner = Inner {
            start: at + 1,
            close: name.close,
            escaped: name.escaped,
        };
        Ok(Place {
            token: Token::Name(inner),
            start: at,
            end: value,
        })
    }

    fn value(&mut self, text: &[u8], at: usize, first: u8) -> Result<Place, Stop> {
        let (token, end) = match first {
            b'{' => return self.open(at, true),
            b'[' => return self.open(at, false),
            b'"' => {
                let read = lexer::quoted(text, at + 1)?;
                let inner = Inner {
                    start: at + 1,
                    close: read.close,
                    escaped: read.escaped,
                };
                (Token::Text(inner), read.close + 1)
            }
            b'-' | b'0'..=b'9' => (Token::Number, lexer::number(text, at)?.0),
            b't' => (Token::True, lexer::literal(text, at, b"true")?),
            b'f' => (Token::False, lexer::literal(text, at, b"false")?),
            b'n' => (Token::Null, lexer::literal(text, at, b"null")?),
            _ => return Err(unexpected(at, Expected::Value)),
        };
        self.value_done();
        Ok(Place {
            token,
            start: at,
            end,
        })
    }

    fn open(&mut self, at: usize, object: bool) -> Result<Place, Stop> {
        self.open.push(at, object)?;
        self.next = if object {
            Next::MemberOrEnd
        } else {
            Next::ElementOrEnd
        };
        let token = if object {
            Token::ObjectStart
        } else {
            Token::ArrayStart
        };
        Ok(Place {
            token,
            start: at,
            end: at + 1,
        })
    }

    fn end(&mut self, at: usize) -> Place {
        self.container_was_read();
        Place {
            token: Token::End,
            start: at,
            end: at + 1,
        }
    }

    fn value_done(&mut self) {
        self.next = if self.open.depth == self.base {
            Next::Nothing
        } else {
            Next::CommaOrEnd
        };
    }
}

/// The end of the value that starts at `at`, within `depth` open containers.
#[inline]
pub(super) fn skip(text: &[u8], at: usize, depth: usize) -> Result<usize, Stop> {
    match text.get(at) {
        Some(b'{' | b'[') => skip_any(text, at, depth),
        _ => lexer::scalar(text, at),
    }
}

/// The same where it is likely to be a container.
pub(super) fn skip_any(text: &[u8], mut at: usize, depth: usize) -> Result<usize, Stop> {
    let mut open = Containers::within(depth);
    loop {
        // A value starts here.
        at = match text.get(at) {
            Some(b'{') => {
                open.push(at, true)?;
                let first = lexer::space(text, at + 1);
                if text.get(first) != Some(&b'}') {
                    at = lexer::name(text, first)?.1;
                    continue;
                }
                open.pop();
                first + 1
            }
            Some(b'[') => {
                open.push(at, false)?;
                let first = lexer::space(text, at + 1);
                if text.get(first) != Some(&b']') {
                    at = first;
                    continue;
                }
                open.pop();
                first + 1
            }
            _ => lexer::scalar(text, at)?,
        };
        // It ended here, and maybe some that it is in.
        loop {
            if open.depth == depth {
                return Ok(at);
            }
            let in_object = open.in_object();
            let (close, expected) = match in_object {
                true => (b'}', Expected::CommaOrBrace),
                false => (b']', Expected::CommaOrBracket),
            };
            let (next, goes_on) = separator(text, at, close, expected)?;
            if goes_on {
                let start = lexer::space(text, next);
                at = match in_object {
                    true => lexer::name(text, start)?.1,
                    false => start,
                };
                break;
            }
            open.pop();
            at = next;
        }
    }
}

/// Reads what stands between two members or elements: the byte after it, and whether it is a comma.
#[inline]
pub(super) fn separator(
    text: &[u8],
    at: usize,
    close: u8,
    expected: Expected,
) -> Result<(usize, bool), Stop> {
    let at = lexer::space(text, at);
    match text.get(at) {
        Some(b',') => Ok((at + 1, true)),
        Some(&byte) if byte == close => Ok((at + 1, false)),
        Some(_) => Err(unexpected(at, expected)),
        None => Err(more(at)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(skip(deep(512).as_bytes(), 0, 0).unwrap(), 1024);
        assert_eq!(
            skip(deep(513).as_bytes(), 0, 0).unwrap_err().why,
            Why::TooDeep
        );
        assert_eq!(
            skip(deep(512).as_bytes(), 0, 1).unwrap_err().why,
            Why::TooDeep
        );
        assert_eq!(skip(deep(100_000).as_bytes(), 0, 0).unwrap_err().at, 512);
    }

    proptest! {
        #[test]
        fn a_value_is_skipped_as_serde_json_skips_it(text in r#"([\[\]{}:, ]|"a"|"\\n"|1|-2.5e3|true|null|01|nul|x){0,24}"#) {
            let document = format!("{text}\n");
            let mut oracle = serde_json::Deserializer::from_str(&document).into_iter::<serde::de::IgnoredAny>();
            let start = lexer::space(document.as_bytes(), 0);
            match (oracle.next(), skip(document.as_bytes(), start, 0)) {
                (Some(Ok(_)), found) => prop_assert_eq!(found.unwrap(), oracle.byte_offset()),
                (None, found) => prop_assert_eq!(found.unwrap_err().why, Why::More),
                (Some(Err(error)), found) => match found {
                    // serde_json's stream wants a delimiter after a scalar, which is the caller's matter here.
                    Ok(end) => prop_assert!(!matches!(document.as_bytes()[start], b'[' | b'{'), "{} {}", error, end),
                    Err(stop) => prop_assert_eq!(stop.why == Why::More, error.is_eof(), "{:?} {}", stop, error),
                },
            }
        }
    }
}

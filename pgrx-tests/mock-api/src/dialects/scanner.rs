//! How a text is read character by character; every parser here is built on it.

/// A place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Goes over a text if it is next.
    pub(crate) fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// Goes over a text that must be next.
    pub(crate) fn expect(&mut self, wanted: &str) -> Result<(), String> {
        if self.eat(wanted) {
            Ok(())
        } else {
            Err(self.problem(&format!("expected '{wanted}'")))
        }
    }

    pub(crate) fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|next| !belongs(next)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(crate) fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), String> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.problem("expected the end"))
        }
    }

    /// A text between quotes. The quote itself is written with the escape character before it, or, without one, doubled.
    pub(crate) fn quoted(&mut self, quote: char, escape: Option<char>) -> Result<String, String> {
        let start = self.clone();
        if self.next() != Some(quote) {
            return Err(start.problem(&format!("expected {quote}")));
        }
        let mut text = String::new();
        while let Some(next) = self.next() {
            if Some(next) == escape {
                text.extend(self.next());
            } else if next != quote {
                text.push(next);
            } else if escape.is_none() && self.peek() == Some(quote) {
                text.extend(self.next());
            } else {
                return Ok(text);
            }
        }
        Err(start.problem("a quoted text has no end"))
    }

    /// A message about this place.
    pub(crate) fn problem(&self, what: &str) -> String {
        format!("{what} at byte {} of {}", self.at, self.text)
    }
}

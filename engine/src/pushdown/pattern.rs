//! LIKE patterns, understood: what is literal, what is a wildcard.

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// This text.
    Literal(String),
    /// `%`: any text, also none.
    Any,
    /// `_`: any one character.
    One,
}

/// A LIKE pattern. No two literals and no two `%` follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

/// The shapes of pattern that many APIs have an operator of their own for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// No wildcard: the whole text.
    Equal(&'a str),
    /// `x%`
    Prefix(&'a str),
    /// `%x`
    Suffix(&'a str),
    /// `%x%`
    Infix(&'a str),
    /// `%`: every text.
    Everything,
    /// Any other.
    General,
}

impl Pattern {
    /// Reads a pattern whose escape character is the backslash, as PostgreSQL hands all patterns on
    /// (`LIKE … ESCAPE` is rewritten to that). A backslash at the end is an error there.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        let mut pattern = Pattern(Vec::new());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' => pattern.any(),
                '_' => pattern.0.push(Part::One),
                '\\' => match characters.next() {
                    Some(escaped) => pattern.literal(escaped),
                    None => return Err("the pattern ends with its escape character".to_owned()),
                },
                plain => pattern.literal(plain),
            }
        }
        Ok(pattern)
    }

    /// What begins with `text`.
    pub(crate) fn prefix(text: &str) -> Pattern {
        let mut parts = Vec::new();
        if !text.is_empty() {
            parts.push(Part::Literal(text.to_owned()));
        }
        parts.push(Part::Any);
        Pattern(parts)
    }

    /// A wider pattern: any text instead of the characters that are not kept, and instead of `_` where
    /// `keeps_one` is false.
    pub(crate) fn loosened(&self, keeps: impl Fn(char) -> bool, keeps_one: bool) -> Pattern {
        let mut loose = Pattern(Vec::new());
        for part in &self.0 {
            match part {
                Part::Literal(text) => text.chars().for_each(|character| {
                    if keeps(character) {
                        loose.literal(character);
                    } else {
                        loose.any();
                    }
                }),
                Part::One if keeps_one => loose.0.push(Part::One),
                Part::One | Part::Any => loose.any(),
            }
        }
        loose
    }

    /// The parts, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Which of the common shapes it has.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match self.0.as_slice() {
            [] => Shape::Equal(""),
            [Part::Literal(text)] => Shape::Equal(text),
            [Part::Literal(text), Part::Any] => Shape::Prefix(text),
            [Part::Any, Part::Literal(text)] => Shape::Suffix(text),
            [Part::Any, Part::Literal(text), Part::Any] => Shape::Infix(text),
            [Part::Any] => Shape::Everything,
            _ => Shape::General,
        }
    }

    /// The pattern written with other wildcards; `literal` writes literal text, or says why it cannot.
    pub(crate) fn spelled(
        &self,
        any: &str,
        one: &str,
        literal: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literally) => text.push_str(&literal(literally)?),
                Part::Any => text.push_str(any),
                Part::One => text.push_str(one),
            }
        }
        Ok(text)
    }

    fn any(&mut self) {
        if self.0.last() != Some(&Part::Any) {
            self.0.push(Part::Any);
        }
    }

    fn literal(&mut self, character: char) {
        match self.0.last_mut() {
            Some(Part::Literal(text)) => text.push(character),
            _ => self.0.push(Part::Literal(character.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn shape_of(text: &str) -> String {
        format!("{:?}", Pattern::parse(text).unwrap().shape())
    }

    #[test]
    fn shapes_are_told_apart() {
        assert_eq!(shape_of("abc"), "Equal(\"abc\")");
        assert_eq!(shape_of(""), "Equal(\"\")");
        assert_eq!(shape_of("abc%"), "Prefix(\"abc\")");
        assert_eq!(shape_of("%abc"), "Suffix(\"abc\")");
        assert_eq!(shape_of("%%abc%%"), "Infix(\"abc\")");
        assert_eq!(shape_of("%%"), "Everything");
        assert_eq!(shape_of("a_c"), "General");
        assert_eq!(shape_of("a%c"), "General");
    }

    #[test]
    fn a_looser_pattern_has_any_text_instead() {
        let pattern = Pattern::parse("ab_c\\\\d%").unwrap();
        let without = |keeps_one| pattern.loosened(|c| !"c\\".contains(c), keeps_one);
        assert_eq!(without(true), Pattern::parse("ab_%d%").unwrap());
        assert_eq!(without(false), Pattern::parse("ab%d%").unwrap());
    }

    #[test]
    fn escapes_make_wildcards_literal() {
        assert_eq!(shape_of(r"50\%%"), "Prefix(\"50%\")");
        assert_eq!(shape_of(r"a\_b\\"), "Equal(\"a_b\\\\\")");
        assert!(Pattern::parse("a\\").is_err());
        let literally = |text: &str| Ok(text.replace('*', "?"));
        let pattern = Pattern::parse(r"a*\%_b%").unwrap();
        assert_eq!(pattern.spelled("*", ".", literally).unwrap(), "a?%.b*");
        assert_eq!(format!("{:?}", Pattern::prefix("").shape()), "Everything");
    }
}

//! Which texts a LIKE pattern matches, and the patterns that other operators amount to.

/// A pattern over whole texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Any text, also none.
    Any,
    /// Any character.
    One,
    Literal(char),
}

impl Pattern {
    /// SQL's LIKE: `%` is any text, `_` any character; with an escape character, what follows it is literal.
    pub(crate) fn like(text: &str, escape: Option<char>) -> Result<Pattern, String> {
        Pattern::wild(text, '%', '_', escape)
    }

    /// A pattern with other signs for any text and any character.
    pub(crate) fn wild(
        text: &str,
        any: char,
        one: char,
        escape: Option<char>,
    ) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(next) = characters.next() {
            pieces.push(match next {
                next if Some(next) == escape => match characters.next() {
                    Some(literal) => Piece::Literal(literal),
                    None => return Err(format!("the pattern '{text}' ends with its escape")),
                },
                next if next == any => Piece::Any,
                next if next == one => Piece::One,
                next => Piece::Literal(next),
            });
        }
        Ok(Pattern(pieces))
    }

    pub(crate) fn contains(part: &str) -> Pattern {
        Pattern::around(part, true, true)
    }

    pub(crate) fn starts_with(part: &str) -> Pattern {
        Pattern::around(part, false, true)
    }

    pub(crate) fn ends_with(part: &str) -> Pattern {
        Pattern::around(part, true, false)
    }

    fn around(part: &str, before: bool, after: bool) -> Pattern {
        let literals = part.chars().map(Piece::Literal);
        let any = |wanted: bool| wanted.then_some(Piece::Any);
        Pattern(
            any(before)
                .into_iter()
                .chain(literals)
                .chain(any(after))
                .collect(),
        )
    }

    pub(crate) fn matches(&self, text: &str, fold_case: bool) -> bool {
        if fold_case {
            let literal = |piece: &Piece| match piece {
                Piece::Literal(letter) => letter.to_lowercase().map(Piece::Literal).collect(),
                other => vec![*other],
            };
            let pieces: Vec<Piece> = self.0.iter().flat_map(literal).collect();
            return matches(&pieces, &text.to_lowercase().chars().collect::<Vec<_>>());
        }
        matches(&self.0, &text.chars().collect::<Vec<_>>())
    }
}

/// Goes back to the last `Any` at a mismatch and lets it take one character more, so that it is quadratic at worst.
fn matches(pieces: &[Piece], text: &[char]) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        match pieces.get(piece) {
            Some(Piece::Any) => {
                retry = Some((piece, at));
                piece += 1;
                continue;
            }
            Some(Piece::One) => {}
            Some(Piece::Literal(letter)) if *letter == text[at] => {}
            _ => match retry {
                Some((any, from)) => {
                    retry = Some((any, from + 1));
                    (piece, at) = (any + 1, from + 1);
                    continue;
                }
                None => return false,
            },
        }
        (piece, at) = (piece + 1, at + 1);
    }
    pieces[piece..].iter().all(|left| *left == Piece::Any)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn like(pattern: &str, text: &str) -> bool {
        Pattern::like(pattern, Some('\\'))
            .unwrap()
            .matches(text, false)
    }

    #[test]
    fn patterns_match_whole_texts() {
        assert!(like("a%c", "abbc") && like("a%c", "ac") && !like("a%c", "acd"));
        assert!(like("_ß_", "aßb") && !like("_", ""));
        assert!(like("%ab%ab", "abxabab") && like("%", "") && like("", ""));
        assert!(like("100\\%", "100%") && !like("100\\%", "100x"));
        assert!(!like("A", "a"));
        assert!(Pattern::like("a\\", Some('\\')).is_err());
        assert!(Pattern::contains("%").matches("a%b", false));
        assert!(!Pattern::contains("%").matches("ab", false));
        assert!(Pattern::starts_with("Ab").matches("aBc", true));
        assert!(!Pattern::ends_with("b").matches("abc", false));
    }
}

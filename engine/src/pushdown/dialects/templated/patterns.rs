//! LIKE patterns → the word that says them (begins with, holds, ends with), and the text that it takes.

use super::family::{Family, Literals};
use crate::model::{Filter, Operator, Word};
use crate::pushdown::pattern::{Part, Pattern, Shape};

/// How a pattern is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) word: Word,
    pub(super) text: String,
    /// It says precisely the pattern; else something wider.
    pub(super) precise: bool,
}

const SENSITIVE: [Word; 3] = [Word::Contains, Word::StartsWith, Word::EndsWith];
const INSENSITIVE: [Word; 3] = [Word::IContains, Word::IStartsWith, Word::IEndsWith];

/// The words that can say a pattern under `filter`, the first one preferred; empty where there is none.
pub(super) fn words(
    operator: Operator,
    filter: &Filter,
    spelled: impl Fn(Word) -> bool,
) -> Vec<Word> {
    let of = |words: &[Word]| -> Vec<Word> {
        words
            .iter()
            .copied()
            .filter(|word| spelled(*word))
            .collect()
    };
    let groups: [&[Word]; 4] = match (operator, filter.operator) {
        (Operator::NotLike, _) => [&[Word::NotLike], &[], &[], &[]],
        (Operator::NotILike, _) => [&[Word::NotILike], &[], &[], &[]],
        (Operator::Like, Operator::Like) => {
            [&[Word::Like], &SENSITIVE, &[Word::ILike], &INSENSITIVE]
        }
        (Operator::Like, Operator::Contains) => [&SENSITIVE, &INSENSITIVE, &[], &[]],
        _ => [&[Word::ILike], &INSENSITIVE, &[], &[]],
    };
    groups
        .into_iter()
        .map(of)
        .find(|words| !words.is_empty())
        .unwrap_or_default()
}

/// Says a pattern with one of `words`; `whole` writes a whole pattern.
///
/// # Errors
/// Why none of them can.
pub(super) fn say(
    family: &dyn Family,
    operator: Operator,
    filter: &Filter,
    words: &[Word],
    pattern: &Pattern,
    whole: &impl Fn(&Pattern) -> Result<(String, bool), String>,
) -> Result<Said, String> {
    let folds_here = operator == Operator::ILike && !filter.exact;
    let loosened = folds_here.then(|| pattern.loosened(folds_alike, false));
    let is_loose = loosened.as_ref().is_some_and(|loose| loose != pattern);
    let wanted = loosened.as_ref().unwrap_or(pattern);
    let ignores_case = |word: Word| word == Word::ILike || INSENSITIVE.contains(&word);
    let mut said = match words {
        [word @ (Word::Like | Word::NotLike | Word::ILike | Word::NotILike)] => {
            let (text, precise) = whole(wanted)?;
            Said {
                word: *word,
                text,
                precise,
            }
        }
        words => literal(family, words, wanted)?,
    };
    let is_another_case = ignores_case(said.word) && (operator == Operator::Like || folds_here);
    said.precise &= !is_loose && !is_another_case;
    Ok(said)
}

/// Characters that differ in case from none but those that every server takes for the same. PostgreSQL
/// lowers the Kelvin sign to `k`, and `İ` to `i` in most locales; another server may not. What is not
/// ASCII it may not fold at all.
fn folds_alike(character: char) -> bool {
    character.is_ascii() && !"iIkK".contains(character)
}

/// The literal part that says most.
fn literal(family: &dyn Family, words: &[Word], pattern: &Pattern) -> Result<Said, String> {
    let wanted = match family.literals() {
        Literals::AreLiteral => pattern.clone(),
        Literals::MayBePatterns => pattern.loosened(|character| character != '\\', true),
    };
    let parts = wanted.parts();
    let mut best: Option<Said> = None;
    for (index, part) in parts.iter().enumerate() {
        let Part::Literal(text) = part else { continue };
        for word in words {
            let place = Place::of(*word);
            let fits = match place {
                Place::Anywhere => true,
                Place::Start => index == 0,
                Place::End => index + 1 == parts.len(),
            };
            let Some(said) = fits.then(|| trimmed(family, place, text)).flatten() else {
                continue;
            };
            let is_all = wanted == *pattern && said == text && place.says(pattern.shape());
            let said = Said {
                word: *word,
                precise: is_all && is_literal(family, said),
                text: said.to_owned(),
            };
            let weight = |said: &Said| (said.precise, said.text.len());
            if best
                .as_ref()
                .is_none_or(|best| weight(&said) > weight(best))
            {
                best = Some(said);
            }
        }
    }
    best.ok_or_else(|| "the pattern has no literal part that the API could look for".to_owned())
}

fn is_literal(family: &dyn Family, text: &str) -> bool {
    family.literals() == Literals::AreLiteral || !text.contains(['%', '_'])
}

/// The text without the white space that the server would drop, unless it then meant something else.
fn trimmed<'a>(family: &dyn Family, place: Place, text: &'a str) -> Option<&'a str> {
    let said = match family.trims() {
        false => text,
        true => text.trim_matches(dropped),
    };
    let moved = match place {
        Place::Anywhere => false,
        Place::Start => text.starts_with(dropped) && family.trims(),
        Place::End => text.ends_with(dropped) && family.trims(),
    };
    (!said.is_empty() && !moved).then_some(said)
}

/// What Python's `str.strip` drops, and more.
pub(super) fn dropped(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// Where a word looks for its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    Start,
    End,
}

impl Place {
    fn of(word: Word) -> Place {
        match word {
            Word::StartsWith | Word::IStartsWith => Place::Start,
            Word::EndsWith | Word::IEndsWith => Place::End,
            _ => Place::Anywhere,
        }
    }

    /// Whether looking there is all that a pattern of this shape asks for.
    fn says(self, shape: Shape) -> bool {
        matches!(
            (self, shape),
            (Place::Anywhere, Shape::Infix(_))
                | (Place::Start, Shape::Prefix(_))
                | (Place::End, Shape::Suffix(_))
        )
    }
}

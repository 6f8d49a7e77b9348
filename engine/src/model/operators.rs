//! The option `operators`: how an API spells each operator, where no dialect does.

use super::{Operator, ParameterTemplate};
use serde::{Deserialize, Serialize};

/// The templates that a table declares; they go before those of its dialect.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Operators(pub Vec<(Word, Spelled)>);

/// How one word is spelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Spelled {
    /// Not at all, though the dialect could.
    Never,
    /// As a parameter.
    Parameter(ParameterTemplate),
    /// As a piece of a JSON document.
    Json(serde_json::Value),
    /// `"merge"`: the members of all arms in one object (`and`, JSON only).
    Merged,
}

impl Operators {
    /// How `word` is spelled, where that is declared.
    pub fn spelled(&self, word: Word) -> Option<&Spelled> {
        let found = self.0.iter().find(|(other, _)| *other == word);
        found.map(|(_, spelled)| spelled)
    }
}

/// What has a spelling of its own: the words of the option `filter`, and some shapes of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Word {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `not_in`
    NotIn,
    /// `like`: a pattern as SQL writes it.
    Like,
    /// `not_like`
    NotLike,
    /// `ilike`
    ILike,
    /// `not_ilike`
    NotILike,
    /// `is_null`
    IsNull,
    /// `is_not_null`
    IsNotNull,
    /// `contains`: holds a text, or contains a JSON value.
    Contains,
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `icontains`: holds a text, without regard to case.
    IContains,
    /// `istarts_with`
    IStartsWith,
    /// `iends_with`
    IEndsWith,
    /// `and` (JSON only)
    And,
    /// `or` (JSON only)
    Or,
}

/// Every word, as it is written.
const WORDS: [(&str, Word); 23] = [
    ("=", Word::Eq),
    ("<>", Word::Ne),
    ("!=", Word::Ne),
    ("<", Word::Lt),
    ("<=", Word::Le),
    (">", Word::Gt),
    (">=", Word::Ge),
    ("in", Word::In),
    ("not_in", Word::NotIn),
    ("like", Word::Like),
    ("not_like", Word::NotLike),
    ("ilike", Word::ILike),
    ("not_ilike", Word::NotILike),
    ("is_null", Word::IsNull),
    ("is_not_null", Word::IsNotNull),
    ("contains", Word::Contains),
    ("starts_with", Word::StartsWith),
    ("ends_with", Word::EndsWith),
    ("icontains", Word::IContains),
    ("istarts_with", Word::IStartsWith),
    ("iends_with", Word::IEndsWith),
    ("and", Word::And),
    ("or", Word::Or),
];

impl Word {
    /// The word as it is written in the option.
    pub fn parse(text: &str) -> Option<Word> {
        let found = WORDS.iter().find(|(name, _)| *name == text);
        found.map(|(_, word)| *word)
    }

    /// Every word's text.
    pub fn all() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(name, _)| *name)
    }

    /// What it takes.
    pub fn takes(self) -> Takes {
        match self {
            Word::In | Word::NotIn => Takes::List,
            Word::IsNull | Word::IsNotNull => Takes::Nothing,
            Word::And | Word::Or => Takes::Arms,
            _ => Takes::Value,
        }
    }
}

/// What an operator is applied to, besides the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One value.
    Value,
    /// A list of values.
    List,
    /// Nothing.
    Nothing,
    /// Other conditions.
    Arms,
}

impl Word {
    /// The word of an operator that a condition is made of; none for `NOT @>`.
    pub fn of(operator: Operator) -> Option<Word> {
        Some(match operator {
            Operator::Eq | Operator::NotDistinct => Word::Eq,
            Operator::Ne | Operator::Distinct => Word::Ne,
            Operator::Lt => Word::Lt,
            Operator::Le => Word::Le,
            Operator::Gt => Word::Gt,
            Operator::Ge => Word::Ge,
            Operator::In => Word::In,
            Operator::NotIn => Word::NotIn,
            Operator::Like | Operator::StartsWith => Word::Like,
            Operator::NotLike | Operator::NotStartsWith => Word::NotLike,
            Operator::ILike => Word::ILike,
            Operator::NotILike => Word::NotILike,
            Operator::IsNull => Word::IsNull,
            Operator::IsNotNull => Word::IsNotNull,
            Operator::Contains => Word::Contains,
            Operator::NotContains => return None,
        })
    }
}

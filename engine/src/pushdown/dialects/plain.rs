//! `plain`: one parameter a condition, as the columns declare.

use super::templated::{Family, Literals};
use crate::model::{Column, Word};

pub(super) struct Plain;

impl Family for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    /// Which operator a parameter has is for the column's declaration to say: its name tells.
    fn template(&self, word: Word) -> Option<&'static str> {
        match word {
            Word::In | Word::NotIn => Some("{name}={values:csv}"),
            Word::IsNull | Word::IsNotNull => Some("{name}=true"),
            Word::StartsWith
            | Word::EndsWith
            | Word::IContains
            | Word::IStartsWith
            | Word::IEndsWith
            | Word::And
            | Word::Or => None,
            _ => Some("{name}={value}"),
        }
    }

    fn column_path(&self, column: &Column, _path: &[&str]) -> Result<Vec<String>, String> {
        Ok(vec![column.name.clone()])
    }

    /// What a column declares here is taken at its word.
    fn compares_exactly(&self) -> bool {
        true
    }

    fn contains_json(&self) -> bool {
        true
    }

    fn literals(&self) -> Literals {
        Literals::MayBePatterns
    }
}

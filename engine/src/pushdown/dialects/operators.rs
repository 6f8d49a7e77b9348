//! `operators` and `json operators`: the table's own templates, and nothing else.

use super::templated::{Document, Family};
use crate::model::Word;

/// Templates of parameters.
pub(super) struct Operators;

/// Templates of JSON documents.
pub(super) struct JsonOperators;

impl Family for Operators {
    fn name(&self) -> &'static str {
        "operators"
    }

    fn template(&self, _word: Word) -> Option<&'static str> {
        None
    }
}

impl Family for JsonOperators {
    fn name(&self) -> &'static str {
        "json operators"
    }

    fn template(&self, _word: Word) -> Option<&'static str> {
        None
    }
}

impl Document for JsonOperators {}

//! `operators`: the table's own templates, and nothing else.

use super::parameters::Family;
use crate::model::Word;

pub(super) struct Operators;

impl Family for Operators {
    fn name(&self) -> &'static str {
        "operators"
    }

    fn template(&self, _word: Word) -> Option<&'static str> {
        None
    }
}

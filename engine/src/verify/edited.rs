//! The option `filter` without what turned out not to be so.

use super::offered::{OPERATORS, Offered};
use crate::model::Operator;

/// What becomes of an operator in the option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It is not declared any more.
    Remove,
    /// It is not `exact` any more.
    Inexact,
}

/// The option's text after an edit; `None` where nothing is left of it.
///
/// `offered` are the comparisons that are sent now: where the column declares none, they are the dialect's own, and
/// the option lists those that stay.
pub fn edited(
    text: Option<&str>,
    offered: &[Offered],
    operator: Operator,
    edit: Edit,
) -> Option<String> {
    let Some(text) = text else {
        let others = offered.iter().filter(|other| other.operator != operator);
        let names: Vec<&str> = others.map(|other| other.name).collect();
        return (!names.is_empty()).then(|| names.join(", "));
    };
    let items = text.split(',').map(str::trim).filter_map(|item| {
        let word = item.split_whitespace().next().unwrap_or_default();
        match edit {
            _ if !names(word, operator) => Some(item.to_owned()),
            Edit::Remove => None,
            Edit::Inexact => Some(without_exact(item)),
        }
    });
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn names(word: &str, operator: Operator) -> bool {
    let word = match word.to_ascii_lowercase() {
        word if word == "!=" => "<>".to_owned(),
        word => word,
    };
    OPERATORS
        .iter()
        .any(|(name, other)| *name == word && *other == operator)
}

/// `exact` comes last, or before `as FORMAT`.
fn without_exact(item: &str) -> String {
    let words: Vec<&str> = item.split_whitespace().collect();
    let end = match words.as_slice() {
        [.., "as", _] => words.len() - 2,
        _ => words.len(),
    };
    let is_exact = |index: usize| index + 1 == end && index > 0 && words[index] == "exact";
    let kept = words
        .iter()
        .enumerate()
        .filter(|(index, _)| !is_exact(*index));
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, operator: Operator, edit: Edit) -> Option<String> {
        edited(Some(text), &[], operator, edit)
    }

    #[test]
    fn an_operator_is_taken_out_or_loses_its_exact() {
        let text = "=, >= since exact as unix, IN ids exact, != not exact";
        assert_eq!(
            after(text, Operator::Ge, Edit::Remove).as_deref(),
            Some("=, IN ids exact, != not exact")
        );
        assert_eq!(
            after(text, Operator::Ge, Edit::Inexact).as_deref(),
            Some("=, >= since as unix, IN ids exact, != not exact")
        );
        assert_eq!(
            after(text, Operator::Ne, Edit::Inexact).as_deref(),
            Some("=, >= since exact as unix, IN ids exact, != not")
        );
        assert_eq!(
            after("= exact", Operator::Eq, Edit::Inexact).as_deref(),
            Some("=")
        );
        assert_eq!(after("= state", Operator::Eq, Edit::Remove), None);
    }
}

//! Which word says a comparison, under which name, and how well.

use super::family::{Family, in_sql};
use super::patterns::{self, Said, dropped};
use crate::model::{
    Column, FieldPath, Filter, OnError, Operator, ParameterTemplate, Role, Spelled, Table, Type,
    Word,
};
use crate::predicate::Value;
use crate::pushdown::dialects::declared::declared;
use crate::pushdown::dialects::spelling::Judged;
use crate::pushdown::pattern::Pattern;

/// The declaration that answers `operator`: its own; for LIKE on text also `contains` (a text that a pattern
/// matches holds each of the pattern's literal parts) and `ilike`.
pub(super) fn filter_for(column: &Column, operator: Operator) -> Result<&Filter, String> {
    let own = declared(column, operator);
    match operator {
        Operator::Like if own.is_err() => declared(column, Operator::Contains)
            .or_else(|_| declared(column, Operator::ILike))
            .or(own),
        _ => own,
    }
}

/// How well a comparison can be said.
///
/// # Errors
/// Why it cannot.
pub(super) fn judged(
    family: &dyn Family,
    table: &Table,
    column: &Column,
    operator: Operator,
) -> Result<Judged, String> {
    let filter = filter_for(column, operator)?;
    path(family, column, filter)?;
    word(family, table, operator, filter)?;
    keeps_rows(family, column, operator, filter)?;
    let is_negative = matches!(operator, Operator::Ne | Operator::NotIn);
    let keeps_nulls = is_negative && family.keeps_nulls() && !column.not_null;
    let is_one_value = column.on_error == OnError::Error;
    Ok(Judged {
        exact: filter.exact && filter.operator == operator && !keeps_nulls && is_one_value,
        format: filter.format.clone(),
    })
}

/// What holds of all servers, and what of those of the family.
fn keeps_rows(
    family: &dyn Family,
    column: &Column,
    operator: Operator,
    filter: &Filter,
) -> Result<(), String> {
    use Operator::{Ne, NotILike, NotIn, NotLike};
    let is_negative = match operator {
        Ne | NotIn => matches!(column.ty, Type::Text | Type::Other),
        NotLike | NotILike => true,
        _ => false,
    };
    if is_negative && !filter.exact && !family.compares_exactly() {
        return Err(format!(
            "a server that ignores case would lose rows under {}; declare the filter exact if this one does not",
            operator.sql()
        ));
    }
    family.keeps_rows(column, operator, filter)
}

/// The parameter's template of a word: the table's own, else the dialect's.
pub(super) fn parameter(
    family: &dyn Family,
    table: &Table,
    word: Word,
) -> Option<ParameterTemplate> {
    match table.operators.spelled(word) {
        Some(Spelled::Parameter(template)) => Some(template.clone()),
        Some(Spelled::Never | Spelled::Json(_) | Spelled::Merged) => None,
        None => ParameterTemplate::parse(family.template(word)?).ok(),
    }
}

/// Whether a word has a spelling.
pub(super) fn is_spelled(family: &dyn Family, table: &Table, word: Word) -> bool {
    match table.operators.spelled(word) {
        Some(spelled) => *spelled != Spelled::Never,
        None => family.template(word).is_some(),
    }
}

/// That the dialect has no word for an operator.
pub(super) fn unspelled(family: &dyn Family, operator: Operator) -> String {
    format!(
        "{} has no spelling in dialect {}",
        operator.sql(),
        family.name()
    )
}

/// The word that says a comparison; for patterns the first of those that may.
pub(super) fn word(
    family: &dyn Family,
    table: &Table,
    operator: Operator,
    filter: &Filter,
) -> Result<Word, String> {
    use Operator::{Contains, ILike, Like, NotILike, NotLike};
    let word = match operator {
        Like | NotLike | ILike | NotILike => pattern_words(family, table, operator, filter)
            .first()
            .copied(),
        // The dialects' own `contains` looks for a text in a text.
        Contains if table.operators.spelled(Word::Contains).is_some() => Some(Word::Contains),
        Contains => family.contains_json().then_some(Word::Contains),
        _ => Word::of(operator),
    };
    word.filter(|word| is_spelled(family, table, *word))
        .ok_or_else(|| unspelled(family, operator))
}

/// The words that say patterns. One whose parameter could be that of another operator, too, is left out: a
/// parameter carries one condition.
fn pattern_words(
    family: &dyn Family,
    table: &Table,
    operator: Operator,
    filter: &Filter,
) -> Vec<Word> {
    let words = patterns::words(operator, filter, |word| is_spelled(family, table, word));
    let names = |word: Word| parameter(family, table, word).map(|template| template.name);
    let is_own = |word: Word| {
        let others = Word::all().filter_map(Word::parse);
        let mut others = others.filter(|other| !words.contains(other));
        names(word).is_none_or(|own| !others.any(|other| names(other).as_ref() == Some(&own)))
    };
    let first = words.first().copied();
    let keep = |word: &Word| Some(*word) == first || is_own(*word);
    words.iter().copied().filter(keep).collect()
}

/// How a pattern is said.
///
/// # Errors
/// Why it cannot be.
pub(super) fn said(
    family: &dyn Family,
    table: &Table,
    operator: Operator,
    filter: &Filter,
    pattern: &Pattern,
) -> Result<Said, String> {
    let words = pattern_words(family, table, operator, filter);
    let is_own = words
        .first()
        .is_some_and(|word| table.operators.spelled(*word).is_some());
    // The dialect's own syntax of patterns is not that of the user's template.
    let whole = |pattern: &Pattern| match is_own {
        true => in_sql(pattern).map(|text| (text, true)),
        false => family.pattern(pattern),
    };
    patterns::say(family, operator, filter, &words, pattern, &whole)
}

/// The names that lead to a column's value at the API: as declared, else those of its path.
///
/// # Errors
/// Why there are none.
pub(super) fn path(
    family: &dyn Family,
    column: &Column,
    filter: &Filter,
) -> Result<Vec<String>, String> {
    let written: Vec<&str> = match (&filter.parameter, &column.role) {
        (Some(name), _) => return Ok(family.declared_path(name)),
        (None, Role::Parameter { name, .. }) => vec![name],
        (None, Role::Field(FieldPath::Default(name))) => vec![name],
        (None, Role::Field(FieldPath::Path(segments))) => {
            segments.iter().map(String::as_str).collect()
        }
        (None, Role::Field(FieldPath::Whole | FieldPath::Key)) => Vec::new(),
    };
    family.column_path(column, &written)
}

/// A value's text as the family writes it, and whether it is wider than the value.
///
/// # Errors
/// Why the API would not understand it.
pub(super) fn text(
    family: &dyn Family,
    column: &Column,
    operator: Operator,
    value: &Value,
) -> Result<(String, bool), String> {
    let (text, widened) = family.value(column, operator, value)?;
    if family.trims() && (text.starts_with(dropped) || text.ends_with(dropped)) {
        return Err("the API would drop the white space around it".to_owned());
    }
    Ok((text, widened))
}

//! What tells one dialect of parameters from another.

use crate::model::{Column, Filter, NullsOrder, Operator, SortStyle, Word};
use crate::predicate::Value;
use crate::pushdown::dialects::standard;
use crate::pushdown::pattern::{Part, Pattern};
use crate::request::write;

/// A dialect of parameters: its templates, and what is known of the servers that speak it.
pub(in crate::pushdown::dialects) trait Family: Sync {
    /// As the option `dialect` names it.
    fn name(&self) -> &'static str;

    /// Its own spelling of a word; those of the option `operators` go before it.
    fn template(&self, word: Word) -> Option<&'static str>;

    /// The names that lead to a column's value there, from the path to it in a row (empty: the whole row, or
    /// its key).
    ///
    /// # Errors
    /// Why there are none.
    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        names(column, path)
    }

    /// The names of a path that the option `filter` declares.
    fn declared_path(&self, name: &str) -> Vec<String> {
        name.split('.').map(str::to_owned).collect()
    }

    /// The names of a path in one.
    fn parameter_name(&self, path: &[String]) -> String {
        path.join(".")
    }

    /// By which name a column's member of a row is asked for, where it can be.
    fn field_name(&self, column: &Column) -> Option<String> {
        standard::field_name(column)
    }

    /// Whether a declared comparison keeps all rows that SQL does.
    ///
    /// # Errors
    /// Why it may lose some.
    fn keeps_rows(
        &self,
        _column: &Column,
        _operator: Operator,
        _filter: &Filter,
    ) -> Result<(), String> {
        Ok(())
    }

    /// Whether its orders put rows with null and rows without the member apart.
    fn tells_nulls_apart(&self) -> bool {
        false
    }

    /// The most values of a list that its servers bear.
    fn max_list_size(&self) -> Option<usize> {
        None
    }

    /// Whether `<>` and NOT IN return the rows without a value, too.
    fn keeps_nulls(&self) -> bool {
        false
    }

    /// Whether equal texts are the same texts at every server of this kind, so that a negation loses none.
    fn compares_exactly(&self) -> bool {
        false
    }

    /// Whether its `contains` is for JSON and arrays, too.
    fn contains_json(&self) -> bool {
        false
    }

    /// What it takes a text for that a column is said to contain, or to begin or end with.
    fn literals(&self) -> Literals {
        Literals::MayBePatterns
    }

    /// Whether white space around a value is dropped.
    fn trims(&self) -> bool {
        false
    }

    /// How an order is written: the parameter, the direction, and how many columns it can have. The
    /// options of the table go before it.
    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("sort", SortStyle::Minus, 1)
    }

    /// Where NULLs stand in its orders, where all servers of this kind agree.
    fn nulls_in_order(&self) -> Option<NullsOrder> {
        None
    }

    /// What the names of parameters begin with that are a tree of conditions, where they are: arms stand below
    /// `[$and][0]` and `[$or][0]`.
    fn tree(&self) -> Option<&'static str> {
        None
    }

    /// A value's text, and whether it is wider than the value.
    ///
    /// # Errors
    /// Why the API would not understand it (rule R4).
    fn value(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let written = write(column, operator, value)?;
        if written.text.is_empty() {
            return Err(EMPTY.to_owned());
        }
        Ok((written.text, written.widened))
    }

    /// The text of a whole pattern (`like`), and whether it says precisely that.
    ///
    /// # Errors
    /// Why there is none.
    fn pattern(&self, pattern: &Pattern) -> Result<(String, bool), String> {
        in_sql(pattern).map(|text| (text, true))
    }
}

/// The names of a path to a column's value; at least one.
///
/// # Errors
/// The column is the whole row, or its key.
pub(in crate::pushdown::dialects) fn names(
    column: &Column,
    path: &[&str],
) -> Result<Vec<String>, String> {
    if path.is_empty() {
        return Err(unnamed(column));
    }
    Ok(path.iter().map(|name| (*name).to_owned()).collect())
}

/// Why a column that is the whole row, or its key, has no name.
pub(in crate::pushdown::dialects) fn unnamed(column: &Column) -> String {
    format!(
        "column \"{}\" has no name at the API; write it after the operator in option \"filter\"",
        column.name
    )
}

/// Why an empty text is not sent.
pub(in crate::pushdown::dialects) const EMPTY: &str = "an API may take an empty text for no filter";

/// What a server takes a literal text for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pushdown::dialects) enum Literals {
    /// For itself.
    AreLiteral,
    /// Perhaps it puts it into a LIKE of its own as it is: `%` and `_` match more than themselves, and a
    /// backslash matches less.
    MayBePatterns,
}

/// The pattern as SQL writes it.
pub(in crate::pushdown::dialects) fn in_sql(pattern: &Pattern) -> Result<String, String> {
    if pattern.parts() == [Part::Any] {
        return Err("the pattern has no literal part".to_owned());
    }
    let text = pattern.spelled("%", "_", |literal| {
        Ok(literal
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_"))
    })?;
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    Ok(text)
}

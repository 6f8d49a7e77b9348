//! `json` (Directus): `filter={"_and":[{"created":{"_gte":1}}]}`.
//!
//! Its filters pass through `parseFilterValue` (packages/utils/shared/parse-filter.ts), which takes some texts
//! for something else, and `_contains` and its kin put their text into LIKE as it is.

mod aggregates;

use super::templated::{Aggregating, Document, Family};
use crate::model::{Column, Operator, SortStyle, Type, Word};
use crate::predicate::Value;
use crate::request::write;

pub(super) struct Directus;

impl Family for Directus {
    fn name(&self) -> &'static str {
        "json"
    }

    /// `_neq` and `_nin` keep NULLs, so `_nnull` stands beside them.
    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => r#"{"{name}": {"_eq": "{value}"}}"#,
            Word::Ne => {
                r#"{"_and": [{"{name}": {"_neq": "{value}"}}, {"{name}": {"_nnull": true}}]}"#
            }
            Word::Lt => r#"{"{name}": {"_lt": "{value}"}}"#,
            Word::Le => r#"{"{name}": {"_lte": "{value}"}}"#,
            Word::Gt => r#"{"{name}": {"_gt": "{value}"}}"#,
            Word::Ge => r#"{"{name}": {"_gte": "{value}"}}"#,
            Word::In => r#"{"{name}": {"_in": "{values}"}}"#,
            Word::NotIn => {
                r#"{"_and": [{"{name}": {"_nin": "{values}"}}, {"{name}": {"_nnull": true}}]}"#
            }
            Word::IsNull => r#"{"{name}": {"_null": true}}"#,
            Word::IsNotNull => r#"{"{name}": {"_nnull": true}}"#,
            Word::Contains => r#"{"{name}": {"_contains": "{value}"}}"#,
            Word::StartsWith => r#"{"{name}": {"_starts_with": "{value}"}}"#,
            Word::EndsWith => r#"{"{name}": {"_ends_with": "{value}"}}"#,
            Word::IContains => r#"{"{name}": {"_icontains": "{value}"}}"#,
            Word::And => r#"{"_and": "{arms}"}"#,
            Word::Or => r#"{"_or": "{arms}"}"#,
            _ => return None,
        })
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("sort", SortStyle::Minus, 8)
    }

    fn value(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let written = write(column, operator, value)?;
        let is_special = ["true", "false", "null", "NULL"].contains(&written.text.as_str())
            || written.text.starts_with('$');
        if is_special && matches!(column.ty, Type::Text | Type::Other) {
            return Err(format!(
                "Directus takes the text \"{}\" for something else",
                written.text
            ));
        }
        Ok((written.text, written.widened))
    }
}

impl Document for Directus {
    fn nests(&self) -> bool {
        true
    }

    fn aggregating(&self) -> Option<&dyn Aggregating> {
        Some(&aggregates::Aggregates)
    }
}

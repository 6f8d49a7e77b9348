//! `brackets`: the operator in brackets after the column's name (Stripe; Strapi).

use super::templated::{Family, names};
use crate::model::{Column, SortStyle, Word};

/// `created[gte]=1`
pub(super) struct Stripe;

/// `filters[created][$gte]=1`
pub(super) struct Strapi;

impl Family for Stripe {
    fn name(&self) -> &'static str {
        "brackets"
    }

    /// Parsers of such lists have a bound: 100 in qs as Strapi configures it.
    fn max_list_size(&self) -> Option<usize> {
        Some(100)
    }

    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => "{name}={value}",
            Word::Ne => "{name}[ne]={value}",
            Word::Lt => "{name}[lt]={value}",
            Word::Le => "{name}[lte]={value}",
            Word::Gt => "{name}[gt]={value}",
            Word::Ge => "{name}[gte]={value}",
            Word::In => "{name}[in][{index}]={values:repeat}",
            _ => return None,
        })
    }

    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        without_brackets(column, path)
    }

    fn parameter_name(&self, path: &[String]) -> String {
        let mut names = path.iter();
        let first = names.next().cloned().unwrap_or_default();
        names.fold(first, |name, deeper| format!("{name}[{deeper}]"))
    }

    fn keeps_nulls(&self) -> bool {
        true
    }
}

/// Strapi puts the literals of `$contains` and its kin into LIKE as they are
/// (packages/core/database, query/helpers/where.ts), and its `$ne` and `$notIn` keep NULLs.
impl Family for Strapi {
    fn name(&self) -> &'static str {
        "brackets strapi"
    }

    /// `arrayLimit` of qs in Strapi's configuration; what is longer is no list there.
    fn max_list_size(&self) -> Option<usize> {
        Some(100)
    }

    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => "filters[{name}][$eq]={value}",
            Word::Ne => "filters[{name}][$ne]={value}",
            Word::Lt => "filters[{name}][$lt]={value}",
            Word::Le => "filters[{name}][$lte]={value}",
            Word::Gt => "filters[{name}][$gt]={value}",
            Word::Ge => "filters[{name}][$gte]={value}",
            Word::In => "filters[{name}][$in][{index}]={values:repeat}",
            Word::NotIn => "filters[{name}][$notIn][{index}]={values:repeat}",
            Word::Contains => "filters[{name}][$contains]={value}",
            Word::StartsWith => "filters[{name}][$startsWith]={value}",
            Word::EndsWith => "filters[{name}][$endsWith]={value}",
            Word::IContains => "filters[{name}][$containsi]={value}",
            Word::IsNull => "filters[{name}][$null]=true",
            Word::IsNotNull => "filters[{name}][$notNull]=true",
            _ => return None,
        })
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("sort", SortStyle::Colon, 8)
    }

    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        without_brackets(column, path)
    }

    fn parameter_name(&self, path: &[String]) -> String {
        path.join("][")
    }

    fn keeps_nulls(&self) -> bool {
        true
    }

    fn tree(&self) -> Option<&'static str> {
        Some("filters")
    }
}

/// A path of at least one name. Parsers of query strings take `a[b]` for a member of a member, so no name
/// may hold a bracket.
fn without_brackets(column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
    let names = names(column, path)?;
    if names.iter().any(|name| name.contains(['[', ']'])) {
        return Err("a name with brackets has no spelling in dialect brackets".to_owned());
    }
    Ok(names)
}

//! `brackets`: the operator in brackets after the column's name (Stripe; Strapi).

use super::parameters::{Family, unnamed};
use crate::model::{Column, SortStyle, Word};

/// `created[gte]=1`
pub(super) struct Stripe;

/// `filters[created][$gte]=1`
pub(super) struct Strapi;

impl Family for Stripe {
    fn name(&self) -> &'static str {
        "brackets"
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

    fn column_name(&self, column: &Column, path: &[&str]) -> Result<String, String> {
        let path = without_brackets(column, path)?;
        let deeper: String = path[1..].iter().map(|name| format!("[{name}]")).collect();
        Ok(format!("{}{deeper}", path[0]))
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

    fn sort_spelling(&self) -> (&'static str, SortStyle) {
        ("sort", SortStyle::Colon)
    }

    fn max_sort_keys(&self) -> usize {
        usize::MAX
    }

    fn column_name(&self, column: &Column, path: &[&str]) -> Result<String, String> {
        without_brackets(column, path).map(|path| path.join("]["))
    }

    /// Names there have no dots: `user.login` is a path.
    fn declared_name(&self, name: &str) -> String {
        name.replace('.', "][")
    }

    fn keeps_nulls(&self) -> bool {
        true
    }
}

/// A path of at least one name. Parsers of query strings take `a[b]` for a member of a member, so no name
/// may hold a bracket.
fn without_brackets<'a>(column: &Column, path: &'a [&'a str]) -> Result<&'a [&'a str], String> {
    if path.is_empty() {
        return Err(unnamed(column));
    }
    if path.iter().any(|name| name.contains(['[', ']'])) {
        return Err("a name with brackets has no spelling in dialect brackets".to_owned());
    }
    Ok(path)
}

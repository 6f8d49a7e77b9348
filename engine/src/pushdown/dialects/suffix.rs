//! `suffix`: the operator at the end of the parameter's name (Django filters; NetBox). json-server has a file
//! of its own.

use super::templated::{EMPTY, Family, Literals};
use crate::model::{Column, Filter, Operator, SortStyle, Type, Word};
use crate::predicate::Value;
use crate::request::write;

/// `created__gte=1`; lists with commas (django-filter's `BaseInFilter`).
pub(super) struct Django;

/// `created__gte=1`; lists as repeated parameters; text patterns without regard to case.
pub(super) struct NetBox;

impl Family for Django {
    fn name(&self) -> &'static str {
        "suffix"
    }

    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => "{name}={value}",
            Word::Lt => "{name}__lt={value}",
            Word::Le => "{name}__lte={value}",
            Word::Gt => "{name}__gt={value}",
            Word::Ge => "{name}__gte={value}",
            Word::In => "{name}__in={values:csv}",
            Word::Contains => "{name}__contains={value}",
            Word::StartsWith => "{name}__startswith={value}",
            Word::EndsWith => "{name}__endswith={value}",
            Word::IContains => "{name}__icontains={value}",
            Word::IsNull => "{name}__isnull=true",
            Word::IsNotNull => "{name}__isnull=false",
            _ => return None,
        })
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("ordering", SortStyle::Minus, 8)
    }

    /// Django's way through relations.
    fn parameter_name(&self, path: &[String]) -> String {
        path.join("__")
    }

    /// `Lookup.prep_for_like_query` of Django's db/backends/base/operations.py escapes wildcards.
    fn literals(&self) -> Literals {
        Literals::AreLiteral
    }

    /// `CharField(strip=True)` of Django's forms, which read the parameters.
    fn trims(&self) -> bool {
        true
    }
}

impl Family for NetBox {
    fn name(&self) -> &'static str {
        "suffix netbox"
    }

    /// `DATA_UPLOAD_MAX_NUMBER_FIELDS` of Django is 1,000 parameters, all together.
    fn max_list_size(&self) -> Option<usize> {
        Some(500)
    }

    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => "{name}={value}",
            Word::Ne => "{name}__n={value}",
            Word::Lt => "{name}__lt={value}",
            Word::Le => "{name}__lte={value}",
            Word::Gt => "{name}__gt={value}",
            Word::Ge => "{name}__gte={value}",
            Word::In => "{name}={values:repeat}",
            Word::NotIn => "{name}__n={values:repeat}",
            Word::IContains => "{name}__ic={value}",
            Word::IStartsWith => "{name}__isw={value}",
            Word::IEndsWith => "{name}__iew={value}",
            Word::IsNull => "{name}__empty=true",
            Word::IsNotNull => "{name}__empty=false",
            _ => return None,
        })
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("ordering", SortStyle::Minus, 8)
    }

    /// Django's way through relations.
    fn parameter_name(&self, path: &[String]) -> String {
        path.join("__")
    }

    /// Its `empty` lookup takes the empty text for no value.
    fn keeps_rows(
        &self,
        column: &Column,
        operator: Operator,
        filter: &Filter,
    ) -> Result<(), String> {
        if operator == Operator::IsNotNull && column.ty == Type::Text && !filter.exact {
            return Err(
                "__empty=false would lose empty texts; declare the filter exact if there are none"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn keeps_nulls(&self) -> bool {
        true
    }

    fn literals(&self) -> Literals {
        Literals::AreLiteral
    }

    fn trims(&self) -> bool {
        true
    }

    /// `null` is django-filter's word for NULL there (setting `FILTERS_NULL_CHOICE_VALUE`).
    fn value(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let written = write(column, operator, value)?;
        match written.text.as_str() {
            "" => Err(EMPTY.to_owned()),
            "null" => Err("the API would take \"null\" for no value".to_owned()),
            _ => Ok((written.text, written.widened)),
        }
    }
}

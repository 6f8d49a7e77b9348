//! A column's `filter` option: what the API can filter on.

use super::definition::ColumnDefinition;
use super::error::OptionError;
use super::format::{fitting, value_format};
use crate::model::{Filter, Operator, ValueFormat};

/// A declared filter whose parameter is still the column's own name where none is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    operator: Operator,
    parameter: Option<String>,
    exact: bool,
    format: Option<ValueFormat>,
}

impl Declared {
    /// The filter of a column.
    pub(super) fn for_column(self, column: &ColumnDefinition) -> Result<Filter, OptionError> {
        Ok(Filter {
            operator: self.operator,
            parameter: self.parameter,
            exact: self.exact,
            format: self
                .format
                .map(|format| fitting(format, column))
                .transpose()?,
        })
    }

    /// Whether it says no more than that the parameter `name` takes the column's value.
    pub(super) fn restates(&self, name: &str) -> bool {
        self.operator == Operator::Eq
            && self.format.is_none()
            && self
                .parameter
                .as_deref()
                .is_none_or(|parameter| parameter == name)
    }
}

/// What a column is declared with that is never filtered on, though the dialect could.
pub(super) const NO_FILTER: &str = "none";

/// A list of `OPERATOR [parameter] [exact] [as FORMAT]`, separated by commas; or `none`.
pub(super) fn filters(option: &str, value: &str) -> Result<Vec<Declared>, OptionError> {
    if value.trim() == NO_FILTER {
        return Ok(Vec::new());
    }
    let mut filters: Vec<Declared> = Vec::new();
    for item in value.split(',') {
        let declared = one(option, item)?;
        if filters
            .iter()
            .any(|other| other.operator == declared.operator)
        {
            return Err(OptionError::invalid(
                option,
                format_args!("the operator of \"{}\" is declared twice", item.trim()),
            ));
        }
        filters.push(declared);
    }
    Ok(filters)
}

fn one(option: &str, item: &str) -> Result<Declared, OptionError> {
    let words: Vec<&str> = item.split_whitespace().collect();
    let (operator_word, rest) = words.split_first().unwrap_or((&"", &[]));
    let operator = operator(option, operator_word)?;
    let (rest, format) = match rest {
        [rest @ .., "as", format] => (rest, Some(value_format(option, format)?)),
        _ => (rest, None),
    };
    let (parameter, exact) = match rest {
        [] => (None, false),
        ["exact"] => (None, true),
        [parameter] => (Some((*parameter).to_owned()), false),
        [parameter, "exact"] => (Some((*parameter).to_owned()), true),
        _ => {
            let reason = format!(
                "\"{}\" is not OPERATOR [parameter] [exact] [as FORMAT]",
                item.trim()
            );
            return Err(OptionError::invalid(option, reason).with_hint(EXAMPLE));
        }
    };
    Ok(Declared {
        operator,
        parameter,
        exact,
        format,
    })
}

const EXAMPLE: &str = "Write a list of OPERATOR [parameter] [exact] [as FORMAT], for example '=, >= created_after exact, in ids'.";

fn operator(option: &str, word: &str) -> Result<Operator, OptionError> {
    match word.to_ascii_lowercase().as_str() {
        "=" => Ok(Operator::Eq),
        "<" => Ok(Operator::Lt),
        "<=" => Ok(Operator::Le),
        ">" => Ok(Operator::Gt),
        ">=" => Ok(Operator::Ge),
        "in" => Ok(Operator::In),
        "<>" | "!=" => Ok(Operator::Ne),
        "not_in" => Ok(Operator::NotIn),
        "like" => Ok(Operator::Like),
        "not_like" => Ok(Operator::NotLike),
        "ilike" => Ok(Operator::ILike),
        "not_ilike" => Ok(Operator::NotILike),
        "is_null" => Ok(Operator::IsNull),
        "is_not_null" => Ok(Operator::IsNotNull),
        "contains" => Ok(Operator::Contains),
        "" => Err(OptionError::invalid(option, "an operator is missing").with_hint(EXAMPLE)),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{word}\" is not an operator"))
                .with_hint(EXAMPLE),
        ),
    }
}

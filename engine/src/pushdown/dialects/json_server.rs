//! `suffix json-server`: json-server 0.17.4.
//!
//! Its lib/server/router/plural.js compares texts and converts what is no text (JavaScript's `toString`, `<=`
//! and `>=`); each operator here was read there and tried against a running server:
//! - `f=v` keeps where `String(row.f) === v`; repeated, any of them. A missing key and null are kept by none of
//!   the operators, `_ne` included.
//! - `f_ne=v`: `String(row.f) !== v`; repeated, none of them.
//! - `f_gte=v`, `f_lte=v`: numbers as doubles; texts by UTF-16 code unit, which is no order of PostgreSQL's.
//! - `f_like=v`: the regular expression `v`, without regard to case, anywhere in the text.
//! - A filter without suffix on a key that no row has is dropped.
//! - A parameter that is repeated more than 20 times filters nothing, or everything: its parser of queries (qs, from 6.14 on)
//!   makes an object of so many.
//! - `_sort` puts null after all values, and rows without the key after those with null.

use super::quoting::{is_unix, same_decimal};
use super::templated::{EMPTY, Family, Literals};
use crate::model::{Column, Filter, NullsOrder, Operator, SortStyle, Type, ValueFormat, Word};
use crate::predicate::Value;
use crate::pushdown::pattern::{Part, Pattern};
use crate::request::write;

pub(super) struct JsonServer;

impl Family for JsonServer {
    fn name(&self) -> &'static str {
        "suffix json-server"
    }

    fn tells_nulls_apart(&self) -> bool {
        true
    }

    fn max_list_size(&self) -> Option<usize> {
        Some(20)
    }

    fn template(&self, word: Word) -> Option<&'static str> {
        Some(match word {
            Word::Eq => "{name}={value}",
            Word::Ne => "{name}_ne={value}",
            Word::Le => "{name}_lte={value}",
            Word::Ge => "{name}_gte={value}",
            Word::In => "{name}={values:repeat}",
            Word::NotIn => "{name}_ne={values:repeat}",
            Word::Like | Word::ILike => "{name}_like={value}",
            // The empty regular expression.
            Word::IsNotNull => "{name}_like=",
            _ => return None,
        })
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("_sort", SortStyle::OrderParam("_order".to_owned()), 8)
    }

    /// `orderBy` of lodash (compareAscending): null and undefined are larger than every value.
    fn nulls_in_order(&self) -> Option<NullsOrder> {
        Some(NullsOrder::High)
    }

    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        let is_one_name = !path.iter().any(|name| name.contains(['.', '[', ']']));
        if path.is_empty() || !is_one_name || is_taken(&path.join(".")) {
            return Err(format!(
                "json-server would take the name of column \"{}\" for something else",
                column.name
            ));
        }
        Ok(path.iter().map(|name| (*name).to_owned()).collect())
    }

    fn keeps_rows(
        &self,
        column: &Column,
        operator: Operator,
        filter: &Filter,
    ) -> Result<(), String> {
        use Operator::{Eq, Ge, In, Le};
        let format = filter.format_of(column);
        match (operator, &column.ty) {
            (Ge | Le, Type::Text | Type::Other) => {
                Err("json-server orders texts by UTF-16 code unit".to_owned())
            }
            (Ge | Le, Type::Date | Type::Timestamp | Type::TimestampTz)
                if !is_unix(format) && !filter.exact =>
            {
                Err("json-server compares texts; declare the filter exact if the texts of these times sort as the times".to_owned())
            }
            (Eq | In, Type::Timestamp | Type::TimestampTz | Type::Uuid | Type::Other)
                if matches!(format, None | Some(ValueFormat::Rfc3339)) && !filter.exact =>
            {
                Err("json-server compares texts, and this type has several for one value; declare a format, or the filter exact".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn compares_exactly(&self) -> bool {
        true
    }

    fn literals(&self) -> Literals {
        Literals::AreLiteral
    }

    /// Numbers as JavaScript writes them.
    fn value(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let written = write(column, operator, value)?;
        let is_number = matches!(
            column.ty,
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Float8 | Type::Numeric
        );
        if is_number {
            return javascript_number(&written.text, operator);
        }
        if written.text.is_empty() && column.ty != Type::Text {
            return Err(EMPTY.to_owned());
        }
        Ok((written.text, written.widened))
    }

    fn pattern(&self, pattern: &Pattern) -> Result<(String, bool), String> {
        regular_expression(pattern).map(|text| (text, false))
    }
}

/// Parameters that filter nothing, and names that end as its operators do.
fn is_taken(name: &str) -> bool {
    const OWN: [&str; 11] = [
        "q", "_start", "_end", "_page", "_sort", "_order", "_limit", "_embed", "_expand",
        "callback", "_",
    ];
    let endings = ["_lte", "_gte", "_ne", "_like"];
    OWN.contains(&name) || endings.iter().any(|ending| name.ends_with(ending))
}

/// A number's text as JavaScript's Number::toString gives it (ECMA-262, section 6.1.6.1.20), and whether it
/// is wider than the number: a bound is rounded to a double as the rows were, which keeps their order. No
/// row is equal to what is no double, so such an equality is not worth a request of its own.
fn javascript_number(text: &str, operator: Operator) -> Result<(String, bool), String> {
    let number: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if !number.is_finite() {
        return Err("it is larger than every number there".to_owned());
    }
    let magnitude = number.abs();
    let written = if magnitude == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&magnitude) {
        format!("{number}")
    } else {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
            _ => text,
        }
    };
    let is_same = written == text || same_decimal(&written, text);
    if !is_same && !operator.is_range() {
        return Err("json-server's numbers are doubles, and this is none".to_owned());
    }
    Ok((written, !is_same))
}

/// A pattern as a regular expression of JavaScript without flag u: its characters are UTF-16 code units, so
/// that `_` takes one or two. It ignores case, so it is wider than the pattern.
fn regular_expression(pattern: &Pattern) -> Result<String, String> {
    if pattern.parts() == [Part::Any] {
        return Ok(String::new());
    }
    let body = pattern.spelled("[\\s\\S]*", "[\\s\\S]{1,2}", |literal| {
        let mut text = String::new();
        for character in literal.chars() {
            if "\\^$.*+?()[]{}|/".contains(character) {
                text.push('\\');
            }
            text.push(character);
        }
        Ok(text)
    })?;
    Ok(format!("^{body}$"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn numbers_are_those_of_javascript() {
        for (text, expected) in [
            ("0", "0"),
            ("-5", "-5"),
            ("1e21", "1e+21"),
            ("123456789012345680000", "123456789012345680000"),
            ("1000000000000000000000", "1e+21"),
            ("0.00000015", "1.5e-7"),
            ("1e-6", "0.000001"),
            ("5e-324", "5e-324"),
        ] {
            let (written, widened) = javascript_number(text, Operator::Eq).unwrap();
            assert_eq!((written.as_str(), widened), (expected, false), "{text}");
        }
        let long = "0.10000000000000000000000000001";
        assert!(javascript_number(long, Operator::Eq).is_err());
        assert_eq!(
            javascript_number(long, Operator::Ge),
            Ok(("0.1".to_owned(), true))
        );
    }

    #[test]
    fn patterns_become_regular_expressions() {
        for (pattern, expected) in [
            ("a.b%", r"^a\.b[\s\S]*$"),
            ("%(x|y)_", r"^[\s\S]*\(x\|y\)[\s\S]{1,2}$"),
            ("", "^$"),
            ("%", ""),
            (r"50\%\\", r"^50%\\$"),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            assert_eq!(regular_expression(&pattern).unwrap(), expected);
        }
    }
}

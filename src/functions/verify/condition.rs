//! Conditions on a column, as SQL.

use crate::functions::sql;
use rest_engine::model::{Column, Operator, Type};
use rest_engine::verify::Compared;

/// The table in queries, and the rows of its sample: names that no column has.
pub(super) const ROW: &str = "rest_fdw_row";
pub(super) const SAMPLED: &str = "rest_fdw_sampled";

/// A condition on a column of `alias`, as SQL; without one, for readers.
pub(super) fn condition(
    column: &Column,
    operator: Operator,
    compared: &Compared,
    alias: &str,
) -> String {
    let name = sql::identifier(&column.name);
    let side = match alias {
        "" => name,
        alias => format!("{alias}.{name}"),
    };
    // An untyped literal takes the column's type. Text has one order for all: that of its bytes.
    let collation = if operator.is_range() && column.ty == Type::Text {
        " COLLATE \"C\""
    } else {
        ""
    };
    match compared {
        Compared::Nothing => format!("{side} {}", operator.sql()),
        Compared::Value(text) => format!(
            "{side} {} {}{collation}",
            operator.sql(),
            sql::literal(text)
        ),
        Compared::List(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| sql::literal(text)).collect();
            format!("{side} {} ({})", operator.sql(), texts.join(", "))
        }
        Compared::Pattern(pattern) => {
            let word = match operator {
                Operator::Contains => "LIKE",
                operator => operator.sql(),
            };
            format!("{side} {word} {}", sql::literal(pattern))
        }
    }
}

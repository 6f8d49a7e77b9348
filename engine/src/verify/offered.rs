//! Which comparisons of a column a table sends: those that the column declares, and those of its dialect.

use crate::model::{Column, Operator, Table, Type};
use crate::predicate::Semantics;
use crate::pushdown;

/// A comparison that is sent to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The comparison.
    pub operator: Operator,
    /// As the option `filter` names it.
    pub name: &'static str,
    /// The column declares it; else it is the dialect's own.
    pub declared: bool,
    /// The API is believed to return precisely the rows of SQL.
    pub exact: bool,
}

/// Every operator of the option `filter`, with its name there.
pub(super) const OPERATORS: [(&str, Operator); 15] = [
    ("=", Operator::Eq),
    ("<>", Operator::Ne),
    ("<", Operator::Lt),
    ("<=", Operator::Le),
    (">", Operator::Gt),
    (">=", Operator::Ge),
    ("in", Operator::In),
    ("not_in", Operator::NotIn),
    ("like", Operator::Like),
    ("not_like", Operator::NotLike),
    ("ilike", Operator::ILike),
    ("not_ilike", Operator::NotILike),
    ("is_null", Operator::IsNull),
    ("is_not_null", Operator::IsNotNull),
    ("contains", Operator::Contains),
];

/// The comparisons of a column; none of a parameter column, whose value is an input.
pub fn offered(table: &Table, column: &Column) -> Vec<Offered> {
    if column.is_input() {
        return Vec::new();
    }
    let found = OPERATORS.iter().filter_map(|(name, operator)| {
        let declared = column
            .filters
            .iter()
            .find(|filter| filter.operator == *operator);
        // A text that contains another one is asked for by LIKE.
        let asked = match (operator, &column.ty) {
            (Operator::Contains, Type::Text) => {
                declared?;
                Operator::Like
            }
            (Operator::Like, Type::Text)
                if declared.is_none() && declares(column, Operator::Contains) =>
            {
                return None;
            }
            (operator, _) => *operator,
        };
        let semantics = Semantics {
            collation_is_c: true,
            deterministic: true,
        };
        let exact = pushdown::answers(table, column, asked, semantics)?;
        Some(Offered {
            operator: *operator,
            name,
            declared: declared.is_some(),
            exact,
        })
    });
    found.collect()
}

fn declares(column: &Column, operator: Operator) -> bool {
    column
        .filters
        .iter()
        .any(|filter| filter.operator == operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::options::fixture;

    fn names(table: &[(&str, &str)], ty: Type, options: &[(&str, &str)]) -> Vec<String> {
        let table = fixture::table(&[], table, &[("c", ty, options)]);
        let shown = |offered: Offered| {
            let exact = if offered.exact { " exact" } else { "" };
            let own = if offered.declared { "" } else { " (dialect)" };
            format!("{}{exact}{own}", offered.name)
        };
        offered(&table, &table.columns[0])
            .into_iter()
            .map(shown)
            .collect()
    }

    #[test]
    fn what_a_column_declares_is_sent_and_nothing_else() {
        let none: [&str; 0] = [];
        assert_eq!(names(&[], Type::Text, &[]), none);
        assert_eq!(names(&[], Type::Text, &[("param", "c")]), none);
        assert_eq!(
            names(&[], Type::Int8, &[("filter", "=, >= since exact, in ids")]),
            ["=", ">= exact", "in"]
        );
        assert_eq!(
            names(&[], Type::Text, &[("filter", "contains q")]),
            ["contains"]
        );
    }

    #[test]
    fn a_dialect_has_filters_of_its_own() {
        let postgrest = [("dialect", "postgrest")];
        let found = names(&postgrest, Type::Int8, &[]);
        assert_eq!(found[..2], ["= exact (dialect)", "<> exact (dialect)"]);
        assert!(
            found.contains(&"is_null exact (dialect)".to_owned()),
            "{found:?}"
        );
        assert_eq!(
            names(&postgrest, Type::Int8, &[("filter", "= exact")]),
            ["= exact"]
        );
        let none: [&str; 0] = [];
        assert_eq!(names(&postgrest, Type::Int8, &[("filter", "none")]), none);
    }
}

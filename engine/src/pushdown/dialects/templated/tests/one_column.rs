//! Tables of one column, and values for it.

use crate::model::options::fixture::TestColumn;
use crate::model::{Table, Type};
use crate::predicate::Value;
use crate::pushdown::dialects::trial::in_dialect;

/// Filters, all of them exact.
pub(super) const ALL_EXACT: &str = "= exact, <> exact, < exact, <= exact, > exact, >= exact, in exact, not_in exact, like exact, ilike exact, is_null exact, is_not_null exact";

/// A column `x` of a table in `dialect`.
pub(super) fn column(dialect: &str, ty: Type, filter: &str) -> Table {
    let declared = [("filter", filter)];
    let x: TestColumn = ("x", ty, &declared);
    in_dialect(dialect, &[], &[x])
}

pub(super) fn ints(list: &[i64]) -> Value {
    Value::List(list.iter().copied().map(Value::Int).collect())
}

//! How many requests the conditions of a scan are expected to become, before the query runs.

use super::condition::{Condition, Leaf};
use super::dialects::max_list_size;
use super::terms::{Form, resolve};
use super::verdict::Sent;
use crate::model::{Operator, Table};
use crate::predicate::Value;

/// Values that a list has whose length is not known yet, as PostgreSQL expects of arrays.
const UNKNOWN_LIST: f64 = 10.0;

/// The requests that `sent` is expected to become, each with pages of its own: more than one where lists
/// are split. `constants` holds the values of the operands that are known.
pub fn expected_requests(table: &Table, sent: &[Sent], constants: &[Option<Value>]) -> f64 {
    let lists = sent.iter().filter_map(|sent| match &sent.condition {
        Condition::Test(leaf) if leaf.operator == Operator::In => Some(leaf),
        _ => None,
    });
    lists
        .map(|leaf| (values(leaf, constants) / values_a_request(table, leaf)).ceil())
        .map(|requests| requests.max(1.0))
        .product()
}

fn values(leaf: &Leaf, constants: &[Option<Value>]) -> f64 {
    let count = |operand: &usize| match constants.get(*operand) {
        Some(Some(Value::List(values))) => values.len() as f64,
        Some(Some(_)) => 1.0,
        // With several operands each is a value: only an array stands alone.
        _ if leaf.operands.len() > 1 => 1.0,
        _ => UNKNOWN_LIST,
    };
    leaf.operands.iter().map(count).sum()
}

/// How many values of the list `leaf` one request carries: 1 where there is a request for each, infinity where nothing
/// but the length of the URL bounds them.
pub fn values_a_request(table: &Table, leaf: &Leaf) -> f64 {
    let column = &table.columns[leaf.column];
    let is_single = column.is_input()
        || resolve(table, column, Operator::In)
            .is_ok_and(|resolved| resolved.form == Form::Requests);
    match max_list_size(table) {
        _ if is_single => 1.0,
        Some(most) => most as f64,
        None => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Type;
    use crate::model::options::fixture;
    use crate::predicate::Semantics;

    fn expected(filter: (&str, &str), options: &[(&str, &str)], operands: &[Option<Value>]) -> f64 {
        let table = fixture::table(&[], options, &[("id", Type::Int4, &[filter])]);
        let condition = Condition::Test(Leaf {
            column: 0,
            operator: Operator::In,
            operands: (0..operands.len()).collect(),
            semantics: Semantics {
                collation_is_c: true,
                deterministic: true,
            },
            or_unknown: false,
        });
        let sent = Sent {
            predicate: 0,
            exact: true,
            condition,
        };
        expected_requests(&table, &[sent.clone(), sent], operands).sqrt()
    }

    fn list(count: i64) -> Option<Value> {
        Some(Value::List((0..count).map(Value::Int).collect()))
    }

    #[test]
    fn a_list_that_the_api_takes_is_one_request() {
        assert_eq!(expected(("filter", "in ids"), &[], &[list(1000)]), 1.0);
        assert_eq!(expected(("filter", "in ids"), &[], &[None]), 1.0);
    }

    #[test]
    fn a_list_longer_than_the_api_takes_is_several() {
        let most = [("max_list_size", "100")];
        assert_eq!(expected(("filter", "in ids"), &most, &[list(1000)]), 10.0);
        assert_eq!(expected(("filter", "in ids"), &most, &[list(1001)]), 11.0);
    }

    #[test]
    fn else_there_is_one_request_a_value() {
        assert_eq!(expected(("filter", "="), &[], &[list(7)]), 7.0);
        assert_eq!(expected(("filter", "="), &[], &[list(0)]), 1.0);
        assert_eq!(expected(("filter", "="), &[], &[None]), UNKNOWN_LIST);
        assert_eq!(
            expected(("filter", "="), &[], &[None, None, Some(Value::Int(1))]),
            3.0
        );
        assert_eq!(expected(("param", "id"), &[], &[list(7)]), 7.0);
    }
}

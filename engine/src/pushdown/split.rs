//! Whether a scan may become several requests, whose rows come in no common order.

use super::condition::{Condition, Leaf};
use super::expression::Outcome;
use super::instance::instantiate;
use super::terms::{Form, alternatives, resolve};
use super::verdict::Sent;
use crate::model::{Operator, Table};
use crate::predicate::Value;
use crate::request::Operand;

#[cfg(test)]
mod tests;

/// Whether what is sent may need more than one request. `constants` holds the values of the operands that
/// are known before the query runs; a list that is not known may be of any length.
pub fn may_split(table: &Table, sent: &[Sent], constants: &[Option<Value>]) -> bool {
    sent.iter().any(|sent| match &sent.condition {
        Condition::Test(leaf) if leaf.operator == Operator::In => {
            list_may_split(table, leaf, constants)
        }
        // Only a list at the top is split.
        _ => false,
    })
}

fn list_may_split(table: &Table, leaf: &Leaf, constants: &[Option<Value>]) -> bool {
    let mut operands = vec![Operand::Value(Value::Null); constants.len()];
    for index in &leaf.operands {
        match constants.get(*index) {
            Some(Some(value)) => operands[*index] = Operand::Value(value.clone()),
            _ => return true,
        }
    }
    let column = &table.columns[leaf.column];
    let one_request_a_value = column.is_input()
        || resolve(table, column, leaf.operator)
            .is_ok_and(|resolved| resolved.form == Form::Requests);
    let condition = Condition::Test(leaf.clone());
    match instantiate(&condition, &operands, &|_| true) {
        Ok(Outcome::Depends(_)) if one_request_a_value => values(leaf, &operands) > 1,
        Ok(Outcome::Depends(expression)) => {
            alternatives(table, &expression).is_ok_and(|found| found.list.len() > 1)
        }
        // No request, or nothing that is sent.
        Ok(Outcome::Always | Outcome::Never) | Err(_) => false,
    }
}

/// Values of a list, duplicates counted.
fn values(leaf: &Leaf, operands: &[Operand]) -> usize {
    let count = |index: &usize| match &operands[*index] {
        Operand::Value(Value::List(elements)) => elements.len(),
        Operand::Value(_) | Operand::Placeholder(_) => 1,
    };
    leaf.operands.iter().map(count).sum()
}

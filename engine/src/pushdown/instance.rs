//! Conditions and operands → conditions with values; NULLs are resolved here (three-valued logic).

use super::condition::{Condition, KnownValue, Leaf};
use super::expression::{Expression, Given, Outcome, Test};
use super::pattern::Pattern;
use crate::model::Operator;
use crate::predicate::Value;
use crate::request::Operand;

/// Puts the operands' values into a condition. `nullable` says of a column whether it can be NULL.
///
/// # Errors
/// Why, in a user's words, a value cannot be compared with (a malformed pattern).
pub(crate) fn instantiate(
    condition: &Condition,
    operands: &[Operand],
    nullable: &impl Fn(usize) -> bool,
) -> Result<Outcome, String> {
    match condition {
        Condition::Test(leaf) => comparison(leaf, operands, nullable),
        // What EXPLAIN does not know yet, it leaves out.
        Condition::Known(known) => Ok(truth(known, operands)?.unwrap_or(Outcome::Always)),
        Condition::All(parts) => {
            let outcomes = each(parts, operands, nullable)?;
            Ok(all(outcomes))
        }
        Condition::Any(parts) => {
            let mut outcomes = Vec::with_capacity(parts.len());
            for part in parts {
                match part {
                    Condition::Known(known) => outcomes.extend(truth(known, operands)?),
                    part => outcomes.push(instantiate(part, operands, nullable)?),
                }
            }
            Ok(any(outcomes))
        }
    }
}

/// What a truth value makes of its condition; `None` where EXPLAIN does not know it.
fn truth(known: &KnownValue, operands: &[Operand]) -> Result<Option<Outcome>, String> {
    let holds = match operands.get(known.operand) {
        Some(Operand::Placeholder(_)) => return Ok(None),
        Some(Operand::Value(Value::Bool(value))) => *value == known.wanted,
        Some(Operand::Value(Value::Null)) => known.or_unknown,
        _ => return Err("its truth value is missing".to_owned()),
    };
    Ok(Some(if holds {
        Outcome::Always
    } else {
        Outcome::Never
    }))
}

fn each(
    parts: &[Condition],
    operands: &[Operand],
    nullable: &impl Fn(usize) -> bool,
) -> Result<Vec<Outcome>, String> {
    parts
        .iter()
        .map(|part| instantiate(part, operands, nullable))
        .collect()
}

fn all(outcomes: Vec<Outcome>) -> Outcome {
    let mut parts = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Never => return Outcome::Never,
            Outcome::Always => {}
            Outcome::Depends(Expression::All(inner)) => parts.extend(inner),
            Outcome::Depends(part) => parts.push(part),
        }
    }
    match parts.len() {
        0 => Outcome::Always,
        1 => Outcome::Depends(parts.remove(0)),
        _ => Outcome::Depends(Expression::All(parts)),
    }
}

fn any(outcomes: Vec<Outcome>) -> Outcome {
    let mut arms = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Always => return Outcome::Always,
            Outcome::Never => {}
            Outcome::Depends(Expression::Any(inner)) => arms.extend(inner),
            Outcome::Depends(arm) => arms.push(arm),
        }
    }
    match arms.len() {
        0 => Outcome::Never,
        1 => Outcome::Depends(arms.remove(0)),
        _ => Outcome::Depends(Expression::Any(arms)),
    }
}

fn comparison(
    leaf: &Leaf,
    operands: &[Operand],
    nullable: &impl Fn(usize) -> bool,
) -> Result<Outcome, String> {
    use Operator::{In, IsNotNull, IsNull, NotIn};
    let outcome = match leaf.operator {
        IsNull | IsNotNull => test(leaf, leaf.operator, Given::Nothing),
        In | NotIn => list(leaf, operands),
        _ => match single(leaf, operands)? {
            Operand::Placeholder(name) => placeholder(leaf, name),
            Operand::Value(Value::Null) => of_null(leaf),
            Operand::Value(value) => of_value(leaf, value)?,
        },
    };
    // A comparison with an empty list is not unknown, not even for a NULL.
    if leaf.or_unknown && nullable(leaf.column) && matches!(outcome, Outcome::Depends(_)) {
        return Ok(any(vec![outcome, test(leaf, IsNull, Given::Nothing)]));
    }
    Ok(outcome)
}

fn single<'a>(leaf: &Leaf, operands: &'a [Operand]) -> Result<&'a Operand, String> {
    let operand = leaf.operands.first().and_then(|index| operands.get(*index));
    operand.ok_or_else(|| "its value is missing".to_owned())
}

/// A comparison with NULL is unknown for every row.
fn of_null(leaf: &Leaf) -> Outcome {
    match leaf.operator {
        Operator::Distinct => test(leaf, Operator::IsNotNull, Given::Nothing),
        Operator::NotDistinct => test(leaf, Operator::IsNull, Given::Nothing),
        _ if leaf.or_unknown => Outcome::Always,
        _ => Outcome::Never,
    }
}

fn of_value(leaf: &Leaf, value: &Value) -> Result<Outcome, String> {
    use Operator::{ILike, Like, NotILike, NotLike, NotStartsWith, StartsWith};
    let text = match value {
        Value::Text(text) | Value::Other(text) => text.as_str(),
        _ => "",
    };
    Ok(match leaf.operator {
        Operator::Distinct => any(vec![
            test(leaf, Operator::Ne, Given::Value(value.clone())),
            test(leaf, Operator::IsNull, Given::Nothing),
        ]),
        Operator::NotDistinct => test(leaf, Operator::Eq, Given::Value(value.clone())),
        StartsWith => test(leaf, Like, Given::Pattern(Pattern::prefix(text))),
        NotStartsWith => test(leaf, NotLike, Given::Pattern(Pattern::prefix(text))),
        Like | NotLike | ILike | NotILike => {
            test(leaf, leaf.operator, Given::Pattern(Pattern::parse(text)?))
        }
        Operator::Contains | Operator::NotContains if matters_not(value) => {
            parts_that_matter_not(leaf, value)
        }
        operator => test(leaf, operator, Given::Value(value.clone())),
    })
}

/// Whether the values to be contained do not depend on which they are: none, or a NULL among them.
fn matters_not(value: &Value) -> bool {
    matches!(value, Value::List(elements) if elements.is_empty() || elements.contains(&Value::Null))
}

/// Every array contains the empty one, and none contains a NULL.
fn parts_that_matter_not(leaf: &Leaf, value: &Value) -> Outcome {
    let is_empty = matches!(value, Value::List(elements) if elements.is_empty());
    if is_empty == (leaf.operator == Operator::Contains) {
        test(leaf, Operator::IsNotNull, Given::Nothing)
    } else {
        Outcome::Never
    }
}

/// What EXPLAIN shows for a value that is not known yet.
fn placeholder(leaf: &Leaf, name: &str) -> Outcome {
    let given = Given::Placeholder(name.to_owned());
    match leaf.operator {
        Operator::Distinct => any(vec![
            test(leaf, Operator::Ne, given),
            test(leaf, Operator::IsNull, Given::Nothing),
        ]),
        Operator::NotDistinct => test(leaf, Operator::Eq, given),
        Operator::StartsWith => test(leaf, Operator::Like, given),
        Operator::NotStartsWith => test(leaf, Operator::NotLike, given),
        operator => test(leaf, operator, given),
    }
}

/// A list: its NULLs are equal to nothing, and different from nothing either.
fn list(leaf: &Leaf, operands: &[Operand]) -> Outcome {
    let mut values = Vec::new();
    for operand in leaf
        .operands
        .iter()
        .filter_map(|index| operands.get(*index))
    {
        match operand {
            Operand::Placeholder(name) => {
                return test(leaf, leaf.operator, Given::Placeholder(name.clone()));
            }
            Operand::Value(Value::List(elements)) => values.extend(elements.iter().cloned()),
            // A whole list that is NULL, or one value of an OR.
            Operand::Value(value) => values.push(value.clone()),
        }
    }
    let all = values.len();
    values.retain(|value| *value != Value::Null);
    let has_null = values.len() < all;
    match leaf.operator {
        Operator::In if has_null && leaf.or_unknown => Outcome::Always,
        Operator::In if values.is_empty() => Outcome::Never,
        Operator::NotIn if has_null && !leaf.or_unknown => Outcome::Never,
        Operator::NotIn if values.is_empty() => Outcome::Always,
        operator => test(leaf, operator, Given::List(values)),
    }
}

fn test(leaf: &Leaf, operator: Operator, given: Given) -> Outcome {
    Outcome::Depends(Expression::Test(Test {
        column: leaf.column,
        operator,
        given,
        semantics: leaf.semantics,
    }))
}

//! Whether conditions are sent precisely, and in one request, whatever values come when the query runs.
//!
//! An aggregate cannot be checked again: a condition that stays behind for one value would make it wrong.

use super::super::condition::Condition;
use super::super::contradiction::is_contradiction;
use super::super::expression::Outcome;
use super::super::instance::instantiate;
use super::super::terms::alternatives;
use super::super::verdict::Sent;
use crate::model::{Operator, Table, Type};
use crate::predicate::Value;
use crate::request::Operand;

/// What is known of an operand before the query runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Its value.
    Value(Value),
    /// Only its type.
    Type(Type),
}

/// `Ok` where every value that the operands can have is sent as it is. Values that are not known yet are
/// tried by those of their type that are hardest to write.
///
/// # Errors
/// Why, in a user's words, that is not certain.
pub fn certain(table: &Table, sent: &[Sent], operands: &[Known]) -> Result<(), String> {
    for sent in sent {
        let leaves = sent.condition.leaves();
        if let Some(input) = leaves
            .iter()
            .find(|leaf| table.columns[leaf.column].is_input())
        {
            if input.operator == Operator::Eq {
                continue;
            }
            return Err("a list of inputs becomes several requests".to_owned());
        }
        let used = sent.condition.operands();
        let mut trials: Vec<Vec<Value>> = vec![vec![Value::Null]; operands.len()];
        for index in &used {
            trials[*index] = values(operands.get(*index).ok_or("its value is missing")?)?;
        }
        let is_bounded = |index: &usize| match &operands[*index] {
            Known::Value(_) => true,
            Known::Type(ty) => of_type(ty, 0, true).is_some(),
        };
        if !used.iter().all(is_bounded) && leaves.iter().any(|leaf| leaf.operands.len() > 1) {
            return Err(SEVERAL.to_owned());
        }
        let known = truth_values(&sent.condition);
        for assignment in assignments(&known)? {
            for (operand, value) in known.iter().zip(assignment) {
                trials[*operand] = vec![value];
            }
            for shortest in [true, false] {
                let values = different(&trials, &used, operands, &known, shortest);
                is_one_request(table, &sent.condition, &values)?;
            }
            let rounds = trials.iter().map(Vec::len).max().unwrap_or(1);
            for round in 0..rounds {
                let values = trials.iter().map(|values| &values[round % values.len()]);
                let values: Vec<Operand> = values.cloned().map(Operand::Value).collect();
                is_one_request(table, &sent.condition, &values)?;
            }
        }
    }
    Ok(())
}

/// Why a list is not certain to be asked for at once.
const SEVERAL: &str = "a list becomes several requests";

/// Values that are all different where they are not known, but for the `fixed` ones: a list may be of as many.
fn different(
    trials: &[Vec<Value>],
    used: &[usize],
    operands: &[Known],
    fixed: &[usize],
    shortest: bool,
) -> Vec<Operand> {
    let mut values: Vec<Value> = trials.iter().map(|trials| trials[0].clone()).collect();
    for (number, index) in used.iter().enumerate() {
        if let (Known::Type(ty), false) = (&operands[*index], fixed.contains(index))
            && let Some(value) = of_type(ty, number, shortest)
        {
            values[*index] = value;
        }
    }
    values.into_iter().map(Operand::Value).collect()
}

/// A value of a type whose values are not longer than others; another one for each number. The shortest integers
/// are in the range of all types.
fn of_type(ty: &Type, number: usize, shortest: bool) -> Option<Value> {
    let least = match ty {
        Type::Int2 => i64::from(i16::MIN),
        Type::Int4 if !shortest => i64::from(i32::MIN),
        Type::Int8 if !shortest => i64::MIN,
        Type::Int4 | Type::Int8 => i64::from(i16::MIN),
        Type::Uuid => {
            let mut uuid = [0xff; 16];
            uuid[..8].copy_from_slice(&(number as u64).to_be_bytes());
            return Some(Value::Uuid(uuid));
        }
        Type::Bool => return Some(Value::Bool(number.is_multiple_of(2))),
        _ => return None,
    };
    Some(Value::Int(least + number as i64))
}

/// The operands that are truth values without columns, each once.
fn truth_values(condition: &Condition) -> Vec<usize> {
    let mut found = match condition {
        Condition::Test(_) => Vec::new(),
        Condition::Known(known) => vec![known.operand],
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().flat_map(truth_values).collect()
        }
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// More truth values have too many combinations.
const MOST_TRUTH_VALUES: usize = 5;

/// All that these operands can be: what one of them opens, another one may close.
fn assignments(operands: &[usize]) -> Result<Vec<Vec<Value>>, String> {
    if operands.len() > MOST_TRUTH_VALUES {
        return Err("too much of it shows when the query runs".to_owned());
    }
    let values = [Value::Bool(false), Value::Bool(true), Value::Null];
    let with_one_more = |all: Vec<Vec<Value>>| {
        let more = |before: &Vec<Value>| {
            values
                .clone()
                .map(|value| [before.as_slice(), &[value]].concat())
        };
        all.iter().flat_map(more).collect()
    };
    Ok(operands
        .iter()
        .fold(vec![Vec::new()], |all, _| with_one_more(all)))
}

fn is_one_request(
    table: &Table,
    condition: &Condition,
    operands: &[Operand],
) -> Result<(), String> {
    let nullable = |column: usize| !table.columns[column].not_null;
    match instantiate(condition, operands, &nullable)? {
        Outcome::Always | Outcome::Never => Ok(()),
        Outcome::Depends(expression) if is_contradiction(table, &[&expression]) => Ok(()),
        Outcome::Depends(expression) => {
            let found = alternatives(table, &expression)?;
            match (found.precise, found.list.len()) {
                (true, 0 | 1) => Ok(()),
                (true, _) => Err(SEVERAL.to_owned()),
                (false, _) => Err("the API can only be asked for more rows".to_owned()),
            }
        }
    }
}

/// The value, or values of the type: if these can be written, all can.
fn values(known: &Known) -> Result<Vec<Value>, String> {
    let ty = match known {
        Known::Value(value) => return Ok(vec![value.clone()]),
        Known::Type(ty) => ty,
    };
    let mut values = match ty {
        Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
        Type::Int2 => integers(i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int4 => integers(i64::from(i32::MIN), i64::from(i32::MAX)),
        Type::Int8 => integers(i64::MIN, i64::MAX),
        Type::Uuid => vec![Value::Uuid([0; 16]), Value::Uuid([0xff; 16])],
        Type::Text => texts(),
        _ => {
            let reason = "whether the API understands its value shows when the query runs";
            return Err(reason.to_owned());
        }
    };
    values.push(Value::Null);
    Ok(values)
}

fn integers(least: i64, most: i64) -> Vec<Value> {
    [least, -1, 0, 1, most].map(Value::Int).to_vec()
}

/// Every ASCII character by itself and within a text, words that APIs read as something else, and letters
/// of one, two, three and four bytes.
fn texts() -> Vec<Value> {
    let words = [
        "",
        "null",
        "NULL",
        "true",
        "1",
        "-1.5e3",
        "NaN",
        "2024-02-29",
        "a b",
        "a--b",
        "/*",
        "..",
        "a,b",
        "\\'",
        "é",
        "ß",
        "…",
        "\u{feff}",
        "\u{1f600}",
        "\u{10ffff}",
    ];
    let mut texts: Vec<Value> = words.map(|word| Value::Text(word.to_owned())).to_vec();
    for character in (1..=127_u8).map(char::from) {
        texts.push(Value::Text(character.to_string()));
        texts.push(Value::Text(format!("a{character}b{character}")));
    }
    texts
}

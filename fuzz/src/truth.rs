//! What a predicate means: SQL's logic over the rows that are known here.

use crate::values::compare;
use oracle::values::Kind;
use rest_engine::model::Operator;
use rest_engine::predicate::{Predicate, Value};
use std::cmp::Ordering;

/// SQL's three values, and one for what depends on a collation or on what only PostgreSQL evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// True.
    True,
    /// False.
    False,
    /// Neither: NULL.
    Unknown,
    /// Any of them.
    Unsure,
}

use Truth::{False, True, Unknown, Unsure};

impl From<bool> for Truth {
    fn from(truth: bool) -> Truth {
        if truth { True } else { False }
    }
}

impl Truth {
    fn not(self) -> Truth {
        match self {
            True => False,
            False => True,
            other => other,
        }
    }

    fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (False, _) | (_, False) => False,
            (True, other) | (other, True) => other,
            (Unsure, _) | (_, Unsure) => Unsure,
            (Unknown, Unknown) => Unknown,
        }
    }
}

/// Whether a row satisfies a predicate. `kinds` are the columns', `row` has NULL where there is no value.
pub fn truth(predicate: &Predicate, kinds: &[Kind], row: &[Value], operands: &[Value]) -> Truth {
    let of = |part: &Predicate| truth(part, kinds, row, operands);
    match predicate {
        Predicate::Compare {
            column,
            operator,
            operand,
            ..
        } => compared(
            kinds[*column],
            &row[*column],
            *operator,
            &operands[*operand],
        ),
        Predicate::Not(part) => of(part).not(),
        Predicate::IsTrue(part) => match of(part) {
            Unknown => False,
            other => other,
        },
        Predicate::Known(operand) => match operands[*operand] {
            Value::Bool(truth) => truth.into(),
            _ => Unknown,
        },
        Predicate::And(parts) => parts.iter().map(of).fold(True, Truth::and),
        Predicate::Or(parts) => {
            let arms = parts.iter().map(|part| of(part).not());
            arms.fold(True, Truth::and).not()
        }
        Predicate::Opaque(_) => Unsure,
    }
}

/// `value OPERATOR operand`.
pub fn compared(kind: Kind, value: &Value, operator: Operator, operand: &Value) -> Truth {
    use Operator as Op;
    match operator {
        Op::IsNull => return (*value == Value::Null).into(),
        Op::IsNotNull => return (*value != Value::Null).into(),
        Op::Distinct => return compared(kind, value, Op::NotDistinct, operand).not(),
        Op::NotDistinct if *value == Value::Null || *operand == Value::Null => {
            return (value == operand).into();
        }
        Op::In => return any(kind, value, operand),
        Op::NotIn => return any(kind, value, operand).not(),
        Op::NotLike | Op::NotILike | Op::NotStartsWith => {
            return compared(kind, value, operator.opposite(), operand).not();
        }
        _ => {}
    }
    if *value == Value::Null || *operand == Value::Null {
        return Unknown;
    }
    let ordered = |is_so: fn(Ordering) -> bool| match (compare(kind, value, operand), operator) {
        (Some(order), _) => is_so(order).into(),
        // The collations here are deterministic.
        (None, Op::Eq | Op::NotDistinct) => False,
        (None, Op::Ne) => True,
        (None, _) => Unsure,
    };
    match operator {
        Op::Eq | Op::NotDistinct => ordered(Ordering::is_eq),
        Op::Ne => ordered(Ordering::is_ne),
        Op::Lt => ordered(Ordering::is_lt),
        Op::Le => ordered(Ordering::is_le),
        Op::Gt => ordered(Ordering::is_gt),
        Op::Ge => ordered(Ordering::is_ge),
        _ => textual(operator, value, operand),
    }
}

fn any(kind: Kind, value: &Value, list: &Value) -> Truth {
    let Value::List(elements) = list else {
        return Unknown;
    };
    let unequal = elements
        .iter()
        .map(|element| compared(kind, value, Operator::Eq, element).not());
    unequal.fold(True, Truth::and).not()
}

fn textual(operator: Operator, value: &Value, operand: &Value) -> Truth {
    let (Value::Text(text), Value::Text(pattern)) = (value, operand) else {
        return Unsure;
    };
    let folded = |fold: fn(char) -> char| {
        let fold = |text: &str| text.chars().map(fold).collect::<Vec<char>>();
        matches(&fold(pattern), &fold(text))
    };
    let found = match operator {
        Operator::StartsWith => Some(text.starts_with(pattern.as_str())),
        Operator::Like => folded(|letter| letter),
        // How far case goes is the locale's choice: at least through ASCII, at most through Unicode.
        Operator::ILike if folded(|letter| letter.to_ascii_lowercase()) == Some(true) => Some(true),
        Operator::ILike if folded(lower) == Some(false) => Some(false),
        _ => None,
    };
    found.map_or(Unsure, Truth::from)
}

fn lower(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    let upper = upper.next().filter(|_| upper.len() == 0).unwrap_or(letter);
    upper.to_lowercase().next().unwrap_or(upper)
}

/// LIKE; `None` where PostgreSQL refuses the pattern.
fn matches(pattern: &[char], text: &[char]) -> Option<bool> {
    // After each piece: which beginnings of the text it and those before it match.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut letters = pattern.iter();
    while let Some(letter) = letters.next() {
        if *letter == '%' {
            let first = reached.iter().position(|is_reached| *is_reached);
            let first = first.unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        let is_any = *letter == '_';
        let wanted = if *letter == '\\' {
            letters.next()?
        } else {
            letter
        };
        for end in (1..reached.len()).rev() {
            reached[end] = reached[end - 1] && (is_any || text[end - 1] == *wanted);
        }
        reached[0] = false;
    }
    Some(reached[text.len()])
}

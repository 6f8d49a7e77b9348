//! Which rows a filter holds for: a tree in SQL's three-valued logic, whose tests say what they make of a NULL.

use super::pattern::Pattern;
use super::value::Value;
use regex::Regex;

/// A filter. `None` is unknown; a row is shown only where it is true.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Test(Test),
    Constant(Option<bool>),
}

/// A test of one column.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) column: usize,
    pub(crate) check: Check,
    /// What it says of a NULL.
    pub(crate) of_null: Option<bool>,
}

#[derive(Debug, Clone)]
pub(crate) enum Check {
    Compare(Comparison, Value),
    /// Any of them.
    In(Vec<Value>),
    /// None of them.
    NotIn(Vec<Value>),
    IsNull(bool),
    Like {
        pattern: Pattern,
        fold_case: bool,
    },
    /// Searched in the value's text.
    Regex {
        regex: Regex,
        negated: bool,
    },
    /// Array or jsonb containment, `@>`.
    Holds(Value),
    /// A bool column by itself.
    IsTrue,
    /// As `ToString(value) == text` in JavaScript.
    ScriptText(Vec<String>, bool),
    /// `value >= text` in JavaScript for any of the texts, or `<=`.
    ScriptRange(Vec<String>, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The same with its sides changed.
    pub(crate) fn commuted(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }

    pub(crate) fn is_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// What tests say of a NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// Unknown, as in SQL.
    Unknown,
    /// False, but `<>` and `not in` are true.
    Kept,
    /// False.
    False,
}

impl Nulls {
    /// What a test says of a NULL, if it is a negative one or not.
    pub(crate) fn of(self, is_negative: bool) -> Option<bool> {
        match self {
            Nulls::Unknown => None,
            Nulls::Kept => Some(is_negative),
            Nulls::False => Some(false),
        }
    }
}

impl Condition {
    /// A test of a column.
    pub(crate) fn test(column: usize, check: Check, nulls: Nulls) -> Condition {
        let is_negative = matches!(
            check,
            Check::Compare(Comparison::NotEqual, _) | Check::NotIn(_)
        );
        Condition::Test(Test {
            column,
            check,
            of_null: nulls.of(is_negative),
        })
    }

    /// Always true.
    pub(crate) fn all() -> Condition {
        Condition::And(Vec::new())
    }

    pub(crate) fn not(self) -> Condition {
        Condition::Not(Box::new(self))
    }

    /// Whether it is true of a row.
    pub(crate) fn holds(&self, row: &[Value], fold_case: bool) -> bool {
        self.truth(row, fold_case) == Some(true)
    }

    fn truth(&self, row: &[Value], fold_case: bool) -> Option<bool> {
        let absorbing = |parts: &[Condition], end: bool| {
            let mut truth = Some(!end);
            for part in parts {
                match part.truth(row, fold_case) {
                    Some(found) if found == end => return Some(end),
                    None => truth = None,
                    Some(_) => {}
                }
            }
            truth
        };
        match self {
            Condition::And(parts) => absorbing(parts, false),
            Condition::Or(parts) => absorbing(parts, true),
            Condition::Not(part) => part.truth(row, fold_case).map(|truth| !truth),
            Condition::Test(test) => test.truth(row.get(test.column)?, fold_case),
            Condition::Constant(truth) => *truth,
        }
    }

    /// The filter of a server that does not look at some columns: true or false of them, whichever lets more rows pass.
    pub(crate) fn ignoring(self, ignored: &[usize], lets_pass: bool) -> Condition {
        let each = |parts: Vec<Condition>| {
            let parts = parts.into_iter();
            parts
                .map(|part| part.ignoring(ignored, lets_pass))
                .collect()
        };
        match self {
            Condition::And(parts) => Condition::And(each(parts)),
            Condition::Or(parts) => Condition::Or(each(parts)),
            Condition::Not(part) => part.ignoring(ignored, !lets_pass).not(),
            Condition::Test(test) if ignored.contains(&test.column) => {
                Condition::Constant(Some(lets_pass))
            }
            kept => kept,
        }
    }
}

impl Test {
    fn truth(&self, value: &Value, fold_case: bool) -> Option<bool> {
        if let Check::IsNull(wanted) = self.check {
            return Some((*value == Value::Null) == wanted);
        }
        if *value == Value::Null {
            return self.of_null;
        }
        self.check.truth(value, fold_case)
    }
}

impl Check {
    fn truth(&self, value: &Value, fold_case: bool) -> Option<bool> {
        let equals = |other: &Value| {
            (*other != Value::Null).then(|| {
                value
                    .compare(other, fold_case)
                    .is_some_and(|order| order.is_eq())
            })
        };
        match self {
            Check::Compare(_, Value::Null) => None,
            Check::Compare(Comparison::NotEqual, other) => equals(other).map(|equal| !equal),
            Check::Compare(comparison, other) => Some(
                value
                    .compare(other, fold_case)
                    .is_some_and(|order| comparison.holds(order)),
            ),
            Check::In(others) => any(others.iter().map(equals)),
            Check::NotIn(others) => any(others.iter().map(equals)).map(|found| !found),
            Check::IsNull(wanted) => Some(!wanted),
            Check::Like {
                pattern,
                fold_case: always,
            } => Some(pattern.matches(&value.to_text(), *always || fold_case)),
            Check::Regex { regex, negated } => Some(regex.is_match(&value.to_text()) != *negated),
            Check::Holds(wanted) => Some(holds(value, wanted)),
            Check::IsTrue => Some(*value == Value::Bool(true)),
            Check::ScriptText(texts, negated) => {
                let found = Value::Text(script_text(value));
                let equal = |text: &String| found.compare(&Value::Text(text.clone()), fold_case);
                let differs = |text| equal(text).is_none_or(|order| order.is_ne());
                Some(texts.iter().any(|text| differs(text) == *negated))
            }
            Check::ScriptRange(texts, at_least) => {
                let orders = texts
                    .iter()
                    .filter_map(|text| script_order(value, text, fold_case));
                let within = |order: std::cmp::Ordering| match at_least {
                    true => order.is_ge(),
                    false => order.is_le(),
                };
                Some(orders.into_iter().any(within))
            }
        }
    }
}

/// SQL's OR.
fn any(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for truth in truths {
        match truth {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::List(parts), Value::List(wanted)) => wanted.iter().all(|one| {
            *one != Value::Null
                && parts
                    .iter()
                    .any(|part| part.compare(one, false).is_some_and(|order| order.is_eq()))
        }),
        (Value::Json(left), Value::Json(right)) => left.contains(right),
        _ => false,
    }
}

/// `String(value)` in a JavaScript whose numbers lost no digits: each number in its shortest form.
fn script_text(value: &Value) -> String {
    match value {
        Value::Float(number) => (number + 0.0).to_string(),
        Value::Decimal(number) => number.normalized().to_plain_string(),
        other => other.to_text(),
    }
}

/// How a value stands to a text in JavaScript: as numbers if the value is one, else by UTF-16 units; `None` if one of them
/// is no number then.
fn script_order(value: &Value, text: &str, fold_case: bool) -> Option<std::cmp::Ordering> {
    match value {
        Value::Float(number) => return number.partial_cmp(&text.trim().parse().ok()?),
        Value::Int(_) | Value::Decimal(_) => {
            return Some(value.as_decimal()?.cmp(&text.trim().parse().ok()?));
        }
        Value::Bool(_) | Value::Json(_) | Value::List(_) => return None,
        _ => {}
    }
    let (mut left, mut right) = (value.to_text(), text.to_owned());
    if fold_case {
        (left, right) = (left.to_lowercase(), right.to_lowercase());
    }
    Some(left.encode_utf16().cmp(right.encode_utf16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(condition: &Condition, value: Value) -> Option<bool> {
        condition.truth(&[value], false)
    }

    fn more_than_five(nulls: Nulls) -> Condition {
        let check = Check::Compare(Comparison::Greater, Value::Int(5));
        Condition::test(0, check, nulls)
    }

    #[test]
    fn nulls_are_unknown_false_or_kept() {
        assert_eq!(truth(&more_than_five(Nulls::Unknown), Value::Null), None);
        let not = more_than_five(Nulls::Unknown).not();
        assert_eq!(truth(&not, Value::Null), None);
        let not = more_than_five(Nulls::Kept).not();
        assert_eq!(truth(&not, Value::Null), Some(true));
        let unequal = Check::Compare(Comparison::NotEqual, Value::Int(5));
        let kept = Condition::test(0, unequal.clone(), Nulls::Kept);
        assert_eq!(truth(&kept, Value::Null), Some(true));
        let dropped = Condition::test(0, unequal, Nulls::False);
        assert_eq!(truth(&dropped, Value::Null), Some(false));
    }

    #[test]
    fn logic_has_three_values() {
        let unknown = || Condition::Constant(None);
        let constant = |truth| Condition::Constant(Some(truth));
        let and = |other| Condition::And(vec![unknown(), other]);
        let or = |other| Condition::Or(vec![unknown(), other]);
        assert_eq!(truth(&and(constant(false)), Value::Null), Some(false));
        assert_eq!(truth(&and(constant(true)), Value::Null), None);
        assert_eq!(truth(&or(constant(true)), Value::Null), Some(true));
        assert_eq!(truth(&or(constant(false)), Value::Null), None);
    }

    #[test]
    fn a_null_in_a_list_makes_its_absence_unknown() {
        let list = vec![Value::Int(1), Value::Null];
        let test = |check| Condition::test(0, check, Nulls::Unknown);
        let within = test(Check::In(list.clone()));
        assert_eq!(truth(&within, Value::Int(1)), Some(true));
        assert_eq!(truth(&within, Value::Int(2)), None);
        assert_eq!(truth(&test(Check::NotIn(list)), Value::Int(2)), None);
    }

    #[test]
    fn an_ignored_column_lets_all_rows_pass_whatever_is_around_it() {
        let both = Condition::And(vec![more_than_five(Nulls::Unknown), Condition::all()]);
        assert!(
            both.clone()
                .ignoring(&[0], true)
                .holds(&[Value::Int(1)], false)
        );
        assert!(
            both.not()
                .ignoring(&[0], true)
                .holds(&[Value::Int(9)], false)
        );
    }
}

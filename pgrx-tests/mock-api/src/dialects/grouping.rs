//! What aggregates make of rows.

use super::condition::Condition;
use super::sort::SortKey;
use super::table::Table;
use super::value::Value;
use bigdecimal::{BigDecimal, RoundingMode};
use std::collections::BTreeMap;

/// Digits after the point that an average of exact numbers has.
const AVERAGE_DIGITS: i64 = 20;

/// Groups of rows, and what each of them shows.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    /// The columns whose values make a group; none: all rows are one.
    pub(crate) keys: Vec<usize>,
    pub(crate) outputs: Vec<Output>,
    /// Over the outputs.
    pub(crate) having: Condition,
    /// Over the outputs.
    pub(crate) order: Vec<SortKey>,
    /// As Directus over PostgreSQL has it: a name `sum->a` is a member of a member, and numbers of 64 bits and more
    /// are texts.
    pub(crate) nests: bool,
}

/// A member of a group's row.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Only for HAVING or ORDER BY.
    pub(crate) hidden: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A column that groups.
    Key(usize),
    CountRows,
    Aggregate(Function, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    Sum,
    Min,
    Max,
    Average,
}

impl Function {
    /// By its name in SQL.
    pub(crate) fn named(name: &str) -> Option<Function> {
        match name.to_ascii_lowercase().as_str() {
            "count" => Some(Function::Count),
            "sum" => Some(Function::Sum),
            "min" => Some(Function::Min),
            "max" => Some(Function::Max),
            "avg" => Some(Function::Average),
            _ => None,
        }
    }

    /// Why it does not apply to a column.
    pub(crate) fn check(self, table: &Table, column: usize) -> Result<(), String> {
        let column = &table.columns[column];
        let fits = match self {
            Function::Count => true,
            Function::Sum | Function::Average => column.column_type.is_number(),
            Function::Min | Function::Max => column.column_type.is_ordered(),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{self:?} does not apply to column {}", column.name))
        }
    }
}

impl Grouping {
    /// Names must be told apart, and what is shown of a group must be the same in all its rows.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (number, output) in self.outputs.iter().enumerate() {
            let same = |other: &Output| other.name == output.name && !other.hidden;
            if !output.hidden && self.outputs[..number].iter().any(same) {
                return Err(format!("two members are named '{}'", output.name));
            }
            if matches!(output.source, Source::Key(column) if !self.keys.contains(&column)) {
                return Err(format!("'{}' is not grouped by", output.name));
            }
        }
        Ok(())
    }

    /// The rows of the groups, one value an output, in their order.
    pub(crate) fn groups(&self, table: &Table, rows: &[usize], fold_case: bool) -> Vec<Vec<Value>> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        if self.keys.is_empty() {
            groups.insert(String::new(), Vec::new());
        }
        for row in rows {
            let values = &table.rows[*row].values;
            let key: Vec<String> = self
                .keys
                .iter()
                .map(|key| group_key(&values[*key]))
                .collect();
            groups.entry(key.join("\n")).or_default().push(*row);
        }
        let shown: Vec<Vec<Value>> = groups
            .into_values()
            .map(|members| self.row(table, &members))
            .filter(|row| self.having.holds(row, fold_case))
            .collect();
        let mut indexes: Vec<usize> = (0..shown.len()).collect();
        super::sort::sort(&mut indexes, &self.order, |index| &shown[index]);
        indexes
            .into_iter()
            .map(|index| shown[index].clone())
            .collect()
    }

    fn row(&self, table: &Table, members: &[usize]) -> Vec<Value> {
        let value = |output: &Output| match output.source {
            Source::Key(column) => table.rows[members[0]].values[column].clone(),
            Source::CountRows => count(members.len()),
            Source::Aggregate(function, column) => {
                let values = members.iter().map(|row| &table.rows[*row].values[column]);
                let values = values.filter(|value| **value != Value::Null);
                function.of(values.collect())
            }
        };
        self.outputs.iter().map(value).collect()
    }

    /// The JSON of a group's row.
    pub(crate) fn text(&self, row: &[Value]) -> String {
        let shown = self
            .outputs
            .iter()
            .zip(row)
            .filter(|(output, _)| !output.hidden);
        if self.nests {
            return nested(shown);
        }
        let members: Vec<String> = shown
            .map(|(output, value)| {
                let name = serde_json::Value::from(output.name.as_str());
                format!("{name}:{}", value.to_json())
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The members of a row, those of a function below its name.
fn nested<'a>(shown: impl Iterator<Item = (&'a Output, &'a Value)>) -> String {
    let mut members = serde_json::Map::new();
    for (output, value) in shown {
        let is_wide = matches!(
            output.source,
            Source::CountRows | Source::Aggregate(Function::Count | Function::Sum, _)
        );
        let value = match value {
            Value::Null => serde_json::Value::Null,
            wide if is_wide || matches!(wide, Value::Decimal(_)) => wide.to_text().into(),
            value => serde_json::from_str(&value.to_json()).unwrap_or_default(),
        };
        let path: Vec<String> = output.name.split("->").map(str::to_owned).collect();
        crate::shape::set_member(&mut members, &path, value);
    }
    serde_json::Value::Object(members).to_string()
}

/// Equal values have equal texts: decimals without their trailing zeros.
fn group_key(value: &Value) -> String {
    match value {
        Value::Decimal(number) => number.normalized().to_plain_string(),
        Value::Float(number) => (number + 0.0).to_string(),
        value => value.to_json(),
    }
}

fn count(rows: usize) -> Value {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

impl Function {
    /// Over values that are not NULL.
    fn of(self, values: Vec<&Value>) -> Value {
        let extreme = |wanted: fn(std::cmp::Ordering) -> bool| {
            let better =
                |best: &'_ Value, next: &'_ Value| next.compare(best, false).is_some_and(wanted);
            let mut values = values.iter();
            let first = values.next().copied();
            let best = first.map(|first| {
                values.fold(
                    first,
                    |best, next| if better(best, next) { next } else { best },
                )
            });
            best.cloned().unwrap_or(Value::Null)
        };
        match self {
            Function::Count => count(values.len()),
            Function::Min => extreme(std::cmp::Ordering::is_lt),
            Function::Max => extreme(std::cmp::Ordering::is_gt),
            Function::Sum => sum(&values),
            Function::Average => match sum(&values) {
                Value::Float(total) => Value::Float(total / values.len() as f64),
                Value::Decimal(total) => {
                    let average = total / BigDecimal::from(count_of(&values));
                    Value::Decimal(average.with_scale_round(AVERAGE_DIGITS, RoundingMode::HalfUp))
                }
                other => other,
            },
        }
    }
}

fn count_of(values: &[&Value]) -> u64 {
    values.len() as u64
}

/// Exact, unless there are doubles; NULL of nothing.
fn sum(values: &[&Value]) -> Value {
    if values.is_empty() {
        return Value::Null;
    }
    if values.iter().any(|value| matches!(value, Value::Float(_))) {
        return Value::Float(values.iter().filter_map(|value| value.as_float()).sum());
    }
    Value::Decimal(values.iter().filter_map(|value| value.as_decimal()).sum())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::table::tests::table;
    use super::*;
    use serde_json::json;

    fn rows(outputs: &[(&str, Source)], keys: Vec<usize>, shown: &[usize]) -> Vec<String> {
        let table = table(
            json!({"a": "text", "n": "int8", "z": "numeric"}),
            r#"[{"a": "x", "n": 9223372036854775807, "z": 1.0}, {"a": "y", "n": null, "z": 2},
                {"a": "x", "n": 9223372036854775807, "z": 1}, {"n": 1}]"#,
        );
        let output = |(name, source): &(&str, Source)| Output {
            name: (*name).to_owned(),
            source: *source,
            hidden: false,
        };
        let grouping = Grouping {
            keys,
            outputs: outputs.iter().map(output).collect(),
            having: Condition::all(),
            order: Vec::new(),
            nests: false,
        };
        grouping.check().unwrap();
        let groups = grouping.groups(&table, shown, false);
        groups.iter().map(|row| grouping.text(row)).collect()
    }

    #[test]
    fn sums_are_exact_and_averages_have_twenty_digits() {
        let sum = ("s", Source::Aggregate(Function::Sum, 1));
        let average = ("a", Source::Aggregate(Function::Average, 2));
        assert_eq!(
            rows(&[sum, average], vec![], &[0, 1, 2, 3]),
            [r#"{"s":18446744073709551615,"a":1.33333333333333333333}"#]
        );
    }

    #[test]
    fn nothing_has_a_count_and_no_sum() {
        let outputs = [
            ("rows", Source::CountRows),
            ("n", Source::Aggregate(Function::Count, 1)),
            ("sum", Source::Aggregate(Function::Sum, 1)),
        ];
        assert_eq!(
            rows(&outputs, vec![], &[]),
            [r#"{"rows":0,"n":0,"sum":null}"#]
        );
        assert!(rows(&outputs, vec![0], &[]).is_empty());
    }

    #[test]
    fn equal_values_are_one_group_and_nulls_are_one_too() {
        let outputs = [("a", Source::Key(0)), ("n", Source::CountRows)];
        let mut found = rows(&outputs, vec![0], &[0, 1, 2, 3]);
        found.sort();
        assert_eq!(
            found,
            [
                r#"{"a":"x","n":2}"#,
                r#"{"a":"y","n":1}"#,
                r#"{"a":null,"n":1}"#
            ]
        );
        let outputs = [("n", Source::CountRows)];
        assert_eq!(rows(&outputs, vec![2], &[0, 2]), [r#"{"n":2}"#]);
    }
}

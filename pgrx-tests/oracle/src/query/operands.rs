//! What are columns compared with?

use super::generate::{Generator, Reference};
use super::tree::Parameter;
use crate::values::{Kind, constant, quote};

/// The forms of an operand.
#[derive(Clone, Copy)]
enum Form {
    Constant,
    OtherType,
    Parameter,
    Null,
    InitPlan,
    Stable,
    Volatile,
    Clock,
}

impl Generator<'_> {
    /// A value that the column may hold, or one near to it, or any of its type.
    pub(super) fn value(&mut self, column: &Reference) -> String {
        let special = special_values(column.kind);
        if !special.is_empty() && self.random.percent(3) {
            return (*self.random.pick(special)).to_owned();
        }
        if column.pool.is_empty() || self.random.percent(15) {
            return (*self.random.pick(column.kind.values())).to_owned();
        }
        self.random.pick(&column.pool).clone()
    }

    /// An expression without columns of the row that it is compared with.
    pub(super) fn operand(&mut self, column: &Reference) -> String {
        let parameters = if self.executions == 0 { 0 } else { 30 };
        let form = self.random.weighted(&[
            (Form::Constant, 60),
            (Form::OtherType, 12),
            (Form::Parameter, parameters),
            (Form::Null, 2),
            (Form::InitPlan, 4),
            (Form::Stable, 5),
            (Form::Volatile, 2),
            (Form::Clock, 2),
        ]);
        let value = self.value(column);
        match form {
            Form::Constant => constant(self.random, column.kind, &value),
            Form::OtherType => self.of_other_type(column.kind, &value),
            Form::Parameter => self.parameter(column),
            Form::Null => format!("NULL::{}", column.kind.type_name()),
            Form::InitPlan => self.init_plan(column),
            Form::Stable => format!(
                "public.oracle_stable({}::{})",
                quote(&value),
                column.kind.type_name()
            ),
            Form::Volatile => format!(
                "public.oracle_volatile({}::{})",
                quote(&value),
                column.kind.type_name()
            ),
            Form::Clock if column.kind.is_time() => (*self.random.pick(CLOCKS)).to_owned(),
            Form::Clock => constant(self.random, column.kind, &value),
        }
    }

    /// `$n`, with a value for each execution.
    fn parameter(&mut self, column: &Reference) -> String {
        self.parameter_or_null(column, 6)
    }

    /// The same, whose values are NULL at this percentage.
    pub(super) fn parameter_or_null(&mut self, column: &Reference, nulls: u8) -> String {
        let values: Vec<String> = (0..self.executions).map(|_| self.value(column)).collect();
        let type_name = match column.kind {
            Kind::Int4 if self.random.percent(40) => "int8",
            kind => kind.type_name(),
        };
        let values = values.iter().map(|value| {
            if self.random.percent(nulls) {
                "NULL".to_owned()
            } else {
                quote(value)
            }
        });
        let values = values.collect();
        self.add_parameter(type_name.to_owned(), values)
    }

    /// Declares a parameter and returns its name.
    pub(super) fn add_parameter(&mut self, type_name: String, values: Vec<String>) -> String {
        self.parameters.push(Parameter { type_name, values });
        format!("${}", self.parameters.len())
    }

    /// A constant of another type that compares with this one.
    fn of_other_type(&mut self, kind: Kind, value: &str) -> String {
        let other = if kind.is_number() {
            self.number_type(value)
        } else if kind.is_time() {
            *self.random.pick(&["date", "timestamp", "timestamptz"])
        } else if kind.is_text() {
            *self
                .random
                .pick(&["varchar", "varchar", "varchar", "name", "bpchar"])
        } else {
            kind.type_name()
        };
        format!("{}::{other}", quote(value))
    }

    /// A type of numbers that holds this one.
    fn number_type(&mut self, value: &str) -> &'static str {
        let mut types = vec!["float8"];
        if value
            .parse::<f64>()
            .is_ok_and(|value| value.is_finite() && value.abs() < 1e30)
        {
            types.push("numeric");
        }
        if value.parse::<i64>().is_ok() {
            types.push("int8");
        }
        if value.parse::<i32>().is_ok() {
            types.extend(["int4", "int4"]);
        }
        if value.parse::<i16>().is_ok() {
            types.push("int2");
        }
        self.random.pick::<&str>(&types)
    }

    /// An uncorrelated sub-query with one value.
    fn init_plan(&mut self, column: &Reference) -> String {
        let sources: Vec<(String, String)> = self
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |other| (table, other)))
            .filter(|(_, other)| other.kind == column.kind && column.kind.has_extremes())
            .map(|(table, other)| (table.name.clone(), other.name.clone()))
            .collect();
        if sources.is_empty() {
            let value = self.value(column);
            return format!("(SELECT {}::{})", quote(&value), column.kind.type_name());
        }
        let (table, name) = self.random.pick(&sources).clone();
        let table = self.table_name(&table);
        let extreme = self.random.pick(&["min", "max"]);
        format!("(SELECT {extreme}({name}) FROM {table})")
    }
}

const CLOCKS: &[&str] = &[
    "now() - interval '2 years'",
    "current_date",
    "current_date - 1000",
    "current_timestamp",
    "localtimestamp - interval '20 years'",
    "now()",
];

/// Values that no JSON holds.
fn special_values(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Float8 | Kind::Numeric => &["NaN", "Infinity", "-Infinity"],
        Kind::Date | Kind::Timestamp | Kind::TimestampTz => &["infinity", "-infinity"],
        _ => &[],
    }
}

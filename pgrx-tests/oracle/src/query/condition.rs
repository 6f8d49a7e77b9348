//! Which conditions does a query have?

use super::generate::{Generator, Reference, Relation};
use super::tree::Condition;
use crate::values::{Kind, constant, quote};

/// The forms of a condition on one column.
#[derive(Clone, Copy)]
enum Form {
    Compare,
    List,
    Array,
    Between,
    NullTest,
    Distinct,
    OfItsKind,
    OtherColumn,
    Row,
    Expression,
    SubQuery,
    Optional,
}

impl Generator<'_> {
    /// A tree of conditions over the relations in scope.
    pub(super) fn condition(&mut self, scope: &[Relation], depth: usize) -> Condition {
        if depth == 0 || self.random.percent(35) {
            return self.leaf(scope);
        }
        let arms = self.random.between(2, 3);
        let arms = |generator: &mut Self| {
            (0..arms)
                .map(|_| generator.condition(scope, depth - 1))
                .collect::<Vec<_>>()
        };
        match self.random.between(0, 9) {
            0..=4 => Condition::And(arms(self)),
            5..=7 => Condition::Or(arms(self)),
            8 => self.same_column_or(scope),
            _ => Condition::Not(Box::new(self.condition(scope, depth - 1))),
        }
    }

    /// OR over one column's values.
    fn same_column_or(&mut self, scope: &[Relation]) -> Condition {
        let column = self.column(scope);
        let arms = (0..self.random.between(2, 4)).map(|_| {
            let operand = self.operand(&column);
            Condition::Atom(format!("{} = {operand}", column.sql))
        });
        Condition::Or(arms.collect())
    }

    fn leaf(&mut self, scope: &[Relation]) -> Condition {
        let column = self.column(scope);
        let sub_queries = if self.depth < 2 { 8 } else { 0 };
        let optional = if self.executions == 0 { 0 } else { 8 };
        let form = self.random.weighted(&[
            (Form::Compare, 32),
            (Form::List, 12),
            (Form::Array, 7),
            (Form::Between, 6),
            (Form::NullTest, 8),
            (Form::Distinct, 5),
            (Form::OfItsKind, 25),
            (Form::OtherColumn, 5),
            (Form::Row, 2),
            (Form::Expression, 4),
            (Form::SubQuery, sub_queries),
            (Form::Optional, optional),
        ]);
        match form {
            Form::Compare => self.compare(&column),
            Form::List => self.list(&column),
            Form::Array => self.array(&column),
            Form::Between => self.between_bounds(&column),
            Form::NullTest => {
                let not = if self.random.percent(50) { "NOT " } else { "" };
                Condition::Atom(format!("{} IS {not}NULL", column.sql))
            }
            Form::Distinct => {
                let not = if self.random.percent(50) { "NOT " } else { "" };
                let operand = self.operand(&column);
                Condition::Atom(format!("{} IS {not}DISTINCT FROM {operand}", column.sql))
            }
            Form::OfItsKind => self.of_its_kind(&column),
            Form::OtherColumn => self.other_column(scope, &column),
            Form::Row => self.row_comparison(scope, &column),
            Form::Expression => self.expression(&column),
            Form::SubQuery => self.sub_query_condition(scope),
            Form::Optional => self.optional(&column),
        }
    }

    /// `$1 IS NULL OR column = $1` and its kin: conditions with arms that are the same for all rows.
    fn optional(&mut self, column: &Reference) -> Condition {
        let parameter = self.parameter_or_null(column, 40);
        let value = constant(self.random, column.kind, column.kind.values()[0]);
        let truth = match self.random.between(0, 5) {
            0..=2 => format!("{parameter} IS NULL"),
            3 => format!("{parameter} IS NOT NULL"),
            4 => format!("({parameter} = {value}) IS TRUE"),
            _ => format!("{parameter} = {value}"),
        };
        let truth = Condition::Atom(truth);
        let operand = match self.random.percent(70) {
            true => parameter,
            false => self.operand(column),
        };
        let compared = Condition::Atom(format!("{} {} {operand}", column.sql, self.operator()));
        match self.random.between(0, 9) {
            0..=6 => Condition::Or(vec![truth, compared]),
            7 => Condition::Or(vec![compared, Condition::Not(Box::new(truth))]),
            8 => Condition::And(vec![compared, truth]),
            _ => Condition::Not(Box::new(Condition::Or(vec![truth, compared]))),
        }
    }

    fn operator(&mut self) -> &'static str {
        self.random.weighted(&[
            ("=", 40),
            ("<>", 15),
            ("<", 12),
            ("<=", 12),
            (">", 12),
            (">=", 12),
        ])
    }

    fn compare(&mut self, column: &Reference) -> Condition {
        let (operator, operand) = (self.operator(), self.operand(column));
        Condition::Atom(if self.random.percent(25) {
            format!("{operand} {operator} {}", column.sql)
        } else {
            format!("{} {operator} {operand}", column.sql)
        })
    }

    fn list(&mut self, column: &Reference) -> Condition {
        let not = if self.random.percent(25) { "NOT " } else { "" };
        let items = (0..self.random.between(1, 6)).map(|_| {
            if self.random.percent(4) {
                return "NULL".to_owned();
            }
            let value = self.value(column);
            // One type for all: text as a list's element decides what the others are read as.
            match self.random.percent(90) {
                true => quote(&value),
                false => constant(self.random, column.kind, &value),
            }
        });
        Condition::List(format!("{} {not}IN (", column.sql), items.collect(), ")")
    }

    fn array(&mut self, column: &Reference) -> Condition {
        if column.kind == Kind::TextArray {
            return self.of_its_kind(column);
        }
        let comparison = self.random.weighted(&[
            ("= ANY", 50),
            ("<> ALL", 20),
            (">= ANY", 5),
            ("< ALL", 5),
            ("<> ANY", 5),
            ("= ALL", 5),
        ]);
        let values: Vec<String> = (0..self.random.between(0, 5))
            .map(|_| self.value(column))
            .collect();
        let type_name = column.kind.type_name();
        let elements = values
            .iter()
            .map(|value| format!("{}::{type_name}", quote(value)));
        let array = format!(
            "ARRAY[{}]::{type_name}[]",
            elements.collect::<Vec<_>>().join(", ")
        );
        let array = match self.random.between(0, 3) {
            0 if self.executions > 0 => {
                let mut values = vec![array; self.executions];
                if self.random.percent(10) {
                    values[0] = "NULL".to_owned();
                }
                self.add_parameter(format!("{type_name}[]"), values)
            }
            1 => self.array_of_column(column).unwrap_or(array),
            _ => array,
        };
        Condition::Atom(format!("{} {comparison} ({array})", column.sql))
    }

    /// `ARRAY(SELECT …)` of a column of the same type.
    fn array_of_column(&mut self, column: &Reference) -> Option<String> {
        let tables = self.tables.iter();
        let pairs =
            tables.flat_map(|table| table.columns.iter().map(move |other| (&table.name, other)));
        let same = pairs.filter(|(_, other)| other.kind.type_name() == column.kind.type_name());
        let same: Vec<_> = same
            .map(|(table, other)| (table.clone(), other.name.clone()))
            .collect();
        if same.is_empty() {
            return None;
        }
        let (table, name) = self.random.pick(&same).clone();
        let table = self.table_name(&table);
        let most = self.random.between(0, 8);
        Some(format!(
            "ARRAY(SELECT {name} FROM {table} ORDER BY id LIMIT {most})"
        ))
    }

    fn between_bounds(&mut self, column: &Reference) -> Condition {
        let word = self.random.weighted(&[
            ("BETWEEN", 70),
            ("NOT BETWEEN", 20),
            ("BETWEEN SYMMETRIC", 10),
        ]);
        let (low, high) = (self.operand(column), self.operand(column));
        Condition::Atom(format!("{} {word} {low} AND {high}", column.sql))
    }

    fn of_its_kind(&mut self, column: &Reference) -> Condition {
        let sql = match column.kind {
            Kind::Text | Kind::TextC => self.text_atom(column),
            Kind::Bool => self.boolean_atom(column),
            Kind::Jsonb => self.json_atom(column),
            Kind::TextArray => self.array_atom(column),
            _ => return self.compare(column),
        };
        Condition::Atom(sql)
    }

    fn boolean_atom(&mut self, column: &Reference) -> String {
        let name = &column.sql;
        match self.random.between(0, 9) {
            0 | 1 => name.clone(),
            2 | 3 => format!("NOT {name}"),
            4 => format!("{name} IS TRUE"),
            5 => format!("{name} IS NOT TRUE"),
            6 => format!("{name} IS FALSE"),
            7 => format!("{name} IS NOT FALSE"),
            8 => format!(
                "{name} IS {}UNKNOWN",
                if self.random.percent(50) { "NOT " } else { "" }
            ),
            _ => format!("{name} = {}", self.operand(column)),
        }
    }

    fn json_atom(&mut self, column: &Reference) -> String {
        let name = &column.sql;
        match self.random.between(0, 6) {
            0..=3 => format!("{name} @> {}", quote(&self.value(column))),
            4 => format!("{name} ->> 'k' = '1'"),
            5 => format!("{name} ? 'k'"),
            _ => format!("jsonb_typeof({name}) = 'object'"),
        }
    }

    fn array_atom(&mut self, column: &Reference) -> String {
        let name = &column.sql;
        let value = self.value(column);
        let element = *self
            .random
            .pick(&["x", "y", "y z", "a,b", "q\"", "\\", "", "zz"]);
        match self.random.between(0, 7) {
            0..=2 => format!("{name} @> {}::text[]", quote(&value)),
            3 | 4 => format!("{} = ANY ({name})", quote(element)),
            5 => format!("{name} && {}::text[]", quote(&value)),
            6 => format!("{} <@ {name}", quote(&value)),
            _ => format!("cardinality({name}) = {}", self.random.between(0, 2)),
        }
    }

    fn other_column(&mut self, scope: &[Relation], column: &Reference) -> Condition {
        let others = self.comparable_columns(scope, column);
        if others.is_empty() {
            return self.compare(column);
        }
        let (operator, other) = (self.operator(), self.random.pick(&others).sql.clone());
        Condition::Atom(format!("{} {operator} {other}", column.sql))
    }

    fn row_comparison(&mut self, scope: &[Relation], column: &Reference) -> Condition {
        let other = self.column(scope);
        let operator = self.operator();
        let (one, two) = (self.operand(column), self.operand(&other));
        Condition::Atom(format!(
            "({}, {}) {operator} ({one}, {two})",
            column.sql, other.sql
        ))
    }

    /// A comparison that hides the column in an expression.
    fn expression(&mut self, column: &Reference) -> Condition {
        let operand = self.operand(column);
        let (name, operator) = (&column.sql, self.operator());
        Condition::Atom(match self.random.between(0, 5) {
            0 => format!("coalesce({name}, {operand}) {operator} {operand}"),
            1 => format!("nullif({name}, {operand}) IS NULL"),
            2 => format!("CASE WHEN {name} {operator} {operand} THEN true ELSE {name} IS NULL END"),
            3 => format!("{name}::text = {}", quote(&self.value(column))),
            4 => format!("({name} {operator} {operand}) IS NOT TRUE"),
            _ => format!("({name} {operator} {operand}) IS NOT NULL AND random() >= 0"),
        })
    }
}

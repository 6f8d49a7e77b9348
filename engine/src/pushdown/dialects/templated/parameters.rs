//! Conditions → parameters: which template answers a comparison, and how it is filled.

use super::family::Family;
use super::tree::Tree;
use super::values::{self, COMMA, Text};
use super::words::{filter_for, judged, parameter, path, said, text, unspelled, word};
use crate::model::{Column, Filter, Operator, ParameterPlace, Placeholder, Table, Word};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::dialects::spelling::{
    Connective, Dialect, Fragment, Judged, NullsPlaced, Parameter, SortSpelling, Term, parameters,
};
use crate::pushdown::dialects::standard::order_and_fields;
use crate::pushdown::expression::{Given, Test};

/// A dialect of parameters.
pub(in crate::pushdown::dialects) struct Parameters<F>(pub(in crate::pushdown::dialects) F);

impl<F: Family> Dialect for Parameters<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn judge(&self, table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        judged(&self.0, table, column, operator)
    }

    fn slots(
        &self,
        table: &Table,
        column: &Column,
        operator: Operator,
    ) -> Vec<(ParameterPlace, String)> {
        let is_branch = |name: &String| self.tree().is_some_and(|tree| tree.has(name));
        let name = self.parameter_name(table, column, operator);
        let name = name.filter(|name| !is_branch(name));
        name.map(|name| (ParameterPlace::Query, name))
            .into_iter()
            .collect()
    }

    fn parameter_name(&self, table: &Table, column: &Column, operator: Operator) -> Option<String> {
        let filter = filter_for(column, operator).ok()?;
        let word = word(&self.0, table, operator, filter).ok()?;
        let name = self.name_of(column, filter).ok()?;
        let template = parameter(&self.0, table, word)?;
        Some(values::name(&template, &name))
    }

    fn spells_or(&self, _table: &Table) -> bool {
        self.tree().is_some()
    }

    fn join(
        &self,
        _table: &Table,
        connective: Connective,
        parts: Vec<Fragment>,
    ) -> Result<Fragment, String> {
        match self.tree() {
            Some(tree) => tree.joined(connective, &parts),
            None => Err(format!("OR has no spelling in dialect {}", self.name())),
        }
    }

    fn test(&self, table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let filter = filter_for(column, test.operator)?;
        let word = word(&self.0, table, test.operator, filter)?;
        let (word, texts, precise) = match &test.given {
            Given::Placeholder(name) => (word, vec![Text::unknown(name)], true),
            Given::Nothing => (word, Vec::new(), true),
            Given::Pattern(pattern) => {
                let said = said(&self.0, table, test.operator, filter, pattern)?;
                (said.word, vec![Text::of(column, said.text)], said.precise)
            }
            Given::Value(value) => {
                let (text, widened) = self.scalar(table, column, test.operator, value)?;
                (word, vec![Text::of(column, text)], !widened)
            }
            Given::List(list) => {
                let texts = list
                    .iter()
                    .map(|value| self.element(column, test.operator, value));
                (word, texts.collect::<Result<_, _>>()?, true)
            }
        };
        let template =
            parameter(&self.0, table, word).ok_or_else(|| unspelled(&self.0, test.operator))?;
        let name = self.name_of(column, filter)?;
        Ok(Term {
            fragment: Fragment::Parameters(values::filled(&template, &name, &texts)?),
            precise,
        })
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let mut sent = match self.tree() {
            Some(tree) => tree.all(table, terms),
            None => parameters(terms),
        };
        sent.extend(order_and_fields(self, table, query)?);
        Ok(sent)
    }

    fn sorts(&self, _table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        if column.sort.is_none() {
            return Err(format!("column \"{}\" declares no sort", column.name));
        }
        let placed = column.sort_nulls.or(self.0.nulls_in_order());
        Ok(placed.map_or(NullsPlaced::Unknown, NullsPlaced::Always))
    }

    fn sort_spelling(&self, _table: &Table) -> Option<SortSpelling> {
        let (param, style, _) = self.0.sort();
        Some(SortSpelling {
            param: param.to_owned(),
            style,
        })
    }

    fn field_name(&self, _table: &Table, column: &Column) -> Option<String> {
        self.0.field_name(column)
    }

    fn max_sort_keys(&self, _table: &Table) -> usize {
        self.0.sort().2
    }

    fn tells_nulls_apart(&self) -> bool {
        self.0.tells_nulls_apart()
    }

    fn max_list_size(&self) -> Option<usize> {
        self.0.max_list_size()
    }
}

impl<F: Family> Parameters<F> {
    fn tree(&self) -> Option<Tree> {
        self.0.tree().map(|root| Tree { root })
    }

    fn name_of(&self, column: &Column, filter: &Filter) -> Result<String, String> {
        path(&self.0, column, filter).map(|path| self.0.parameter_name(&path))
    }

    fn scalar(
        &self,
        table: &Table,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let (text, widened) = text(&self.0, column, operator, value)?;
        if text.contains(',') && self.reads_lists(table, column, operator) {
            return Err(COMMA.to_owned());
        }
        Ok((text, widened))
    }

    /// Whether the parameter of a comparison is that of a declared list with commas, too.
    fn reads_lists(&self, table: &Table, column: &Column, operator: Operator) -> bool {
        let own = self.parameter_name(table, column, operator);
        [Operator::In, Operator::NotIn].into_iter().any(|list| {
            let template = Word::of(list).and_then(|word| parameter(&self.0, table, word));
            template.is_some_and(|template| template.has(Placeholder::ValuesCsv))
                && self.parameter_name(table, column, list) == own
        })
    }

    fn element(&self, column: &Column, operator: Operator, value: &Value) -> Result<Text, String> {
        let (text, _) = text(&self.0, column, operator, value)?;
        Ok(Text::of(column, text))
    }
}

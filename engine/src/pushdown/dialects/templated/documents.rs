//! Conditions → a JSON document: which template answers a comparison, and how they are joined.

use super::family::Family;
use super::filling::{self, Filling, filled};
use super::words::{filter_for, is_spelled, judged, path, said, text, unspelled, word};
use crate::model::{Column, Location, Operator, ParameterPlace, Spelled, Table, Word};
use crate::pushdown::dialects::spelling::{
    Connective, Dialect, Fragment, Judged, NullsPlaced, Parameter, SortSpelling, Term,
};
use crate::pushdown::dialects::standard::order_and_fields;
use crate::pushdown::dialects::{constant::constant, template};
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::{Aggregate, RemoteQuery, member};
use crate::request::placeholder;
use serde_json::Value;

/// A dialect of JSON documents.
pub(in crate::pushdown::dialects) struct Documents<F>(pub(in crate::pushdown::dialects) F);

/// What tells one dialect of JSON documents from another; its templates are JSON.
pub(in crate::pushdown::dialects) trait Document: Family {
    /// The parameter that carries the filter.
    fn filter_param(&self) -> &'static str {
        "filter"
    }

    /// Whether names that lead to a value are members of members; else one name with dots.
    fn nests(&self) -> bool {
        false
    }

    /// Whether the server reads all digits of an integer.
    fn integers_are_exact(&self) -> bool {
        false
    }

    /// Where the API puts NULLs when it orders by a column that declares `sort`.
    fn nulls_placed(&self, column: &Column) -> NullsPlaced {
        column
            .sort_nulls
            .map_or(NullsPlaced::Unknown, NullsPlaced::Always)
    }

    /// Whether an order is written as parameters, as [`Family::sort`] says; else
    /// [`Document::order_and_fields`] writes it.
    fn sorts_by_parameters(&self) -> bool {
        true
    }

    /// Whether it can always be asked for some members only.
    fn takes_fields(&self) -> bool {
        false
    }

    /// The parameters for a query's order and fields.
    ///
    /// # Errors
    /// Why the order cannot be written.
    fn order_and_fields(
        &self,
        dialect: &dyn Dialect,
        table: &Table,
        query: &RemoteQuery,
    ) -> Result<Vec<Parameter>, String> {
        order_and_fields(dialect, table, query)
    }

    /// How it aggregates, where it can.
    fn aggregating(&self) -> Option<&dyn Aggregating> {
        None
    }
}

/// How a dialect of JSON documents aggregates. Its sums pass through doubles, or may.
pub(in crate::pushdown::dialects) trait Aggregating {
    /// As [`Dialect::total`].
    fn total(&self, _table: &Table) -> Option<Location> {
        None
    }

    /// As [`Dialect::aggregates_column`].
    ///
    /// # Errors
    /// Why not, in a user's words.
    fn takes(&self, column: &Column) -> Result<(), String> {
        member(column).map(drop)
    }

    /// `Ok` where [`Aggregating::parameters`] can say it.
    ///
    /// # Errors
    /// Why not, in a user's words.
    fn check(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String>;

    /// What is sent beside the filter.
    ///
    /// # Errors
    /// Why it cannot be sent.
    fn parameters(&self, table: &Table, aggregate: &Aggregate) -> Result<Vec<Parameter>, String>;

    /// As [`Dialect::answered`].
    fn answered(&self, table: &Table, aggregate: &Aggregate, answer: Table) -> Table;
}

impl<F: Document> Dialect for Documents<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn judge(&self, table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        judged(&self.0, table, column, operator)
    }

    fn spells_or(&self, table: &Table) -> bool {
        let is_spelled = |word| is_spelled(&self.0, table, word);
        is_spelled(Word::Or) && is_spelled(Word::And)
    }

    /// Conditions that cannot be joined by `and` have one document between them; merged ones share it as
    /// long as they write different members.
    fn slots(
        &self,
        table: &Table,
        column: &Column,
        operator: Operator,
    ) -> Vec<(ParameterPlace, String)> {
        let document = self.name_of_filter(table).to_owned();
        match table.operators.spelled(Word::And) {
            Some(Spelled::Merged) => {
                let members = self.members(table, column, operator).unwrap_or_default();
                let slot = |member| (ParameterPlace::Query, format!("{document}.{member}"));
                members.into_iter().map(slot).collect()
            }
            _ if is_spelled(&self.0, table, Word::And) => Vec::new(),
            _ => vec![(ParameterPlace::Query, document)],
        }
    }

    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        Some(self.name_of_filter(table))
    }

    fn sorts(&self, _table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        if column.sort.is_none() {
            return Err(format!("column \"{}\" declares no sort", column.name));
        }
        Ok(self.0.nulls_placed(column))
    }

    fn sort_spelling(&self, _table: &Table) -> Option<SortSpelling> {
        let (param, style, _) = self.0.sort();
        self.0.sorts_by_parameters().then(|| SortSpelling {
            param: param.to_owned(),
            style,
        })
    }

    fn max_sort_keys(&self, _table: &Table) -> usize {
        self.0.sort().2
    }

    fn takes_fields(&self, table: &Table) -> bool {
        self.0.takes_fields() || table.fields_param.is_some()
    }

    fn test(&self, table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let filter = filter_for(column, test.operator)?;
        let mut filling = self.filling(column, test.operator)?;
        let mut used = word(&self.0, table, test.operator, filter)?;
        let mut precise = true;
        let json = |text: &str| filling::value(column, text, self.0.integers_are_exact());
        match &test.given {
            Given::Nothing => {}
            Given::Placeholder(name) => filling = filling.with_unknown(&placeholder(name)),
            Given::Pattern(pattern) => {
                let said = said(&self.0, table, test.operator, filter, pattern)?;
                (used, precise) = (said.word, said.precise);
                filling.value = Some((said.text.as_str().into(), said.text));
            }
            Given::Value(value) => {
                let (text, widened) = text(&self.0, column, test.operator, value)?;
                precise = !widened;
                filling.value = Some((json(&text)?, text));
            }
            Given::List(list) => {
                let element = |value| json(&text(&self.0, column, test.operator, value)?.0);
                filling.values = list.iter().map(element).collect::<Result<_, String>>()?;
            }
        }
        let template = self
            .template(table, used)
            .ok_or_else(|| unspelled(&self.0, test.operator))?;
        Ok(Term {
            fragment: Fragment::Json(filled(&template, &filling)),
            precise,
        })
    }

    fn join(
        &self,
        table: &Table,
        connective: Connective,
        parts: Vec<Fragment>,
    ) -> Result<Fragment, String> {
        let arms: Vec<Value> = parts.iter().filter_map(json).cloned().collect();
        self.joined(table, connective, arms).map(Fragment::Json)
    }

    fn total(&self, table: &Table) -> Option<Location> {
        self.0.aggregating()?.total(table)
    }

    fn aggregates(&self, table: &Table, aggregate: &Aggregate) -> Result<(), String> {
        match self.0.aggregating() {
            Some(aggregating) => aggregating.check(table, aggregate),
            None => Err(format!(
                "aggregates have no spelling in dialect {}",
                self.name()
            )),
        }
    }

    fn aggregates_column(&self, column: &Column) -> Result<(), String> {
        match self.0.aggregating() {
            Some(aggregating) => aggregating.takes(column),
            None => member(column).map(drop),
        }
    }

    fn adds_in_doubles(&self) -> bool {
        self.0.aggregating().is_some()
    }

    fn answered(&self, table: &Table, aggregate: &Aggregate, answer: Table) -> Table {
        match self.0.aggregating() {
            Some(aggregating) => aggregating.answered(table, aggregate, answer),
            None => answer,
        }
    }

    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let mut sent = Vec::new();
        let mut arms: Vec<Value> = terms.iter().copied().filter_map(json).cloned().collect();
        let name = self.name_of_filter(table);
        if !arms.is_empty() {
            // A constant of the same name is a filter, too.
            if let Some(own) = constant(table, name) {
                let own = serde_json::from_str(own).map_err(|_| {
                    format!("the constant \"{name}\" of option \"query\" is no JSON")
                })?;
                arms.insert(0, own);
            }
            let document = match arms.len() {
                1 => arms.remove(0),
                _ => self.joined(table, Connective::And, arms)?,
            };
            let text = document.to_string();
            let around = table.filter_template.as_deref().unwrap_or("{filter}");
            let text = template::filled(around, |name| (name == "filter").then(|| text.clone()));
            sent.push(Parameter::query(name, text).in_json());
        }
        sent.extend(match (&query.aggregate, self.0.aggregating()) {
            (Some(aggregate), Some(aggregating)) => aggregating.parameters(table, aggregate)?,
            _ => self.0.order_and_fields(self, table, query)?,
        });
        Ok(sent)
    }
}

impl<F: Document> Documents<F> {
    fn name_of_filter<'a>(&self, table: &'a Table) -> &'a str {
        table
            .filter_param
            .as_deref()
            .unwrap_or_else(|| self.0.filter_param())
    }

    /// The members of the document that a comparison writes.
    fn members(&self, table: &Table, column: &Column, operator: Operator) -> Option<Vec<String>> {
        let filter = filter_for(column, operator).ok()?;
        let word = word(&self.0, table, operator, filter).ok()?;
        let filling = self.filling(column, operator).ok()?;
        let written = filled(&self.template(table, word)?, &filling);
        Some(filling::members(&written))
    }

    fn template(&self, table: &Table, word: Word) -> Option<Value> {
        match table.operators.spelled(word) {
            Some(Spelled::Json(template)) => Some(template.clone()),
            Some(Spelled::Never | Spelled::Parameter(_) | Spelled::Merged) => None,
            None => serde_json::from_str(self.0.template(word)?).ok(),
        }
    }

    fn filling(&self, column: &Column, operator: Operator) -> Result<Filling, String> {
        let filter = filter_for(column, operator)?;
        Ok(Filling {
            path: path(&self.0, column, filter)?,
            nests: self.0.nests(),
            ..Filling::default()
        })
    }

    fn joined(
        &self,
        table: &Table,
        connective: Connective,
        arms: Vec<Value>,
    ) -> Result<Value, String> {
        let word = match connective {
            Connective::And => Word::And,
            Connective::Or => Word::Or,
        };
        if table.operators.spelled(word) == Some(&Spelled::Merged) {
            return filling::merged(&arms);
        }
        let template = self.template(table, word).ok_or_else(|| {
            let word = if word == Word::And { "AND" } else { "OR" };
            format!("{word} has no spelling in dialect {}", self.0.name())
        })?;
        let arms = Filling {
            arms,
            ..Filling::default()
        };
        Ok(filled(&template, &arms))
    }
}

fn json(fragment: &Fragment) -> Option<&Value> {
    match fragment {
        Fragment::Json(document) => Some(document),
        Fragment::Text(_) | Fragment::Parameters(_) => None,
    }
}

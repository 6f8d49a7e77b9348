//! Conditions → parameters: which template answers a comparison, how well, and how it is filled.

use super::family::{Family, in_sql};
use super::patterns::{self, dropped};
use super::values::{self, COMMA, Text};
use crate::model::{
    Column, FieldPath, Filter, OnError, Operator, ParameterPlace, ParameterTemplate, Placeholder,
    Role, Spelled, Table, Type, Word,
};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::dialects::declared::declared;
use crate::pushdown::dialects::spelling::{
    Dialect, Fragment, Judged, NullsPlaced, Parameter, SortSpelling, Term, parameters,
};
use crate::pushdown::dialects::standard::order_and_fields;
use crate::pushdown::expression::{Given, Test};
use crate::pushdown::pattern::Pattern;

/// A dialect of parameters.
pub(in crate::pushdown::dialects) struct Parameters<F>(pub(in crate::pushdown::dialects) F);

impl<F: Family> Dialect for Parameters<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn judge(&self, table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        let filter = filter_for(column, operator)?;
        self.name_of(column, filter)?;
        self.word(table, operator, filter)?;
        self.keeps_rows(column, operator, filter)?;
        self.0.keeps_rows(column, operator, filter)?;
        let is_negative = matches!(operator, Operator::Ne | Operator::NotIn);
        let keeps_nulls = is_negative && self.0.keeps_nulls() && !column.not_null;
        Ok(Judged {
            exact: filter.exact
                && filter.operator == operator
                && !keeps_nulls
                && column.on_error == OnError::Error,
            format: filter.format.clone(),
        })
    }

    fn slot(
        &self,
        table: &Table,
        column: &Column,
        operator: Operator,
    ) -> Option<(ParameterPlace, String)> {
        let filter = filter_for(column, operator).ok()?;
        let word = self.word(table, operator, filter).ok()?;
        let name = self.name_of(column, filter).ok()?;
        let template = self.template(table, word)?;
        Some((ParameterPlace::Query, values::name(&template, &name)))
    }

    fn test(&self, table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let filter = filter_for(column, test.operator)?;
        let word = self.word(table, test.operator, filter)?;
        let (word, texts, precise) = match &test.given {
            Given::Placeholder(name) => (word, vec![Text::unknown(name)], true),
            Given::Nothing => (word, Vec::new(), true),
            Given::Pattern(pattern) => {
                let said = self.said(table, test.operator, filter, pattern)?;
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
        let template = self
            .template(table, word)
            .ok_or_else(|| self.unspelled(test.operator))?;
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
        let mut sent = parameters(terms);
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
        let (param, style) = self.0.sort_spelling();
        Some(SortSpelling {
            param: param.to_owned(),
            style,
        })
    }

    fn max_sort_keys(&self, _table: &Table) -> usize {
        self.0.max_sort_keys()
    }
}

/// The declaration that answers `operator`: its own; for LIKE on text also `contains` (a text that a pattern
/// matches holds each of the pattern's literal parts) and `ilike`.
fn filter_for(column: &Column, operator: Operator) -> Result<&Filter, String> {
    let own = declared(column, operator);
    match operator {
        Operator::Like if own.is_err() => declared(column, Operator::Contains)
            .or_else(|_| declared(column, Operator::ILike))
            .or(own),
        _ => own,
    }
}

impl<F: Family> Parameters<F> {
    /// The spelling of a word: the table's own, else the dialect's.
    fn template(&self, table: &Table, word: Word) -> Option<ParameterTemplate> {
        match table.operators.spelled(word) {
            Some(Spelled::Parameter(template)) => Some(template.clone()),
            Some(Spelled::Never | Spelled::Json(_) | Spelled::Merged) => None,
            None => ParameterTemplate::parse(self.0.template(word)?).ok(),
        }
    }

    fn unspelled(&self, operator: Operator) -> String {
        format!(
            "{} has no spelling in dialect {}",
            operator.sql(),
            self.0.name()
        )
    }

    /// The word that says a comparison; for patterns the first of those that may.
    fn word(&self, table: &Table, operator: Operator, filter: &Filter) -> Result<Word, String> {
        use Operator::{Contains, ILike, Like, NotILike, NotLike};
        let word = match operator {
            Like | NotLike | ILike | NotILike => {
                self.pattern_words(table, operator, filter).first().copied()
            }
            // The dialects' own `contains` looks for a text in a text.
            Contains if table.operators.spelled(Word::Contains).is_some() => Some(Word::Contains),
            Contains => self.0.contains_json().then_some(Word::Contains),
            _ => Word::of(operator),
        };
        word.filter(|word| self.template(table, *word).is_some())
            .ok_or_else(|| self.unspelled(operator))
    }

    /// The words that say patterns. One whose parameter could be that of another operator, too, is left
    /// out: a parameter carries one condition.
    fn pattern_words(&self, table: &Table, operator: Operator, filter: &Filter) -> Vec<Word> {
        let words = patterns::words(operator, filter, |word| {
            self.template(table, word).is_some()
        });
        let names = |word: Word| self.template(table, word).map(|template| template.name);
        let is_own = |word: &Word| {
            let others = Word::all().filter_map(Word::parse);
            let mut others = others.filter(|other| !words.contains(other));
            !others.any(|other| names(other) == names(*word))
        };
        let first = words.first().copied();
        let keep = |word: &Word| Some(*word) == first || is_own(word);
        words.iter().copied().filter(keep).collect()
    }

    fn said(
        &self,
        table: &Table,
        operator: Operator,
        filter: &Filter,
        pattern: &Pattern,
    ) -> Result<patterns::Said, String> {
        let words = self.pattern_words(table, operator, filter);
        let is_own = words
            .first()
            .is_some_and(|word| table.operators.spelled(*word).is_some());
        // The dialect's own syntax of patterns is not that of the user's template.
        let whole = |pattern: &Pattern| match is_own {
            true => in_sql(pattern).map(|text| (text, true)),
            false => self.0.pattern(pattern),
        };
        patterns::say(&self.0, operator, filter, &words, pattern, &whole)
    }

    /// The column's name at the API: as declared, else made from its path.
    fn name_of(&self, column: &Column, filter: &Filter) -> Result<String, String> {
        if let Some(name) = &filter.parameter {
            return Ok(self.0.declared_name(name));
        }
        match &column.role {
            Role::Parameter { name, .. } => Ok(name.clone()),
            Role::Field(FieldPath::Default(name)) => self.0.column_name(column, &[name]),
            Role::Field(FieldPath::Path(segments)) => {
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                self.0.column_name(column, &segments)
            }
            Role::Field(FieldPath::Whole | FieldPath::Key) => self.0.column_name(column, &[]),
        }
    }

    /// What holds in all of these dialects.
    fn keeps_rows(
        &self,
        column: &Column,
        operator: Operator,
        filter: &Filter,
    ) -> Result<(), String> {
        use Operator::{Ne, NotILike, NotIn, NotLike};
        let is_negative = match operator {
            Ne | NotIn => matches!(column.ty, Type::Text | Type::Other),
            NotLike | NotILike => true,
            _ => false,
        };
        if is_negative && !filter.exact && !self.0.compares_exactly() {
            return Err(format!(
                "a server that ignores case would lose rows under {}; declare the filter exact if this one does not",
                operator.sql()
            ));
        }
        Ok(())
    }

    fn scalar(
        &self,
        table: &Table,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let (text, widened) = self.text(column, operator, value)?;
        if text.contains(',') && self.reads_lists(table, column, operator) {
            return Err(COMMA.to_owned());
        }
        Ok((text, widened))
    }

    /// Whether the parameter of a comparison is that of a declared list with commas, too.
    fn reads_lists(&self, table: &Table, column: &Column, operator: Operator) -> bool {
        let own = self.slot(table, column, operator);
        [Operator::In, Operator::NotIn].into_iter().any(|list| {
            let template = Word::of(list).and_then(|word| self.template(table, word));
            template.is_some_and(|template| template.has(Placeholder::ValuesCsv))
                && self.slot(table, column, list) == own
        })
    }

    fn element(&self, column: &Column, operator: Operator, value: &Value) -> Result<Text, String> {
        let (text, _) = self.text(column, operator, value)?;
        Ok(Text::of(column, text))
    }

    fn text(
        &self,
        column: &Column,
        operator: Operator,
        value: &Value,
    ) -> Result<(String, bool), String> {
        let (text, widened) = self.0.value(column, operator, value)?;
        if self.0.trims() && (text.starts_with(dropped) || text.ends_with(dropped)) {
            return Err("the API would drop the white space around it".to_owned());
        }
        Ok((text, widened))
    }
}

//! What a dialect has to answer: what it can say, how well, and how it is written.

use super::{of, standard};
use crate::model::{
    Column, Location, NullsOrder, Operator, ParameterPlace, SortStyle, Table, ValueFormat,
};
use crate::pushdown::expression::Test;
use crate::pushdown::{Aggregate, RemoteQuery, member};

/// How well a dialect can say a comparison with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The API returns precisely SQL's rows; else perhaps more.
    pub(crate) exact: bool,
    /// How values are written, where that differs from the column's own format.
    pub(crate) format: Option<ValueFormat>,
}

/// A written condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    /// What is sent.
    pub(crate) fragment: Fragment,
    /// It says precisely the condition; else something wider.
    pub(crate) precise: bool,
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fragment {
    /// Parameters of its own.
    Parameters(Vec<Parameter>),
    /// A piece of a filter's text.
    Text(String),
    /// A piece of a JSON document.
    Json(serde_json::Value),
}

/// A value for a place in the request; not encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) place: ParameterPlace,
    pub(crate) name: String,
    pub(crate) value: String,
    /// The value is JSON (a number, a truth value, a document); else text.
    pub(crate) is_json: bool,
}

impl Parameter {
    /// A parameter of the query string.
    pub(crate) fn query(name: impl Into<String>, value: impl Into<String>) -> Parameter {
        Parameter {
            place: ParameterPlace::Query,
            name: name.into(),
            value: value.into(),
            is_json: false,
        }
    }

    /// The same, its value being JSON.
    pub(crate) fn in_json(self) -> Parameter {
        Parameter {
            is_json: true,
            ..self
        }
    }
}

/// Where NULLs stand in an order that the API makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullsPlaced {
    /// Where the request says.
    AsAsked,
    /// Always there.
    Always(NullsOrder),
    /// Nobody knows.
    Unknown,
}

/// How an order is written as parameters: the dialect's own way, where the table declares nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortSpelling {
    /// The parameter that names the columns.
    pub(crate) param: String,
    /// How the direction is written.
    pub(crate) style: SortStyle,
}

/// How conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connective {
    And,
    Or,
}

/// One way to spell conditions.
///
/// Plan time asks [`judge`](Dialect::judge) with no values; run time asks [`test`](Dialect::test) with
/// them, and what cannot be written with these values is left to PostgreSQL.
pub(crate) trait Dialect: Sync {
    /// As the option `dialect` names it.
    fn name(&self) -> &'static str;

    /// How well `column OPERATOR value` can be said; the reason, in a user's words, where it cannot.
    /// [`Operator::Contains`] is asked for JSON and arrays only.
    fn judge(&self, table: &Table, column: &Column, operator: Operator) -> Result<Judged, String>;

    /// Whether it has OR (and AND below it).
    fn spells_or(&self, _table: &Table) -> bool {
        false
    }

    /// The places of the request that this comparison fills and that carry one condition each: its parameter, or the
    /// members of a document. None, where several conditions can share them.
    fn slots(
        &self,
        _table: &Table,
        _column: &Column,
        _operator: Operator,
    ) -> Vec<(ParameterPlace, String)> {
        Vec::new()
    }

    /// The parameter that this comparison sets, where it is one of the request's own.
    fn parameter_name(&self, table: &Table, column: &Column, operator: Operator) -> Option<String> {
        let slots = self.slots(table, column, operator);
        slots.into_iter().next().map(|(_, name)| name)
    }

    /// The parameter that carries the whole filter, where there is one.
    fn filter_param<'a>(&self, table: &'a Table) -> Option<&'a str> {
        table.filter_param.as_deref()
    }

    /// Whether the API can order by a column, and where it puts NULLs then; the reason, in a user's
    /// words, where it cannot. Without a way to spell orders as parameters, a dialect that has orders
    /// says so here and writes them in [`finish`](Dialect::finish).
    fn sorts(&self, table: &Table, column: &Column) -> Result<NullsPlaced, String> {
        if self.sort_spelling(table).is_none() {
            return Err(format!("dialect {} has no orders", self.name()));
        }
        if column.sort.is_none() {
            return Err(format!("column \"{}\" declares no sort", column.name));
        }
        Ok(column
            .sort_nulls
            .map_or(NullsPlaced::Unknown, NullsPlaced::Always))
    }

    /// How an order is written as parameters, for a dialect whose [`finish`](Dialect::finish) adds
    /// [`order_and_fields`](standard::order_and_fields); `None` where it has another way, or no orders.
    fn sort_spelling(&self, _table: &Table) -> Option<SortSpelling> {
        None
    }

    /// The most columns that one order can have, where the table does not declare it.
    fn max_sort_keys(&self, _table: &Table) -> usize {
        1
    }

    /// Whether its orders put rows with null and rows without the member apart: those are equal in SQL, so what a
    /// further column orders among them is lost.
    fn tells_nulls_apart(&self) -> bool {
        false
    }

    /// The most values of a list that it takes, where its servers have such a bound.
    fn max_list_size(&self) -> Option<usize> {
        None
    }

    /// Whether the API can be asked for some members of its rows only.
    fn takes_fields(&self, table: &Table) -> bool {
        table.fields_param.is_some() && self.sort_spelling(table).is_some()
    }

    /// By which name a column's member of a row is asked for; `None` where there is none that is sure to
    /// bring it. Not asked for the whole row and for a row's key.
    fn field_name(&self, _table: &Table, column: &Column) -> Option<String> {
        standard::field_name(column)
    }

    /// Writes a comparison that was judged well.
    ///
    /// # Errors
    /// Why the API would not understand this value (rule R4).
    fn test(&self, table: &Table, column: &Column, test: &Test) -> Result<Term, String>;

    /// Joins written conditions; only asked below OR, where [`spells_or`](Dialect::spells_or).
    ///
    /// # Errors
    /// Why they cannot be joined.
    fn join(
        &self,
        _table: &Table,
        _connective: Connective,
        _parts: Vec<Fragment>,
    ) -> Result<Fragment, String> {
        Err(format!("OR has no spelling in dialect {}", self.name()))
    }

    /// Where a response tells how many rows fulfil the conditions, if [`finish`](Dialect::finish) asks for
    /// that in a way of the dialect's own.
    fn total(&self, _table: &Table) -> Option<Location> {
        None
    }

    /// Whether the API can be asked for these aggregates; all of them are declared.
    ///
    /// # Errors
    /// Why not, in a user's words.
    fn aggregates(&self, _table: &Table, _aggregate: &Aggregate) -> Result<(), String> {
        Err(format!(
            "aggregates have no spelling in dialect {}",
            self.name()
        ))
    }

    /// `Ok` where the API can aggregate a column's values.
    ///
    /// # Errors
    /// Why not, in a user's words.
    fn aggregates_column(&self, column: &Column) -> Result<(), String> {
        member(column).map(drop)
    }

    /// Whether sums pass through doubles there: they are only known to be exact where no sum on the way can be
    /// larger than 2^53.
    fn adds_in_doubles(&self) -> bool {
        false
    }

    /// The table that the API answers aggregates with, in the dialect's own way; `answer` has the columns as
    /// members of rows like the table's.
    fn answered(&self, _table: &Table, _aggregate: &Aggregate, answer: Table) -> Table {
        answer
    }

    /// What is sent for a whole query: the conditions, all of which hold, the order, the columns.
    ///
    /// # Errors
    /// Why it cannot be sent.
    fn finish(
        &self,
        table: &Table,
        query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String>;
}

/// What is sent for a whole query, in the table's dialect.
pub(crate) fn finish(
    table: &Table,
    query: &RemoteQuery,
    terms: &[&Fragment],
) -> Result<Vec<Parameter>, String> {
    of(table).finish(table, query, terms)
}

/// The parameter that carries the whole filter, in dialects that have one.
pub(crate) fn filter_param(table: &Table) -> Option<&str> {
    of(table).filter_param(table)
}

/// The query parameters that a column's declared filters set.
pub(crate) fn parameters_of(table: &Table, column: &Column) -> Vec<String> {
    let dialect = of(table);
    let declared = column.filters.iter().map(|filter| filter.operator);
    let operators = declared.flat_map(|operator| match operator {
        // On text, `contains` answers LIKE.
        Operator::Contains => vec![operator, Operator::Like],
        operator => vec![operator],
    });
    operators
        .filter_map(|operator| dialect.parameter_name(table, column, operator))
        .collect()
}

/// Terms that are parameters of their own, one after the other.
pub(super) fn parameters(terms: &[&Fragment]) -> Vec<Parameter> {
    terms
        .iter()
        .flat_map(|term| match term {
            Fragment::Parameters(parameters) => parameters.clone(),
            Fragment::Text(_) | Fragment::Json(_) => Vec::new(),
        })
        .collect()
}

/// The filter's text of a term that is one.
pub(super) fn text(term: &Fragment) -> Option<&str> {
    match term {
        Fragment::Text(text) => Some(text),
        Fragment::Parameters(_) | Fragment::Json(_) => None,
    }
}

/// Terms that are texts as one, with a word between them.
pub(super) fn in_parentheses(terms: &[Fragment], word: &str) -> Fragment {
    let texts: Vec<&str> = terms.iter().filter_map(text).collect();
    Fragment::Text(format!("({})", texts.join(word)))
}

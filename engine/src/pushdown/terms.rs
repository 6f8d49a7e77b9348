//! Conditions with values → what each request sends for them.

use super::dialects::{self, Connective, Fragment, Judged, Term, max_list_size};
use super::expression::{Expression, Given, Test};
use crate::model::{Column, Operator, Table};
use crate::predicate::{Semantics, Value};
use crate::request::{encoded_length, is_in_range, write};
use std::borrow::Cow;
use std::collections::HashSet;

/// What one request sends for a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) fragment: Fragment,
    /// Where a list is split into several requests: the column, and the values that this one asks for.
    /// Rows of other values belong to other requests, or to none.
    pub(crate) column: Option<(usize, Value)>,
}

/// What is sent for a condition: one of these a request. And whether it is precisely the condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alternatives {
    pub(crate) list: Vec<Alternative>,
    pub(crate) precise: bool,
}

/// How the table's dialect says a comparison.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    /// The comparison that is written.
    pub(super) operator: Operator,
    pub(super) judged: Judged,
    pub(super) form: Form,
}

/// How a comparison with a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As one comparison.
    Whole,
    /// As a comparison with each value, joined.
    Each(Connective),
    /// As one request a value.
    Requests,
}

/// How `column OPERATOR …` is said: directly, or by other comparisons that keep at least its rows.
/// `mag > 5` as `mag >= 5`, a list as its values.
pub(super) fn resolve(
    table: &Table,
    column: &Column,
    operator: Operator,
) -> Result<Resolved, String> {
    let dialect = dialects::of(table);
    let direct = dialect.judge(table, column, operator);
    let (other, form, same) = match (&direct, operator) {
        (Ok(judged), _) => {
            return Ok(Resolved {
                operator,
                judged: judged.clone(),
                form: Form::Whole,
            });
        }
        (Err(_), Operator::Gt) => (Operator::Ge, Form::Whole, false),
        (Err(_), Operator::Lt) => (Operator::Le, Form::Whole, false),
        (Err(_), Operator::In) if dialect.spells_or(table) => {
            (Operator::Eq, Form::Each(Connective::Or), true)
        }
        (Err(_), Operator::In) => (Operator::Eq, Form::Requests, true),
        (Err(_), Operator::NotIn) if dialect.spells_or(table) => {
            (Operator::Ne, Form::Each(Connective::And), true)
        }
        (Err(reason), _) => return Err(reason.clone()),
    };
    match (dialect.judge(table, column, other), direct) {
        (Ok(judged), _) => Ok(Resolved {
            operator: other,
            judged: Judged {
                exact: judged.exact && same,
                ..judged
            },
            form,
        }),
        (Err(_), Err(reason)) | (Err(reason), Ok(_)) => Err(reason),
    }
}

/// What is sent for a condition at the top, where a list may become several requests.
///
/// # Errors
/// Why the API would not understand a value.
pub(crate) fn alternatives(table: &Table, expression: &Expression) -> Result<Alternatives, String> {
    if let Expression::Test(test) = expression
        && let (Operator::In, Given::List(values)) = (test.operator, &test.given)
    {
        return list(table, test, values);
    }
    let term = term(table, expression)?;
    Ok(Alternatives {
        precise: term.precise,
        list: vec![Alternative {
            fragment: term.fragment,
            column: None,
        }],
    })
}

fn list(table: &Table, test: &Test, values: &[Value]) -> Result<Alternatives, String> {
    let column = &table.columns[test.column];
    let resolved = resolve(table, column, Operator::In)?;
    let column = as_sent(column, &resolved);
    let values = distinct(&column, values)?;
    let chunks: Vec<&[Value]> = if resolved.form == Form::Requests {
        values.chunks(1).collect()
    } else {
        chunks(table, &column, &values)?
    };
    let is_split = chunks.len() > 1 || resolved.form == Form::Requests;
    let mut precise = true;
    let mut list = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let part = Test {
            given: Given::List(chunk.to_vec()),
            ..test.clone()
        };
        let term = written(table, &column, &resolved, &part)?;
        precise &= term.precise;
        list.push(Alternative {
            fragment: term.fragment,
            column: is_split.then(|| (test.column, Value::List(chunk.to_vec()))),
        });
    }
    Ok(Alternatives { list, precise })
}

/// The values that the column can have and whose texts differ.
fn distinct(column: &Column, values: &[Value]) -> Result<Vec<Value>, String> {
    let mut seen = HashSet::new();
    let mut found = Vec::with_capacity(values.len());
    for value in values.iter().filter(|value| is_in_range(&column.ty, value)) {
        if seen.insert(write(column, Operator::In, value)?.text) {
            found.push(value.clone());
        }
    }
    Ok(found)
}

/// A value's quotes, its separator, a repeated parameter's `=`: about what a list needs besides.
const AROUND_VALUE: usize = 8;

/// The lists that one request each can carry: as long as declared, as the URL allows.
fn chunks<'a>(
    table: &Table,
    column: &Column,
    values: &'a [Value],
) -> Result<Vec<&'a [Value]>, String> {
    let most = max_list_size(table).unwrap_or(usize::MAX);
    let room = table.max_url_length;
    let mut chunks = Vec::new();
    let (mut start, mut length) = (0, 0);
    for (index, value) in values.iter().enumerate() {
        let text = write(column, Operator::In, value)?.text;
        let more = encoded_length(&text) + AROUND_VALUE + column.name.len();
        if index > start && (index - start >= most || length + more > room) {
            chunks.push(&values[start..index]);
            (start, length) = (index, 0);
        }
        length += more;
    }
    chunks.push(&values[start..]);
    Ok(chunks)
}

/// Writes a condition; of an AND what can be written.
fn term(table: &Table, expression: &Expression) -> Result<Term, String> {
    match expression {
        Expression::Test(test) => {
            let column = &table.columns[test.column];
            let resolved = judge(table, column, test.operator, test.semantics)?;
            written(table, &as_sent(column, &resolved), &resolved, test)
        }
        Expression::All(parts) => {
            let written: Vec<Result<Term, String>> =
                parts.iter().map(|part| term(table, part)).collect();
            let complete = written.iter().all(Result::is_ok);
            let reason = written.iter().find_map(|part| part.clone().err());
            let terms: Vec<Term> = written.into_iter().flatten().collect();
            if terms.is_empty() {
                return Err(reason.unwrap_or_default());
            }
            let mut joined = join(table, Connective::And, terms)?;
            joined.precise &= complete;
            Ok(joined)
        }
        Expression::Any(arms) => {
            let terms = arms.iter().map(|arm| term(table, arm));
            join(table, Connective::Or, terms.collect::<Result<_, _>>()?)
        }
    }
}

fn join(table: &Table, connective: Connective, mut terms: Vec<Term>) -> Result<Term, String> {
    if terms.len() == 1 {
        return Ok(terms.remove(0));
    }
    let precise = terms.iter().all(|term| term.precise);
    let fragments = terms.into_iter().map(|term| term.fragment).collect();
    let fragment = dialects::of(table).join(table, connective, fragments)?;
    Ok(Term { fragment, precise })
}

fn written(
    table: &Table,
    column: &Column,
    resolved: &Resolved,
    test: &Test,
) -> Result<Term, String> {
    let dialect = dialects::of(table);
    let one = |given: Given| {
        let part = Test {
            operator: resolved.operator,
            given,
            ..test.clone()
        };
        dialect.test(table, column, &part)
    };
    let mut term = match (resolved.form, &test.given) {
        (Form::Requests, Given::List(values)) => match values.as_slice() {
            [value] => one(Given::Value(value.clone())),
            _ => Err("a list inside of OR cannot be split into requests".to_owned()),
        },
        (Form::Each(connective), Given::List(values)) => {
            let each = values.iter().map(|value| one(Given::Value(value.clone())));
            join(table, connective, each.collect::<Result<_, _>>()?)
        }
        (Form::Whole, Given::List(values))
            if max_list_size(table).is_some_and(|most| values.len() > most) =>
        {
            Err("the API takes no list that long, and it cannot be split".to_owned())
        }
        _ => one(test.given.clone()),
    }?;
    term.precise &= resolved.operator == test.operator || resolved.form != Form::Whole;
    Ok(term)
}

/// The column with the format that the filter's values have.
fn as_sent<'a>(column: &'a Column, resolved: &Resolved) -> Cow<'a, Column> {
    match &resolved.judged.format {
        None => Cow::Borrowed(column),
        Some(_) => Cow::Owned(Column {
            format: resolved.judged.format.clone(),
            ..column.clone()
        }),
    }
}

/// Whether a column's value may be looked up by the endpoint of a single row.
pub(super) fn judge_key(column: &Column, semantics: Semantics) -> Result<(), String> {
    let resolved = Resolved {
        operator: Operator::Eq,
        judged: Judged {
            exact: false,
            format: None,
        },
        form: Form::Whole,
    };
    super::comparable::comparable(column, &resolved, Operator::Eq, semantics)
}

/// Whether the API answers a comparison by itself, not by others that stand for it; and if so, whether exactly.
pub fn answers(
    table: &Table,
    column: &Column,
    operator: Operator,
    semantics: Semantics,
) -> Option<bool> {
    let resolved = judge(table, column, operator, semantics).ok()?;
    (resolved.operator == operator && resolved.form == Form::Whole).then_some(resolved.judged.exact)
}

/// How well the API answers a comparison with whatever value.
pub(super) fn judge(
    table: &Table,
    column: &Column,
    operator: Operator,
    semantics: Semantics,
) -> Result<Resolved, String> {
    let resolved = resolve(table, column, operator)?;
    super::comparable::comparable(column, &resolved, operator, semantics)?;
    Ok(resolved)
}

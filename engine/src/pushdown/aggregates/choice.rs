//! Whether the API may be asked for aggregates, and in which way.

use super::super::dialects;
use super::super::terms;
use super::{Addends, Aggregate, AskedBy, Call, Source, Wish, WishedColumn, WishedResult};
use crate::model::{
    Column, Dialect, FieldPath, Function, Location, OnError, Operator, Paging, Role, RowsShape,
    Table, Type,
};

/// What the API is asked for; counts without rows come first, since they cost it least.
///
/// # Errors
/// Why, in a user's words, it is not asked.
pub fn choose(table: &Table, wish: &Wish) -> Result<Aggregate, String> {
    let results = wish
        .results
        .iter()
        .map(|result| counting_rows(table, *result));
    let wish = Wish {
        group: wish.group.clone(),
        results: results.collect(),
    };
    let only_counts =
        wish.group.is_empty() && wish.results.iter().all(|result| result.argument.is_none());
    match only_counts.then(|| without_rows(table)).flatten() {
        Some(by) => Ok(counted(table, by, wish.results.len())),
        None => by_dialect(table, &wish),
    }
}

/// `count(column)` counts rows where the column is never NULL.
fn counting_rows(table: &Table, result: WishedResult) -> WishedResult {
    let is_never_null = |wished: &WishedColumn| {
        let column = &table.columns[wished.column];
        column.not_null && !column.is_input() && column.on_error == OnError::Error
    };
    match (result.function, result.argument) {
        (Function::Count, Some(argument)) if is_never_null(&argument) => WishedResult {
            argument: None,
            ..result
        },
        _ => result,
    }
}

/// How the API tells the number of rows by itself.
fn without_rows(table: &Table) -> Option<AskedBy> {
    let declared = &table.aggregates;
    if declared.count_endpoint.is_some() {
        return Some(AskedBy::CountEndpoint);
    }
    let is_declared = declared.exact_total || declared.functions.contains(&Function::Count);
    let of_dialect = dialects::of(table).total(table);
    if let Some(place) = of_dialect.filter(|_| is_declared && !body_is_about_rows(table)) {
        return Some(AskedBy::Total(place));
    }
    let place = match (&table.total_field, &table.total_header) {
        (Some(field), _) => Location::Body(field.clone()),
        (None, Some(header)) => Location::Header(header.clone()),
        (None, None) => return None,
    };
    declared.exact_total.then_some(AskedBy::Total(place))
}

/// The name of a count that the API gives no name.
const COUNT: &str = "count";

fn counted(table: &Table, by: AskedBy, results: usize) -> Aggregate {
    let is_anywhere = by == AskedBy::CountEndpoint && table.aggregates.count_field.is_none();
    let source = if is_anywhere {
        Source::EitherCount(0, 1)
    } else {
        Source::Count(0)
    };
    Aggregate {
        by,
        group: Vec::new(),
        calls: vec![Call {
            function: Function::Count,
            column: None,
            name: COUNT.to_owned(),
        }],
        results: vec![source; results],
    }
}

fn by_dialect(table: &Table, wish: &Wish) -> Result<Aggregate, String> {
    if wish.results.is_empty() {
        return Err("the query asks for groups only, not for aggregates".to_owned());
    }
    has_named_members(table)?;
    if body_is_about_rows(table) {
        return Err("the table's body was written for rows".to_owned());
    }
    if matches!(table.paging, Paging::Keyset { .. }) && !wish.group.is_empty() {
        return Err("groups have no key that pages could go on from".to_owned());
    }
    for wished in &wish.group {
        groups(table, *wished)?;
    }
    let mut calls = Calls {
        table,
        first: wish.group.len(),
        all: Vec::new(),
    };
    let results = wish.results.iter().map(|result| calls.source(*result));
    let aggregate = Aggregate {
        by: AskedBy::Dialect,
        group: wish.group.iter().map(|wished| wished.column).collect(),
        results: results.collect::<Result<_, _>>()?,
        calls: calls.all,
    };
    dialects::of(table).aggregates(table, &aggregate)?;
    Ok(aggregate)
}

/// What a body's template asks for besides conditions was meant for rows, unless it carries a whole statement.
fn body_is_about_rows(table: &Table) -> bool {
    let carries_statement = table.dialect == Dialect::Sql && table.filter_template.is_some();
    let body = table.body.as_ref();
    body.is_some_and(|body| body.template.is_some()) && !carries_statement
}

/// Results are found by their names.
fn has_named_members(table: &Table) -> Result<(), String> {
    match table.shape {
        RowsShape::Objects
        | RowsShape::Arrays {
            columns_field: Some(_),
        } => Ok(()),
        _ => Err("the members of the API's rows have no names".to_owned()),
    }
}

/// The calls that results are made of.
struct Calls<'a> {
    table: &'a Table,
    /// The first call's column in the answer.
    first: usize,
    all: Vec<Call>,
}

impl Calls<'_> {
    fn source(&mut self, result: WishedResult) -> Result<Source, String> {
        let Some(argument) = result.argument else {
            return self.call(Function::Count, None).map(Source::Count);
        };
        let column = &self.table.columns[argument.column];
        dialects::of(self.table).aggregates_column(column)?;
        let argued = Some(argument.column);
        match result.function {
            Function::Count => {
                is_counted_as_here(self.table, column, argument)?;
                self.call(Function::Count, argued).map(Source::Count)
            }
            Function::Sum => {
                adds_exactly(self.table, column)?;
                let sum = self.call(Function::Sum, argued)?;
                Ok(match self.addends(argument.column) {
                    None => Source::Column(sum),
                    Some(addends) => Source::Sum { sum, addends },
                })
            }
            Function::Min | Function::Max => {
                is_ordered_as_here(self.table, column, argument)?;
                self.call(result.function, argued).map(Source::Column)
            }
            Function::Avg => {
                adds_exactly(self.table, column)?;
                let counted = if column.not_null {
                    None
                } else {
                    is_counted_as_here(self.table, column, argument)?;
                    argued
                };
                Ok(Source::Quotient {
                    sum: self.call(Function::Sum, argued)?,
                    count: self.call(Function::Count, counted)?,
                    addends: self.addends(argument.column),
                })
            }
        }
    }

    /// What tells whether a sum of doubles is exact, where sums are such.
    fn addends(&mut self, column: usize) -> Option<Addends> {
        let argued = Some(column);
        let counted = argued.filter(|column| !self.table.columns[*column].not_null);
        dialects::of(self.table).adds_in_doubles().then(|| Addends {
            count: self.place(Function::Count, counted),
            least: self.place(Function::Min, argued),
            most: self.place(Function::Max, argued),
        })
    }

    /// The answer's column of a call that the query asks for.
    fn call(&mut self, function: Function, column: Option<usize>) -> Result<usize, String> {
        if !self.table.aggregates.functions.contains(&function) {
            return Err(format!(
                "option \"aggregates\" of the table does not name {}",
                function.sql()
            ));
        }
        Ok(self.place(function, column))
    }

    /// The answer's column of a call, which is made once.
    fn place(&mut self, function: Function, column: Option<usize>) -> usize {
        let is_same = |call: &Call| call.function == function && call.column == column;
        if let Some(index) = self.all.iter().position(is_same) {
            return self.first + index;
        }
        let name = self.free_name(function);
        self.all.push(Call {
            function,
            column,
            name,
        });
        self.first + self.all.len() - 1
    }

    /// A name that no member of the rows has, as far as that is known.
    fn free_name(&self, function: Function) -> String {
        let is_taken = |name: &String| {
            let members = self
                .table
                .columns
                .iter()
                .filter_map(|column| member(column).ok());
            let mut names = members.chain(self.all.iter().map(|call| call.name.as_str()));
            names.any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut number = self.all.len() + 1;
        loop {
            let name = format!("{}_{number}", function.sql());
            if !is_taken(&name) {
                return name;
            }
            number += 1;
        }
    }
}

/// The member of a row that a column is.
///
/// # Errors
/// Why the API cannot be asked to aggregate it.
pub(crate) fn member(column: &Column) -> Result<&str, String> {
    may_be_aggregated(column)?;
    let name = &column.name;
    match &column.role {
        Role::Field(FieldPath::Default(member)) => Ok(member),
        Role::Field(FieldPath::Path(segments)) => match segments.as_slice() {
            [member] => Ok(member),
            _ => Err(format!("column \"{name}\" is a member of a member")),
        },
        Role::Field(FieldPath::Whole | FieldPath::Key) => {
            Err(format!("column \"{name}\" is not a member of the row"))
        }
        Role::Parameter { .. } => Err(format!("column \"{name}\" is an input of the request")),
    }
}

/// `Ok` where the API's values are those of the column.
///
/// # Errors
/// Why they may not be, in a user's words.
pub(crate) fn may_be_aggregated(column: &Column) -> Result<(), String> {
    if column.on_error == OnError::Null {
        return Err(format!(
            "values that do not fit column \"{}\" become NULL here, and the API does not know",
            column.name
        ));
    }
    Ok(())
}

/// Two values are in one group there exactly where they are here.
fn groups(table: &Table, wished: WishedColumn) -> Result<(), String> {
    let column = &table.columns[wished.column];
    dialects::of(table).aggregates_column(column)?;
    let equality = terms::judge(table, column, Operator::Eq, wished.semantics)?;
    if equality.operator == Operator::Eq && equality.judged.exact {
        return Ok(());
    }
    Err(format!(
        "the API may not tell all values of column \"{}\" apart as SQL does",
        column.name
    ))
}

fn is_counted_as_here(table: &Table, column: &Column, wished: WishedColumn) -> Result<(), String> {
    let presence = terms::judge(table, column, Operator::IsNotNull, wished.semantics)?;
    if presence.judged.exact {
        return Ok(());
    }
    Err(format!(
        "the API may not know the NULLs of column \"{}\"",
        column.name
    ))
}

/// A sum of doubles depends on the order of its additions, unless all are integers and none is large.
fn adds_exactly(table: &Table, column: &Column) -> Result<(), String> {
    let is_exact = match column.ty {
        Type::Int2 | Type::Int4 => true,
        Type::Int8 | Type::Numeric => !dialects::of(table).adds_in_doubles(),
        _ => false,
    };
    if is_exact && column.format.is_none() {
        return Ok(());
    }
    Err(format!(
        "the API may not add the values of column \"{}\" exactly",
        column.name
    ))
}

/// Instants may be rounded here: that keeps their order, so the extreme stays the extreme.
fn is_ordered_as_here(table: &Table, column: &Column, wished: WishedColumn) -> Result<(), String> {
    if column.ty == Type::Uuid {
        return Err(format!(
            "not every API has an order of UUIDs, as in column \"{}\"",
            column.name
        ));
    }
    let order = terms::judge(table, column, Operator::Le, wished.semantics)?;
    if order.judged.exact || column.ty == Type::TimestampTz {
        return Ok(());
    }
    Err(format!(
        "the API may order column \"{}\" in another way",
        column.name
    ))
}

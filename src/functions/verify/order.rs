//! The question about an order: the rows that the API returns for it, and which of them PostgreSQL would have put elsewhere.

use super::condition::ROW;
use super::question::{Outcome, ask};
use super::sample::MOST_PAGES;
use crate::encoding::to_server;
use crate::executor::Observed;
use crate::functions::sql;
use crate::functions::text::DatabaseText;
use pgrx::prelude::*;
use rest_engine::model::{Column, TextCollation};
use rest_engine::verify::{OfferedOrder, OrderAnswer};

/// Asks for the rows of `table`, a qualified name, under `conditions`, in an order by `column`.
pub(super) fn answer(
    table: &str,
    conditions: &str,
    column: &Column,
    order: &OfferedOrder,
) -> (OrderAnswer, Observed) {
    let (outcome, observed) = ask(MOST_PAGES, || {
        let query = to_server(&query(table, conditions, column, order));
        Spi::connect(|client| read(&client.select(&query, Some(1), &[])?.first()))
    });
    let written = written(&sql::identifier(&column.name), order);
    (described(written, outcome, &observed), observed)
}

fn query(table: &str, conditions: &str, column: &Column, order: &OfferedOrder) -> String {
    let name = format!("{ROW}.{}", sql::identifier(&column.name));
    let after = if order.descending { "<" } else { ">" };
    let late_null = match order.nulls_first {
        true => "value IS NULL AND before IS NOT NULL",
        false => "value IS NOT NULL AND before IS NULL",
    };
    // The sub-query's order is the scan's: the function switches sorting off.
    format!(
        "WITH answer AS MATERIALIZED (
           SELECT value, pg_catalog.lag(value) OVER () AS before, pg_catalog.row_number() OVER () AS place
           FROM (SELECT {name} AS value FROM {table} AS {ROW}{conditions} ORDER BY {written}) AS ordered),
         judged AS (
           SELECT *, place > 1 AND ({late_null} OR coalesce(before{collation} {after} value, false)) AS is_late FROM answer)
         SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT value), pg_catalog.count(*) FILTER (WHERE is_late),
                (pg_catalog.array_agg(coalesce(before::pg_catalog.text, 'NULL') ORDER BY place) FILTER (WHERE is_late))[1],
                (pg_catalog.array_agg(coalesce(value::pg_catalog.text, 'NULL') ORDER BY place) FILTER (WHERE is_late))[1],
                pg_catalog.md5(pg_catalog.string_agg(coalesce(value::pg_catalog.text, '-'), E'\\n' ORDER BY place))
         FROM judged",
        written = written(&name, order),
        collation = collation(order),
    )
}

/// `name DESC NULLS LAST`, as far as that is not the default.
fn written(name: &str, order: &OfferedOrder) -> String {
    let direction = if order.descending { " DESC" } else { "" };
    let nulls = match (order.nulls_first, order.descending) {
        (true, false) => " NULLS FIRST",
        (false, true) => " NULLS LAST",
        _ => "",
    };
    format!("{name}{}{direction}{nulls}", collation(order))
}

fn collation(order: &OfferedOrder) -> String {
    match &order.collation {
        None => String::new(),
        Some(TextCollation::C) => " COLLATE \"C\"".to_owned(),
        Some(TextCollation::Named(name)) => format!(" COLLATE {}", sql::identifier(name)),
    }
}

/// What the query says of the rows that came.
fn read(row: &spi::SpiTupleTable) -> Result<OrderAnswer, spi::Error> {
    let count = |ordinal: usize| -> Result<u64, spi::Error> {
        let count = row.get::<i64>(ordinal)?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let text = |ordinal: usize| -> Result<Option<String>, spi::Error> {
        let text = row.get::<DatabaseText>(ordinal)?;
        Ok(text.map(|DatabaseText(text)| text.chars().take(100).collect()))
    };
    Ok(OrderAnswer {
        rows: count(1)?,
        distinct: count(2)?,
        misplaced: count(3)?,
        example: text(4)?.zip(text(5)?),
        sequence: text(6)?.unwrap_or_default(),
        ..OrderAnswer::default()
    })
}

fn described(order: String, outcome: Outcome<OrderAnswer>, observed: &Observed) -> OrderAnswer {
    let answer = match outcome {
        Err(refusal) => OrderAnswer {
            refusal: Some(refusal),
            ..OrderAnswer::default()
        },
        Ok(_) if !observed.is_ordered => OrderAnswer {
            unsent: Some("the order was not asked for".to_owned()),
            ..OrderAnswer::default()
        },
        Ok(answer) => answer,
    };
    OrderAnswer {
        order: format!("ORDER BY {order}"),
        ..answer
    }
}

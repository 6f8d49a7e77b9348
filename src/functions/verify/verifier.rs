//! What is asked for each filter and each order of a table, as long as there are requests left.

use super::condition::{ROW, SAMPLED, condition};
use super::sample::{MOST_PAGES, Sample};
use super::{Report, advice, order};
use crate::encoding::from_server;
use crate::error::FdwError;
use crate::executor::Observed;
use crate::functions::sql;
use crate::functions::text::{DatabaseJson, DatabaseText};
use crate::options::{self, CatalogTable};
use pgrx::{PgRelation, pg_sys};
use rest_engine::model::{Column, Operator};
use rest_engine::pushdown;
use rest_engine::verify::{self, Answer, Finding, Offered, OfferedOrder, Probe, Verdict};

/// Requests that one question takes at most: a list of two values may be two requests, and a row that is missing is
/// looked for again.
const MOST_OF_QUESTION: u64 = 3 * MOST_PAGES as u64;

const NO_REQUESTS: &str =
    "no requests are left: raise the argument max_requests, or rest_fdw.max_requests";

/// A table whose filters and orders are verified.
pub(super) struct Verifier {
    /// The table's name, qualified and quoted.
    name: String,
    relation: pg_sys::Oid,
    catalog: CatalogTable,
    /// What parameter columns are given: their names, and their values as text.
    given: Vec<(String, String)>,
    /// Requests that may still be made.
    left: u64,
}

impl Verifier {
    /// For an open relation; `parameters` is a JSON object, `left` a bound on the requests.
    pub(super) fn new(
        relation: &PgRelation,
        parameters: Option<&DatabaseJson>,
        left: u64,
    ) -> Result<Verifier, FdwError> {
        options::foreign_table(relation.oid())?;
        let catalog = options::load(relation.oid())?;
        Ok(Verifier {
            name: qualified_name(relation),
            relation: relation.oid(),
            given: given(&catalog, parameters)?,
            catalog,
            left,
        })
    }

    /// A report for each filter, then one for each column that the API orders by.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        let readable = self.readable();
        let mut reports = self.of_filters(readable.clone());
        reports.extend(self.of_orders(readable));
        reports
    }

    fn of_filters(&mut self, readable: Result<(), String>) -> Vec<Report> {
        let columns = self.catalog.table.columns.clone();
        let filters = columns.iter().enumerate().flat_map(|(index, column)| {
            let offered = verify::offered(&self.catalog.table, column);
            offered.into_iter().map(move |filter| (index, filter))
        });
        let filters: Vec<(usize, Offered)> = filters.collect();
        if filters.is_empty() {
            return Vec::new();
        }
        let sample = readable.and_then(|()| self.sample());
        let report = |(index, filter): (usize, Offered)| {
            let before = self.left;
            let finding = match &sample {
                Ok(sample) => self.finding(sample, &columns[index], &filter),
                Err(reason) => untested(reason.clone()),
            };
            let verdict = finding.verdict;
            let (name, catalog) = (&self.name, &self.catalog);
            Report {
                column: columns[index].name.clone(),
                operator: filter.name,
                finding,
                requests: before - self.left,
                advice: advice::of_filter(name, self.relation, catalog, index, &filter, verdict),
            }
        };
        filters.into_iter().map(report).collect()
    }

    fn of_orders(&mut self, readable: Result<(), String>) -> Vec<Report> {
        let columns = self.catalog.table.columns.clone();
        let mut reports = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let orders = verify::orders(&self.catalog.table, index);
            if orders.is_empty() {
                continue;
            }
            let before = self.left;
            let finding = match &readable {
                Ok(()) => self.order_finding(column, &orders),
                Err(reason) => untested(reason.clone()),
            };
            let verdict = finding.verdict;
            let (name, catalog) = (&self.name, &self.catalog);
            reports.push(Report {
                column: column.name.clone(),
                operator: "sort",
                finding,
                requests: before - self.left,
                advice: advice::of_order(name, self.relation, catalog, index, verdict),
            });
        }
        reports
    }

    fn order_finding(&mut self, column: &Column, orders: &[OfferedOrder]) -> Finding {
        let mut answers = Vec::new();
        for order in orders {
            if self.left < u64::from(MOST_PAGES) {
                break;
            }
            let (answer, observed) =
                order::answer(&self.name, &self.conditions(None), column, order);
            self.spend(&observed);
            answers.push(answer);
        }
        match answers.as_slice() {
            [] => untested(NO_REQUESTS.to_owned()),
            answers => verify::order_finding(answers),
        }
    }

    /// Whether the table can be read at all; else why not.
    fn readable(&self) -> Result<(), String> {
        let table = &self.catalog.table;
        let missing = pushdown::missing(table, &[]).into_iter();
        let missing = missing.map(|index| &table.columns[index].name);
        let is_given = |name: &&String| self.given.iter().any(|(given, _)| given == *name);
        let missing: Vec<String> = missing
            .filter(|name| !is_given(name))
            .map(|name| format!("\"{name}\""))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.join(", ");
        Err(format!(
            "it needs values of {names}: add the argument parameters"
        ))
    }

    /// Reads the sample; or says why there is none.
    fn sample(&mut self) -> Result<Sample, String> {
        if self.left < u64::from(MOST_PAGES) {
            return Err(NO_REQUESTS.to_owned());
        }
        let (outcome, observed) = Sample::read(&self.name, &self.conditions(None));
        self.spend(&observed);
        let sample = outcome.map_err(|refusal| format!("the table cannot be read: {refusal}"))?;
        sample.ok_or_else(|| "the table has no rows without filters".to_owned())
    }

    fn finding(&mut self, sample: &Sample, column: &Column, filter: &Offered) -> Finding {
        let values = match sample.values(column) {
            Ok(values) => values,
            Err(reason) => return untested(reason),
        };
        let probes = match verify::probes(&column.ty, filter.operator, &values) {
            Ok(probes) => probes,
            Err(reason) => return untested(reason),
        };
        let mut answers = Vec::new();
        for probe in &probes {
            if self.left < MOST_OF_QUESTION {
                break;
            }
            answers.push(self.answer(sample, column, filter.operator, probe));
        }
        if answers.is_empty() {
            return untested(NO_REQUESTS.to_owned());
        }
        verify::finding(&answers, sample.fetched, sample.kept)
    }

    /// Asks one question, and once more for what is missing in its answer.
    fn answer(
        &mut self,
        sample: &Sample,
        column: &Column,
        operator: Operator,
        probe: &Probe,
    ) -> Answer {
        let asked = condition(column, operator, &probe.compared, ROW);
        let query = format!(
            "WITH answer AS MATERIALIZED (SELECT {own} AS id FROM {table} AS {ROW}{conditions}),
                  expected AS MATERIALIZED (SELECT {sampled} AS id FROM pg_catalog.unnest($1) AS {SAMPLED} WHERE {in_sample})
             SELECT (SELECT pg_catalog.count(*) FROM expected),
                    (SELECT pg_catalog.jsonb_agg(id) FROM expected WHERE id NOT IN (SELECT id FROM answer)),
                    (SELECT pg_catalog.count(*) FROM answer)",
            own = self.identity(ROW),
            table = self.name,
            conditions = self.conditions(Some(&asked)),
            sampled = self.identity(SAMPLED),
            in_sample = condition(column, operator, &probe.compared, SAMPLED),
        );
        // The answer is counted so that it is asked for where nothing is expected, too.
        let (outcome, observed) = sample.ask(&query, None, |row| {
            Ok((row.get::<i64>(1)?, row.get::<DatabaseJson>(2)?))
        });
        self.spend(&observed);
        let mut answer = Answer {
            condition: condition(column, operator, &probe.compared, ""),
            expected: probe.expected,
            fetched: observed.fetched,
            removed: observed.removed,
            partial: observed.partial,
            ..Answer::default()
        };
        match outcome {
            Err(refusal) => answer.refusal = Some(refusal),
            Ok(_) if !observed.is_filtered => answer.unsent = Some(unsent(observed)),
            Ok((matching, missing)) => {
                answer.matching = counted(matching);
                // What pages that were not read hold is not missing.
                if let Some(missing) = missing.filter(|_| !observed.partial) {
                    self.confirm(sample, &mut answer, &asked, missing);
                }
            }
        }
        answer
    }

    /// Looks for rows that were missing without the filter: they may have gone meanwhile.
    fn confirm(
        &mut self,
        sample: &Sample,
        answer: &mut Answer,
        asked: &str,
        missing: DatabaseJson,
    ) {
        let query = format!(
            "WITH again AS MATERIALIZED (SELECT {own} AS id, {asked} AS holds FROM {table} AS {ROW}{conditions})
             SELECT pg_catalog.count(*), pg_catalog.min(id) FROM again
             WHERE holds AND $2 OPERATOR(pg_catalog.@>) pg_catalog.to_jsonb(id)",
            own = self.identity(ROW),
            table = self.name,
            conditions = self.conditions(None),
        );
        let (outcome, observed) = sample.ask(&query, Some(missing), |row| {
            Ok((row.get::<i64>(1)?, row.get::<DatabaseText>(2)?))
        });
        self.spend(&observed);
        if let Ok((count, example)) = outcome {
            answer.missing = counted(count);
            answer.example = example.map(|DatabaseText(row)| row.chars().take(200).collect());
        }
    }

    fn spend(&mut self, observed: &Observed) {
        self.left = self.left.saturating_sub(observed.requests);
    }

    /// ` WHERE …`: the parameters, and one more condition.
    fn conditions(&self, more: Option<&str>) -> String {
        let given = self.given.iter().map(|(name, value)| {
            let (name, value) = (sql::identifier(name), sql::literal(value));
            format!("{ROW}.{name} = {value}")
        });
        let all: Vec<String> = given.chain(more.map(str::to_owned)).collect();
        match all.as_slice() {
            [] => String::new(),
            all => format!(" WHERE {}", all.join(" AND ")),
        }
    }

    /// What tells a row from others: its key, else all of it.
    fn identity(&self, alias: &str) -> String {
        let table = &self.catalog.table;
        if table.key.is_empty() {
            return format!("ROW({alias}.*)::pg_catalog.text");
        }
        let columns = table.key.iter().map(|index| {
            let name = sql::identifier(&table.columns[*index].name);
            format!("{alias}.{name}")
        });
        let columns: Vec<String> = columns.collect();
        format!("ROW({})::pg_catalog.text", columns.join(", "))
    }
}

/// The table's name with its schema, quoted.
fn qualified_name(relation: &PgRelation) -> String {
    // SAFETY: the relation is open; its namespace exists.
    let (schema, name) = unsafe {
        let namespace = pg_sys::get_namespace_name((*(*relation.as_ptr()).rd_rel).relnamespace);
        let name = pg_sys::get_rel_name(relation.oid());
        (from_server(namespace), from_server(name))
    };
    format!("{}.{}", sql::identifier(&schema), sql::identifier(&name))
}

/// The values that parameter columns are given.
fn given(
    catalog: &CatalogTable,
    parameters: Option<&DatabaseJson>,
) -> Result<Vec<(String, String)>, FdwError> {
    let members = parameters.map(|parameters| parameters.members("parameters"));
    let members = members.transpose()?.unwrap_or_default();
    let is_input = |name: &str| {
        let mut columns = catalog.table.columns.iter();
        columns.any(|column| column.name == name && column.is_input())
    };
    match members.iter().find(|(name, _)| !is_input(name)) {
        None => Ok(members),
        Some((name, _)) => Err(FdwError::argument(format!(
            "\"{name}\" is not a parameter column of foreign table \"{}\"",
            catalog.table.name
        ))),
    }
}

fn untested(reason: String) -> Finding {
    Finding {
        verdict: Verdict::Untested,
        detail: reason,
    }
}

fn unsent(observed: Observed) -> String {
    let reason = observed.local;
    reason.unwrap_or_else(|| "the condition was not sent with this value".to_owned())
}

fn counted(count: Option<i64>) -> u64 {
    count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0)
}

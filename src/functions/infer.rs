//! `rest_fdw_infer`: an endpoint → the foreign table that reads it, as a statement to run.

use super::sql;
use super::text::{DatabaseJson, DatabaseText};
use crate::error::FdwError;
use crate::executor;
use crate::options::{self, CatalogServer};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, pg_sys};
use rest_engine::error::Error as EngineError;
use rest_engine::infer::{self, Context, Proposal, ProposedColumn, Sample};
use rest_engine::model::options::{ColumnDefinition, Definition, Options, table};
use rest_engine::model::{RowsPath, Table, Type};
use rest_engine::pushdown::{self, RemoteQuery};
use rest_engine::request;

/// The statement that makes a foreign table of an endpoint, from one page of its rows.
///
/// It asks the API once, as the current user, who needs USAGE on the server. `query`: constant parameters of the
/// request, and of the table. `parameters`: values for the `{names}` of the endpoint, which become columns.
#[pg_extern(volatile, parallel_unsafe)]
fn rest_fdw_infer(
    server: Option<DatabaseText>,
    endpoint: Option<DatabaseText>,
    table_name: default!(Option<DatabaseText>, "NULL"),
    query: default!(Option<DatabaseJson>, "NULL"),
    parameters: default!(Option<DatabaseJson>, "NULL"),
) -> Option<DatabaseText> {
    let asked = Asked {
        endpoint: endpoint?.0,
        table_name: table_name.map(|name| name.0),
        query: query.map(|query| query.0),
        parameters,
    };
    let statement = inferred(&server?.0, &asked).unwrap_or_else(|error| error.raise());
    Some(DatabaseText(statement))
}

/// What was asked for.
struct Asked {
    endpoint: String,
    table_name: Option<String>,
    query: Option<String>,
    parameters: Option<DatabaseJson>,
}

fn inferred(server: &str, asked: &Asked) -> Result<String, FdwError> {
    let server = options::server(server)?;
    server.check_usage();
    let inputs = inputs(asked)?;
    let table = asked_table(&server, asked, &inputs)?;
    let sample = sample(&server, &table)?;
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let context = Context {
        format: table.format.clone(),
        rows: match &table.rows {
            RowsPath::Path(path) | RowsPath::Optional(path) => Some(path.clone()),
            RowsPath::Auto => None,
        },
        is_paged: server.options.iter().any(|(name, _)| name == "pagination"),
        reserved: names.into_iter().chain(SYSTEM_COLUMNS).collect(),
        longest_name: pg_sys::NAMEDATALEN as usize - 1,
    };
    let proposal =
        infer::propose(&sample, &context).map_err(|reason| no_table(&sample, &reason))?;
    let statement = Statement {
        server: &server,
        table: &table,
        own: own_options(asked),
        inputs: &inputs,
        proposal: &proposal,
    };
    Ok(statement.text(&sample))
}

/// src/backend/catalog/heap.c: every table has them.
const SYSTEM_COLUMNS: [&str; 7] = ["tableoid", "cmax", "xmax", "cmin", "xmin", "ctid", "oid"];

/// The columns for the `{names}` of the endpoint; those that were given a value have it as their default.
fn inputs(asked: &Asked) -> Result<Vec<ColumnDefinition>, FdwError> {
    let given = asked.parameters.as_ref();
    let given = given
        .map(|given| given.members("parameters"))
        .transpose()?
        .unwrap_or_default();
    let variables = infer::variables(&asked.endpoint)?;
    if let Some((name, _)) = given.iter().find(|(name, _)| !variables.contains(name)) {
        let message = format!("the endpoint has no {{{name}}}");
        let hint = "Constant parameters of the request go into the argument \"query\".";
        return Err(FdwError::argument(message).with_hint(hint));
    }
    let input = |name: String| {
        let value = given.iter().find(|(given, _)| *given == name);
        ColumnDefinition {
            options: value
                .map(|(_, value)| ("default".to_owned(), value.clone()))
                .into_iter()
                .collect(),
            name,
            ty: Type::Text,
            not_null: false,
            type_name: "text".to_owned(),
        }
    };
    Ok(variables.into_iter().map(input).collect())
}

/// The options that the caller asked for.
fn own_options(asked: &Asked) -> Options {
    let query = asked
        .query
        .iter()
        .map(|query| ("query".to_owned(), query.clone()));
    std::iter::once(("endpoint".to_owned(), asked.endpoint.clone()))
        .chain(query)
        .collect()
}

/// The table as far as it is known before anything was asked.
fn asked_table(
    server: &CatalogServer,
    asked: &Asked,
    inputs: &[ColumnDefinition],
) -> Result<Table, FdwError> {
    let name = match &asked.table_name {
        Some(name) => name.clone(),
        None => infer::table_name(&asked.endpoint),
    };
    let table = table(&Definition {
        table_name: &name,
        server_name: &server.name,
        server: &infer::asking(&server.options),
        table: &own_options(asked),
        columns: inputs,
        version: env!("CARGO_PKG_VERSION"),
    })?;
    let missing = pushdown::missing(&table, &[]);
    if missing.is_empty() {
        return Ok(table);
    }
    let members = missing
        .iter()
        .map(|index| format!("\"{}\": \"...\"", table.columns[*index].name));
    let members: Vec<String> = members.collect();
    let names = missing
        .iter()
        .map(|index| format!("\"{}\"", table.columns[*index].name));
    let names: Vec<String> = names.collect();
    Err(FdwError::Function {
        code: PgSqlErrorCode::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
        message: format!("no value for {} of the endpoint", names.join(", ")),
        detail: None,
        hint: Some(format!(
            "Add the argument: parameters => '{{{}}}'.",
            members.join(", ")
        )),
    })
}

/// Asks the API for one page.
fn sample(server: &CatalogServer, table: &Table) -> Result<Sample, FdwError> {
    let remote = |error: EngineError| FdwError::Remote {
        table: table.name.clone(),
        error: Box::new(error),
    };
    let bound = request::bind(table, &RemoteQuery::default(), &[]).map_err(remote)?;
    let requests = bound.requests.into_iter().take(1).collect();
    let batch = executor::read_once(infer::surveyed(table), requests, server.id)?;
    let sample = batch.and_then(|batch| infer::sampled(&batch));
    sample.ok_or_else(|| no_table(&Sample::default(), "the API says that there are no rows"))
}

fn no_table(sample: &Sample, reason: &str) -> FdwError {
    FdwError::Function {
        code: PgSqlErrorCode::ERRCODE_FDW_REPLY_HANDLE,
        message: format!("could not infer a table: {reason}"),
        detail: Some(sample.request.clone()).filter(|request| !request.is_empty()),
        hint: Some(
            "Columns are told from rows: ask for a page that has some, for example with the argument \"query\"."
                .to_owned(),
        ),
    }
}

/// What the statement is written from.
struct Statement<'a> {
    server: &'a CatalogServer,
    table: &'a Table,
    own: Options,
    inputs: &'a [ColumnDefinition],
    proposal: &'a Proposal,
}

impl Statement<'_> {
    fn text(&self, sample: &Sample) -> String {
        let rows = match self.proposal.rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let mut lines = vec![sql::comment(&format!("{}: {rows}", sample.request))];
        let name = sql::identifier(&self.table.name);
        lines.push(format!("CREATE FOREIGN TABLE {name} ("));
        lines.extend(self.columns());
        let server = sql::identifier(&self.server.name);
        let options = self.all_options();
        lines.push(format!(
            ") SERVER {server} OPTIONS (\n  {});",
            sql::options(&options, ",\n  ")
        ));
        lines.extend(self.notes(&name, &options));
        lines.join("\n") + "\n"
    }

    fn columns(&self) -> Vec<String> {
        let inputs = self.inputs.iter().map(|input| ProposedColumn {
            name: input.name.clone(),
            ty: input.ty.clone(),
            options: Vec::new(),
            note: Some("in the endpoint: a query gives its value".to_owned()),
        });
        let columns: Vec<ProposedColumn> = inputs.chain(self.proposal.columns.clone()).collect();
        let last = columns.len().saturating_sub(1);
        let line = |(index, column): (usize, &ProposedColumn)| {
            let name = sql::identifier(&column.name);
            let ty = sql::type_name(&column.ty);
            let options = match sql::options(&column.options, ", ") {
                options if options.is_empty() => options,
                options => format!(" OPTIONS ({options})"),
            };
            let comma = if index == last { "" } else { "," };
            let note = column
                .note
                .as_ref()
                .map(|note| format!("  {}", sql::comment(note)));
            format!("  {name} {ty}{options}{comma}{}", note.unwrap_or_default())
        };
        columns.iter().enumerate().map(line).collect()
    }

    fn all_options(&self) -> Options {
        let proposed = self.proposal.options.iter();
        self.own.iter().chain(proposed).cloned().collect()
    }

    fn notes(&self, table: &str, options: &Options) -> Vec<String> {
        let mut lines = Vec::new();
        for note in &self.proposal.notes {
            lines.push(sql::comment(&note.text));
            if !note.options.is_empty() {
                let added: Vec<String> = note
                    .options
                    .iter()
                    .map(|(name, value)| format!("ADD {name} {}", sql::literal(value)))
                    .collect();
                let alter = format!(
                    "  ALTER FOREIGN TABLE {table} OPTIONS ({});",
                    added.join(", ")
                );
                lines.push(sql::comment(&alter));
            }
        }
        if let Some(problem) = self.problem(options) {
            lines.push(sql::comment(&format!(
                "the server's options do not fit this table: {problem}"
            )));
        }
        lines.push(sql::comment(
            "the API filters nothing until columns declare what it can: see docs/filters.md, and rest_fdw_verify",
        ));
        lines
    }

    /// Why the table would be refused, with all of the server's options.
    fn problem(&self, options: &Options) -> Option<String> {
        let proposed = self.proposal.columns.iter().map(|column| ColumnDefinition {
            name: column.name.clone(),
            ty: column.ty.clone(),
            not_null: false,
            options: column.options.clone(),
            type_name: sql::type_name(&column.ty),
        });
        let without_values = self.inputs.iter().map(|input| ColumnDefinition {
            options: Vec::new(),
            ..input.clone()
        });
        let made = table(&Definition {
            table_name: &self.table.name,
            server_name: &self.server.name,
            server: &self.server.options,
            table: options,
            columns: &without_values.chain(proposed).collect::<Vec<_>>(),
            version: env!("CARGO_PKG_VERSION"),
        });
        made.err().map(|error| error.message)
    }
}

//! A foreign table of some dialect, and the API behind it: the oracle's declarations, the mock API's interpreters.

use crate::truth::{Truth, compared};
use crate::values::{draw, written};
use crate::{BASE_URL, first_page, own_url};
use arbitrary::{Result, Unstructured};
use mock_api::{Direct, RequestHead};
use oracle::dialects::{DIALECTS, Dialect, Service};
use oracle::random::Random;
use oracle::tables::{Column, ColumnPlan, Slot, Table as Contents};
use oracle::values::Kind;
use rest_engine::model::options::{self, ColumnDefinition, Definition};
use rest_engine::model::{Operator, Table, Type};
use rest_engine::predicate::Value;
use rest_engine::request::{Inputs, Request};
use serde_json::Value as Json;

/// A table and its API.
#[derive(Debug)]
pub struct Scene {
    /// The foreign table.
    pub table: Table,
    /// The columns' types; the first column is the key.
    pub kinds: Vec<Kind>,
    /// Values of each column that rows have, and perhaps some more.
    pub pools: Vec<Vec<Value>>,
    /// The rows, NULL where one has no value.
    pub rows: Vec<Vec<Value>>,
    contents: Contents,
    /// Where the rows are in a response.
    path: Vec<String>,
    api: Direct,
    /// What a reader of a failure must know.
    shown: String,
}

/// Pages are looked at elsewhere.
const PAGING: [&str; 12] = [
    "pagination",
    "page_size",
    "page_size_param",
    "max_page_size",
    "page_param",
    "first_page",
    "offset_param",
    "cursor_param",
    "cursor_field",
    "next_url_field",
    "total_field",
    "total_header",
];

impl Scene {
    /// Draws a dialect, a table that declares some of what its API can, and rows.
    ///
    /// # Errors
    /// There are no more bytes.
    pub fn draw(bytes: &mut Unstructured) -> Result<Scene> {
        let mocked = DIALECTS
            .iter()
            .filter(|dialect| !dialect.name.starts_with("real-"));
        let dialect = *bytes.choose(&mocked.collect::<Vec<_>>())?;
        let plans = plans(dialect, bytes.arbitrary()?);
        let mut random = Random::new(bytes.arbitrary::<u16>()?.into());
        let mut pools = Vec::new();
        for plan in &plans {
            let size = bytes.int_in_range(1..=3)?;
            let pool = (0..size).map(|_| draw(bytes, plan.kind));
            pools.push(pool.collect::<Result<Vec<Value>>>()?);
        }
        let mut contents = Contents {
            name: "items".to_owned(),
            columns: plans.iter().map(column).collect(),
            rows: Vec::new(),
        };
        let mut rows = Vec::new();
        for key in 1..=bytes.int_in_range(0..=4)? {
            let (row, slots) = row(bytes, &plans, &pools, key)?;
            rows.push(row);
            contents.rows.push(slots);
        }
        pools[0].extend(rows.iter().map(|row| row[0].clone()));
        let mut service = (dialect.serve)(&mut random, &contents);
        let is_page = |name: &str| PAGING.contains(&name);
        service.table_options.retain(|(name, _)| !is_page(name));
        service.table("pagination", "none");
        service.route.remove("paging");
        let scenario = scenario(&contents, &service);
        let rows_option = service
            .table_options
            .iter()
            .find(|(name, _)| name == "rows");
        let path = rows_option.map_or("", |(_, path)| path).split('.');
        let shown = format!(
            "{}\n{:?}\n{:?}\n{scenario}",
            dialect.name, service.table_options, service.column_options
        );
        Ok(Scene {
            table: declared(&contents, &service),
            kinds: plans.iter().map(|plan| plan.kind).collect(),
            pools,
            rows,
            path: path
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            contents,
            api: Direct::new(&scenario).unwrap_or_else(|error| panic!("{error}\n{shown}")),
            shown,
        })
    }

    /// Sends a request to the API: which rows come back, as indexes; `None` where no request can be made.
    ///
    /// # Panics
    /// The request leaves its origin or its path, or the API does not understand it.
    pub fn ask(
        &self,
        inputs: &Inputs,
        is_entity: bool,
        story: &dyn Fn() -> String,
    ) -> Option<Vec<usize>> {
        let entity;
        let table = match is_entity {
            true => {
                entity = rest_engine::pushdown::entity(&self.table);
                &entity
            }
            false => &self.table,
        };
        let request = first_page(table, inputs.clone()).ok()?;
        self.stays(&request, story);
        let head = RequestHead {
            method: request.method.name().to_owned(),
            target: request.url[BASE_URL.len()..].to_owned(),
            headers: request.headers,
            body: request.body.unwrap_or_default(),
        };
        let (status, body) = self.api.ask(&head).expect("an answer");
        if (status, is_entity) == (404, true) {
            return Some(Vec::new());
        }
        let body = String::from_utf8(body).expect("UTF-8");
        assert_eq!(status, 200, "{body}\n{}", story());
        let body: Json = serde_json::from_str(&body).expect("JSON");
        let path = if is_entity { &[] } else { &self.path[..] };
        let rows = path.iter().fold(&body, |inner, part| &inner[part]);
        let rows = if is_entity {
            std::slice::from_ref(rows)
        } else {
            rows.as_array().expect("rows")
        };
        let found = rows.iter().map(|row| self.index(row));
        Some(found.filter(|row| self.is_of(inputs, *row)).collect())
    }

    /// Another parser reads the URL where it belongs, and nothing ends a line.
    fn stays(&self, request: &Request, story: &dyn Fn() -> String) {
        let url = own_url(&request.url);
        assert!(url.path().starts_with("/v1/items"), "{}", story());
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_$.[]-@".contains(letter);
        for (name, _) in url.query_pairs() {
            assert!(name.chars().all(is_name), "{name}: {}", story());
        }
        for (name, value) in &request.headers {
            let breaks = |text: &str| text.contains(['\r', '\n']);
            assert!(!breaks(name) && !breaks(value), "{}", story());
        }
        let is_one_line = !request.redacted().contains(['\r', '\n']);
        assert!(is_one_line || request.body.is_some(), "{}", story());
    }

    /// The row that an API's row is.
    fn index(&self, row: &Json) -> usize {
        let field = &self.contents.columns[0].field;
        let key = field.iter().fold(row, |inner, part| &inner[part]);
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        let is_it = |slots: &Vec<Slot>| slots[0] == Slot::Value(key.clone());
        let found = self.contents.rows.iter().position(is_it);
        found.unwrap_or_else(|| panic!("no row is {row}\n{}", self.shown))
    }

    /// Whether a row is one of those that this request is for: its list may be split among several.
    fn is_of(&self, inputs: &Inputs, row: usize) -> bool {
        inputs.columns.iter().all(|(column, list)| {
            let value = &self.rows[row][*column];
            compared(self.kinds[*column], value, Operator::In, list) == Truth::True
        })
    }

    /// A failure's story.
    pub fn story(&self, more: &str) -> String {
        format!("{}\n{more}", self.shown)
    }
}

/// The columns: the key and some others.
fn plans(dialect: &Dialect, chosen: u16) -> Vec<ColumnPlan> {
    let plans = dialect.columns.iter().enumerate();
    let is_chosen = |index: usize| index == 0 || chosen >> index & 1 == 1;
    let chosen = plans.filter(|(index, _)| is_chosen(*index));
    chosen.map(|(_, plan)| *plan).collect()
}

fn column(plan: &ColumnPlan) -> Column {
    Column {
        name: plan.name.to_owned(),
        kind: plan.kind,
        field: plan.field.split('.').map(str::to_owned).collect(),
        pool: plan
            .kind
            .values()
            .iter()
            .map(|text| (*text).to_owned())
            .collect(),
    }
}

fn row(
    bytes: &mut Unstructured,
    plans: &[ColumnPlan],
    pools: &[Vec<Value>],
    key: i64,
) -> Result<(Vec<Value>, Vec<Slot>)> {
    let mut row = Vec::new();
    let mut slots = Vec::new();
    for (plan, pool) in plans.iter().zip(pools) {
        let value = match bytes.int_in_range(0..=7u8)? {
            _ if row.is_empty() && plan.kind.is_text() => Value::Text(key.to_string()),
            _ if row.is_empty() => Value::Int(key),
            0 => Value::Null,
            _ => bytes.choose(pool)?.clone(),
        };
        let text = written(&value).filter(|text| (plan.carries)(text));
        row.push(if text.is_some() { value } else { Value::Null });
        slots.push(match text {
            Some(text) => Slot::Value(text),
            None if plan.may_be_null && bytes.arbitrary()? => Slot::Null,
            None => Slot::Missing,
        });
    }
    Ok((row, slots))
}

fn scenario(contents: &Contents, service: &Service) -> String {
    let rows = contents.rows_json();
    let route = |path: &str, keys: &serde_json::Map<String, Json>| {
        let keys = keys
            .iter()
            .map(|(key, value)| format!(", {}: {value}", Json::from(key.as_str())));
        format!(
            "\"/items{path}\": {{\"rows\": {rows}{}}}",
            keys.collect::<String>()
        )
    };
    let further = service.further_routes.iter();
    let mut routes: Vec<String> = further.map(|(path, keys)| route(path, keys)).collect();
    routes.push(route("", &service.route));
    format!("{{\"routes\": {{{}}}}}", routes.join(", "))
}

fn declared(contents: &Contents, service: &Service) -> Table {
    let columns = contents.columns.iter().enumerate();
    let columns: Vec<ColumnDefinition> = columns
        .map(|(index, column)| ColumnDefinition {
            name: column.name.clone(),
            ty: type_of(column.kind),
            not_null: index == 0,
            options: service
                .column_options
                .get(&column.name)
                .cloned()
                .unwrap_or_default(),
            type_name: column.kind.type_name().to_owned(),
        })
        .collect();
    let mut table = vec![("endpoint".to_owned(), "/items".to_owned())];
    table.extend(service.table_options.iter().cloned());
    let table = options::table(&Definition {
        table_name: "items",
        server_name: "api",
        server: &vec![("base_url".to_owned(), BASE_URL.to_owned())],
        table: &table,
        columns: &columns,
        version: "0.1.0",
    });
    table.unwrap_or_else(|error| panic!("{error:?}\n{service:?}"))
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int8 => Type::Int8,
        Kind::Int4 => Type::Int4,
        Kind::Float8 => Type::Float8,
        Kind::Numeric => Type::Numeric,
        Kind::Bool => Type::Bool,
        Kind::Text | Kind::TextC => Type::Text,
        Kind::Uuid => Type::Uuid,
        Kind::Date => Type::Date,
        Kind::Timestamp => Type::Timestamp,
        Kind::TimestampTz => Type::TimestampTz,
        Kind::Jsonb => Type::Json,
        Kind::TextArray => Type::Array(Box::new(Type::Text)),
    }
}

//! What does it cost to turn conditions into a request? For each dialect: when a query is planned, and when its values are known.

use criterion::{Criterion, criterion_group, criterion_main};
use rest_engine::model::options::{self, ColumnDefinition, Definition};
use rest_engine::model::{Operator, Table, Type};
use rest_engine::predicate::{Predicate, Semantics, Value};
use rest_engine::pushdown::{RemoteQuery, plan};
use rest_engine::request::{Operand, bind, build};
use std::hint::black_box;

type Options<'a> = &'a [(&'a str, &'a str)];
/// Name, type, options.
type Column<'a> = (&'a str, Type, Options<'a>);

/// Dialects, with what their tables need besides.
const DIALECTS: [(&str, Options); 12] = [
    ("plain", &[("dialect", "plain")]),
    ("brackets", &[("dialect", "brackets")]),
    ("suffix", &[("dialect", "suffix")]),
    ("jsonapi", &[("dialect", "jsonapi")]),
    (
        "operators",
        &[
            ("dialect", "operators"),
            (
                "operators",
                r#"{"=": "{name}={value}", ">=": "{name}_min={value}", "in": "{name}={values:csv}"}"#,
            ),
        ],
    ),
    ("json", &[("dialect", "json"), ("filter_param", "filter")]),
    (
        "json elasticsearch",
        &[("dialect", "json elasticsearch"), ("method", "POST")],
    ),
    ("postgrest", &[("dialect", "postgrest")]),
    ("odata", &[("dialect", "odata")]),
    ("sql", &[("dialect", "sql")]),
    ("search", &[("dialect", "search")]),
    ("selectors", &[("dialect", "selectors")]),
];

const COLUMNS: [Column; 4] = [
    ("id", Type::Int8, &[("filter", "=, in")]),
    ("state", Type::Text, &[("filter", "=")]),
    ("comments", Type::Int4, &[("filter", "=, >=")]),
    ("created_at", Type::TimestampTz, &[("filter", "=, >=, <")]),
];

fn owned(pairs: Options) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn table(own: Options, columns: &[Column]) -> Result<Table, String> {
    let columns: Vec<ColumnDefinition> = columns
        .iter()
        .map(|(name, ty, options)| ColumnDefinition {
            name: (*name).to_owned(),
            ty: ty.clone(),
            not_null: false,
            options: owned(options),
            type_name: format!("{ty:?}").to_lowercase(),
        })
        .collect();
    options::table(&Definition {
        table_name: "items",
        server_name: "api",
        server: &owned(&[("base_url", "https://api.test/v1")]),
        table: &owned(own),
        columns: &columns,
        version: "0.1.0",
    })
    .map_err(|error| error.message)
}

/// `state = 'open' AND comments >= 5 AND created_at >= … AND id IN (1, …, 20)`
fn conditions() -> (Vec<Predicate>, Vec<Operand>) {
    let semantics = Semantics {
        collation_is_c: true,
        deterministic: true,
    };
    let compare = |column, operator, operand| Predicate::Compare {
        column,
        operator,
        operand,
        semantics,
    };
    let predicates = vec![
        compare(1, Operator::Eq, 0),
        compare(2, Operator::Ge, 1),
        compare(3, Operator::Ge, 2),
        compare(0, Operator::In, 3),
    ];
    let values = [
        Value::Text("open".to_owned()),
        Value::Int(5),
        Value::TimestampTz(1_764_126_900_000_000),
        Value::List((1..=20).map(Value::Int).collect()),
    ];
    (predicates, values.into_iter().map(Operand::Value).collect())
}

fn dialects(criterion: &mut Criterion) {
    let (predicates, operands) = conditions();
    for (name, own) in DIALECTS {
        let own = [&[("endpoint", "/items"), ("pagination", "none")], own].concat();
        let table = match table(&own, &COLUMNS) {
            Ok(table) => table,
            Err(error) => panic!("{name}: {error}"),
        };
        let verdicts = |table: &Table| plan(table, &predicates, &[], true);
        criterion.bench_function(&format!("plan/{name}"), |bencher| {
            bencher.iter(|| black_box(verdicts(&table)));
        });
        let query = RemoteQuery {
            sent: verdicts(&table).sent,
            ..RemoteQuery::default()
        };
        let requests = || {
            let bound = bind(&table, &query, &operands)?;
            let built = bound
                .requests
                .iter()
                .map(|inputs| build(&table, inputs, &[]));
            built.collect::<Result<Vec<_>, _>>()
        };
        let urls: Vec<String> = match requests() {
            Ok(requests) => requests.into_iter().map(|request| request.url).collect(),
            Err(error) => panic!("{name}: {error}"),
        };
        assert!(!urls.is_empty());
        criterion.bench_function(&format!("requests/{name}"), |bencher| {
            bencher.iter(|| black_box(requests()));
        });
    }
}

/// A value in a path, and values in a body that is a template.
fn templates(criterion: &mut Criterion) {
    let path: [Column; 2] = [("owner", Type::Text, &[]), ("repo", Type::Text, &[])];
    let body: [Column; 2] = [
        (
            "owner",
            Type::Text,
            &[("param", "owner"), ("param_in", "body")],
        ),
        (
            "repo",
            Type::Text,
            &[("param", "repo"), ("param_in", "body")],
        ),
    ];
    let cases: [(&str, Options, &[Column]); 2] = [
        (
            "path",
            &[("endpoint", "/repos/{owner}/{repo}/issues")],
            &path,
        ),
        (
            "body",
            &[
                ("endpoint", "/graphql"),
                ("method", "POST"),
                (
                    "body",
                    r#"{"variables": {"owner": {{ params.owner }}, "repo": {{ params.repo }}}}"#,
                ),
            ],
            &body,
        ),
    ];
    for (name, own, columns) in cases {
        let table = match table(&[own, &[("pagination", "none")]].concat(), columns) {
            Ok(table) => table,
            Err(error) => panic!("{name}: {error}"),
        };
        let equal = |column| Predicate::Compare {
            column,
            operator: Operator::Eq,
            operand: column,
            semantics: Semantics {
                collation_is_c: true,
                deterministic: true,
            },
        };
        let query = RemoteQuery {
            sent: plan(&table, &[equal(0), equal(1)], &[], true).sent,
            ..RemoteQuery::default()
        };
        let operands =
            ["post gres", "postgres/#1"].map(|text| Operand::Value(Value::Text(text.to_owned())));
        let request = || {
            let bound = bind(&table, &query, &operands)?;
            build(&table, &bound.requests[0], &[])
        };
        assert!(request().is_ok(), "{name}");
        criterion.bench_function(&format!("template/{name}"), |bencher| {
            bencher.iter(|| black_box(request()));
        });
    }
}

criterion_group!(benches, dialects, templates);
criterion_main!(benches);

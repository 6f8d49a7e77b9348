//! What does it cost to turn a cell into a Datum? Rows that a scan remembers are read again and again, so that nothing is fetched or
//! decoded meanwhile: what a type takes is the difference to the case without a column.
//!
//! Needs the cluster of PGHOST, PGPORT, PGUSER and PGDATABASE with the extension's files: scripts/microbench.sh has it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_api::Server;
use mock_api::client::Client as Api;
use postgres::{Client, NoTls};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};

/// Rows of the table, and how often they are read by one query.
const ROWS: u64 = 1_000;
const READ: u64 = 1_000;

/// Types, each with a value as the API has it.
const TYPES: [(&str, &str); 12] = [
    ("bigint", "1234567"),
    ("double precision", "736.25"),
    ("numeric", "12345678901234567890.125"),
    ("boolean", "true"),
    ("text", r#""Issue number 17 about subject 4711""#),
    ("varchar(50)", r#""Issue number 17 about subject 4711""#),
    ("timestamptz", r#""2026-11-26T04:15:00.123456Z""#),
    ("date", r#""2026-11-26""#),
    ("uuid", r#""0b5f6a2e-4f0c-4f6e-9c3e-2f4f5a6b7c8d""#),
    ("inet", r#""192.0.2.7""#),
    ("jsonb", r#"{"login": "user17", "id": 17}"#),
    ("text[]", r#"["bug", "help wanted"]"#),
];

fn connect() -> Result<Client, Box<dyn Error>> {
    let mut config = postgres::Config::new();
    config.host(&std::env::var("PGHOST")?);
    config.port(std::env::var("PGPORT")?.parse()?);
    config.user(&std::env::var("PGUSER")?);
    config.dbname(&std::env::var("PGDATABASE")?);
    Ok(config.connect(NoTls)?)
}

/// The table `cells`: one row of all types, so many times.
fn prepare() -> Result<(Client, Server), Box<dyn Error>> {
    let server = Server::start(0)?;
    let mut row = serde_json::Map::new();
    let mut columns = Vec::new();
    for (index, (ty, value)) in TYPES.iter().enumerate() {
        row.insert(format!("c{index}"), serde_json::from_str(value)?);
        columns.push(format!("c{index} {ty}"));
    }
    let rows = vec![row; ROWS as usize];
    let api = Api::new(server.url());
    api.define("cells", &json!({"routes": {"/cells": {"rows": rows}}}));
    let mut client = connect()?;
    client.batch_execute(&format!(
        "SET jit = off; SET enable_material = off; SET enable_memoize = off;
         CREATE EXTENSION rest_fdw;
         CREATE SERVER cells FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}');
         CREATE FOREIGN TABLE cells ({}) SERVER cells OPTIONS (endpoint '/cells', pagination 'none')",
        api.space_url("cells"),
        columns.join(", ")
    ))?;
    Ok((client, server))
}

fn time(client: &mut Client, what: &str, times: u64) -> Result<Duration, Box<dyn Error>> {
    let sql = format!(
        "SELECT count({what}) FROM generate_series(1, {READ}) AS number
           CROSS JOIN LATERAL (SELECT * FROM cells WHERE number > 0 OFFSET 0) AS cells"
    );
    let began = Instant::now();
    for _ in 0..times {
        let count: i64 = client.query_one(&sql, &[])?.get(0);
        if count != (ROWS * READ) as i64 {
            return Err(format!("{count} rows").into());
        }
    }
    Ok(began.elapsed())
}

fn datums(criterion: &mut Criterion) {
    let prepared = prepare();
    let (mut client, _api) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => panic!("{error}"),
    };
    let mut group = criterion.benchmark_group("a million cells");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(ROWS * READ));
    let columns = TYPES.iter().enumerate();
    let cases = columns.map(|(index, (ty, _))| (*ty, format!("c{index}")));
    for (name, what) in std::iter::once(("no column", "*".to_owned())).chain(cases) {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| match time(&mut client, &what, times) {
                Ok(took) => took,
                Err(error) => panic!("{what}: {error}"),
            });
        });
    }
    group.finish();
}

criterion_group!(benches, datums);
criterion_main!(benches);

//! The cases: each is a query, and the query beside it in the same run.

use crate::planning::{self, Planning};
use postgres::{Client, NoTls};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

/// A query that is timed.
struct Query {
    name: &'static str,
    sql: &'static str,
}

/// The figures of one query, sorted.
pub struct Timing {
    /// What it is.
    pub name: &'static str,
    /// One duration a round, shortest first.
    pub durations: Vec<Duration>,
}

impl Timing {
    /// The middle one.
    pub fn median(&self) -> Duration {
        self.durations[self.durations.len() / 2]
    }
}

/// A comparison: which timing, beside which, and the ratio to reach.
pub struct Comparison {
    /// Index of the measured query.
    pub measured: usize,
    /// Index of the one beside it.
    pub beside: usize,
    /// At most this much of its time.
    pub target: f64,
}

/// All that was measured.
pub struct Results {
    /// Machine and versions.
    pub environment: Vec<(String, String)>,
    /// A timing for each query.
    pub timings: Vec<Timing>,
    /// What they say.
    pub comparisons: Vec<Comparison>,
    /// How long planning takes.
    pub planning: Planning,
}

const EIGHT_COLUMNS: &str = "count(*), sum(id), sum(score), max(title), max(created_at), sum(comments), max(state), max(login)";

const QUERIES: &[Query] = &[
    Query {
        name: "file_fdw, CSV of 8 columns",
        sql: "SELECT {columns} FROM csv",
    },
    Query {
        name: "rest_fdw, 1,000 pages of 1,000 rows",
        sql: "SELECT {columns} FROM paged",
    },
    Query {
        name: "rest_fdw, one array of 283 MB",
        sql: "SELECT {columns} FROM one_response",
    },
    Query {
        name: "rest_fdw, 2 of 8 columns",
        sql: "SELECT count(*), sum(id), max(state) FROM paged",
    },
];

const COMPARISONS: &[Comparison] = &[
    Comparison {
        measured: 1,
        beside: 0,
        target: 1.0,
    },
    Comparison {
        measured: 2,
        beside: 1,
        target: 1.2,
    },
    Comparison {
        measured: 3,
        beside: 1,
        target: 0.7,
    },
];

/// Creates the tables, checks that they hold the same rows, and times the queries in turns.
pub fn measure(folder: &Path, url: &str) -> Result<Results, Box<dyn Error>> {
    let mut client = connect()?;
    create_tables(&mut client, folder, url)?;
    let expected = answer(&mut client, QUERIES[0].sql)?;
    for query in &QUERIES[1..3] {
        let got = answer(&mut client, query.sql)?;
        if got != expected {
            return Err(format!("{}: {got} instead of {expected}", query.name).into());
        }
    }
    let mut timings: Vec<Timing> = QUERIES
        .iter()
        .map(|query| Timing {
            name: query.name,
            durations: Vec::new(),
        })
        .collect();
    for _ in 0..ROUNDS {
        for (query, timing) in QUERIES.iter().zip(&mut timings) {
            let began = Instant::now();
            answer(&mut client, query.sql)?;
            timing.durations.push(began.elapsed());
        }
    }
    for timing in &mut timings {
        timing.durations.sort();
    }
    let environment = environment(&mut client)?;
    let comparisons = COMPARISONS.iter().map(|of| Comparison { ..*of }).collect();
    Ok(Results {
        environment,
        timings,
        comparisons,
        planning: planning::measure(&mut client)?,
    })
}

/// The cluster of PGHOST, PGPORT, PGUSER, PGDATABASE.
fn connect() -> Result<Client, Box<dyn Error>> {
    let mut config = postgres::Config::new();
    config.host(&std::env::var("PGHOST")?);
    config.port(std::env::var("PGPORT")?.parse()?);
    config.user(&std::env::var("PGUSER")?);
    config.dbname(&std::env::var("PGDATABASE")?);
    Ok(config.connect(NoTls)?)
}

fn create_tables(client: &mut Client, folder: &Path, url: &str) -> Result<(), postgres::Error> {
    let columns = "id bigint, title text, state text, score double precision, comments integer,
                   locked boolean, created_at timestamptz, login text";
    let remote = columns.replace("login text", "login text OPTIONS (field 'user.login')");
    let csv = folder.join("all.csv");
    client.batch_execute(&format!(
        "CREATE EXTENSION file_fdw;
         CREATE EXTENSION rest_fdw;
         CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
         CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw
           OPTIONS (base_url '{url}', max_response_bytes '1GB');
         CREATE FOREIGN TABLE csv ({columns}) SERVER files OPTIONS (filename '{}', format 'csv');
         CREATE FOREIGN TABLE paged ({remote}) SERVER api OPTIONS (endpoint '/items', pagination 'page');
         CREATE FOREIGN TABLE one_response ({remote}) SERVER api
           OPTIONS (endpoint '/all.json', pagination 'none');
         SET jit = off;",
        csv.display()
    ))
}

/// The query's only row, as text.
fn answer(client: &mut Client, sql: &str) -> Result<String, postgres::Error> {
    let sql = sql.replace("{columns}", EIGHT_COLUMNS);
    let row = client.query_one(&format!("SELECT t::text FROM ({sql}) t"), &[])?;
    Ok(row.get(0))
}

fn environment(client: &mut Client) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let version: String = client.query_one("SELECT version()", &[])?.get(0);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    Ok(vec![
        ("Processor".to_owned(), format!("{model}, {cores} cores")),
        ("PostgreSQL".to_owned(), version),
        ("Rounds".to_owned(), ROUNDS.to_string()),
    ])
}

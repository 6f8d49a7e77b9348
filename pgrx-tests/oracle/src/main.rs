//! The oracle as a program; [`USAGE`] says how it is called.
#![forbid(unsafe_code)]

use mock_api::Server;
use oracle::dialects::{DIALECTS, Dialect, LIAR};
use oracle::run::{Extent, Run, Tally};
use oracle::stage::Stage;
use postgres::Config;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: oracle [--dialect all|NAME,…] [--seed N] [--queries N | --minutes N | --until-failure] [--jobs N] [--mismatches N] [--without OPTION,…] [--show] [--corpus]

Runs random statements on local tables, on foreign tables with pushdown and on foreign tables without, and compares.
--dialect     names with commas between; liar is an API that is caught, if the oracle works
--queries     statements a dialect (default 2000)
--minutes     minutes a dialect
--jobs        statements at once (default 2)
--mismatches  stop a dialect after so many (default 3)
--without     options of the product that foreign tables are not declared with
--corpus      only the fixed corpus, which otherwise runs before the random statements
--show        print each statement before it runs
The environment names a throwaway cluster with rest_fdw installed: REST_FDW_TEST_DSN, or PGHOST and PGUSER.";

struct Arguments {
    dialects: Vec<&'static Dialect>,
    seed: u64,
    extent: Extent,
    jobs: usize,
    patience: u64,
    shows: bool,
    corpus_only: bool,
    without: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("oracle: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("oracle: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        dialects: DIALECTS.iter().collect(),
        seed: 1,
        extent: Extent::Queries(2000),
        jobs: 2,
        patience: 3,
        shows: false,
        corpus_only: false,
        without: Vec::new(),
    };
    while let Some(name) = given.next() {
        if name == "--until-failure" {
            arguments.extent = Extent::UntilFailure;
            continue;
        }
        if name == "--corpus" {
            arguments.corpus_only = true;
            continue;
        }
        if name == "--show" {
            arguments.shows = true;
            continue;
        }
        let value = given
            .next()
            .ok_or_else(|| format!("{name} is unknown or wants a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name}: {value} is not a count"))
        };
        match name.as_str() {
            "--dialect" => arguments.dialects = dialects(&value)?,
            "--seed" => arguments.seed = number()?,
            "--without" => arguments.without = value.split(',').map(str::to_owned).collect(),
            "--queries" => arguments.extent = Extent::Queries(number()?),
            "--minutes" => arguments.extent = Extent::For(Duration::from_secs(number()? * 60)),
            "--jobs" => {
                arguments.jobs =
                    usize::try_from(number()?.max(1)).map_err(|error| error.to_string())?
            }
            "--mismatches" => arguments.patience = number()?.max(1),
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok(arguments)
}

/// All of them, or those that a list names; the liar only by its name.
fn dialects(list: &str) -> Result<Vec<&'static Dialect>, String> {
    if list == "all" {
        return Ok(DIALECTS.iter().collect());
    }
    let known = || DIALECTS.iter().chain([&LIAR]);
    let found = |name| {
        known().find(|dialect| dialect.name == name).ok_or_else(|| {
            let names: Vec<&str> = known().map(|dialect| dialect.name).collect();
            format!("dialect {name} is unknown; there are {}", names.join(", "))
        })
    };
    list.split(',').map(found).collect()
}

/// How to connect as a superuser of the throwaway cluster.
fn config() -> Result<Config, String> {
    if let Ok(dsn) = std::env::var("REST_FDW_TEST_DSN") {
        return dsn
            .parse()
            .map_err(|error| format!("REST_FDW_TEST_DSN is no connection string: {error}"));
    }
    let host = std::env::var("PGHOST")
        .map_err(|_| "no cluster: set REST_FDW_TEST_DSN, or run scripts/oracle.sh")?;
    let mut config = Config::new();
    config
        .host(&host)
        .user(&std::env::var("PGUSER").unwrap_or_else(|_| "postgres".to_owned()))
        .dbname("postgres");
    Ok(config)
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let config = config()?;
    let server =
        Server::start(0).map_err(|error| format!("the mock API does not start: {error}"))?;
    let mut stages = (0..arguments.jobs)
        .map(|job| Stage::open(&config, server.url(), &job.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut passed = true;
    for dialect in &arguments.dialects {
        if oracle::corpus::fits(dialect) {
            passed &= play_corpus(arguments, dialect, &mut stages[0])?;
        }
        if !arguments.corpus_only {
            passed &= play(arguments, dialect, &mut stages)?;
        }
    }
    Ok(passed)
}

fn play_corpus(
    arguments: &Arguments,
    dialect: &Dialect,
    stage: &mut Stage,
) -> Result<bool, String> {
    let tally = oracle::corpus::run(stage, dialect, arguments.seed, &arguments.without)?;
    println!(
        "dialect {}: {} runs of the corpus, {} failures",
        dialect.name, tally.runs, tally.failures
    );
    Ok(tally.failures == 0)
}

fn play(arguments: &Arguments, dialect: &Dialect, stages: &mut [Stage]) -> Result<bool, String> {
    let run = Run {
        dialect,
        seed: arguments.seed,
        extent: arguments.extent,
        patience: arguments.patience,
        without: &arguments.without,
        shows: arguments.shows,
        tally: Tally::default(),
        started: Instant::now(),
    };
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = stages
            .iter_mut()
            .map(|stage| scope.spawn(|| run.play(stage)))
            .collect();
        let joined = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a thread panicked".to_owned()))
        });
        joined.collect()
    });
    println!("{}", run.summary());
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(!run.tally.has_failed())
}

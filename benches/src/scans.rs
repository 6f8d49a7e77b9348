//! Reading everything: pages, one response, few columns, whole rows, into a table.

use crate::place::{COLUMNS, Place, answer};
use crate::section::{Comparison, Section};
use crate::turns::{self, Subject};
use postgres::Client;
use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

/// The query over 8 columns, without its table.
pub const EIGHT_COLUMNS: &str = "SELECT count(*), sum(id), sum(score), max(title), max(created_at), sum(comments), max(state), max(login) FROM";

/// Full scans beside file_fdw's.
pub fn full(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    let eight = |table: &str| {
        answer(
            &mut client.borrow_mut(),
            &format!("{EIGHT_COLUMNS} {table}"),
        )
    };
    let expected = eight("csv")?;
    let checked = |table: &'static str| {
        let (expected, eight) = (expected.clone(), &eight);
        move || match eight(table)? {
            got if got == expected => Ok(()),
            got => Err(format!("{got} instead of {expected}").into()),
        }
    };
    let two = || {
        let sql = "SELECT count(*), sum(id), max(state) FROM paged";
        answer(&mut client.borrow_mut(), sql).map(drop)
    };
    let timings = turns::time(
        ROUNDS,
        vec![
            Subject::new("file_fdw, CSV of 8 columns", checked("csv")),
            Subject::new("rest_fdw, 1,000 pages of 1,000 rows", checked("paged")),
            Subject::new("rest_fdw, one array of 283 MB", checked("one_response")),
            Subject::new("rest_fdw, 2 of 8 columns", two),
        ],
    )?;
    let growth = growth(place)?;
    Ok(Section {
        title: "Full scans",
        about: format!(
            "A million rows in 1,000 pages, the same as one array, and a CSV of the 8 columns that the query reads:\n\
             `{EIGHT_COLUMNS} …`. All answers are the same."
        ),
        timings,
        comparisons: vec![
            Comparison::ratio(1, 0, 0.7),
            Comparison::ratio(2, 1, 1.2),
            Comparison::ratio(3, 1, 0.7),
        ],
        figures: vec![(
            "resident growth of the backend that reads the array".to_owned(),
            format!("{:.1} MB", growth as f64 / 1024.0),
            "≤ 64 MB".to_owned(),
        )],
        plot: None,
    })
}

/// How many KiB the peak of a backend grows while it reads the one array, after a small scan.
fn growth(place: &Place) -> Result<u64, Box<dyn Error>> {
    let mut client = place.connect()?;
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    client.query_one("SELECT count(*) FROM (SELECT * FROM paged LIMIT 10) t", &[])?;
    let before = status(pid, "VmRSS:")?;
    answer(&mut client, &format!("{EIGHT_COLUMNS} one_response"))?;
    Ok(status(pid, "VmHWM:")?.saturating_sub(before))
}

fn status(pid: i32, name: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let words = line.ok_or_else(|| format!("no {name} in /proc/{pid}/status"))?;
    Ok(words.trim().trim_end_matches(" kB").parse()?)
}

/// Whole rows as jsonb beside a cast of the same texts.
pub fn whole_rows(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    client.borrow_mut().batch_execute(&format!(
        "CREATE TABLE lines (line text);
         COPY lines FROM '{}' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02');
         ANALYZE lines;
         SET max_parallel_workers_per_gather = 0;
         CREATE FOREIGN TABLE whole (line jsonb OPTIONS (field '$')) SERVER api
           OPTIONS (endpoint '/items', pagination 'page');",
        place.folder.join("all.jsonl").display()
    ))?;
    let subject = |name: &str, sql: &'static str| {
        let client = &client;
        Subject::new(name, move || {
            answer(&mut client.borrow_mut(), sql).map(drop)
        })
    };
    let timings = turns::time(
        ROUNDS,
        vec![
            subject(
                "local text cast to jsonb",
                "SELECT count(line::jsonb) FROM lines",
            ),
            subject(
                "rest_fdw, the whole row as jsonb",
                "SELECT count(line) FROM whole",
            ),
        ],
    )?;
    Ok(Section {
        title: "Whole rows as jsonb",
        about: "The million rows of 283 bytes in pages, beside the same texts in a local table."
            .to_owned(),
        timings,
        comparisons: vec![Comparison::ratio(1, 0, 1.3)],
        figures: Vec::new(),
        plot: None,
    })
}

/// Into a local table, beside COPY.
pub fn into_a_table(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    client
        .borrow_mut()
        .batch_execute(&format!("CREATE TABLE target ({COLUMNS})"))?;
    let filling = |sql: String| {
        let client = &client;
        move || fill(&mut client.borrow_mut(), &sql)
    };
    let csv = place.folder.join("all.csv");
    let timings = turns::time(
        ROUNDS,
        vec![
            Subject::timing_itself(
                "COPY of the CSV",
                filling(format!("COPY target FROM '{}' (FORMAT csv)", csv.display())),
            ),
            Subject::timing_itself(
                "INSERT … SELECT from rest_fdw",
                filling("INSERT INTO target SELECT * FROM paged".to_owned()),
            ),
        ],
    )?;
    Ok(Section {
        title: "Into a local table",
        about: "The million rows of 8 columns into an empty table.".to_owned(),
        timings,
        comparisons: vec![Comparison::ratio(1, 0, 1.3)],
        figures: Vec::new(),
        plot: None,
    })
}

fn fill(client: &mut Client, sql: &str) -> Result<Duration, Box<dyn Error>> {
    client.batch_execute("TRUNCATE target; CHECKPOINT")?;
    let began = Instant::now();
    client.batch_execute(sql)?;
    Ok(began.elapsed())
}

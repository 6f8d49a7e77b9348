//! What does a request cost besides the API's own time? Single rows, first queries, slow pages, look-ups.

use crate::place::{Place, answer, remote_columns};
use crate::section::{Comparison, Section};
use crate::turns::{self, Subject};
use mock_api::Server;
use postgres::Client;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
/// Requests of one round of single rows.
const GETS: u64 = 100;

/// A row by its key on a warm connection, beside curl.
pub fn by_key(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    client.borrow_mut().batch_execute(&format!(
        "CREATE FOREIGN TABLE by_key ({}) SERVER api
           OPTIONS (endpoint '/items', pagination 'page', key 'id', entity_endpoint '/one/{{id}}.json')",
        remote_columns()
    ))?;
    let timings = turns::time(
        ROUNDS,
        vec![
            Subject::timing_itself("GET by curl", || curl(&place.url)),
            Subject::timing_itself("SELECT … WHERE id = …", || {
                selects(&mut client.borrow_mut())
            }),
        ],
    )?;
    Ok(Section {
        title: "One row by its key",
        about: format!(
            "{GETS} requests a round over a kept connection: `SELECT title, score FROM by_key WHERE id = …` beside the same GETs by \
             one curl. The figures are medians of a request."
        ),
        timings,
        comparisons: vec![Comparison::more(1, 0, 1)],
        figures: Vec::new(),
        plot: None,
    })
}

fn curl(url: &str) -> Result<Duration, Box<dyn Error>> {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--noproxy",
        "*",
        "--write-out",
        "%{stderr}%{time_total}\n",
    ]);
    for id in 1..=GETS {
        command.args(["--output", "/dev/null", &format!("{url}/one/{id}.json")]);
    }
    let output = command.output()?;
    let text = String::from_utf8(output.stderr)?;
    let mut seconds: Vec<f64> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
    // The first one connects.
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    Ok(Duration::from_secs_f64(seconds[seconds.len() / 2]))
}

fn selects(client: &mut Client) -> Result<Duration, Box<dyn Error>> {
    let mut durations = Vec::new();
    for id in 1..=GETS {
        let began = Instant::now();
        client.simple_query(&format!("SELECT title, score FROM by_key WHERE id = {id}"))?;
        durations.push(began.elapsed());
    }
    durations.sort();
    Ok(durations[durations.len() / 2])
}

/// What a new backend does before its first row.
pub fn first_query(place: &Place) -> Result<Section, Box<dyn Error>> {
    let first = |sql: &'static str| {
        move || {
            let mut client = place.connect()?;
            let began = Instant::now();
            client.simple_query(sql)?;
            Ok(began.elapsed())
        }
    };
    let timings = turns::time(
        ROUNDS,
        vec![
            Subject::timing_itself("SELECT 1", first("SELECT 1")),
            Subject::timing_itself(
                "SELECT title … WHERE id = 7",
                first("SELECT title FROM by_key WHERE id = 7"),
            ),
        ],
    )?;
    Ok(Section {
        title: "First query of a new backend",
        about: "The library is loaded, the catalog read, a connection made.".to_owned(),
        timings,
        comparisons: vec![Comparison::more(1, 0, 15)],
        figures: Vec::new(),
        plot: None,
    })
}

/// A slow API: what its pages and look-ups take side by side.
pub struct SlowApi {
    server: Server,
}

impl SlowApi {
    /// Starts it on loopback, within this process.
    pub fn start() -> Result<SlowApi, Box<dyn Error>> {
        let server = Server::start(0)?;
        let api = mock_api::client::Client::new(server.url());
        api.define("slow", &scenario());
        Ok(SlowApi { server })
    }

    fn url(&self) -> String {
        mock_api::client::Client::new(self.server.url()).space_url("slow")
    }
}

/// 100 pages that take 50 ms each, with a total and without; things by id that take 10 ms, one or many at a time.
fn scenario() -> Value {
    let pages = |paging: Value, count: usize| {
        json!({"generate": {"kind": "items", "count": count}, "shape": {"path": "data"}, "envelope_first": true,
               "paging": paging, "delay_ms": 50})
    };
    let counted = json!({"style": "page", "page_size": 10, "total_field": "total"});
    let linked = json!({"style": "link", "page_size": 10});
    let things = |op: &str, param: &str| {
        json!({"generate": {"kind": "items", "count": 1_000}, "filters": [{"param": param, "field": "id", "op": op, "type": "number"}],
               "delay_ms": 10})
    };
    json!({"routes": {
        "/counted": pages(counted.clone(), 1_000), "/counted_one": pages(counted, 10),
        "/linked": pages(linked.clone(), 1_000), "/linked_one": pages(linked, 10),
        "/things": things("=", "id"), "/lists": things("in", "ids"),
    }})
}

/// Pages that take their time.
pub fn slow_pages(place: &Place, api: &SlowApi) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    let mut sql = format!(
        "CREATE SERVER slow FOREIGN DATA WRAPPER rest_fdw
           OPTIONS (base_url '{}', max_concurrency '8', rows 'data');",
        api.url()
    );
    for (table, paging) in [
        ("counted", ", pagination 'page', total_field 'total'"),
        ("counted_one", ", pagination 'page', total_field 'total'"),
        ("linked", ", pagination 'link'"),
        ("linked_one", ", pagination 'link'"),
    ] {
        sql.push_str(&format!(
            "CREATE FOREIGN TABLE {table} (id bigint, title text) SERVER slow OPTIONS (endpoint '/{table}'{paging});"
        ));
    }
    client.borrow_mut().batch_execute(&sql)?;
    let subject = |name: &str, table: &'static str, rows: u64| {
        let client = &client;
        Subject::new(name, move || {
            expect(
                client,
                &format!("SELECT count(title) FROM {table}"),
                &format!("({rows})"),
            )
        })
    };
    let timings = turns::time(
        3,
        vec![
            subject("one page, total known", "counted_one", 10),
            subject(
                "100 pages, total known, max_concurrency 8",
                "counted",
                1_000,
            ),
            subject("one page, Link header", "linked_one", 10),
            subject("100 pages, Link headers", "linked", 1_000),
        ],
    )?;
    Ok(Section {
        title: "Slow pages",
        about: "Each page takes 50 ms. Where the first one tells how many there are, the others are asked for side by side.".to_owned(),
        timings,
        comparisons: vec![Comparison::ratio(1, 0, 20.0), Comparison::ratio(3, 2, 105.0)],
        figures: Vec::new(),
        plot: None,
    })
}

/// A join by look-ups that take their time.
pub fn lookups(place: &Place, api: &SlowApi) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    client.borrow_mut().batch_execute(&format!(
        "CREATE SERVER things FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_concurrency '8', latency '10ms', rows_estimate '10000000', key 'id');
         CREATE FOREIGN TABLE things (id bigint OPTIONS (filter '='), score numeric) SERVER things OPTIONS (endpoint '/things');
         CREATE FOREIGN TABLE lists (id bigint OPTIONS (filter '=, in ids'), score numeric) SERVER things
           OPTIONS (endpoint '/lists', max_list_size '100');
         CREATE TABLE outer_rows AS SELECT id FROM generate_series(1, 1000) id;
         ANALYZE outer_rows",
        api.url()
    ))?;
    let join = |name: &str, table: &'static str| {
        let client = &client;
        let sql = format!("SELECT count(score) FROM outer_rows JOIN {table} USING (id)");
        Subject::new(name, move || expect(client, &sql, "(1000)"))
    };
    let one = Subject::new("one look-up", || {
        expect(
            &client,
            "SELECT count(score) FROM things WHERE id = 7",
            "(1)",
        )
    });
    let timings = turns::time(
        3,
        vec![
            one,
            join("1,000 outer rows, a value a request", "things"),
            join("1,000 outer rows, lists of 100", "lists"),
        ],
    )?;
    Ok(Section {
        title: "Look-ups",
        about: "`SELECT … FROM outer_rows JOIN things USING (id)`: 1,000 outer rows with 1,000 keys, an API that takes 10 ms a request and \
                that has too many rows to read them all."
            .to_owned(),
        timings,
        comparisons: vec![Comparison::ratio(1, 0, 150.0), Comparison::ratio(2, 0, 15.0)],
        figures: Vec::new(),
        plot: None,
    })
}

fn expect(client: &RefCell<Client>, sql: &str, expected: &str) -> Result<(), Box<dyn Error>> {
    match answer(&mut client.borrow_mut(), sql)? {
        got if got == expected => Ok(()),
        got => Err(format!("{got} instead of {expected}").into()),
    }
}

//! Does rest_fdw work with a server that nobody here wrote: Debian's Prometheus, scraping itself?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session};
use real_servers::prometheus::Prometheus;
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// The queries that Prometheus has evaluated for its API so far.
fn queries_so_far(prometheus: &Prometheus) -> Vec<String> {
    let queries = prometheus.queries().unwrap();
    let queries = queries
        .iter()
        .map(|parameters| parameters["query"].as_str());
    queries.map(|query| query.unwrap().to_owned()).collect()
}

/// The queries that it evaluated while `work` was done, sorted.
fn queries_of<T>(prometheus: &Prometheus, work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let before = queries_so_far(prometheus).len();
    let result = work();
    let mut queries = queries_so_far(prometheus).split_off(before);
    queries.sort();
    (result, queries)
}

const TABLES: &str = "
    CREATE FOREIGN TABLE targets (
      scrape_pool text,
      scrape_url text,
      job text OPTIONS (field 'labels.job'),
      labels jsonb,
      health text,
      last_scrape timestamptz,
      last_scrape_duration double precision
    ) SERVER prometheus OPTIONS (endpoint '/api/v1/targets', rows 'data.activeTargets');

    CREATE FOREIGN TABLE label_values (
      label text,
      value text OPTIONS (field '$')
    ) SERVER prometheus OPTIONS (endpoint '/api/v1/label/{label}/values', rows 'data', rows_shape 'values');

    CREATE FOREIGN TABLE instant (
      query text OPTIONS (param 'query', required 'true'),
      metric jsonb,
      at timestamptz OPTIONS (field '/value/0', format 'unix'),
      value double precision OPTIONS (field '/value/1')
    ) SERVER prometheus OPTIONS (endpoint '/api/v1/query', rows 'data.result');

    CREATE TABLE checks (name text, query text);
    INSERT INTO checks VALUES ('up', 'up'), ('one', 'vector(1)'), ('up again', 'up'), ('none', 'no_such_metric'),
                              ('not set', NULL), ('job', 'up{job=\"itself\"}');
    ANALYZE checks";

/// Waits until Prometheus has scraped itself.
fn wait_until_up(prometheus: &Prometheus, session: &mut Session) {
    let began = Instant::now();
    loop {
        let outcome =
            session.outcome("SELECT value FROM instant WHERE query = 'up{job=\"itself\"}'");
        if outcome.as_deref() == Ok(&["1".to_owned()]) {
            return;
        }
        assert!(
            began.elapsed() < STARTS_WITHIN,
            "Prometheus is not up: {outcome:?}\n{}",
            prometheus.log()
        );
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn targets_label_values_and_queries_of_prometheus_are_tables() {
    let prometheus = Prometheus::scraping_itself(&json!({"place": "a/b c"})).unwrap();
    let database = Database::create("prometheus");
    let mut session = database.connect();
    session.run(&format!(
        "CREATE SERVER prometheus FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}')",
        prometheus.url()
    ));
    session.run(TABLES);
    wait_until_up(&prometheus, &mut session);
    targets(&prometheus, &mut session);
    label_values(&mut session);
    queries(&prometheus, &mut session);
    joins(&prometheus, &mut session);
    refused(&mut session);
}

fn targets(prometheus: &Prometheus, session: &mut Session) {
    let sql = "SELECT scrape_pool, scrape_url, job, labels ->> 'place', health, last_scrape > now() - interval '1 minute',
                      last_scrape_duration BETWEEN 0 AND 10
               FROM targets";
    let url = format!("{}/metrics", prometheus.url());
    assert_eq!(
        session.row(sql),
        format!("itself|{url}|itself|a/b c|up|t|t")
    );
}

fn label_values(session: &mut Session) {
    let of = |label: &str| format!("SELECT value FROM label_values WHERE label = '{label}'");
    assert_eq!(session.rows(&of("job")), ["itself"]);
    assert_eq!(session.rows(&of("place")), ["a/b c"]);
    assert_eq!(session.rows(&of("no_such_label")), Vec::<String>::new());
    let both = "SELECT label, value FROM label_values WHERE label IN ('job', 'place', 'job') ORDER BY label";
    assert_eq!(session.rows(both), ["job|itself", "place|a/b c"]);
    // Filtered here, because Prometheus has no filter for it.
    assert_eq!(
        session.rows(&format!("{} AND value LIKE 'x%'", of("job"))),
        Vec::<String>::new()
    );
    let many = "SELECT count(*) > 100 FROM label_values WHERE label = '__name__'";
    assert_eq!(session.row(many), "t");
}

fn queries(prometheus: &Prometheus, session: &mut Session) {
    let sql = "SELECT metric ->> 'job', metric ->> '__name__', value, at > now() - interval '1 minute', query
               FROM instant WHERE query = 'up'";
    let (row, sent) = queries_of(prometheus, || session.row(sql));
    assert_eq!(row, "itself|up|1|t|up");
    assert_eq!(sent, ["up"]);
    // What PromQL writes, a URL would read as something else.
    let query = "sum by (job) (up{job=~\"its.*|a&b=c\", place=\"a/b c\"}) + 1.5";
    let (row, sent) = queries_of(prometheus, || {
        session.row(&format!(
            "SELECT value FROM instant WHERE query = '{query}'"
        ))
    });
    assert_eq!(row, "2.5");
    assert_eq!(sent, [query]);
    assert_eq!(
        session.rows("SELECT value FROM instant WHERE query = '1 / vector(0)'"),
        ["Infinity"]
    );
    let (rows, sent) = queries_of(prometheus, || {
        session.rows("SELECT value FROM instant WHERE query = NULL")
    });
    assert!(rows.is_empty() && sent.is_empty(), "{rows:?} {sent:?}");
}

fn joins(prometheus: &Prometheus, session: &mut Session) {
    let sql = "SELECT checks.name, instant.value FROM checks JOIN instant ON instant.query = checks.query ORDER BY checks.name";
    let (rows, sent) = queries_of(prometheus, || session.rows(sql));
    assert_eq!(rows, ["job|1", "one|1", "up|1", "up again|1"]);
    assert_eq!(
        sent,
        ["no_such_metric", "up", "up{job=\"itself\"}", "vector(1)"],
        "one request a distinct query"
    );
    let sql = "SELECT query, value FROM instant WHERE query IN (SELECT query FROM checks WHERE name LIKE 'up%')";
    let (rows, sent) = queries_of(prometheus, || session.rows(sql));
    assert_eq!(rows, ["up|1"]);
    assert_eq!(sent, ["up"]);
    let sql = "SELECT c.name, (SELECT i.value FROM instant i WHERE i.query = c.query) FROM checks c
               WHERE c.name IN ('one', 'none') ORDER BY 1";
    assert_eq!(session.rows(sql), ["none|NULL", "one|1"]);
}

fn refused(session: &mut Session) {
    let error = session.error("SELECT value FROM instant");
    assert_eq!(error.code, "HV002", "{error:?}");
    assert!(error.hint.contains("WHERE query = "), "{error:?}");
    // Prometheus says itself what is wrong with a query.
    let error = session.error("SELECT value FROM instant WHERE query = 'up{'");
    assert_eq!(error.code, "HV00M", "{error:?}");
    assert!(
        error.message.contains("400") && error.detail.contains("parse error"),
        "{error:?}"
    );
}

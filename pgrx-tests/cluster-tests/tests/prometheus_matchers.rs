//! Which matchers is Prometheus asked for, and are its series those that SQL wants? Samples of exact times.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session};
use real_servers::open_metrics::OpenMetrics;
use real_servers::prometheus::Prometheus;
use serde_json::{Value, json};

/// Labels that an encoder gets wrong; the series without `v` is `none`.
const LABELS: &[(&str, &str)] = &[
    ("line", "x\ny"),
    ("back", "a\\b"),
    ("quote", "a\"b"),
    ("sharp", "straße"),
    ("wide", "😀"),
    ("dots", "a.b"),
    ("bar", "x|y"),
    ("brace", "{x}"),
    ("space", " "),
    ("plus", "a+b&c=d"),
    ("percent", "%41"),
    ("tick", "`"),
];

/// 2024-02-29T12:00:00Z
const NOON: f64 = 1_709_208_000.0;

fn samples() -> OpenMetrics {
    let mut samples = OpenMetrics::new();
    let mut series = vec![(vec![("id", "none")], 0.0, NOON)];
    series.extend(
        LABELS
            .iter()
            .map(|(id, value)| (vec![("id", *id), ("v", *value)], 1.0, NOON)),
    );
    samples.metric("odd", series);
    let minutes = [0.0, 1.0, 2.0, 3.0];
    let load = |instance: &'static str, factor: f64| {
        minutes.map(|minute| {
            (
                vec![("instance", instance)],
                factor * minute,
                NOON + 60.0 * minute,
            )
        })
    };
    samples.metric("load", load("a", 1.0).into_iter().chain(load("b", 10.5)));
    samples
}

const TABLES: &str = "
    CREATE FOREIGN TABLE odd (
      id text OPTIONS (field 'metric.id'),
      v text OPTIONS (field 'metric.v'),
      at timestamptz OPTIONS (param 'time', format 'unix', required 'true'),
      value double precision OPTIONS (field '/value/1')
    ) SERVER prometheus OPTIONS (
      endpoint '/api/v1/query', rows 'data.result', pagination 'none', filter_template 'odd{filter}');

    CREATE FOREIGN TABLE series (
      name text OPTIONS (field '__name__'),
      id text,
      v text
    ) SERVER prometheus OPTIONS (
      endpoint '/api/v1/series', rows 'data', pagination 'none', filter_param 'match[]');

    CREATE FOREIGN TABLE load (
      instance text OPTIONS (field 'metric.instance') NOT NULL,
      first timestamptz OPTIONS (param 'start', format 'unix', required 'true'),
      last timestamptz OPTIONS (param 'end', format 'unix', required 'true'),
      step text OPTIONS (param 'step', required 'true'),
      points jsonb OPTIONS (field 'values')
    ) SERVER prometheus OPTIONS (
      endpoint '/api/v1/query_range', rows 'data.result', pagination 'none', filter_template 'load{filter}')";

/// A condition on `odd`, the ids that it must return, and the query.
const ASKED: &[(&str, &[&str], &str)] = &[
    ("v = E'x\\ny'", &["line"], r#"odd{v="x\ny"}"#),
    (r"v = 'a\b'", &["back"], r#"odd{v="a\\b"}"#),
    ("v = 'a\"b'", &["quote"], r#"odd{v="a\"b"}"#),
    ("v = 'a+b&c=d'", &["plus"], r#"odd{v="a+b&c=d"}"#),
    ("v = '%41'", &["percent"], r#"odd{v="%41"}"#),
    (
        "v IN ('a.b', 'x|y', '{x}')",
        &["bar", "brace", "dots"],
        r#"odd{v=~"a\\.b|x\\|y|\\{x\\}"}"#,
    ),
    // A bare dot would not match the line feed.
    ("v LIKE 'x_y'", &["bar", "line"], r#"odd{v=~"x(?s:.)y"}"#),
    ("v LIKE '%straße'", &["sharp"], r#"odd{v=~"(?s:.*)straße"}"#),
    ("v IS NULL", &["none"], r#"odd{v=""}"#),
    // What has no such label is kept by `!=`, and dropped by SQL.
    (
        "v <> 'x|y' AND id IN ('bar', 'none', 'wide')",
        &["wide"],
        r#"odd{v!="x|y",v!="",id=~"bar|none|wide"}"#,
    ),
    // That would be the series without the label.
    ("v = ''", &[], "odd"),
    ("value < 1", &["none"], "odd"),
];

fn server(session: &mut Session, prometheus: &Prometheus) {
    session.run(&format!(
        "CREATE SERVER prometheus FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', dialect 'prometheus')",
        prometheus.url()
    ));
    session.run(TABLES);
}

/// The rows of a statement, and the parameters of the queries that it took.
fn asked(prometheus: &Prometheus, session: &mut Session, sql: &str) -> (Vec<String>, Vec<Value>) {
    let before = prometheus.queries().unwrap().len();
    let rows = session.rows(sql);
    (rows, prometheus.queries().unwrap().split_off(before))
}

#[test]
fn conditions_on_labels_become_matchers() {
    let prometheus = Prometheus::with_samples(&samples()).unwrap();
    let database = Database::create("prometheus_matchers");
    let mut session = database.connect();
    server(&mut session, &prometheus);
    for (condition, ids, query) in ASKED {
        let sql = format!(
            "SELECT id FROM odd WHERE at = '2024-02-29T12:00:00Z' AND {condition} ORDER BY id COLLATE \"C\""
        );
        let (rows, queries) = asked(&prometheus, &mut session, &sql);
        assert_eq!(rows, *ids, "{condition}");
        let queries: Vec<&Value> = queries
            .iter()
            .map(|parameters| &parameters["query"])
            .collect();
        assert_eq!(queries, [query], "{condition}");
    }
    series(&mut session);
    ranges(&prometheus, &mut session);
}

fn series(session: &mut Session) {
    let rows = |condition: &str| {
        format!("SELECT id FROM series WHERE name = 'odd' AND {condition} ORDER BY id")
    };
    assert_eq!(
        session.rows(&rows("v IN ('a\"b', 'x|y')")),
        ["bar", "quote"]
    );
    assert_eq!(session.rows(&rows("v IS NULL")), ["none"]);
    assert_eq!(
        session.rows(&rows("id <> 'none' AND v LIKE '_'")),
        ["space", "tick", "wide"]
    );
    let plan = session
        .rows("EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM series WHERE name = 'odd' AND v <> 'x'")
        .join("\n");
    // {v!="x",v!="",__name__="odd"}
    let selector =
        "/api/v1/series?match%5B%5D=%7Bv%21%3D%22x%22,v%21%3D%22%22,__name__%3D%22odd%22%7D";
    assert!(plan.contains(selector), "{plan}");
}

fn ranges(prometheus: &Prometheus, session: &mut Session) {
    let sql = "SELECT l.instance, to_timestamp((p ->> 0)::float8) AT TIME ZONE 'UTC', (p ->> 1)::float8
               FROM load l, jsonb_array_elements(l.points) p
               WHERE first = '2024-02-29T12:01:00Z' AND last = '2024-02-29T12:02:00Z' AND step = '60s' AND instance = 'b' ORDER BY 2";
    let (rows, queries) = asked(prometheus, session, sql);
    assert_eq!(
        rows,
        ["b|2024-02-29 12:01:00|10.5", "b|2024-02-29 12:02:00|21"]
    );
    let wanted = json!({"query": "load{instance=\"b\"}", "start": "2024-02-29T12:01:00.000Z", "end": "2024-02-29T12:02:00.000Z", "step": 60});
    assert_eq!(queries, [wanted]);
    let both = "SELECT instance, jsonb_array_length(points) FROM load
                WHERE first = '2024-02-29T12:00:00Z' AND last = '2024-02-29T12:03:00Z' AND step = '30s' ORDER BY 1";
    assert_eq!(session.rows(both), ["a|7", "b|7"]);
    let error = session
        .error("SELECT instance FROM load WHERE first = '2024-02-29T12:00:00Z' AND step = '60s'");
    assert_eq!(error.code, "HV002", "{error:?}");
}

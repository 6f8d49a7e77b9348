//! EXPLAIN: what is sent, what is not and why, what happened; in every format, without a request and without a secret.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, explain, only_nested_loops, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    /// The README's table over the mock's week of earthquakes.
    fn earthquakes_api(space: &str) -> Api {
        let api = Api::new(space, &json!({"routes": {}}));
        api.create_server("");
        run("CREATE FOREIGN TABLE earthquakes (
               id        text,
               magnitude double precision OPTIONS (field 'properties.mag',
                           filter '>= minmagnitude exact, <= maxmagnitude exact, > minmagnitude'),
               place     text             OPTIONS (field 'properties.place'),
               time      timestamptz      OPTIONS (field 'properties.time', format 'unix_ms', filter '>= starttime as rfc3339'),
               depth     double precision OPTIONS (field 'geometry.coordinates.2', filter '>= mindepth exact')
             ) SERVER api OPTIONS (
               endpoint '/fdsnws/event/1/query', query '{\"format\": \"geojson\"}', rows 'features',
               pagination 'offset', first_offset '1', page_size_param 'limit', page_size '1000', end_on_short_page 'on')");
        run("SET LOCAL timezone = 'UTC'");
        api
    }

    fn earthquakes_request(api: &Api, query: &str) -> String {
        format!(
            "GET {}/fdsnws/event/1/query?format=geojson&{query}",
            api.url()
        )
    }

    /// The property of a line `label: value`, where the plan has exactly one.
    fn property<'a>(lines: &'a [String], label: &str) -> Option<&'a str> {
        let prefix = format!("{label}: ");
        let mut found = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        let first = found.next();
        assert_eq!(found.next(), None, "{label} stands in it twice: {lines:#?}");
        first
    }

    /// `EXPLAIN (options, FORMAT json)`, through PostgreSQL's own type `json`.
    fn json_plan(options: &str, sql: &str) -> Value {
        run("CREATE OR REPLACE FUNCTION pg_temp.plan_of(sql text) RETURNS text LANGUAGE plpgsql AS $$
             DECLARE plan json;
             BEGIN
               EXECUTE sql INTO STRICT plan;
               RETURN plan::jsonb;
             END $$");
        let statement = pgrx::spi::quote_literal(format!("EXPLAIN (FORMAT json, {options}) {sql}"));
        let text = column(&format!("SELECT pg_temp.plan_of({statement})"));
        let plan: Value = serde_json::from_str(&text[0]).expect("JSON");
        plan[0]["Plan"].clone()
    }

    #[pg_test]
    fn explain_shows_what_the_readme_shows() {
        let api = earthquakes_api("explain_shows_what_the_readme_shows");
        let query = "SELECT place FROM earthquakes WHERE magnitude >= 6 AND place LIKE '%Taiwan%'";
        assert_eq!(
            explain("VERBOSE, COSTS OFF", query),
            [
                "Foreign Scan on public.earthquakes".to_owned(),
                "Output: place".to_owned(),
                "Filter: (earthquakes.place ~~ '%Taiwan%'::text)".to_owned(),
                format!(
                    "Remote Request: {}",
                    earthquakes_request(&api, "minmagnitude=6&limit=1000&offset=1")
                ),
                "Remote Filter: (magnitude >= '6'::double precision) (exact)".to_owned(),
                "Recheck: (magnitude >= '6'::double precision)".to_owned(),
                "Local Filter: (place ~~ '%Taiwan%'::text) (column \"place\" declares no filter)"
                    .to_owned(),
                "Pages: offset/limit, 1000 rows a page".to_owned(),
            ]
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn explain_of_a_bare_scan_has_no_filters() {
        let api = earthquakes_api("explain_of_a_bare_scan");
        assert_eq!(
            explain("COSTS OFF", "SELECT count(*) FROM earthquakes"),
            [
                "Aggregate".to_owned(),
                "->  Foreign Scan on earthquakes".to_owned(),
                format!(
                    "Remote Request: {}",
                    earthquakes_request(&api, "limit=1000&offset=1")
                ),
                "Pages: offset/limit, 1000 rows a page".to_owned(),
            ]
        );
        let limited = explain("COSTS OFF", "SELECT place FROM earthquakes LIMIT 3");
        let request = earthquakes_request(&api, "limit=3&offset=1");
        assert_eq!(
            property(&limited, "Remote Request"),
            Some(request.as_str()),
            "the first page is a small one"
        );
        assert_eq!(api.requests(), NONE);
    }

    /// A condition, and how EXPLAIN shows it.
    const LOCAL_CONDITIONS: [(&str, &str); 9] = [
        (
            "depth = 5",
            "(depth = '5'::double precision) (column \"depth\" declares no filter for =)",
        ),
        (
            "magnitude = ANY ('{5,6}')",
            "(magnitude = ANY ('{5,6}'::double precision[])) (column \"magnitude\" declares no filter for IN)",
        ),
        (
            "magnitude <> 5",
            "(magnitude <> '5'::double precision) (column \"magnitude\" declares no filter for <>)",
        ),
        (
            "magnitude >= random()",
            "(magnitude >= random()) (random() is volatile)",
        ),
        (
            "magnitude >= depth",
            "(magnitude >= depth) (it compares columns of the table with each other)",
        ),
        (
            "magnitude IS NULL",
            "(magnitude IS NULL) (column \"magnitude\" declares no filter for IS NULL)",
        ),
        (
            "place IS NOT NULL",
            "(place IS NOT NULL) (column \"place\" declares no filter)",
        ),
        (
            "magnitude >= 5 OR depth >= 5",
            "((magnitude >= '5'::double precision) OR (depth >= '5'::double precision)) (OR has no spelling in \
             dialect plain)",
        ),
        (
            "abs(magnitude) >= 5",
            "(abs(magnitude) >= '5'::double precision) (function abs() of column \"magnitude\" cannot be sent)",
        ),
    ];

    #[pg_test]
    fn every_local_condition_has_its_reason() {
        let api = earthquakes_api("every_local_condition_has_its_reason");
        for (clause, expected) in LOCAL_CONDITIONS {
            let lines = explain(
                "COSTS OFF",
                &format!("SELECT id FROM earthquakes WHERE {clause}"),
            );
            assert_eq!(property(&lines, "Local Filter"), Some(expected), "{clause}");
            assert_eq!(property(&lines, "Remote Filter"), None, "{clause}");
            assert_eq!(property(&lines, "Recheck"), None, "{clause}");
        }
        let lines = explain(
            "COSTS OFF",
            "SELECT id FROM earthquakes WHERE magnitude >= 5 AND magnitude > 6",
        );
        assert_eq!(
            property(&lines, "Remote Filter"),
            Some("(magnitude >= '5'::double precision) (exact)")
        );
        assert_eq!(
            property(&lines, "Local Filter"),
            Some(
                "(magnitude > '6'::double precision) (parameter \"minmagnitude\" already carries another condition)"
            )
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn exact_filters_of_a_trusted_table_are_not_rechecked() {
        let api = earthquakes_api("exact_filters_of_a_trusted_table");
        let query = "SELECT id FROM earthquakes WHERE depth >= 10 AND magnitude > 5";
        let remote = "(depth >= '10'::double precision) (exact), (magnitude > '5'::double precision) (superset)";
        let lines = explain("COSTS OFF", query);
        assert_eq!(property(&lines, "Remote Filter"), Some(remote));
        assert_eq!(
            property(&lines, "Recheck"),
            Some("(depth >= '10'::double precision), (magnitude > '5'::double precision)")
        );
        run("ALTER FOREIGN TABLE earthquakes OPTIONS (ADD recheck 'off')");
        let lines = explain("COSTS OFF", query);
        assert_eq!(property(&lines, "Remote Filter"), Some(remote));
        assert_eq!(
            property(&lines, "Recheck"),
            Some("(magnitude > '5'::double precision)")
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_value_that_comes_at_run_time_is_shown_as_a_parameter() {
        let api = earthquakes_api("a_value_that_comes_at_run_time");
        let lines = explain(
            "COSTS OFF",
            "SELECT id FROM earthquakes WHERE time >= now() - interval '1 day'",
        );
        let request = earthquakes_request(&api, "starttime=$1&limit=1000&offset=1");
        assert_eq!(property(&lines, "Remote Request"), Some(request.as_str()));
        assert_eq!(
            property(&lines, "Remote Parameters"),
            Some("$1 = (now() - '1 day'::interval)")
        );
        assert_eq!(
            property(&lines, "Remote Filter"),
            Some("(\"time\" >= (now() - '1 day'::interval)) (superset)")
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_statement_parameter_keeps_its_number() {
        let api = earthquakes_api("a_statement_parameter_keeps_its_number");
        run(
            "PREPARE stronger(float8, timestamptz, int) AS SELECT id FROM earthquakes
             WHERE magnitude >= $1 AND time >= $2 - interval '1 day' AND depth >= $3",
        );
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        let lines = explain("COSTS OFF", "EXECUTE stronger(5, '2018-02-01', 10)");
        let request = earthquakes_request(
            &api,
            "minmagnitude=$1&starttime=$4&mindepth=$5&limit=1000&offset=1",
        );
        assert_eq!(property(&lines, "Remote Request"), Some(request.as_str()));
        assert_eq!(
            property(&lines, "Remote Parameters"),
            Some("$4 = ($2 - '1 day'::interval), $5 = $3"),
            "{lines:#?}"
        );
        run("SET LOCAL plan_cache_mode = force_custom_plan");
        let lines = explain("COSTS OFF", "EXECUTE stronger(5, '2018-02-01', 10)");
        // What is stable, not immutable, is computed when the query starts, also in a custom plan.
        let request = earthquakes_request(
            &api,
            "minmagnitude=5&mindepth=10&starttime=$4&limit=1000&offset=1",
        );
        assert_eq!(property(&lines, "Remote Request"), Some(request.as_str()));
        assert!(
            property(&lines, "Remote Parameters").is_some_and(|text| text.starts_with("$4 = (")),
            "{lines:#?}"
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn an_init_plan_is_shown_as_a_parameter() {
        let api = earthquakes_api("an_init_plan_is_shown_as_a_parameter");
        // As PostgreSQL writes it.
        let init_plan = match cfg!(any(feature = "pg17", feature = "pg18")) {
            true => "(InitPlan 1).col1",
            false => "$0",
        };
        run("CREATE TABLE bounds (lowest float8)");
        let lines = explain(
            "COSTS OFF",
            "SELECT id FROM earthquakes WHERE magnitude >= (SELECT max(lowest) FROM bounds)",
        );
        let request = earthquakes_request(&api, "minmagnitude=$1&limit=1000&offset=1");
        assert_eq!(
            property(&lines, "Remote Request"),
            Some(request.as_str()),
            "{lines:#?}"
        );
        assert_eq!(
            property(&lines, "Remote Parameters"),
            Some(format!("$1 = {init_plan}").as_str()),
            "{lines:#?}"
        );
        assert_eq!(
            property(&lines, "Remote Filter"),
            Some(format!("(magnitude >= {init_plan}) (exact)").as_str()),
            "{lines:#?}"
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_joined_column_is_named() {
        let api = earthquakes_api("a_joined_column_is_named");
        run("CREATE TABLE bounds (\"Least\" float8)");
        run("INSERT INTO bounds VALUES (6)");
        run("ANALYZE bounds");
        only_nested_loops();
        let query = "SELECT e.id FROM bounds b JOIN earthquakes e ON e.magnitude >= b.\"Least\"";
        let lines = explain("COSTS OFF", query);
        let request = earthquakes_request(&api, "minmagnitude=$1&limit=1000&offset=1");
        assert_eq!(
            property(&lines, "Remote Request"),
            Some(request.as_str()),
            "{lines:#?}"
        );
        assert_eq!(
            property(&lines, "Remote Parameters"),
            Some("$1 = b.Least"),
            "{lines:#?}"
        );
        assert_eq!(
            property(&lines, "Remote Filter"),
            Some("(magnitude >= b.Least) (exact)"),
            "{lines:#?}"
        );
        assert_eq!(api.requests(), NONE);
        assert_eq!(rows(&format!("SELECT count(*) FROM ({query}) q")), ["(5)"]);
        assert_eq!(
            api.requests(),
            ["GET /fdsnws/event/1/query?format=geojson&minmagnitude=6&limit=1000&offset=1"]
        );
    }

    #[pg_test]
    fn explain_analyze_counts_what_happened() {
        let api = earthquakes_api("explain_analyze_counts");
        let query = "SELECT place FROM earthquakes WHERE magnitude > 6 AND place LIKE '%Taiwan%'";
        let strong = column("SELECT count(*)::text FROM earthquakes WHERE magnitude >= 6");
        let stronger = column("SELECT count(*)::text FROM earthquakes WHERE magnitude > 6");
        let near = column(
            "SELECT count(*)::text FROM earthquakes WHERE magnitude > 6 AND place LIKE '%Taiwan%'",
        );
        let number = |text: &[String]| text[0].parse::<usize>().expect("a count");
        let (strong, stronger, near) = (number(&strong), number(&stronger), number(&near));
        assert!(
            strong > stronger && stronger > near && near > 0,
            "{strong} {stronger} {near}"
        );
        api.requests();
        let lines = explain("ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", query);
        let sent = "GET /fdsnws/event/1/query?format=geojson&minmagnitude=6&limit=1000&offset=1";
        assert_eq!(api.requests(), [sent]);
        let bytes = property(&lines, "Bytes Received")
            .expect("a count")
            .parse::<usize>()
            .expect("a number");
        assert!(bytes > 1000, "{bytes}");
        let request = earthquakes_request(&api, "minmagnitude=6&limit=1000&offset=1");
        assert_eq!(
            lines,
            [
                // An average over the loops from PostgreSQL 18 on.
                match cfg!(feature = "pg18") {
                    true => format!("Foreign Scan on earthquakes (actual rows={near}.00 loops=1)"),
                    false => format!("Foreign Scan on earthquakes (actual rows={near} loops=1)"),
                },
                "Filter: (place ~~ '%Taiwan%'::text)".to_owned(),
                format!("Rows Removed by Filter: {}", stronger - near),
                format!("Remote Request: {request}"),
                "Remote Filter: (magnitude > '6'::double precision) (superset)".to_owned(),
                "Recheck: (magnitude > '6'::double precision)".to_owned(),
                "Local Filter: (place ~~ '%Taiwan%'::text) (column \"place\" declares no filter)"
                    .to_owned(),
                "Pages: offset/limit, 1000 rows a page".to_owned(),
                format!("First Request Sent: {request}"),
                "Requests: 1".to_owned(),
                "Pages Fetched: 1".to_owned(),
                format!("Bytes Received: {bytes}"),
                format!("Rows Fetched: {strong}"),
                format!("Rows Removed by Recheck: {}", strong - stronger),
                "Retries: 0".to_owned(),
            ]
        );
        let timed = explain("ANALYZE", query);
        let waiting = property(&timed, "Time Waiting")
            .expect("a time")
            .strip_suffix(" ms")
            .expect("milliseconds");
        assert!(
            waiting.parse::<f64>().is_ok_and(|waiting| waiting > 0.0),
            "{waiting}"
        );
    }

    #[pg_test]
    fn explain_analyze_shows_the_values_that_were_sent() {
        let api = earthquakes_api("explain_analyze_shows_the_values");
        run("PREPARE stronger(float8) AS SELECT id FROM earthquakes WHERE magnitude >= $1");
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        let lines = explain("ANALYZE, COSTS OFF, TIMING OFF", "EXECUTE stronger(6.1)");
        let planned = earthquakes_request(&api, "minmagnitude=$1&limit=1000&offset=1");
        let sent = earthquakes_request(&api, "minmagnitude=6.1&limit=1000&offset=1");
        assert_eq!(property(&lines, "Remote Request"), Some(planned.as_str()));
        assert_eq!(property(&lines, "First Request Sent"), Some(sent.as_str()));
        assert_eq!(api.requests().len(), 1);
        let lines = explain("ANALYZE, COSTS OFF, TIMING OFF", "EXECUTE stronger(NULL)");
        assert_eq!(property(&lines, "First Request Sent"), None);
        assert_eq!(property(&lines, "Requests"), Some("0"));
        assert_eq!(property(&lines, "Rows Fetched"), Some("0"));
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn explain_analyze_counts_all_executions_of_a_node() {
        let api = earthquakes_api("explain_analyze_counts_all_executions");
        let lines = explain(
            "ANALYZE, COSTS OFF, TIMING OFF",
            "SELECT (SELECT count(*) FROM earthquakes e WHERE e.magnitude >= g) FROM generate_series(5, 7) g",
        );
        assert_eq!(property(&lines, "Requests"), Some("3"), "{lines:#?}");
        assert_eq!(property(&lines, "Pages Fetched"), Some("3"));
        let requests = api.requests();
        assert_eq!(requests.len(), 3, "{requests:?}");
        let lines = explain(
            "ANALYZE, COSTS OFF, TIMING OFF",
            "SELECT id FROM earthquakes LIMIT 0",
        );
        assert_eq!(property(&lines, "Requests"), Some("0"), "{lines:#?}");
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_scan_that_stops_early_counts_what_it_fetched() {
        let api = earthquakes_api("a_scan_that_stops_early");
        let lines = explain(
            "ANALYZE, COSTS OFF, TIMING OFF",
            "SELECT id FROM earthquakes LIMIT 3",
        );
        assert_eq!(property(&lines, "Requests"), Some("1"));
        assert_eq!(property(&lines, "Rows Fetched"), Some("3"));
        assert_eq!(
            api.requests(),
            ["GET /fdsnws/event/1/query?format=geojson&limit=3&offset=1"]
        );
        let lines = explain(
            "ANALYZE, COSTS OFF, TIMING OFF",
            "SELECT count(*) FROM earthquakes",
        );
        assert_eq!(property(&lines, "Requests"), Some("2"));
        assert_eq!(property(&lines, "Rows Fetched"), Some("1707"));
        assert_eq!(api.requests().len(), 2);
    }

    /// Tickets of a project, which stands in the path.
    fn tickets_api(space: &str, extra: &Value) -> Api {
        let mut route = json!({"rows": [{"id": 1, "kind": "bug"}, {"id": 2, "kind": "idea"}]});
        route
            .as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("an object").clone());
        let api = Api::new(space, &json!({"routes": {"/{project}/tickets": route}}));
        api.create_server("");
        run("CREATE FOREIGN TABLE tickets (
               project text,
               lang    text OPTIONS (param 'lang', required 'true'),
               id      int  OPTIONS (filter 'in ids'),
               kind    text OPTIONS (filter '=')
             ) SERVER api OPTIONS (endpoint '/{project}/tickets')");
        api
    }

    #[pg_test]
    fn requests_that_cannot_or_need_not_be_made_are_explained() {
        let api = tickets_api("requests_that_cannot_or_need_not_be_made", &json!({}));
        let project = "project = 'a/b' AND lang = 'en'";
        let url = format!("GET {}/a%2Fb/tickets?lang=en", api.url());
        let cases = [
            ("true".to_owned(), "none, no value for project, lang".to_owned()),
            ("project = 'x'".to_owned(), "none, no value for lang".to_owned()),
            (project.to_owned(), url.clone()),
            (format!("{project} AND kind IN ('bug', 'idea', 'task')"), format!("{url}&kind=bug (and 2 more)")),
            (format!("{project} AND id IN (1, 2)"), format!("{url}&ids=1,2")),
            (format!("{project} AND id = ANY ('{{}}')"), "none, a condition can never be true".to_owned()),
            (
                "project = '..' AND lang = 'en'".to_owned(),
                "none, value of column \"project\" cannot be sent: \"..\" would change the path instead of being a \
                 part of it"
                    .to_owned(),
            ),
        ];
        for (clause, expected) in cases {
            let lines = explain(
                "COSTS OFF",
                &format!("SELECT * FROM tickets WHERE {clause}"),
            );
            assert_eq!(
                property(&lines, "Remote Request"),
                Some(expected.as_str()),
                "{clause}"
            );
        }
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE of_project(text, text, int[]) AS
             SELECT * FROM tickets WHERE project = $1 AND lang = $2 AND id = ANY ($3)");
        let lines = explain("COSTS OFF", "EXECUTE of_project('x', 'en', '{1}')");
        let request = format!("GET {}/$1/tickets?lang=$2&ids=$3", api.url());
        assert_eq!(property(&lines, "Remote Request"), Some(request.as_str()));
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_constant_that_is_not_sent_is_no_remote_filter() {
        let api = tickets_api("a_constant_that_is_not_sent", &json!({}));
        let lines = explain(
            "COSTS OFF",
            "SELECT * FROM tickets WHERE project = 'x' AND lang = 'en' AND kind = ''",
        );
        let request = format!("GET {}/x/tickets?lang=en", api.url());
        assert_eq!(property(&lines, "Remote Request"), Some(request.as_str()));
        let remote = property(&lines, "Remote Filter").unwrap_or_default();
        assert!(
            !remote.contains("kind"),
            "the request does not carry it: {lines:#?}"
        );
        assert!(
            property(&lines, "Local Filter").is_some_and(|local| local.contains("kind")),
            "{lines:#?}"
        );
    }

    const MIXED: &str = "SELECT place FROM earthquakes
        WHERE depth >= 10 AND magnitude > 6 AND time >= now() - interval '50 years'
        AND place LIKE '%, %' AND place <> '\"q\"'";

    #[pg_test]
    fn json_has_proper_properties() {
        let api = earthquakes_api("json_has_proper_properties");
        let plan = json_plan("COSTS off", MIXED);
        let request = earthquakes_request(
            &api,
            "mindepth=10&minmagnitude=6&starttime=$1&limit=1000&offset=1",
        );
        assert_eq!(plan["Node Type"], "Foreign Scan");
        assert_eq!(plan["Remote Request"], request);
        assert_eq!(
            plan["Remote Parameters"],
            json!(["$1 = (now() - '50 years'::interval)"])
        );
        let clauses = [
            "(depth >= '10'::double precision)",
            "(magnitude > '6'::double precision)",
            "(\"time\" >= (now() - '50 years'::interval))",
        ];
        assert_eq!(
            plan["Remote Filter"],
            json!([
                format!("{} (exact)", clauses[0]),
                format!("{} (superset)", clauses[1]),
                format!("{} (superset)", clauses[2])
            ])
        );
        assert_eq!(plan["Recheck"], json!(clauses));
        assert_eq!(
            plan["Local Filter"],
            json!([
                "(place ~~ '%, %'::text) (column \"place\" declares no filter)",
                "(place <> '\"q\"'::text) (column \"place\" declares no filter)"
            ])
        );
        assert_eq!(plan["Pages"], "offset/limit, 1000 rows a page");
        assert_eq!(plan.get("Requests"), None);
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn json_has_numbers_for_what_happened() {
        let api = earthquakes_api("json_has_numbers");
        let plan = json_plan("ANALYZE, TIMING on", MIXED);
        for label in ["Requests", "Pages Fetched"] {
            assert_eq!(plan[label], json!(1), "{label}");
        }
        for label in [
            "Bytes Received",
            "Rows Fetched",
            "Rows Removed by Recheck",
            "Retries",
        ] {
            assert!(plan[label].is_u64(), "{label}: {}", plan[label]);
        }
        assert!(
            plan["Time Waiting"]
                .as_f64()
                .is_some_and(|waiting| waiting > 0.0),
            "{}",
            plan["Time Waiting"]
        );
        assert_eq!(api.requests().len(), 1);
    }

    #[pg_test]
    fn xml_is_well_formed_with_proper_properties() {
        let api = earthquakes_api("xml_is_well_formed");
        run("CREATE FUNCTION pg_temp.found(sql text, path text) RETURNS SETOF text LANGUAGE plpgsql AS $$
             DECLARE plan xml;
             BEGIN
               EXECUTE 'EXPLAIN (FORMAT xml, COSTS off) ' || sql INTO STRICT plan;
               RETURN QUERY SELECT unnest(xpath('//e:' || path || '/text()', plan,
                 ARRAY[ARRAY['e', 'http://www.postgresql.org/2009/explain']])::text[]);
             END $$");
        let query =
            "SELECT id FROM earthquakes WHERE magnitude >= 6 AND depth >= 10 AND place < '<&>'";
        let literal = pgrx::spi::quote_literal(query);
        let found =
            |path: &str| column(&format!("SELECT * FROM pg_temp.found({literal}, '{path}')"));
        let request = earthquakes_request(
            &api,
            "minmagnitude=6&amp;mindepth=10&amp;limit=1000&amp;offset=1",
        );
        assert_eq!(
            found("Remote-Request"),
            [request.replace("geojson&m", "geojson&amp;m")]
        );
        assert_eq!(
            found("Remote-Filter/e:Item"),
            [
                "(magnitude &gt;= '6'::double precision) (exact)",
                "(depth &gt;= '10'::double precision) (exact)"
            ]
        );
        assert_eq!(
            found("Local-Filter/e:Item"),
            ["(place &lt; '&lt;&amp;&gt;'::text) (column \"place\" declares no filter)"]
        );
        assert_eq!(found("Pages"), ["offset/limit, 1000 rows a page"]);
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn yaml_has_proper_properties() {
        let api = earthquakes_api("yaml_has_proper_properties");
        let query = "SELECT id FROM earthquakes WHERE magnitude >= 6 AND place <> 'a\"b'";
        let text = explain("FORMAT yaml, ANALYZE, COSTS off, TIMING off", query).join("\n");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let request = earthquakes_request(&api, "minmagnitude=6&limit=1000&offset=1");
        let expected = [
            format!("Remote Request: \"{request}\""),
            "Remote Filter:".to_owned(),
            "- \"(magnitude >= '6'::double precision) (exact)\"".to_owned(),
            "- \"(place <> 'a\\\"b'::text) (column \\\"place\\\" declares no filter)\"".to_owned(),
            "Pages: \"offset/limit, 1000 rows a page\"".to_owned(),
            format!("First Request Sent: \"{request}\""),
            "Requests: 1".to_owned(),
            "Retries: 0".to_owned(),
        ];
        for line in &expected {
            assert!(lines.contains(&line.as_str()), "{line} in {text}");
        }
        assert_eq!(api.requests().len(), 1);
    }

    /// Every way to explain a query, as one text.
    fn every_explanation(query: &str) -> String {
        let options = [
            "VERBOSE",
            "COSTS OFF",
            "ANALYZE, VERBOSE",
            "FORMAT yaml",
            "ANALYZE, FORMAT yaml",
        ];
        let mut text: Vec<String> = options
            .iter()
            .flat_map(|options| explain(options, query))
            .collect();
        text.push(json_plan("VERBOSE", query).to_string());
        text.push(json_plan("ANALYZE, VERBOSE", query).to_string());
        text.join("\n")
    }

    #[pg_test]
    fn an_api_key_in_the_query_is_never_shown() {
        let api = tickets_api(
            "an_api_key_in_the_query_is_never_shown",
            &json!({"require": {"query": {"appkey": "s3cr3t key"}}}),
        );
        run(
            "ALTER SERVER api OPTIONS (ADD auth 'api_key', ADD api_key_name 'appkey', ADD api_key_in 'query')",
        );
        run("CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (api_key 's3cr3t key')");
        let query = "SELECT id FROM tickets WHERE project = 'x' AND lang = 'en' AND kind = 'bug'";
        let text = every_explanation(query);
        assert!(text.contains("First Request Sent"), "{text}");
        for secret in ["s3cr3t", "s3cr3t%20key", "s3cr3t+key"] {
            assert!(!text.contains(secret), "{text}");
        }
        let requests = api.requests();
        assert_eq!(requests.len(), 3, "one for each ANALYZE");
        assert!(
            requests
                .iter()
                .all(|request| request.contains("appkey=s3cr3t")),
            "{requests:?}"
        );
    }

    #[pg_test]
    fn a_token_is_never_shown() {
        let api = tickets_api(
            "a_token_is_never_shown",
            &json!({"require": {"header": {"authorization": "Bearer s3cr3t-token"}}}),
        );
        run("CREATE USER MAPPING FOR CURRENT_USER SERVER api
             OPTIONS (token 's3cr3t-token', headers '{\"X-Tenant-Secret\": \"s3cr3t-header\"}')");
        let text = every_explanation("SELECT id FROM tickets WHERE project = 'x' AND lang = 'en'");
        assert!(text.contains("First Request Sent"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
        assert_eq!(api.requests().len(), 3, "one for each ANALYZE");
    }

    #[pg_test]
    fn a_parameter_that_looks_like_a_secret_is_not_shown_in_urls() {
        let api = Api::new(
            "a_parameter_that_looks_like_a_secret",
            &json!({"routes": {"/t": {"rows": [{"id": 1}]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE guarded (session text OPTIONS (param 'access_token', required 'true'), id int)
             SERVER api OPTIONS (endpoint '/t')");
        let lines = explain(
            "ANALYZE, COSTS OFF, TIMING OFF",
            "SELECT id FROM guarded WHERE session = 'abc'",
        );
        let shown = format!("GET {}/t?access_token=***", api.url());
        assert_eq!(property(&lines, "Remote Request"), Some(shown.as_str()));
        assert_eq!(property(&lines, "First Request Sent"), Some(shown.as_str()));
        assert_eq!(api.requests(), ["GET /t?access_token=abc"]);
    }

    #[pg_test]
    fn the_page_style_is_described() {
        let api = Api::new("the_page_style_is_described", &json!({"routes": {}}));
        api.create_server("");
        let cases = [
            ("", "Link header, else next URL in the body"),
            ("pagination 'none'", "one page"),
            (
                "pagination 'link', page_size '50'",
                "Link header, 50 rows a page",
            ),
            (
                "pagination 'next_url', next_url_field 'links.next'",
                "next URL in \"links.next\"",
            ),
            (
                "pagination 'cursor', cursor_param 'c', cursor_header 'X-Next'",
                "cursor in header \"X-Next\"",
            ),
            (
                "pagination 'page', page_size_param 'n', max_page_size '1'",
                "page number, 1 row a page",
            ),
            (
                "pagination 'keyset', cursor_param 'after', cursor_column 'id'",
                "keyset by \"after\"",
            ),
        ];
        for (options, expected) in cases {
            let separator = if options.is_empty() { "" } else { ", " };
            run(&format!(
                "CREATE FOREIGN TABLE paged (id int) SERVER api OPTIONS (endpoint '/x'{separator}{options})"
            ));
            let lines = explain("COSTS OFF", "SELECT id FROM paged");
            assert_eq!(property(&lines, "Pages"), Some(expected), "{options}");
            run("DROP FOREIGN TABLE paged");
        }
        assert_eq!(api.requests(), NONE);
    }
}

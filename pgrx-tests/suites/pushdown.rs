//! Pushdown: which conditions of a WHERE clause reach the API, how they are written, and that the rows stay right.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    /// An API of four issues that understands every filter that `create_issues` declares.
    fn issues() -> Value {
        json!({
            "rows": [
                {"id": 1, "title": "Crash", "state": "open", "votes": 3, "score": 1.5, "ratio": 0.5, "locked": false,
                 "created": "2024-01-01T00:00:00Z", "due": "2024-02-01"},
                {"id": 2, "title": "crash", "state": "closed", "votes": 5, "score": 2.25, "ratio": 1, "locked": true,
                 "created": "2024-01-02T12:00:00.5Z", "due": "2024-02-02"},
                {"id": 3, "title": "Slow", "state": "open", "votes": 9007199254740993_i64, "score": 2.250, "ratio": 1e3},
                {"id": 4, "title": null, "state": null, "votes": null, "score": null, "ratio": null, "locked": null,
                 "created": null, "due": null},
            ],
            "filters": [
                {"param": "id", "type": "number"},
                {"param": "ids", "field": "id", "op": "in", "type": "number"},
                {"param": "after_id", "field": "id", "op": ">", "type": "number"},
                {"param": "title"},
                {"param": "state"},
                {"param": "states", "field": "state", "op": "in"},
                {"param": "votes", "type": "number"},
                {"param": "votes_below", "field": "votes", "op": "<", "type": "number"},
                {"param": "votes_max", "field": "votes", "op": "<=", "type": "number"},
                {"param": "votes_above", "field": "votes", "op": ">", "type": "number"},
                {"param": "votes_min", "field": "votes", "op": ">=", "type": "number"},
                {"param": "score", "type": "number"},
                {"param": "score_min", "field": "score", "op": ">=", "type": "number"},
                {"param": "ratio", "type": "number"},
                {"param": "ratio_max", "field": "ratio", "op": "<=", "type": "number"},
                {"param": "locked"},
                {"param": "created", "type": "time"},
                {"param": "since", "field": "created", "op": ">=", "type": "time"},
                {"param": "until", "field": "created", "op": "<", "type": "time"},
                {"param": "due", "type": "time"},
                {"param": "due_from", "field": "due", "op": ">=", "type": "time"},
                {"param": "due_to", "field": "due", "op": "<=", "type": "time"},
            ],
        })
    }

    /// `extra` are keys of the route, such as `ignore_filters`.
    fn issues_api(space: &str, extra: &Value) -> Api {
        let mut route = issues();
        let extra = extra.as_object().expect("an object").clone();
        route.as_object_mut().expect("an object").extend(extra);
        let api = Api::new(space, &json!({"routes": {"/issues": route}}));
        api.create_server("");
        run("CREATE FOREIGN TABLE issues (
               id      int         OPTIONS (filter '=, in ids, > after_id'),
               title   text        OPTIONS (filter '='),
               state   text        OPTIONS (filter '=, in states'),
               votes   bigint      OPTIONS (filter '=, < votes_below, <= votes_max, > votes_above, >= votes_min'),
               score   numeric     OPTIONS (filter '=, >= score_min'),
               ratio   float8      OPTIONS (filter '=, <= ratio_max'),
               locked  boolean     OPTIONS (filter '='),
               created timestamptz OPTIONS (filter '=, >= since, < until'),
               due     date        OPTIONS (filter '=, >= due_from, <= due_to')
             ) SERVER api OPTIONS (endpoint '/issues')");
        api
    }

    /// The ids that a WHERE clause selects, in order: `1 3`.
    fn ids(clause: &str) -> String {
        column(&format!(
            "SELECT id::text FROM issues WHERE {clause} ORDER BY id"
        ))
        .join(" ")
    }

    /// The request for `/issues` with this query, or without any.
    fn request(query: &str) -> String {
        if query.is_empty() {
            "GET /issues".to_owned()
        } else {
            format!("GET /issues?{query}")
        }
    }

    /// Each case: a WHERE clause, the query that it sends, the ids that it selects.
    fn check(api: &Api, cases: &[(&str, &str, &str)]) {
        for (clause, query, expected) in cases {
            assert_eq!(ids(clause), *expected, "{clause}");
            assert_eq!(api.requests(), [request(query)], "{clause}");
        }
    }

    /// Each case: a WHERE clause that can select nothing, so that nothing is asked for.
    fn check_no_request(api: &Api, clauses: &[&str]) {
        for clause in clauses {
            assert_eq!(ids(clause), "", "{clause}");
            assert_eq!(api.requests(), NONE, "{clause}");
        }
    }

    #[pg_test]
    fn every_declared_comparison_is_sent_with_its_constant() {
        let api = issues_api("every_declared_comparison_is_sent", &json!({}));
        check(
            &api,
            &[
                ("votes = 5", "votes=5", "2"),
                ("votes IS NOT DISTINCT FROM 5", "votes=5", "2"),
                ("votes < 5", "votes_below=5", "1"),
                ("votes <= 5", "votes_max=5", "1 2"),
                ("votes > 5", "votes_above=5", "3"),
                ("votes >= 5", "votes_min=5", "2 3"),
                ("votes = 9007199254740993", "votes=9007199254740993", "3"),
                (
                    "votes = -9223372036854775808",
                    "votes=-9223372036854775808",
                    "",
                ),
                ("id > 2", "after_id=2", "3 4"),
                ("state = 'open'", "state=open", "1 3"),
                ("title = 'Crash'::name", "title=Crash", "1"),
                ("title = 'Crash  '::char(9)", "title=Crash", "1"),
                ("(id, state) = (1, 'open')", "id=1&state=open", "1"),
                ("score = 2.2500", "score=2.25", "2 3"),
                ("score >= 00.10e1", "score_min=1", "1 2 3"),
                ("ratio = 1e3", "ratio=1000", "3"),
                ("ratio <= 1.0", "ratio_max=1", "1 2"),
                ("due = '2024-02-01'", "due=2024-02-01", "1"),
                ("due <= '2024-02-02'", "due_to=2024-02-02", "1 2"),
            ],
        );
    }

    #[pg_test]
    fn a_comparison_may_have_its_column_on_the_right() {
        let api = issues_api("a_comparison_may_have_its_column_on_the_right", &json!({}));
        check(
            &api,
            &[
                ("5 = votes", "votes=5", "2"),
                ("5 > votes", "votes_below=5", "1"),
                ("5 >= votes", "votes_max=5", "1 2"),
                ("5 < votes", "votes_above=5", "3"),
                ("5 <= votes", "votes_min=5", "2 3"),
                ("2 = ANY (ARRAY[id])", "", "2"),
            ],
        );
    }

    #[pg_test]
    fn several_conditions_go_into_one_request() {
        let api = issues_api("several_conditions_go_into_one_request", &json!({}));
        check(
            &api,
            &[
                ("votes BETWEEN 4 AND 6", "votes_min=4&votes_max=6", "2"),
                ("NOT (votes > 4)", "votes_max=4", "1"),
                (
                    "state = 'open' AND votes < 100 AND title LIKE 'C%'",
                    "votes_below=100&state=open",
                    "1",
                ),
                ("votes >= 4 AND votes >= 6", "votes_min=4", "3"),
            ],
        );
        check_no_request(&api, &["votes > 100 AND votes < 4"]);
    }

    #[pg_test]
    fn a_statement_parameter_is_sent_with_its_value() {
        let api = issues_api("a_statement_parameter_is_sent", &json!({}));
        run(
            "PREPARE by_votes(bigint) AS SELECT id::text FROM issues WHERE votes >= $1 ORDER BY id",
        );
        run("PREPARE by_lock(bool) AS SELECT id::text FROM issues WHERE locked = $1 ORDER BY id");
        run("PREPARE by_day(date) AS SELECT id::text FROM issues WHERE $1 >= due ORDER BY id");
        run(
            "PREPARE by_list(int[]) AS SELECT id::text FROM issues WHERE id = ANY ($1) ORDER BY id",
        );
        run(
            "PREPARE by_sum(bigint, int) AS SELECT id::text FROM issues WHERE votes = $1 + $2 ORDER BY id",
        );
        let cases: [(&str, &str, &[&str]); 6] = [
            ("by_votes(5)", "votes_min=5", &["2", "3"]),
            ("by_votes(6)", "votes_min=6", &["3"]),
            ("by_lock(true)", "locked=true", &["2"]),
            ("by_day('2024-02-01')", "due_to=2024-02-01", &["1"]),
            ("by_list('{2,1,2,NULL}')", "ids=2,1", &["1", "2"]),
            ("by_sum(2, 3)", "votes=5", &["2"]),
        ];
        for mode in ["force_custom_plan", "force_generic_plan"] {
            run(&format!("SET LOCAL plan_cache_mode = {mode}"));
            for (call, query, expected) in cases {
                assert_eq!(
                    column(&format!("EXECUTE {call}")),
                    expected,
                    "{mode} {call}"
                );
                assert_eq!(api.requests(), [request(query)], "{mode} {call}");
            }
            for call in [
                "by_votes(NULL)",
                "by_lock(NULL)",
                "by_list(NULL)",
                "by_list('{}')",
                "by_sum(1, NULL)",
            ] {
                assert_eq!(column(&format!("EXECUTE {call}")), NONE, "{mode} {call}");
                assert_eq!(api.requests(), NONE, "{mode} {call}");
            }
        }
    }

    #[pg_test]
    fn a_stable_expression_is_computed_when_the_scan_starts() {
        let api = issues_api("a_stable_expression_is_computed", &json!({}));
        let yesterday = column(
            "SELECT rtrim(rtrim(to_char((now() - interval '1 day') AT TIME ZONE 'UTC',
                     'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || 'Z'",
        );
        run("SET LOCAL timezone = 'America/St_Johns'");
        assert_eq!(ids("created >= now() - interval '1 day'"), "");
        assert_eq!(
            api.requests(),
            [request(&format!("since={}", yesterday[0]))]
        );
        assert_eq!(
            ids("created < now() - interval '1 day' AND due <= current_date"),
            "1 2"
        );
        let today = column("SELECT current_date::text");
        assert_eq!(
            api.requests(),
            [request(&format!(
                "due_to={}&until={}",
                today[0], yesterday[0]
            ))]
        );
        assert_eq!(
            ids("title = current_setting('rest_fdw.no_such_setting', true)"),
            ""
        );
        assert_eq!(api.requests(), NONE, "the setting is NULL");
    }

    #[pg_test]
    fn an_init_plan_supplies_the_value() {
        let api = issues_api("an_init_plan_supplies_the_value", &json!({}));
        run("CREATE TEMP TABLE bounds (votes bigint)");
        check_no_request(&api, &["votes >= (SELECT max(votes) FROM bounds)"]);
        run("INSERT INTO bounds VALUES (1), (5)");
        check(
            &api,
            &[
                (
                    "votes >= (SELECT max(votes) FROM bounds)",
                    "votes_min=5",
                    "2 3",
                ),
                (
                    "(SELECT max(votes) FROM bounds) > votes",
                    "votes_below=5",
                    "1",
                ),
                (
                    "id = ANY (ARRAY(SELECT votes::int FROM bounds))",
                    "ids=1,5",
                    "1",
                ),
            ],
        );
        assert_eq!(
            ids("votes = (SELECT min(votes) FROM issues WHERE state = 'open')"),
            "1"
        );
        assert_eq!(api.requests(), [request("state=open"), request("votes=3")]);
    }

    #[pg_test]
    fn integers_of_another_width_are_sent() {
        let api = issues_api("integers_of_another_width_are_sent", &json!({}));
        check(
            &api,
            &[
                ("votes = 5::smallint", "votes=5", "2"),
                ("votes = 5::int", "votes=5", "2"),
                ("id = 2::bigint", "id=2", "2"),
                // The API's type may not hold it; no row has it.
                ("id > 9223372036854775807", "", ""),
                ("2::smallint < id", "after_id=2", "3 4"),
                ("id = ANY ('{2,3}'::bigint[])", "ids=2,3", "2 3"),
                ("ratio <= 1::int", "ratio_max=1", "1 2"),
                ("ratio <= 0.5::real", "ratio_max=0.5", "1"),
                ("score >= 2::bigint", "score_min=2", "2 3"),
            ],
        );
    }

    #[pg_test]
    fn a_value_that_the_column_cannot_have_is_not_asked_for() {
        let api = issues_api("a_value_that_the_column_cannot_have", &json!({}));
        check_no_request(
            &api,
            &[
                "id = 5000000000",
                "id IN (5000000000, 6000000000)",
                "id = (SELECT 5000000000)",
            ],
        );
        check(&api, &[("id IN (2, 5000000000)", "ids=2", "2")]);
    }

    #[pg_test]
    fn a_comparison_that_converts_the_column_stays_local() {
        let api = issues_api("a_comparison_that_converts_the_column", &json!({}));
        check(
            &api,
            &[
                ("votes > 4.5", "", "2 3"),
                ("id = 2.0", "", "2"),
                ("score = 2.25::float8", "", "2 3"),
                ("due = '2024-02-01 00:00'::timestamp", "", "1"),
                ("created >= '2024-01-02'::date", "", "2"),
                ("created < '2024-01-02'::timestamp", "", "1"),
            ],
        );
        run("SET LOCAL timezone = 'UTC'");
        let lines = explain(
            "COSTS OFF",
            "SELECT id FROM issues WHERE created < '2024-01-02'::timestamp",
        );
        let reason = "column \"created\" is compared with another type, which depends on the session's time zone; \
                      cast the value";
        assert!(lines.iter().any(|line| line.contains(reason)), "{lines:#?}");
    }

    #[pg_test]
    fn truth_values_are_sent_however_they_are_written() {
        let api = issues_api("truth_values_are_sent", &json!({}));
        check(
            &api,
            &[
                ("locked", "locked=true", "2"),
                ("NOT locked", "locked=false", "1"),
                ("locked = true", "locked=true", "2"),
                ("locked = false", "locked=false", "1"),
                ("true = locked", "locked=true", "2"),
                ("locked <> true", "locked=false", "1"),
                ("locked IS TRUE", "locked=true", "2"),
                ("locked IS FALSE", "locked=false", "1"),
                ("locked IS NOT TRUE", "", "1 3 4"),
                ("locked IS NULL", "", "3 4"),
            ],
        );
    }

    #[pg_test]
    fn what_is_not_declared_stays_local() {
        let api = issues_api("what_is_not_declared_stays_local", &json!({}));
        check(
            &api,
            &[
                ("id < 3", "", "1 2"),
                ("title LIKE 'Cr%'", "", "1"),
                ("title <> 'Crash'", "", "2 3"),
                ("title IS NULL", "", "4"),
                ("title IS NOT NULL", "", "1 2 3"),
                ("title > 'D'", "", "2 3"),
                ("state = 'open' OR votes = 5", "", "1 2 3"),
                ("state <> ALL (ARRAY['open', 'new'])", "", "2"),
                ("state NOT IN ('open')", "", "2"),
                ("votes + 1 = 6", "", "2"),
                ("lower(title) = 'crash'", "", "1 2"),
                ("title = state", "", ""),
                ("votes = (random() * 0)::bigint + 5", "", "2"),
                ("title = CASE WHEN id = 1 THEN 'Crash' END", "", "1"),
                ("votes <> ANY (ARRAY[3])", "", "2 3"),
                ("(id, votes) > (1, 3)", "", "2 3 4"),
                ("(id, votes) IN ((1, 3), (2, 4))", "", "1"),
                ("COALESCE(votes, 5) = 5", "", "2 4"),
            ],
        );
    }

    #[pg_test]
    fn text_is_percent_encoded_whatever_it_holds() {
        let cases = [
            ("Grüße", "Gr%C3%BC%C3%9Fe"),
            ("日本", "%E6%97%A5%E6%9C%AC"),
            ("🦀", "%F0%9F%A6%80"),
            ("a&b=c", "a%26b%3Dc"),
            ("a+b c", "a%2Bb%20c"),
            (" ", "%20"),
            ("50%", "50%25"),
            ("%41", "%2541"),
            ("x/y?z#w", "x%2Fy%3Fz%23w"),
            ("it's \"so\"", "it's%20%22so%22"),
            ("a,b;c", "a,b%3Bc"),
            ("12:30", "12:30"),
            ("line\nbreak\ttab\r", "line%0Abreak%09tab%0D"),
            ("back\\slash", "back%5Cslash"),
            ("[x]{y}", "%5Bx%5D%7By%7D"),
            ("null", "null"),
            ("~a-b_c.d", "~a-b_c.d"),
        ];
        let documents: Vec<Value> = cases
            .iter()
            .map(|(name, _)| json!({"name": name}))
            .collect();
        let api = Api::new(
            "text_is_percent_encoded",
            &json!({"routes": {"/names": {"rows": documents, "filters": [{"param": "na me"}, {"param": "name"}]}}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE names (name text OPTIONS (filter '=')) SERVER api OPTIONS (endpoint '/names')",
        );
        for (name, encoded) in cases {
            let literal = pgrx::spi::quote_literal(name);
            assert_eq!(
                column(&format!("SELECT name FROM names WHERE name = {literal}")),
                [name]
            );
            assert_eq!(api.requests(), [format!("GET /names?name={encoded}")]);
        }
    }

    fn times_api() -> Api {
        let api = Api::new(
            "times_are_written_as_their_format_says",
            &json!({"routes": {"/times": {
                "rows": [
                    {"id": 1, "at": "2024-01-01T00:00:00Z", "ms": 1_704_067_200_000_i64, "s": 1_704_067_200,
                     "us": 1_704_067_200_000_000_i64, "day": "2024-01-01", "clock": "2024-01-01T00:00:00",
                     "compact": "20240101T000000"},
                    {"id": 2, "at": "2024-01-02T12:00:00.5Z", "ms": 1_704_196_800_500_i64, "s": 1_704_196_800,
                     "us": 1_704_196_800_500_001_i64, "day": "2024-01-02", "clock": "2024-01-02T12:00:00.5",
                     "compact": "20240102T120000"},
                ],
                "filters": [
                    {"param": "at", "type": "time"},
                    {"param": "at_min", "field": "at", "op": ">=", "type": "time"},
                    {"param": "ms", "type": "number"},
                    {"param": "ms_min", "field": "ms", "op": ">=", "type": "number"},
                    {"param": "ms_max", "field": "ms", "op": "<=", "type": "number"},
                    {"param": "s_min", "field": "s", "op": ">=", "type": "number"},
                    {"param": "s_below", "field": "s", "op": "<", "type": "number"},
                    {"param": "us", "type": "number"},
                    {"param": "day", "type": "text"},
                    {"param": "day_min", "field": "day", "op": ">=", "type": "time"},
                    {"param": "clock_min", "field": "clock", "op": ">=", "type": "time"},
                    {"param": "compact", "type": "text"},
                ],
            }}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE times (
               id int,
               at      timestamptz OPTIONS (format 'rfc3339', filter '=, >= at_min'),
               ms      timestamptz OPTIONS (format 'unix_ms', filter '= exact, >= ms_min exact, <= ms_max exact'),
               s       timestamptz OPTIONS (format 'unix', filter '=, >= s_min, < s_below'),
               us      timestamptz OPTIONS (format 'unix_us', filter '='),
               day     date        OPTIONS (format 'date', filter '=, >= day_min, in day'),
               clock   timestamp   OPTIONS (filter '>= clock_min'),
               compact timestamp   OPTIONS (format '%Y%m%dT%H%M%S', filter '=')
             ) SERVER api OPTIONS (endpoint '/times')");
        // What is sent must not depend on the session's zone.
        run("SET LOCAL timezone = 'Asia/Tokyo'");
        api
    }

    fn check_times(api: &Api, cases: &[(&str, &str, &str)]) {
        for (clause, query, expected) in cases {
            let found = column(&format!(
                "SELECT id::text FROM times WHERE {clause} ORDER BY id"
            ));
            assert_eq!(found.join(" "), *expected, "{clause}");
            let wanted = if query.is_empty() {
                "GET /times".to_owned()
            } else {
                format!("GET /times?{query}")
            };
            assert_eq!(api.requests(), [wanted], "{clause}");
        }
    }

    /// A condition, the query that it sends, and the rows that it selects.
    const TIMES: [(&str, &str, &str); 14] = [
        ("at = '2024-01-01 09:00'", "at=2024-01-01T00:00:00Z", "1"),
        (
            "at = '2024-01-02 12:00:00.500+00'",
            "at=2024-01-02T12:00:00.5Z",
            "2",
        ),
        (
            "at >= '2024-01-01 00:00:00.000001+00'",
            "at_min=2024-01-01T00:00:00.000001Z",
            "2",
        ),
        ("ms = '2024-01-02 12:00:00.5+00'", "ms=1704196800500", "2"),
        ("ms >= '2024-01-01 00:00+00'", "ms_min=1704067200000", "1 2"),
        ("ms = '1969-12-31 23:59:59.999+00'", "ms=-1", ""),
        ("s >= '2024-01-01 09:00:01'", "s_min=1704067201", "2"),
        (
            "us = '2024-01-02 12:00:00.500001+00'",
            "us=1704196800500001",
            "2",
        ),
        ("day = '2024-01-02'", "day=2024-01-02", "2"),
        ("day >= '0001-01-01'", "day_min=0001-01-01", "1 2"),
        ("day IN ('2024-01-02')", "day=2024-01-02", "2"),
        (
            "clock >= '2024-01-02 12:00'",
            "clock_min=2024-01-02T12:00:00",
            "2",
        ),
        (
            "clock >= '2024-01-02 12:00:00.500001'",
            "clock_min=2024-01-02T12:00:00.500001",
            "",
        ),
        (
            "compact = '2024-01-02 12:00'",
            "compact=20240102T120000",
            "2",
        ),
    ];

    #[pg_test]
    fn times_are_written_as_their_format_says() {
        let api = times_api();
        check_times(&api, &TIMES);
    }

    #[pg_test]
    fn a_time_finer_than_the_unit_is_moved_outward_and_checked_again() {
        let api = times_api();
        let cases = [
            (
                "ms >= '2024-01-01 00:00:00.0005+00'",
                "ms_min=1704067200000",
                "2",
            ),
            (
                "ms <= '2024-01-02 12:00:00.4999+00'",
                "ms_max=1704196800500",
                "1",
            ),
            ("ms >= '1969-12-31 23:59:59.9995+00'", "ms_min=-1", "1 2"),
            ("s < '2024-01-01 00:00:00.5+00'", "s_below=1704067201", "1"),
            ("ms = '2024-01-01 00:00:00.0005+00'", "", ""),
            ("s = '2024-01-01 00:00:00.5+00'", "", ""),
            ("compact = '2024-01-02 12:00:00.5'", "", ""),
        ];
        check_times(&api, &cases);
        run("ALTER FOREIGN TABLE times OPTIONS (ADD recheck 'off')");
        check_times(&api, &cases);
    }

    #[pg_test]
    fn a_filter_may_have_a_format_of_its_own() {
        let api = times_api();
        run("ALTER FOREIGN TABLE times ALTER COLUMN ms
             OPTIONS (SET filter '>= ms_min, <= at_max as rfc3339, = day as date')");
        let cases = [
            ("ms >= '2024-01-02 00:00+00'", "ms_min=1704153600000", "2"),
            (
                "ms <= '2024-01-02 00:00:00.25+00'",
                "at_max=2024-01-02T00:00:00.25Z",
                "1",
            ),
        ];
        check_times(&api, &cases);
    }

    #[pg_test]
    fn a_range_is_sent_by_the_wider_filter_where_only_that_is_declared() {
        let api = issues_api("a_range_is_sent_by_the_wider_filter", &json!({}));
        run("ALTER FOREIGN TABLE issues ALTER COLUMN votes
             OPTIONS (SET filter '>= votes_min exact, <= votes_max exact')");
        for recheck in ["on", "off"] {
            run("ALTER FOREIGN TABLE issues OPTIONS (ADD recheck 'on')");
            run(&format!(
                "ALTER FOREIGN TABLE issues OPTIONS (SET recheck '{recheck}')"
            ));
            let cases = [
                ("votes > 5", "votes_min=5", "3"),
                ("votes < 5", "votes_max=5", "1"),
                ("5 > votes", "votes_max=5", "1"),
                ("votes >= 5", "votes_min=5", "2 3"),
            ];
            check(&api, &cases);
            run("ALTER FOREIGN TABLE issues OPTIONS (DROP recheck)");
        }
    }

    #[pg_test]
    fn a_time_that_cannot_be_written_stays_local() {
        let api = times_api();
        check_times(
            &api,
            &[
                ("at >= '-infinity'", "", "1 2"),
                ("at >= 'infinity'", "", ""),
                ("at >= '0044-03-15 BC'", "", "1 2"),
                ("at >= '12000-01-01'", "", ""),
                ("ms <= 'infinity'", "", "1 2"),
                ("day >= '-infinity'", "", "1 2"),
                ("day IN ('2024-01-01', 'infinity')", "", "1"),
                ("clock >= '-infinity'", "", "1 2"),
            ],
        );
    }

    #[pg_test]
    fn days_and_instants_are_not_compared_by_the_api() {
        let api = Api::new(
            "days_and_instants_are_not_compared",
            &json!({"routes": {"/days": {"rows": [{"id": 1, "day": 1_704_067_200, "at": "2024-01-01"}]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE days (
               id int,
               day date OPTIONS (format 'unix', filter '='),
               at timestamptz OPTIONS (format 'date', filter '=')
             ) SERVER api OPTIONS (endpoint '/days')");
        run("SET LOCAL timezone = 'UTC'");
        for clause in ["day = '2024-01-01'", "at = '2024-01-01'"] {
            assert_eq!(
                rows(&format!("SELECT id FROM days WHERE {clause}")),
                ["(1)"],
                "{clause}"
            );
            assert_eq!(api.requests(), ["GET /days"], "{clause}");
        }
    }

    #[pg_test]
    fn an_api_that_ignores_filters_is_checked_again() {
        let api = issues_api(
            "an_api_that_ignores_filters",
            &json!({"ignore_filters": true}),
        );
        check(
            &api,
            &[
                ("votes >= 5", "votes_min=5", "2 3"),
                (
                    "state = 'open' AND votes < 5",
                    "votes_below=5&state=open",
                    "1",
                ),
                ("locked", "locked=true", "2"),
                ("id IN (1, 3)", "ids=1,3", "1 3"),
                ("due = '2024-02-02'", "due=2024-02-02", "2"),
            ],
        );
        assert_eq!(
            ids("title IN ('Crash', 'Slow')"),
            "1 3",
            "both requests return every row"
        );
        assert_eq!(
            api.sorted_requests(),
            [request("title=Crash"), request("title=Slow")]
        );
    }

    #[pg_test]
    fn an_api_that_ignores_case_is_checked_again() {
        let api = issues_api(
            "an_api_that_ignores_case",
            &json!({"case_insensitive": true}),
        );
        check(
            &api,
            &[
                ("title = 'Crash'", "title=Crash", "1"),
                ("title = 'CRASH'", "title=CRASH", ""),
                ("state IN ('OPEN', 'closed')", "states=OPEN,closed", "2"),
            ],
        );
    }

    #[pg_test]
    fn an_api_that_ignores_case_returns_no_row_twice() {
        let api = issues_api(
            "an_api_that_ignores_case_returns_no_row_twice",
            &json!({"case_insensitive": true}),
        );
        run("ALTER FOREIGN TABLE issues ALTER COLUMN title OPTIONS (SET filter '= exact')");
        run("ALTER FOREIGN TABLE issues OPTIONS (ADD recheck 'on')");
        for recheck in ["on", "off"] {
            run(&format!(
                "ALTER FOREIGN TABLE issues OPTIONS (SET recheck '{recheck}')"
            ));
            let found = ids("title IN ('Crash', 'crash', 'CRASH')");
            assert_eq!(found, "1 2", "recheck {recheck}");
            let requests = ["title=CRASH", "title=Crash", "title=crash"].map(request);
            assert_eq!(api.sorted_requests(), requests, "recheck {recheck}");
        }
    }

    #[pg_test]
    fn recheck_off_trusts_exact_filters_and_no_others() {
        let api = issues_api(
            "recheck_off_trusts_exact_filters",
            &json!({"ignore_filters": true}),
        );
        run("ALTER FOREIGN TABLE issues OPTIONS (ADD recheck 'off')");
        run(
            "ALTER FOREIGN TABLE issues ALTER COLUMN votes OPTIONS (SET filter '>= votes_min exact, < votes_below')",
        );
        check(
            &api,
            &[
                ("votes >= 5", "votes_min=5", "1 2 3 4"),
                ("votes < 5", "votes_below=5", "1"),
                ("votes >= 5 AND title LIKE 'C%'", "votes_min=5", "1"),
            ],
        );
        let lines = explain(
            "COSTS OFF",
            "SELECT id FROM issues WHERE votes >= 2 AND votes < 5",
        );
        assert!(
            lines.contains(&"Recheck: (votes < 5)".to_owned()),
            "{lines:#?}"
        );
        run("ALTER FOREIGN TABLE issues OPTIONS (SET recheck 'on')");
        check(&api, &[("votes >= 5", "votes_min=5", "2 3")]);
    }

    #[pg_test]
    fn a_list_is_sent_with_commas_where_the_column_declares_in() {
        let api = issues_api("a_list_is_sent_with_commas", &json!({}));
        check(
            &api,
            &[
                ("id IN (2, 1, 2, NULL)", "ids=2,1", "1 2"),
                ("id = ANY ('{3,NULL,1}')", "ids=3,1", "1 3"),
                ("state IN ('open', 'closed')", "states=open,closed", "1 2 3"),
                (
                    "state IN ('new', 'größer & +')",
                    "states=new,gr%C3%B6%C3%9Fer%20%26%20%2B",
                    "",
                ),
                ("state = ANY ('{open}'::varchar[])", "states=open", "1 3"),
                ("id IN (1, 2) AND votes >= 5", "ids=1,2&votes_min=5", "2"),
            ],
        );
    }

    #[pg_test]
    fn a_list_is_one_request_a_value_where_only_equality_is_declared() {
        let api = issues_api("a_list_is_one_request_a_value", &json!({}));
        let cases: [(&str, &[&str], &str); 6] = [
            ("votes IN (5, 3)", &["votes=5", "votes=3"], "1 2"),
            (
                "score IN (2.25, 1.5, 2.250, 1.50, NULL)",
                &["score=2.25", "score=1.5"],
                "1 2 3",
            ),
            (
                "title IN ('Slow', 'a,b')",
                &["title=Slow", "title=a,b"],
                "3",
            ),
            (
                "locked IN (true, false)",
                &["locked=true", "locked=false"],
                "1 2",
            ),
            (
                "ratio = ANY ('{1,1.0,1e3}'::float8[])",
                &["ratio=1", "ratio=1000"],
                "2 3",
            ),
            (
                "votes IN (3, 5) AND title IN ('Crash', 'crash')",
                &[
                    "votes=3&title=Crash",
                    "votes=3&title=crash",
                    "votes=5&title=Crash",
                    "votes=5&title=crash",
                ],
                "1 2",
            ),
        ];
        for (clause, queries, expected) in cases {
            assert_eq!(ids(clause), expected, "{clause}");
            let mut wanted: Vec<String> = queries.iter().map(|query| request(query)).collect();
            wanted.sort();
            assert_eq!(api.sorted_requests(), wanted, "{clause}");
        }
    }

    #[pg_test]
    fn what_can_select_nothing_makes_no_request() {
        let api = issues_api("what_can_select_nothing", &json!({}));
        check_no_request(
            &api,
            &[
                "votes = NULL",
                "votes >= (SELECT NULL::bigint)",
                "id = 1 AND id = 2",
                "id = ANY ('{}')",
                "id = ANY ('{NULL,NULL}')",
                "votes = ANY ('{}'::bigint[])",
                "title = ANY (NULL::text[])",
                "false",
                "votes >= 5 AND title = (SELECT NULL::text)",
            ],
        );
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE both_ids(int, int) AS SELECT id::text FROM issues WHERE id = $1 AND id = $2");
        assert_eq!(column("EXECUTE both_ids(1, 2)"), NONE);
        assert_eq!(api.requests(), NONE);
        assert_eq!(column("EXECUTE both_ids(2, 2)"), ["2"]);
        assert_eq!(api.requests(), [request("id=2")]);
    }

    #[pg_test]
    fn a_filter_replaces_a_constant_of_the_query() {
        let api = issues_api(
            "a_filter_replaces_a_constant",
            &json!({"ignore_filters": true}),
        );
        run("ALTER SERVER api OPTIONS (ADD query '{\"lang\": \"en\", \"votes\": \"any\"}')");
        run(
            "ALTER FOREIGN TABLE issues OPTIONS (ADD query '{\"state\": \"all\", \"x\": \"a b\"}')",
        );
        check(
            &api,
            &[
                ("true", "lang=en&votes=any&state=all&x=a%20b", "1 2 3 4"),
                (
                    "state = 'open'",
                    "lang=en&votes=any&state=open&x=a%20b",
                    "1 3",
                ),
                (
                    "votes = 5 AND state = 'closed'",
                    "lang=en&votes=5&state=closed&x=a%20b",
                    "2",
                ),
            ],
        );
    }

    #[pg_test]
    fn values_that_the_api_would_misread_stay_local() {
        let api = issues_api("values_that_the_api_would_misread", &json!({}));
        check(
            &api,
            &[
                ("state = 'a,b'", "state=a,b", ""),
                ("state IN ('open', 'a,b')", "", "1 3"),
                ("title = ''", "", ""),
                ("state IN ('', 'open')", "", "1 3"),
                ("ratio <= 'infinity'", "", "1 2 3"),
                ("ratio = 'NaN'", "", ""),
                ("ratio = ANY ('{1,NaN}'::float8[])", "", "2"),
                #[cfg(not(feature = "pg13"))]
                ("score >= '-infinity'", "", "1 2 3"),
                ("score = 'NaN'", "", ""),
                ("due <= 'infinity'", "", "1 2"),
                ("created >= '-infinity' AND votes >= 5", "votes_min=5", "2"),
            ],
        );
        run("ALTER FOREIGN TABLE issues OPTIONS (ADD recheck 'off')");
        run(
            "ALTER FOREIGN TABLE issues ALTER COLUMN state OPTIONS (SET filter '= states exact, in states exact')",
        );
        check(
            &api,
            &[
                ("state = 'a,b'", "", ""),
                ("state IN ('open', 'a,b')", "", "1 3"),
            ],
        );
    }

    #[pg_test]
    fn text_ranges_are_sent_under_the_c_collation_only() {
        let api = Api::new(
            "text_ranges_are_sent_under_c",
            &json!({"routes": {"/words": {
                "rows": [{"c": "a", "other": "a"}, {"c": "B", "other": "B"}],
                "filters": [
                    {"param": "c_min", "field": "c", "op": ">="},
                    {"param": "o_min", "field": "other", "op": ">="},
                    {"param": "other"},
                ],
            }}}),
        );
        api.create_server("");
        run(
            "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        );
        run("CREATE FOREIGN TABLE words (
               c text OPTIONS (filter '>= c_min') COLLATE \"C\",
               other text OPTIONS (filter '=, >= o_min')
             ) SERVER api OPTIONS (endpoint '/words')");
        let cases = [
            ("c >= 'C'", "GET /words?c_min=C", "a"),
            ("c COLLATE \"POSIX\" >= 'C'", "GET /words?c_min=C", "a"),
            ("c COLLATE \"en-x-icu\" >= 'b'", "GET /words", "B"),
            ("other >= 'C'", "GET /words", "a"),
            ("other COLLATE \"C\" >= 'C'", "GET /words?o_min=C", "a"),
            ("other COLLATE caseless = 'A'", "GET /words", "a"),
            ("other = 'a'", "GET /words?other=a", "a"),
        ];
        for (clause, wanted, expected) in cases {
            assert_eq!(
                column(&format!("SELECT c FROM words WHERE {clause}")),
                [expected],
                "{clause}"
            );
            assert_eq!(api.requests(), [wanted], "{clause}");
        }
    }

    #[pg_test]
    fn types_that_an_api_compares_otherwise_stay_local() {
        let api = Api::new(
            "types_that_an_api_compares_otherwise",
            &json!({"routes": {"/odd": {
                "rows": [{"f": 0.1, "c": "a", "j": {"k": 1}, "a": [1, 2], "b": "aGk=", "e": "happy", "i": "10.0.0.1"}],
            }}}),
        );
        api.create_server("");
        run("CREATE TYPE mood AS ENUM ('sad', 'happy')");
        run("CREATE FOREIGN TABLE odd (
               f real     OPTIONS (filter '= exact, >= f_min exact'),
               c char(3)  OPTIONS (filter '= exact'),
               j jsonb    OPTIONS (filter '= exact'),
               a int[]    OPTIONS (filter '= exact'),
               b bytea    OPTIONS (format 'base64', filter '= exact'),
               e mood     OPTIONS (filter '=, >= e_min exact'),
               i inet     OPTIONS (filter '=')
             ) SERVER api OPTIONS (endpoint '/odd')");
        let clauses = [
            "f = 0.1::real",
            "f >= 0.1::real",
            "c = 'a'",
            "j = '{\"k\": 1}'",
            "a = '{1,2}'",
            "b = 'hi'",
            "e = 'happy'",
            "e >= 'sad'",
            "i = '10.0.0.1'",
        ];
        for clause in clauses {
            assert_eq!(
                rows(&format!("SELECT c FROM odd WHERE {clause}")),
                ["(\"a  \")"],
                "{clause}"
            );
            assert_eq!(api.requests(), ["GET /odd"], "{clause}");
        }
    }

    #[pg_test]
    fn other_types_are_sent_in_their_own_text_form() {
        let id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        let api = Api::new(
            "other_types_are_sent_in_their_own_text_form",
            &json!({"routes": {"/odd": {
                "rows": [{"u": id, "e": "very happy", "i": "10.0.0.1", "n": 7, "v": "x y"}],
                "filters": [{"param": "u"}, {"param": "e"}, {"param": "i"}, {"param": "n", "type": "number"}, {"param": "v"}],
            }}}),
        );
        api.create_server("");
        run("CREATE TYPE mood AS ENUM ('sad', 'very happy')");
        run("CREATE DOMAIN lucky AS int CHECK (VALUE > 0)");
        run("CREATE FOREIGN TABLE odd (
               u uuid        OPTIONS (filter '='),
               e mood        OPTIONS (filter '= exact'),
               i inet        OPTIONS (filter '= exact'),
               n lucky       OPTIONS (filter '='),
               v varchar(10) OPTIONS (filter '=')
             ) SERVER api OPTIONS (endpoint '/odd')");
        let cases = [
            ("u = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'", format!("u={id}")),
            ("e = 'very happy'", "e=very%20happy".to_owned()),
            ("i = '10.0.0.1'", "i=10.0.0.1".to_owned()),
            ("n = 7", "n=7".to_owned()),
            ("v = 'x y'", "v=x%20y".to_owned()),
            ("v = 'x y'::varchar", "v=x%20y".to_owned()),
        ];
        for (clause, query) in cases {
            assert_eq!(
                rows(&format!("SELECT n FROM odd WHERE {clause}")),
                ["(7)"],
                "{clause}"
            );
            assert_eq!(api.requests(), [format!("GET /odd?{query}")], "{clause}");
        }
    }

    #[pg_test]
    fn a_security_barrier_is_checked_before_anything_is_sent() {
        let api = issues_api("a_security_barrier_is_checked", &json!({}));
        run(
            "CREATE VIEW visible WITH (security_barrier) AS SELECT * FROM issues WHERE locked IS NOT TRUE",
        );
        // numeric comparisons may raise errors, so they could tell of rows that the view hides.
        assert_eq!(
            rows("SELECT id FROM visible WHERE score >= 1 ORDER BY id"),
            ["(1)", "(3)"]
        );
        assert_eq!(api.requests(), ["GET /issues"]);
        // An integer comparison is leakproof.
        assert_eq!(rows("SELECT id FROM visible WHERE votes >= 5"), ["(3)"]);
        assert_eq!(api.requests(), ["GET /issues?votes_min=5"]);
    }

    #[pg_test]
    fn without_pushdown_no_filter_is_sent() {
        let api = issues_api("without_pushdown_no_filter_is_sent", &json!({}));
        run("SET LOCAL rest_fdw.pushdown = off");
        check(
            &api,
            &[
                ("votes >= 5", "", "2 3"),
                ("state = 'open' AND id IN (1, 2)", "", "1"),
                ("title IN ('Crash', 'crash')", "", "1 2"),
                ("locked", "", "2"),
                ("votes >= (SELECT 4::bigint)", "", "2 3"),
            ],
        );
        let lines = explain("COSTS OFF", "SELECT id FROM issues WHERE votes >= 5");
        assert!(
            lines.contains(&"Local Filter: (votes >= 5) (rest_fdw.pushdown is off)".to_owned()),
            "{lines:#?}"
        );
        assert!(
            !lines.iter().any(|line| line.starts_with("Remote Filter")),
            "{lines:#?}"
        );
    }

    /// Rows of every kind that a filter can meet: NULLs, missing members, extremes, look-alikes.
    fn events() -> Vec<Value> {
        let names = [
            "Ada", "ada", "ADA", "Grüße", "a,b", "", "a b", "100%", "x&y=z", "null",
        ];
        let ratios = [0.1, 1.0, 1e21, -2.5];
        (0..30)
            .map(|i: i64| {
                let mut event = json!({
                    "id": i,
                    "name": names[i as usize % names.len()],
                    "n": (i % 7) - 2,
                    "amount": (i % 5) as f64 / 4.0,
                    "ratio": ratios[i as usize % ratios.len()],
                    "active": i % 3 == 0,
                    "at": format!("2024-01-{:02}T{:02}:30:00Z", i % 28 + 1, i % 24),
                    "ms": 1_704_067_200_000 + i * 43_200_250,
                    "day": format!("2024-02-{:02}", i % 10 + 1),
                });
                let members = event.as_object_mut().expect("an object");
                let keys: Vec<String> =
                    members.keys().filter(|key| *key != "id").cloned().collect();
                // Every fourth row lacks one value, every fifth has a null.
                if i % 4 == 3 {
                    members.remove(&keys[i as usize / 4 % keys.len()]);
                }
                if i % 5 == 4 {
                    members.insert(keys[(i as usize / 5 + 4) % keys.len()].clone(), Value::Null);
                }
                event
            })
            .collect()
    }

    fn event_filters() -> Value {
        let mut filters = Vec::new();
        let fields = [
            ("name", "text"),
            ("n", "number"),
            ("amount", "number"),
            ("ratio", "number"),
            ("active", "text"),
            ("at", "time"),
            ("ms", "number"),
            ("day", "time"),
        ];
        for (field, kind) in fields {
            for (suffix, op) in [
                ("", "="),
                ("_lt", "<"),
                ("_le", "<="),
                ("_gt", ">"),
                ("_ge", ">="),
                ("_in", "in"),
            ] {
                filters.push(json!({"param": format!("{field}{suffix}"), "field": field, "op": op, "type": kind}));
            }
        }
        Value::from(filters)
    }

    fn create_events(name: &str) {
        let ranges = |column: &str| {
            format!(
                "filter '=, < {column}_lt, <= {column}_le, > {column}_gt, >= {column}_ge, in {column}_in'"
            )
        };
        run(&format!(
            "CREATE FOREIGN TABLE {name} (
               id     int,
               name   text        OPTIONS (filter '='),
               n      int         OPTIONS ({}),
               amount numeric     OPTIONS (filter '=, > amount_gt, <= amount_le'),
               ratio  float8      OPTIONS ({}),
               active boolean     OPTIONS (filter '='),
               at     timestamptz OPTIONS ({}),
               ms     timestamptz OPTIONS (format 'unix_ms', {}),
               day    date        OPTIONS ({})
             ) SERVER api OPTIONS (endpoint '/{name}')",
            ranges("n"),
            ranges("ratio"),
            ranges("at"),
            ranges("ms"),
            ranges("day"),
        ));
    }

    const CLAUSES: [&str; 44] = [
        "true",
        "name = 'Ada'",
        "name = ''",
        "name = 'a,b'",
        "name = 'Grüße'",
        "name IN ('Ada', 'ada', 'x&y=z')",
        "name IN ('', 'null', NULL)",
        "name <> 'ada'",
        "name IS NULL",
        "name LIKE 'a%'",
        "name > 'a'",
        "lower(name) = 'ada'",
        "n = 3",
        "n <> 3",
        "n < 0",
        "n <= -1 AND n >= -1",
        "1 < n",
        "n BETWEEN 0 AND 2",
        "NOT (n > 1)",
        "n IN (0, 1, 1, NULL)",
        "n NOT IN (0, 1)",
        "n IS NOT NULL AND n > 2",
        "n = 1 OR n = 2",
        "n = 1 AND n = 2",
        "n > 1.5",
        "n = (SELECT 2)",
        "n = ANY (ARRAY(SELECT i FROM generate_series(3, 9) i))",
        "amount = 0.50",
        "amount > 0.25 AND amount <= 1",
        "amount IN (0.5, 0.50, 0.75)",
        "ratio = 1e21",
        "ratio < 0.5",
        "ratio >= 'NaN' OR ratio = 0.1",
        "ratio <= 'infinity'",
        "active",
        "NOT active AND n > 0",
        "active IS NOT TRUE",
        "active IN (true, false)",
        "at >= '2024-01-15 12:00+05' AND at < '2024-01-20'",
        "ms >= '2024-01-05 00:00:00.0001+00'",
        "ms < '2024-01-05 12:00:01.0005+00' AND ms > '2024-01-01 12:00+00'",
        "day IN ('2024-02-03', '2024-02-04') AND at >= '-infinity'",
        "day > '2024-02-05' AND name <> 'Ada' AND n < 4",
        "ms = at OR day = '2024-02-01'",
    ];

    const EVENT_TABLES: [&str; 3] = ["precise", "ignoring", "caseless"];

    /// The same events from an API that filters, one that ignores filters, one that ignores case, and a local copy.
    fn events_api() -> Api {
        let route = |extra: Value| {
            let mut route = json!({"rows": events(), "filters": event_filters()});
            route
                .as_object_mut()
                .expect("an object")
                .extend(extra.as_object().expect("an object").clone());
            route
        };
        let api = Api::new(
            "the_same_rows_come_with_pushdown",
            &json!({"routes": {
                "/precise": route(json!({})),
                "/ignoring": route(json!({"ignore_filters": true})),
                "/caseless": route(json!({"case_insensitive": true})),
            }}),
        );
        api.create_server("");
        EVENT_TABLES.into_iter().for_each(create_events);
        run("CREATE TEMP TABLE copy AS SELECT * FROM precise");
        assert_eq!(
            rows("SELECT count(*), count(name), count(n), count(ms) FROM copy"),
            ["(30,28,28,28)"]
        );
        api.requests();
        api
    }

    #[pg_test]
    fn pushdown_on_off_and_a_local_copy_give_the_same_rows() {
        let api = events_api();
        let select = |table: &str, clause: &str| {
            rows(&format!("SELECT * FROM {table} WHERE {clause} ORDER BY id"))
        };
        let (mut filtered, mut selected) = (0, 0);
        for clause in CLAUSES {
            let expected = select("copy", clause);
            for table in EVENT_TABLES {
                run("SET LOCAL rest_fdw.pushdown = on");
                assert_eq!(select(table, clause), expected, "{table}: {clause}");
                filtered += usize::from(api.requests().iter().any(|request| request.contains('?')));
                run("SET LOCAL rest_fdw.pushdown = off");
                assert_eq!(
                    select(table, clause),
                    expected,
                    "{table} without pushdown: {clause}"
                );
                let requests = api.requests();
                assert!(
                    requests
                        .iter()
                        .all(|request| *request == format!("GET /{table}")),
                    "{requests:?}"
                );
            }
            selected += usize::from(!expected.is_empty() && expected.len() < 30);
        }
        assert!(filtered >= 3 * 25, "only {filtered} queries sent a filter");
        assert!(
            selected >= 35,
            "only {selected} clauses select some rows and not others"
        );
    }
}

//! The executor: whatever plan PostgreSQL puts around a scan, the rows are right and the requests are few.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, only_nested_loops, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    /// Five people, one request.
    fn people_api(space: &str, extra: &Value) -> Api {
        let mut route = json!({
            "rows": [
                {"id": 1, "name": "Ada", "team": "x", "age": 36},
                {"id": 2, "name": "Bob", "team": "y", "age": 40},
                {"id": 3, "name": "Cyd", "team": "x", "age": 28},
                {"id": 4, "name": "Dan", "team": "y", "age": null},
                {"id": 5, "name": "Eve", "team": "z", "age": 40},
            ],
            "filters": [
                {"param": "id", "type": "number"},
                {"param": "min_age", "field": "age", "op": ">=", "type": "number"},
                {"param": "team"},
            ],
        });
        let extra = extra.as_object().expect("an object").clone();
        route.as_object_mut().expect("an object").extend(extra);
        let api = Api::new(space, &json!({"routes": {"/people": route}}));
        api.create_server("");
        run("CREATE FOREIGN TABLE people (
               id   int  OPTIONS (filter '='),
               name text,
               team text OPTIONS (filter '='),
               age  int  OPTIONS (filter '>= min_age')
             ) SERVER api OPTIONS (endpoint '/people', key 'id')");
        api
    }

    /// A thousand items in pages of a hundred, by page number, with the total in a header.
    fn items_api(space: &str) -> Api {
        let api = Api::new(
            space,
            &json!({"routes": {"/items": {
                "generate": {"kind": "items", "count": 1000},
                "filters": [{"param": "min_id", "field": "id", "op": ">=", "type": "number"}],
                "paging": {"style": "offset", "page_size": 100, "max_page_size": 100, "total_header": "X-Total"},
            }}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE items (
               id int OPTIONS (filter '>= min_id exact'), title text, state text, comments int
             ) SERVER api OPTIONS (
               endpoint '/items', pagination 'offset', page_size_param 'per_page', page_size '100', total_header 'X-Total')");
        api
    }

    #[pg_test]
    fn a_generic_plan_is_executed_again_and_again() {
        let api = people_api("a_generic_plan_is_executed_again", &json!({}));
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE older(int) AS SELECT name FROM people WHERE age >= $1 ORDER BY id");
        let values: [(&str, &[&str]); 10] = [
            ("36", &["Ada", "Bob", "Eve"]),
            ("NULL", &[]),
            ("40", &["Bob", "Eve"]),
            ("41", &[]),
            ("NULL", &[]),
            ("NULL", &[]),
            ("28", &["Ada", "Bob", "Cyd", "Eve"]),
            ("0", &["Ada", "Bob", "Cyd", "Eve"]),
            ("-5", &["Ada", "Bob", "Cyd", "Eve"]),
            ("36", &["Ada", "Bob", "Eve"]),
        ];
        for (value, expected) in values {
            assert_eq!(
                column(&format!("EXECUTE older({value})")),
                expected,
                "{value}"
            );
            let wanted: Vec<String> = match value {
                "NULL" => Vec::new(),
                _ => vec![format!("GET /people?min_age={value}")],
            };
            assert_eq!(api.requests(), wanted, "{value}");
        }
        // PostgreSQL 13 does not count them.
        #[cfg(not(feature = "pg13"))]
        assert_eq!(
            column("SELECT generic_plans::text FROM pg_prepared_statements WHERE name = 'older'"),
            ["10"]
        );
    }

    #[pg_test]
    fn a_failed_execution_leaves_the_plan_usable() {
        let faults = json!([{"kind": "status", "status": 500, "on": 1}, {"kind": "truncate", "after": 40, "on": 3}]);
        let api = people_api(
            "a_failed_execution_leaves_the_plan",
            &json!({"faults": faults}),
        );
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE older(int) AS SELECT name FROM people WHERE age >= 80 / $1 ORDER BY id");
        assert_eq!(column("EXECUTE older(2)"), ["Bob", "Eve"]);
        assert_eq!(
            error("EXECUTE older(2)").message,
            "the API answered with status 500"
        );
        assert_eq!(error("EXECUTE older(0)").code, "22012", "division by zero");
        assert_eq!(column("EXECUTE older(2)"), ["Bob", "Eve"]);
        assert_eq!(
            error("EXECUTE older(2)").code,
            "08006",
            "the body is cut off"
        );
        assert_eq!(column("EXECUTE older(NULL)"), NONE);
        assert_eq!(column("EXECUTE older(1)"), NONE);
        let sent = |age: u32| format!("GET /people?min_age={age}");
        assert_eq!(
            api.requests(),
            [sent(40), sent(40), sent(40), sent(40), sent(80)]
        );
    }

    /// A statement, and what the prepared query sends and returns after it.
    const ALTERATIONS: [(&str, &str, &str); 9] = [
        ("SELECT 1", "GET /people?id=1", "Ada"),
        (
            "ALTER FOREIGN TABLE people OPTIONS (SET endpoint '/v2/people')",
            "GET /v2/people?id=1",
            "Ada",
        ),
        (
            "ALTER FOREIGN TABLE people OPTIONS (ADD query '{\"lang\": \"en\"}')",
            "GET /v2/people?lang=en&id=1",
            "Ada",
        ),
        (
            "ALTER FOREIGN TABLE people ALTER COLUMN id OPTIONS (SET filter '= person')",
            "GET /v2/people?lang=en&person=1",
            "Ada",
        ),
        (
            "ALTER FOREIGN TABLE people ALTER COLUMN id OPTIONS (DROP filter)",
            "GET /v2/people?lang=en",
            "Ada",
        ),
        (
            "ALTER FOREIGN TABLE people ALTER COLUMN name OPTIONS (ADD field 'nick')",
            "GET /v2/people?lang=en",
            "A",
        ),
        (
            "ALTER FOREIGN TABLE people OPTIONS (DROP query)",
            "GET /v2/people",
            "A",
        ),
        (
            "ALTER SERVER api OPTIONS (ADD query '{\"k\": \"v\"}')",
            "GET /v2/people?k=v",
            "A",
        ),
        (
            "ALTER FOREIGN TABLE people ADD COLUMN nick text",
            "GET /v2/people?k=v",
            "A",
        ),
    ];

    #[pg_test]
    fn altered_options_reach_a_prepared_statement() {
        let people = json!({"rows": [{"id": 1, "name": "Ada", "nick": "A"}], "filters": []});
        let api = Api::new(
            "altered_options_reach_a_prepared_statement",
            &json!({"routes": {"/people": people, "/v2/people": people}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE people (id int OPTIONS (filter '='), name text) SERVER api OPTIONS (endpoint '/people')",
        );
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE one(int) AS SELECT name FROM people WHERE id = $1");
        for (statement, wanted, name) in ALTERATIONS {
            run(statement);
            assert_eq!(column("EXECUTE one(1)"), [name], "{statement}");
            assert_eq!(api.requests(), [wanted], "{statement}");
        }
    }

    #[pg_test]
    fn every_page_of_a_scan_is_read_once() {
        let api = items_api("every_page_of_a_scan_is_read_once");
        assert_eq!(
            rows("SELECT count(*), sum(id), count(DISTINCT id) FROM items"),
            ["(1000,500500,1000)"]
        );
        let wanted: Vec<String> = (0..10)
            .map(|page| format!("GET /items?per_page=100&offset={}", page * 100))
            .collect();
        assert_eq!(api.sorted_requests(), wanted);
        assert_eq!(
            rows("SELECT count(*) FROM items WHERE id >= 901"),
            ["(100)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /items?min_id=901&per_page=100&offset=0"]
        );
    }

    #[pg_test]
    fn a_nested_loop_starts_the_scan_over() {
        let api = people_api("a_nested_loop_starts_the_scan_over", &json!({}));
        only_nested_loops();
        // Reading the whole table once has to look dearer than three requests.
        run("ALTER FOREIGN TABLE people OPTIONS (ADD rows_estimate '100000')");
        let query = "SELECT g, p.name FROM generate_series(4, 6) g JOIN people p ON p.id = g";
        assert_eq!(rows(query), ["(4,Dan)", "(5,Eve)"]);
        let sent: Vec<String> = (4..=6).map(|id| format!("GET /people?id={id}")).collect();
        assert_eq!(api.sorted_requests(), sent);
        let lines = explain("ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", query);
        assert!(lines.contains(&"Requests: 3".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"Rows Fetched: 2".to_owned()), "{lines:#?}");
    }

    #[pg_test]
    fn correlated_subqueries_ask_for_each_outer_row() {
        let api = people_api("correlated_subqueries_ask", &json!({}));
        run("CREATE TABLE teams (name text)");
        run("INSERT INTO teams VALUES ('x'), ('y'), ('none'), (NULL)");
        assert_eq!(
            rows(
                "SELECT name, (SELECT count(*) FROM people p WHERE p.team = t.name) FROM teams t ORDER BY 1"
            ),
            ["(none,0)", "(x,2)", "(y,2)", "(,0)"]
        );
        let sent = [
            "GET /people?team=x",
            "GET /people?team=y",
            "GET /people?team=none",
        ];
        assert_eq!(api.requests(), sent, "NULL is equal to nothing");
        assert_eq!(
            rows(
                "SELECT name FROM teams t WHERE (SELECT max(age) FROM people p WHERE p.team = t.name AND p.age >= 30) > 35"
            ),
            ["(x)", "(y)"]
        );
        assert_eq!(api.requests().len(), 3);
    }

    #[pg_test]
    fn exists_and_not_exists_are_answered() {
        let api = people_api("exists_and_not_exists_are_answered", &json!({}));
        run("CREATE TABLE teams (name text)");
        run("INSERT INTO teams VALUES ('x'), ('none'), (NULL)");
        assert_eq!(
            rows("SELECT EXISTS (SELECT FROM people WHERE age >= 40)"),
            ["(t)"]
        );
        assert_eq!(
            rows("SELECT EXISTS (SELECT FROM people WHERE age >= 99)"),
            ["(f)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /people?min_age=40", "GET /people?min_age=99"]
        );
        let query = |not: &str| {
            format!(
                "SELECT name FROM teams t WHERE {not} EXISTS (SELECT FROM people p WHERE p.team = t.name) ORDER BY 1"
            )
        };
        assert_eq!(rows(&query("")), ["(x)"]);
        assert_eq!(rows(&query("NOT")), ["(none)", "()"]);
        assert_eq!(
            rows("SELECT name FROM teams WHERE name NOT IN (SELECT team FROM people)"),
            ["(none)"]
        );
        assert_eq!(
            rows("SELECT count(*) FROM people p WHERE team IN (SELECT name FROM teams)"),
            ["(2)"]
        );
    }

    #[pg_test]
    fn an_existence_check_reads_one_page() {
        let api = items_api("an_existence_check_reads_one_page");
        assert_eq!(rows("SELECT EXISTS (SELECT FROM items)"), ["(t)"]);
        assert_eq!(api.requests().len(), 1);
    }

    #[pg_test]
    fn two_scans_of_one_table_run_at_once_in_plpgsql() {
        let api = people_api("two_scans_of_one_table_run_at_once", &json!({}));
        run(
            "CREATE FUNCTION pairs(lowest int) RETURNS SETOF text LANGUAGE plpgsql AS $$
             DECLARE outer_row record; inner_row record;
             BEGIN
               FOR outer_row IN SELECT * FROM people WHERE age >= lowest ORDER BY id LOOP
                 FOR inner_row IN SELECT * FROM people WHERE id = outer_row.id LOOP
                   RETURN NEXT outer_row.name || inner_row.age;
                 END LOOP;
               END LOOP;
             END $$",
        );
        assert_eq!(
            column("SELECT * FROM pairs(36)"),
            ["Ada36", "Bob40", "Eve40"]
        );
        let sent = [
            "GET /people?min_age=36",
            "GET /people?id=1",
            "GET /people?id=2",
            "GET /people?id=5",
        ];
        assert_eq!(api.requests(), sent);
        assert_eq!(column("SELECT * FROM pairs(NULL)"), NONE);
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn unsorted_plpgsql_loops_interleave_their_pages() {
        let api = items_api("unsorted_plpgsql_loops_interleave");
        run(
            "CREATE FUNCTION interleaved() RETURNS SETOF text LANGUAGE plpgsql AS $$
             DECLARE a record; b record; n int := 0;
             BEGIN
               FOR a IN SELECT id FROM items LOOP
                 IF a.id % 250 = 1 THEN
                   FOR b IN SELECT id FROM items WHERE id >= a.id LOOP
                     n := n + 1;
                     EXIT WHEN b.id = a.id + 150;
                   END LOOP;
                   RETURN NEXT a.id || ':' || b.id;
                 END IF;
               END LOOP;
               RETURN NEXT n;
             END $$",
        );
        assert_eq!(
            column("SELECT * FROM interleaved()"),
            ["1:151", "251:401", "501:651", "751:901", "604"]
        );
        let requests = api.requests();
        let outer = requests
            .iter()
            .filter(|request| !request.contains("min_id"))
            .count();
        assert_eq!(outer, 10, "{requests:?}");
    }

    #[pg_test]
    fn an_error_inside_a_loop_ends_its_scans_only() {
        let api = items_api("an_error_inside_a_loop");
        run(
            "CREATE FUNCTION broken() RETURNS SETOF text LANGUAGE plpgsql AS $$
             DECLARE a record; b record;
             BEGIN
               FOR a IN SELECT id FROM items WHERE id >= 850 LOOP
                 CONTINUE WHEN a.id % 100 <> 0;
                 BEGIN
                   FOR b IN SELECT id FROM items LOOP
                     PERFORM 1 / (b.id - 7);
                   END LOOP;
                 EXCEPTION WHEN division_by_zero THEN
                   RETURN NEXT a.id || ' failed';
                 END;
               END LOOP;
             END $$",
        );
        assert_eq!(
            column("SELECT * FROM broken()"),
            ["900 failed", "1000 failed"]
        );
        assert_eq!(rows("SELECT count(*) FROM items"), ["(1000)"]);
        assert!(!api.requests().is_empty());
    }

    #[pg_test]
    fn a_cursor_reads_only_the_pages_that_are_fetched() {
        let api = items_api("a_cursor_reads_only_the_pages");
        run("DECLARE part NO SCROLL CURSOR FOR SELECT id::text FROM items");
        assert_eq!(api.requests(), NONE);
        assert_eq!(column("FETCH 3 FROM part"), ["1", "2", "3"]);
        assert_eq!(api.requests(), ["GET /items?per_page=100&offset=0"]);
        assert_eq!(column("FETCH 2 FROM part"), ["4", "5"]);
        run("MOVE 250 FROM part");
        assert_eq!(column("FETCH 1 FROM part"), ["256"]);
        let requests = api.requests();
        assert!(requests.len() <= 3, "{requests:?}");
        run("CLOSE part");
        run("DECLARE back SCROLL CURSOR FOR SELECT id::text FROM items WHERE id >= 998");
        assert_eq!(column("FETCH ALL FROM back"), ["998", "999", "1000"]);
        assert_eq!(column("FETCH BACKWARD 2 FROM back"), ["1000", "999"]);
        assert_eq!(column("FETCH FIRST FROM back"), ["998"]);
        run("CLOSE back");
    }

    #[pg_test]
    fn rows_can_be_locked_in_name() {
        let api = people_api("rows_can_be_locked_in_name", &json!({}));
        for strength in ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"] {
            assert_eq!(
                rows(&format!(
                    "SELECT * FROM people WHERE age >= 40 ORDER BY id FOR {strength}"
                )),
                ["(2,Bob,y,40)", "(5,Eve,z,40)"]
            );
        }
        run("CREATE TABLE teams (name text)");
        run("INSERT INTO teams VALUES ('x')");
        assert_eq!(
            rows(
                "SELECT p.name FROM people p JOIN teams t ON t.name = p.team ORDER BY 1 FOR UPDATE"
            ),
            ["(Ada)", "(Cyd)"]
        );
        assert_eq!(
            rows(
                "SELECT p.name FROM people p JOIN teams t ON t.name = p.team ORDER BY 1 FOR UPDATE OF t"
            ),
            ["(Ada)", "(Cyd)"]
        );
        assert!(api.requests().len() >= 6);
    }

    #[pg_test]
    fn whole_rows_and_tableoid_can_be_asked_for() {
        let api = people_api("whole_rows_and_tableoid", &json!({}));
        assert_eq!(
            column("SELECT p::text FROM people p WHERE id = 1"),
            ["(1,Ada,x,36)"]
        );
        assert_eq!(
            column("SELECT row_to_json(p)::text FROM people p WHERE id = 4"),
            [r#"{"id":4,"name":"Dan","team":"y","age":null}"#]
        );
        assert_eq!(
            rows("SELECT tableoid::regclass, id FROM people WHERE id = 2"),
            ["(people,2)"]
        );
        assert_eq!(
            column("SELECT tableoid::regclass::text FROM people LIMIT 1"),
            ["people"]
        );
        assert_eq!(rows("SELECT count(p), count(p.*) FROM people p"), ["(5,5)"]);
        assert_eq!(
            rows("SELECT name FROM people p WHERE p = ROW(3, 'Cyd', 'x', 28)::people"),
            ["(Cyd)"]
        );
        assert_eq!(api.requests().len(), 6);
    }

    #[pg_test]
    fn system_columns_that_an_api_has_not_are_refused() {
        let api = people_api("system_columns_that_an_api_has_not", &json!({}));
        // As with file_fdw, there is no row identity to show.
        assert_eq!(
            rows("SELECT ctid FROM people WHERE id = 1"),
            ["(\"(4294967295,0)\")"]
        );
        for name in ["xmin", "cmax"] {
            let refused = error(&format!("SELECT {name} FROM people"));
            assert_eq!(
                (refused.code.as_str(), refused.message.as_str()),
                ("0A000", "cannot retrieve a system column in this context"),
                "{name}"
            );
        }
        api.requests();
        assert_eq!(
            rows("SELECT id FROM people WHERE id = 1"),
            ["(1)"],
            "the session goes on"
        );
        assert_eq!(api.requests(), ["GET /people?id=1"]);
    }

    #[pg_test]
    fn no_column_at_all_still_counts_rows() {
        let api = people_api("no_column_at_all_still_counts_rows", &json!({}));
        assert_eq!(rows("SELECT count(*) FROM people"), ["(5)"]);
        assert_eq!(rows("SELECT FROM people"), ["()", "()", "()", "()", "()"]);
        assert_eq!(rows("SELECT 7 FROM people WHERE age >= 40"), ["(7)", "(7)"]);
        run("CREATE FOREIGN TABLE bare () SERVER api OPTIONS (endpoint '/people')");
        assert_eq!(rows("SELECT count(*) FROM bare"), ["(5)"]);
        assert_eq!(api.requests().len(), 4);
    }

    #[pg_test]
    fn any_columns_may_be_dropped() {
        let api = people_api("any_columns_may_be_dropped", &json!({}));
        let columns = ["id", "name", "team", "age"];
        let values = ["5", "Eve", "z", "40"];
        for mask in 0..16_u32 {
            run("DROP FOREIGN TABLE people");
            run("CREATE FOREIGN TABLE people (id int, name text, team text OPTIONS (filter '='), age int)
                 SERVER api OPTIONS (endpoint '/people')");
            let kept = |index: &usize| mask & (1 << *index) == 0;
            for (index, name) in columns.iter().enumerate() {
                if !kept(&index) {
                    run(&format!("ALTER FOREIGN TABLE people DROP COLUMN {name}"));
                }
            }
            // A column that is added stands after the dropped ones.
            run("ALTER FOREIGN TABLE people ADD COLUMN late text OPTIONS (field 'name')");
            let expected: Vec<&str> = (0..4)
                .filter(kept)
                .map(|index| values[index])
                .chain(["Eve"])
                .collect();
            let expected = format!("({})", expected.join(","));
            assert_eq!(
                rows("SELECT * FROM people WHERE late = 'Eve'"),
                [expected.as_str()],
                "{mask:04b}"
            );
            assert_eq!(
                column("SELECT p::text FROM people p WHERE late LIKE 'E%'"),
                [expected.as_str()],
                "{mask:04b}"
            );
            if kept(&2) {
                api.requests();
                assert_eq!(
                    rows("SELECT late FROM people WHERE team = 'z'"),
                    ["(Eve)"],
                    "{mask:04b}"
                );
                assert_eq!(api.requests(), ["GET /people?team=z"], "{mask:04b}");
            }
        }
    }

    #[pg_test]
    fn a_generated_column_is_not_read_from_the_response() {
        let api = people_api("a_generated_column_is_not_read", &json!({}));
        run("CREATE FOREIGN TABLE generated (
               id int OPTIONS (filter '='), name text GENERATED ALWAYS AS (id::text) STORED, age int
             ) SERVER api OPTIONS (endpoint '/people')");
        assert_eq!(rows("SELECT * FROM generated WHERE id = 1"), ["(1,,36)"]);
        assert_eq!(rows("SELECT * FROM generated WHERE name = 'Ada'"), NONE);
        assert_eq!(api.requests(), ["GET /people?id=1", "GET /people"]);
    }

    fn regions_api(space: &str) -> Api {
        let region = |names: [&str; 2]| {
            json!({
                "rows": [{"id": 1, "name": names[0]}, {"id": 2, "name": names[1]}],
                "filters": [{"param": "id", "type": "number"}],
            })
        };
        let api = Api::new(
            space,
            &json!({"routes": {"/eu": region(["Oslo", "Rome"]), "/us": region(["Austin", "Boise"])}}),
        );
        api.create_server("");
        api
    }

    /// A partitioned table with two foreign partitions and a local one.
    fn create_cities() {
        run("CREATE TABLE cities (region text, id int, name text) PARTITION BY LIST (region)");
        run(
            "CREATE FOREIGN TABLE eu PARTITION OF cities FOR VALUES IN ('eu') SERVER api OPTIONS (endpoint '/eu')",
        );
        run(
            "ALTER FOREIGN TABLE eu ALTER COLUMN region OPTIONS (ADD param 'region', ADD default 'eu')",
        );
        run("ALTER FOREIGN TABLE eu ALTER COLUMN id OPTIONS (ADD filter '=')");
        // The columns of an attached partition may stand in another order.
        run(
            "CREATE FOREIGN TABLE us (name text, junk int, id int OPTIONS (filter '='), region text
               OPTIONS (param 'region', default 'us')) SERVER api OPTIONS (endpoint '/us')",
        );
        run("ALTER FOREIGN TABLE us DROP COLUMN junk");
        run("ALTER TABLE cities ATTACH PARTITION us FOR VALUES IN ('us')");
        run("CREATE TABLE home PARTITION OF cities FOR VALUES IN ('home')");
        run("INSERT INTO cities VALUES ('home', 1, 'Here')");
    }

    #[pg_test]
    fn foreign_partitions_are_pruned_and_read() {
        let api = regions_api("foreign_partitions_are_pruned");
        create_cities();
        assert_eq!(
            rows("SELECT tableoid::regclass, * FROM cities ORDER BY region, id"),
            [
                "(eu,eu,1,Oslo)",
                "(eu,eu,2,Rome)",
                "(home,home,1,Here)",
                "(us,us,1,Austin)",
                "(us,us,2,Boise)"
            ]
        );
        let mut requests = api.requests();
        requests.sort();
        assert_eq!(requests, ["GET /eu?region=eu", "GET /us?region=us"]);
        assert_eq!(
            rows("SELECT name FROM cities WHERE region = 'us' AND id = 2"),
            ["(Boise)"]
        );
        assert_eq!(api.requests(), ["GET /us?region=us&id=2"]);
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE of_region(text) AS SELECT name FROM cities WHERE region = $1 AND id = 1");
        assert_eq!(column("EXECUTE of_region('eu')"), ["Oslo"]);
        assert_eq!(
            api.requests(),
            ["GET /eu?region=eu&id=1"],
            "pruned at run time"
        );
        assert_eq!(column("EXECUTE of_region('home')"), ["Here"]);
        assert_eq!(column("EXECUTE of_region(NULL)"), NONE);
        assert_eq!(api.requests(), NONE);
        assert_eq!(
            error("INSERT INTO cities VALUES ('eu', 3, 'Bern')").message,
            "cannot insert into foreign table \"eu\""
        );
    }

    #[pg_test]
    fn inheritance_children_are_read() {
        let api = regions_api("inheritance_children_are_read");
        run("CREATE TABLE places (id int, name text)");
        run("INSERT INTO places VALUES (1, 'Here')");
        run(
            "CREATE FOREIGN TABLE eu (id int OPTIONS (filter '=')) INHERITS (places) SERVER api OPTIONS (endpoint '/eu')",
        );
        run(
            "CREATE FOREIGN TABLE us (extra int, name text, id int OPTIONS (filter '=')) SERVER api OPTIONS (endpoint '/us')",
        );
        run("ALTER FOREIGN TABLE us INHERIT places");
        assert_eq!(
            rows("SELECT tableoid::regclass, name FROM places WHERE id = 1 ORDER BY 1"),
            ["(places,Here)", "(eu,Oslo)", "(us,Austin)"]
        );
        assert_eq!(api.requests(), ["GET /eu?id=1", "GET /us?id=1"]);
        assert_eq!(
            rows("SELECT p FROM places p WHERE name = 'Boise'"),
            ["(\"(2,Boise)\")"]
        );
        api.requests();
        assert_eq!(rows("SELECT name FROM ONLY places"), ["(Here)"]);
        assert_eq!(api.requests(), NONE);
        assert_eq!(
            rows("SELECT name FROM places LIMIT 2"),
            ["(Here)", "(Oslo)"]
        );
        assert_eq!(api.requests(), ["GET /eu"]);
    }

    #[pg_test]
    fn union_all_reads_each_arm_once() {
        let api = people_api("union_all_reads_each_arm_once", &json!({}));
        assert_eq!(
            rows("SELECT name FROM people WHERE team = 'x' UNION ALL SELECT name FROM people WHERE team = 'z'
                  UNION ALL SELECT 'Zoe' ORDER BY 1"),
            ["(Ada)", "(Cyd)", "(Eve)", "(Zoe)"]
        );
        assert_eq!(api.requests(), ["GET /people?team=x", "GET /people?team=z"]);
        assert_eq!(
            rows("SELECT * FROM (SELECT id, team FROM people UNION ALL SELECT id + 10, team FROM people) u
                  WHERE team = 'z'"),
            ["(5,z)", "(15,z)"]
        );
        assert_eq!(api.requests(), ["GET /people?team=z", "GET /people?team=z"]);
        assert_eq!(
            rows(
                "SELECT team FROM people UNION SELECT team FROM people WHERE age >= 40 EXCEPT SELECT 'z' ORDER BY 1"
            ),
            ["(x)", "(y)"]
        );
        assert_eq!(api.requests(), ["GET /people", "GET /people?min_age=40"]);
    }

    #[pg_test]
    fn a_materialised_cte_is_read_once() {
        let api = people_api("a_materialised_cte_is_read_once", &json!({}));
        assert_eq!(
            rows(
                "WITH old AS MATERIALIZED (SELECT * FROM people WHERE age >= 40)
                  SELECT a.name, b.name FROM old a JOIN old b ON a.id < b.id"
            ),
            ["(Bob,Eve)"]
        );
        assert_eq!(api.requests(), ["GET /people?min_age=40"]);
        assert_eq!(
            rows("WITH RECURSIVE up(n, name) AS (
                    SELECT 1, name FROM people WHERE id = 1
                    UNION ALL SELECT n + 1, p.name FROM up JOIN people p ON p.id = n + 1 WHERE n < 3)
                  SELECT * FROM up ORDER BY n"),
            ["(1,Ada)", "(2,Bob)", "(3,Cyd)"]
        );
    }

    #[pg_test]
    fn a_self_join_reads_the_table_twice() {
        let api = people_api("a_self_join_reads_the_table_twice", &json!({}));
        run("SET LOCAL enable_nestloop = off");
        assert_eq!(
            rows("SELECT a.name, b.name FROM people a JOIN people b ON a.team = b.team AND a.id = b.id - 2
                  WHERE a.age >= 30 ORDER BY 1"),
            ["(Ada,Cyd)", "(Bob,Dan)"]
        );
        let mut requests = api.requests();
        requests.sort();
        assert_eq!(requests, ["GET /people", "GET /people?min_age=30"]);
    }

    #[pg_test]
    fn sorting_grouping_and_windows_are_done_locally() {
        let api = people_api("sorting_grouping_and_windows", &json!({}));
        let cases: [(&str, &[&str]); 7] = [
            (
                "SELECT DISTINCT team FROM people ORDER BY 1",
                &["(x)", "(y)", "(z)"],
            ),
            (
                "SELECT DISTINCT ON (team) team, name FROM people ORDER BY team, id DESC",
                &["(x,Cyd)", "(y,Dan)", "(z,Eve)"],
            ),
            (
                "SELECT name FROM people ORDER BY age DESC NULLS LAST, name DESC",
                &["(Eve)", "(Bob)", "(Ada)", "(Cyd)", "(Dan)"],
            ),
            (
                "SELECT team, count(age), avg(age)::int FROM people GROUP BY team HAVING count(*) > 1 ORDER BY 1",
                &["(x,2,32)", "(y,1,40)"],
            ),
            (
                "SELECT name, row_number() OVER (PARTITION BY team ORDER BY id) FROM people ORDER BY id",
                &["(Ada,1)", "(Bob,1)", "(Cyd,2)", "(Dan,2)", "(Eve,1)"],
            ),
            (
                "SELECT team, count(*) FROM people GROUP BY ROLLUP (team) ORDER BY 1",
                &["(x,2)", "(y,2)", "(z,1)", "(,5)"],
            ),
            (
                "SELECT count(*) FILTER (WHERE age > 30), max(name) FROM people",
                &["(3,Eve)"],
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(rows(query), expected, "{query}");
            assert_eq!(api.requests(), ["GET /people"], "{query}");
        }
    }

    #[pg_test]
    fn a_limit_asks_for_one_small_page() {
        let api = items_api("a_limit_asks_for_one_small_page");
        let cases: [(&str, &[&str], &str); 8] = [
            ("LIMIT 3", &["(1)", "(2)", "(3)"], "per_page=3&offset=0"),
            ("LIMIT 2 OFFSET 5", &["(6)", "(7)"], "per_page=7&offset=0"),
            (
                "WHERE id >= 500 LIMIT 1",
                &["(500)"],
                "min_id=500&per_page=1&offset=0",
            ),
            ("FETCH FIRST ROW ONLY", &["(1)"], "per_page=1&offset=0"),
            (
                "WHERE id >= 999 LIMIT 50",
                &["(999)", "(1000)"],
                "min_id=999&per_page=50&offset=0",
            ),
            // A filter that is local, or an order that is, may need more rows than the limit.
            (
                "WHERE id % 10 = 0 LIMIT 2",
                &["(10)", "(20)"],
                "per_page=100&offset=0",
            ),
            (
                "WHERE id >= 998 ORDER BY id DESC LIMIT 1",
                &["(1000)"],
                "min_id=998&per_page=100&offset=0",
            ),
            (
                "WHERE id >= 999 GROUP BY id ORDER BY id LIMIT 1",
                &["(999)"],
                "min_id=999&per_page=100&offset=0",
            ),
        ];
        for (clause, expected, query) in cases {
            assert_eq!(
                rows(&format!("SELECT id FROM items {clause}")),
                expected,
                "{clause}"
            );
            assert_eq!(api.requests(), [format!("GET /items?{query}")], "{clause}");
        }
        assert_eq!(rows("SELECT id FROM items LIMIT 0"), NONE);
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_limit_stops_after_the_pages_that_it_needs() {
        let api = items_api("a_limit_stops_after_the_pages");
        assert_eq!(
            rows("SELECT count(*), max(id) FROM (SELECT id FROM items LIMIT 250) s"),
            ["(250,250)"]
        );
        let pages = |count: u32| {
            (0..count).map(|page| format!("GET /items?per_page=100&offset={}", page * 100))
        };
        assert_eq!(api.requests(), pages(3).collect::<Vec<_>>());
        assert_eq!(
            rows("SELECT id FROM items WHERE id % 150 = 0 LIMIT 1"),
            ["(150)"]
        );
        assert_eq!(api.requests(), pages(2).collect::<Vec<_>>());
        assert_eq!(rows("SELECT id FROM items LIMIT 1 OFFSET 99"), ["(100)"]);
        assert_eq!(api.requests(), pages(1).collect::<Vec<_>>());
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE first_rows(int) AS SELECT id::text FROM items LIMIT $1");
        assert_eq!(column("EXECUTE first_rows(2)"), ["1", "2"]);
        assert_eq!(api.requests(), pages(1).collect::<Vec<_>>());
        assert_eq!(
            rows("SELECT count(*) FROM (SELECT FROM items LIMIT NULL) s"),
            ["(1000)"]
        );
        assert_eq!(api.requests(), pages(10).collect::<Vec<_>>());
    }

    #[pg_test]
    fn a_limit_over_a_join_is_not_taken_for_one_of_the_table() {
        let api = items_api("a_limit_over_a_join");
        assert_eq!(
            rows(
                "SELECT i.id FROM items i JOIN generate_series(100, 900, 400) g ON g = i.id ORDER BY 1 LIMIT 2"
            ),
            ["(100)", "(500)"]
        );
        let requests = api.requests();
        assert!(
            requests
                .iter()
                .all(|request| request.contains("per_page=100&")),
            "{requests:?}"
        );
        assert_eq!(
            rows("SELECT count(*) FROM items i, (SELECT 1 LIMIT 1) one"),
            ["(1000)"]
        );
        assert_eq!(api.requests().len(), 10);
    }

    #[pg_test]
    fn rows_are_copied_into_a_local_table() {
        let api = items_api("rows_are_copied_into_a_local_table");
        run("CREATE TABLE kept (id int PRIMARY KEY, title text)");
        run("INSERT INTO kept SELECT id, title FROM items WHERE id >= 801");
        assert_eq!(
            rows("SELECT count(*), min(id), max(id) FROM kept"),
            ["(200,801,1000)"]
        );
        assert_eq!(
            column(
                "WITH added AS (INSERT INTO kept SELECT id, title FROM items WHERE id >= 799
                    ON CONFLICT DO NOTHING RETURNING id) SELECT id::text FROM added"
            ),
            ["799", "800"]
        );
        run("CREATE TABLE copied AS SELECT * FROM items WHERE id >= 990");
        assert_eq!(
            rows("SELECT count(*) FROM copied c JOIN items i USING (id, title, state, comments)"),
            ["(11)"]
        );
        run("UPDATE kept SET title = 'seen' FROM items i WHERE i.id = kept.id AND i.id >= 999");
        run("DELETE FROM kept WHERE id IN (SELECT id FROM items WHERE id < 900)");
        assert_eq!(
            rows("SELECT count(*), count(*) FILTER (WHERE title = 'seen') FROM kept"),
            ["(101,2)"]
        );
        run("CREATE MATERIALIZED VIEW frozen AS SELECT id FROM items WHERE id >= 996");
        api.requests();
        assert_eq!(rows("SELECT count(*) FROM frozen"), ["(5)"]);
        assert_eq!(api.requests(), NONE);
        run("REFRESH MATERIALIZED VIEW frozen");
        assert_eq!(api.requests().len(), 1);
    }

    #[pg_test]
    fn writes_are_refused_by_postgresql_itself() {
        let api = people_api("writes_are_refused", &json!({}));
        run("CREATE TABLE source (id int)");
        run("INSERT INTO source VALUES (1)");
        let cases = [
            (
                "INSERT INTO people VALUES (9, 'Zoe', 'z', 1)",
                "cannot insert into foreign table \"people\"",
            ),
            (
                "INSERT INTO people (id) SELECT id FROM source",
                "cannot insert into foreign table \"people\"",
            ),
            (
                "UPDATE people SET age = 1 WHERE id = 1",
                "cannot update foreign table \"people\"",
            ),
            (
                "UPDATE people p SET age = 1 FROM source s WHERE s.id = p.id",
                "cannot update foreign table \"people\"",
            ),
            (
                "DELETE FROM people",
                "cannot delete from foreign table \"people\"",
            ),
            (
                "DELETE FROM people USING source s WHERE s.id = people.id",
                "cannot delete from foreign table \"people\"",
            ),
            #[cfg(not(feature = "pg13"))]
            (
                "TRUNCATE people",
                "cannot truncate foreign table \"people\"",
            ),
        ];
        for (statement, message) in cases {
            let refused = error(statement);
            assert_eq!(
                (refused.code.as_str(), refused.message.as_str()),
                ("0A000", message),
                "{statement}"
            );
        }
        assert_eq!(api.requests(), NONE);
        let described = rows(
            "SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'people'",
        );
        assert_eq!(described, ["(NO)"]);
    }

    #[pg_test]
    fn a_query_is_copied_to_a_file() {
        let api = people_api("a_query_is_copied_to_a_file", &json!({}));
        let file = column("SELECT current_setting('data_directory') || '/copied.csv'");
        let literal = pgrx::spi::quote_literal(&file[0]);
        run(&format!(
            "COPY (SELECT id, name FROM people WHERE age >= 40 ORDER BY id) TO {literal} (FORMAT csv)"
        ));
        assert_eq!(
            column("SELECT pg_read_file('copied.csv')"),
            ["2,Bob\n5,Eve\n"]
        );
        assert_eq!(api.requests(), ["GET /people?min_age=40"]);
        let refused = error(&format!("COPY people TO {literal}"));
        assert_eq!(
            (
                refused.code.as_str(),
                refused.message.as_str(),
                refused.hint.as_str()
            ),
            (
                "42809",
                "cannot copy from foreign table \"people\"",
                "Try the COPY (SELECT ...) TO variant."
            )
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn everything_can_be_explained_without_a_request() {
        let api = people_api("everything_can_be_explained", &json!({}));
        run("CREATE TABLE teams (name text, lowest int)");
        run("CREATE VIEW elders AS SELECT * FROM people WHERE age >= 40");
        run("PREPARE older(int) AS SELECT * FROM people WHERE age >= $1");
        let statements = [
            "SELECT * FROM people",
            "SELECT count(*) FROM people WHERE age >= 3 AND team = 'x'",
            "SELECT * FROM elders e JOIN teams t ON t.name = e.team",
            "SELECT * FROM teams t, LATERAL (SELECT * FROM people p WHERE p.age >= t.lowest LIMIT 1) l",
            "SELECT (SELECT max(age) FROM people p WHERE p.team = t.name) FROM teams t",
            "SELECT * FROM people WHERE age >= (SELECT max(lowest) FROM teams)",
            "SELECT * FROM people WHERE team = ANY (ARRAY(SELECT name FROM teams))",
            "SELECT * FROM people UNION ALL SELECT * FROM people",
            "WITH p AS MATERIALIZED (SELECT * FROM people) SELECT * FROM p a, p b",
            "SELECT * FROM people FOR UPDATE",
            "SELECT p, tableoid FROM people p",
            "SELECT * FROM people WHERE id = 1 OR name = 'x'",
            "SELECT DISTINCT team FROM people ORDER BY team LIMIT 2",
            "SELECT rank() OVER (ORDER BY age) FROM people",
            "INSERT INTO teams SELECT team, age FROM people",
            "DELETE FROM teams USING people WHERE people.team = teams.name",
            "CREATE TABLE copied AS SELECT * FROM people",
            "EXECUTE older(3)",
        ];
        for mode in ["force_custom_plan", "force_generic_plan"] {
            run(&format!("SET LOCAL plan_cache_mode = {mode}"));
            for statement in statements {
                for options in ["COSTS OFF", "VERBOSE", "FORMAT YAML"] {
                    let text = explain(options, statement).join("\n");
                    assert!(text.contains("Foreign Scan"), "{statement}: {text}");
                    assert!(text.contains("Remote Request"), "{statement}: {text}");
                }
            }
        }
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn views_and_functions_read_through() {
        let api = people_api("views_and_functions_read_through", &json!({}));
        run(
            "CREATE VIEW elders AS SELECT id, upper(name) AS name, age FROM people WHERE age >= 36",
        );
        assert_eq!(
            rows("SELECT name FROM elders WHERE age >= 40 ORDER BY 1"),
            ["(BOB)", "(EVE)"]
        );
        assert_eq!(api.requests().len(), 1);
        run(
            "CREATE FUNCTION named(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT name FROM people WHERE id = $1'",
        );
        assert_eq!(
            column("SELECT named(g) FROM generate_series(2, 3) g"),
            ["Bob", "Cyd"]
        );
        assert_eq!(api.requests(), ["GET /people?id=2", "GET /people?id=3"]);
        assert_eq!(
            rows("SELECT name FROM people WHERE name = named(2)"),
            ["(Bob)"]
        );
        let requests = api.requests();
        assert!(
            requests.contains(&"GET /people?id=2".to_owned()),
            "{requests:?}"
        );
    }

    #[pg_test]
    fn a_view_signs_in_as_its_owner_and_a_query_as_its_user() {
        let api = people_api("a_view_signs_in_as_its_owner", &json!({}));
        run("CREATE ROLE keeper");
        run("CREATE ROLE reader");
        run("GRANT CREATE, USAGE ON SCHEMA public TO keeper, reader");
        run("GRANT SELECT ON people TO keeper, reader");
        run("CREATE USER MAPPING FOR keeper SERVER api OPTIONS (token 'keepers')");
        run("CREATE USER MAPPING FOR reader SERVER api OPTIONS (token 'readers')");
        run("CREATE VIEW elders AS SELECT * FROM people WHERE age >= 40");
        run("ALTER VIEW elders OWNER TO keeper");
        run("GRANT SELECT ON elders TO reader");
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE counted AS SELECT count(*)::text FROM people");
        let sent = |sql: &str, expected: &str| {
            assert_eq!(column(sql), [expected], "{sql}");
            let heads = api.client().request_heads(api.space());
            api.requests();
            let token = heads[0].header("authorization").map(str::to_owned);
            (heads.len(), token.unwrap_or_default())
        };
        assert_eq!(sent("EXECUTE counted", "5"), (1, String::new()));
        run("SET LOCAL ROLE reader");
        let of_view = "SELECT count(*)::text FROM elders";
        let of_table = "SELECT count(*)::text FROM people";
        assert_eq!(sent(of_view, "2"), (1, "Bearer keepers".to_owned()));
        assert_eq!(sent(of_table, "5"), (1, "Bearer readers".to_owned()));
        assert_eq!(
            sent("EXECUTE counted", "5"),
            (1, "Bearer readers".to_owned())
        );
        run("SET LOCAL ROLE keeper");
        assert_eq!(
            sent("EXECUTE counted", "5"),
            (1, "Bearer keepers".to_owned())
        );
        run("RESET ROLE");
    }

    #[pg_test]
    fn analyze_reads_a_table_also_as_the_child_of_another() {
        let api = people_api("analyze_reads_a_table", &json!({}));
        run("ANALYZE people");
        assert_eq!(
            rows("SELECT reltuples FROM pg_class WHERE relname = 'people'"),
            ["(5)"]
        );
        assert_eq!(api.requests(), ["GET /people"]);
        run("ANALYZE people (age)");
        assert_eq!(api.requests(), ["GET /people"]);
        assert_eq!(rows("SELECT count(*) FROM people"), ["(5)"]);
        run("CREATE TABLE parent (id int)");
        run("INSERT INTO parent VALUES (1)");
        run("ALTER FOREIGN TABLE people DROP COLUMN name, DROP COLUMN team, DROP COLUMN age");
        run("ALTER FOREIGN TABLE people INHERIT parent");
        api.requests();
        // From PostgreSQL 18 on ANALYZE goes on to the children, of which each is one more.
        let analyze = match cfg!(feature = "pg18") {
            true => "ANALYZE ONLY parent",
            false => "ANALYZE parent",
        };
        run(analyze);
        assert_eq!(api.requests(), ["GET /people"]);
        assert_eq!(
            rows(
                "SELECT n_distinct, null_frac FROM pg_stats WHERE tablename = 'parent' AND inherited"
            ),
            ["(-0.8333333,0)"]
        );
    }

    #[pg_test]
    fn importing_a_schema_is_refused() {
        let api = people_api("importing_a_schema_is_refused", &json!({}));
        run("CREATE SCHEMA imported");
        let refused = error("IMPORT FOREIGN SCHEMA remote FROM SERVER api INTO imported");
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            (
                "HV00P",
                "foreign-data wrapper \"rest_fdw\" does not support IMPORT FOREIGN SCHEMA"
            )
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn triggers_and_constraints_do_not_touch_reading() {
        let api = people_api("triggers_and_constraints", &json!({}));
        run("ALTER FOREIGN TABLE people ALTER COLUMN id SET NOT NULL");
        run("ALTER FOREIGN TABLE people ADD CONSTRAINT grown CHECK (age >= 18)");
        run("SET LOCAL constraint_exclusion = on");
        assert_eq!(rows("SELECT count(*) FROM people"), ["(5)"]);
        assert_eq!(api.requests(), ["GET /people"]);
        assert_eq!(rows("SELECT count(*) FROM people WHERE age < 10"), ["(0)"]);
        assert_eq!(
            api.requests(),
            NONE,
            "the declared constraint excludes the table"
        );
    }

    #[pg_test]
    fn a_cached_plan_obeys_the_pushdown_setting() {
        let api = Api::new(
            "a_cached_plan_obeys_the_pushdown_setting",
            &json!({"routes": {"/numbers": {
                "rows": [{"n": 1}, {"n": 2}, {"n": 3}],
                "filters": [{"param": "least", "field": "n", "op": ">=", "type": "number"}],
            }}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE numbers (n int OPTIONS (filter '>= least exact'))
             SERVER api OPTIONS (endpoint '/numbers', recheck 'off')",
        );
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run(
            "PREPARE numbers_from(int) AS SELECT string_agg(n::text, ',' ORDER BY n) FROM numbers WHERE n >= $1",
        );
        for (pushdown, request) in [
            ("on", "GET /numbers?least=2"),
            ("off", "GET /numbers"),
            ("on", "GET /numbers?least=2"),
        ] {
            run(&format!("SET LOCAL rest_fdw.pushdown = {pushdown}"));
            assert_eq!(column("EXECUTE numbers_from(2)"), ["2,3"], "{pushdown}");
            assert_eq!(api.requests(), [request], "{pushdown}");
        }
    }
}

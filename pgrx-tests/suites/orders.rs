//! Orders and columns: what the API is asked for, in which order rows arrive, and why an order stays local.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Scores repeat, one is missing; names differ in case and beyond ASCII.
    fn games() -> Value {
        let names = ["b", "B", "a", "ä", "Z", "z", "", "A", "é", "e", "ß", "ss"];
        let games = names.iter().enumerate().map(|(index, name)| {
            let score = match index {
                4 => Value::Null,
                _ => json!(index * 7 % 4),
            };
            json!({"id": 100 + index * 5 % 12, "score": score, "name": name, "user": {"login": format!("u{index}")}})
        });
        Value::Array(games.collect())
    }

    const COLUMNS: &str = "id int OPTIONS (sort 'id', sort_nulls 'high'),
        score int OPTIONS (sort 'score', sort_nulls 'high', filter '= score, in scores'),
        name text OPTIONS (sort 'name', sort_nulls 'high', collation 'C'),
        login text OPTIONS (field 'user.login')";

    /// The games as a foreign table with these options, and as a table `copy`.
    fn games_api(space: &str, route: &Value, options: &str) -> Api {
        let mut own = json!({
            "rows": games(),
            "dialect": {"name": "plain", "columns":
                {"id": "int4", "score": "int4", "name": "text", "user.login": "text"}},
            "filters": [{"param": "score", "type": "number"},
                        {"param": "scores", "field": "score", "op": "in", "type": "number"}],
            "sort": {"unstable": true},
        });
        for (key, value) in route.as_object().expect("the route's keys") {
            own[key] = value.clone();
        }
        let api = Api::new(space, &json!({"routes": {"/games": own}}));
        api.create_server("");
        run(&format!(
            "CREATE FOREIGN TABLE games ({COLUMNS}) SERVER api OPTIONS (endpoint '/games', key 'id'{options})"
        ));
        run("CREATE TEMP TABLE copy AS SELECT * FROM games");
        run("ANALYZE copy");
        api.requests();
        api
    }

    /// Pages of four by number, an order of two columns.
    fn paged_api(space: &str) -> Api {
        let route = json!({"paging": {"style": "offset", "page_size": 4, "size_param": "limit"}});
        let options =
            ", pagination 'offset', page_size '4', page_size_param 'limit', max_sort_keys '2'";
        games_api(space, &route, options)
    }

    /// A query returns the same rows in the same order as over the copy, and sends this.
    fn ordered(api: &Api, query: &str, requests: &[&str]) {
        let found = rows(query);
        assert_eq!(api.requests(), requests, "{query}");
        assert_eq!(found, rows(&query.replace("games", "copy")), "{query}");
    }

    fn line(query: &str, label: &str) -> Option<String> {
        let label = format!("{label}: ");
        let lines = explain("COSTS OFF", query);
        let mut found = lines.iter().filter_map(|line| line.strip_prefix(&label));
        found.next().map(str::to_owned)
    }

    fn sorts(query: &str) -> bool {
        let lines = explain("COSTS OFF", query);
        lines.iter().any(|line| line.ends_with("Sort"))
    }

    fn stays_local(query: &str, reason: &str) {
        assert_eq!(line(query, "Remote Order"), None, "{query}");
        let local = line(query, "Local Order").unwrap_or_default();
        assert!(local.ends_with(&format!("({reason})")), "{query}: {local}");
    }

    #[pg_test]
    fn order_by_is_asked_of_the_api() {
        let api = games_api("order", &json!({}), ", max_sort_keys '3'");
        ordered(
            &api,
            "SELECT * FROM games ORDER BY id",
            &["GET /games?sort=id"],
        );
        ordered(
            &api,
            "SELECT * FROM games ORDER BY id DESC",
            &["GET /games?sort=-id"],
        );
        ordered(
            &api,
            "SELECT id, score FROM games ORDER BY score DESC, id",
            &["GET /games?sort=-score,id"],
        );
        ordered(
            &api,
            "SELECT name FROM games ORDER BY name COLLATE \"C\" DESC",
            &["GET /games?sort=-name"],
        );
        let query = "SELECT id FROM games ORDER BY score DESC, id";
        assert!(!sorts(query));
        assert_eq!(
            line(query, "Remote Order").as_deref(),
            Some("score DESC, id")
        );
        assert_eq!(line(query, "Local Order"), None);
    }

    #[pg_test]
    fn the_column_that_is_ordered_by_need_not_be_selected() {
        let api = games_api("orderhidden", &json!({}), "");
        ordered(
            &api,
            "SELECT name FROM games ORDER BY id",
            &["GET /games?sort=id"],
        );
        ordered(
            &api,
            "SELECT count(*) FROM (SELECT name FROM games ORDER BY id OFFSET 2) g",
            &["GET /games?sort=id"],
        );
    }

    #[pg_test]
    fn limit_reads_one_page_of_as_many_rows() {
        let api = paged_api("orderlimit");
        ordered(
            &api,
            "SELECT id, score FROM games ORDER BY score, id LIMIT 3",
            &["GET /games?sort=score,id&limit=3&offset=0"],
        );
        ordered(
            &api,
            "SELECT id FROM games ORDER BY id DESC LIMIT 2 OFFSET 1",
            &["GET /games?sort=-id&limit=3&offset=0"],
        );
        ordered(
            &api,
            "SELECT id FROM games WHERE score = 3 ORDER BY id LIMIT 3",
            &["GET /games?score=3&sort=id&limit=4&offset=0"],
        );
    }

    #[pg_test]
    fn the_keys_of_rows_that_are_equal_make_numbered_pages_steady() {
        let api = paged_api("ordersteady");
        // The mock API shuffles rows with equal scores anew for each page.
        for _ in 0..5 {
            let found = column("SELECT id::text FROM games ORDER BY score");
            let mut ids = found.clone();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 12, "{found:?}");
            assert_eq!(
                api.requests(),
                [0, 4, 8, 12]
                    .map(|offset| format!("GET /games?sort=score,id&limit=4&offset={offset}"))
            );
        }
    }

    #[pg_test]
    fn without_room_for_the_key_an_order_of_numbered_pages_is_local() {
        let options = ", pagination 'offset', page_size_param 'limit', page_size '4'";
        let route = json!({"paging": {"style": "offset", "size_param": "limit"}});
        let api = games_api("orderroom", &route, options);
        let reason = "numbered pages need option \"key\" in the order, and the API orders by 1 column at most (option \"max_sort_keys\")";
        stays_local("SELECT id FROM games ORDER BY score", reason);
        let found = column("SELECT id::text FROM games ORDER BY score, games.id");
        assert!(
            api.requests()
                .iter()
                .all(|request| !request.contains("sort"))
        );
        assert_eq!(
            found,
            column("SELECT id::text FROM copy ORDER BY score, copy.id")
        );
    }

    #[pg_test]
    fn orders_that_the_api_makes_otherwise_stay_local() {
        let _api = games_api("orderlocal", &json!({}), "");
        stays_local(
            "SELECT id FROM games ORDER BY score NULLS FIRST",
            "the API puts NULLs last",
        );
        stays_local(
            "SELECT id FROM games ORDER BY score DESC NULLS LAST",
            "the API puts NULLs first",
        );
        stays_local(
            "SELECT id FROM games ORDER BY name",
            "text order needs COLLATE \"C\"",
        );
        stays_local(
            "SELECT id FROM games ORDER BY login COLLATE \"C\"",
            "column \"login\" declares no sort",
        );
        stays_local(
            "SELECT id FROM games WHERE score IN (1, 2) AND name <> ALL(ARRAY['x']) ORDER BY name COLLATE \"C\" DESC NULLS LAST",
            "the API puts NULLs first",
        );
        // Of an expression and of an operator that is not the type's default there is nothing to say.
        for order in ["id % 2", "name USING ~<~", "random()"] {
            let query = format!("SELECT id FROM games ORDER BY {order}");
            assert_eq!(line(&query, "Remote Order"), None, "{query}");
            assert_eq!(line(&query, "Local Order"), None, "{query}");
        }
    }

    #[pg_test]
    fn where_no_null_is_left_its_place_does_not_matter() {
        let api = games_api("ordernotnull", &json!({}), ", max_sort_keys '2'");
        ordered(
            &api,
            "SELECT id, score FROM games WHERE score >= 0 ORDER BY score NULLS FIRST, id",
            &["GET /games?sort=score,id"],
        );
        ordered(
            &api,
            "SELECT id, score FROM games WHERE score IS NOT NULL ORDER BY score DESC NULLS LAST, id",
            &["GET /games?sort=-score,id"],
        );
    }

    #[pg_test]
    fn the_beginning_of_an_order_is_used_too() {
        let api = games_api("orderprefix", &json!({}), "");
        let query = "SELECT id, score FROM games ORDER BY score DESC, id";
        run("SET enable_sort = off");
        ordered(&api, query, &["GET /games?sort=-score"]);
        assert_eq!(line(query, "Remote Order").as_deref(), Some("score DESC"));
        assert_eq!(line(query, "Presorted Key").as_deref(), Some("score"));
        assert_eq!(
            line(query, "Local Order").as_deref(),
            Some("score DESC, id (the API orders by 1 column at most (option \"max_sort_keys\"))")
        );
    }

    #[pg_test]
    fn a_list_in_several_requests_has_no_order() {
        let api = games_api("ordersplit", &json!({}), ", max_list_size '2'");
        let two = "SELECT id FROM games WHERE score IN (1, 2) ORDER BY id";
        ordered(&api, two, &["GET /games?scores=1,2&sort=id"]);
        let three = "SELECT id FROM games WHERE score IN (1, 2, 3) ORDER BY id";
        stays_local(three, "a list may become several requests");
        assert_eq!(rows(three), rows(&three.replace("games", "copy")));
        run(
            "PREPARE listed (int[]) AS SELECT id::text FROM games WHERE score = ANY($1) ORDER BY games.id",
        );
        run("SET plan_cache_mode = force_generic_plan");
        api.requests();
        let expected =
            column("SELECT id::text FROM copy WHERE score IN (1, 2, 3) ORDER BY copy.id");
        assert_eq!(column("EXECUTE listed ('{1,2,3}')"), expected);
        let requests = ["GET /games?scores=1,2", "GET /games?scores=3"];
        assert_eq!(api.sorted_requests(), requests);
    }

    #[pg_test]
    fn max_and_min_read_one_row() {
        let api = paged_api("ordermax");
        let one = |query: &str, request: &str| {
            assert_eq!(
                column(&format!("{query} FROM games")),
                column(&format!("{query} FROM copy"))
            );
            assert_eq!(api.requests(), [request], "{query}");
        };
        one(
            "SELECT min(score)::text",
            "GET /games?sort=score,id&limit=1&offset=0",
        );
        one(
            "SELECT max(id)::text",
            "GET /games?sort=-id&limit=4&offset=0",
        );
    }

    #[pg_test]
    fn merge_joins_use_the_order_of_the_api() {
        let api = games_api("ordermerge", &json!({}), "");
        run("CREATE INDEX ON copy (id)");
        run("SET enable_hashjoin = off");
        run("SET enable_nestloop = off");
        run("SET enable_sort = off");
        for join in ["JOIN", "LEFT JOIN", "FULL JOIN"] {
            let query = format!(
                "SELECT g.id, c.name FROM games g {join} copy c ON g.id = c.id AND c.id <> 103"
            );
            let query = if join == "FULL JOIN" {
                query.replace(" AND c.id <> 103", "")
            } else {
                query
            };
            let lines = explain("COSTS OFF", &query);
            assert!(
                lines
                    .iter()
                    .any(|line| line.starts_with("Remote Order: id")),
                "{lines:#?}"
            );
            let mut found = rows(&query);
            assert_eq!(api.requests(), ["GET /games?sort=id"], "{join}");
            let mut expected = rows(&query.replace("games", "copy"));
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{join}");
        }
    }

    #[pg_test]
    fn a_join_without_need_of_order_does_not_ask_for_it() {
        let api = games_api("orderhash", &json!({}), "");
        rows("SELECT g.id FROM games g JOIN copy c ON g.id = c.id");
        assert_eq!(api.requests(), ["GET /games"]);
    }

    #[pg_test]
    fn without_pushdown_a_new_plan_asks_for_no_order() {
        let api = games_api("orderoff", &json!({}), "");
        let query = "SELECT id::text FROM games WHERE score = 1 ORDER BY games.id";
        run(&format!("PREPARE first AS {query}"));
        run(&format!("DECLARE open CURSOR FOR {query}"));
        run("SET plan_cache_mode = force_generic_plan");
        let expected = column("SELECT id::text FROM copy WHERE score = 1 ORDER BY copy.id");
        assert_eq!(column("EXECUTE first"), expected);
        assert_eq!(api.requests(), ["GET /games?score=1&sort=id"]);
        run("SET rest_fdw.pushdown = off");
        assert_eq!(column("FETCH ALL FROM open"), expected);
        assert_eq!(api.requests(), ["GET /games?sort=id"]);
        // A plan made now asks for none; what was prepared is planned anew.
        assert_eq!(column("EXECUTE first"), expected);
        assert_eq!(api.requests(), ["GET /games"]);
        ordered(&api, "SELECT id FROM games ORDER BY id", &["GET /games"]);
        stays_local(
            "SELECT id FROM games ORDER BY id",
            "rest_fdw.pushdown is off",
        );
    }

    #[pg_test]
    fn only_needed_columns_are_asked_for() {
        let route = json!({"dialect": {"name": "plain", "fields_param": "fields", "columns":
            {"id": "int4", "score": "int4", "name": "text", "user": "jsonb"}}});
        let api = games_api(
            "orderfields",
            &route,
            ", fields_param 'fields', max_sort_keys '2'",
        );
        let sends = |query: &str, request: &str| ordered(&api, query, &[request]);
        sends(
            "SELECT id FROM games ORDER BY id",
            "GET /games?sort=id&fields=id",
        );
        sends(
            "SELECT login FROM games ORDER BY id",
            "GET /games?sort=id&fields=id,user",
        );
        sends(
            "SELECT id FROM games WHERE name LIKE 'b%' ORDER BY id",
            "GET /games?sort=id&fields=id,name",
        );
        sends(
            "SELECT id FROM games WHERE score = 2 ORDER BY id",
            "GET /games?score=2&sort=id&fields=id,score",
        );
        sends("SELECT count(*) FROM games", "GET /games?fields=id");
        sends(
            "SELECT * FROM games ORDER BY id",
            "GET /games?sort=id&fields=id,score,name,user",
        );
        let query = "SELECT login FROM games WHERE score > 1";
        assert_eq!(
            line(query, "Remote Columns").as_deref(),
            Some("score, login")
        );
        run("SET rest_fdw.pushdown = off");
        sends(
            "SELECT id FROM games WHERE score = 2 ORDER BY id",
            "GET /games",
        );
        assert_eq!(line(query, "Remote Columns"), None);
    }

    #[pg_test]
    fn partitions_are_merged_in_the_order_of_their_apis() {
        let api = games_api("orderparts", &json!({}), "");
        run(
            "CREATE TABLE parts (id int, score int, name text, login text) PARTITION BY LIST (score)",
        );
        run(&format!(
            "CREATE FOREIGN TABLE one ({COLUMNS})
             SERVER api OPTIONS (endpoint '/games', query '{}')",
            r#"{"score": "1"}"#
        ));
        run("ALTER TABLE parts ATTACH PARTITION one FOR VALUES IN (1)");
        run("CREATE TABLE other PARTITION OF parts DEFAULT");
        run("INSERT INTO other SELECT * FROM copy WHERE score IS DISTINCT FROM 1");
        let found = column("SELECT id::text FROM parts ORDER BY parts.id");
        assert_eq!(found, column("SELECT id::text FROM copy ORDER BY copy.id"));
        assert_eq!(api.requests(), ["GET /games?score=1&sort=id"]);
    }

    #[pg_test]
    fn a_lateral_subquery_takes_the_first_of_each() {
        let api = games_api("orderlateral", &json!({}), "");
        let query = "SELECT s, g.id FROM generate_series(1, 2) s,
            LATERAL (SELECT id FROM games WHERE score = s ORDER BY id DESC LIMIT 1) g";
        ordered(
            &api,
            query,
            &["GET /games?score=1&sort=-id", "GET /games?score=2&sort=-id"],
        );
    }

    #[pg_test]
    fn options_without_effect_are_refused() {
        run(
            "CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'http://127.0.0.1:9')",
        );
        let refused = |columns: &str, options: &str| {
            error(&format!(
                "DO $do$ BEGIN
                   CREATE FOREIGN TABLE refused ({columns}) SERVER api OPTIONS (endpoint '/x'{options});
                   PERFORM * FROM refused;
                 END $do$"
            ))
            .message
        };
        assert_eq!(
            refused("id int", ", sort_style 'sideways'"),
            "invalid value for option \"sort_style\": \"sideways\" is not a style of writing directions"
        );
        assert_eq!(
            refused("id int", ", sort_param 'by'"),
            "option \"sort_param\" has no effect: no column declares option \"sort\""
        );
        assert_eq!(
            refused("id real OPTIONS (sort 'id')", ""),
            "option \"sort\" has no effect on type real: type real rounds the API's values; use double precision or numeric"
        );
    }
}

//! Lookups and rescans: what a scan was told once it does not ask for again, and nothing outlives its statement.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{
        Api, column, enable_memoize, error, explain, only_nested_loops, rows, run,
    };
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    /// Forty items, `id` from 1 on, and only nested loops without anything that keeps their inner side.
    fn api(space: &str, extra: &Value) -> Api {
        let items: Vec<Value> = (1..=40)
            .map(|id| json!({"id": id, "name": format!("n{id}"), "shelf": id % 4}))
            .collect();
        let mut route = json!({
            "rows": items,
            "filters": [{"param": "id", "type": "number"}, {"param": "shelf", "type": "number"}],
        });
        let extra = extra.as_object().expect("an object").clone();
        route.as_object_mut().expect("an object").extend(extra);
        let api = Api::new(space, &json!({"routes": {"/items": route}}));
        api.create_server("");
        // Reading the whole table once has to look dearer than the lookups.
        run("CREATE FOREIGN TABLE items (
               id int OPTIONS (filter '='), name text, shelf int OPTIONS (filter '=')
             ) SERVER api OPTIONS (endpoint '/items', key 'id', rows_estimate '10000000')");
        only_nested_loops();
        api
    }

    /// Fifty outer rows with twenty values, unsorted.
    fn create_orders() {
        run(
            "CREATE TABLE orders AS SELECT n, (n * 7) % 20 + 1 AS item FROM generate_series(1, 50) n",
        );
        run("ANALYZE orders");
    }

    const JOIN: &str = "SELECT o.n, i.name FROM orders o JOIN items i ON i.id = o.item";

    /// The line of EXPLAIN ANALYZE that begins with `label`.
    fn line(query: &str, label: &str) -> Option<String> {
        let lines = explain("ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", query);
        lines.into_iter().find(|line| line.starts_with(label))
    }

    #[pg_test]
    fn fifty_outer_rows_with_twenty_keys_make_twenty_requests() {
        let api = api("fifty_outer_rows", &json!({}));
        create_orders();
        let mut expected: Vec<String> = (1..=50)
            .map(|n| format!("({n},n{})", (n * 7) % 20 + 1))
            .collect();
        let mut found = rows(JOIN);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        let mut requests: Vec<String> = (1..=20).map(|id| format!("GET /items?id={id}")).collect();
        requests.sort();
        assert_eq!(api.sorted_requests(), requests);
        assert_eq!(
            line(JOIN, "Lookups Remembered"),
            Some("Lookups Remembered: 30".to_owned())
        );
        assert_eq!(
            api.sorted_requests(),
            requests,
            "nothing outlives its statement"
        );
        run("SET LOCAL rest_fdw.max_requests = 20");
        assert_eq!(rows(JOIN).len(), 50);
    }

    #[pg_test]
    fn without_pushdown_the_table_is_read_once() {
        let api = api("without_pushdown_the_table_is_read_once", &json!({}));
        create_orders();
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(rows(JOIN).len(), 50);
        assert_eq!(api.requests(), ["GET /items"]);
    }

    #[pg_test]
    fn the_inner_side_of_a_nested_loop_is_read_once() {
        let paging = json!({"paging": {"style": "page", "page_size": 15}});
        let api = api("the_inner_side_of_a_nested_loop", &paging);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'page')");
        let query = "SELECT g, i.id FROM generate_series(1, 3) g JOIN items i ON i.name <> 'n' || g ORDER BY 1, 2";
        assert_eq!(rows(query).len(), 3 * 39);
        let pages: Vec<String> = (1..=4)
            .map(|page| format!("GET /items?page={page}"))
            .collect();
        assert_eq!(api.requests(), pages);
        assert_eq!(
            line(query, "Rows Fetched"),
            Some("Rows Fetched: 40".to_owned())
        );
    }

    #[pg_test]
    fn null_is_no_lookup_and_a_lookup_without_rows_is_one() {
        let api = api("null_is_no_lookup", &json!({}));
        let values = "(VALUES (99), (NULL), (5), (99), (NULL), (5), (NULL), (99)) v(id)";
        let query = format!("SELECT v.id, i.name FROM {values} LEFT JOIN items i ON i.id = v.id");
        assert_eq!(
            rows(&query),
            [
                "(99,)", "(,)", "(5,n5)", "(99,)", "(,)", "(5,n5)", "(,)", "(99,)"
            ]
        );
        assert_eq!(
            api.sorted_requests(),
            ["GET /items?id=5", "GET /items?id=99"]
        );
        assert_eq!(
            line(&query, "Lookups Remembered"),
            Some("Lookups Remembered: 3".to_owned())
        );
    }

    #[pg_test]
    fn values_that_are_checked_locally_are_checked_anew() {
        let api = api(
            "values_that_are_checked_locally",
            &json!({"ignore_filters": true}),
        );
        let query = "SELECT v.a, v.b, (SELECT string_agg(i.id::text, ' ' ORDER BY i.id) FROM items i WHERE i.shelf = v.a AND i.id < v.b)
             FROM (VALUES (1, 6), (1, 10), (2, 7), (1, 3), (2, 3)) v(a, b)";
        assert_eq!(
            rows(query),
            [
                "(1,6,\"1 5\")",
                "(1,10,\"1 5 9\")",
                "(2,7,\"2 6\")",
                "(1,3,1)",
                "(2,3,2)"
            ]
        );
        assert_eq!(api.requests(), ["GET /items?shelf=1", "GET /items?shelf=2"]);
    }

    #[pg_test]
    fn parameter_columns_keep_the_value_that_was_sent() {
        let api = Api::new(
            "parameter_columns_keep_the_value",
            &json!({"routes": {"/users/{id}/posts": {
                "rows": [{"user": "a", "title": "a1"}, {"user": "b", "title": "b1"}, {"user": "a", "title": "a2"}],
                "path_filters": {"id": "user"},
            }}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE posts (id text, title text) SERVER api OPTIONS (endpoint '/users/{id}/posts')",
        );
        enable_memoize(false);
        assert_eq!(
            rows(
                "SELECT v.id, p.id AS sent, title FROM (VALUES ('a'), ('b'), ('a'), ('c'), ('b')) v(id), LATERAL (SELECT * FROM posts p WHERE p.id = v.id OFFSET 0) p"
            ),
            [
                "(a,a,a1)", "(a,a,a2)", "(b,b,b1)", "(a,a,a1)", "(a,a,a2)", "(b,b,b1)"
            ]
        );
        assert_eq!(
            api.requests(),
            [
                "GET /users/a/posts",
                "GET /users/b/posts",
                "GET /users/c/posts"
            ]
        );
    }

    #[pg_test]
    fn a_rescan_goes_on_where_the_one_before_it_stopped() {
        let paging = json!({"paging": {"style": "page", "page_size": 10}});
        let api = api("a_rescan_goes_on", &paging);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'page')");
        let first = |counts: &str| {
            format!(
                "SELECT n, (SELECT count(*) FROM (SELECT FROM items WHERE shelf = v.shelf OFFSET 0 LIMIT n) i)
                 FROM (VALUES {counts}) v(n, shelf)"
            )
        };
        let page = |page: u32| format!("GET /items?shelf=1&page={page}");
        run("ALTER FOREIGN TABLE items OPTIONS (SET rows_estimate '10')");
        assert_eq!(
            rows(&first("(1, 1), (2, 1), (10, 1)")),
            ["(1,1)", "(2,2)", "(10,10)"]
        );
        assert_eq!(
            api.requests(),
            [page(1)],
            "one page is enough for all of them"
        );
        assert_eq!(
            rows(&first("(3, 1), (NULL, 1), (4, 1), (99, 1)")),
            ["(3,3)", "(,10)", "(4,4)", "(99,10)"]
        );
        assert_eq!(api.requests(), [page(1), page(2)]);
    }

    #[pg_test]
    fn a_partial_execution_answers_no_other_one() {
        let paging = json!({"paging": {"style": "page", "page_size": 5}});
        let api = api("a_partial_execution_answers_no_other", &paging);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'page')");
        assert_eq!(
            rows("SELECT n, shelf, (SELECT count(*) FROM (SELECT FROM items i WHERE i.shelf = v.shelf OFFSET 0 LIMIT n) l)
                  FROM (VALUES (1, 1), (99, 2), (99, 1), (1, 2), (2, 1)) v(n, shelf)"),
            ["(1,1,1)", "(99,2,10)", "(99,1,10)", "(1,2,1)", "(2,1,2)"]
        );
        let page = |shelf: u32, page: u32| format!("GET /items?shelf={shelf}&page={page}");
        assert_eq!(
            api.requests(),
            [
                page(1, 1),
                page(2, 1),
                page(2, 2),
                page(2, 3),
                page(1, 1),
                page(1, 2),
                page(1, 3)
            ]
        );
    }

    #[pg_test]
    fn after_an_error_everything_is_asked_again() {
        let fault = json!({"faults": [{"kind": "status", "status": 500, "on": 3, "times": 1}]});
        let api = api("after_an_error_everything_is_asked_again", &fault);
        create_orders();
        assert_eq!(error(JOIN).code, "HV00M");
        // Four are in flight at once: what began before the error was seen is on its way.
        let begun = api.requests().len();
        assert!((4..20).contains(&begun), "{begun}");
        assert_eq!(rows(JOIN).len(), 50);
        assert_eq!(api.requests().len(), 20);
    }

    #[pg_test]
    fn every_execution_of_a_prepared_statement_asks() {
        let api = api("every_execution_of_a_prepared_statement", &json!({}));
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE one(int) AS SELECT name FROM items WHERE id = $1");
        for _ in 0..2 {
            assert_eq!(column("EXECUTE one(3)"), ["n3"]);
        }
        assert_eq!(api.requests(), ["GET /items?id=3"; 2]);
    }

    #[pg_test]
    fn a_scrolling_cursor_asks_once() {
        let api = api("a_scrolling_cursor_asks_once", &json!({}));
        run("DECLARE c SCROLL CURSOR FOR SELECT id FROM items WHERE shelf = 1 ORDER BY id");
        for (fetch, expected) in [
            ("FORWARD 2", vec!["(1)", "(5)"]),
            ("FIRST", vec!["(1)"]),
            ("LAST", vec!["(37)"]),
            ("ABSOLUTE 3", vec!["(9)"]),
            ("BACKWARD 2", vec!["(5)", "(1)"]),
        ] {
            let found: Vec<String> = Spi::connect_mut(|client| {
                let table = client
                    .update(&format!("FETCH {fetch} FROM c"), None, &[])
                    .expect("it fetches");
                table
                    .map(|row| format!("({})", row.get::<i32>(1).expect("an id").expect("a value")))
                    .collect()
            });
            assert_eq!(found, expected, "{fetch}");
        }
        assert_eq!(api.requests(), ["GET /items?shelf=1"]);
    }

    #[pg_test]
    fn functions_that_are_called_for_each_row_share_nothing() {
        let api = api("functions_share_nothing", &json!({}));
        run(
            "CREATE FUNCTION name_of(int) RETURNS text LANGUAGE plpgsql AS $$
             BEGIN RETURN (SELECT name FROM items WHERE id = $1); END $$",
        );
        assert_eq!(
            rows("SELECT name_of(1 + g % 2) FROM generate_series(1, 4) g"),
            ["(n2)", "(n1)", "(n2)", "(n1)"]
        );
        assert_eq!(api.requests().len(), 4);
        assert_eq!(api.requests(), NONE);
    }
}

//! Joins by look-ups whose outer rows are read ahead: fewer requests, or several at once, and the same rows.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// A thousand items, `id` from 1 on, and only nested loops. `filter` is what the column `id` declares.
    fn api(space: &str, filter: &str, extra: &Value) -> Api {
        let items: Vec<Value> = (1..=1_000)
            .map(|id| json!({"id": id, "name": format!("n{id}"), "shelf": id % 7}))
            .collect();
        let mut route = json!({
            "rows": items,
            "filters": [
                {"param": "id", "type": "number"}, {"param": "ids", "field": "id", "op": "in", "type": "number"},
                {"param": "shelf", "type": "number"},
            ],
            "paging": {"style": "none"},
        });
        let extra = extra.as_object().expect("an object").clone();
        route.as_object_mut().expect("an object").extend(extra);
        let api = Api::new(space, &json!({"routes": {"/items": route}}));
        api.create_server("");
        run(&format!(
            "CREATE FOREIGN TABLE items (
               id int OPTIONS (filter '{filter}'), name text, shelf int OPTIONS (filter '=')
             ) SERVER api OPTIONS (endpoint '/items', key 'id', rows_estimate '10000000', max_list_size '100')"
        ));
        run("SET LOCAL rest_fdw.read_ahead = 1000");
        for setting in ["hashjoin", "mergejoin", "material"] {
            run(&format!("SET LOCAL enable_{setting} = off"));
        }
        api
    }

    /// So many rows, with as many different values of `item`, unsorted.
    fn create_orders(count: usize, items: usize) {
        run(&format!(
            "CREATE TABLE orders AS SELECT n, (n * 7) % {items} + 1 AS item FROM generate_series(1, {count}) n"
        ));
        run("ANALYZE orders");
    }

    const JOIN: &str = "SELECT o.n, i.name FROM orders o JOIN items i ON i.id = o.item";

    fn sorted(query: &str) -> Vec<String> {
        let mut found = rows(query);
        found.sort();
        found
    }

    /// The rows are those of looking up one outer row at a time.
    fn assert_same(query: &str) {
        let found = sorted(query);
        run("SET LOCAL rest_fdw.read_ahead = 0");
        assert_eq!(found, sorted(query), "{query}");
        run("SET LOCAL rest_fdw.read_ahead = 1000");
    }

    #[pg_test]
    fn a_thousand_outer_rows_are_ten_lists_of_a_hundred() {
        let api = api("ten_lists", "=, in ids", &json!({}));
        create_orders(1_000, 1_000);
        assert_eq!(rows(JOIN).len(), 1_000);
        let requests = api.requests();
        assert_eq!(requests.len(), 10, "{requests:#?}");
        for request in requests {
            assert!(request.starts_with("GET /items?ids="), "{request}");
            assert_eq!(
                request.matches("%2C").count() + request.matches(',').count(),
                99
            );
        }
        assert_same(JOIN);
    }

    #[pg_test]
    fn without_lists_several_are_in_flight_at_once() {
        let api = api("several_in_flight", "=", &json!({"delay_ms": 5}));
        create_orders(60, 20);
        assert_eq!(rows(JOIN).len(), 60);
        let mut expected: Vec<String> = (1..=20).map(|id| format!("GET /items?id={id}")).collect();
        expected.sort();
        assert!(api.client().max_in_flight(api.space()) > 1);
        assert_eq!(api.sorted_requests(), expected);
        assert_same(JOIN);
    }

    #[pg_test]
    fn every_kind_of_join_returns_what_it_does_one_row_at_a_time() {
        for (space, filter) in [("lists", "=, in ids"), ("values", "=")] {
            let api = api(&format!("kinds_of_joins_{space}"), filter, &json!({}));
            run("CREATE TABLE orders (n int, item int)");
            run(
                "INSERT INTO orders SELECT n, nullif(n % 40, 3) + 990 FROM generate_series(1, 80) n",
            );
            run("ANALYZE orders");
            for query in [
                "SELECT o.n, i.id, i.shelf FROM orders o JOIN items i ON i.id = o.item",
                "SELECT o.n, i.id FROM orders o LEFT JOIN items i ON i.id = o.item AND i.shelf = 2",
                "SELECT o.n, i.id FROM orders o LEFT JOIN items i ON i.id = o.item WHERE i.id IS NULL",
                "SELECT o.n FROM orders o WHERE EXISTS (SELECT FROM items i WHERE i.id = o.item)",
                "SELECT o.n FROM orders o WHERE NOT EXISTS (SELECT FROM items i WHERE i.id = o.item AND i.name <> 'n995')",
                "SELECT o.n, p.n, i.name FROM orders o JOIN orders p ON p.n = o.n + 1 JOIN items i ON i.id = p.item",
                "SELECT o.n, i.name, k.name FROM orders o JOIN items i ON i.id = o.item JOIN items k ON k.id = i.id - 1",
                "SELECT o.n, (SELECT string_agg(i.name, ' ' ORDER BY i.id) FROM orders q JOIN items i ON i.id = q.item WHERE q.n < o.n % 5)
                   FROM orders o",
                "SELECT DISTINCT i.shelf FROM orders o JOIN items i ON i.id = o.item AND i.shelf = o.n % 7",
                "SELECT o, i FROM orders o JOIN items i ON i.id = o.item",
            ] {
                assert_same(query);
            }
            drop(api);
            run("DROP TABLE orders; DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn an_api_that_ignores_the_list_changes_nothing() {
        let api = api(
            "ignores_the_list",
            "=, in ids",
            &json!({"ignore_filters": true}),
        );
        create_orders(30, 30);
        assert_same(JOIN);
        drop(api);
    }

    #[pg_test]
    fn explain_names_the_node_and_what_it_does() {
        let api = api("explain_read_ahead", "=, in ids", &json!({}));
        create_orders(300, 300);
        let plan = explain("COSTS OFF", JOIN);
        let node = "->  Custom Scan (rest_fdw Read Ahead)".to_owned();
        assert!(plan.contains(&node), "{plan:#?}");
        let does = "Look-ups: lists of up to 100 values, up to 4 requests at once".to_owned();
        assert!(plan.contains(&does), "{plan:#?}");
        assert_eq!(api.requests(), [""; 0]);
        let analyzed = explain("ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", JOIN);
        assert!(
            analyzed.contains(&"Lookups Read Ahead: 300".to_owned()),
            "{analyzed:#?}"
        );
        assert!(
            analyzed.contains(&"Requests: 3".to_owned()),
            "{analyzed:#?}"
        );
        run("SET LOCAL rest_fdw.read_ahead = 0");
        let plan = explain("COSTS OFF", JOIN);
        assert!(!plan.contains(&node), "{plan:#?}");
    }

    #[pg_test]
    fn a_query_that_may_stop_early_reads_nothing_ahead() {
        let api = api("stops_early", "=", &json!({}));
        create_orders(50, 50);
        assert_eq!(rows(&format!("{JOIN} LIMIT 2")).len(), 2);
        assert_eq!(api.requests().len(), 2);
    }

    #[pg_test]
    fn a_generic_plan_reads_ahead_again_and_again() {
        let api = api("generic_plans", "=, in ids", &json!({}));
        create_orders(200, 200);
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run(
            "PREPARE lookups(int) AS SELECT count(i.name)::text FROM orders o JOIN items i ON i.id = o.item AND o.n <= $1",
        );
        for (most, requests) in [(200, 2), (1, 1), (0, 0), (150, 2)] {
            let found = column(&format!("EXECUTE lookups({most})"));
            assert_eq!(found, [most.to_string()]);
            assert_eq!(api.requests().len(), requests, "{most}");
        }
    }

    #[pg_test]
    fn an_error_in_the_middle_is_the_statements_and_the_next_one_works() {
        let faults = json!({"faults": [{"kind": "status", "status": 500, "on": 7}]});
        let api = api("error_in_the_middle", "=", &faults);
        create_orders(40, 40);
        assert_eq!(error(JOIN).code, "HV00M");
        assert_eq!(rows(JOIN).len(), 40);
        drop(api);
    }

    #[pg_test]
    fn rows_beyond_the_setting_are_read_ahead_in_turn() {
        let api = api("in_turn", "=, in ids", &json!({}));
        create_orders(250, 250);
        run("SET LOCAL rest_fdw.read_ahead = 50");
        assert_eq!(rows(JOIN).len(), 250);
        assert_eq!(api.requests().len(), 5);
    }
}

//! Statistics: what ANALYZE reads, what is expected without it, and which plans follow.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};
    use std::collections::HashSet;

    /// Generated rows below `data`, ten a page; `more` goes into the route's paging.
    fn items(count: usize, more: Value) -> Value {
        let mut paging = json!({"style": "page", "page_size": 10});
        let more = more.as_object().unwrap().clone();
        paging.as_object_mut().unwrap().extend(more);
        json!({"routes": {"/items": {
            "generate": {"kind": "items", "count": count},
            "shape": {"path": "data"},
            "paging": paging,
            "filters": [{"param": "id", "type": "number"}, {"param": "state"}],
        }}})
    }

    fn create_items(options: &str) {
        run(&format!(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter '='), state text OPTIONS (filter '='), labels text[])
             SERVER api OPTIONS (endpoint '/items', rows 'data'{options})"
        ));
    }

    /// The rows that ANALYZE stored.
    fn stored(table: &str) -> f32 {
        Spi::get_one(&format!(
            "SELECT reltuples FROM pg_class WHERE relname = '{table}'"
        ))
        .unwrap()
        .unwrap()
    }

    /// The rows that the planner expects of a query's top node.
    fn expected(sql: &str) -> i64 {
        let plan = column(&format!("SELECT pg_temp.expected_rows({})", quoted(sql)));
        plan[0].parse().unwrap()
    }

    fn quoted(sql: &str) -> String {
        pgrx::spi::quote_literal(sql)
    }

    fn create_expected_rows() {
        run(
            "CREATE FUNCTION pg_temp.expected_rows(query text) RETURNS text LANGUAGE plpgsql AS $$
             DECLARE plan json;
             BEGIN
               EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
               RETURN plan->0->'Plan'->>'Plan Rows';
             END $$",
        );
    }

    #[pg_test]
    fn analyze_reads_pages_from_all_parts_of_a_table() {
        for (space, paging, options) in [
            (
                "analyze_spread_page",
                json!({"total_field": "total"}),
                ", pagination 'page', total_field 'total'",
            ),
            (
                "analyze_spread_offset",
                json!({"style": "offset", "total_header": "X-Total"}),
                ", pagination 'offset', total_header 'X-Total'",
            ),
            (
                "analyze_spread_count",
                json!({"page_count_field": "pages"}),
                ", pagination 'page', page_count_field 'pages'",
            ),
        ] {
            let api = Api::new(space, &items(100_000, paging));
            api.create_server("");
            create_items(options);
            run("ANALYZE items");
            assert_eq!(stored("items"), 100_000.0, "{space}");
            let requests = api.requests();
            assert_eq!(requests.len(), 30, "{space}");
            let distinct: HashSet<_> = requests.iter().collect();
            assert_eq!(distinct.len(), 30, "{space}: {requests:#?}");
            let bounds = column(
                "SELECT (histogram_bounds::text::int[])[array_length(histogram_bounds::text::int[], 1)]::text
                 FROM pg_stats WHERE tablename = 'items' AND attname = 'id'",
            );
            let largest: i32 = bounds[0].parse().unwrap();
            assert!(largest > 96_000, "{space}: {largest}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn analyze_asks_for_the_largest_pages() {
        let paging = json!({"total_field": "total", "max_page_size": 250});
        let api = Api::new("analyze_largest_pages", &items(500, paging));
        api.create_server("");
        create_items(
            ", pagination 'page', total_field 'total', page_size '10', page_size_param 'per_page', max_page_size '250'",
        );
        run("ANALYZE items");
        assert_eq!(stored("items"), 500.0);
        assert_eq!(
            api.requests(),
            [
                "GET /items?per_page=250&page=1",
                "GET /items?page=2&per_page=250"
            ]
        );
    }

    #[pg_test]
    fn a_declared_total_that_the_api_does_not_send_is_done_without() {
        let api = Api::new("analyze_no_total", &items(35, json!({})));
        api.create_server("");
        create_items(", pagination 'page', total_field 'total'");
        run("ANALYZE items");
        assert_eq!(stored("items"), 35.0);
        let pages = ["1", "1", "2", "3", "4", "5"];
        assert_eq!(
            api.requests(),
            pages.map(|page| format!("GET /items?page={page}"))
        );
    }

    #[pg_test]
    fn without_a_total_pages_are_read_from_the_front() {
        let paging = json!({"style": "cursor", "cursor_field": "next"});
        let api = Api::new("analyze_front", &items(1_000, paging));
        api.create_server("");
        let options = ", pagination 'cursor', cursor_param 'cursor', cursor_field 'next'";
        create_items(options);
        run("ANALYZE items");
        assert_eq!(api.requests().len(), 30);
        assert_eq!(stored("items"), 300.0);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD rows_estimate '5000')");
        run("ANALYZE items");
        assert_eq!(stored("items"), 5000.0);
    }

    #[pg_test]
    fn where_the_end_is_reached_the_rows_are_counted() {
        let paging = json!({"style": "link"});
        let api = Api::new("analyze_to_the_end", &items(42, paging));
        api.create_server("");
        create_items(", pagination 'link', rows_estimate '5000'");
        run("ANALYZE items");
        assert_eq!(stored("items"), 42.0);
        assert_eq!(api.requests().len(), 5);
    }

    #[pg_test]
    fn other_bounds_bound_analyze_without_an_error() {
        let api = Api::new("analyze_bounds", &items(1_000, json!({})));
        api.create_server(", max_pages '7'");
        create_items(", pagination 'page'");
        run("ANALYZE items");
        assert_eq!(api.requests().len(), 7);
        run("SET rest_fdw.max_requests = 3");
        run("ANALYZE items");
        run("RESET rest_fdw.max_requests");
        assert_eq!(api.requests().len(), 3);
    }

    #[pg_test]
    fn column_statistics_come_from_the_rows() {
        let listed: Vec<Value> = (0..40)
            .map(|id| json!({"id": id, "state": if id % 4 == 0 { "open" } else { "closed" }, "labels": null}))
            .collect();
        let api = Api::new(
            "analyze_columns",
            &json!({"routes": {"/items": {"rows": listed, "shape": {"path": "data"}}}}),
        );
        api.create_server("");
        create_items(", pagination 'none'");
        run("ANALYZE items");
        assert_eq!(
            column(
                "SELECT concat_ws(' ', attname, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs)
                 FROM pg_stats WHERE tablename = 'items' ORDER BY attname"
            ),
            [
                "id 0 4 -1",
                "labels 1 0 0",
                "state 0 6 2 {closed,open} {0.75,0.25}"
            ]
        );
        assert_eq!(
            rows("SELECT correlation FROM pg_stats WHERE tablename = 'items' AND attname = 'id'"),
            ["(1)"],
            "the sample keeps the order of the API"
        );
    }

    #[pg_test]
    fn an_empty_table_is_known_to_be_empty() {
        let api = Api::new("analyze_empty", &items(0, json!({})));
        api.create_server("");
        create_items(", pagination 'page', rows_estimate '5000'");
        create_expected_rows();
        assert_eq!(expected("SELECT * FROM items"), 5000);
        run("ANALYZE items");
        assert_eq!(stored("items"), 0.0);
        assert_eq!(expected("SELECT * FROM items"), 1);
        assert_eq!(api.requests(), ["GET /items?page=1"]);
    }

    #[pg_test]
    fn a_table_with_required_parameters_is_skipped_without_a_request() {
        let api = Api::new("analyze_required", &items(100, json!({})));
        api.create_server("");
        run("CREATE FOREIGN TABLE items (id int, owner text OPTIONS (param 'owner', required 'true'))
             SERVER api OPTIONS (endpoint '/items', rows 'data')");
        run("ANALYZE items");
        assert_eq!(api.requests(), Vec::<String>::new());
        assert_eq!(
            column("SELECT attname::text FROM pg_stats WHERE tablename = 'items'"),
            Vec::<String>::new()
        );
    }

    #[pg_test]
    fn an_error_of_the_api_ends_analyze_and_leaves_no_statistics() {
        let mut scenario = items(1_000, json!({"total_field": "total"}));
        scenario["routes"]["/items"]["faults"] =
            json!([{"kind": "status", "status": 500, "on": 4}]);
        let api = Api::new("analyze_error", &scenario);
        api.create_server("");
        create_items(", pagination 'page', total_field 'total'");
        let failed = error("ANALYZE items");
        assert_eq!(
            failed.message, "the API answered with status 500",
            "{failed:?}"
        );
        assert_eq!(
            column("SELECT attname::text FROM pg_stats WHERE tablename = 'items'"),
            Vec::<String>::new()
        );
        run("ANALYZE items");
        assert_eq!(stored("items"), 1_000.0);
    }

    #[pg_test]
    fn partitions_are_sampled_with_their_parent() {
        let api = Api::new("analyze_partitions", &items(40, json!({})));
        api.create_server("");
        run("CREATE TABLE parent (id int, state text) PARTITION BY LIST (state)");
        run(
            "CREATE FOREIGN TABLE part PARTITION OF parent FOR VALUES IN ('open', 'closed')
             SERVER api OPTIONS (endpoint '/items', rows 'data', pagination 'page')",
        );
        run("ANALYZE parent");
        assert_eq!(
            rows("SELECT n_distinct FROM pg_stats WHERE tablename = 'parent' AND attname = 'id'"),
            ["(-1)"]
        );
        let requests = api.requests();
        assert!(requests.len() >= 5, "{requests:#?}");
    }

    #[pg_test]
    fn the_last_total_that_the_api_reported_is_expected() {
        let paging = json!({"total_header": "X-Total"});
        let api = Api::new("reported_total", &items(5_000, paging));
        api.create_server("");
        create_items(", pagination 'page', total_header 'X-Total', rows_estimate '70'");
        create_expected_rows();
        assert_eq!(expected("SELECT * FROM items"), 70);
        rows("SELECT id FROM items WHERE state = 'open' LIMIT 1");
        assert_eq!(expected("SELECT * FROM items"), 70, "a filter was sent");
        rows("SELECT id FROM items LIMIT 1");
        assert_eq!(expected("SELECT * FROM items"), 5_000);
        assert_eq!(api.requests().len(), 2);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD query '{\"other\": \"1\"}')");
        assert_eq!(
            expected("SELECT * FROM items"),
            70,
            "other rows are asked for"
        );
        run("ALTER FOREIGN TABLE items OPTIONS (DROP query)");
        run("ALTER FOREIGN TABLE items OPTIONS (DROP total_header)");
        run("SET rest_fdw.max_requests = 3");
        run("ANALYZE items");
        assert_eq!(expected("SELECT * FROM items"), 70, "ANALYZE comes first");
    }

    fn create_outer(name: &str, count: u32, distinct: u32) {
        run(&format!(
            "CREATE TEMP TABLE {name} AS SELECT g % {distinct} + 1 AS item FROM generate_series(1, {count}) g"
        ));
        run(&format!("ANALYZE {name}"));
    }

    #[pg_test]
    fn few_outer_rows_look_up_in_a_large_table() {
        let api = Api::new("few_look_up", &items(1_000, json!({})));
        api.create_server(", latency '100ms'");
        create_items(", pagination 'page', rows_estimate '1000000', key 'id'");
        create_outer("few", 20, 20);
        let sql = "SELECT count(*) FROM few JOIN items ON items.id = few.item";
        let plan = explain("COSTS OFF", sql);
        assert!(plan.contains(&"->  Nested Loop".to_owned()), "{plan:#?}");
        assert_eq!(api.requests(), Vec::<String>::new());
        assert_eq!(column(&format!("SELECT ({sql})::text")), ["20"]);
        let requests = api.requests();
        assert!(
            requests.iter().all(|request| request.contains("id=")),
            "{requests:#?}"
        );
    }

    #[pg_test]
    fn many_outer_rows_read_a_small_table_once() {
        let api = Api::new("many_read_once", &items(1_000, json!({})));
        api.create_server(", latency '100ms'");
        create_items(", pagination 'none', rows_estimate '1000', key 'id'");
        create_outer("many", 100_000, 100_000);
        let sql = "SELECT count(*) FROM many JOIN items ON items.id = many.item";
        let plan = explain("COSTS OFF", sql);
        assert!(plan.contains(&"->  Hash Join".to_owned()), "{plan:#?}");
        rows(sql);
        assert_eq!(api.requests(), ["GET /items"]);
    }

    #[cfg(not(feature = "pg13"))]
    #[pg_test]
    fn memoize_makes_one_request_a_distinct_value() {
        let api = Api::new("memoize", &items(1_000, json!({})));
        api.create_server(", latency '100ms'");
        create_items(", pagination 'none', rows_estimate '1000000', key 'id'");
        create_outer("repeated", 2_000, 20);
        run("SET LOCAL rest_fdw.read_ahead = 0");
        let sql = "SELECT count(*) FROM repeated JOIN items ON items.id = repeated.item";
        let plan = explain("COSTS OFF", sql);
        assert!(plan.contains(&"->  Memoize".to_owned()), "{plan:#?}");
        assert_eq!(column(&format!("SELECT ({sql})::text")), ["2000"]);
        assert_eq!(api.requests().len(), 20);
    }

    #[pg_test]
    fn a_split_list_costs_its_rounds_of_requests() {
        let api = Api::new("split_list_costs", &items(1_000, json!({})));
        api.create_server(", latency '100ms', max_concurrency '4'");
        create_items(", pagination 'none'");
        // In units of one request: 100 ms are 10,000 cost units.
        let cost = |values: u32| {
            let list: Vec<_> = (1..=values).map(|value| value.to_string()).collect();
            let sql = format!("SELECT * FROM items WHERE id IN ({})", list.join(", "));
            let plan = explain("COSTS ON", &sql);
            let total = plan[0].split("..").nth(1).unwrap();
            let total: f64 = total.split(' ').next().unwrap().parse().unwrap();
            (total / 10_000.0).round()
        };
        assert_eq!([2, 4, 5, 8, 9].map(cost), [1.0, 1.0, 2.0, 2.0, 3.0]);
        assert_eq!(api.requests(), Vec::<String>::new());
    }
}

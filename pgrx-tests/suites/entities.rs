//! Single rows by their key: the endpoint of one row is asked, and nothing of the query is lost there.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, explain, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Twenty items; `/items/{id}` answers with one of them, or with 404.
    fn api(space: &str) -> Api {
        let rows: Vec<Value> = (1..=20)
            .map(|id| json!({"id": id, "name": format!("n{id}"), "state": if id % 2 == 0 { "even" } else { "odd" }}))
            .collect();
        let list = json!({"rows": rows, "filters": [{"param": "state"}]});
        let one = json!({"rows": rows, "shape": "single", "path_filters": {"id": "id"}});
        let api = Api::new(
            space,
            &json!({"routes": {"/items": list, "/items/{id}": one}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE items (id int, name text, state text OPTIONS (filter '= exact')) SERVER api
             OPTIONS (endpoint '/items', entity_endpoint '/items/{id}', key 'id', recheck 'off')");
        api
    }

    #[pg_test]
    fn a_key_is_one_request_for_one_row() {
        let api = api("a_key_is_one_request");
        assert_eq!(column("SELECT name FROM items WHERE id = 7"), ["n7"]);
        assert_eq!(api.requests(), ["GET /items/7"]);
        assert!(column("SELECT name FROM items WHERE id = 99").is_empty());
        assert_eq!(api.requests(), ["GET /items/99"], "404 is no row");
        run("PREPARE one(int) AS SELECT name FROM items WHERE id = $1");
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        assert_eq!(column("EXECUTE one(3)"), ["n3"]);
        assert!(column("EXECUTE one(NULL)").is_empty());
        assert_eq!(api.requests(), ["GET /items/3"]);
    }

    #[pg_test]
    fn what_else_must_be_true_is_checked_here() {
        let api = api("what_else_must_be_true");
        let odd = "SELECT name FROM items WHERE id = 7 AND state = 'odd'";
        assert_eq!(column(odd), ["n7"]);
        assert!(column("SELECT name FROM items WHERE id = 7 AND state = 'even'").is_empty());
        assert_eq!(api.requests(), ["GET /items/7", "GET /items/7"]);
        let lines = explain("COSTS OFF", odd);
        let line = |label: &str| lines.iter().find(|line| line.starts_with(label)).cloned();
        let request = format!("Remote Request: GET {}/items/7", api.url());
        assert_eq!(line("Remote Request"), Some(request));
        assert_eq!(
            line("Remote Filter"),
            Some("Remote Filter: (id = 7) (superset)".to_owned())
        );
        assert_eq!(
            line("Recheck"),
            Some("Recheck: (id = 7), (state = 'odd'::text)".to_owned())
        );
    }

    #[pg_test]
    fn joins_look_rows_up_by_their_key() {
        let api = api("joins_look_rows_up");
        run("CREATE TABLE orders AS SELECT unnest(ARRAY[3, 5, 3, 99, NULL]) AS item");
        run("ANALYZE orders");
        run("ALTER FOREIGN TABLE items OPTIONS (ADD rows_estimate '1000000')");
        let mut found =
            column("SELECT i.name FROM orders o JOIN items i ON i.id = o.item ORDER BY 1");
        found.sort();
        assert_eq!(found, ["n3", "n3", "n5"]);
        assert_eq!(
            api.sorted_requests(),
            ["GET /items/3", "GET /items/5", "GET /items/99"]
        );
    }

    #[pg_test]
    fn without_the_key_or_without_pushdown_the_list_is_read() {
        let api = api("without_the_key");
        assert_eq!(
            column("SELECT count(*)::text FROM items WHERE id IN (7, 8)"),
            ["2"]
        );
        assert_eq!(api.requests(), ["GET /items"]);
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(column("SELECT name FROM items WHERE id = 7"), ["n7"]);
        assert_eq!(api.requests(), ["GET /items"]);
    }
}

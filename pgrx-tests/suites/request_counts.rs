//! How many requests a query costs: no more than the API's own means allow.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, run};
    use pgrx::prelude::*;
    use serde_json::json;

    /// 2,000 items in pages of at most 1,000.
    fn api(space: &str) -> Api {
        let route = json!({
            "generate": {"kind": "items", "count": 2000},
            "filters": [
                {"param": "id", "type": "number"},
                {"param": "ids", "field": "id", "op": "in", "type": "number"},
            ],
            "paging": {"style": "page", "page_size": 1000, "size_param": "limit"},
        });
        let api = Api::new(space, &json!({"routes": {"/items": route}}));
        api.create_server(", pagination 'page', page_size '100', page_size_param 'limit'");
        api
    }

    /// Every second identifier, one thousand of them, each named twice.
    const EVERY_SECOND: &str = "SELECT count(*)::text FROM items WHERE id = ANY (ARRAY(SELECT n * 2 - 1 FROM generate_series(1, 1000) n, generate_series(1, 2)))";

    #[pg_test]
    fn a_limit_without_local_filters_is_one_request_of_as_many_rows() {
        let api = api("a_limit_without_local_filters");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter '= exact')) SERVER api OPTIONS (endpoint '/items')",
        );
        assert_eq!(column("SELECT id::text FROM items LIMIT 10").len(), 10);
        assert_eq!(api.requests(), ["GET /items?limit=10&page=1"]);
        let rest = column("SELECT id::text FROM items LIMIT 10 OFFSET 5");
        assert_eq!(rest.first().map(String::as_str), Some("6"));
        assert_eq!(api.requests(), ["GET /items?limit=15&page=1"]);
    }

    #[pg_test]
    fn a_thousand_values_in_lists_of_a_hundred_are_ten_requests() {
        let api = api("a_thousand_values_in_lists");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter 'in ids')) SERVER api
             OPTIONS (endpoint '/items', pagination 'none', max_list_size '100')",
        );
        assert_eq!(column(EVERY_SECOND), ["1000"]);
        let requests = api.sorted_requests();
        assert_eq!(requests.len(), 10, "{requests:#?}");
        let values: Vec<&str> = requests
            .iter()
            .flat_map(|request| {
                let (_, list) = request.split_once("ids=").expect("a list");
                list.split('&').next().expect("its values").split(',')
            })
            .collect();
        assert_eq!(values.len(), 1000);
    }

    #[pg_test]
    fn a_thousand_values_without_lists_are_a_thousand_requests() {
        let api = api("a_thousand_values_without_lists");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter '=')) SERVER api
             OPTIONS (endpoint '/items', pagination 'none')",
        );
        assert_eq!(column(EVERY_SECOND), ["1000"]);
        let mut requests = api.sorted_requests();
        assert_eq!(requests.len(), 1000);
        requests.dedup();
        assert_eq!(requests.len(), 1000, "no value is asked for twice");
    }

    #[pg_test]
    fn more_requests_than_may_be_made_are_refused_before_the_first() {
        let api = api("more_requests_than_may_be_made");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter '=')) SERVER api
             OPTIONS (endpoint '/items', pagination 'none')",
        );
        run("SET LOCAL rest_fdw.max_requests = 10");
        let refused = error(EVERY_SECOND);
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            (
                "53400",
                "the 1000 requests that all rows take (setting \"rest_fdw.max_requests\") would exceed the limit of 10"
            )
        );
        assert_eq!(api.requests(), Vec::<String>::new());
        run("SET LOCAL rest_fdw.max_requests = 1000");
        assert_eq!(column(EVERY_SECOND), ["1000"]);
        api.requests();
        run("SET LOCAL rest_fdw.max_requests = 0");
        run("ALTER SERVER api OPTIONS (ADD max_requests '999')");
        let refused = error(EVERY_SECOND);
        assert!(
            refused
                .message
                .contains("(option \"max_requests\" of the server) would exceed the limit of 999"),
            "{refused:?}"
        );
        assert_eq!(api.requests(), Vec::<String>::new());
        // A query that stops early may need fewer.
        let first = EVERY_SECOND.replace("count(*)::text", "id::text") + " LIMIT 1";
        assert_eq!(column(&first), ["1"]);
    }

    #[pg_test]
    fn a_list_too_long_for_a_url_is_several() {
        let api = api("a_list_too_long_for_a_url");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter 'in ids')) SERVER api
             OPTIONS (endpoint '/items', pagination 'none', page_size '1000', max_url_length '2000')",
        );
        assert_eq!(
            column(
                "SELECT sum(id)::text FROM items WHERE id = ANY (ARRAY(SELECT generate_series(1, 400)))"
            ),
            ["80200"]
        );
        let requests = api.requests();
        assert!(requests.len() > 1, "{requests:#?}");
        let longest = requests.iter().map(String::len).max().unwrap_or_default();
        assert!(longest < 2100, "a URL of {longest} bytes");
    }
}

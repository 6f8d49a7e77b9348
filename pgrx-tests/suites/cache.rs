//! What is answered by stored responses, what EXPLAIN says of it, and what is asked for all the same.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Three items, two a page.
    fn route(headers: &Value) -> Value {
        json!({
            "rows": [{"id": 1}, {"id": 2}, {"id": 3}],
            "paging": {"style": "page", "page_size": 2, "total_header": "X-Total"},
            "headers": headers,
            "validates": true,
        })
    }

    /// An API with these header fields, and a server and a table with these options.
    fn api(space: &str, headers: &Value, options: &str) -> Api {
        let api = Api::new(space, &json!({"routes": {"/items": route(headers)}}));
        api.create_server(options);
        run("CREATE FOREIGN TABLE items (id int) SERVER api
             OPTIONS (endpoint '/items', pagination 'page', total_header 'X-Total', page_size '2', page_size_param 'per_page')");
        api
    }

    const PAGES: [&str; 2] = [
        "GET /items?per_page=2&page=1",
        "GET /items?per_page=2&page=2",
    ];
    const READ: &str = "SELECT id::text FROM items";

    fn read_three() {
        assert_eq!(column(READ), ["1", "2", "3"]);
    }

    /// The lines that tell of the cache.
    fn told(options: &str, sql: &str) -> Vec<String> {
        let mut lines = explain(options, sql);
        lines.retain(|line| line.contains("Cache") || line.starts_with("Requests"));
        lines
    }

    const ANALYZE: &str = "ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF";

    #[pg_test]
    fn a_fresh_response_answers_the_next_statement_without_a_request() {
        let api = api(
            "cache_fresh",
            &json!({"Cache-Control": "private, max-age=600"}),
            ", cache 'http'",
        );
        read_three();
        assert_eq!(api.sorted_requests(), PAGES);
        read_three();
        let lines = told(ANALYZE, READ);
        assert_eq!(
            lines,
            [
                "Cache: http",
                "Requests: 0",
                "Cache Hits: 2",
                "Cache Revalidated: 0"
            ]
        );
        assert!(api.requests().is_empty());
        // Another request is another response.
        assert_eq!(column("SELECT id::text FROM items LIMIT 1"), ["1"]);
        assert_eq!(api.requests(), ["GET /items?per_page=1&page=1"]);
    }

    #[pg_test]
    fn a_response_without_a_time_is_validated_each_time() {
        for (space, validator) in [
            ("cache_etag", json!({"ETag": "\"v1\""})),
            (
                "cache_modified",
                json!({"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}),
            ),
        ] {
            let api = api(space, &validator, ", cache 'http'");
            read_three();
            assert_eq!(api.sorted_requests(), PAGES);
            let lines = told(ANALYZE, READ);
            assert_eq!(
                lines,
                [
                    "Cache: http",
                    "Requests: 2",
                    "Cache Hits: 2",
                    "Cache Revalidated: 2"
                ]
            );
            let heads = api.client().request_heads(api.space());
            for head in &heads {
                let asked = ["If-None-Match", "If-Modified-Since"].map(|name| head.header(name));
                let own = ["ETag", "Last-Modified"].map(|name| validator[name].as_str());
                assert_eq!(asked, own);
            }
            assert_eq!(heads.len(), 2);
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_changed_response_is_read_anew() {
        let api = api(
            "cache_changed",
            &json!({"ETag": "\"v1\""}),
            ", cache 'http'",
        );
        read_three();
        let mut changed = route(&json!({"ETag": "\"v2\""}));
        changed["rows"] = json!([{"id": 7}]);
        api.client()
            .define(api.space(), &json!({"routes": {"/items": changed}}));
        assert_eq!(column(READ), ["7"]);
        assert_eq!(
            told(ANALYZE, READ)[1..],
            ["Requests: 1", "Cache Hits: 1", "Cache Revalidated: 1"]
        );
    }

    #[pg_test]
    fn what_forbids_it_or_says_nothing_is_not_stored() {
        for (space, headers) in [
            (
                "cache_no_store",
                json!({"Cache-Control": "no-store, max-age=600"}),
            ),
            (
                "cache_vary",
                json!({"Cache-Control": "max-age=600", "Vary": "*"}),
            ),
            ("cache_nothing", json!({})),
        ] {
            let api = api(space, &headers, ", cache 'http'");
            read_three();
            read_three();
            assert_eq!(api.requests().len(), 4, "{space}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn with_ttl_everything_answers_for_its_time() {
        let api = api(
            "cache_ttl",
            &json!({"Cache-Control": "no-cache"}),
            ", cache 'ttl', cache_ttl '1h'",
        );
        read_three();
        read_three();
        assert_eq!(api.sorted_requests(), PAGES);
        let lines = told("COSTS OFF", READ);
        assert_eq!(lines, ["Cache: ttl 3600s"]);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD cache_ttl '1ms'); SELECT pg_sleep(0.01)");
        read_three();
        assert_eq!(api.sorted_requests(), PAGES);
    }

    #[pg_test]
    fn compressed_responses_answer_with_the_same_rows() {
        let mut compressed = route(&json!({"Cache-Control": "max-age=600"}));
        compressed["gzip"] = json!(true);
        let api = Api::new("cache_gzip", &json!({"routes": {"/items": compressed}}));
        api.create_server(", cache 'http'");
        run(
            "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items', pagination 'none')",
        );
        let first = column(READ);
        assert_eq!(column(READ), first);
        assert_eq!(api.requests(), ["GET /items"]);
    }

    #[pg_test]
    fn a_setting_turns_it_off_and_explain_says_so() {
        let api = api("cache_setting", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        read_three();
        run("SET rest_fdw.cache = off");
        read_three();
        assert_eq!(api.requests().len(), 4);
        assert_eq!(
            told("COSTS OFF", READ),
            ["Cache: off, by a setting (else ttl 3600s)"]
        );
        run("RESET rest_fdw.cache; SET rest_fdw.cache_size = 0");
        read_three();
        assert_eq!(api.requests().len(), 2);
    }

    #[pg_test]
    fn posts_and_tables_without_a_cache_are_not_cached() {
        let api = api("cache_post", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        run(
            "ALTER FOREIGN TABLE items OPTIONS (ADD method 'POST', SET pagination 'none', DROP total_header)",
        );
        assert_eq!(told("COSTS OFF", READ), ["Cache: off, only GET is cached"]);
        for _ in 0..2 {
            assert_eq!(column(READ), ["1", "2"]);
        }
        assert_eq!(api.requests().len(), 2);
        run("ALTER FOREIGN TABLE items OPTIONS (DROP method, ADD cache 'off')");
        for _ in 0..2 {
            assert_eq!(column(READ), ["1", "2"]);
        }
        assert_eq!(api.requests().len(), 2);
        assert!(
            told(ANALYZE, READ)[0].starts_with("Requests"),
            "nothing is told of a cache"
        );
    }

    #[pg_test]
    fn analyze_asks_the_api() {
        let api = api("cache_analyze", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        read_three();
        api.requests();
        run("ANALYZE items");
        assert!(!api.requests().is_empty());
    }

    #[pg_test]
    fn an_altered_server_or_mapping_asks_anew() {
        let api = api("cache_altered", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        read_three();
        for change in [
            "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (token 'one')",
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET token 'two')",
            "ALTER SERVER api OPTIONS (ADD headers '{\"X-Purpose\": \"test\"}')",
            "ALTER SERVER api OPTIONS (ADD timeout '20s')",
        ] {
            api.requests();
            run(change);
            read_three();
            assert_eq!(api.sorted_requests(), PAGES, "{change}");
        }
    }

    #[pg_test]
    fn hits_are_told_as_such_and_cost_nothing_of_the_bound() {
        let api = api("cache_told", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        read_three();
        run("SET rest_fdw.max_requests = 1");
        read_three();
        let cached = rows(&format!(
            "SELECT cache, status, bytes FROM rest_fdw_requests() WHERE url LIKE '%{}%' ORDER BY started DESC LIMIT 2",
            api.space()
        ));
        assert_eq!(cached, ["(hit,200,0)", "(hit,200,0)"]);
    }

    #[pg_test]
    fn clearing_removes_what_is_stored() {
        let api = api("cache_clear", &json!({}), ", cache 'ttl', cache_ttl '1h'");
        read_three();
        let clear = "SELECT responses, bytes > 0 FROM rest_fdw_cache_clear('api')";
        assert_eq!(rows(clear), ["(2,t)"]);
        assert_eq!(rows(clear), ["(0,f)"]);
        api.requests();
        read_three();
        assert_eq!(api.sorted_requests(), PAGES);
    }

    #[pg_test]
    fn clearing_a_server_that_is_not_there_is_an_error() {
        let found = error("SELECT * FROM rest_fdw_cache_clear('nowhere')");
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("42704", "server \"nowhere\" does not exist")
        );
    }

    #[pg_test]
    fn options_that_cannot_be_are_refused() {
        let refusal = |options: &str| {
            let found = error(&format!(
                "CREATE SERVER refused FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'https://api.test', {options})"
            ));
            format!("{}: {}", found.message, found.hint)
        };
        assert_eq!(
            refusal("cache 'on'"),
            "invalid value for option \"cache\": \"on\" is not a kind of cache: Valid values are off, http and ttl."
        );
        assert_eq!(
            refusal("cache 'ttl'"),
            "cache 'ttl' needs option \"cache_ttl\": For example: OPTIONS (cache_ttl '5min')."
        );
        assert_eq!(
            refusal("cache 'ttl', cache_ttl '0s'"),
            "invalid value for option \"cache_ttl\": it must be longer than 0: Without a cache: cache 'off'."
        );
    }
}

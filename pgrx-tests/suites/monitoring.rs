//! Seeing what happens: `rest_fdw_requests()`, and the waits for a rate limit.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Twelve items in pages of four.
    fn items() -> Value {
        json!({
            "generate": {"kind": "items", "count": 12},
            "paging": {"style": "page", "page_size": 4, "size_param": "limit"},
        })
    }

    fn api(space: &str, options: &str) -> Api {
        let api = Api::new(space, &json!({"routes": {"/items": items()}}));
        api.create_server(&format!(
            ", pagination 'page', page_size '4', page_size_param 'limit'{options}"
        ));
        run(
            "CREATE FOREIGN TABLE items (id int, name text) SERVER api OPTIONS (endpoint '/items')",
        );
        api
    }

    #[pg_test]
    fn every_request_is_listed_with_what_came_of_it() {
        let api = api("every_request_is_listed", "");
        assert_eq!(column("SELECT count(*)::text FROM items"), ["12"]);
        let listed = column(
            "SELECT concat_ws(' ', server, method, url, status, attempt, cache, body, error) FROM rest_fdw_requests()",
        );
        let line = |page: u32| format!("api GET {}/items?limit=4&page={page} 200 1 off", api.url());
        assert_eq!(listed, [line(1), line(2), line(3), line(4)]);
        assert_eq!(
            column(
                "SELECT bool_and(started BETWEEN now() - interval '1 min' AND clock_timestamp() AND bytes > 0
                   AND transferred = bytes AND duration > interval '0' AND waited = interval '0')::text
                 FROM rest_fdw_requests()"
            ),
            ["true"]
        );
        assert_eq!(
            column("SELECT count(*)::text FROM items CROSS JOIN rest_fdw_requests()"),
            ["48"],
            "a query lists what was before it or comes while it runs, and nothing breaks"
        );
    }

    #[pg_test]
    fn failures_retries_and_what_a_limit_cut_short_are_listed_too() {
        let mut route = items();
        route["faults"] = json!([
            {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}},
            {"kind": "status", "status": 500, "on_page": 3, "times": 0},
        ]);
        let api = Api::new("failures_are_listed", &json!({"routes": {"/items": route}}));
        api.create_server(
            ", pagination 'page', page_size '4', page_size_param 'limit', retry_on '503'",
        );
        run("ALTER SERVER api OPTIONS (SET max_retries '2')");
        run(
            "CREATE FOREIGN TABLE items (id int, name text) SERVER api OPTIONS (endpoint '/items')",
        );
        assert_eq!(error("SELECT * FROM items").code, "HV00M");
        let listed =
            "SELECT concat_ws(' ', right(url, 6), status, attempt, error) FROM rest_fdw_requests()";
        assert_eq!(
            column(listed),
            [
                "page=1 503 1 the API answered with status 503",
                "page=1 200 2",
                "page=2 200 1",
                "page=3 500 1 the API answered with status 500",
            ]
        );
        run("SELECT id FROM items LIMIT 2");
        let limited = column(&format!("{listed} OFFSET 4"));
        assert!(limited[0].starts_with("page=1 200 1"), "{limited:?}");
    }

    #[pg_test]
    fn only_the_last_thousand_are_kept() {
        let api = Api::new(
            "only_the_last_thousand",
            &json!({"routes": {"/items": {"rows": [], "filters": [{"param": "id", "type": "number"}]}}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (filter '= exact')) SERVER api
             OPTIONS (endpoint '/items', pagination 'none')",
        );
        run("SELECT * FROM items WHERE id = ANY (ARRAY(SELECT generate_series(1, 1010)))");
        assert_eq!(api.requests().len(), 1010);
        assert_eq!(
            rows("SELECT count(*), count(DISTINCT url) FROM rest_fdw_requests()"),
            ["(1000,1000)"]
        );
    }

    #[pg_test]
    fn secrets_are_not_listed() {
        let api = api(
            "secrets_are_not_listed",
            ", auth 'api_key', api_key_in 'query'",
        );
        run("CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (api_key 'Wundertuete')");
        run(
            "CREATE FOREIGN TABLE found (id int, q text OPTIONS (param 'q')) SERVER api OPTIONS (endpoint '/items')",
        );
        run("SELECT id FROM found WHERE q = 'is it Wundertuete?'");
        assert!(api.requests()[0].contains("Wundertuete"));
        let listed = column("SELECT r::text FROM rest_fdw_requests() r");
        assert!(listed[0].contains("***"), "{listed:?}");
        assert!(!listed.concat().contains("Wundertuete"), "{listed:?}");
    }

    #[pg_test]
    fn who_may_not_act_as_a_role_does_not_see_its_requests() {
        let _api = api("who_may_not_act_as_a_role", "");
        run(
            "CREATE ROLE rest_fdw_owner; CREATE ROLE rest_fdw_member IN ROLE rest_fdw_owner;
             CREATE ROLE rest_fdw_stranger; CREATE ROLE rest_fdw_monitor IN ROLE pg_read_all_stats;
             GRANT SELECT ON items TO rest_fdw_stranger;
             CREATE VIEW through AS SELECT * FROM items; ALTER VIEW through OWNER TO rest_fdw_owner;
             GRANT SELECT ON items TO rest_fdw_owner; GRANT SELECT ON through TO rest_fdw_stranger;
             SET rest_fdw.allowed_hosts = '127.0.0.1'",
        );
        let seen_by = |role: &str| {
            run(&format!("SET ROLE {role}"));
            let seen = column("SELECT count(*)::text FROM rest_fdw_requests()");
            run("RESET ROLE");
            seen
        };
        run("SET ROLE rest_fdw_stranger");
        run("SELECT * FROM through");
        run("RESET ROLE");
        assert_eq!(
            seen_by("rest_fdw_stranger"),
            ["0"],
            "the view's owner asked"
        );
        run("SET ROLE rest_fdw_stranger");
        run("SELECT * FROM items");
        run("RESET ROLE");
        assert_eq!(seen_by("rest_fdw_stranger"), ["4"]);
        assert_eq!(seen_by("rest_fdw_owner"), ["4"]);
        assert_eq!(seen_by("rest_fdw_member"), ["4"]);
        assert_eq!(seen_by("rest_fdw_monitor"), ["8"]);
        assert_eq!(seen_by("none"), ["8"], "a superuser");
    }

    #[pg_test]
    fn requests_wait_for_the_rate_limit_of_their_server() {
        let api = api("requests_wait_for_the_rate_limit", ", rate_limit '10/s'");
        let query = "SELECT count(*) FROM items";
        assert!(explain("COSTS OFF", query).contains(&"Rate Limit: 10/s".to_owned()));
        let lines = explain("ANALYZE, COSTS OFF", query);
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("Rate Limit Waits: ")),
            "{lines:#?}"
        );
        let seconds = column(
            "SELECT extract(epoch FROM max(started + waited) - min(started + waited))::text FROM rest_fdw_requests()",
        );
        assert!(
            seconds[0].parse::<f64>().expect("a number") >= 0.25,
            "{seconds:?}"
        );
        assert_eq!(api.requests().len(), 4);
        run("ALTER SERVER api OPTIONS (SET rate_limit '1000000/h')");
        assert_eq!(column("SELECT count(*)::text FROM items"), ["12"]);
        let waited = column(
            "SELECT sum(waited)::text FROM (SELECT waited FROM rest_fdw_requests() OFFSET 4) r",
        );
        assert_eq!(waited, ["00:00:00"], "the new limit is not the old one");
    }
}

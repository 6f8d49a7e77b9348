//! Sign-in and constants: which headers, parameters and cookies the API gets, and from whom.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, run};
    use mock_api::RequestHead;
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    fn open(space: &str) -> Api {
        Api::new(space, &json!({"routes": {"/items": {"rows": [{"id": 1}]}}}))
    }

    fn create_items(options: &str) {
        run(&format!(
            "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items'{options})"
        ));
    }

    fn map_user(options: &str) {
        run(&format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS ({options})"
        ));
    }

    /// Reads the table's only row; the one request that it took.
    fn sent(api: &Api) -> RequestHead {
        assert_eq!(column("SELECT id::text FROM items"), ["1"]);
        let mut heads = api.client().request_heads(api.space());
        api.client().clear(api.space());
        assert_eq!(heads.len(), 1, "{heads:#?}");
        heads.remove(0)
    }

    /// Values of all headers of that name.
    fn all<'a>(head: &'a RequestHead, name: &str) -> Vec<&'a str> {
        let named = head
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[pg_test]
    fn without_a_user_mapping_nothing_is_signed() {
        let api = open("without_a_user_mapping");
        api.create_server("");
        create_items("");
        let head = sent(&api);
        assert_eq!(head.line(), "GET /items");
        for name in ["authorization", "cookie", "x-api-key"] {
            assert_eq!(all(&head, name), Vec::<&str>::new(), "{name}");
        }
    }

    #[pg_test]
    fn a_token_is_sent_as_a_bearers_unless_another_scheme_is_set() {
        let api = open("a_token_is_sent");
        api.create_server("");
        create_items("");
        map_user("token 'abc.def'");
        assert_eq!(all(&sent(&api), "authorization"), ["Bearer abc.def"]);
        run("ALTER SERVER api OPTIONS (ADD auth_scheme 'Token')");
        assert_eq!(all(&sent(&api), "authorization"), ["Token abc.def"]);
        run("ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET token 'next')");
        assert_eq!(
            all(&sent(&api), "authorization"),
            ["Token next"],
            "a changed mapping holds at once"
        );
        run("ALTER SERVER api OPTIONS (DROP auth_scheme, ADD auth 'none')");
        assert_eq!(all(&sent(&api), "authorization"), Vec::<&str>::new());
    }

    #[pg_test]
    fn user_name_and_password_are_sent_as_basic_authentication() {
        let api = open("user_name_and_password");
        api.create_server("");
        create_items("");
        map_user("username 'Aladdin', password 'open sesame'");
        assert_eq!(
            all(&sent(&api), "authorization"),
            ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]
        );
        // base64 of "ann:pä:ß" in UTF-8 (RFC 7617, section 2.1)
        run(
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET username 'ann', SET password 'pä:ß')",
        );
        assert_eq!(
            all(&sent(&api), "authorization"),
            ["Basic YW5uOnDDpDrDnw=="]
        );
        run(
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (DROP password, SET username 'key')",
        );
        assert_eq!(all(&sent(&api), "authorization"), ["Basic a2V5Og=="]);
    }

    #[pg_test]
    fn an_api_key_goes_where_the_server_says() {
        let api = open("an_api_key_goes");
        api.create_server(", query '{\"q\": \"x\"}'");
        create_items("");
        map_user("api_key 'k&1 =+'");
        let head = sent(&api);
        assert_eq!(
            (head.line().as_str(), all(&head, "x-api-key")),
            ("GET /items?q=x", vec!["k&1 =+"])
        );
        run("ALTER SERVER api OPTIONS (ADD api_key_name 'X-Auth-Key')");
        let head = sent(&api);
        assert_eq!(all(&head, "x-auth-key"), ["k&1 =+"]);
        assert_eq!(all(&head, "x-api-key"), Vec::<&str>::new());
        run("ALTER SERVER api OPTIONS (SET api_key_name 'appid', ADD api_key_in 'query')");
        let head = sent(&api);
        assert_eq!(
            (head.line().as_str(), all(&head, "appid")),
            ("GET /items?q=x&appid=k%261%20%3D%2B", vec![])
        );
        run("ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET api_key 'k1')");
        run("ALTER SERVER api OPTIONS (SET api_key_name 'session', SET api_key_in 'cookie')");
        let head = sent(&api);
        assert_eq!(
            (head.line().as_str(), all(&head, "cookie")),
            ("GET /items?q=x", vec!["session=k1"])
        );
    }

    #[pg_test]
    fn an_api_key_in_the_query_is_on_every_page_once() {
        let route = json!({"generate": {"kind": "items", "count": 3}, "paging": {"style": "link", "page_size": 2},
                           "require": {"query": {"appid": "k1"}}});
        let api = Api::new(
            "an_api_key_in_the_query",
            &json!({"routes": {"/items": route}}),
        );
        api.create_server(", api_key_in 'query', api_key_name 'appid'");
        create_items("");
        map_user("api_key 'k1'");
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2", "3"]);
        // The mock API's links repeat the query that it got, the key too.
        assert_eq!(
            api.requests(),
            ["GET /items?appid=k1", "GET /items?page=2&appid=k1"]
        );
    }

    #[pg_test]
    fn auth_chooses_a_credential_and_names_one_that_is_missing() {
        let api = open("auth_chooses_among_several");
        api.create_server("");
        create_items("");
        map_user("token 't', username 'u', password 'p', api_key 'k'");
        assert_eq!(all(&sent(&api), "authorization"), ["Bearer t"]);
        run("ALTER SERVER api OPTIONS (ADD auth 'basic')");
        assert_eq!(all(&sent(&api), "authorization"), ["Basic dTpw"]);
        run("ALTER SERVER api OPTIONS (SET auth 'api_key')");
        let head = sent(&api);
        assert_eq!(
            (all(&head, "authorization"), all(&head, "x-api-key")),
            (vec![], vec!["k"])
        );
        run("ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (DROP api_key)");
        let found = error("SELECT * FROM items");
        assert_eq!(found.code, "22023", "{found:?}");
        assert_eq!(
            found.message,
            "invalid value for option \"auth\": \"api_key\" needs option \"api_key\" in the user mapping"
        );
        assert_eq!(
            found.hint,
            "ALTER USER MAPPING ... OPTIONS (ADD api_key '...'), or set auth 'none'"
        );
        assert_eq!(api.requests(), Vec::<String>::new());
    }

    #[pg_test]
    fn secret_headers_of_the_user_mapping_are_sent_and_win() {
        let api = open("secret_headers");
        api.create_server(", headers '{\"X-Tenant\": \"public\", \"X-Version\": \"2\"}'");
        create_items("");
        map_user("token 't', headers '{\"X-Tenant\": \"secret\", \"Cookie\": \"a=b\"}'");
        let head = sent(&api);
        assert_eq!(all(&head, "x-tenant"), ["secret"]);
        assert_eq!(all(&head, "x-version"), ["2"]);
        assert_eq!(all(&head, "cookie"), ["a=b"]);
        assert_eq!(all(&head, "authorization"), ["Bearer t"]);
        run(
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET headers '{\"Authorization\": \"Custom xyz\"}')",
        );
        run("ALTER SERVER api OPTIONS (ADD auth 'none')");
        assert_eq!(all(&sent(&api), "authorization"), ["Custom xyz"]);
    }

    #[pg_test]
    fn constants_of_server_and_table_are_sent_and_the_tables_win() {
        let api = open("constants_of_server_and_table");
        api.create_server(
            ", headers '{\"X-A\": \"server\", \"X-B\": \"server\", \"X-N\": 7}', query '{\"z\": \"ä b\", \"n\": 1.50, \"on\": true}'",
        );
        create_items(
            ", headers '{\"x-b\": \"table\", \"X-C\": \"table\"}', query '{\"n\": 2, \"c\": \"x&y\"}'",
        );
        let head = sent(&api);
        assert_eq!(head.line(), "GET /items?z=%C3%A4%20b&n=2&on=true&c=x%26y");
        for (name, value) in [
            ("x-a", "server"),
            ("x-b", "table"),
            ("x-c", "table"),
            ("x-n", "7"),
        ] {
            assert_eq!(all(&head, name), [value], "{name}");
        }
    }

    #[pg_test]
    fn user_agent_and_accept_have_defaults_that_the_server_replaces() {
        let api = open("user_agent_and_accept");
        api.create_server("");
        create_items("");
        let head = sent(&api);
        assert_eq!(
            all(&head, "user-agent"),
            [format!("rest_fdw/{}", env!("CARGO_PKG_VERSION"))]
        );
        assert_eq!(all(&head, "accept"), ["application/json, */*;q=0.1"]);
        run(
            "ALTER SERVER api OPTIONS (ADD user_agent 'quakes/2 (ann@example.org)', ADD accept 'application/vnd.api+json')",
        );
        let head = sent(&api);
        assert_eq!(all(&head, "user-agent"), ["quakes/2 (ann@example.org)"]);
        assert_eq!(all(&head, "accept"), ["application/vnd.api+json"]);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD headers '{\"Accept\": \"text/json\"}')");
        assert_eq!(all(&sent(&api), "accept"), ["text/json"]);
    }

    #[pg_test]
    fn credentials_go_along_with_redirects_and_pages_of_the_own_origin() {
        let required = json!({"header": {"authorization": "Bearer t"}});
        let routes: Value = json!({"routes": {
            "/items": {"redirect": "/v2/items", "require": required},
            "/v2/items": {
                "generate": {"kind": "items", "count": 3},
                "paging": {"style": "link", "page_size": 2},
                "require": required,
            },
        }});
        let api = Api::new("credentials_go_along", &routes);
        api.create_server("");
        create_items("");
        map_user("token 't'");
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2", "3"]);
        assert_eq!(
            api.requests(),
            ["GET /items", "GET /v2/items", "GET /v2/items?page=2"]
        );
    }

    #[pg_test]
    fn each_user_signs_in_with_the_own_mapping_else_publics() {
        let api = open("each_user_signs_in");
        api.create_server("");
        create_items("");
        run("CREATE ROLE ann");
        run("CREATE ROLE bob");
        run("GRANT SELECT ON items TO ann, bob");
        run("CREATE USER MAPPING FOR ann SERVER api OPTIONS (token 'of-ann')");
        run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'of-everybody')");
        for (role, authorization) in [("ann", "Bearer of-ann"), ("bob", "Bearer of-everybody")] {
            run(&format!("SET LOCAL ROLE {role}"));
            let head = sent(&api);
            run("RESET ROLE");
            assert_eq!(all(&head, "authorization"), [authorization], "{role}");
        }
    }
}

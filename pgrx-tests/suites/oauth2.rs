//! OAuth 2.0: what a user sees of access tokens that are fetched, kept, refused and replaced.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, explain, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const READ: &str = "SELECT id::text FROM items ORDER BY id";

    /// Items for whoever shows a token of `/token`; `tokens` says what that issues.
    fn open(space: &str, tokens: &Value) -> Api {
        Api::new(
            space,
            &json!({"routes": {
                "/token": {"tokens": tokens},
                "/items": {"rows": [{"id": 1}, {"id": 2}], "require": {"token_of": "/token"}},
            }}),
        )
    }

    fn create(api: &Api, auth: &str, options: &str, mapping: &str) {
        let token_url = format!("{}/token", api.url());
        api.create_server(&format!(
            ", auth '{auth}', token_url '{token_url}'{options}"
        ));
        run("CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items')");
        run(&format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS ({mapping})"
        ));
    }

    const CLIENT: &str = "client_id 'app', client_secret 'p&=: %x'";

    fn known_client() -> Value {
        json!({"client_id": "app", "client_secret": "p&=: %x", "expires_in": 3600})
    }

    #[pg_test]
    fn a_token_is_fetched_once_for_all_statements_of_a_session() {
        let api = open("oauth2_once", &known_client());
        create(
            &api,
            "oauth2_client_credentials",
            ", scope 'read write'",
            CLIENT,
        );
        for _ in 0..3 {
            assert_eq!(column(READ), ["1", "2"]);
        }
        let heads = api.client().request_heads(api.space());
        let lines: Vec<String> = heads.iter().map(|head| head.line()).collect();
        assert_eq!(
            lines,
            ["POST /token", "GET /items", "GET /items", "GET /items"]
        );
        assert_eq!(
            heads[0].body,
            "grant_type=client_credentials&scope=read+write"
        );
        for head in &heads[1..] {
            assert_eq!(head.header("authorization"), Some("Bearer access-token-1"));
        }
    }

    #[pg_test]
    fn the_secret_goes_where_the_endpoint_wants_it() {
        for way in ["basic", "post"] {
            let mut tokens = known_client();
            tokens["client_auth"] = json!(way);
            let api = open(&format!("oauth2_{way}"), &tokens);
            let option = format!(", token_auth '{way}'");
            create(&api, "oauth2_client_credentials", &option, CLIENT);
            assert_eq!(column(READ), ["1", "2"], "{way}");
            let other = if way == "basic" { "post" } else { "basic" };
            run(&format!(
                "ALTER SERVER api OPTIONS (SET token_auth '{other}')"
            ));
            let refused = error(READ);
            assert_eq!(refused.code, "28000", "{refused:?}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_revoked_token_is_replaced_and_the_request_repeated() {
        let api = open("oauth2_revoked", &known_client());
        create(&api, "oauth2_client_credentials", "", CLIENT);
        assert_eq!(column(READ), ["1", "2"]);
        api.client().revoke_tokens(api.space());
        api.requests();
        assert_eq!(column(READ), ["1", "2"]);
        assert_eq!(api.requests(), ["GET /items", "POST /token", "GET /items"]);
    }

    #[pg_test]
    fn a_token_that_has_ended_is_replaced_before_it_is_refused() {
        let mut tokens = known_client();
        tokens["expires_in"] = json!(0);
        tokens["valid_ms"] = json!(60_000);
        let api = open("oauth2_ended", &tokens);
        create(&api, "oauth2_client_credentials", "", CLIENT);
        for _ in 0..2 {
            assert_eq!(column(READ), ["1", "2"]);
            assert_eq!(api.requests(), ["POST /token", "GET /items"]);
        }
    }

    #[pg_test]
    fn rotated_refresh_tokens_outlive_changes_of_the_server() {
        let mut tokens = known_client();
        tokens["refresh_token"] = json!("refresh-token-0");
        tokens["rotate"] = json!(true);
        let api = open("oauth2_rotated", &tokens);
        let mapping = format!("{CLIENT}, refresh_token 'refresh-token-0'");
        create(&api, "oauth2_refresh_token", "", &mapping);
        for number in 0..4 {
            assert_eq!(column(READ), ["1", "2"]);
            api.client().revoke_tokens(api.space());
            run(&format!(
                "ALTER SERVER api OPTIONS ({} timeout '{}s')",
                if number == 0 { "ADD" } else { "SET" },
                number + 5
            ));
        }
        let heads = api.client().request_heads(api.space());
        let shown: Vec<&str> = heads
            .iter()
            .filter(|head| head.target == "/token")
            .filter_map(|head| head.body.split("refresh_token=").nth(1))
            .collect();
        assert_eq!(
            shown,
            [
                "refresh-token-0",
                "refresh-token-1",
                "refresh-token-2",
                "refresh-token-3"
            ]
        );
    }

    #[pg_test]
    fn a_refusal_names_the_token_endpoint_and_what_it_says() {
        let api = open("oauth2_refused", &known_client());
        create(
            &api,
            "oauth2_client_credentials",
            "",
            "client_id 'app', client_secret 'Geheim-6666'",
        );
        let expected = SqlError {
            code: "28000".to_owned(),
            message: "could not get an access token: the token endpoint answered with status 401".to_owned(),
            detail: format!(
                "Foreign table \"items\", POST {}/token, the token endpoint says: invalid_client: the client is not known",
                api.url()
            ),
            hint: "Check client_id, client_secret and refresh_token of the user mapping, and token_url, token_auth and scope of the server."
                .to_owned(),
        };
        assert_eq!(error(READ), expected);
        assert_eq!(api.requests(), ["POST /token"]);
    }

    #[pg_test]
    fn what_is_missing_in_the_mapping_is_named() {
        let api = open("oauth2_missing", &known_client());
        create(&api, "oauth2_client_credentials", "", "client_id 'app'");
        let missing = error(READ);
        assert_eq!(
            (missing.code.as_str(), missing.message.as_str()),
            (
                "22023",
                "invalid value for option \"auth\": \"oauth2_client_credentials\" needs option \"client_secret\" in the user mapping"
            )
        );
        assert_eq!(api.requests(), Vec::<String>::new());
    }

    #[pg_test]
    fn explain_analyze_counts_the_tokens_request() {
        let api = open("oauth2_explain", &known_client());
        create(&api, "oauth2_client_credentials", "", CLIENT);
        let lines = explain("VERBOSE", READ);
        assert_eq!(api.requests(), Vec::<String>::new());
        assert!(!lines.iter().any(|line| line.contains("p&=")), "{lines:#?}");
        for requests in ["2", "1"] {
            let lines = explain("ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", READ);
            let counted = format!("Requests: {requests}");
            assert!(
                lines.iter().any(|line| line.contains(&counted)),
                "{lines:#?}"
            );
        }
    }
}

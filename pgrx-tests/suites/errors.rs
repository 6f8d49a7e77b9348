//! Bad input: what each failure says, what is tried again, that no secret is shown, and that the session goes on.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, explain, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// A space with a table `good`, which works, and a table `bad`, whose route is given.
    fn with_bad(space: &str, route: &Value) -> Api {
        let api = Api::new(space, &scenario(route));
        api.create_server("");
        run("CREATE FOREIGN TABLE good (id int) SERVER api OPTIONS (endpoint '/good')");
        run("CREATE FOREIGN TABLE bad (id int, name text) SERVER api OPTIONS (endpoint '/bad')");
        api
    }

    fn scenario(route: &Value) -> Value {
        json!({"routes": {"/good": {"rows": [{"id": 1}]}, "/bad": route}})
    }

    /// The table `bad` gets another answer.
    fn answer(api: &Api, route: &Value) {
        api.client().define(api.space(), &scenario(route));
    }

    /// The error of reading `bad`, after which the session reads `good`.
    fn failure() -> SqlError {
        let found = error("SELECT * FROM bad");
        assert_eq!(
            column("SELECT id::text FROM good"),
            ["1"],
            "the session goes on after {found:?}"
        );
        found
    }

    fn expect(code: &str, message: &str, detail: &str, hint: &str) {
        let expected = SqlError {
            code: code.to_owned(),
            message: message.to_owned(),
            detail: detail.to_owned(),
            hint: hint.to_owned(),
        };
        assert_eq!(failure(), expected);
    }

    /// DETAIL's beginning for the first page of `bad`.
    fn place(api: &Api) -> String {
        format!("Foreign table \"bad\", page 1 of GET {}/bad", api.url())
    }

    /// Points `bad` to another server.
    fn move_bad_to(base_url: &str) {
        run(&format!(
            "CREATE SERVER elsewhere FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{base_url}', max_retries '0')"
        ));
        run("DROP FOREIGN TABLE bad");
        run("CREATE FOREIGN TABLE bad (id int) SERVER elsewhere OPTIONS (endpoint '/bad')");
    }

    #[pg_test]
    fn a_refused_connection_says_where() {
        let api = with_bad("a_refused_connection", &json!({"rows": []}));
        let port = api.client().info().refused_port;
        move_bad_to(&format!("http://127.0.0.1:{port}"));
        expect(
            "08001",
            &format!("could not reach the API: connection refused (127.0.0.1:{port})"),
            &format!("Foreign table \"bad\", page 1 of GET http://127.0.0.1:{port}/bad"),
            "",
        );
    }

    #[pg_test]
    fn an_unknown_host_is_named() {
        let _api = with_bad("an_unknown_host", &json!({"rows": []}));
        // A label longer than 63 bytes cannot be put into a DNS message (RFC 1035, section 2.3.4): the resolver refuses
        // it without asking anybody.
        let host = format!("{}.invalid", "a".repeat(64));
        move_bad_to(&format!("https://{host}"));
        let found = failure();
        assert_eq!(found.code, "08001", "{found:?}");
        assert!(
            found
                .message
                .starts_with(&format!("could not resolve host \"{host}\": ")),
            "{found:?}"
        );
        assert_eq!(
            found.detail,
            format!("Foreign table \"bad\", page 1 of GET https://{host}/bad")
        );
    }

    #[pg_test]
    fn a_certificate_that_nobody_trusts_is_a_tls_error() {
        let api = with_bad("a_certificate_that_nobody_trusts", &json!({"rows": []}));
        let url = format!("{}/s/{}", api.client().info().tls_url, api.space());
        move_bad_to(&url);
        let found = failure();
        assert_eq!(found.code, "08001", "{found:?}");
        assert!(
            found.message.starts_with("TLS connection failed: "),
            "{found:?}"
        );
        assert!(found.message.contains("certificate"), "{found:?}");
        assert_eq!(
            found.detail,
            format!("Foreign table \"bad\", page 1 of GET {url}/bad")
        );
        assert_eq!(
            api.requests(),
            ["GET /good"],
            "nothing is sent over a connection that nobody can vouch for"
        );
    }

    #[pg_test]
    fn a_connection_that_breaks_before_the_response_is_not_reached() {
        let api = with_bad(
            "a_connection_that_breaks",
            &json!({"rows": [], "faults": [{"kind": "close", "times": 0}]}),
        );
        expect(
            "08001",
            "could not reach the API: the server closed the connection without a response",
            &place(&api),
            "",
        );
        answer(
            &api,
            &json!({"rows": [], "faults": [{"kind": "reset", "times": 0}]}),
        );
        expect(
            "08001",
            "could not reach the API: connection reset by peer",
            &place(&api),
            "",
        );
    }

    #[pg_test]
    fn a_refused_sign_in_points_to_the_user_mapping() {
        let api = with_bad(
            "a_refused_sign_in",
            &json!({"rows": [], "require": {"header": {"authorization": "x"}}}),
        );
        let hint = "Check the user mapping: CREATE USER MAPPING ... OPTIONS (token '...').";
        expect(
            "28000",
            "the API answered with status 401",
            &format!("{}, the API says: bad credentials", place(&api)),
            hint,
        );
        answer(
            &api,
            &json!({"status": 403, "body": "{\"error\": {\"message\": \"not yours\"}}"}),
        );
        expect(
            "28000",
            "the API answered with status 403",
            &format!("{}, the API says: not yours", place(&api)),
            hint,
        );
    }

    #[pg_test]
    fn a_wrong_endpoint_is_an_error_unless_its_status_means_no_rows() {
        let api = with_bad("a_wrong_endpoint", &json!({"rows": []}));
        run("ALTER FOREIGN TABLE bad OPTIONS (SET endpoint '/nowhere')");
        let found = failure();
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("HV00M", "the API answered with status 404")
        );
        assert_eq!(
            found.detail,
            format!(
                "Foreign table \"bad\", page 1 of GET {}/nowhere, the API says: the mock API has no route /nowhere",
                api.url()
            )
        );
        assert_eq!(
            found.hint,
            "Check the option \"endpoint\". If 404 means that there are no rows, set empty_on '404'."
        );
        run("ALTER FOREIGN TABLE bad OPTIONS (ADD empty_on '404')");
        assert_eq!(column("SELECT count(*)::text FROM bad"), ["0"]);
        assert_eq!(
            api.requests(),
            ["GET /nowhere", "GET /good", "GET /nowhere"]
        );
    }

    #[pg_test]
    fn the_apis_own_message_is_found_wherever_it_stands() {
        let api = with_bad("the_apis_own_message", &json!({"rows": []}));
        for (body, message) in [
            (r#"{"message": "out of order"}"#, "out of order"),
            (
                r#"{"error": {"code": 7, "message": "out of order"}}"#,
                "out of order",
            ),
            (
                r#"{"error": "invalid", "error_description": "out of order"}"#,
                "out of order",
            ),
            (
                r#"{"errors": [{"detail": "out of order"}]}"#,
                "out of order",
            ),
            (
                r#"{"title": "Oops", "detail": "out of order"}"#,
                "out of order",
            ),
            (
                "<html><head><title>502 Bad &amp; Gateway</title></head></html>",
                "502 Bad & Gateway",
            ),
            ("plainly\n out of order", "plainly"),
        ] {
            answer(
                &api,
                &json!({"status": 500, "body": body, "content_type": "text/plain"}),
            );
            expect(
                "HV00M",
                "the API answered with status 500",
                &format!("{}, the API says: {message}", place(&api)),
                "",
            );
        }
        for body in ["", "{}", "{\"message\": \"\"}"] {
            answer(&api, &json!({"status": 500, "body": body}));
            expect(
                "HV00M",
                "the API answered with status 500",
                &place(&api),
                "",
            );
        }
        answer(
            &api,
            &json!({"status": 422, "body": "{\"message\": \"general\", \"problem\": [{\"text\": \"special\"}]}"}),
        );
        run("ALTER FOREIGN TABLE bad OPTIONS (ADD error_field 'problem.0.text')");
        let detail = format!("{}, the API says: special", place(&api));
        expect("HV00M", "the API answered with status 422", &detail, "");
    }

    #[pg_test]
    fn a_body_that_is_not_json_is_shown_in_part() {
        let api = with_bad("a_body_that_is_not_json", &json!({"rows": []}));
        for (body, reason) in [
            (
                "<html><body>Please sign in to continue</body></html>".to_owned(),
                "expected JSON, the body begins with \"<html><body>Please sign in to continue</body></html>\"".to_owned(),
            ),
            (
                "x".repeat(100),
                format!("expected JSON, the body begins with \"{}…\"", "x".repeat(60)),
            ),
            (String::new(), "the body is empty".to_owned()),
            ("[{\"id\": 1},]".to_owned(), "invalid JSON at byte 11: expected a value, found \"]\"".to_owned()),
            ("[{id: 1}]".to_owned(), "invalid JSON at byte 2: expected a member name in quotes, found \"i\"".to_owned()),
            ("[{\"id\": 01}]".to_owned(), "invalid JSON at byte 9: expected a comma or }, found \"1\"".to_owned()),
            ("[] []".to_owned(), "there is more after the JSON document, at byte 3".to_owned()),
        ] {
            answer(&api, &json!({"body": body}));
            expect("HV00K", &format!("could not read the response: {reason}"), &place(&api), "");
        }
    }

    #[pg_test]
    fn a_json_document_that_ends_too_early_is_cut_off() {
        let api = with_bad(
            "a_json_document_that_ends",
            &json!({"body": "[{\"id\": 1}, {\"id\": 2"}),
        );
        expect(
            "08006",
            "the response was cut off: the body ended within the JSON document, after 20 bytes",
            &place(&api),
            "",
        );
        let broken = json!({"generate": {"kind": "items", "count": 10}, "faults": [{"kind": "truncate", "after": 500, "times": 0}]});
        answer(&api, &broken);
        expect(
            "08006",
            "the response was cut off: the server closed the connection in the middle of the body, after 500 of 2871 bytes",
            &place(&api),
            "",
        );
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            let mut broken = broken.clone();
            broken["encoding"] = json!(encoding);
            answer(&api, &broken);
            let found = failure();
            assert_eq!(found.code, "08006", "{encoding}: {found:?}");
        }
    }

    #[pg_test]
    fn compressed_data_that_ends_too_early_or_is_damaged_is_an_error() {
        // The head of a gzip member that would go on; and one that is none.
        let api = with_bad(
            "compressed_data_that_ends",
            &json!({"body_base64": "H4sIAAAAAAACA4uu", "headers": {"Content-Encoding": "gzip"}}),
        );
        expect(
            "08006",
            "the response was cut off: the compressed data (gzip) ends too early, after 12 of 12 bytes",
            &place(&api),
            "",
        );
        answer(
            &api,
            &json!({"body": "[{\"id\": 1}]", "headers": {"Content-Encoding": "zstd"}}),
        );
        expect(
            "HV00K",
            "could not read the response: its compressed data (zstd) cannot be read: Unknown frame descriptor",
            &place(&api),
            "",
        );
        for (coding, reason) in [
            (
                "compress",
                "its content coding \"compress\" is none of those that were asked for (gzip, deflate, br, zstd)",
            ),
            (
                "gzip, gzip, gzip",
                "it was compressed 3 times over, and at most 2 are undone",
            ),
        ] {
            answer(
                &api,
                &json!({"body": "[]", "headers": {"Content-Encoding": coding}}),
            );
            expect(
                "HV00K",
                &format!("could not read the response: {reason}"),
                &place(&api),
                "",
            );
        }
    }

    #[pg_test]
    fn a_wrong_rows_path_says_what_is_there_instead() {
        let api = with_bad(
            "a_wrong_rows_path",
            &json!({"body": "{\"data\": {\"item\": [], \"n\": 1}, \"meta\": null}"}),
        );
        for (path, reason) in [
            (
                "data.items",
                "there is no \"data.items\": \"data\" is an object with members \"item\", \"n\"",
            ),
            (
                "items",
                "there is no \"items\": the document is an object with members \"data\", \"meta\"",
            ),
            (
                "data.n.x",
                "there is no \"data.n.x\": \"data.n\" is a number",
            ),
            ("data.n", "\"data.n\" is a number, not an array"),
            (
                "data",
                "\"data\" is an object with members \"item\", \"n\", not an array: set rows to an array, or rows_shape 'single' or 'map'",
            ),
        ] {
            run("ALTER FOREIGN TABLE bad OPTIONS (ADD rows 'x')");
            run(&format!(
                "ALTER FOREIGN TABLE bad OPTIONS (SET rows '{path}')"
            ));
            let message = format!("could not find the rows in the response: {reason}");
            expect("HV00K", &message, &place(&api), "");
            run("ALTER FOREIGN TABLE bad OPTIONS (DROP rows)");
        }
    }

    #[pg_test]
    fn a_value_that_does_not_fit_is_named_with_its_page() {
        let rows: Vec<Value> = (1..=5)
            .map(|id| json!({"id": if id == 5 { json!("five") } else { json!(id) }, "name": "x"}))
            .collect();
        let route = json!({"rows": rows, "paging": {"style": "link", "page_size": 2}});
        let api = with_bad("a_value_that_does_not_fit_named", &route);
        run("ALTER FOREIGN TABLE bad OPTIONS (ADD pagination 'link')");
        let hint = "Change the column's type or its option \"format\", or set on_error 'null' to read such values as NULL.";
        expect(
            "HV004",
            "value for column \"id\" does not fit: expected an integer",
            &format!(
                "Foreign table \"bad\", page 3 of GET {}/bad?page=3, column \"id\", value: \"five\"",
                api.url()
            ),
            hint,
        );
        assert_eq!(column("SELECT name FROM bad"), ["x"; 5]);
        run("ALTER FOREIGN TABLE bad ALTER id OPTIONS (ADD on_error 'null')");
        assert_eq!(
            column("SELECT coalesce(id, -1)::text FROM bad"),
            ["1", "2", "3", "4", "-1"]
        );
    }

    #[pg_test]
    fn what_no_column_can_hold_is_named_with_its_value() {
        let api = with_bad("integers_beyond_int8", &json!({"rows": []}));
        run("ALTER FOREIGN TABLE bad ALTER id TYPE bigint");
        let hint = "Change the column's type or its option \"format\", or set on_error 'null' to read such values as NULL.";
        let value = |reason: &str, column: &str, value: &str| {
            expect(
                "HV004",
                &format!("value for column \"{column}\" does not fit: {reason}"),
                &format!("{}, column \"{column}\", value: {value}", place(&api)),
                hint,
            );
        };
        answer(&api, &json!({"body": "[{\"id\": 9223372036854775808}]"}));
        value("out of range for type bigint", "id", "9223372036854775808");
        answer(&api, &json!({"body": "[{\"id\": -9223372036854775809}]"}));
        value("out of range for type bigint", "id", "-9223372036854775809");
        // [{"name": "a\xFFb"}]
        answer(&api, &json!({"body_base64": "W3sibmFtZSI6ICJh/2IifV0="}));
        value("it is not valid UTF-8", "name", "\"a\u{fffd}b\"");
        answer(&api, &json!({"body": "[{\"name\": \"a\\u0000b\"}]"}));
        value("text cannot hold \\u0000", "name", "\"a\\u0000b\"");
        // [{"other": "a\xFFb", "id": 1}]
        answer(
            &api,
            &json!({"body_base64": "W3sib3RoZXIiOiAiYf9iIiwgImlkIjogMX1d"}),
        );
        assert_eq!(
            column("SELECT id::text FROM bad"),
            ["1"],
            "what no column wants does no harm"
        );
    }

    #[pg_test]
    fn a_page_loop_is_an_error() {
        let route = json!({
            "generate": {"kind": "items", "count": 9},
            "paging": {"style": "link", "page_size": 2, "fault": "repeat_url"},
        });
        let api = with_bad("a_page_loop", &route);
        let url = api.url();
        expect(
            "HV00M",
            &format!(
                "paging failed: the URL of the next page was already used: GET {url}/bad?page=2"
            ),
            &format!("Foreign table \"bad\", page 2 of GET {url}/bad?page=2"),
            "",
        );
    }

    #[pg_test]
    fn a_body_past_max_response_bytes_is_an_error_compressed_or_not() {
        let api = with_bad("a_body_past_max_response_bytes", &json!({"rows": []}));
        run("ALTER SERVER api OPTIONS (ADD max_response_bytes '10kB')");
        for (encoding, chunked) in [
            ("", false),
            ("", true),
            ("gzip", false),
            ("deflate", false),
            ("br", false),
            ("zstd", false),
            ("gzip, zstd", true),
        ] {
            answer(
                &api,
                &json!({"generate": {"kind": "items", "count": 40}, "encoding": encoding, "chunked": chunked}),
            );
            expect(
                "53400",
                "the response is larger than 10240 bytes",
                &place(&api),
                "Raise the option \"max_response_bytes\", or ask for smaller pages.",
            );
        }
        answer(&api, &json!({"generate": {"kind": "items", "count": 35}}));
        assert_eq!(
            column("SELECT count(*)::text FROM bad"),
            ["35"],
            "10,045 bytes are within the bound"
        );
    }

    #[pg_test]
    fn redirects_in_a_circle_or_to_another_origin_are_refused() {
        let api = with_bad("redirects_in_a_circle", &json!({"redirect": "/bad"}));
        expect(
            "HV00M",
            "the API answered with status 302",
            &format!("{}, the API says: it redirects in a circle", place(&api)),
            "",
        );
        let info = api.client().info();
        let elsewhere = format!("http://127.0.0.1:{}", info.refused_port);
        answer(&api, &json!({"redirect": format!("{elsewhere}/bad")}));
        let found = failure();
        assert_eq!(found.code, "42501", "{found:?}");
        assert_eq!(
            found.message,
            format!(
                "connection to {elsewhere} is not allowed: the API redirected there from {}, and credentials go to the server's own origin only; set base_url to where the API is",
                info.url
            )
        );
    }

    #[pg_test]
    fn what_passes_by_itself_is_tried_again_and_gives_every_row_once() {
        let busy =
            json!({"kind": "status", "status": 503, "headers": {"Retry-After": "0"}, "times": 2});
        let route = json!({"generate": {"kind": "items", "count": 3}, "faults": [busy]});
        let api = with_bad("what_passes_by_itself", &route);
        run("ALTER SERVER api OPTIONS (SET max_retries '2')");
        let lines = explain("ANALYZE, COSTS OFF", "SELECT id FROM bad");
        for line in [
            "Requests: 3",
            "Retries: 2",
            "Pages Fetched: 1",
            "Rows Fetched: 3",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
        }
        assert_eq!(api.requests(), ["GET /bad"; 3]);
        answer(&api, &route);
        assert_eq!(column("SELECT id::text FROM bad"), ["1", "2", "3"]);
        assert_eq!(api.requests(), ["GET /bad"; 3]);
        answer(&api, &route);
        run("ALTER SERVER api OPTIONS (SET max_retries '1')");
        let detail = format!("{}, the API says: Service Unavailable", place(&api));
        expect("HV00M", "the API answered with status 503", &detail, "");
        assert_eq!(api.requests(), ["GET /bad", "GET /bad", "GET /good"]);
    }

    #[pg_test]
    fn a_page_that_breaks_in_the_middle_is_read_again_by_itself() {
        for (space, retries, fault) in [
            (
                "a_page_cut_off",
                &[1] as &[i32],
                json!({"kind": "truncate", "after": 40_000, "on_page": 2}),
            ),
            (
                "a_page_busy",
                &[1],
                json!({"kind": "status", "status": 500, "on_page": 2}),
            ),
            // A kept connection that the server has closed is replaced, which is no retry (RFC 9112, section 9.3.1).
            // Where the page before is still being read, this one has a connection of its own.
            (
                "a_page_closed",
                &[0, 1],
                json!({"kind": "close", "on_page": 2}),
            ),
            (
                "a_page_reset",
                &[0, 1],
                json!({"kind": "reset", "on_page": 2}),
            ),
        ] {
            let route = json!({
                "generate": {"kind": "items", "count": 500},
                "paging": {"style": "link", "page_size": 200, "max_page_size": 200},
                "faults": [fault],
            });
            let api = with_bad(space, &route);
            run("ALTER SERVER api OPTIONS (SET max_retries '1')");
            let expected: Vec<String> = (1..=500).map(|id| id.to_string()).collect();
            assert_eq!(
                column("SELECT id::text FROM bad"),
                expected,
                "{space}: each row once, in order"
            );
            let mut requests = api.requests();
            requests.sort();
            assert_eq!(
                requests,
                [
                    "GET /bad",
                    "GET /bad?page=2",
                    "GET /bad?page=2",
                    "GET /bad?page=3"
                ],
                "{space}"
            );
            answer(&api, &route);
            let lines = explain("ANALYZE, COSTS OFF", "SELECT id FROM bad");
            let shows = |line: String| lines.contains(&line);
            assert!(
                retries
                    .iter()
                    .any(|retries| shows(format!("Retries: {retries}"))),
                "{space}: {lines:#?}"
            );
            for line in ["Pages Fetched: 3", "Rows Fetched: 500"] {
                assert!(shows(line.to_owned()), "{space}, {line}: {lines:#?}");
            }
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn what_cannot_get_better_is_not_tried_again() {
        let api = with_bad("what_cannot_get_better", &json!({"rows": []}));
        run("ALTER SERVER api OPTIONS (SET max_retries '5')");
        for route in [
            json!({"status": 404}),
            json!({"status": 400}),
            json!({"status": 403}),
            json!({"body": "<html>"}),
            json!({"body": "[{\"id\": \"x\"}]"}),
        ] {
            answer(&api, &route);
            failure();
            assert_eq!(api.requests(), ["GET /bad", "GET /good"], "{route}");
        }
        run("ALTER SERVER api OPTIONS (ADD retry_on '418')");
        let once = |status: u16| {
            let fault =
                json!({"kind": "status", "status": status, "headers": {"Retry-After": "0"}});
            json!({"rows": [], "faults": [fault]})
        };
        answer(&api, &once(503));
        failure();
        assert_eq!(
            api.requests(),
            ["GET /bad", "GET /good"],
            "retry_on no longer names 503"
        );
        answer(&api, &once(418));
        assert_eq!(column("SELECT count(*)::text FROM bad"), ["0"]);
        assert_eq!(api.requests(), ["GET /bad", "GET /bad"]);
    }

    #[pg_test]
    fn an_api_that_asks_for_more_patience_than_there_is_fails_at_once() {
        let busy = json!({"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}, "body": "{\"message\": \"slow down\"}"});
        let api = with_bad(
            "an_api_that_asks_for_patience",
            &json!({"rows": [], "faults": [busy]}),
        );
        run("ALTER SERVER api OPTIONS (SET max_retries '5')");
        expect(
            "HV00M",
            "the API answered with status 429",
            &format!(
                "{}, the API says: slow down (it asks to be called again in 3600 s, which is longer than option \"max_retry_time\" allows)",
                place(&api)
            ),
            "",
        );
    }

    #[pg_test]
    fn a_time_out_says_what_was_waited_for() {
        let api = with_bad(
            "a_time_out_says",
            &json!({"rows": [{"id": 1}], "faults": [{"kind": "stall_before_headers", "times": 0}]}),
        );
        run("ALTER SERVER api OPTIONS (ADD timeout '200ms')");
        expect(
            "08006",
            "request timed out after 200ms while waiting for the response",
            &place(&api),
            "",
        );
        answer(
            &api,
            &json!({"rows": [{"id": 1}], "faults": [{"kind": "stall_in_body", "after": 3, "times": 0}]}),
        );
        expect(
            "08006",
            "request timed out after 200ms while reading the response",
            &place(&api),
            "",
        );
        let port = api.client().info().stalled_port;
        move_bad_to(&format!("http://127.0.0.1:{port}"));
        run("ALTER SERVER elsewhere OPTIONS (ADD connect_timeout '150ms')");
        let found = failure();
        assert_eq!(found.code, "08006", "{found:?}");
        assert_eq!(
            found.message,
            "request timed out after 150ms while connecting"
        );
        let port = api.client().info().silent_port;
        run(&format!(
            "ALTER SERVER elsewhere OPTIONS (SET base_url 'https://127.0.0.1:{port}')"
        ));
        let found = failure();
        assert_eq!(
            found.message,
            "request timed out after 150ms while negotiating TLS"
        );
    }

    const TOKEN: &str = "tok-0123456789-secret";

    /// A table whose API knows the token and repeats it.
    fn with_token(space: &str, route: &Value) -> Api {
        let api = with_bad(space, route);
        run(&format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (token '{TOKEN}', api_key 'key%20/a+1')"
        ));
        api
    }

    #[pg_test]
    fn a_secret_that_the_api_repeats_in_its_message_is_masked() {
        let api = with_token("a_secret_in_a_message", &json!({"rows": []}));
        for (body, shown) in [
            (
                format!("{{\"message\": \"token {TOKEN} has expired\"}}"),
                "token *** has expired",
            ),
            (
                "{\"message\": \"key%20/a+1 or key%2520%2Fa%2B1\"}".to_owned(),
                "*** or ***",
            ),
            (format!("<html><title>no {TOKEN}</title>"), "no ***"),
        ] {
            answer(&api, &json!({"status": 400, "body": body}));
            expect(
                "HV00M",
                "the API answered with status 400",
                &format!("{}, the API says: {shown}", place(&api)),
                "",
            );
        }
    }

    #[pg_test]
    fn a_secret_that_the_api_repeats_in_body_or_links_is_masked() {
        let api = with_token("a_secret_in_a_body", &json!({"rows": []}));
        run("ALTER FOREIGN TABLE bad OPTIONS (ADD rows 'data')");
        for route in [
            json!({"body": format!("no json but {TOKEN}")}),
            json!({"body": format!("{{\"{TOKEN}\": 1}}")}),
            json!({"body": format!("{{\"data\": [{{\"id\": \"{TOKEN}\"}}]}}")}),
            json!({"redirect": format!("http://127.0.0.1:1/{TOKEN}")}),
            json!({"body": "{\"data\": []}", "headers": {"Link": format!("<http://{TOKEN}.invalid/>; rel=\"next\"")}}),
            json!({"body": "{\"data\": []}", "headers": {"Link": format!("<//{TOKEN}:x/>; rel=\"next\"")}}),
        ] {
            answer(&api, &route);
            let found = failure();
            assert!(!format!("{found:?}").contains(TOKEN), "{route}: {found:?}");
        }
    }

    #[pg_test]
    fn a_secret_is_masked_in_the_errors_of_input_functions_too() {
        let api = with_token(
            "a_secret_in_a_value",
            &json!({"body": format!("[{{\"x\": \"{TOKEN}\"}}]")}),
        );
        for ty in [
            "int",
            "inet",
            "uuid",
            "timestamptz",
            "varchar(3)",
            "int[]",
            "jsonb[]",
        ] {
            run("DROP FOREIGN TABLE bad");
            run(&format!(
                "CREATE FOREIGN TABLE bad (x {ty}) SERVER api OPTIONS (endpoint '/bad')"
            ));
            let found = failure();
            assert_eq!(found.code, "HV004", "{ty}: {found:?}");
            assert!(!format!("{found:?}").contains(TOKEN), "{ty}: {found:?}");
        }
        assert!(
            api.client().request_heads(api.space())[0]
                .header("authorization")
                .is_some()
        );
    }

    #[pg_test]
    fn a_secret_in_the_url_is_masked_in_errors_and_explain() {
        let api = with_token("a_secret_in_the_url", &json!({"status": 500}));
        run(
            "ALTER SERVER api OPTIONS (ADD auth 'api_key', ADD api_key_in 'query', ADD api_key_name 'sign')",
        );
        let found = failure();
        assert!(!format!("{found:?}").contains("key%20"), "{found:?}");
        assert_eq!(api.requests()[0], "GET /bad?sign=key%2520%2Fa%2B1");
        let lines = explain("VERBOSE", "SELECT * FROM bad");
        assert!(
            lines
                .iter()
                .all(|line| !line.contains("key%") && !line.contains(TOKEN)),
            "{lines:#?}"
        );
    }
}

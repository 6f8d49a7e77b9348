//! Where the rows are in a response and what they look like there; how its bytes arrive.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// A space whose `/rows` answers with exactly this text, and its server.
    fn answering(space: &str, body: &str) -> Api {
        let api = Api::new(space, &json!({"routes": {"/rows": {"body": body}}}));
        api.create_server("");
        api
    }

    /// The answer of `/rows` becomes another one.
    fn answer(api: &Api, route: &Value) {
        api.client()
            .define(api.space(), &json!({"routes": {"/rows": route}}));
    }

    fn create_table(columns: &str, options: &str) {
        run("DROP FOREIGN TABLE IF EXISTS t");
        run(&format!(
            "CREATE FOREIGN TABLE t ({columns}) SERVER api OPTIONS (endpoint '/rows'{options})"
        ));
    }

    #[pg_test]
    fn rows_are_found_by_themselves_within_two_levels() {
        let api = answering("rows_are_found", "[]");
        create_table("id int", "");
        for (body, expected) in [
            (r#"[{"id": 1}, {"id": 2}]"#, vec!["(1)", "(2)"]),
            (r#"{"data": [{"id": 1}]}"#, vec!["(1)"]),
            (
                r#"{"meta": {"n": [1, 2]}, "data": [{"id": 1}]}"#,
                vec!["(1)"],
            ),
            (
                r#"{"data": {"items": [{"id": 1}], "total": 1}}"#,
                vec!["(1)"],
            ),
            (
                r#"{"names": ["a"], "items": [{"id": 3, "parts": [{"id": 9}]}]}"#,
                vec!["(3)"],
            ),
            (
                r#"{"errors": [], "items": [{"id": 4}], "warnings": []}"#,
                vec!["(4)"],
            ),
            (r#"[]"#, vec![]),
            (r#"{"data": []}"#, vec![]),
            (r#"{"data": [], "errors": []}"#, vec![]),
        ] {
            answer(&api, &json!({"body": body}));
            assert_eq!(rows("SELECT * FROM t"), expected, "{body}");
            assert_eq!(api.requests(), ["GET /rows"]);
        }
    }

    #[pg_test]
    fn rows_that_cannot_be_told_by_themselves_are_an_error() {
        let api = answering("rows_that_cannot_be_told", "[]");
        create_table("id int", "");
        for (body, reason) in [
            (
                r#"{"users": [{"id": 1}], "teams": [{"id": 2}]}"#,
                r#"there are several arrays of objects, "users", "teams": set rows to one of them"#,
            ),
            (
                r#"{"data": {"a": [{"id": 1}], "b": [{"id": 2}]}}"#,
                r#"there are several arrays of objects, "data.a", "data.b": set rows to one of them"#,
            ),
            (
                r#"{"id": 1, "name": "x"}"#,
                r#"there is no array of objects within two levels: the document is an object with members "id", "name": set rows, or rows_shape 'single'"#,
            ),
            (
                r#"{"a": {"b": {"c": [{"id": 1}]}}}"#,
                r#"there is no array of objects within two levels: the document is an object with members "a": set rows, or rows_shape 'single'"#,
            ),
            (
                r#"[1, 2]"#,
                "row 1 is a number, expected an object: set rows_shape 'values' if the rows are plain values",
            ),
            (
                r#"[[1], [2]]"#,
                "row 1 is an array, expected an object: set rows_shape 'arrays'",
            ),
        ] {
            answer(&api, &json!({"body": body}));
            let found = error("SELECT * FROM t");
            assert_eq!(found.code, "HV00K", "{body}: {found:?}");
            assert_eq!(
                found.message,
                format!("could not find the rows in the response: {reason}")
            );
            assert_eq!(
                found.detail,
                format!("Foreign table \"t\", page 1 of GET {}/rows", api.url())
            );
        }
        answer(
            &api,
            &json!({"body": r#"{"users": [{"id": 1}], "teams": [{"id": 2}]}"#}),
        );
        run("ALTER FOREIGN TABLE t OPTIONS (ADD rows 'teams')");
        assert_eq!(rows("SELECT * FROM t"), ["(2)"]);
    }

    #[pg_test]
    fn rows_are_read_where_a_path_or_a_pointer_says() {
        let body = r#"{"data": {"items": [{"id": 1}], "a/b": [{"id": 2}], "m~n": [{"id": 3}], "x.y": [{"id": 4}]},
                       "list": [0, {"deep": [{"id": 5}]}], "": [{"id": 6}], "$": [{"id": 7}]}"#;
        let api = answering("rows_are_read_where", body);
        for (path, expected) in [
            ("data.items", "(1)"),
            ("/data/items", "(1)"),
            ("/data/a~1b", "(2)"),
            ("/data/m~0n", "(3)"),
            ("/data/x.y", "(4)"),
            ("list.1.deep", "(5)"),
            ("/list/1/deep", "(5)"),
            ("/", "(6)"),
            ("/$", "(7)"),
        ] {
            create_table("id int", &format!(", rows '{path}'"));
            assert_eq!(rows("SELECT * FROM t"), [expected], "{path}");
        }
        answer(&api, &json!({"body": r#"[{"id": 8}]"#}));
        create_table("id int", ", rows '$'");
        assert_eq!(rows("SELECT * FROM t"), ["(8)"]);
    }

    #[pg_test]
    fn a_path_to_null_or_to_nothing_in_it_is_an_empty_result() {
        let api = answering("a_path_to_null", "[]");
        for (shape, options, body) in [
            ("objects", ", rows 'data'", r#"{"data": null}"#),
            ("objects", ", rows 'data'", r#"{"data": []}"#),
            ("objects", ", rows '$'", "null"),
            ("arrays", ", rows 'data'", r#"{"data": []}"#),
            ("map", ", rows 'data'", r#"{"data": {}}"#),
            ("map", "", "{}"),
            ("values", "", "[]"),
            ("single", "", "null"),
            ("single", ", rows 'data'", r#"{"data": null}"#),
        ] {
            answer(&api, &json!({"body": body}));
            create_table("id int", &format!(", rows_shape '{shape}'{options}"));
            assert_eq!(
                rows("SELECT * FROM t"),
                Vec::<String>::new(),
                "{shape} {body}"
            );
            assert_eq!(
                column("SELECT count(*)::text FROM t"),
                ["0"],
                "{shape} {body}"
            );
        }
    }

    #[pg_test]
    fn rows_that_are_arrays_take_their_names_from_the_response() {
        let scenario = json!({"routes": {"/rows": {
            "rows": [{"id": 1, "name": "a", "at": "2026-11-13"}, {"id": 2, "name": null, "at": "2026-11-14"}],
            "shape": "arrays",
        }}});
        let body = r#"{"columns": ["at", "id", "createdBy"], "rows": [["2026-11-13", 1, "ada"], ["2026-11-14", 2]]}"#;
        let api = answering("rows_that_are_arrays", body);
        let options = ", rows 'rows', rows_shape 'arrays', columns_field 'columns'";
        create_table("id int, created_by text, at date, other text", options);
        assert_eq!(
            rows("SELECT * FROM t"),
            ["(1,ada,2026-11-13,)", "(2,,2026-11-14,)"]
        );
        let body = r#"{"meta": {"fields": [{"name": "n", "type": "int"}, {"name": "id"}]}, "data": {"rows": [[7, 1]]}}"#;
        answer(&api, &json!({"body": body}));
        create_table(
            "id int, n int",
            ", rows 'data.rows', rows_shape 'arrays', columns_field 'meta.fields'",
        );
        assert_eq!(rows("SELECT * FROM t"), ["(1,7)"]);
        let mut first = scenario.clone();
        first["routes"]["/rows"]["envelope_first"] = json!(true);
        api.client().define(api.space(), &first);
        create_table("name text, id int, at date", options);
        assert_eq!(
            rows("SELECT * FROM t"),
            ["(a,1,2026-11-13)", "(,2,2026-11-14)"]
        );
        api.client().define(api.space(), &scenario);
        let found = error("SELECT * FROM t");
        assert_eq!(found.code, "HV00K");
        assert_eq!(
            found.message,
            "could not find the rows in the response: columns_field \"columns\" does not come before the rows"
        );
    }

    #[pg_test]
    fn rows_that_are_arrays_without_names_go_by_position() {
        let api = answering(
            "arrays_without_names",
            r#"[[1, "a", {"b": 2}], [3, null], []]"#,
        );
        create_table(
            "id int, name text, doc jsonb, beyond int",
            ", rows_shape 'arrays'",
        );
        assert_eq!(
            rows("SELECT * FROM t"),
            [r#"(1,a,"{""b"": 2}",)"#, "(3,,,)", "(,,,)"]
        );
        create_table(
            "q text OPTIONS (param 'q'), id int, last int OPTIONS (field '2.b'), name text, whole json OPTIONS (field '$')",
            ", rows_shape 'arrays'",
        );
        api.requests();
        let read = "SELECT q, id, last, name, whole FROM t WHERE q = 'x' AND id = 1";
        assert_eq!(
            rows(read),
            [r#"(x,1,2,"{""b"": 2}","[1, ""a"", {""b"": 2}]")"#]
        );
        assert_eq!(api.requests(), ["GET /rows?q=x"]);
        answer(&api, &json!({"body": r#"[{"id": 1}]"#}));
        assert_eq!(
            error("SELECT * FROM t").message,
            "could not find the rows in the response: row 1 is an object, expected an array"
        );
    }

    #[pg_test]
    fn the_rows_of_a_map_have_their_key() {
        let api = answering(
            "the_rows_of_a_map",
            r#"{"data": {"EUR": {"rate": 1.1, "name": "Euro"}, "": {"rate": 2}, "a\"\u00e9": {"name": null}, "x": {}}}"#,
        );
        create_table(
            "code text OPTIONS (field '@key'), rate numeric, name text",
            ", rows 'data', rows_shape 'map'",
        );
        assert_eq!(
            rows("SELECT * FROM t"),
            ["(EUR,1.1,Euro)", r#"("",2,)"#, r#"("a""é",,)"#, "(x,,)"]
        );
        assert_eq!(rows("SELECT name FROM t WHERE code = 'EUR'"), ["(Euro)"]);
        answer(&api, &json!({"body": r#"{"1": 10, "2": 20}"#}));
        create_table(
            "id int OPTIONS (field '@key'), n int OPTIONS (field '$')",
            ", rows_shape 'map'",
        );
        assert_eq!(rows("SELECT * FROM t"), ["(1,10)", "(2,20)"]);
        answer(&api, &json!({"body": r#"[1]"#}));
        assert_eq!(
            error("SELECT * FROM t").message,
            "could not find the rows in the response: the document is an array, rows_shape 'map' wants an object"
        );
    }

    #[pg_test]
    fn values_are_rows_of_one_value() {
        let api = answering(
            "values_are_rows",
            r#"{"status": "success", "data": ["a", "b", null, "d"]}"#,
        );
        create_table(
            "name text OPTIONS (field '$')",
            ", rows 'data', rows_shape 'values'",
        );
        assert_eq!(
            column("SELECT coalesce(name, '<NULL>') FROM t"),
            ["a", "b", "<NULL>", "d"]
        );
        answer(&api, &json!({"body": "[1, [2, 3], {\"n\": 4}]"}));
        create_table(
            "value json OPTIONS (field '$'), n int",
            ", rows_shape 'values'",
        );
        let found = error("SELECT value, n FROM t");
        assert_eq!(
            found.message,
            "could not find the rows in the response: row 1 is a number, but columns want members of it: set field '$' for the value itself"
        );
        assert_eq!(
            column("SELECT value::text FROM t"),
            ["1", "[2, 3]", "{\"n\": 4}"]
        );
    }

    #[pg_test]
    fn a_single_document_is_one_row() {
        let api = answering(
            "a_single_document",
            r#"{"id": 7, "user": {"login": "ada"}, "list": [{"n": 1}]}"#,
        );
        create_table(
            "id int, login text OPTIONS (field 'user.login'), list jsonb",
            ", rows_shape 'single'",
        );
        assert_eq!(rows("SELECT * FROM t"), [r#"(7,ada,"[{""n"": 1}]")"#]);
        create_table("login text", ", rows 'user', rows_shape 'single'");
        assert_eq!(rows("SELECT * FROM t"), ["(ada)"]);
        answer(&api, &json!({"body": "42"}));
        create_table("n int OPTIONS (field '$')", ", rows_shape 'single'");
        assert_eq!(rows("SELECT * FROM t"), ["(42)"]);
    }

    #[pg_test]
    fn a_missing_entity_is_an_error_unless_its_status_means_no_rows() {
        let scenario = json!({"routes": {"/items/{id}": {
            "rows": [{"id": 1, "name": "one"}],
            "shape": "single",
            "path_filters": {"id": "id"},
        }}});
        let api = Api::new("a_missing_entity", &scenario);
        api.create_server("");
        run("CREATE FOREIGN TABLE items (id int, name text) SERVER api
             OPTIONS (endpoint '/items/{id}', rows_shape 'single')");
        assert_eq!(rows("SELECT * FROM items WHERE id = 1"), ["(1,one)"]);
        let found = error("SELECT * FROM items WHERE id = 2");
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("HV00M", "the API answered with status 404")
        );
        run("ALTER FOREIGN TABLE items OPTIONS (ADD empty_on '404')");
        assert_eq!(
            rows("SELECT * FROM items WHERE id = 2"),
            Vec::<String>::new()
        );
        assert_eq!(
            api.requests(),
            ["GET /items/1", "GET /items/2", "GET /items/2"]
        );
    }

    fn enveloped(first: bool) -> Value {
        json!({"routes": {"/rows": {
            "generate": {"kind": "items", "count": 5},
            "shape": {"path": "result.items"},
            "envelope": {"took": 3, "result": {"note": "x", "more": [{"id": 99}]}, "errors": [{"id": 98}]},
            "envelope_first": first,
            "paging": {"style": "cursor", "page_size": 2, "cursor_field": "result.next", "cursor_param": "c"},
        }}})
    }

    #[pg_test]
    fn what_stands_around_the_rows_may_come_before_or_after_them() {
        let api = answering("what_stands_around", "[]");
        create_table(
            "id int",
            ", rows 'result.items', pagination 'cursor', cursor_param 'c', cursor_field 'result.next'",
        );
        for first in [true, false] {
            api.client().define(api.space(), &enveloped(first));
            assert_eq!(column("SELECT id::text FROM t"), ["1", "2", "3", "4", "5"]);
            assert_eq!(
                api.requests(),
                [
                    "GET /rows",
                    "GET /rows?c=b2Zmc2V0OjI%3D",
                    "GET /rows?c=b2Zmc2V0OjQ%3D"
                ]
            );
        }
    }

    #[pg_test]
    fn bodies_arrive_compressed_or_in_chunks() {
        let api = answering("bodies_arrive", "[]");
        create_table("id int, title text", "");
        let count = "SELECT count(*) || ' ' || sum(id) || ' ' || count(DISTINCT title) FROM t";
        let mut answers = Vec::new();
        for encoding in [
            "",
            "gzip",
            "deflate",
            "bare_deflate",
            "br",
            "zstd",
            "gzip, br",
        ] {
            let route = |chunked| json!({"generate": {"kind": "items", "count": 3000}, "encoding": encoding, "chunked": chunked});
            for route in [route(false), route(true)] {
                answer(&api, &route);
                answers.push(column(count));
                let heads = api.client().request_heads(api.space());
                assert_eq!(heads.len(), 1);
                assert_eq!(
                    heads[0].header("accept-encoding"),
                    Some("gzip, deflate, br, zstd")
                );
            }
        }
        assert!(answers[0][0].starts_with("3000 4501500 "), "{answers:?}");
        assert!(
            answers.iter().all(|found| *found == answers[0]),
            "{answers:?}"
        );
    }

    #[pg_test]
    fn explain_tells_what_compression_saved() {
        let route = json!({"generate": {"kind": "items", "count": 3000}, "encoding": "zstd"});
        let api = Api::new("explain_tells", &json!({"routes": {"/rows": route}}));
        api.create_server("");
        create_table("id int", "");
        let figure = |name: &str| {
            let lines = explain("ANALYZE, COSTS OFF, TIMING OFF", "SELECT * FROM t");
            let line = lines.iter().find_map(|line| line.strip_prefix(name));
            line.map(|figure| figure.parse::<u64>().expect("a number"))
        };
        let received = figure("Bytes Received: ").expect("what was decoded");
        let transferred = figure("Bytes Transferred: ").expect("what came over the network");
        assert_eq!(received, 3000 * 287 + 1);
        assert!(transferred < received / 4, "{transferred} of {received}");
        answer(&api, &json!({"generate": {"kind": "items", "count": 3000}}));
        assert_eq!(figure("Bytes Received: "), Some(received));
        assert_eq!(figure("Bytes Transferred: "), None, "it would say the same");
    }

    #[pg_test]
    fn a_server_may_be_asked_for_no_compression() {
        let api = Api::new(
            "asked_for_no_compression",
            &json!({"routes": {"/rows": {"rows": [{"id": 1}]}}}),
        );
        api.create_server(", headers '{\"Accept-Encoding\": \"identity\"}'");
        create_table("id int", "");
        assert_eq!(rows("SELECT * FROM t"), ["(1)"]);
        let heads = api.client().request_heads(api.space());
        assert_eq!(heads[0].header("accept-encoding"), Some("identity"));
    }

    #[pg_test]
    fn a_byte_order_mark_and_white_space_do_not_matter() {
        let api = answering(
            "a_byte_order_mark",
            "\u{feff} \n[ {\"id\" : 1 } ,\t{\"id\":2}\r\n] \n",
        );
        create_table("id int", "");
        assert_eq!(rows("SELECT * FROM t"), ["(1)", "(2)"]);
        assert_eq!(api.requests(), ["GET /rows"]);
    }

    #[pg_test]
    fn redirects_within_the_origin_are_followed_with_the_query() {
        for status in [301, 302, 303, 307, 308] {
            let scenario = json!({"routes": {
                "/old": {"redirect": "/new", "status": status},
                "/new": {"redirect": "/newest/", "status": 302},
                "/newest/": {"rows": [{"id": 1}]},
            }});
            let api = Api::new("redirects_within", &scenario);
            api.create_server(", query '{\"v\": 1}'");
            run("CREATE FOREIGN TABLE t (id int) SERVER api OPTIONS (endpoint '/old')");
            assert_eq!(rows("SELECT * FROM t"), ["(1)"]);
            assert_eq!(
                api.requests(),
                ["GET /old?v=1", "GET /new?v=1", "GET /newest/?v=1"],
                "{status}"
            );
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_page_that_is_redirected_is_paged_on_from_where_it_answered() {
        let scenario = json!({"routes": {
            "/rows": {"redirect": "/v2/rows"},
            "/v2/rows": {
                "generate": {"kind": "items", "count": 3},
                "paging": {"style": "link", "page_size": 2, "relative_urls": true},
            },
        }});
        let api = Api::new("a_page_that_is_redirected", &scenario);
        api.create_server("");
        create_table("id int", ", pagination 'link'");
        assert_eq!(column("SELECT id::text FROM t"), ["1", "2", "3"]);
        assert_eq!(
            api.requests(),
            ["GET /rows", "GET /v2/rows", "GET /v2/rows?page=2"]
        );
    }
}

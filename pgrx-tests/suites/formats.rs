//! Bodies in JSON Lines and CSV: their rows and pages, what is asked for, and what is refused.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    fn api(space: &str, route: &Value) -> Api {
        let api = Api::new(space, &json!({"routes": {"/rows": route}}));
        api.create_server("");
        api
    }

    fn answer(api: &Api, route: &Value) {
        api.client()
            .define(api.space(), &json!({"routes": {"/rows": route}}));
    }

    fn create_table(columns: &str, options: &str) {
        run("DROP FOREIGN TABLE IF EXISTS t");
        run(&format!(
            "CREATE FOREIGN TABLE t ({columns}) SERVER api OPTIONS (endpoint '/rows', {options})"
        ));
    }

    /// Ten rows in pages of three, by the style of `paging`.
    fn ten(shape: &str, paging: &Value) -> Value {
        let mut paging = paging.clone();
        paging["page_size"] = json!(3);
        json!({
            "rows": (1..=10).map(|id| json!({"id": id, "name": format!("n{id}"), "ok": id % 2 == 0})).collect::<Vec<_>>(),
            "shape": shape, "paging": paging,
            "filters": [{"param": "min", "field": "id", "op": ">=", "type": "number"}],
        })
    }

    const COLUMNS: &str = "id int OPTIONS (filter '>= min'), name text, ok boolean";

    fn sum() -> String {
        column("SELECT concat_ws(' ', count(*), sum(id), count(DISTINCT name), count(*) FILTER (WHERE ok)) FROM t")
            .remove(0)
    }

    #[pg_test]
    fn both_formats_page_by_all_that_needs_no_document() {
        for (format, shape) in [("jsonl", "jsonl"), ("csv", "csv")] {
            let api = api(&format!("{format}_pages"), &json!({"body": ""}));
            for (options, paging, requests) in [
                (
                    "pagination 'link'",
                    json!({"style": "link"}),
                    ["", "?page=2", "?page=3", "?page=4"].as_slice(),
                ),
                (
                    "pagination 'auto'",
                    json!({"style": "link"}),
                    &["", "?page=2", "?page=3", "?page=4"],
                ),
                (
                    "pagination 'next_url', next_url_header 'x-next'",
                    json!({"style": "next_url", "next_url_header": "x-next"}),
                    &["", "?page=2", "?page=3", "?page=4"],
                ),
                (
                    "pagination 'cursor', cursor_header 'x-next', cursor_param 'c'",
                    json!({"style": "cursor", "cursor_header": "x-next", "cursor_param": "c"}),
                    &[
                        "",
                        "?c=b2Zmc2V0OjM%3D",
                        "?c=b2Zmc2V0OjY%3D",
                        "?c=b2Zmc2V0Ojk%3D",
                    ],
                ),
                (
                    "pagination 'page', total_header 'x-total'",
                    json!({"style": "page", "total_header": "x-total"}),
                    &["?page=1", "?page=2", "?page=3", "?page=4"],
                ),
                (
                    "pagination 'offset'",
                    json!({"style": "offset"}),
                    &[
                        "?offset=0",
                        "?offset=3",
                        "?offset=6",
                        "?offset=9",
                        "?offset=10",
                    ],
                ),
                (
                    "pagination 'keyset', cursor_param 'after', cursor_column 'id'",
                    json!({"style": "keyset", "cursor_param": "after"}),
                    &["", "?after=3", "?after=6", "?after=9", "?after=10"],
                ),
            ] {
                answer(&api, &ten(shape, &paging));
                create_table(COLUMNS, &format!("format '{format}', {options}"));
                assert_eq!(sum(), "10 55 10 5", "{format} {options}");
                let sent = api.sorted_requests();
                let mut expected: Vec<String> = requests
                    .iter()
                    .map(|query| format!("GET /rows{query}"))
                    .collect();
                expected.sort();
                assert_eq!(sent, expected, "{format} {options}");
            }
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn what_is_asked_for_goes_by_the_format() {
        let api = api("what_is_asked_for", &ten("csv", &json!({})));
        for (options, body, accept) in [
            ("format 'csv'", "id\n1\n", "text/csv, */*;q=0.1"),
            (
                "format 'jsonl'",
                "{\"id\": 1}\n",
                "application/x-ndjson, application/jsonl, application/json-seq, */*;q=0.1",
            ),
            (
                "format 'json'",
                "[{\"id\": 1}]",
                "application/json, */*;q=0.1",
            ),
        ] {
            answer(&api, &json!({"body": body}));
            create_table("id int", options);
            assert_eq!(rows("SELECT * FROM t"), ["(1)"]);
            let heads = api.client().request_heads(api.space());
            assert_eq!(heads[0].header("accept"), Some(accept), "{options}");
        }
        run("ALTER SERVER api OPTIONS (ADD accept 'text/plain')");
        answer(&api, &json!({"body": "[{\"id\": 1}]"}));
        assert_eq!(rows("SELECT * FROM t"), ["(1)"]);
        let heads = api.client().request_heads(api.space());
        assert_eq!(heads[0].header("accept"), Some("text/plain"));
    }

    #[pg_test]
    fn filters_are_sent_and_checked_as_with_json() {
        for format in ["jsonl", "csv"] {
            let api = api(
                &format!("{format}_filters"),
                &ten(format, &json!({"style": "link"})),
            );
            create_table(COLUMNS, &format!("format '{format}'"));
            assert_eq!(
                rows("SELECT id, name FROM t WHERE id >= 9 AND name LIKE '%0'"),
                ["(10,n10)"]
            );
            assert_eq!(api.requests(), ["GET /rows?min=9"]);
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn csv_has_the_types_of_its_columns() {
        let body = "id,at,price,data,tags,empty,none\r\n\
                    1,2024-02-29T12:00:00Z,12.50,\"{\"\"a\"\": 1}\",\"{x,y}\",\"\",\r\n\
                    \"2\",2024-03-01 00:00:00+01,1e3,null,\"[\"\"z\"\"]\",\"\",\"\"\r\n";
        let _api = api("csv_has_the_types", &json!({"body": body}));
        create_table(
            "id bigint, at timestamptz, price numeric, data jsonb, tags text[], empty text, none int",
            "format 'csv'",
        );
        run("SET LOCAL timezone = 'UTC'");
        assert_eq!(
            rows("SELECT id, at, price, data, tags, empty, none FROM t"),
            [
                "(1,\"2024-02-29 12:00:00+00\",12.50,\"{\"\"a\"\": 1}\",\"{x,y}\",\"\",)",
                "(2,\"2024-02-29 23:00:00+00\",1000,,{z},\"\",)"
            ]
        );
    }

    #[pg_test]
    fn csv_comes_with_other_delimiters_and_without_a_header() {
        let api = api("csv_comes_with", &json!({"body": "1;'a;b'\n\\N;\n"}));
        create_table(
            "id int, name text",
            "format 'csv', csv_header 'off', csv_delimiter ';', csv_quote '''', csv_null '\\N'",
        );
        assert_eq!(rows("SELECT * FROM t"), ["(1,a;b)", "(,\"\")"]);
        answer(&api, &json!({"body": "name\tid\n\"x\t7\n"}));
        create_table(
            "id int, name text",
            "format 'csv', csv_delimiter '\\t', csv_quote 'none'",
        );
        assert_eq!(rows("SELECT * FROM t"), ["(7,\"\"\"x\")"]);
        create_table(
            "second int OPTIONS (field '1')",
            "format 'csv', csv_delimiter E'\\t', csv_quote 'none'",
        );
        assert_eq!(rows("SELECT * FROM t"), ["(7)"]);
    }

    #[pg_test]
    fn a_body_with_a_header_only_and_an_empty_one_have_no_rows() {
        let api = api("a_body_with_a_header_only", &json!({"body": ""}));
        create_table("id int", "format 'csv'");
        for body in ["", "id\n", "id", "\n"] {
            answer(&api, &json!({"body": body}));
            assert_eq!(column("SELECT count(*)::text FROM t"), ["0"], "{body:?}");
        }
        create_table("id int", "format 'jsonl'");
        answer(&api, &json!({"body": ""}));
        assert_eq!(column("SELECT count(*)::text FROM t"), ["0"]);
    }

    fn expect(code: &str, message: &str, api: &Api) {
        let expected = SqlError {
            code: code.to_owned(),
            message: message.to_owned(),
            detail: format!("Foreign table \"t\", page 1 of GET {}/rows", api.url()),
            hint: String::new(),
        };
        let mut found = error("SELECT * FROM t");
        found.hint.clear();
        assert_eq!(found, expected);
    }

    #[pg_test]
    fn a_line_that_is_broken_ragged_or_cut_off_is_named() {
        let api = api("a_line_that_is_broken", &json!({"body": ""}));
        create_table("id int, name text", "format 'jsonl'");
        for (body, code, message) in [
            (
                "{\"id\": 1}\n{\"id\": 2,}\n",
                "HV00K",
                "could not read the response: invalid JSON on line 2, at byte 10: expected a member name in quotes, found \"}\"",
            ),
            (
                "{\"id\": 1}\n{\"id\": 2",
                "08006",
                "the response was cut off: the body ended within line 2",
            ),
        ] {
            answer(&api, &json!({"body": body}));
            expect(code, message, &api);
        }
        create_table("id int, name text", "format 'csv'");
        for (body, code, message) in [
            (
                "id,name\n1,x\n2\n",
                "HV00K",
                "could not read the response: the record on line 3 has 1 field, expected 2",
            ),
            (
                "id,name\n1,\"x\n",
                "08006",
                "the response was cut off: the body ended within a quoted field of the record on line 2",
            ),
            (
                "id,title\n1,x\n",
                "HV00K",
                "could not find the rows in the response: the header has no column \"name\": it has \"id\", \"title\"",
            ),
        ] {
            answer(&api, &json!({"body": body}));
            expect(code, message, &api);
        }
    }

    #[pg_test]
    fn a_page_that_was_cut_off_is_read_again_without_repeating_a_row() {
        for format in ["jsonl", "csv"] {
            let route = json!({
                "generate": {"kind": "items", "count": 4000}, "shape": format,
                "faults": [{"kind": "truncate", "after": 700_000}],
            });
            let api = Api::new(
                &format!("{format}_cut"),
                &json!({"routes": {"/rows": route}}),
            );
            run(&format!(
                "CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '1')",
                api.url()
            ));
            create_table("id int", &format!("format '{format}'"));
            assert_eq!(
                column("SELECT count(*) || ' ' || sum(id) FROM t"),
                ["4000 8002000"]
            );
            assert_eq!(api.requests(), ["GET /rows", "GET /rows"]);
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn what_a_format_has_no_place_for_is_refused_at_once() {
        let _api = api("what_a_format_has_no_place_for", &json!({"body": ""}));
        let hint = "Page by a header (link, next_url_header, cursor_header), or by page, offset or keyset.";
        for (columns, options, message, hint) in [
            (
                "id int",
                "format 'csv', pagination 'cursor', cursor_param 'c', cursor_field 'next'",
                "option \"cursor_field\" has no meaning with format 'csv': there is nothing around its rows",
                hint,
            ),
            (
                "id int",
                "format 'jsonl', pagination 'next_url', next_url_field 'next'",
                "option \"next_url_field\" has no meaning with format 'jsonl': there is nothing around its rows",
                hint,
            ),
            (
                "id int",
                "format 'jsonl', rows 'data'",
                "option \"rows\" has no meaning with format 'jsonl': there is nothing around its rows",
                hint,
            ),
            (
                "id int",
                "format 'csv', total_field 'total', pagination 'page'",
                "option \"total_field\" has no meaning with format 'csv': there is nothing around its rows",
                hint,
            ),
            (
                "id int",
                "format 'jsonl', rows_shape 'map'",
                "rows_shape 'map' has no meaning with format 'jsonl'",
                "",
            ),
            (
                "id int",
                "format 'csv', rows_shape 'objects'",
                "rows_shape 'objects' has no meaning with format 'csv'",
                "",
            ),
            (
                "id int",
                "format 'jsonl', csv_header 'off'",
                "option \"csv_header\" needs format 'csv'",
                "",
            ),
            (
                "id int",
                "format 'csv', csv_delimiter '\"'",
                "options \"csv_delimiter\" and \"csv_quote\" are the same character",
                "",
            ),
            (
                "id int",
                "format 'csv', csv_delimiter '||'",
                "invalid value for option \"csv_delimiter\": \"||\" is not one character",
                "Write one character of ASCII that is no line break, or \\t for a tab.",
            ),
            (
                "id int",
                "format 'xml'",
                "invalid value for option \"format\": \"xml\" is not a format of responses",
                "Valid values are json, jsonl and csv.",
            ),
        ] {
            let found = error(&format!(
                "CREATE FOREIGN TABLE t ({columns}) SERVER api OPTIONS (endpoint '/rows', {options})"
            ));
            assert_eq!(
                (found.message.as_str(), found.hint.as_str()),
                (message, hint)
            );
        }
    }

    #[pg_test]
    fn what_shows_with_columns_and_server_is_refused_before_a_request() {
        let api = Api::new(
            "what_only_shows",
            &json!({"routes": {"/rows": {"body": ""}}}),
        );
        api.create_server(", pagination 'cursor', cursor_param 'c', cursor_field 'next'");
        for (columns, options, message) in [
            (
                "a jsonb OPTIONS (field '$')",
                "format 'csv', pagination 'none'",
                "field '$' has no meaning with format 'csv'",
            ),
            (
                "a int OPTIONS (field 'x')",
                "format 'csv', csv_header 'off', pagination 'none'",
                "a field without a header is a number, counted from 0",
            ),
            (
                "a int",
                "csv_null 'NULL'",
                "option \"csv_null\" needs format 'csv'",
            ),
            (
                "a int",
                "format 'csv'",
                "option \"cursor_field\" has no meaning with format 'csv': there is nothing around its rows",
            ),
        ] {
            create_table(columns, options);
            let found = error("SELECT * FROM t");
            assert!(found.message.contains(message), "{found:?}");
        }
        assert!(api.requests().is_empty());
    }

    #[pg_test]
    fn what_a_server_says_of_documents_does_not_concern_its_csv() {
        let api = Api::new(
            "what_a_server_says",
            &json!({"routes": {"/rows": {"body": "id\n1\n"}}}),
        );
        api.create_server(
            ", rows 'data', rows_shape 'single', total_field 'total', pagination 'cursor', cursor_param 'c', cursor_field 'next'",
        );
        create_table("id int", "format 'csv', pagination 'none'");
        assert_eq!(rows("SELECT * FROM t"), ["(1)"]);
    }
}

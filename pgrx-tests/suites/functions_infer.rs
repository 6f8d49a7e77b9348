//! `rest_fdw_infer`: the statement that it returns makes a table that reads the API's rows.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    fn answering(space: &str, route: &Value) -> Api {
        let api = Api::new(space, &json!({"routes": {"/items": route}}));
        api.create_server("");
        api
    }

    fn infer(arguments: &str) -> String {
        column(&format!("SELECT rest_fdw_infer({arguments})")).remove(0)
    }

    /// The statement for `/items`, which was run.
    fn create_items() -> String {
        run("DROP FOREIGN TABLE IF EXISTS items");
        let statement = infer("'api', '/items'");
        run(&statement);
        statement
    }

    /// Everything between the first line, which is a comment, and the comments at the end.
    fn code(statement: &str) -> String {
        let lines = statement.lines().filter(|line| !line.starts_with("--"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[pg_test]
    fn the_statement_is_complete_and_reads_the_rows() {
        let body = r#"{"data": [
            {"id": 1, "createdAt": "2026-11-13T08:00:00Z", "order": "a", "price": 1.50, "user": {"login": "ada", "org": {"name": "x"}}, "tags": ["p", "q"], "parts": [{"n": 1}], "on": "2026-11-13", "ok": true},
            {"id": 2, "createdAt": null, "order": "b'c\\", "price": 3, "user": null, "tags": [], "parts": [], "on": null, "ok": false}
          ], "page": 1}"#;
        let api = answering("infer_complete", &json!({"body": body}));
        let statement = create_items();
        assert_eq!(
            code(&statement),
            "CREATE FOREIGN TABLE items (
  id bigint,
  created_at timestamptz OPTIONS (field 'createdAt'),
  \"order\" text,
  price numeric,
  user_login text OPTIONS (field 'user.login'),
  user_org_name text OPTIONS (field 'user.org.name'),
  tags text[],
  parts jsonb,
  \"on\" date,
  ok boolean
) SERVER api OPTIONS (
  endpoint '/items',
  rows 'data',
  key 'id');"
        );
        let first = format!("-- GET {}/items: 2 rows\n", api.url());
        assert!(statement.starts_with(&first), "{statement}");
        assert_eq!(
            rows("SELECT * FROM items"),
            [
                r#"(1,"2026-11-13 08:00:00+00",a,1.50,ada,x,"{p,q}","[{""n"": 1}]",2026-11-13,t)"#,
                r#"(2,,"b'c\\",3,,,{},[],,f)"#
            ]
        );
        assert_eq!(api.requests(), ["GET /items", "GET /items"]);
    }

    #[pg_test]
    fn rows_of_every_shape_are_read() {
        run("SET TIME ZONE 'UTC'");
        let api = answering("infer_shapes", &json!({"body": "[]"}));
        for (body, expected) in [
            (r#"[{"id": 1, "a": {"b": [1, 2]}}]"#, vec!["(1,\"{1,2}\")"]),
            (
                r#"{"columns": ["id", "createdBy"], "rows": [[1, "ada"], [2, null]]}"#,
                vec!["(1,ada)", "(2,)"],
            ),
            (
                r#"{"rows": [[1, "ada"]], "columns": ["id", "createdBy"]}"#,
                vec!["(1,ada)"],
            ),
            (r#"[[1, "a"], [2, "b"]]"#, vec!["(1,a)", "(2,b)"]),
            (
                r#"{"EUR": {"rate": 1.10}, "USD": {"rate": 1}, "DKK": {"rate": null}}"#,
                vec!["(EUR,1.10)", "(USD,1)", "(DKK,)"],
            ),
            (r#"["a", "b"]"#, vec!["(a)", "(b)"]),
            (r#"{"id": 7, "name": "x"}"#, vec!["(7,x)"]),
            ("42", vec!["(42)"]),
            (
                r#"{"value": [{"x\"y": 18446744073709551615, "u": "1f0c8e0e-8a5e-6d0a-9f5e-0123456789ab"}], "@odata.context": "c"}"#,
                vec!["(18446744073709551615,1f0c8e0e-8a5e-6d0a-9f5e-0123456789ab)"],
            ),
        ] {
            api.client()
                .define(api.space(), &json!({"routes": {"/items": {"body": body}}}));
            create_items();
            assert_eq!(rows("SELECT * FROM items"), expected, "{body}");
        }
    }

    #[pg_test]
    fn all_pages_are_read_where_the_response_shows_them() {
        let route = |paging: Value, shape: Value| json!({"generate": {"kind": "items", "count": 25}, "shape": shape, "paging": paging});
        let api = answering("infer_pages", &json!({"body": "[]"}));
        for (paging, shape, declared) in [
            (
                json!({"style": "link", "page_size": 10}),
                json!("array"),
                "pagination 'link'",
            ),
            (
                json!({"style": "next_url", "page_size": 10, "next_url_field": "meta.next"}),
                json!({"path": "data"}),
                "pagination 'next_url',\n  next_url_field 'meta.next'",
            ),
        ] {
            api.client().define(
                api.space(),
                &json!({"routes": {"/items": route(paging, shape)}}),
            );
            let statement = create_items();
            assert!(code(&statement).contains(declared), "{statement}");
            assert_eq!(column("SELECT count(*)::text FROM items"), ["25"]);
            assert_eq!(column("SELECT count(DISTINCT id)::text FROM items"), ["25"]);
        }
        let counted = json!({"style": "page", "page_size": 10, "page_count_field": "pages"});
        api.client().define(
            api.space(),
            &json!({"routes": {"/items": route(counted, json!({"path": "data"}))}}),
        );
        let statement = create_items();
        assert!(!code(&statement).contains("pagination"), "{statement}");
        assert!(
            error("SELECT count(*) FROM items")
                .message
                .contains("there are more rows")
        );
        let proposed = "--   ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'page', ADD page_param 'page', ADD page_count_field 'pages');";
        let alter = statement
            .lines()
            .find(|line| line.starts_with("--   ALTER"))
            .unwrap();
        assert_eq!(alter, proposed);
        run(alter.trim_start_matches("--"));
        assert_eq!(column("SELECT count(*)::text FROM items"), ["25"]);
    }

    #[pg_test]
    fn the_earthquakes_are_read_as_they_are_in_the_file() {
        let url = Spi::get_one::<String>("SELECT current_setting('rest_fdw_test.mock_api')")
            .unwrap()
            .unwrap();
        run(&format!(
            "CREATE SERVER usgs FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{url}')"
        ));
        let statement = infer(
            "'usgs', '/fdsnws/event/1/query', table_name => 'earthquakes', query => '{\"format\": \"geojson\", \"orderby\": \"time-asc\"}'",
        );
        run(&statement);
        for line in [
            "  properties_mag numeric OPTIONS (field 'properties.mag'),",
            "  properties_time bigint OPTIONS (field 'properties.time'),  -- milliseconds since 1970? Then timestamptz OPTIONS (..., format 'unix_ms')",
            "  geometry_coordinates numeric[] OPTIONS (field 'geometry.coordinates'),",
            "  rows 'features',",
            "  key 'id');",
        ] {
            assert!(
                statement.lines().any(|found| found == line),
                "{line}: {statement}"
            );
        }
        let file: Value =
            serde_json::from_str(include_str!("../mock-api/data/earthquakes.geojson")).unwrap();
        let mut expected: Vec<String> = file["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                let (properties, id) = (&event["properties"], event["id"].as_str().unwrap());
                format!(
                    "{id} {} {}",
                    properties["time"],
                    properties["place"].as_str().unwrap_or_default()
                )
            })
            .collect();
        let mut found = column(
            "SELECT concat_ws(' ', id, properties_time, coalesce(properties_place, '')) FROM earthquakes",
        );
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[pg_test]
    fn names_in_the_endpoint_become_columns() {
        let api = Api::new(
            "infer_names",
            &json!({"routes": {"/repos/{owner}/issues": {"rows": [{"owner": "ada", "n": 1}, {"owner": "bob", "n": 2}], "path_filters": {"owner": "owner"}}}}),
        );
        api.create_server("");
        let found = error("SELECT rest_fdw_infer('api', '/repos/{owner}/issues')");
        assert_eq!(found.code, "HV002");
        assert_eq!(found.message, "no value for \"owner\" of the endpoint");
        assert_eq!(
            found.hint,
            "Add the argument: parameters => '{\"owner\": \"...\"}'."
        );
        let statement =
            infer("'api', '/repos/{owner}/issues', parameters => '{\"owner\": \"ada\"}'");
        assert_eq!(
            code(&statement),
            "CREATE FOREIGN TABLE issues (
  owner text,  -- in the endpoint: a query gives its value
  n integer,
  owner_2 text OPTIONS (field 'owner')
) SERVER api OPTIONS (
  endpoint '/repos/{owner}/issues',
  rows '$');"
        );
        run(&statement);
        api.requests();
        assert_eq!(
            rows("SELECT * FROM issues WHERE owner = 'bob'"),
            ["(bob,2,bob)"]
        );
        assert_eq!(api.requests(), ["GET /repos/bob/issues"]);
        let unknown = error("SELECT rest_fdw_infer('api', '/items', parameters => '{\"x\": 1}')");
        assert_eq!(unknown.message, "the endpoint has no {x}");
    }

    #[pg_test]
    fn nothing_of_an_api_leaves_its_quotes_and_comments() {
        let body = r#"[{"a'); DROP TABLE victim; --": 1, "x\ny": {"q\"": 2}, "b\\": 3}]"#;
        let route = json!({"body": body, "headers": {"X-Total-Count": "9"}});
        let api = answering("infer_quotes", &route);
        run("CREATE TABLE victim ()");
        let statement = create_items();
        assert!(
            statement.lines().all(|line| line.starts_with("--")
                || line.starts_with("  ")
                || line.starts_with("CREATE")
                || line.starts_with(')')),
            "{statement}"
        );
        run("ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'none')");
        assert_eq!(rows("SELECT * FROM items"), ["(1,2,3)"]);
        assert_eq!(rows("SELECT * FROM victim"), Vec::<String>::new());
        drop(api);
    }

    #[pg_test]
    fn it_asks_once_with_the_callers_rights() {
        let api = answering(
            "infer_rights",
            &json!({"rows": [{"id": 1}], "require": {"header": {"Authorization": "Bearer of-ada"}}}),
        );
        run("CREATE ROLE infer_ada; CREATE ROLE infer_bob");
        run("CREATE USER MAPPING FOR infer_ada SERVER api OPTIONS (token 'of-ada')");
        run("CREATE USER MAPPING FOR infer_bob SERVER api OPTIONS (token 'of-bob')");
        run("SET ROLE infer_bob");
        let refused = error("SELECT rest_fdw_infer('api', '/items')");
        assert_eq!(refused.message, "permission denied for foreign server api");
        assert_eq!(refused.code, "42501");
        assert_eq!(api.requests(), [""; 0]);
        run(
            "RESET ROLE; GRANT USAGE ON FOREIGN SERVER api TO infer_ada, infer_bob; SET ROLE infer_bob",
        );
        let refused = error("SELECT rest_fdw_infer('api', '/items')");
        assert_eq!(refused.code, "28000", "{refused:?}");
        run("SET ROLE infer_ada");
        assert!(infer("'api', '/items'").contains("id bigint"));
        run("RESET ROLE");
        assert_eq!(api.requests(), ["GET /items", "GET /items"]);
    }

    #[pg_test]
    fn what_cannot_be_inferred_is_an_error_as_of_any_scan() {
        let api = answering("infer_errors", &json!({"body": "[]"}));
        let found = error("SELECT rest_fdw_infer('api', '/items')");
        assert_eq!(found.code, "HV00K");
        assert_eq!(
            found.message,
            "could not infer a table: the response has no rows"
        );
        assert_eq!(found.detail, format!("GET {}/items", api.url()));
        assert_eq!(
            error("SELECT rest_fdw_infer('api', '/nothing')").message,
            "the API answered with status 404"
        );
        assert_eq!(
            error("SELECT rest_fdw_infer('none', '/items')").message,
            "server \"none\" does not exist"
        );
        assert_eq!(error("SELECT rest_fdw_infer('api', 'items')").code, "22023");
        assert_eq!(
            error("SELECT rest_fdw_infer('api', '/items', query => '{\"api_key\": \"s\"}')").code,
            "HV00D"
        );
        run("CREATE FOREIGN DATA WRAPPER other; CREATE SERVER others FOREIGN DATA WRAPPER other");
        assert_eq!(
            error("SELECT rest_fdw_infer('others', '/items')").message,
            "server \"others\" is not a server of rest_fdw"
        );
        api.client().define(
            api.space(),
            &json!({"routes": {"/items": {"body": "<html>"}}}),
        );
        assert_eq!(
            error("SELECT rest_fdw_infer('api', '/items')").message,
            "could not read the response: it is not valid JSON (line 1, column 1)"
        );
        run("ALTER SERVER api OPTIONS (ADD max_response_bytes '3B')");
        assert_eq!(
            error("SELECT rest_fdw_infer('api', '/items')").message,
            "the response is larger than 3 bytes"
        );
        assert_eq!(
            column("SELECT coalesce(rest_fdw_infer(NULL, '/items'), 'null')"),
            ["null"]
        );
        api.requests();
        run("SET rest_fdw.max_requests = 1");
        let twice =
            error("SELECT rest_fdw_infer('api', '/items'), rest_fdw_infer('api', '/items')");
        assert_eq!(twice.code, "53400", "{twice:?}");
    }

    #[pg_test]
    fn csv_and_lines_are_inferred_too() {
        let csv = "id;First Name;price;born\n1;Ada;1.50;1815-12-10\n2;\"Grace; H.\";;\\N\n";
        let api = answering(
            "infer_bare",
            &json!({"body": csv, "headers": {"Content-Type": "text/csv; charset=utf-8"}}),
        );
        let statement = create_items();
        assert_eq!(
            code(&statement),
            "CREATE FOREIGN TABLE items (
  id bigint,
  first_name text OPTIONS (field 'First Name'),
  price numeric,
  born date
) SERVER api OPTIONS (
  endpoint '/items',
  format 'csv',
  csv_delimiter ';',
  csv_null E'\\\\N',
  key 'id');"
        );
        assert_eq!(
            rows("SELECT * FROM items"),
            ["(1,Ada,1.50,1815-12-10)", "(2,\"Grace; H.\",,)"]
        );
        let lines = json!({"routes": {"/items": {"body": "{\"id\": 1, \"user\": {\"login\": \"ada\"}}\n{\"id\": 2}\n",
            "headers": {"Link": "</items?page=2>; rel=next"}}}});
        api.client().define(api.space(), &lines);
        let statement = create_items();
        assert_eq!(
            code(&statement),
            "CREATE FOREIGN TABLE items (
  id bigint,
  user_login text OPTIONS (field 'user.login')
) SERVER api OPTIONS (
  endpoint '/items',
  format 'jsonl',
  key 'id',
  pagination 'link');"
        );
        // A server whose responses are all CSV: no table needs to say so.
        run("ALTER SERVER api OPTIONS (ADD format 'csv', ADD csv_header 'off')");
        api.client().define(
            api.space(),
            &json!({"routes": {"/items": {"body": "a,1\nb,2\n"}}}),
        );
        let statement = create_items();
        assert!(
            code(&statement).ends_with("OPTIONS (\n  endpoint '/items');"),
            "{statement}"
        );
        assert_eq!(rows("SELECT * FROM items"), ["(a,1)", "(b,2)"]);
    }

    #[pg_test]
    fn a_servers_own_options_stand() {
        let api = Api::new(
            "infer_server",
            &json!({"routes": {"/items": {"body": r#"{"few": [{"id": 1}], "many": [{"a": 1}, {"a": 2}], "next": "/x"}"#}}}),
        );
        api.create_server(", rows 'few', pagination 'none', key 'id', query '{\"v\": \"2\"}'");
        let statement = create_items();
        assert_eq!(api.requests(), ["GET /items?v=2"]);
        assert!(
            code(&statement).contains("rows 'few',\n  key 'id');"),
            "{statement}"
        );
        assert_eq!(rows("SELECT * FROM items"), ["(1)"]);
        run("ALTER SERVER api OPTIONS (SET key 'nothing')");
        let statement = infer("'api', '/items'");
        assert!(statement.contains("key 'id'"), "{statement}");
    }
}

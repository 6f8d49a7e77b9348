//! Options at DDL time: what is refused and with which words, what is accepted, and which level wins.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const UNKNOWN: &str = "HV00D";
    const MISSING: &str = "HV00J";
    const INVALID: &str = "22023";
    const NOT_YET: &str = "0A000";

    const SECRET_HINT: &str = "Set it on the user mapping: secrets belong there only.";

    /// Writes a statement for some options.
    type Statement = fn(&str) -> String;

    /// A statement that writes `options` at a level where all that is required is there already.
    fn server(options: &str) -> String {
        format!(
            "CREATE SERVER probe FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'https://api.test', {options})"
        )
    }

    fn mapping(options: &str) -> String {
        format!("CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS ({options})")
    }

    fn table(options: &str) -> String {
        format!(
            "CREATE FOREIGN TABLE probe (id int) SERVER api OPTIONS (endpoint '/items', {options})"
        )
    }

    fn column_with(options: &str) -> String {
        format!(
            "CREATE FOREIGN TABLE probe (id text OPTIONS ({options})) SERVER api OPTIONS (endpoint '/items')"
        )
    }

    fn create_server() {
        run(
            "CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'http://127.0.0.1:9')",
        );
    }

    fn is(statement: &str, code: &str, message: &str, hint: &str) {
        let expected = SqlError {
            code: code.to_owned(),
            message: message.to_owned(),
            detail: String::new(),
            hint: hint.to_owned(),
        };
        assert_eq!(error(statement), expected, "{statement}");
    }

    /// Code and message of a refusal, whose hint does not matter.
    fn says(statement: &str, code: &str, message: &str) {
        let found = error(statement);
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            (code, message),
            "{statement}"
        );
    }

    /// A value that its option cannot take.
    fn invalid(statement: &str, option: &str, reason: &str, hint: &str) {
        let message = format!("invalid value for option \"{option}\": {reason}");
        is(statement, INVALID, &message, hint);
    }

    #[pg_test]
    fn an_unknown_option_is_refused_and_the_nearest_one_is_named() {
        create_server();
        let cases = [
            (server("base_urls 'x'"), "base_urls", "base_url"),
            (server("\"Time_Out\" '1s'"), "Time_Out", "timeout"),
            (server("max_retry '1'"), "max_retry", "max_retries"),
            (mapping("tokn 'x'"), "tokn", "token"),
            (table("page_sise '10'"), "page_sise", "page_size"),
            (table("paginaton 'link'"), "paginaton", "pagination"),
            (column_with("feild 'x'"), "feild", "field"),
            (column_with("filters '='"), "filters", "filter"),
        ];
        for (statement, option, nearest) in cases {
            let hint = format!("Perhaps you meant the option \"{nearest}\".");
            is(
                &statement,
                UNKNOWN,
                &format!("invalid option \"{option}\""),
                &hint,
            );
        }
    }

    #[pg_test]
    fn an_option_unlike_any_other_gets_the_list_of_its_level() {
        create_server();
        let beginnings = [
            (
                server("zzzzzzzzzz 'x'"),
                "Valid options on a server are: base_url, ",
            ),
            (
                mapping("zzzzzzzzzz 'x'"),
                "Valid options on a user mapping are: token, ",
            ),
            (
                table("zzzzzzzzzz 'x'"),
                "Valid options on a foreign table are: endpoint, ",
            ),
            (
                column_with("zzzzzzzzzz 'x'"),
                "Valid options on a column are: field, filter, ",
            ),
        ];
        for (statement, beginning) in beginnings {
            let found = error(&statement);
            assert_eq!(found.code, UNKNOWN, "{statement}");
            assert_eq!(found.message, "invalid option \"zzzzzzzzzz\"");
            assert!(found.hint.starts_with(beginning), "{found:?}");
            for later in ["batch_size", "insert_method"] {
                assert!(
                    !found.hint.contains(later),
                    "{later} does not work yet: {found:?}"
                );
            }
        }
        is(
            "CREATE FOREIGN DATA WRAPPER other VALIDATOR rest_fdw_validator OPTIONS (page_size '1')",
            UNKNOWN,
            "option \"page_size\" is not allowed on a foreign-data wrapper",
            "Set it on the foreign table, or on the server for all of its tables.",
        );
    }

    #[pg_test]
    fn an_option_of_another_level_is_sent_to_its_own() {
        create_server();
        let cases = [
            (
                server("endpoint '/x'"),
                "endpoint",
                "a server",
                "Set it on the foreign table.",
            ),
            (
                server("field 'x'"),
                "field",
                "a server",
                "Set it on a column of the foreign table.",
            ),
            (
                table("base_url 'https://x.test'"),
                "base_url",
                "a foreign table",
                "Set it on the server.",
            ),
            (
                table("timeout '1s'"),
                "timeout",
                "a foreign table",
                "Set it on the server.",
            ),
            (
                table("filter '='"),
                "filter",
                "a foreign table",
                "Set it on a column of the foreign table.",
            ),
            (
                mapping("page_size '1'"),
                "page_size",
                "a user mapping",
                "Set it on the foreign table, or on the server for all of its tables.",
            ),
            (
                column_with("rows 'data'"),
                "rows",
                "a column",
                "Set it on the foreign table, or on the server for all of its tables.",
            ),
            (
                column_with("base_url 'https://x.test'"),
                "base_url",
                "a column",
                "Set it on the server.",
            ),
        ];
        for (statement, option, level, hint) in cases {
            is(
                &statement,
                UNKNOWN,
                &format!("option \"{option}\" is not allowed on {level}"),
                hint,
            );
        }
    }

    #[pg_test]
    fn a_secret_outside_of_the_user_mapping_is_refused_unseen() {
        create_server();
        let levels: [(Statement, &str); 3] = [
            (server, "a server"),
            (table, "a foreign table"),
            (column_with, "a column"),
        ];
        for (statement, level) in levels {
            for secret in ["token", "username", "password", "api_key"] {
                let message = format!("option \"{secret}\" is not allowed on {level}");
                is(
                    &statement(&format!("{secret} 'pa55word'")),
                    UNKNOWN,
                    &message,
                    SECRET_HINT,
                );
            }
        }
        let hint = "Set token, api_key, username and password, or headers on the user mapping: secrets belong there only.";
        for statement in [server, table] {
            for name in ["Authorization", "X-API-Key", "Cookie", "Private-Token"] {
                let message = format!(
                    "option \"headers\" may not hold the header \"{name}\": it is a credential"
                );
                let options = format!("headers '{{\"{name}\": \"pa55word\"}}'");
                is(&statement(&options), UNKNOWN, &message, hint);
            }
            for name in ["api_key", "access_token", "password"] {
                let message = format!(
                    "option \"query\" may not hold the parameter \"{name}\": it is a credential"
                );
                let hint = format!(
                    "Set api_key on the user mapping, and on the server api_key_in 'query' and api_key_name '{name}'."
                );
                let options = format!("query '{{\"{name}\": \"pa55word\"}}'");
                is(&statement(&options), UNKNOWN, &message, &hint);
            }
        }
        is(
            "CREATE SERVER probe FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'https://ann:pa55word@api.test')",
            UNKNOWN,
            "option \"base_url\" may not hold a user name or password",
            "Set username and password on the user mapping: secrets belong there only.",
        );
    }

    #[pg_test]
    fn a_secret_that_cannot_be_sent_is_refused_without_being_shown() {
        create_server();
        for options in [
            "token E'pa55word\\nX: y'",
            "token 'pa55word '",
            "api_key E'pa55word\\r'",
            "username 'pa55word:x'",
            "password E'pa55word\\t'",
            "headers '{\"X-A\": [\"pa55word\"]}'",
            "headers '{\"X-A\": pa55word}'",
            "headers '{\"Host\": \"pa55word\"}'",
        ] {
            let found = error(&mapping(options));
            assert_eq!(found.code, INVALID, "{options}: {found:?}");
            assert!(!format!("{found:?}").contains("pa55word"), "{found:?}");
        }
        run(&mapping("token 'x'"));
        says(
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET token '')",
            INVALID,
            "option \"token\" is empty",
        );
    }

    #[pg_test]
    fn options_of_later_issues_are_refused_by_name() {
        create_server();
        let of_table = [
            "error_when",
            "insert_method",
            "update_method",
            "delete_method",
            "write_endpoint",
            "batch_size",
            "updatable",
        ];
        for option in of_table {
            let statement = table(&format!("{option} 'x'"));
            is(
                &statement,
                NOT_YET,
                &format!("option \"{option}\" is not supported yet"),
                "",
            );
        }
        for option in of_table {
            says(
                &server(&format!("{option} 'x'")),
                NOT_YET,
                &format!("option \"{option}\" is not supported yet"),
            );
        }
    }

    #[pg_test]
    fn values_of_later_issues_are_refused_by_name() {
        create_server();
        let cases = [
            (table("rows '$.items[*]'"), "JSONPath in option \"rows\""),
            (
                column_with("field '$[''a'']'"),
                "JSONPath in option \"field\"",
            ),
        ];
        for (statement, what) in cases {
            says(&statement, NOT_YET, &format!("{what} is not supported yet"));
        }
    }

    #[pg_test]
    fn bad_json_in_headers_and_query_is_refused() {
        create_server();
        let example = "For example: '{\"name\": \"value\"}'.";
        for statement in [server, table] {
            for option in ["query", "headers"] {
                for (value, reason, hint) in [
                    (
                        "{",
                        "not a JSON object of scalars (line 1, column 1)",
                        example,
                    ),
                    (
                        "[1]",
                        "not a JSON object of scalars (line 1, column 0)",
                        example,
                    ),
                    (
                        "{\"a\": null}",
                        "value of \"a\" is not a string, number or truth value",
                        "",
                    ),
                    (
                        "{\"a\": [1]}",
                        "value of \"a\" is not a string, number or truth value",
                        "",
                    ),
                    ("{\"a\": 1, \"a\": 2}", "\"a\" is given twice", ""),
                ] {
                    invalid(
                        &statement(&format!("{option} '{value}'")),
                        option,
                        reason,
                        hint,
                    );
                }
            }
            invalid(
                &statement("query '{\"\": 1}'"),
                "query",
                "a parameter's name is empty",
                "",
            );
            invalid(
                &statement("headers '{\"Host\": \"x\"}'"),
                "headers",
                "the header \"Host\" cannot be set",
                "",
            );
            invalid(
                &statement("headers '{\"X\": \"a\\nb\"}'"),
                "headers",
                "value of \"X\": a header cannot hold a line break or U+0000",
                "",
            );
        }
    }

    #[pg_test]
    fn durations_need_a_unit_and_sizes_a_known_one() {
        create_server();
        let units =
            "Valid units are \"us\", \"ms\", \"s\", \"min\", \"h\" and \"d\", for example '10s'.";
        for option in ["timeout", "connect_timeout"] {
            let with = |value: &str| server(&format!("{option} '{value}'"));
            invalid(
                &with("10"),
                option,
                "\"10\" has no unit",
                "Write for example '10s' or '10ms'.",
            );
            for value in ["", "soon", "10 parsecs", "-1s", "31d"] {
                let reason = format!("\"{value}\" is not a duration of at most 30 days");
                invalid(&with(value), option, &reason, units);
            }
            invalid(
                &with("0s"),
                option,
                "a time bound must be longer than 0",
                "",
            );
        }
        invalid(
            &table("latency '5'"),
            "latency",
            "\"5\" has no unit",
            "Write for example '5s' or '5ms'.",
        );
        let sizes = "Valid units are \"B\", \"kB\", \"MB\", \"GB\" and \"TB\", for example '64MB'.";
        for value in ["", "0", "-1", "64 mb", "1.5MB", "9999999999TB"] {
            let reason = format!("\"{value}\" is not a size");
            invalid(
                &server(&format!("max_response_bytes '{value}'")),
                "max_response_bytes",
                &reason,
                sizes,
            );
        }
    }

    #[pg_test]
    fn rates_that_are_none_are_refused() {
        for value in ["", "10", "0/s", "1.5/s", "10/m", "1000001/s"] {
            invalid(
                &server(&format!("rate_limit '{value}'")),
                "rate_limit",
                &format!("\"{value}\" is not a rate of 1 to 1000000 requests"),
                "Write for example '10/s', '600/min' or '5000/h'.",
            );
        }
    }

    #[pg_test]
    fn booleans_and_numbers_out_of_range_are_refused() {
        create_server();
        for option in ["end_on_short_page", "keep_params", "recheck"] {
            for value in ["", "maybe", "2"] {
                let reason = format!("\"{value}\" is neither on nor off");
                invalid(&table(&format!("{option} '{value}'")), option, &reason, "");
            }
        }
        let numbers = [
            (
                server("max_retries '101'"),
                "max_retries",
                "\"101\" is not a whole number from 0 to 100",
            ),
            (
                server("max_retries '-1'"),
                "max_retries",
                "\"-1\" is not a whole number from 0 to 100",
            ),
            (
                server("max_concurrency '0'"),
                "max_concurrency",
                "\"0\" is not a whole number from 1 to 64",
            ),
            (
                server("max_pages '0'"),
                "max_pages",
                "\"0\" is not a whole number from 1",
            ),
            (
                server("max_requests '1.5'"),
                "max_requests",
                "\"1.5\" is not a whole number from 1",
            ),
            (
                server("retry_on '200'"),
                "retry_on",
                "\"200\" is not an HTTP status from 300 to 599",
            ),
            (
                server("retry_on 'ok'"),
                "retry_on",
                "\"ok\" is not an HTTP status from 300 to 599",
            ),
            (
                table("page_size '0'"),
                "page_size",
                "\"0\" is not a whole number from 1",
            ),
            (
                table("max_page_size 'x'"),
                "max_page_size",
                "\"x\" is not a whole number from 1",
            ),
            (
                table("first_page '-1'"),
                "first_page",
                "\"-1\" is not a whole number from 0",
            ),
            (
                table("empty_on '404,'"),
                "empty_on",
                "\"\" is not an HTTP status from 300 to 599",
            ),
            (
                table("rows_estimate '0'"),
                "rows_estimate",
                "\"0\" is not a positive number",
            ),
        ];
        for (statement, option, reason) in numbers {
            invalid(&statement, option, reason, "");
        }
    }

    #[pg_test]
    fn words_that_are_no_value_are_refused_with_the_valid_ones() {
        create_server();
        let cases = [
            (
                server("auth 'digest'"),
                "auth",
                "\"digest\" is not a kind of sign-in",
                "Valid values are none, basic, bearer, api_key, oauth2_client_credentials and oauth2_refresh_token.",
            ),
            (
                server("api_key_in 'body'"),
                "api_key_in",
                "\"body\" is not a place for a key",
                "Valid values are header, query and cookie.",
            ),
            (
                table("pagination 'pages'"),
                "pagination",
                "\"pages\" is not a style of paging",
                "Valid values are auto, none, link, next_url, cursor, page, offset and keyset.",
            ),
            (
                table("rows_shape 'rows'"),
                "rows_shape",
                "\"rows\" is not a shape of rows",
                "Valid values are objects, arrays, map, values and single.",
            ),
            (
                table("method 'get'"),
                "method",
                "\"get\" is not a method to read with",
                "Valid values are GET, POST, PUT and QUERY.",
            ),
            (
                table("format 'xml'"),
                "format",
                "\"xml\" is not a format of responses",
                "Valid values are json, jsonl and csv.",
            ),
            (
                table("dialect 'graphql'"),
                "dialect",
                "\"graphql\" is not a dialect",
                "Dialects are plain, brackets, brackets strapi, suffix, suffix netbox, suffix json-server, jsonapi, operators, json, json elasticsearch, json operators, odata, postgrest, prometheus, search, selectors and sql.",
            ),
            (
                table("rows 'a..b'"),
                "rows",
                "\"a..b\" has an empty member name",
                "Write a dotted path such as data.items; for a name that holds a dot, a JSON Pointer such as /@odata.nextLink.",
            ),
            (
                table("rows '/a~2'"),
                "rows",
                "\"~\" in \"a~2\" must be written ~0, and a slash in a name ~1",
                "",
            ),
            (
                table("total_field '$'"),
                "total_field",
                "it names a member of the response, not the whole of it",
                "",
            ),
            (
                column_with("on_error 'skip'"),
                "on_error",
                "\"skip\" is neither error nor null",
                "",
            ),
            (
                column_with("filter '== x'"),
                "filter",
                "\"==\" is not an operator",
                "Write a list of OPERATOR [parameter] [exact] [as FORMAT], for example '=, >= created_after exact, in ids'.",
            ),
            (
                column_with("filter '=, = x'"),
                "filter",
                "the operator of \"= x\" is declared twice",
                "",
            ),
            (
                column_with("param 'p', param_in 'cookie'"),
                "param_in",
                "\"cookie\" is not a place for a parameter",
                "Valid values are query, header, path and body.",
            ),
            (
                column_with("format 'iso'"),
                "format",
                "\"iso\" is not a format",
                "Valid formats are rfc3339, date, unix, unix_ms, unix_us, unix_ns, base64, csv, or a strftime pattern such as '%d.%m.%Y'.",
            ),
        ];
        for (statement, option, reason, hint) in cases {
            invalid(&statement, option, reason, hint);
        }
    }

    #[pg_test]
    fn base_urls_and_endpoints_that_cannot_work_are_refused() {
        create_server();
        let base = |url: &str| {
            format!("CREATE SERVER probe FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{url}')")
        };
        let example = "For example: 'https://api.example.com/v1'.";
        for (url, reason, hint) in [
            ("api.test", "not an absolute URL", example),
            ("ftp://api.test", "the scheme must be http or https", ""),
            ("https://", "the host is missing", ""),
            ("https://api.test:0", "the port must be from 1 to 65535", ""),
            (
                "https://api.test?a=1",
                "it may not hold a query",
                "Set option \"query\" for parameters of every request.",
            ),
            ("https://api.test/#a", "it may not hold a fragment", ""),
            (
                "https://api.test/a/../b",
                "its path may not hold . or .. segments",
                "",
            ),
        ] {
            invalid(&base(url), "base_url", reason, hint);
        }
        let endpoint = |path: &str| {
            format!("CREATE FOREIGN TABLE probe (id int) SERVER api OPTIONS (endpoint '{path}')")
        };
        for (path, reason, hint) in [
            (
                "items",
                "it must begin with a slash",
                "It is a path below the server's base_url, for example '/items'.",
            ),
            (
                "/a?b=c",
                "it may not hold a query",
                "Set option \"query\" for constant parameters.",
            ),
            (
                "/a/../b",
                "it may not hold . or .. segments",
                "It is a path below the server's base_url.",
            ),
            ("/{a", "its braces are not balanced", ""),
            (
                "/{+a}",
                "{+a} is not a simple expression",
                "Write {column}; operators and modifiers of URI templates are not supported.",
            ),
            (
                "/a%zz",
                "\"%\" must be followed by two hexadecimal digits",
                "Write %25 for a percent sign.",
            ),
        ] {
            invalid(&endpoint(path), "endpoint", reason, hint);
        }
    }

    #[pg_test]
    fn a_server_needs_base_url_and_a_table_an_endpoint_at_create() {
        create_server();
        let url = "For example: OPTIONS (base_url 'https://api.example.com').";
        let path = "For example: OPTIONS (endpoint '/items').";
        for options in ["", "OPTIONS (timeout '1s')"] {
            is(
                &format!("CREATE SERVER probe FOREIGN DATA WRAPPER rest_fdw {options}"),
                MISSING,
                "option \"base_url\" is required",
                url,
            );
        }
        for options in ["", "OPTIONS (page_size '1')"] {
            is(
                &format!("CREATE FOREIGN TABLE probe (id int) SERVER api {options}"),
                MISSING,
                "option \"endpoint\" is required",
                path,
            );
        }
        run("CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items')");
        is(
            "ALTER SERVER api OPTIONS (DROP base_url)",
            MISSING,
            "option \"base_url\" is required",
            url,
        );
        is(
            "ALTER FOREIGN TABLE items OPTIONS (DROP endpoint)",
            MISSING,
            "option \"endpoint\" is required",
            path,
        );
    }

    #[pg_test]
    fn options_that_exclude_each_other_are_refused() {
        create_server();
        is(
            &column_with("field 'a', param 'b'"),
            MISSING,
            "options \"field\" and \"param\" exclude each other",
            "A column is either a member of the response or an input of the request.",
        );
        for what in ["cursor", "next_url", "total"] {
            let message =
                format!("options \"{what}_field\" and \"{what}_header\" exclude each other");
            let options = format!("{what}_field 'a', {what}_header 'b'");
            is(&table(&options), MISSING, &message, "");
            is(&server(&options), MISSING, &message, "");
        }
    }

    #[pg_test]
    fn what_only_all_levels_together_show_is_refused_at_first_use() {
        create_server();
        let cases = [
            (
                "(owner text)",
                "endpoint '/repos/{owner}/{repo}'",
                "the endpoint names {repo}, and no column of foreign table \"probe\" is that parameter",
                "Add a column \"repo\", or set param 'repo' and param_in 'path' on another column.",
            ),
            (
                "(id int, name text)",
                "endpoint '/items', key 'id, nr'",
                "option \"key\" names column \"nr\", which does not exist",
                "The columns are: id, name.",
            ),
            (
                "(id int, name text)",
                "endpoint '/items', pagination 'keyset', cursor_param 'after', cursor_column 'nr'",
                "option \"cursor_column\" names column \"nr\", which does not exist",
                "The columns are: id, name.",
            ),
            (
                "(id int OPTIONS (param 'id'))",
                "endpoint '/items', pagination 'keyset', cursor_param 'after', cursor_column 'id'",
                "option \"cursor_column\" names \"id\", which is an input of the request",
                "Name a column that the response carries.",
            ),
            (
                "(id int)",
                "endpoint '/items', pagination 'cursor', cursor_field 'next'",
                "pagination 'cursor' needs option \"cursor_param\"",
                "",
            ),
            (
                "(id int)",
                "endpoint '/items', pagination 'next_url'",
                "pagination 'next_url' needs option \"next_url_field\" or \"next_url_header\"",
                "",
            ),
            (
                "(id int)",
                "endpoint '/items', page_param 'p'",
                "option \"page_param\" has no effect without option \"pagination\"",
                "Set pagination 'page'.",
            ),
            (
                "(id int)",
                "endpoint '/items', columns_field 'names'",
                "option \"columns_field\" needs rows_shape 'arrays'",
                "",
            ),
        ];
        for (columns, options, message, hint) in cases {
            run(&format!(
                "CREATE FOREIGN TABLE probe {columns} SERVER api OPTIONS ({options})"
            ));
            is("SELECT * FROM probe", MISSING, message, hint);
            is("EXPLAIN SELECT * FROM probe", MISSING, message, hint);
            run("DROP FOREIGN TABLE probe");
        }
    }

    #[pg_test]
    fn a_column_that_contradicts_its_table_is_named_at_first_use() {
        create_server();
        let cases = [
            (
                "x text OPTIONS (format 'unix')",
                "/",
                "format 'unix' does not fit type text",
            ),
            (
                "x int OPTIONS (format 'csv')",
                "/",
                "format 'csv' does not fit type integer",
            ),
            (
                "x bytea OPTIONS (param 'x')",
                "/",
                "type bytea cannot be a request parameter",
            ),
            (
                "x text OPTIONS (field '@key')",
                "/",
                "field '@key' needs rows_shape 'map'",
            ),
            (
                "x text OPTIONS (required 'on')",
                "/",
                "option \"required\" is for parameter columns",
            ),
            (
                "x text OPTIONS (param_in 'query')",
                "/",
                "option \"param_in\" needs option \"param\"",
            ),
            (
                "x text OPTIONS (field 'y')",
                "/{x}",
                "a column in the endpoint is an input of the request and has no field",
            ),
            (
                "x text OPTIONS (required 'off')",
                "/{x}",
                "a parameter in the endpoint is always required",
            ),
            (
                "x text OPTIONS (param 'x', filter '>=')",
                "/",
                "a parameter column takes no filter but \"= x\"",
            ),
            (
                "w text OPTIONS (param 'p'), x text OPTIONS (param 'p')",
                "/",
                "parameter \"p\" is set by column \"w\" and by column \"x\"",
            ),
            (
                "x int OPTIONS (param 'x', default 'one')",
                "/",
                "invalid value for option \"default\": \"one\" does not fit type integer",
            ),
        ];
        for (columns, endpoint, message) in cases {
            run(&format!(
                "CREATE FOREIGN TABLE probe ({columns}) SERVER api OPTIONS (endpoint '{endpoint}')"
            ));
            let found = error("SELECT * FROM probe");
            assert_eq!(found.message, message);
            assert!(
                [MISSING, INVALID].contains(&found.code.as_str()),
                "{found:?}"
            );
            assert_eq!(
                found.detail, "Column \"x\" of foreign table \"probe\".",
                "{message}"
            );
            run("DROP FOREIGN TABLE probe");
        }
    }

    #[pg_test]
    fn alter_checks_what_it_adds_sets_and_leaves() {
        create_server();
        run(
            "CREATE FOREIGN TABLE items (id int, at timestamptz) SERVER api OPTIONS (endpoint '/items')",
        );
        run(&mapping("token 'x'"));
        let refused = [
            ("ALTER SERVER api OPTIONS (ADD page_sizes '1')", UNKNOWN),
            ("ALTER SERVER api OPTIONS (ADD token 'x')", UNKNOWN),
            ("ALTER SERVER api OPTIONS (SET base_url 'x')", INVALID),
            (
                "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (ADD page_size '1')",
                UNKNOWN,
            ),
            (
                "ALTER FOREIGN TABLE items OPTIONS (SET endpoint 'x')",
                INVALID,
            ),
            (
                "ALTER FOREIGN TABLE items OPTIONS (ADD end_on_short_page 'perhaps')",
                INVALID,
            ),
            (
                "ALTER FOREIGN TABLE items ALTER at OPTIONS (ADD sort_nulls 'middle')",
                INVALID,
            ),
            (
                "ALTER FOREIGN TABLE items ALTER at OPTIONS (ADD formats 'unix')",
                UNKNOWN,
            ),
            (
                "ALTER FOREIGN TABLE items ADD COLUMN n int OPTIONS (field 'a', param 'b')",
                MISSING,
            ),
        ];
        for (statement, code) in refused {
            assert_eq!(error(statement).code, code, "{statement}");
        }
        for statement in [
            "ALTER SERVER api OPTIONS (ADD timeout '1s', SET base_url 'http://127.0.0.1:9/v1')",
            "ALTER SERVER api OPTIONS (DROP timeout)",
            "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (SET token 'y', ADD api_key 'z')",
            "ALTER FOREIGN TABLE items OPTIONS (ADD page_size '5', ADD page_size_param 'n')",
            "ALTER FOREIGN TABLE items ALTER at OPTIONS (ADD format 'unix')",
            "ALTER FOREIGN TABLE items ALTER at OPTIONS (SET format 'unix_ms')",
            "ALTER FOREIGN TABLE items ADD COLUMN n int OPTIONS (field 'a.b')",
        ] {
            run(statement);
        }
        let request = "Remote Request: GET http://127.0.0.1:9/v1/items?n=5".to_owned();
        assert!(explain("COSTS OFF", "SELECT * FROM items").contains(&request));
        run("ALTER FOREIGN TABLE items OPTIONS (DROP page_size)");
        let request = "Remote Request: GET http://127.0.0.1:9/v1/items".to_owned();
        assert!(explain("COSTS OFF", "SELECT * FROM items").contains(&request));
    }

    #[pg_test]
    fn an_option_added_later_may_not_contradict_an_earlier_one() {
        create_server();
        run(
            "CREATE FOREIGN TABLE items (id int OPTIONS (field 'a')) SERVER api OPTIONS (endpoint '/')",
        );
        is(
            "ALTER FOREIGN TABLE items ALTER id OPTIONS (ADD param 'b')",
            MISSING,
            "options \"field\" and \"param\" exclude each other",
            "A column is either a member of the response or an input of the request.",
        );
        run("ALTER FOREIGN TABLE items ALTER id OPTIONS (DROP field, ADD param 'b')");
        let options = column(
            "SELECT unnest(attfdwoptions) FROM pg_attribute WHERE attrelid = 'items'::regclass",
        );
        assert_eq!(options, ["param=b"]);
    }

    #[pg_test]
    fn options_that_name_a_file_are_for_superusers() {
        run("CREATE ROLE pupil");
        run("GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO pupil");
        for option in [
            "ca_file",
            "client_cert_file",
            "tls_verify",
            "unix_socket",
            "proxy_url",
        ] {
            let statement = server(&format!("{option} 'x'"));
            let found = error(&format!("SET LOCAL ROLE pupil; {statement}"));
            assert_eq!(
                found.message,
                format!("only a superuser may set option \"{option}\"")
            );
            assert_eq!(found.code, "42501");
        }
        run("SET LOCAL ROLE pupil");
        run(&server("timeout '1s'"));
        run("RESET ROLE");
    }

    fn accepted_on_a_server() -> [&'static str; 26] {
        [
            "user_agent 'probe/1'",
            "accept 'application/vnd.api+json'",
            "auth 'none'",
            "auth 'basic'",
            "auth 'bearer'",
            "auth 'api_key'",
            "api_key_name 'X-Key', api_key_in 'header'",
            "api_key_in 'query'",
            "api_key_in 'cookie'",
            "auth_scheme 'Token'",
            "connect_timeout '500ms'",
            "timeout '1.5 min'",
            "max_retries '0'",
            "retry_on '429, 503, network'",
            "retry_on ''",
            "rate_limit '10/s'",
            "rate_limit '5000/h'",
            "max_concurrency '64'",
            "max_pages '1000000'",
            "max_requests '1'",
            "max_response_bytes '64MB'",
            "headers '{\"X-Version\": \"2\"}'",
            "query '{\"state\": \"all\", \"n\": 1, \"deep\": true}'",
            "pagination 'page', page_param 'p'",
            "rows 'data', page_size '10', page_size_param 'n', max_page_size '50'",
            "recheck 'off', latency '0', rows_estimate '1e6', empty_on '404', error_field 'problem.text'",
        ]
    }

    fn accepted_on_a_table() -> [&'static str; 31] {
        [
            "method 'GET'",
            "format 'json'",
            "dialect 'plain'",
            "headers '{\"X-Version\": 2}'",
            "query '{\"state\": \"all\"}'",
            "rows 'auto'",
            "rows '$'",
            "rows 'data.items'",
            "rows '/data/a~1b/0'",
            "rows_shape 'objects'",
            "rows_shape 'arrays'",
            "rows_shape 'arrays', columns_field 'columns'",
            "rows_shape 'map'",
            "rows_shape 'values'",
            "rows_shape 'single'",
            "pagination 'auto'",
            "pagination 'none'",
            "pagination 'link', page_size '100', page_size_param 'per_page', max_page_size '50'",
            "pagination 'next_url', next_url_field 'links.next'",
            "pagination 'next_url', next_url_header 'X-Next'",
            "pagination 'cursor', cursor_param 'c', cursor_field 'meta.next'",
            "pagination 'cursor', cursor_param 'c', cursor_header 'X-Cursor', keep_params 'off'",
            "pagination 'page', page_param 'p', first_page '0', end_on_short_page 'on'",
            "pagination 'page', has_more_field 'more', total_field 'total', page_count_field 'pages'",
            "pagination 'offset', offset_param 'o', first_offset '1', total_header 'X-Total'",
            "pagination 'keyset', cursor_param 'after', cursor_column 'id'",
            "key 'id'",
            "empty_on '404, 410'",
            "error_field 'error.text'",
            "recheck 'off'",
            "rows_estimate '12.5', latency '20ms'",
        ]
    }

    #[pg_test]
    fn every_option_that_works_can_be_planned_with() {
        create_server();
        for options in accepted_on_a_server() {
            run(&server(options));
            run("CREATE FOREIGN TABLE probe (id int) SERVER probe OPTIONS (endpoint '/items')");
            assert!(
                !explain("COSTS OFF", "SELECT id FROM probe").is_empty(),
                "{options}"
            );
            run("DROP SERVER probe CASCADE");
        }
        for options in accepted_on_a_table() {
            run(&table(options));
            assert!(
                !explain("COSTS OFF", "SELECT id FROM probe").is_empty(),
                "{options}"
            );
            run("DROP FOREIGN TABLE probe");
        }
        for options in [
            "token 'x'",
            "username 'ann', password 'pä ss'",
            "api_key 'k'",
            "headers '{\"X-Secret\": \"x\", \"Cookie\": \"a=b\"}'",
        ] {
            run(&mapping(options));
            run("DROP USER MAPPING FOR CURRENT_USER SERVER api");
        }
    }

    #[pg_test]
    fn every_column_option_that_works_can_be_planned_with() {
        create_server();
        for (ty, options) in [
            ("text", "field 'user.login'"),
            ("text", "field '/a~1b/0'"),
            ("jsonb", "field '$'"),
            (
                "int",
                "filter '=, < max, <= most exact, > min, >= least, in list'",
            ),
            ("text", "param 'q'"),
            ("text", "param 'q', required 'on'"),
            ("text", "param 'X-Q', param_in 'header', default 'all'"),
            ("text", "param 'p', param_in 'path'"),
            ("timestamptz", "format 'rfc3339'"),
            ("date", "format 'date'"),
            ("timestamptz", "format 'unix'"),
            ("timestamp", "format 'unix_ms'"),
            ("bigint", "format 'unix_us'"),
            ("date", "format 'unix_ns'"),
            ("bytea", "format 'base64'"),
            ("int[]", "format 'csv'"),
            ("date", "format '%d.%m.%Y'"),
            ("int", "on_error 'null'"),
            ("int", "on_error 'error'"),
            ("text", "collation 'C'"),
            ("text", "collation 'de-DE-x-icu'"),
        ] {
            let endpoint = if options.contains("path") {
                "/items/{p}"
            } else {
                "/items"
            };
            run(&format!(
                "CREATE FOREIGN TABLE probe (x {ty} OPTIONS ({options})) SERVER api OPTIONS (endpoint '{endpoint}')"
            ));
            assert!(
                !explain("COSTS OFF", "SELECT x FROM probe").is_empty(),
                "{options}"
            );
            run("DROP FOREIGN TABLE probe");
        }
    }

    fn wrapped() -> Value {
        json!({"routes": {"/items": {
            "rows": [{"id": 1}, {"id": 2}, {"id": 3}],
            "shape": {"path": "data.items"},
            "paging": {"style": "page", "page_size": 2},
        }}})
    }

    #[pg_test]
    fn a_tables_option_wins_over_its_servers() {
        let api = Api::new("a_tables_option_wins", &wrapped());
        api.create_server(
            ", rows 'data.items', pagination 'page', page_size '2', page_size_param 'per_page'
             , query '{\"a\": 1, \"b\": 2}'",
        );
        run("CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items')");
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2", "3"]);
        assert_eq!(
            api.requests(),
            [
                "GET /items?a=1&b=2&per_page=2&page=1",
                "GET /items?a=1&b=2&per_page=2&page=2",
                "GET /items?a=1&b=2&per_page=2&page=3",
            ]
        );
        run(
            "ALTER FOREIGN TABLE items OPTIONS (ADD page_size '3', ADD query '{\"b\": 20, \"c\": 30}', ADD end_on_short_page 'on')",
        );
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2", "3"]);
        assert_eq!(
            api.requests(),
            [
                "GET /items?a=1&b=20&c=30&per_page=3&page=1",
                "GET /items?a=1&b=20&c=30&per_page=3&page=2",
            ]
        );
        run(
            "ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'none', DROP query, DROP page_size, DROP end_on_short_page)",
        );
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2"]);
        assert_eq!(api.requests(), ["GET /items?a=1&b=2&per_page=2"]);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD rows 'data')");
        assert_eq!(error("SELECT * FROM items").code, "HV00K");
    }

    #[pg_test]
    fn a_columns_option_wins_over_the_constants_of_table_and_server() {
        let scenario = json!({"routes": {"/items": {
            "rows": [{"id": 1, "state": "open"}, {"id": 2, "state": "closed"}],
            "filters": [{"param": "state"}],
        }}});
        let api = Api::new("a_columns_option_wins", &scenario);
        api.create_server(", query '{\"state\": \"closed\", \"v\": 1}'");
        run(
            "CREATE FOREIGN TABLE items (id int, state text OPTIONS (filter '=')) SERVER api
             OPTIONS (endpoint '/items', query '{\"v\": 2}')",
        );
        assert_eq!(rows("SELECT * FROM items"), ["(2,closed)"]);
        assert_eq!(
            rows("SELECT * FROM items WHERE state = 'open'"),
            ["(1,open)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /items?state=closed&v=2", "GET /items?state=open&v=2"]
        );
    }
}

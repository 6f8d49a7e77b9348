//! Paging: each style over any number of rows, the exact requests, and the errors that keep rows from being cut or
//! repeated.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Rows a page of the mock API in these tests.
    const SIZE: usize = 2;

    /// Numbers of rows: none, one, a page, a page and one, two pages, two pages and one.
    const COUNTS: [usize; 6] = [0, 1, 2, 3, 4, 5];

    /// The base64 of `offset:2`, `offset:4`: the mock API's cursors, percent-encoded.
    const CURSORS: [&str; 2] = ["b2Zmc2V0OjI%3D", "b2Zmc2V0OjQ%3D"];

    fn scenario(count: usize, shape: &Value, paging: &Value) -> Value {
        json!({"routes": {"/items": {
            "generate": {"kind": "items", "count": count}, "shape": shape, "paging": paging,
        }}})
    }

    /// Two rows a page, in this style, with these further settings.
    fn paged(style: &str, more: Value) -> Value {
        let mut paging = json!({"style": style, "page_size": SIZE});
        for (key, value) in more.as_object().expect("an object") {
            paging[key] = value.clone();
        }
        paging
    }

    fn create_items(options: &str) {
        run("DROP FOREIGN TABLE IF EXISTS items");
        run(&format!(
            "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items', rows 'data', {options})"
        ));
    }

    /// A walk over every number of rows: each row comes once, in order, by exactly these requests.
    fn walks(space: &str, paging: &Value, options: &str, requests: impl Fn(usize) -> Vec<String>) {
        let api = Api::new(space, &json!({"routes": {}}));
        api.create_server("");
        create_items(options);
        for count in COUNTS {
            api.client().define(
                api.space(),
                &scenario(count, &json!({"path": "data"}), paging),
            );
            let expected: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
            assert_eq!(
                column("SELECT id::text FROM items"),
                expected,
                "{count} rows: {options}"
            );
            // Pages whose number is known are requested at once.
            let mut requests = requests(count);
            requests.sort();
            assert_eq!(api.sorted_requests(), requests, "{count} rows: {options}");
        }
        run("DROP SERVER api CASCADE");
    }

    /// Pages with rows, at least one.
    fn pages(count: usize) -> usize {
        count.div_ceil(SIZE).max(1)
    }

    /// `GET /items` and then one request for each further page with rows, as `target` writes them.
    fn first_and_further(
        count: usize,
        first: &str,
        target: impl Fn(usize) -> String,
    ) -> Vec<String> {
        let further = (2..=pages(count)).map(|page| format!("GET /items?{}", target(page)));
        std::iter::once(first.to_owned()).chain(further).collect()
    }

    /// The requests with these query strings.
    fn gets(queries: &[&str]) -> Vec<String> {
        queries
            .iter()
            .map(|query| format!("GET /items{query}"))
            .collect()
    }

    fn paging_error(reason: &str, api: &Api, page: u32, target: &str) -> SqlError {
        SqlError {
            code: "HV00M".to_owned(),
            message: format!("paging failed: {reason}"),
            detail: format!(
                "Foreign table \"items\", page {page} of GET {}{target}",
                api.url()
            ),
            hint: String::new(),
        }
    }

    #[pg_test]
    fn without_paging_there_is_one_request_whatever_the_response_says() {
        let told = json!({"has_more_field": "more", "total_field": "total"});
        let api = Api::new(
            "without_paging",
            &scenario(5, &json!({"path": "data"}), &paged("next_url", told)),
        );
        api.create_server("");
        create_items("pagination 'none'");
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2"]);
        create_items("pagination 'none', page_size '4', page_size_param 'per_page'");
        assert_eq!(column("SELECT id::text FROM items"), ["1", "2", "3", "4"]);
        assert_eq!(api.requests(), gets(&["", "?per_page=4"]));
    }

    #[pg_test]
    fn link_headers_are_followed_to_the_last_page() {
        let next = |page: usize| format!("page={page}");
        for (space, relative) in [("link_absolute", false), ("link_relative", true)] {
            let paging = paged("link", json!({"relative_urls": relative}));
            walks(space, &paging, "pagination 'link'", |count| {
                first_and_further(count, "GET /items", next)
            });
        }
        let sized = "pagination 'link', page_size '2', page_size_param 'per_page', query '{\"q\": \"a b\"}'";
        walks("link_sized", &paged("link", json!({})), sized, |count| {
            first_and_further(count, "GET /items?q=a%20b&per_page=2", |page| {
                format!("q=a%20b&per_page=2&page={page}")
            })
        });
    }

    #[pg_test]
    fn next_urls_in_body_or_header_are_followed_to_the_last_page() {
        let next = |page: usize| format!("page={page}");
        for (space, more, option) in [
            (
                "next_url_body",
                json!({"next_url_field": "links.next"}),
                "next_url_field 'links.next'",
            ),
            (
                "next_url_relative",
                json!({"next_url_field": "links.next", "relative_urls": true}),
                "next_url_field '/links/next'",
            ),
            (
                "next_url_header",
                json!({"next_url_header": "X-Next"}),
                "next_url_header 'x-next'",
            ),
        ] {
            let options = format!("pagination 'next_url', {option}");
            walks(space, &paged("next_url", more), &options, |count| {
                first_and_further(count, "GET /items", next)
            });
        }
    }

    #[pg_test]
    fn cursors_in_body_or_header_are_sent_back_until_there_is_none() {
        let next = |page: usize| format!("after={}", CURSORS[page - 2]);
        for (space, more, option) in [
            (
                "cursor_body",
                json!({"cursor_field": "meta.next"}),
                "cursor_field 'meta.next'",
            ),
            (
                "cursor_header",
                json!({"cursor_header": "X-Cursor"}),
                "cursor_header 'X-Cursor'",
            ),
        ] {
            let mut paging = paged("cursor", more);
            paging["cursor_param"] = json!("after");
            let options = format!("pagination 'cursor', cursor_param 'after', {option}");
            walks(space, &paging, &options, |count| {
                first_and_further(count, "GET /items", next)
            });
        }
    }

    #[pg_test]
    fn later_pages_repeat_the_constants_unless_told_otherwise() {
        let paging = paged("cursor", json!({"cursor_field": "next"}));
        let options = |keep: &str| {
            format!(
                "pagination 'cursor', cursor_param 'cursor', cursor_field 'next', page_size '2', page_size_param 'per_page',
                 query '{{\"v\": 1}}', keep_params '{keep}'"
            )
        };
        walks("keep_params_on", &paging, &options("on"), |count| {
            first_and_further(count, "GET /items?v=1&per_page=2", |page| {
                format!("v=1&per_page=2&cursor={}", CURSORS[page - 2])
            })
        });
        walks("keep_params_off", &paging, &options("off"), |count| {
            first_and_further(count, "GET /items?v=1&per_page=2", |page| {
                format!("per_page=2&cursor={}", CURSORS[page - 2])
            })
        });
    }

    #[pg_test]
    fn page_numbers_go_on_to_an_empty_page() {
        for (space, first) in [("page_from_one", 1), ("page_from_zero", 0)] {
            let paging = paged("page", json!({"first_page": first, "page_param": "p"}));
            let options = format!("pagination 'page', page_param 'p', first_page '{first}'");
            walks(space, &paging, &options, |count| {
                let last = first + count.div_ceil(SIZE);
                (first..=last)
                    .map(|page| format!("GET /items?p={page}"))
                    .collect()
            });
        }
    }

    #[pg_test]
    fn page_numbers_end_where_the_response_or_a_short_page_says_so() {
        let sized = "pagination 'page', page_size '2', page_size_param 'per_page'";
        for (space, more, option) in [
            (
                "page_has_more",
                json!({"has_more_field": "more"}),
                "has_more_field 'more'",
            ),
            (
                "page_total",
                json!({"total_field": "meta.total"}),
                "total_field 'meta.total'",
            ),
            (
                "page_total_header",
                json!({"total_header": "X-Total"}),
                "total_header 'x-total'",
            ),
            (
                "page_count",
                json!({"page_count_field": "pages"}),
                "page_count_field 'pages'",
            ),
        ] {
            walks(
                space,
                &paged("page", more),
                &format!("{sized}, {option}"),
                |count| {
                    (1..=pages(count))
                        .map(|page| format!("GET /items?per_page=2&page={page}"))
                        .collect()
                },
            );
        }
        walks(
            "page_short",
            &paged("page", json!({})),
            &format!("{sized}, end_on_short_page 'on'"),
            |count| {
                (1..=count / SIZE + 1)
                    .map(|page| format!("GET /items?per_page=2&page={page}"))
                    .collect()
            },
        );
    }

    #[pg_test]
    fn offsets_count_the_rows_that_came() {
        walks(
            "offset_to_an_empty_page",
            &paged("offset", json!({})),
            "pagination 'offset'",
            |count| {
                let mut offsets: Vec<usize> = (0..count).step_by(SIZE).collect();
                offsets.push(count);
                offsets
                    .iter()
                    .map(|offset| format!("GET /items?offset={offset}"))
                    .collect()
            },
        );
        let options = "pagination 'offset', offset_param 'skip', first_offset '1', page_size '2', page_size_param 'take', total_field 'total'";
        let paging = json!({"offset_param": "skip", "first_offset": 1, "size_param": "take", "total_field": "total"});
        walks(
            "offset_with_a_total",
            &paged("offset", paging),
            options,
            |count| {
                (0..pages(count))
                    .map(|page| format!("GET /items?take=2&skip={}", 1 + page * SIZE))
                    .collect()
            },
        );
        let options = "pagination 'offset', page_size '2', page_size_param 'per_page', end_on_short_page 'on'";
        walks(
            "offset_short",
            &paged("offset", json!({})),
            options,
            |count| {
                (0..=count / SIZE)
                    .map(|page| format!("GET /items?per_page=2&offset={}", page * SIZE))
                    .collect()
            },
        );
    }

    #[pg_test]
    fn keysets_go_on_after_the_last_row() {
        let options = "pagination 'keyset', cursor_param 'after', cursor_column 'id'";
        walks(
            "keyset",
            &paged("keyset", json!({"cursor_param": "after"})),
            options,
            |count| {
                let mut last: Vec<usize> = (SIZE..=count).step_by(SIZE).collect();
                if count % SIZE > 0 {
                    last.push(count);
                }
                let further = last.iter().map(|id| format!("GET /items?after={id}"));
                std::iter::once("GET /items".to_owned())
                    .chain(further)
                    .collect()
            },
        );
    }

    #[pg_test]
    fn a_keyset_is_read_from_its_column_even_where_the_query_does_not() {
        let rows_of = json!([
            {"at": "2026-11-13T08:00:00.5+02:00", "n": 1},
            {"at": "2026-11-13T09:00:00Z", "n": 2},
            {"at": "a&b=c", "n": 3},
        ]);
        let scenario = json!({"routes": {"/items": {
            "rows": rows_of,
            "paging": {"style": "keyset", "page_size": 1, "keyset_field": "at", "cursor_param": "after"},
        }}});
        let api = Api::new("a_keyset_is_read", &scenario);
        api.create_server("");
        run("CREATE FOREIGN TABLE items (n int, stamp text OPTIONS (field 'at')) SERVER api
             OPTIONS (endpoint '/items', pagination 'keyset', cursor_param 'after', cursor_column 'stamp')");
        assert_eq!(column("SELECT n::text FROM items"), ["1", "2", "3"]);
        assert_eq!(
            api.requests(),
            gets(&[
                "",
                "?after=2026-11-13T08:00:00.5%2B02:00",
                "?after=2026-11-13T09:00:00Z",
                "?after=a%26b%3Dc",
            ])
        );
    }

    #[pg_test]
    fn a_page_shorter_than_asked_for_does_not_end_the_scan() {
        let capped = json!({"max_page_size": 2});
        for (space, style, options, requests) in [
            (
                "capped_page",
                "page",
                "pagination 'page', page_size '5', page_size_param 'per_page'",
                vec![
                    "?per_page=5&page=1",
                    "?per_page=5&page=2",
                    "?per_page=5&page=3",
                    "?per_page=5&page=4",
                ],
            ),
            (
                "capped_offset",
                "offset",
                "pagination 'offset', page_size '5', page_size_param 'per_page'",
                vec![
                    "?per_page=5&offset=0",
                    "?per_page=5&offset=2",
                    "?per_page=5&offset=4",
                    "?per_page=5&offset=5",
                ],
            ),
        ] {
            let api = Api::new(
                space,
                &scenario(5, &json!({"path": "data"}), &paged(style, capped.clone())),
            );
            api.create_server("");
            create_items(options);
            assert_eq!(
                column("SELECT id::text FROM items"),
                ["1", "2", "3", "4", "5"],
                "{style}"
            );
            assert_eq!(api.requests(), gets(&requests), "{style}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_short_page_ends_nothing_that_a_total_contradicts() {
        let told = json!({"max_page_size": 2, "total_field": "total"});
        let api = Api::new(
            "a_short_page",
            &scenario(5, &json!({"path": "data"}), &paged("page", told)),
        );
        api.create_server("");
        create_items(
            "pagination 'page', page_size '5', page_size_param 'per_page', end_on_short_page 'on', total_field 'total'",
        );
        assert_eq!(
            column("SELECT id::text FROM items"),
            ["1", "2", "3", "4", "5"]
        );
        // The total is known after the first page, so that those after it are asked for at once.
        assert_eq!(
            api.sorted_requests(),
            gets(&[
                "?per_page=5&page=1",
                "?per_page=5&page=2",
                "?per_page=5&page=3"
            ])
        );
    }

    #[pg_test]
    fn no_more_than_max_page_size_is_asked_for() {
        let api = Api::new(
            "no_more_than_max_page_size",
            &scenario(5, &json!({"path": "data"}), &paged("offset", json!({}))),
        );
        api.create_server("");
        for (options, requests) in [
            (
                "page_size '100', max_page_size '3'",
                [
                    "?per_page=3&offset=0",
                    "?per_page=3&offset=3",
                    "?per_page=3&offset=5",
                ],
            ),
            (
                "max_page_size '4'",
                [
                    "?per_page=4&offset=0",
                    "?per_page=4&offset=4",
                    "?per_page=4&offset=5",
                ],
            ),
        ] {
            create_items(&format!(
                "pagination 'offset', page_size_param 'per_page', {options}"
            ));
            assert_eq!(column("SELECT count(*)::text FROM items"), ["5"]);
            assert_eq!(api.requests(), gets(&requests), "{options}");
        }
    }

    fn create_auto() {
        run("DROP FOREIGN TABLE IF EXISTS items");
        run("CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items')");
    }

    #[pg_test]
    fn auto_follows_a_link_header_else_a_next_url_in_the_body() {
        let array = json!("array");
        let wrapped = json!({"path": "data"});
        for (space, shape, paging) in [
            ("auto_link", &array, paged("link", json!({}))),
            (
                "auto_link_relative",
                &wrapped,
                paged("link", json!({"relative_urls": true})),
            ),
            ("auto_next", &wrapped, paged("next_url", json!({}))),
            (
                "auto_links_next",
                &wrapped,
                paged("next_url", json!({"next_url_field": "links.next"})),
            ),
            (
                "auto_odata",
                &wrapped,
                paged(
                    "next_url",
                    json!({"next_url_field": "@odata_nextLink", "relative_urls": true}),
                ),
            ),
            (
                "auto_has_more",
                &wrapped,
                paged("next_url", json!({"has_more_field": "has_more"})),
            ),
        ] {
            let api = Api::new(space, &scenario(5, shape, &paging));
            api.create_server("");
            create_auto();
            assert_eq!(
                column("SELECT id::text FROM items"),
                ["1", "2", "3", "4", "5"],
                "{space}"
            );
            assert_eq!(api.requests(), gets(&["", "?page=2", "?page=3"]), "{space}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn auto_reads_one_page_where_nothing_says_that_there_is_more() {
        let api = Api::new("auto_reads_one_page", &json!({"routes": {}}));
        api.create_server("");
        create_auto();
        for route in [
            json!({"generate": {"kind": "items", "count": 3}}),
            json!({"generate": {"kind": "items", "count": 3}, "shape": {"path": "data"}, "envelope": {
                "total": 3, "has_more": false, "next": null, "next_cursor": "", "links": {"self": "/items"},
            }}),
            json!({"generate": {"kind": "items", "count": 3}, "headers": {"X-Total-Count": "3"}}),
        ] {
            api.client()
                .define(api.space(), &json!({"routes": {"/items": route}}));
            assert_eq!(column("SELECT count(*)::text FROM items"), ["3"], "{route}");
            assert_eq!(api.requests(), gets(&[""]));
        }
    }

    #[pg_test]
    fn auto_refuses_a_page_that_says_that_there_is_more() {
        let api = Api::new("auto_refuses_a_page", &json!({"routes": {}}));
        api.create_server("");
        create_auto();
        let page = |envelope: Value| json!({"generate": {"kind": "items", "count": 2}, "shape": {"path": "data"}, "envelope": envelope});
        let headers = |name: &str, value: &str| json!({"generate": {"kind": "items", "count": 2}, "headers": {name: value}});
        for (route, sign) in [
            (
                page(json!({"has_more": true})),
                "\"has_more\" is true; set pagination and has_more_field 'has_more'",
            ),
            (
                page(json!({"isLast": false})),
                "\"isLast\" is false; set pagination and has_more_field 'isLast'",
            ),
            (
                page(json!({"meta": {"next_cursor": "abc"}})),
                "\"meta.next_cursor\" is not empty; set pagination 'cursor', cursor_param and cursor_field 'meta.next_cursor'",
            ),
            (
                page(json!({"total": 3})),
                "\"total\" is 3, and 2 rows were read; set pagination and total_field 'total'",
            ),
            (
                page(json!({"totalPages": 2})),
                "\"totalPages\" is 2, and 1 was read; set pagination 'page' and page_count_field 'totalPages'",
            ),
            (
                headers("X-Total-Count", "3"),
                "header \"x-total-count\" counts 3, and 2 rows were read; set pagination and total_header 'x-total-count'",
            ),
            (
                headers("Content-Range", "items 0-1/3"),
                "header \"content-range\" counts 3, and 2 rows were read; set pagination and total_header 'content-range'",
            ),
        ] {
            api.client()
                .define(api.space(), &json!({"routes": {"/items": route}}));
            let reason = format!(
                "the response says that there are more rows: {sign}, or pagination 'none' to read this page only"
            );
            assert_eq!(
                error("SELECT * FROM items"),
                paging_error(&reason, &api, 1, "/items")
            );
        }
    }

    #[pg_test]
    fn a_repeated_cursor_or_url_is_an_error() {
        for (space, style, fault, options, what, target) in [
            (
                "repeated_cursor",
                "cursor",
                "repeat_cursor",
                "pagination 'cursor', cursor_param 'cursor', cursor_field 'meta.next_cursor'",
                "cursor",
                "/items?cursor=b2Zmc2V0OjI%3D",
            ),
            (
                "repeated_next_url",
                "next_url",
                "repeat_url",
                "pagination 'next_url', next_url_field 'next'",
                "URL",
                "/items?page=2",
            ),
            (
                "repeated_link",
                "link",
                "repeat_url",
                "pagination 'link'",
                "URL",
                "/items?page=2",
            ),
            (
                "repeated_auto",
                "link",
                "repeat_url",
                "pagination 'auto'",
                "URL",
                "/items?page=2",
            ),
        ] {
            let paging = paged(style, json!({"fault": fault}));
            let api = Api::new(space, &scenario(5, &json!({"path": "data"}), &paging));
            api.create_server("");
            create_items(options);
            let reason = format!(
                "the {what} of the next page was already used: GET {}{target}",
                api.url()
            );
            assert_eq!(
                error("SELECT * FROM items"),
                paging_error(&reason, &api, 2, target),
                "{space}"
            );
            assert_eq!(api.requests().len(), 2, "{space}");
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_keyset_that_does_not_move_on_is_an_error() {
        let route = json!({"rows": [{"id": 1}, {"id": 2}]});
        let api = Api::new(
            "a_keyset_that_does_not_move",
            &json!({"routes": {"/items": route}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE items (id int) SERVER api
             OPTIONS (endpoint '/items', pagination 'keyset', cursor_param 'after', cursor_column 'id')");
        let reason = format!(
            "the cursor of the next page was already used: GET {}/items?after=2",
            api.url()
        );
        assert_eq!(
            error("SELECT * FROM items"),
            paging_error(&reason, &api, 2, "/items?after=2")
        );
        let route = json!({"rows": [{"id": 1}, {"id": null}]});
        api.client()
            .define(api.space(), &json!({"routes": {"/items": route}}));
        let reason = "the page's last row has no value for cursor_column";
        assert_eq!(
            error("SELECT * FROM items"),
            paging_error(reason, &api, 1, "/items")
        );
    }

    #[pg_test]
    fn a_total_that_disagrees_with_the_rows_is_an_error() {
        let reason = "the API reported a total of 12 rows, but sent 5; if that is no count of these rows, drop total_field or total_header";
        for (space, style, options, page, target) in [
            (
                "wrong_total_page",
                "page",
                "pagination 'page', total_field 'total'",
                4,
                "/items?page=4",
            ),
            (
                "wrong_total_offset",
                "offset",
                "pagination 'offset', total_field 'total'",
                4,
                "/items?offset=5",
            ),
            (
                "wrong_total_link",
                "link",
                "pagination 'link', total_field 'total'",
                3,
                "/items?page=3",
            ),
            (
                "wrong_total_next_url",
                "next_url",
                "pagination 'next_url', next_url_field 'next', total_field 'total'",
                3,
                "/items?page=3",
            ),
        ] {
            let paging = paged(
                style,
                json!({"fault": "wrong_total", "total_field": "total"}),
            );
            let api = Api::new(space, &scenario(5, &json!({"path": "data"}), &paging));
            api.create_server("");
            create_items(options);
            assert_eq!(
                error("SELECT * FROM items"),
                paging_error(reason, &api, page, target),
                "{space}"
            );
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn a_next_page_at_another_origin_is_refused_unsent() {
        for (space, style, options) in [
            ("foreign_link", "link", "pagination 'link'"),
            (
                "foreign_next_url",
                "next_url",
                "pagination 'next_url', next_url_field 'next'",
            ),
            ("foreign_auto", "next_url", "pagination 'auto'"),
        ] {
            let paging = paged(style, json!({"fault": "foreign_next"}));
            let api = Api::new(space, &scenario(5, &json!({"path": "data"}), &paging));
            api.create_server("");
            create_items(options);
            let found = error("SELECT * FROM items");
            assert_eq!(found.code, "42501", "{found:?}");
            let origin = api.url().split("/s/").next().unwrap_or_default().to_owned();
            assert_eq!(
                found.message,
                format!(
                    "connection to http://other.invalid is not allowed: the next page's URL leaves the server's own origin {origin}, and credentials go to that one only; a superuser can add the host to \"rest_fdw.allowed_hosts\", so that it is asked without credentials"
                )
            );
            assert_eq!(
                found.detail,
                format!("Foreign table \"items\", page 1 of GET {}/items", api.url())
            );
            assert_eq!(api.requests(), gets(&[""]));
            run("DROP SERVER api CASCADE");
        }
    }

    #[pg_test]
    fn rows_of_the_page_before_an_error_do_not_pass_for_a_result() {
        let paging = paged("link", json!({}));
        let mut broken = scenario(5, &json!("array"), &paging);
        broken["routes"]["/items"]["faults"] =
            json!([{"kind": "status", "status": 500, "on_page": 3, "times": 0}]);
        let api = Api::new("rows_before_an_error", &broken);
        api.create_server("");
        create_auto();
        let found = error("SELECT * FROM items");
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("HV00M", "the API answered with status 500")
        );
        assert!(found.detail.contains("page 3 of GET"), "{found:?}");
        api.requests();
        assert_eq!(
            column("SELECT id::text FROM items LIMIT 2"),
            ["1", "2"],
            "what is enough needs no third page"
        );
    }

    #[pg_test]
    fn max_pages_is_an_error_and_never_a_cut() {
        let api = Api::new(
            "max_pages_is_an_error",
            &scenario(5, &json!({"path": "data"}), &paged("link", json!({}))),
        );
        api.create_server(", max_pages '3'");
        create_items("pagination 'link'");
        assert_eq!(column("SELECT count(*)::text FROM items"), ["5"]);
        run("ALTER SERVER api OPTIONS (SET max_pages '2')");
        api.requests();
        let expected = SqlError {
            code: "53400".to_owned(),
            message: "another page (option \"max_pages\") would exceed the limit of 2".to_owned(),
            detail: format!(
                "Foreign table \"items\", page 3 of GET {}/items?page=3",
                api.url()
            ),
            hint: String::new(),
        };
        assert_eq!(error("SELECT * FROM items"), expected);
        assert_eq!(api.requests(), gets(&["", "?page=2"]));
        assert_eq!(rows("SELECT id FROM items LIMIT 3"), ["(1)", "(2)", "(3)"]);
    }

    #[pg_test]
    fn max_requests_of_the_server_bounds_each_scan() {
        let api = Api::new(
            "max_requests_of_the_server",
            &scenario(5, &json!({"path": "data"}), &paged("link", json!({}))),
        );
        api.create_server(", max_requests '3'");
        create_items("pagination 'link'");
        let both = "SELECT count(*)::text FROM (SELECT id FROM items UNION ALL SELECT id FROM items) twice";
        assert_eq!(column(both), ["10"]);
        run("ALTER SERVER api OPTIONS (SET max_requests '2')");
        api.requests();
        let found = error("SELECT * FROM items");
        assert_eq!(found.code, "53400", "{found:?}");
        assert_eq!(
            found.message,
            "another request (option \"max_requests\" of the server) would exceed the limit of 2"
        );
        assert_eq!(api.requests(), gets(&["", "?page=2"]));
    }

    #[pg_test]
    fn the_max_requests_setting_bounds_all_scans_of_a_statement() {
        let api = Api::new(
            "the_max_requests_setting",
            &scenario(5, &json!({"path": "data"}), &paged("link", json!({}))),
        );
        api.create_server("");
        create_items("pagination 'link'");
        let both = "SELECT id FROM items UNION ALL SELECT id FROM items";
        run("SET LOCAL rest_fdw.max_requests = 5");
        let found = error(both);
        assert_eq!(found.code, "53400", "{found:?}");
        assert_eq!(
            found.message,
            "another request of the statement (setting \"rest_fdw.max_requests\") would exceed the limit of 5"
        );
        assert_eq!(
            found.detail,
            format!(
                "Foreign table \"items\", page 3 of GET {}/items?page=3",
                api.url()
            )
        );
        assert_eq!(
            api.requests(),
            gets(&["", "?page=2", "?page=3", "", "?page=2"])
        );
        run("SET LOCAL rest_fdw.max_requests = 6");
        assert_eq!(
            column(&format!("SELECT count(*)::text FROM ({both}) twice")),
            ["10"]
        );
        run("SET LOCAL rest_fdw.max_requests = 0");
        assert_eq!(
            column(&format!("SELECT count(*)::text FROM ({both}) twice")),
            ["10"]
        );
    }

    fn expiring(status: u16, page: usize) -> Value {
        let paging = json!({"style": "cursor", "page_size": SIZE});
        let mut scenario = scenario(5, &json!({"path": "data"}), &paging);
        scenario["routes"]["/items"]["faults"] = json!([{
            "kind": "status", "status": status, "on_page": page,
            "body": "{\"message\": \"the provided continue parameter is too old\"}",
        }]);
        scenario
    }

    const BY_CURSOR: &str =
        "pagination 'cursor', cursor_param 'cursor', cursor_field 'meta.next_cursor'";

    #[pg_test]
    fn a_cursor_that_has_expired_is_an_error_that_says_what_to_do() {
        let api = Api::new("a_cursor_that_has_expired", &expiring(410, 3));
        api.create_server("");
        create_items(BY_CURSOR);
        let SqlError {
            code,
            message,
            detail,
            hint,
        } = error("SELECT id FROM items");
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "HV00M",
                "the cursor of the next page has expired: rows before it were returned already, so the scan cannot start over"
            )
        );
        let request = format!("page 3 of GET {}/items?cursor={}", api.url(), CURSORS[1]);
        assert_eq!(
            detail,
            format!(
                "Foreign table \"items\", {request}, the API says 410: the provided continue parameter is too old"
            )
        );
        assert!(hint.starts_with("Take the rows sooner"), "{hint}");
        // The backend goes on, and the next try succeeds.
        assert_eq!(column("SELECT count(*)::text FROM items"), ["5"]);
    }

    #[pg_test]
    fn which_statuses_mean_an_expired_cursor_is_declared() {
        let api = Api::new("which_statuses_mean", &expiring(400, 2));
        api.create_server("");
        create_items(BY_CURSOR);
        assert!(error("SELECT id FROM items").message.contains("status 400"));
        api.client().define(api.space(), &expiring(400, 2));
        run("ALTER FOREIGN TABLE items OPTIONS (ADD expired_on '400,404')");
        let message = error("SELECT id FROM items").message;
        assert!(message.contains("has expired"), "{message}");
    }

    #[pg_test]
    fn explain_says_how_a_table_is_paged() {
        let api = Api::new("explain_says_how", &json!({"routes": {}}));
        api.create_server("");
        for (options, pages) in [
            (
                "pagination 'auto'",
                "Link header, else next URL in the body",
            ),
            ("pagination 'none'", "one page"),
            (
                "pagination 'link', page_size '100', page_size_param 'n'",
                "Link header, 100 rows a page",
            ),
            (
                "pagination 'next_url', next_url_field 'links.next'",
                "next URL in \"links.next\"",
            ),
            (
                "pagination 'cursor', cursor_param 'c', cursor_header 'X-C'",
                "cursor in header \"X-C\"",
            ),
            (
                "pagination 'page', page_size '1', page_size_param 'n'",
                "page number, 1 row a page",
            ),
            (
                "pagination 'offset', page_size '1000', max_page_size '50', page_size_param 'n'",
                "offset/limit, 50 rows a page",
            ),
            (
                "pagination 'keyset', cursor_param 'after', cursor_column 'id'",
                "keyset by \"after\"",
            ),
            (
                "pagination 'page', page_size '5', page_count_field 'pages'",
                "page number, 5 rows a page, up to 4 at once",
            ),
        ] {
            create_items(options);
            let lines = explain("COSTS OFF", "SELECT * FROM items");
            assert!(
                lines.contains(&format!("Pages: {pages}")),
                "{options}: {lines:#?}"
            );
        }
        assert_eq!(api.requests(), Vec::<String>::new());
    }
}

//! Aggregates: each way to ask the API, with the exact request, and the same rows as from a local copy; and what
//! PostgreSQL aggregates itself.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    /// Eight rows in three groups, one of them NULL.
    fn items() -> Value {
        json!([
            {"id": 1, "state": "open", "score": 10, "price": 1.50, "ratio": 0.5, "note": "b", "at": "2024-01-01T00:00:00Z"},
            {"id": 2, "state": "open", "score": 20, "price": 2.25, "ratio": 0.25, "note": "a", "at": "2024-01-02T00:00:00Z"},
            {"id": 3, "state": "shut", "score": null, "price": null, "ratio": null, "note": "B", "at": null},
            {"id": 4, "state": "shut", "score": null, "price": 7.00, "ratio": 1.0, "note": null, "at": null},
            {"id": 5, "state": null, "score": 9223372036854775807_i64, "price": 3.10, "ratio": 2.0, "note": "z", "at": "2024-01-05T00:00:00Z"},
            {"id": 6, "state": null, "score": 9223372036854775807_i64, "price": 0.01, "ratio": 3.0, "note": "c", "at": "2024-01-06T00:00:00Z"},
            {"id": 7, "state": "open", "score": -3, "price": 4.00, "ratio": 4.0, "note": "d", "at": "2024-01-07T00:00:00Z"},
            {"id": 8, "state": "Open", "score": 5, "price": 5.55, "ratio": 5.0, "note": "e", "at": "2024-01-08T00:00:00Z"},
        ])
    }

    const TYPES: &str = "id int NOT NULL, state text, score int8, price numeric, ratio float8, note text, at timestamptz";

    /// `route` beside the rows; `table` are the table's options, `columns` its columns' options.
    fn api_of(space: &str, route: &Value, table: &str, types: &str) -> Api {
        let mut items_route = json!({"rows": items()});
        let route = route.as_object().unwrap().clone();
        items_route.as_object_mut().unwrap().extend(route);
        let routes = json!({
            "/items": items_route,
            "/items/count": {"count_of": "/items"},
            "/items/size": {"count_of": "/items", "count_field": "data.size"},
        });
        let api = Api::new(space, &json!({"routes": routes}));
        api.create_server("");
        run(&format!(
            "CREATE FOREIGN TABLE items ({types}) SERVER api OPTIONS (endpoint '/items'{table})"
        ));
        run("SET LOCAL rest_fdw.pushdown = off");
        run("CREATE TABLE copy AS SELECT * FROM items");
        run("SET LOCAL rest_fdw.pushdown = on");
        api.requests();
        api
    }

    fn dialect(name: &str) -> Value {
        json!({"dialect": {"name": name, "columns": {
            "id": "int4", "state": "text", "score": "int8", "price": "numeric", "ratio": "float8", "note": "text", "at": "timestamptz",
        }}})
    }

    const ALL: &str = "aggregates 'count, min, max, sum, avg'";

    fn postgrest(space: &str, table: &str) -> Api {
        let table = format!(", dialect 'postgrest'{table}");
        api_of(space, &dialect("postgrest"), &table, TYPES)
    }

    fn odata(space: &str, table: &str) -> Api {
        let table = format!(", dialect 'odata', rows 'value'{table}");
        api_of(space, &dialect("odata"), &table, TYPES)
    }

    fn socrata(space: &str, table: &str) -> Api {
        let table = format!(", dialect 'sql'{table}");
        api_of(space, &dialect("sql"), &table, TYPES)
    }

    fn plain(space: &str, table: &str) -> Api {
        let filters = json!({"filters": [{"param": "id", "type": "number"}, {"param": "ids", "field": "id", "op": "in", "type": "number"}, {"param": "min", "field": "id", "op": ">=", "type": "number"}, {"param": "state"}],
            "paging": {"style": "page", "page_size": 3, "total_field": "meta.total", "total_header": "X-Total"}, "shape": {"path": "data"}});
        let types = TYPES
            .replace(
                "id int NOT NULL",
                "id int OPTIONS (filter '= exact, in ids exact, >= min exact') NOT NULL",
            )
            .replace("state text", "state text OPTIONS (filter '= exact')")
            .replace("score int8", "score int8 OPTIONS (filter '= score')");
        let table = format!(", rows 'data', pagination 'page', page_size_param 'per_page'{table}");
        api_of(space, &filters, &table, &types)
    }

    fn legible(request: &str) -> String {
        let pairs = [
            ("%20", " "),
            ("%2F", "/"),
            ("%3D", "="),
            ("%2f", "/"),
            ("%27", "'"),
            ("%22", "\""),
            ("%3C", "<"),
            ("%3E", ">"),
            ("%5B", "["),
            ("%5D", "]"),
            ("%7B", "{"),
            ("%7D", "}"),
        ];
        pairs
            .iter()
            .fold(request.to_owned(), |text, (code, character)| {
                text.replace(code, character)
            })
    }

    /// The rows of a query over `items`, whose order does not matter; the copy's and those without pushdown are the
    /// same.
    fn same_rows(query: &str) -> Vec<String> {
        let sorted = |query: &str| {
            let mut rows = rows(query);
            rows.sort();
            rows
        };
        let here = sorted(query);
        assert_eq!(here, sorted(&query.replace("items", "copy")), "{query}");
        here
    }

    /// What is asked for a query over `items`, whose rows are the copy's and those without pushdown.
    fn asked(api: &Api, query: &str) -> Vec<String> {
        api.requests();
        let here = same_rows(query);
        let asked = api.requests().iter().map(|line| legible(line)).collect();
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(same_rows(query), here, "{query}");
        run("SET LOCAL rest_fdw.pushdown = on");
        api.requests();
        asked
    }

    fn remote(query: &str) -> Option<String> {
        let lines = explain("COSTS OFF", query);
        let mut lines = lines.into_iter();
        lines.find(|line| line.starts_with("Remote Aggregate: "))
    }

    #[pg_test]
    fn a_count_endpoint_answers_with_the_same_filters() {
        let api = plain(
            "a_count_endpoint_answers",
            ", count_endpoint '/items/count'",
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items"),
            ["GET /items/count"]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT count(*), 'x' || count(*) + 1 FROM items WHERE id >= 3 AND state = 'open'"
            ),
            ["GET /items/count?min=3&state=open"]
        );
        assert_eq!(
            asked(&api, "SELECT count(id) FROM items HAVING count(*) > 100"),
            ["GET /items/count"]
        );
        assert_eq!(
            explain("COSTS OFF", "SELECT count(*) FROM items WHERE id >= 3"),
            [
                "Foreign Scan".to_owned(),
                format!("Remote Request: GET {}/items/count?min=3", api.url()),
                "Remote Aggregate: count(*)".to_owned(),
                "Remote Filter: (id >= 3) (exact)".to_owned(),
                "Pages: one page".to_owned(),
            ]
        );
    }

    #[pg_test]
    fn a_count_is_found_where_the_table_says() {
        let api = plain(
            "a_count_is_found",
            ", count_endpoint '/items/size', count_field 'data.size'",
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE id = 3"),
            ["GET /items/size?id=3"]
        );
        api.client().define(
            api.space(),
            &json!({"routes": {"/items/size": {"body": "41"}, "/items": {"rows": items(), "shape": {"path": "data"}}}}),
        );
        run("ALTER FOREIGN TABLE items OPTIONS (DROP count_field)");
        assert_eq!(rows("SELECT count(*) FROM items"), ["(41)"]);
        run("ALTER FOREIGN TABLE items OPTIONS (ADD count_field '$')");
        assert_eq!(rows("SELECT count(*) FROM items"), ["(41)"]);
        run("ALTER FOREIGN TABLE items OPTIONS (SET count_field 'n')");
        let found = error("SELECT count(*) FROM items");
        assert!(found.message.contains("a number"), "{found:?}");
        for body in ["{}", "{\"n\": null}", "null"] {
            api.client().define(
                api.space(),
                &json!({"routes": {"/items/size": {"body": body}}}),
            );
            let found = error("SELECT count(*) FROM items");
            assert_eq!(found.code, "HV00K", "{body}: {found:?}");
        }
    }

    #[pg_test]
    fn an_exact_total_is_told_by_one_row() {
        let api = plain(
            "an_exact_total_is_told",
            ", total_field 'meta.total', exact_total 'on'",
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items"),
            ["GET /items?per_page=1"]
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE id >= 3"),
            ["GET /items?min=3&per_page=1"]
        );
        run("ALTER FOREIGN TABLE items OPTIONS (DROP total_field, ADD total_header 'x-total')");
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE id = 99"),
            ["GET /items?id=99&per_page=1"]
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE state = 'open'"),
            ["GET /items?state=open&per_page=1"]
        );
        run("ALTER FOREIGN TABLE items OPTIONS (SET total_header 'x-other')");
        let found = error("SELECT count(*) FROM items");
        assert!(
            found.message.ends_with("there is no header \"x-other\""),
            "{found:?}"
        );
    }

    #[pg_test]
    fn without_a_declaration_rows_are_counted() {
        let api = plain("without_a_declaration_rows", ", total_field 'meta.total'");
        assert_eq!(asked(&api, "SELECT count(*) FROM items").len(), 3);
        assert_eq!(remote("SELECT count(*) FROM items"), None);
    }

    #[pg_test]
    fn postgrest_is_asked_for_its_exact_count() {
        let api = postgrest(
            "postgrest_is_asked_for_its_exact_count",
            ", exact_total 'on'",
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items"),
            ["GET /items?limit=1"]
        );
        let heads = {
            rows("SELECT count(*) FROM items");
            api.client().request_heads(api.space())
        };
        assert_eq!(heads[0].header("prefer"), Some("count=exact"));
        api.requests();
        assert_eq!(
            asked(
                &api,
                "SELECT count(*) FROM items WHERE score IS NULL OR (state = 'open' AND id IN (1, 2))"
            ),
            ["GET /items?or=(score.is.null,and(state.eq.open,id.in.(1,2)))&limit=1"]
        );
        assert_eq!(asked(&api, "SELECT sum(score) FROM items").len(), 1);
        assert_eq!(remote("SELECT sum(score) FROM items"), None);
    }

    #[pg_test]
    fn postgrest_aggregates_groups() {
        let api = postgrest("postgrest_aggregates_groups", &format!(", {ALL}"));
        assert_eq!(
            asked(
                &api,
                "SELECT state, count(*), sum(score), count(score), min(at), max(price) FROM items GROUP BY state"
            ),
            [
                "GET /items?select=state,count_1:count(),sum_2:score.sum(),count_3:score.count(),min_4:at.min(),max_5:price.max()&order=state"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT avg(score), avg(id), sum(id), avg(price), max(ratio) FROM items WHERE id < 5"
            ),
            [
                "GET /items?id=lt.5&select=sum_1:score.sum(),count_2:score.count(),sum_3:id.sum(),count_4:count(),sum_5:price.sum(),count_6:price.count(),max_7:ratio.max()"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT state FROM items GROUP BY state, id % 1 HAVING count(*) > 1"
            ),
            ["GET /items?select=id,state"]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT upper(state) || '!', 2 * max(score) FROM items WHERE score < 100 GROUP BY state HAVING count(*) > 1 AND min(id) < 5 ORDER BY max(score)"
            ),
            [
                "GET /items?score=lt.100&select=state,max_1:score.max(),count_2:count(),min_3:id.min()&order=state"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT state, id, count(*) FROM items GROUP BY id, state"
            ),
            ["GET /items?select=id,state,count_1:count()&order=id,state"]
        );
        assert_eq!(
            remote("SELECT state, count(*), sum(score) FROM items GROUP BY state"),
            Some("Remote Aggregate: count(*), sum(score) GROUP BY state".to_owned())
        );
    }

    #[pg_test]
    fn nothing_has_one_row_without_groups_and_none_with_them() {
        let api = postgrest("nothing_has_one_row", &format!(", {ALL}"));
        assert_eq!(
            asked(
                &api,
                "SELECT count(score), sum(score), avg(score), min(price) FROM items WHERE id > 99"
            ),
            [
                "GET /items?id=gt.99&select=count_1:score.count(),sum_2:score.sum(),min_3:price.min()"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT state, count(*) FROM items WHERE id > 99 GROUP BY state"
            ),
            ["GET /items?id=gt.99&select=state,count_1:count()&order=state"]
        );
        assert_eq!(
            asked(&api, "SELECT avg(score) FROM items WHERE score IS NULL").len(),
            1
        );
        for contradiction in ["id = 1 AND id = 2", "id = NULL", "state = ANY('{}')"] {
            let of_all = format!(
                "SELECT count(*), count(score), sum(score), avg(id) FROM items WHERE {contradiction}"
            );
            assert_eq!(asked(&api, &of_all), NONE, "{contradiction}");
            let grouped =
                format!("SELECT state, count(*) FROM items WHERE {contradiction} GROUP BY state");
            assert_eq!(asked(&api, &grouped), NONE, "{contradiction}");
        }
    }

    #[pg_test]
    fn odata_applies_aggregates() {
        let api = odata("odata_applies_aggregates", &format!(", {ALL}"));
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items"),
            ["GET /items?$count=true&$top=0"]
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE id >= 3"),
            ["GET /items?$filter=id ge 3&$count=true&$top=0"]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT sum(score), max(at), count(*), avg(id) FROM items WHERE id >= 3 AND score IS NOT NULL"
            ),
            [
                "GET /items?$apply=filter(id ge 3 and score ne null)/aggregate(score with sum as sum_1,at with max as max_2,$count as count_3,id with sum as sum_4)"
            ]
        );
        assert_eq!(
            asked(&api, "SELECT id, min(price) FROM items GROUP BY id"),
            ["GET /items?$apply=groupby((id),aggregate(price with min as min_1))&$orderby=id"]
        );
        // Whether its text and decimals are told apart as here is not known, nor which values are NULL.
        for local in ["state", "price"] {
            assert_eq!(
                remote(&format!(
                    "SELECT {local}, count(*) FROM items GROUP BY {local}"
                )),
                None
            );
        }
        assert_eq!(remote("SELECT count(score) FROM items"), None);
        assert_eq!(remote("SELECT avg(score) FROM items"), None);
        run("ALTER FOREIGN TABLE items ALTER state OPTIONS (ADD filter '= exact')");
        assert_eq!(
            asked(
                &api,
                "SELECT state, count(*) FROM items WHERE state = 'open' GROUP BY state"
            ),
            [
                "GET /items?$apply=filter(state eq 'open')/groupby((state),aggregate($count as count_1))&$orderby=state"
            ]
        );
    }

    #[pg_test]
    fn groups_have_pages_too() {
        let route = json!({"paging": {"max_page_size": 3}});
        let mut all = dialect("odata");
        all.as_object_mut()
            .unwrap()
            .extend(route.as_object().unwrap().clone());
        let table = format!(", dialect 'odata', rows 'value', {ALL}");
        let api = api_of("groups_have_pages_too", &all, &table, TYPES);
        let found = asked(&api, "SELECT id, count(*) FROM items GROUP BY id");
        assert!(
            found[0].starts_with("GET /items?$apply=groupby((id),aggregate($count as count_1))"),
            "{found:?}"
        );
    }

    #[pg_test]
    fn sql_groups_by_parameters_and_by_a_whole_statement() {
        let api = socrata("sql_groups_by_parameters", &format!(", {ALL}"));
        assert_eq!(
            asked(
                &api,
                "SELECT state, count(*), sum(price), count(note) FROM items WHERE id > 1 GROUP BY state HAVING sum(price) > 1"
            ),
            [
                "GET /items?$where=id > 1&$group=state&$order=state&$select=state,count(*) AS count_1,sum(price) AS sum_2,count(note) AS count_3"
            ]
        );
        assert_eq!(
            asked(&api, "SELECT count(*), max(id) FROM items"),
            ["GET /items?$select=count(*) AS count_1,max(id) AS max_2"]
        );
        run(
            "ALTER FOREIGN TABLE items OPTIONS (ADD filter_template 'SELECT {columns} FROM t{where}{group_by}{order_by}{limit}')",
        );
        assert_eq!(
            asked(
                &api,
                "SELECT state, avg(price) FROM items WHERE id > 1 GROUP BY state"
            ),
            [
                "GET /items?$where=SELECT state,sum(price) AS sum_1,count(price) AS count_2 FROM t WHERE id > 1 GROUP BY state ORDER BY state"
            ]
        );
        run(
            "ALTER FOREIGN TABLE items OPTIONS (SET filter_template 'SELECT {columns} FROM t{where}')",
        );
        assert_eq!(
            remote("SELECT state, count(*) FROM items GROUP BY state"),
            None
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE state = 'open'"),
            ["GET /items?$where=SELECT count(*) AS count_1 FROM t WHERE state = 'open'"]
        );
    }

    /// The items, each column declared to be filtered exactly.
    fn documents(space: &str, flavour: &str, within: &str, table: &str) -> Api {
        let filters = "filter '= exact, >= exact, <= exact, is_not_null exact'";
        let column = |name: &str, ty: &str| {
            let not_null = if name == "id" { " NOT NULL" } else { "" };
            format!("{name} {ty} OPTIONS (field '{within}{name}', {filters}){not_null}")
        };
        let columns = [
            ("id", "int"),
            ("state", "text"),
            ("score", "int8"),
            ("rank", "int"),
            ("price", "numeric"),
        ];
        let columns = columns.map(|(name, ty)| column(name, ty)).join(", ");
        let types = json!({"id": "int4", "state": "text", "score": "int8", "rank": "int4", "price": "numeric", "ratio": "float8", "note": "text", "at": "timestamptz"});
        let mut rows = items();
        for (place, row) in rows.as_array_mut().unwrap().iter_mut().enumerate() {
            row["rank"] = match place {
                2 | 3 => Value::Null,
                place => json!(i32::MAX - place as i32),
            };
        }
        let route = json!({"rows": rows, "dialect": {"name": "json", "flavour": flavour, "columns": types}});
        api_of(space, &route, &format!(", {ALL}{table}"), &columns)
    }

    #[pg_test]
    fn directus_aggregates_by_function_and_field() {
        let table = ", dialect 'json', rows 'data'";
        let api = documents("directus_aggregates", "directus", "", table);
        assert_eq!(
            asked(
                &api,
                "SELECT count(*), max(score), min(price) FROM items WHERE id >= 3"
            ),
            [
                "GET /items?filter={\"id\":{\"_gte\":3}}&aggregate[count]=*&aggregate[max]=score&aggregate[min]=price"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT state, count(*), count(rank), sum(rank), avg(rank) FROM items GROUP BY state HAVING count(*) > 1"
            ),
            [
                "GET /items?aggregate[count]=id,rank&aggregate[sum]=rank&aggregate[min]=rank&aggregate[max]=rank&groupBy[]=state&sort=state&limit=-1"
            ]
        );
        assert_eq!(
            asked(
                &api,
                "SELECT sum(rank), avg(id) FROM items WHERE state IS NOT NULL AND id <= 0"
            )
            .len(),
            1
        );
        for local in [
            "SELECT sum(score) FROM items",
            "SELECT avg(price) FROM items",
            "SELECT max(state COLLATE \"C\") FROM items",
        ] {
            assert_eq!(remote(local), None, "{local}");
        }
        run(
            "ALTER FOREIGN TABLE items OPTIONS (ADD pagination 'offset', ADD page_size_param 'limit', ADD page_size '2')",
        );
        let paged = asked(&api, "SELECT state, count(*) FROM items GROUP BY state");
        assert_eq!(paged.len(), 3, "{paged:?}");
        assert_eq!(
            paged[1],
            "GET /items?aggregate[count]=*&groupBy[]=state&sort=state&limit=2&offset=2"
        );
    }

    /// The bodies of the requests that a query made.
    fn bodies(api: &Api, query: &str) -> Vec<Value> {
        api.requests();
        same_rows(query);
        let heads = api.client().request_heads(api.space());
        heads
            .iter()
            .map(|head| serde_json::from_str(&head.body).unwrap())
            .collect()
    }

    #[pg_test]
    fn elasticsearch_aggregates_in_pages_of_composite_buckets() {
        let table = ", dialect 'json elasticsearch', method 'POST', rows 'hits.hits', pagination 'offset', offset_param 'from', page_size_param 'size', page_size '3'";
        let api = documents(
            "elasticsearch_aggregates",
            "elasticsearch",
            "_source.",
            table,
        );
        let exists = |field: &str| json!({"filter": {"exists": {"field": field}}});
        let of = |kind: &str, field: &str| json!({kind: {"field": field}});
        assert_eq!(
            bodies(&api, "SELECT count(*) FROM items WHERE id >= 3"),
            [json!({"size": 0, "track_total_hits": true, "query": {"range": {"id": {"gte": 3}}}})]
        );
        assert_eq!(
            bodies(
                &api,
                "SELECT count(*), max(id), sum(rank), count(state) FROM items"
            ),
            [json!({"size": 0, "track_total_hits": true, "aggs": {
                "max_2": of("max", "id"), "sum_3": of("sum", "rank"), "count_4": exists("rank"), "min_5": of("min", "rank"),
                "max_6": of("max", "rank"), "count_7": exists("state"),
            }})]
        );
        let groups = bodies(
            &api,
            "SELECT state, count(*), max(rank) FROM items GROUP BY state HAVING max(rank) > 5",
        );
        let composite = |groups: &Value| groups["aggs"]["groups"]["composite"].clone();
        let terms = json!({"field": "state", "missing_bucket": true});
        assert_eq!(
            composite(&groups[0]),
            json!({"size": 3, "sources": [{"state": {"terms": terms}}]})
        );
        let after: Vec<Value> = groups
            .iter()
            .map(|body| composite(body)["after"].clone())
            .collect();
        assert_eq!(
            after,
            [
                Value::Null,
                json!({"state": "open"}),
                json!({"state": "shut"})
            ]
        );
        assert_eq!(
            bodies(
                &api,
                "SELECT sum(rank), avg(rank), min(id) FROM items WHERE id <= 0"
            )
            .len(),
            1
        );
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(
            rows("SELECT sum(rank), avg(rank), min(id) FROM items WHERE id <= 0"),
            ["(,,)"]
        );
        run("SET LOCAL rest_fdw.pushdown = on");
        assert_eq!(
            explain(
                "COSTS OFF",
                "SELECT state, count(*) FROM items GROUP BY state"
            )
            .into_iter()
            .find(|line| line.starts_with("Pages: ")),
            Some("Pages: key in \"aggregations.groups.after_key\"".to_owned())
        );
        for local in [
            "SELECT max(score) FROM items",
            "SELECT sum(score) FROM items",
            "SELECT min(price) FROM items",
            "SELECT price, count(*) FROM items GROUP BY price",
        ] {
            assert_eq!(remote(local), None, "{local}");
        }
    }

    #[pg_test]
    fn a_sum_that_the_api_may_have_rounded_is_an_error() {
        let table = ", dialect 'json elasticsearch', method 'POST', rows 'hits.hits'";
        let api = documents("a_sum_may_be_rounded", "elasticsearch", "_source.", table);
        let answer = |count: u64| {
            json!({"hits": {"total": {"value": count}}, "aggregations": {
                "sum_1": {"value": 4.503599627370496e15}, "count_2": {"doc_count": count},
                "min_3": {"value": -2147483648.0}, "max_4": {"value": 7.0}}})
        };
        let define = |count: u64| {
            let body = answer(count).to_string();
            api.client()
                .define(api.space(), &json!({"routes": {"/items": {"body": body}}}));
        };
        define(1 << 22);
        assert_eq!(rows("SELECT sum(rank) FROM items"), ["(4503599627370496)"]);
        define((1 << 22) + 1);
        for query in ["SELECT sum(rank) FROM items", "SELECT avg(rank) FROM items"] {
            let found = error(query);
            assert_eq!(
                found.message,
                "the API may have rounded an aggregate: it adds doubles, and the sum of 4194305 values up to 2147483648 may be larger than any that it adds exactly"
            );
            assert_eq!(found.code, "HV004");
            assert_eq!(
                found.hint,
                "Leave sum and avg out of option \"aggregates\", or SET rest_fdw.pushdown = off."
            );
        }
    }

    #[pg_test]
    fn what_the_api_cannot_answer_exactly_is_aggregated_here() {
        let api = postgrest("what_the_api_cannot_answer", &format!(", {ALL}"));
        for query in [
            "SELECT sum(ratio) FROM items",
            "SELECT avg(ratio) FROM items",
            "SELECT count(DISTINCT state) FROM items",
            "SELECT count(*) FILTER (WHERE id > 3) FROM items",
            "SELECT string_agg(note, ',' ORDER BY id) FROM items",
            "SELECT state, count(*) FROM items GROUP BY ROLLUP (state)",
            "SELECT id % 2, count(*) FROM items GROUP BY id % 2",
            "SELECT sum(id + 1) FROM items",
            "SELECT sum(id::int8) FROM items",
            "SELECT max(note) FROM items",
            "SELECT max(note COLLATE \"C\") FROM items",
            "SELECT count(*) FROM items WHERE id % 2 = 0",
            "SELECT count(*) FROM items WHERE id = 1 OR id % 2 = 0",
            "SELECT count(*) FROM items WHERE state ILIKE 'OPEN'",
            "SELECT count(*) FROM items a JOIN items b USING (id)",
            "SELECT count(*) FROM items WHERE EXISTS (SELECT 1 FROM copy WHERE copy.id = items.id)",
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM items",
            "SELECT state, count(*) FROM items GROUP BY state HAVING count(*) > (SELECT count(*) FROM copy c WHERE c.state = items.state AND c.id < 0)",
            "SELECT every(id > 0) FROM items",
        ] {
            assert_eq!(remote(query), None, "{query}");
            assert!(
                !asked(&api, query)
                    .iter()
                    .any(|request| request.contains("()")),
                "{query}"
            );
        }
        run("ALTER FOREIGN TABLE items ALTER note OPTIONS (ADD collation 'C')");
        assert_eq!(
            asked(&api, "SELECT max(note COLLATE \"C\") FROM items"),
            ["GET /items?select=max_1:note.max()"]
        );
        run("ALTER FOREIGN TABLE items OPTIONS (SET aggregates 'count')");
        assert_eq!(remote("SELECT sum(score) FROM items"), None);
        assert_eq!(remote("SELECT avg(score) FROM items"), None);
        assert!(remote("SELECT count(score) FROM items").is_some());
    }

    #[pg_test]
    fn columns_that_round_or_forget_values_are_aggregated_here() {
        let types = TYPES
            .replace("price numeric", "price numeric(10, 1)")
            .replace("score int8", "score int8 OPTIONS (on_error 'null')");
        let table = format!(", dialect 'postgrest', {ALL}");
        let api = api_of("columns_that_round", &dialect("postgrest"), &table, &types);
        for query in [
            "SELECT sum(price) FROM items",
            "SELECT price, count(*) FROM items GROUP BY price",
            "SELECT sum(score) FROM items",
            "SELECT count(score) FROM items",
            "SELECT score, count(*) FROM items GROUP BY score",
        ] {
            assert_eq!(remote(query), None, "{query}");
            asked(&api, query);
        }
    }

    #[pg_test]
    fn values_that_come_later_are_sent_if_all_of_their_type_can_be() {
        let api = postgrest("values_that_come_at_run_time", &format!(", {ALL}"));
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE by_score(int8) AS SELECT count(*), sum(score) FROM items WHERE score >= $1");
        run("PREPARE by_state(text) AS SELECT count(*), max(id) FROM items WHERE state = $1");
        run("PREPARE by_time(timestamptz) AS SELECT count(*), max(id) FROM items WHERE at = $1");
        run("PREPARE by_list(int[]) AS SELECT count(*), max(id) FROM items WHERE id = ANY($1)");
        let execute = |statement: &str| {
            let found = column(&format!("EXPLAIN (COSTS OFF) EXECUTE {statement}"));
            let is_remote = found.iter().any(|line| line.contains("Remote Aggregate"));
            (is_remote, found)
        };
        for (statement, is_remote) in [
            ("by_score(5)", true),
            ("by_state('open')", true),
            ("by_time(now())", false),
            ("by_list('{1}')", false),
        ] {
            assert_eq!(
                execute(statement).0,
                is_remote,
                "{statement}: {:?}",
                execute(statement).1
            );
        }
        api.requests();
        run(
            "CREATE FUNCTION pg_temp.run(text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN EXECUTE $1 INTO r; RETURN r::text; END $$",
        );
        let result = |statement: &str| {
            column(&format!("SELECT pg_temp.run('EXECUTE {statement}')")).remove(0)
        };
        assert_eq!(result("by_score(5)"), "(5,18446744073709551649)");
        assert_eq!(result("by_score(NULL)"), "(0,)");
        assert_eq!(result("by_score(10)"), "(4,18446744073709551644)");
        assert_eq!(
            api.requests(),
            ["5", "10"].map(|least| format!(
                "GET /items?score=gte.{least}&select=count_1:count(),sum_2:score.sum()"
            ))
        );
        assert_eq!(result("by_state(''a,b\"(c)\\\\'')"), "(0,)");
        assert_eq!(result("by_state(''open'')"), "(3,7)");
        api.requests();
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(result("by_score(5)"), "(5,18446744073709551649)");
        assert_eq!(api.requests(), ["GET /items"]);
        run("SET LOCAL rest_fdw.pushdown = on");
        assert_eq!(result("by_state(''open'')"), "(3,7)");
        assert_eq!(
            api.requests(),
            ["GET /items?state=eq.open&select=count_1:count(),max_2:id.max()"]
        );
    }

    #[pg_test]
    fn an_open_aggregate_is_asked_whole_when_pushdown_goes_off() {
        let api = postgrest("an_aggregate_is_asked_whole", &format!(", {ALL}"));
        run("DECLARE open CURSOR FOR SELECT max(score)::text FROM items WHERE id < 5");
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(column("FETCH ALL FROM open"), ["20"]);
        assert_eq!(
            api.requests(),
            ["GET /items?id=lt.5&select=max_1:score.max()"]
        );
    }

    #[pg_test]
    fn lists_that_become_several_requests_are_aggregated_here() {
        let api = plain(
            "lists_and_inputs",
            ", count_endpoint '/items/count', max_list_size '2'",
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items WHERE id IN (1, 2, 3)").len(),
            4
        );
        assert_eq!(
            remote("SELECT count(*) FROM items WHERE id IN (1, 2, 3)"),
            None
        );
        assert!(remote("SELECT count(*) FROM items WHERE id IN (1, 2)").is_some());
        assert_eq!(
            remote("SELECT count(*) FROM items WHERE score = 5"),
            None,
            "its filter is not exact"
        );
    }

    #[pg_test]
    fn an_aggregate_within_a_query_is_asked_for_once_a_value() {
        let api = postgrest("an_aggregate_within_a_query", &format!(", {ALL}"));
        let query = "SELECT v.s, (SELECT count(*) || '/' || coalesce(max(id), 0) FROM items WHERE state = v.s)
                     FROM (VALUES ('open'), ('shut'), (NULL), ('open')) v(s)";
        assert_eq!(
            asked(&api, query),
            ["open", "shut"].map(|state| format!(
                "GET /items?state=eq.{state}&select=count_1:count(),max_2:id.max()"
            ))
        );
        let query = "SELECT g.state, g.n, c.id FROM (SELECT state, count(*) n FROM items GROUP BY state) g JOIN copy c USING (state)";
        assert_eq!(
            asked(&api, query),
            ["GET /items?select=state,count_1:count()&order=state"]
        );
        let query = "SELECT count(*) FROM items UNION ALL SELECT sum(id) FROM items";
        assert_eq!(
            asked(&api, query),
            ["GET /items?limit=1", "GET /items?select=sum_1:id.sum()"]
        );
    }

    #[pg_test]
    fn a_view_reads_as_its_owner_and_a_barrier_holds() {
        let api = postgrest("a_view_reads_as_its_owner", &format!(", {ALL}"));
        run("CREATE VIEW open_items AS SELECT * FROM items WHERE state = 'open'");
        assert_eq!(
            rows("SELECT count(*), max(id) FROM open_items WHERE id < 5"),
            ["(2,2)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /items?id=lt.5&state=eq.open&select=count_1:count(),max_2:id.max()"]
        );
    }

    #[pg_test]
    fn constant_parameters_about_rows_keep_aggregates_here() {
        let api = postgrest(
            "constant_parameters_about_rows",
            &format!(", {ALL}, query '{{\"limit\": \"2\"}}'"),
        );
        assert_eq!(
            asked(&api, "SELECT count(*) FROM items"),
            ["GET /items?limit=2"]
        );
        assert_eq!(
            remote("SELECT state, count(*) FROM items GROUP BY state"),
            None
        );
    }

    #[pg_test]
    fn an_answer_that_cannot_be_is_an_error() {
        let api = postgrest("an_answer_that_cannot_be", &format!(", {ALL}"));
        for (body, reason) in [
            ("[]", "there is no row for all rows together"),
            (
                "[{\"max_1\": 1}, {\"max_1\": 2}]",
                "there is more than one row for all rows together",
            ),
        ] {
            api.client()
                .define(api.space(), &json!({"routes": {"/items": {"body": body}}}));
            let found = error("SELECT max(id) FROM items");
            assert!(found.message.ends_with(reason), "{found:?}");
            assert_eq!(found.code, "HV00K");
        }
        api.client().define(
            api.space(),
            &json!({"routes": {"/items": {"body": "[{\"count_1\": null}]"}}}),
        );
        let found = error("SELECT count(score) FROM items");
        assert!(
            found
                .message
                .ends_with("the response has no count where it should be"),
            "{found:?}"
        );
    }

    #[pg_test]
    fn options_that_cannot_work_are_refused() {
        let api = plain("options_that_cannot_work", "");
        let refused =
            |options: &str| error(&format!("ALTER FOREIGN TABLE items OPTIONS ({options})"));
        assert_eq!(
            refused("ADD aggregates 'count, median'").message,
            "invalid value for option \"aggregates\": \"median\" is not an aggregate"
        );
        // What the server may declare shows when the table is used.
        let useless = |options: &str| {
            error(&format!(
                "DO $$ BEGIN ALTER FOREIGN TABLE items OPTIONS ({options}); PERFORM * FROM items; END $$"
            ))
        };
        assert_eq!(
            useless("ADD aggregates 'count'").message,
            "option \"aggregates\" has no effect in dialect plain"
        );
        assert_eq!(
            useless("ADD exact_total 'on'").message,
            "option \"exact_total\" needs option \"total_field\" or \"total_header\""
        );
        assert_eq!(
            refused("ADD count_endpoint '/x/{owner}'").message,
            "option \"count_endpoint\" has {owner}, which \"endpoint\" lacks"
        );
        assert_eq!(
            refused("ADD count_field 'n'").message,
            "option \"count_field\" has no effect without option \"count_endpoint\""
        );
        assert_eq!(refused("ADD count_endpoint 'x'").code, "22023");
        assert_eq!(api.requests(), NONE);
    }
}

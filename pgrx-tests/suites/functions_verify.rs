//! `rest_fdw_verify`: what it says of APIs that filter as declared, and of worse ones.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, error, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    /// Rows 1 to 6, with what the route does besides.
    fn serving(space: &str, more: &Value) -> Api {
        let api = Api::new(space, &scenario(more));
        api.create_server("");
        api
    }

    fn scenario(more: &Value) -> Value {
        let rows: Vec<Value> = (1..=6)
            .map(|id| json!({"id": id, "state": if id % 3 == 0 { "closed" } else { "open" }, "at": format!("2026-11-1{id}T00:00:00Z"), "none": null}))
            .collect();
        let mut route = json!({"rows": rows, "filters": [
            {"param": "state"}, {"param": "states", "field": "state", "op": "in"},
            {"param": "id", "type": "number"}, {"param": "after", "field": "id", "type": "number", "op": ">"},
            {"param": "from", "field": "id", "type": "number", "op": ">="},
            {"param": "since", "field": "at", "type": "time", "op": ">="},
        ]});
        let more = more.as_object().unwrap().clone();
        route.as_object_mut().unwrap().extend(more);
        json!({"routes": {"/items": route}})
    }

    /// A dialect whose API knows its columns, and so can order by them.
    fn plain() -> Value {
        json!({"name": "plain", "columns": {"id": "int4", "name": "text", "state": "text", "at": "timestamptz", "none": "text"}})
    }

    fn create_items(columns: &str, options: &str) {
        run("DROP FOREIGN TABLE IF EXISTS items");
        run(&format!(
            "CREATE FOREIGN TABLE items ({columns}) SERVER api OPTIONS (endpoint '/items'{options})"
        ));
    }

    /// `state = ok`
    fn verdicts() -> Vec<String> {
        column(
            "SELECT concat_ws(' ', column_name, operator, verdict) FROM rest_fdw_verify('items')",
        )
    }

    #[pg_test]
    fn an_api_that_filters_as_declared_is_ok() {
        let api = serving("verify_ok", &json!({}));
        create_items(
            "id int OPTIONS (filter '= exact, >= from exact, > after exact'), state text OPTIONS (filter '= exact, in states'), at timestamptz OPTIONS (filter '>= since exact')",
            ", key 'id'",
        );
        assert_eq!(
            verdicts(),
            [
                "id = ok",
                "id > ok",
                "id >= ok",
                "state = ok",
                "state in ok",
                "at >= ok"
            ]
        );
        api.requests();
        run(
            "ALTER FOREIGN TABLE items ALTER COLUMN id OPTIONS (DROP filter), ALTER COLUMN at OPTIONS (DROP filter)",
        );
        assert_eq!(
            rows("SELECT * FROM rest_fdw_verify('items')"),
            [
                r#"(state,=,ok,"state = 'closed': 2 rows; state = 'CLOSED': 0 rows; state = 'no such value 7f3a': 0 rows",3,)"#,
                r#"(state,in,ok,"state IN ('closed', 'open'): 6 rows; state IN ('no such value 7f3a', 'no such value 7f3a1'): 0 rows",2,)"#,
            ]
        );
        assert_eq!(
            api.requests(),
            [
                "GET /items",
                "GET /items?state=closed",
                "GET /items?state=CLOSED",
                "GET /items?state=no%20such%20value%207f3a",
                "GET /items?states=closed,open",
                "GET /items?states=no%20such%20value%207f3a,no%20such%20value%207f3a1",
            ]
        );
    }

    #[pg_test]
    fn a_filter_that_the_api_ignores_is_told_with_what_to_change() {
        let _api = serving("verify_ignored", &json!({"ignore_filters": true}));
        create_items(
            "id int OPTIONS (filter '= exact, >= from'), state text OPTIONS (filter '=')",
            ", recheck 'off'",
        );
        assert_eq!(
            rows("SELECT column_name, operator, verdict, detail, advice FROM rest_fdw_verify('items')"),
            [
                "(id,=,ignored,\"id = '1': all rows came, as without it\",\"ALTER FOREIGN TABLE tests.items ALTER COLUMN id OPTIONS (SET filter '>= from');\")"
                    .replace("tests.", &schema()),
                "(id,>=,ignored,\"id >= '4': all rows came, as without it\",\"ALTER FOREIGN TABLE tests.items ALTER COLUMN id OPTIONS (SET filter '= exact');\")"
                    .replace("tests.", &schema()),
                "(state,=,ignored,\"state = 'closed': all rows came, as without it\",\"ALTER FOREIGN TABLE tests.items ALTER COLUMN state OPTIONS (DROP filter);\")"
                    .replace("tests.", &schema()),
            ]
        );
        let advice =
            column("SELECT advice FROM rest_fdw_verify('items') WHERE column_name = 'state'");
        run(&advice[0]);
        assert_eq!(verdicts(), ["id = ignored", "id >= ignored"]);
    }

    fn schema() -> String {
        format!(
            "{}.",
            column("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'items'")
                [0]
        )
    }

    #[pg_test]
    fn an_api_that_returns_more_widens_and_is_not_exact() {
        let _api = serving("verify_widens", &json!({"case_insensitive": true}));
        create_items(
            "id int OPTIONS (filter '> from exact'), state text OPTIONS (filter '= exact')",
            "",
        );
        assert_eq!(
            rows("SELECT column_name, operator, verdict, detail FROM rest_fdw_verify('items')"),
            [
                "(id,>,widens,\"id > '4': 1 of 3 rows that came do not match\")",
                "(state,=,widens,\"state = 'CLOSED': 2 of 2 rows that came do not match\")",
            ]
        );
        for advice in column("SELECT advice FROM rest_fdw_verify('items')") {
            run(&advice);
        }
        assert_eq!(
            column(
                "SELECT array_to_string(attfdwoptions, ',') FROM pg_attribute WHERE attrelid = 'items'::regclass AND attfdwoptions IS NOT NULL ORDER BY attnum"
            ),
            ["filter=> from", "filter=="]
        );
        assert_eq!(
            rows("SELECT verdict, advice FROM rest_fdw_verify('items')"),
            ["(widens,)", "(widens,)"]
        );
    }

    #[pg_test]
    fn an_api_that_loses_rows_narrows() {
        let _api = serving("verify_narrows", &json!({}));
        // The parameter means "greater", and is declared for "at least".
        create_items("id int OPTIONS (filter '>= after exact'), state text", "");
        let found =
            rows("SELECT column_name, operator, verdict, detail FROM rest_fdw_verify('items')");
        assert_eq!(
            found,
            [
                "(id,>=,narrows,\"id >= '4': 1 of 3 matching rows of the sample are missing, such as (4,open)\")"
            ]
        );
        create_items(
            "id int OPTIONS (filter '>= after exact'), state text",
            ", key 'id'",
        );
        assert_eq!(verdicts(), ["id >= narrows"]);
        // "=" is declared with a parameter that takes a list of other values.
        create_items("id int, state text OPTIONS (filter '<> state')", "");
        assert_eq!(verdicts(), ["state <> narrows"]);
    }

    #[pg_test]
    fn a_refused_filter_leaves_the_others_to_be_asked() {
        let _api = serving("verify_refused", &json!({}));
        create_items(
            "state text OPTIONS (filter '= id'), id int OPTIONS (filter '=')",
            "",
        );
        assert_eq!(
            rows("SELECT column_name, verdict, detail FROM rest_fdw_verify('items')"),
            [
                "(state,refused,\"state = 'closed': the API answered with status 400 (id: 'closed' is not a number)\")",
                "(id,ok,\"id = '1': 1 row; id = '1015': 0 rows\")",
            ]
        );
        assert_eq!(column("SELECT count(*)::text FROM items"), ["6"]);
    }

    #[pg_test]
    fn a_dialects_own_filters_are_verified_too() {
        let types = json!({"name": "postgrest", "columns": {"id": "int4", "state": "text", "at": "timestamptz", "none": "text"}});
        let _api = serving("verify_dialect", &json!({"dialect": types, "filters": []}));
        create_items("id int, state text, none text", ", dialect 'postgrest'");
        let found = verdicts();
        assert!(found.contains(&"id = ok".to_owned()), "{found:?}");
        assert!(found.contains(&"state in ok".to_owned()), "{found:?}");
        assert!(
            found.contains(&"none is_null untested".to_owned()),
            "{found:?}"
        );
        assert!(found.contains(&"none = untested".to_owned()), "{found:?}");
        // No row shows whether the API tells NULL from other values.
        for untested in ["id is_not_null untested", "state is_not_null untested"] {
            assert!(found.contains(&untested.to_owned()), "{found:?}");
        }
        let is_ok = |line: &String| {
            line.ends_with(" ok") || line.starts_with("none ") || line.contains("is_not_null")
        };
        assert!(found.iter().all(is_ok), "{found:?}");
    }

    #[pg_test]
    fn orders_that_are_as_declared_are_ok() {
        let sort = json!({"dialect": plain(), "sort": {"param": "sort", "nulls": "last"}});
        let api = serving("verify_orders", &sort);
        create_items(
            "id int OPTIONS (sort 'id') NOT NULL, state text OPTIONS (sort 'state', sort_nulls 'last', collation 'C'), none text",
            "",
        );
        assert_eq!(
            rows("SELECT * FROM rest_fdw_verify('items')"),
            [
                "(id,sort,ok,\"ORDER BY id: 6 rows; ORDER BY id DESC: 6 rows\",2,)",
                r#"(state,sort,ok,"ORDER BY state COLLATE ""C"": 6 rows; ORDER BY state COLLATE ""C"" DESC NULLS LAST: 6 rows",2,)"#,
            ]
        );
        assert_eq!(
            api.requests(),
            [
                "GET /items?sort=id",
                "GET /items?sort=-id",
                "GET /items?sort=state",
                "GET /items?sort=-state"
            ]
        );
        assert_eq!(
            column("SELECT detail FROM rest_fdw_verify('items', max_requests => 2)"),
            ["no requests are left: raise the argument max_requests, or rest_fdw.max_requests"; 2]
        );
        assert_eq!(column("SHOW enable_sort"), ["on"]);
    }

    #[pg_test]
    fn an_order_that_the_api_ignores_is_told_with_what_to_change() {
        let _api = serving("verify_ignored_order", &json!({}));
        create_items(
            "id int OPTIONS (sort 'id', sort_nulls 'last'), state text",
            ", sort_param 'order', max_sort_keys '2'",
        );
        let wrong = column("SELECT id::text FROM items ORDER BY items.id DESC NULLS LAST");
        assert_eq!(wrong, ["1", "2", "3", "4", "5", "6"]);
        let found = rows("SELECT verdict, detail, advice FROM rest_fdw_verify('items')");
        let advice = "ALTER FOREIGN TABLE public.items ALTER COLUMN id OPTIONS (SET sort 'none', DROP sort_nulls), OPTIONS (DROP sort_param, DROP max_sort_keys);";
        assert_eq!(
            found,
            [format!(
                "(ignored,\"ORDER BY id DESC NULLS LAST: rows come as in the other direction\",\"{advice}\")"
            )]
        );
        run(advice);
        assert_eq!(verdicts(), [""; 0]);
        let right = column("SELECT id::text FROM items ORDER BY items.id DESC NULLS LAST");
        assert_eq!(right, ["6", "5", "4", "3", "2", "1"]);
    }

    #[pg_test]
    fn an_order_of_the_apis_own_misorders() {
        let rows_of = json!([{"id": 1, "name": "b"}, {"id": 2, "name": null}, {"id": 3, "name": "C"}, {"id": 4, "name": "a"}]);
        let sort = json!({"rows": rows_of, "dialect": plain(), "filters": [], "sort": {"param": "sort", "nulls": "first"}});
        let api = serving("verify_misorders", &sort);
        create_items(
            "id int OPTIONS (sort 'id') NOT NULL, name text OPTIONS (sort 'name', sort_nulls 'last', collation 'C')",
            "",
        );
        assert_eq!(
            rows("SELECT column_name, verdict, detail, advice FROM rest_fdw_verify('items')"),
            [
                "(id,ok,\"ORDER BY id: 4 rows; ORDER BY id DESC: 4 rows\",)",
                r#"(name,misorders,"ORDER BY name COLLATE ""C"": 1 of 4 rows come too late, such as C after NULL","ALTER FOREIGN TABLE public.items ALTER COLUMN name OPTIONS (SET sort 'none', DROP sort_nulls);")"#,
            ]
        );
        run("ALTER FOREIGN TABLE items ALTER COLUMN name OPTIONS (SET sort_nulls 'first')");
        assert_eq!(verdicts(), ["id sort ok", "name sort ok"]);
        // One row shows no order.
        let one = json!({"rows": [{"id": 1, "name": null}], "dialect": plain(), "filters": [], "sort": {"param": "sort"}});
        api.client().define(api.space(), &scenario(&one));
        assert_eq!(verdicts(), ["id sort untested", "name sort untested"]);
    }

    #[pg_test]
    fn an_order_that_is_refused_is_told() {
        let refusing = json!({"faults": [{"kind": "status", "status": 400}]});
        let _api = serving("verify_refused_order", &refusing);
        create_items("id int OPTIONS (sort 'id') NOT NULL", "");
        assert_eq!(
            rows("SELECT verdict, detail, advice FROM rest_fdw_verify('items')"),
            [
                "(refused,\"ORDER BY id: the API answered with status 400 (Bad Request)\",\"ALTER FOREIGN TABLE public.items ALTER COLUMN id OPTIONS (SET sort 'none');\")"
            ]
        );
    }

    #[pg_test]
    fn what_cannot_be_asked_is_untested_with_the_reason() {
        let api = serving("verify_untested", &json!({}));
        create_items(
            "id int OPTIONS (filter '='), none text OPTIONS (filter '=')",
            "",
        );
        assert_eq!(
            rows("SELECT column_name, verdict, detail, requests FROM rest_fdw_verify('items')"),
            [
                "(id,ok,\"id = '1': 1 row; id = '1015': 0 rows\",2)",
                "(none,untested,\"the sample has no value of this column\",0)"
            ]
        );
        api.requests();
        assert_eq!(
            column("SELECT detail FROM rest_fdw_verify('items', max_requests => 2)"),
            ["no requests are left: raise the argument max_requests, or rest_fdw.max_requests"; 2]
        );
        assert_eq!(api.requests(), [""; 0]);
        run("SET rest_fdw.max_requests = 5");
        assert_eq!(
            column("SELECT detail FROM rest_fdw_verify('items')"),
            [
                "no requests are left: raise the argument max_requests, or rest_fdw.max_requests",
                "the sample has no value of this column"
            ]
        );
        assert_eq!(api.requests(), ["GET /items"]);
        run("RESET rest_fdw.max_requests");
        api.client()
            .define(api.space(), &json!({"routes": {"/items": {"rows": []}}}));
        assert_eq!(
            column("SELECT detail FROM rest_fdw_verify('items')"),
            ["the table has no rows without filters"; 2]
        );
        api.client().define(api.space(), &json!({"routes": {}}));
        assert_eq!(
            column("SELECT DISTINCT detail FROM rest_fdw_verify('items')"),
            [
                "the table cannot be read: the API answered with status 404 (the mock API has no route /items)"
            ]
        );
        create_items("id int", "");
        assert_eq!(verdicts(), [""; 0]);
    }

    #[pg_test]
    fn parameter_columns_are_given_their_values() {
        let api = Api::new(
            "verify_parameters",
            &json!({"routes": {"/of/{owner}/items": {
                "rows": [{"owner": "ada", "n": 1}, {"owner": "ada", "n": 2}, {"owner": "bob", "n": 3}],
                "path_filters": {"owner": "owner"}, "filters": [{"param": "n", "type": "number"}],
            }}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE items (owner text, n int OPTIONS (filter '=')) SERVER api OPTIONS (endpoint '/of/{owner}/items')",
        );
        assert_eq!(
            rows("SELECT verdict, detail FROM rest_fdw_verify('items')"),
            ["(untested,\"it needs values of \"\"owner\"\": add the argument parameters\")"]
        );
        assert_eq!(api.requests(), [""; 0]);
        assert_eq!(
            rows("SELECT verdict, detail FROM rest_fdw_verify('items', '{\"owner\": \"ada\"}')"),
            ["(ok,\"n = '1': 1 row; n = '1011': 0 rows\")"]
        );
        assert_eq!(
            api.requests(),
            [
                "GET /of/ada/items",
                "GET /of/ada/items?n=1",
                "GET /of/ada/items?n=1011"
            ]
        );
        assert_eq!(
            error("SELECT rest_fdw_verify('items', '{\"n\": 1}')").message,
            "\"n\" is not a parameter column of foreign table \"items\""
        );
    }

    #[pg_test]
    fn only_pages_that_were_read_are_compared() {
        let paging = json!({"style": "page", "page_size": 1, "total_field": "total"});
        let api = serving(
            "verify_pages",
            &json!({"paging": paging, "shape": {"path": "data"}}),
        );
        create_items(
            "id int OPTIONS (filter '>= from exact'), state text OPTIONS (filter '=')",
            ", rows 'data', pagination 'page', total_field 'total'",
        );
        assert_eq!(
            rows("SELECT column_name, verdict, detail FROM rest_fdw_verify('items')"),
            [
                "(id,ok,\"id >= '2': 3 rows or more\")",
                "(state,ok,\"state = 'closed': 2 rows; state = 'CLOSED': 0 rows; state = 'no such value 7f3a': 0 rows\")"
            ]
        );
        let requests = api.requests();
        assert_eq!(
            requests[..3],
            [
                "GET /items?page=1",
                "GET /items?page=2",
                "GET /items?page=3"
            ]
        );
        assert_eq!(
            requests
                .iter()
                .filter(|request| request.contains("from="))
                .count(),
            3,
            "{requests:?}"
        );
    }

    #[pg_test]
    fn it_takes_the_callers_rights_and_mapping() {
        let api = serving(
            "verify_rights",
            &json!({"require": {"header": {"Authorization": "Bearer of-ada"}}}),
        );
        create_items("id int OPTIONS (filter '=')", "");
        run(
            "CREATE ROLE verify_ada; CREATE USER MAPPING FOR verify_ada SERVER api OPTIONS (token 'of-ada')",
        );
        run(&format!(
            "GRANT USAGE ON SCHEMA {} TO verify_ada",
            schema().trim_end_matches('.')
        ));
        run("SET ROLE verify_ada");
        let refused = error("SELECT * FROM rest_fdw_verify('items')");
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            ("42501", "permission denied for foreign table items")
        );
        assert_eq!(api.requests(), [""; 0]);
        run("RESET ROLE; GRANT SELECT ON items TO verify_ada; SET ROLE verify_ada");
        assert_eq!(verdicts(), ["id = ok"]);
        run("RESET ROLE; CREATE TABLE plain ()");
        assert_eq!(
            error("SELECT * FROM rest_fdw_verify('plain')").message,
            "\"plain\" is not a foreign table"
        );
        // Whoever has no mapping is refused by the API: that is no verdict on a filter.
        assert_eq!(
            error("SELECT * FROM rest_fdw_verify('items')").code,
            "28000"
        );
    }

    #[pg_test]
    fn filters_are_verified_although_pushdown_is_off() {
        let _api = serving("verify_off", &json!({}));
        create_items("id int OPTIONS (filter '=')", "");
        run("SET rest_fdw.pushdown = off");
        assert_eq!(verdicts(), ["id = ok"]);
        assert_eq!(column("SHOW rest_fdw.pushdown"), ["off"]);
    }
}

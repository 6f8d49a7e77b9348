//! Parameter columns: inputs of the request, whose value in a row is the one that was sent.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, enable_memoize, error, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::json;

    const NONE: [&str; 0] = [];

    /// Repositories of several owners, found by `/owners/{owner}/repos`.
    fn repos_api(space: &str) -> Api {
        let api = Api::new(
            space,
            &json!({"routes": {"/owners/{owner}/repos": {
                "rows": [
                    {"by": "ada", "name": "engine", "stars": 10},
                    {"by": "ada", "name": "notes", "stars": 3},
                    {"by": "bob", "name": "builder", "stars": 7},
                    {"by": "a/b", "name": "slash", "stars": 1},
                ],
                "path_filters": {"owner": "by"},
                "filters": [{"param": "stars", "op": ">=", "type": "number"}, {"param": "q", "field": "name"}],
            }}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE repos (
               owner text,
               name  text,
               stars int OPTIONS (filter '>=')
             ) SERVER api OPTIONS (endpoint '/owners/{owner}/repos')");
        api
    }

    fn repos(owner: &str) -> String {
        format!("GET /owners/{owner}/repos")
    }

    #[pg_test]
    fn a_path_parameter_is_filled_in_and_returned() {
        let api = repos_api("a_path_parameter_is_filled_in");
        assert_eq!(
            rows("SELECT * FROM repos WHERE owner = 'ada' AND stars >= 5 AND name LIKE 'e%'"),
            ["(ada,engine,10)"]
        );
        assert_eq!(api.requests(), ["GET /owners/ada/repos?stars=5"]);
        assert_eq!(
            rows("SELECT count(*), min(owner) FROM repos WHERE 'bob' = owner"),
            ["(1,bob)"]
        );
        assert_eq!(api.requests(), [repos("bob")]);
        assert_eq!(rows("SELECT * FROM repos WHERE owner = 'nobody'"), NONE);
        assert_eq!(api.requests(), [repos("nobody")]);
    }

    #[pg_test]
    fn a_path_parameter_stays_one_segment() {
        let api = repos_api("a_path_parameter_stays_one_segment");
        assert_eq!(
            rows("SELECT owner, name FROM repos WHERE owner = 'a/b'"),
            ["(a/b,slash)"]
        );
        assert_eq!(api.requests(), [repos("a%2Fb")]);
        let cases = [
            ("größe 日本", "gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC"),
            ("%2e%2e", "%252e%252e"),
            ("../ada", "..%2Fada"),
            ("..\\ada", "..%5Cada"),
            ("x?y=1#z", "x%3Fy%3D1%23z"),
            ("...", "..."),
            ("a..b", "a..b"),
            (";v=1", "%3Bv%3D1"),
            ("@host:80", "%40host:80"),
            (" ", "%20"),
        ];
        for (value, encoded) in cases {
            let literal = pgrx::spi::quote_literal(value);
            assert_eq!(
                rows(&format!("SELECT name FROM repos WHERE owner = {literal}")),
                NONE,
                "{value}"
            );
            assert_eq!(api.requests(), [repos(encoded)], "{value}");
        }
    }

    #[pg_test]
    fn a_path_parameter_that_would_change_the_path_is_refused() {
        let api = repos_api("a_path_parameter_that_would_change_the_path");
        for value in ["", ".", ".."] {
            let refused = error(&format!("SELECT * FROM repos WHERE owner = '{value}'"));
            assert_eq!(refused.code, "HV004", "{value}");
            assert_eq!(
                refused.message,
                format!(
                    "value of column \"owner\" cannot be sent: \"{value}\" would change the path instead of being a \
                     part of it"
                )
            );
            assert_eq!(refused.detail, "Foreign table \"repos\"");
        }
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE of_owner(text) AS SELECT name FROM repos WHERE owner = $1");
        assert_eq!(error("EXECUTE of_owner('..')").code, "HV004");
        assert_eq!(
            error("SELECT * FROM repos WHERE owner IN ('ada', '..')").code,
            "HV004"
        );
        assert_eq!(api.requests(), NONE);
        assert_eq!(column("EXECUTE of_owner('bob')"), ["builder"]);
        assert_eq!(api.requests(), [repos("bob")]);
    }

    #[pg_test]
    fn two_parameters_cannot_make_a_path_of_dots_together() {
        let api = Api::new(
            "two_parameters_cannot_make_dots",
            &json!({"routes": {"/x": {"rows": []}}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE dots (a text, b text, v int) SERVER api OPTIONS (endpoint '/x/{a}.{b}/y')",
        );
        assert_eq!(
            error("SELECT * FROM dots WHERE a = '' AND b = ''").code,
            "HV004"
        );
        run(
            "CREATE FOREIGN TABLE halves (a text, v int) SERVER api OPTIONS (endpoint '/x/.{a}/y')",
        );
        let refused = error("SELECT * FROM halves WHERE a = '.'");
        assert_eq!(
            (refused.code.as_str(), refused.message.contains("\"a\"")),
            ("HV004", true),
            "{refused:?}"
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn without_a_required_value_the_error_shows_what_would_work() {
        let api = repos_api("without_a_required_value");
        let statements = [
            "SELECT * FROM repos",
            "SELECT count(*) FROM repos WHERE stars >= 5",
            "SELECT * FROM repos WHERE owner <> 'ada'",
            "SELECT * FROM repos WHERE owner LIKE 'a%'",
            "SELECT * FROM repos WHERE owner >= 'a'",
            "SELECT * FROM repos WHERE owner = 'ada' OR owner > 'bob'",
            "SELECT * FROM repos WHERE owner = name",
            "SELECT * FROM repos WHERE owner IS NOT NULL",
            "SELECT * FROM repos WHERE lower(owner) = 'ada'",
        ];
        for statement in statements {
            let refused = error(statement);
            assert_eq!(refused.code, "HV002", "{statement}");
            assert_eq!(
                refused.message, "no value for required column \"owner\"",
                "{statement}"
            );
            assert_eq!(refused.detail, "Foreign table \"repos\"", "{statement}");
            assert_eq!(
                refused.hint,
                "Give a value: SELECT ... FROM repos WHERE owner = '...'. A join or IN (...) supplies values too.",
                "{statement}"
            );
        }
        assert_eq!(api.requests(), NONE);
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner = 'bob'"),
            ["(builder)"],
            "the session goes on"
        );
    }

    #[pg_test]
    fn every_missing_required_value_is_named() {
        let api = Api::new(
            "every_missing_required_value",
            &json!({"routes": {"/{a}/search": {"rows": [{"v": 1}]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE search (
               \"A b\" text OPTIONS (param 'a', param_in 'path'),
               q    text OPTIONS (param 'query', required 'true'),
               lang text OPTIONS (param 'lang', required 'true', default 'en'),
               opt  text OPTIONS (param 'opt'),
               v    int
             ) SERVER api OPTIONS (endpoint '/{a}/search')");
        let refused = error("SELECT v FROM search");
        assert_eq!(refused.code, "HV002");
        assert_eq!(
            refused.message,
            "no value for required columns \"A b\", \"q\""
        );
        assert_eq!(
            refused.hint,
            "Give a value: SELECT ... FROM search WHERE \"A b\" = '...' AND q = '...'. A join or IN (...) supplies values too."
        );
        let refused = error("SELECT v FROM search WHERE q = 'x'");
        assert_eq!(refused.message, "no value for required column \"A b\"");
        assert_eq!(api.requests(), NONE);
        assert_eq!(
            rows("SELECT * FROM search WHERE \"A b\" = 'p' AND q = 'x'"),
            ["(p,x,en,,1)"]
        );
        assert_eq!(api.requests(), ["GET /p/search?query=x&lang=en"]);
    }

    #[pg_test]
    fn a_null_value_selects_nothing_and_asks_nothing() {
        let api = repos_api("a_null_value_selects_nothing");
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE of_owner(text) AS SELECT name FROM repos WHERE owner = $1");
        assert_eq!(column("EXECUTE of_owner(NULL)"), NONE);
        assert_eq!(rows("SELECT * FROM repos WHERE owner = NULL"), NONE);
        assert_eq!(
            rows("SELECT * FROM repos WHERE owner = (SELECT NULL::text)"),
            NONE
        );
        assert_eq!(rows("SELECT * FROM repos WHERE owner = ANY ('{}')"), NONE);
        assert_eq!(
            rows("SELECT * FROM repos WHERE owner IN (NULL, NULL)"),
            NONE
        );
        assert_eq!(
            rows("SELECT * FROM repos WHERE owner = 'ada' AND owner = 'bob'"),
            NONE
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_list_of_values_is_one_request_each_and_every_row_has_its_own() {
        let api = repos_api("a_list_of_values_is_one_request_each");
        assert_eq!(
            rows(
                "SELECT owner, name FROM repos WHERE owner IN ('bob', 'ada', 'bob', NULL) ORDER BY name"
            ),
            ["(bob,builder)", "(ada,engine)", "(ada,notes)"]
        );
        assert_eq!(api.sorted_requests(), [repos("ada"), repos("bob")]);
        assert_eq!(
            rows(
                "SELECT owner, count(*) FROM repos WHERE owner = ANY ('{ada,nobody,a/b}') GROUP BY owner ORDER BY 1"
            ),
            ["(a/b,1)", "(ada,2)"]
        );
        assert_eq!(
            api.sorted_requests(),
            [repos("a%2Fb"), repos("ada"), repos("nobody")]
        );
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner IN ('ada', 'bob') LIMIT 1"),
            ["(engine)"]
        );
        assert_eq!(
            api.requests(),
            [repos("ada")],
            "nobody asked for the second value"
        );
    }

    /// A condition, the query that it sends, its column, and the value that comes back.
    const TYPED: [(&str, &str, &str, &str); 13] = [
        (
            "i = -9223372036854775808",
            "i=-9223372036854775808",
            "i",
            "-9223372036854775808",
        ),
        ("n = 1.50", "n=1.5", "n", "1.50"),
        ("f = 0.1", "f=0.1", "f", "0.1"),
        ("r = 0.1::real", "r=0.1", "r", "0.1"),
        ("b", "b=true", "b", "true"),
        ("NOT b", "b=false", "b", "false"),
        ("d = '2024-02-29'", "d=2024-02-29", "d", "2024-02-29"),
        (
            "at = '2024-01-01 00:00:00.25+00'",
            "at=1704067200.25",
            "at",
            "2024-01-01 00:00:00.25+00",
        ),
        (
            "ts = '2024-01-01 12:00'",
            "ts=2024-01-01T12:00:00",
            "ts",
            "2024-01-01 12:00:00",
        ),
        (
            "u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "u=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "u",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("p = 7", "p=7", "p", "7"),
        ("c = 'green'", "c=green", "c", "green"),
        ("v4 = 'abcd'", "v4=abcd", "v4", "abcd"),
    ];

    #[pg_test]
    fn values_come_back_in_the_type_of_their_column() {
        let api = Api::new(
            "values_come_back_in_their_type",
            &json!({"routes": {"/typed": {"rows": [{"v": 1}]}}}),
        );
        api.create_server("");
        run("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        run("CREATE TYPE color AS ENUM ('red', 'green')");
        run("CREATE FOREIGN TABLE typed (
               i  bigint      OPTIONS (param 'i'),
               n  numeric     OPTIONS (param 'n'),
               f  float8      OPTIONS (param 'f'),
               r  real        OPTIONS (param 'r'),
               b  boolean     OPTIONS (param 'b'),
               d  date        OPTIONS (param 'd'),
               at timestamptz OPTIONS (param 'at', format 'unix'),
               ts timestamp   OPTIONS (param 'ts'),
               u  uuid        OPTIONS (param 'u'),
               p  positive    OPTIONS (param 'p'),
               c  color       OPTIONS (param 'c'),
               v4 varchar(4)  OPTIONS (param 'v4'),
               v  int
             ) SERVER api OPTIONS (endpoint '/typed')");
        run("SET LOCAL timezone = 'UTC'");
        for (clause, query, name, text) in TYPED {
            assert_eq!(
                column(&format!("SELECT {name}::text FROM typed WHERE {clause}")),
                [text],
                "{clause}"
            );
            assert_eq!(api.requests(), [format!("GET /typed?{query}")], "{clause}");
        }
        assert_eq!(
            rows("SELECT * FROM typed"),
            ["(,,,,,,,,,,,,1)"],
            "without a value a parameter column is NULL"
        );
        assert_eq!(api.requests(), ["GET /typed"]);
        let refused = error("SELECT v FROM typed WHERE d = 'infinity'");
        assert_eq!(refused.code, "HV004");
        assert_eq!(
            refused.message,
            "value of column \"d\" cannot be sent: an API has no infinity"
        );
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn a_default_is_sent_and_returned_unless_the_query_has_a_value() {
        let api = Api::new(
            "a_default_is_sent_and_returned",
            &json!({"routes": {"/{kind}/list": {"rows": [{"v": 1}]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE listed (
               kind text    OPTIONS (default 'all things'),
               size int     OPTIONS (param 'size', default '5'),
               lang text    OPTIONS (param 'lang', default 'de'),
               deep boolean OPTIONS (param 'deep', default 'false'),
               day  date    OPTIONS (param 'day', default '2024-01-01'),
               v    int
             ) SERVER api OPTIONS (endpoint '/{kind}/list', query '{\"lang\": \"en\"}')");
        assert_eq!(
            rows("SELECT * FROM listed"),
            ["(\"all things\",5,de,f,2024-01-01,1)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /all%20things/list?lang=de&size=5&deep=false&day=2024-01-01"]
        );
        assert_eq!(
            rows(
                "SELECT * FROM listed WHERE kind = 'new' AND size = 7 AND deep AND day = '2024-06-01'"
            ),
            ["(new,7,de,t,2024-06-01,1)"]
        );
        assert_eq!(
            api.requests(),
            ["GET /new/list?lang=de&deep=true&size=7&day=2024-06-01"]
        );
        assert_eq!(
            rows("SELECT v FROM listed WHERE size > 5"),
            NONE,
            "the default does not pass"
        );
        assert_eq!(api.requests().len(), 1);
    }

    #[pg_test]
    fn a_header_parameter_goes_into_a_header() {
        let api = Api::new(
            "a_header_parameter_goes_into_a_header",
            &json!({"routes": {"/h": {"rows": [{"v": 1}]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE tenants (
               tenant text OPTIONS (param 'X-Tenant', param_in 'header', required 'true'),
               level  int  OPTIONS (param 'X-Level', param_in 'header', default '3'),
               v      int
             ) SERVER api OPTIONS (endpoint '/h', headers '{\"x-level\": \"9\", \"X-Other\": \"o\"}')");
        assert_eq!(
            rows("SELECT * FROM tenants WHERE tenant = 'blue team'"),
            ["(\"blue team\",3,1)"]
        );
        let heads = api.client().request_heads(api.space());
        let header = |name: &str| heads[0].header(name).map(str::to_owned);
        assert_eq!(heads.len(), 1);
        assert_eq!(header("X-Tenant").as_deref(), Some("blue team"));
        assert_eq!(header("X-Level").as_deref(), Some("3"));
        assert_eq!(header("X-Other").as_deref(), Some("o"));
        assert_eq!(api.requests(), ["GET /h"]);
        assert_eq!(
            error("SELECT * FROM tenants").message,
            "no value for required column \"tenant\""
        );
        for value in ["E'a\\r\\nX-Admin: 1'", "E'a\\nb'", "'größe'", "' a'"] {
            let refused = error(&format!("SELECT * FROM tenants WHERE tenant = {value}"));
            assert_eq!(refused.code, "HV004", "{value}");
            assert!(
                refused
                    .message
                    .starts_with("value of column \"tenant\" cannot be sent: a header "),
                "{refused:?}"
            );
        }
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn parameters_are_sent_without_pushdown_too() {
        let api = repos_api("parameters_are_sent_without_pushdown");
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(
            rows("SELECT * FROM repos WHERE owner = 'ada' AND stars >= 5"),
            ["(ada,engine,10)"]
        );
        assert_eq!(api.requests(), [repos("ada")]);
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner IN ('bob', 'a/b')"),
            ["(builder)", "(slash)"]
        );
        assert_eq!(api.sorted_requests(), [repos("a%2Fb"), repos("bob")]);
    }

    #[pg_test]
    fn a_condition_beside_the_value_is_checked_on_it() {
        let api = repos_api("a_condition_beside_the_value");
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner = 'ada' AND owner LIKE 'b%'"),
            NONE
        );
        assert_eq!(api.requests(), [repos("ada")]);
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner IN ('ada', 'bob') AND owner <> 'ada'"),
            ["(builder)"]
        );
        assert_eq!(api.sorted_requests(), [repos("ada"), repos("bob")]);
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner IN ('ada', 'bob') AND owner = 'bob'"),
            ["(builder)"]
        );
        assert_eq!(
            api.requests(),
            [repos("bob")],
            "one value says more than a list"
        );
        assert_eq!(
            rows("SELECT name FROM repos WHERE owner = upper('bob') OR false"),
            NONE
        );
        assert_eq!(api.requests(), [repos("BOB")]);
    }

    /// Local owners: two that have repositories, one twice, one without any, and a NULL.
    fn create_owners() {
        run("CREATE TABLE owners (login text, team text)");
        run(
            "INSERT INTO owners VALUES ('ada', 'x'), ('bob', 'x'), ('ada', 'y'), ('nobody', 'y'), (NULL, 'y')",
        );
        run("ANALYZE owners");
    }

    #[pg_test]
    fn a_join_supplies_a_required_value() {
        let api = repos_api("a_join_supplies_a_required_value");
        create_owners();
        let query = "SELECT o.team, r.owner, r.name FROM owners o JOIN repos r ON r.owner = o.login ORDER BY 1, 2, 3";
        let expected = [
            "(x,ada,engine)",
            "(x,ada,notes)",
            "(x,bob,builder)",
            "(y,ada,engine)",
            "(y,ada,notes)",
        ];
        enable_memoize(false);
        assert_eq!(rows(query), expected);
        assert_eq!(
            api.sorted_requests(),
            [repos("ada"), repos("bob"), repos("nobody")],
            "one request for each value but NULL; the first ada is remembered"
        );
        enable_memoize(true);
        assert_eq!(rows(query), expected);
        assert_eq!(
            api.sorted_requests(),
            [repos("ada"), repos("bob"), repos("nobody")]
        );
    }

    #[pg_test]
    fn an_outer_join_keeps_the_rows_without_a_match() {
        let api = repos_api("an_outer_join_keeps_the_rows");
        create_owners();
        assert_eq!(
            rows("SELECT o.login, r.name FROM owners o LEFT JOIN repos r ON r.owner = o.login AND r.stars >= 5
                  WHERE o.team = 'y' ORDER BY 1, 2"),
            ["(ada,engine)", "(nobody,)", "(,)"]
        );
        assert_eq!(
            api.sorted_requests(),
            [
                "GET /owners/ada/repos?stars=5",
                "GET /owners/nobody/repos?stars=5"
            ]
        );
    }

    #[pg_test]
    fn every_way_to_join_supplies_values() {
        let api = repos_api("every_way_to_join_supplies_values");
        create_owners();
        let sorted = |mut requests: Vec<String>| {
            requests.sort();
            requests.dedup();
            requests
        };
        let cases = [
            "SELECT r.name FROM repos r WHERE r.owner IN (SELECT login FROM owners) ORDER BY 1",
            "SELECT r.name FROM repos r WHERE r.owner = ANY (ARRAY(SELECT login FROM owners)) ORDER BY 1",
            "SELECT r.name FROM (SELECT DISTINCT login FROM owners) o JOIN repos r ON r.owner = o.login ORDER BY 1",
            "SELECT r.name FROM (VALUES ('ada'), ('bob'), ('nobody'), (NULL)) v(login)
             JOIN repos r ON r.owner = v.login ORDER BY 1",
            "SELECT r.name FROM unnest('{bob,ada,nobody,NULL}'::text[]) v(login), repos r WHERE v.login = r.owner ORDER BY 1",
            "SELECT l.name FROM (VALUES ('ada'), ('bob'), ('nobody')) v(login),
             LATERAL (SELECT name FROM repos WHERE owner = v.login) l ORDER BY 1",
            "SELECT l.name FROM (VALUES ('ada'), ('bob'), ('nobody')) v(login),
             LATERAL (SELECT name FROM repos WHERE owner = v.login ORDER BY stars LIMIT 5) l ORDER BY 1",
            "SELECT r.name FROM repos r WHERE EXISTS (SELECT FROM owners o WHERE o.login = r.owner) ORDER BY 1",
        ];
        for query in cases {
            assert_eq!(rows(query), ["(builder)", "(engine)", "(notes)"], "{query}");
            assert_eq!(
                sorted(api.requests()),
                [repos("ada"), repos("bob"), repos("nobody")],
                "{query}"
            );
        }
        assert_eq!(
            rows(
                "SELECT login, (SELECT max(stars) FROM repos WHERE owner = login) FROM owners WHERE team = 'x' ORDER BY 1"
            ),
            ["(ada,10)", "(bob,7)"]
        );
        assert_eq!(sorted(api.requests()), [repos("ada"), repos("bob")]);
    }

    #[pg_test]
    fn the_request_count_of_a_semi_join_is_that_of_distinct_values() {
        let api = repos_api("the_request_count_of_a_semi_join");
        create_owners();
        let query = "SELECT name FROM repos WHERE owner IN (SELECT login FROM owners WHERE login IN ('ada', 'bob')) ORDER BY 1";
        assert_eq!(rows(query), ["(builder)", "(engine)", "(notes)"]);
        let mut requests = api.requests();
        requests.sort();
        assert_eq!(requests, [repos("ada"), repos("bob")]);
    }

    #[pg_test]
    fn one_foreign_table_supplies_the_values_of_another() {
        let api = Api::new(
            "one_foreign_table_supplies_the_values",
            &json!({"routes": {
                "/teams/{team}/members": {
                    "rows": [{"t": "x", "login": "ada"}, {"t": "x", "login": "bob"}, {"t": "y", "login": "cyd"}],
                    "path_filters": {"team": "t"},
                },
                "/users/{login}": {
                    "rows": [{"login": "ada", "age": 36}, {"login": "bob", "age": 40}, {"login": "cyd", "age": 28}],
                    "path_filters": {"login": "login"},
                    "shape": "single",
                },
            }}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE members (team text, login text) SERVER api
             OPTIONS (endpoint '/teams/{team}/members')",
        );
        run("CREATE FOREIGN TABLE users (login text, age int) SERVER api
             OPTIONS (endpoint '/users/{login}', rows '$', rows_shape 'single', key 'login')");
        assert_eq!(
            rows(
                "SELECT m.team, u.login, u.age FROM users u JOIN members m USING (login) WHERE m.team = 'x' ORDER BY 2"
            ),
            ["(x,ada,36)", "(x,bob,40)"]
        );
        assert_eq!(
            api.sorted_requests(),
            ["GET /teams/x/members", "GET /users/ada", "GET /users/bob"]
        );
        assert_eq!(
            rows("SELECT m.login, u.age FROM (VALUES ('y')) v(team) JOIN members m ON m.team = v.team
                  JOIN users u ON u.login = m.login"),
            ["(cyd,28)"]
        );
        assert_eq!(api.requests(), ["GET /teams/y/members", "GET /users/cyd"]);
        assert_eq!(
            error("SELECT * FROM users JOIN members USING (login)").message,
            "no value for required column \"team\""
        );
    }

    /// A table that needs two values, one that needs a value of its rows, and two local tables.
    fn grid_api(space: &str) -> Api {
        let api = Api::new(
            space,
            &json!({"routes": {
                "/grid/{x}/{y}": {
                    "rows": [{"px": "a", "py": "1", "v": "a1"}, {"px": "b", "py": "2", "v": "b2"}],
                    "path_filters": {"x": "px", "y": "py"},
                    "filters": [{"param": "v"}],
                },
                "/detail/{k}": {
                    "rows": [{"key": "a1", "w": 10}, {"key": "b2", "w": 20}],
                    "path_filters": {"k": "key"},
                },
            }}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE grid (x text, y text, v text OPTIONS (filter '='))
             SERVER api OPTIONS (endpoint '/grid/{x}/{y}')",
        );
        run(
            "CREATE FOREIGN TABLE detail (k text, w int) SERVER api OPTIONS (endpoint '/detail/{k}')",
        );
        run("CREATE TABLE xs (x text)");
        run("CREATE TABLE ys (y text)");
        run("INSERT INTO xs VALUES ('a'), ('b')");
        run("INSERT INTO ys VALUES ('2')");
        run("ANALYZE xs, ys");
        api
    }

    #[pg_test]
    fn two_tables_supply_a_value_each() {
        let api = grid_api("two_tables_supply_a_value_each");
        assert_eq!(
            rows("SELECT g.* FROM xs, ys, grid g WHERE g.x = xs.x AND g.y = ys.y"),
            ["(b,2,b2)"]
        );
        assert_eq!(api.requests(), ["GET /grid/a/2", "GET /grid/b/2"]);
        assert_eq!(
            rows(
                "SELECT g.v FROM xs, ys, grid g WHERE g.x = lower(xs.x) AND g.y = left(ys.y || xs.x, 1)"
            ),
            ["(b2)"]
        );
        assert_eq!(api.requests(), ["GET /grid/a/2", "GET /grid/b/2"]);
        let refused = error("SELECT g.v FROM xs, grid g WHERE g.x = xs.x");
        assert_eq!(refused.code, "HV002");
        assert!(refused.message.contains("\"y\""), "{refused:?}");
        assert!(refused.hint.contains("y = '...'"), "{refused:?}");
    }

    #[pg_test]
    fn values_are_passed_on_from_table_to_table() {
        let api = grid_api("values_are_passed_on_from_table_to_table");
        let query = "SELECT d.w FROM xs, ys, grid g, detail d
                     WHERE g.x = xs.x AND g.y = ys.y AND d.k = g.v";
        run("ALTER FOREIGN TABLE grid ALTER COLUMN v OPTIONS (DROP filter)");
        assert_eq!(rows(query), ["(20)"]);
        assert_eq!(
            api.requests(),
            ["GET /grid/a/2", "GET /grid/b/2", "GET /detail/b2"]
        );
    }

    #[pg_test]
    fn a_filter_on_the_way_does_not_hide_the_only_plan_that_runs() {
        let api = grid_api("a_filter_on_the_way");
        let query = "SELECT d.w FROM xs, ys, grid g, detail d
                     WHERE g.x = xs.x AND g.y = ys.y AND d.k = g.v";
        assert_eq!(rows(query), ["(20)"]);
        assert_eq!(
            api.requests(),
            ["GET /grid/a/2", "GET /grid/b/2", "GET /detail/b2"]
        );
    }

    #[pg_test]
    fn semi_and_anti_joins_ask_for_each_outer_value() {
        let api = repos_api("semi_and_anti_joins_ask");
        create_owners();
        let query = |not: &str| {
            format!(
                "SELECT login, team FROM owners o
                 WHERE {not} EXISTS (SELECT FROM repos r WHERE r.owner = o.login AND r.stars >= 5) ORDER BY 1, 2"
            )
        };
        let sorted = || {
            let mut requests = api.requests();
            requests.sort();
            requests.dedup();
            requests
        };
        let sent =
            ["ada", "bob", "nobody"].map(|owner| format!("GET /owners/{owner}/repos?stars=5"));
        assert_eq!(rows(&query("")), ["(ada,x)", "(ada,y)", "(bob,x)"]);
        assert_eq!(sorted(), sent);
        assert_eq!(rows(&query("NOT")), ["(nobody,y)", "(,y)"]);
        assert_eq!(sorted(), sent);
    }

    #[pg_test]
    fn local_tables_are_changed_by_what_a_join_finds() {
        let api = repos_api("local_tables_are_changed_by_what_a_join_finds");
        create_owners();
        run("UPDATE owners SET team = (SELECT count(*) FROM repos WHERE owner = login)::text");
        assert_eq!(
            rows("SELECT login, team FROM owners ORDER BY 1"),
            ["(ada,2)", "(ada,2)", "(bob,1)", "(nobody,0)", "(,0)"]
        );
        run("DELETE FROM owners o USING repos r WHERE r.owner = o.login AND r.stars >= 10");
        assert_eq!(
            rows("SELECT login FROM owners ORDER BY 1"),
            ["(bob)", "(nobody)", "()"]
        );
        let requests = api.requests();
        assert!(
            requests.contains(&"GET /owners/ada/repos?stars=10".to_owned()),
            "{requests:?}"
        );
    }

    #[pg_test]
    fn a_view_passes_values_on() {
        let api = repos_api("a_view_passes_values_on");
        run("CREATE VIEW popular AS SELECT owner AS who, name FROM repos WHERE stars >= 5");
        assert_eq!(
            rows("SELECT * FROM popular WHERE who = 'ada'"),
            ["(ada,engine)"]
        );
        assert_eq!(api.requests(), ["GET /owners/ada/repos?stars=5"]);
        run(
            "CREATE VIEW counted AS SELECT owner AS who, count(*) AS repos FROM repos GROUP BY owner",
        );
        assert_eq!(rows("SELECT * FROM counted WHERE who = 'ada'"), ["(ada,2)"]);
        assert_eq!(api.requests(), [repos("ada")]);
        assert_eq!(error("SELECT * FROM counted").code, "HV002");
    }

    #[pg_test]
    fn a_joined_column_is_sent_where_a_nested_loop_is_chosen() {
        let api = Api::new(
            "a_filter_on_a_joined_column",
            &json!({"routes": {"/items": {
                "generate": {"kind": "items", "count": 500},
                "filters": [{"param": "id", "type": "number"}, {"param": "min_id", "field": "id", "op": ">=", "type": "number"}],
                "paging": {"style": "page", "page_size": 100},
            }}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE items (id int OPTIONS (filter '=, >= min_id'), title text) SERVER api OPTIONS (
               endpoint '/items', pagination 'page', page_size '100', rows_estimate '100000', key 'id')");
        run("CREATE TABLE wanted (item int)");
        run("INSERT INTO wanted VALUES (7), (499), (NULL), (501)");
        run("ANALYZE wanted");
        let query = "SELECT i.id FROM wanted w JOIN items i ON i.id = w.item ORDER BY 1";
        assert_eq!(rows(query), ["(7)", "(499)"]);
        assert_eq!(
            api.sorted_requests(),
            [
                "GET /items?id=499&page=1",
                "GET /items?id=499&page=2",
                "GET /items?id=501&page=1",
                "GET /items?id=7&page=1",
                "GET /items?id=7&page=2",
            ]
        );
        let lines = explain("COSTS OFF", query);
        assert!(
            lines
                .iter()
                .any(|line| line == "Remote Parameters: $1 = w.item"),
            "{lines:#?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line == "Remote Filter: (id = w.item) (superset)"),
            "{lines:#?}"
        );
        // Without a filter that would be two requests for each hundred rows.
        run("SET LOCAL enable_nestloop = off");
        assert_eq!(rows(query), ["(7)", "(499)"]);
        let pages: Vec<String> = (1..=6)
            .map(|page| format!("GET /items?page={page}"))
            .collect();
        assert_eq!(api.requests(), pages);
    }

    #[pg_test]
    fn an_optional_parameter_takes_the_value_of_a_join_in_every_plan() {
        let api = Api::new(
            "an_optional_parameter_takes_the_value_of_a_join",
            &json!({"routes": {"/numbers": {
                "rows": [{"n": 1}, {"n": 2}, {"n": 3}],
                "filters": [{"param": "least", "field": "n", "op": ">=", "type": "number"}],
            }}}),
        );
        api.create_server("");
        run(
            "CREATE FOREIGN TABLE numbers (least int OPTIONS (param 'least', default '0'), n int)
             SERVER api OPTIONS (endpoint '/numbers')",
        );
        run("CREATE TABLE bounds (bound int)");
        run("INSERT INTO bounds VALUES (2), (3)");
        let expected = ["(2,2)", "(2,3)", "(3,3)"];
        for query in [
            "SELECT least, n FROM numbers JOIN bounds ON least = bound ORDER BY 1, 2",
            "SELECT least, n FROM numbers WHERE least IN (SELECT bound FROM bounds) ORDER BY 1, 2",
            "SELECT least, n FROM bounds, LATERAL (SELECT * FROM numbers WHERE least = bound) l ORDER BY 1, 2",
        ] {
            assert_eq!(rows(query), expected, "{query}");
            // In which order is the planner's choice.
            let mut requests = api.requests();
            requests.sort();
            assert_eq!(
                requests,
                ["GET /numbers?least=2", "GET /numbers?least=3"],
                "{query}"
            );
        }
        assert_eq!(
            rows("SELECT least, count(*) FROM numbers GROUP BY 1"),
            ["(0,3)"]
        );
        assert_eq!(api.requests(), ["GET /numbers?least=0"]);
    }
}

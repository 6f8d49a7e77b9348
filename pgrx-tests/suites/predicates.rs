//! Predicates: which shape of WHERE clause is understood, what it asks of the API, and why another one stays local.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, column, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::{Value, json};

    const NONE: [&str; 0] = [];

    const COLUMNS: [(&str, &str); 12] = [
        ("id", "int"),
        ("title", "text"),
        ("kind", "varchar(20)"),
        ("code", "char(3)"),
        ("state", "text"),
        ("locked", "boolean"),
        ("votes", "bigint"),
        ("score", "numeric"),
        ("labels", "text[]"),
        ("tags", "varchar(20)[]"),
        ("body", "jsonb"),
        ("due", "date"),
    ];

    fn issues() -> Value {
        json!([
            {"id": 1, "title": "Crash", "kind": "bug", "code": "ab", "state": "open", "locked": false, "votes": 3,
             "score": 1.5, "labels": ["p1", "ui"], "tags": ["x"], "body": {"k": 1, "n": null}, "due": "2024-02-01"},
            {"id": 2, "title": "crash", "kind": "idea", "code": "abc", "state": "closed", "locked": true, "votes": 5,
             "score": 2.25, "labels": ["p2", null], "tags": ["x", "y"], "body": {"k": 2}, "due": "2024-02-02"},
            {"id": 3, "title": "50% _slow\\", "kind": "bug", "code": "ab ", "state": "open", "votes": 7, "score": 2.250,
             "labels": [], "tags": [null], "body": {"k": [1, 2]}},
            {"id": 4, "title": null, "kind": null, "state": null, "locked": null, "votes": null, "score": null,
             "labels": null, "tags": null, "body": null, "due": null},
            {"id": -5, "title": "", "kind": "", "code": "", "state": "new", "locked": true, "votes": 0, "score": 0,
             "labels": ["P1"], "tags": ["y"], "body": [], "due": "infinity"},
        ])
    }

    /// The same rows as a foreign table `issues`, whose columns have these options, and as a table `copy`.
    fn issues_api(space: &str, options: &[(&str, &str)]) -> Api {
        let filters = json!([
            {"param": "ids", "field": "id", "op": "in", "type": "number"},
            {"param": "not_id", "field": "id", "op": "<>", "type": "number"},
            {"param": "id_below", "field": "id", "op": "<", "type": "number"},
            {"param": "title"},
            {"param": "title_not", "field": "title", "op": "<>"},
            {"param": "kind"},
            {"param": "locked"},
            {"param": "votes", "type": "number"},
            {"param": "votes_min", "field": "votes", "op": ">=", "type": "number"},
        ]);
        let api = Api::new(
            space,
            &json!({"routes": {"/issues": {"rows": issues(), "filters": filters}}}),
        );
        api.create_server("");
        let columns = COLUMNS.map(|(name, ty)| {
            let own = options.iter().find(|(column, _)| *column == name);
            let options = own.map_or(String::new(), |(_, options)| {
                format!(" OPTIONS ({options})")
            });
            format!("{name} {ty}{options}")
        });
        run(&format!(
            "CREATE FOREIGN TABLE issues ({}) SERVER api OPTIONS (endpoint '/issues')",
            columns.join(", ")
        ));
        run("CREATE TEMP TABLE copy AS SELECT * FROM issues");
        run("CREATE TEMP TABLE bounds (id int, votes bigint)");
        run("INSERT INTO bounds VALUES (1, 3), (2, 5)");
        api.requests();
        api
    }

    /// Filters for what the dialect `plain` can say. The API itself knows some of them, and ignores the others.
    const FILTERS: [(&str, &str); 8] = [
        (
            "id",
            "filter '=, <> not_id, < id_below, in ids, not_in not_ids'",
        ),
        (
            "title",
            "filter '=, <> title_not, like title_like, ilike title_ilike, is_null title_missing, \
             is_not_null title_given'",
        ),
        ("kind", "filter '=, in kinds, like kind_like'"),
        ("code", "filter '=, like code_like'"),
        ("locked", "filter '=, is_null locked_missing'"),
        ("votes", "filter '=, >= votes_min'"),
        ("body", "filter 'contains'"),
        ("due", "filter '=, >= due_min'"),
    ];

    /// The ids of the rows that a condition selects.
    fn ids(table: &str, clause: &str) -> Vec<String> {
        column(&format!(
            "SELECT id::text FROM {table} AS issues WHERE {clause} ORDER BY id"
        ))
    }

    /// The lines of a query's plan that begin with `label: `, without that.
    fn lines(label: &str, clause: &str) -> Vec<String> {
        let prefix = format!("{label}: ");
        explain(
            "COSTS OFF",
            &format!("SELECT id FROM issues WHERE {clause}"),
        )
        .iter()
        .filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
        .collect()
    }

    /// The same rows come from the API as from the copy; what they are.
    fn same_rows(clause: &str) -> Vec<String> {
        let expected = ids("copy", clause);
        assert_eq!(ids("issues", clause), expected, "{clause}");
        expected
    }

    /// Each case is a condition that stays local, and the reason that EXPLAIN gives.
    fn check_local(api: &Api, cases: &[(&str, &str)]) {
        for (clause, reason) in cases {
            same_rows(clause);
            assert_eq!(api.requests(), ["GET /issues"], "{clause}");
            let local = lines("Local Filter", clause);
            assert_eq!(local.len(), 1, "{clause}");
            assert!(
                local[0].ends_with(&format!(" ({reason})")),
                "{clause}: {local:?}"
            );
            assert_eq!(lines("Remote Filter", clause), NONE, "{clause}");
        }
    }

    /// Each case is a condition, and the query that it sends.
    fn check_sent(api: &Api, cases: &[(&str, &str)]) {
        for (clause, query) in cases {
            same_rows(clause);
            assert_eq!(api.requests(), [format!("GET /issues?{query}")], "{clause}");
            let remote = lines("Remote Filter", clause);
            assert!(
                remote.len() == 1 && remote[0].ends_with(" (superset)"),
                "{clause}: {remote:?}"
            );
        }
    }

    /// A condition that is understood asks for a filter of its column.
    #[pg_test]
    fn every_shape_is_understood() {
        let api = issues_api("every_shape_is_understood", &[]);
        let cases = [
            ("id = 2", "id"),
            ("2 = id", "id"),
            ("2 > id", "id"),
            ("id <= 2::bigint", "id"),
            ("2::smallint <> id", "id"),
            ("id IN (1, 2, NULL)", "id"),
            ("id NOT IN (1, 2)", "id"),
            ("id = ANY (ARRAY(SELECT id FROM bounds))", "id"),
            ("id <> ALL (ARRAY(SELECT id FROM bounds))", "id"),
            ("votes >= (SELECT min(votes) FROM bounds)", "votes"),
            ("score BETWEEN SYMMETRIC 2 AND 1", "score"),
            ("score IS DISTINCT FROM 2.25", "score"),
            ("2.25 IS DISTINCT FROM score", "score"),
            ("score IS NOT DISTINCT FROM 2.25", "score"),
            ("title IS NULL", "title"),
            ("title IS NOT NULL", "title"),
            ("labels IS NULL", "labels"),
            ("locked", "locked"),
            ("NOT locked", "locked"),
            ("locked IS TRUE", "locked"),
            ("locked IS NOT TRUE", "locked"),
            ("locked IS FALSE", "locked"),
            ("locked IS NOT FALSE", "locked"),
            ("locked IS UNKNOWN", "locked"),
            ("locked IS NOT UNKNOWN", "locked"),
            ("(votes > 3) IS NOT TRUE", "votes"),
            ("title LIKE 'C%'", "title"),
            ("title NOT LIKE 'C%'", "title"),
            ("title LIKE '50!%%' ESCAPE '!'", "title"),
            ("title ILIKE 'c%'", "title"),
            ("title NOT ILIKE 'c%'", "title"),
            ("title ^@ 'C'", "title"),
            ("starts_with(title, 'C')", "title"),
            ("NOT starts_with(title, 'C')", "title"),
            ("kind = 'bug'", "kind"),
            ("kind LIKE 'b%'", "kind"),
            ("starts_with(kind, 'b')", "kind"),
            ("kind IN ('bug', 'idea')", "kind"),
            ("body @> '{\"k\": 1}'", "body"),
            ("'{\"k\": [1]}' <@ body", "body"),
            ("NOT body @> '{\"k\": 1}'", "body"),
            ("labels @> '{p1}'", "labels"),
            ("'{p1,ui}' <@ labels", "labels"),
            ("'p1' = ANY (labels)", "labels"),
            ("('p1' = ANY (labels)) IS TRUE", "labels"),
            ("'x' = ANY (tags)", "tags"),
            ("due = '2024-02-01'", "due"),
        ];
        for (clause, column) in cases {
            let reason = format!("column \"{column}\" declares no filter");
            check_local(&api, &[(clause, &reason)]);
        }
    }

    /// A tree is understood as far as its first part that is not.
    #[pg_test]
    fn trees_are_understood_with_all_their_parts() {
        let api = issues_api("trees_are_understood", &[("id", "filter '='")]);
        let title = "column \"title\" declares no filter";
        check_local(
            &api,
            &[
                ("id = 1 OR title = 'Crash'", title),
                (
                    "id = 1 OR NOT (id = 2 OR title = 'Crash')",
                    "column \"id\" declares no filter for <>",
                ),
                ("(id = 1 AND title = 'crash') OR title LIKE '%slow%'", title),
                (
                    "(id = 1 OR title = 'Crash') IS NOT FALSE",
                    "OR has no spelling in dialect plain",
                ),
                (
                    "id = 1 OR lower(title) = 'crash'",
                    "function lower() of column \"title\" cannot be sent",
                ),
                ("id = 1 OR title = random()::text", "random() is volatile"),
                (
                    "id = 1 OR votes = (SELECT b.votes FROM bounds b WHERE b.id = issues.id)",
                    "its value needs a sub-query for each row",
                ),
            ],
        );
    }

    #[pg_test]
    fn what_is_not_understood_has_its_reason() {
        let api = issues_api("what_is_not_understood", &FILTERS);
        let expression = "it is an expression that the API cannot evaluate";
        check_local(
            &api,
            &[
                (
                    "title ~ '^C'",
                    "operator ~ has no spelling in dialect plain",
                ),
                (
                    "'^C' ~ kind",
                    "column \"kind\" stands on the right of operator ~",
                ),
                (
                    "'Crash' LIKE title",
                    "column \"title\" stands on the right of operator ~~",
                ),
                ("body ? 'k'", "operator ? has no spelling in dialect plain"),
                (
                    "labels && '{p1}'",
                    "operator && has no spelling in dialect plain",
                ),
                (
                    "code LIKE 'a%'",
                    "operator ~~ has no spelling in dialect plain",
                ),
                (
                    "id < ANY ('{1,2}')",
                    "operator < ANY has no spelling in dialect plain",
                ),
                (
                    "id <> ANY ('{1,2}')",
                    "operator <> ANY has no spelling in dialect plain",
                ),
                (
                    "id = ALL ('{1,1}')",
                    "operator = ALL has no spelling in dialect plain",
                ),
                (
                    "'p1' <> ALL (labels)",
                    "operator <> ALL has no spelling in dialect plain",
                ),
                (
                    "('p1' = ANY (labels)) IS NOT TRUE",
                    "elements of column \"labels\" that are NULL make it unknown",
                ),
                (
                    "title = state",
                    "it compares columns of the table with each other",
                ),
                (
                    "votes = id + 4",
                    "it compares columns of the table with each other",
                ),
                (
                    "id = ANY (ARRAY[votes::int, 1])",
                    "it compares columns of the table with each other",
                ),
                ("votes >= random() * 0", "it casts the column \"votes\""),
                ("votes = (random() * 0)::bigint + 5", "random() is volatile"),
                (
                    "votes = abs(floor(random() * 0)::bigint) + 5",
                    "random() is volatile",
                ),
                ("random() >= 0", "random() is volatile"),
                (
                    "votes = (SELECT b.votes FROM bounds b WHERE b.id = issues.id)",
                    "its value needs a sub-query for each row",
                ),
                // IN is a join from PostgreSQL 17 on.
                (
                    "votes NOT IN (SELECT b.votes FROM bounds b WHERE b.id = issues.id)",
                    "its value needs a sub-query for each row",
                ),
                (
                    "lower(title) = 'crash'",
                    "function lower() of column \"title\" cannot be sent",
                ),
                (
                    "title = upper(title)",
                    "it compares columns of the table with each other",
                ),
                (
                    "isfinite(due)",
                    "function isfinite() of column \"due\" cannot be sent",
                ),
                (
                    "starts_with('Crash!', title)",
                    "function starts_with() of column \"title\" cannot be sent",
                ),
                ("id + 1 = 3", "operator + of column \"id\" cannot be sent"),
                ("id > 1.5", "it casts the column \"id\""),
                ("votes = 5.0", "it casts the column \"votes\""),
                ("id::text LIKE '1%'", "it casts the column \"id\""),
                ("id::oid > 1::oid", "it casts the column \"id\""),
                (
                    "kind::bpchar = 'bug '::bpchar",
                    "it casts the column \"kind\"",
                ),
                (
                    "(id, votes) > (1, 3)",
                    "a comparison of rows cannot be sent",
                ),
                ("COALESCE(votes, 5) = 5", expression),
                ("CASE WHEN id = 1 THEN true END", expression),
                ("NULLIF(id, 1) IS NULL", expression),
                (
                    "(id = 1) IS UNKNOWN",
                    "operator = of column \"id\" cannot be sent",
                ),
                (
                    "due = '2024-02-01'::timestamp",
                    "column \"due\" is compared with another type, which depends on the session's time zone; \
                     cast the value",
                ),
            ],
        );
    }

    #[pg_test]
    fn patterns_are_sent_where_the_column_declares_them() {
        let api = issues_api("patterns_are_sent", &FILTERS);
        check_sent(
            &api,
            &[
                ("title LIKE 'C%'", "title_like=C%25"),
                ("title LIKE '%as_'", "title_like=%25as_"),
                (
                    "title LIKE '50!% !_%' ESCAPE '!'",
                    "title_like=50%5C%25%20%5C_%25",
                ),
                ("title ILIKE 'c%'", "title_ilike=c%25"),
                ("starts_with(title, '50%')", "title_like=50%5C%25%25"),
                ("title ^@ 'Cr'", "title_like=Cr%25"),
                ("kind LIKE 'b%'", "kind_like=b%25"),
            ],
        );
        run(
            "PREPARE matching(text) AS SELECT id::text FROM issues WHERE title LIKE $1 ORDER BY id",
        );
        for mode in ["force_custom_plan", "force_generic_plan"] {
            run(&format!("SET LOCAL plan_cache_mode = {mode}"));
            assert_eq!(column("EXECUTE matching('%rash')"), ["1", "2"], "{mode}");
            assert_eq!(api.requests(), ["GET /issues?title_like=%25rash"], "{mode}");
            assert_eq!(column("EXECUTE matching(NULL)"), NONE, "{mode}");
            assert_eq!(api.requests(), NONE, "{mode}");
        }
    }

    #[pg_test]
    fn patterns_under_a_collation_that_is_not_deterministic_stay_local() {
        let api = issues_api("patterns_under_a_collation", &FILTERS);
        run(
            "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        );
        for clause in [
            "title COLLATE caseless LIKE 'C%'",
            "title COLLATE caseless ILIKE 'C%'",
            "starts_with(title COLLATE caseless, 'C')",
        ] {
            let local = lines("Local Filter", clause);
            assert!(
                local.len() == 1
                    && local[0].ends_with(" (patterns need a deterministic collation)"),
                "{clause}: {local:?}"
            );
        }
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn tests_for_null_and_truth_are_sent() {
        let api = issues_api("tests_for_null_and_truth", &FILTERS);
        check_sent(
            &api,
            &[
                ("title IS NULL", "title_missing=true"),
                ("title IS NOT NULL", "title_given=true"),
                ("kind::text IS NOT NULL AND kind = 'bug'", "kind=bug"),
                ("locked IS TRUE", "locked=true"),
                ("locked IS FALSE", "locked=false"),
                ("locked IS UNKNOWN", "locked_missing=true"),
                ("(votes >= 5) IS TRUE", "votes_min=5"),
                (
                    "(title = 'Crash' AND NOT locked) IS TRUE",
                    "title=Crash&locked=false",
                ),
                (
                    "(votes >= 5 AND lower(title) = 'crash') IS TRUE",
                    "votes_min=5",
                ),
                ("votes IS NOT DISTINCT FROM 5", "votes=5"),
                ("NOT (votes IS DISTINCT FROM 5)", "votes=5"),
            ],
        );
        check_local(
            &api,
            &[
                (
                    "locked IS NOT TRUE",
                    "column \"locked\" declares no filter for <>",
                ),
                (
                    "kind IS NULL",
                    "column \"kind\" declares no filter for IS NULL",
                ),
            ],
        );
    }

    #[pg_test]
    fn differences_and_negative_lists_are_sent() {
        let api = issues_api("differences_are_sent", &FILTERS);
        check_sent(
            &api,
            &[
                ("id <> 2", "not_id=2"),
                ("2 <> id", "not_id=2"),
                ("NOT (id = 2)", "not_id=2"),
                ("title <> 'Crash'", "title_not=Crash"),
                ("id NOT IN (1, 2)", "not_ids=1,2"),
                ("id <> ALL ('{1,2,2}')", "not_ids=1,2"),
                ("NOT (id = ANY ('{1,2}'))", "not_ids=1,2"),
                ("id <> ALL (ARRAY(SELECT id FROM bounds))", "not_ids=1,2"),
                (
                    "NOT (title = 'Crash' OR id = 2)",
                    "title_not=Crash&not_id=2",
                ),
            ],
        );
        for clause in [
            "id NOT IN (1, NULL)",
            "id <> ALL (NULL::int[])",
            "id <> NULL",
        ] {
            assert_eq!(same_rows(clause), NONE, "{clause}");
            assert_eq!(api.requests(), NONE, "{clause}");
        }
        assert_eq!(same_rows("id <> ALL ('{}')").len(), 5);
        assert_eq!(api.requests(), ["GET /issues"]);
    }

    #[pg_test]
    fn or_over_one_column_becomes_a_list() {
        let api = issues_api("or_over_one_column", &FILTERS);
        check_sent(
            &api,
            &[
                ("id = 1 OR id = 3", "ids=1,3"),
                ("id = 1 OR 3 = id OR id IN (4, 1)", "ids=1,3,4"),
                ("(id = 1 OR id = 3) AND votes >= 5", "votes_min=5&ids=1,3"),
                ("kind = 'bug' OR kind = 'idea'", "kinds=bug,idea"),
            ],
        );
        check_local(
            &api,
            &[
                ("id = 1 OR votes = 5", "OR has no spelling in dialect plain"),
                (
                    "title = 'Crash' OR (votes >= 5 AND locked)",
                    "OR has no spelling in dialect plain",
                ),
            ],
        );
    }

    #[pg_test]
    fn an_optional_filter_is_sent_where_its_parameter_has_a_value() {
        let api = issues_api("an_optional_filter", &FILTERS);
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run(
            "PREPARE optional(text, bigint) AS SELECT id::text FROM issues
             WHERE ($1 IS NULL OR title = $1) AND (NOT ($2 IS NOT NULL) OR votes >= $2) ORDER BY id",
        );
        run(
            "CREATE FUNCTION pg_temp.all_of(statement text) RETURNS text LANGUAGE plpgsql AS
             $$ DECLARE one text; found text := ''; BEGIN FOR one IN EXECUTE statement LOOP found := found || one || ' '; END LOOP; RETURN found; END $$",
        );
        let found = |values: &str| {
            let statement = pgrx::spi::quote_literal(format!("EXECUTE optional({values})"));
            column(&format!("SELECT pg_temp.all_of({statement})")).remove(0)
        };
        for (values, rows, request) in [
            ("NULL, NULL", "-5 1 2 3 4 ", "GET /issues"),
            ("'Crash', NULL", "1 ", "GET /issues?title=Crash"),
            ("NULL, 5", "2 3 ", "GET /issues?votes_min=5"),
            ("'crash', 5", "2 ", "GET /issues?title=crash&votes_min=5"),
        ] {
            assert_eq!(found(values), rows, "{values}");
            assert_eq!(api.requests(), [request]);
        }
        let plan = explain("COSTS OFF", "EXECUTE optional('x', 1)");
        assert!(
            plan.iter()
                .any(|line| line.starts_with("Remote Request: GET ")
                    && line.ends_with("/issues?title=$1&votes_min=$2")),
            "{plan:?}"
        );
        run("SET LOCAL rest_fdw.pushdown = off");
        assert_eq!(found("'Crash', NULL"), "1 ");
        assert_eq!(api.requests(), ["GET /issues"]);
    }

    #[pg_test]
    fn an_arm_that_could_fail_is_not_evaluated_before_its_turn() {
        let api = issues_api("an_arm_that_could_fail", &FILTERS);
        run("SET LOCAL plan_cache_mode = force_generic_plan");
        run("PREPARE cast_it(text) AS SELECT count(*) FROM issues WHERE $1 = '' OR id = $1::int");
        run("PREPARE divided(int) AS SELECT count(*) FROM issues WHERE 1 / $1 > 0 OR id = $1");
        run(
            "PREPARE of_both(text) AS SELECT count(*) FROM issues WHERE $1 IS NULL OR title = $1 OR state = $1",
        );
        run(
            "CREATE FUNCTION pg_temp.one(statement text) RETURNS text LANGUAGE plpgsql AS
             $$ DECLARE one text; BEGIN EXECUTE statement INTO one; RETURN one; END $$",
        );
        for (execute, count) in [
            ("cast_it('')", "5"),
            ("cast_it('3')", "1"),
            ("divided(1)", "5"),
            ("divided(2)", "1"),
            ("of_both(NULL)", "5"),
            ("of_both('open')", "2"),
        ] {
            api.requests();
            let statement = pgrx::spi::quote_literal(format!("EXECUTE {execute}"));
            let found = column(&format!("SELECT pg_temp.one({statement})"));
            assert_eq!(found, [count], "{execute}");
            assert_eq!(api.requests(), ["GET /issues"], "{execute}");
        }
    }

    #[pg_test]
    fn containment_is_sent_where_the_column_declares_it() {
        let api = issues_api("containment_is_sent", &FILTERS);
        for clause in ["body @> '{\"k\": 1}'", "'{\"k\": 1}' <@ body"] {
            assert_eq!(same_rows(clause), ["1"], "{clause}");
            let requests = api.requests();
            assert_eq!(requests.len(), 1, "{clause}");
            assert!(requests[0].starts_with("GET /issues?body="), "{requests:?}");
        }
        assert_eq!(same_rows("body @> NULL"), NONE);
        assert_eq!(api.requests(), NONE);
    }

    #[pg_test]
    fn an_outer_column_is_a_pattern_or_a_value_of_a_tree() {
        let api = issues_api("an_outer_column_is_a_pattern", &FILTERS);
        run("SET LOCAL enable_hashjoin = off");
        run("SET LOCAL enable_mergejoin = off");
        let join = |table: &str| {
            rows(&format!(
                "SELECT b.id, i.id FROM bounds b, {table} i
                 WHERE i.title LIKE '%' || CASE b.id WHEN 1 THEN 'rash' ELSE 'slow' END || '%' ORDER BY 1, 2"
            ))
        };
        let expected = join("copy");
        assert_eq!(expected, ["(1,1)", "(1,2)", "(2,3)"]);
        assert_eq!(join("issues"), expected);
        let either = |table: &str| {
            rows(&format!(
                "SELECT b.id, i.id FROM bounds b JOIN {table} i ON i.id = b.id OR i.votes = b.votes + 2 ORDER BY 1, 2"
            ))
        };
        assert_eq!(either("issues"), either("copy"));
        api.requests();
    }

    #[pg_test]
    fn a_row_filter_is_checked_before_leaky_conditions() {
        let api = issues_api("a_row_filter_is_checked_first", &FILTERS);
        run("CREATE TABLE all_issues (LIKE issues) PARTITION BY LIST (id)");
        run("ALTER TABLE all_issues ATTACH PARTITION issues DEFAULT");
        run("ALTER TABLE all_issues ENABLE ROW LEVEL SECURITY");
        run("CREATE POLICY unlocked ON all_issues USING (locked IS NOT TRUE)");
        run("CREATE ROLE reader");
        run("GRANT SELECT ON all_issues, issues TO reader");
        run("SET LOCAL ROLE reader");
        let barrier = "a security barrier has to be checked before it";
        let query = "SELECT id::text FROM all_issues WHERE title LIKE 'C%' ORDER BY id";
        assert_eq!(column(query), ["1"]);
        assert_eq!(api.requests(), ["GET /issues"]);
        let plan = explain("COSTS OFF", query);
        assert!(
            plan.iter()
                .any(|line| line.starts_with("Local Filter") && line.contains(barrier)),
            "{plan:#?}"
        );
        // An integer comparison is leakproof.
        assert_eq!(
            column("SELECT id::text FROM all_issues WHERE votes >= 5 ORDER BY id"),
            ["3"]
        );
        assert_eq!(api.requests(), ["GET /issues?votes_min=5"]);
    }

    #[pg_test]
    fn values_whose_text_depends_on_a_setting_stay_local() {
        let api = Api::new(
            "values_whose_text_depends_on_a_setting",
            &json!({"routes": {"/odd": {"rows": [
                {"id": 1, "relation": "pg_class", "span": "1 day", "address": "10.0.0.1"},
                {"id": 2, "relation": "pg_proc", "span": "2 days", "address": "10.0.0.2"},
            ]}}}),
        );
        api.create_server("");
        run("CREATE FOREIGN TABLE odd (
               id int,
               relation regclass OPTIONS (filter '= exact'),
               span interval OPTIONS (filter '= exact'),
               address inet OPTIONS (filter '= exact')
             ) SERVER api OPTIONS (endpoint '/odd')");
        let cases = [
            ("relation = 'pg_class'::regclass", ""),
            ("relation = 1259::oid", ""),
            ("span = '1 day'", ""),
            ("address = '10.0.0.1'", "?address=10.0.0.1"),
        ];
        for (clause, query) in cases {
            let found = column(&format!(
                "SELECT id::text FROM odd WHERE {clause} ORDER BY id"
            ));
            assert_eq!(found[0], "1", "{clause}");
            assert_eq!(api.requests(), [format!("GET /odd{query}")], "{clause}");
        }
    }
}

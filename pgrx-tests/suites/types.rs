//! Values: every type from JSON, exactly as PostgreSQL reads it from text, and what becomes of values that do not fit.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, SqlError, column, error, rows, run};
    use pgrx::prelude::*;
    use serde_json::json;

    /// A column of a table of one row: its type, its options, the JSON that the API sends, and the value as an SQL
    /// expression.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str);

    /// A space whose `/rows` answers with exactly this text.
    fn answering(space: &str, body: &str) -> Api {
        Api::new(space, &json!({"routes": {"/rows": {"body": body}}}))
    }

    fn create_table(columns: &str) {
        run(&format!(
            "CREATE FOREIGN TABLE t ({columns}) SERVER api OPTIONS (endpoint '/rows')"
        ));
    }

    /// Reads all cases in one scan, stores them in a local table, and compares both with the expected values as text.
    fn check(space: &str, cases: &[Case]) {
        let members: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(index, case)| format!("\"c{index}\": {}", case.2))
            .collect();
        let api = answering(space, &format!("[{{{}}}]", members.join(", ")));
        api.create_server("");
        let columns = cases.iter().enumerate().map(|(index, (ty, options, ..))| {
            let options = if options.is_empty() {
                String::new()
            } else {
                format!("OPTIONS ({options})")
            };
            format!("c{index} {ty} {options}")
        });
        create_table(&columns.collect::<Vec<_>>().join(", "));
        run("CREATE TEMPORARY TABLE copied AS SELECT * FROM t");
        assert_eq!(api.requests(), ["GET /rows"]);
        for (index, (ty, _, json, expected)) in cases.iter().enumerate() {
            let wanted = column(&format!("SELECT coalesce(({expected})::text, '<NULL>')"));
            for table in ["t", "copied"] {
                let found = column(&format!(
                    "SELECT coalesce(c{index}::text, '<NULL>') FROM {table}"
                ));
                assert_eq!(found, wanted, "{ty} of {json} in {table}");
            }
        }
    }

    /// The error of reading `json` into a column of type `ty`.
    fn misfit(api: &Api, ty: &str, options: &str, json: &str) -> SqlError {
        let scenario =
            json!({"routes": {"/rows": {"body": format!("[{{\"id\": 1, \"x\": {json}}}]")}}});
        api.client().define(api.space(), &scenario);
        let options = if options.is_empty() {
            String::new()
        } else {
            format!("OPTIONS ({options})")
        };
        create_table(&format!("id int, x {ty} {options}"));
        let found = error("SELECT * FROM t");
        assert_eq!(
            column("SELECT id::text FROM t"),
            ["1"],
            "a column that is not read cannot fail"
        );
        run("DROP FOREIGN TABLE t");
        found
    }

    /// Reading each value must fail with this reason, and name table, column, page and value.
    fn misfits(space: &str, cases: &[(&str, &str, &str, &str)]) {
        let api = answering(space, "[]");
        api.create_server("");
        for (ty, json, shown, reason) in cases {
            let found = misfit(&api, ty, "", json);
            assert_eq!(found.code, "HV004", "{ty} of {json}: {found:?}");
            assert_eq!(
                found.message,
                format!("value for column \"x\" does not fit: {reason}"),
                "{ty} of {json}"
            );
            let place = format!("Foreign table \"t\", page 1 of GET {}/rows", api.url());
            assert_eq!(
                found.detail,
                format!("{place}, column \"x\", value: {shown}"),
                "{ty} of {json}"
            );
            assert!(found.hint.contains("on_error 'null'"), "{found:?}");
        }
    }

    #[pg_test]
    fn booleans_and_integers_are_read_to_their_extremes() {
        check(
            "booleans_and_integers",
            &[
                ("bool", "", "true", "true"),
                ("bool", "", "false", "false"),
                ("bool", "", "\"yes\"", "true"),
                ("bool", "", "0", "false"),
                ("bool", "", "1", "true"),
                ("int2", "", "-32768", "(-32768)::int2"),
                ("int2", "", "32767", "32767"),
                ("int4", "", "-2147483648", "-2147483648"),
                ("int4", "", "2147483647", "2147483647"),
                ("int4", "", "2.0", "2"),
                ("int4", "", "-2e3", "-2000"),
                ("int4", "", "\" 17 \"", "17"),
                (
                    "int8",
                    "",
                    "-9223372036854775808",
                    "'-9223372036854775808'::int8",
                ),
                ("int8", "", "9223372036854775807", "9223372036854775807"),
                ("int8", "", "9007199254740993", "9007199254740993"),
                (
                    "int8",
                    "",
                    "\"-9223372036854775808\"",
                    "'-9223372036854775808'::int8",
                ),
                ("int8", "", "null", "NULL"),
                ("oid", "", "4294967295", "4294967295"),
            ],
        );
    }

    #[pg_test]
    fn floats_and_numerics_lose_no_digit() {
        check(
            "floats_and_numerics",
            &[
                ("float4", "", "3.4028235e38", "'3.4028235e38'::float4"),
                ("float4", "", "1e-45", "'1e-45'::float4"),
                ("float4", "", "0.1", "0.1::float4"),
                ("float4", "", "16777217", "16777217::float4"),
                (
                    "float8",
                    "",
                    "1.7976931348623157e308",
                    "'1.7976931348623157e308'::float8",
                ),
                ("float8", "", "5e-324", "'5e-324'::float8"),
                (
                    "float8",
                    "",
                    "0.30000000000000004",
                    "0.30000000000000004::float8",
                ),
                ("float8", "", "-0.0", "'-0'::float8"),
                ("float8", "", "\"NaN\"", "'NaN'::float8"),
                ("float8", "", "\"-Infinity\"", "'-Infinity'::float8"),
                (
                    "numeric",
                    "",
                    "123456789012345678901234567890",
                    "123456789012345678901234567890",
                ),
                (
                    "numeric",
                    "",
                    "-0.123456789012345678901234567890",
                    "-0.123456789012345678901234567890",
                ),
                ("numeric", "", "999999999999999999", "999999999999999999"),
                ("numeric", "", "9223372036854775808", "9223372036854775808"),
                ("numeric", "", "1.50", "1.50"),
                ("numeric", "", "1e-20", "'1e-20'::numeric"),
                ("numeric", "", "12e30", "'12e30'::numeric"),
                ("numeric", "", "\"12.345\"", "12.345"),
                ("numeric", "", "\"NaN\"", "'NaN'::numeric"),
                ("numeric(10,2)", "", "1234.565", "1234.57"),
                ("numeric(10,2)", "", "7", "7.00"),
                ("numeric(5)", "", "99998.5", "99999"),
            ],
        );
    }

    #[pg_test]
    fn texts_of_every_kind_are_read_as_postgresql_reads_them() {
        check(
            "texts_of_every_kind",
            &[
                ("text", "", "\"\"", "''"),
                ("text", "", "\"naïve ☃ 😀\"", "'naïve ☃ 😀'"),
                (
                    "text",
                    "",
                    r#""\ud83d\ude00 \u00e9 \"q\" \\ \/ a\tb\nc""#,
                    r#"E'😀 é "q" \\ / a\tb\nc'"#,
                ),
                ("text", "", "12.50", "'12.50'"),
                ("text", "", "true", "'true'"),
                ("text", "", r#"{"a":  [1, 2.0]}"#, r#"'{"a":  [1, 2.0]}'"#),
                ("varchar", "", "\"abc\"", "'abc'"),
                ("varchar(3)", "", "\"äöü\"", "'äöü'"),
                ("varchar(3)", "", "\"abc  \"", "'abc'"),
                ("char(5)", "", "\"ab\"", "'ab'::char(5)"),
                ("char", "", "\"x\"", "'x'"),
                ("name", "", "\"pg_class\"", "'pg_class'::name"),
                ("text", "", "\" keep \"", "' keep '"),
            ],
        );
        assert_eq!(
            column("SELECT octet_length(c9)::text FROM t"),
            ["5"],
            "char(n) is padded"
        );
    }

    #[pg_test]
    fn dates_and_times_follow_the_session_where_they_name_no_zone() {
        run("SET LOCAL TimeZone = 'America/New_York'");
        check(
            "dates_and_times",
            &[
                ("date", "", "\"2026-11-13\"", "'2026-11-13'::date"),
                ("date", "", "\"0001-01-01\"", "'0001-01-01'::date"),
                ("date", "", "\"9999-12-31\"", "'9999-12-31'::date"),
                ("date", "", "\"4713-01-01 BC\"", "'4713-01-01 BC'::date"),
                ("date", "", "\"infinity\"", "'infinity'::date"),
                ("date", "", "\"2026-11-13T23:59:59Z\"", "'2026-11-13'::date"),
                ("date", "", "\"Nov 13, 2026\"", "'2026-11-13'::date"),
                (
                    "timestamp",
                    "",
                    "\"2026-11-13T08:00:00.123456\"",
                    "'2026-11-13 08:00:00.123456'::timestamp",
                ),
                (
                    "timestamp",
                    "",
                    "\"2026-11-13T08:00:00+02:00\"",
                    "'2026-11-13T08:00:00+02:00'::timestamp",
                ),
                (
                    "timestamp(0)",
                    "",
                    "\"2026-11-13 08:00:00.5\"",
                    "'2026-11-13 08:00:00.5'::timestamp(0)",
                ),
                (
                    "timestamp(3)",
                    "",
                    "\"1999-12-31 23:59:59.99951\"",
                    "'1999-12-31 23:59:59.99951'::timestamp(3)",
                ),
                ("timestamp", "", "\"-infinity\"", "'-infinity'::timestamp"),
                (
                    "timestamptz",
                    "",
                    "\"2026-11-13T08:00:00Z\"",
                    "'2026-11-13T08:00:00Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "",
                    "\"2026-11-13T08:00:00.000001-05:30\"",
                    "'2026-11-13T08:00:00.000001-05:30'::timestamptz",
                ),
                (
                    "timestamptz",
                    "",
                    "\"2026-11-13T08:00:00\"",
                    "'2026-11-13T08:00:00'::timestamptz",
                ),
                (
                    "timestamptz",
                    "",
                    "\"2026-07-01\"",
                    "'2026-07-01'::timestamptz",
                ),
                (
                    "timestamptz",
                    "",
                    "\"2016-12-31T23:59:60Z\"",
                    "'2016-12-31T23:59:60Z'::timestamptz",
                ),
                (
                    "timestamptz(0)",
                    "",
                    "\"1969-12-31T23:59:59.5Z\"",
                    "'1969-12-31T23:59:59.5Z'::timestamptz(0)",
                ),
                ("timestamptz", "", "\"infinity\"", "'infinity'::timestamptz"),
                ("time", "", "\"08:30:00.25\"", "'08:30:00.25'::time"),
                (
                    "interval",
                    "",
                    "\"P1Y2M3DT4H5M6.5S\"",
                    "'P1Y2M3DT4H5M6.5S'::interval",
                ),
                ("interval", "", "\"1 day 02:00\"", "'1 day 02:00'::interval"),
            ],
        );
    }

    #[pg_test]
    fn times_are_read_in_the_format_that_their_column_declares() {
        run("SET LOCAL TimeZone = 'Asia/Kolkata'");
        check(
            "times_in_their_format",
            &[
                (
                    "timestamptz",
                    "format 'rfc3339'",
                    "\"2026-11-13T08:00:00Z\"",
                    "'2026-11-13T08:00:00Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format 'unix'",
                    "1517875200",
                    "'2018-02-06T00:00:00Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format 'unix'",
                    "1517875200.123456",
                    "'2018-02-06T00:00:00.123456Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format 'unix'",
                    "-0.5",
                    "'1969-12-31T23:59:59.5Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format 'unix'",
                    "\"1517875200\"",
                    "'2018-02-06T00:00:00Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format 'unix_ms'",
                    "1517875200123",
                    "'2018-02-06T00:00:00.123Z'::timestamptz",
                ),
                (
                    "timestamp",
                    "format 'unix_us'",
                    "1517875200123456",
                    "'2018-02-06 00:00:00.123456'::timestamp",
                ),
                (
                    "timestamptz",
                    "format 'unix_ns'",
                    "1517875200123456789",
                    "'2018-02-06T00:00:00.123457Z'::timestamptz",
                ),
                (
                    "timestamptz(0)",
                    "format 'unix_ms'",
                    "1517875200500",
                    "'2018-02-06T00:00:00.5Z'::timestamptz(0)",
                ),
                ("date", "format 'unix'", "-1", "'1969-12-31'::date"),
                (
                    "date",
                    "format 'unix_ms'",
                    "1517875200000",
                    "'2018-02-06'::date",
                ),
                (
                    "bigint",
                    "format 'unix_ms'",
                    "1517875200123",
                    "1517875200123",
                ),
                (
                    "date",
                    "format 'date'",
                    "\"2026-11-13\"",
                    "'2026-11-13'::date",
                ),
                (
                    "date",
                    "format '%d.%m.%Y'",
                    "\"13.11.2026\"",
                    "'2026-11-13'::date",
                ),
                (
                    "timestamp",
                    "format '%Y%m%d%H%M%S'",
                    "\"20261113080001\"",
                    "'2026-11-13 08:00:01'::timestamp",
                ),
                (
                    "timestamp",
                    "format '%Y%m%d%H%M%S'",
                    "20261113080001",
                    "'2026-11-13 08:00:01'::timestamp",
                ),
                (
                    "timestamptz",
                    "format '%d/%m/%Y %H:%M'",
                    "\"13/11/2026 08:00\"",
                    "'2026-11-13T08:00:00Z'::timestamptz",
                ),
                (
                    "timestamptz",
                    "format '%Y-%m-%d %H:%M:%S %z'",
                    "\"2026-11-13 08:00:00 +0200\"",
                    "'2026-11-13T06:00:00Z'::timestamptz",
                ),
            ],
        );
    }

    #[pg_test]
    fn uuids_json_and_bytes_are_read() {
        check(
            "uuids_json_and_bytes",
            &[
                (
                    "uuid",
                    "",
                    "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
                    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
                ),
                (
                    "uuid",
                    "",
                    "\"A0EEBC999C0B4EF8BB6D6BB9BD380A11\"",
                    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
                ),
                (
                    "uuid",
                    "",
                    "\"{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}\"",
                    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
                ),
                (
                    "json",
                    "",
                    r#"{"b": 1.0,  "a": ["x\u00e9", null], "b": 2}"#,
                    r#"'{"b": 1.0,  "a": ["x\u00e9", null], "b": 2}'"#,
                ),
                (
                    "jsonb",
                    "",
                    r#"{"b": 1.0,  "a": ["x\u00e9", null], "b": 2}"#,
                    r#"'{"b": 1.0,  "a": ["x\u00e9", null], "b": 2}'::jsonb"#,
                ),
                (
                    "jsonb",
                    "",
                    "12345678901234567890.10",
                    "'12345678901234567890.10'::jsonb",
                ),
                ("jsonb", "", "\"te\\\"xt\"", r#"'"te\"xt"'::jsonb"#),
                ("json", "", "true", "'true'"),
                ("json", "", "[]", "'[]'"),
                ("jsonb", "", "null", "NULL"),
                (
                    "bytea",
                    "format 'base64'",
                    "\"3q2+7w==\"",
                    r"'\xdeadbeef'::bytea",
                ),
                (
                    "bytea",
                    "format 'base64'",
                    "\"3q2-7w\"",
                    r"'\xdeadbeef'::bytea",
                ),
                (
                    "bytea",
                    "format 'base64'",
                    "\"3q2\\n+7w==\"",
                    r"'\xdeadbeef'::bytea",
                ),
                ("bytea", "format 'base64'", "\"\"", "''::bytea"),
                ("bytea", "", r#""\\xdeadbeef""#, r"'\xdeadbeef'::bytea"),
                ("bytea", "", r#""plain""#, "'plain'::bytea"),
            ],
        );
    }

    #[pg_test]
    fn arrays_are_read_with_their_nulls_and_dimensions() {
        check(
            "arrays_are_read",
            &[
                ("int[]", "", "[1, null, 3]", "'{1,NULL,3}'::int[]"),
                ("int[]", "", "[]", "'{}'::int[]"),
                ("int[]", "", "null", "NULL"),
                ("int[]", "", "[null]", "'{NULL}'::int[]"),
                (
                    "int[]",
                    "",
                    "[[1, 2], [3, null]]",
                    "'{{1,2},{3,NULL}}'::int[]",
                ),
                (
                    "int[]",
                    "",
                    "[[[1], [2]], [[3], [4]]]",
                    "'{{{1},{2}},{{3},{4}}}'::int[]",
                ),
                ("int[]", "", "[[], []]", "'{}'::int[]"),
                ("int[][]", "", "[[1]]", "'{{1}}'::int[]"),
                ("int[]", "", "\"{4,5}\"", "'{4,5}'::int[]"),
                (
                    "int8[]",
                    "",
                    "[9223372036854775807]",
                    "'{9223372036854775807}'::int8[]",
                ),
                ("bool[]", "", "[true, false]", "'{t,f}'::bool[]"),
                ("float8[]", "", "[0.1, 1e300]", "'{0.1,1e300}'::float8[]"),
                (
                    "numeric[]",
                    "",
                    "[1.50, 123456789012345678901234567890]",
                    "'{1.50,123456789012345678901234567890}'::numeric[]",
                ),
                (
                    "numeric(5,1)[]",
                    "",
                    "[1.25, 2]",
                    "'{1.3,2.0}'::numeric(5,1)[]",
                ),
                (
                    "text[]",
                    "",
                    r#"["a,b", "c\"d", "", "NULL", null, "{x}"]"#,
                    r#"ARRAY['a,b', 'c"d', '', 'NULL', NULL, '{x}']"#,
                ),
                ("varchar(2)[]", "", r#"["ab"]"#, "'{ab}'::varchar(2)[]"),
                (
                    "date[]",
                    "",
                    r#"["2026-11-13", "infinity"]"#,
                    "'{2026-11-13,infinity}'::date[]",
                ),
                (
                    "uuid[]",
                    "",
                    r#"["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]"#,
                    "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'::uuid[]",
                ),
                (
                    "jsonb[]",
                    "",
                    r#"[{"a": 1}, [1, 2], "x", null]"#,
                    r#"ARRAY['{"a": 1}', '[1, 2]', '"x"', NULL]::jsonb[]"#,
                ),
                (
                    "inet[]",
                    "",
                    r#"["10.0.0.1", "::1"]"#,
                    "'{10.0.0.1,::1}'::inet[]",
                ),
                ("int[]", "format 'csv'", "\"1, 2,3\"", "'{1,2,3}'::int[]"),
                (
                    "text[]",
                    "format 'csv'",
                    "\"a, b c,,d\"",
                    "'{a,\"b c\",\"\",d}'::text[]",
                ),
                ("text[]", "format 'csv'", "\"\"", "'{}'::text[]"),
                ("int[]", "format 'csv'", "[7, 8]", "'{7,8}'::int[]"),
            ],
        );
        assert_eq!(
            column("SELECT array_dims(c4) || array_dims(c5) FROM t"),
            ["[1:2][1:2][1:2][1:2][1:1]"]
        );
    }

    #[pg_test]
    fn types_without_a_fast_path_go_through_their_input_function() {
        run("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')");
        run("CREATE EXTENSION citext");
        check(
            "types_without_a_fast_path",
            &[
                ("mood", "", "\"happy\"", "'happy'::mood"),
                (
                    "mood[]",
                    "",
                    r#"["sad", null, "ok"]"#,
                    "'{sad,NULL,ok}'::mood[]",
                ),
                ("citext", "", "\"MiXed\"", "'MiXed'"),
                ("inet", "", "\"192.168.0.1/24\"", "'192.168.0.1/24'::inet"),
                ("cidr", "", "\"10.0.0.0/8\"", "'10.0.0.0/8'::cidr"),
                (
                    "macaddr",
                    "",
                    "\"08:00:2b:01:02:03\"",
                    "'08:00:2b:01:02:03'::macaddr",
                ),
                ("point", "", "\"(1,2)\"", "'(1,2)'::point"),
                ("int4range", "", "\"[1,5)\"", "'[1,5)'::int4range"),
                ("bit(3)", "", "\"101\"", "B'101'"),
                ("regclass", "", "\"pg_class\"", "'pg_class'::regclass"),
                ("tsvector", "", "\"a b\"", "'a b'::tsvector"),
                (
                    "interval(0)",
                    "",
                    "\"1.6 seconds\"",
                    "'1.6 seconds'::interval(0)",
                ),
            ],
        );
        assert_eq!(
            column("SELECT (c2 = 'mixed')::text FROM t"),
            ["true"],
            "citext compares as itself"
        );
        assert_eq!(
            column("SELECT (c0 > 'ok')::text FROM t"),
            ["true"],
            "enums compare in their own order"
        );
    }

    #[pg_test]
    fn domains_keep_their_checks_their_lengths_and_their_not_null() {
        run("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        run("CREATE DOMAIN code AS varchar(3)");
        run("CREATE DOMAIN price AS numeric(6,2) NOT NULL");
        run("CREATE DOMAIN even AS positive CHECK (VALUE % 2 = 0)");
        check(
            "domains_keep_their_checks",
            &[
                ("positive", "", "7", "7"),
                ("positive", "", "null", "NULL"),
                ("even", "", "8", "8"),
                ("code", "", "\"abc\"", "'abc'"),
                ("price", "", "1.005", "1.01"),
                ("price", "", "7", "7.00"),
                ("positive[]", "", "[1, 2]", "'{1,2}'::int[]"),
            ],
        );
        run("DROP SERVER api CASCADE");
        misfits(
            "domains_keep_their_checks",
            &[
                (
                    "positive",
                    "-7",
                    "-7",
                    "value for domain positive violates check constraint \"positive_check\"",
                ),
                (
                    "even",
                    "3",
                    "3",
                    "value for domain even violates check constraint \"even_check\"",
                ),
                (
                    "price",
                    "null",
                    "null",
                    "domain price does not allow null values",
                ),
                (
                    "code",
                    "\"abcd\"",
                    "abcd",
                    "value too long for type character varying(3)",
                ),
            ],
        );
    }

    #[pg_test]
    fn the_elements_of_an_array_of_a_domain_are_checked() {
        run("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        let api = answering("elements_of_a_domain", "[]");
        api.create_server("");
        let found = misfit(&api, "positive[]", "", "[1, -2]");
        assert_eq!(found.code, "HV004", "{found:?}");
        assert_eq!(
            found.message,
            "value for column \"x\" does not fit: value for domain positive violates check constraint \"positive_check\""
        );
    }

    #[pg_test]
    fn composites_are_built_from_objects() {
        run("CREATE TYPE place AS (lat float8, lon float8, label text)");
        run("CREATE TYPE visit AS (id int, at place, tags text[], seen timestamptz)");
        check(
            "composites_are_built",
            &[
                (
                    "place",
                    "",
                    r#"{"lat": 1.5, "lon": -2, "label": "a, \"b\""}"#,
                    r#"ROW(1.5, -2, 'a, "b"')::place"#,
                ),
                (
                    "place",
                    "",
                    r#"{"label": "x", "other": 1}"#,
                    "ROW(NULL, NULL, 'x')::place",
                ),
                ("place", "", "{}", "ROW(NULL, NULL, NULL)::place"),
                ("place", "", "null", "NULL"),
                (
                    "visit",
                    "",
                    r#"{"id": 9, "at": {"lat": 1, "lon": 2, "label": null}, "tags": ["a", "b"], "seen": "2026-11-13T08:00:00Z"}"#,
                    "ROW(9, ROW(1, 2, NULL)::place, ARRAY['a', 'b'], '2026-11-13T08:00:00Z')::visit",
                ),
                (
                    "place[]",
                    "",
                    r#"[{"lat": 1, "lon": 2, "label": "p"}, null]"#,
                    "ARRAY[ROW(1, 2, 'p')::place, NULL]",
                ),
            ],
        );
        assert_eq!(column("SELECT ((c4).at).lat::text FROM t"), ["1"]);
    }

    #[pg_test]
    fn a_missing_key_and_a_null_are_null() {
        let api = answering(
            "a_missing_key",
            r#"[{"id": 1, "name": null}, {"id": 2}, {"id": null, "name": "x"}]"#,
        );
        api.create_server("");
        create_table("id int, name text, tags int[], at timestamptz, doc jsonb, host inet");
        assert_eq!(
            rows("SELECT * FROM t"),
            ["(1,,,,,)", "(2,,,,,)", "(,x,,,,)"]
        );
        assert_eq!(
            column("SELECT count(*)::text FROM t WHERE name IS NULL"),
            ["2"]
        );
    }

    #[pg_test]
    fn a_column_takes_its_name_else_the_camel_case_form() {
        let body = r#"[
            {"created_at": "2026-11-13", "createdAt": "1999-01-01", "HTMLUrl": "a", "html_url": "b"},
            {"createdAt": "2026-11-14", "htmlUrl": "c", "htmlURL": "d"},
            {"createdAt": "1999-01-01", "created_at": null},
            {"CreatedAt": "2026-11-15"}]"#;
        let api = answering("a_column_takes_its_name", body);
        api.create_server("");
        create_table("created_at date, html_url text, \"htmlURL\" text");
        assert_eq!(
            rows("SELECT * FROM t"),
            ["(2026-11-13,b,)", "(2026-11-14,c,d)", "(,,)", "(,,)"]
        );
    }

    #[pg_test]
    fn fields_are_found_by_path_pointer_and_dollar() {
        let body = r#"[{"id": 1, "user": {"login": "ada", "tags": ["x", {"n": 5}]}, "a/b": {"c~d": 7}, "a.b": 8, "": {"e": 9}, "7": {"0": 1}},
                       {"id": 2, "user": "gone", "a/b": [{"c~d": 1}]}]"#;
        let api = answering("fields_are_found", body);
        api.create_server("");
        create_table(
            "id int,
             login text OPTIONS (field 'user.login'),
             tag text OPTIONS (field 'user.tags.0'),
             n int OPTIONS (field '/user/tags/1/n'),
             beyond text OPTIONS (field 'user.tags.2'),
             escaped int OPTIONS (field '/a~1b/c~0d'),
             dotted int OPTIONS (field '/a.b'),
             empty int OPTIONS (field '//e'),
             digits int OPTIONS (field '7.0'),
             same text OPTIONS (field 'user.login'),
             keys text OPTIONS (field 'user')",
        );
        let read = "SELECT id, login, tag, n, beyond, escaped, dotted, empty, digits, same FROM t";
        assert_eq!(rows(read), ["(1,ada,x,5,,7,8,9,1,ada)", "(2,,,,,,,,,)"]);
        assert_eq!(
            column("SELECT keys FROM t ORDER BY id"),
            [r#"{"login": "ada", "tags": ["x", {"n": 5}]}"#, "gone"]
        );
        run("ALTER FOREIGN TABLE t ADD COLUMN doc jsonb OPTIONS (field '$')");
        assert_eq!(
            column("SELECT doc ->> 'id' FROM t WHERE doc ? 'a.b'"),
            ["1"]
        );
    }

    #[pg_test]
    fn a_value_that_does_not_fit_names_table_column_page_and_value() {
        misfits(
            "a_value_that_does_not_fit",
            &[
                ("int2", "32768", "32768", "out of range for type smallint"),
                (
                    "int4",
                    "2147483648",
                    "2147483648",
                    "out of range for type integer",
                ),
                (
                    "int8",
                    "9223372036854775808",
                    "9223372036854775808",
                    "out of range for type bigint",
                ),
                ("int8", "1e30", "1e30", "out of range for type bigint"),
                (
                    "int4",
                    "1.5",
                    "1.5",
                    "expected an integer, found a fraction",
                ),
                ("int4", "\"many\"", "\"many\"", "expected an integer"),
                ("int4", "true", "true", "expected an integer"),
                ("int4", "{\"a\": 1}", "{\"a\": 1}", "expected an integer"),
                ("float4", "3.5e38", "3.5e38", "out of range for type real"),
                (
                    "float8",
                    "1e309",
                    "1e309",
                    "out of range for type double precision",
                ),
                ("numeric", "\"a lot\"", "\"a lot\"", "expected a number"),
                ("bool", "2", "2", "expected true or false"),
                ("bool", "\"maybe\"", "\"maybe\"", "expected true or false"),
                (
                    "text",
                    r#""a\u0000b""#,
                    r#""a\u0000b""#,
                    "text cannot hold \\u0000",
                ),
                (
                    "text",
                    r#""\ud83d""#,
                    r#""\ud83d""#,
                    "it holds a lone surrogate, \\ud83d",
                ),
                (
                    "jsonb",
                    r#"{"a": "\u0000"}"#,
                    r#"{"a": "\u0000"}"#,
                    "text cannot hold \\u0000",
                ),
                (
                    "date",
                    "20261113",
                    "20261113",
                    "expected a date or time as text, found a number: declare format 'unix' or 'unix_ms'",
                ),
                ("timestamptz", "[]", "[]", "expected a date or time as text"),
                ("uuid", "7", "7", "expected a UUID as text"),
                ("int[]", "5", "5", "expected an array"),
                ("int[]", "[1, \"x\"]", "[1, \"x\"]", "expected an integer"),
            ],
        );
    }

    #[pg_test]
    fn an_error_of_a_types_own_input_function_is_placed_too() {
        run("CREATE TYPE mood AS ENUM ('sad', 'ok')");
        misfits(
            "an_error_of_a_types_own_input",
            &[
                (
                    "varchar(3)",
                    "\"abcd\"",
                    "abcd",
                    "value too long for type character varying(3)",
                ),
                (
                    "char(2)",
                    "\"abc\"",
                    "abc",
                    "value too long for type character(2)",
                ),
                ("numeric(4,2)", "100", "100", "numeric field overflow"),
                ("numeric(4,2)", "100.5", "100.5", "numeric field overflow"),
                (
                    "date",
                    "\"2026-02-30\"",
                    "2026-02-30",
                    "date/time field value out of range: \"2026-02-30\"",
                ),
                (
                    "timestamptz",
                    "\"soon\"",
                    "soon",
                    "invalid input syntax for type timestamp with time zone: \"soon\"",
                ),
                (
                    "uuid",
                    "\"a0ee\"",
                    "a0ee",
                    "invalid input syntax for type uuid: \"a0ee\"",
                ),
                (
                    "mood",
                    "\"happy\"",
                    "happy",
                    "invalid input value for enum mood: \"happy\"",
                ),
                (
                    "inet",
                    "\"300.0.0.1\"",
                    "300.0.0.1",
                    "invalid input syntax for type inet: \"300.0.0.1\"",
                ),
                (
                    "interval",
                    "\"long\"",
                    "long",
                    "invalid input syntax for type interval: \"long\"",
                ),
                (
                    "bytea",
                    r#""\\xzz""#,
                    r"\xzz",
                    "invalid hexadecimal digit: \"z\"",
                ),
            ],
        );
    }

    #[pg_test]
    fn lists_that_are_no_array_do_not_fit() {
        let api = answering("lists_that_are_no_array", "[]");
        api.create_server("");
        for json in ["[[1], [2, 3]]", "[1, [2]]", "[[1], 2]"] {
            let found = misfit(&api, "int[]", "", json);
            assert_eq!(found.code, "HV004", "{json}: {found:?}");
            assert_eq!(
                found.message,
                "value for column \"x\" does not fit: the lists in a list must all have the same length"
            );
        }
        let found = misfit(&api, "int[]", "", "[[[[[[[1]]]]]]]");
        assert_eq!(
            found.message,
            "value for column \"x\" does not fit: an array cannot have more than 6 dimensions"
        );
    }

    #[pg_test]
    fn a_format_that_the_value_does_not_match_does_not_fit() {
        let api = answering("a_format_that_does_not_match", "[]");
        api.create_server("");
        let cases = [
            (
                "date",
                "format '%d.%m.%Y'",
                "\"13/11/2026\"",
                "it does not match the format '%d.%m.%Y'",
            ),
            (
                "timestamptz",
                "format 'unix'",
                "\"2026-11-13\"",
                "expected a number of seconds or parts of them since 1970",
            ),
            (
                "timestamptz",
                "format 'unix'",
                "1e30",
                "out of range for type timestamp with time zone",
            ),
            ("bytea", "format 'base64'", "5", "expected base64 text"),
            ("int[]", "format 'csv'", "\"1,x\"", "expected an integer"),
        ];
        for (ty, options, json, reason) in cases {
            let found = misfit(&api, ty, options, json);
            assert_eq!(
                found.message,
                format!("value for column \"x\" does not fit: {reason}"),
                "{ty} of {json}"
            );
            assert_eq!(found.code, "HV004");
        }
        let found = misfit(&api, "bytea", "format 'base64'", "\"%%%\"");
        assert!(
            found
                .message
                .starts_with("value for column \"x\" does not fit: it is not valid base64: "),
            "{found:?}"
        );
    }

    #[pg_test]
    fn on_error_null_reads_what_does_not_fit_as_null() {
        run("CREATE TYPE mood AS ENUM ('sad', 'ok')");
        run("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        let good = r#"{"id": 1, "n": 5, "v": "abc", "p": 1.5, "m": "ok", "h": "::1", "d": 3, "a": [1, 2], "day": "2026-11-13", "j": {"a": 1}, "x": [4]}"#;
        let bad = r#"{"id": 2, "n": "x", "v": "abcd", "p": 100, "m": "glad", "h": "?", "d": -3, "a": [1, "y"], "day": "2026-02-30", "j": {"a": "\u0000"}, "x": [[1], [2, 3]]}"#;
        let api = answering("on_error_null", &format!("[{good}, {bad}, {good}]"));
        api.create_server("");
        let columns = [
            "n int",
            "v varchar(3)",
            "p numeric(3,2)",
            "m mood",
            "h inet",
            "d positive",
            "a int[]",
            "day date",
            "j jsonb",
            "x int[]",
        ];
        let columns = columns.map(|column| format!("{column} OPTIONS (on_error 'null')"));
        create_table(&format!("id int, {}", columns.join(", ")));
        let fine = |id: u32| {
            format!("({id},5,abc,1.50,ok,::1,3,\"{{1,2}}\",2026-11-13,\"{{\"\"a\"\": 1}}\",{{4}})")
        };
        assert_eq!(
            rows("SELECT * FROM t"),
            [fine(1), "(2,,,,,,,,,,)".to_owned(), fine(1)]
        );
        assert_eq!(
            column("SELECT count(*)::text FROM t WHERE m IS NULL AND n IS NULL"),
            ["1"]
        );
        assert_eq!(api.requests(), ["GET /rows"; 2]);
    }

    #[pg_test]
    fn the_same_member_fills_columns_of_several_types() {
        let api = answering(
            "the_same_member",
            r#"[{"n": 9007199254740993, "t": "2026-11-13T08:00:00Z"}]"#,
        );
        api.create_server("");
        create_table(
            "i int8 OPTIONS (field 'n'), f float8 OPTIONS (field 'n'), d numeric OPTIONS (field 'n'), s text OPTIONS (field 'n'),
             day date OPTIONS (field 't'), at timestamptz OPTIONS (field 't'), raw json OPTIONS (field 't')",
        );
        run("SET LOCAL TimeZone = 'UTC'");
        assert_eq!(
            rows("SELECT * FROM t"),
            [
                r#"(9007199254740993,9.007199254740992e+15,9007199254740993,9007199254740993,2026-11-13,"2026-11-13 08:00:00+00","""2026-11-13T08:00:00Z""")"#
            ]
        );
    }
}

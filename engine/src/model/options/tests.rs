//! What the options mean, and what is refused with which words.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::fixture::{TestColumn, options, table, try_table};
use super::{Level, OptionError, OptionErrorKind, credentials, validate};
use crate::model::{
    Auth, ClientAuth, Elsewhere, FieldPath, Filter, Grant, KeyPlace, Location, OAuth2, OnError,
    Operator, Paging, ParameterPlace, Role, RowsPath, RowsShape, Secret, TextCollation, Type,
    ValueFormat,
};
use std::time::Duration;

fn segments(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Checks one option on a level where everything required is there.
fn check(level: Level, name: &str, value: &str) -> Result<(), OptionError> {
    let mut all = match level {
        Level::Server => options(&[("base_url", "https://api.test")]),
        Level::Table => options(&[("endpoint", "/items")]),
        _ => Vec::new(),
    };
    all.retain(|(other, _)| other != name);
    all.push((name.to_owned(), value.to_owned()));
    validate(level, &all, false)
}

fn refusal(level: Level, name: &str, value: &str) -> OptionError {
    check(level, name, value).expect_err(&format!("{name} '{value}' should be refused"))
}

fn accept(level: Level, name: &str, values: &[&str]) {
    for value in values {
        if let Err(error) = check(level, name, value) {
            panic!("{name} '{value}': {error}");
        }
    }
}

fn refuse(level: Level, name: &str, values: &[&str]) {
    for value in values {
        let error = refusal(level, name, value);
        assert_eq!(
            error.kind,
            OptionErrorKind::Invalid,
            "{name} '{value}': {error}"
        );
        assert!(
            error
                .message
                .starts_with(&format!("invalid value for option \"{name}\": ")),
            "{error}"
        );
        assert!(!error.message.ends_with('.'), "{error}");
    }
}

#[test]
fn a_misspelt_option_gets_a_suggestion() {
    let error = refusal(Level::Table, "page_sise", "10");
    assert_eq!(error.kind, OptionErrorKind::Unknown);
    assert_eq!(error.message, "invalid option \"page_sise\"");
    assert_eq!(
        error.hint.unwrap(),
        "Perhaps you meant the option \"page_size\"."
    );
    let error = refusal(Level::Server, "Base_URL", "https://api.test");
    assert_eq!(
        error.hint.unwrap(),
        "Perhaps you meant the option \"base_url\"."
    );
}

#[test]
fn an_option_like_no_other_gets_the_list_of_its_level() {
    let error = refusal(Level::Column, "zzzzzzzzzzzz", "");
    let hint = error.hint.unwrap();
    assert!(
        hint.starts_with("Valid options on a column are: field, filter, param,"),
        "{hint}"
    );
    assert!(
        !hint.contains("write_endpoint"),
        "an option that does not work yet is not offered: {hint}"
    );
    let error = validate(Level::Wrapper, &options(&[("x", "1")]), true).unwrap_err();
    assert_eq!(
        error.hint.unwrap(),
        "There are no valid options on a foreign-data wrapper."
    );
}

#[test]
fn an_option_on_the_wrong_level_is_sent_to_the_right_one() {
    let error = refusal(Level::Server, "token", "x");
    assert_eq!(error.kind, OptionErrorKind::Secret);
    assert_eq!(error.message, "option \"token\" is not allowed on a server");
    assert_eq!(
        error.hint.unwrap(),
        "Set it on the user mapping: secrets belong there only."
    );
    let error = refusal(Level::Server, "endpoint", "/x");
    assert_eq!(
        (error.kind, error.hint.unwrap().as_str()),
        (OptionErrorKind::WrongLevel, "Set it on the foreign table.")
    );
    let error = refusal(Level::Table, "base_url", "https://x");
    assert_eq!(error.hint.unwrap(), "Set it on the server.");
    let error = refusal(Level::Table, "field", "x");
    assert_eq!(
        error.hint.unwrap(),
        "Set it on a column of the foreign table."
    );
    assert_eq!(
        refusal(Level::UserMapping, "page_size", "1").kind,
        OptionErrorKind::WrongLevel
    );
}

#[test]
fn what_later_work_brings_is_refused_by_name() {
    let later = [(Level::Table, "insert_method", "POST")];
    for (level, name, value) in later {
        let error = refusal(level, name, value);
        assert_eq!(
            (error.kind, error.message),
            (
                OptionErrorKind::NotYet,
                format!("option \"{name}\" is not supported yet")
            )
        );
    }
    let values = [
        (
            Level::Table,
            "rows",
            "$.items[*]",
            "JSONPath in option \"rows\" is not supported yet",
        ),
        (
            Level::Column,
            "field",
            "$['a']",
            "JSONPath in option \"field\" is not supported yet",
        ),
    ];
    for (level, name, value, message) in values {
        let error = refusal(level, name, value);
        assert_eq!(
            (error.kind, error.message.as_str()),
            (OptionErrorKind::NotYet, message)
        );
    }
}

#[test]
fn options_that_name_a_file_or_weaken_tls_are_for_superusers() {
    let kind = |option: &str, value: &str| {
        let given = options(&[("base_url", "https://api.test"), (option, value)]);
        validate(Level::Server, &given, true).unwrap_err().kind
    };
    for (option, value, broken) in [
        ("ca_file", "/etc/x.pem", "x.pem"),
        ("client_cert_file", "/etc/x.pem", ""),
        ("tls_verify", "off", "perhaps"),
        ("unix_socket", "/run/x.sock", "/run/\n"),
        ("proxy_url", "http://proxy.test:3128", "https://proxy.test"),
    ] {
        let given = options(&[("base_url", "https://api.test"), (option, value)]);
        let error = validate(Level::Server, &given, false).unwrap_err();
        assert_eq!(error.kind, OptionErrorKind::Privilege);
        assert_eq!(
            error.message,
            format!("only a superuser may set option \"{option}\"")
        );
        assert_eq!(validate(Level::Server, &given, true), Ok(()));
        assert_eq!(kind(option, broken), OptionErrorKind::Invalid, "{option}");
    }
    for broken in [
        "proxy.test:3128",
        "http://proxy.test/path",
        "http://proxy.test?a=b",
    ] {
        assert_eq!(kind("proxy_url", broken), OptionErrorKind::Invalid);
    }
    assert_eq!(
        kind("proxy_url", "http://me:pw@proxy.test"),
        OptionErrorKind::Secret
    );
}

#[test]
fn a_server_needs_its_url_and_a_table_its_endpoint() {
    let error = validate(Level::Server, &[], true).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (OptionErrorKind::Missing, "option \"base_url\" is required")
    );
    let error = validate(Level::Table, &options(&[("rows", "data")]), true).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (OptionErrorKind::Missing, "option \"endpoint\" is required")
    );
    assert_eq!(validate(Level::Wrapper, &[], true), Ok(()));
    assert_eq!(validate(Level::UserMapping, &[], false), Ok(()));
    assert_eq!(validate(Level::Column, &[], false), Ok(()));
}

#[test]
fn base_urls() {
    accept(
        Level::Server,
        "base_url",
        &[
            "https://api.test",
            "http://127.0.0.1:8080/v1/",
            "https://[::1]:443",
            "HTTPS://x/%20",
        ],
    );
    refuse(
        Level::Server,
        "base_url",
        &[
            "",
            "api.test",
            "/v1",
            "ftp://api.test",
            "https://",
            "https:///x",
            "https://a b",
            "https://api.test?x=1",
            "https://api.test/#a",
            "https://api.test:0",
            "https://api.test:99999",
            "https://api.test/a/../b",
            "https://api.test/%2E%2e",
            "https://bücher.test",
        ],
    );
    assert_eq!(
        table(&[("base_url", "https://api.test/v1//")], &[], &[])
            .source
            .base_url,
        "https://api.test/v1"
    );
}

#[test]
fn secrets_stay_out_of_servers_and_tables() {
    let error = refusal(Level::Server, "base_url", "https://ann:pa55@api.test");
    assert_eq!(error.kind, OptionErrorKind::Secret);
    assert!(!format!("{error:?}").contains("pa55"));
    for level in [Level::Server, Level::Table] {
        for name in [
            "Authorization",
            "proxy-authorization",
            "Cookie",
            "X-API-Key",
            "x-auth-token",
            "PRIVATE-TOKEN",
        ] {
            let error = refusal(level, "headers", &format!("{{\"{name}\": \"pa55\"}}"));
            assert_eq!(error.kind, OptionErrorKind::Secret, "{name}");
            assert!(
                error
                    .hint
                    .as_ref()
                    .unwrap()
                    .contains("headers on the user mapping"),
                "{error:?}"
            );
            assert!(!format!("{error:?}").contains("pa55"));
        }
        for name in [
            "api_key",
            "apikey",
            "access_token",
            "token",
            "password",
            "client_secret",
            "clientSecret",
        ] {
            let error = refusal(level, "query", &format!("{{\"{name}\": \"pa55\"}}"));
            assert_eq!(error.kind, OptionErrorKind::Secret, "{name}");
            assert!(
                error
                    .hint
                    .unwrap()
                    .contains("Set api_key on the user mapping")
            );
        }
    }
    accept(
        Level::Table,
        "query",
        &[r#"{"state": "all", "tokens": 1, "author": "x", "keyword": "y", "pagetoken": ""}"#],
    );
}

#[test]
fn a_users_secrets_are_read_and_never_shown() {
    let mapping = options(&[
        ("token", "ghp_1"),
        ("username", "ann"),
        ("password", "pä ss"),
        ("api_key", "k1"),
        ("headers", r#"{"X-B": "2", "X-A": "1"}"#),
    ]);
    let read = credentials(&mapping).unwrap();
    assert_eq!(read.token.unwrap().expose(), "ghp_1");
    assert_eq!(read.password.unwrap().expose(), "pä ss");
    let names: Vec<&str> = read.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X-B", "X-A"], "in the order written");
    let wrong = [
        ("token", "pa55\r\nX: y"),
        ("token", "pa55 "),
        ("token", ""),
        ("username", "pa55:x"),
        ("password", "pa55\n"),
        ("api_key", "pa55\0"),
        ("headers", r#"{"X-A": "pa55\n"}"#),
        ("headers", r#"{"X-A": ["pa55"]}"#),
        ("headers", r#"{"Host": "pa55"}"#),
        ("headers", r#"["pa55"]"#),
        ("headers", r#""pa55""#),
        ("headers", "pa55"),
    ];
    for (name, value) in wrong {
        let error = credentials(&options(&[(name, value)])).unwrap_err();
        assert_eq!(error.kind, OptionErrorKind::Invalid);
        assert!(!format!("{error:?}").contains("pa55"), "{name}: {error:?}");
    }
}

#[test]
fn durations_need_a_unit() {
    accept(
        Level::Table,
        "latency",
        &[
            "0", "0ms", "500ms", "10s", "1.5 s", "2min", "1h", "30d", "10us",
        ],
    );
    refuse(
        Level::Table,
        "latency",
        &[
            "",
            "10",
            "s",
            "10 parsecs",
            "-1s",
            "1.2.3s",
            "31d",
            "1e3s",
            "10S",
        ],
    );
    assert_eq!(
        refusal(Level::Server, "timeout", "10").hint.unwrap(),
        "Write for example '10s' or '10ms'."
    );
    refuse(Level::Server, "timeout", &["0", "0s"]);
    let read = table(
        &[("timeout", "2min"), ("connect_timeout", "1500ms")],
        &[("latency", "0")],
        &[],
    );
    assert_eq!(read.source.timeout, Duration::from_secs(120));
    assert_eq!(read.source.connect_timeout, Duration::from_millis(1500));
    assert_eq!(read.latency, Duration::ZERO);
}

#[test]
fn sizes_count_in_powers_of_1024() {
    refuse(
        Level::Server,
        "max_response_bytes",
        &["", "0", "-1", "64 mb", "64KB", "1.5MB", "9999999999999TB"],
    );
    for (text, bytes) in [
        ("100", 100),
        ("1B", 1),
        ("64kB", 65536),
        ("64 MB", 64 << 20),
        ("1GB", 1 << 30),
        ("2TB", 2 << 40),
    ] {
        assert_eq!(
            table(&[("max_response_bytes", text)], &[], &[])
                .source
                .max_response_bytes,
            bytes,
            "{text}"
        );
    }
}

#[test]
fn a_rate_is_requests_in_a_second_a_minute_or_an_hour() {
    let rates = ["10/s", " 600 / min", "5000/h", "1/s", "1000000/s"];
    let read = rates.map(|text| table(&[("rate_limit", text)], &[], &[]).source.rate_limit);
    assert_eq!(
        read.map(|rate| rate.unwrap().to_string()),
        ["10/s", "600/min", "5000/h", "1/s", "1000000/s"]
    );
    refuse(
        Level::Server,
        "rate_limit",
        &[
            "",
            "10",
            "0/s",
            "-1/s",
            "1.5/s",
            "10/m",
            "10/d",
            "10 s",
            "/s",
            "1000001/s",
            "10/s/s",
        ],
    );
    assert_eq!(table(&[], &[], &[]).source.rate_limit, None);
}

#[test]
fn numbers_and_truth_values_have_bounds() {
    accept(
        Level::Table,
        "recheck",
        &["on", "OFF", "true", "false", "yes", "no", "1", "0"],
    );
    refuse(Level::Table, "recheck", &["", "maybe", "2"]);
    refuse(
        Level::Table,
        "page_size",
        &["0", "-1", "1.5", "x", "99999999999999999999"],
    );
    accept(Level::Table, "first_page", &["0", "1"]);
    accept(Level::Table, "format", &["json", "jsonl", "csv"]);
    accept(Level::Table, "csv_delimiter", &[",", "\t", "\\t", "|"]);
    accept(Level::Table, "csv_quote", &["\"", "'", "none"]);
    accept(Level::Table, "csv_header", &["on", "off"]);
    accept(Level::Table, "csv_null", &["", "\\N", "NULL"]);
    refuse(Level::Server, "max_concurrency", &["0", "65"]);
    refuse(Level::Server, "max_retries", &["101", "-1"]);
    refuse(
        Level::Table,
        "rows_estimate",
        &["0", "-5", "NaN", "inf", "x"],
    );
    accept(Level::Table, "rows_estimate", &["1e6", "12.5"]);
    accept(
        Level::Table,
        "empty_on",
        &["404", "404, 410", "missing", "404,missing"],
    );
    refuse(
        Level::Table,
        "empty_on",
        &["", "200", "abc", "404,", "missing,"],
    );
    accept(Level::Table, "expired_on", &["410", "400, 404"]);
    refuse(Level::Table, "expired_on", &["", "200", "gone"]);
    refuse(Level::Server, "retry_on", &["ok", "200"]);
    accept(Level::Server, "retry_on", &["425"]);
    accept(Level::Server, "max_retry_time", &["90s", "10min"]);
    refuse(Level::Server, "max_retry_time", &["0s", "90"]);
}

#[test]
fn constants_are_objects_of_scalars_in_their_order() {
    let read = table(
        &[
            (
                "query",
                r#"{"z": "ä b", "a": 1.50, "b": true, "n": -1e400}"#,
            ),
            ("headers", r#"{"X-V": "1"}"#),
        ],
        &[("query", r#"{"a": 2}"#)],
        &[],
    );
    let expected = [("z", "ä b"), ("a", "1.50"), ("b", "true"), ("n", "-1e400")];
    assert_eq!(read.source.query, options(&expected));
    assert_eq!(read.query, options(&[("a", "2")]));
    refuse(
        Level::Table,
        "query",
        &[
            "",
            "[]",
            "x",
            r#"{"a": null}"#,
            r#"{"a": [1]}"#,
            r#"{"a": {}}"#,
            r#"{"": 1}"#,
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1"#,
        ],
    );
    refuse(
        Level::Table,
        "headers",
        &[
            r#"{"Host": "x"}"#,
            r#"{"content-length": 1}"#,
            r#"{"Transfer-Encoding": "x"}"#,
            r#"{"connection": "x"}"#,
            r#"{"a b": 1}"#,
            r#"{"X": "a\nb"}"#,
            r#"{"X": "a\u0000"}"#,
            r#"{"X": "ä"}"#,
        ],
    );
    refuse(Level::Server, "user_agent", &["a\r\nb"]);
}

#[test]
fn rows_that_may_be_missing_are_a_named_member() {
    let missing = ("empty_on", "404, missing");
    let read = table(&[], &[("rows", "data.items"), missing], &[]);
    assert_eq!(read.rows, RowsPath::Optional(segments(&["data", "items"])));
    assert_eq!(read.empty_on, [404]);
    // A server's word counts where it has a meaning, with rows of the server or the table.
    let server = [missing];
    let of_server = |options: &[(&str, &str)]| table(&server, options, &[]).rows;
    assert_eq!(of_server(&[]), RowsPath::Auto);
    assert_eq!(of_server(&[("rows", "$")]), RowsPath::Path(vec![]));
    assert_eq!(of_server(&[("format", "csv")]), RowsPath::Auto);
    assert_eq!(
        of_server(&[("rows", "kvs")]),
        RowsPath::Optional(segments(&["kvs"]))
    );
    assert_eq!(
        of_server(&[("rows", "kvs"), ("empty_on", "404")]),
        RowsPath::Path(segments(&["kvs"]))
    );
    let read = table(&[("rows", "kvs")], &[missing], &[]);
    assert_eq!(read.rows, RowsPath::Optional(segments(&["kvs"])));
    // A table's own needs one: it is refused as soon as that can be told.
    let message = "empty_on 'missing' needs option \"rows\" with the member that may be missing";
    for rows in [&[][..], &[("rows", "$")], &[("rows", "auto")]] {
        let options = [&[missing][..], rows].concat();
        let error = try_table(&[], &options, &[]).expect_err("refused");
        assert_eq!(error.message, message, "{rows:?}");
    }
    for other in [("rows", "$"), ("format", "jsonl"), ("format", "csv")] {
        let options = [("endpoint", "/x"), missing, other];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let error = validate(Level::Table, &options, false).expect_err("refused");
        assert_eq!(error.message, message, "{other:?}");
    }
    let error = refusal(Level::Table, "empty_on", "mising");
    assert_eq!(
        error.hint.as_deref(),
        Some("Besides statuses there is the word missing: '404, missing'.")
    );
}

#[test]
fn paths_are_dotted_or_json_pointers() {
    let rows = |text: &str| table(&[], &[("rows", text)], &[]).rows;
    assert_eq!(table(&[], &[], &[]).rows, RowsPath::Auto);
    assert_eq!(rows("auto"), RowsPath::Auto);
    assert_eq!(rows("$"), RowsPath::Path(vec![]));
    assert_eq!(
        rows("data.items"),
        RowsPath::Path(segments(&["data", "items"]))
    );
    assert_eq!(
        rows("/a~1b/~01/0"),
        RowsPath::Path(segments(&["a/b", "~1", "0"]))
    );
    assert_eq!(
        rows("/@odata.nextLink"),
        RowsPath::Path(segments(&["@odata.nextLink"]))
    );
    refuse(
        Level::Table,
        "rows",
        &["", ".", "a..b", "a.", "/a~2", "/a~"],
    );
    refuse(Level::Table, "total_field", &["$", ""]);
}

#[test]
fn endpoints_are_paths_with_simple_expressions() {
    accept(
        Level::Table,
        "endpoint",
        &[
            "",
            "/",
            "/items",
            "/repos/{owner}/{repo}/issues",
            "/a%20b",
            "/ä b",
            "/{a}.json",
        ],
    );
    refuse(
        Level::Table,
        "endpoint",
        &[
            "items",
            "/a?b=c",
            "/a#b",
            "/a/../b",
            "/./a",
            "/%2e%2E/b",
            "/{a",
            "/a}",
            "/{{a}}",
            "/{}",
            "/{+a}",
            "/{?a}",
            "/{a,b}",
            "/{a*}",
            "/{a:3}",
            "/{/a}",
            "/a%",
            "/a%zz",
            "/a\nb",
        ],
    );
    assert_eq!(
        refusal(Level::Table, "endpoint", "/a?b=c").hint.unwrap(),
        "Set option \"query\" for constant parameters."
    );
}

#[test]
fn filters_are_operators_with_parameter_and_exactness() {
    let column = (
        "mag",
        Type::Float8,
        &[("filter", "=, >= minmag exact, < exact, IN mags")] as &[_],
    );
    let read = table(&[], &[], &[column]);
    let filter = |operator, parameter: Option<&str>, exact| Filter {
        operator,
        parameter: parameter.map(str::to_owned),
        exact,
        format: None,
    };
    assert_eq!(
        read.columns[0].filters,
        [
            filter(Operator::Eq, None, false),
            filter(Operator::Ge, Some("minmag"), true),
            filter(Operator::Lt, None, true),
            filter(Operator::In, Some("mags"), false)
        ]
    );
    refuse(
        Level::Column,
        "filter",
        &[
            "",
            ",",
            "=,",
            "== x",
            "= a b",
            "= a exact b",
            ">=x",
            "=, = y",
        ],
    );
}

#[test]
fn a_column_is_a_field_or_an_input() {
    let columns: &[TestColumn] = &[
        ("id", Type::Int8, &[]),
        ("login", Type::Text, &[("field", "user.login")]),
        ("doc", Type::Json, &[("field", "$")]),
        ("q", Type::Text, &[("param", "query"), ("required", "true")]),
        (
            "v",
            Type::Int4,
            &[("param", "X-V"), ("param_in", "header"), ("default", "2")],
        ),
    ];
    let read = table(&[], &[], columns);
    assert_eq!(
        read.columns[0].role,
        Role::Field(FieldPath::Default("id".to_owned()))
    );
    assert_eq!(
        read.columns[1].role,
        Role::Field(FieldPath::Path(segments(&["user", "login"])))
    );
    assert_eq!(read.columns[2].role, Role::Field(FieldPath::Whole));
    let parameter = |name: &str, place, required, default: Option<&str>| Role::Parameter {
        name: name.to_owned(),
        place,
        required,
        default: default.map(str::to_owned),
    };
    assert_eq!(
        read.columns[3].role,
        parameter("query", ParameterPlace::Query, true, None)
    );
    assert_eq!(
        read.columns[4].role,
        parameter("X-V", ParameterPlace::Header, false, Some("2"))
    );
    assert_eq!(
        read.columns[3].filters,
        [Filter {
            operator: Operator::Eq,
            parameter: Some("query".to_owned()),
            exact: true,
            format: None,
        }]
    );
}

#[test]
fn a_column_in_the_endpoint_is_required_there() {
    let endpoint = &[("endpoint", "/repos/{owner}/{r}")];
    let read = table(
        &[],
        endpoint,
        &[
            ("owner", Type::Text, &[("filter", "=")]),
            ("repo", Type::Text, &[("param", "r"), ("param_in", "path")]),
            ("r", Type::Text, &[]),
        ],
    );
    let path = |name: &str| Role::Parameter {
        name: name.to_owned(),
        place: ParameterPlace::Path,
        required: true,
        default: None,
    };
    assert_eq!(read.columns[0].role, path("owner"));
    assert_eq!(read.columns[1].role, path("r"));
    assert_eq!(
        read.columns[2].role,
        Role::Field(FieldPath::Default("r".to_owned())),
        "claimed by another column"
    );
    let error = try_table(&[], endpoint, &[("owner", Type::Text, &[])]).unwrap_err();
    assert_eq!(error.kind, OptionErrorKind::Missing);
    assert_eq!(
        error.message,
        "the endpoint names {r}, and no column of foreign table \"items\" is that parameter"
    );
}

/// Reads a table whose only column has these options, and says why it cannot be.
fn conflict(endpoint: &str, ty: Type, pairs: &[(&str, &str)]) -> OptionError {
    let error = try_table(&[], &[("endpoint", endpoint)], &[("x", ty, pairs)]);
    error.expect_err(&format!("{endpoint} {pairs:?} should be refused"))
}

#[test]
fn columns_that_contradict_themselves_are_refused() {
    use OptionErrorKind::{Conflict, Invalid, Secret};
    type Case<'a> = (OptionErrorKind, &'a str, Type, &'a [(&'a str, &'a str)]);
    let cases: &[Case] = &[
        (Conflict, "/", Type::Text, &[("field", "a"), ("param", "b")]),
        (Conflict, "/{x}", Type::Text, &[("field", "a")]),
        (Conflict, "/", Type::Text, &[("required", "true")]),
        (Conflict, "/", Type::Text, &[("default", "a")]),
        (Conflict, "/", Type::Text, &[("param_in", "query")]),
        (
            Conflict,
            "/",
            Type::Text,
            &[("param", "a"), ("param_in", "path")],
        ),
        (Conflict, "/{x}", Type::Text, &[("required", "false")]),
        (
            Conflict,
            "/",
            Type::Text,
            &[("param", "a"), ("filter", ">=")],
        ),
        (
            Conflict,
            "/",
            Type::Text,
            &[("param", "a"), ("filter", "= b")],
        ),
        (Conflict, "/", Type::Bytes, &[("param", "a")]),
        (Conflict, "/", Type::Text, &[("format", "unix")]),
        (Conflict, "/", Type::Text, &[("format", "csv")]),
        (
            Conflict,
            "/",
            Type::Text,
            &[("format", "base64"), ("filter", "=")],
        ),
        (Conflict, "/", Type::Text, &[("filter", "= a as base64")]),
        (
            Conflict,
            "/",
            Type::Text,
            &[("format", "base64"), ("sort", "a")],
        ),
        (
            Conflict,
            "/",
            Type::Text,
            &[("format", "base64"), ("param", "a")],
        ),
        (Conflict, "/", Type::Int4, &[("format", "base64")]),
        (Conflict, "/", Type::Bytes, &[("format", "rfc3339")]),
        (Conflict, "/", Type::Int4, &[("format", "%Y")]),
        (Conflict, "/", Type::Int4, &[("collation", "C")]),
        (Conflict, "/", Type::Text, &[("field", "@key")]),
        (
            Invalid,
            "/",
            Type::Int4,
            &[("param", "a"), ("default", "b")],
        ),
        (
            Invalid,
            "/",
            Type::Bool,
            &[("param", "a"), ("default", "b")],
        ),
        (Invalid, "/{x}", Type::Text, &[("default", "..")]),
        (
            Invalid,
            "/",
            Type::Text,
            &[("param", "Host"), ("param_in", "header")],
        ),
        (
            Invalid,
            "/",
            Type::Text,
            &[("param", "X"), ("param_in", "header"), ("default", "a\n")],
        ),
        (Invalid, "/", Type::Date, &[("format", "%!")]),
        (Invalid, "/", Type::Date, &[("format", "iso")]),
        (Invalid, "/", Type::Date, &[("on_error", "ignore")]),
        (
            Secret,
            "/",
            Type::Text,
            &[("param", "Authorization"), ("param_in", "header")],
        ),
        (
            Secret,
            "/",
            Type::Text,
            &[("param", "api_key"), ("default", "pa55")],
        ),
    ];
    for (kind, endpoint, ty, pairs) in cases {
        let error = conflict(endpoint, ty.clone(), pairs);
        assert_eq!(error.kind, *kind, "{endpoint} {pairs:?}: {error}");
        assert_eq!(
            error.detail.as_deref(),
            Some("Column \"x\" of foreign table \"items\"."),
            "{pairs:?}"
        );
        assert!(!format!("{error:?}").contains("pa55"));
    }
}

#[test]
fn formats_fit_their_types() {
    let read = |ty: Type, format: &str| {
        table(&[], &[], &[("x", ty, &[("format", format)])]).columns[0]
            .format
            .clone()
    };
    assert_eq!(
        read(Type::TimestampTz, "unix_ms"),
        Some(ValueFormat::UnixMs)
    );
    assert_eq!(read(Type::Date, "date"), Some(ValueFormat::Date));
    assert_eq!(read(Type::Numeric, "unix"), Some(ValueFormat::Unix));
    assert_eq!(read(Type::Bytes, "base64"), Some(ValueFormat::Base64));
    assert_eq!(read(Type::Text, "base64"), Some(ValueFormat::Base64));
    assert_eq!(
        read(Type::Array(Box::new(Type::Text)), "csv"),
        Some(ValueFormat::Csv)
    );
    assert_eq!(
        read(Type::Date, "%d.%m.%Y"),
        Some(ValueFormat::Strftime("%d.%m.%Y".to_owned()))
    );
    let columns: &[TestColumn] = &[(
        "x",
        Type::Text,
        &[("on_error", "null"), ("collation", "de-DE-x-icu")],
    )];
    let column = table(&[], &[], columns).columns[0].clone();
    assert_eq!(column.on_error, OnError::Null);
    assert_eq!(
        column.collation,
        Some(TextCollation::Named("de-DE-x-icu".to_owned()))
    );
}

#[test]
fn paging_needs_what_its_style_needs() {
    let id: &[TestColumn] = &[
        ("id", Type::Int8, &[("field", "meta.id")]),
        ("q", Type::Text, &[("param", "q")]),
    ];
    let paging = |pairs: &[(&str, &str)]| try_table(&[], pairs, id).map(|table| table.paging);
    assert_eq!(paging(&[]), Ok(Paging::Auto));
    assert_eq!(paging(&[("pagination", "auto")]), Ok(Paging::Auto));
    assert_eq!(paging(&[("pagination", "none")]), Ok(Paging::None));
    assert_eq!(paging(&[("pagination", "link")]), Ok(Paging::Link));
    let page = Paging::Page {
        param: "page".to_owned(),
        first: 1,
    };
    assert_eq!(paging(&[("pagination", "page")]), Ok(page));
    let offset = Paging::Offset {
        param: "skip".to_owned(),
        first: 1,
    };
    assert_eq!(
        paging(&[
            ("pagination", "offset"),
            ("offset_param", "skip"),
            ("first_offset", "1")
        ]),
        Ok(offset)
    );
    let at = Location::Body(segments(&["meta", "next"]));
    let cursor = Paging::Cursor {
        param: "cursor".to_owned(),
        at,
    };
    assert_eq!(
        paging(&[
            ("pagination", "cursor"),
            ("cursor_param", "cursor"),
            ("cursor_field", "meta.next")
        ]),
        Ok(cursor)
    );
    let at = Location::Header("X-Next".to_owned());
    assert_eq!(
        paging(&[("pagination", "next_url"), ("next_url_header", "X-Next")]),
        Ok(Paging::NextUrl { at })
    );
    let keyset = [
        ("pagination", "keyset"),
        ("cursor_param", "after"),
        ("cursor_column", "id"),
    ];
    let field = FieldPath::Path(segments(&["meta", "id"]));
    assert_eq!(
        paging(&keyset),
        Ok(Paging::Keyset {
            param: "after".to_owned(),
            field
        })
    );
    let refused: &[(&[(&str, &str)], &str)] = &[
        (
            &[("pagination", "cursor"), ("cursor_field", "a")],
            "pagination 'cursor' needs option \"cursor_param\"",
        ),
        (
            &[("pagination", "cursor"), ("cursor_param", "a")],
            "pagination 'cursor' needs option \"cursor_field\" or \"cursor_header\"",
        ),
        (
            &[("pagination", "next_url")],
            "pagination 'next_url' needs option \"next_url_field\" or \"next_url_header\"",
        ),
        (
            &[("pagination", "keyset"), ("cursor_param", "a")],
            "pagination 'keyset' needs option \"cursor_column\"",
        ),
        (
            &[
                ("pagination", "keyset"),
                ("cursor_param", "a"),
                ("cursor_column", "z"),
            ],
            "option \"cursor_column\" names column \"z\", which does not exist",
        ),
        (
            &[
                ("pagination", "keyset"),
                ("cursor_param", "a"),
                ("cursor_column", "q"),
            ],
            "option \"cursor_column\" names \"q\", which is an input of the request",
        ),
        (
            &[("page_param", "p")],
            "option \"page_param\" has no effect without option \"pagination\"",
        ),
        (
            &[("cursor_field", "a"), ("cursor_header", "b")],
            "options \"cursor_field\" and \"cursor_header\" exclude each other",
        ),
        (
            &[("key", "id, nope")],
            "option \"key\" names column \"nope\", which does not exist",
        ),
        (
            &[("columns_field", "names")],
            "option \"columns_field\" needs rows_shape 'arrays'",
        ),
    ];
    for (pairs, message) in refused {
        assert_eq!(paging(pairs).unwrap_err().message, *message);
    }
    refuse(Level::Table, "pagination", &["pages"]);
}

#[test]
fn one_parameter_has_one_column() {
    let two: &[TestColumn] = &[
        ("a", Type::Text, &[("param", "q")]),
        ("b", Type::Text, &[("filter", "= q")]),
    ];
    let error = try_table(&[], &[], two).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (
            OptionErrorKind::Conflict,
            "parameter \"q\" is set by column \"a\" and by column \"b\""
        )
    );
    let column: &[TestColumn] = &[("limit", Type::Int4, &[("filter", "=")])];
    let error = try_table(&[], &[("page_size_param", "limit")], column).unwrap_err();
    assert_eq!(
        error.message,
        "parameter \"limit\" is set by option \"page_size_param\" and by column \"limit\""
    );
    let fields: &[TestColumn] = &[
        ("a", Type::Text, &[("filter", "= q")]),
        ("b", Type::Text, &[("filter", "= q")]),
    ];
    assert!(
        try_table(&[], &[], fields).is_ok(),
        "fields may share a parameter: one condition is sent"
    );
}

#[test]
fn a_server_gives_its_tables_their_defaults() {
    let server = &[
        ("pagination", "page"),
        ("page_size", "100"),
        ("rows", "data"),
        ("query", "{\"v\": 1}"),
    ];
    let read = table(server, &[("page_size", "50")], &[("id", Type::Int4, &[])]);
    assert_eq!(
        read.paging,
        Paging::Page {
            param: "page".to_owned(),
            first: 1
        }
    );
    assert_eq!(read.page_size, Some(50));
    assert_eq!(read.rows, RowsPath::Path(segments(&["data"])));
    assert!(
        read.query.is_empty(),
        "constants are added to the server's, not copied"
    );
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let read = table(&[], &[], &[("id", Type::Int4, &[])]);
    let source = &read.source;
    assert_eq!(source.user_agent, "rest_fdw/0.1.0");
    assert_eq!(
        (source.connect_timeout, source.timeout),
        (Duration::from_secs(10), Duration::from_secs(60))
    );
    assert_eq!((source.retry.max_retries, source.retry.network), (5, true));
    assert_eq!(source.retry.statuses, [408, 429, 500, 502, 503, 504]);
    assert_eq!(source.retry.max_time, Duration::from_secs(300));
    assert_eq!(read.expired_on, [410]);
    assert_eq!(
        (source.max_concurrency, source.max_response_bytes),
        (4, 256 << 20)
    );
    assert_eq!(
        (source.max_pages, source.max_requests, source.auth.clone()),
        (None, None, None)
    );
    assert_eq!(read.shape, RowsShape::Objects);
    assert!(read.recheck && read.keep_params && !read.end_on_short_page);
    assert_eq!(read.latency, Duration::from_millis(100));
    assert_eq!(
        table(&[("retry_on", "503, network")], &[], &[])
            .source
            .retry
            .statuses,
        [503]
    );
    assert!(!table(&[("retry_on", "")], &[], &[]).source.retry.network);
}

#[test]
fn the_kind_of_sign_in_follows_from_its_details() {
    let auth = |pairs: &[(&str, &str)]| try_table(pairs, &[], &[]).map(|table| table.source.auth);
    let key = |name: &str, place| {
        Some(Auth::ApiKey {
            name: name.to_owned(),
            place,
        })
    };
    assert_eq!(auth(&[("auth", "none")]), Ok(Some(Auth::None)));
    assert_eq!(auth(&[("auth", "basic")]), Ok(Some(Auth::Basic)));
    assert_eq!(
        auth(&[("auth_scheme", "Token")]),
        Ok(Some(Auth::Bearer {
            scheme: "Token".to_owned()
        }))
    );
    assert_eq!(
        auth(&[("auth", "api_key")]),
        Ok(key("X-API-Key", KeyPlace::Header))
    );
    assert_eq!(
        auth(&[("api_key_name", "appid"), ("api_key_in", "query")]),
        Ok(key("appid", KeyPlace::Query))
    );
    assert_eq!(
        auth(&[("api_key_name", "a"), ("auth_scheme", "b")])
            .unwrap_err()
            .kind,
        OptionErrorKind::Conflict
    );
    refuse(Level::Server, "api_key_name", &["", "a b", "Host"]);
    refuse(Level::Server, "api_key_in", &["body"]);
    refuse(Level::Server, "auth", &["digest"]);
}

#[test]
fn a_secret_may_be_elsewhere_and_in_one_place_only() {
    let read = |pairs: &[(&str, &str)]| credentials(&options(pairs));
    assert_eq!(
        read(&[("token_setting", "app.jwt")]).unwrap().elsewhere,
        Some(Elsewhere::Setting("app.jwt".to_owned()))
    );
    assert_eq!(
        read(&[("vault_secret", "my key")]).unwrap().elsewhere,
        Some(Elsewhere::Vault("my key".to_owned()))
    );
    let both = [("token_setting", "app.jwt"), ("token", "x")];
    assert_eq!(read(&both).unwrap_err().kind, OptionErrorKind::Conflict);
    let both = [("vault_secret", "a"), ("token_setting", "app.jwt")];
    assert_eq!(read(&both).unwrap_err().kind, OptionErrorKind::Conflict);
    refuse(
        Level::UserMapping,
        "token_setting",
        &["", "jwt", "app.", ".jwt", "app.1", "a b.c", "app.'x"],
    );
    refuse(Level::UserMapping, "vault_secret", &["", " "]);
    let mut taken = read(&[("username", "a"), ("password", "b")]).unwrap();
    assert!(taken.put(None, Secret::new("x")).is_err());
}

#[test]
fn oauth2_needs_its_token_endpoint_and_its_options_need_oauth2() {
    let auth = |pairs: &[(&str, &str)]| try_table(pairs, &[], &[]).map(|table| table.source.auth);
    let url = ("token_url", "https://login.test/token?tenant=1");
    assert_eq!(
        auth(&[
            ("auth", "oauth2_refresh_token"),
            url,
            ("scope", "read write:all"),
            ("token_auth", "post"),
        ]),
        Ok(Some(Auth::OAuth2(OAuth2 {
            grant: Grant::RefreshToken,
            token_url: url.1.to_owned(),
            scope: Some("read write:all".to_owned()),
            client_auth: ClientAuth::Post,
            scheme: None,
        })))
    );
    let kind = |pairs: &[(&str, &str)]| auth(pairs).unwrap_err().kind;
    assert_eq!(
        kind(&[("auth", "oauth2_client_credentials")]),
        OptionErrorKind::Missing
    );
    for lone in [url, ("scope", "a"), ("token_auth", "basic")] {
        assert_eq!(kind(&[lone]), OptionErrorKind::Conflict);
        assert_eq!(kind(&[("auth", "bearer"), lone]), OptionErrorKind::Conflict);
    }
    refuse(Level::Server, "scope", &["", " a", "a  b", "a\"b", "ä"]);
    refuse(Level::Server, "token_auth", &["", "header"]);
    refuse(
        Level::Server,
        "token_url",
        &["", "/token", "ftp://login.test", "https://login.test/#a"],
    );
    for secret in [
        "https://me:pw@login.test/",
        "https://login.test/?client_secret=x",
    ] {
        assert_eq!(
            refusal(Level::Server, "token_url", secret).kind,
            OptionErrorKind::Secret
        );
    }
    for option in ["client_id", "client_secret", "refresh_token"] {
        refuse(Level::UserMapping, option, &["a\nb", "ä"]);
    }
}

#[test]
fn a_parameter_of_plain_does_not_ask_for_opposites() {
    let refused = |filter: &str| {
        let columns: &[TestColumn] = &[("state", Type::Text, &[("filter", filter)])];
        try_table(&[], &[], columns).unwrap_err().message
    };
    assert_eq!(
        refused("=, <>"),
        "parameter \"state\" is declared for = and for <>"
    );
    assert!(refused("in q, not_in q").contains("for IN and for NOT IN"));
    assert!(refused("is_null none, is_not_null none").contains("IS NOT NULL"));
    let columns: &[TestColumn] = &[("state", Type::Text, &[("filter", "=, in, <> not_state")])];
    assert!(try_table(&[], &[], columns).is_ok());
    assert!(
        try_table(
            &[],
            &[("dialect", "suffix")],
            &[("state", Type::Text, &[("filter", "=, <>")])]
        )
        .is_ok()
    );
}

#[test]
fn an_entity_endpoint_names_the_key() {
    let columns: &[TestColumn] = &[("id", Type::Int8, &[]), ("name", Type::Text, &[])];
    let message = |options: &[(&str, &str)]| try_table(&[], options, columns).unwrap_err().message;
    assert_eq!(
        message(&[("entity_endpoint", "/items/{id}")]),
        "option \"entity_endpoint\" needs option \"key\""
    );
    assert_eq!(
        message(&[("entity_endpoint", "/items/{name}"), ("key", "id")]),
        "option \"entity_endpoint\" does not name column \"id\" of the key"
    );
    assert_eq!(
        message(&[("entity_endpoint", "/items/{id}/{name}"), ("key", "id")]),
        "option \"entity_endpoint\" names {name}, which is neither in the key nor in the endpoint"
    );
    assert!(message(&[("entity_field", "data")]).contains("no effect"));
    let both = [
        ("entity_endpoint", "/items/{id}"),
        ("key", "id"),
        ("entity_field", "data"),
    ];
    assert!(try_table(&[], &both, columns).is_ok());
}

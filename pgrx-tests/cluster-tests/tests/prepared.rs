//! Do prepared statements send the values of each execution, with and without a generic plan?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session, SqlError};
use postgres::types::{ToSql, Type};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const BOTH_PLANS: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

fn people() -> Value {
    json!({"routes": {"/people": {
        "rows": [
            {"id": 1, "name": "Ada", "score": 1.5, "price": 10.25, "active": true, "born": "1815-12-10", "seen": "2026-01-02T03:04:05Z"},
            {"id": 2, "name": "Grace", "score": 2.5, "price": 99.5, "active": true, "born": "1906-12-09", "seen": "2026-02-03T04:05:06Z"},
            {"id": 3, "name": "Edsger", "score": 3.5, "price": 100, "active": false, "born": "1930-05-11", "seen": "2026-03-04T05:06:07Z"},
            {"id": 4, "name": null, "score": null, "price": null, "active": null, "born": null, "seen": null},
        ],
        "filters": [
            {"param": "id", "type": "number"},
            {"param": "ids", "field": "id", "op": "in", "type": "number"},
            {"param": "name"},
            {"param": "min_score", "field": "score", "op": ">=", "type": "number"},
            {"param": "max_price", "field": "price", "op": "<=", "type": "number"},
            {"param": "active"},
            {"param": "born_before", "field": "born", "op": "<=", "type": "time"},
            {"param": "since", "field": "seen", "op": ">=", "type": "time"},
        ],
    }}})
}

fn place(test: &str) -> (Api, Database, Session) {
    let name = format!("prepared_{test}");
    let api = Api::new(&name, &people());
    let database = Database::create(&name);
    let mut session = database.connect();
    api.create_server(&mut session, "api", "");
    session.run(
        "CREATE FOREIGN TABLE people (
           id int OPTIONS (filter '=, in ids'),
           name text OPTIONS (filter '='),
           score double precision OPTIONS (filter '>= min_score'),
           price numeric OPTIONS (filter '<= max_price'),
           active boolean OPTIONS (filter '='),
           born date OPTIONS (filter '<= born_before'),
           seen timestamptz OPTIONS (filter '>= since')
         ) SERVER api OPTIONS (endpoint '/people')",
    );
    (api, database, session)
}

/// A parameter of a type, the condition that it is used in, what is sent, and which ids come back.
struct Case {
    condition: &'static str,
    ty: Type,
    value: Box<dyn ToSql + Sync>,
    requests: &'static [&'static str],
    ids: &'static [i32],
}

fn case<const R: usize, const I: usize>(
    condition: &'static str,
    ty: Type,
    value: impl ToSql + Sync + 'static,
    requests: &'static [&'static str; R],
    ids: &'static [i32; I],
) -> Case {
    Case {
        condition,
        ty,
        value: Box::new(value),
        requests,
        ids,
    }
}

fn cases() -> Vec<Case> {
    let seen = SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_091_506);
    let half = SystemTime::UNIX_EPOCH + Duration::from_millis(1_770_091_506_500);
    vec![
        case("id = $1", Type::INT4, 2_i32, &["GET /people?id=2"], &[2]),
        case("id = $1", Type::INT8, 3_i64, &["GET /people?id=3"], &[3]),
        case("$1 = id", Type::INT2, 1_i16, &["GET /people?id=1"], &[1]),
        case(
            "id = $1 + 1",
            Type::INT4,
            1_i32,
            &["GET /people?id=2"],
            &[2],
        ),
        case("id = $1", Type::INT4, None::<i32>, &[], &[]),
        case(
            "id = ANY ($1)",
            Type::INT4_ARRAY,
            vec![1, 3, 1],
            &["GET /people?ids=1,3"],
            &[1, 3],
        ),
        case(
            "id = ANY ($1)",
            Type::INT4_ARRAY,
            vec![Some(3), None],
            &["GET /people?ids=3"],
            &[3],
        ),
        case(
            "id = ANY ($1)",
            Type::INT4_ARRAY,
            Vec::<i32>::new(),
            &[],
            &[],
        ),
        case(
            "id = ANY ($1)",
            Type::INT4_ARRAY,
            None::<Vec<i32>>,
            &[],
            &[],
        ),
        case(
            "name = $1",
            Type::TEXT,
            "Grace",
            &["GET /people?name=Grace"],
            &[2],
        ),
        case(
            "name = $1",
            Type::TEXT,
            "a&b=c d/é",
            &["GET /people?name=a%26b%3Dc%20d%2F%C3%A9"],
            &[],
        ),
        case(
            "name = $1",
            Type::VARCHAR,
            "Ada",
            &["GET /people?name=Ada"],
            &[1],
        ),
        case("name = $1", Type::TEXT, None::<String>, &[], &[]),
        case(
            "score >= $1",
            Type::FLOAT8,
            2.5_f64,
            &["GET /people?min_score=2.5"],
            &[2, 3],
        ),
        case(
            "$1 <= score",
            Type::FLOAT8,
            0.1_f64,
            &["GET /people?min_score=0.1"],
            &[1, 2, 3],
        ),
        case(
            "price <= $1::text::numeric",
            Type::TEXT,
            "99.500",
            &["GET /people?max_price=99.5"],
            &[1, 2],
        ),
        case(
            "active = $1",
            Type::BOOL,
            true,
            &["GET /people?active=true"],
            &[1, 2],
        ),
        case(
            "born <= $1::text::date",
            Type::TEXT,
            "1906-12-09",
            &["GET /people?born_before=1906-12-09"],
            &[1, 2],
        ),
        case(
            "seen >= $1",
            Type::TIMESTAMPTZ,
            seen,
            &["GET /people?since=2026-02-03T04:05:06Z"],
            &[2, 3],
        ),
        case(
            "seen >= $1",
            Type::TIMESTAMPTZ,
            half,
            &["GET /people?since=2026-02-03T04:05:06.5Z"],
            &[3],
        ),
        case(
            "seen >= $1",
            Type::TIMESTAMPTZ,
            None::<SystemTime>,
            &[],
            &[],
        ),
    ]
}

#[test]
fn parameters_of_every_type_are_sent_as_the_api_reads_them() {
    let (api, _database, mut session) = place("types");
    for plan in BOTH_PLANS {
        session.run(&format!("SET plan_cache_mode = {plan}"));
        for case in cases() {
            let sql = format!("SELECT id FROM people WHERE {} ORDER BY id", case.condition);
            let statement = session
                .client()
                .prepare_typed(&sql, std::slice::from_ref(&case.ty))
                .unwrap();
            for _ in 0..2 {
                let rows = session.client().query(&statement, &[&*case.value]).unwrap();
                let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
                let told = format!("{plan}: {sql} with {:?}", case.value);
                assert_eq!(ids, case.ids, "{told}");
                assert_eq!(api.take_requests(), case.requests, "{told}");
            }
        }
    }
}

/// The parameters of ten executions, and the ids that each returns; `None`: it fails.
type Execution = (Option<i32>, Option<&'static str>, Option<&'static [i32]>);

const TEN: [Execution; 10] = [
    (Some(1), Some("Ada"), Some(&[1])),
    (None, Some("Ada"), Some(&[])),
    (Some(2), Some("Ada"), Some(&[])),
    (Some(2), Some("Grace"), Some(&[2])),
    (Some(2), None, Some(&[])),
    // The fourth request: it fails, and the plan goes on working.
    (Some(3), Some("Edsger"), None),
    (Some(3), Some("Edsger"), Some(&[3])),
    (None, None, Some(&[])),
    (Some(1), Some("Grace"), Some(&[])),
    (Some(1), Some("Ada"), Some(&[1])),
];

const REQUESTS_OF_TEN: [&str; 7] = [
    "GET /people?id=1&name=Ada",
    "GET /people?id=2&name=Ada",
    "GET /people?id=2&name=Grace",
    "GET /people?id=3&name=Edsger",
    "GET /people?id=3&name=Edsger",
    "GET /people?id=1&name=Grace",
    "GET /people?id=1&name=Ada",
];

#[test]
fn ten_executions_of_one_plan_each_send_their_own_value() {
    let (api, _database, mut session) = place("ten");
    let mut scenario = people();
    scenario["routes"]["/people"]["faults"] =
        json!([{"kind": "status", "status": 500, "body": "{\"message\": \"not now\"}", "on": 3}]);
    let sql = "SELECT id FROM people WHERE id = $1 AND name = $2";
    for plan in BOTH_PLANS {
        api.define(&scenario);
        session.run(&format!("SET plan_cache_mode = {plan}"));
        let client = session.client();
        let statement = client
            .prepare_typed(sql, &[Type::INT4, Type::TEXT])
            .unwrap();
        for (id, name, expected) in TEN {
            let outcome = client
                .query(&statement, &[&id, &name])
                .map_err(SqlError::from);
            match (outcome, expected) {
                (Ok(rows), Some(expected)) => {
                    let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
                    assert_eq!(ids, expected, "{plan}: {id:?}, {name:?}");
                }
                (Err(error), None) => {
                    assert_eq!(error.code, "HV00M", "{plan}: {error:?}");
                    assert!(error.detail.contains("not now"), "{plan}: {error:?}");
                }
                (outcome, expected) => {
                    panic!("{plan}: {id:?}, {name:?}: {outcome:?} instead of {expected:?}")
                }
            }
        }
        assert_eq!(api.take_requests(), REQUESTS_OF_TEN, "{plan}");
    }
}

#[test]
fn ten_executes_in_sql_use_one_generic_plan() {
    let (api, _database, mut session) = place("sql");
    session.run(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE by_id(int) AS SELECT name FROM people WHERE id = $1",
    );
    for round in 0..10 {
        let (value, expected) = [("1", "Ada"), ("NULL", ""), ("3", "Edsger")][round % 3];
        assert_eq!(
            session.rows(&format!("EXECUTE by_id({value})")).concat(),
            expected
        );
    }
    let expected = ["GET /people?id=1", "GET /people?id=3"];
    let expected: Vec<&str> = expected.into_iter().cycle().take(7).collect();
    assert_eq!(api.take_requests(), expected);
    let plans =
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'by_id'";
    assert_eq!(session.row(plans), "10|0");
}

#[test]
fn a_portal_of_the_extended_protocol_goes_on_where_it_stopped() {
    let (api, _database, mut session) = place("portal");
    let mut transaction = session.client().transaction().unwrap();
    let portal = transaction
        .bind("SELECT id FROM people WHERE score >= $1", &[&2.0_f64])
        .unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let rows = transaction.query_portal(&portal, 1).unwrap();
        ids.extend(rows.iter().map(|row| row.get::<_, i32>(0)));
    }
    transaction.commit().unwrap();
    assert_eq!(ids, [2, 3]);
    assert_eq!(api.take_requests(), ["GET /people?min_score=2"]);
}

//! Scans: what is sent, what comes back.

#[pgrx::pg_schema]
mod tests {
    use crate::suites::support::{Api, explain, rows, run};
    use pgrx::prelude::*;
    use serde_json::json;

    fn people() -> serde_json::Value {
        json!({"routes": {"/people": {
            "rows": [
                {"id": 1, "name": "Ada", "age": 36},
                {"id": 2, "name": "Grace", "age": 85},
                {"id": 3, "name": "Edsger", "age": null},
            ],
            "filters": [{"param": "min_age", "field": "age", "op": ">=", "type": "number"}],
        }}})
    }

    fn create_people() {
        run(
            "CREATE FOREIGN TABLE people (id int, name text, age int OPTIONS (filter '>= min_age'))
             SERVER api OPTIONS (endpoint '/people')",
        );
    }

    #[pg_test]
    fn a_scan_returns_the_rows_of_the_api() {
        let api = Api::new("a_scan_returns_the_rows", &people());
        api.create_server("");
        create_people();
        assert_eq!(
            rows("SELECT * FROM people"),
            ["(1,Ada,36)", "(2,Grace,85)", "(3,Edsger,)"]
        );
        assert_eq!(api.requests(), ["GET /people"]);
    }

    #[pg_test]
    fn a_declared_filter_is_sent_and_the_rest_is_filtered_locally() {
        let api = Api::new("a_declared_filter_is_sent", &people());
        api.create_server("");
        create_people();
        assert_eq!(
            rows("SELECT name FROM people WHERE 40 <= age AND name LIKE 'G%'"),
            ["(Grace)"]
        );
        assert_eq!(api.requests(), ["GET /people?min_age=40"]);
        let lines = explain(
            "COSTS OFF",
            "SELECT name FROM people WHERE 40 <= age AND name LIKE 'G%'",
        );
        assert!(
            lines.contains(&"Remote Filter: (40 <= age) (superset)".to_owned()),
            "{lines:#?}"
        );
        assert!(
            lines.contains(
                &"Local Filter: (name ~~ 'G%'::text) (column \"name\" declares no filter)"
                    .to_owned()
            ),
            "{lines:#?}"
        );
        assert_eq!(api.requests(), Vec::<String>::new());
    }
}

//! Does a join with a locked table check its conditions again after waiting for another session (EvalPlanQual)?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// Local orders that refer to customers of the API, and a session that has changed two of them but not committed.
struct Place {
    waiting: Session,
    changing: Session,
    observing: Session,
    _api: Api,
    _database: Database,
}

impl Place {
    fn new(test: &str) -> Place {
        let name = format!("locking_{test}");
        let customers =
            json!([{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cy"}]);
        let api = Api::new(
            &name,
            &json!({"routes": {"/customers": {
                "rows": customers,
                "filters": [{"param": "id", "field": "id", "op": "=", "type": "number"}],
            }}}),
        );
        let database = Database::create(&name);
        let mut waiting = database.connect();
        api.create_server(&mut waiting, "api", "");
        waiting.run(
            "CREATE FOREIGN TABLE customers (id int OPTIONS (filter '='), name text)
               SERVER api OPTIONS (endpoint '/customers', key 'id');
             CREATE TABLE orders (number int, customer int, state text);
             INSERT INTO orders VALUES (10, 1, 'new'), (11, 2, 'new'), (12, 3, 'new')",
        );
        let mut changing = database.connect();
        changing.run(
            "BEGIN;
             UPDATE orders SET state = 'sent' WHERE number = 10;
             UPDATE orders SET customer = 3 WHERE number = 11",
        );
        Place {
            waiting,
            changing,
            observing: database.connect(),
            _api: api,
            _database: database,
        }
    }

    /// The rows of a query that waits for the other session, which commits once the query does wait.
    fn rows_after_commit(mut self, sql: &'static str) -> Vec<String> {
        let pid = self.waiting.pid();
        let query = thread::spawn(move || self.waiting.rows(sql));
        let waits = format!("SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted");
        while self.observing.row(&waits) == "0" {
            assert!(!query.is_finished(), "the query did not wait");
            thread::sleep(Duration::from_millis(5));
        }
        self.changing.run("COMMIT");
        query.join().unwrap()
    }
}

const QUERY: &str = "SELECT o.number, c.name FROM orders o JOIN customers c ON c.id = o.customer
                     WHERE o.state = 'new' AND c.name <> 'Cy' FOR UPDATE OF o";

#[test]
fn a_hash_join_checks_again_what_changed_while_it_waited() {
    let mut place = Place::new("hash");
    place
        .waiting
        .run("SET enable_nestloop = off; SET enable_mergejoin = off");
    assert_eq!(place.rows_after_commit(QUERY), Vec::<String>::new());
}

#[test]
fn a_lookup_checks_again_what_changed_while_it_waited() {
    let mut place = Place::new("lookup");
    place
        .waiting
        .run("SET enable_hashjoin = off; SET enable_mergejoin = off");
    assert_eq!(place.rows_after_commit(QUERY), Vec::<String>::new());
}

#[test]
fn a_row_that_still_matches_is_returned_as_it_is_now() {
    let place = Place::new("still");
    let rows = place.rows_after_commit(
        "SELECT o.number, o.state, c.name FROM orders o JOIN customers c ON c.id = o.customer
         WHERE o.number = 10 FOR UPDATE OF o",
    );
    assert_eq!(rows, ["10|sent|Ada"]);
}

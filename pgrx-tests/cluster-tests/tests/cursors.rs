//! Do cursors, loops, savepoints and aborts read the right rows, fetch no more than they need, and leave nothing behind?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Process, Resources, Session, items};
use std::time::Duration;

const ROWS: usize = 200;
const PAGE: usize = 10;

/// A database with 200 items, 10 a page, and a session that has read one of them.
struct Place {
    api: Api,
    session: Session,
    before: Resources,
    _database: Database,
}

impl Place {
    fn new(test: &str) -> Place {
        let name = format!("cursors_{test}");
        let api = Api::new(&name, &items(ROWS, PAGE));
        let database = Database::create(&name);
        let mut session = database.connect();
        api.create_server(&mut session, "api", ", pagination 'link'");
        session.run(
            "CREATE FOREIGN TABLE items (id int, title text, comments int) SERVER api OPTIONS (endpoint '/items')",
        );
        session.run("SELECT id FROM items LIMIT 1");
        api.take_requests();
        session.close_kept_connections();
        let before = Process::new(session.pid()).resources();
        Place {
            api,
            session,
            before,
            _database: database,
        }
    }

    /// The ids that a statement returns.
    fn ids(&mut self, sql: &str) -> Vec<usize> {
        let rows = self.session.rows(sql);
        rows.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn count(&mut self) -> String {
        self.session.row("SELECT count(*), sum(id) FROM items")
    }

    /// Requests so far are those for the pages of the first `rows` rows, and at most one page ahead; and no more are coming.
    fn assert_fetched_up_to(&self, rows: usize) {
        let pages = rows.div_ceil(PAGE);
        std::thread::sleep(Duration::from_millis(100));
        let requests = self.api.request_count();
        assert!(
            (pages..=pages + 1).contains(&requests),
            "{requests} requests for {rows} rows, {PAGE} a page"
        );
    }

    fn assert_nothing_left(&mut self, when: &str) {
        self.session.close_kept_connections();
        Process::new(self.session.pid()).assert_holds(&self.before, when);
    }
}

fn range(first: usize, last: usize) -> Vec<usize> {
    (first..=last).collect()
}

const ALL: &str = "200|20100";

#[test]
fn a_cursor_fetches_pages_only_as_rows_are_asked_for() {
    let mut place = Place::new("parts");
    place
        .session
        .run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items");
    assert_eq!(place.api.take_requests(), Vec::<String>::new());
    assert_eq!(place.ids("FETCH 5 FROM c"), range(1, 5));
    place.assert_fetched_up_to(5);
    assert_eq!(place.ids("FETCH 5 FROM c"), range(6, 10));
    place.assert_fetched_up_to(10);
    assert_eq!(place.ids("FETCH 41 FROM c"), range(11, 51));
    place.assert_fetched_up_to(51);
    assert_eq!(place.ids("FETCH ALL FROM c"), range(52, ROWS));
    assert!(place.ids("FETCH 1 FROM c").is_empty());
    place.session.run("COMMIT");
    assert_eq!(place.api.request_count(), ROWS / PAGE);
    place.assert_nothing_left("after the transaction");
}

#[test]
fn a_cursor_with_hold_reads_all_at_the_commit_and_nothing_after_it() {
    let mut place = Place::new("hold");
    place
        .session
        .run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT id FROM items");
    assert_eq!(place.ids("FETCH 15 FROM c"), range(1, 15));
    place.assert_fetched_up_to(15);
    place.session.run("COMMIT");
    // PostgreSQL runs the query of a held cursor from its start again.
    assert!(place.api.take_requests().len() <= 2 * ROWS / PAGE);
    place.assert_nothing_left("while the cursor is held");
    assert_eq!(place.ids("FETCH 15 FROM c"), range(16, 30));
    assert_eq!(place.ids("FETCH ALL FROM c"), range(31, ROWS));
    assert_eq!(place.api.request_count(), 0);
    place.session.run("CLOSE c");
    assert_eq!(place.count(), ALL);
}

#[test]
fn a_scrolling_cursor_goes_back_without_asking_again() {
    let mut place = Place::new("scroll");
    place
        .session
        .run("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id FROM items");
    assert_eq!(place.ids("FETCH 25 FROM c"), range(1, 25));
    assert_eq!(place.ids("FETCH BACKWARD 3 FROM c"), [24, 23, 22]);
    assert_eq!(place.ids("FETCH 5 FROM c"), range(23, 27));
    place.assert_fetched_up_to(27);
    place.session.run("COMMIT");
    place.assert_nothing_left("after the transaction");
}

#[test]
fn a_cursor_that_is_closed_early_stops_fetching_and_leaves_nothing() {
    let mut place = Place::new("closed");
    place
        .session
        .run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items");
    assert_eq!(place.ids("FETCH 12 FROM c"), range(1, 12));
    place.session.run("CLOSE c");
    place.assert_nothing_left("in the transaction, after CLOSE");
    place.assert_fetched_up_to(12);
    assert_eq!(place.count(), ALL);
    place.session.run("COMMIT");
    assert_eq!(place.count(), ALL);
}

#[test]
fn two_cursors_and_a_scan_of_one_table_do_not_disturb_each_other() {
    let mut place = Place::new("together");
    place.session.run(
        "BEGIN; DECLARE c CURSOR FOR SELECT id FROM items; DECLARE d CURSOR FOR SELECT id FROM items WHERE id > 100",
    );
    assert_eq!(place.ids("FETCH 15 FROM c"), range(1, 15));
    assert_eq!(place.count(), ALL);
    assert_eq!(place.ids("FETCH 3 FROM d"), range(101, 103));
    assert_eq!(place.ids("FETCH 15 FROM c"), range(16, 30));
    assert_eq!(
        place.ids("SELECT count(*) FROM items a JOIN items b USING (id)"),
        [ROWS]
    );
    place.session.run("CLOSE c");
    assert_eq!(place.ids("FETCH ALL FROM d"), range(104, ROWS));
    place.session.run("COMMIT");
    place.assert_nothing_left("after the transaction");
}

#[test]
fn an_abort_closes_what_an_open_cursor_holds() {
    let mut place = Place::new("abort");
    place
        .session
        .run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items");
    assert_eq!(place.ids("FETCH 15 FROM c"), range(1, 15));
    assert_eq!(place.session.error("SELECT 1 / 0").code, "22012");
    assert_eq!(place.session.error("FETCH 1 FROM c").code, "25P02");
    place.session.run("ROLLBACK");
    place.assert_nothing_left("after the rollback");
    place.assert_fetched_up_to(15);
    assert_eq!(place.session.error("FETCH 1 FROM c").code, "34000");
    assert_eq!(place.count(), ALL);
}

#[test]
fn a_savepoint_that_is_rolled_back_ends_the_cursors_that_began_in_it() {
    let mut place = Place::new("savepoint");
    place.session.run(
        "BEGIN; DECLARE outside CURSOR FOR SELECT id FROM items; SAVEPOINT s;
         DECLARE inside CURSOR FOR SELECT id FROM items",
    );
    assert_eq!(place.ids("FETCH 15 FROM inside"), range(1, 15));
    assert_eq!(place.ids("FETCH 15 FROM outside"), range(1, 15));
    place.session.run("ROLLBACK TO s");
    assert_eq!(place.ids("FETCH 15 FROM outside"), range(16, 30));
    assert_eq!(place.count(), ALL);
    assert_eq!(place.session.error("FETCH 1 FROM inside").code, "34000");
    place.session.run("ROLLBACK TO s");
    assert_eq!(place.count(), ALL);
    place.session.run("COMMIT");
    place.assert_nothing_left("after the transaction");
}

#[test]
fn an_error_within_a_savepoint_leaves_a_cursor_outside_of_it_usable() {
    let mut place = Place::new("savepoint_error");
    place
        .session
        .run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items");
    assert_eq!(place.ids("FETCH 5 FROM c"), range(1, 5));
    for round in 1..=3 {
        place.session.run("SAVEPOINT s");
        assert_eq!(
            place.session.error("SELECT id / (id - 30) FROM items").code,
            "22012"
        );
        place.session.run("ROLLBACK TO s");
        assert_eq!(
            place.ids("FETCH 20 FROM c"),
            range(round * 20 - 14, round * 20 + 5)
        );
    }
    place.session.run("ROLLBACK");
    place.assert_nothing_left("after the rollback");
}

#[test]
fn loops_of_plpgsql_over_one_table_within_each_other_see_all_rows() {
    let mut place = Place::new("loops");
    place.session.run(
        "CREATE FUNCTION pairs(of int) RETURNS text LANGUAGE plpgsql AS $$
         DECLARE a record; b record; pairs int := 0; total bigint := 0;
         BEGIN
           FOR a IN SELECT id FROM items WHERE id <= of LOOP
             FOR b IN SELECT id, comments FROM items WHERE id > a.id LOOP
               pairs := pairs + 1;
               total := total + b.id;
               EXIT WHEN b.id >= 150;
             END LOOP;
           END LOOP;
           RETURN pairs || ' pairs, ' || total;
         END $$",
    );
    let expected = |of: usize| {
        let pairs = (1..=of).flat_map(|a| (a + 1..=150).map(move |b| (a, b)));
        let (count, total) = pairs.fold((0, 0), |(count, total), (_, b)| (count + 1, total + b));
        format!("{count} pairs, {total}")
    };
    for of in [1, 12, 25] {
        assert_eq!(
            place.session.row(&format!("SELECT pairs({of})")),
            expected(of)
        );
        place.assert_nothing_left("after the loops");
    }
}

#[test]
fn an_error_in_a_loop_that_is_caught_ends_its_scan() {
    let mut place = Place::new("caught");
    place.session.run(
        "CREATE FUNCTION stops_at(stop int) RETURNS int LANGUAGE plpgsql AS $$
         DECLARE item record; seen int := 0;
         BEGIN
           BEGIN
             FOR item IN SELECT id FROM items LOOP
               seen := seen + 1;
               PERFORM 1 / (item.id - stop);
             END LOOP;
           EXCEPTION WHEN division_by_zero THEN
             FOR item IN SELECT id FROM items WHERE id > stop LOOP
               seen := seen + 1;
             END LOOP;
           END;
           RETURN seen;
         END $$",
    );
    for stop in [1, 77, ROWS] {
        assert_eq!(place.ids(&format!("SELECT stops_at({stop})")), [ROWS]);
        place.assert_nothing_left("after the function");
    }
}

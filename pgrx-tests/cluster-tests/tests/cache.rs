//! Who shares stored responses with whom, what is left of a query that ended early, and who may clear them?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

const COUNT: &str = "SELECT count(id) FROM items";

/// A database whose superuser made a server `api` with a cache and a table `items`, which every role may read.
struct Place {
    api: Api,
    database: Database,
    admin: Session,
}

impl Place {
    fn new(test: &str, scenario: &Value) -> Place {
        let name = format!("cache_{test}");
        let api = Api::new(&name, scenario);
        let database = Database::create(&name);
        let mut admin = database.connect();
        api.create_server(&mut admin, "api", ", cache 'ttl', cache_ttl '1h'");
        admin.run(
            "CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items');
             GRANT SELECT ON items TO PUBLIC; GRANT USAGE ON FOREIGN SERVER api TO PUBLIC;
             GRANT CREATE ON SCHEMA public TO PUBLIC",
        );
        Place {
            api,
            database,
            admin,
        }
    }

    fn of_three(test: &str) -> Place {
        Place::new(
            test,
            &json!({"routes": {"/items": {"generate": {"kind": "items", "count": 3}}}}),
        )
    }

    fn role_with_token(&mut self, role: &str, token: &str) -> Session {
        let name = self.database.create_role(role);
        self.admin.run(&format!(
            "CREATE USER MAPPING FOR {name} SERVER api OPTIONS (token '{token}')"
        ));
        self.database.connect_as(&name)
    }

    /// How many requests it takes a session to read the three items.
    fn requests(&self, session: &mut Session) -> usize {
        assert_eq!(session.row(COUNT), "3");
        self.api.take_requests().len()
    }

    /// The folder of the cache.
    fn cache(&mut self) -> PathBuf {
        let data = self.admin.row("SHOW data_directory");
        PathBuf::from(data).join("pgsql_tmp_rest_fdw_cache")
    }

    /// What stands in the cache for the server.
    fn folder(&mut self) -> String {
        self.admin.row(
            "SELECT d.oid || '-' || s.oid FROM pg_database d, pg_foreign_server s
             WHERE d.datname = current_database() AND s.srvname = 'api'",
        )
    }

    /// The files of its finished responses.
    fn stored(&mut self) -> Vec<PathBuf> {
        let folder = self.cache().join("servers").join(self.folder());
        let listed = fs::read_dir(folder).into_iter().flatten();
        listed.map(|entry| entry.unwrap().path()).collect()
    }

    /// The files of its unfinished responses.
    fn unfinished(&mut self) -> Vec<PathBuf> {
        let beginning = format!("{}.", self.folder());
        let listed = fs::read_dir(self.cache().join("unfinished"))
            .into_iter()
            .flatten();
        let files = listed.filter_map(|entry| Some(entry.ok()?.path()));
        files
            .filter(|file| {
                file.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(&beginning)
            })
            .collect()
    }
}

/// Whether something becomes so within ten seconds.
fn becomes(mut what: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    what()
}

#[test]
fn two_backends_of_a_role_share() {
    let mut place = Place::of_three("share");
    let mut other = place.database.connect();
    let mut admin = place.database.connect();
    assert_eq!(place.requests(&mut admin), 1);
    assert_eq!(place.requests(&mut other), 0);
    assert_eq!(place.requests(&mut admin), 0);
    assert_eq!(place.stored().len(), 1);
}

#[test]
fn two_roles_share_nothing_whatever_their_mappings() {
    let mut place = Place::of_three("roles");
    let mut anna = place.role_with_token("anna", "one-token");
    let mut bert = place.role_with_token("bert", "one-token");
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'one-token')");
    let names = ["carla", "dora"].map(|role| place.database.create_role(role));
    let [mut carla, mut dora] = names.each_ref().map(|name| place.database.connect_as(name));
    for session in [&mut anna, &mut bert, &mut carla, &mut dora] {
        assert_eq!((place.requests(session), place.requests(session)), (1, 0));
    }
    // A view is read as its owner reads.
    anna.run("CREATE VIEW annas AS SELECT * FROM items; GRANT SELECT ON annas TO PUBLIC");
    assert_eq!(bert.row("SELECT count(id) FROM annas"), "3");
    assert!(place.api.take_requests().is_empty());
}

#[test]
fn one_session_that_changes_its_role_changes_what_it_is_answered_by() {
    let mut place = Place::of_three("set_role");
    let role = place.database.create_role("role");
    let mut session = place.database.connect();
    assert_eq!(place.requests(&mut session), 1);
    session.run(&format!("SET ROLE {role}"));
    assert_eq!(
        (place.requests(&mut session), place.requests(&mut session)),
        (1, 0)
    );
    session.run("RESET ROLE");
    assert_eq!(place.requests(&mut session), 0);
    drop(place.stored());
}

#[test]
fn what_another_session_alters_counts_from_the_next_statement() {
    let mut place = Place::of_three("altered");
    let mut anna = place.role_with_token("anna", "first");
    assert_eq!(
        (place.requests(&mut anna), place.requests(&mut anna)),
        (1, 0)
    );
    let name = format!("{}_anna", place.database.name());
    place.admin.run(&format!(
        "ALTER USER MAPPING FOR {name} SERVER api OPTIONS (SET token 'second')"
    ));
    assert_eq!(
        (place.requests(&mut anna), place.requests(&mut anna)),
        (1, 0)
    );
    place.admin.run(&format!(
        "DROP USER MAPPING FOR {name} SERVER api;
         CREATE USER MAPPING FOR {name} SERVER api OPTIONS (token 'second')"
    ));
    assert_eq!(
        (place.requests(&mut anna), place.requests(&mut anna)),
        (1, 0)
    );
}

#[test]
fn the_owner_of_a_server_clears_it_for_all_and_nobody_else_does() {
    let mut place = Place::of_three("clear");
    let owner = place.database.create_role("owner");
    place.admin.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {owner}; ALTER SERVER api OWNER TO {owner};
         SET rest_fdw.allowed_hosts = '127.0.0.1'"
    ));
    let mut owners = place.database.connect_as(&owner);
    let other = place.database.create_role("other");
    let mut others = place.database.connect_as(&other);
    let mut admin = place.database.connect();
    admin.run("SET rest_fdw.allowed_hosts = '127.0.0.1'");
    assert_eq!(
        (place.requests(&mut admin), place.requests(&mut admin)),
        (1, 0)
    );
    let clear = "SELECT responses FROM rest_fdw_cache_clear('api')";
    let refused = others.error(clear);
    assert_eq!(refused.code, "42501");
    assert_eq!(refused.message, "must be owner of foreign server api");
    assert_eq!(
        others.row("SELECT responses FROM rest_fdw_cache_clear()"),
        "0"
    );
    assert_eq!(place.requests(&mut admin), 0);
    assert_eq!(owners.row(clear), "1");
    assert_eq!(
        (place.requests(&mut admin), place.requests(&mut admin)),
        (1, 0)
    );
    assert_eq!(
        owners.row("SELECT responses FROM rest_fdw_cache_clear()"),
        "1"
    );
    assert_eq!(place.requests(&mut admin), 1);
}

#[test]
fn only_the_server_can_read_the_files_and_nobody_their_contents() {
    let mut place = Place::of_three("private");
    let mut anna = place.role_with_token("anna", "a-token-of-anna");
    assert_eq!(place.requests(&mut anna), 1);
    let title = anna.row("SELECT title FROM items WHERE id = 1");
    let stored = place.stored();
    assert_eq!(stored.len(), 1);
    let mode = |file: &PathBuf| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&stored[0]), mode(&place.cache())), (0o600, 0o700));
    let bytes = fs::read(&stored[0]).unwrap();
    for secret in ["a-token-of-anna", title.as_str(), "127.0.0.1"] {
        let found = bytes
            .windows(secret.len())
            .any(|found| found == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}

#[test]
fn a_damaged_file_is_asked_for_anew() {
    let mut place = Place::of_three("damaged");
    let mut session = place.database.connect();
    assert_eq!(place.requests(&mut session), 1);
    let file = place.stored().pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[40] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(
        (place.requests(&mut session), place.requests(&mut session)),
        (1, 0)
    );
}

/// A page that stops after so many bytes of its body.
fn stalling(after: usize) -> Value {
    json!({"routes": {"/items": {
        "generate": {"kind": "items", "count": 5000},
        "faults": [{"kind": "stall_in_body", "after": after, "times": 0}],
    }}})
}

#[test]
fn a_query_that_is_cancelled_or_terminated_leaves_no_file() {
    for (test, end) in [
        ("cancelled", "SELECT pg_cancel_backend"),
        ("terminated", "SELECT pg_terminate_backend"),
    ] {
        let mut place = Place::new(test, &stalling(1_000_000));
        let mut session = place.database.connect();
        let pid = session.pid();
        let query = std::thread::spawn(move || session.outcome(COUNT));
        assert!(
            becomes(|| place.unfinished().len() == 1),
            "{test}: it is being written"
        );
        place.admin.run(&format!("{end}({pid})"));
        assert!(query.join().unwrap().is_err());
        assert!(becomes(|| place.unfinished().is_empty()), "{test}");
        assert!(place.stored().is_empty(), "{test}");
    }
}

#[test]
fn what_a_dead_process_left_is_removed_by_the_next_one() {
    let mut place = Place::of_three("orphans");
    let mut session = place.database.connect();
    assert_eq!(place.requests(&mut session), 1);
    let name = format!("{}.0123456789abcdef", place.folder());
    let orphan = place.cache().join("unfinished").join(name);
    fs::write(&orphan, "half of a response").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(600);
    let opened = fs::File::open(&orphan).unwrap();
    opened.set_modified(long_ago).unwrap();
    let mut next = place.database.connect();
    assert_eq!(place.requests(&mut next), 0);
    assert!(!orphan.exists());
}

//! Where the cluster is, and how a test gets a database and roles of its own.

use crate::session::Session;
use postgres::Config;
use std::cell::RefCell;

const VARIABLE: &str = "REST_FDW_TEST_DSN";

/// How to connect as a superuser.
///
/// # Panics
/// If the environment does not name a cluster.
pub(crate) fn config() -> Config {
    let dsn = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: these tests need a throwaway cluster with rest_fdw installed; run scripts/test.sh, or set \
             it to a connection string such as \"host=/tmp/cluster user=postgres dbname=postgres\""
        )
    });
    dsn.parse()
        .unwrap_or_else(|error| panic!("{VARIABLE} is no connection string: {error}"))
}

/// A test's own database, with the extension in it. Dropping it drops the database and its roles.
pub struct Database {
    name: String,
    roles: RefCell<Vec<String>>,
}

impl Database {
    /// A new database in UTF-8; `test` makes its name, so it must be unique in the cluster.
    pub fn create(test: &str) -> Database {
        Database::create_with(test, "ENCODING 'UTF8'")
    }

    /// The same with options of `CREATE DATABASE`.
    pub fn create_with(test: &str, options: &str) -> Database {
        let name = format!("rest_fdw_test_{test}");
        let mut session = Session::connect(&config());
        session.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        session.run(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 {options}"
        ));
        let database = Database {
            name,
            roles: RefCell::default(),
        };
        database.connect().run("CREATE EXTENSION rest_fdw");
        database
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new session of the superuser.
    pub fn connect(&self) -> Session {
        let mut config = config();
        config.dbname(&self.name);
        Session::connect(&config)
    }

    /// The same, or nothing while the server takes no connections.
    pub fn try_connect(&self) -> Option<Session> {
        let mut config = config();
        config.dbname(&self.name);
        Session::try_connect(&config).ok()
    }

    /// A new role without any privilege; returns its name, which is `role` made unique in the cluster.
    pub fn create_role(&self, role: &str) -> String {
        let name = format!("{}_{role}", self.name);
        let mut session = Session::connect(&config());
        session.run(&format!("DROP ROLE IF EXISTS {name}"));
        session.run(&format!("CREATE ROLE {name}"));
        self.roles.borrow_mut().push(name.clone());
        name
    }

    /// A new session of a role that [`Database::create_role`] made.
    pub fn connect_as(&self, role: &str) -> Session {
        let mut session = self.connect();
        session.run(&format!("SET SESSION AUTHORIZATION {role}"));
        session
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that failed may have brought the cluster down: its own message is the one to show.
        let Ok(mut session) = Session::try_connect(&config()) else {
            return;
        };
        let _ = session.outcome(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
        for role in self.roles.take() {
            let _ = session.outcome(&format!("DROP ROLE IF EXISTS {role}"));
        }
    }
}

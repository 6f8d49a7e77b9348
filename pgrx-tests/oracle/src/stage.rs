//! Where does a world live? A database with three sessions, and a space of the mock API.

use crate::session::{Outcome, Place, Sessions};
use crate::world::World;
use mock_api::client::Client;
use postgres::{Config, NoTls};

/// A database of its own and what is needed to play worlds in it.
pub struct Stage {
    /// The sessions.
    pub sessions: Sessions,
    api: Client,
    space: String,
    admin: Config,
    database: String,
}

/// Functions of which the planner knows only how volatile they are.
const FUNCTIONS: &str = "
CREATE FUNCTION public.oracle_stable(anyelement) RETURNS anyelement LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION public.oracle_volatile(anyelement) RETURNS anyelement LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
";

impl Stage {
    /// A new database; `name` makes its name.
    ///
    /// # Errors
    /// The server refuses, or rest_fdw is not installed there.
    pub fn open(admin: &Config, api_url: &str, name: &str) -> Result<Stage, String> {
        let database = format!("oracle_{}_{name}", std::process::id());
        run_once(
            admin,
            &format!("CREATE DATABASE {database} TEMPLATE template0"),
        )?;
        let mut config = admin.clone();
        config.dbname(&database);
        run_once(&config, "CREATE EXTENSION rest_fdw")?;
        run_once(&config, FUNCTIONS)?;
        Ok(Stage {
            sessions: Sessions::connect(&config)?,
            api: Client::new(api_url),
            space: database.clone(),
            admin: admin.clone(),
            database,
        })
    }

    /// Puts a world in place of the one before.
    ///
    /// # Errors
    /// Its tables are refused: the message has the DDL.
    pub fn set(&mut self, world: &World) -> Result<(), String> {
        self.api.define_text(&self.space, &world.scenario());
        let sql = world.ddl(&self.api.space_url(&self.space));
        match self.sessions.run(Place::Local, &sql)? {
            Outcome::Rows(_) => Ok(()),
            Outcome::Error(error) | Outcome::Lost(error) => Err(format!("{error}\n{sql}")),
        }
    }

    /// The requests that the API received since the world was set, or since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        let requests = self.api.requests(&self.space);
        self.api.clear(&self.space);
        requests
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Best effort: the cluster is a throwaway one, and may have crashed.
        let _ = run_once(
            &self.admin,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database),
        );
    }
}

fn run_once(config: &Config, sql: &str) -> Result<(), String> {
    let mut client = config
        .connect(NoTls)
        .map_err(|error| format!("cannot connect: {error}"))?;
    client
        .batch_execute(sql)
        .map_err(|error| match error.as_db_error() {
            Some(error) => format!("{sql}: {}", error.message()),
            None => format!("{sql}: {error}"),
        })
}

//! Where does a world live? A database with three sessions, and a space of the mock API or a server of its own.

use crate::dialects::Api;
use crate::session::{Outcome, Place, Sessions};
use crate::world::World;
use mock_api::client::Client;
use postgres::{Config, NoTls};
use real_servers::json_server::JsonServer;
use real_servers::prometheus::Prometheus;

/// A database of its own and what is needed to play worlds in it.
pub struct Stage {
    /// The sessions.
    pub sessions: Sessions,
    mock: Client,
    space: String,
    /// The server that nobody here wrote, if one serves the world.
    real: Option<Real>,
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
            mock: Client::new(api_url),
            space: database.clone(),
            real: None,
            admin: admin.clone(),
            database,
        })
    }

    /// Puts a world in place of the one before.
    ///
    /// # Errors
    /// Its tables are refused (the message has the DDL), or its server does not start.
    pub fn set(&mut self, world: &World) -> Result<(), String> {
        let url = self.serve(world)?;
        let sql = world.ddl(&url);
        match self.sessions.run(Place::Local, &sql)? {
            Outcome::Rows(_) => Ok(()),
            Outcome::Error(error) | Outcome::Lost(error) => Err(format!("{error}\n{sql}")),
        }
    }

    /// Has the world's rows served; the base URL of its API.
    fn serve(&mut self, world: &World) -> Result<String, String> {
        match (world.api(), &mut self.real) {
            (Api::Mock, real) => {
                *real = None;
                self.mock.define_text(&self.space, &world.scenario());
                Ok(self.mock.space_url(&self.space))
            }
            (Api::JsonServer, Some(Real::JsonServer(server))) => {
                server.serve(&world.documents())?;
                Ok(server.url())
            }
            (Api::JsonServer, _) => {
                self.real = Some(Real::JsonServer(JsonServer::start()?));
                self.serve(world)
            }
            (Api::Prometheus, _) => {
                let server = Prometheus::with_samples(&world.metrics())?;
                let url = server.url();
                self.real = Some(Real::Prometheus { server, taken: 0 });
                Ok(url)
            }
        }
    }

    /// The requests that the API received since the world was set, or since the last call; of Prometheus' only the queries.
    ///
    /// # Errors
    /// The API has ended.
    pub fn take_requests(&mut self) -> Result<Vec<String>, String> {
        match &mut self.real {
            None => {
                let requests = self.mock.requests(&self.space);
                self.mock.clear(&self.space);
                Ok(requests)
            }
            Some(Real::JsonServer(server)) => server.take_requests(),
            Some(Real::Prometheus { server, taken }) => {
                let queries = server.queries()?;
                let new = queries[*taken..].iter().map(ToString::to_string).collect();
                *taken = queries.len();
                Ok(new)
            }
        }
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

/// A server that nobody here wrote.
enum Real {
    JsonServer(JsonServer),
    Prometheus {
        server: Prometheus,
        /// So many of its queries were taken.
        taken: usize,
    },
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

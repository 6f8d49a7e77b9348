//! Where the benchmark runs: the cluster, the static server, the folder of the data.

use postgres::{Client, NoTls};
use std::error::Error;
use std::path::PathBuf;

/// The cluster, the server and the data.
pub struct Place {
    /// Where `bench generate` wrote.
    pub folder: PathBuf,
    /// The static server.
    pub url: String,
}

/// The columns of the data that the queries read, as a local table has them.
pub const COLUMNS: &str =
    "id bigint, title text, state text, score double precision, comments integer,
     locked boolean, created_at timestamptz, login text";

impl Place {
    /// A new session of the cluster of PGHOST, PGPORT, PGUSER, PGDATABASE.
    pub fn connect(&self) -> Result<Client, Box<dyn Error>> {
        let mut config = postgres::Config::new();
        config.host(&std::env::var("PGHOST")?);
        config.port(std::env::var("PGPORT")?.parse()?);
        config.user(&std::env::var("PGUSER")?);
        config.dbname(&std::env::var("PGDATABASE")?);
        let mut client = config.connect(NoTls)?;
        client.batch_execute("SET jit = off")?;
        Ok(client)
    }

    /// Creates the extensions, the server `api`, and the tables of the million rows.
    pub fn create_tables(&self) -> Result<(), Box<dyn Error>> {
        let remote = remote_columns();
        self.connect()?.batch_execute(&format!(
            "CREATE EXTENSION file_fdw;
             CREATE EXTENSION rest_fdw;
             CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw
               OPTIONS (base_url '{}', max_response_bytes '1GB');
             CREATE FOREIGN TABLE csv ({COLUMNS}) SERVER files OPTIONS (filename '{}', format 'csv');
             CREATE FOREIGN TABLE paged ({remote}) SERVER api OPTIONS (endpoint '/items', pagination 'page');
             CREATE FOREIGN TABLE one_response ({remote}) SERVER api
               OPTIONS (endpoint '/all.json', pagination 'none');",
            self.url,
            self.folder.join("all.csv").display()
        ))?;
        Ok(())
    }

    /// Machine and versions.
    pub fn describe(&self) -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
        let version: String = self.connect()?.query_one("SELECT version()", &[])?.get(0);
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
        let cores = std::thread::available_parallelism()?;
        Ok(vec![
            ("Processor", format!("{model}, {cores} cores")),
            ("PostgreSQL", version),
        ])
    }
}

/// The same columns where the API has them.
pub fn remote_columns() -> String {
    COLUMNS.replace("login text", "login text OPTIONS (field 'user.login')")
}

/// The query's only row, as text.
pub fn answer(client: &mut Client, sql: &str) -> Result<String, Box<dyn Error>> {
    let row = client.query_one(&format!("SELECT t::text FROM ({sql}) t"), &[])?;
    Ok(row.get(0))
}

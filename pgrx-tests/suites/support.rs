//! What the suites share: a space of the mock API for each test, and short ways to run SQL.

use mock_api::client::Client;
use pgrx::prelude::*;
use serde_json::Value;

/// Lines for the test cluster's postgresql.conf. Starts the mock API in the test runner's process.
#[cfg(test)]
pub fn cluster_settings() -> Vec<&'static str> {
    use std::sync::OnceLock;
    static SETTINGS: OnceLock<(mock_api::Server, &'static str)> = OnceLock::new();
    let (_, setting) = SETTINGS.get_or_init(|| {
        let server = mock_api::Server::start(0).expect("the mock API starts");
        let setting = format!("rest_fdw_test.mock_api = '{}'", server.url());
        (server, setting.leak())
    });
    // Look-ups go out one after the other, so that the order of their requests tells something.
    vec![setting, "rest_fdw.read_ahead = 0"]
}

/// A test's own space of the mock API.
pub struct Api {
    client: Client,
    space: String,
    url: String,
}

impl Api {
    /// Defines what the API answers; `space` names it in messages.
    pub fn new(space: &str, scenario: &Value) -> Self {
        let url = Spi::get_one::<String>("SELECT current_setting('rest_fdw_test.mock_api')")
            .expect("the setting is read")
            .expect("the mock API runs");
        let client = Client::new(&url);
        // Tests run at once, each in a backend of its own.
        let space = format!("{space}-{}", std::process::id());
        client.define(&space, scenario);
        Api { client, space, url }
    }

    /// The base URL of the space.
    pub fn url(&self) -> String {
        format!("{}/s/{}", self.url, self.space)
    }

    /// `CREATE SERVER api` for the space, with further options such as `, page_size '10'`.
    pub fn create_server(&self, options: &str) {
        run(&format!(
            "CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '0'{options})",
            self.url()
        ));
    }

    /// The requests that arrived since the last call: `GET /items?page=2`.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.client.requests(&self.space);
        self.client.clear(&self.space);
        requests
    }

    /// The same, sorted: for requests that are in flight at once.
    pub fn sorted_requests(&self) -> Vec<String> {
        let mut requests = self.requests();
        requests.sort();
        requests
    }

    /// The client of the mock API, for everything else.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The name of the space.
    pub fn space(&self) -> &str {
        &self.space
    }
}

/// Runs a statement.
pub fn run(sql: &str) {
    Spi::run(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Switches off what the planner has besides nested loops. PostgreSQL 13 has no Memoize.
pub fn only_nested_loops() {
    for setting in ["hashjoin", "mergejoin", "material"] {
        run(&format!("SET LOCAL enable_{setting} = off"));
    }
    enable_memoize(false);
}

/// Switches Memoize on or off, where there is one.
pub fn enable_memoize(is_on: bool) {
    if !cfg!(feature = "pg13") {
        run(&format!("SET LOCAL enable_memoize = {is_on}"));
    }
}

/// The rows of a query, each as PostgreSQL writes a record: `(1,one)`.
pub fn rows(sql: &str) -> Vec<String> {
    column(&format!("SELECT coalesce(t::text, '') FROM ({sql}) t"))
}

/// The only column of a query, as text.
pub fn column(sql: &str) -> Vec<String> {
    Spi::connect(|client| {
        let table = client
            .select(sql, None, &[])
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
        table
            .map(|row| {
                row.get::<String>(1)
                    .expect("a text column")
                    .unwrap_or_default()
            })
            .collect()
    })
}

/// The lines of `EXPLAIN (options)` of a query, without leading blanks.
pub fn explain(options: &str, sql: &str) -> Vec<String> {
    let lines = column(&format!("EXPLAIN ({options}) {sql}"));
    lines
        .into_iter()
        .map(|line| line.trim().to_owned())
        .collect()
}

/// An error as a client sees it.
#[derive(Debug, PartialEq)]
pub struct SqlError {
    /// SQLSTATE
    pub code: String,
    /// The message.
    pub message: String,
    /// DETAIL, or empty.
    pub detail: String,
    /// HINT, or empty.
    pub hint: String,
}

/// The error of a statement that must fail; its effects are rolled back.
pub fn error(sql: &str) -> SqlError {
    run("CREATE OR REPLACE FUNCTION pg_temp.error_of(sql text) RETURNS text[] LANGUAGE plpgsql AS $$
         DECLARE code text; message text; detail text; hint text;
         BEGIN
           EXECUTE sql;
           RETURN NULL;
         EXCEPTION WHEN OTHERS OR query_canceled THEN
           GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
             detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
           RETURN ARRAY[code, message, detail, hint];
         END $$");
    let quoted = pgrx::spi::quote_literal(sql);
    let fields = Spi::get_one::<Vec<String>>(&format!("SELECT pg_temp.error_of({quoted})"))
        .expect("the function runs")
        .unwrap_or_else(|| panic!("no error: {sql}"));
    let [code, message, detail, hint] = <[String; 4]>::try_from(fields).expect("four fields");
    SqlError {
        code,
        message,
        detail,
        hint,
    }
}

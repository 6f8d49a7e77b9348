//! A session: short ways to run SQL and to see what a client sees.

use postgres::error::DbError;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::sync::{Arc, Mutex, PoisonError};

/// A connection and its backend.
pub struct Session {
    client: Client,
    pid: u32,
    notices: Arc<Mutex<Vec<String>>>,
}

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// SQLSTATE; empty if the connection was closed without a message.
    pub code: String,
    /// The message.
    pub message: String,
    /// DETAIL, or empty.
    pub detail: String,
    /// HINT, or empty.
    pub hint: String,
}

impl SqlError {
    /// Whether it is what a client sees of `pg_terminate_backend`: the message, or only that the connection was
    /// closed. (The client drops a message that arrives together with the end of the connection.)
    pub fn is_termination(&self) -> bool {
        self.code == "57P01" || (self.code.is_empty() && self.message.contains("connection closed"))
    }
}

/// The rows of a statement, or its error.
pub type Outcome = Result<Vec<String>, SqlError>;

impl Session {
    /// Connects.
    ///
    /// # Panics
    /// If the cluster cannot be reached.
    pub(crate) fn connect(config: &Config) -> Session {
        Session::try_connect(config)
            .unwrap_or_else(|error| panic!("cannot connect to the test cluster: {error}"))
    }

    pub(crate) fn try_connect(config: &Config) -> Result<Session, postgres::Error> {
        let notices: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&notices);
        let mut config = config.clone();
        config.notice_callback(move |notice| {
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(text_of(&notice));
        });
        let mut client = config.connect(NoTls)?;
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
        Ok(Session {
            client,
            pid: pid.unsigned_abs(),
            notices,
        })
    }

    /// The process id of the backend.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The client itself, for the extended protocol.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// What the server told besides results since the last call: message, DETAIL and HINT of each in a line of its own.
    pub fn notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs statements, which must succeed.
    pub fn run(&mut self, sql: &str) {
        self.rows(sql);
    }

    /// The rows of statements, which must succeed: values as text, `|` between them, `NULL` for NULL.
    pub fn rows(&mut self, sql: &str) -> Vec<String> {
        self.outcome(sql)
            .unwrap_or_else(|error| panic!("{error:?}: {sql}"))
    }

    /// The only row of statements, which must succeed.
    pub fn row(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        match <[String; 1]>::try_from(rows) {
            Ok([row]) => row,
            Err(rows) => panic!("{} rows instead of one: {sql}", rows.len()),
        }
    }

    /// The error of statements, which must fail.
    pub fn error(&mut self, sql: &str) -> SqlError {
        match self.outcome(sql) {
            Err(error) => error,
            Ok(rows) => panic!("no error but the rows {rows:?}: {sql}"),
        }
    }

    /// Has the backend close the connections that it keeps for later, so that what it holds can be compared: every
    /// server is altered, to what it was. The session is a superuser's.
    pub fn close_kept_connections(&mut self) {
        self.run(
            "DO $$ DECLARE server name; BEGIN
               FOR server IN SELECT srvname FROM pg_foreign_server LOOP
                 EXECUTE format('ALTER SERVER %I VERSION %L', server, 'the same');
               END LOOP;
             END $$",
        );
    }

    /// What comes of statements. When this returns the backend is done with them: PostgreSQL sends an error before
    /// it ends the transaction, and what ends with that (a scan, what it counted) would be seen by chance.
    pub fn outcome(&mut self, sql: &str) -> Outcome {
        let messages = self.client.simple_query(sql).map_err(|error| {
            // It is answered after the end of the transaction, and fails where the connection is gone.
            let _ = self.client.simple_query("");
            SqlError::from(error)
        })?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let values: Vec<&str> = (0..row.len())
                    .map(|index| row.get(index).unwrap_or("NULL"))
                    .collect();
                Some(values.join("|"))
            }
            _ => None,
        });
        Ok(rows.collect())
    }
}

impl From<postgres::Error> for SqlError {
    fn from(error: postgres::Error) -> SqlError {
        match error.as_db_error() {
            Some(error) => SqlError {
                code: error.code().code().to_owned(),
                message: error.message().to_owned(),
                detail: error.detail().unwrap_or_default().to_owned(),
                hint: error.hint().unwrap_or_default().to_owned(),
            },
            None => SqlError {
                code: String::new(),
                message: error.to_string(),
                detail: String::new(),
                hint: String::new(),
            },
        }
    }
}

fn text_of(notice: &DbError) -> String {
    let parts = [Some(notice.message()), notice.detail(), notice.hint()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

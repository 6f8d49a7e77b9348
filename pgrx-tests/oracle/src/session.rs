//! How does a statement run in each of the three ways?

use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::time::{Duration, Instant};

/// Where a statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the local copies.
    Local,
    /// On the foreign tables, with `rest_fdw.pushdown` on.
    On,
    /// On the foreign tables, with `rest_fdw.pushdown` off.
    Off,
}

/// All of them, in the order of results.
pub const PLACES: [Place; 3] = [Place::Local, Place::On, Place::Off];

/// What came of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The rows of each of its commands that returns any.
    Rows(Vec<Vec<String>>),
    /// An error: SQLSTATE, message, DETAIL and HINT.
    Error(String),
    /// The connection was lost: the server crashed, or ended the session.
    Lost(String),
}

/// Three connections to one database.
pub struct Sessions {
    config: Config,
    clients: Vec<Client>,
    spent: [Duration; 3],
}

/// How long a server may take to come back after a crash, in seconds.
const RECOVERY: u64 = 60;

impl Sessions {
    /// Connects three times.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn connect(config: &Config) -> Result<Sessions, String> {
        let clients = PLACES
            .iter()
            .map(|place| connect(config, *place))
            .collect::<Result<_, _>>()?;
        Ok(Sessions {
            config: config.clone(),
            clients,
            spent: [Duration::ZERO; 3],
        })
    }

    /// Runs SQL in one place. After a crash the sessions are those of the recovered server.
    ///
    /// # Errors
    /// The server does not come back.
    pub fn run(&mut self, place: Place, sql: &str) -> Result<Outcome, String> {
        let index = PLACES
            .iter()
            .position(|other| *other == place)
            .unwrap_or_default();
        let started = Instant::now();
        let outcome = outcome(&mut self.clients[index], sql);
        self.spent[index] += started.elapsed();
        if matches!(outcome, Outcome::Lost(_)) {
            self.reconnect()?;
        }
        Ok(outcome)
    }

    /// Runs SQL in all places.
    ///
    /// # Errors
    /// The server does not come back after a crash.
    pub fn run_everywhere(&mut self, sql: &str) -> Result<[Outcome; 3], String> {
        Ok([
            self.run(Place::Local, sql)?,
            self.run(Place::On, sql)?,
            self.run(Place::Off, sql)?,
        ])
    }

    /// How long statements ran in each place since the last call.
    pub fn take_spent(&mut self) -> [Duration; 3] {
        std::mem::take(&mut self.spent)
    }

    fn reconnect(&mut self) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..RECOVERY * 4 {
            match Sessions::connect(&self.config) {
                Ok(sessions) => {
                    *self = sessions;
                    return Ok(());
                }
                Err(error) => last = error,
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        Err(format!(
            "the server did not come back within {RECOVERY} s: {last}"
        ))
    }
}

fn connect(config: &Config, place: Place) -> Result<Client, String> {
    let mut config = config.clone();
    config.notice_callback(|_| {});
    let mut client = config
        .connect(NoTls)
        .map_err(|error| format!("cannot connect: {error}"))?;
    let (schema, pushdown) = match place {
        Place::Local => ("loc", "on"),
        Place::On => ("ext", "on"),
        Place::Off => ("ext", "off"),
    };
    // The library registers its settings when it is loaded. Estimates are wild here: without this, every query would be compiled.
    let settings = format!(
        "LOAD 'rest_fdw'; SET jit = off; SET search_path = {schema}, public; SET rest_fdw.pushdown = {pushdown}; \
         SET statement_timeout = '60s'; SET client_min_messages = error; SET lock_timeout = '30s'"
    );
    client
        .batch_execute(&settings)
        .map_err(|error| format!("{settings}: {error}"))?;
    Ok(client)
}

fn outcome(client: &mut Client, sql: &str) -> Outcome {
    let messages = match client.simple_query(sql) {
        Ok(messages) => messages,
        Err(error) => return failure(client, &error),
    };
    let (mut results, mut rows) = (Vec::new(), Vec::new());
    let mut has_rows = false;
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(_) => has_rows = true,
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|index| {
                    row.get(index)
                        .map_or_else(|| "NULL".to_owned(), |value| format!("‹{value}›"))
                });
                rows.push(values.collect::<Vec<_>>().join(" "));
            }
            SimpleQueryMessage::CommandComplete(_) if std::mem::take(&mut has_rows) => {
                results.push(std::mem::take(&mut rows));
            }
            _ => {}
        }
    }
    Outcome::Rows(results)
}

fn failure(client: &Client, error: &postgres::Error) -> Outcome {
    match error.as_db_error() {
        Some(error) if !client.is_closed() => {
            let parts = [Some(error.message()), error.detail(), error.hint()];
            let text: Vec<&str> = parts.into_iter().flatten().collect();
            Outcome::Error(format!("{}: {}", error.code().code(), text.join(" · ")))
        }
        _ => Outcome::Lost(error.to_string()),
    }
}

impl Outcome {
    /// The outcome with the rows in an order of their own, unless theirs is to be compared.
    #[must_use]
    pub fn normalised(self, is_ordered: bool, is_cut_anywhere: bool) -> Outcome {
        let Outcome::Rows(mut results) = self else {
            return self;
        };
        if is_cut_anywhere {
            results = vec![results.concat()];
        }
        if !is_ordered {
            results.iter_mut().for_each(|rows| rows.sort());
        }
        Outcome::Rows(results)
    }

    /// Whether both are the same, where one error is as good as another.
    pub fn agrees(&self, other: &Outcome) -> bool {
        match (self, other) {
            (Outcome::Rows(one), Outcome::Rows(two)) => one == two,
            (Outcome::Error(_), Outcome::Error(_)) => true,
            _ => false,
        }
    }
}

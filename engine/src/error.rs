//! What can go wrong on the remote side, with all that a user needs to act on it.

use std::time::Duration;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Where in the exchange an error happened: printed in the DETAIL of the user's error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Method and URL, secrets redacted: `GET https://api.test/items?page=2`.
    pub request: String,
    /// The page within its request, counted from 1; 0 before the first response.
    pub page: u32,
}

/// An error of the remote side. Every variant says when it happens; texts never hold a secret.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
pub enum Error {
    /// An option's value cannot be understood, or contradicts another one.
    #[error("invalid value for option \"{option}\": {reason}")]
    Option {
        /// The option's name.
        option: String,
        /// What is wrong with the value.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A required parameter column has no value.
    #[error("no value for required column{s} {columns}", s = if .0.len() == 1 { "" } else { "s" }, columns = quoted(.0))]
    MissingParameters(Vec<String>),
    /// A value cannot be put where its parameter goes (a path segment, a header).
    #[error("value of column \"{column}\" cannot be sent: {reason}")]
    Unsendable {
        /// The column whose value it is.
        column: String,
        /// Why it cannot be sent.
        reason: String,
    },
    /// The server's name could not be resolved.
    #[error("could not resolve host \"{host}\": {reason}")]
    Resolve {
        /// Where it happened.
        exchange: Exchange,
        /// The host that was looked up.
        host: String,
        /// The resolver's message.
        reason: String,
    },
    /// The connection was refused, reset, or closed before a response.
    #[error("could not reach the API: {reason}")]
    Connect {
        /// Where it happened.
        exchange: Exchange,
        /// The operating system's message.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("TLS connection failed: {reason}")]
    Tls {
        /// Where it happened.
        exchange: Exchange,
        /// What the TLS library says.
        reason: String,
    },
    /// A time bound was exceeded.
    #[error("request timed out after {after:?} while {phase}")]
    Timeout {
        /// Where it happened.
        exchange: Exchange,
        /// What was being waited for: `connecting`, `waiting for the response`, …
        phase: String,
        /// The bound that was exceeded.
        after: Duration,
    },
    /// The address is one that this server's owner may not reach.
    #[error("connection to {target} is not allowed: {reason}")]
    Forbidden {
        /// Where it happened.
        exchange: Exchange,
        /// Host or address.
        target: String,
        /// The rule that forbids it.
        reason: String,
    },
    /// The response's status is not a success.
    #[error("the API answered with status {status}")]
    Status {
        /// Where it happened.
        exchange: Exchange,
        /// The HTTP status.
        status: u16,
        /// The API's own message, redacted and shortened.
        message: Option<String>,
    },
    /// The token endpoint issued no access token. Final: it was tried again already where that could help.
    #[error("could not get an access token: {}", of_token_endpoint(.cause))]
    SignIn {
        /// The request to the token endpoint.
        exchange: Exchange,
        /// What failed.
        cause: Box<Error>,
    },
    /// The response's body is not what it should be: not JSON, cut off, not valid UTF-8.
    #[error("could not read the response: {reason}")]
    Body {
        /// Where it happened.
        exchange: Exchange,
        /// What is wrong, with the position where it is known.
        reason: String,
    },
    /// The response's body ended before it was complete (a transport matter, so it may be retried).
    #[error("the response was cut off: {reason}")]
    Truncated {
        /// Where it happened.
        exchange: Exchange,
        /// What was missing.
        reason: String,
    },
    /// The response is larger than `max_response_bytes`.
    #[error("the response is larger than {limit} bytes")]
    TooLarge {
        /// Where it happened.
        exchange: Exchange,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The rows are not where `rows` says, or cannot be told by themselves.
    #[error("could not find the rows in the response: {reason}")]
    Rows {
        /// Where it happened.
        exchange: Exchange,
        /// What was found instead, and what to set.
        reason: String,
    },
    /// An aggregate that the API computed may not be what SQL's is.
    #[error("the API may have rounded an aggregate: {reason}")]
    Inexact {
        /// Where it happened.
        exchange: Exchange,
        /// What tells.
        reason: String,
    },
    /// A value does not fit its column.
    #[error("value for column \"{column}\" does not fit: {reason}")]
    Value {
        /// Where it happened.
        exchange: Exchange,
        /// The column's name.
        column: String,
        /// What the column wants.
        reason: String,
        /// The value as JSON, shortened.
        value: String,
    },
    /// Paging does not end, contradicts itself, or would cut rows.
    #[error("paging failed: {reason}")]
    Paging {
        /// Where it happened.
        exchange: Exchange,
        /// What happened and which option helps.
        reason: String,
    },
    /// The API does not know the cursor or URL any more that it gave for a page, and starting over would not do.
    #[error("the cursor of the next page has expired: {reason}")]
    Expired {
        /// Where it happened.
        exchange: Exchange,
        /// The HTTP status.
        status: u16,
        /// Why the scan was not started over.
        reason: String,
        /// The API's own message, redacted and shortened.
        message: Option<String>,
    },
    /// A declared bound on pages or requests was reached.
    #[error("{what} would exceed the limit of {limit}")]
    Limit {
        /// Where it happened.
        exchange: Exchange,
        /// What is bounded, and by which option or setting.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// A thread or descriptor could not be had, or a fetch thread panicked.
    #[error("{0}")]
    System(String),
    /// The scan was cancelled by its owner: never shown to a user.
    #[error("cancelled")]
    Cancelled,
}

/// The variants that happen in an exchange, with that exchange.
macro_rules! placed {
    ($exchange:ident) => {
        Error::Resolve { $exchange, .. }
            | Error::Connect { $exchange, .. }
            | Error::Tls { $exchange, .. }
            | Error::Timeout { $exchange, .. }
            | Error::Forbidden { $exchange, .. }
            | Error::Status { $exchange, .. }
            | Error::SignIn { $exchange, .. }
            | Error::Body { $exchange, .. }
            | Error::Truncated { $exchange, .. }
            | Error::TooLarge { $exchange, .. }
            | Error::Rows { $exchange, .. }
            | Error::Inexact { $exchange, .. }
            | Error::Value { $exchange, .. }
            | Error::Paging { $exchange, .. }
            | Error::Expired { $exchange, .. }
            | Error::Limit { $exchange, .. }
    };
}

/// The variants that happen outside of any exchange.
macro_rules! unplaced {
    () => {
        Error::Option { .. }
            | Error::MissingParameters(_)
            | Error::Unsendable { .. }
            | Error::System(_)
            | Error::Cancelled
    };
}

impl Error {
    /// An invalid option value without a hint.
    pub fn option(option: impl Into<String>, reason: impl Into<String>) -> Self {
        Error::Option {
            option: option.into(),
            reason: reason.into(),
            hint: None,
        }
    }

    /// The exchange in which it happened, where there was one.
    pub fn exchange(&self) -> Option<&Exchange> {
        match self {
            placed!(exchange) => Some(exchange),
            unplaced!() => None,
        }
    }

    /// The same error, placed in `exchange`. For layers that know what went wrong, not where. A failed sign-in
    /// happened at the token endpoint, and stays there.
    pub fn at(mut self, place: &Exchange) -> Self {
        if matches!(self, Error::SignIn { .. }) {
            return self;
        }
        match &mut self {
            placed!(exchange) => exchange.clone_from(place),
            unplaced!() => {}
        }
        self
    }
}

fn of_token_endpoint(cause: &Error) -> String {
    match cause {
        Error::Status { status, .. } => {
            format!("the token endpoint answered with status {status}")
        }
        Error::Body { reason, .. } => {
            format!("could not read the token endpoint's answer: {reason}")
        }
        other => other.to_string(),
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

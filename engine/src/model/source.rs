//! A source: one API, as a SERVER describes it.

use super::Auth;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// An API: where it is and how to talk to it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The server's name in SQL, for messages.
    pub name: String,
    /// Scheme, host, port and path prefix, without a slash at its end.
    pub base_url: String,
    /// Constant headers, in the order written.
    pub headers: Vec<(String, String)>,
    /// Constant query parameters, in the order written.
    pub query: Vec<(String, String)>,
    /// The User-Agent header.
    pub user_agent: String,
    /// The Accept header; by the table's format unless it is given.
    pub accept: Option<String>,
    /// How to sign in; `None` follows from what the user mapping holds.
    pub auth: Option<Auth>,
    /// How connections are made, where that is not as usual.
    pub connecting: Connecting,
    /// Bound on making one connection (DNS, TCP, TLS).
    pub connect_timeout: Duration,
    /// Bound on one request, body included.
    pub timeout: Duration,
    /// When and how often to try again.
    pub retry: RetryPolicy,
    /// Requests in a time, of all scans together.
    pub rate_limit: Option<RateLimit>,
    /// Requests in flight of one scan; at least 1.
    pub max_concurrency: u32,
    /// Pages that one scan may read; more is an error.
    pub max_pages: Option<u64>,
    /// Requests that one scan may make; more is an error.
    pub max_requests: Option<u64>,
    /// Bytes of one response, after decompression; more is an error.
    pub max_response_bytes: u64,
}

/// How connections are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connecting {
    /// A file of the authorities that are believed, in PEM form; by default those of the system.
    pub ca_file: Option<String>,
    /// A file of the client's certificate and its key, in PEM form.
    pub client_cert_file: Option<String>,
    /// Whether any certificate is believed (`tls_verify 'off'`).
    pub unverified: bool,
    /// An HTTP proxy.
    pub proxy_url: Option<String>,
    /// A Unix socket that stands for the host and port of `base_url`.
    pub unix_socket: Option<String>,
}

/// When a request is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub max_retries: u32,
    /// Statuses that are tried again.
    pub statuses: Vec<u16>,
    /// Whether failures of the network (refused, reset, cut off, timed out) are tried again.
    pub network: bool,
    /// Bound on all tries of one page, with the waits between them: no further one begins after it.
    pub max_time: Duration,
}

/// How many requests a server may be sent in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests; at least 1.
    pub requests: u32,
    /// The time.
    pub per: RatePeriod,
}

/// The time that a rate limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RatePeriod {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// One hour.
    Hour,
}

impl RatePeriod {
    /// How long it is.
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            RatePeriod::Second => 1,
            RatePeriod::Minute => 60,
            RatePeriod::Hour => 3600,
        })
    }
}

impl fmt::Display for RateLimit {
    /// As the option is written: `50/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per {
            RatePeriod::Second => "s",
            RatePeriod::Minute => "min",
            RatePeriod::Hour => "h",
        };
        write!(f, "{}/{unit}", self.requests)
    }
}

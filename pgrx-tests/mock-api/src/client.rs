//! How a test talks to a mock API, in its own process or in another.
//!
//! Every method panics if the server cannot be reached or refuses: a test cannot go on without it, and the message
//! says why.

use crate::control::{Info, PREFIX};
use crate::query::percent_encode;
use crate::request::RequestHead;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Longer than any control request takes, so that a test fails instead of hanging.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of a mock API's control requests.
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    agent: ureq::Agent,
}

#[derive(serde::Deserialize)]
struct Counters {
    in_flight: usize,
    max_in_flight: usize,
    connections: usize,
}

impl Client {
    /// A client of the server at `http://127.0.0.1:PORT`.
    pub fn new(url: &str) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        Client {
            url: url.trim_end_matches('/').to_owned(),
            agent: config.into(),
        }
    }

    /// The base URL of a space: what the code under test is pointed at.
    pub fn space_url(&self, space: &str) -> String {
        format!("{}/s/{}", self.url, percent_encode(space))
    }

    /// Starts a space afresh with a scenario, which the crate's documentation describes.
    ///
    /// # Panics
    /// With the server's message, if the scenario is refused.
    pub fn define(&self, space: &str, scenario: &Value) {
        self.send("PUT", &space_path(space, ""), scenario.to_string());
    }

    /// The same with a scenario's text, whose numbers keep all their digits.
    ///
    /// # Panics
    /// With the server's message, if the scenario is refused.
    pub fn define_text(&self, space: &str, scenario: &str) {
        self.send("PUT", &space_path(space, ""), scenario.to_owned());
    }

    /// The requests that a space received, in order of arrival, such as `GET /items?page=2`: without the space's prefix, the query
    /// exactly as received.
    pub fn requests(&self, space: &str) -> Vec<String> {
        self.request_heads(space)
            .iter()
            .map(RequestHead::line)
            .collect()
    }

    /// The same with their headers and bodies.
    pub fn request_heads(&self, space: &str) -> Vec<RequestHead> {
        self.get(&space_path(space, "/requests"))
    }

    /// When each of them arrived, counted from some moment before the first.
    pub fn arrivals(&self, space: &str) -> Vec<Duration> {
        let microseconds: Vec<u64> = self.get(&space_path(space, "/arrivals"));
        microseconds
            .into_iter()
            .map(Duration::from_micros)
            .collect()
    }

    /// Forgets the recorded requests, connections and the maximum in flight; the scenario and its faults stay as they are.
    pub fn clear(&self, space: &str) {
        self.send("DELETE", &space_path(space, "/requests"), String::new());
    }

    /// Lets go on every request of a space that is stalled now.
    pub fn release(&self, space: &str) {
        self.send("POST", &space_path(space, "/release"), String::new());
    }

    /// Makes every access token worthless that a space's token endpoints have issued so far.
    pub fn revoke_tokens(&self, space: &str) {
        self.send("POST", &space_path(space, "/revoke"), String::new());
    }

    /// Requests that have no complete answer yet. A client that has read its answer is never counted; one that hung up is
    /// counted for some milliseconds more.
    pub fn in_flight(&self, space: &str) -> usize {
        self.counters(space).in_flight
    }

    /// The most requests that were in flight at once.
    pub fn max_in_flight(&self, space: &str) -> usize {
        self.counters(space).max_in_flight
    }

    /// Distinct connections that sent requests.
    pub fn connections(&self, space: &str) -> usize {
        self.counters(space).connections
    }

    /// Where the server is, and its ports that misbehave.
    pub fn info(&self) -> Info {
        self.get("info")
    }

    fn counters(&self, space: &str) -> Counters {
        self.get(&space_path(space, ""))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let text = self.send("GET", path, String::new());
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("mock API: {path}: {error} in {text}"))
    }

    /// Sends a control request and returns the answer's body.
    fn send(&self, method: &str, path: &str, body: String) -> String {
        self.try_send(method, path, body)
            .unwrap_or_else(|error| panic!("mock API: {method} {path}: {error}"))
    }

    fn try_send(
        &self,
        method: &str,
        path: &str,
        body: String,
    ) -> Result<String, Box<dyn std::error::Error>> {
        let uri = format!("{}{PREFIX}{path}", self.url);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(uri)
            .body(body)?;
        let mut response = self.agent.run(request)?;
        let text = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_string()?;
        if response.status().is_success() {
            Ok(text)
        } else {
            Err(format!("{}: {text}", response.status()).into())
        }
    }
}

fn space_path(space: &str, below: &str) -> String {
    format!("spaces/{}{below}", percent_encode(space))
}

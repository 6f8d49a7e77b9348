//! A test's own space of the mock API.

use crate::session::Session;
use mock_api::client::Client;
use mock_api::{RequestHead, Server};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;

/// The mock API of this test program; it runs as long as the program.
pub fn mock_api() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(0).unwrap_or_else(|error| panic!("the mock API does not start: {error}"))
    })
}

/// A scenario with generated rows at `/items`: `count` of them, in pages that a Link header ties together.
pub fn items(count: usize, page_size: usize) -> Value {
    json!({"routes": {"/items": {
        "generate": {"kind": "items", "count": count},
        "paging": {"style": "link", "page_size": page_size},
    }}})
}

/// A space of the mock API.
pub struct Api {
    client: Client,
    space: String,
}

impl Api {
    /// Defines what the API answers in the space `space`, which belongs to one test.
    pub fn new(space: &str, scenario: &Value) -> Api {
        let client = Client::new(mock_api().url());
        client.define(space, scenario);
        Api {
            client,
            space: space.to_owned(),
        }
    }

    /// The base URL of the space.
    pub fn url(&self) -> String {
        self.client.space_url(&self.space)
    }

    /// `CREATE SERVER name` for the space, with further options such as `, page_size '10'`. Nothing is retried.
    pub fn create_server(&self, session: &mut Session, name: &str, options: &str) {
        session.run(&format!(
            "CREATE SERVER {name} FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '0'{options})",
            self.url()
        ));
    }

    /// Starts the space afresh with another scenario.
    pub fn define(&self, scenario: &Value) {
        self.client.define(&self.space, scenario);
    }

    /// The requests that arrived since the last call, such as `GET /items?page=2`.
    pub fn take_requests(&self) -> Vec<String> {
        self.take_heads().iter().map(RequestHead::line).collect()
    }

    /// The same with their headers.
    pub fn take_heads(&self) -> Vec<RequestHead> {
        let heads = self.client.request_heads(&self.space);
        self.client.clear(&self.space);
        heads
    }

    /// How many connections sent requests since the last call of `take_…`.
    pub fn connections(&self) -> usize {
        self.client.connections(&self.space)
    }

    /// When the requests since the last call of `take_…` arrived, counted from some moment before the first.
    pub fn arrivals(&self) -> Vec<Duration> {
        self.client.arrivals(&self.space)
    }

    /// Requests that are being answered.
    pub fn in_flight(&self) -> usize {
        self.client.in_flight(&self.space)
    }

    /// How many requests arrived since the last call of `take_…`.
    pub fn request_count(&self) -> usize {
        self.client.requests(&self.space).len()
    }
}

//! What a test may ask of a server over HTTP: define, look, release.

use crate::request::Request;
use crate::response::Response;
use crate::routes::Routes;
use crate::scenario::ScenarioSpec;
use crate::server::Shared;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Below this, requests are for the server itself.
pub(crate) const PREFIX: &str = "/__mock/";

/// Where a server is, and its ports that misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// `https://127.0.0.1:PORT`
    pub tls_url: String,
    /// A port where connecting hangs.
    pub stalled_port: u16,
    /// A port that refuses connections.
    pub refused_port: u16,
    /// A port that accepts connections and never answers a TLS handshake.
    pub silent_port: u16,
    /// The self-signed certificate of the TLS port, in PEM.
    pub certificate_pem: String,
}

/// Answers a control request.
pub(crate) fn respond(shared: &Shared, request: &Request) -> Response {
    let path = request.path().strip_prefix(PREFIX).unwrap_or_default();
    let segments: Vec<String> = path.split('/').map(crate::query::percent_decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let done = || Response::new(204, "text/plain", "");
    match (request.head.method.as_str(), segments.as_slice()) {
        ("GET", ["info"]) => Response::json(200, &shared.info),
        ("PUT", ["spaces", name]) => {
            let routes = ScenarioSpec::parse(&request.body)
                .and_then(|spec| Routes::new(spec, &shared.budget));
            match routes {
                Ok(routes) => {
                    shared.spaces.get(name).define(routes);
                    done()
                }
                Err(problem) => Response::message(400, &problem),
            }
        }
        ("GET", ["spaces", name]) => Response::json(200, &shared.spaces.get(name).counters()),
        ("GET", ["spaces", name, "requests"]) => {
            Response::json(200, &shared.spaces.get(name).heads())
        }
        ("GET", ["spaces", name, "arrivals"]) => {
            Response::json(200, &shared.spaces.get(name).arrivals())
        }
        ("DELETE", ["spaces", name, "requests"]) => {
            shared.spaces.get(name).clear();
            done()
        }
        ("POST", ["spaces", name, "release"]) => {
            shared.spaces.get(name).release();
            done()
        }
        ("POST", ["spaces", name, "revoke"]) => {
            shared.spaces.get(name).routes().revoke_tokens();
            done()
        }
        (method, _) => Response::json(
            404,
            &json!({"message": format!("no control request {method} {path}")}),
        ),
    }
}

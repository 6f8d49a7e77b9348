//! A server of four rows with every type, that the interpreters' tests ask.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::serving::Dialect;
use crate::filters::Selection;
use crate::paging::Address;
use crate::request::{Request, RequestHead};
use crate::scenario::{RouteSpec, ScenarioSpec};
use serde_json::{Value, json};

pub(crate) struct Server {
    dialect: Dialect,
    route: RouteSpec,
}

/// The types of the columns of [`Server`].
pub(crate) fn kinds() -> Value {
    json!({"id": "int4", "n": "int8", "z": "numeric", "f": "float8", "t": "text", "b": "bool", "d": "date",
           "at": "timestamptz", "ts": "timestamp", "u": "uuid", "l": "text[]", "j": "jsonb", "o.name": "text"})
}

const ROWS: &str = r#"[
    {"id": 1, "n": 5, "z": 1.50, "f": 0.5, "t": "Apple", "b": true, "d": "2024-02-29", "at": "2024-02-29T12:00:00.5Z",
     "ts": "2024-02-29T12:00:00", "u": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "l": ["x", "y z"], "j": {"k": 1}, "o": {"name": "ann"}},
    {"id": 2, "n": 6, "z": 123456789012345678901234567890.12, "f": 1.5, "t": "a,\"b\\)", "b": false, "d": "2024-03-01",
     "at": "2024-02-29T12:00:00.500001Z", "ts": "2024-02-29T12:00:00.000001", "l": ["w"], "j": {"k": 2}, "o": {"name": "O'B"}},
    {"id": 3, "n": 9007199254740993, "z": 2, "f": 2.5, "t": "b%ß", "b": null, "j": ["k"], "o": {}},
    {"id": 4, "t": null}
]"#;

impl Server {
    /// A server with other route keys.
    pub(crate) fn new(dialect: Value, keys: Value) -> Server {
        Server::of(dialect, keys, ROWS)
    }

    pub(crate) fn of(dialect: Value, keys: Value, rows: &str) -> Server {
        let mut route = json!({"dialect": dialect});
        let object = route.as_object_mut().unwrap();
        object.extend(keys.as_object().unwrap().clone());
        let mut text = route.to_string();
        text.insert_str(1, &format!("\"rows\": {rows},"));
        let scenario = format!("{{\"routes\": {{\"/items\": {text}}}}}");
        let mut spec = ScenarioSpec::parse(scenario.as_bytes()).unwrap();
        let mut route = spec.routes.remove("/items").unwrap();
        let dialect = route.dialect.take().unwrap();
        let rows = route.rows.take().unwrap();
        Server {
            dialect: Dialect::new(dialect, &rows).unwrap(),
            route,
        }
    }

    fn request(query: &str, body: &str) -> Request {
        Request {
            head: RequestHead {
                method: "GET".to_owned(),
                target: format!("/items?{}", query.replace('%', "%25").replace('+', "%2B")),
                headers: Vec::new(),
                body: String::new(),
            },
            body: body.as_bytes().to_vec(),
            keep_alive: true,
        }
    }

    fn answer(&self, query: &str, body: &str) -> Result<String, String> {
        let request = Server::request(query, body);
        let all = Selection::All(self.dialect.len());
        let listing = self.dialect.list(&self.route, &request, &all)?;
        let places = 0..listing.selection.len();
        let rows = self.dialect.rows(&listing, places.clone());
        let mut text = Vec::new();
        for place in places {
            text.push(if place == 0 { b'[' } else { b',' });
            rows.write(place, &mut text);
        }
        if text.is_empty() {
            text.push(b'[');
        }
        text.push(b']');
        Ok(String::from_utf8(text).unwrap())
    }

    /// What an answer says beside its rows.
    pub(crate) fn members(&self, body: &str) -> Value {
        let request = Server::request("", body);
        let all = Selection::All(self.dialect.len());
        let listing = self.dialect.list(&self.route, &request, &all).unwrap();
        let address = Address {
            origin: "",
            path: "",
            raw_query: "",
        };
        let mut members = serde_json::Map::new();
        self.dialect.add_members(&listing, address, &mut members);
        Value::Object(members)
    }

    /// The rows that a request gets; `%` and `+` in the query stand for themselves.
    pub(crate) fn body(&self, query: &str) -> String {
        self.answer(query, "").unwrap()
    }

    /// The `id`s of the rows that a request gets.
    pub(crate) fn ids(&self, query: &str) -> Vec<i64> {
        self.posted_ids(query, "")
    }

    pub(crate) fn posted_ids(&self, query: &str, body: &str) -> Vec<i64> {
        let text = self
            .answer(query, body)
            .unwrap_or_else(|problem| panic!("{query} {body}: {problem}"));
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        let inner = |row: &Value| {
            let names = ["attributes", "_source"];
            let found = names.iter().find_map(|name| row.get(name));
            found.unwrap_or(row)["id"].as_i64().unwrap()
        };
        rows.iter().map(inner).collect()
    }

    /// The message that refuses a request.
    pub(crate) fn refusal(&self, query: &str) -> String {
        self.posted_refusal(query, "")
    }

    pub(crate) fn posted_refusal(&self, query: &str, body: &str) -> String {
        match self.answer(query, body) {
            Ok(rows) => panic!("{query} {body} is not refused: {rows}"),
            Err(problem) => problem,
        }
    }
}

//! What a client sees of routes that speak a dialect: documents, pages, totals, bodies, refusals.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mock_api::Server;
use mock_api::client::Client;
use serde_json::{Value, json};
use std::sync::LazyLock;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(0).unwrap());

struct Reply {
    status: u16,
    headers: ureq::http::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

fn client() -> Client {
    Client::new(SERVER.url())
}

/// A space with a route `/items` of 5 rows, and other routes.
fn define(space: &str, dialect: Value, keys: Value, others: Value) {
    let mut route = json!({"dialect": dialect, "rows": (1..=5).map(row).collect::<Vec<_>>()});
    route
        .as_object_mut()
        .unwrap()
        .extend(keys.as_object().unwrap().clone());
    let mut routes = json!({"/items": route});
    routes
        .as_object_mut()
        .unwrap()
        .extend(others.as_object().unwrap().clone());
    client().define(space, &json!({"routes": routes}));
}

fn row(id: i64) -> Value {
    json!({"id": id, "name": format!("n{id}")})
}

fn dialect(name: &str) -> Value {
    json!({"name": name, "columns": {"id": "int8", "name": "text"}})
}

fn send(method: &str, url: &str, header: (&str, &str), body: &str) -> Reply {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header(header.0, header.1)
        .body(body.to_owned())
        .unwrap();
    let mut response = agent.run(request).unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.body_mut().read_to_string().unwrap(),
    }
}

fn get(space: &str, target: &str) -> Reply {
    let url = format!("{}{target}", client().space_url(space));
    send("GET", &url, ("accept", "*/*"), "")
}

#[test]
fn postgrest_tells_ranges_where_it_is_asked_to_count() {
    define("postgrest", dialect("postgrest"), json!({}), json!({}));
    let url = format!(
        "{}/items?id=gte.2&limit=2&order=id.desc",
        client().space_url("postgrest")
    );
    let counted = send("GET", &url, ("prefer", "count=exact"), "");
    assert_eq!(
        (counted.status, counted.header("content-range")),
        (206, "0-1/4")
    );
    assert_eq!(counted.json(), json!([row(5), row(4)]));
    let plain = get("postgrest", "/items?id=gte.2&offset=1");
    assert_eq!(
        (plain.status, plain.header("content-range")),
        (200, "1-3/*")
    );
    let past = send(
        "GET",
        &format!("{}/items?offset=6", client().space_url("postgrest")),
        ("prefer", "count=exact"),
        "",
    );
    assert_eq!(past.status, 416);
    let refused = get("postgrest", "/items?nn=eq.1");
    assert_eq!(
        (refused.status, refused.json()),
        (400, json!({"message": "unknown column 'nn'"}))
    );
}

#[test]
fn a_server_caps_pages_and_odata_links_to_the_rest() {
    let cap = json!({"paging": {"page_size": 2, "max_page_size": 2}});
    define("odata", dialect("odata"), cap, json!({}));
    let mut target = "/items?$filter=id%20ge%202&$top=3&$count=true".to_owned();
    let mut seen = Vec::new();
    loop {
        let reply = get("odata", &target).json();
        assert_eq!(reply["@odata.count"], 4);
        seen.extend(reply["value"].as_array().unwrap().clone());
        match reply["@odata.nextLink"].as_str() {
            Some(next) => target = next.split_once("/s/odata").unwrap().1.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, [row(2), row(3), row(4)]);
    assert_eq!(client().requests("odata").len(), 2);
}

#[test]
fn a_routes_own_paging_pages_a_dialect_too() {
    let paging = json!({"paging": {"style": "offset", "size_param": "limit", "page_size": 2, "total_header": "X-Total-Count"}});
    define("paged", dialect("suffix"), paging, json!({}));
    let reply = get("paged", "/items?id__gt=1&ordering=-id&offset=2&limit=3");
    assert_eq!(reply.header("x-total-count"), "4");
    assert_eq!(reply.json(), json!([row(3), row(2)]));
}

#[test]
fn documents_are_those_of_their_servers() {
    define("search", dialect("search"), json!({}), json!({}));
    assert_eq!(
        get("search", "/items?q=name:n3").json(),
        json!({"total_count": 1, "items": [row(3)]})
    );
    define(
        "series",
        json!({"name": "prometheus", "endpoint": "series", "columns": {"id": "text"}}),
        json!({}),
        json!({}),
    );
    assert_eq!(
        get("series", "/items?match[]={id=%225%22}").json(),
        json!({"status": "success", "data": [row(5)]})
    );
    define(
        "instant",
        json!({"name": "prometheus", "columns": {"id": "text"}}),
        json!({}),
        json!({}),
    );
    let sample = json!({"metric": row(5), "value": [1700000000, "1"]});
    assert_eq!(
        get("instant", "/items?query={id=%225%22}").json(),
        json!({"status": "success", "data": {"resultType": "vector", "result": [sample]}})
    );
    define("jsonapi", dialect("jsonapi"), json!({}), json!({}));
    assert_eq!(
        get("jsonapi", "/items?filter[id]=2").json(),
        json!({"data": [{"type": "items", "id": "2", "attributes": row(2)}]})
    );
}

#[test]
fn bodies_are_read_and_recorded() {
    let elasticsearch =
        json!({"name": "json", "flavour": "elasticsearch", "columns": {"id": "int8"}});
    define("bodies", elasticsearch, json!({}), json!({}));
    let body = json!({"query": {"range": {"id": {"gte": 4}}}, "size": 1}).to_string();
    let url = format!("{}/items", client().space_url("bodies"));
    let reply = send("POST", &url, ("content-type", "application/json"), &body).json();
    assert_eq!(
        reply["hits"]["total"],
        json!({"value": 2, "relation": "eq"})
    );
    assert_eq!(reply["hits"]["hits"][0]["_source"], row(4));
    let heads = client().request_heads("bodies");
    assert_eq!(
        (heads[0].line().as_str(), heads[0].body.as_str()),
        ("POST /items", body.as_str())
    );
    define("sql", dialect("sql"), json!({}), json!({}));
    let url = format!("{}/items", client().space_url("sql"));
    let text = "SELECT id FROM items WHERE name IN ('n1', 'n4') ORDER BY id DESC LIMIT 1";
    let reply = send("POST", &url, ("content-type", "text/plain"), text);
    assert_eq!(reply.json(), json!([{"id": 4}]));
}

#[test]
fn another_route_counts_and_one_shows_a_single_row() {
    let count = json!({"count_of": "/items", "count_field": "data.n"});
    let single = json!({"dialect": dialect("plain"), "rows": [row(1), row(2)], "shape": "single", "path_filters": {"id": "id"}});
    let others = json!({"/count": count, "/items/{id}": single});
    define(
        "counted",
        dialect("postgrest"),
        json!({"paging": {"max_page_size": 100}}),
        others,
    );
    assert_eq!(
        get("counted", "/count?id=gt.2").json(),
        json!({"data": {"n": 3}})
    );
    assert_eq!(get("counted", "/count?id=gt.x").status, 400);
    assert_eq!(get("counted", "/items/2").json(), row(2));
    assert_eq!(get("counted", "/items/9").status, 404);
}

#[test]
fn numbers_keep_their_digits_on_the_way_in_and_out() {
    let scenario = r#"{"routes": {"/items": {"dialect": {"name": "postgrest", "columns": {"n": "numeric"}},
        "rows": [{"n": 123456789012345678901234567890.10}, {"n": 123456789012345678901234567890.11}]}}}"#;
    client().define_text("digits", scenario);
    let reply = get("digits", "/items?n=gt.123456789012345678901234567890.1");
    assert_eq!(reply.text, r#"[{"n": 123456789012345678901234567890.11}]"#);
    assert_eq!(
        get("digits", "/items?select=s:n.sum()").text,
        r#"[{"s":246913578024691357802469135780.21}]"#
    );
}

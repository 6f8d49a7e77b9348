//! What a client sees of the server: rows, pages, misbehaviour, recordings.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mock_api::Server;
use mock_api::client::Client;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(0).unwrap());

/// Longer than anything here takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(10);

fn client() -> Client {
    Client::new(SERVER.url())
}

fn define(space: &str, route: Value) {
    client().define(space, &json!({"routes": {"/items": route}}));
}

fn connect() -> TcpStream {
    let address: SocketAddr = SERVER
        .url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn ask(mut stream: impl Write, space: &str, target: &str, headers: &str) {
    let text = format!("GET /s/{space}{target} HTTP/1.1\r\nHost: mock.example\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).unwrap();
}

/// A response with a Content-Length, read byte by byte as it was framed.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn read_reply(stream: impl Read) -> io::Result<Reply> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut reply = Reply {
        status: head[9..12].parse().unwrap(),
        head,
        body: String::new(),
    };
    let length = reply
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    reply.body = String::from_utf8(body).unwrap();
    Ok(reply)
}

fn get(space: &str, target: &str) -> Reply {
    let stream = connect();
    ask(&stream, space, target, "");
    read_reply(&stream).unwrap()
}

/// Waits until something is so; false if it never is.
fn eventually(condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

#[test]
fn rows_are_filtered_paged_and_recorded_as_received() {
    define(
        "rows",
        json!({
            "rows": [{"id": 1, "state": "open"}, {"id": 2, "state": "closed"}, {"id": 3, "state": "open"}],
            "shape": {"path": "data.items"},
            "envelope": {"ok": true},
            "filters": [{"param": "state"}],
            "paging": {"style": "next_url", "page_size": 1}
        }),
    );
    let reply = get("rows", "/items?state=%6Fpen");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let next = "http://mock.example/s/rows/items?state=%6Fpen&page=2";
    let row = |id: i32| json!([{"id": id, "state": "open"}]);
    assert_eq!(
        reply.json(),
        json!({"data": {"items": row(1)}, "ok": true, "next": next})
    );
    let reply = get("rows", "/items?state=%6Fpen&page=2");
    assert_eq!(
        reply.json(),
        json!({"data": {"items": row(3)}, "ok": true, "next": null})
    );
    assert_eq!(
        client().requests("rows"),
        ["GET /items?state=%6Fpen", "GET /items?state=%6Fpen&page=2"]
    );
    assert_eq!(
        client().request_heads("rows")[0].header("host"),
        Some("mock.example")
    );
    client().clear("rows");
    assert_eq!(client().requests("rows"), [] as [&str; 0]);
    assert_eq!(get("rows", "/items").status, 200, "the scenario is kept");
}

#[test]
fn a_path_may_name_its_rows() {
    let route = json!({
        "rows": [{"id": 1, "by": "ann"}, {"id": 2, "by": "bob"}],
        "path_filters": {"owner": "by"}, "shape": "single"
    });
    client().define("paths", &json!({"routes": {"/users/{owner}/item": route}}));
    assert_eq!(
        get("paths", "/users/bob/item").json(),
        json!({"id": 2, "by": "bob"})
    );
    assert_eq!(get("paths", "/users/eve/item").status, 404);
    assert_eq!(get("paths", "/users/bob").status, 404);
    let generated = json!({"generate": {"kind": "items", "count": 1_000_000}, "path_filters": {"id": "id"}, "shape": "single"});
    client().define("paths", &json!({"routes": {"/items/{id}": generated}}));
    assert_eq!(get("paths", "/items/77777").json()["id"], 77_777);
    assert_eq!(get("paths", "/items/1000001").status, 404);
}

#[test]
fn generated_rows_come_in_pages_that_are_the_same_each_time() {
    define(
        "generated",
        json!({
            "generate": {"kind": "items", "count": 2500, "seed": 1},
            "filters": [{"param": "min", "field": "score", "op": ">=", "type": "number"}],
            "paging": {"style": "link", "page_size": 1000}
        }),
    );
    let first = get("generated", "/items");
    assert_eq!(first.body.len(), 2 + 1000 * 287 - 1);
    assert_eq!(first.header("link").unwrap().matches("rel=").count(), 2);
    assert_eq!(get("generated", "/items").body, first.body);
    let last = get("generated", "/items?page=3").json();
    assert_eq!(last.as_array().unwrap().len(), 500);
    assert_eq!(last[499]["id"], 2500);
    let all: Vec<Value> = (1..=3)
        .flat_map(|n| {
            get("generated", &format!("/items?page={n}"))
                .json()
                .as_array()
                .unwrap()
                .clone()
        })
        .collect();
    let wanted: Vec<&Value> = all
        .iter()
        .filter(|row| row["score"].as_f64().unwrap() >= 95.0)
        .collect();
    let found = get("generated", "/items?min=95").json();
    assert_eq!(found.as_array().unwrap().iter().collect::<Vec<_>>(), wanted);
    assert_eq!(
        get("generated", "/items?min=x").json(),
        json!({"message": "min: 'x' is not a number"})
    );
}

#[test]
fn scenarios_with_mistakes_are_refused_with_a_message() {
    let refused = std::panic::catch_unwind(|| define("mistake", json!({"rowss": []}))).unwrap_err();
    let message = refused.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("400") && message.contains("unknown field `rowss`"),
        "{message}"
    );
}

#[test]
fn credentials_are_required_where_the_scenario_says() {
    let require = json!({"header": {"authorization": "Bearer x"}, "query": {"api_key": "k v"}, "cookie": {"sid": "1"}});
    define("sign-in", json!({"rows": [], "require": require}));
    let status = |target: &str, headers: &str| {
        let stream = connect();
        ask(&stream, "sign-in", target, headers);
        read_reply(&stream).unwrap().status
    };
    let headers = "AUTHORIZATION: Bearer x\r\nCookie: a=b; sid=1\r\n";
    assert_eq!(status("/items?api_key=k%20v", headers), 200);
    assert_eq!(status("/items", headers), 401);
    assert_eq!(
        status("/items?api_key=k%20v", "Authorization: Bearer x\r\n"),
        401
    );
    assert_eq!(status("/items?api_key=k%20v", "Cookie: sid=1\r\n"), 401);
}

#[test]
fn raw_bodies_headers_and_redirects() {
    client().define(
        "raw",
        &json!({"routes": {
            "/html": {"body": "<html>", "content_type": "text/html", "status": 503, "headers": {"Retry-After": "0"}},
            "/bytes": {"body_base64": "/w=="},
            "/old": {"redirect": "/html"},
            "/away": {"redirect": "http://127.0.0.1:1/x?y=1", "status": 307},
            "/none": {"status": 204}
        }}),
    );
    let html = get("raw", "/html");
    assert_eq!((html.status, html.body.as_str()), (503, "<html>"));
    assert_eq!(
        (html.header("content-type"), html.header("retry-after")),
        (Some("text/html"), Some("0"))
    );
    let stream = connect();
    ask(&stream, "raw", "/bytes", "Connection: close\r\n");
    let mut bytes = Vec::new();
    (&stream).read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"\r\n\r\n\xff"));
    let old = get("raw", "/old?a=1");
    assert_eq!(
        (old.status, old.header("location")),
        (302, Some("/s/raw/html?a=1"))
    );
    let away = get("raw", "/away?a=1");
    assert_eq!(
        (away.status, away.header("location")),
        (307, Some("http://127.0.0.1:1/x?y=1"))
    );
    assert_eq!(get("raw", "/none").header("content-length"), None);
}

#[test]
fn a_library_understands_chunks_and_reuses_its_connection() {
    let paging = json!({"style": "page", "page_size": 10});
    define(
        "keep",
        json!({"generate": {"kind": "items", "count": 100}, "paging": paging, "chunked": true}),
    );
    let agent = ureq::Agent::new_with_defaults();
    for page in 1..=10 {
        let url = format!("{}/items?page={page}", client().space_url("keep"));
        let text = agent
            .get(&url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(rows.len(), 10);
    }
    assert_eq!(client().requests("keep").len(), 10);
    assert_eq!(
        (client().connections("keep"), client().max_in_flight("keep")),
        (1, 1)
    );
    assert_eq!(client().in_flight("keep"), 0);
}

/// The head and the body of `/items` in this space, as bytes.
fn fetch(space: &str) -> (String, Vec<u8>) {
    let stream = connect();
    ask(&stream, space, "/items", "Connection: close\r\n");
    let mut bytes = Vec::new();
    (&stream).read_to_end(&mut bytes).unwrap();
    let at = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    let body = bytes.split_off(at);
    (String::from_utf8(bytes).unwrap(), body)
}

#[test]
fn codings_are_said_and_done_in_order() {
    define(
        "codings",
        json!({"body": "some text", "encoding": "zstd, gzip"}),
    );
    let (head, body) = fetch("codings");
    assert!(head.contains("Content-Encoding: zstd, gzip\r\n"), "{head}");
    let zstd = flate2::read::GzDecoder::new(body.as_slice());
    assert_eq!(zstd::decode_all(zstd).unwrap(), b"some text");
}

#[test]
fn a_stream_is_made_on_the_way() {
    let stream = json!({"head": "[", "part": "{n}", "separator": ",", "times": 4, "tail": "]"});
    define("stream", json!({"stream": stream}));
    let (head, body) = fetch("stream");
    assert!(head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
    assert_eq!(body, b"9\r\n[1,2,3,4]\r\n0\r\n\r\n");
    define("stream", json!({"stream": stream, "content_length": 5}));
    let (head, body) = fetch("stream");
    assert!(head.contains("Content-Length: 5\r\n"), "{head}");
    assert_eq!(body, b"[1,2,3,4]");
}

#[test]
fn a_stream_without_end_ends_with_its_client() {
    let stream = json!({"part": "{n}\n"});
    define("endless", json!({"stream": stream, "encoding": "br"}));
    let mut connection = connect();
    ask(&connection, "endless", "/items", "");
    connection.read_exact(&mut [0; 1000]).unwrap();
    assert_eq!(client().in_flight("endless"), 1);
    drop(connection);
    let begun = Instant::now();
    while client().in_flight("endless") > 0 {
        assert!(begun.elapsed() < PATIENCE, "it goes on without a client");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn gzip_is_said_and_done() {
    define(
        "gzip",
        json!({"generate": {"kind": "items", "count": 10}, "gzip": true}),
    );
    let (head, body) = fetch("gzip");
    assert!(head.contains("Content-Encoding: gzip\r\n"), "{head}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(body.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap().len(), 10);
}

#[test]
fn faults_pass_and_the_next_request_is_answered() {
    let faults = json!([
        {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}, "body": "later"},
        {"kind": "reset"}, {"kind": "close"}, {"kind": "truncate", "after": 3}
    ]);
    define("faults", json!({"rows": [1, 2, 3], "faults": faults}));
    let first = get("faults", "/items");
    assert_eq!(
        (
            first.status,
            first.header("retry-after"),
            first.body.as_str()
        ),
        (503, Some("0"), "later")
    );
    let end = || {
        let stream = connect();
        ask(&stream, "faults", "/items", "");
        let mut text = String::new();
        (&stream).read_to_string(&mut text).map(|_| text)
    };
    assert_eq!(end().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(end().unwrap(), "");
    let cut = end().unwrap();
    assert!(
        cut.contains("Content-Length: 7\r\n") && cut.ends_with("\r\n\r\n[1,"),
        "{cut}"
    );
    assert_eq!(get("faults", "/items").body, "[1,2,3]");
}

#[test]
fn stalls_last_until_released() {
    let faults = json!([{"kind": "stall_before_headers"}, {"kind": "stall_in_body", "after": 2}]);
    define("stalls", json!({"rows": [1, 2, 3], "faults": faults}));
    let short = Some(Duration::from_millis(100));
    for seen in ["", "[1"] {
        let stream = connect();
        ask(&stream, "stalls", "/items", "");
        stream.set_read_timeout(short).unwrap();
        let mut text = Vec::new();
        assert_eq!(
            (&stream).read_to_end(&mut text).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        assert_eq!(
            String::from_utf8(text.clone())
                .unwrap()
                .split("\r\n\r\n")
                .nth(1)
                .unwrap_or_default(),
            seen
        );
        assert_eq!(client().in_flight("stalls"), 1);
        client().release("stalls");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let whole = io::Cursor::new(text).chain(&stream);
        assert_eq!(read_reply(whole).unwrap().body, "[1,2,3]");
    }
}

#[test]
fn a_client_that_hangs_up_ends_its_stall() {
    define(
        "hang-up",
        json!({"rows": [], "faults": [{"kind": "stall_before_headers", "times": 0}]}),
    );
    let streams: Vec<TcpStream> = (0..3).map(|_| connect()).collect();
    for stream in &streams {
        ask(stream, "hang-up", "/items", "");
    }
    assert!(eventually(|| client().in_flight("hang-up") == 3));
    streams[0].shutdown(Shutdown::Both).unwrap();
    assert!(eventually(|| client().in_flight("hang-up") == 2));
    drop(streams);
    assert!(eventually(|| client().in_flight("hang-up") == 0));
    assert_eq!(
        (
            client().max_in_flight("hang-up"),
            client().connections("hang-up")
        ),
        (3, 3)
    );
}

#[test]
fn answers_can_be_late_and_slow() {
    let took = |space: &str, route: Value| {
        define(space, route);
        let start = Instant::now();
        assert_eq!(get(space, "/items").body, "[1]");
        start.elapsed()
    };
    let late = Duration::from_millis(60);
    assert!(took("late", json!({"rows": [1], "delay_ms": 60})) >= late);
    assert!(
        took(
            "delay",
            json!({"rows": [1], "faults": [{"kind": "delay", "ms": 60}]})
        ) >= late
    );
    let drip = json!({"kind": "drip", "bytes_per_write": 10, "interval_ms": 10});
    assert!(took("drip", json!({"rows": [1], "faults": [drip]})) >= late);
}

#[test]
fn a_fault_of_a_page_happens_on_that_page_only() {
    let paging = json!({"style": "offset", "page_size": 1});
    define(
        "page-fault",
        json!({"rows": [1, 2, 3], "paging": paging, "faults": [{"kind": "status", "status": 500, "on_page": 2}]}),
    );
    let statuses: Vec<u16> = [0, 1, 1, 2]
        .iter()
        .map(|n| get("page-fault", &format!("/items?offset={n}")).status)
        .collect();
    assert_eq!(statuses, [200, 500, 200, 200]);
}

#[test]
fn tls_answers_with_a_certificate_that_only_signs_itself() {
    define(
        "tls",
        json!({"rows": [1], "paging": {"style": "next_url"}, "shape": {"path": "rows"}}),
    );
    let ask_over_tls = |roots: rustls::RootCertStore| -> io::Result<Reply> {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let address: SocketAddr = SERVER
            .tls_url()
            .strip_prefix("https://")
            .unwrap()
            .parse()
            .unwrap();
        let mut stream = rustls::StreamOwned::new(session, TcpStream::connect(address)?);
        stream.write_all(b"GET /s/tls/items HTTP/1.1\r\nHost: h\r\n\r\n")?;
        read_reply(stream)
    };
    let stranger = ask_over_tls(rustls::RootCertStore::empty()).unwrap_err();
    assert!(stranger.to_string().contains("UnknownIssuer"), "{stranger}");
    let mut roots = rustls::RootCertStore::empty();
    let info = client().info();
    roots
        .add(CertificateDer::from_pem_slice(info.certificate_pem.as_bytes()).unwrap())
        .unwrap();
    assert_eq!(
        ask_over_tls(roots).unwrap().json(),
        json!({"rows": [1], "next": null})
    );
    assert_eq!(client().requests("tls"), ["GET /items"]);
}

#[test]
fn a_silent_port_takes_any_number_of_connections_and_says_nothing() {
    let connect = || TcpStream::connect(("127.0.0.1", client().info().silent_port)).unwrap();
    for _ in 0..200 {
        drop(connect());
    }
    let stream = connect();
    (&stream).write_all(b"hello?").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert_eq!(
        (&stream).read(&mut [0; 1]).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
}

#[test]
fn earthquakes_are_found_with_and_without_a_space() {
    let target = "/fdsnws/event/1/query?format=geojson&minmagnitude=6&orderby=magnitude&limit=2";
    let reply = get("quakes", target);
    let found = reply.json();
    assert_eq!(found["metadata"]["count"], 2);
    assert_eq!(
        (&found["metadata"]["limit"], &found["metadata"]["offset"]),
        (&json!(2), &json!(1))
    );
    assert!(
        found["features"][0]["properties"]["mag"].as_f64()
            >= found["features"][1]["properties"]["mag"].as_f64()
    );
    assert_eq!(found["bbox"].as_array().unwrap().len(), 6);
    assert_eq!(client().requests("quakes"), [format!("GET {target}")]);
    let file = include_str!("../data/earthquakes.geojson");
    let features = reply
        .body
        .split_once("\"features\":[")
        .unwrap()
        .1
        .rsplit_once("],\"bbox\"")
        .unwrap()
        .0;
    assert!(
        features.split(",\n").all(|feature| file.contains(feature)),
        "features are as in the file"
    );

    let plain = ureq::get(format!(
        "{}/fdsnws/event/1/count?minmagnitude=6",
        SERVER.url()
    ))
    .call()
    .unwrap();
    let count: usize = plain.into_body().read_to_string().unwrap().parse().unwrap();
    let counted = get(
        "quakes",
        "/fdsnws/event/1/count?format=geojson&minmagnitude=6",
    )
    .json();
    assert_eq!(counted, json!({"count": count, "maxAllowed": 20_000}));
    assert_eq!(
        get("quakes", "/fdsnws/event/1/query?format=geojson").json()["features"]
            .as_array()
            .unwrap()
            .len(),
        1707
    );
}

#[test]
fn earthquake_errors_are_text_in_the_services_style() {
    let target = "/fdsnws/event/1/query?format=geojson&limit=0";
    let refused = get("quake-errors", target);
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (400, Some("text/plain"))
    );
    assert!(
        refused
            .body
            .starts_with("Error 400: Bad Request\n\nBad limit value \"0\"."),
        "{}",
        refused.body
    );
    assert!(refused.body.contains(&format!("\nRequest:\n{target}\n")));
    for target in [
        "query",
        "query?format=quakeml",
        "query?format=geojson&mag=1",
        "count?format=csv",
    ] {
        assert_eq!(
            get("quake-errors", &format!("/fdsnws/event/1/{target}")).status,
            400,
            "{target}"
        );
    }
}

#[test]
fn what_is_not_http_gets_a_400_and_the_connection_ends() {
    let stream = connect();
    (&stream).write_all(b"\x16\x03\x01\r\n\r\n").unwrap();
    assert_eq!(read_reply(&stream).unwrap().status, 400);
    assert_eq!((&stream).read(&mut [0; 1]).unwrap(), 0);
}

//! What is left after a server stops: nothing. A process of its own, since it counts threads and descriptors.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mock_api::Server;
use mock_api::client::Client;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// A thread that was joined may stand in /proc for a moment longer.
fn settles_at(folder: &str, expected: usize) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while entries(folder) != expected && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
    entries(folder) == expected
}

#[test]
fn a_stopped_server_leaves_no_thread_and_no_descriptor() {
    let before = (entries("/proc/self/task"), entries("/proc/self/fd"));
    let server = Server::start(0).unwrap();
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let client = Client::new(server.url());
    client.define("a", &json!({"routes": {"/x": {"rows": [], "faults": [{"kind": "stall_before_headers", "times": 0}]}}}));
    let streams: Vec<TcpStream> = (0..4)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    for mut stream in &streams[..3] {
        stream.write_all(b"GET /s/a/x HTTP/1.1\r\n\r\n").unwrap();
    }
    let end = Instant::now() + Duration::from_secs(5);
    while client.in_flight("a") < 3 && Instant::now() < end {}
    assert!(entries("/proc/self/task") >= before.0 + 7);
    let start = Instant::now();
    drop(server);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "stopping took {:?}",
        start.elapsed()
    );
    for mut stream in &streams {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    assert!(TcpStream::connect(&address).is_err());
    drop((streams, client));
    assert!(settles_at("/proc/self/task", before.0));
    assert!(settles_at("/proc/self/fd", before.1));
}

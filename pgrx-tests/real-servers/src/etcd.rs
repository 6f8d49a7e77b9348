//! How is etcd started and given its keys?

use crate::http;
use crate::process::{LOG, Process};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::process::Command;

const PROGRAM: &str = "/usr/bin/etcd";

/// A running etcd of one member. Dropping it ends it and removes its data.
pub struct Etcd {
    process: Process,
    port: u16,
}

impl Etcd {
    /// Starts one without keys.
    ///
    /// # Errors
    /// Debian's package `etcd-server` is not installed.
    pub fn start() -> Result<Etcd, String> {
        let mut process = Process::in_new_folder("etcd")?;
        let [port, _] = process.start(
            |process, [clients, peers]| Ok(command(process, clients, peers)),
            |_, [clients, _]| http::get(clients, "/health").is_ok_and(|text| text.contains("true")),
        )?;
        Ok(Etcd { process, port })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it logs.
    pub fn log(&self) -> String {
        self.process.read(LOG)
    }

    /// Gives a key its value, over the gateway that speaks JSON.
    ///
    /// # Errors
    /// It refuses them, or has ended.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let body = json!({"key": STANDARD.encode(key), "value": STANDARD.encode(value)});
        http::post(self.port, "/v3/kv/put", &body.to_string()).map(drop)
    }
}

fn command(process: &Process, clients: u16, peers: u16) -> Command {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let mut command = Command::new(PROGRAM);
    command
        .arg("--data-dir")
        .arg(process.file("data"))
        .args(["--name", "test"])
        .args(["--listen-client-urls", &url(clients)])
        .args(["--advertise-client-urls", &url(clients)])
        .args(["--listen-peer-urls", &url(peers)])
        .args(["--initial-advertise-peer-urls", &url(peers)])
        .args(["--initial-cluster", &format!("test={}", url(peers))]);
    command
}

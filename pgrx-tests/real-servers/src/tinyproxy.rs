//! How is tinyproxy started, and what did it pass on?

use crate::process::{Process, listens};
use std::process::Command;

const PROGRAM: &str = "/usr/bin/tinyproxy";

/// A running tinyproxy. Dropping it ends it and removes its folder.
pub struct Tinyproxy {
    process: Process,
    port: u16,
}

impl Tinyproxy {
    /// One that makes tunnels to `connect_port` only, and passes on plain requests to wherever.
    ///
    /// # Errors
    /// Debian's package `tinyproxy` is not installed.
    pub fn tunnelling_to(connect_port: u16) -> Result<Tinyproxy, String> {
        let mut process = Process::in_new_folder("tinyproxy")?;
        let [port] = process.start(
            |process, [port]| {
                process.write(
                    "tinyproxy.conf",
                    &configuration(process, port, connect_port),
                )?;
                let mut command = Command::new(PROGRAM);
                command
                    .arg("-d")
                    .arg("-c")
                    .arg(process.file("tinyproxy.conf"));
                Ok(command)
            },
            |_, [port]| listens(port),
        )?;
        Ok(Tinyproxy { process, port })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it logs: each request's first line among it.
    pub fn log(&self) -> String {
        self.process.read("proxy.log")
    }
}

fn configuration(process: &Process, port: u16, connect_port: u16) -> String {
    format!(
        "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Connect\nLogFile \"{}\"\nPidFile \"{}\"\nConnectPort {connect_port}\n",
        process.file("proxy.log").display(),
        process.file("pid").display(),
    )
}

//! The mock API as a program: `mock-api [--port N] [--port-file PATH]`, until it is terminated.
#![forbid(unsafe_code)]

use mock_api::Server;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: mock-api [--port N] [--port-file PATH]";

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("mock-api: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<std::convert::Infallible, Box<dyn Error>> {
    let (port, port_file) = arguments(std::env::args().skip(1))?;
    let server = Server::start(port)
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}"))?;
    if let Some(path) = port_file {
        let port = server.url().rsplit(':').next().unwrap_or_default();
        write_at_once(&path, port)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    println!("mock API listening on {}", server.url());
    loop {
        std::thread::park();
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(u16, Option<PathBuf>), String> {
    let (mut port, mut port_file) = (0, None);
    while let Some(name) = given.next() {
        let mut value = || {
            given
                .next()
                .ok_or_else(|| format!("{name} needs a value; {USAGE}"))
        };
        match name.as_str() {
            "--port" => {
                port = value()?
                    .parse()
                    .map_err(|_| format!("--port is not a port; {USAGE}"))?
            }
            "--port-file" => port_file = Some(PathBuf::from(value()?)),
            _ => return Err(format!("unknown argument {name}; {USAGE}")),
        }
    }
    Ok((port, port_file))
}

/// Writes beside the path and renames, so that whoever waits for the file never reads half of it.
fn write_at_once(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

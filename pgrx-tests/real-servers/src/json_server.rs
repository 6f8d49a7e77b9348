//! How is json-server started and given its rows?

use serde_json::Value;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program that serves, which `pgrx-tests/json-server` holds beside the lock file of what it uses.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../json-server/server.js");

/// A running json-server 0.17.4 with rows that can be changed.
pub struct JsonServer {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl JsonServer {
    /// Starts it without any rows.
    ///
    /// # Errors
    /// Node.js or json-server is not installed.
    pub fn start() -> Result<JsonServer, String> {
        let modules = modules();
        if !modules.join("json-server").is_dir() {
            return Err(format!(
                "{} has no json-server: run scripts/setup.sh test",
                modules.display()
            ));
        }
        let mut process = Command::new("node")
            .arg(PROGRAM)
            .env("NODE_PATH", &modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}; run scripts/setup.sh test"))?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("node has no standard input and output".to_owned());
        };
        let mut server = JsonServer {
            process,
            orders,
            answers: BufReader::new(answers),
            port: 0,
        };
        let port = server.answer()?;
        server.port = port
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| format!("json-server tells {port}, which is no port"))?;
        Ok(server)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Serves other tables: `rows` is a JSON object of arrays of objects, without line breaks.
    ///
    /// # Errors
    /// It refuses the rows, or has ended.
    pub fn serve(&mut self, rows: &str) -> Result<(), String> {
        self.order(&format!("{{\"rows\": {rows}}}")).map(drop)
    }

    /// The requests since the rows were set, or since the last call: `GET /t?id=1`.
    ///
    /// # Errors
    /// It has ended.
    pub fn take_requests(&mut self) -> Result<Vec<String>, String> {
        let requests = self.order("{\"requests\": true}")?;
        let requests = requests.as_array().into_iter().flatten();
        Ok(requests
            .filter_map(|request| Some(request.as_str()?.to_owned()))
            .collect())
    }

    fn order(&mut self, order: &str) -> Result<Value, String> {
        writeln!(self.orders, "{order}")
            .and_then(|()| self.orders.flush())
            .map_err(|error| format!("json-server has ended: {error}"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let length = self
            .answers
            .read_line(&mut line)
            .map_err(|error| format!("json-server cannot be read: {error}"))?;
        if length == 0 {
            return Err("json-server has ended; what it says is on standard error".to_owned());
        }
        serde_json::from_str(&line).map_err(|error| format!("json-server says {line}: {error}"))
    }
}

impl Drop for JsonServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `scripts/setup.sh` installs what the program needs.
fn modules() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    target.join("json-server/node_modules")
}

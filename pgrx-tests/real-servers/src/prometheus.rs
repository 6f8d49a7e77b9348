//! How is Prometheus started, with samples of exact times or scraping itself?

use crate::open_metrics::OpenMetrics;
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/bin/prometheus";
const TOOL: &str = "/usr/bin/promtool";
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How often another port is tried when somebody else took the one that was free a moment ago.
const ATTEMPTS: usize = 5;

/// A running Prometheus. Dropping it ends it and removes its folder.
pub struct Prometheus {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl Prometheus {
    /// One that scrapes nothing and holds these samples.
    ///
    /// # Errors
    /// Debian's package `prometheus` is not installed, or the samples are refused.
    pub fn with_samples(samples: &OpenMetrics) -> Result<Prometheus, String> {
        let mut server = Prometheus::in_new_folder()?;
        if !samples.is_empty() {
            server.import(samples)?;
        }
        server.start(|_| json!([]))?;
        Ok(server)
    }

    /// One that scrapes itself each second, as the job `itself`; its targets have the given labels.
    ///
    /// # Errors
    /// Debian's package `prometheus` is not installed.
    pub fn scraping_itself(labels: &Value) -> Result<Prometheus, String> {
        let mut server = Prometheus::in_new_folder()?;
        server.start(|port| {
            let targets = [format!("127.0.0.1:{port}")];
            json!([{
                "job_name": "itself",
                "static_configs": [{"targets": targets, "labels": labels}],
            }])
        })?;
        Ok(server)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it logs.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("prometheus.log")).unwrap_or_default()
    }

    /// The parameters of the queries that it has evaluated for its API so far: `query`, `start`, `end` and `step`.
    ///
    /// # Errors
    /// The log of queries cannot be read.
    pub fn queries(&self) -> Result<Vec<Value>, String> {
        let file = self.folder.join("queries.log");
        let log =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parameters = |line: &str| {
            let entry: Value =
                serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            Ok(entry["params"].clone())
        };
        log.lines().map(parameters).collect()
    }

    fn in_new_folder() -> Result<Prometheus, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rest_fdw-prometheus-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Prometheus {
            process: None,
            port: 0,
            folder,
        })
    }

    fn import(&self, samples: &OpenMetrics) -> Result<(), String> {
        let file = self.folder.join("samples.txt");
        let text = samples.text();
        fs::write(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
        let output = Command::new(TOOL)
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .arg(&file)
            .arg(self.folder.join("data"))
            .output()
            .map_err(|error| not_installed(TOOL, &error))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{TOOL} refuses samples: {message}\n{text}"));
        }
        Ok(())
    }

    fn start(&mut self, scrapes: impl Fn(u16) -> Value) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            self.port = free_port().map_err(|error| format!("no port is free: {error}"))?;
            self.spawn(&scrapes(self.port))?;
            if self.becomes_ready()? {
                return Ok(());
            }
        }
        Err(format!("{PROGRAM} does not start:\n{}", self.log()))
    }

    fn spawn(&mut self, scrapes: &Value) -> Result<(), String> {
        let problem = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        // JSON is YAML.
        let config = json!({
            "global": {"scrape_interval": "1s", "query_log_file": self.folder.join("queries.log")},
            "scrape_configs": scrapes,
        });
        let file = self.folder.join("prometheus.yml");
        fs::write(&file, config.to_string()).map_err(problem)?;
        let log = File::create(self.folder.join("prometheus.log")).map_err(problem)?;
        let data = self.folder.join("data");
        let process = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            // Samples may be of any time.
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| not_installed(PROGRAM, &error))?;
        self.process = Some(process);
        Ok(())
    }

    /// Whether it answers; if not, it has ended.
    fn becomes_ready(&mut self) -> Result<bool, String> {
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            let ended = self
                .process
                .as_mut()
                .is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended {
                return Ok(false);
            }
            if is_ready(self.port) {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{PROGRAM} is not ready:\n{}", self.log()))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn not_installed(program: &str, error: &std::io::Error) -> String {
    format!("{program}: {error}; install Debian's package prometheus (scripts/setup.sh test)")
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Whether the management API says that it serves.
fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.0 200"))
}

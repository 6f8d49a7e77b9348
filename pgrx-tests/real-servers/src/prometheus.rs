//! How is Prometheus started, with samples of exact times or scraping itself?

use crate::http;
use crate::open_metrics::OpenMetrics;
use crate::process::{LOG, Process};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

const PROGRAM: &str = "/usr/bin/prometheus";
const TOOL: &str = "/usr/bin/promtool";

/// A running Prometheus. Dropping it ends it and removes its folder.
pub struct Prometheus {
    process: Process,
    port: u16,
}

impl Prometheus {
    /// One that scrapes nothing and holds these samples.
    ///
    /// # Errors
    /// Debian's package `prometheus` is not installed, or the samples are refused.
    pub fn with_samples(samples: &OpenMetrics) -> Result<Prometheus, String> {
        let process = Process::in_new_folder("prometheus")?;
        if !samples.is_empty() {
            import(&process, samples)?;
        }
        Prometheus::started(process, |_| json!([]))
    }

    /// One that scrapes itself each second, as the job `itself`; its targets have the given labels.
    ///
    /// # Errors
    /// Debian's package `prometheus` is not installed.
    pub fn scraping_itself(labels: &Value) -> Result<Prometheus, String> {
        let process = Process::in_new_folder("prometheus")?;
        Prometheus::started(process, |port| {
            let targets = [format!("127.0.0.1:{port}")];
            json!([{
                "job_name": "itself",
                "static_configs": [{"targets": targets, "labels": labels}],
            }])
        })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it logs.
    pub fn log(&self) -> String {
        self.process.read(LOG)
    }

    /// The parameters of the queries that it has evaluated for its API so far: `query`, `start`, `end` and `step`.
    ///
    /// # Errors
    /// The log of queries cannot be read.
    pub fn queries(&self) -> Result<Vec<Value>, String> {
        let file = self.process.file("queries.log");
        let log =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parameters = |line: &str| {
            let entry: Value =
                serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            Ok(entry["params"].clone())
        };
        log.lines().map(parameters).collect()
    }

    fn started(mut process: Process, scrapes: impl Fn(u16) -> Value) -> Result<Prometheus, String> {
        let [port] = process.start(
            |process, [port]| command(process, port, &scrapes(port)),
            // The management API says whether it serves.
            |_, [port]| http::get(port, "/-/ready").is_ok(),
        )?;
        Ok(Prometheus { process, port })
    }
}

fn import(process: &Process, samples: &OpenMetrics) -> Result<(), String> {
    let text = samples.text();
    process.write("samples.txt", &text)?;
    let output = Command::new(TOOL)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(process.file("samples.txt"))
        .arg(process.file("data"))
        .output()
        .map_err(|error| format!("{TOOL}: {error}; run scripts/setup.sh test"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{TOOL} refuses samples: {message}\n{text}"));
    }
    Ok(())
}

fn command(process: &Process, port: u16, scrapes: &Value) -> Result<Command, String> {
    // JSON is YAML.
    let config = json!({
        "global": {"scrape_interval": "1s", "query_log_file": process.file("queries.log")},
        "scrape_configs": scrapes,
    });
    process.write("prometheus.yml", &config.to_string())?;
    let file = |name: &str| process.file(name).display().to_string();
    let mut command = Command::new(PROGRAM);
    command
        .arg(format!("--config.file={}", file("prometheus.yml")))
        .arg(format!("--storage.tsdb.path={}", file("data")))
        // Samples may be of any time.
        .arg("--storage.tsdb.retention.time=100y")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    Ok(command)
}

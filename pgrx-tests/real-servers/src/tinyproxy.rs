//! How is tinyproxy started, and what did it pass on?

use crate::nginx::free_port;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/bin/tinyproxy";
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// How often another port is tried when somebody else took the one that was free a moment ago.
const ATTEMPTS: usize = 5;

/// A running tinyproxy. Dropping it ends it and removes its folder.
pub struct Tinyproxy {
    process: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Tinyproxy {
    /// One that makes tunnels to `connect_port` only, and passes on plain requests to wherever.
    ///
    /// # Errors
    /// Debian's package `tinyproxy` is not installed.
    pub fn tunnelling_to(connect_port: u16) -> Result<Tinyproxy, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rest_fdw-tinyproxy-{}-{number}", std::process::id());
        let mut proxy = Tinyproxy {
            process: None,
            folder: env::temp_dir().join(name),
            port: 0,
        };
        fs::create_dir_all(&proxy.folder)
            .map_err(|error| format!("{}: {error}", proxy.folder.display()))?;
        for _ in 0..ATTEMPTS {
            if proxy.start(connect_port)? {
                return Ok(proxy);
            }
        }
        Err(format!("tinyproxy does not start: {}", proxy.log()))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it logs: each request's first line among it.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// `false`: the port was taken.
    fn start(&mut self, connect_port: u16) -> Result<bool, String> {
        self.port = free_port()?;
        let configuration = self.folder.join("tinyproxy.conf");
        let text = format!(
            "Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Connect\nLogFile \"{}\"\nPidFile \"{}\"\nConnectPort {connect_port}\n",
            self.port,
            self.folder.join("log").display(),
            self.folder.join("pid").display(),
        );
        fs::write(&configuration, text)
            .map_err(|error| format!("{}: {error}", configuration.display()))?;
        let mut process = Command::new(PROGRAM)
            .arg("-d")
            .arg("-c")
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{PROGRAM}: {error}; run scripts/setup.sh test"))?;
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            if process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Ok(false);
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                self.process = Some(process);
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        let _ = process.wait();
        Err(format!("tinyproxy does not listen: {}", self.log()))
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

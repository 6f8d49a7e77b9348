//! How does a server's process start on free ports and end with its folder?

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How often other ports are tried when somebody else took those that were free a moment ago.
const ATTEMPTS: usize = 5;

/// A server's process and its folder. Dropping it ends the process and removes the folder.
pub(crate) struct Process {
    name: &'static str,
    running: Option<Child>,
    folder: PathBuf,
}

impl Process {
    /// None yet, with a folder of its own.
    pub(crate) fn in_new_folder(name: &'static str) -> Result<Process, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("rest_fdw-{name}-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Process {
            name,
            running: None,
            folder,
        })
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text of a file in its folder, as far as there is one.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Writes a file in its folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let file = self.file(name);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Starts what `command` makes of free ports, and waits until `is_ready`; returns the ports. What the process says
    /// is in its file `log`.
    pub(crate) fn start<const PORTS: usize>(
        &mut self,
        command: impl Fn(&Process, [u16; PORTS]) -> Result<Command, String>,
        is_ready: impl Fn(&Process, [u16; PORTS]) -> bool,
    ) -> Result<[u16; PORTS], String> {
        for _ in 0..ATTEMPTS {
            let ports = free_ports()?;
            let command = command(self, ports)?;
            self.spawn(command)?;
            if self.becomes_ready(|process| is_ready(process, ports))? {
                return Ok(ports);
            }
        }
        Err(format!("{} does not start:\n{}", self.name, self.read(LOG)))
    }

    fn spawn(&mut self, mut command: Command) -> Result<(), String> {
        let file = self.file(LOG);
        let log =
            fs::File::create(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| {
                let program = command.get_program().display();
                format!("{program}: {error}; run scripts/setup.sh test")
            })?;
        self.running = Some(process);
        Ok(())
    }

    /// `false`: it has ended, as where a port was taken.
    fn becomes_ready(&mut self, is_ready: impl Fn(&Process) -> bool) -> Result<bool, String> {
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            let ended = self
                .running
                .as_mut()
                .is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended {
                return Ok(false);
            }
            if is_ready(self) {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{} is not ready:\n{}", self.name, self.read(LOG)))
    }
}

/// What a process says on standard error.
pub(crate) const LOG: &str = "log";

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(process) = &mut self.running {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether something listens on a port of 127.0.0.1.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Ports of 127.0.0.1 that are free at this moment.
fn free_ports<const PORTS: usize>() -> Result<[u16; PORTS], String> {
    let problem = |error: std::io::Error| format!("no port is free: {error}");
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All are held at once, so that they differ.
    let mut held = Vec::with_capacity(PORTS);
    let mut ports = [0; PORTS];
    for port in &mut ports {
        let listener = bind().map_err(problem)?;
        *port = listener.local_addr().map_err(problem)?.port();
        held.push(listener);
    }
    Ok(ports)
}

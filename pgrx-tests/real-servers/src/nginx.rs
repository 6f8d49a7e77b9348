//! How is nginx started: static pages over HTTP, TLS with a private authority, and a Unix socket?

use crate::authority::Authority;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/sbin/nginx";
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const WRITES_WITHIN: Duration = Duration::from_secs(10);
/// How often other ports are tried when somebody else took those that were free a moment ago.
const ATTEMPTS: usize = 5;

/// A running nginx. Dropping it ends it and removes its folder.
pub struct Nginx {
    process: Option<Child>,
    folder: PathBuf,
    /// Plain, TLS, and TLS for clients with a certificate of the authority.
    ports: [u16; 3],
}

impl Nginx {
    /// One that serves `rows` (JSON) at `/items.json`, and to the user `anna` with the password `geheim` at `/basic/items.json`.
    ///
    /// In its folder are `ca.pem`, which vouches for `127.0.0.1`, `other-ca.pem`, which does not, `client.pem`, which the
    /// third port lets in, and `stranger.pem`, which it does not.
    ///
    /// # Errors
    /// Debian's package `nginx-light` is not installed.
    pub fn serving(rows: &str) -> Result<Nginx, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rest_fdw-nginx-{}-{number}", std::process::id());
        let mut server = Nginx {
            process: None,
            folder: env::temp_dir().join(name),
            ports: [0; 3],
        };
        server.prepare(rows)?;
        for _ in 0..ATTEMPTS {
            if server.start()? {
                return Ok(server);
            }
        }
        Err(format!(
            "nginx does not start: {}",
            server.read("error.log")
        ))
    }

    /// The URL of the plain port.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// The URL of the TLS port.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports[1])
    }

    /// The TLS port, for other names of the machine.
    pub fn tls_port(&self) -> u16 {
        self.ports[1]
    }

    /// The URL of the port that wants a certificate of its clients.
    pub fn mutual_tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports[2])
    }

    /// The path of a file in its folder; `socket` is the Unix socket.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The requests so far: `GET /items.json HTTP/1.1 -> 200, connection 1, gzip 2.41, certificate CN=client`. It writes a
    /// request down after it has answered, so this waits a moment until there are `expected` ones.
    pub fn requests(&self, expected: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let log = self.read("access.log");
            let requests: Vec<String> = log.lines().map(str::to_owned).collect();
            if requests.len() >= expected || began.elapsed() > WRITES_WITHIN {
                return requests;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn prepare(&self, rows: &str) -> Result<(), String> {
        let (authority, other) = (Authority::new()?, Authority::new()?);
        let (certificate, key) = authority.issue("127.0.0.1")?;
        let client = authority.issue("client")?;
        let stranger = other.issue("stranger")?;
        for folder in ["www/basic", "temporary"] {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        for (name, text) in [
            ("www/items.json", rows),
            ("www/basic/items.json", rows),
            ("users", "anna:{PLAIN}geheim\n"),
            ("ca.pem", authority.certificate()),
            ("other-ca.pem", other.certificate()),
            ("server.pem", &certificate),
            ("server.key", &key),
            ("client.pem", &format!("{}{}", client.0, client.1)),
            ("stranger.pem", &format!("{}{}", stranger.0, stranger.1)),
            ("mixed.pem", &format!("{}{}", client.0, stranger.1)),
        ] {
            let file = self.folder.join(name);
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(())
    }

    /// `false`: a port was taken.
    fn start(&mut self) -> Result<bool, String> {
        for port in &mut self.ports {
            *port = free_port()?;
        }
        let configuration = self.folder.join("nginx.conf");
        fs::write(&configuration, self.configuration())
            .map_err(|error| format!("{}: {error}", configuration.display()))?;
        let mut process = Command::new(PROGRAM)
            .arg("-p")
            .arg(&self.folder)
            .arg("-c")
            .arg(&configuration)
            .args(["-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{PROGRAM}: {error}; run scripts/setup.sh test"))?;
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            if process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Ok(false);
            }
            let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
            if self.ports.iter().all(listens) && Path::new(&self.file("socket")).exists() {
                self.process = Some(process);
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        let _ = process.wait();
        Err(format!("nginx does not listen: {}", self.read("error.log")))
    }

    fn configuration(&self) -> String {
        let [plain, tls, mutual] = self.ports;
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|of| format!("{of}_temp_path temporary/{of};\n"))
            .collect();
        format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;
             events {{}}
             http {{
               {temporary}
               log_format seen '$request -> $status, connection $connection, gzip $gzip_ratio, certificate $ssl_client_s_dn';
               access_log access.log seen;
               default_type application/json;
               types {{ }}
               gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;
               root www;
               ssl_certificate server.pem; ssl_certificate_key server.key;
               server {{ listen 127.0.0.1:{plain}; listen unix:{socket}; }}
               server {{ listen 127.0.0.1:{tls} ssl;
                 location /basic/ {{ auth_basic 'who are you'; auth_basic_user_file users; }} }}
               server {{ listen 127.0.0.1:{mutual} ssl; ssl_client_certificate ca.pem; ssl_verify_client on; }}
             }}",
            socket = self.file("socket"),
        )
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A port of 127.0.0.1 that is free at this moment.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

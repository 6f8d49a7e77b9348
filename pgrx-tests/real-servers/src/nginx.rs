//! How is nginx started: static pages over HTTP, TLS with a private authority, and a Unix socket?

use crate::authority::Authority;
use crate::process::{Process, listens};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/sbin/nginx";
const WRITES_WITHIN: Duration = Duration::from_secs(10);

/// A running nginx. Dropping it ends it and removes its folder.
pub struct Nginx {
    process: Process,
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
        let mut process = Process::in_new_folder("nginx")?;
        prepare(&process, rows)?;
        let ports = process.start(
            |process, ports| {
                process.write("nginx.conf", &configuration(process, ports))?;
                let mut command = Command::new(PROGRAM);
                command
                    .arg("-p")
                    .arg(process.folder())
                    .arg("-c")
                    .arg(process.file("nginx.conf"))
                    .args(["-e", "error.log"]);
                Ok(command)
            },
            |process, ports| ports.into_iter().all(listens) && process.file("socket").exists(),
        )?;
        Ok(Nginx { process, ports })
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
        self.process.file(name).display().to_string()
    }

    /// The requests so far: `GET /items.json HTTP/1.1 -> 200, connection 1, gzip 2.41, certificate CN=client`. It writes a
    /// request down after it has answered, so this waits a moment until there are `expected` ones.
    pub fn requests(&self, expected: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let log = self.process.read("access.log");
            let requests: Vec<String> = log.lines().map(str::to_owned).collect();
            if requests.len() >= expected || began.elapsed() > WRITES_WITHIN {
                return requests;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn prepare(process: &Process, rows: &str) -> Result<(), String> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let (certificate, key) = authority.issue("127.0.0.1")?;
    let client = authority.issue("client")?;
    let stranger = other.issue("stranger")?;
    for folder in ["www/basic", "temporary"] {
        let folder = process.file(folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
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
        process.write(name, text)?;
    }
    Ok(())
}

fn configuration(process: &Process, [plain, tls, mutual]: [u16; 3]) -> String {
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
        socket = process.file("socket").display(),
    )
}

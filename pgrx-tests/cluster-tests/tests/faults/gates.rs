//! How is the API reached where connections are refused, or fail in the TLS handshake?

use crate::table::Strike;
use cluster_tests::mock_api;
use mock_api::{Gate, Obstacle};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A gate in front of the mock API, and whom to trust behind it.
pub struct Entrance {
    gate: Gate,
    scheme: &'static str,
    certificate: Option<PathBuf>,
}

impl Entrance {
    /// One whose connection after the first `before` ones is struck; nothing where the strike is another one.
    pub fn new(strike: &Strike, before: usize) -> Option<Entrance> {
        let (url, scheme, obstacle) = match strike {
            Strike::Refusal => (mock_api().url(), "http", Obstacle::Refuse),
            Strike::Handshake => (mock_api().tls_url(), "https", Obstacle::BreakHandshake),
            Strike::Faults(_) | Strike::DuplicatePage => return None,
        };
        let (_, address) = url.split_once("://").unwrap();
        let upstream: SocketAddr = address.parse().unwrap();
        Some(Entrance {
            gate: Gate::start(upstream, obstacle, before, 1).unwrap(),
            scheme,
            certificate: (scheme == "https").then(certificate),
        })
    }

    /// A URL of the mock API, by way of this gate.
    pub fn url(&self, direct: &str) -> String {
        let origin = format!("{}://{}", self.scheme, self.gate.address());
        direct.replace(mock_api().url(), &origin)
    }

    /// The option of a server that trusts it.
    pub fn ca_file(&self) -> String {
        let file = self.certificate.as_ref();
        file.map_or_else(String::new, |file| {
            format!(", ca_file '{}'", file.display())
        })
    }

    /// Refuses no more.
    pub fn open(&self) {
        self.gate.open().unwrap();
    }
}

/// The mock API's certificate in a file of its own.
fn certificate() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("rest_fdw-faults-{}-{number}.pem", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, &mock_api().info().certificate_pem).unwrap();
    file
}

impl Drop for Entrance {
    fn drop(&mut self) {
        if let Some(file) = &self.certificate {
            let _ = std::fs::remove_file(file);
        }
    }
}

//! The connections of a client: how they are made, and which of them are kept.

use super::egress::Egress;
use super::transport::{Established, LaterResolver, Network, TcpConnector};
use crate::model::Source;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector, RustlsConnector};

/// How long a connection is kept that nobody uses: less than servers keep theirs, as a rule.
const MOST_IDLE: Duration = Duration::from_secs(60);

/// Connections that are kept at most.
const MOST_KEPT: usize = 8;

/// The connections, and how they are made.
pub(super) struct Pool {
    agent: Mutex<Agent>,
    config: Config,
    network: Network,
    egress: Egress,
}

impl Pool {
    pub(super) fn new(source: &Source, network: Network, egress: Egress) -> Self {
        let config = config(source);
        Pool {
            agent: Mutex::new(agent(&config, &network, &egress)),
            config,
            network,
            egress,
        }
    }

    /// What sends a request over a kept connection, or over a new one.
    pub(super) fn agent(&self) -> Agent {
        self.agent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Closes the kept connections: they belong to the agent.
    pub(super) fn close_idle(&self) {
        let fresh = agent(&self.config, &self.network, &self.egress);
        *self.agent.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

fn agent(config: &Config, network: &Network, egress: &Egress) -> Agent {
    let (network, egress) = (network.clone(), egress.clone());
    let connector = TcpConnector { network, egress }
        .chain(RustlsConnector::default())
        .chain(Established);
    Agent::with_parts(config.clone(), connector, LaterResolver)
}

fn config(source: &Source) -> Config {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let kept =
        usize::try_from(source.max_concurrency).map_or(MOST_KEPT, |most| most.min(MOST_KEPT));
    Agent::config_builder()
        .http_status_as_error(false)
        // Redirects are followed by `Client::follow`, which knows where credentials may go.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // QUERY.
        .allow_non_standard_methods(true)
        // ureq would take one from the environment of the database server.
        .proxy(None)
        .tls_config(tls)
        .max_idle_connections(kept)
        .max_idle_connections_per_host(kept)
        .max_idle_age(MOST_IDLE)
        .build()
}

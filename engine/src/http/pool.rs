//! The connections of a client: how they are made, and which of them are kept.

use super::egress::Egress;
use super::route::Route;
use super::tls::{Tls, TlsConnector};
use super::transport::{Established, LaterResolver, Network, TcpConnector};
use crate::Result;
use crate::model::Source;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::transport::Connector;

/// How long a connection is kept that nobody uses: less than servers keep theirs, as a rule.
const MOST_IDLE: Duration = Duration::from_secs(60);

/// Connections that are kept at most.
const MOST_KEPT: usize = 8;

/// The connections, and how they are made.
pub(super) struct Pool {
    agent: Mutex<Agent>,
    config: Config,
    making: Making,
}

/// How connections are made.
struct Making {
    network: Network,
    egress: Egress,
    route: Arc<Route>,
    tls: Arc<Tls>,
}

impl Pool {
    /// [`Error::Option`](crate::Error::Option) where a file that the options name is of no use.
    pub(super) fn new(source: &Source, network: Network, egress: Egress) -> Result<Self> {
        let making = Making {
            network,
            egress,
            route: Arc::new(Route::new(&source.connecting, &source.base_url)?),
            tls: Arc::new(Tls::new(&source.connecting)?),
        };
        let config = config(source);
        Ok(Pool {
            agent: Mutex::new(making.agent(&config)),
            config,
            making,
        })
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
        let fresh = self.making.agent(&self.config);
        *self.agent.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

impl Making {
    fn agent(&self, config: &Config) -> Agent {
        let connector = TcpConnector {
            network: self.network.clone(),
            egress: self.egress.clone(),
            route: Arc::clone(&self.route),
        };
        let connector = connector
            .chain(TlsConnector(Arc::clone(&self.tls)))
            .chain(Established);
        Agent::with_parts(config.clone(), connector, LaterResolver)
    }
}

fn config(source: &Source) -> Config {
    let kept =
        usize::try_from(source.max_concurrency).map_or(MOST_KEPT, |most| most.min(MOST_KEPT));
    Agent::config_builder()
        .http_status_as_error(false)
        // Redirects are followed by `Client::follow`, which knows where credentials may go.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // QUERY.
        .allow_non_standard_methods(true)
        // ureq would take one from the environment of the database server; ours is a `Route`.
        .proxy(None)
        .max_idle_connections(kept)
        .max_idle_connections_per_host(kept)
        .max_idle_age(MOST_IDLE)
        .build()
}

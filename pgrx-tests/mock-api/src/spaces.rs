//! What each test's space holds: its routes, what was received, who waits.

use crate::request::RequestHead;
use crate::routes::Routes;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What arrivals are counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// All spaces of a server; one is made when it is first named.
#[derive(Debug, Default)]
pub(crate) struct Spaces(Mutex<HashMap<String, Arc<Space>>>);

impl Spaces {
    pub(crate) fn get(&self, name: &str) -> Arc<Space> {
        let mut spaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(spaces.entry(name.to_owned()).or_default())
    }
}

/// The space of one test.
#[derive(Debug, Default)]
pub(crate) struct Space(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    routes: Arc<Routes>,
    heads: Vec<RequestHead>,
    /// When each of them arrived, in microseconds.
    arrivals: Vec<u64>,
    connections: HashSet<u64>,
    in_flight: usize,
    max_in_flight: usize,
    /// How often stalled requests were let go.
    releases: u64,
}

/// The counters of a space.
#[derive(Debug, Serialize)]
pub(crate) struct Counters {
    in_flight: usize,
    max_in_flight: usize,
    connections: usize,
}

impl Space {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts afresh with other routes. Requests in flight keep the ones they began with.
    pub(crate) fn define(&self, routes: Routes) {
        self.state().routes = Arc::new(routes);
        self.clear();
    }

    /// Forgets the recorded requests.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.heads.clear();
        state.arrivals.clear();
        state.connections.clear();
        state.max_in_flight = state.in_flight;
    }

    pub(crate) fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.state().routes)
    }

    pub(crate) fn heads(&self) -> Vec<RequestHead> {
        self.state().heads.clone()
    }

    pub(crate) fn arrivals(&self) -> Vec<u64> {
        self.state().arrivals.clone()
    }

    pub(crate) fn counters(&self) -> Counters {
        let state = self.state();
        Counters {
            in_flight: state.in_flight,
            max_in_flight: state.max_in_flight,
            connections: state.connections.len(),
        }
    }

    /// Lets every stalled request go on.
    pub(crate) fn release(&self) {
        self.state().releases += 1;
    }

    /// Records a request of a connection; it is in flight until the returned value is dropped.
    pub(crate) fn arrive(self: &Arc<Space>, connection: u64, head: RequestHead) -> InFlight {
        let mut state = self.state();
        state.heads.push(head);
        let arrival = u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX);
        state.arrivals.push(arrival);
        state.connections.insert(connection);
        state.in_flight += 1;
        state.max_in_flight = state.max_in_flight.max(state.in_flight);
        InFlight {
            space: Arc::clone(self),
            releases_before: state.releases,
        }
    }
}

/// A request that has no complete answer yet.
#[derive(Debug)]
pub(crate) struct InFlight {
    space: Arc<Space>,
    /// Counted at arrival, so that a release cannot fall between arrival and stall.
    releases_before: u64,
}

impl InFlight {
    /// Whether its space was released since it arrived.
    pub(crate) fn is_released(&self) -> bool {
        self.space.state().releases != self.releases_before
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.space.state().in_flight -= 1;
    }
}

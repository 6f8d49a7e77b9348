//! The cache in one scan: what its pages are answered by, and that they fit together.

use super::Cache;
use super::freshness::{self, Use};
use super::head::{self, Head, Moment};
use super::identity::{self, Identity};
use super::recording::Recording;
use super::sealed::Reader;
use super::space::Space;
use crate::http::CancelToken;
use crate::model::Caching;
use crate::request::Request;
use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a scan does with the cache.
///
/// The pages of a chain belong together. Without a cache, each is asked for after the one before it. So a stored page
/// answers only if it did not arrive before the scan began that the pages before it are of: once a page was asked for
/// anew, all that follow it are, so that they can be asked for before their turn.
#[derive(Debug)]
pub(crate) struct Session {
    cache: Cache,
    space: Space,
    started: Moment,
    chains: Mutex<HashMap<usize, Chain>>,
}

#[derive(Debug, Default)]
struct Chain {
    /// When the latest of the scans began that its pages are of.
    asked: Option<Moment>,
    /// Whether the API was asked for one of its pages.
    is_anew: bool,
    /// The stored pages that answered.
    used: Vec<Identity>,
}

/// What answers a request.
#[derive(Debug)]
pub(crate) enum Found {
    /// Only the API.
    Nothing,
    /// A stored response.
    Answer(Stored),
    /// A stored response, if the API says that it is still valid.
    Candidate(Stored),
}

/// A stored response that was found whole.
pub(crate) struct Stored {
    request: Identity,
    head: Head,
    body: Reader,
}

impl Session {
    pub(crate) fn new(cache: Cache, cancel: &CancelToken) -> Session {
        Session {
            space: cache.store.space(cache.bound, cancel),
            started: cache.clock.now(),
            cache,
            chains: Mutex::default(),
        }
    }

    /// What answers the request for a page of a chain: the next one, or (`is_early`) one that is asked for before its turn,
    /// which the API is asked about in any case.
    pub(crate) fn find(&self, chain: usize, request: &Request, is_early: bool) -> Found {
        let found = self.look_up(chain, request, is_early);
        let mut chains = self.chains();
        let chain = chains.entry(chain).or_default();
        if let Found::Answer(stored) = &found {
            chain.asked = chain.asked.max(Some(stored.head.asked));
            chain.used.push(stored.request);
        } else {
            chain.asked = chain.asked.max(Some(self.started));
            chain.is_anew = true;
        }
        found
    }

    /// Whether the API is asked for the pages of a chain from here on.
    pub(crate) fn is_anew(&self, chain: usize) -> bool {
        self.chains().get(&chain).is_some_and(|chain| chain.is_anew)
    }

    fn look_up(&self, chain: usize, request: &Request, is_early: bool) -> Found {
        if !freshness::is_cacheable(request) {
            return Found::Nothing;
        }
        let identity = self.identity(request);
        let Cache { store, folder, .. } = &self.cache;
        let Some((head, body)) = store.find(folder, identity, &self.space) else {
            return Found::Nothing;
        };
        let mode = self.cache.mode;
        let usable = freshness::judge(mode, request, &head, self.started, self.cache.clock.now());
        let asked = self.chains().get(&chain).and_then(|chain| chain.asked);
        let fits = asked.is_none_or(|asked| head.received >= asked);
        let can_be_validated =
            mode == Caching::Http && !freshness::validators(&head.headers).is_empty();
        let stored = Stored {
            request: identity,
            head,
            body,
        };
        match usable {
            Use::Answer if fits && !is_early => Found::Answer(stored),
            Use::Answer | Use::Validate if can_be_validated => Found::Candidate(stored),
            _ => Found::Nothing,
        }
    }

    /// Begins to store a response; `None` where it may not be stored, or cannot be.
    pub(crate) fn record(
        &self,
        request: &Request,
        status: u16,
        url: &str,
        headers: &[(String, String)],
    ) -> Option<Recording> {
        if !freshness::is_cacheable(request) || !freshness::has_known_end(headers) {
            return None;
        }
        let head = Head {
            status,
            headers: head::stored(headers).cloned().collect(),
            redirected_to: (url != request.url).then(|| url.to_owned()),
            received: self.cache.clock.now(),
            asked: self.started,
        };
        freshness::is_storable(self.cache.mode, request, &head)
            .then(|| self.begin(self.identity(request), head))?
    }

    fn begin(&self, request: Identity, head: Head) -> Option<Recording> {
        let Cache { store, folder, .. } = &self.cache;
        let begun = store.begin(folder, request, head, self.space.clone());
        begun.ok()
    }

    /// Takes what a 304 says of a stored response. False: it does not speak of this one, which is forgotten.
    pub(crate) fn validated(
        &self,
        stored: &mut Stored,
        request: &Request,
        headers: &[(String, String)],
    ) -> bool {
        if !freshness::validates(request, &stored.head, headers) {
            self.remove(stored.request);
            return false;
        }
        let now = self.cache.clock.now();
        stored.head = stored.head.updated(headers, now, self.started);
        if freshness::is_storable(self.cache.mode, request, &stored.head) {
            let _ = self.store_again(stored);
        } else {
            self.remove(stored.request);
        }
        true
    }

    /// Stores it with its new head. Where that fails the old one stays, and is asked about again.
    fn store_again(&self, stored: &mut Stored) -> io::Result<()> {
        if let Some(mut recording) = self.begin(stored.request, stored.head.clone()) {
            let mut buffer = [0; 16 << 10];
            loop {
                match stored.body.read(&mut buffer)? {
                    0 => break,
                    read if !recording.write(&buffer[..read]) => break,
                    _ => {}
                }
            }
            recording.finish();
        }
        stored.body.rewind()
    }

    /// Forgets the stored pages that answered in a chain: it has failed, perhaps because of them.
    pub(crate) fn forget(&self, chain: usize) {
        let used = self
            .chains()
            .get_mut(&chain)
            .map(|chain| std::mem::take(&mut chain.used));
        for request in used.into_iter().flatten() {
            self.remove(request);
        }
    }

    fn remove(&self, request: Identity) {
        let Cache { store, folder, .. } = &self.cache;
        store.forget(folder, request, &self.space);
    }

    fn identity(&self, request: &Request) -> Identity {
        identity::of_request(self.cache.scope, self.cache.mode, request)
    }

    fn chains(&self) -> MutexGuard<'_, HashMap<usize, Chain>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    /// Asks in `request` whether it is still valid.
    pub(crate) fn ask_in(&self, request: &mut Request) {
        request
            .headers
            .extend(freshness::validators(&self.head.headers));
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.head.headers
    }

    /// Where it came from, if a redirect led there.
    pub(crate) fn redirected_to(&self) -> Option<&str> {
        self.head.redirected_to.as_deref()
    }

    /// Its body, decompressed.
    pub(crate) fn body(&mut self) -> &mut dyn Read {
        &mut self.body
    }
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

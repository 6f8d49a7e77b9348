//! What is kept of generated rows, so that a benchmark measures its client and not this server.

use crate::filters::{Condition, Selection, select};
use crate::response::Wire;
use crate::rows::Rows;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of rendered pages that one server keeps.
const PAGE_BUDGET: usize = 768 << 20;
/// Selections that one route keeps; each may hold a number for every row.
const SELECTIONS: usize = 16;

/// The bytes that all routes of a server may still keep.
#[derive(Debug)]
pub(crate) struct Budget(AtomicUsize);

impl Default for Budget {
    fn default() -> Budget {
        Budget(AtomicUsize::new(PAGE_BUDGET))
    }
}

impl Budget {
    fn take(&self, bytes: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A rendered page and its number.
pub(crate) type RenderedPage = (Arc<Wire>, usize);

/// What one route keeps.
#[derive(Debug)]
pub(crate) struct RouteCache {
    pages: Mutex<HashMap<String, RenderedPage>>,
    selections: Mutex<HashMap<String, Selection>>,
    budget: Arc<Budget>,
}

impl RouteCache {
    pub(crate) fn new(budget: Arc<Budget>) -> RouteCache {
        RouteCache {
            pages: Mutex::default(),
            selections: Mutex::default(),
            budget,
        }
    }

    /// The response that an equal request got.
    pub(crate) fn page(&self, key: &str) -> Option<RenderedPage> {
        self.pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    /// Keeps a response while there is room.
    pub(crate) fn keep_page(&self, key: String, page: &RenderedPage) {
        let bytes = page.0.bytes.len();
        if !self.budget.take(bytes) {
            return;
        }
        let replaced = self
            .pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, page.clone());
        if let Some((wire, _)) = replaced {
            self.budget.give_back(wire.bytes.len());
        }
    }

    /// The rows that pass, found once for equal conditions.
    pub(crate) fn select(&self, rows: &Rows, conditions: &[Condition]) -> Selection {
        let key: String = conditions.iter().map(Condition::cache_key).collect();
        let lock = || {
            self.selections
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(found) = lock().get(&key) {
            return found.clone();
        }
        let selection = select(rows, conditions);
        let mut kept = lock();
        if kept.len() >= SELECTIONS {
            kept.clear();
        }
        kept.insert(key, selection.clone());
        selection
    }
}

impl Drop for RouteCache {
    fn drop(&mut self) {
        let pages = self.pages.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget
            .give_back(pages.values().map(|(wire, _)| wire.bytes.len()).sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: usize) -> RenderedPage {
        (
            Arc::new(Wire {
                bytes: vec![0; bytes],
                body_at: 0,
                stream: None,
            }),
            1,
        )
    }

    #[test]
    fn pages_are_kept_within_the_budget_and_given_back() {
        let budget = Arc::new(Budget(AtomicUsize::new(10)));
        let cache = RouteCache::new(Arc::clone(&budget));
        cache.keep_page("a".to_owned(), &page(6));
        cache.keep_page("b".to_owned(), &page(6));
        assert!(cache.page("a").is_some() && cache.page("b").is_none());
        drop(cache);
        assert!(budget.take(10));
    }
}

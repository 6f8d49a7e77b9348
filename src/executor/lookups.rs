//! What the executions of one scan returned, so that none of them is made twice.
//!
//! A nested loop runs its inner scan again and again, often with values that it had before. A memory lives as long
//! as the scan's node in one execution of a statement: nothing is answered from it that another statement read.

use rest_engine::decode::Batch;
use rest_engine::request::Inputs;
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes that the executions of one scan may take in memory.
const MOST_BYTES: usize = 16 << 20;

/// Bytes that are kept of an execution while nothing tells that another one follows: most scans run once.
const ONCE_BYTES: usize = 1 << 20;

/// What distinguishes executions: the requests that they make, in the order of their rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Rc<str>);

impl Key {
    /// `None` where the requests have no canonical form: such an execution is not remembered.
    pub fn new(requests: &[Inputs]) -> Option<Self> {
        serde_json::to_string(requests)
            .ok()
            .map(|text| Key(text.into()))
    }
}

/// The rows of an execution, as far as it was read.
#[derive(Debug, Default)]
pub struct Recording {
    batches: Vec<Rc<Batch>>,
    bytes: usize,
}

impl Recording {
    /// Adds rows; `None` where they are more than may be kept.
    pub fn and(mut self, batch: &Rc<Batch>, most: usize) -> Option<Self> {
        self.bytes += batch.memory();
        self.batches.push(Rc::clone(batch));
        (self.bytes <= most).then_some(self)
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows, in their order.
    pub fn batches(&self) -> &[Rc<Batch>] {
        &self.batches
    }
}

/// The executions of a scan that were read to their end.
#[derive(Debug, Default)]
pub struct Lookups {
    complete: HashMap<Key, Rc<Recording>>,
    /// The oldest first.
    order: Vec<Key>,
    bytes: usize,
    repeated: bool,
}

impl Lookups {
    /// Another execution follows, or is likely to.
    pub fn expect_more(&mut self) {
        self.repeated = true;
    }

    /// Bytes that one execution may take.
    pub fn most(&self) -> usize {
        if self.repeated {
            MOST_BYTES
        } else {
            ONCE_BYTES
        }
    }

    /// The rows of an execution that made the same requests.
    pub fn find(&self, key: &Key) -> Option<Rc<Recording>> {
        self.complete.get(key).map(Rc::clone)
    }

    /// Remembers an execution that was read to its end.
    ///
    /// The newest make room for it. An outer side that is read over and over in one order would find nothing of what
    /// comes next where the oldest do; and the one that was made last, which neighbours often repeat, is always kept.
    pub fn remember(&mut self, key: Key, rows: Rc<Recording>) {
        self.forget(&key);
        let bytes = Self::taken(&key, &rows);
        while self.bytes + bytes > MOST_BYTES {
            let Some(newest) = self.order.last().cloned() else {
                return;
            };
            self.forget(&newest);
        }
        self.bytes += bytes;
        self.order.push(key.clone());
        self.complete.insert(key, rows);
    }

    fn forget(&mut self, key: &Key) {
        if let Some(rows) = self.complete.remove(key) {
            self.bytes -= Self::taken(key, &rows);
            self.order.retain(|other| other != key);
        }
    }

    fn taken(key: &Key, rows: &Recording) -> usize {
        let overhead = size_of::<Recording>() + 4 * size_of::<Key>();
        key.0.len() + rows.bytes + rows.batches.capacity() * size_of::<Rc<Batch>>() + overhead
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(value: usize) -> Key {
        let inputs = Inputs {
            query: vec![("id".to_owned(), value.to_string())],
            ..Inputs::default()
        };
        Key::new(&[inputs]).unwrap()
    }

    /// Rows that take a little more than so many bytes.
    fn rows(bytes: usize) -> Rc<Recording> {
        let batch = Batch {
            rows: 1,
            arena: Vec::with_capacity(bytes),
            ..Batch::default()
        };
        let rows = Recording::default().and(&Rc::new(batch), usize::MAX);
        Rc::new(rows.unwrap())
    }

    fn known(lookups: &Lookups, values: std::ops::Range<usize>) -> Vec<usize> {
        values
            .filter(|value| lookups.find(&key(*value)).is_some())
            .collect()
    }

    #[test]
    fn the_newest_make_room_and_the_one_that_was_made_last_is_always_kept() {
        let mut lookups = Lookups::default();
        for value in 0..6 {
            lookups.remember(key(value), rows(5 << 20));
            assert!(lookups.find(&key(value)).is_some());
            assert!(lookups.bytes <= MOST_BYTES);
        }
        assert_eq!(known(&lookups, 0..6), [0, 1, 5]);
        lookups.remember(key(7), rows(MOST_BYTES - 4096));
        assert_eq!(known(&lookups, 0..8), [7]);
        lookups.remember(key(8), rows(MOST_BYTES));
        assert_eq!(
            known(&lookups, 0..9),
            Vec::<usize>::new(),
            "it is too large by itself"
        );
        assert_eq!(lookups.bytes, 0);
    }

    #[test]
    fn what_is_remembered_again_takes_its_room_once() {
        let mut lookups = Lookups::default();
        for _ in 0..10 {
            lookups.remember(key(1), rows(5 << 20));
        }
        lookups.remember(key(2), rows(5 << 20));
        assert_eq!(known(&lookups, 0..4), [1, 2]);
    }

    #[test]
    fn a_recording_ends_at_its_bound() {
        let batch = Rc::new(Batch {
            arena: Vec::with_capacity(1000),
            ..Batch::default()
        });
        let once = Recording::default().and(&batch, 2000).unwrap();
        assert_eq!(once.batches().len(), 1);
        assert!(once.and(&batch, 2000).is_none());
    }

    #[test]
    fn requests_that_differ_in_anything_differ() {
        let plain = || Inputs {
            query: vec![("a".to_owned(), "1".to_owned())],
            ..Inputs::default()
        };
        let headers = Inputs {
            headers: plain().query,
            ..Inputs::default()
        };
        let keys: Vec<Key> = [vec![plain()], vec![headers], vec![plain(), plain()], vec![]]
            .iter()
            .map(|requests| Key::new(requests).unwrap())
            .collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{key:?}");
        }
        assert_eq!(Key::new(&[plain()]), Key::new(&[plain()]));
    }
}

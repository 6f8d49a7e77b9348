//! What was done with each server, by all backends together. Used by main threads only, under a lock.

use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::time::Duration;

/// Servers that are counted; one more takes the place of the one that was not asked for the longest time.
const ENTRIES: usize = 512;

static COUNTS: PgLwLock<Table> =
    // SAFETY: the name is used nowhere else.
    unsafe { PgLwLock::new(c"rest_fdw statistics") };

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests, retries included.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those that repeated one that had failed.
    pub retries: u64,
    /// Bytes of bodies, after decompression.
    pub bytes: u64,
    /// The same as they came over the network.
    pub transferred: u64,
    /// Requests that the cache answered.
    pub cache_hits: u64,
    /// Requests that waited for the rate limit.
    pub waits: u64,
    /// How long they waited.
    pub waited: Duration,
}

impl Counts {
    /// Adds what was done after this.
    pub fn add(&mut self, more: &Counts) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.retries += more.retries;
        self.bytes += more.bytes;
        self.transferred += more.transferred;
        self.cache_hits += more.cache_hits;
        self.waits += more.waits;
        self.waited += more.waited;
    }
}

/// A server and what was done with it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The OID of its database; invalid if the entry is free.
    pub database: pg_sys::Oid,
    /// Its OID there.
    pub server: pg_sys::Oid,
    /// Its name when it was asked last.
    pub name: Text<64>,
    /// What was done with it.
    pub counts: Counts,
    /// The last error, and when it was.
    pub last_error: Option<(Text<256>, TimestampWithTimeZone)>,
    /// Which addition was the last one here.
    used: u64,
}

impl Entry {
    const FREE: Entry = Entry {
        database: pg_sys::InvalidOid,
        server: pg_sys::InvalidOid,
        name: Text::EMPTY,
        counts: Counts {
            requests: 0,
            errors: 0,
            retries: 0,
            bytes: 0,
            transferred: 0,
            cache_hits: 0,
            waits: 0,
            waited: Duration::ZERO,
        },
        last_error: None,
        used: 0,
    };
}

/// A text of bounded length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    length: u16,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    const EMPTY: Self = Text {
        length: 0,
        bytes: [0; N],
    };

    /// As much of `text` as there is room for.
    pub fn new(text: &str) -> Self {
        let fits = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=N.min(text.len())).rev().find(fits).unwrap_or(0);
        let mut cut = Text::EMPTY;
        cut.length = end as u16;
        cut.bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
        cut
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length));
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

/// All entries.
struct Table {
    entries: [Entry; ENTRIES],
    /// Additions so far.
    additions: u64,
}

// SAFETY: plain values, without any pointer.
unsafe impl PGRXSharedMemory for Table {}

impl Default for Table {
    fn default() -> Self {
        Table {
            entries: [Entry::FREE; ENTRIES],
            additions: 0,
        }
    }
}

impl Table {
    /// The entry of a server; where there is none, a free one, or the one that was used least recently.
    fn entry(&mut self, database: pg_sys::Oid, server: pg_sys::Oid) -> Option<&mut Entry> {
        self.additions += 1;
        let additions = self.additions;
        let is_it = |entry: &Entry| entry.database == database && entry.server == server;
        let found = self.entries.iter().position(is_it);
        let index = match found {
            Some(index) => index,
            None => {
                let entries = self.entries.iter().enumerate();
                let (index, _) = entries.min_by_key(|(_, entry)| entry.used)?;
                self.entries[index] = Entry {
                    database,
                    server,
                    ..Entry::FREE
                };
                index
            }
        };
        let entry = self.entries.get_mut(index)?;
        entry.used = additions;
        Some(entry)
    }
}

pub(super) fn register() {
    pg_shmem_init!(COUNTS);
}

/// Adds what was done with a server of this database, where the library was preloaded.
pub fn add(
    server: pg_sys::Oid,
    name: &str,
    counts: &Counts,
    error: Option<(&str, TimestampWithTimeZone)>,
) {
    if !super::is_preloaded() {
        return;
    }
    // SAFETY: reads a variable of the backend, on its main thread.
    let database = unsafe { pg_sys::MyDatabaseId };
    let name = Text::new(name);
    let error = error.map(|(text, time)| (Text::new(text), time));
    let mut table = COUNTS.exclusive();
    if let Some(entry) = table.entry(database, server) {
        entry.name = name;
        entry.counts.add(counts);
        entry.last_error = error.or(entry.last_error);
    }
}

/// The entries that are used.
pub fn entries() -> Vec<Entry> {
    let table = COUNTS.share();
    let used = table.entries.iter().filter(|entry| entry.used > 0);
    used.copied().collect()
}

/// Forgets all entries.
pub fn reset() {
    *COUNTS.exclusive() = Table::default();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn oid(number: u32) -> pg_sys::Oid {
        pg_sys::Oid::from(number)
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(Text::<8>::new("twelve").as_str(), "twelve");
        assert_eq!(Text::<8>::new("eight-88nine").as_str(), "eight-88");
        assert_eq!(Text::<8>::new("sieben-ä").as_str(), "sieben-");
    }

    #[test]
    fn a_server_keeps_its_entry_until_others_have_all_been_used_later() {
        let mut table = Box::new(Table::default());
        for server in 1..=ENTRIES as u32 {
            table.entry(oid(1), oid(server)).unwrap().counts.requests = u64::from(server);
        }
        assert_eq!(table.entry(oid(1), oid(1)).unwrap().counts.requests, 1);
        assert_eq!(table.entry(oid(2), oid(1)).unwrap().counts.requests, 0);
        let is_there = |server: u32| {
            let mut entries = table.entries.iter();
            entries.any(|entry| entry.database == oid(1) && entry.server == oid(server))
        };
        assert!(is_there(1) && !is_there(2) && is_there(3));
    }
}

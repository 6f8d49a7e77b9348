//! The last total that an API reported for a table: kept in the backend, for the planner's estimates.

use pgrx::pg_sys;
use rest_engine::model::Table;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Tables that are remembered; with more, all are forgotten and learned again.
const MOST_TABLES: usize = 1024;

/// A total, and what was asked for it.
struct Reported {
    asked: u64,
    total: u64,
}

thread_local! {
    /// By the table's OID. The backend is one thread.
    static TOTALS: RefCell<HashMap<u32, Reported>> = RefCell::default();
}

/// Notes that the API reported `total` rows for the whole of `table`.
pub fn note(relation: pg_sys::Oid, table: &Table, total: u64) {
    let asked = asked(table);
    TOTALS.with_borrow_mut(|totals| {
        if totals.len() >= MOST_TABLES {
            totals.clear();
        }
        totals.insert(relation.to_u32(), Reported { asked, total });
    });
}

/// The last total of `table`, unless its options ask for other rows since then.
pub fn total(relation: pg_sys::Oid, table: &Table) -> Option<u64> {
    TOTALS.with_borrow(|totals| {
        let reported = totals.get(&relation.to_u32())?;
        (reported.asked == asked(table)).then_some(reported.total)
    })
}

/// Tells tables apart whose rows differ, by what is asked of the API without filters.
fn asked(table: &Table) -> u64 {
    let source = &table.source;
    let mut hasher = DefaultHasher::new();
    (&source.base_url, &source.query, &source.headers).hash(&mut hasher);
    (&table.endpoint, &table.query, &table.headers).hash(&mut hasher);
    hasher.finish()
}

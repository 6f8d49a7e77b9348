//! The orders that a query could use and that the API can make (rule R6).

use super::clauses::{self, Clause, column_reference, semantics};
use super::paths::{constants, predicates, push_down};
use super::relation::Relation;
use crate::compat;
use crate::encoding::from_server;
use crate::plan::LocalOrder;
use crate::settings;
use pgrx::{PgList, pg_sys};
use rest_engine::model::TextCollation;
use rest_engine::pushdown::{self, SortKey, WantedKey};

/// An order that the API can make and the query can use.
pub struct UsefulOrder {
    /// As the planner states it.
    pub pathkeys: *mut pg_sys::List,
    /// It is (the beginning of) the order that the whole query wants, else one for a merge join.
    pub is_of_query: bool,
}

/// The orders worth a path of their own: as much of the query's as the API can make, and one for each
/// column that a merge join could use.
///
/// # Safety
/// The clauses are all of those that a scan without parameters evaluates, of the query being planned.
pub unsafe fn useful_orders(relation: &Relation, clauses: &[Clause]) -> Vec<UsefulOrder> {
    let columns = 0..relation.table().columns.len();
    let has_order = columns
        .into_iter()
        .any(|column| pushdown::sorts(relation.table(), column).is_ok());
    if !has_order {
        return Vec::new();
    }
    // SAFETY: the planner's own state and lists.
    let mut candidates = unsafe { candidates(relation) };
    if candidates.is_empty() || offered(relation, clauses).is_err() {
        return Vec::new();
    }
    for candidate in &mut candidates {
        // SAFETY: as above.
        candidate.pathkeys = unsafe { longest(relation, clauses, candidate.pathkeys) };
    }
    candidates.retain(|candidate| !candidate.pathkeys.is_null());
    candidates
}

/// The orders that the query could use, whatever the API can do.
unsafe fn candidates(relation: &Relation) -> Vec<UsefulOrder> {
    // SAFETY: the planner's own state and lists.
    unsafe {
        let of_query = (*relation.root).query_pathkeys;
        let mut found = Vec::new();
        if !of_query.is_null() {
            found.push(UsefulOrder {
                pathkeys: of_query,
                is_of_query: true,
            });
        }
        let first = first_class(of_query);
        let for_joins = merge_classes(relation).into_iter();
        found.extend(
            for_joins
                .filter(|class| *class != first)
                .map(|class| UsefulOrder {
                    pathkeys: compat::ascending_pathkey(relation.root, class),
                    is_of_query: false,
                }),
        );
        found
    }
}

/// What to ask the API for, so that its rows come in the order of `pathkeys`.
///
/// # Errors
/// Why it cannot, in a user's words.
///
/// # Safety
/// As [`useful_orders`]; the list is one of path keys.
pub unsafe fn sort_keys(
    relation: &Relation,
    clauses: &[Clause],
    pathkeys: *mut pg_sys::List,
) -> Result<Vec<SortKey>, String> {
    // SAFETY: by this function's contract.
    unsafe {
        let never_null = pushdown::never_null(&predicates(clauses));
        let wanted: Vec<WantedKey> = PgList::<pg_sys::PathKey>::from_pg(pathkeys)
            .iter_ptr()
            .map(|pathkey| wanted_key(relation, pathkey, &never_null))
            .collect::<Result<_, _>>()?;
        pushdown::order(relation.table(), &wanted)
    }
}

/// What of the query's ORDER BY the API does not do, where all of it is of this table's columns, and
/// `delivered` is the order of the scan.
///
/// # Safety
/// As [`sort_keys`].
pub unsafe fn local_order(
    relation: &Relation,
    clauses: &[Clause],
    delivered: *mut pg_sys::List,
) -> Option<LocalOrder> {
    // SAFETY: the planner's own lists.
    unsafe {
        let wanted = (*relation.root).query_pathkeys;
        // Else the query's order is made behind a grouping, which this scan's order would not reach.
        let is_order_by = wanted == (*relation.root).sort_pathkeys;
        if !is_order_by || pg_sys::pathkeys_contained_in(wanted, delivered) {
            return None;
        }
        let keys: Vec<WantedKey> = PgList::<pg_sys::PathKey>::from_pg(wanted)
            .iter_ptr()
            .map(|pathkey| wanted_key(relation, pathkey, &[]))
            .collect::<Result<_, _>>()
            .ok()?;
        let refusal = offered(relation, clauses)
            .and_then(|()| sort_keys(relation, clauses, wanted).map(drop));
        Some(LocalOrder {
            keys: keys.iter().map(SortKey::from).collect(),
            reason: refusal.err()?,
        })
    }
}

/// Whether orders are asked for at all. Each clause is looked at by itself: which of several conditions a
/// parameter carries may depend on their order, and the planner changes that.
fn offered(relation: &Relation, clauses: &[Clause]) -> Result<(), String> {
    if !settings::pushdown() {
        return Err("rest_fdw.pushdown is off".to_owned());
    }
    let splits = |clause: &Clause| {
        let clause = std::slice::from_ref(clause);
        let sent = push_down(relation, clause).sent;
        pushdown::may_split(relation.table(), &sent, &constants(clause))
    };
    if clauses.iter().any(splits) {
        return Err("a list may become several requests".to_owned());
    }
    Ok(())
}

/// As many of the keys, from the first on, as the API can order by; NULL where that is none.
unsafe fn longest(
    relation: &Relation,
    clauses: &[Clause],
    pathkeys: *mut pg_sys::List,
) -> *mut pg_sys::List {
    // SAFETY: the planner's own list; its copies are new ones.
    unsafe {
        let length = PgList::<pg_sys::PathKey>::from_pg(pathkeys).len();
        (1..=length)
            .rev()
            .map(|length| pg_sys::list_truncate(pg_sys::list_copy(pathkeys), length as i32))
            .find(|prefix| sort_keys(relation, clauses, *prefix).is_ok())
            .unwrap_or(std::ptr::null_mut())
    }
}

/// A path key as the engine knows keys.
unsafe fn wanted_key(
    relation: &Relation,
    pathkey: *mut pg_sys::PathKey,
    never_null: &[usize],
) -> Result<WantedKey, String> {
    // SAFETY: the planner's own nodes.
    unsafe {
        let class = canonical((*pathkey).pk_eclass);
        if (*class).ec_has_volatile {
            return Err("its expression is volatile".to_owned());
        }
        let found = own_column(relation, class, (*pathkey).pk_opfamily);
        let column = found.ok_or_else(|| "it is no column of the foreign table".to_owned())?;
        Ok(WantedKey {
            column: column.column,
            descending: compat::is_descending(pathkey),
            nulls_first: (*pathkey).pk_nulls_first,
            collation: text_collation((*class).ec_collation),
            never_null: never_null.contains(&column.column),
            rounds: column.modifier >= 0,
        })
    }
}

/// The class that a class was merged into.
unsafe fn canonical(mut class: *mut pg_sys::EquivalenceClass) -> *mut pg_sys::EquivalenceClass {
    // SAFETY: the planner's own nodes.
    unsafe {
        while !(*class).ec_merged.is_null() {
            class = (*class).ec_merged;
        }
        class
    }
}

/// The member of a class that is a column of this relation, ordered by its type's default family.
unsafe fn own_column(
    relation: &Relation,
    class: *mut pg_sys::EquivalenceClass,
    family: pg_sys::Oid,
) -> Option<clauses::ColumnReference> {
    // SAFETY: the planner's own lists and sets.
    unsafe {
        let members = compat::class_members(class, relation.rel);
        members
            .into_iter()
            .filter(|member| {
                !compat::is_empty_set((**member).em_relids)
                    && pg_sys::bms_is_subset((**member).em_relids, (*relation.rel).relids)
            })
            .filter_map(|member| column_reference(relation, (*member).em_expr.cast()))
            .find(|column| clauses::ordering_family(column.ty) == family)
    }
}

/// What text is ordered by. The database's own collation has no name that an API could share.
fn text_collation(collation: pg_sys::Oid) -> Option<TextCollation> {
    let known = semantics(collation);
    if known.collation_is_c {
        return Some(TextCollation::C);
    }
    let is_named = collation != pg_sys::InvalidOid && collation != pg_sys::DEFAULT_COLLATION_OID;
    if !is_named || !known.deterministic {
        return None;
    }
    // SAFETY: a catalog look-up by OID; the name is palloc'd, NULL where the collation is gone.
    unsafe {
        let name = pg_sys::get_collation_name(collation);
        (!name.is_null()).then(|| TextCollation::Named(from_server(name)))
    }
}

unsafe fn first_class(pathkeys: *mut pg_sys::List) -> *mut pg_sys::EquivalenceClass {
    // SAFETY: the planner's own list.
    unsafe {
        let first = PgList::<pg_sys::PathKey>::from_pg(pathkeys).get_ptr(0);
        first.map_or(std::ptr::null_mut(), |pathkey| (*pathkey).pk_eclass)
    }
}

/// The equivalence classes by which a merge join could join this relation, each once. As
/// `get_useful_ecs_for_relation` of contrib/postgres_fdw/postgres_fdw.c.
unsafe fn merge_classes(relation: &Relation) -> Vec<*mut pg_sys::EquivalenceClass> {
    // SAFETY: the planner's own lists, sets and clauses.
    unsafe {
        let (root, rel) = (relation.root, relation.rel);
        let mut found: Vec<*mut pg_sys::EquivalenceClass> = Vec::new();
        let mut add = |class: *mut pg_sys::EquivalenceClass| {
            if !class.is_null() && !found.contains(&class) {
                found.push(class);
            }
        };
        if (*rel).has_eclass_joins {
            PgList::<pg_sys::EquivalenceClass>::from_pg((*root).eq_classes)
                .iter_ptr()
                .filter(|class| pg_sys::eclass_useful_for_merging(root, *class, rel))
                .for_each(&mut add);
        }
        // Clauses of outer joins are in no class of their own.
        for info in PgList::<pg_sys::RestrictInfo>::from_pg((*rel).joininfo).iter_ptr() {
            if (*info).mergeopfamilies.is_null() {
                continue;
            }
            pg_sys::update_mergeclause_eclasses(root, info);
            for class in [(*info).left_ec, (*info).right_ec] {
                if pg_sys::bms_is_subset((*class).ec_relids, (*rel).relids) {
                    add(class);
                }
            }
        }
        found
    }
}

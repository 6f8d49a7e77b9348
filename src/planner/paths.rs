//! The ways to scan a table: as a whole, or once for each set of values of other tables' columns.

use super::clauses::{self, Clause};
use super::costs;
use super::orders;
use super::relation::Relation;
use crate::{compat, settings};
use pgrx::{PgList, pg_guard, pg_sys};
use rest_engine::predicate::{Predicate, Value};
use rest_engine::pushdown::{self, Condition, Pushdown, Sent, Verdict};
use std::ptr;

/// `GetForeignPaths`: a plain path, and a parameterised one for every join clause that the API
/// could answer.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
pub unsafe extern "C-unwind" fn get_foreign_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    _oid: pg_sys::Oid,
) {
    // SAFETY: the planner's own pointers; the relation's size was estimated before.
    unsafe {
        let relation = Relation::of(root, rel);
        let supplies = supplies(relation);
        add_path(relation, &supplies, (*rel).lateral_relids);
        for outer in useful_outer_relations(relation, &supplies) {
            add_path(relation, &supplies, outer);
        }
    }
}

/// What is sent for these clauses.
pub fn push_down(relation: &Relation, clauses: &[Clause]) -> Pushdown {
    pushdown::plan(
        relation.table(),
        &predicates(clauses),
        &constants(clauses),
        settings::pushdown(),
    )
}

/// What these clauses say. The operands of all of them are numbered one after the other.
pub fn predicates(clauses: &[Clause]) -> Vec<Predicate> {
    let mut predicates = Vec::with_capacity(clauses.len());
    let mut operands = 0;
    for clause in clauses {
        predicates.push(clause.predicate_from(operands));
        operands += clause.operands.len();
    }
    predicates
}

/// The operands of all clauses, as far as they are known.
pub fn constants(clauses: &[Clause]) -> Vec<Option<Value>> {
    let of_clause = |clause: &Clause| {
        let operands = 0..clause.operands.len();
        operands
            .map(|operand| clause.constant(operand))
            .collect::<Vec<_>>()
    };
    clauses.iter().flat_map(of_clause).collect()
}

/// Adds a path that takes values from the relations `outer` (NULL: none).
unsafe fn add_path(relation: &Relation, supplies: &[Supply], outer: pg_sys::Relids) {
    // SAFETY: the planner's own pointers; `outer` is NULL or a set of its relations.
    unsafe {
        let rel = relation.rel;
        let mut restrictions = pg_sys::list_copy((*rel).baserestrictinfo);
        if !outer.is_null() {
            let parameters = pg_sys::get_baserel_parampathinfo(relation.root, rel, outer);
            restrictions = pg_sys::list_concat(restrictions, (*parameters).ppi_clauses);
        }
        let clauses = clauses::translate(relation, restrictions);
        let pushdown = push_down(relation, &clauses);
        let rows = relation.rows_after(&clauses);
        let fetched = fetched_rows(relation, &clauses, &pushdown).max(rows);
        let costs = costs::scan(
            relation.table(),
            fetched,
            rows,
            open_inputs(relation, supplies, &pushdown).len(),
            pushdown::expected_requests(relation.table(), &pushdown.sent, &constants(&clauses)),
        );
        let add = |total: f64, pathkeys: *mut pg_sys::List| {
            let path = compat::create_foreign_scan_path(
                relation.root,
                rel,
                rows,
                (costs.startup, total),
                pathkeys,
                outer,
            );
            pg_sys::add_path(rel, path.cast());
        };
        add(costs.total, ptr::null_mut());
        // The rows of one lookup after the other are in no common order.
        if !outer.is_null() {
            return;
        }
        for order in orders::useful_orders(relation, &clauses) {
            add(
                costs::ordered(costs.total, order.is_of_query),
                order.pathkeys,
            );
        }
    }
}

/// Rows that the API returns: only what is sent narrows them.
unsafe fn fetched_rows(relation: &Relation, clauses: &[Clause], pushdown: &Pushdown) -> f64 {
    let sent = clauses
        .iter()
        .zip(&pushdown.verdicts)
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Local(_)))
        .map(|(clause, _)| clause);
    let sent: Vec<&Clause> = sent.collect();
    if relation.is_single_row(&sent) {
        return 1.0;
    }
    // SAFETY: the clauses are of the query being planned.
    relation.remote_rows * unsafe { relation.selectivity(sent.into_iter()) }
}

/// A join clause that the API could answer, if the relations `outer` supply its value.
struct Supply {
    column: usize,
    outer: pg_sys::Relids,
}

/// The sets of relations whose columns could supply values for what the API filters on: one for
/// each join clause, those that give every open parameter its value (with one more clause each, too),
/// and all of them together.
unsafe fn useful_outer_relations(relation: &Relation, supplies: &[Supply]) -> Vec<pg_sys::Relids> {
    // SAFETY: the planner's own pointers; sets are made with the planner's functions.
    unsafe {
        let mut found: Vec<pg_sys::Relids> = Vec::new();
        for required in sets_for_inputs(relation, supplies) {
            add_set(&mut found, required);
            for supply in supplies {
                add_set(&mut found, pg_sys::bms_union(required, supply.outer));
            }
        }
        let together = supplies.iter().fold(ptr::null_mut(), |set, supply| {
            pg_sys::bms_union(set, supply.outer)
        });
        add_set(&mut found, together);
        found
    }
}

unsafe fn supplies(relation: &Relation) -> Vec<Supply> {
    // SAFETY: the planner's own clauses.
    let supply = |info: *mut pg_sys::RestrictInfo| unsafe {
        let clause = clauses::clause(relation, info);
        let sent = push_down(relation, &[clause]).sent;
        let leaf = *sent.first()?.condition.leaves().first()?;
        Some(Supply {
            column: leaf.column,
            outer: outer_relations(relation, info),
        })
    };
    // SAFETY: as above.
    unsafe {
        join_clauses(relation)
            .into_iter()
            .filter_map(supply)
            .collect()
    }
}

/// The parameter columns that a path has to give a value, as far as the query does: those that are
/// required, and those that a join clause names. An optional one would else take its default in one
/// plan and the other table's value in another, with other rows (rule R12).
fn open_inputs(relation: &Relation, supplies: &[Supply], pushdown: &Pushdown) -> Vec<usize> {
    let is_bound = |column: usize| {
        let gives =
            |sent: &Sent| matches!(&sent.condition, Condition::Test(leaf) if leaf.column == column);
        pushdown.sent.iter().any(gives)
    };
    let columns = relation.table().columns.iter().enumerate();
    columns
        .filter(|(_, column)| column.is_input())
        .map(|(index, _)| index)
        .filter(|index| {
            let is_supplied = supplies.iter().any(|supply| supply.column == *index);
            pushdown.missing.contains(index) || (is_supplied && !is_bound(*index))
        })
        .collect()
}

/// The ways to give every open parameter a value (rule R8): each is a set of relations; the empty one
/// where nothing is open.
unsafe fn sets_for_inputs(relation: &Relation, supplies: &[Supply]) -> Vec<pg_sys::Relids> {
    /// More alternatives than a person writes; the product of several columns' ends here.
    const MOST: usize = 32;
    // SAFETY: the planner's own lists and sets.
    unsafe {
        let own = clauses::translate(relation, (*relation.rel).baserestrictinfo);
        let open = open_inputs(relation, supplies, &push_down(relation, &own));
        let mut sets: Vec<pg_sys::Relids> = vec![ptr::null_mut()];
        for column in open {
            let alternatives: Vec<_> = supplies
                .iter()
                .filter(|supply| supply.column == column)
                .collect();
            if alternatives.is_empty() {
                continue;
            }
            let pairs = sets
                .iter()
                .flat_map(|set| alternatives.iter().map(move |supply| (*set, supply)));
            let pairs: Vec<_> = pairs.take(MOST).collect();
            sets = pairs
                .into_iter()
                .map(|(set, supply)| pg_sys::bms_union(set, supply.outer))
                .collect();
        }
        sets
    }
}

/// Adds a set that is neither empty nor there already.
unsafe fn add_set(sets: &mut Vec<pg_sys::Relids>, set: pg_sys::Relids) {
    // SAFETY: all are sets of the planner, or NULL for the empty one.
    unsafe {
        if !compat::is_empty_set(set) && !sets.iter().any(|known| pg_sys::bms_equal(*known, set)) {
            sets.push(set);
        }
    }
}

/// The relations other than this one that a join clause, or the table's place in the query, refers to.
unsafe fn outer_relations(relation: &Relation, info: *mut pg_sys::RestrictInfo) -> pg_sys::Relids {
    // SAFETY: the union is a new set, so a member may be deleted from it.
    unsafe {
        let all = pg_sys::bms_union((*info).clause_relids, (*relation.rel).lateral_relids);
        pg_sys::bms_del_member(all, (*relation.rel).relid as i32)
    }
}

/// The clauses that join this relation with others and could be evaluated in its scan: those that
/// name it, and those that follow from equivalence classes.
unsafe fn join_clauses(relation: &Relation) -> Vec<*mut pg_sys::RestrictInfo> {
    // SAFETY: the planner's own lists.
    unsafe {
        let rel = relation.rel;
        let mut found: Vec<_> = PgList::<pg_sys::RestrictInfo>::from_pg((*rel).joininfo)
            .iter_ptr()
            .collect();
        if (*rel).has_eclass_joins {
            found.extend(equivalence_clauses(relation));
        }
        found.retain(|info| pg_sys::join_clause_is_movable_to(*info, rel));
        found
    }
}

/// What the planner hands through `generate_implied_equalities_for_column`.
struct MemberSearch<'a> {
    relation: &'a Relation,
    current: *mut pg_sys::Expr,
    used: Vec<*mut pg_sys::Expr>,
}

/// Clauses `column = other relation's expression` that equivalence classes imply, for each of this
/// relation's columns in turn.
unsafe fn equivalence_clauses(relation: &Relation) -> Vec<*mut pg_sys::RestrictInfo> {
    let mut search = MemberSearch {
        relation,
        current: ptr::null_mut(),
        used: Vec::new(),
    };
    let mut found = Vec::new();
    loop {
        search.current = ptr::null_mut();
        // SAFETY: the callback gets the search back as its argument, on this thread, during the call.
        unsafe {
            let clauses = pg_sys::generate_implied_equalities_for_column(
                relation.root,
                relation.rel,
                Some(is_next_member),
                ptr::from_mut(&mut search).cast(),
                (*relation.rel).lateral_referencers,
            );
            found.extend(PgList::<pg_sys::RestrictInfo>::from_pg(clauses).iter_ptr());
        }
        if search.current.is_null() {
            return found;
        }
        search.used.push(search.current);
    }
}

/// Picks, one call after the other, each equivalence member that is a column of the relation.
#[pg_guard]
unsafe extern "C-unwind" fn is_next_member(
    _root: *mut pg_sys::PlannerInfo,
    _rel: *mut pg_sys::RelOptInfo,
    _class: *mut pg_sys::EquivalenceClass,
    member: *mut pg_sys::EquivalenceMember,
    argument: *mut std::ffi::c_void,
) -> bool {
    // SAFETY: the argument is the MemberSearch of the call that led here.
    unsafe {
        let search = &mut *argument.cast::<MemberSearch>();
        let expression = (*member).em_expr;
        let same = |other: *mut pg_sys::Expr| pg_sys::equal(expression.cast(), other.cast());
        if !search.current.is_null() {
            return same(search.current);
        }
        if search.used.iter().any(|used| same(*used))
            || clauses::column_reference(search.relation, expression.cast()).is_none()
        {
            return false;
        }
        search.current = expression;
        true
    }
}

//! How EXPLAIN shows aggregates and their conditions: the plan itself knows the table's columns no more.

use crate::encoding::from_server;
use crate::planner::clauses::Clause;
use crate::planner::relation::Relation;
use pgrx::{pg_guard, pg_sys};
use rest_engine::model::Table;
use rest_engine::pushdown::Wish;
use std::ffi::c_void;
use std::ptr;

/// `count(*), sum(score) GROUP BY state`
pub fn aggregate(table: &Table, wish: &Wish) -> String {
    let name = |index: usize| table.columns[index].name.as_str();
    let results = wish.results.iter().map(|result| {
        let argument = result
            .argument
            .map_or("*", |argument| name(argument.column));
        format!("{}({argument})", result.function.sql())
    });
    let results: Vec<String> = results.collect();
    let group: Vec<&str> = wish
        .group
        .iter()
        .map(|wished| name(wished.column))
        .collect();
    if group.is_empty() {
        return results.join(", ");
    }
    format!("{} GROUP BY {}", results.join(", "), group.join(", "))
}

/// The conditions of the clauses as SQL writes them.
///
/// # Safety
/// The clauses are of the query being planned.
pub unsafe fn filters(relation: &Relation, clauses: &[Clause]) -> Vec<String> {
    // SAFETY: the relation is in the query's range table; each expression is copied, so that its columns
    // can be those of a table by itself.
    unsafe {
        let entry = *(*relation.root)
            .simple_rte_array
            .add((*relation.rel).relid as usize);
        let context = pg_sys::deparse_context_for((*(*entry).eref).aliasname, (*entry).relid);
        let shown = |clause: &Clause| {
            let copy = pg_sys::copyObjectImpl(clause.expression.cast()).cast::<pg_sys::Node>();
            to_context(copy, ptr::null_mut());
            from_server(pg_sys::deparse_expression(copy, context, false, false))
        };
        clauses.iter().map(shown).collect()
    }
}

/// Makes every column one of the first relation, which is the only one that the context knows; and every value of a query
/// around this one a parameter of the statement: both are written as `$1`, but for the former PostgreSQL 17 and later look
/// into the plan, which the context does not have.
#[pg_guard]
unsafe extern "C-unwind" fn to_context(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: the node, where there is one, is part of a copy of our own; the cast follows its tag.
    unsafe {
        if node.is_null() {
            return false;
        }
        if pgrx::is_a(node, pg_sys::NodeTag::T_Var) {
            let var = node.cast::<pg_sys::Var>();
            (*var).varno = 1;
            (*var).varnosyn = 1;
            return false;
        }
        if pgrx::is_a(node, pg_sys::NodeTag::T_Param) {
            let parameter = node.cast::<pg_sys::Param>();
            (*parameter).paramkind = pg_sys::ParamKind::PARAM_EXTERN;
            return false;
        }
        pg_sys::expression_tree_walker(node, Some(to_context), context)
    }
}

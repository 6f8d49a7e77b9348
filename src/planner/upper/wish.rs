//! A grouped target list → what the engine is asked for.

use crate::encoding::from_server;
use crate::options::engine_type;
use crate::planner::clauses::{ColumnReference, column_reference, semantics};
use crate::planner::relation::Relation;
use pgrx::{PgList, pg_sys};
use rest_engine::model::{Function, Type};
use rest_engine::pushdown::{Wish, WishedColumn, WishedResult};
use std::os::raw::c_char;

/// The kind of aggregate that has no direct arguments (`AGGKIND_NORMAL` of pg_aggregate.h).
const NORMAL: c_char = b'n' as c_char;

/// What a query wants of a table's groups.
pub struct Wanted {
    /// The node's columns: those that make a group, then the aggregates.
    pub targets: Vec<*mut pg_sys::Expr>,
    /// The same in the engine's words.
    pub wish: Wish,
}

/// What the grouped relation `output` has to give; `None` where that is more than plain columns and plain
/// aggregates of plain columns.
///
/// # Safety
/// The planner's own pointers; `having` is its list of conditions on groups.
pub unsafe fn wanted(
    relation: &Relation,
    output: *mut pg_sys::RelOptInfo,
    having: *mut pg_sys::List,
) -> Option<Wanted> {
    // SAFETY: by this function's contract.
    unsafe {
        let parse = (*relation.root).parse;
        if !(*parse).groupingSets.is_null() || !(*parse).hasAggs {
            return None;
        }
        let group = grouping_columns(relation, (*parse).groupClause)?;
        let mut aggregates = Vec::new();
        let target = PgList::<pg_sys::Node>::from_pg((*(*output).reltarget).exprs);
        let conditions = PgList::<pg_sys::Node>::from_pg(having);
        for expression in target.iter_ptr().chain(conditions.iter_ptr()) {
            collect(expression, &group, &mut aggregates)?;
        }
        let columns = group
            .iter()
            .map(|node| grouping_column(relation, *node))
            .collect::<Option<_>>()?;
        let results = aggregates
            .iter()
            .map(|node| result(relation, node.cast()))
            .collect::<Option<_>>()?;
        let targets = group.into_iter().chain(aggregates);
        Some(Wanted {
            targets: targets.map(|node| node.cast::<pg_sys::Expr>()).collect(),
            wish: Wish {
                group: columns,
                results,
            },
        })
    }
}

/// The expressions that make a group, each once.
unsafe fn grouping_columns(
    relation: &Relation,
    clause: *mut pg_sys::List,
) -> Option<Vec<*mut pg_sys::Node>> {
    let mut columns: Vec<*mut pg_sys::Node> = Vec::new();
    // SAFETY: the planner's own query: its target list has every grouping expression.
    unsafe {
        let targets = (*relation.root).processed_tlist;
        for key in PgList::<pg_sys::SortGroupClause>::from_pg(clause).iter_ptr() {
            let node = pg_sys::get_sortgroupclause_expr(key, targets);
            if !pgrx::is_a(node, pg_sys::NodeTag::T_Var) {
                return None;
            }
            add(&mut columns, node);
        }
    }
    Some(columns)
}

/// Adds the aggregates of an expression; `None` where it needs anything else of the rows.
unsafe fn collect(
    expression: *mut pg_sys::Node,
    group: &[*mut pg_sys::Node],
    aggregates: &mut Vec<*mut pg_sys::Node>,
) -> Option<()> {
    // SAFETY: an expression of the planner's current query.
    unsafe {
        if pg_sys::contain_subplans(expression) {
            return None;
        }
        let parts = pg_sys::pull_var_clause(expression, pg_sys::PVC_INCLUDE_AGGREGATES as i32);
        for part in PgList::<pg_sys::Node>::from_pg(parts).iter_ptr() {
            if pgrx::is_a(part, pg_sys::NodeTag::T_Aggref) {
                add(aggregates, part);
            } else if !group
                .iter()
                .any(|known| pg_sys::equal((*known).cast(), part.cast()))
            {
                return None;
            }
        }
    }
    Some(())
}

/// Adds an expression that is not there already.
unsafe fn add(nodes: &mut Vec<*mut pg_sys::Node>, node: *mut pg_sys::Node) {
    // SAFETY: all are expressions of the planner's current query.
    let is_there =
        |known: &*mut pg_sys::Node| unsafe { pg_sys::equal((*known).cast(), node.cast()) };
    if !nodes.iter().any(is_there) {
        nodes.push(node);
    }
}

unsafe fn grouping_column(relation: &Relation, node: *mut pg_sys::Node) -> Option<WishedColumn> {
    // SAFETY: a column of the planner's current query.
    unsafe {
        let reference = column_reference(relation, node)?;
        if rounds(&reference) {
            return None;
        }
        Some(WishedColumn {
            column: reference.column,
            semantics: semantics(pg_sys::exprCollation(node)),
        })
    }
}

unsafe fn result(relation: &Relation, call: *mut pg_sys::Aggref) -> Option<WishedResult> {
    // SAFETY: an aggregate of the planner's current query.
    unsafe {
        let is_plain = (*call).aggkind == NORMAL
            && (*call).aggsplit == pg_sys::AggSplit::AGGSPLIT_SIMPLE
            && (*call).agglevelsup == 0
            && (*call).aggfilter.is_null()
            && (*call).aggorder.is_null()
            && (*call).aggdistinct.is_null()
            && (*call).aggdirectargs.is_null()
            && !(*call).aggvariadic;
        let function = builtin((*call).aggfnoid).filter(|_| is_plain)?;
        if (*call).aggstar {
            return Some(WishedResult {
                function,
                argument: None,
            });
        }
        let arguments = PgList::<pg_sys::TargetEntry>::from_pg((*call).args);
        let argument = arguments.get_ptr(0).filter(|_| arguments.len() == 1)?;
        let reference = column_reference(relation, (*argument).expr.cast())?;
        let adds = matches!(function, Function::Sum | Function::Avg);
        let is_known = engine_type((*call).aggtype) == result_type(relation, function, &reference);
        (is_known && !(adds && rounds(&reference))).then(|| WishedResult {
            function,
            argument: Some(WishedColumn {
                column: reference.column,
                semantics: semantics((*call).inputcollid),
            }),
        })
    }
}

/// PostgreSQL's own function, by its name; another one of that name may do anything.
unsafe fn builtin(function: pg_sys::Oid) -> Option<Function> {
    // SAFETY: catalog look-ups by OID; the name is palloc'd or NULL.
    unsafe {
        if pg_sys::get_func_namespace(function) != pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE) {
            return None;
        }
        let name = pg_sys::get_func_name(function);
        (!name.is_null()).then(|| Function::named(&from_server(name)))?
    }
}

fn result_type(relation: &Relation, function: Function, argument: &ColumnReference) -> Type {
    rest_engine::pushdown::result_type(function, &relation.table().columns[argument.column].ty)
}

/// Whether the column's type keeps fewer digits than the API, which aggregates all of them.
fn rounds(reference: &ColumnReference) -> bool {
    let has_precision = matches!(
        engine_type(reference.ty),
        Type::Numeric | Type::Timestamp | Type::TimestampTz
    );
    has_precision && reference.modifier >= 0
}

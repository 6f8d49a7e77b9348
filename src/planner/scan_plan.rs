//! The plan node of a scan: what is sent, what is checked again, what stays local.

use super::clauses::{self, Clause};
use super::orders;
use super::paths::push_down;
use super::read_ahead::list_lookup;
use super::relation::Relation;
use super::upper::aggregate_scan;
use crate::encoding::from_server;
use crate::error::FdwError;
use crate::plan::{LocalOrder, Operand, Recheck, ScanPlan};
use crate::settings;
use pgrx::{PgList, pg_guard, pg_sys};
use rest_engine::model::{Operator, Role};
use rest_engine::predicate::Predicate;
use rest_engine::pushdown::{self, Pushdown, RemoteQuery, Sent, SortKey, Verdict};
use std::ptr;

/// `GetForeignPlan`: the plan node for the path that won.
///
/// # Safety
/// Called by PostgreSQL's planner only.
#[pg_guard]
pub unsafe extern "C-unwind" fn get_foreign_plan(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    _oid: pg_sys::Oid,
    path: *mut pg_sys::ForeignPath,
    target_list: *mut pg_sys::List,
    restrictions: *mut pg_sys::List,
    outer_plan: *mut pg_sys::Plan,
) -> *mut pg_sys::ForeignScan {
    // SAFETY: the planner's own pointers; the relation's size was estimated before.
    unsafe {
        if (*rel).reloptkind == pg_sys::RelOptKind::RELOPT_UPPER_REL {
            return aggregate_scan(root, rel, target_list, outer_plan);
        }
        let relation = Relation::of(root, rel);
        let clauses = clauses::translate(relation, restrictions);
        let mut pushdown = push_down(relation, &clauses);
        let list = list_lookup(relation, &clauses, &pushdown);
        let expressions = Expressions::sort(relation, &clauses, &mut pushdown);
        let order = ChosenOrder::of(relation, &clauses, (*path).path.pathkeys)
            .unwrap_or_else(|error| error.raise());
        let mut plan = scan_plan(relation, &clauses, &pushdown, &expressions, order);
        plan.list = list;
        let private = plan.to_list().unwrap_or_else(|error| error.raise());
        pg_sys::make_foreignscan(
            target_list,
            expressions.local.into_pg(),
            (*rel).relid,
            pg_sys::list_concat(
                expressions.operands.into_pg(),
                pg_sys::list_copy(expressions.sent),
            ),
            private,
            ptr::null_mut(),
            expressions.sent,
            outer_plan,
        )
    }
}

/// The order of the path that won.
struct ChosenOrder {
    /// What the API is asked for.
    keys: Vec<SortKey>,
    /// The rows come as the whole query wants them.
    is_of_query: bool,
    /// What the query wants of it and the API does not do.
    local: Option<LocalOrder>,
}

impl ChosenOrder {
    unsafe fn of(
        relation: &Relation,
        clauses: &[Clause],
        pathkeys: *mut pg_sys::List,
    ) -> Result<Self, FdwError> {
        // SAFETY: the planner's own state and the path keys of one of its paths.
        unsafe {
            let keys = if pathkeys.is_null() {
                Vec::new()
            } else {
                orders::sort_keys(relation, clauses, pathkeys).map_err(FdwError::Internal)?
            };
            let wanted = (*relation.root).query_pathkeys;
            Ok(ChosenOrder {
                keys,
                is_of_query: pg_sys::pathkeys_contained_in(wanted, pathkeys),
                local: orders::local_order(relation, clauses, pathkeys),
            })
        }
    }
}

/// The expressions of a scan, each where the executor looks for it.
pub struct Expressions {
    /// Evaluated when the scan starts; `fdw_exprs` begins with them.
    pub operands: PgList<pg_sys::Node>,
    /// What is known of each operand.
    pub labels: Vec<Operand>,
    /// Clauses that were sent: `fdw_exprs` goes on with them, and they are the recheck quals of
    /// EvalPlanQual.
    pub sent: *mut pg_sys::List,
    pub rechecks: Vec<Recheck>,
    /// Clauses that PostgreSQL evaluates: the node's qual.
    pub local: PgList<pg_sys::Expr>,
    pub local_reasons: Vec<String>,
}

impl Expressions {
    /// Sorts the clauses by their verdicts, and numbers the conditions' operands as they are kept.
    ///
    /// # Safety
    /// The clauses are of the query being planned.
    pub unsafe fn sort(relation: &Relation, clauses: &[Clause], pushdown: &mut Pushdown) -> Self {
        let mut sorted = Expressions {
            operands: PgList::new(),
            labels: Vec::new(),
            sent: ptr::null_mut(),
            rechecks: Vec::new(),
            local: PgList::new(),
            local_reasons: Vec::new(),
        };
        let mut sent = PgList::<pg_sys::Expr>::new();
        let mut first_operand = 0;
        for (index, (clause, verdict)) in clauses.iter().zip(&pushdown.verdicts).enumerate() {
            if let Verdict::Local(reason) = verdict {
                sorted.local.push(clause.expression);
                sorted.local_reasons.push(reason.clone());
            } else {
                let of_clause = (0..pushdown.sent.len())
                    .filter(|part| pushdown.sent[*part].predicate == index)
                    .collect();
                sorted.rechecks.push(Recheck {
                    exact: *verdict == Verdict::Exact,
                    sent: of_clause,
                });
                sent.push(clause.expression);
                // SAFETY: the clause belongs to the planner's current query.
                unsafe { sorted.keep(relation, clause, first_operand, &mut pushdown.sent, index) };
            }
            first_operand += clause.operands.len();
        }
        sorted.sent = sent.into_pg();
        sorted
    }

    /// Keeps those operands of clause `predicate` that are sent; they were planned from `first` on.
    unsafe fn keep(
        &mut self,
        relation: &Relation,
        clause: &Clause,
        first: usize,
        sent: &mut [Sent],
        predicate: usize,
    ) {
        let mut parts: Vec<&mut Sent> = sent
            .iter_mut()
            .filter(|sent| sent.predicate == predicate)
            .collect();
        let operands = parts.iter().flat_map(|sent| sent.condition.operands());
        let mut used: Vec<usize> = operands.collect();
        used.sort_unstable();
        used.dedup();
        let kept = self.labels.len();
        for operand in &used {
            let operand = clause.operands[operand - first];
            self.operands.push(operand);
            // SAFETY: by the caller's contract.
            self.labels
                .push(unsafe { operand_label(relation, operand) });
        }
        let number = |operand: usize| {
            kept + used
                .iter()
                .position(|other| *other == operand)
                .unwrap_or_default()
        };
        parts
            .iter_mut()
            .for_each(|sent| sent.condition.renumber(&number));
    }
}

unsafe fn scan_plan(
    relation: &Relation,
    clauses: &[Clause],
    pushdown: &Pushdown,
    expressions: &Expressions,
    order: ChosenOrder,
) -> ScanPlan {
    let table = relation.table();
    // SAFETY: the planner's own pointers.
    let (wanted, hint, fetch_ahead) = unsafe {
        (
            wanted_columns(relation, clauses),
            limit_hint(relation, clauses, pushdown, &order),
            reads_everything(relation.root),
        )
    };
    ScanPlan {
        table: table.clone(),
        server: relation.catalog.server.to_u32(),
        attributes: relation.catalog.attributes.clone(),
        query: RemoteQuery {
            sent: pushdown.sent.clone(),
            order: order.keys,
            fields: pushdown::fields(table, &wanted).filter(|_| settings::pushdown()),
            aggregate: None,
        },
        aggregate: None,
        local_order: order.local,
        operands: expressions.labels.clone(),
        rechecks: expressions.rechecks.clone(),
        local_reasons: expressions.local_reasons.clone(),
        wanted,
        hint,
        fetch_ahead,
        list: None,
    }
}

/// The type of an operand, and its name where it is a column of another table: after planning it
/// is only a numbered parameter.
unsafe fn operand_label(relation: &Relation, operand: *mut pg_sys::Node) -> Operand {
    // SAFETY: each cast follows the node's tag; the range table belongs to the same query.
    unsafe {
        let ty = pg_sys::exprType(operand).to_u32();
        let mut inner = operand;
        while pgrx::is_a(inner, pg_sys::NodeTag::T_RelabelType) {
            inner = (*inner.cast::<pg_sys::RelabelType>()).arg.cast();
        }
        if !pgrx::is_a(inner, pg_sys::NodeTag::T_Var) {
            return Operand { ty, column: None };
        }
        let var = inner.cast::<pg_sys::Var>();
        let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*(*relation.root).parse).rtable);
        let entry = usize::try_from((*var).varno as i64 - 1)
            .ok()
            .filter(|_| (*var).varlevelsup == 0)
            .and_then(|index| entries.get_ptr(index));
        let column = entry.and_then(|entry| {
            let names = PgList::<pg_sys::Node>::from_pg((*(*entry).eref).colnames);
            let position = usize::try_from((*var).varattno - 1).ok()?;
            let column = names.get_ptr(position)?;
            let table = from_server((*(*entry).eref).aliasname);
            let column = from_server(crate::compat::string_value(column));
            Some(format!("{table}.{column}"))
        });
        Operand { ty, column }
    }
}

/// The columns that the query or a clause needs and that a response carries.
unsafe fn wanted_columns(relation: &Relation, clauses: &[Clause]) -> Vec<usize> {
    // SAFETY: the planner's own expressions; the set is a new one.
    unsafe {
        let rel = relation.rel;
        let mut attributes: *mut pg_sys::Bitmapset = ptr::null_mut();
        pg_sys::pull_varattnos(
            (*(*rel).reltarget).exprs.cast(),
            (*rel).relid,
            &mut attributes,
        );
        for clause in clauses {
            pg_sys::pull_varattnos(clause.expression.cast(), (*rel).relid, &mut attributes);
        }
        let is_used = |attribute: i32| {
            let member = attribute - pg_sys::FirstLowInvalidHeapAttributeNumber;
            pg_sys::bms_is_member(member, attributes)
        };
        let whole_row = is_used(0);
        let columns = relation
            .catalog
            .attributes
            .iter()
            .zip(&relation.table().columns);
        columns
            .enumerate()
            .filter(|(_, (attribute, column))| {
                (whole_row || is_used(i32::from(**attribute)))
                    && matches!(column.role, Role::Field(_))
            })
            .map(|(index, _)| index)
            .collect()
    }
}

/// Rows after which the query stops, if every row that the API returns counts towards them:
/// the scan is the whole query, nothing is filtered or sorted locally (rule R5). Where grouping, DISTINCT,
/// windows or functions that return sets change the count, the planner has no limit here.
unsafe fn limit_hint(
    relation: &Relation,
    clauses: &[Clause],
    pushdown: &Pushdown,
    order: &ChosenOrder,
) -> Option<u64> {
    let counts = |(clause, verdict): (&Clause, &Verdict)| {
        *verdict == Verdict::Exact || only_drops_the_end(relation, clause, order)
    };
    // SAFETY: the planner's own state.
    unsafe {
        let root = relation.root;
        let alone =
            pg_sys::bms_membership((*root).all_baserels) == pg_sys::BMS_Membership::BMS_SINGLETON;
        let everything_counts = clauses.iter().zip(&pushdown.verdicts).all(counts);
        let limit = (*root).limit_tuples;
        (alone && everything_counts && order.is_of_query && limit >= 1.0)
            .then_some(limit.min(1e15) as u64)
    }
}

/// `column IS NOT NULL`, where the API returns the column's NULLs last: what `max(column)` adds.
fn only_drops_the_end(relation: &Relation, clause: &Clause, order: &ChosenOrder) -> bool {
    match (&clause.predicate, order.keys.first()) {
        (
            Predicate::Compare {
                column,
                operator: Operator::IsNotNull,
                ..
            },
            Some(key),
        ) => key.column == *column && pushdown::ends_in_nulls(relation.table(), key),
        _ => false,
    }
}

/// Whether the query is going to read all rows, as far as the planner knows.
pub(super) unsafe fn reads_everything(root: *mut pg_sys::PlannerInfo) -> bool {
    // SAFETY: the planner's own state.
    unsafe { (*root).tuple_fraction <= 0.0 && (*(*root).parse).limitCount.is_null() }
}

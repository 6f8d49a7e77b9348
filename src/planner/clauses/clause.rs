//! What is known of one restriction of the query, once it is translated?

use super::translation::Translation;
use crate::executor;
use crate::planner::relation::Relation;
use pgrx::{PgList, pg_sys};
use rest_engine::model::Operator;
use rest_engine::predicate::{Predicate, Value};

/// A restriction of the query on one table.
pub struct Clause {
    /// Where the planner keeps it.
    pub info: *mut pg_sys::RestrictInfo,
    /// The expression that PostgreSQL evaluates.
    pub expression: *mut pg_sys::Expr,
    /// What it says of the table's columns; what cannot be sent is opaque, with the reason in a
    /// user's words. Its operands are indexes into `operands`.
    pub predicate: Predicate,
    /// What the predicate compares with: expressions without columns of this table.
    pub operands: Vec<*mut pg_sys::Node>,
}

impl Clause {
    /// The value of one of the clause's operands, where that is a constant.
    pub fn constant(&self, operand: usize) -> Option<Value> {
        let node = *self.operands.get(operand)?;
        // SAFETY: the operand is a node of the planner's current query.
        unsafe { executor::constant(node) }
    }

    /// The predicate for operands that are kept behind `first` others.
    pub fn predicate_from(&self, first: usize) -> Predicate {
        let mut predicate = self.predicate.clone();
        raise_operands(&mut predicate, first);
        predicate
    }

    /// The columns that it compares, each once, as indexes into the table's columns.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        collect_columns(&self.predicate, &mut columns);
        columns
    }

    /// The column, where the clause as a whole is `column = operand`.
    pub fn equal_column(&self) -> Option<usize> {
        match self.predicate {
            Predicate::Compare {
                column,
                operator: Operator::Eq,
                ..
            } => Some(column),
            _ => None,
        }
    }
}

fn raise_operands(predicate: &mut Predicate, first: usize) {
    match predicate {
        Predicate::Compare { operand, .. } | Predicate::Known(operand) => *operand += first,
        Predicate::Not(argument) | Predicate::IsTrue(argument) => raise_operands(argument, first),
        Predicate::And(arms) | Predicate::Or(arms) => {
            arms.iter_mut().for_each(|arm| raise_operands(arm, first));
        }
        Predicate::Opaque(_) => {}
    }
}

fn collect_columns(predicate: &Predicate, columns: &mut Vec<usize>) {
    match predicate {
        Predicate::Compare { column, .. } => {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
        Predicate::Not(argument) | Predicate::IsTrue(argument) => {
            collect_columns(argument, columns);
        }
        Predicate::And(arms) | Predicate::Or(arms) => {
            arms.iter().for_each(|arm| collect_columns(arm, columns));
        }
        Predicate::Known(_) | Predicate::Opaque(_) => {}
    }
}

/// Translates the clauses of a list of RestrictInfos; constant ones are PostgreSQL's own matter.
///
/// # Safety
/// `restrictions` is a list of RestrictInfos of the planner's current query.
pub unsafe fn translate(relation: &Relation, restrictions: *mut pg_sys::List) -> Vec<Clause> {
    // SAFETY: by this function's contract.
    unsafe {
        PgList::<pg_sys::RestrictInfo>::from_pg(restrictions)
            .iter_ptr()
            .filter(|info| !(**info).pseudoconstant)
            .map(|info| clause(relation, info))
            .collect()
    }
}

/// Translates one clause.
///
/// # Safety
/// `info` is a RestrictInfo of the planner's current query.
pub unsafe fn clause(relation: &Relation, info: *mut pg_sys::RestrictInfo) -> Clause {
    let mut translation = Translation::new(relation);
    // SAFETY: by this function's contract; the relation is the planner's own.
    let (expression, predicate) = unsafe {
        let expression = (*info).clause;
        let predicate = if pg_sys::restriction_is_securely_promotable(info, relation.rel) {
            translation.clause(expression.cast())
        } else {
            Predicate::Opaque("a security barrier has to be checked before it".to_owned())
        };
        (expression, predicate)
    };
    Clause {
        info,
        expression,
        predicate,
        operands: translation.operands,
    }
}

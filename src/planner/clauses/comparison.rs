//! Which comparison of a column is an operator or a function of two arguments?

use super::column::{ColumnReference, array_reference, column_reference};
use super::operand::{self, Compared};
use super::operators::{self, is_pattern, semantics};
use super::reasons;
use super::translation::{Translated, Translation};
use crate::compat;
use pgrx::{PgList, pg_sys};
use rest_engine::model::Operator;

/// A column and what it is compared with.
struct Sides {
    reference: ColumnReference,
    operand: *mut pg_sys::Node,
    /// The operator from the column's side; invalid where there is none.
    operator: pg_sys::Oid,
}

impl Translation<'_> {
    /// `column OPERATOR operand`, or the other way round.
    ///
    /// # Safety
    /// `expression` is a node of the planner's current query.
    pub(super) unsafe fn operator(&mut self, expression: *mut pg_sys::OpExpr) -> Translated {
        // SAFETY: by this function's contract.
        unsafe {
            let sides = self.sides(expression)?;
            let Some(operator) = operators::meaning(sides.operator, sides.reference.ty) else {
                return Err(self.no_meaning(&sides, (*expression).opno));
            };
            self.checked(&sides, operator, (*expression).inputcollid)
        }
    }

    /// `column IS DISTINCT FROM operand`: the node has the equality that it is made of.
    ///
    /// # Safety
    /// `expression` is a node of the planner's current query.
    pub(super) unsafe fn distinct(&mut self, expression: *mut pg_sys::DistinctExpr) -> Translated {
        // SAFETY: by this function's contract; a DistinctExpr is an OpExpr with another tag.
        unsafe {
            let sides = self.sides(expression)?;
            if operators::meaning(sides.operator, sides.reference.ty) != Some(Operator::Eq) {
                let name = "IS DISTINCT FROM";
                return Err(reasons::no_spelling(self.relation, name));
            }
            self.checked(&sides, Operator::Distinct, (*expression).inputcollid)
        }
    }

    /// `starts_with(column, operand)`.
    ///
    /// # Safety
    /// `call` is a node of the planner's current query.
    pub(super) unsafe fn function(&mut self, call: *mut pg_sys::FuncExpr) -> Translated {
        // SAFETY: by this function's contract; the arguments are nodes of the same query.
        unsafe {
            let arguments = PgList::<pg_sys::Node>::from_pg((*call).args);
            let (Some(left), Some(right)) = (arguments.get_ptr(0), arguments.get_ptr(1)) else {
                return Err(reasons::expression(self.relation, call.cast()));
            };
            match column_reference(self.relation, left) {
                Some(reference) if (*call).funcid.to_u32() == compat::STARTS_WITH => {
                    let sides = Sides {
                        reference,
                        operand: right,
                        operator: pg_sys::InvalidOid,
                    };
                    self.checked(&sides, Operator::StartsWith, (*call).inputcollid)
                }
                _ => Err(reasons::expression(self.relation, call.cast())),
            }
        }
    }

    /// The column's side and the other one.
    unsafe fn sides(&self, expression: *mut pg_sys::OpExpr) -> Result<Sides, String> {
        // SAFETY: the arguments are nodes of the planner's current query.
        unsafe {
            let arguments = PgList::<pg_sys::Node>::from_pg((*expression).args);
            let (Some(left), Some(right)) = (arguments.get_ptr(0), arguments.get_ptr(1)) else {
                return Err(reasons::expression(self.relation, expression.cast()));
            };
            let column = |node| {
                column_reference(self.relation, node)
                    .or_else(|| array_reference(self.relation, node))
            };
            if let Some(reference) = column(left) {
                Ok(Sides {
                    reference,
                    operand: right,
                    operator: (*expression).opno,
                })
            } else if let Some(reference) = column(right) {
                Ok(Sides {
                    reference,
                    operand: left,
                    operator: pg_sys::get_commutator((*expression).opno),
                })
            } else {
                Err(reasons::one_of(self.relation, &[left, right]))
            }
        }
    }

    /// The comparison, if its operand may be sent as a value.
    unsafe fn checked(
        &mut self,
        sides: &Sides,
        operator: Operator,
        collation: pg_sys::Oid,
    ) -> Translated {
        if is_pattern(operator) && !semantics(collation).deterministic {
            return Err("patterns need a deterministic collation".to_owned());
        }
        // SAFETY: the operand is a node of the planner's current query.
        unsafe {
            let ty = pg_sys::exprType(sides.operand);
            let column = &self.relation.table().columns[sides.reference.column];
            let compared = Compared::column(column, &sides.reference);
            operand::check(self.relation, compared, sides.operand, ty)?;
        }
        Ok(self.compare(&sides.reference, operator, sides.operand, collation))
    }

    fn no_meaning(&self, sides: &Sides, written: pg_sys::Oid) -> String {
        let name = reasons::operator_name(written);
        if sides.operator == pg_sys::InvalidOid {
            let column = &self.relation.table().columns[sides.reference.column].name;
            return format!("column \"{column}\" stands on the right of operator {name}");
        }
        reasons::no_spelling(self.relation, &format!("operator {name}"))
    }
}

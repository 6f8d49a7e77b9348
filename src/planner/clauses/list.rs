//! Which comparison is `value OPERATOR ANY (list)` or `ALL (list)`, with a column on either side?

use super::column::{array_reference, column_reference};
use super::operand::{self, Compared, element_type};
use super::operators;
use super::reasons;
use super::translation::{Translated, Translation};
use pgrx::{PgList, pg_sys};
use rest_engine::model::Operator;

impl Translation<'_> {
    /// `column = ANY (list)`, `column <> ALL (list)`, `value = ANY (column)`.
    ///
    /// # Safety
    /// `expression` is a node of the planner's current query.
    pub(super) unsafe fn list(&mut self, expression: *mut pg_sys::ScalarArrayOpExpr) -> Translated {
        // SAFETY: the arguments are nodes of the same query.
        unsafe {
            let arguments = PgList::<pg_sys::Node>::from_pg((*expression).args);
            let (Some(left), Some(right)) = (arguments.get_ptr(0), arguments.get_ptr(1)) else {
                return Err(reasons::expression(self.relation, expression.cast()));
            };
            if column_reference(self.relation, left).is_some() {
                self.one_of_list(expression, left, right)
            } else if array_reference(self.relation, right).is_some() {
                self.element_of_column(expression, left, right)
            } else {
                Err(reasons::one_of(self.relation, &[left, right]))
            }
        }
    }

    unsafe fn one_of_list(
        &mut self,
        expression: *mut pg_sys::ScalarArrayOpExpr,
        left: *mut pg_sys::Node,
        list: *mut pg_sys::Node,
    ) -> Translated {
        // SAFETY: the nodes belong to the planner's current query.
        unsafe {
            let reference = column_reference(self.relation, left)
                .ok_or_else(|| reasons::expression(self.relation, left))?;
            let meaning = operators::meaning((*expression).opno, reference.ty);
            let operator = match (meaning, (*expression).useOr) {
                (Some(Operator::Eq), true) => Operator::In,
                (Some(Operator::Ne), false) => Operator::NotIn,
                _ => return Err(self.no_quantifier(expression)),
            };
            let column = &self.relation.table().columns[reference.column];
            operand::check(
                self.relation,
                Compared::column(column, &reference),
                list,
                element_type(pg_sys::exprType(list)),
            )?;
            Ok(self.compare(&reference, operator, list, (*expression).inputcollid))
        }
    }

    /// An array with a NULL in it makes the comparison unknown where containment is false, so it is
    /// sent only where both come to the same.
    unsafe fn element_of_column(
        &mut self,
        expression: *mut pg_sys::ScalarArrayOpExpr,
        value: *mut pg_sys::Node,
        array: *mut pg_sys::Node,
    ) -> Translated {
        // SAFETY: the nodes belong to the planner's current query.
        unsafe {
            let reference = array_reference(self.relation, array)
                .ok_or_else(|| reasons::expression(self.relation, array))?;
            let operator = pg_sys::get_commutator((*expression).opno);
            let is_equality =
                operators::meaning(operator, element_type(reference.ty)) == Some(Operator::Eq);
            if !is_equality || !(*expression).useOr {
                return Err(self.no_quantifier(expression));
            }
            let column = &self.relation.table().columns[reference.column];
            if self.is_inverted {
                return Err(format!(
                    "elements of column \"{}\" that are NULL make it unknown",
                    column.name
                ));
            }
            operand::check(
                self.relation,
                Compared::column(column, &reference).element(),
                value,
                pg_sys::exprType(value),
            )?;
            Ok(self.compare(
                &reference,
                Operator::Contains,
                value,
                (*expression).inputcollid,
            ))
        }
    }

    unsafe fn no_quantifier(&self, expression: *mut pg_sys::ScalarArrayOpExpr) -> String {
        // SAFETY: the expression is a node of the planner's current query.
        let (operator, is_any) = unsafe { ((*expression).opno, (*expression).useOr) };
        let quantifier = if is_any { "ANY" } else { "ALL" };
        let name = reasons::operator_name(operator);
        reasons::no_spelling(self.relation, &format!("operator {name} {quantifier}"))
    }
}

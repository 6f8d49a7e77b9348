//! AND, OR, NOT, tests for truth and for NULL, and columns that are conditions by themselves: which
//! tree do they make?

use super::column::column_reference;
use super::operators::semantics;
use super::reasons;
use super::translation::{Translated, Translation};
use pgrx::{PgList, pg_sys};
use rest_engine::model::Operator;
use rest_engine::predicate::Predicate;

impl Translation<'_> {
    /// AND, OR, NOT.
    ///
    /// # Safety
    /// `expression` is a node of the planner's current query.
    pub(super) unsafe fn boolean(&mut self, expression: *mut pg_sys::BoolExpr) -> Predicate {
        // SAFETY: the expression's arguments are nodes of the same query.
        unsafe {
            let arguments = PgList::<pg_sys::Node>::from_pg((*expression).args);
            match ((*expression).boolop, arguments.get_ptr(0)) {
                (pg_sys::BoolExprType::NOT_EXPR, Some(argument)) => self.negation(argument),
                (operator, _) => {
                    let arms = arguments
                        .iter_ptr()
                        .map(|arm| self.predicate(arm))
                        .collect();
                    if operator == pg_sys::BoolExprType::OR_EXPR {
                        Predicate::Or(arms)
                    } else {
                        Predicate::And(arms)
                    }
                }
            }
        }
    }

    unsafe fn negation(&mut self, argument: *mut pg_sys::Node) -> Predicate {
        // SAFETY: the argument is a node of the planner's current query.
        unsafe {
            // PostgreSQL writes `locked = false` so.
            match self.truth_value(argument, false) {
                Ok(predicate) => predicate,
                Err(_) => negated(self.inverted(|part| part.predicate(argument))),
            }
        }
    }

    /// Translates a part that is asked for not being true.
    fn inverted(&mut self, part: impl FnOnce(&mut Self) -> Predicate) -> Predicate {
        let before = std::mem::replace(&mut self.is_inverted, true);
        let predicate = part(self);
        self.is_inverted = before;
        predicate
    }

    /// `IS [NOT] TRUE`, `IS [NOT] FALSE`, `IS [NOT] UNKNOWN`.
    ///
    /// # Safety
    /// `test` is a node of the planner's current query.
    pub(super) unsafe fn truth_test(&mut self, test: *mut pg_sys::BooleanTest) -> Translated {
        // SAFETY: the argument is a node of the same query.
        unsafe {
            let argument = (*test).arg.cast::<pg_sys::Node>();
            Ok(match (*test).booltesttype {
                pg_sys::BoolTestType::IS_TRUE => is_true(self.predicate(argument)),
                pg_sys::BoolTestType::IS_NOT_TRUE => {
                    negated(is_true(self.inverted(|part| part.predicate(argument))))
                }
                pg_sys::BoolTestType::IS_FALSE => is_true(self.negation(argument)),
                pg_sys::BoolTestType::IS_NOT_FALSE => {
                    negated(is_true(self.inverted(|part| part.negation(argument))))
                }
                pg_sys::BoolTestType::IS_UNKNOWN => self.nullness(argument, Operator::IsNull)?,
                _ => self.nullness(argument, Operator::IsNotNull)?,
            })
        }
    }

    /// `IS [NOT] NULL`. A composite column is NULL, to this test, where its fields are.
    ///
    /// # Safety
    /// `test` is a node of the planner's current query.
    pub(super) unsafe fn null_test(&mut self, test: *mut pg_sys::NullTest) -> Translated {
        // SAFETY: the argument is a node of the same query.
        unsafe {
            let argument = (*test).arg.cast();
            if (*test).argisrow {
                return Err(reasons::expression(self.relation, argument));
            }
            let operator = match (*test).nulltesttype {
                pg_sys::NullTestType::IS_NULL => Operator::IsNull,
                _ => Operator::IsNotNull,
            };
            self.nullness(argument, operator)
        }
    }

    unsafe fn nullness(&self, argument: *mut pg_sys::Node, operator: Operator) -> Translated {
        // SAFETY: the argument is a node of the planner's current query.
        let reference = unsafe { column_reference(self.relation, argument) };
        let Some(reference) = reference else {
            // SAFETY: as above.
            return Err(unsafe { reasons::expression(self.relation, argument) });
        };
        Ok(Predicate::Compare {
            column: reference.column,
            operator,
            operand: 0,
            semantics: semantics(pg_sys::InvalidOid),
        })
    }

    /// `WHERE locked`, `WHERE NOT locked`: PostgreSQL writes `locked = true` so.
    ///
    /// # Safety
    /// `node` is an expression of the planner's current query.
    pub(super) unsafe fn truth_value(
        &mut self,
        node: *mut pg_sys::Node,
        value: bool,
    ) -> Translated {
        // SAFETY: by this function's contract; the constant is palloc'd in the planner's context.
        unsafe {
            match column_reference(self.relation, node) {
                Some(reference) if reference.ty == pg_sys::BOOLOID => {
                    let constant = pg_sys::makeBoolConst(value, false);
                    Ok(self.compare(&reference, Operator::Eq, constant, pg_sys::InvalidOid))
                }
                _ => Err(reasons::expression(self.relation, node)),
            }
        }
    }
}

fn is_true(predicate: Predicate) -> Predicate {
    match predicate {
        Predicate::Opaque(_) => predicate,
        _ => Predicate::IsTrue(Box::new(predicate)),
    }
}

fn negated(predicate: Predicate) -> Predicate {
    match predicate {
        Predicate::Opaque(_) => predicate,
        _ => Predicate::Not(Box::new(predicate)),
    }
}

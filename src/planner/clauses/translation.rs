//! What does the translation of one clause keep on its way, and which part handles which node?

use super::column::ColumnReference;
use super::operators::semantics;
use super::{known, reasons};
use crate::planner::relation::Relation;
use pgrx::pg_sys;
use rest_engine::model::Operator;
use rest_engine::predicate::Predicate;

/// The translation of one clause, as far as it has come.
pub(super) struct Translation<'a> {
    /// The table.
    pub relation: &'a Relation,
    /// What the comparisons so far compare with.
    pub operands: Vec<*mut pg_sys::Node>,
    /// Whether the part at hand stands below a NOT or a test that is true where its argument is not:
    /// then it matters whether a comparison is false or unknown.
    pub is_inverted: bool,
    /// Whether truth values without columns are taken as such.
    pub takes_known: bool,
}

/// A predicate, or the reason, in a user's words, why there is none.
pub(super) type Translated = Result<Predicate, String>;

impl<'a> Translation<'a> {
    /// Nothing translated yet.
    pub fn new(relation: &'a Relation) -> Self {
        Translation {
            relation,
            operands: Vec::new(),
            is_inverted: false,
            takes_known: true,
        }
    }

    /// The predicate for a boolean expression; opaque where it has none.
    ///
    /// # Safety
    /// `node` is an expression of the planner's current query.
    pub unsafe fn predicate(&mut self, node: *mut pg_sys::Node) -> Predicate {
        // SAFETY: by this function's contract.
        unsafe {
            self.translated(node).unwrap_or_else(|reason| {
                if self.takes_known && known::is_known(self.relation, node) {
                    self.operands.push(node);
                    return Predicate::Known(self.operands.len() - 1);
                }
                Predicate::Opaque(reason)
            })
        }
    }

    /// The predicate for a whole clause. Beside a truth value that is the same for all rows, everything that is
    /// compared with must be such that it can be evaluated even where PostgreSQL would not.
    ///
    /// # Safety
    /// As [`Translation::predicate`].
    pub unsafe fn clause(&mut self, node: *mut pg_sys::Node) -> Predicate {
        // SAFETY: by this function's contract.
        unsafe {
            let predicate = self.predicate(node);
            let cannot_fail = |operand: &*mut pg_sys::Node| known::cannot_fail(*operand);
            if !has_known(&predicate) || self.operands.iter().all(cannot_fail) {
                return predicate;
            }
            self.operands.clear();
            self.takes_known = false;
            self.predicate(node)
        }
    }

    unsafe fn translated(&mut self, node: *mut pg_sys::Node) -> Translated {
        // SAFETY: each cast follows the node's tag.
        unsafe {
            match (*node).type_ {
                pg_sys::NodeTag::T_BoolExpr => Ok(self.boolean(node.cast())),
                pg_sys::NodeTag::T_BooleanTest => self.truth_test(node.cast()),
                pg_sys::NodeTag::T_NullTest => self.null_test(node.cast()),
                pg_sys::NodeTag::T_Var | pg_sys::NodeTag::T_RelabelType => {
                    self.truth_value(node, true)
                }
                pg_sys::NodeTag::T_OpExpr => self.operator(node.cast()),
                pg_sys::NodeTag::T_DistinctExpr => self.distinct(node.cast()),
                pg_sys::NodeTag::T_ScalarArrayOpExpr => self.list(node.cast()),
                pg_sys::NodeTag::T_FuncExpr => self.function(node.cast()),
                _ => Err(reasons::expression(self.relation, node)),
            }
        }
    }

    /// `column OPERATOR operand`, with an operand that was checked.
    pub fn compare(
        &mut self,
        reference: &ColumnReference,
        operator: Operator,
        operand: *mut pg_sys::Node,
        collation: pg_sys::Oid,
    ) -> Predicate {
        self.operands.push(operand);
        Predicate::Compare {
            column: reference.column,
            operator,
            operand: self.operands.len() - 1,
            semantics: semantics(collation),
        }
    }
}

fn has_known(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Known(_) => true,
        Predicate::Not(argument) | Predicate::IsTrue(argument) => has_known(argument),
        Predicate::And(arms) | Predicate::Or(arms) => arms.iter().any(has_known),
        Predicate::Compare { .. } | Predicate::Opaque(_) => false,
    }
}

//! What does the translation of one clause keep on its way, and which part handles which node?

use super::column::ColumnReference;
use super::operators::semantics;
use super::reasons;
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
        }
    }

    /// The predicate for a boolean expression; opaque where it has none.
    ///
    /// # Safety
    /// `node` is an expression of the planner's current query.
    pub unsafe fn predicate(&mut self, node: *mut pg_sys::Node) -> Predicate {
        // SAFETY: by this function's contract.
        unsafe { self.translated(node) }.unwrap_or_else(Predicate::Opaque)
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

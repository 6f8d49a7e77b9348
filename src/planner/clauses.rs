//! SQL expressions → predicates: which column, which comparison, which operand; or why not.

use super::relation::Relation;
use crate::encoding::from_server;
use crate::executor;
use pgrx::{PgList, pg_sys};
use rest_engine::model::{Column, Operator, Type};
use rest_engine::predicate::{Predicate, Semantics, Value};

/// A restriction of the query on one table.
pub struct Clause {
    /// Where the planner keeps it.
    pub info: *mut pg_sys::RestrictInfo,
    /// The expression that PostgreSQL evaluates.
    pub expression: *mut pg_sys::Expr,
    /// What it compares, or the reason, in a user's words, why it cannot be sent.
    pub comparison: Result<Comparison, String>,
}

/// `column OPERATOR operand`.
#[derive(Clone, Copy)]
pub struct Comparison {
    /// Index into the table's columns.
    pub column: usize,
    /// From the column's side.
    pub operator: Operator,
    /// An expression without columns of this table.
    pub operand: *mut pg_sys::Node,
    /// What PostgreSQL's comparison means for text.
    pub semantics: Semantics,
}

impl Clause {
    /// The value that the clause compares with, where that is a constant.
    pub fn constant(&self) -> Option<Value> {
        let comparison = self.comparison.as_ref().ok()?;
        // SAFETY: the operand is a node of the planner's current query.
        unsafe { executor::constant(comparison.operand) }
    }

    /// The engine's view of it; `operand` is the index that its operand has.
    pub fn predicate(&self, operand: usize) -> Predicate {
        match &self.comparison {
            Ok(comparison) => Predicate::Compare {
                column: comparison.column,
                operator: comparison.operator,
                operand,
                semantics: comparison.semantics,
            },
            Err(reason) => Predicate::Opaque(reason.clone()),
        }
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

/// # Safety
/// `info` is a RestrictInfo of the planner's current query.
pub unsafe fn clause(relation: &Relation, info: *mut pg_sys::RestrictInfo) -> Clause {
    // SAFETY: by this function's contract; the relation is the planner's own.
    unsafe {
        let expression = (*info).clause;
        let comparison = if pg_sys::restriction_is_securely_promotable(info, relation.rel) {
            comparison(relation, expression.cast())
        } else {
            Err("a security barrier has to be checked before it".to_owned())
        };
        Clause {
            info,
            expression,
            comparison,
        }
    }
}

/// The columns of this relation in an expression, without binary-compatible casts around it.
pub struct ColumnReference {
    /// Index into the table's columns.
    pub column: usize,
    /// The type that the expression has.
    pub ty: pg_sys::Oid,
    /// The column's type modifier; negative where it declares none.
    modifier: i32,
}

/// # Safety
/// `node` is an expression of the planner's current query.
pub unsafe fn column_reference(
    relation: &Relation,
    node: *mut pg_sys::Node,
) -> Option<ColumnReference> {
    // SAFETY: by this function's contract; each cast follows a check of the node's tag.
    unsafe {
        let ty = pg_sys::exprType(node);
        let mut inner = node;
        while pgrx::is_a(inner, pg_sys::NodeTag::T_RelabelType) {
            inner = (*inner.cast::<pg_sys::RelabelType>()).arg.cast();
        }
        if !pgrx::is_a(inner, pg_sys::NodeTag::T_Var) {
            return None;
        }
        let var = inner.cast::<pg_sys::Var>();
        if (*var).varno as pg_sys::Index != (*relation.rel).relid || (*var).varlevelsup != 0 {
            return None;
        }
        let column = relation.column_of((*var).varattno)?;
        let mut modifier = (*var).vartypmod;
        pg_sys::getBaseTypeAndTypmod((*var).vartype, &mut modifier);
        Some(ColumnReference {
            column,
            ty,
            modifier,
        })
    }
}

unsafe fn comparison(relation: &Relation, node: *mut pg_sys::Node) -> Result<Comparison, String> {
    // SAFETY: each cast follows the node's tag.
    unsafe {
        match (*node).type_ {
            pg_sys::NodeTag::T_OpExpr => operator_expression(relation, node.cast()),
            pg_sys::NodeTag::T_ScalarArrayOpExpr => list_expression(relation, node.cast()),
            pg_sys::NodeTag::T_Var => truth_value(relation, node, true),
            pg_sys::NodeTag::T_BoolExpr => boolean_expression(relation, node.cast()),
            pg_sys::NodeTag::T_NullTest => {
                let test = node.cast::<pg_sys::NullTest>();
                let kind = match (*test).nulltesttype {
                    pg_sys::NullTestType::IS_NULL => "IS NULL",
                    _ => "IS NOT NULL",
                };
                Err(no_spelling(relation, (*test).arg.cast(), kind))
            }
            _ => Err(EXPRESSION.to_owned()),
        }
    }
}

const EXPRESSION: &str = "it is an expression that the API cannot evaluate";

unsafe fn operator_expression(
    relation: &Relation,
    expression: *mut pg_sys::OpExpr,
) -> Result<Comparison, String> {
    // SAFETY: the expression's arguments are nodes of the same query.
    unsafe {
        let arguments = PgList::<pg_sys::Node>::from_pg((*expression).args);
        let (Some(left), Some(right)) = (arguments.get_ptr(0), arguments.get_ptr(1)) else {
            return Err(EXPRESSION.to_owned());
        };
        let (reference, operand, operator) =
            if let Some(reference) = column_reference(relation, left) {
                (reference, right, (*expression).opno)
            } else if let Some(reference) = column_reference(relation, right) {
                (reference, left, pg_sys::get_commutator((*expression).opno))
            } else {
                return Err(EXPRESSION.to_owned());
            };
        let Some(operator) = ordering_operator(operator, reference.ty) else {
            let name = operator_name((*expression).opno);
            let column = &relation.table().columns[reference.column];
            return Err(no_operator(column, &format!("operator {name}")));
        };
        check_operand(relation, &reference, operand, pg_sys::exprType(operand))?;
        Ok(Comparison {
            column: reference.column,
            operator,
            operand,
            semantics: semantics((*expression).inputcollid),
        })
    }
}

unsafe fn list_expression(
    relation: &Relation,
    expression: *mut pg_sys::ScalarArrayOpExpr,
) -> Result<Comparison, String> {
    // SAFETY: the expression's arguments are nodes of the same query.
    unsafe {
        let arguments = PgList::<pg_sys::Node>::from_pg((*expression).args);
        let (Some(left), Some(right)) = (arguments.get_ptr(0), arguments.get_ptr(1)) else {
            return Err(EXPRESSION.to_owned());
        };
        let Some(reference) = column_reference(relation, left) else {
            return Err(EXPRESSION.to_owned());
        };
        let operator = ordering_operator((*expression).opno, reference.ty);
        if !(*expression).useOr || operator != Some(Operator::Eq) {
            let quantifier = if (*expression).useOr { "ANY" } else { "ALL" };
            let name = operator_name((*expression).opno);
            let column = &relation.table().columns[reference.column];
            return Err(no_operator(
                column,
                &format!("operator {name} {quantifier}"),
            ));
        }
        let element = pg_sys::get_element_type(pg_sys::getBaseType(pg_sys::exprType(right)));
        check_operand(relation, &reference, right, element)?;
        Ok(Comparison {
            column: reference.column,
            operator: Operator::In,
            operand: right,
            semantics: semantics((*expression).inputcollid),
        })
    }
}

/// `WHERE locked`, `WHERE NOT locked`: PostgreSQL writes `locked = true` so.
unsafe fn truth_value(
    relation: &Relation,
    node: *mut pg_sys::Node,
    value: bool,
) -> Result<Comparison, String> {
    // SAFETY: the node belongs to the same query; the constant is palloc'd in the planner's context.
    unsafe {
        let reference = column_reference(relation, node).ok_or(EXPRESSION)?;
        Ok(Comparison {
            column: reference.column,
            operator: Operator::Eq,
            operand: pg_sys::makeBoolConst(value, false),
            semantics: semantics(pg_sys::InvalidOid),
        })
    }
}

unsafe fn boolean_expression(
    relation: &Relation,
    expression: *mut pg_sys::BoolExpr,
) -> Result<Comparison, String> {
    // SAFETY: the expression's arguments are nodes of the same query.
    unsafe {
        let argument = PgList::<pg_sys::Node>::from_pg((*expression).args).get_ptr(0);
        match ((*expression).boolop, argument) {
            (pg_sys::BoolExprType::NOT_EXPR, Some(argument))
                if pgrx::is_a(argument, pg_sys::NodeTag::T_Var) =>
            {
                truth_value(relation, argument, false)
            }
            (pg_sys::BoolExprType::NOT_EXPR, _) => {
                Err("NOT has no spelling in dialect plain".to_owned())
            }
            (pg_sys::BoolExprType::OR_EXPR, _) => {
                Err("OR has no spelling in dialect plain".to_owned())
            }
            _ => Err(EXPRESSION.to_owned()),
        }
    }
}

/// Whether the operand is a value that stands still during a scan, and means the same to the API.
unsafe fn check_operand(
    relation: &Relation,
    reference: &ColumnReference,
    operand: *mut pg_sys::Node,
    operand_type: pg_sys::Oid,
) -> Result<(), String> {
    // SAFETY: the operand is a node of the planner's current query.
    unsafe {
        let relids = pg_sys::pull_varnos(relation.root, operand);
        if pg_sys::bms_is_member((*relation.rel).relid as i32, relids) {
            return Err("it compares columns of the table with each other".to_owned());
        }
        if pg_sys::contain_volatile_functions(operand) {
            return Err(volatile_reason(operand));
        }
        if pg_sys::contain_subplans(operand) {
            return Err("its value needs a sub-query for each row".to_owned());
        }
    }
    let column = &relation.table().columns[reference.column];
    if reference.modifier >= 0
        && matches!(
            column.ty,
            Type::Numeric | Type::Timestamp | Type::TimestampTz
        )
    {
        return Err(format!(
            "the type of column \"{}\" rounds the API's values; declare it without a precision",
            column.name
        ));
    }
    let operand_type = crate::options::engine_type(operand_type);
    if is_date_or_time(&column.ty) && operand_type != column.ty {
        return Err(format!(
            "column \"{}\" is compared with another type, which depends on the session's time zone; cast the value",
            column.name
        ));
    }
    Ok(())
}

fn is_date_or_time(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Timestamp | Type::TimestampTz)
}

/// Names the volatile function where it stands in plain sight.
unsafe fn volatile_reason(operand: *mut pg_sys::Node) -> String {
    // SAFETY: the cast follows the node's tag; the name is palloc'd or NULL.
    unsafe {
        if pgrx::is_a(operand, pg_sys::NodeTag::T_FuncExpr) {
            let name = pg_sys::get_func_name((*operand.cast::<pg_sys::FuncExpr>()).funcid);
            if !name.is_null() {
                return format!("{}() is volatile", from_server(name));
            }
        }
    }
    "its value is volatile".to_owned()
}

unsafe fn no_spelling(relation: &Relation, argument: *mut pg_sys::Node, what: &str) -> String {
    // SAFETY: the argument is a node of the planner's current query.
    match unsafe { column_reference(relation, argument) } {
        Some(reference) => no_operator(&relation.table().columns[reference.column], what),
        None => EXPRESSION.to_owned(),
    }
}

fn no_operator(column: &Column, what: &str) -> String {
    if column.filters.is_empty() {
        format!("column \"{}\" declares no filter", column.name)
    } else {
        format!("{what} has no spelling in dialect plain")
    }
}

fn operator_name(operator: pg_sys::Oid) -> String {
    // SAFETY: the name is palloc'd or NULL.
    unsafe { from_server(pg_sys::get_opname(operator)) }
}

/// What an operator means, told by its place in the type's own B-tree operator family (not by its
/// name): src/include/access/stratnum.h.
fn ordering_operator(operator: pg_sys::Oid, ty: pg_sys::Oid) -> Option<Operator> {
    if operator == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: catalog look-ups by OID; the type cache entry lives as long as the backend.
    unsafe {
        let cache = pg_sys::lookup_type_cache(ty, pg_sys::TYPECACHE_BTREE_OPFAMILY as i32);
        let family = (*cache).btree_opf;
        if family == pg_sys::InvalidOid {
            return None;
        }
        match pg_sys::get_op_opfamily_strategy(operator, family) as u32 {
            pg_sys::BTLessStrategyNumber => Some(Operator::Lt),
            pg_sys::BTLessEqualStrategyNumber => Some(Operator::Le),
            pg_sys::BTEqualStrategyNumber => Some(Operator::Eq),
            pg_sys::BTGreaterEqualStrategyNumber => Some(Operator::Ge),
            pg_sys::BTGreaterStrategyNumber => Some(Operator::Gt),
            _ => {
                let negator = pg_sys::get_negator(operator);
                let equal = negator != pg_sys::InvalidOid
                    && pg_sys::get_op_opfamily_strategy(negator, family) as u32
                        == pg_sys::BTEqualStrategyNumber;
                equal.then_some(Operator::Ne)
            }
        }
    }
}

fn semantics(collation: pg_sys::Oid) -> Semantics {
    let known = collation != pg_sys::InvalidOid;
    Semantics {
        collation_is_c: collation == pg_sys::C_COLLATION_OID || collation == POSIX_COLLATION,
        // SAFETY: a catalog look-up by OID.
        deterministic: !known || unsafe { pg_sys::get_collation_isdeterministic(collation) },
    }
}

/// `POSIX` of src/include/catalog/pg_collation.dat.
const POSIX_COLLATION: pg_sys::Oid = pg_sys::Oid::from_u32(951);

//! What does an operator of PostgreSQL mean, told by its OID and never by its name?

use super::column::ordering_family;
use pgrx::pg_sys;
use rest_engine::model::Operator;
use rest_engine::predicate::Semantics;

/// What an operator means whose left argument is a column of type `ty`; `None` where it is none that
/// an API could know.
pub(super) fn meaning(operator: pg_sys::Oid, ty: pg_sys::Oid) -> Option<Operator> {
    match operator.to_u32() {
        0 => None,
        pg_sys::OID_TEXT_LIKE_OP => Some(Operator::Like),
        TEXT_NOT_LIKE => Some(Operator::NotLike),
        pg_sys::OID_TEXT_ICLIKE_OP => Some(Operator::ILike),
        TEXT_NOT_ILIKE => Some(Operator::NotILike),
        TEXT_STARTS_WITH => Some(Operator::StartsWith),
        JSONB_CONTAINS | pg_sys::OID_ARRAY_CONTAINS_OP => Some(Operator::Contains),
        _ => order(operator, ty),
    }
}

// Operators without a name in C: src/include/catalog/pg_operator.dat.
const TEXT_NOT_LIKE: u32 = 1210;
const TEXT_NOT_ILIKE: u32 = 1628;
const TEXT_STARTS_WITH: u32 = 3877;
const JSONB_CONTAINS: u32 = 3246;

/// Whether the operand is a pattern, or a part, of text.
pub(super) fn is_pattern(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Like
            | Operator::NotLike
            | Operator::ILike
            | Operator::NotILike
            | Operator::StartsWith
    )
}

/// A comparison, told by the operator's place in the type's own B-tree operator family:
/// src/include/access/stratnum.h. The family also holds the comparisons with related types
/// (`integer = bigint`).
fn order(operator: pg_sys::Oid, ty: pg_sys::Oid) -> Option<Operator> {
    let family = ordering_family(ty);
    if family == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: catalog look-ups by OID.
    let strategy = |operator| unsafe { pg_sys::get_op_opfamily_strategy(operator, family) } as u32;
    match strategy(operator) {
        pg_sys::BTLessStrategyNumber => Some(Operator::Lt),
        pg_sys::BTLessEqualStrategyNumber => Some(Operator::Le),
        pg_sys::BTEqualStrategyNumber => Some(Operator::Eq),
        pg_sys::BTGreaterEqualStrategyNumber => Some(Operator::Ge),
        pg_sys::BTGreaterStrategyNumber => Some(Operator::Gt),
        _ => {
            // SAFETY: as above.
            let negator = unsafe { pg_sys::get_negator(operator) };
            let is_equality =
                negator != pg_sys::InvalidOid && strategy(negator) == pg_sys::BTEqualStrategyNumber;
            is_equality.then_some(Operator::Ne)
        }
    }
}

/// What an operator's input collation says of the comparison.
pub fn semantics(collation: pg_sys::Oid) -> Semantics {
    let known = collation != pg_sys::InvalidOid;
    Semantics {
        collation_is_c: collation == pg_sys::C_COLLATION_OID || collation == POSIX_COLLATION,
        // SAFETY: a catalog look-up by OID.
        deterministic: !known || unsafe { pg_sys::get_collation_isdeterministic(collation) },
    }
}

/// `POSIX` of src/include/catalog/pg_collation.dat.
const POSIX_COLLATION: pg_sys::Oid = pg_sys::Oid::from_u32(951);

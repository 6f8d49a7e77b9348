//! Is an expression a column of the table, perhaps in a cast that changes no value?

use crate::options::domain_base;
use crate::planner::relation::Relation;
use pgrx::pg_sys;

/// A column of this relation, without the binary-compatible casts around it.
pub struct ColumnReference {
    /// Index into the table's columns.
    pub column: usize,
    /// The type that the expression has.
    pub ty: pg_sys::Oid,
    /// The type that the column has (for a domain, what it is a domain over).
    pub(super) base: pg_sys::Oid,
    /// The column's type modifier; negative where it declares none.
    pub modifier: i32,
}

/// The column that an expression is. A cast is seen through only where both types are compared
/// alike: `varchar` as `text`, but not `integer` as `oid`, which knows no negative numbers.
///
/// # Safety
/// `node` is an expression of the planner's current query.
pub unsafe fn column_reference(
    relation: &Relation,
    node: *mut pg_sys::Node,
) -> Option<ColumnReference> {
    // SAFETY: by this function's contract; each cast follows a check of the node's tag.
    unsafe {
        let reference = plain_reference(relation, node, without_relabels(node))?;
        let same = ordering_family(reference.ty) == ordering_family(reference.base);
        same.then_some(reference)
    }
}

/// The same for a column of an array type, whose cast may be one of its elements.
///
/// # Safety
/// `node` is an expression of the planner's current query.
pub(super) unsafe fn array_reference(
    relation: &Relation,
    node: *mut pg_sys::Node,
) -> Option<ColumnReference> {
    // SAFETY: by this function's contract; each cast follows a check of the node's tag.
    unsafe {
        let mut inner = without_relabels(node);
        if pgrx::is_a(inner, pg_sys::NodeTag::T_ArrayCoerceExpr) {
            let cast = inner.cast::<pg_sys::ArrayCoerceExpr>();
            let element = without_relabels((*cast).elemexpr.cast());
            if !pgrx::is_a(element, pg_sys::NodeTag::T_CaseTestExpr) {
                return None;
            }
            inner = without_relabels((*cast).arg.cast());
        }
        let reference = plain_reference(relation, node, inner)?;
        let element = |array| pg_sys::get_element_type(domain_base(array));
        let (seen, declared) = (element(reference.ty), element(reference.base));
        let same = ordering_family(seen) == ordering_family(declared);
        (seen != pg_sys::InvalidOid && declared != pg_sys::InvalidOid && same).then_some(reference)
    }
}

unsafe fn without_relabels(node: *mut pg_sys::Node) -> *mut pg_sys::Node {
    let mut inner = node;
    // SAFETY: the cast follows a check of the node's tag.
    unsafe {
        while pgrx::is_a(inner, pg_sys::NodeTag::T_RelabelType) {
            inner = (*inner.cast::<pg_sys::RelabelType>()).arg.cast();
        }
    }
    inner
}

/// The column that `inner` is; `outer` is the expression with its casts.
unsafe fn plain_reference(
    relation: &Relation,
    outer: *mut pg_sys::Node,
    inner: *mut pg_sys::Node,
) -> Option<ColumnReference> {
    // SAFETY: both are nodes of the planner's query; the cast follows a check of the node's tag.
    unsafe {
        if !pgrx::is_a(inner, pg_sys::NodeTag::T_Var) {
            return None;
        }
        let var = inner.cast::<pg_sys::Var>();
        if (*var).varno as pg_sys::Index != (*relation.rel).relid || (*var).varlevelsup != 0 {
            return None;
        }
        let column = relation.column_of((*var).varattno)?;
        let mut modifier = (*var).vartypmod;
        let base = pg_sys::getBaseTypeAndTypmod((*var).vartype, &mut modifier);
        Some(ColumnReference {
            column,
            ty: pg_sys::exprType(outer),
            base,
            modifier,
        })
    }
}

/// The B-tree operator family by which a type is compared; invalid where it has none.
pub fn ordering_family(ty: pg_sys::Oid) -> pg_sys::Oid {
    if ty == pg_sys::InvalidOid {
        return ty;
    }
    // SAFETY: a catalog look-up by OID; the type cache entry lives as long as the backend.
    unsafe { (*pg_sys::lookup_type_cache(ty, pg_sys::TYPECACHE_BTREE_OPFAMILY as i32)).btree_opf }
}

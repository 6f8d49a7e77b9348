//! Datums → the engine's values: operands when a scan starts, constants for EXPLAIN.

use crate::encoding::from_server;
use crate::options::domain_base;
use pgrx::pg_sys;
use rest_engine::predicate::Value;

/// Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
pub const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// An evaluated operand as the engine knows it. Arrays become lists without the values that SQL
/// calls equal to an earlier one.
///
/// # Safety
/// `datum` is a value of type `ty`, unless `is_null`.
pub unsafe fn value(datum: pg_sys::Datum, is_null: bool, ty: pg_sys::Oid) -> Value {
    if is_null {
        return Value::Null;
    }
    let base = domain_base(ty);
    // SAFETY: by this function's contract; a domain's values are those of its base type.
    unsafe {
        let element = pg_sys::get_element_type(base);
        if element == pg_sys::InvalidOid {
            scalar(datum, base)
        } else {
            list(datum, element)
        }
    }
}

/// The value of a constant node; `None` for any other expression.
///
/// # Safety
/// `node` is an expression.
pub unsafe fn constant(node: *mut pg_sys::Node) -> Option<Value> {
    // SAFETY: the cast follows the node's tag; a constant's value is of its type.
    unsafe {
        if !pgrx::is_a(node, pg_sys::NodeTag::T_Const) {
            return None;
        }
        let constant = node.cast::<pg_sys::Const>();
        Some(value(
            (*constant).constvalue,
            (*constant).constisnull,
            (*constant).consttype,
        ))
    }
}

unsafe fn scalar(datum: pg_sys::Datum, ty: pg_sys::Oid) -> Value {
    // SAFETY: the datum is of this type, and not null.
    unsafe {
        match ty {
            pg_sys::BOOLOID => Value::Bool(datum.value() != 0),
            pg_sys::INT2OID => Value::Int(i64::from(datum.value() as i16)),
            pg_sys::INT4OID => Value::Int(i64::from(datum.value() as i32)),
            pg_sys::INT8OID => Value::Int(datum.value() as i64),
            pg_sys::FLOAT4OID => Value::Float(f64::from(f32::from_bits(datum.value() as u32))),
            pg_sys::FLOAT8OID => Value::Float(f64::from_bits(datum.value() as u64)),
            pg_sys::DATEOID => Value::Date(shift_date(datum.value() as i32)),
            pg_sys::TIMESTAMPOID => Value::Timestamp(shift_timestamp(datum.value() as i64)),
            pg_sys::TIMESTAMPTZOID => Value::TimestampTz(shift_timestamp(datum.value() as i64)),
            pg_sys::UUIDOID => {
                let bytes = datum.cast_mut_ptr::<[u8; 16]>();
                Value::Uuid(*bytes)
            }
            pg_sys::NUMERICOID => Value::Numeric(output(datum, ty)),
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Value::Text(output(datum, ty)),
            _ => Value::Other(output(datum, ty)),
        }
    }
}

/// Infinities are the type's extremes on both sides.
fn shift_date(days: i32) -> i32 {
    match days {
        i32::MIN | i32::MAX => days,
        finite => finite.saturating_add(EPOCH_DAYS),
    }
}

fn shift_timestamp(microseconds: i64) -> i64 {
    match microseconds {
        i64::MIN | i64::MAX => microseconds,
        finite => finite.saturating_add(EPOCH_MICROSECONDS),
    }
}

/// The type's own text form, as UTF-8.
unsafe fn output(datum: pg_sys::Datum, ty: pg_sys::Oid) -> String {
    // SAFETY: the datum is of this type; the output function returns a palloc'd text.
    unsafe {
        let mut function = pg_sys::InvalidOid;
        let mut is_varlena = false;
        pg_sys::getTypeOutputInfo(ty, &mut function, &mut is_varlena);
        from_server(pg_sys::OidOutputFunctionCall(function, datum))
    }
}

unsafe fn list(datum: pg_sys::Datum, element: pg_sys::Oid) -> Value {
    let mut elements: *mut pg_sys::Datum = std::ptr::null_mut();
    let mut nulls: *mut bool = std::ptr::null_mut();
    let mut count = 0;
    // SAFETY: the datum is an array of this element type; PostgreSQL allocates both results with
    // `count` entries.
    unsafe {
        let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
        let (mut length, mut by_value, mut alignment) = (0, false, 0);
        pg_sys::get_typlenbyvalalign(element, &mut length, &mut by_value, &mut alignment);
        pg_sys::deconstruct_array(
            array,
            element,
            i32::from(length),
            by_value,
            alignment,
            &mut elements,
            &mut nulls,
            &mut count,
        );
        if count == 0 {
            return Value::List(Vec::new());
        }
        let count = count as usize;
        let elements = std::slice::from_raw_parts(elements, count);
        let nulls = std::slice::from_raw_parts(nulls, count);
        let present = elements.iter().zip(nulls).filter(|(_, is_null)| !**is_null);
        let distinct = distinct(present.map(|(datum, _)| *datum).collect(), element);
        let values = distinct
            .into_iter()
            .map(|datum| value(datum, false, element));
        let null = nulls.contains(&true).then_some(Value::Null);
        Value::List(values.chain(null).collect())
    }
}

/// The values that differ by the type's own equality, in their first order: `1.0` and `1.00` are
/// one value, or each would be asked for by itself and its rows returned twice.
unsafe fn distinct(values: Vec<pg_sys::Datum>, ty: pg_sys::Oid) -> Vec<pg_sys::Datum> {
    // SAFETY: the type cache entry lives as long as the backend; the comparison is the type's own.
    unsafe {
        let cache = pg_sys::lookup_type_cache(ty, pg_sys::TYPECACHE_CMP_PROC_FINFO as i32);
        if (*cache).cmp_proc == pg_sys::InvalidOid {
            return values;
        }
        let collation = (*cache).typcollation;
        let compare = |left: &pg_sys::Datum, right: &pg_sys::Datum| {
            let order =
                pg_sys::FunctionCall2Coll(&mut (*cache).cmp_proc_finfo, collation, *left, *right);
            (order.value() as i32).cmp(&0)
        };
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|left, right| compare(&values[*left], &values[*right]).then(left.cmp(right)));
        order.dedup_by(|later, earlier| compare(&values[*later], &values[*earlier]).is_eq());
        order.sort_unstable();
        order.into_iter().map(|index| values[index]).collect()
    }
}

//! Lists of cells → PostgreSQL arrays, of any number of dimensions.

use super::domains::Domain;
use super::values::Conversion;
use pgrx::pg_sys;
use rest_engine::decode::{Batch, Cell};

/// PostgreSQL's own bound: src/include/utils/array.h.
const MAX_DIMENSIONS: usize = 6;

/// How the elements of an array are made.
pub struct Elements {
    ty: pg_sys::Oid,
    length: i16,
    by_value: bool,
    alignment: std::os::raw::c_char,
    conversion: Conversion,
    domain: Option<Domain>,
}

impl Elements {
    /// Arrays of `ty`, with the array's type modifier.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(ty: pg_sys::Oid, modifier: i32, context: pg_sys::MemoryContext) -> Self {
        let (mut length, mut by_value, mut alignment) = (0, false, 0);
        // SAFETY: a catalog look-up by OID; the context's contract is this function's.
        let (conversion, domain) = unsafe {
            pg_sys::get_typlenbyvalalign(ty, &mut length, &mut by_value, &mut alignment);
            let (base, modifier, domain) = Domain::resolve(ty, modifier, context);
            (Conversion::new(base, modifier, context), domain)
        };
        Elements {
            ty,
            length,
            by_value,
            alignment,
            conversion,
            domain,
        }
    }

    /// The array of the elements from `start` on, in the current memory context.
    pub fn build(&mut self, batch: &Batch, start: u32, len: u32) -> pg_sys::Datum {
        let mut dimensions = dimensions(batch, start, len);
        let mut leaves = Vec::new();
        collect(batch, start, len, &dimensions, &mut leaves);
        if leaves.is_empty() {
            // SAFETY: makes a new array without elements.
            return unsafe { pg_sys::Datum::from(pg_sys::construct_empty_array(self.ty)) };
        }
        let values: Vec<_> = leaves
            .iter()
            .map(|cell| self.element(batch, *cell))
            .collect();
        let mut nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
        let mut datums: Vec<_> = values
            .into_iter()
            .map(|value| value.unwrap_or(pg_sys::Datum::from(0)))
            .collect();
        let mut lower_bounds = vec![1; dimensions.len()];
        // SAFETY: values and nulls have one entry for each element, dimensions and bounds one for
        // each dimension; the product of the dimensions is the number of elements.
        unsafe {
            pg_sys::Datum::from(pg_sys::construct_md_array(
                datums.as_mut_ptr(),
                nulls.as_mut_ptr(),
                dimensions.len() as i32,
                dimensions.as_mut_ptr(),
                lower_bounds.as_mut_ptr(),
                self.ty,
                i32::from(self.length),
                self.by_value,
                self.alignment,
            ))
        }
    }

    fn element(&mut self, batch: &Batch, cell: Cell) -> Option<pg_sys::Datum> {
        let datum = self.conversion.datum(batch, cell);
        if let Some(domain) = &mut self.domain {
            domain.check(datum);
        }
        datum
    }
}

/// The lengths of the dimensions, as the first element of each tells.
fn dimensions(batch: &Batch, start: u32, len: u32) -> Vec<i32> {
    let mut dimensions = vec![len as i32];
    let mut first = batch.elements.get(start as usize).filter(|_| len > 0);
    while let Some(Cell::List { start, len }) = first {
        dimensions.push(*len as i32);
        first = batch.elements.get(*start as usize).filter(|_| *len > 0);
    }
    if dimensions.len() > MAX_DIMENSIONS {
        refuse("an array cannot have more than 6 dimensions");
    }
    dimensions
}

fn collect(batch: &Batch, start: u32, len: u32, dimensions: &[i32], leaves: &mut Vec<Cell>) {
    let elements = &batch.elements[start as usize..start as usize + len as usize];
    for element in elements {
        match (element, dimensions.len()) {
            (Cell::List { start, len }, 2..) if *len as i32 == dimensions[1] => {
                collect(batch, *start, *len, &dimensions[1..], leaves);
            }
            (Cell::List { .. }, _) | (_, 2..) => {
                refuse("the lists in a list must all have the same length")
            }
            (leaf, _) => leaves.push(*leaf),
        }
    }
}

/// Raises the error of a value that no array can hold.
fn refuse(reason: &str) {
    pgrx::ereport!(
        ERROR,
        pgrx::PgSqlErrorCode::ERRCODE_ARRAY_ELEMENT_ERROR,
        reason
    );
}

//! Memory for the text values of one batch: a few large pieces instead of one allocation a value,
//! because every call into PostgreSQL has a guard around it that costs more than the copy.

use super::memory::context_below;
use pgrx::pg_sys;
use std::ptr;

/// Pieces of this many bytes are asked for, larger ones where one value needs it.
const PIECE: usize = 64 * 1024;

/// The texts of the current batch. They stay valid until [`Texts::clear`], which is later than the
/// executor wants them: until the scan's next row.
pub struct Texts {
    context: pg_sys::MemoryContext,
    next: *mut u8,
    left: usize,
}

impl Texts {
    /// Without texts, in a context of its own below `parent`.
    ///
    /// # Safety
    /// `parent` outlives the result.
    pub unsafe fn new(parent: pg_sys::MemoryContext) -> Self {
        Texts {
            // SAFETY: by this function's contract.
            context: unsafe { context_below(parent, c"rest_fdw texts") },
            next: ptr::null_mut(),
            left: 0,
        }
    }

    /// Forgets all texts: only between two batches.
    pub fn clear(&mut self) {
        self.next = ptr::null_mut();
        self.left = 0;
        // SAFETY: the context is this object's own.
        unsafe { pg_sys::MemoryContextReset(self.context) }
    }

    /// A text value of these bytes, which are in the database's encoding.
    pub fn store(&mut self, bytes: &[u8]) -> pg_sys::Datum {
        let length = pg_sys::VARHDRSZ + bytes.len();
        let aligned = length.next_multiple_of(8);
        if self.left < aligned {
            let size = aligned.max(PIECE);
            // SAFETY: the context is this object's own; palloc raises an error rather than returning NULL.
            self.next = unsafe { pg_sys::MemoryContextAlloc(self.context, size) }.cast();
            self.left = size;
        }
        let text = self.next;
        // SAFETY: there is room for the header, the bytes and the padding; the piece begins aligned and
        // every text takes a multiple of 8. A response's bound keeps the length within an i32.
        unsafe {
            pgrx::varlena::set_varsize_4b(text.cast(), length as i32);
            ptr::copy_nonoverlapping(bytes.as_ptr(), text.add(pg_sys::VARHDRSZ), bytes.len());
            self.next = text.add(aligned);
        }
        self.left -= aligned;
        pg_sys::Datum::from(text)
    }
}

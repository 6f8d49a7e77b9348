//! JSON objects → values of a composite type, member by attribute, as `json_populate_record` does it.

use pgrx::{PgList, pg_sys};
use std::ptr;

/// `json_populate_record(anyelement, json, boolean)` of src/include/catalog/pg_proc.dat.
const JSON_POPULATE_RECORD: pg_sys::Oid = pg_sys::Oid::from_u32(3960);
const ARGUMENTS: usize = 3;

/// A composite type that is filled from JSON objects.
pub struct Composite {
    function: Box<pg_sys::FmgrInfo>,
}

impl Composite {
    /// For values of `ty`; what is looked up lives as long as `context`.
    ///
    /// # Safety
    /// `context` outlives the result.
    pub unsafe fn new(ty: pg_sys::Oid, context: pg_sys::MemoryContext) -> Self {
        let mut function = Box::<pg_sys::FmgrInfo>::default();
        // SAFETY: by this function's contract. The function learns its polymorphic type from the
        // expression that it is said to be called by.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(context);
            let mut arguments = PgList::<pg_sys::Const>::new();
            arguments.push(pg_sys::makeNullConst(ty, -1, pg_sys::InvalidOid));
            arguments.push(pg_sys::makeNullConst(
                pg_sys::JSONOID,
                -1,
                pg_sys::InvalidOid,
            ));
            arguments.push(pg_sys::makeNullConst(
                pg_sys::BOOLOID,
                -1,
                pg_sys::InvalidOid,
            ));
            let call = pg_sys::makeFuncExpr(
                JSON_POPULATE_RECORD,
                ty,
                arguments.into_pg(),
                pg_sys::InvalidOid,
                pg_sys::InvalidOid,
                pg_sys::CoercionForm::COERCE_EXPLICIT_CALL,
            );
            pg_sys::fmgr_info_cxt(JSON_POPULATE_RECORD, &mut *function, context);
            function.fn_expr = call.cast();
            pg_sys::MemoryContextSwitchTo(before);
        }
        Composite { function }
    }

    /// The value for a JSON text, in the current memory context; `None` is NULL.
    pub fn build(&mut self, json: pg_sys::Datum) -> Option<pg_sys::Datum> {
        // SAFETY: the call's memory has room for its arguments; the record that it starts from is
        // NULL, the text holds valid JSON.
        unsafe {
            let size = std::mem::offset_of!(pg_sys::FunctionCallInfoBaseData, args)
                + ARGUMENTS * size_of::<pg_sys::NullableDatum>();
            let call = pg_sys::palloc0(size).cast::<pg_sys::FunctionCallInfoBaseData>();
            (*call).flinfo = ptr::from_mut(&mut *self.function);
            (*call).nargs = ARGUMENTS as i16;
            let arguments = (*call).args.as_mut_ptr();
            (*arguments).isnull = true;
            (*arguments.add(1)).value = json;
            let function = self.function.fn_addr?;
            let datum = pg_sys::ffi::pg_guard_ffi_boundary(|| function(call));
            (!(*call).isnull).then_some(datum)
        }
    }
}

//! The settings (`rest_fdw.*`) and who may change them.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, pg_guard, pg_sys};
use rest_engine::Error;
use rest_engine::http::Egress;
use std::ffi::{CStr, CString};

static PUSHDOWN: GucSetting<bool> = GucSetting::<bool>::new(true);
static MAX_REQUESTS: GucSetting<i32> = GucSetting::<i32>::new(0);
static READ_AHEAD: GucSetting<i32> = GucSetting::<i32>::new(1000);
static ALLOWED_HOSTS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static CACHE: GucSetting<bool> = GucSetting::<bool>::new(true);
static CACHE_SIZE: GucSetting<i32> = GucSetting::<i32>::new(256);
static LOG_REQUESTS: GucSetting<bool> = GucSetting::<bool>::new(false);

/// Defines the settings; called once, when the library is loaded.
pub fn register() {
    // SAFETY: the hook is guarded.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            c"rest_fdw.pushdown",
            c"Send filters to the API.",
            c"Off sends only required parameters and filters everything locally.",
            &PUSHDOWN,
            GucContext::Userset,
            GucFlags::default(),
            None,
            Some(plan_anew),
            None,
        );
    }
    GucRegistry::define_int_guc(
        c"rest_fdw.max_requests",
        c"Requests that one statement may make.",
        c"More is an error. 0 is no bound.",
        &MAX_REQUESTS,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"rest_fdw.read_ahead",
        c"Rows of the outer side that a join by look-ups reads ahead.",
        c"Look-ups of so many rows are made side by side, or as lists. 0 looks up one row at a time.",
        &READ_AHEAD,
        0,
        100_000,
        GucContext::Userset,
        GucFlags::default(),
    );
    // SAFETY: the hook is guarded.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            c"rest_fdw.allowed_hosts",
            c"Hosts that servers not owned by a superuser may reach.",
            c"A comma-separated list of hosts, *.suffix, addresses and CIDR ranges. Empty: public addresses over https only.",
            &ALLOWED_HOSTS,
            GucContext::Suset,
            GucFlags::default(),
            Some(are_hosts),
            None,
            None,
        );
    }
    GucRegistry::define_bool_guc(
        c"rest_fdw.cache",
        c"Use the cache where servers or tables declare one.",
        c"Off asks the API for everything, and stores nothing.",
        &CACHE,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"rest_fdw.cache_size",
        c"Disk space of the cache, for all databases together.",
        c"One response takes an eighth of it at most. 0 is no cache.",
        &CACHE_SIZE,
        0,
        1 << 20,
        GucContext::Suset,
        GucFlags::UNIT_MB,
    );
    GucRegistry::define_bool_guc(
        c"rest_fdw.log_requests",
        c"Write a LOG line for each request, secrets redacted.",
        c"",
        &LOG_REQUESTS,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// Another way to answer queries: what is prepared was planned for the old one. (Filters are looked at when a
/// query runs, aggregates cannot be.)
#[pg_guard]
unsafe extern "C-unwind" fn plan_anew(pushdown: bool, _extra: *mut std::ffi::c_void) {
    if pushdown != PUSHDOWN.get() {
        // SAFETY: marks the backend's cached plans, on its main thread.
        unsafe { pg_sys::ResetPlanCache() };
    }
}

/// Refuses a list of hosts that no scan could use, where it is set.
#[pg_guard]
unsafe extern "C-unwind" fn are_hosts(
    value: *mut *mut std::ffi::c_char,
    _extra: *mut *mut std::ffi::c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: the new value, which is NULL or ends in a zero byte (guc.c, call_string_check_hook).
    let text = unsafe { (*value).as_ref() }.map(|text| unsafe { CStr::from_ptr(text) });
    let Err(error) = Egress::restricted(&text.unwrap_or_default().to_string_lossy()) else {
        return true;
    };
    let reason = match error {
        Error::Option { reason, .. } => reason,
        other => other.to_string(),
    };
    // The database's encoding may not be known yet; PostgreSQL itself tells the value as it is.
    let is_plain = |letter: char| letter.is_ascii() && letter != '\0';
    let detail = reason.replace(|letter| !is_plain(letter), "?");
    // SAFETY: a copy in the current memory context, which outlives the error that guc.c makes of it (as GUC_check_errdetail does).
    unsafe {
        pg_sys::GUC_check_errdetail_string = match CString::new(detail) {
            Ok(detail) => pg_sys::pstrdup(detail.as_ptr()),
            Err(_) => std::ptr::null_mut(),
        };
    }
    false
}

/// Whether filters are sent.
pub fn pushdown() -> bool {
    PUSHDOWN.get()
}

/// Requests that one statement may make, if bounded.
pub fn max_requests() -> Option<u64> {
    u64::try_from(MAX_REQUESTS.get())
        .ok()
        .filter(|bound| *bound > 0)
}

/// Rows of the outer side that a join by look-ups reads ahead.
pub fn read_ahead() -> usize {
    usize::try_from(READ_AHEAD.get()).unwrap_or_default()
}

/// The text of `rest_fdw.allowed_hosts`.
pub fn allowed_hosts() -> String {
    ALLOWED_HOSTS
        .get()
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Bytes that the cache may take; 0 where there is none.
pub fn cache_size() -> u64 {
    match (CACHE.get(), u64::try_from(CACHE_SIZE.get())) {
        (true, Ok(mebibytes)) => mebibytes << 20,
        _ => 0,
    }
}

/// Whether each request is logged.
pub fn log_requests() -> bool {
    LOG_REQUESTS.get()
}

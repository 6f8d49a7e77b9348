//! Secrets that the user mapping only names: in a setting of the session, or in Supabase's vault.
//!
//! Both are looked at whenever a scan asks for its client, on the backend's main thread, so another value counts from
//! the next statement.

use crate::encoding::{from_server, to_server};
use crate::error::FdwError;
use pgrx::{Spi, pg_sys};
use rest_engine::Error;
use rest_engine::model::options::token_in_a_setting;
use rest_engine::model::{Auth, Credentials, Elsewhere, Secret};

/// One row, by the secret's name or its id. Operators are named with their schema, as the session's search path is not
/// that of the user whose rights are used.
const VAULT_QUERY: &str = "SELECT decrypted_secret::text FROM vault.decrypted_secrets
  WHERE name::text OPERATOR(pg_catalog.=) $1 OR id::text OPERATOR(pg_catalog.=) pg_catalog.lower($1)
  LIMIT 2";

/// Puts the secret that `credentials` only name in its place, read with the rights of `user`.
pub fn fill(
    credentials: &mut Credentials,
    auth: Option<&Auth>,
    user: pg_sys::Oid,
) -> Result<(), FdwError> {
    let filled = match credentials.elsewhere.clone() {
        None => return Ok(()),
        Some(Elsewhere::Setting(name)) => {
            setting(&name).map(|token| credentials.token = Some(token))
        }
        Some(Elsewhere::Vault(name)) => {
            vault(&name, user).and_then(|secret| credentials.put(auth, secret))
        }
    };
    filled.map_err(|error| FdwError::Remote {
        table: String::new(),
        error: Box::new(error),
    })
}

/// The token in the setting `name`, as `current_setting(name, true)` reads it.
fn setting(name: &str) -> rest_engine::Result<Secret> {
    let name_in_server = to_server(name);
    // SAFETY: the name ends with NUL; the result is NULL or a text of the setting, which is copied at once.
    let value = unsafe {
        let value = pg_sys::GetConfigOption(name_in_server.as_ptr(), true, true);
        from_server(value)
    };
    token_in_a_setting(name, &value)
}

/// The vault's secret of this name or id, as `user` may read it.
fn vault(name: &str, user: pg_sys::Oid) -> rest_engine::Result<Secret> {
    let found = as_user(user, || {
        Spi::connect(|client| {
            let rows = client.select(VAULT_QUERY, None, &[name.into()])?;
            rows.map(|row| row.get::<String>(1))
                .collect::<Result<Vec<_>, _>>()
        })
    });
    let found = found.map_err(|error| Error::option("vault_secret", error.to_string()))?;
    let refused = |reason: &str| {
        Err(Error::option(
            "vault_secret",
            format!("\"{name}\" {reason}"),
        ))
    };
    match found.as_slice() {
        [Some(secret)] if !secret.is_empty() => Ok(Secret::new(secret)),
        [] => {
            refused("is no secret in vault.decrypted_secrets that the user of the mapping may read")
        }
        [_] => refused("is empty in vault.decrypted_secrets"),
        _ => refused("names more than one secret in vault.decrypted_secrets"),
    }
}

/// Runs `work` with the rights of `user`. An error needs no clean-up: the (sub)transaction's end restores the user.
fn as_user<R>(user: pg_sys::Oid, work: impl FnOnce() -> R) -> R {
    let (mut before, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: on the backend's main thread, in a transaction; the pointers are those of local variables.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut before, &mut context);
        let restricted =
            pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
        pg_sys::SetUserIdAndSecContext(user, context | restricted as i32);
        let result = work();
        pg_sys::SetUserIdAndSecContext(before, context);
        result
    }
}

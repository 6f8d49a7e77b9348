//! An API key in a header, the query string or a cookie.

use super::{Signature, header_name, missing, secret_value};
use crate::model::{Credentials, KeyPlace};
use crate::{Error, Result};

/// The key under `name` at `place`.
pub(super) fn sign(name: &str, place: KeyPlace, credentials: &Credentials) -> Result<Signature> {
    let key = credentials
        .api_key
        .as_ref()
        .ok_or_else(|| missing("api_key", "api_key"))?
        .expose();
    match place {
        KeyPlace::Header => {
            let name = header_name("api_key_name", name)?;
            Ok(Signature::of_header(name, secret_value("api_key", key)?))
        }
        KeyPlace::Query => Ok(Signature {
            query: Some((name.to_owned(), key.to_owned())),
            ..Signature::default()
        }),
        KeyPlace::Cookie => {
            if key.contains(|letter: char| letter == ';' || letter.is_control()) {
                return Err(Error::option(
                    "api_key",
                    "it holds a character that a cookie cannot carry (RFC 6265 section 4.1.1)",
                ));
            }
            if name.is_empty()
                || name.contains(|letter: char| "=;, \t".contains(letter) || letter.is_control())
            {
                return Err(Error::option(
                    "api_key_name",
                    "it is not a cookie's name (RFC 6265 section 4.1.1)",
                ));
            }
            Ok(Signature {
                cookie: Some((name.to_owned(), key.to_owned())),
                ..Signature::default()
            })
        }
    }
}

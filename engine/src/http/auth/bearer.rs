//! A token after a scheme word (RFC 6750 section 2.1).

use super::{Signature, authorization, missing};
use crate::Result;
use crate::model::Credentials;
use ureq::http::header::AUTHORIZATION;

/// `Authorization: Bearer …`, or another scheme; an empty scheme sends the token alone.
pub(super) fn sign(scheme: &str, credentials: &Credentials) -> Result<Signature> {
    let token = credentials
        .token
        .as_ref()
        .ok_or_else(|| missing("bearer", "token"))?;
    let value = format!("{scheme} {}", token.expose());
    Ok(Signature::of_header(
        AUTHORIZATION,
        authorization("token", value.trim_start())?,
    ))
}

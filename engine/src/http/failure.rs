//! What ureq's errors mean in this project's words.

use super::attempt::{Phase, broken_in};
use crate::Error;
use crate::error::Exchange;
use std::io;

/// An error of ureq that happened in `phase`. One that the transport raised comes back as it was.
pub(super) fn from_ureq(error: ureq::Error, phase: Phase) -> Error {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => unreadable(other.to_string()),
        },
        ureq::Error::Io(error) => from_io(error, phase),
        ureq::Error::Rustls(error) => tls(error.to_string()),
        ureq::Error::Tls(reason) => tls(reason.to_owned()),
        ureq::Error::Protocol(error) => unreadable(format!("it is not valid HTTP: {error}")),
        ureq::Error::LargeResponseHeader(_, limit) => {
            unreadable(format!("its headers are larger than {limit} bytes"))
        }
        other => unreadable(other.to_string()),
    }
}

/// An error of a reader or writer over ureq.
pub(super) fn from_io(error: io::Error, phase: Phase) -> Error {
    match error.downcast::<ureq::Error>() {
        Ok(error) => from_ureq(error, phase),
        // rustls reports what it does not accept (certificates, alerts, records) as invalid data.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => tls(error.to_string()),
        Err(error) => broken_in(phase, &error),
    }
}

fn tls(reason: String) -> Error {
    Error::Tls {
        exchange: Exchange::default(),
        reason,
    }
}

fn unreadable(reason: String) -> Error {
    Error::Body {
        exchange: Exchange::default(),
        reason,
    }
}

//! The option `empty_on`: what means that there are no rows.

use super::error::OptionError;
use super::given::Given;
use super::source::error_status;
use crate::model::RowsPath;

/// What means that there are no rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EmptyOn {
    /// These statuses.
    pub(super) statuses: Vec<u16>,
    /// That the response has no member where the rows would be.
    pub(super) missing: bool,
}

const MISSING: &str = "missing";
const WORDS: &str = "Besides statuses there is the word missing: '404, missing'.";

/// Statuses, and `missing`.
pub(super) fn empty_on(option: &str, value: &str) -> Result<EmptyOn, OptionError> {
    let mut empty_on = EmptyOn::default();
    for word in value.split(',').map(str::trim) {
        if word == MISSING {
            empty_on.missing = true;
        } else {
            let status = error_status(option, word);
            let status = status.map_err(|error| match word.parse::<u64>() {
                Err(_) if !word.is_empty() => error.with_hint(WORDS),
                _ => error,
            });
            empty_on.statuses.push(status?);
        }
    }
    Ok(empty_on)
}

/// Refuses what can be told from a table's own options alone.
pub(super) fn agree(own: &Given) -> Result<(), OptionError> {
    let missing = own.read("empty_on", empty_on)?.is_some_and(|on| on.missing);
    match (own.text("rows"), own.text("format")) {
        _ if !missing => Ok(()),
        (_, Some("jsonl" | "csv")) | (Some("$" | "auto"), _) => Err(without_member()),
        // Else it may be the server's.
        _ => Ok(()),
    }
}

/// Where the rows of a table are: `declared`, or nowhere where `own`, or its server, says that this is how a response
/// has none. A server's word is for those of its tables that it has a meaning for.
pub(super) fn rows(declared: RowsPath, on: &EmptyOn, own: &Given) -> Result<RowsPath, OptionError> {
    match declared {
        RowsPath::Path(path) if on.missing && !path.is_empty() => Ok(RowsPath::Optional(path)),
        _ if on.missing && own.text("empty_on").is_some() => Err(without_member()),
        declared => Ok(declared),
    }
}

fn without_member() -> OptionError {
    OptionError::conflict(
        "empty_on 'missing' needs option \"rows\" with the member that may be missing",
    )
    .with_hint("For example: rows 'data.items'.")
}

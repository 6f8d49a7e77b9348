//! The check of one level's options when they are written (CREATE and ALTER).

use super::error::OptionError;
use super::vocabulary::{self, Level};
use super::{agreement, credentials};

/// Checks all that can be told from one level's options alone: names, values, secrets in the wrong
/// place, options that exclude each other, required ones that are missing.
///
/// `superuser`: whether the one who writes them is a superuser (options that name a file or weaken
/// TLS are refused to everybody else).
pub fn validate(
    level: Level,
    options: &[(String, String)],
    superuser: bool,
) -> Result<(), OptionError> {
    for (option, value) in options {
        let check = vocabulary::check_of(level, option, superuser)?;
        check(option, value)?;
    }
    match level {
        Level::Server => agreement::server(options),
        Level::Table => agreement::table(options),
        Level::Column => agreement::column(options),
        Level::UserMapping => credentials::agree(options),
        Level::Wrapper => Ok(()),
    }
}

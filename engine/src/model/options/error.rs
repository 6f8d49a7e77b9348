//! What is wrong with an option, in the shape of a PostgreSQL error.

/// What kind of mistake an option is; each kind has its SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionErrorKind {
    /// No option has this name.
    Unknown,
    /// The option belongs to another level.
    WrongLevel,
    /// The option is for superusers.
    Privilege,
    /// A secret outside the user mapping.
    Secret,
    /// The option, or this value of it, is part of the vocabulary and does not work yet.
    NotYet,
    /// The value cannot be understood, or is out of range.
    Invalid,
    /// Two options exclude each other.
    Conflict,
    /// An option that must be given is not.
    Missing,
}

/// A mistake in the options. Texts never hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OptionError {
    /// Which kind of mistake.
    pub kind: OptionErrorKind,
    /// What is wrong.
    pub message: String,
    /// Where, in more words.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl OptionError {
    /// A mistake without detail and hint.
    pub(super) fn new(kind: OptionErrorKind, message: impl Into<String>) -> Self {
        OptionError {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// A value that cannot be understood.
    pub(super) fn invalid(option: &str, reason: impl std::fmt::Display) -> Self {
        let message = format!("invalid value for option \"{option}\": {reason}");
        Self::new(OptionErrorKind::Invalid, message)
    }

    /// Options that exclude each other.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(OptionErrorKind::Conflict, message)
    }

    /// Something that the vocabulary knows and this version does not do: `what` is `option "cache"`.
    pub(super) fn not_yet(what: impl std::fmt::Display) -> Self {
        Self::new(
            OptionErrorKind::NotYet,
            format!("{what} is not supported yet"),
        )
    }

    /// The same mistake, with what to do about it.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same mistake, found in a column.
    pub(super) fn in_column(mut self, column: &str, table: &str) -> Self {
        let place = format!("Column \"{column}\" of foreign table \"{table}\".");
        self.detail.get_or_insert(place);
        self
    }
}

//! Errors of the PostgreSQL side, and how every error becomes a message, DETAIL, HINT and SQLSTATE.

use crate::encoding::for_message;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;
use rest_engine::error::{Error as EngineError, Exchange};
use rest_engine::model::options::{OptionError, OptionErrorKind};

/// What a callback can fail with.
#[derive(Debug, thiserror::Error)]
pub enum FdwError {
    /// The remote side failed while reading a table.
    #[error("{error}")]
    Remote {
        /// The table's name.
        table: String,
        /// What failed.
        error: Box<EngineError>,
    },
    /// An option is wrong.
    #[error("{}", .0.message)]
    Option(OptionError),
    /// The plan was made by another version of the library.
    #[error("the plan of this query was made by another version of rest_fdw")]
    Plan(String),
    /// Only the owner of a server may do it.
    #[error("must be owner of foreign server {0}")]
    NotOwner(String),
    /// The cache's files cannot be removed.
    #[error("could not clear the cache: {0}")]
    Cache(std::io::Error),
    /// A function was called with what it cannot work with, or found something that it cannot work with.
    #[error("{message}")]
    Function {
        /// The SQLSTATE.
        code: PgSqlErrorCode,
        /// The message.
        message: String,
        /// DETAIL
        detail: Option<String>,
        /// HINT
        hint: Option<String>,
    },
    /// Something that cannot happen as long as PostgreSQL keeps its own contract.
    #[error("{0}")]
    Internal(String),
}

impl FdwError {
    /// The error of supabase-wrappers' callbacks, which are not installed.
    pub fn not_installed() -> Self {
        FdwError::Internal("this callback of supabase-wrappers is not used by rest_fdw".to_owned())
    }

    /// An argument of a function that it cannot work with.
    pub fn argument(message: impl Into<String>) -> Self {
        FdwError::Function {
            code: PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// The same error of a function, with what to do about it.
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let FdwError::Function { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// Raises it: message, DETAIL, HINT and SQLSTATE. Only to be called on the backend's main thread,
    /// below a `#[pg_guard]`.
    pub fn raise(self) -> ! {
        ErrorReport::from(self).report(pgrx::PgLogLevel::ERROR);
        unreachable!("an ERROR never returns")
    }
}

impl From<OptionError> for FdwError {
    fn from(error: OptionError) -> Self {
        FdwError::Option(error)
    }
}

impl From<FdwError> for ErrorReport {
    fn from(error: FdwError) -> Self {
        let message = for_message(error.to_string());
        match error {
            FdwError::Remote { table, error } => remote_report(&table, &error, message),
            FdwError::Option(error) => option_report(error),
            FdwError::Plan(detail) => {
                ErrorReport::new(PgSqlErrorCode::ERRCODE_FDW_ERROR, message, "rest_fdw")
                    .set_detail(for_message(detail))
                    .set_hint(
                        "Reconnect, or run DISCARD PLANS, so that the query is planned again.",
                    )
            }
            FdwError::NotOwner(_) => ErrorReport::new(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message,
                "rest_fdw",
            ),
            FdwError::Cache(_) => {
                ErrorReport::new(PgSqlErrorCode::ERRCODE_IO_ERROR, message, "rest_fdw")
            }
            FdwError::Function {
                code, detail, hint, ..
            } => report(code, message, detail, hint),
            FdwError::Internal(_) => {
                ErrorReport::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message, "rest_fdw")
            }
        }
    }
}

fn option_report(error: OptionError) -> ErrorReport {
    let code = match error.kind {
        OptionErrorKind::Unknown | OptionErrorKind::WrongLevel | OptionErrorKind::Secret => {
            PgSqlErrorCode::ERRCODE_FDW_INVALID_OPTION_NAME
        }
        OptionErrorKind::Privilege => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        OptionErrorKind::NotYet => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        OptionErrorKind::Invalid => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        OptionErrorKind::Conflict | OptionErrorKind::Missing => {
            PgSqlErrorCode::ERRCODE_FDW_OPTION_NAME_NOT_FOUND
        }
    };
    report(code, for_message(error.message), error.detail, error.hint)
}

fn remote_report(table: &str, error: &EngineError, message: String) -> ErrorReport {
    report(
        sqlstate(error),
        message,
        detail(table, error),
        hint(table, error),
    )
}

fn report(
    code: PgSqlErrorCode,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
) -> ErrorReport {
    let mut report = ErrorReport::new(code, message, "rest_fdw");
    if let Some(detail) = detail {
        report = report.set_detail(for_message(detail));
    }
    if let Some(hint) = hint {
        report = report.set_hint(for_message(hint));
    }
    report
}

/// The SQLSTATE of a remote error: class HV (foreign data wrappers), or 08 where no connection came about.
fn sqlstate(error: &EngineError) -> PgSqlErrorCode {
    match error {
        EngineError::Option { .. } => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        EngineError::MissingParameters(_) => {
            PgSqlErrorCode::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED
        }
        EngineError::Unsendable { .. } => PgSqlErrorCode::ERRCODE_FDW_INVALID_DATA_TYPE,
        EngineError::Resolve { .. } | EngineError::Connect { .. } | EngineError::Tls { .. } => {
            PgSqlErrorCode::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION
        }
        EngineError::Timeout { .. } | EngineError::Truncated { .. } => {
            PgSqlErrorCode::ERRCODE_CONNECTION_FAILURE
        }
        EngineError::Forbidden { .. } => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        EngineError::SignIn { cause, .. } => match &**cause {
            EngineError::Status { status, .. } if refuses(*status) => {
                PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION
            }
            cause => sqlstate(cause),
        },
        EngineError::Status {
            status: 401 | 403 | 407,
            ..
        } => PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        EngineError::Status { .. } | EngineError::Paging { .. } | EngineError::Expired { .. } => {
            PgSqlErrorCode::ERRCODE_FDW_UNABLE_TO_CREATE_REPLY
        }
        EngineError::Body { .. } | EngineError::Rows { .. } => {
            PgSqlErrorCode::ERRCODE_FDW_REPLY_HANDLE
        }
        EngineError::Value { .. } | EngineError::Inexact { .. } => {
            PgSqlErrorCode::ERRCODE_FDW_INVALID_DATA_TYPE
        }
        EngineError::TooLarge { .. } | EngineError::Limit { .. } => {
            PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED
        }
        EngineError::System(_) => PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
        EngineError::Cancelled => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
    }
}

/// Whether a token endpoint failed in a way that has nothing to do with the options.
fn passes(cause: &EngineError) -> bool {
    match cause {
        EngineError::Status { status, .. } => *status >= 400 && !refuses(*status),
        EngineError::Truncated { .. } | EngineError::Timeout { .. } => true,
        _ => false,
    }
}

/// Whether a token endpoint's status is about who asks; others are about when.
fn refuses(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

fn detail(table: &str, error: &EngineError) -> Option<String> {
    let place = error.exchange().map(|exchange| place(table, exchange));
    match error {
        EngineError::Status {
            message: Some(message),
            ..
        } => Some(format!("{}, the API says: {message}", place?)),
        EngineError::SignIn { cause, .. } => match &**cause {
            EngineError::Status {
                message: Some(message),
                ..
            } => Some(format!("{}, the token endpoint says: {message}", place?)),
            _ => place,
        },
        EngineError::Expired {
            status, message, ..
        } => {
            let says = message.as_deref().map(|text| format!(": {text}"));
            let says = says.unwrap_or_default();
            Some(format!("{}, the API says {status}{says}", place?))
        }
        EngineError::Value { column, value, .. } => {
            Some(format!("{}, column \"{column}\", value: {value}", place?))
        }
        EngineError::MissingParameters(_) | EngineError::Unsendable { .. } => {
            Some(format!("Foreign table \"{table}\""))
        }
        _ => place,
    }
}

/// Where it happened: `Foreign table "t", page 3 of GET https://...`.
fn place(table: &str, exchange: &Exchange) -> String {
    match (exchange.request.as_str(), exchange.page) {
        ("", _) => format!("Foreign table \"{table}\""),
        (request, 0) => format!("Foreign table \"{table}\", {request}"),
        (request, page) => format!("Foreign table \"{table}\", page {page} of {request}"),
    }
}

fn hint(table: &str, error: &EngineError) -> Option<String> {
    let hint = match error {
        EngineError::Option { hint, .. } => return hint.clone(),
        EngineError::MissingParameters(columns) => {
            let conditions: Vec<String> = columns
                .iter()
                .map(|column| format!("{} = '...'", quote_identifier(column)))
                .collect();
            return Some(format!(
                "Give a value: SELECT ... FROM {table} WHERE {}. A join or IN (...) supplies values too.",
                conditions.join(" AND ")
            ));
        }
        EngineError::Status {
            status: 401 | 403, ..
        } => "Check the user mapping: CREATE USER MAPPING ... OPTIONS (token '...').",
        EngineError::SignIn { cause, .. } if passes(cause) => return None,
        EngineError::SignIn { .. } => {
            "Check client_id, client_secret and refresh_token of the user mapping, and token_url, token_auth and scope of the server."
        }
        EngineError::Status { status: 404, .. } => {
            "Check the option \"endpoint\". If 404 means that there are no rows, set empty_on '404'."
        }
        EngineError::Expired { .. } => {
            "Take the rows sooner (no open cursor, no slow join on top: copy them into a local table first), or fewer of them: filter more, or change page_size."
        }
        EngineError::TooLarge { .. } => {
            "Raise the option \"max_response_bytes\", or ask for smaller pages."
        }
        EngineError::Inexact { .. } => {
            "Leave sum and avg out of option \"aggregates\", or SET rest_fdw.pushdown = off."
        }
        EngineError::Value { .. } => {
            "Change the column's type or its option \"format\", or set on_error 'null' to read such values as NULL."
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn quote_identifier(name: &str) -> String {
    pgrx::spi::quote_identifier(name)
}

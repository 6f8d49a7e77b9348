//! Which options there are, on which level each may stand, and which of them work.

use super::error::{OptionError, OptionErrorKind};
use super::{
    aggregates, base_url, caching, columns, constants, credentials, empty, endpoint, filter,
    format, header, operators, ordering, paging, path, quantity, reading, response, source, table,
};

/// Where an option is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// FOREIGN DATA WRAPPER
    Wrapper,
    /// SERVER
    Server,
    /// USER MAPPING
    UserMapping,
    /// FOREIGN TABLE
    Table,
    /// A column of a foreign table.
    Column,
}

impl Level {
    /// The level in a sentence, with its article.
    pub(super) fn with_article(self) -> &'static str {
        match self {
            Level::Wrapper => "a foreign-data wrapper",
            Level::Server => "a server",
            Level::UserMapping => "a user mapping",
            Level::Table => "a foreign table",
            Level::Column => "a column",
        }
    }
}

/// Understands a value, to see whether it can be understood: (option, value).
pub(super) type Check = fn(&str, &str) -> Result<(), OptionError>;

/// Whether an option works.
#[derive(Clone, Copy)]
enum Standing {
    Works(Check),
    /// It works, and names a file, weakens TLS or leads around the rules for hosts.
    ForSuperusers(Check),
    Later,
}

/// Where an option is at home.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Server,
    UserMapping,
    /// A foreign table; on its server it is the default of the server's tables.
    Table,
    /// A foreign table and nowhere else.
    TableOnly,
    Column,
}

impl Home {
    fn allows(self, level: Level) -> bool {
        match self {
            Home::Server => level == Level::Server,
            Home::UserMapping => level == Level::UserMapping,
            Home::Table => matches!(level, Level::Server | Level::Table),
            Home::TableOnly => level == Level::Table,
            Home::Column => level == Level::Column,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Home::Server => "Set it on the server.",
            Home::UserMapping => "Set it on the user mapping: secrets belong there only.",
            Home::Table => "Set it on the foreign table, or on the server for all of its tables.",
            Home::TableOnly => "Set it on the foreign table.",
            Home::Column => "Set it on a column of the foreign table.",
        }
    }
}

struct Entry(Home, &'static str, Standing);

/// Turns a parser into a check.
macro_rules! works {
    ($parse:expr) => {
        Standing::Works(|option, value| $parse(option, value).map(drop))
    };
}

/// The same for superusers.
macro_rules! for_superusers {
    ($parse:expr) => {
        Standing::ForSuperusers(|option, value| $parse(option, value).map(drop))
    };
}

const VOCABULARY: &[Entry] = &[
    Entry(Home::Server, "base_url", works!(base_url::base_url)),
    Entry(Home::Server, "user_agent", works!(header::value)),
    Entry(Home::Server, "accept", works!(header::value)),
    Entry(Home::Server, "auth", works!(source::auth_kind)),
    Entry(Home::Server, "api_key_name", works!(source::api_key_name)),
    Entry(Home::Server, "api_key_in", works!(source::api_key_place)),
    Entry(Home::Server, "auth_scheme", works!(header::token)),
    Entry(Home::Server, "connect_timeout", works!(quantity::timeout)),
    Entry(Home::Server, "timeout", works!(quantity::timeout)),
    Entry(Home::Server, "max_retries", works!(quantity::retries)),
    Entry(Home::Server, "retry_on", works!(source::retry_on)),
    Entry(Home::Server, "rate_limit", works!(quantity::rate)),
    Entry(Home::Server, "max_retry_time", works!(quantity::timeout)),
    Entry(
        Home::Server,
        "max_concurrency",
        works!(quantity::concurrency),
    ),
    Entry(Home::Server, "max_pages", works!(quantity::positive)),
    Entry(Home::Server, "max_requests", works!(quantity::positive)),
    Entry(Home::Server, "max_response_bytes", works!(quantity::size)),
    Entry(Home::Server, "token_url", works!(base_url::token_url)),
    Entry(Home::Server, "scope", works!(source::scope)),
    Entry(Home::Server, "token_auth", works!(source::client_auth)),
    Entry(Home::Server, "ca_file", for_superusers!(source::file)),
    Entry(
        Home::Server,
        "client_cert_file",
        for_superusers!(source::file),
    ),
    Entry(
        Home::Server,
        "tls_verify",
        for_superusers!(quantity::boolean),
    ),
    Entry(
        Home::Server,
        "proxy_url",
        for_superusers!(base_url::proxy_url),
    ),
    Entry(Home::Server, "unix_socket", for_superusers!(source::file)),
    Entry(Home::UserMapping, "token", works!(credentials::token)),
    Entry(Home::UserMapping, "username", works!(credentials::username)),
    Entry(Home::UserMapping, "password", works!(credentials::password)),
    Entry(Home::UserMapping, "api_key", works!(credentials::api_key)),
    Entry(Home::UserMapping, "headers", works!(credentials::headers)),
    Entry(Home::UserMapping, "client_id", works!(credentials::oauth2)),
    Entry(
        Home::UserMapping,
        "client_secret",
        works!(credentials::oauth2),
    ),
    Entry(
        Home::UserMapping,
        "refresh_token",
        works!(credentials::oauth2),
    ),
    Entry(
        Home::UserMapping,
        "token_setting",
        works!(credentials::token_setting),
    ),
    Entry(
        Home::UserMapping,
        "vault_secret",
        works!(credentials::vault_secret),
    ),
    Entry(
        Home::TableOnly,
        "endpoint",
        works!(endpoint::Endpoint::parse),
    ),
    Entry(Home::Table, "query", works!(constants::query)),
    Entry(Home::Table, "headers", works!(constants::headers)),
    Entry(Home::Table, "method", works!(reading::method)),
    Entry(Home::Table, "body", works!(reading::body)),
    Entry(Home::Table, "body_type", works!(reading::body_kind)),
    Entry(Home::Table, "format", works!(response::name)),
    Entry(Home::Table, "csv_delimiter", works!(response::delimiter)),
    Entry(Home::Table, "csv_quote", works!(response::quote)),
    Entry(Home::Table, "csv_header", works!(quantity::boolean)),
    Entry(Home::Table, "csv_null", works!(response::null)),
    Entry(Home::Table, "dialect", works!(table::dialect)),
    Entry(Home::Table, "operators", works!(operators::operators)),
    Entry(Home::Table, "filter_param", works!(paging::parameter)),
    Entry(
        Home::Table,
        "filter_template",
        works!(table::filter_template),
    ),
    Entry(Home::Table, "max_list_size", works!(quantity::positive)),
    Entry(Home::Table, "max_url_length", works!(quantity::positive)),
    Entry(Home::Table, "rows", works!(path::rows)),
    Entry(Home::Table, "rows_shape", works!(table::shape_name)),
    Entry(Home::Table, "columns_field", works!(path::member)),
    Entry(Home::Table, "pagination", works!(paging::style)),
    Entry(Home::Table, "page_size", works!(quantity::positive)),
    Entry(Home::Table, "page_size_param", works!(paging::parameter)),
    Entry(Home::Table, "max_page_size", works!(quantity::positive)),
    Entry(Home::Table, "page_param", works!(paging::parameter)),
    Entry(Home::Table, "first_page", works!(quantity::count)),
    Entry(Home::Table, "offset_param", works!(paging::parameter)),
    Entry(Home::Table, "first_offset", works!(quantity::count)),
    Entry(Home::Table, "cursor_param", works!(paging::parameter)),
    Entry(Home::Table, "cursor_field", works!(path::member)),
    Entry(Home::Table, "cursor_header", works!(header::token)),
    Entry(Home::Table, "cursor_column", works!(columns::name)),
    Entry(Home::Table, "next_url_field", works!(path::member)),
    Entry(Home::Table, "next_url_header", works!(header::token)),
    Entry(Home::Table, "has_more_field", works!(path::member)),
    Entry(Home::Table, "total_field", works!(path::member)),
    Entry(Home::Table, "total_header", works!(header::token)),
    Entry(Home::Table, "page_count_field", works!(path::member)),
    Entry(Home::Table, "end_on_short_page", works!(quantity::boolean)),
    Entry(Home::Table, "keep_params", works!(quantity::boolean)),
    Entry(Home::Table, "sort_param", works!(paging::parameter)),
    Entry(Home::Table, "sort_style", works!(ordering::style)),
    Entry(Home::Table, "order_param", works!(paging::parameter)),
    Entry(Home::Table, "sort_desc_param", works!(paging::parameter)),
    Entry(Home::Table, "max_sort_keys", works!(quantity::positive)),
    Entry(Home::Table, "fields_param", works!(paging::parameter)),
    Entry(Home::Table, "key", works!(columns::names)),
    Entry(Home::Table, "empty_on", works!(empty::empty_on)),
    Entry(Home::Table, "expired_on", works!(table::statuses)),
    Entry(Home::Table, "error_field", works!(path::member)),
    Entry(Home::Table, "recheck", works!(quantity::boolean)),
    Entry(Home::Table, "cache", works!(caching::kind)),
    Entry(Home::Table, "cache_ttl", works!(caching::time)),
    Entry(Home::Table, "rows_estimate", works!(quantity::estimate)),
    Entry(Home::Table, "latency", works!(quantity::duration)),
    Entry(
        Home::TableOnly,
        "count_endpoint",
        works!(endpoint::Endpoint::parse),
    ),
    Entry(Home::Table, "aggregates", works!(aggregates::functions)),
    Entry(Home::Table, "count_field", works!(aggregates::count_field)),
    Entry(Home::Table, "exact_total", works!(quantity::boolean)),
    Entry(
        Home::TableOnly,
        "entity_endpoint",
        works!(endpoint::Endpoint::parse),
    ),
    Entry(Home::Table, "entity_field", works!(path::member)),
    Entry(Home::Table, "error_when", Standing::Later),
    Entry(Home::Table, "insert_method", Standing::Later),
    Entry(Home::Table, "update_method", Standing::Later),
    Entry(Home::Table, "delete_method", Standing::Later),
    Entry(Home::Table, "write_endpoint", Standing::Later),
    Entry(Home::Table, "batch_size", Standing::Later),
    Entry(Home::Table, "updatable", Standing::Later),
    Entry(Home::Column, "field", works!(path::field)),
    Entry(Home::Column, "filter", works!(filter::filters)),
    Entry(Home::Column, "param", works!(paging::parameter)),
    Entry(Home::Column, "param_in", works!(columns::place)),
    Entry(Home::Column, "required", works!(quantity::boolean)),
    Entry(Home::Column, "default", works!(columns::default)),
    Entry(Home::Column, "format", works!(format::value_format)),
    Entry(Home::Column, "on_error", works!(columns::on_error)),
    Entry(Home::Column, "collation", works!(columns::collation)),
    Entry(Home::Column, "sort", works!(ordering::sort)),
    Entry(Home::Column, "sort_nulls", works!(ordering::nulls)),
];

/// The check of `option`'s values on `level`, or why it may not stand there.
pub(super) fn check_of(level: Level, option: &str, superuser: bool) -> Result<Check, OptionError> {
    let here = VOCABULARY
        .iter()
        .find(|Entry(home, name, _)| *name == option && home.allows(level));
    match here {
        Some(Entry(_, _, Standing::Works(check))) => Ok(*check),
        Some(Entry(_, _, Standing::ForSuperusers(check))) if superuser => Ok(*check),
        Some(Entry(_, _, Standing::ForSuperusers(_))) => {
            let message = format!("only a superuser may set option \"{option}\"");
            Err(OptionError::new(OptionErrorKind::Privilege, message))
        }
        Some(_) => Err(OptionError::not_yet(format!("option \"{option}\""))),
        None => Err(not_here(level, option)),
    }
}

fn not_here(level: Level, option: &str) -> OptionError {
    match VOCABULARY.iter().find(|Entry(_, name, _)| *name == option) {
        Some(Entry(home, _, _)) => {
            let kind = if *home == Home::UserMapping {
                OptionErrorKind::Secret
            } else {
                OptionErrorKind::WrongLevel
            };
            let message = format!(
                "option \"{option}\" is not allowed on {}",
                level.with_article()
            );
            OptionError::new(kind, message).with_hint(home.hint())
        }
        None => {
            let message = format!("invalid option \"{option}\"");
            OptionError::new(OptionErrorKind::Unknown, message).with_hint(suggestion(level, option))
        }
    }
}

fn suggestion(level: Level, option: &str) -> String {
    let valid: Vec<&str> = VOCABULARY
        .iter()
        .filter(|Entry(home, _, standing)| {
            home.allows(level) && !matches!(standing, Standing::Later)
        })
        .map(|Entry(_, name, _)| *name)
        .collect();
    let distance = |name: &str| strsim::damerau_levenshtein(name, &option.to_ascii_lowercase());
    let nearest = valid.iter().min_by_key(|name| distance(name));
    match nearest {
        None => format!("There are no valid options on {}.", level.with_article()),
        // As PostgreSQL's own suggestions: at most half of the name may differ.
        Some(name) if distance(name) <= 4 && distance(name) * 2 <= option.len() => {
            format!("Perhaps you meant the option \"{name}\".")
        }
        Some(_) => format!(
            "Valid options on {} are: {}.",
            level.with_article(),
            valid.join(", ")
        ),
    }
}

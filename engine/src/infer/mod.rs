//! From one response to a table: what its rows are, which columns they have, how it is paged.
//!
//! Only what can be seen in the response becomes a declaration; what is likely becomes a note for a reader (rule R2).

mod columns;
mod csv;
mod format;
mod layout;
mod names;
mod paging;
mod proposal;
mod read;
mod sample;
mod survey;
mod types;
mod written;

#[cfg(test)]
mod bare_tests;
#[cfg(test)]
mod tests;

pub use proposal::{Context, Proposal, ProposedColumn, propose};
pub use sample::{Sample, sampled, surveyed};
pub use survey::Survey;

use crate::model::options::{Endpoint, OptionError, Options};

/// The `{names}` of an endpoint.
///
/// # Errors
/// Where it is no endpoint.
pub fn variables(endpoint: &str) -> Result<Vec<String>, OptionError> {
    let endpoint = Endpoint::parse("endpoint", endpoint)?;
    Ok(endpoint.variables().map(str::to_owned).collect())
}

/// A name for the table of an endpoint: the last word of its path.
pub fn table_name(endpoint: &str) -> String {
    let path = endpoint.split('?').next().unwrap_or_default();
    let is_word = |segment: &&str| {
        !segment.contains(['{', '}', '%'])
            && segment.starts_with(|first: char| first.is_alphabetic())
    };
    let word = path.rsplit('/').find(is_word).unwrap_or("response");
    names::snake_case(word.split('.').next().unwrap_or(word))
}

/// The server's options that make the first request; those that say how its response is read may name columns, and
/// there are none yet.
pub fn asking(server: &Options) -> Options {
    const OF_RESPONSES: [&str; 26] = [
        "rows_shape",
        "columns_field",
        "pagination",
        "page_param",
        "first_page",
        "offset_param",
        "first_offset",
        "cursor_param",
        "cursor_field",
        "cursor_header",
        "cursor_column",
        "next_url_field",
        "next_url_header",
        "has_more_field",
        "total_field",
        "total_header",
        "page_count_field",
        "key",
        "entity_field",
        "sort_param",
        "sort_style",
        "max_sort_keys",
        "order_param",
        "sort_desc_param",
        "fields_param",
        "end_on_short_page",
    ];
    let is_asked = |(name, _): &&(String, String)| !OF_RESPONSES.contains(&name.as_str());
    server.iter().filter(is_asked).cloned().collect()
}

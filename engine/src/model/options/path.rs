//! Paths into a JSON document: `data.items`, JSON Pointer (RFC 6901), `$`.

use super::error::OptionError;
use crate::model::{FieldPath, RowsPath, Segment};

/// Where the rows are: `auto`, `$` for the root, or a path.
pub(super) fn rows(option: &str, value: &str) -> Result<RowsPath, OptionError> {
    match value {
        "auto" => Ok(RowsPath::Auto),
        "$" => Ok(RowsPath::Path(Vec::new())),
        path => segments(option, path).map(RowsPath::Path),
    }
}

/// Where a column's value is in a row: `$` for the whole row, `@key` for its name, or a path.
pub(super) fn field(option: &str, value: &str) -> Result<FieldPath, OptionError> {
    match value {
        "$" => Ok(FieldPath::Whole),
        "@key" => Ok(FieldPath::Key),
        path => segments(option, path).map(FieldPath::Path),
    }
}

/// Where something is in a response: at least one segment.
pub(super) fn member(option: &str, value: &str) -> Result<Vec<Segment>, OptionError> {
    if value == "$" {
        return Err(OptionError::invalid(
            option,
            "it names a member of the response, not the whole of it",
        ));
    }
    segments(option, value)
}

fn segments(option: &str, value: &str) -> Result<Vec<Segment>, OptionError> {
    if value.starts_with("$.") || value.starts_with("$[") {
        let error = OptionError::not_yet(format_args!("JSONPath in option \"{option}\""));
        return Err(error.with_hint(
            "Write a dotted path such as data.items, or a JSON Pointer such as /data/items.",
        ));
    }
    match value.strip_prefix('/') {
        Some(pointer) => pointer
            .split('/')
            .map(|part| unescape(option, part))
            .collect(),
        None => dotted(option, value),
    }
}

fn dotted(option: &str, value: &str) -> Result<Vec<Segment>, OptionError> {
    if value.split('.').any(str::is_empty) {
        let reason = format!("\"{value}\" has an empty member name");
        return Err(OptionError::invalid(option, reason)
            .with_hint("Write a dotted path such as data.items; for a name that holds a dot, a JSON Pointer such as /@odata.nextLink."));
    }
    Ok(value.split('.').map(str::to_owned).collect())
}

/// RFC 6901, section 4: `~1` is a slash, then `~0` is a tilde.
fn unescape(option: &str, part: &str) -> Result<Segment, OptionError> {
    let mut after_tilde = part.split('~').skip(1);
    if after_tilde.any(|rest| !rest.starts_with(['0', '1'])) {
        let reason = format!("\"~\" in \"{part}\" must be written ~0, and a slash in a name ~1");
        return Err(OptionError::invalid(option, reason));
    }
    Ok(part.replace("~1", "/").replace("~0", "~"))
}

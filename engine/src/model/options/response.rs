//! The option `format` of tables: how responses are written, and what has no meaning in each format.

use super::error::OptionError;
use super::given::Given;
use super::quantity;
use crate::model::{Csv, FieldPath, Format, Location, Paging, Role, RowsShape, Table};

/// The names of formats.
pub(super) fn name(option: &str, value: &str) -> Result<Format, OptionError> {
    match value {
        "json" => Ok(Format::Json),
        "jsonl" => Ok(Format::JsonLines),
        "csv" => Ok(Format::Csv(Csv::default())),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a format of responses"),
        )
        .with_hint("Valid values are json, jsonl and csv.")),
    }
}

/// What stands between fields: a character of ASCII, or `\t`.
pub(super) fn delimiter(option: &str, value: &str) -> Result<u8, OptionError> {
    match value.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | b'\0') => Ok(*byte),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not one character"))
                .with_hint("Write one character of ASCII that is no line break, or \\t for a tab."),
        ),
    }
}

/// What stands around fields, or `none`.
pub(super) fn quote(option: &str, value: &str) -> Result<Option<u8>, OptionError> {
    match value.as_bytes() {
        b"none" => Ok(None),
        [byte] if byte.is_ascii_graphic() => Ok(Some(*byte)),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not a quote"))
                .with_hint("Write one character of ASCII, or none."),
        ),
    }
}

/// What a field says that has no value.
pub(super) fn null(option: &str, value: &str) -> Result<String, OptionError> {
    if value.contains(['\r', '\n']) {
        return Err(OptionError::invalid(option, "it holds a line break"));
    }
    Ok(value.to_owned())
}

/// A table's format.
pub(super) fn format(given: &Given, own: &Given) -> Result<Format, OptionError> {
    let format = given.read("format", name)?.unwrap_or_default();
    let Format::Csv(usual) = format else {
        only_csv_has_details(own)?;
        return Ok(format);
    };
    let csv = Csv {
        delimiter: given
            .read("csv_delimiter", delimiter)?
            .unwrap_or(usual.delimiter),
        quote: given.read("csv_quote", quote)?.unwrap_or(usual.quote),
        header: given
            .read("csv_header", quantity::boolean)?
            .unwrap_or(usual.header),
        null: given.read("csv_null", null)?.unwrap_or(usual.null),
    };
    if csv.quote == Some(csv.delimiter) {
        return Err(OptionError::conflict(
            "options \"csv_delimiter\" and \"csv_quote\" are the same character",
        ));
    }
    Ok(Format::Csv(csv))
}

fn only_csv_has_details(own: &Given) -> Result<(), OptionError> {
    let details = ["csv_delimiter", "csv_quote", "csv_header", "csv_null"];
    match details.iter().find(|option| own.text(option).is_some()) {
        None => Ok(()),
        Some(option) => Err(OptionError::conflict(format!(
            "option \"{option}\" needs format 'csv'"
        ))),
    }
}

/// What can be told from a table's own options alone.
pub(super) fn agree(own: &Given) -> Result<(), OptionError> {
    // Else it may be the server's.
    match own.text("format") {
        None => Ok(()),
        Some(name) => {
            format(own, own)?;
            has_nothing_around(name, own)
        }
    }
}

/// The shape of rows in a format that has nothing but rows. Records without a header are arrays.
pub(super) fn shape(format: &Format, declared: RowsShape) -> RowsShape {
    let arrays = RowsShape::Arrays {
        columns_field: None,
    };
    match (format, declared) {
        (Format::Csv(csv), _) if !csv.header => arrays,
        (Format::JsonLines, RowsShape::Arrays { .. }) => arrays,
        (Format::JsonLines, RowsShape::Values) => RowsShape::Values,
        _ => RowsShape::Objects,
    }
}

/// Refuses what only shows with the server's options and the columns.
pub(super) fn agrees(table: &Table, own: &Given) -> Result<(), OptionError> {
    let (name, csv) = match &table.format {
        Format::Json => return Ok(()),
        Format::JsonLines => ("jsonl", None),
        Format::Csv(csv) => ("csv", Some(csv)),
    };
    has_nothing_around(name, own)?;
    let in_body = match &table.paging {
        Paging::Cursor {
            at: Location::Body(_),
            ..
        } => Some("cursor_field"),
        Paging::NextUrl {
            at: Location::Body(_),
        } => Some("next_url_field"),
        _ => None,
    };
    match (in_body, csv) {
        (Some(option), _) => Err(no_meaning(option, name)),
        (None, Some(csv)) => fields_of_csv(table, csv),
        (None, None) => Ok(()),
    }
}

/// Refuses options of a table that look for something beside the rows, where there is nothing.
fn has_nothing_around(format: &str, own: &Given) -> Result<(), OptionError> {
    const AROUND: [&str; 8] = [
        "rows",
        "columns_field",
        "has_more_field",
        "total_field",
        "page_count_field",
        "cursor_field",
        "next_url_field",
        "entity_field",
    ];
    if format == "json" {
        return Ok(());
    }
    if let Some(option) = AROUND.into_iter().find(|option| own.text(option).is_some()) {
        return Err(no_meaning(option, format));
    }
    match own.text("rows_shape") {
        None => Ok(()),
        Some("objects" | "arrays" | "values") if format == "jsonl" => Ok(()),
        Some(shape) => Err(OptionError::conflict(format!(
            "rows_shape '{shape}' has no meaning with format '{format}'"
        ))),
    }
}

fn no_meaning(option: &str, format: &str) -> OptionError {
    OptionError::conflict(format!(
        "option \"{option}\" has no meaning with format '{format}': there is nothing around its rows"
    ))
    .with_hint(
        "Page by a header (link, next_url_header, cursor_header), or by page, offset or keyset.",
    )
}

/// A column is one field of a record.
fn fields_of_csv(table: &Table, csv: &Csv) -> Result<(), OptionError> {
    for column in &table.columns {
        let message = match &column.role {
            Role::Field(FieldPath::Whole) => "field '$' has no meaning with format 'csv'",
            Role::Field(FieldPath::Path(segments))
                if !csv.header
                    && !matches!(segments.as_slice(), [one] if one.parse::<usize>().is_ok()) =>
            {
                "a field without a header is a number, counted from 0"
            }
            _ => continue,
        };
        return Err(OptionError::conflict(message).in_column(&column.name, &table.name));
    }
    Ok(())
}
